//! What a generator has to say: at boot there is no journal yet, and the kernel's log is what it is read from later.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// The most messages: a folder of wrong files must not push the boot out of the kernel's log.
const MOST: usize = 100;

/// The longest message, in bytes: the kernel takes less than a KiB at once.
const LONGEST: usize = 800;

/// Where messages go.
pub(crate) struct Log {
    /// None: to standard error.
    kernel: Option<File>,
    count: usize,
}

impl Log {
    pub(crate) fn open() -> Log {
        Log {
            kernel: open(Path::new("/dev/kmsg")),
            count: 0,
        }
    }

    /// Says what somebody should mend.
    pub(crate) fn warn(&mut self, message: &str) {
        self.count += 1;
        if self.count <= MOST {
            self.write(message);
        }
    }

    /// Says how many messages there was no room for.
    pub(crate) fn end(&mut self) {
        if let Some(more @ 1..) = self.count.checked_sub(MOST) {
            self.write(&format!("and {more} more; `tidemark units verify` has them all"));
        }
    }

    fn write(&mut self, message: &str) {
        let line = line(message);
        // One write is one message. There is nobody to tell that it failed.
        let _ = match &mut self.kernel {
            // daemon.warning
            Some(kernel) => kernel.write_all(format!("<28>{line}").as_bytes()),
            None => io::stderr().write_all(line.as_bytes()),
        };
    }
}

/// The kernel's log, or what a container has in its place; none that would have to be waited for.
fn open(path: &Path) -> Option<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    opened.ok().map(File::from)
}

/// The message as one line, cut where it is long.
fn line(message: &str) -> String {
    let mut line = format!("tidemark-generator[{}]: ", std::process::id());
    for letter in message.chars() {
        if line.len() + letter.len_utf8() > LONGEST {
            line.push('…');
            break;
        }
        line.push(if letter.is_control() { ' ' } else { letter });
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_nobody_reads_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("kmsg");
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o644),
            0,
        );
        made.unwrap();
        assert!(open(&fifo).is_none());
        assert!(open(&folder.path().join("gone")).is_none());
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(open(&folder.path().join("file")).is_some());
    }

    #[test]
    fn a_message_is_a_line() {
        let line = line("a\nb\u{1b}[31m");
        assert!(line.ends_with("]: a b [31m\n"), "{line:?}");
        for letter in ["x", "ä", "😀"] {
            let long = super::line(&letter.repeat(10_000));
            assert!(
                long.len() < LONGEST + 10 && long.ends_with("…\n"),
                "{}",
                long.len()
            );
        }
    }
}
