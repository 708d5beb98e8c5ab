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
use super::pem;
use super::tls::{PEM_FILE_LIMIT, unusable};

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
/// Enough of a certificate for its subject, nearly always; else it is decoded whole.
const PREFIX: usize = 600;
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
            prefix: Vec::new(),
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
    /// The start of one, reused.
    prefix: Vec<u8>,
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
        let text = pem::read(path, PEM_FILE_LIMIT)?;
        for body in pem::certificates(&text) {
            self.certificate(body);
        }
        Ok(())
    }

    /// Takes an authority that is asked for; one that is damaged is nobody's.
    fn certificate(&mut self, body: &str) {
        self.seen += 1;
        self.prefix.clear();
        if pem::decode_to(body, PREFIX, &mut self.prefix).is_none() {
            return;
        }
        let asked_for = match certificate::fields(&self.prefix) {
            Some(fields) => self.is_asked_for(fields.subject),
            None => pem::decode(body).is_some_and(|der| {
                certificate::fields(&der).is_some_and(|all| self.is_asked_for(all.subject))
            }),
        };
        if asked_for && let Some(der) = pem::decode(body) {
            // The same authority may be in two files; and one that the library cannot use is as good as none.
            let _ = self.store.add(CertificateDer::from(der));
        }
    }

    fn is_asked_for(&self, subject: &[u8]) -> bool {
        self.names.iter().any(|name| **name == *subject)
    }
}
