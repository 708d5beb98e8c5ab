//! Root becomes the owner of the state, so that no file in it becomes root's by accident.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Uid};

/// The process could not become the state's owner.
#[derive(Debug)]
pub struct OwnerError {
    /// The state folder.
    state: PathBuf,
    /// The owner's number.
    owner: u32,
    source: io::Error,
}

impl fmt::Display for OwnerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "root could not become user {}, the owner of the state in {}; run this as that user",
            self.owner,
            self.state.display()
        )
    }
}

impl std::error::Error for OwnerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Where this is root and `state` is another's, becomes that user, in that user's group alone, for good.
///
/// For a program that has one thread so far: the kernel changes the calling thread, and new threads take after it. A
/// folder that does not exist changes nothing: who makes it owns it.
///
/// # Errors
/// Where the kernel refuses, as in a container without the capabilities.
pub fn become_owner(state: &Path) -> Result<(), OwnerError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let Ok(found) = rustix::fs::stat(state) else {
        return Ok(());
    };
    if found.st_uid == 0 {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(found.st_uid), Gid::from_raw(found.st_gid));
    // The user last: without it the groups cannot be changed any more.
    rustix::thread::set_thread_groups(&[group])
        .and_then(|()| rustix::thread::set_thread_res_gid(group, group, group))
        .and_then(|()| rustix::thread::set_thread_res_uid(user, user, user))
        .map_err(|error| OwnerError {
            state: state.to_owned(),
            owner: found.st_uid,
            source: error.into(),
        })
}
