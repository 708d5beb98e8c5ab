//! Filesystems: which there are from `/proc/self/mountinfo`, how full they are from `statvfs`.
//!
//! Left out, besides what the settings say: filesystems without blocks (`/proc` and the like), mounts that another
//! hides, and all but one mount of a filesystem, so that nothing counts twice. A sandbox that hides a mount point
//! hides its filesystem here too.

use crate::mountinfo::{self, Mount};
use crate::patterns::any_matches;
use crate::topic::Topic;
use rustix::fs::{AtFlags, Mode, OFlags, StatVfs, StatxFlags};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tidemark_collect::{CollectorError, Measurement};

const PATH: &str = "/proc/self/mountinfo";

/// How long one filesystem may take to answer; a dead server's never does.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long all of them may take.
const PATIENCE_WITH_ALL: Duration = Duration::from_secs(5);

/// One filesystem.
#[derive(Clone, Debug, PartialEq, Measurement)]
#[measurement("host_filesystem")]
pub(crate) struct Filesystem {
    /// The host's name.
    #[tag]
    host: String,
    /// Where it is mounted; of several places that which shows its root, else the shortest.
    #[tag]
    mountpoint: String,
    /// The device, or what is named in its place.
    #[tag]
    device: String,
    /// The type, `ext4`.
    #[tag]
    fstype: String,
    /// All of it.
    #[unit("bytes")]
    size_bytes: u64,
    /// Not used, what is kept for root included.
    #[unit("bytes")]
    free_bytes: u64,
    /// What users other than root can get.
    #[unit("bytes")]
    available_bytes: u64,
    /// Files that there can be, where the number is fixed.
    files: Option<u64>,
    /// Of these, those still to be had.
    files_free: Option<u64>,
    /// Whether it takes no writes, as after an error of its disk.
    read_only: bool,
}

/// What a filesystem says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Usage {
    pub(crate) size_bytes: u64,
    pub(crate) free_bytes: u64,
    pub(crate) available_bytes: u64,
    pub(crate) files: u64,
    pub(crate) files_free: u64,
    /// The number of the mount that the path led to, from Linux 5.8 on.
    pub(crate) mount: Option<u64>,
}

/// How to ask the filesystem at a path: [`usage_at`], or a test's answer.
pub(crate) type Ask = Arc<dyn Fn(&Path) -> io::Result<Usage> + Send + Sync>;

pub(crate) fn collect(topic: &mut Topic<'_>) -> Result<(), CollectorError> {
    let (mut mounts, broken) = mountinfo::parse(&topic.context().read_host_bytes(PATH)?);
    if let Some(broken) = broken {
        topic.gap(&CollectorError::parse(PATH, broken));
    }
    let settings = topic.settings();
    mounts.retain(|mount| {
        !any_matches(&settings.filesystem_types_except, &mount.fstype)
            && !any_matches(&settings.mountpoints_except, &mount.mountpoint.to_string_lossy())
    });
    let mut asker = Asker::new(Arc::clone(topic.ask()), PATIENCE, PATIENCE_WITH_ALL);
    let mut found = Vec::new();
    for places in by_filesystem(&mut mounts) {
        match first_seen(places, |path| asker.ask(topic.context().host_path(path))) {
            Ok(Some((mount, usage))) if usage.size_bytes > 0 => found.push((mount, usage)),
            Ok(_) => {}
            Err((mount, error)) => topic.gap(&CollectorError::caused(
                format_args!(
                    "cannot ask the filesystem at {} ({}): mend it or name it in mountpoints_except",
                    mount.mountpoint.display(),
                    mount.fstype
                ),
                error,
            )),
        }
    }
    found.sort_by(|(one, _), (other, _)| one.mountpoint.cmp(&other.mountpoint));
    for (mount, usage) in found {
        let host = topic.host_name();
        topic.push(Filesystem {
            host,
            mountpoint: mount.mountpoint.to_string_lossy().into_owned(),
            device: mount.source.clone(),
            fstype: mount.fstype.clone(),
            size_bytes: usage.size_bytes,
            free_bytes: usage.free_bytes,
            available_bytes: usage.available_bytes,
            files: (usage.files > 0).then_some(usage.files),
            files_free: (usage.files > 0).then_some(usage.files_free),
            read_only: mount.read_only,
        });
    }
    Ok(())
}

/// The mounts of each filesystem, the best place to see it first: its root, then the shortest path.
fn by_filesystem(mounts: &mut [Mount]) -> impl Iterator<Item = &[Mount]> {
    mounts.sort_by(|one, other| {
        let place = |mount: &Mount| (!mount.whole, mount.mountpoint.as_os_str().len());
        one.numbers
            .cmp(&other.numbers)
            .then_with(|| place(one).cmp(&place(other)))
    });
    mounts.chunk_by(|one, other| one.numbers == other.numbers)
}

/// The first of `places` that is not hidden by another mount, and what its filesystem says; `None` where all
/// are hidden. One that cannot be asked counts only where no other can.
fn first_seen(
    places: &[Mount],
    mut ask: impl FnMut(&Path) -> io::Result<Usage>,
) -> Result<Option<(&Mount, Usage)>, (&Mount, io::Error)> {
    let mut failed = None;
    for mount in places {
        match ask(&mount.mountpoint) {
            Ok(usage) if usage.mount.is_none_or(|id| id == mount.id) => return Ok(Some((mount, usage))),
            Ok(_) => {}
            // A mount over a folder above hides the path too; or it is unmounted since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // What does not answer here does not at another place either.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err((mount, error)),
            Err(error) => failed = failed.or(Some((mount, error))),
        }
    }
    failed.map_or(Ok(None), Err)
}

/// What the filesystem at `path` says of itself.
pub(crate) fn usage_at(path: &Path) -> io::Result<Usage> {
    // With PATH the file is not opened, only found: no permission to read it is needed.
    let place = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let flags = AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT;
    // A kernel before 5.8, or a filter on system calls: then it is not known which mount this is.
    let mount = rustix::fs::statx(&place, c"", flags, StatxFlags::MNT_ID)
        .ok()
        .filter(|stat| StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID))
        .map(|stat| stat.stx_mnt_id);
    in_bytes(&rustix::fs::fstatvfs(&place)?, mount)
}

fn in_bytes(stat: &StatVfs, mount: Option<u64>) -> io::Result<Usage> {
    let bytes = |blocks: u64| {
        let block = if stat.f_frsize > 0 {
            stat.f_frsize
        } else {
            stat.f_bsize
        };
        blocks.checked_mul(block).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{blocks} blocks of {block} bytes are too many"),
            )
        })
    };
    Ok(Usage {
        size_bytes: bytes(stat.f_blocks)?,
        free_bytes: bytes(stat.f_bfree)?,
        available_bytes: bytes(stat.f_bavail)?,
        files: stat.f_files,
        files_free: stat.f_ffree,
        mount,
    })
}

/// Asks filesystems in a thread of its own, so that one that never answers is left behind with its thread.
struct Asker {
    ask: Ask,
    patience: Duration,
    until: Instant,
    worker: Option<Worker>,
}

struct Worker {
    questions: mpsc::Sender<PathBuf>,
    answers: mpsc::Receiver<io::Result<Usage>>,
}

impl Asker {
    fn new(ask: Ask, patience: Duration, patience_with_all: Duration) -> Self {
        Self {
            ask,
            patience,
            until: Instant::now() + patience_with_all,
            worker: None,
        }
    }

    fn ask(&mut self, path: PathBuf) -> io::Result<Usage> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "others took all the time that there was",
            ));
        }
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(Arc::clone(&self.ask))?,
        };
        let gone = || io::Error::other("the thread that asks has ended");
        worker.questions.send(path).map_err(|_| gone())?;
        match worker.answers.recv_timeout(self.patience.min(left)) {
            Ok(answer) => {
                self.worker = Some(worker);
                answer
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(gone()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
            }
        }
    }
}

impl Worker {
    fn start(ask: Ask) -> io::Result<Self> {
        let (questions, asked) = mpsc::channel::<PathBuf>();
        let (answer, answers) = mpsc::channel();
        std::thread::Builder::new()
            .name("statvfs".into())
            .spawn(move || {
                for path in asked {
                    if answer.send(ask(&path)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self { questions, answers })
    }
}

#[cfg(test)]
mod tests;
