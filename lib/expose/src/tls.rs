//! A listener's certificate and key.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tokio::time::Instant;

use crate::files::{self, Stamp};

/// How often it is looked whether the files changed, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a listener's certificate and key are, PEM. They may be in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those of the authorities between it and a known one.
    pub certificate: PathBuf,
    /// Its key, not encrypted.
    pub key: PathBuf,
}

/// TLS with a certificate and key that are read anew when their files change. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    /// Of the files when they were read last, whether they were well or not.
    stamps: Stamps,
    looked: Option<Instant>,
}

type Stamps = (Option<Stamp>, Option<Stamp>);

impl Tls {
    /// Reads the files. Gives a notice too where every user of the host may read the key.
    ///
    /// # Errors
    /// Where they cannot be read, or hold no certificate and its own key.
    pub fn read(files: TlsFiles) -> Result<(Tls, Option<String>), TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let stamps = stamps(&files);
        let (config, notice) = config(&files, &provider)?;
        let current = Mutex::new(Current {
            config,
            stamps,
            looked: None,
        });
        Ok((
            Tls(Arc::new(Shared {
                files,
                provider,
                current,
            })),
            notice,
        ))
    }

    /// What the next connection takes: what is in the files now, as far as it is well.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if current
            .looked
            .is_some_and(|looked| now.duration_since(looked) < LOOK_EVERY)
        {
            return Arc::clone(&current.config);
        }
        current.looked = Some(now);
        let stamps = stamps(&self.0.files);
        if stamps != current.stamps {
            current.stamps = stamps;
            match config(&self.0.files, &self.0.provider) {
                Ok((config, notice)) => {
                    current.config = config;
                    tracing::info!("{}: read anew", self.0.files.certificate.display());
                    if let Some(notice) = notice {
                        tracing::warn!("{notice}");
                    }
                }
                Err(error) => tracing::error!(
                    "{}; the certificate before stays in use",
                    tidemark_collect::chain(&error)
                ),
            }
        }
        Arc::clone(&current.config)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    (files::stamp(&files.certificate), files::stamp(&files.key))
}

fn config(
    files: &TlsFiles,
    provider: &Arc<CryptoProvider>,
) -> Result<(Arc<ServerConfig>, Option<String>), TlsError> {
    let chain = certificates(&files.certificate)?;
    let (key, exposed) = key(&files.key)?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|source| TlsError::UnknownKey {
            path: files.key.clone(),
            source,
        })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(TlsError::Mismatched {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            });
        }
        Err(source) => {
            return Err(TlsError::BadCertificate {
                path: files.certificate.clone(),
                source: Box::new(source),
            });
        }
    }
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Library)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(certified))));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let notice = exposed.then(|| {
        format!(
            "{0}: every user of this host may read this key; run chmod o= {0}",
            files.key.display()
        )
    });
    Ok((Arc::new(config), notice))
}

/// One certificate for every name.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn read(path: &Path) -> Result<(Vec<u8>, bool), TlsError> {
    files::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let (text, _) = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|source| TlsError::NotPem {
        path: path.to_owned(),
        source,
    })?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(found)
}

fn key(path: &Path) -> Result<(PrivateKeyDer<'static>, bool), TlsError> {
    let (text, exposed) = read(path)?;
    match PrivateKeyDer::from_pem_slice(&text) {
        // The old way of encrypting stands within, as a header.
        _ if holds(&text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || holds(&text, b"Proc-Type: 4,ENCRYPTED") =>
        {
            Err(TlsError::EncryptedKey {
                path: path.to_owned(),
            })
        }
        Ok(key) => Ok((key, exposed)),
        Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey {
            path: path.to_owned(),
        }),
        Err(source) => Err(TlsError::NotPem {
            path: path.to_owned(),
            source,
        }),
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Why a certificate and key cannot be used. It never holds any of the key.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no PEM.
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// There is no certificate in the file.
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The certificate cannot be used.
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<rustls::Error>,
    },
    /// There is no key in the file.
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key asks for a passphrase.
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is of a kind that TLS does not take.
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The key is not the certificate's.
    Mismatched {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The TLS library refuses.
    Library(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Unreadable { path, source } => {
                let advice = match source.kind() {
                    io::ErrorKind::NotFound => "create it, or name another",
                    io::ErrorKind::PermissionDenied => "let the user that this runs as read it",
                    _ => "name a readable PEM file",
                };
                write!(f, "{} cannot be read; {advice}", path.display())
            }
            TlsError::NotPem { path, .. } => {
                write!(f, "{} is not well-formed PEM; write it anew", path.display())
            }
            TlsError::NoCertificate { path } => write!(
                f,
                "{} holds no certificate; name the PEM file that does (-----BEGIN CERTIFICATE-----)",
                path.display()
            ),
            TlsError::BadCertificate { path, .. } => write!(
                f,
                "the certificate in {} cannot be used; write it anew",
                path.display()
            ),
            TlsError::NoKey { path } => write!(
                f,
                "{} holds no key; name the PEM file that does (-----BEGIN PRIVATE KEY-----)",
                path.display()
            ),
            TlsError::EncryptedKey { path } => write!(
                f,
                "the key in {0} is encrypted; write it without a passphrase (openssl pkey -in {0} -out NEW), and let the \
                 user that this runs as alone read it",
                path.display()
            ),
            TlsError::UnknownKey { path, .. } => write!(
                f,
                "the key in {} is of no kind that is known here; use RSA, ECDSA (P-256, P-384) or Ed25519",
                path.display()
            ),
            TlsError::Mismatched { certificate, key } => write!(
                f,
                "the key in {} is not that of the first certificate in {}; name the two that belong together, the \
                 server's certificate before its authorities",
                key.display(),
                certificate.display()
            ),
            TlsError::Library(_) => f.write_str("no TLS can be set up"),
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TlsError::Unreadable { source, .. } => Some(source),
            TlsError::NotPem { source, .. } => Some(source),
            TlsError::BadCertificate { source, .. } => Some(source.as_ref()),
            TlsError::UnknownKey { source, .. } | TlsError::Library(source) => Some(source),
            _ => None,
        }
    }
}
