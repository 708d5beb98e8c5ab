//! Files for node_exporter's textfile collector: the newest batch of each collector, in a file of its own.
//!
//! A file is written beside its place and renamed, so that whoever reads the folder sees the old page or the new one. It
//! holds no times, as node_exporter refuses them: its age says how old the values are. So it goes when they are stale:
//! its first line, a comment, says from when on, and that it is ours. A file without that line is never touched.

mod file;
mod others;

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tidemark_point::exposition::{self, Format, Times};
use tidemark_point::line::{self, BorrowedPoint, BorrowedValue};
use tidemark_point::{Declarations, Kind, Timestamp, prometheus_name};

pub(crate) use file::FileName;
use others::{Kept, Refused};

use crate::backoff;
use crate::policy::Later;
use crate::words::words;

/// How long the file of a run's own point stays when its collector is late: a rule on its age (its values do not change
/// any more) sees for so long that the collector has stopped.
pub(crate) const RUN_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the file of the flush's own points stays after the flush.
pub(crate) const FLUSH_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest that writing a file may take: a folder on a network may hang.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// What a file that is being written is called before it takes its place.
const UNFINISHED: (&str, &str) = (".tidemark-", ".tmp");

/// The folder that node_exporter reads.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// What becomes a file.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) name: FileName,
    /// Line protocol, a line a point.
    pub(crate) text: Vec<u8>,
    pub(crate) declared: Arc<Declarations>,
    /// When its points were committed.
    pub(crate) committed: Timestamp,
    /// When it goes.
    pub(crate) until: Timestamp,
}

/// What came of a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Published {
    /// A newer file is there, and stays; nothing else was looked at.
    pub(crate) superseded: bool,
    /// Lines of which nothing is there, by their number, each with the reason.
    pub(crate) refused: Vec<(u32, String)>,
    /// What else should be there and is not.
    pub(crate) warnings: Vec<String>,
    /// What is not there by rule.
    pub(crate) notice: Option<String>,
}

/// Why a file was not written.
#[derive(Debug)]
pub(crate) enum Unpublished {
    /// Nothing can be written to the folder.
    Folder(Later),
    /// Something is in the way of this file alone.
    File(Later),
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// A number that changes when the settings do.
    pub(crate) fn fingerprint(&self) -> u32 {
        crc32fast::hash(self.path.as_os_str().as_encoded_bytes())
    }

    /// Writes a file, in place of the one before. Where nothing would be in it, that one goes; and `empty`, the file of a
    /// run that found nothing. One that is newer stays: a run that could not be kept wrote it, while an older one waited.
    pub(crate) fn publish(
        &self,
        sheet: &Sheet,
        empty: Option<&FileName>,
        now: Timestamp,
    ) -> Result<Published, Unpublished> {
        let place = self.path.join(sheet.name.as_str());
        if self
            .there(&place)?
            .is_some_and(|until| is_newer(until, sheet, now))
        {
            return Ok(Published {
                superseded: true,
                ..Published::default()
            });
        }
        if let Some(empty) = empty {
            self.retract(empty)?;
        }
        let mut published = Published::default();
        let mut points: Vec<(u32, BorrowedPoint<'_>)> = Vec::new();
        for (number, point) in (0..).zip(line::read(&sheet.text)) {
            match point {
                Ok(point) => points.push((number, point)),
                Err(error) => published.refused.push((number, error.to_string())),
            }
        }
        let borrowed: Vec<&BorrowedPoint<'_>> = points.iter().map(|(_, point)| point).collect();
        let page = exposition::write(&borrowed, &sheet.declared, Format::Prometheus, Times::Leave);
        for (place, omission) in page.left_out.points() {
            if let (true, Some((number, _))) = (omission.is_refusal(), points.get(*place)) {
                published.refused.push((*number, omission.to_string()));
            }
        }
        if page.left_out.refused() > 0 {
            published.warnings.push(page.left_out.to_string());
        } else if !page.left_out.is_empty() {
            published.notice = Some(page.left_out.to_string());
        }
        let Kept { text, refused } = others::keep(&self.path, &sheet.name, page.text);
        if !refused.is_empty() {
            published.refuse_families(&refused, &points, &sheet.declared);
        }
        let written = match text.is_empty() {
            true => self.remove(&place),
            false => self.write(&place, &[sheet.name.first_line(sheet.until).as_bytes(), &text]),
        };
        written.map_err(|error| Unpublished::Folder(self.failed(&error)))?;
        published.refused.sort_unstable();
        published.refused.dedup_by_key(|(number, _)| *number);
        Ok(published)
    }

    /// Removes a file of ours, because a run found that there is nothing.
    fn retract(&self, name: &FileName) -> Result<(), Unpublished> {
        let place = self.path.join(name.as_str());
        if matches!(file::until(&place), Ok(Some(_))) {
            let removed = self.remove(&place);
            removed.map_err(|error| Unpublished::Folder(self.failed(&error)))?;
        }
        Ok(())
    }

    /// Removes the files of ours that are stale, and what writers left that were killed. What cannot be looked at stays:
    /// it is tried again with every delivery, and who writes says what is wrong.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = entry.path();
            let removed = if name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1) {
                // Locked until it is gone: a writer that has just made it makes another.
                left_behind(&path).map_or(Ok(()), |_locked| self.remove(&path))
            } else if FileName::may_be(name) && matches!(file::until(&path), Ok(Some(until)) if until <= now)
            {
                self.remove(&path)
            } else {
                Ok(())
            };
            if let Err(error) = removed {
                tracing::debug!("{} is stale and stays: {error}", path.display());
            }
        }
    }

    /// When the file of ours goes that has the name; nothing where the name is free. A link is not followed.
    fn there(&self, place: &Path) -> Result<Option<Timestamp>, Unpublished> {
        match file::until(place) {
            Ok(Some(until)) => Ok(Some(until)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() != ErrorKind::InvalidInput => {
                Err(Unpublished::Folder(self.failed(&error)))
            }
            Ok(None) | Err(_) => Err(Unpublished::File(Later::new(format!(
                "{} is there already and is not tidemark's: it stays as it is; move it away",
                place.display()
            )))),
        }
    }

    fn write(&self, place: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let unfinished = Unfinished::new(&self.path)?;
        let mut file = &unfinished.file;
        for part in parts {
            file.write_all(part)?;
        }
        // Whatever the umask: node_exporter is another user.
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.sync_all()?;
        unfinished.rename(place)?;
        self.sync()
    }

    fn remove(&self, place: &Path) -> io::Result<()> {
        match fs::remove_file(place) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == ErrorKind::NotFound => self.path.metadata().map(|_| ()),
            Err(error) => Err(error),
        }
    }

    /// Makes the names durable.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// What went wrong with the folder, and what to do.
    fn failed(&self, error: &io::Error) -> Later {
        let folder = self.path.display();
        Later::new(match error.kind() {
            ErrorKind::NotFound => {
                format!("the folder {folder} is not there: make it, or mend the sink's directory")
            }
            ErrorKind::NotADirectory => format!("{folder} is no folder: mend the sink's directory"),
            ErrorKind::PermissionDenied => format!(
                "the folder {folder} cannot be written: let the user of tidemark write to it ({error})"
            ),
            ErrorKind::ReadOnlyFilesystem => {
                format!("the folder {folder} cannot be written: it is mounted read-only")
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                format!("the folder {folder} is full: free space on its disk")
            }
            _ => format!(
                "the folder {folder} cannot be written: {}",
                words(&error.to_string())
            ),
        })
    }

    /// What to say where writing hangs.
    pub(crate) fn hangs(&self, time: Duration) -> Later {
        let folder = self.path.display();
        Later::new(format!(
            "the folder {folder} could not be written within {time:.0?}; it is tried again"
        ))
    }
}

/// Whether a file that goes at `until` is of a later commit than a sheet. One that nobody could have committed by now is
/// not: a clock that was ahead has been set back.
fn is_newer(until: Timestamp, sheet: &Sheet, now: Timestamp) -> bool {
    let kept = sheet.until.since(sheet.committed);
    let latest = now.saturating_add(Duration::from_nanos(u64::try_from(kept).unwrap_or(0)));
    until > file::shown(sheet.until) && until <= file::shown(latest)
}

impl Published {
    /// Notes which lines lost fields to the files of others: one of which nothing is left is refused.
    fn refuse_families(
        &mut self,
        refused: &Refused,
        points: &[(u32, BorrowedPoint<'_>)],
        declared: &Declarations,
    ) {
        self.warnings.extend(refused.reasons());
        for (number, point) in points {
            let measurement = point.measurement();
            let labels = others::labels_of(point);
            let numbers = point
                .fields()
                .iter()
                .filter(|(_, value)| !matches!(value, BorrowedValue::String(_)));
            let mut reasons = numbers.map(|(field, _)| {
                let declared = declared.field(&measurement, field);
                let kind = declared.map_or(Kind::Gauge, |declared| declared.kind);
                refused.reason(&prometheus_name(&measurement, field, kind), &labels)
            });
            if let Some(Some(reason)) = reasons.next()
                && reasons.all(|reason| reason.is_some())
            {
                self.refused.push((*number, reason.to_owned()));
            }
        }
    }
}

impl Published {
    /// Tells what is not there of the points of a collector.
    pub(crate) fn tell(&self, sink: &str, collector: &str) {
        for warning in &self.warnings {
            tracing::warn!("{sink}: of {collector}: {}", words(warning));
        }
        if let Some(notice) = &self.notice {
            tracing::info!("{sink}: of {collector}: {}", words(notice));
        }
    }
}

/// A file that has no place yet; it goes unless it gets one. It is locked: so whoever sweeps knows that its writer lives.
struct Unfinished {
    path: Option<PathBuf>,
    file: File,
}

/// How often a file is made anew that another process has taken for one that was left behind.
const ATTEMPTS: usize = 20;

impl Unfinished {
    fn new(folder: &Path) -> io::Result<Self> {
        let mut made = Self::make(folder);
        for _ in 1..ATTEMPTS {
            match made {
                Err(error) if error.kind() == ErrorKind::WouldBlock => made = Self::make(folder),
                made => return made,
            }
        }
        made
    }

    /// `WouldBlock` where somebody removes it before it is locked.
    fn make(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(
            "{}{:016x}{}",
            UNFINISHED.0,
            backoff::random(),
            UNFINISHED.1
        ));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let unfinished = Self {
            path: Some(path),
            file,
        };
        flock(&unfinished.file, FlockOperation::NonBlockingLockExclusive)?;
        match unfinished.file.metadata()?.nlink() {
            0 => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(unfinished),
        }
    }

    fn rename(mut self, place: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, place)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// An unfinished file whose writer is dead, locked.
fn left_behind(path: &Path) -> Option<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(file::NO_FOLLOW)
        .open(path)
        .ok()?;
    let is_file = file.metadata().is_ok_and(|file| file.is_file());
    (is_file && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_folder_is_said_with_what_to_do() {
        let folder = Folder::new(Path::new("/srv/text"));
        let said = |kind: ErrorKind| folder.failed(&io::Error::from(kind)).said;
        for (kind, text) in [
            (
                ErrorKind::NotFound,
                "the folder /srv/text is not there: make it, or mend the sink's directory",
            ),
            (
                ErrorKind::PermissionDenied,
                "the folder /srv/text cannot be written: let the user of tidemark write to it (permission denied)",
            ),
            (
                ErrorKind::ReadOnlyFilesystem,
                "the folder /srv/text cannot be written: it is mounted read-only",
            ),
            (
                ErrorKind::StorageFull,
                "the folder /srv/text is full: free space on its disk",
            ),
            (
                ErrorKind::TimedOut,
                "the folder /srv/text cannot be written: timed out",
            ),
        ] {
            assert_eq!(said(kind), text);
        }
        assert_eq!(
            folder.hangs(Duration::from_millis(9_600)).said,
            "the folder /srv/text could not be written within 10s; it is tried again"
        );
    }

    /// Two sinks may share a folder: who sweeps it takes no file away from who writes.
    #[test]
    fn a_sweeper_disturbs_no_writer() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let now = Timestamp::from_secs(1_700_000_000).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    folder.sweep(now);
                }
            });
            for number in 0..500 {
                let made = Unfinished::new(place.path()).and_then(|one| one.rename(&place.path().join("x")));
                if let Err(error) = made {
                    done.store(true, std::sync::atomic::Ordering::Relaxed);
                    panic!("{number}: {error}");
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
