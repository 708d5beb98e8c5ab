//! A throwaway home for the workspace's programs.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::{Run, program};

/// A folder with settings and state of its own, and programs that know no other. It goes when it is dropped.
///
/// Programs see `HOME`, `XDG_STATE_HOME`, `STATE_DIRECTORY` (so that root's do not use /var/lib), `TIDEMARK_CONFIG`
/// and a plain `PATH`, and nothing else of the caller's environment.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A new one, with empty settings.
    pub fn new() -> Self {
        let home = Self {
            folder: TempDir::with_prefix("tidemark-home-").expect("a temporary folder"),
        };
        fs::create_dir(home.state()).expect("a folder for the state");
        home.settings("");
        home
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the programs keep their state.
    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// The settings' file.
    pub fn config(&self) -> PathBuf {
        self.path().join("tidemark.toml")
    }

    /// Writes the settings.
    pub fn settings(&self, toml: &str) {
        self.file("tidemark.toml", toml);
    }

    /// Writes a file of that name, and gives its path: mode 0600, or in place of the one that is there, with its mode and
    /// its owner. Who reads it meanwhile finds the whole of the one or of the other.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        self.replace(&path, content.as_ref())
            .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        path
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        // In a folder of its own, where nobody takes it for settings.
        let folder = TempDir::with_prefix_in(".new-", self.path())?;
        let new = folder.path().join("new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(content)?;
        if let Ok(there) = fs::metadata(path) {
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
                fchown(&file, Some(there.uid()), Some(there.gid()))?;
            }
            file.set_permissions(there.permissions())?;
        }
        fs::rename(&new, path)
    }

    /// Writes a script of sh of that name, which can be executed, and gives its path.
    ///
    /// Another process writes it: what this one has open for writing, the processes have that its other threads start
    /// meanwhile, and what anybody has open for writing cannot be executed.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.path().join(name);
        Run::new("install")
            .args(["-m", "755", "/dev/stdin"])
            .arg(&path)
            .stdin(format!("#!/bin/sh\n{script}\n"))
            .run()
            .expect_code(0);
        path
    }

    /// A run of that program of the workspace at home here.
    pub fn run(&self, name: &str) -> Run {
        self.at_home(Run::new(program(name)))
    }

    /// A run at home here.
    pub fn at_home(&self, run: Run) -> Run {
        run.env("HOME", self.path())
            .env("XDG_STATE_HOME", self.path())
            .env("STATE_DIRECTORY", self.state())
            .env("TIDEMARK_CONFIG", self.config())
            .current_dir(self.path())
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_script_can_be_executed_whatever_runs_beside_it() {
        let home = Home::new();
        let path = home.script("greet", "echo \"hello $1\"");
        assert_eq!(
            Run::new(path).arg("you").run().expect_code(0).stdout,
            "hello you\n"
        );
    }

    #[test]
    fn a_file_takes_anothers_place_as_a_whole() {
        let home = Home::new();
        let path = home.file("file", "one");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let open = fs::File::open(&path).unwrap();
        home.file("file", "two");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(io::read_to_string(open).unwrap(), "one");
        assert_eq!(mode(), 0o644);
        let mut names: Vec<_> = fs::read_dir(home.path()).unwrap().flatten().collect();
        names.retain(|entry| entry.file_name() != "file");
        assert_eq!(names.len(), 2, "nothing else is left there: {names:?}");
    }

    #[test]
    fn programs_see_nothing_else() {
        let home = Home::new();
        let ended = home.at_home(Run::new("/usr/bin/env")).run();
        let mut names: Vec<&str> = ended
            .stdout
            .lines()
            .filter_map(|line| line.split('=').next())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "HOME",
                "PATH",
                "STATE_DIRECTORY",
                "TIDEMARK_CONFIG",
                "XDG_STATE_HOME"
            ]
        );
        assert!(
            ended
                .stdout
                .contains(&format!("STATE_DIRECTORY={}", home.state().display()))
        );
    }
}
