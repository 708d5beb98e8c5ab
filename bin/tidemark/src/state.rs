//! The state folder, for what only looks at it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;
use tidemark_app::become_owner;
use tidemark_app::exit::Failure;
use tidemark_collect::chain;
use tidemark_settings::{Environment as _, Places};

use crate::Command;

/// The outbox, which can only be looked at by who may write it: reading takes its lock.
pub(crate) const OUTBOX: (&str, Access) = ("outbox.db", Access::READ_OK.union(Access::WRITE_OK));

/// The store.
pub(crate) const STORE: (&str, Access) = ("store.db", Access::READ_OK);

/// The state folder. It is not made; root becomes its owner.
pub(crate) fn folder(command: &Command) -> Result<PathBuf, Failure> {
    let state = command
        .here
        .places
        .state()
        .map_err(|error| Failure::settings(error.to_string()))?
        .to_owned();
    become_owner(&state).map_err(|error| Failure::run(chain(&error)))?;
    Ok(state)
}

/// The file of the `state`; none where nothing has made it yet.
///
/// # Errors
/// Where this user may not use it: whose it is, and what to do.
pub(crate) fn file(state: &Path, (name, access): (&'static str, Access)) -> Result<Option<PathBuf>, Failure> {
    let file = state.join(name);
    match rustix::fs::access(&file, access) {
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::ACCESS | Errno::PERM) => Err(Failure::run(not_ours(state, &file))),
        // Whatever else is wrong, who opens it says better.
        Ok(()) | Err(_) => Ok(Some(file)),
    }
}

fn not_ours(state: &Path, file: &Path) -> String {
    let owner = [file, state]
        .into_iter()
        .find_map(|path| rustix::fs::stat(path).ok());
    let (whose, who) = match owner.map(|found| found.st_uid) {
        Some(0) => ("root's".to_owned(), "root".to_owned()),
        Some(user) => (format!("user {user}'s"), "that user or as root".to_owned()),
        None => ("another user's".to_owned(), "root".to_owned()),
    };
    format!(
        "the state in {} is {whose}, and this user may not look at it: run this as {who}",
        state.display()
    )
}

/// Where this user's own `state` is not the host's, and the host has one: what to do to see that. Nothing where
/// somebody chose the folder.
pub(crate) fn elsewhere(command: &Command, state: &Path) -> Option<String> {
    let chosen = command.here.environment.get_nonempty("STATE_DIRECTORY").is_some();
    let of_host = Places::new(&BTreeMap::<String, OsString>::new(), true, None);
    (!chosen).then(|| hint(state, of_host.state().ok()?)).flatten()
}

fn hint(state: &Path, of_host: &Path) -> Option<String> {
    (state != of_host && of_host.is_dir()).then(|| {
        format!(
            "this is the state in {}; the host's own is in {}: run this as root to look at it",
            state.display(),
            of_host.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_state_is_pointed_at_where_it_is_another() {
        let host = tempfile::tempdir().expect("a folder");
        let text = hint(Path::new("/home/u/state"), host.path()).expect("a hint");
        assert!(text.contains("/home/u/state") && text.contains(&host.path().display().to_string()));
        assert_eq!(hint(host.path(), host.path()), None);
        assert_eq!(hint(Path::new("/home/u/state"), &host.path().join("gone")), None);
    }

    #[test]
    fn a_file_that_is_not_there_is_no_error() {
        let state = tempfile::tempdir().expect("a folder");
        assert_eq!(file(state.path(), OUTBOX), Ok(None));
        assert_eq!(file(&state.path().join("gone"), STORE), Ok(None));
        std::fs::write(state.path().join("store.db"), "").expect("write");
        assert_eq!(file(state.path(), STORE), Ok(Some(state.path().join("store.db"))));
    }
}
