//! The signals that ask a program to end.

use std::io::{self, IsTerminal as _};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens from now on: the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// Where the system does not let the process listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal, and returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// SIGHUP: to read the settings anew; or, where the terminal went away that this was started on, to end.
#[derive(Debug)]
pub(crate) struct Hangups {
    signal: Signal,
    was_on_terminal: bool,
}

impl Hangups {
    /// Listens from now on: the signal no longer ends the process by itself.
    ///
    /// # Errors
    /// Where the system does not let the process listen.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            signal: signal(SignalKind::hangup())?,
            was_on_terminal: io::stderr().is_terminal(),
        })
    }

    /// Waits for the next one; whether it means to read anew, not to end. Safe to drop while it waits.
    pub(crate) async fn next(&mut self) -> bool {
        self.signal.recv().await;
        // One that hung up is none any more.
        !self.was_on_terminal || io::stderr().is_terminal()
    }
}
