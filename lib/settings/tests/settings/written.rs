//! Settings that a test writes to a folder of its own, and reads.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidemark_settings::{KnownCollector, KnownKey, LoadFrom, Loaded, Mistakes, Places, Section, Settings};

/// Files and variables.
pub(crate) struct Written {
    folder: TempDir,
    environment: BTreeMap<String, OsString>,
    known: Option<Vec<KnownCollector>>,
}

impl Written {
    /// No file at all, though one is named.
    pub(crate) fn nothing() -> Written {
        Written {
            folder: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
            known: None,
        }
    }

    /// A main file of this text.
    pub(crate) fn main(text: impl AsRef<[u8]>) -> Written {
        Written::nothing().file("tidemark.toml", text)
    }

    /// A file more.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Written {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A variable.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Written {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Collectors that are installed, with their keys: `name`, or `name: type`.
    pub(crate) fn known(mut self, known: &[(&str, &[&str])]) -> Written {
        let known = known.iter().map(|(name, keys)| KnownCollector {
            name: (*name).to_owned(),
            keys: Some(keys.iter().map(|key| known_key(key)).collect()),
        });
        self.known = Some(known.collect());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets every user into the folder; false where they cannot come that far, as with a `TMPDIR` of one's own.
    pub(crate) fn open_to_others(&self) -> bool {
        fs::set_permissions(self.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        let folder = self.folder().canonicalize().unwrap();
        folder
            .ancestors()
            .all(|folder| folder.metadata().unwrap().mode() & 0o001 != 0)
    }

    pub(crate) fn environment(&self) -> &BTreeMap<String, OsString> {
        &self.environment
    }

    pub(crate) fn places(&self) -> Places {
        Places::new(&self.environment, false, Some(self.path("tidemark.toml")))
    }

    fn with<T>(&self, read: impl FnOnce(&LoadFrom<'_>) -> T) -> T {
        read(&LoadFrom {
            places: &self.places(),
            environment: &self.environment,
            hostname: "here".to_owned(),
            known_collectors: self.known.as_deref(),
        })
    }

    pub(crate) fn load(&self) -> Result<Loaded, Mistakes> {
        self.with(Settings::load)
    }

    pub(crate) fn load_for<S: Section>(&self, name: &str) -> Result<(Loaded, S), Mistakes> {
        self.with(|from| Settings::load_for(from, name))
    }

    /// Settings that must be right.
    pub(crate) fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// What a person reads about the mistakes; empty where there are none.
    pub(crate) fn report(&self) -> String {
        self.load()
            .err()
            .map(|mistakes| self.short(&mistakes.to_string()))
            .unwrap_or_default()
    }

    /// The notices, a line each.
    pub(crate) fn notices(&self) -> String {
        self.short(&self.loaded().notices.join("\n"))
    }

    /// `F` for the main file, `D` for its folder.
    pub(crate) fn short(&self, text: &str) -> String {
        let main = self.path("tidemark.toml").display().to_string();
        text.replace(&main, "F")
            .replace(&self.folder().display().to_string(), "D")
    }
}

fn known_key(key: &str) -> KnownKey {
    let (name, type_name) = key.split_once(": ").unwrap_or((key, "of its own"));
    KnownKey {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        keys: Vec::new(),
    }
}
