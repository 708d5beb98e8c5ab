//! Certificates of every kind that a client meets, made afresh for each test.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// An authority, and servers' certificates: good ones and bad ones, as files in a temporary folder.
///
/// The good ones are for `localhost` and `127.0.0.1`.
pub struct Certificates {
    folder: TempDir,
    authority: PathBuf,
    /// From the authority, for `localhost` and `127.0.0.1`.
    pub leaf: Identity,
    /// From the authority, for `elsewhere.example` alone.
    pub wrong_name: Identity,
    /// From the authority, for the right names, out of date since 2001.
    pub expired: Identity,
    /// Its own issuer and CA:TRUE, as a plain `openssl req -x509` makes it, for the right names.
    pub self_signed: Identity,
    /// From another authority, for the right names.
    pub stranger: Identity,
}

/// A server's certificate and its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The key, PEM, mode 0600.
    pub key: PathBuf,
    /// Both in one file, as influxd wants them, mode 0600.
    pub both: PathBuf,
}

impl Certificates {
    /// Makes them all.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("tidemark-certificates-").expect("a temporary folder");
        let authority = Authority::new("tidemark test authority");
        let other = Authority::new("another test authority");
        let at = folder.path();
        let path = at.join("authority.pem");
        write(&path, &authority.pem, 0o644);
        let good = ["localhost", "127.0.0.1"];
        let leaf = authority.issue(&at.join("leaf"), &params("localhost", &good));
        let wrong_name = authority.issue(
            &at.join("wrong-name"),
            &params("elsewhere", &["elsewhere.example"]),
        );
        let mut old = params("localhost", &good);
        old.not_before = date_time_ymd(2000, 1, 1);
        old.not_after = date_time_ymd(2001, 1, 1);
        let expired = authority.issue(&at.join("expired"), &old);
        let stranger = other.issue(&at.join("stranger"), &params("localhost", &good));
        let self_signed = self_signed(&at.join("self-signed"), &good);
        Self {
            authority: path,
            leaf,
            wrong_name,
            expired,
            self_signed,
            stranger,
            folder,
        }
    }

    /// The authority's certificate, PEM: what a client names as `ca_file`, or in SSL_CERT_FILE.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// The folder that holds the files; it goes with this value.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity {
    /// The server's side of TLS with this certificate.
    pub(crate) fn server_config(&self) -> Arc<rustls::ServerConfig> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .expect("the certificate that was just written");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("the key that was just written");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the key belongs to the certificate");
        Arc::new(config)
    }

    fn write(stem: &Path, certificate: &str, key: &KeyPair) -> Self {
        let at = |extension: &str| stem.with_extension(extension);
        let identity = Self {
            certificate: at("crt"),
            key: at("key"),
            both: at("pem"),
        };
        let key = key.serialize_pem();
        write(&identity.certificate, certificate, 0o644);
        write(&identity.key, &key, 0o600);
        write(&identity.both, &format!("{key}{certificate}"), 0o600);
        identity
    }
}

/// Who signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = vec![];
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn issue(&self, stem: &Path, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity::write(stem, &certificate.pem(), &key)
    }
}

/// A leaf's parameters.
fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("valid names");
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2999, 1, 1);
    params
}

/// `openssl req -x509 -addext subjectAltName=…`: an authority that is its own server.
fn self_signed(stem: &Path, names: &[&str]) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let mut params = params("localhost", names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages = vec![];
    let certificate = params.self_signed(&key).expect("a certificate");
    Identity::write(stem, &certificate.pem(), &key)
}

fn write(path: &Path, text: &str, mode: u32) {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    file.write_all(text.as_bytes())
        .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Source, http};
    use std::os::unix::fs::PermissionsExt;

    /// What a client that trusts `trusted` alone says of a server with `identity`.
    fn meet(identity: &Identity, trusted: &Path) -> Result<u16, String> {
        let source = Source::https(identity);
        source.route("/", Answer::new(200));
        let request = http::Request::get(&source.url("/")).trust(trusted);
        request
            .send()
            .map(|answer| answer.status)
            .map_err(|why| why.to_string())
    }

    #[test]
    fn each_is_what_it_says() {
        let certificates = Certificates::new();
        let trusted = certificates.authority();
        assert_eq!(meet(&certificates.leaf, trusted), Ok(200));
        for (identity, expected) in [
            (&certificates.wrong_name, "not valid for name"),
            (&certificates.expired, "expired"),
            (&certificates.stranger, "UnknownIssuer"),
            (&certificates.self_signed, "CaUsedAsEndEntity"),
        ] {
            let why = meet(identity, trusted).expect_err("must be refused");
            assert!(
                why.contains(expected),
                "{}: {why}",
                identity.certificate.display()
            );
        }
        let why =
            meet(&certificates.self_signed, &certificates.self_signed.certificate).expect_err("CA:TRUE");
        assert!(why.contains("CaUsedAsEndEntity"), "{why}");
    }

    #[test]
    fn keys_are_private() {
        let certificates = Certificates::new();
        for path in [&certificates.leaf.key, &certificates.leaf.both] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
}
