//! The system's authorities, looked up by name when a handshake asks for them.
//!
//! A distribution's bundle holds some 150 authorities, and a handshake needs one or two of them. To parse all costs
//! more than the handshake itself, so each is decoded only as far as its name. The result is the same as with all of
//! them: a chain can only end at an authority whose subject is, byte for byte, the issuer of a certificate that the
//! server sent, and all of those are found here.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::certificate;
use super::pem::{self, Decoder};
use super::tls::unusable;

/// Where distributions keep their bundle: Debian and Arch, Fedora and Red Hat (two), openSUSE, Alpine.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Where there may be a folder of them, if there is no bundle.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];
/// The most files of a folder that are looked at.
const FOLDER_LIMIT: usize = 2000;
/// As many characters of a certificate as are decoded for its subject, in whole lines of 64: mostly the first suffices.
const PREFIXES: [usize; 3] = [6 * 64, 11 * 64, usize::MAX];
/// The most answers that are kept. A process talks to a few servers; one that talks to more reads the bundle again.
const KEPT: usize = 16;

/// The system's authorities.
pub(super) struct SystemRoots {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
    kept: Mutex<Vec<Kept>>,
}

/// The names that were asked for, and their authorities.
struct Kept {
    names: Vec<Box<[u8]>>,
    store: Arc<RootCertStore>,
}

impl SystemRoots {
    /// The file of `SSL_CERT_FILE` and the folders of `SSL_CERT_DIR`; where neither is set, the distribution's.
    pub(super) fn new(file: Option<PathBuf>, folders: Vec<PathBuf>) -> Self {
        Self {
            file,
            folders,
            kept: Mutex::new(Vec::new()),
        }
    }

    /// The authorities that issued any of these certificates, by name; an empty store where none is known.
    pub(super) fn issuers_of<'a>(
        &self,
        certificates: impl Iterator<Item = &'a CertificateDer<'a>>,
    ) -> Result<Arc<RootCertStore>, rustls::Error> {
        let fields = certificates.filter_map(|der| certificate::fields(der));
        let mut names: Vec<Box<[u8]>> = fields.map(|fields| fields.issuer.into()).collect();
        names.sort_unstable();
        names.dedup();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.iter().find(|kept| kept.names == names) {
            return Ok(Arc::clone(&kept.store));
        }
        let store = Arc::new(self.look_up(&names)?);
        // An authority that was not there may be installed the next moment: only what was found is kept.
        if !store.is_empty() {
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Kept {
                names,
                store: Arc::clone(&store),
            });
        }
        Ok(store)
    }

    fn look_up(&self, names: &[Box<[u8]>]) -> Result<RootCertStore, rustls::Error> {
        let mut search = Search {
            names,
            store: RootCertStore::empty(),
            seen: 0,
            decoder: Decoder::default(),
        };
        match (&self.file, self.folders.as_slice()) {
            (None, []) => search.distribution()?,
            (file, folders) => {
                if let Some(file) = file {
                    search.file(file).map_err(|error| {
                        let path = file.display();
                        unusable(
                            format!("cannot read the authorities in SSL_CERT_FILE {path} (set it right, or unset it)"),
                            Some(error),
                        )
                    })?;
                }
                // OpenSSL passes over a folder that is not there, and both may be set for its sake.
                folders.iter().for_each(|folder| search.folder(folder));
            }
        }
        if search.seen == 0 {
            let places = match (&self.file, self.folders.as_slice()) {
                (None, []) => {
                    "of the system; install the package ca-certificates, or name one as ca_file".to_owned()
                }
                (file, folders) => {
                    let places = file.iter().chain(folders).map(|path| path.display().to_string());
                    format!(
                        "in {} (SSL_CERT_FILE, SSL_CERT_DIR)",
                        places.collect::<Vec<_>>().join(", ")
                    )
                }
            };
            return Err(unusable(
                format!("there are no certificates of authorities {places}"),
                None,
            ));
        }
        Ok(search.store)
    }
}

/// One walk through the authorities.
struct Search<'a> {
    names: &'a [Box<[u8]>],
    store: RootCertStore,
    /// Certificates looked at.
    seen: usize,
    decoder: Decoder,
}

impl Search<'_> {
    fn distribution(&mut self) -> Result<(), rustls::Error> {
        for bundle in BUNDLES {
            match self.file(Path::new(bundle)) {
                Ok(()) if self.seen > 0 => return Ok(()),
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(unusable(
                        format!("cannot read the authorities in {bundle}"),
                        Some(error),
                    ));
                }
            }
        }
        FOLDERS.iter().for_each(|folder| self.folder(Path::new(folder)));
        Ok(())
    }

    /// The files of a folder, as far as they can be read.
    fn folder(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten().take(FOLDER_LIMIT) {
            let path = entry.path();
            // A pipe would keep the handshake waiting.
            if path.metadata().is_ok_and(|about| about.is_file()) {
                // Keys that only root may read lie there too.
                let _ = self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let bytes = pem::read(path)?;
        // What is not UTF-8, in comments, is replaced.
        for body in pem::certificates(&String::from_utf8_lossy(&bytes)) {
            self.certificate(body);
        }
        Ok(())
    }

    /// Takes an authority that is asked for; one that is damaged is nobody's.
    fn certificate(&mut self, body: &str) {
        self.seen += 1;
        let asked_for = PREFIXES.iter().find_map(|&prefix| {
            let subject = certificate::fields(self.decoder.start(body, prefix)?)?.subject;
            Some(self.names.iter().any(|name| **name == *subject))
        });
        if asked_for == Some(true)
            && let Some(der) = self.decoder.all(body)
        {
            // The same authority may be in two files; and one that the library cannot use is as good as none.
            let _ = self.store.add(CertificateDer::from(der.to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    fn authority(name: &str) -> rcgen::Certificate {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    /// The number of authorities with the names of the issuers of these.
    fn found(roots: &SystemRoots, certificates: &[CertificateDer<'_>]) -> usize {
        roots.issuers_of(certificates.iter()).unwrap().len()
    }

    #[test]
    fn each_is_found_by_its_name_however_long_and_only_it() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "a".to_owned(),
            "b".repeat(200),
            "c".repeat(400),
            "d".repeat(3000),
            "a".to_owned(),
        ];
        let authorities = names.map(|name| authority(&name));
        let mut text = authorities.each_ref().map(rcgen::Certificate::pem).concat();
        text.push_str("-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n");
        let bundle = folder.path().join("bundle.pem");
        std::fs::write(&bundle, text).unwrap();
        let roots = SystemRoots::new(Some(bundle.clone()), Vec::new());
        // Two authorities may have one name; both are tried then.
        for (authority, count) in authorities.iter().zip([2, 1, 1, 1, 2]) {
            assert_eq!(found(&roots, &[authority.der().clone()]), count);
        }
        let [first, second, ..] = &authorities;
        assert_eq!(found(&roots, &[first.der().clone(), second.der().clone()]), 3);
        assert_eq!(found(&roots, &[self::authority("e").der().clone()]), 0);
        assert_eq!(found(&roots, &[CertificateDer::from(vec![0x30, 0x82])]), 0);
        // What was found is kept, what was not is looked up again.
        std::fs::remove_file(bundle).unwrap();
        assert_eq!(found(&roots, &[first.der().clone()]), 2);
        assert!(
            roots
                .issuers_of([self::authority("e").der()].into_iter())
                .is_err()
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let authorities: Vec<_> = (0..KEPT + 3)
            .map(|number| authority(&number.to_string()))
            .collect();
        let bundle = folder.path().join("bundle.pem");
        std::fs::write(
            &bundle,
            authorities
                .iter()
                .map(rcgen::Certificate::pem)
                .collect::<String>(),
        )
        .unwrap();
        let roots = SystemRoots::new(Some(bundle), Vec::new());
        for authority in &authorities {
            assert_eq!(found(&roots, &[authority.der().clone()]), 1);
        }
        assert_eq!(roots.kept.lock().unwrap().len(), KEPT);
    }

    /// As far as this machine has any: each tenth of them is found by its own name.
    #[test]
    fn the_distributions_own_are_found() {
        let roots = SystemRoots::new(None, Vec::new());
        for text in BUNDLES
            .iter()
            .filter_map(|bundle| std::fs::read_to_string(bundle).ok())
        {
            for der in CertificateDer::pem_slice_iter(text.as_bytes()).step_by(10) {
                let der = der.unwrap();
                let fields = certificate::fields(&der).unwrap();
                if fields.issuer == fields.subject {
                    assert!(found(&roots, &[der]) >= 1);
                }
            }
        }
    }
}
