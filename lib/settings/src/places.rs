//! Where things are on this host.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::Environment;

const CONFIG: &str = "/etc/tidemark/tidemark.toml";
const STATE: &str = "/var/lib/tidemark";
const CREDSTORE: &str = "/etc/credstore";
const COLLECTORS: &str = "/usr/lib/tidemark/collectors";

/// The files and folders that programs read and write, found once from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    config: PathBuf,
    config_named: bool,
    state: Option<PathBuf>,
    credentials: Option<PathBuf>,
    collectors: Option<PathBuf>,
}

impl Places {
    /// Finds the places. `config` is what the command line named; else `$TIDEMARK_CONFIG` counts, else
    /// `/etc/tidemark/tidemark.toml`. Nothing on disk is looked at. Empty variables count as not set.
    pub fn new(environment: &dyn Environment, is_root: bool, config: Option<PathBuf>) -> Places {
        let variable = |name: &str| environment.get_nonempty(name).map(PathBuf::from);
        let named = config.or_else(|| variable("TIDEMARK_CONFIG"));
        Places {
            config_named: named.is_some(),
            config: named.unwrap_or_else(|| PathBuf::from(CONFIG)),
            state: state(environment, is_root),
            credentials: variable("CREDENTIALS_DIRECTORY")
                .or_else(|| is_root.then(|| PathBuf::from(CREDSTORE))),
            collectors: variable("TIDEMARK_COLLECTORS"),
        }
    }

    /// The same places of another system, whose root is the folder `root`: an image, or one that a test has made.
    #[must_use]
    pub fn below(self, root: &Path) -> Places {
        let below = |path: PathBuf| root.join(path.strip_prefix("/").unwrap_or(&path));
        Places {
            config: below(self.config),
            config_named: self.config_named,
            state: self.state.map(below),
            credentials: self.credentials.map(below),
            collectors: self.collectors.map(below),
        }
    }

    /// The main settings file. `conf.d/*.toml` beside it are read too.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Whether somebody named the settings file: it must exist then.
    pub fn config_is_named(&self) -> bool {
        self.config_named
    }

    /// The folder whose `*.toml` are read after the main file.
    pub fn config_folder(&self) -> PathBuf {
        self.config.parent().unwrap_or(Path::new("")).join("conf.d")
    }

    /// The folder of `outbox.db` and `store.db`: the first of `$STATE_DIRECTORY`, else `/var/lib/tidemark` as root, else
    /// `$XDG_STATE_HOME/tidemark`, else `~/.local/state/tidemark`. It may not exist yet.
    ///
    /// # Errors
    /// Where none of the variables says where it is.
    pub fn state(&self) -> Result<&Path, PlacesError> {
        self.state.as_deref().ok_or(PlacesError)
    }

    /// The folder of credentials: `$CREDENTIALS_DIRECTORY`, which systemd sets for a unit, else `/etc/credstore` as
    /// root, else none.
    pub fn credentials(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    /// The folders that may hold collectors, the first that does counts: `$TIDEMARK_COLLECTORS` alone where it is set,
    /// else the folder of the running `program`, else `/usr/lib/tidemark/collectors`.
    pub fn collectors(&self, program: Option<&Path>) -> Vec<PathBuf> {
        match &self.collectors {
            Some(folder) => vec![folder.clone()],
            None => program
                .and_then(Path::parent)
                .map(Path::to_path_buf)
                .into_iter()
                .chain([PathBuf::from(COLLECTORS)])
                .collect(),
        }
    }
}

fn state(environment: &dyn Environment, is_root: bool) -> Option<PathBuf> {
    // systemd joins several with colons; the first is the unit's own.
    let of_unit = environment.get_nonempty("STATE_DIRECTORY").and_then(|folders| {
        use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
        let first = folders.as_bytes().split(|byte| *byte == b':').next()?.to_vec();
        (!first.is_empty()).then(|| PathBuf::from(std::ffi::OsString::from_vec(first)))
    });
    if of_unit.is_some() {
        return of_unit;
    }
    if is_root {
        return Some(PathBuf::from(STATE));
    }
    // The XDG base directory specification: a path that is not absolute is ignored.
    let absolute = |name: &str| {
        environment
            .get_nonempty(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .map(|folder| folder.join("tidemark"))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state/tidemark")))
}

/// No variable says where the state belongs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PlacesError;

impl fmt::Display for PlacesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no folder for the state: $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME are all missing or not absolute; \
             set STATE_DIRECTORY to a folder that this user may write",
        )
    }
}

impl Error for PlacesError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    fn places(variables: &[(&str, &str)], is_root: bool, config: Option<&str>) -> Places {
        let environment: BTreeMap<String, OsString> = variables
            .iter()
            .map(|(name, value)| (name.to_string(), OsString::from(value)))
            .collect();
        Places::new(&environment, is_root, config.map(PathBuf::from))
    }

    #[test]
    fn config_is_the_named_one_else_the_variables_else_the_hosts() {
        let all = [("TIDEMARK_CONFIG", "/srv/t.toml")];
        assert_eq!(places(&all, false, Some("x.toml")).config(), Path::new("x.toml"));
        assert_eq!(
            places(&all, false, Some("x.toml")).config_folder(),
            Path::new("conf.d")
        );
        assert_eq!(places(&all, false, None).config(), Path::new("/srv/t.toml"));
        assert_eq!(
            places(&all, false, None).config_folder(),
            Path::new("/srv/conf.d")
        );
        assert!(places(&all, false, None).config_is_named());
        let empty = places(&[("TIDEMARK_CONFIG", "")], false, None);
        assert_eq!(empty.config(), Path::new("/etc/tidemark/tidemark.toml"));
        assert!(!empty.config_is_named());
    }

    #[test]
    fn another_systems_places_are_below_its_root() {
        let image = places(&[], true, None).below(Path::new("/image"));
        assert_eq!(image.config(), Path::new("/image/etc/tidemark/tidemark.toml"));
        assert!(!image.config_is_named());
        assert_eq!(image.state(), Ok(Path::new("/image/var/lib/tidemark")));
        assert_eq!(image.credentials(), Some(Path::new("/image/etc/credstore")));
        assert_eq!(
            places(&[("TIDEMARK_CONFIG", "/t.toml")], true, None)
                .below(Path::new("/"))
                .config(),
            Path::new("/t.toml")
        );
    }

    #[test]
    fn state_follows_the_unit_then_root_then_the_home() {
        let unit = [
            ("STATE_DIRECTORY", "/var/lib/private/tidemark:/var/lib/b"),
            ("HOME", "/home/u"),
        ];
        assert_eq!(
            places(&unit, false, None).state(),
            Ok(Path::new("/var/lib/private/tidemark"))
        );
        assert_eq!(
            places(&[("HOME", "/root")], true, None).state(),
            Ok(Path::new("/var/lib/tidemark"))
        );
        let xdg = [("XDG_STATE_HOME", "/x"), ("HOME", "/home/u")];
        assert_eq!(places(&xdg, false, None).state(), Ok(Path::new("/x/tidemark")));
        let relative = [("XDG_STATE_HOME", "x"), ("HOME", "/home/u")];
        assert_eq!(
            places(&relative, false, None).state(),
            Ok(Path::new("/home/u/.local/state/tidemark"))
        );
        let nowhere = places(&[("STATE_DIRECTORY", ""), ("HOME", "")], false, None);
        assert_eq!(
            nowhere.state().unwrap_err().to_string(),
            "no folder for the state: $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME are all missing or not absolute; \
             set STATE_DIRECTORY to a folder that this user may write"
        );
    }

    #[test]
    fn credentials_are_the_units_or_roots() {
        let unit = [("CREDENTIALS_DIRECTORY", "/run/credentials/x")];
        assert_eq!(
            places(&unit, true, None).credentials(),
            Some(Path::new("/run/credentials/x"))
        );
        assert_eq!(
            places(&[], true, None).credentials(),
            Some(Path::new("/etc/credstore"))
        );
        assert_eq!(places(&[], false, None).credentials(), None);
    }

    #[test]
    fn collectors_are_in_the_variables_folder_alone() {
        let program = Some(Path::new("/opt/bin/tidemark"));
        assert_eq!(
            places(&[("TIDEMARK_COLLECTORS", "/c")], false, None).collectors(program),
            [Path::new("/c")]
        );
        assert_eq!(
            places(&[], false, None).collectors(program),
            [Path::new("/opt/bin"), Path::new("/usr/lib/tidemark/collectors")]
        );
        assert_eq!(
            places(&[], false, None).collectors(None),
            [Path::new("/usr/lib/tidemark/collectors")]
        );
    }
}
