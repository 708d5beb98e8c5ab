//! Users and groups by `/etc/passwd` and `/etc/group` alone: at boot there is no network, and nobody else to ask.

use std::path::Path;

use crate::files;

/// The longest list that is read, in bytes.
const LONGEST: usize = 4 << 20;

/// A user and its group, as the kernel knows them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// The user of that name below `root`; none where the list has none, or cannot be read.
pub fn user(root: &Path, name: &str) -> Option<Account> {
    find_user(&read(root, "etc/passwd")?, name)
}

/// The name of the user of that number below `root`; none where the list has none, or cannot be read.
pub fn user_name(root: &Path, uid: u32) -> Option<String> {
    find_name(&read(root, "etc/passwd")?, uid)
}

/// The name of the group of that number below `root`; none where the list has none, or cannot be read.
pub fn group_name(root: &Path, gid: u32) -> Option<String> {
    find_name(&read(root, "etc/group")?, gid)
}

fn read(root: &Path, list: &str) -> Option<String> {
    let bytes = files::read(&root.join(list), LONGEST).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn find_user(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    })
}

/// Both lists begin a line with a name, a password and a number.
fn find_name(list: &str, id: u32) -> Option<String> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_by_their_fields() {
        let passwd = "root:x:0:0::/root:/bin/sh\ntidemark2:x:7:7::/:/\nbroken\ntidemark:x:990:991:Collects:/var/lib/tidemark:/usr/sbin/nologin\n";
        let found = find_user(passwd, "tidemark");
        assert_eq!(found, Some(Account { uid: 990, gid: 991 }));
        assert_eq!(find_user("tidemark:x:-1:0\ntidemark:x:\n", "tidemark"), None);
        assert_eq!(find_user("", "tidemark"), None);
        assert_eq!(find_name(passwd, 990).as_deref(), Some("tidemark"));
        assert_eq!(find_name(passwd, 991), None);
        let group = "root:x:0:\n\nnode-exporter:x:120:tidemark,x\n";
        assert_eq!(find_name(group, 120).as_deref(), Some("node-exporter"));
        assert_eq!(find_name(group, 12), None);
    }

    #[test]
    fn a_list_that_is_not_there_has_nobody() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(user(root.path(), "root"), None);
        assert_eq!(user_name(root.path(), 0), None);
        assert_eq!(group_name(root.path(), 0), None);
        std::fs::create_dir(root.path().join("etc")).unwrap();
        // A name in another encoding is no reason to find nobody.
        std::fs::write(
            root.path().join("etc/passwd"),
            b"caf\xe9:x:3:3::/:/\nx:x:7:8::/:/\n",
        )
        .unwrap();
        assert_eq!(user_name(root.path(), 7).as_deref(), Some("x"));
        assert_eq!(user(root.path(), "x"), Some(Account { uid: 7, gid: 8 }));
    }
}
