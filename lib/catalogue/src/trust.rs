use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tidemark_settings::accounts::{self, Account};

/// The user who asks where there is no `tidemark` yet: the kernel's own nobody.
const NOBODY: Account = Account {
    uid: 65534,
    gid: 65534,
};

/// Bits of a mode that let others than the owner write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Whose programs and descriptions count, and as whom a program is asked what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// For the operator's command: any file, and programs are asked as whoever calls, within 5 s each.
    Caller,
    /// For what root acts upon, the units: the folder, the program and `NAME.json` belong to root, or to whoever calls,
    /// and no other may write them; links count as wrong. A program without a `NAME.json` is asked as this account,
    /// without any new privilege, with no environment but `PATH`, in `/`, within 1 s; all of them within 5 s. `None`:
    /// as whoever calls, who is not root.
    System(Option<Account>),
}

impl Trust {
    /// For what root acts upon: programs are asked as the user `tidemark` of `etc/passwd` below `root`, else as nobody.
    #[must_use]
    pub fn system(root: &Path) -> Trust {
        let is_root = rustix::process::geteuid().is_root();
        Trust::System(is_root.then(|| {
            let account = accounts::user(root, tidemark_systemd::Host::USER);
            // A line that makes it root is no use.
            account
                .filter(|account| account.uid != 0 && account.gid != 0)
                .unwrap_or(NOBODY)
        }))
    }

    /// Whether only root (or whoever calls) can have put this there; else why not, going on from its name.
    pub(crate) fn check(&self, found: &Metadata) -> Result<(), String> {
        match self {
            Trust::Caller => Ok(()),
            Trust::System(_) => check(found.uid(), found.mode(), || rustix::process::geteuid().as_raw()),
        }
    }

    /// Whether a link is as good as what it leads to.
    pub(crate) fn follows_links(&self) -> bool {
        *self == Trust::Caller
    }
}

fn check(owner: u32, mode: u32, caller: impl Fn() -> u32) -> Result<(), String> {
    if owner != 0 && owner != caller() {
        return Err(format!("belongs to user {owner}, not to root; chown it"));
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err("can be written by others than its owner; chmod go-w it".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_asks_where_there_is_no_user_of_its_own() {
        if !rustix::process::geteuid().is_root() {
            assert_eq!(Trust::system(Path::new("/")), Trust::System(None));
            return;
        }
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Trust::system(root.path()), Trust::System(Some(NOBODY)));
        std::fs::create_dir(root.path().join("etc")).unwrap();
        let passwd = |line: &str| std::fs::write(root.path().join("etc/passwd"), line).unwrap();
        for line in [
            "tidemark:x:0:0::/:/\n",
            "tidemark:x:7:0::/:/\n",
            "tidemark:x:0:7::/:/\n",
            "x:x:7:7::/:/\n",
        ] {
            passwd(line);
            assert_eq!(Trust::system(root.path()), Trust::System(Some(NOBODY)), "{line}");
        }
        passwd("tidemark:x:7:8::/:/\n");
        assert_eq!(
            Trust::system(root.path()),
            Trust::System(Some(Account { uid: 7, gid: 8 }))
        );
    }

    #[test]
    fn only_roots_own_count_for_root() {
        let check = |owner, mode, caller: u32| check(owner, mode, || caller);
        assert_eq!(check(0, 0o100_755, 0), Ok(()));
        assert_eq!(check(0, 0o100_644, 1000), Ok(()));
        assert_eq!(check(1000, 0o100_600, 1000), Ok(()));
        assert!(check(1000, 0o100_755, 0).is_err_and(|why| why.contains("user 1000")));
        assert!(check(0, 0o100_775, 0).is_err_and(|why| why.contains("go-w")));
        assert!(check(0, 0o100_646, 0).is_err_and(|why| why.contains("go-w")));
    }
}
