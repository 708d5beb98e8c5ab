//! What the last sync knew, so that the next can tell what is new from what the operator has stopped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tidemark_app::exit::Failure;

/// What is read of a record.
const MAX_RECORD: u64 = 16 << 20;
/// How long to wait for another sync.
const LOCK_TIME: Duration = Duration::from_secs(240);
/// How long between two looks at the lock.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What the last sync left in force. It is of one start of `tidemark.target`: with that all units are started anew.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// When the target became active, as [`State::active_since`](super::manager::State::active_since).
    pub(super) target_since: u64,
    /// [`fingerprint`] of the settings.
    pub(super) settings: u64,
    /// The units that the target starts, by their names.
    pub(super) units: BTreeMap<String, Known>,
}

/// A unit that was in force.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// [`fingerprint`] of its text.
    pub(super) text: u64,
    /// Of a service that stays, [`file_identity`] of its program.
    pub(super) program: u64,
    /// Of a service that stays, [`identity`](super::secrets::identity) of its secrets.
    #[serde(default)]
    pub(super) secrets: u64,
}

/// The folder of the record, held by one process at a time.
#[derive(Debug)]
pub(super) struct Runtime {
    record: PathBuf,
    _lock: File,
}

impl Runtime {
    /// Makes the folder, and waits until no other sync holds it.
    pub(super) async fn take(folder: &Path) -> Result<Self, Failure> {
        Self::take_within(folder, LOCK_TIME).await
    }

    async fn take_within(folder: &Path, limit: Duration) -> Result<Self, Failure> {
        let path = folder.join("units.lock");
        let cannot =
            |error: std::io::Error| Failure::run(format!("{} cannot be locked: {error}", path.display()));
        std::fs::create_dir_all(folder).map_err(cannot)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(cannot)?;
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < limit => {
                    tokio::time::sleep(LOOK_AGAIN).await
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::run(format!(
                        "another `tidemark units sync` has been running for more than {} s: `fuser {}` names it",
                        limit.as_secs(),
                        path.display()
                    )));
                }
            }
        }
        Ok(Self {
            record: folder.join("units.json"),
            _lock: lock,
        })
    }

    /// The record; none where there is none, or none that can be understood.
    pub(super) fn read(&self) -> Option<Record> {
        read(&self.record)
    }

    /// Writes the record, whole or not at all.
    pub(super) fn write(&self, record: &Record) -> Result<(), Failure> {
        let new = self.record.with_extension("new");
        let cannot =
            |error: std::io::Error| Failure::run(format!("{} cannot be written: {error}", new.display()));
        // Strings and numbers: there is nothing that could fail.
        let text = serde_json::to_vec(record).unwrap_or_default();
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&new)
            .map_err(cannot)?;
        file.write_all(&text).map_err(cannot)?;
        std::fs::rename(&new, &self.record).map_err(cannot)
    }
}

/// The record in a folder, for who only looks at it.
pub(super) fn look(folder: &Path) -> Option<Record> {
    read(&folder.join("units.json"))
}

fn read(record: &Path) -> Option<Record> {
    let mut text = Vec::new();
    let file = File::open(record).ok()?;
    file.take(MAX_RECORD).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A number that differs where the text does. Nobody gains anything by another text of the same number.
pub(super) fn fingerprint(text: &[u8]) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}

/// A number that differs once a file has been replaced or written; 0 where it is not there.
pub(super) fn file_identity(file: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = std::fs::metadata(file) else {
        return 0;
    };
    let identity = [
        found.dev(),
        found.ino(),
        found.size(),
        found.mtime().unsigned_abs(),
        found.mtime_nsec().unsigned_abs(),
    ];
    fingerprint(&identity.map(u64::to_le_bytes).concat())
}

#[cfg(test)]
mod tests {
    use tidemark_app::block_on;

    use super::*;

    fn take(folder: &Path) -> Result<Runtime, Failure> {
        block_on(Runtime::take_within(folder, Duration::from_millis(50)))
    }

    #[test]
    fn a_record_is_kept_and_one_that_is_damaged_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("tidemark");
        let runtime = take(&folder).expect("the lock");
        assert_eq!(runtime.read(), None);
        let record = Record {
            target_since: 5,
            settings: u64::MAX,
            units: BTreeMap::from([(
                "tidemark-host.timer".to_owned(),
                Known {
                    text: 7,
                    ..Known::default()
                },
            )]),
        };
        runtime.write(&record).expect("write");
        assert_eq!(runtime.read(), Some(record.clone()));
        assert_eq!(look(&folder), Some(record));
        for damaged in ["", "{", "[]", "{\"units\": 3}", "\u{0}"] {
            std::fs::write(folder.join("units.json"), damaged).expect("write");
            assert_eq!(runtime.read(), None, "{damaged:?}");
        }
    }

    #[test]
    fn one_holds_it_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = take(folder.path()).expect("the lock");
        let why = take(folder.path()).expect_err("held").to_string();
        assert!(
            why.starts_with("another `tidemark units sync` has been running"),
            "{why}"
        );
        drop(first);
        take(folder.path()).expect("free again");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("write");
        assert!(take(&file).is_err_and(|why| why.to_string().contains("cannot be locked")));
    }

    #[test]
    fn a_file_that_is_replaced_has_another_identity() {
        let folder = tempfile::tempdir().expect("a folder");
        let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
        assert_eq!(file_identity(&old), 0);
        std::fs::write(&old, "x").expect("write");
        let before = file_identity(&old);
        assert_eq!(before, file_identity(&old));
        std::fs::write(&new, "x").expect("write");
        std::fs::rename(&new, &old).expect("rename");
        assert_ne!(before, file_identity(&old));
    }
}
