//! A real systemd on a machine of its own, for as long as a test takes.

mod journal;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tempfile::TempDir;

use crate::run::{Ended, Run};

pub use journal::JournalEntry;

/// What starts, ends and cleans up behind a machine.
const KEEPER: &str = include_str!("systemd/keeper.sh");
/// What a machine's first process does before it becomes systemd.
const BOOT: &str = include_str!("systemd/boot.sh");

/// How long it may take to start, and to end in good order: less than a second where nothing else runs.
const BOOT_BOUND: Duration = Duration::from_secs(120);
/// How long a unit may take to get where a test wants it.
const UNIT_BOUND: Duration = Duration::from_secs(120);
/// How long between two questions to the manager: each costs a process.
const ASK_AGAIN: Duration = Duration::from_millis(25);
/// How long between two looks at the journal: each costs more, and what is waited for takes longer.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// A machine with a real `systemd --system` as its first process. It and everything on it is killed, and no process,
/// mount or control group of it is left, when it is dropped, and when the test is killed.
///
/// It is made of namespaces (processes, mounts, host name, IPC, control groups). What it sees:
/// - the root filesystem of the test's host as it is, and what the machine itself wrote over it, in memory. That outlives
///   a [`reboot`](Self::reboot) and goes with the value. `/tmp`, `/run`, `/dev` and other mounts of the host are not
///   seen: [`install`](Self::install) the programs under test.
/// - the network of the test: units reach its servers at 127.0.0.1.
/// - none of the units, generators, timers' stamps and journals of the host: `multi-user.target` starts the journal,
///   D-Bus, sysusers and tmpfiles, and what the test installs. Packages that are installed in it start their units.
/// - the kernel's settings read-only, the clock without the right to set it, a boot id of its own for each boot.
///
/// Its control groups are the unified hierarchy, whatever the host has. Where the host's memory and pids controllers are
/// bound to the old hierarchies, `MemoryMax=` and `TasksMax=` are taken and not enforced.
///
/// It needs root, or sudo without a password, and the rights to mount and to make namespaces: a virtual machine or a
/// privileged container.
///
/// ```
/// use tidemark_testkit::Systemd;
///
/// let machine = Systemd::start();
/// let unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo hello\n";
/// machine.install("/etc/systemd/system/hello.service", unit, 0o644, "root");
/// machine.daemon_reload();
/// machine.systemctl(["start", "hello.service"]);
/// machine.wait_for("hello.service", "active");
/// let said = machine.journal("hello.service", &[]);
/// assert!(said.iter().any(|entry| entry.message() == "hello"));
/// ```
pub struct Systemd {
    keeper: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    first: Option<First>,
    share: PathBuf,
    folder: TempDir,
}

impl Systemd {
    /// Where the machine sees [`share`](Self::share).
    pub const SHARE: &str = "/mnt/share";

    /// Starts one, and waits until it is up.
    ///
    /// # Panics
    /// When something that it needs is missing (the message says what), or it is not up within two minutes.
    #[track_caller]
    pub fn start() -> Self {
        for needed in ["systemd", "system/dbus.socket"] {
            assert!(
                Path::new("/usr/lib/systemd").join(needed).exists(),
                "/usr/lib/systemd/{needed} is missing: apt-get install systemd dbus"
            );
        }
        let folder = TempDir::with_prefix("tidemark-systemd-").expect("a temporary folder");
        let share = folder.path().join("share");
        fs::create_dir(&share).expect("a folder in the temporary folder");
        // For the machine's own users too.
        fs::set_permissions(&share, fs::Permissions::from_mode(0o777)).expect("the test's own folder");
        let errors = fs::File::create(folder.path().join("keeper")).expect("a file in the temporary folder");
        let mut words = as_root();
        words.extend(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                KEEPER,
                "keeper",
            ]
            .map(OsString::from),
        );
        let mut keeper = Command::new(&words[0])
            .args(&words[1..])
            .arg(folder.path())
            .arg(BOOT)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            // What ends the test's process group (an interrupt) must not end what cleans up behind it.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|why| {
                panic!(
                    "a real systemd needs root, or sudo without a password: {}: {why}",
                    words[0].display()
                )
            });
        let commands = keeper.stdin.take();
        let answers = BufReader::new(keeper.stdout.take().expect("a pipe"));
        let mut machine = Self {
            keeper,
            commands,
            answers,
            first: None,
            share,
            folder,
        };
        machine.answer("ready");
        machine.boot();
        machine
    }

    /// Ends it in good order, as `systemctl reboot` does, and starts it again: with what was written to its disk, with
    /// nothing of `/run`, `/tmp` and `/dev`.
    ///
    /// # Panics
    /// When it does not end, or is not up again, within two minutes each.
    #[track_caller]
    pub fn reboot(&mut self) {
        // The answer may be lost: the machine ends.
        drop(self.run(["systemctl", "--no-block", "reboot"]));
        assert!(
            self.first().ends_within(BOOT_BOUND),
            "the machine does not end within {BOOT_BOUND:?}\n{}",
            self.console()
        );
        self.power_cycle();
    }

    /// Kills everything on it at once, as a power cut does, and starts it again.
    ///
    /// # Panics
    /// When it is not up again within two minutes.
    #[track_caller]
    pub fn power_cycle(&mut self) {
        self.ask("end");
        self.first = None;
        self.boot();
    }

    /// A folder of the host that the machine sees as [`SHARE`](Self::SHARE), writable on both sides for everybody.
    pub fn share(&self) -> &Path {
        &self.share
    }

    /// A command on the machine, as root, not started yet. Its environment is the machine's: give variables with `env`
    /// among the words.
    ///
    /// # Panics
    /// When the machine has ended (`systemctl poweroff`).
    #[track_caller]
    pub fn command<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Run {
        let mut enter = as_root();
        let first = self.first();
        // Its id may be another's then, and the command would run on the host.
        assert!(!first.ends_within(Duration::ZERO), "the machine has ended");
        let first = first.pid.to_string();
        enter.extend(["nsenter", "-t", &first, "-m", "-p", "-u", "-i", "-C"].map(OsString::from));
        Run::new(&enter[0])
            .args(&enter[1..])
            // What this process may do to the clock and to modules, the machine may not.
            .args(["setpriv", "--bounding-set=-sys_time,-sys_module", "env", "-i"])
            .args([
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/root",
                "LANG=C.UTF-8",
            ])
            .args(["SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"])
            .args(words)
    }

    /// Runs a command on the machine, as root, to its end, whatever its exit code.
    ///
    /// # Panics
    /// When it takes longer than two minutes.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Ended {
        self.command(words).run()
    }

    /// `systemctl` with those words; its standard output.
    ///
    /// # Panics
    /// When it fails; the message shows what it wrote, and the journal's end.
    #[track_caller]
    pub fn systemctl<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> String {
        let ended = self.command(["systemctl"]).args(words).run();
        assert_eq!(
            ended.code,
            Some(0),
            "systemctl: {}\n{}",
            ended.stderr,
            self.run(["journalctl", "--no-pager", "--lines=30"]).stdout
        );
        ended.stdout
    }

    /// `systemctl daemon-reload`.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn daemon_reload(&self) {
        self.systemctl(["daemon-reload"]);
    }

    /// Makes a file on the machine, with the folders above it, in place of one that is there: whole from the first look.
    /// The owner is as `chown` takes it: `tidemark`, `root:adm`.
    ///
    /// # Panics
    /// When it cannot be made.
    #[track_caller]
    pub fn install(&self, path: impl AsRef<OsStr>, content: impl AsRef<[u8]>, mode: u32, owner: &str) {
        const SCRIPT: &str = r#"folder=$(dirname "$1") && new="$folder/.$$.new" && mkdir -p "$folder" && cat >"$new" &&
            chown "$3" "$new" && chmod "$2" "$new" && mv -fT "$new" "$1""#;
        self.command(["sh", "-c", SCRIPT, "install"])
            .arg(path)
            .args([&format!("{mode:o}"), owner])
            .stdin(content.as_ref())
            .run()
            .expect_code(0);
    }

    /// Makes the users and groups of a sysusers.d text (`u tidemark - "…" /var/lib/tidemark`).
    ///
    /// # Panics
    /// When systemd-sysusers refuses it.
    #[track_caller]
    pub fn sysusers(&self, text: &str) {
        self.command(["systemd-sysusers", "-"])
            .stdin(text)
            .run()
            .expect_code(0);
    }

    /// What the journal has of a unit, oldest first, from all boots: what the unit said, and what the manager said of it.
    /// More words as `journalctl` takes them: `&["-p", "warning"]`, `&["-b"]`, `&["RUN_ID=5"]`.
    ///
    /// # Panics
    /// When journalctl refuses the words.
    #[track_caller]
    pub fn journal(&self, unit: &str, more: &[&str]) -> Vec<JournalEntry> {
        // What was said before this call is in.
        self.run(["journalctl", "--sync"]).expect_code(0);
        let ended = self
            .command(["journalctl", "--output=json", "--all", "--quiet", "-u", unit])
            .args(more)
            .run();
        // 1 with nothing to say: no entry.
        assert!(
            ended.code == Some(0) || ended.stderr.is_empty(),
            "journalctl: {ended:?}"
        );
        let lines = ended.stdout.lines();
        lines.map(JournalEntry::parse).collect()
    }

    /// Waits until the journal has at least so many entries of a unit (the words are those of [`journal`](Self::journal)), and
    /// gives all. The manager is not asked meanwhile.
    ///
    /// # Panics
    /// When it has fewer after `bound`; the message shows the unit's status.
    #[track_caller]
    pub fn wait_for_entries(
        &self,
        unit: &str,
        more: &[&str],
        count: usize,
        bound: Duration,
    ) -> Vec<JournalEntry> {
        let end = Instant::now() + bound;
        loop {
            let found = self.journal(unit, more);
            if found.len() >= count {
                return found;
            }
            assert!(
                Instant::now() < end,
                "after {bound:?} the journal has {} entries of {unit} {more:?}, not {count}\n{}",
                found.len(),
                self.run(["systemctl", "status", "--full", "--lines=30", "--", unit])
                    .stdout
            );
            std::thread::park_timeout(READ_AGAIN);
        }
    }

    /// A property of a unit, as `systemctl show` gives it; empty where it has none of that name.
    ///
    /// # Panics
    /// When the manager does not answer.
    #[track_caller]
    pub fn property(&self, unit: &str, name: &str) -> String {
        let text = self.systemctl(["show", "--property", name, "--value", "--", unit]);
        text.trim_end_matches('\n').to_owned()
    }

    /// Waits until a unit is in that state: `ActiveState` (`active`, `failed`, …) or `SubState` (`waiting`, `exited`, …).
    ///
    /// # Panics
    /// When it is not within two minutes; the message shows the unit's status.
    #[track_caller]
    pub fn wait_for(&self, unit: &str, state: &str) {
        self.wait_for_properties(unit, &["ActiveState", "SubState"], state, |now| {
            now.contains(&state)
        });
    }

    /// Waits until a unit's property is as `condition` wants it.
    ///
    /// # Panics
    /// When it is not within two minutes; the message names `what`, and shows the unit's status.
    #[track_caller]
    pub fn wait_for_property(&self, unit: &str, name: &str, what: &str, condition: impl Fn(&str) -> bool) {
        self.wait_for_properties(unit, &[name], what, |now| {
            now.iter().any(|value| condition(value))
        });
    }

    /// What is said on its console: why it does not boot.
    pub fn console(&self) -> String {
        fs::read_to_string(self.folder.path().join("console")).unwrap_or_default()
    }

    /// The process id of its systemd, as the test sees it.
    pub fn pid(&self) -> u32 {
        self.first().pid
    }

    fn first(&self) -> &First {
        self.first.as_ref().expect("set by each start")
    }

    #[track_caller]
    fn wait_for_properties(
        &self,
        unit: &str,
        names: &[&str],
        what: &str,
        condition: impl Fn(&[&str]) -> bool,
    ) {
        let end = Instant::now() + UNIT_BOUND;
        let names = names.join(",");
        loop {
            let text = self.systemctl(["show", "--property", &names, "--value", "--", unit]);
            let now: Vec<&str> = text.lines().collect();
            if condition(&now) {
                return;
            }
            assert!(
                Instant::now() < end,
                "waited {UNIT_BOUND:?} in vain for {unit}: {what}; {names}: {now:?}\n{}",
                self.run(["systemctl", "status", "--full", "--lines=30", "--", unit])
                    .stdout
            );
            std::thread::park_timeout(ASK_AGAIN);
        }
    }

    /// Starts it, and waits until it is up.
    #[track_caller]
    fn boot(&mut self) {
        let parent = self.ask("start");
        let end = Instant::now() + BOOT_BOUND;
        let first = self.folder.path().join("first");
        let mut said = "nothing has started".to_owned();
        loop {
            let text = fs::read_to_string(&first).unwrap_or_default();
            if let Some(pid) = text.strip_suffix('\n').and_then(|text| text.parse().ok()) {
                self.first = First::of(pid);
            }
            if self.first.is_some() {
                // It waits for the boot's end, once the manager listens. Degraded: a unit has failed, which is the test's.
                let state = self.run(["systemctl", "is-system-running", "--wait"]);
                if ["running", "degraded"].contains(&state.stdout.trim()) {
                    return;
                }
                said = format!("{} {}", state.stdout.trim(), state.stderr.trim());
            }
            assert!(
                Instant::now() < end && runs(&parent),
                "the machine is not up ({said}): {MEANS}\n{}",
                self.console()
            );
            std::thread::park_timeout(ASK_AGAIN);
        }
    }

    /// Has the keeper do something; what it says of it.
    #[track_caller]
    fn ask(&mut self, command: &str) -> String {
        let commands = self.commands.as_mut().expect("open until it is dropped");
        writeln!(commands, "{command}").expect("the keeper listens");
        self.answer(command)
    }

    #[track_caller]
    fn answer(&mut self, command: &str) -> String {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the keeper's answer is text");
        if let Some(said) = line.trim_end().strip_prefix(command) {
            return said.trim_start().to_owned();
        }
        let errors = fs::read_to_string(self.folder.path().join("keeper")).unwrap_or_default();
        panic!("{MEANS}: {}", errors.trim());
    }
}

/// A machine's systemd.
struct First {
    /// Its process id, as the test sees it.
    pid: u32,
    handle: OwnedFd,
}

impl First {
    /// That process; none where it has ended.
    fn of(pid: u32) -> Option<Self> {
        let id = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        let handle = pidfd_open(id, PidfdFlags::empty()).ok()?;
        Some(Self { pid, handle })
    }

    /// Whether it ends within that time.
    fn ends_within(&self, time: Duration) -> bool {
        let mut fds = [PollFd::new(&self.handle, PollFlags::IN)];
        let time = Timespec::try_from(time).expect("a short time");
        rustix::event::poll(&mut fds, Some(&time)).is_ok_and(|ready| ready > 0)
    }
}

/// What it takes, for whoever has not got it.
const MEANS: &str = "a real systemd needs root (or sudo without a password) with the rights to mount and to make \
    namespaces: a virtual machine or a privileged container, with util-linux and systemd";

impl Drop for Systemd {
    fn drop(&mut self) {
        // The end of its input: it kills the machine, takes away everything, and ends.
        drop(self.commands.take());
        drop(self.keeper.wait());
    }
}

/// The words before a command that root runs.
fn as_root() -> Vec<OsString> {
    let root = rustix::process::geteuid().is_root();
    let words: &[&str] = if root { &[] } else { &["sudo", "-n"] };
    words.iter().map(OsString::from).collect()
}

/// Whether that process runs.
fn runs(process: &str) -> bool {
    // PID (NAME) STATE …; Z where it has ended and its parent has not asked yet.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}
