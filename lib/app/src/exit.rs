//! How a program ends: one meaning for each exit code, one line for each failure.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use tidemark_point::Timestamp;
use tidemark_settings::ProcessEnvironment;

use crate::journal::{Entry, Journal, Priority};

/// Collected, and delivered or safely in the outbox.
pub const OK: u8 = 0;
/// Nothing could be collected, or it could be neither delivered nor kept.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// The settings are wrong (`EX_CONFIG`).
pub const SETTINGS: u8 = 78;

/// Why a program ends without success: an exit code, and the text that says what, why and what to do.
///
/// The text already holds its causes; each of its lines is whole by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    message: String,
    /// The run that failed, where one had begun.
    run: Option<Timestamp>,
}

impl Failure {
    /// Nothing could be collected or kept: exit code 1.
    pub fn run(message: impl Into<String>) -> Self {
        Self::with(FAILED, message.into())
    }

    /// The command line is wrong: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::with(USAGE, message.into())
    }

    /// The settings are wrong: exit code 78.
    pub fn settings(message: impl Into<String>) -> Self {
        Self::with(SETTINGS, message.into())
    }

    fn with(code: u8, message: String) -> Self {
        Self {
            code,
            message,
            run: None,
        }
    }

    /// The same, of the run that began at `started`.
    pub(crate) fn of_run(self, started: Timestamp) -> Self {
        Self {
            run: Some(started),
            ..self
        }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Writes each line of the message after the program's name on standard error, and gives the exit code. Where
    /// standard error goes to systemd's journal, each line is an error there instead.
    #[must_use]
    pub fn report(&self, program: &str) -> ExitCode {
        self.report_as(program, None)
    }

    /// As [`Failure::report`], of a collector's program.
    pub(crate) fn report_as(&self, program: &str, collector: Option<&str>) -> ExitCode {
        say(program, collector, Priority::Error, self.run, &self.message);
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// Writes each line of `message` on standard error as `PROGRAM: LINE`, control characters as their escapes; to systemd's
/// journal, as a warning, where standard error goes there.
///
/// A standard error that is gone is no reason to fail: there is nobody left to tell.
pub fn complain(program: &str, message: &str) {
    say(program, None, Priority::Warning, None, message);
}

/// The log may not have begun yet, so this does without it.
fn say(program: &str, collector: Option<&str>, priority: Priority, run: Option<Timestamp>, message: &str) {
    let Some(journal) = Journal::of_standard_error(&ProcessEnvironment, program, collector) else {
        return write_to_standard_error(complaint(program, message).as_bytes());
    };
    for line in message.lines() {
        let mut entry = Entry::new(priority, line);
        if let Some(run) = run {
            entry.add("RUN_ID", &run.to_string());
        }
        journal.write(entry);
    }
}

fn complaint(program: &str, message: &str) -> String {
    let mut text = String::with_capacity(program.len() + message.len() + 3);
    for line in message.lines() {
        text.push_str(program);
        text.push_str(": ");
        text.push_str(&crate::log::printable(line));
        text.push('\n');
    }
    text
}

/// Writes `bytes` on standard error in one piece.
pub(crate) fn write_to_standard_error(bytes: &[u8]) {
    use std::io::Write as _;
    let _ = std::io::stderr().lock().write_all(bytes);
}

/// Writes `bytes` on standard output.
///
/// A reader that went away (`… | head`) is a quiet end, as with any command.
///
/// # Errors
/// A [`Failure`] with exit code 1 where the output cannot be written, as on a full disk.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::run(format!(
            "standard output cannot be written: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_names_the_program_and_none_moves_the_cursor() {
        assert_eq!(
            complaint("tidemark-x", "one: \u{1b}[2J\u{9b}1A é\r\ntwo\tthree"),
            "tidemark-x: one: \\u{1b}[2J\\u{9b}1A é\ntidemark-x: two\\tthree\n"
        );
        assert_eq!(complaint("tidemark-x", ""), "");
    }
}
