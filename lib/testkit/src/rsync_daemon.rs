//! A real rsync daemon that serves a tree of images.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::process::ServerProcess;

/// A running `rsync --daemon` with one module, `cdimage`, that can be read. It is killed when it is dropped.
///
/// The process dies with the thread that started it, so that nothing is left of a test that was killed.
///
/// ```
/// use tidemark_testkit::{Run, RsyncDaemon};
///
/// let daemon = RsyncDaemon::start();
/// daemon.file("daily-live/20261120/resolute-desktop-amd64.iso", 6_000_000_000, 1_795_147_200);
/// daemon.link("daily-live/current", "20261120");
/// let listed = Run::new("rsync")
///     .args(["--archive", "--copy-links", &daemon.url("daily-live/current/")])
///     .env("TZ", "UTC")
///     .run()
///     .expect_code(0);
/// assert!(listed.stdout.contains("6,000,000,000 2026/11/20 04:00:00 resolute-desktop-amd64.iso"), "{}", listed.stdout);
/// ```
pub struct RsyncDaemon {
    process: ServerProcess,
    port: u16,
    folder: TempDir,
}

impl RsyncDaemon {
    /// Starts one whose tree is empty.
    ///
    /// # Panics
    /// When rsync is not installed (the message names the package), or does not answer within two minutes.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one with more lines for its module in rsyncd.conf: `exclude = /hidden`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[track_caller]
    pub fn start_with(more: &str) -> Self {
        let folder = TempDir::with_prefix("tidemark-rsync-").expect("a temporary folder");
        // A daemon of root's serves as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the test's own folder");
        let (tree, log) = (folder.path().join("tree"), folder.path().join("log"));
        fs::create_dir(&tree).expect("a folder in the temporary folder");
        let settings = format!(
            "use chroot = no\nmunge symlinks = no\nlog file = {}\nlock file = {}\n\
             [cdimage]\npath = {}\nread only = yes\n{more}\n",
            log.display(),
            folder.path().join("lock").display(),
            tree.display()
        );
        let file = folder.path().join("rsyncd.conf");
        fs::write(&file, settings).expect("a file in the temporary folder");
        let mut process = ServerProcess::new("rsync", "rsync", log);
        let port = process.start_somewhere(
            |port| {
                let mut config = OsString::from("--config=");
                config.push(&file);
                let mut arguments = vec![config, OsString::from(format!("--port={port}"))];
                arguments.extend(["--daemon", "--no-detach", "--address=127.0.0.1"].map(OsString::from));
                arguments
            },
            // It listens from the moment on which its port is bound.
            |_| true,
        );
        Self {
            process,
            port,
            folder,
        }
    }

    /// Its address, `rsync://127.0.0.1:PORT/cdimage/`, and what is put behind it.
    pub fn url(&self, path: &str) -> String {
        format!("rsync://127.0.0.1:{}/cdimage/{path}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that it serves.
    pub fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// Puts a file of that many bytes into the tree, which takes no space, last modified so many seconds after the epoch.
    ///
    /// # Panics
    /// When the disk does not let it.
    #[track_caller]
    pub fn file(&self, path: impl AsRef<Path>, size: u64, modified: u64) {
        let path = self.place(path.as_ref());
        fs::File::create(&path)
            .and_then(|file| {
                file.set_len(size)?;
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(modified))
            })
            .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }

    /// Puts a symbolic link into the tree.
    ///
    /// # Panics
    /// When the disk does not let it.
    #[track_caller]
    pub fn link(&self, path: impl AsRef<Path>, target: impl AsRef<Path>) {
        let path = self.place(path.as_ref());
        std::os::unix::fs::symlink(target, &path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }

    /// Puts all of these into the tree, a line each: `SIZE SECONDS PATH` a file, `PATH -> TARGET` a link; `#` begins a
    /// remark.
    ///
    /// # Panics
    /// When a line is neither.
    #[track_caller]
    pub fn fill(&self, tree: &str) {
        let lines = tree
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            if let Some((path, target)) = line.split_once(" -> ") {
                self.link(path, target);
                continue;
            }
            let mut words = line.splitn(3, ' ');
            let mut number = || words.next().and_then(|word| word.parse().ok());
            let (Some(size), Some(modified)) = (number(), number()) else {
                panic!("neither a file nor a link: {line}");
            };
            self.file(words.next().unwrap_or_default(), size, modified);
        }
    }

    /// Kills it: connections are refused from now on.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Where that is in the tree; the folders above it are there.
    fn place(&self, path: &Path) -> PathBuf {
        let path = self.tree().join(path);
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Run;

    fn list(daemon: &RsyncDaemon, path: &str) -> crate::Ended {
        Run::new("rsync")
            .args(["--archive", "--copy-links", "--no-motd", "--out-format=%l %M %n"])
            .args(["--relative", "--dry-run", &daemon.url(path), "/proc/0/"])
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .run()
    }

    #[test]
    fn serves_names_sizes_and_times_and_follows_links() {
        let daemon = RsyncDaemon::start();
        daemon.fill("# Two.\n5 1795147200 a/1/x y.iso\n9000000000 86399 a/1/ü\u{1b}.iso\n\na/current -> 1\n");
        let listed = list(&daemon, "a/current/*.iso").expect_code(0);
        let files: Vec<&str> = listed
            .stdout
            .lines()
            .filter(|line| line.ends_with(".iso"))
            .collect();
        assert_eq!(
            files,
            [
                "5 2026/11/20-04:00:00 a/current/x y.iso",
                "9000000000 1970/01/01-23:59:59 a/current/\\#303\\#274\\#033.iso"
            ],
            "{}",
            daemon.log()
        );
    }

    #[test]
    fn refuses_what_it_has_not_and_once_it_is_gone() {
        let mut daemon = RsyncDaemon::start_with("exclude = /hidden");
        daemon.fill("5 0 hidden/a.iso\n5 0 seen/a.iso\n");
        assert_eq!(list(&daemon, "seen/*.iso").code, Some(0));
        assert_eq!(list(&daemon, "hidden/a.iso").code, Some(23));
        assert_eq!(list(&daemon, "b/*.iso").code, Some(23));
        assert_eq!(list(&daemon, "../other/").code, Some(23));
        assert!(
            daemon.log().contains("allowed access on module cdimage"),
            "{}",
            daemon.log()
        );
        daemon.kill();
        let refused = list(&daemon, "b/*.iso");
        assert!(
            refused.stderr.contains("Connection refused"),
            "{}",
            refused.stderr
        );
    }
}
