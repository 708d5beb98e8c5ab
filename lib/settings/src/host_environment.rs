//! The environment of a program that works with a host's own settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use crate::environment_file::{EnvironmentFileError, environment_file};
use crate::{Environment, ProcessEnvironment};

/// What names another file of settings than the host's own.
const CONFIG: &str = "TIDEMARK_CONFIG";

/// What every unit of a host has, and nothing else.
const OF_UNIT: &str = "TIDEMARK_BOOT_ID";

/// An environment, and beneath it the variables that the host gives its units ([`environment_file`]): so a command that is
/// typed sees the settings that units see.
///
/// The file counts where the host's own settings do: not with a file of settings that is named. What the environment sets
/// itself, be it to nothing, goes before. A unit has the file's variables from systemd.
#[derive(Clone)]
pub struct HostEnvironment<E = ProcessEnvironment> {
    own: E,
    added: BTreeMap<String, OsString>,
    unread: Option<EnvironmentFileError>,
}

impl<E: Environment> HostEnvironment<E> {
    /// The environment `own` on the host below `root`, for who names `config` as the file of settings.
    pub fn new(own: E, root: &Path, config: Option<&Path>) -> Self {
        let is_named = config.is_some() || own.get_nonempty(CONFIG).is_some();
        let file = if is_named || own.get_nonempty(OF_UNIT).is_some() {
            Ok(BTreeMap::new())
        } else {
            environment_file(root)
        };
        let (mut added, unread) = match file {
            Ok(variables) => (variables, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        // systemd takes no others either.
        added.retain(|name, _| is_name(name) && own.get(name).is_none());
        // Units start in `/`.
        if let Some(config) = added.get_mut(CONFIG).filter(|config| !config.is_empty()) {
            *config = Path::new("/").join(&*config).into_os_string();
        }
        Self { own, added, unread }
    }

    /// The variables that the file adds: for programs that this one starts.
    pub fn added(&self) -> &BTreeMap<String, OsString> {
        &self.added
    }

    /// Why the file's variables are not known, where it is there.
    pub fn unread(&self) -> Option<&EnvironmentFileError> {
        self.unread.as_ref()
    }
}

impl<E: Environment> Environment for HostEnvironment<E> {
    fn get(&self, name: &str) -> Option<OsString> {
        self.own.get(name).or_else(|| self.added.get(name).cloned())
    }
}

/// The names alone: values may be secret.
impl<E> fmt::Debug for HostEnvironment<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEnvironment")
            .field("added", &self.added.keys())
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    name.bytes().all(is_letter) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(variables: &[(&str, &str)]) -> BTreeMap<String, OsString> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), OsString::from(value));
        variables.iter().map(owned).collect()
    }

    fn host(file: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc/default")).unwrap();
        std::fs::write(root.path().join("etc/default/tidemark"), file).unwrap();
        root
    }

    #[test]
    fn the_file_adds_what_the_environment_does_not_set() {
        let root = host("A=file\nB=file\nC=file\nexport D=file\n=file\n9=file\n");
        let environment = HostEnvironment::new(map(&[("A", "own"), ("B", "")]), root.path(), None);
        let get = |name| environment.get(name).and_then(|value| value.into_string().ok());
        assert_eq!(get("A").as_deref(), Some("own"));
        assert_eq!(get("B").as_deref(), Some(""));
        assert_eq!(get("C").as_deref(), Some("file"));
        assert_eq!(environment.added(), &map(&[("C", "file")]));
        assert_eq!(environment.unread(), None);
    }

    #[test]
    fn it_counts_with_the_hosts_own_settings_alone() {
        let root = host("A=file\nTIDEMARK_CONFIG=srv/t.toml\n");
        let added = |own: &[(&str, &str)], config: Option<&str>| {
            let environment = HostEnvironment::new(map(own), root.path(), config.map(Path::new));
            environment.added().len()
        };
        assert_eq!(added(&[], Some("t.toml")), 0);
        assert_eq!(added(&[("TIDEMARK_CONFIG", "t.toml")], None), 0);
        assert_eq!(added(&[("TIDEMARK_BOOT_ID", "1")], None), 0);
        let environment = HostEnvironment::new(map(&[]), root.path(), None);
        assert_eq!(environment.get("TIDEMARK_CONFIG"), Some("/srv/t.toml".into()));
        assert_eq!(environment.get("A"), Some("file".into()));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_where_it_counts() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(HostEnvironment::new(map(&[]), root.path(), None).unread(), None);
        std::fs::create_dir_all(root.path().join("etc/default/tidemark")).unwrap();
        let unread = |config| {
            let environment = HostEnvironment::new(map(&[("A", "own")]), root.path(), config);
            assert_eq!(environment.get("A"), Some("own".into()));
            environment.unread().map(ToString::to_string)
        };
        assert_eq!(unread(Some(Path::new("t.toml"))), None);
        assert!(unread(None).is_some_and(|said| said.contains("/etc/default/tidemark is a directory")));
    }

    #[test]
    fn no_value_is_printed() {
        let environment = HostEnvironment::new(map(&[]), host("A=secret\n").path(), None);
        let printed = format!("{environment:?}");
        assert!(
            printed.contains("\"A\"") && !printed.contains("secret"),
            "{printed}"
        );
    }
}
