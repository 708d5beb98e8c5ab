//! A real server's process: started on a port that may be taken, waited for, stopped, killed.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::wait::free_port;

/// How long it may take to answer, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(120);
/// How long it may take to end in good order.
const STOP: Duration = Duration::from_secs(60);
/// How long between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A server's program, with its log in a file. It is killed when it is dropped.
///
/// The process dies with the thread that started it, so that nothing is left of a test that was killed.
pub(crate) struct ServerProcess {
    program: &'static str,
    package: &'static str,
    log: PathBuf,
    child: Option<Child>,
}

impl ServerProcess {
    /// Of that program and the Debian package that brings it; it does not run yet.
    pub(crate) fn new(program: &'static str, package: &'static str, log: PathBuf) -> Self {
        Self {
            program,
            package,
            log,
            child: None,
        }
    }

    /// Starts it on a free port, which `arguments` and `ready` are told, and gives the port.
    ///
    /// # Panics
    /// When it is not installed, ends, or is not ready within two minutes; the message shows its log.
    #[track_caller]
    pub(crate) fn start_somewhere(
        &mut self,
        mut arguments: impl FnMut(u16) -> Vec<OsString>,
        mut ready: impl FnMut(u16) -> bool,
    ) -> u16 {
        let end = Instant::now() + START;
        loop {
            // The port may be taken in between: then with another.
            let port = free_port();
            if self.try_start(&arguments(port), port, end, || ready(port)) {
                return port;
            }
        }
    }

    /// Whether it was started, and neither stopped nor killed since.
    pub(crate) fn runs(&self) -> bool {
        self.child.is_some()
    }

    /// Starts it again where it was. Nothing where it runs.
    ///
    /// # Panics
    /// When it ends, or is not ready within two minutes.
    #[track_caller]
    pub(crate) fn restart(&mut self, arguments: &[OsString], port: u16, mut ready: impl FnMut() -> bool) {
        let end = Instant::now() + START;
        while self.child.is_none() {
            self.try_start(arguments, port, end, &mut ready);
        }
    }

    /// Starts it and waits until it is ready; false where it ended because its port was taken.
    #[track_caller]
    fn try_start(
        &mut self,
        arguments: &[OsString],
        port: u16,
        end: Instant,
        mut ready: impl FnMut() -> bool,
    ) -> bool {
        let log = fs::File::create(&self.log).expect("a file in the temporary folder");
        let errors = log.try_clone().expect("a second handle");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", self.program])
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", self.log.parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .expect("setpriv of util-linux");
        let child = self.child.insert(child);
        let name = self.program;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                self.child = None;
                let log = self.log();
                assert!(
                    status.code() != Some(127),
                    "{name} is missing: apt-get install {} ({})",
                    self.package,
                    log.trim()
                );
                assert!(
                    log.to_lowercase().contains("address already in use") && Instant::now() < end,
                    "{name} ended with {status}:\n{log}"
                );
                std::thread::park_timeout(Duration::from_millis(50));
                return false;
            }
            // Another test's server of the same kind may answer on a port that was taken.
            if listens(child.id(), port) && ready() {
                return true;
            }
            assert!(
                Instant::now() < end,
                "{name} does not answer within {START:?}:\n{}",
                self.log()
            );
            std::thread::park_timeout(LOOK_AGAIN);
        }
    }

    /// Ends it in good order (SIGTERM). Nothing where it does not run.
    pub(crate) fn stop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = kill_process(Pid::from_child(child), Signal::TERM);
            let end = Instant::now() + STOP;
            while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
                std::thread::park_timeout(LOOK_AGAIN);
            }
        }
        self.kill();
    }

    /// Kills it (SIGKILL). Nothing where it does not run.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether that process listens on that port of 127.0.0.1.
fn listens(process: u32, port: u16) -> bool {
    // SLOT LOCAL REMOTE STATE (0A: LISTEN) QUEUES TIMER RETRANSMITS USER TIMEOUT INODE …; addresses in host order.
    let local = format!("{:08X}:{port:04X}", u32::from_ne_bytes([127, 0, 0, 1]));
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let sockets: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.get(1) == Some(&local.as_str()) && words.get(3) == Some(&"0A"))
        .filter_map(|words| words.get(9).map(|inode| format!("socket:[{inode}]")))
        .collect();
    let open = fs::read_dir(format!("/proc/{process}/fd"));
    open.into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|target| sockets.iter().any(|socket| target == Path::new(socket)))
}
