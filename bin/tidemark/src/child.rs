//! A collector's program as a child of this one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{Sender, channel};

/// What to tell a child.
#[derive(Debug, Copy, Clone)]
pub(crate) enum Tell {
    /// End (SIGTERM).
    Terminate,
    /// Be ended (SIGKILL).
    Kill,
}

/// A handle to a child that [`start`] has started.
#[derive(Debug)]
pub(crate) struct Handle(Sender<Tell>);

impl Handle {
    /// Tells the child; one that has ended hears nothing.
    pub(crate) fn tell(&self, what: Tell) {
        // A child that was told this often and has not ended is told nothing more by one more.
        let _ = self.0.try_send(what);
    }
}

/// Starts `program`, and gives a handle to it and what resolves when it has ended.
///
/// It shares standard output and error, and reads nothing. It has this program's environment, and the variables `added`.
/// What a service manager told this program is not for it. It is in
/// a process group of its own: a signal of the terminal reaches this program alone, which hands it on once.
///
/// # Errors
/// Where it cannot be started.
pub(crate) fn start(
    program: &Path,
    options: &[OsString],
    added: &BTreeMap<String, OsString>,
) -> io::Result<(
    Handle,
    impl Future<Output = io::Result<ExitStatus>> + Send + 'static,
)> {
    let mut child = Command::new(program)
        .args(options)
        .envs(added)
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let (sender, mut told) = channel(8);
    let ended = async move {
        loop {
            tokio::select! {
                status = child.wait() => return status,
                Some(what) = told.recv() => pass_on(&mut child, what),
            }
        }
    };
    Ok((Handle(sender), ended))
}

/// The child is not waited for meanwhile: its number is its own.
fn pass_on(child: &mut Child, what: Tell) {
    match what {
        Tell::Kill => {
            let _ = child.start_kill();
        }
        Tell::Terminate => {
            let pid = child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw);
            if let Some(pid) = pid {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    }
}
