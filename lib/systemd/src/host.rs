use std::path::{Path, PathBuf};

use tidemark_settings::{RemoteWriteCredentials, SecretSource, Settings, SinkKind, SinkSettings};

use crate::sandbox::HOMES;

/// What all units of a host have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    /// The settings' main file, absolute, where it is not the programs' own default.
    pub settings_file: Option<PathBuf>,
    /// The user that programs run as.
    pub user: String,
    /// The secrets that systemd hands over. Every program resolves those of all sinks, so every unit has them all.
    pub credentials: Vec<Credential>,
    /// What the sinks reach for.
    pub sinks: SinkNeeds,
}

/// A secret that systemd reads, as root, and hands to the unit alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    /// The name of its file in `$CREDENTIALS_DIRECTORY`.
    pub name: String,
    /// The file that holds it, absolute; without one systemd looks for the name in its credential stores
    /// (`/etc/credstore`) and among its own credentials.
    pub file: Option<PathBuf>,
}

/// What sinks reach for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SinkNeeds {
    /// The network.
    pub network: bool,
    /// Folders that they write, absolute.
    pub write_paths: Vec<PathBuf>,
    /// Files that they read, absolute.
    pub read_paths: Vec<PathBuf>,
    /// Groups whose membership lets them write these folders.
    pub groups: Vec<String>,
}

impl Host {
    /// The system user that an installed host runs everything as.
    pub const USER: &'static str = "tidemark";

    /// A host without settings: the store is its one sink.
    #[must_use]
    pub fn new() -> Host {
        Host {
            settings_file: None,
            user: Host::USER.to_owned(),
            credentials: Vec::new(),
            sinks: SinkNeeds::default(),
        }
    }

    /// What the settings say of a host. The groups of the folders that are written are for the caller to add: only the
    /// disk knows them. So are the secrets of the collectors' own sections, for the units of these alone.
    #[must_use]
    pub fn of(settings: &Settings) -> Host {
        let mut host = Host::new();
        for sink in &settings.sinks {
            host.add_sink(sink);
        }
        host
    }

    /// Adds what a sink reaches for, and its secret.
    pub fn add_sink(&mut self, sink: &SinkSettings) {
        let (secret, ca_file) = match &sink.kind {
            SinkKind::Influxdb(influxdb) => (influxdb.password.as_ref(), &influxdb.ca_file),
            SinkKind::Influxdb2(influxdb2) => (Some(&influxdb2.token), &influxdb2.ca_file),
            SinkKind::RemoteWrite(remote_write) => {
                let secret = match &remote_write.credentials {
                    Some(RemoteWriteCredentials::Basic { password, .. }) => password.as_ref(),
                    Some(RemoteWriteCredentials::Bearer { token }) => Some(token),
                    None => None,
                };
                (secret, &remote_write.ca_file)
            }
            SinkKind::Textfile(textfile) => {
                self.sinks.write_paths.push(textfile.directory.clone());
                return;
            }
            _ => return,
        };
        self.sinks.network = true;
        self.sinks.read_paths.extend(ca_file.clone());
        self.add_secret(secret);
    }

    /// Adds a file with secrets in it: the unit sees it, and systemd hands it over, as the user may not be let read it.
    pub fn add_file(&mut self, path: &Path) {
        self.add_secret(Some(&SecretSource::File(path.to_path_buf())));
        let seen = seen_with(path);
        if !self.sinks.read_paths.contains(&seen) {
            self.sinks.read_paths.push(seen);
        }
    }

    /// Adds a secret that systemd can hand over, once.
    pub fn add_secret<'a>(&mut self, secrets: impl IntoIterator<Item = &'a SecretSource>) {
        for credential in secrets.into_iter().filter_map(Credential::of) {
            if !self.credentials.contains(&credential) {
                self.credentials.push(credential);
            }
        }
    }
}

/// What has to be seen for a file to be: its folder, in which another may take its place; in a folder of people the file
/// alone.
fn seen_with(path: &Path) -> PathBuf {
    let is_of_people = HOMES.iter().any(|home| path.starts_with(home));
    match path.parent() {
        Some(folder) if !is_of_people && folder.components().count() > 2 => folder.to_path_buf(),
        _ => path.to_path_buf(),
    }
}

impl Default for Host {
    fn default() -> Host {
        Host::new()
    }
}

impl Credential {
    /// What systemd has to hand over for a secret; none for one in the settings or in the environment. One in a file is
    /// handed over as well: the user may not be let read it.
    #[must_use]
    pub fn of(secret: &SecretSource) -> Option<Credential> {
        let name = secret.credential_name()?;
        let file = match secret {
            SecretSource::File(path) => Some(path.clone()),
            _ => None,
        };
        Some(Credential { name, file })
    }
}
