//! Locks between processes: files of the state folder, whose locks die with their holder.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::time::Instant;

use crate::DeliveryError;

/// How often a lock that is waited for is tried.
const STEP: Duration = Duration::from_millis(10);

/// A lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

/// Whether others may hold the lock too.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

impl FileLock {
    /// Takes the lock without waiting; none where another process has it.
    pub(crate) fn take(path: &Path, mode: Mode) -> Result<Option<Self>, DeliveryError> {
        let failed = |source| DeliveryError::File {
            path: path.to_path_buf(),
            source,
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let operation = match mode {
            Mode::Shared => FlockOperation::NonBlockingLockShared,
            Mode::Exclusive => FlockOperation::NonBlockingLockExclusive,
        };
        match flock(&file, operation) {
            Ok(()) => Ok(Some(Self { file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(io::Error::from(error))),
        }
    }

    /// Takes the lock, and waits for it for so long.
    pub(crate) async fn wait(
        path: &Path,
        mode: Mode,
        longest: Duration,
    ) -> Result<Option<Self>, DeliveryError> {
        let end = Instant::now() + longest;
        loop {
            if let Some(lock) = Self::take(path, mode)? {
                return Ok(Some(lock));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

impl Drop for FileLock {
    /// Closing the file is not enough: a process that another thread just starts has it open too until it executes its
    /// program, and the lock with it.
    fn drop(&mut self) {
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// The lock of whoever delivers to a sink. Characters that do not belong in a file name are written as `%XX`.
pub(crate) fn deliverer(dir: &Path, sink: &str) -> PathBuf {
    let mut name = String::from("deliver-");
    for byte in sink.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    dir.join(name + ".lock")
}

/// The lock that is shared by all who have the outbox open, and held alone by who sets it aside.
pub(crate) fn outbox(dir: &Path) -> PathBuf {
    dir.join("outbox.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_alone_or_many_together() {
        let dir = tempfile::tempdir().unwrap();
        let path = outbox(dir.path());
        let one = FileLock::take(&path, Mode::Shared).unwrap().unwrap();
        let two = FileLock::take(&path, Mode::Shared).unwrap().unwrap();
        assert!(FileLock::take(&path, Mode::Exclusive).unwrap().is_none());
        drop((one, two));
        let alone = FileLock::wait(&path, Mode::Exclusive, Duration::ZERO)
            .await
            .unwrap()
            .unwrap();
        assert!(
            FileLock::wait(&path, Mode::Shared, Duration::ZERO)
                .await
                .unwrap()
                .is_none()
        );
        drop(alone);
        assert!(FileLock::take(&path, Mode::Shared).unwrap().is_some());
    }

    #[test]
    fn is_given_back_though_a_process_that_starts_has_the_file_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = outbox(dir.path());
        let lock = FileLock::take(&path, Mode::Exclusive).unwrap().unwrap();
        let of_child = lock.file.try_clone().unwrap();
        drop(lock);
        assert!(FileLock::take(&path, Mode::Exclusive).unwrap().is_some());
        drop(of_child);
    }

    #[test]
    fn a_sinks_name_makes_one_file_name() {
        let name = deliverer(Path::new("/s"), "../a b/ä");
        assert_eq!(name, Path::new("/s/deliver-..%2Fa%20b%2F%C3%A4.lock"));
    }
}
