//! Reading `/proc/self/mountinfo`: what is mounted where, as this process sees it.

use crate::table::{Broken, note, quoted};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One mount.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mount {
    /// The kernel's number of the mount, as `statx` gives it.
    pub(crate) id: u64,
    /// Numbers of the device, `254:0`: two mounts of one filesystem have the same.
    pub(crate) numbers: String,
    /// Whether it shows the filesystem from its root, not a folder of it (a bind mount).
    pub(crate) whole: bool,
    pub(crate) mountpoint: PathBuf,
    pub(crate) fstype: String,
    /// The device, `/dev/vda1`, or what stands in its place.
    pub(crate) source: String,
    /// Whether the filesystem itself takes no writes; a read-only mount of one that does is not.
    pub(crate) read_only: bool,
}

/// Every mount that can be read, in the file's order.
pub(crate) fn parse(text: &[u8]) -> (Vec<Mount>, Option<Broken>) {
    let mut mounts = Vec::new();
    let mut broken = None;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match mount(line) {
            Ok(mount) => mounts.push(mount),
            Err(what) => note(&mut broken, index + 1, || {
                format!("{what} is missing in {}", quoted(&String::from_utf8_lossy(line)))
            }),
        }
    }
    (mounts, broken)
}

/// `27 1 254:0 / /mnt rw,relatime shared:1 - ext4 /dev/vda rw,discard`: number, parent's, device's, root, mount
/// point, options of the mount, tags, `-`, type, source, options of the filesystem. A single space divides: the source may be empty.
fn mount(line: &[u8]) -> Result<Mount, &'static str> {
    let mut words = line.split(|byte| *byte == b' ');
    let id = words
        .next()
        .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
    let id = id.ok_or("the mount's number")?;
    let numbers = words
        .nth(1)
        .filter(|word| word.contains(&b':'))
        .ok_or("the device's numbers")?;
    let root = words.next().ok_or("the root")?;
    let mountpoint = words
        .next()
        .filter(|path| path.starts_with(b"/"))
        .ok_or("the mount point")?;
    // Options of the mount, and any number of tags.
    let _ = words.find(|word| *word == b"-").ok_or("the dash")?;
    let fstype = words.next().filter(|word| !word.is_empty()).ok_or("the type")?;
    let source = words.next().ok_or("the source")?;
    let options = words.next().ok_or("the filesystem's options")?;
    Ok(Mount {
        id,
        numbers: text(numbers),
        whole: root == b"/",
        mountpoint: PathBuf::from(OsString::from_vec(unescape(mountpoint))),
        fstype: text(fstype),
        source: text(source),
        read_only: options.split(|byte| *byte == b',').any(|option| option == b"ro"),
    })
}

fn text(escaped: &[u8]) -> String {
    String::from_utf8_lossy(&unescape(escaped)).into_owned()
}

/// The kernel writes space, tab, newline, `#` and backslash as a backslash and three octal digits.
fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (
                b'\\',
                [
                    high @ b'0'..=b'3',
                    middle @ b'0'..=b'7',
                    low @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                after
            }
            _ => {
                bytes.push(first);
                after
            }
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_mount_with_and_without_tags() {
        let (mounts, broken) = parse(
            b"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n\
              28 27 0:25 /sub /mnt ro,nosuid shared:1 master:2 - tmpfs tmpfs ro,size=4k\n",
        );
        assert_eq!(broken, None);
        let root = Mount {
            id: 27,
            numbers: "254:0".into(),
            whole: true,
            mountpoint: "/".into(),
            fstype: "ext4".into(),
            source: "/dev/vda".into(),
            read_only: false,
        };
        let sub = Mount {
            id: 28,
            numbers: "0:25".into(),
            whole: false,
            mountpoint: "/mnt".into(),
            fstype: "tmpfs".into(),
            source: "tmpfs".into(),
            read_only: true,
        };
        assert_eq!(mounts, [root, sub]);
    }

    #[test]
    fn read_only_is_the_filesystem_not_the_mount() {
        let (mounts, _) = parse(
            b"1 0 8:1 / /a ro - ext4 /dev/sda rw,errors=remount-ro\n2 0 8:1 / /b rw - ext4 /dev/sda ro\n",
        );
        assert_eq!(
            mounts.iter().map(|mount| mount.read_only).collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn names_with_spaces_escapes_unicode_and_other_bytes() {
        let line = "1 0 8:1 / /a\\040b\\011c\\134040\\043/été rw - fuse.x  rw\n2 0 8:2 / /\u{e9} rw - vfat s\\040s rw\n";
        let (mounts, broken) = parse(line.as_bytes());
        assert_eq!(broken, None);
        assert_eq!(mounts[0].mountpoint, PathBuf::from("/a b\tc\\040#/été"));
        assert_eq!(
            (mounts[0].fstype.as_str(), mounts[0].source.as_str()),
            ("fuse.x", "")
        );
        assert_eq!(mounts[1].source, "s s");
        let (mounts, _) = parse(b"1 0 8:1 / /\xff\\ rw - ext4 /dev/x rw\n");
        assert_eq!(mounts[0].mountpoint.as_os_str(), OsStr::from_bytes(b"/\xff\\"));
    }

    #[test]
    fn a_broken_line_leaves_the_others() {
        let (mounts, broken) =
            parse(b"1 0 8:1 / /a rw - ext4\n\nx\n2 0 8:1 / /b rw - ext4 /dev/sda rw\n3 0 8:1 / b rw");
        assert_eq!(mounts.len(), 1);
        let said = broken.unwrap().to_string();
        assert_eq!(
            said,
            "line 1: the source is missing in \"1 0 8:1 / /a rw - ext4\" (and 2 more lines)"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&text);
        }

        #[test]
        fn every_path_comes_back(path in prop::collection::vec(1..=255_u8, 0..40)) {
            let mut line = b"1 0 8:1 / /".to_vec();
            for byte in &path {
                match byte {
                    b' ' | b'\t' | b'\n' | b'\\' | b'#' => line.extend(format!("\\{byte:03o}").bytes()),
                    other => line.push(*other),
                }
            }
            line.extend(b" rw - ext4 /dev/sda rw\n");
            let (mounts, _) = parse(&line);
            let mut expected = b"/".to_vec();
            expected.extend(&path);
            prop_assert_eq!(mounts[0].mountpoint.as_os_str(), OsStr::from_bytes(&expected));
        }
    }
}
