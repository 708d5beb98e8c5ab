//! A disk that is small, full, or read-only.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// What the keeper runs: a small filesystem, and one command a line. It takes the filesystem away when the test's
/// process ends, however that ends: its input ends then.
const KEEPER: &str = r#"
mount -t tmpfs -o "size=$1,mode=0777" tidemark "$0" && echo ready
while read -r line; do eval "$line" && echo done || echo failed; done
umount -l "$0"
"#;

/// A small filesystem of its own (tmpfs). It goes when it is dropped.
///
/// It is mounted where every process sees it: through a private namespace's `/proc/PID/root`, SQLite would resolve
/// its path to a folder of the host. Mounting needs root, or sudo without a password.
pub struct SmallDisk {
    folder: TempDir,
    keeper: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl SmallDisk {
    /// One with room for so many bytes (in pages of 4 KiB).
    ///
    /// # Panics
    /// When it cannot be mounted.
    pub fn new(bytes: u64) -> Self {
        let folder = TempDir::with_prefix("tidemark-disk-").expect("a temporary folder");
        let root = rustix::process::geteuid().is_root();
        let words: &[&str] = if root { &["sh"] } else { &["sudo", "-n", "sh"] };
        let mut keeper = Command::new(words[0])
            .args(&words[1..])
            .args(["-c", KEEPER])
            .arg(folder.path())
            .arg(bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What ends the test's process group (an interrupt) must not end what cleans up behind it.
            .process_group(0)
            .spawn()
            .expect("sh, or sudo");
        let commands = keeper.stdin.take();
        let answers = BufReader::new(keeper.stdout.take().expect("a pipe"));
        let mut disk = Self {
            folder,
            keeper,
            commands,
            answers,
        };
        assert_eq!(
            disk.answer(),
            "ready",
            "a small disk is mounted by root, or by sudo without a password"
        );
        disk
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
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
        self.remount("ro");
    }

    /// Makes it writable again.
    pub fn writable(&mut self) {
        self.remount("rw");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn remount(&mut self, mode: &str) {
        let commands = self.commands.as_mut().expect("open until it is dropped");
        writeln!(commands, "mount -o remount,{mode} \"$0\"").expect("the keeper listens");
        assert_eq!(self.answer(), "done", "remounting {mode}");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the keeper answers");
        line.trim_end().to_owned()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The end of its input: it takes the filesystem away and ends.
        drop(self.commands.take());
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
        assert_eq!(
            fs::canonicalize(disk.path()).unwrap(),
            disk.path(),
            "what resolves links finds it too"
        );
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
        let mounted = || {
            fs::read_to_string("/proc/mounts")
                .unwrap()
                .contains(path.to_str().unwrap())
        };
        assert!(mounted());
        drop(disk);
        assert!(!mounted() && !path.exists());
    }
}
