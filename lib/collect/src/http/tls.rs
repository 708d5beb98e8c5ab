//! The TLS configuration: whom to trust, and how certificates are checked.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::options::{ClientOptions, SharedTls};
use super::roots::SystemRoots;
use super::{HttpError, certificate, pem, tls_error};

/// The configuration for these options; one for all clones with the same.
pub(super) fn config(options: &ClientOptions) -> Result<ClientConfig, HttpError> {
    let mut made = options
        .surroundings
        .tls
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let same = |tls: &&SharedTls| {
        tls.ca_file == options.ca_file && tls.insecure_skip_verify == options.insecure_skip_verify
    };
    if let Some(tls) = made.iter().find(same) {
        return Ok(tls.config.clone());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::client(format_args!("no TLS can be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier {
            trust: trust(options)?,
            algorithms: provider.signature_verification_algorithms,
        }))
        .with_no_client_auth();
    made.push(SharedTls {
        ca_file: options.ca_file.clone(),
        insecure_skip_verify: options.insecure_skip_verify,
        config: config.clone(),
    });
    Ok(config)
}

fn trust(options: &ClientOptions) -> Result<Trust, HttpError> {
    if options.insecure_skip_verify {
        return Ok(Trust::Anyone);
    }
    match &options.ca_file {
        Some(path) => Ok(Trust::Named(Named::read(path)?)),
        None => {
            let surroundings = &options.surroundings;
            Ok(Trust::System(SystemRoots::new(
                surroundings.cert_file.clone(),
                surroundings.cert_dirs.clone(),
            )))
        }
    }
}

/// Checks a server's certificate.
struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

enum Trust {
    /// `insecure_skip_verify`.
    Anyone,
    /// The certificates of `ca_file`.
    Named(Named),
    /// The system's authorities.
    System(SystemRoots),
}

/// The certificates of a `ca_file`.
struct Named {
    path: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
    authorities: RootCertStore,
}

impl Named {
    fn read(path: &Path) -> Result<Self, HttpError> {
        let text = pem::read(path).map_err(|error| {
            HttpError::client(format_args!("cannot read ca_file {}", path.display())).caused_by_io(error)
        })?;
        let mut named = Self {
            path: path.to_owned(),
            certificates: Vec::new(),
            authorities: RootCertStore::empty(),
        };
        for (number, der) in CertificateDer::pem_slice_iter(&text).enumerate() {
            let damaged = || {
                let number = number + 1;
                HttpError::client(format_args!(
                    "certificate {number} in ca_file {} is damaged; copy it again, from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`",
                    path.display()
                ))
            };
            let der = der.map_err(|_| damaged())?;
            named.authorities.add(der.clone()).map_err(|_| damaged())?;
            named.certificates.push(der);
        }
        if named.certificates.is_empty() {
            return Err(HttpError::client(format_args!(
                "ca_file {} holds no certificate; it must be a PEM file with `-----BEGIN CERTIFICATE-----`",
                path.display()
            )));
        }
        Ok(named)
    }

    /// A certificate that neither is one of these nor comes from one, in words that name the file.
    fn explain(&self, error: rustls::Error) -> rustls::Error {
        if tls_error::is_unknown(&error) {
            let ca_file = self.path.clone();
            CertificateError::Other(rustls::OtherError(Arc::new(NotNamed { ca_file }))).into()
        } else {
            error
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let looked_up;
        let authorities = match &self.trust {
            Trust::Anyone => return Ok(ServerCertVerified::assertion()),
            Trust::Named(named) if named.certificates.contains(end_entity) => {
                verify_own(end_entity, server_name, now)?;
                return Ok(ServerCertVerified::assertion());
            }
            Trust::Named(named) => &named.authorities,
            Trust::System(system) => {
                looked_up = system.issuers_of(std::iter::once(end_entity).chain(intermediates))?;
                &*looked_up
            }
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            authorities,
            intermediates,
            now,
            self.algorithms.all,
        )
        .map_err(|error| match &self.trust {
            Trust::Named(named) => named.explain(error),
            _ => error,
        })?;
        verify_server_name(&certificate, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if matches!(self.trust, Trust::Anyone) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if matches!(self.trust, Trust::Anyone) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = match &self.trust {
            Trust::Anyone => "anyone",
            Trust::Named(_) => "ca_file",
            Trust::System(_) => "system",
        };
        f.debug_struct("Verifier")
            .field("trust", &trust)
            .finish_non_exhaustive()
    }
}

/// The server's very certificate was named as `ca_file`. Its name and validity count; that the server holds its key,
/// the handshake's signature shows.
fn verify_own(
    der: &CertificateDer<'_>,
    server_name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let bad = || rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
    let fields = certificate::fields(der).ok_or_else(bad)?;
    let not_before = certificate::unix_time(fields.not_before).ok_or_else(bad)?;
    let not_after = certificate::unix_time(fields.not_after).ok_or_else(bad)?;
    let moment = |seconds: i64| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.max(0).unsigned_abs()))
    };
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if seconds < not_before {
        let not_before = moment(not_before);
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        }
        .into());
    }
    if seconds > not_after {
        let not_after = moment(not_after);
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    let parsed = ParsedCertificate::try_from(der)?;
    match verify_server_name(&parsed, server_name) {
        // Certificates of old hold their name in the subject alone. Authorities may no longer issue such; a
        // certificate that was named itself may be one.
        Err(error) if names_nobody(&error) => match certificate::common_name(fields.subject) {
            Some(name) if server_name.to_str().eq_ignore_ascii_case(name) => Ok(()),
            Some(name) => Err(CertificateError::NotValidForNameContext {
                expected: server_name.to_owned(),
                presented: vec![name.to_owned()],
            }
            .into()),
            None => Err(error),
        },
        outcome => outcome,
    }
}

fn names_nobody(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })
            if presented.is_empty()
    )
}

/// What the system's authorities cannot be looked up for, in words.
pub(super) fn unusable(message: String, cause: Option<io::Error>) -> rustls::Error {
    rustls::Error::Other(rustls::OtherError(Arc::new(NoAuthorities { message, cause })))
}

/// A server's certificate has nothing to do with those of the `ca_file`.
#[derive(Debug)]
pub(super) struct NotNamed {
    pub(super) ca_file: PathBuf,
}

impl fmt::Display for NotNamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "neither is in ca_file {} nor comes from an authority there",
            self.ca_file.display()
        )
    }
}

impl std::error::Error for NotNamed {}

/// There are no authorities to check against.
#[derive(Debug)]
pub(super) struct NoAuthorities {
    message: String,
    cause: Option<io::Error>,
}

impl fmt::Display for NoAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        // The TLS library's own error shows no further cause.
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for NoAuthorities {}
