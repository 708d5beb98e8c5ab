//! Files that are looked at now and then: whether what they hold has changed, however they were replaced.
//!
//! Written in place, replaced by a rename, reached by links that lead elsewhere now, deleted, made unreadable: what counts is
//! what is found at the path. A file that is merely touched has not changed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The most bytes of a file that are compared; of what is longer, size and times are too.
const MAX_BYTES: u64 = 4 << 20;

/// The most files of the folder.
const MAX_FILES: usize = 1000;

/// The files that settings come from: some by their paths, and all with an ending in a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// The files.
    pub(crate) files: Vec<PathBuf>,
    /// A folder whose `*.toml` are watched too.
    pub(crate) folder: Option<PathBuf>,
}

/// What was found at each path.
pub(crate) type Seen = BTreeMap<PathBuf, Found>;

/// What was found at a path.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A file.
    File {
        /// A hash of what it holds.
        content: u64,
        /// What tells that it was written since.
        stamp: Stamp,
        /// Whether it was found so twice: the second time, no clock is so coarse that a change since would not show.
        settled: bool,
    },
    /// No file that can be read.
    Not(io::ErrorKind),
}

/// Device, inode, size, and the times of its content and of itself.
type Stamp = [i64; 7];

impl PartialEq for Found {
    /// Whether there is the same to be read.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { content, .. }, Self::File { content: other, .. }) => content == other,
            (Self::Not(kind), Self::Not(other)) => kind == other,
            _ => false,
        }
    }
}

impl Watched {
    /// Looks at all. What was `before` spares reading what cannot have changed.
    pub(crate) fn look(&self, before: &Seen) -> Seen {
        let paths = self.files.iter().cloned().chain(self.in_folder());
        paths
            .map(|path| {
                let found = look(&path, before.get(&path)).unwrap_or_else(|error| Found::Not(error.kind()));
                (path, found)
            })
            .collect()
    }

    /// Whether this is one of them.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file == path)
            || self
                .folder
                .as_deref()
                .is_some_and(|folder| path.parent() == Some(folder))
    }

    /// What this process may not read is taken as it is: it was read by root, who this process was.
    pub(crate) fn as_this_user(&self, seen: &mut Seen) {
        for (path, found) in self.look(seen) {
            if matches!(found, Found::Not(io::ErrorKind::PermissionDenied)) {
                seen.insert(path, found);
            }
        }
    }

    fn in_folder(&self) -> Vec<PathBuf> {
        let entries = self.folder.as_ref().map(std::fs::read_dir);
        let entries = entries.and_then(Result::ok).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .take(MAX_FILES)
            .collect();
        paths.sort_unstable();
        paths
    }
}

fn look(path: &Path, before: Option<&Found>) -> io::Result<Found> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(Found::Not(io::ErrorKind::InvalidInput));
    }
    let stamp = stamp(&metadata);
    if let Some(Found::File {
        content,
        stamp: there,
        settled: true,
    }) = before
        && *there == stamp
    {
        return Ok(Found::File {
            content: *content,
            stamp,
            settled: true,
        });
    }
    // A pipe that has come into its place must not be waited for.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let stamp = self::stamp(&file.metadata()?);
    let content = hash(&file, &stamp)?;
    let was_so = matches!(before, Some(Found::File { stamp: there, .. }) if *there == stamp);
    Ok(Found::File {
        content,
        stamp,
        settled: was_so,
    })
}

fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    let large = |number: u64| number.cast_signed();
    [
        large(metadata.dev()),
        large(metadata.ino()),
        large(metadata.size()),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ]
}

fn hash(file: &File, stamp: &Stamp) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    hasher.write(&bytes);
    if bytes.len() as u64 == MAX_BYTES {
        stamp.iter().for_each(|number| hasher.write_i64(*number));
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::Duration;

    use tidemark_testkit::wait_until;

    /// Whether the last look found something else than the one before it.
    struct Looks {
        watched: Watched,
        seen: Seen,
    }

    impl Looks {
        fn at(path: &Path) -> Self {
            let watched = Watched {
                files: vec![path.to_owned()],
                folder: None,
            };
            let seen = watched.look(&Seen::new());
            Self { watched, seen }
        }

        fn changed(&mut self) -> bool {
            let now = self.watched.look(&self.seen);
            let changed = now != self.seen;
            self.seen = now;
            changed
        }
    }

    /// Writes a file until it has another time. The looks of a program are so long apart that it has; those of a test are
    /// not, where the kernel counts the times of files in ticks.
    fn write_later(path: &Path, text: &str) {
        let stamp = || std::fs::metadata(path).map(|metadata| stamp(&metadata)).ok();
        let before = stamp();
        wait_until("a later time of the file", Duration::from_secs(60), || {
            std::fs::write(path, text).expect("write");
            stamp() != before
        });
    }

    #[test]
    fn however_a_file_is_replaced_it_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings");
        let write = |name: &str, text: &str| write_later(&folder.path().join(name), text);
        write("settings", "one");
        let mut looks = Looks::at(&path);
        // Twice: the second look does not read.
        assert!(!looks.changed() && !looks.changed());

        write("settings", "two");
        assert!(looks.changed() && !looks.changed());

        write("new", "three");
        std::fs::rename(folder.path().join("new"), &path).expect("rename");
        assert!(looks.changed() && !looks.changed());

        std::fs::remove_file(&path).expect("remove");
        assert!(looks.changed() && !looks.changed());

        write("first", "three");
        write("second", "four");
        symlink("first", &path).expect("a link");
        assert!(looks.changed() && !looks.changed());
        symlink("second", folder.path().join("link")).expect("a link");
        std::fs::rename(folder.path().join("link"), &path).expect("rename");
        assert!(looks.changed() && !looks.changed());
        // What the link leads to is what counts.
        write("second", "five");
        assert!(looks.changed() && !looks.changed());
    }

    #[test]
    fn a_touch_and_the_same_content_are_no_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings");
        std::fs::write(&path, "one").expect("write");
        let mut looks = Looks::at(&path);
        assert!(!looks.changed());
        std::fs::write(&path, "one").expect("write");
        assert!(!looks.changed());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode");
        assert!(!looks.changed());
    }

    #[test]
    fn a_change_of_the_same_size_and_time_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings");
        let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let write = |text: &str| {
            std::fs::write(&path, text).expect("write");
            let file = File::options().write(true).open(&path).expect("the file");
            file.set_modified(then).expect("a time");
        };
        write("one");
        let mut looks = Looks::at(&path);
        assert!(!looks.changed());
        write("two");
        assert!(looks.changed());
        // Written anew before the first one has settled.
        write("six");
        assert!(looks.changed() && !looks.changed());
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings");
        std::fs::create_dir(&path).expect("a folder");
        let mut looks = Looks::at(&path);
        std::fs::remove_dir(&path).expect("remove");
        assert!(looks.changed());
        let _socket = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        assert!(looks.changed() && !looks.changed());
    }

    #[test]
    fn files_come_and_go_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let watched = Watched {
            files: Vec::new(),
            folder: Some(folder.path().join("conf.d")),
        };
        let none = watched.look(&Seen::new());
        assert!(none.is_empty());
        std::fs::create_dir(folder.path().join("conf.d")).expect("a folder");
        std::fs::write(folder.path().join("conf.d/a.toml"), "").expect("write");
        std::fs::write(folder.path().join("conf.d/a.toml~"), "").expect("write");
        let one = watched.look(&none);
        assert_eq!(one.len(), 1);
        assert!(one != none);
    }

    #[test]
    fn a_huge_file_is_told_by_its_times() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings");
        let file = File::create(&path).expect("a file");
        file.set_len(1 << 40).expect("a length");
        let mut looks = Looks::at(&path);
        assert!(!looks.changed());
        file.set_len((1 << 40) + 1).expect("a length");
        assert!(looks.changed());
    }
}
