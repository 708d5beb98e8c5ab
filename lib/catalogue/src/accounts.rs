//! Users and groups by `/etc/passwd` and `/etc/group` alone: at boot there is no network, and nobody else to ask.

use std::path::Path;

use crate::Account;
use crate::file;

/// The longest list that is read, in bytes.
const LONGEST: usize = 4 << 20;

/// The user of that name below `root`.
pub(crate) fn user(root: &Path, name: &str) -> Option<Account> {
    let text = file::read(&root.join("etc/passwd"), LONGEST, None).ok()??;
    find_user(&String::from_utf8_lossy(&text), name)
}

/// The name of the group of that number below `root`.
pub(crate) fn group_name(root: &Path, gid: u32) -> Option<String> {
    let text = file::read(&root.join("etc/group"), LONGEST, None).ok()??;
    find_group(&String::from_utf8_lossy(&text), gid)
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

fn find_group(group: &str, gid: u32) -> Option<String> {
    group.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
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
        let group = "root:x:0:\n\nnode-exporter:x:120:tidemark,x\n";
        assert_eq!(find_group(group, 120).as_deref(), Some("node-exporter"));
        assert_eq!(find_group(group, 12), None);
    }
}
