//! The workspace's programs, run with a clean environment and a time bound, and killed where a test wants it.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
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

/// How long a program may run where the test names no bound.
const BOUND: Duration = Duration::from_secs(30);
/// How often a running program's memory is looked at.
const LOOK: Duration = Duration::from_millis(2);
/// How long output may come from what a program leaves behind.
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
    end: Instant,
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

    /// How long it may run; 30 s where this is not called.
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
        let end = started + self.bound;
        Running {
            name,
            child,
            handle,
            started,
            end,
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
    /// When it runs for longer than its bound; the message shows what it wrote.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        loop {
            self.look();
            if self.ends_within(LOOK) {
                break;
            }
            if Instant::now() >= self.end {
                let bound = self.end - self.started;
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

    /// Kills it, its process group, and what it started in other groups.
    fn kill_all(&self) {
        for pid in self.processes() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| rustix::process::kill_process(pid, Signal::KILL));
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
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let theirs = Arc::clone(&bytes);
        let reader = pipe.map(|mut pipe| {
            std::thread::spawn(move || {
                let mut piece = [0; 16 * 1024];
                while let Ok(count) = pipe.read(&mut piece)
                    && count > 0
                {
                    lock(&theirs).extend_from_slice(&piece[..count]);
                }
            })
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }

    /// Everything, once the pipe's other end is closed; or what there is, where something that was left behind keeps
    /// it open.
    fn all(&mut self) -> Vec<u8> {
        let end = Instant::now() + LEFTOVERS;
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) && Instant::now() < end {
            std::thread::park_timeout(Duration::from_micros(200));
        }
        lock(&self.bytes).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Run {
        Run::new("/bin/sh").args(["-c", script])
    }

    #[test]
    fn captures_outputs_and_code() {
        let ended = sh("cat; echo two >&2; exit 3").stdin("one").run();
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one", "two\n"));
        assert_eq!((ended.code, ended.signal), (Some(3), None));
    }

    #[test]
    fn measures_time_and_memory() {
        // 32 MiB in a shell variable, and some work.
        let ended = sh(
            "x=$(head -c 33554432 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done",
        )
        .run()
        .expect_code(0);
        assert!(ended.peak_memory > 32 << 20, "{}", ended.peak_memory);
        assert!(ended.peak_memory < 512 << 20, "{}", ended.peak_memory);
        assert!(ended.cpu > Duration::from_millis(5), "{:?}", ended.cpu);
        assert!(ended.cpu < ended.wall * 3, "{ended:?}");
    }

    #[test]
    #[should_panic(expected = "did not end within")]
    fn is_bound_in_time() {
        sh("echo before; sleep 600")
            .bound(Duration::from_millis(100))
            .run();
    }

    #[test]
    fn what_it_leaves_behind_is_killed() {
        let ended = sh("sleep 600 & echo $!").run().expect_code(0);
        assert!(ended.wall < Duration::from_secs(20));
        let pid = ended.stdout.trim();
        crate::wait_until("the child's child is gone", Duration::from_secs(10), || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }

    #[test]
    fn what_it_started_in_another_group_is_killed_with_it() {
        let running = sh("setsid sleep 600 & wait").start();
        crate::wait_until("both run", Duration::from_secs(10), || {
            let processes = running.processes();
            let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            processes.len() == 2 && name(&processes[1]) == "sleep\n"
        });
        let pid = running.processes()[1];
        assert_eq!(running.kill().signal, Some(9));
        crate::wait_until("the child is gone", Duration::from_secs(10), || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }

    #[test]
    fn kills_at_a_random_instant() {
        let mut random = Random::new(1);
        let range = Duration::from_millis(1)..Duration::from_millis(30);
        let ended = sh("while :; do echo x; done").kill_at_random(&mut random, range.clone());
        assert_eq!((ended.code, ended.signal), (None, Some(9)));
        assert!(ended.wall >= range.start, "{:?}", ended.wall);
        let ended =
            sh("exit 5").kill_at_random(&mut random, Duration::from_secs(20)..Duration::from_secs(21));
        assert_eq!(ended.code, Some(5));
        assert!(
            ended.wall < Duration::from_secs(20),
            "one that is done is not waited for"
        );
    }

    #[test]
    fn says_how_to_build_what_is_missing() {
        let why = std::panic::catch_unwind(|| program("tidemark-of-nowhere")).expect_err("must panic");
        let text = why.downcast_ref::<String>().map_or("", String::as_str);
        assert!(text.contains("cargo build --workspace --bins"), "{text}");
    }
}
