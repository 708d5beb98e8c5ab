//! Files of others, read within bounds and without waiting for anybody.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::Trust;

/// Reads a regular file of at most `most` bytes; `None` where there is none of that name. A FIFO, a device or a folder
/// counts as wrong, and is not waited for; so does what `trust` does not trust.
///
/// # Errors
/// What is wrong with it, going on from its name.
pub(crate) fn read(path: &Path, most: usize, trust: &Trust) -> Result<Option<Vec<u8>>, String> {
    let (file, found) = match open(path, trust) {
        Ok(opened) => opened,
        Err(Errno::NOENT) => return Ok(None),
        // What opening a socket says.
        Err(Errno::NXIO) => return Err("is no regular file".to_owned()),
        Err(Errno::LOOP) if !trust.follows_links() => {
            return Err("is a link; put the file itself there".to_owned());
        }
        Err(error) => return Err(format!("cannot be read: {}", io::Error::from(error))),
    };
    if found.is_dir() {
        return Err("is a folder".to_owned());
    }
    if !found.is_file() {
        return Err("is no regular file".to_owned());
    }
    trust.check(&found)?;
    let size = usize::try_from(found.len()).unwrap_or(usize::MAX);
    let too_long = || Err(format!("is longer than {} KiB", most >> 10));
    if size > most {
        return too_long();
    }
    // As long as it was found to be; one that does not say (in /proc) within the bound.
    let bound = if size == 0 { most.saturating_add(1) } else { size };
    let mut bytes = Vec::with_capacity(size);
    file.take(u64::try_from(bound).unwrap_or(u64::MAX))
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > most {
        return too_long();
    }
    Ok(Some(bytes))
}

fn open(path: &Path, trust: &Trust) -> Result<(File, Metadata), Errno> {
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    if !trust.follows_links() {
        flags |= OFlags::NOFOLLOW;
    }
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let found = file
        .metadata()
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok((file, found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "12345678").unwrap();
        std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();

        let system = Trust::System(None);
        let read = |name: &str, trust: &Trust| read(&at(name), 8, trust);
        for trust in [&Trust::Caller, &system] {
            assert_eq!(read("file", trust), Ok(Some(b"12345678".to_vec())));
            assert_eq!(read("gone", trust), Ok(None));
            assert_eq!(read("folder", trust), Err("is a folder".to_owned()));
            assert_eq!(read("fifo", trust), Err("is no regular file".to_owned()));
            assert_eq!(read("socket", trust), Err("is no regular file".to_owned()));
        }
        assert_eq!(read("link", &Trust::Caller), Ok(Some(b"12345678".to_vec())));
        for link in ["link", "dangling"] {
            assert!(read(link, &system).is_err_and(|why| why.contains("is a link")));
        }
        std::fs::write(at("file"), "123456789").unwrap();
        assert!(read("file", &Trust::Caller).is_err_and(|why| why.contains("longer than")));
        std::fs::write(at("file"), "1").unwrap();
        std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(read("file", &system).is_err_and(|why| why.contains("written by others")));
        assert_eq!(read("file", &Trust::Caller), Ok(Some(b"1".to_vec())));
    }
}
