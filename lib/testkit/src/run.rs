//! The workspace's programs, run with a clean environment and a time bound, and killed where a test wants it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use wait4::Wait4;

use crate::asked::Random;
use crate::serve::lock;

/// How long a program is waited for where the test names no bound.
const BOUND: Duration = Duration::from_secs(120);
/// How often a running program's memory is looked at.
const LOOK: Duration = Duration::from_millis(2);
/// How long the end of the output is waited for where what a program leaves behind may keep it open, and says nothing.
const LEFTOVERS: Duration = Duration::from_secs(2);

/// The path of a program of this workspace: beside the test's own, in `target/PROFILE`.
///
/// # Panics
/// When it is not built; the message says how to build it.
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    // target/PROFILE/deps/TEST, or target/PROFILE/TEST.
    let folder = test
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .expect("a folder above");
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace --bins`",
        path.display()
    );
    path
}

/// A program to run: its environment is empty but for `PATH` and what is given.
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    bound: Duration,
}

/// A program that runs. It and what it started are killed when this is dropped.
pub struct Running {
    name: String,
    child: Child,
    handle: OwnedFd,
    started: Instant,
    bound: Duration,
    output: [Output; 2],
    peak: u64,
    /// Whether the program has taken the place of the test's own image.
    executes: bool,
    reaped: bool,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Its standard error; what is not UTF-8 is replaced.
    pub stderr: String,
    /// Its standard output, byte for byte.
    pub stdout_bytes: Vec<u8>,
    /// From start to end.
    pub wall: Duration,
    /// User and system time, its own and that of the children it waited for.
    pub cpu: Duration,
    /// Its peak resident memory in bytes, as last seen in /proc, where one looked every 2 ms. (The kernel's own figure
    /// at the end counts the test that started it.) 0 where it ended before the first look.
    pub peak_memory: u64,
}

impl Run {
    /// That program, without arguments.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .process_group(0);
        Self {
            command,
            stdin: Vec::new(),
            bound: BOUND,
        }
    }

    /// One argument more.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Arguments more.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without that variable.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Where it runs.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads on standard input; nothing where this is not called.
    #[must_use]
    pub fn stdin(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            stdin: bytes.into(),
            ..self
        }
    }

    /// How long it may run on once it is waited for; two minutes where this is not called.
    #[must_use]
    pub fn bound(self, bound: Duration) -> Self {
        Self { bound, ..self }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not start, or runs for longer than its bound; the message shows what it wrote.
    #[track_caller]
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn start(mut self) -> Running {
        let name = Path::new(self.command.get_program()).display().to_string();
        let stdin = if self.stdin.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        };
        self.command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|why| panic!("{name} does not start: {why}"));
        if let Some(mut pipe) = child.stdin.take() {
            let bytes = self.stdin;
            // A program that does not read to the end is the test's affair.
            std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let output = [Output::of(child.stdout.take()), Output::of(child.stderr.take())];
        let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("the kernel has pidfds");
        Running {
            name,
            child,
            handle,
            started,
            bound: self.bound,
            output,
            peak: 0,
            executes: false,
            reaped: false,
        }
    }

    /// Starts it, and kills it (SIGKILL) at a random instant within `range` after its start; a program that is done
    /// before that ends as it likes. Its process group is killed with it.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn kill_at_random(self, random: &mut Random, range: Range<Duration>) -> Ended {
        let instant = random.duration(range);
        let mut running = self.start();
        running.ends_within(instant.saturating_sub(running.started.elapsed()));
        // At once: looking for what it started elsewhere would take longer than the instants of a short run.
        running.kill_group();
        running.end()
    }
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its process id, and those of what it started and what that started, as far as their parents live.
    pub fn processes(&self) -> Vec<u32> {
        let mut parents = Vec::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok());
            let Some(pid) = pid else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // PID (NAME) STATE PARENT …; a name may hold anything.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            let parent = rest
                .split_whitespace()
                .nth(1)
                .and_then(|word| word.parse::<u32>().ok());
            parents.push((pid, parent.unwrap_or(0)));
        }
        let mut found = vec![self.pid()];
        let mut at = 0;
        while let Some(&parent) = found.get(at) {
            found.extend(
                parents
                    .iter()
                    .filter(|(_, of)| *of == parent)
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        found
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        self.output[0].text()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.output[1].text()
    }

    /// Whether it runs still.
    pub fn runs(&self) -> bool {
        !self.ends_within(Duration::ZERO)
    }

    /// Sends SIGTERM to it alone.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGINT to it alone.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Kills it and what it started.
    pub fn kill(mut self) -> Ended {
        self.kill_all();
        self.end()
    }

    /// Waits for its end. What it started and left behind in its process group is killed then.
    ///
    /// # Panics
    /// When it runs on for longer than its bound; the message shows what it wrote.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let bound = self.bound;
        let end = Instant::now() + bound;
        loop {
            let is_late = Instant::now() >= end;
            self.look();
            if self.ends_within(LOOK) {
                break;
            }
            if is_late {
                self.kill_all();
                let ended = self.end();
                let Ended { stdout, stderr, .. } = &ended;
                panic!(
                    "{} did not end within {bound:?}\nstdout: {stdout}\nstderr: {stderr}",
                    self.name
                );
            }
        }
        self.end()
    }

    fn signal(&self, signal: Signal) {
        // One that has ended is still there to be waited for: the id is not another's.
        let _ = rustix::process::kill_process(Pid::from_child(&self.child), signal);
    }

    /// Kills it, its process group, and what it started in other groups: all as if at one instant. They are stopped first,
    /// and die before those that started them: none sees another's end and does something about it.
    fn kill_all(&self) {
        let send = |pid: u32, signal| {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| rustix::process::kill_process(pid, signal));
        };
        let mut stopped: Vec<u32> = Vec::new();
        loop {
            let mut new = self.processes();
            new.retain(|pid| !stopped.contains(pid));
            if new.is_empty() {
                break;
            }
            new.iter().for_each(|pid| send(*pid, Signal::STOP));
            stopped.extend(new);
        }
        for pid in stopped.into_iter().rev() {
            send(pid, Signal::KILL);
        }
        self.kill_group();
    }

    fn kill_group(&self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
    }

    /// Whether it ends within that time.
    fn ends_within(&self, time: Duration) -> bool {
        let mut fds = [PollFd::new(&self.handle, PollFlags::IN)];
        let time = Timespec::try_from(time).expect("a short time");
        rustix::event::poll(&mut fds, Some(&time)).is_ok_and(|ready| ready > 0)
    }

    fn look(&mut self) {
        // For a moment it is still the image of the test, whose memory would count.
        let image = |process: &str| fs::read_link(format!("/proc/{process}/exe"));
        self.executes = self.executes
            || image(&self.child.id().to_string()).is_ok_and(|its| image("self").is_ok_and(|own| own != its));
        if !self.executes {
            return;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        self.peak = self.peak.max(kib.unwrap_or(0) * 1024);
    }

    /// Takes the exit status of one that has ended, or is about to.
    fn end(&mut self) -> Ended {
        // Wait without taking: until then the process group's number is still its own.
        while !self.ends_within(BOUND) {}
        let wall = self.started.elapsed();
        self.kill_group();
        let usage = self.child.wait4().expect("a child that has ended");
        self.reaped = true;
        let status: ExitStatus = usage.status;
        let [stdout, stderr] = [self.output[0].all(), self.output[1].all()];
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            stdout_bytes: stdout,
            wall,
            cpu: usage.rusage.utime + usage.rusage.stime,
            peak_memory: self.peak,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill_all();
            drop(self.child.wait());
        }
    }
}

impl Ended {
    /// The same, where the exit code is that one.
    ///
    /// # Panics
    /// Where it is not; the message shows what the program wrote.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            (self.code, self.signal),
            (Some(code), None),
            "exit code and signal\nstdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A pipe's content, read by a thread.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    pipe: Option<Arc<OwnedFd>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(pipe: Option<impl Into<OwnedFd>>) -> Self {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let pipe = pipe.map(|pipe| Arc::new(pipe.into()));
        let reader = pipe.clone().map(|pipe| {
            let bytes = Arc::clone(&bytes);
            std::thread::spawn(move || {
                let mut piece = [0; 16 * 1024];
                loop {
                    while !is_readable(&pipe, None) {}
                    // Under the lock: what is no more in the pipe is there.
                    let mut bytes = lock(&bytes);
                    match rustix::io::retry_on_intr(|| rustix::io::read(&*pipe, &mut piece)) {
                        Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
                        _ => return,
                    }
                }
            })
        });
        Self { bytes, pipe, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }

    /// Everything, once the pipe's other end is closed; or what there is, where something that was left behind keeps
    /// it open.
    fn all(&mut self) -> Vec<u8> {
        let (patience, longest) = (Instant::now() + LEFTOVERS, Instant::now() + BOUND);
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) {
            let bytes = lock(&self.bytes);
            let now = Instant::now();
            let is_behind = self
                .pipe
                .as_ref()
                .is_some_and(|pipe| is_readable(pipe, Some(Duration::ZERO)));
            if now >= longest || now >= patience && !is_behind {
                return bytes.clone();
            }
            drop(bytes);
            std::thread::park_timeout(Duration::from_micros(200));
        }
        lock(&self.bytes).clone()
    }
}

/// Whether there is something to be read, or the end, within that time; without one, it is waited for.
fn is_readable(pipe: &OwnedFd, time: Option<Duration>) -> bool {
    let time = time.map(|time| Timespec::try_from(time).expect("a short time"));
    let mut fds = [PollFd::new(pipe, PollFlags::IN)];
    rustix::event::poll(&mut fds, time.as_ref()).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests;
