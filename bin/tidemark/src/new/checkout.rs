//! A checkout of the workspace, and the collector that is added to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidemark_app::exit::Failure;

use crate::new::exchange::{Move, exchange};
use crate::new::name::Name;
use crate::new::{lock, readme, template};

/// What the workspace's manifest says, and no other.
const MEMBERS: &str = "\"collectors/*\"";

/// The workspace's folder.
#[derive(Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The one that `dir` is in.
    ///
    /// # Errors
    /// Where there is none: exit code 2.
    pub(crate) fn find(dir: &Path) -> Result<Self, Failure> {
        let dir = dir
            .canonicalize()
            .map_err(|error| Failure::usage(format!("{}: {error}", dir.display())))?;
        let is_root = |folder: &&Path| {
            fs::read_to_string(folder.join("Cargo.toml"))
                .is_ok_and(|manifest| manifest.contains("[workspace]") && manifest.contains(MEMBERS))
        };
        match dir.ancestors().find(is_root) {
            Some(root) => Ok(Self {
                root: root.to_owned(),
            }),
            None => Err(Failure::usage(format!(
                "{} is in no checkout of tidemark's source: change to one, or name it with --dir",
                dir.display()
            ))),
        }
    }

    /// Adds the collector: all of it or nothing.
    ///
    /// # Errors
    /// Where it is there already (exit code 2), and where something cannot be read or written.
    pub(crate) fn add(&self, name: &Name) -> Result<(), Failure> {
        let folder = self.root.join("collectors").join(name.to_string());
        if fs::symlink_metadata(&folder).is_ok() {
            return Err(Failure::usage(format!(
                "{} exists: choose another name, or remove it",
                folder.display()
            )));
        }
        let readme = self.with("README.md", |text| readme::with_row(text, name))?;
        let lock = self.with("Cargo.lock", |text| lock::with_package(text, name))?;
        let draft = Draft::new(&self.root, name)?;
        for (path, text) in template::files(name) {
            draft.write(&Path::new("collector").join(path), &text)?;
        }
        draft.replace("README.md", &readme, &self.root)?;
        draft.replace("Cargo.lock", &lock, &self.root)?;
        let moves = [
            ("collector", folder),
            ("Cargo.lock", self.root.join("Cargo.lock")),
            ("README.md", self.root.join("README.md")),
        ];
        let moves = moves.map(|(from, to)| Move {
            from: draft.folder.join(from),
            to,
        });
        exchange(&moves).map_err(|(place, error)| cannot("be put in its place", &place, &error))
    }

    /// The text of a file of the root, changed.
    fn with(
        &self,
        file: &str,
        change: impl FnOnce(&str) -> Result<String, String>,
    ) -> Result<String, Failure> {
        let path = self.root.join(file);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::run(format!(
                "{} is not there: bring it back, with `git restore {file}`",
                path.display()
            )),
            _ => cannot("be read", &path, &error),
        })?;
        change(&text).map_err(|why| Failure::usage(format!("{} {why}", path.display())))
    }
}

/// A folder in which everything is written before it is put in its place; it goes when it is dropped.
struct Draft {
    folder: PathBuf,
}

impl Draft {
    /// In the root, which is on the filesystem of what it is for.
    fn new(root: &Path, name: &Name) -> Result<Self, Failure> {
        let folder = root.join(format!(".tidemark-new-{name}-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| cannot("be made", &folder, &error))?;
        Ok(Self { folder })
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let path = self.folder.join(path);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| cannot("be written", &path, &error))
    }

    /// Writes what is to take the place of a file of the root, with its permissions.
    fn replace(&self, file: &str, text: &str, root: &Path) -> Result<(), Failure> {
        self.write(Path::new(file), text)?;
        let path = self.folder.join(file);
        fs::metadata(root.join(file))
            .and_then(|now| fs::set_permissions(&path, now.permissions()))
            .map_err(|error| cannot("get the permissions of the one that is there", &path, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What is left of it is in nobody's way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::run(format!("{} cannot {what}: {error}", path.display()))
}
