//! A disk that is small, full, or read-only.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What the keeper runs: a small filesystem, and one command a line.
const KEEPER: &str = r#"
mount -t tmpfs -o "size=$0" tidemark /mnt && echo ready
while read -r line; do eval "$line" && echo done || echo failed; done
"#;

/// A small filesystem of its own (tmpfs), for this test's processes alone. It goes when it is dropped.
///
/// It is mounted in a private namespace, that of a keeper process, and seen through /proc by this process and those
/// that it starts. It needs root, or unprivileged user namespaces.
pub struct SmallDisk {
    keeper: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl SmallDisk {
    /// One with room for so many bytes (in pages of 4 KiB).
    ///
    /// # Panics
    /// When it cannot be mounted.
    pub fn new(bytes: u64) -> Self {
        let flags = if rustix::process::geteuid().is_root() {
            "-m"
        } else {
            "-Urm"
        };
        let mut keeper = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                "unshare",
                flags,
                "--propagation",
                "private",
                "sh",
                "-c",
                KEEPER,
            ])
            .arg(bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("unshare and setpriv of util-linux");
        let commands = keeper.stdin.take().expect("a pipe");
        let answers = BufReader::new(keeper.stdout.take().expect("a pipe"));
        let mut disk = Self {
            keeper,
            commands,
            answers,
        };
        assert_eq!(
            disk.answer(),
            "ready",
            "a small disk needs root, or unprivileged user namespaces"
        );
        disk
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/mnt", self.keeper.id()))
    }

    /// Fills it to the last byte, with a file of its own.
    pub fn fill(&self) {
        let path = self.filler();
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        let mut file = file.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        for piece in [&[0; 64 * 1024][..], &[0; 4096], &[0; 1]] {
            while file.write_all(piece).is_ok() {}
        }
    }

    /// Takes away what [`fill`](Self::fill) wrote.
    pub fn free(&self) {
        let path = self.filler();
        fs::remove_file(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }

    /// Makes it read-only, for root too.
    pub fn read_only(&mut self) {
        self.command("mount -o remount,ro /mnt");
    }

    /// Makes it writable again.
    pub fn writable(&mut self) {
        self.command("mount -o remount,rw /mnt");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn command(&mut self, line: &str) {
        writeln!(self.commands, "{line}").expect("the keeper listens");
        assert_eq!(self.answer(), "done", "{line}");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the keeper answers");
        line.trim_end().to_owned()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.keeper.kill());
        drop(self.keeper.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Run;
    use std::io::ErrorKind;

    #[test]
    fn is_full_and_is_freed() {
        let disk = SmallDisk::new(256 * 1024);
        fs::write(disk.path().join("before"), "x").unwrap();
        disk.fill();
        let why = fs::write(disk.path().join("more"), "x").expect_err("no room");
        assert_eq!(why.kind(), ErrorKind::StorageFull);
        let ended = Run::new("/bin/sh")
            .args(["-c", "head -c 9999 /dev/zero > more2"])
            .current_dir(disk.path())
            .run();
        assert!(
            ended.stderr.contains("No space left"),
            "a program sees the same: {ended:?}"
        );
        disk.free();
        fs::write(disk.path().join("more"), "x").unwrap();
        assert_eq!(fs::read_to_string(disk.path().join("before")).unwrap(), "x");
    }

    #[test]
    fn is_read_only_for_root_too() {
        let mut disk = SmallDisk::new(256 * 1024);
        fs::write(disk.path().join("before"), "x").unwrap();
        disk.read_only();
        let why = fs::write(disk.path().join("more"), "x").expect_err("read-only");
        assert_eq!(why.kind(), ErrorKind::ReadOnlyFilesystem);
        assert_eq!(fs::read_to_string(disk.path().join("before")).unwrap(), "x");
        disk.writable();
        fs::write(disk.path().join("more"), "x").unwrap();
    }

    #[test]
    fn goes_with_its_value() {
        let disk = SmallDisk::new(64 * 1024);
        let path = disk.path();
        assert!(path.is_dir());
        drop(disk);
        assert!(!path.exists());
    }
}
