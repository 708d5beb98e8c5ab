//! What the files are called, and their first line.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use tidemark_point::Timestamp;

use crate::sink::FLUSH_NAME;

/// What every file ends in that node_exporter reads.
const ENDING: &str = ".prom";
/// How the first line of a file of ours begins and ends; between is when it goes.
const FIRST_LINE: (&str, &str) = ("# tidemark writes this file, and removes it after ", "\n");
/// The longest first line.
const MAX_FIRST_LINE: u64 = 128;
/// The longest name of a collector or target in a file's name, in bytes; what is longer ends in its checksum.
const MAX_PART: usize = 100;
/// Opens what is a pipe without waiting for anybody.
pub(super) const NO_WAIT: i32 = OFlags::NONBLOCK.bits().cast_signed();
/// As [`NO_WAIT`], and opens no symbolic link.
pub(super) const NO_FOLLOW: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();

/// The name of a file in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl FileName {
    /// `tidemark-COLLECTOR.prom`, or `tidemark-COLLECTOR@TARGET.prom`; where they are tidemark's own points of the run,
    /// `tidemark_run-…`; `tidemark_sink.prom` for the flush's own. What does not belong in a name is `%XX`.
    pub(crate) fn new(collector: &str, target: Option<&str>, own: bool) -> Self {
        if own && collector == FLUSH_NAME {
            return Self(format!("tidemark_sink{ENDING}"));
        }
        let mut name = String::from(if own { "tidemark_run-" } else { "tidemark-" });
        push_part(&mut name, collector);
        if let Some(target) = target {
            name.push('@');
            push_part(&mut name, target);
        }
        name.push_str(ENDING);
        Self(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a file of ours may have this name.
    pub(super) fn may_be(name: &str) -> bool {
        name.starts_with("tidemark") && name.ends_with(ENDING)
    }

    /// The line that makes a file ours, a comment in the format.
    pub(super) fn first_line(&self, until: Timestamp) -> String {
        format!("{}{}{}", FIRST_LINE.0, shown(until), FIRST_LINE.1)
    }
}

/// An instant as a first line has it: in whole seconds, and not before.
pub(super) fn shown(instant: Timestamp) -> Timestamp {
    let seconds = instant.nanos().div_euclid(1_000_000_000).saturating_add(1);
    Timestamp::from_secs(seconds).unwrap_or(instant)
}

fn push_part(name: &mut String, part: &str) {
    let begin = name.len();
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if name.len() - begin > MAX_PART {
        name.truncate(begin + MAX_PART);
        name.push_str(&format!("~{:08x}", crc32fast::hash(part.as_bytes())));
    }
}

/// Whether a file may be read as a page: by its name alone.
pub(super) fn is_page(name: &str) -> bool {
    name.ends_with(ENDING)
}

/// When the file of that name goes, where it is ours. Nothing where it is another's.
///
/// # Errors
/// `InvalidInput` where it is no file but a link, a folder or something else.
pub(super) fn until(path: &Path) -> io::Result<Option<Timestamp>> {
    let no_file = || io::Error::from(ErrorKind::InvalidInput);
    if !path.symlink_metadata()?.is_file() {
        return Err(no_file());
    }
    let file = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(no_file());
    }
    let mut begin = Vec::new();
    file.take(MAX_FIRST_LINE).read_to_end(&mut begin)?;
    let text = String::from_utf8_lossy(&begin);
    let time = text
        .strip_prefix(FIRST_LINE.0)
        .and_then(|rest| rest.split_once(FIRST_LINE.1));
    Ok(time.and_then(|(time, _)| time.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_file_of_the_folder() {
        fn name(collector: &str, target: Option<&str>, own: bool) -> String {
            FileName::new(collector, target, own).0
        }
        assert_eq!(name("host", None, false), "tidemark-host.prom");
        assert_eq!(name("host", None, true), "tidemark_run-host.prom");
        assert_eq!(name("onefs", Some("node-1"), false), "tidemark-onefs@node-1.prom");
        assert_eq!(
            name("a", Some("../ä@b"), true),
            "tidemark_run-a@..%2F%C3%A4%40b.prom"
        );
        assert_eq!(name("a", Some(""), false), "tidemark-a@.prom");
        assert_eq!(name(FLUSH_NAME, None, true), "tidemark_sink.prom");
        // Mended points may have no other collector.
        assert_eq!(name(FLUSH_NAME, None, false), "tidemark-tidemark.prom");
        let long = |last: &str| name("a", Some(&format!("{}{last}", "ü".repeat(5_000))), false);
        assert!(long("1").len() < 255 && long("1") != long("2"));
        assert_eq!(long("1"), long("1"));
    }

    #[test]
    fn the_first_line_says_when_a_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidemark-x.prom");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let name = FileName::new("x", None, false);
        for (nanos, shown) in [
            (0, "1970-01-01T00:00:01Z"),
            (1_700_000_000_999_999_999, "2023-11-14T22:13:21Z"),
        ] {
            let line = name.first_line(Timestamp::from_nanos(nanos).unwrap());
            assert_eq!(
                line,
                format!("# tidemark writes this file, and removes it after {shown}\n")
            );
            write(&line);
            assert_eq!(until(&path).unwrap(), shown.parse().ok());
            // More of it, and less.
            write(&format!("{line}x 1\n"));
            assert_eq!(until(&path).unwrap(), shown.parse().ok());
            write(line.trim_end());
            assert_eq!(until(&path).unwrap(), None);
        }
        for foreign in [
            "",
            "\n",
            "x 1\n",
            "# tidemark writes this file, and removes it after \n",
            "# tidemark writes this file, and removes it after never\n",
            " # tidemark writes this file, and removes it after 2023-11-14T22:13:21Z\n",
        ] {
            write(foreign);
            assert_eq!(until(&path).unwrap(), None, "{foreign:?}");
        }
        std::fs::write(&path, vec![0xff; 100_000]).unwrap();
        assert_eq!(until(&path).unwrap(), None);
        assert_eq!(until(folder.path()).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(
            until(&folder.path().join("y")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
}
