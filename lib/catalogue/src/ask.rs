//! Programs that are asked what they are: many at once, each within its time, and ended as a whole.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::described::LONGEST_DESCRIPTION;
use crate::{Patience, Trust};

/// How many programs are asked at once: each is a process, and a host may have hundreds.
const AT_ONCE: usize = 16;

/// How long a program that is killed may take to end: one that waits for a broken disk cannot.
const END_TIME: Duration = Duration::from_millis(500);

/// How long between two tries to start a program that somebody is still writing.
const BUSY: Duration = Duration::from_millis(10);

/// What a program that is asked unprivileged finds its own programs by.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What spares a program the question.
const SPARE: &str = "keep what it describes beside it, as NAME.json";

/// What `--describe` prints, or why nothing, going on from the program's name.
pub(crate) type Answer = Result<Vec<u8>, String>;

/// Asks all of the programs for their descriptions; the answers are in the order of the programs.
pub(crate) fn ask(programs: Vec<PathBuf>, trust: &Trust, patience: Patience) -> Vec<Answer> {
    let count = programs.len();
    let end = patience.all.map(|all| Instant::now() + all);
    let round = Arc::new(Round {
        waiting: Mutex::new(programs.into_iter().enumerate()),
        trust: trust.clone(),
        patience,
        end,
    });
    let (sender, receiver) = channel();
    let mut workers = 0;
    for _ in 0..count.min(AT_ONCE) {
        let (round, sender) = (Arc::clone(&round), sender.clone());
        let work = move || round.work(&sender);
        workers += usize::from(thread::Builder::new().spawn(work).is_ok());
    }
    if workers == 0 {
        round.work(&sender);
    }
    drop(sender);
    gather(&receiver, count, end)
}

/// Takes the answers as they come. Where there is an end, nothing is waited for beyond it: a worker that hangs for a broken
/// disk is left behind.
fn gather(receiver: &Receiver<(usize, Answer)>, count: usize, end: Option<Instant>) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = (0..count).map(|_| None).collect();
    loop {
        let next = match end {
            None => receiver.recv().ok(),
            Some(end) => receiver
                .recv_timeout((end + END_TIME + END_TIME).saturating_duration_since(Instant::now()))
                .ok(),
        };
        let Some((index, answer)) = next else {
            break;
        };
        if let Some(place) = answers.get_mut(index) {
            *place = Some(answer);
        }
    }
    let missing = || Err("was not asked: no process could be started for it in time".to_owned());
    answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(missing))
        .collect()
}

/// Programs that are asked together.
struct Round {
    waiting: Mutex<std::iter::Enumerate<std::vec::IntoIter<PathBuf>>>,
    trust: Trust,
    patience: Patience,
    end: Option<Instant>,
}

impl Round {
    /// Asks one after the other until none is left, or nobody listens.
    fn work(&self, answers: &Sender<(usize, Answer)>) {
        if let Trust::System(_) = self.trust {
            // What this thread starts gains nothing by a program that is set-user-ID either.
            let _ = rustix::thread::set_no_new_privs(true);
        }
        loop {
            let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, program)) = next else {
                return;
            };
            let answer = self.ask(&program);
            if answers.send((index, answer)).is_err() {
                return;
            }
        }
    }

    fn ask(&self, program: &Path) -> Answer {
        let Patience { each, all } = self.patience;
        let now = Instant::now();
        if self.end.is_some_and(|end| end <= now) {
            return Err(format!(
                "was not asked: others took all of the {} s that there are; {SPARE}",
                all.unwrap_or_default().as_secs()
            ));
        }
        let until = self.end.map_or(now + each, |end| end.min(now + each));
        let mut child =
            start(program, &self.trust, until).map_err(|error| format!("cannot be started: {error}"))?;
        let heard = listen(&mut child, until);
        let status = end(&mut child);
        match heard {
            Heard::Answer(text) => match status {
                Some(status) if status.success() => Ok(text),
                Some(status) => Err(format!("failed ({status})")),
                None => Err("does not end".to_owned()),
            },
            // The one who reads it says that it is too long.
            Heard::TooMuch(text) => Ok(text),
            Heard::Nothing => Err(format!(
                "did not answer within {} s; install it again, or {SPARE}",
                each.as_secs()
            )),
            Heard::Fault(error) => Err(format!("cannot be read: {error}")),
        }
    }
}

fn start(program: &Path, trust: &Trust, until: Instant) -> io::Result<Child> {
    let mut command = Command::new(program);
    command
        .arg("--describe")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // To be ended as a whole.
        .process_group(0);
    if let Trust::System(account) = trust {
        command.env_clear().env("PATH", PATH).current_dir("/");
        if let Some(account) = account {
            // The groups of the caller go as well.
            command.uid(account.uid).gid(account.gid);
        }
    }
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < until => {
                thread::park_timeout(BUSY);
            }
            started => return started,
        }
    }
}

/// What came of listening.
enum Heard {
    /// The program has ended, and this is all that it said.
    Answer(Vec<u8>),
    /// It says more than any description is long.
    TooMuch(Vec<u8>),
    /// It has not ended in time.
    Nothing,
    Fault(io::Error),
}

/// Takes what a program says until it ends, whoever else holds its pipe.
fn listen(child: &mut Child, until: Instant) -> Heard {
    let Some(mut out) = child.stdout.take() else {
        return Heard::Answer(Vec::new());
    };
    let watched = rustix::fs::fcntl_setfl(&out, rustix::fs::OFlags::NONBLOCK)
        .and_then(|()| pidfd_open(Pid::from_child(child), PidfdFlags::empty()));
    let process = match watched {
        Ok(process) => process,
        Err(error) => return Heard::Fault(error.into()),
    };
    let mut text = Vec::new();
    let mut is_open = true;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Heard::Nothing;
        }
        let mut fds = [
            PollFd::new(&process, PollFlags::IN),
            PollFd::new(&out, PollFlags::IN),
        ];
        let fds = &mut fds[..if is_open { 2 } else { 1 }];
        match poll(fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Heard::Fault(error.into()),
        }
        let has_ended = fds.first().is_some_and(|process| !process.revents().is_empty());
        match read(&mut out, &mut text) {
            Ok(Reading::Open) => {}
            Ok(Reading::Closed) => is_open = false,
            Ok(Reading::TooMuch) => return Heard::TooMuch(text),
            Err(error) => return Heard::Fault(error),
        }
        if has_ended {
            return Heard::Answer(text);
        }
    }
}

/// How far reading has come.
enum Reading {
    /// Nothing more for now.
    Open,
    /// Nothing more for ever.
    Closed,
    TooMuch,
}

/// Takes what there is.
fn read(out: &mut ChildStdout, text: &mut Vec<u8>) -> io::Result<Reading> {
    let mut buffer = [0; 16 << 10];
    loop {
        match out.read(&mut buffer) {
            Ok(0) => return Ok(Reading::Closed),
            Ok(count) => text.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Reading::Open),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if text.len() > LONGEST_DESCRIPTION {
            return Ok(Reading::TooMuch);
        }
    }
}

/// Ends a program and all that it started in its group; how it ended, where it does.
fn end(child: &mut Child) -> Option<std::process::ExitStatus> {
    let leader = Pid::from_child(child);
    // It has not been waited for: the number is its own.
    let _ = kill_process_group(leader, Signal::KILL);
    if let Ok(process) = pidfd_open(leader, PidfdFlags::empty()) {
        let time = Timespec::try_from(END_TIME).ok();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], time.as_ref());
        if ended == Ok(0) {
            return None;
        }
    }
    child.wait().ok()
}
