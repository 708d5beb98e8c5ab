//! What every program finds out first: who runs it, and where its files are.

use std::path::{Path, PathBuf};

use tidemark_settings::{HostEnvironment, KnownCollector, LoadFrom, Places, ProcessEnvironment};

/// The host that programs work on.
const HOST: &str = "/";

/// The environment, the places and the host's name, found once at the start.
#[derive(Debug)]
pub struct Surroundings {
    /// The environment of this process, with what the host gives its units where the host's own settings count.
    pub environment: HostEnvironment,
    /// Where the files are.
    pub places: Places,
    /// What the kernel calls this host.
    pub hostname: String,
}

impl Surroundings {
    /// Of this process; `config` is the settings' file that the command line named.
    #[must_use]
    pub fn find(config: Option<PathBuf>) -> Self {
        let environment = HostEnvironment::new(ProcessEnvironment, Path::new(HOST), config.as_deref());
        let is_root = rustix::process::geteuid().is_root();
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self {
            places: Places::new(&environment, is_root, config),
            environment,
            hostname,
        }
    }

    /// What the settings are read from; `known` are the collectors that are installed, where the program knows them.
    #[must_use]
    pub fn settings<'a>(&'a self, known: Option<&'a [KnownCollector]>) -> LoadFrom<'a> {
        LoadFrom {
            places: &self.places,
            environment: &self.environment,
            hostname: self.hostname.clone(),
            known_collectors: known,
        }
    }
}
