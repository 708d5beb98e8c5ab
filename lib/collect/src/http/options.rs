use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tidemark_settings::Environment;

use super::lean::{self, MakeWay};

/// How a client reaches servers and whom it trusts.
///
/// Clones share one TLS configuration for each set of equal options, so that what a handshake had to look up is
/// looked up once. Make one for a process, and clone it for each client.
#[derive(Clone)]
pub struct ClientOptions {
    pub(super) ca_file: Option<PathBuf>,
    pub(super) insecure_skip_verify: bool,
    pub(super) user_agent: String,
    /// Where it is for many servers.
    pub(super) lean: Option<MakeWay>,
    pub(super) surroundings: Arc<Surroundings>,
}

/// What the environment says, and what was made of it so far.
pub(super) struct Surroundings {
    pub(super) cert_file: Option<PathBuf>,
    pub(super) cert_dirs: Vec<PathBuf>,
    pub(super) proxies: Proxies,
    pub(super) tls: Mutex<Vec<SharedTls>>,
}

/// A TLS configuration and the options that it was made of.
pub(super) struct SharedTls {
    pub(super) ca_file: Option<PathBuf>,
    pub(super) insecure_skip_verify: bool,
    pub(super) config: rustls::ClientConfig,
}

/// The proxy variables as they are; each with the name under which it was found.
#[derive(Default)]
pub(super) struct Proxies {
    pub(super) http: Option<(&'static str, OsString)>,
    pub(super) https: Option<(&'static str, OsString)>,
    pub(super) all: Option<(&'static str, OsString)>,
    pub(super) none: Option<(&'static str, OsString)>,
}

impl Proxies {
    /// Whether there may be one for some server.
    pub(super) fn any(&self) -> bool {
        self.http.is_some() || self.https.is_some() || self.all.is_some()
    }
}

impl ClientOptions {
    /// Proxies (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in small or capital letters, the small ones
    /// first) and certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`) as the environment has them.
    pub fn new(environment: &dyn Environment) -> Self {
        let proxy = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| Some((name, environment.get_nonempty(name)?)))
        };
        let surroundings = Surroundings {
            cert_file: environment.get_nonempty("SSL_CERT_FILE").map(PathBuf::from),
            cert_dirs: environment
                .get_nonempty("SSL_CERT_DIR")
                .map(|dirs| {
                    std::env::split_paths(&dirs)
                        .filter(|dir| !dir.as_os_str().is_empty())
                        .collect()
                })
                .unwrap_or_default(),
            proxies: Proxies {
                http: proxy(["http_proxy", "HTTP_PROXY"]),
                https: proxy(["https_proxy", "HTTPS_PROXY"]),
                all: proxy(["all_proxy", "ALL_PROXY"]),
                none: proxy(["no_proxy", "NO_PROXY"]),
            },
            tls: Mutex::new(Vec::new()),
        };
        Self {
            ca_file: None,
            insecure_skip_verify: false,
            user_agent: concat!("tidemark/", env!("CARGO_PKG_VERSION")).to_owned(),
            lean: None,
            surroundings: Arc::new(surroundings),
        }
    }

    /// Trust the certificates of this PEM file alone: as authorities, or as exactly the server's own.
    #[must_use]
    pub fn ca_file(mut self, path: Option<PathBuf>) -> Self {
        self.ca_file = path;
        self
    }

    /// Believe whoever answers.
    #[must_use]
    pub fn insecure_skip_verify(mut self, skip: bool) -> Self {
        self.insecure_skip_verify = skip;
        self
    }

    /// Be sparing with memory, for hundreds of servers: of each one's connections, one is kept while nobody uses it (else
    /// all are, for a minute and a half), and what is asked for [without redirects](super::Request::without_redirects) is
    /// read through a small buffer. Such answers come without gzip, and their heads may have 32 KiB.
    #[must_use]
    pub fn many_servers(mut self) -> Self {
        self.lean = Some(lean::make);
        self
    }

    /// Connections that are kept to each server while nobody uses them.
    pub(super) fn kept_connections(&self) -> usize {
        if self.lean.is_some() { 1 } else { usize::MAX }
    }

    /// Name the collector in the `User-Agent`: `tidemark/VERSION (collector NAME)`.
    #[must_use]
    pub fn collector(mut self, name: &str) -> Self {
        self.user_agent = format!("tidemark/{} (collector {name})", env!("CARGO_PKG_VERSION"));
        self
    }
}

/// Without the proxies: their addresses may hold passwords.
impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("ca_file", &self.ca_file)
            .field("insecure_skip_verify", &self.insecure_skip_verify)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}
