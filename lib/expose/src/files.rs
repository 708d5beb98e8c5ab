//! The files of a certificate and its key.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// The longest file that is read: a chain of certificates takes a few KiB.
const LONGEST: u64 = 1 << 20;

/// A FIFO would be waited for.
const NO_WAIT: i32 = OFlags::NONBLOCK.bits().cast_signed();

/// What tells whether a file was changed or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// A file's stamp; `None` where there is none to be had.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// Reads a regular file of at most 1 MiB, and whether others than owner and group may read it too.
pub(crate) fn read(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let file = File::options().read(true).custom_flags(NO_WAIT).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is longer than 1 MiB",
        ));
    }
    Ok((bytes, metadata.mode() & 0o004 != 0))
}
