//! One run of a collector at a time: a lock file whose text says when the run in progress began, and when the last one
//! ended.
//!
//! The file is `run-NAME.lock` in the state folder. Its lock dies with its holder, its text does not: a run that gets the
//! lock and finds a start knows that the one before was killed. The text is written without a sync: after a power cut the
//! file may be empty, and a killed run goes unnoticed by its collector (its interval tells).
//!
//! The first line is the start of the run in progress, or empty. The second is `START BOOT NANOSECONDS` of the run that
//! ended last: the record of a run has the host's clock alone, which may have been set since, and this says when it ended by
//! a clock that nobody sets ([`boot`](crate::boot)).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk};
use tidemark_point::Timestamp;

use crate::boot::BootInstant;

/// The file's first line, filled up with spaces: it is overwritten in place, so that no block is ever freed or allocated
/// by a run.
const LINE: usize = 40;
/// The second line.
const END_LINE: usize = 120;

/// The lock of one collector, held.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    path: PathBuf,
}

/// What came of asking for the lock.
#[derive(Debug)]
pub enum Locked {
    /// It is ours.
    Held {
        /// The lock; it is given back when this is dropped.
        lock: RunLock,
        /// When a run began that never ended.
        killed: Option<Timestamp>,
    },
    /// Another process holds it.
    Beside {
        /// That process.
        pid: Option<i32>,
    },
}

/// The end of a run, by a clock that nobody sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// The run's start, as it is recorded.
    pub started: Timestamp,
    /// When it ended.
    pub at: BootInstant,
}

/// A lock as another process sees it.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process that holds the lock, as far as the kernel tells.
    pub pid: Option<i32>,
    /// When its run began; none between two runs of `--every`.
    pub since: Option<Timestamp>,
}

/// Where the lock of `name` is in the folder `state`.
#[must_use]
pub fn path(state: &Path, name: &str) -> PathBuf {
    state.join(format!("run-{name}.lock"))
}

impl RunLock {
    /// Takes the lock of `name`, without waiting.
    ///
    /// # Errors
    /// Where the file cannot be opened or locked: the state folder is missing or read-only.
    pub fn take(state: &Path, name: &str) -> io::Result<Locked> {
        let path = path(state, name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
                return Ok(Locked::Beside {
                    pid: holder_of(&file)?.flatten(),
                });
            }
            Err(error) => return Err(error.into()),
        }
        let killed = started(&file);
        Ok(Locked::Held {
            lock: Self { file, path },
            killed,
        })
    }

    /// Notes that a run began at `start`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn begin(&mut self, start: Timestamp) -> io::Result<()> {
        self.file
            .write_all_at(line(&start.to_string(), LINE).as_bytes(), 0)
    }

    /// Notes that no run is in progress any more; and which one has ended and is recorded, where one has.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn end(&mut self, run: Option<&RunEnd>) -> io::Result<()> {
        let mut text = line("", LINE);
        if let Some(RunEnd { started, at }) = run {
            text.push_str(&line(&format!("{started} {at}"), END_LINE));
        }
        self.file.write_all_at(text.as_bytes(), 0)
    }

    /// The run that ended last, where that was noted.
    #[must_use]
    pub fn last_end(&self) -> Option<RunEnd> {
        ended(&self.file)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Who holds the lock of `name`, without touching it; none where nobody does.
///
/// # Errors
/// Where the file exists and cannot be read.
pub fn holder(state: &Path, name: &str) -> io::Result<Option<Holder>> {
    let file = match File::open(path(state, name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(holder_of(&file)?.map(|pid| Holder {
        pid,
        since: started(&file),
    }))
}

/// The run of `name` that ended last, without touching its lock; none where nothing can be read.
#[must_use]
pub fn last_end(state: &Path, name: &str) -> Option<RunEnd> {
    ended(&File::open(path(state, name)).ok()?)
}

/// The process that holds the lock on `file`: none, or one without a number where it is in another pid namespace.
fn holder_of(file: &File) -> io::Result<Option<Option<i32>>> {
    let found = fcntl_getlk(file, &Flock::from(FlockType::WriteLock))?;
    Ok(found.map(|lock| lock.pid.map(|pid| pid.as_raw_nonzero().get())))
}

/// The start that the file names, if it names one.
fn started(file: &File) -> Option<Timestamp> {
    read_line::<LINE>(file, 0)?.parse().ok()
}

/// The end that the file names, if it names one.
fn ended(file: &File) -> Option<RunEnd> {
    let line = read_line::<END_LINE>(file, LINE as u64)?;
    let (started, at) = line.split_once(' ')?;
    Some(RunEnd {
        started: started.parse().ok()?,
        at: at.parse().ok()?,
    })
}

fn read_line<const LENGTH: usize>(file: &File, at: u64) -> Option<String> {
    let mut line = [0; LENGTH];
    let read = file.read_at(&mut line, at).ok()?;
    let text = std::str::from_utf8(line.get(..read)?).ok()?;
    // One that is torn would read as another time.
    Some(text.strip_suffix('\n')?.trim_end().to_owned())
}

fn line(text: &str, length: usize) -> String {
    format!("{text:<width$}\n", width = length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(state: &Path) -> (RunLock, Option<Timestamp>) {
        match RunLock::take(state, "x").expect("a lock") {
            Locked::Held { lock, killed } => (lock, killed),
            Locked::Beside { pid } => panic!("held by {pid:?}"),
        }
    }

    #[test]
    fn a_run_that_ended_leaves_nothing() {
        let state = tempfile::tempdir().expect("a folder");
        let start = Timestamp::from_secs(1_700_000_000).expect("in range");
        let (mut lock, killed) = held(state.path());
        assert_eq!(killed, None);
        lock.begin(start).expect("begin");
        lock.end(None).expect("end");
        drop(lock);
        assert_eq!(held(state.path()).1, None);
    }

    #[test]
    fn a_run_that_was_killed_is_found_by_the_next() {
        let state = tempfile::tempdir().expect("a folder");
        let start = Timestamp::from_nanos(1_700_000_000_123_456_789).expect("in range");
        let (mut lock, _) = held(state.path());
        lock.begin(start).expect("begin");
        drop(lock);
        assert_eq!(held(state.path()).1, Some(start));
    }

    #[test]
    fn the_last_end_stays_while_the_next_run_is_under_way() {
        let state = tempfile::tempdir().expect("a folder");
        let boot = std::time::Duration::from_nanos(u64::MAX);
        let end = RunEnd {
            started: Timestamp::from_nanos(-1_700_000_000_123_456_789).expect("in range"),
            at: BootInstant::new(&"f".repeat(32), boot).expect("an id"),
        };
        assert_eq!(last_end(state.path(), "x"), None);
        let (mut lock, _) = held(state.path());
        assert_eq!(lock.last_end(), None);
        lock.begin(end.started).expect("begin");
        assert_eq!(lock.last_end(), None);
        lock.end(Some(&end)).expect("end");
        assert_eq!(lock.last_end().as_ref(), Some(&end));
        lock.begin(end.started).expect("begin");
        drop(lock);
        assert_eq!(last_end(state.path(), "x").as_ref(), Some(&end));
        let (mut lock, killed) = held(state.path());
        assert_eq!(killed, Some(end.started));
        lock.end(None).expect("end");
        drop(lock);
        assert_eq!(held(state.path()).1, None);
        assert_eq!(last_end(state.path(), "x"), Some(end));
        let size = std::fs::metadata(path(state.path(), "x"))
            .expect("the file")
            .len();
        assert_eq!(size, (LINE + END_LINE) as u64);
    }

    #[test]
    fn garbage_in_the_file_is_no_start_and_no_end() {
        let state = tempfile::tempdir().expect("a folder");
        for garbage in [
            &b"\xff\xfe"[..],
            b"soon",
            &[b'9'; 4096],
            &[b' '; 4096],
            &[0xff; 100],
        ] {
            std::fs::write(path(state.path(), "x"), garbage).expect("write");
            assert_eq!(held(state.path()).1, None);
            assert_eq!(last_end(state.path(), "x"), None);
        }
    }

    #[test]
    fn a_file_that_is_torn_names_only_what_is_whole() {
        let state = tempfile::tempdir().expect("a folder");
        let end = RunEnd {
            started: Timestamp::from_secs(1_700_000_000).expect("in range"),
            at: BootInstant::new(&"f".repeat(32), std::time::Duration::from_secs(50)).expect("an id"),
        };
        let (mut lock, _) = held(state.path());
        lock.end(Some(&end)).expect("end");
        lock.begin(end.started).expect("begin");
        drop(lock);
        let whole = std::fs::read(path(state.path(), "x")).expect("the file");
        assert_eq!(whole.len(), LINE + END_LINE);
        for length in 0..=whole.len() {
            std::fs::write(path(state.path(), "x"), &whole[..length]).expect("write");
            assert_eq!(held(state.path()).1.is_some(), length >= LINE, "{length}");
            let is_whole = length == whole.len();
            assert_eq!(last_end(state.path(), "x").is_some(), is_whole, "{length}");
        }
        // Of the next run on, it is whole again.
        std::fs::write(path(state.path(), "x"), &whole[..LINE + 60]).expect("write");
        held(state.path()).0.end(Some(&end)).expect("end");
        assert_eq!(last_end(state.path(), "x"), Some(end));
    }

    #[test]
    fn nobody_holds_what_nobody_took() {
        let state = tempfile::tempdir().expect("a folder");
        assert_eq!(holder(state.path(), "x").expect("readable"), None);
        let (lock, _) = held(state.path());
        drop(lock);
        assert_eq!(holder(state.path(), "x").expect("readable"), None);
    }

    #[test]
    fn a_missing_folder_is_an_error_not_a_lock() {
        let state = tempfile::tempdir().expect("a folder");
        assert!(RunLock::take(&state.path().join("gone"), "x").is_err());
    }
}
