//! Files of settings and secrets, read within bounds.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use crate::accounts;

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Missing,
    Directory,
    /// A FIFO, a socket or a device: reading one could wait for ever.
    Special,
    TooLarge,
    /// Not allowed, with who may where that is known.
    Denied(Option<Readers>, io::Error),
    Io(io::Error),
}

/// Who may read a file or enter a folder.
#[derive(Debug)]
pub(crate) struct Readers {
    /// The file, or the folder above it that is closed.
    what: String,
    verb: &'static str,
    owner: String,
    who: String,
}

impl ReadError {
    /// What is wrong, going on from the file's name.
    pub(crate) fn what(&self) -> String {
        match self {
            ReadError::Missing => "does not exist".to_owned(),
            ReadError::Directory => "is a directory".to_owned(),
            ReadError::Special => "is not a regular file".to_owned(),
            ReadError::TooLarge => "is too large".to_owned(),
            ReadError::Denied(Some(readers), _) => {
                format!(
                    "cannot be read: only {} may {} {}",
                    readers.who, readers.verb, readers.what
                )
            }
            ReadError::Denied(None, _) => "cannot be read by this user".to_owned(),
            ReadError::Io(error) => format!("cannot be read: {error}"),
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> String {
        match self {
            ReadError::Missing => "create it, or name another".to_owned(),
            ReadError::Directory | ReadError::Special => "name a regular file instead".to_owned(),
            ReadError::TooLarge => "name the right file, or make it smaller".to_owned(),
            ReadError::Denied(Some(readers), _) => {
                format!("run this as {}, or change who may", readers.owner)
            }
            ReadError::Denied(None, _) => "run this as a user who may".to_owned(),
            ReadError::Io(_) => "look at the disk and the kernel's log".to_owned(),
        }
    }

    /// What the system said.
    pub(crate) fn into_io(self) -> Option<io::Error> {
        match self {
            ReadError::Denied(_, error) => Some(error),
            _ => None,
        }
    }

    fn from_io(path: &Path, error: io::Error) -> ReadError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing,
            io::ErrorKind::PermissionDenied => ReadError::Denied(readers(path), error),
            _ => ReadError::Io(error),
        }
    }
}

/// Reads a regular file of at most `most` bytes. Never waits for anybody: a FIFO is refused.
pub(crate) fn read(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        // What opening a socket says.
        Err(rustix::io::Errno::NXIO) => return Err(ReadError::Special),
        Err(error) => return Err(ReadError::from_io(path, error.into())),
    };
    let metadata = file.metadata().map_err(ReadError::Io)?;
    if metadata.is_dir() {
        return Err(ReadError::Directory);
    }
    if !metadata.is_file() {
        return Err(ReadError::Special);
    }
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if size > most {
        return Err(ReadError::TooLarge);
    }
    // All the room at once: growing would leave copies behind that are not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(bound).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() > most {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

/// The `*.toml` of a folder in name order, without hidden ones; none where there is no such folder. At most `most`.
pub(crate) fn toml_files(folder: &Path, most: usize) -> Result<Vec<PathBuf>, ReadError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(ReadError::Special),
        Err(error) => return Err(ReadError::from_io(folder, error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(ReadError::Io)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
        if files.len() > most {
            return Err(ReadError::TooLarge);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Whether every user of the host may read the file: it and all folders above it say so.
pub(crate) fn is_readable_by_others(path: &Path) -> bool {
    let allows = |path: &Path, bit: u32| path.metadata().is_ok_and(|metadata| metadata.mode() & bit != 0);
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    allows(&path, 0o004) && path.ancestors().skip(1).all(|folder| allows(folder, 0o001))
}

/// Who may read the file: its mode's word, or that of the first folder on the way that this program may not enter.
fn readers(path: &Path) -> Option<Readers> {
    let (of, metadata) = path
        .ancestors()
        .find_map(|path| Some((path, path.metadata().ok()?)))?;
    let is_folder = of != path || metadata.is_dir();
    let needed = if is_folder && of != path { 0o111 } else { 0o444 };
    let mode = metadata.mode() & needed;
    // Something else than the mode forbids it: an access list, a security module.
    if mode & 0o007 != 0 {
        return None;
    }
    let (host, uid, gid) = (Path::new("/"), metadata.uid(), metadata.gid());
    let owner = accounts::user_name(host, uid).unwrap_or_else(|| format!("user {uid}"));
    let group = accounts::group_name(host, gid).unwrap_or_else(|| gid.to_string());
    let who = if mode & 0o070 != 0 {
        format!("{owner} and the group {group}")
    } else {
        owner.clone()
    };
    let (what, verb) = match (of == path, is_folder) {
        (true, false) => ("it".to_owned(), "read"),
        (true, true) => ("it".to_owned(), "list"),
        (false, _) => (of.display().to_string(), "enter"),
    };
    Some(Readers {
        what,
        verb,
        owner,
        who,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    /// What a person reads where the system does not let this program at the path. Tests may run as root, whom nothing
    /// is forbidden, so the refusal itself is made up.
    fn denied(path: &Path) -> String {
        let error = ReadError::from_io(path, io::ErrorKind::PermissionDenied.into());
        format!("{}; {}", error.what(), error.advice())
    }

    #[test]
    fn says_who_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "").unwrap();
        let metadata = path.metadata().unwrap();
        let me = accounts::user_name(Path::new("/"), metadata.uid()).unwrap();
        let group = accounts::group_name(Path::new("/"), metadata.gid()).unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

        mode(&path, 0o600);
        assert_eq!(
            denied(&path),
            format!("cannot be read: only {me} may read it; run this as {me}, or change who may")
        );
        mode(&path, 0o640);
        assert_eq!(
            denied(&path),
            format!(
                "cannot be read: only {me} and the group {group} may read it; run this as {me}, or change who may"
            )
        );
        // The mode lets everybody in: it is something else.
        mode(&path, 0o644);
        mode(folder.path(), 0o755);
        assert_eq!(
            denied(&path),
            "cannot be read by this user; run this as a user who may"
        );
        mode(folder.path(), 0o700);
        assert_eq!(
            denied(folder.path()),
            format!("cannot be read: only {me} may list it; run this as {me}, or change who may")
        );
        // A file that cannot even be looked at: the folder is closed.
        let folder = folder.path();
        assert_eq!(
            denied(&folder.join("not-seen")),
            format!(
                "cannot be read: only {me} may enter {}; run this as {me}, or change who may",
                folder.display()
            )
        );
    }
}
