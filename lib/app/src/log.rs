//! The log: entries with fields in systemd's journal, where standard error goes there; else plain lines on standard error.
//!
//! A message of ours says all that a person needs. Its fields (`sink = …`) are for filters, and in the journal alone;
//! JOURNAL.md lists them, and which priority means what.

mod entries;
mod lines;
mod words;

use std::borrow::Cow;

use tidemark_point::Timestamp;
use tidemark_settings::ProcessEnvironment;
use tracing::{Level, Metadata, Span};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;

use crate::journal::Journal;
use entries::Entries;
use lines::Lines;

/// The target of what is said of each run that goes well: information in the journal, and a detail elsewhere.
pub const RUN: &str = "tidemark::run";

/// Starts the log of `program`: notices, warnings and errors; with `-v` what is done; with `-vv` every detail, and what the
/// libraries beneath trace (what is built for use leaves out what they trace below debug).
///
/// Only the first call in a process counts.
pub fn start(program: &str, verbose: u8) {
    start_as(program, None, verbose);
}

/// Starts the log of a collector's program.
pub(crate) fn start_as(program: &str, collector: Option<&str>, verbose: u8) {
    let filter = Filter::of(verbose);
    // The first one stays: a second start is a test's.
    let _ = match Journal::of_standard_error(&ProcessEnvironment, program, collector) {
        Some(journal) => {
            tracing::subscriber::set_global_default(Registry::default().with(Entries::new(journal, filter)))
        }
        None => {
            tracing::subscriber::set_global_default(Registry::default().with(Lines::new(program, filter)))
        }
    };
}

/// What all is said within that belongs to the run that began at `started`.
pub(crate) fn run_span(started: Timestamp, target: Option<&str>) -> Span {
    let span = tracing::info_span!(
        "run",
        run_id = %started,
        run_target = tracing::field::Empty
    );
    if let Some(target) = target {
        span.record("run_target", target);
    }
    span
}

/// How much is said.
#[derive(Debug, Copy, Clone)]
struct Filter {
    ours: Level,
    others: Level,
}

impl Filter {
    fn of(verbose: u8) -> Self {
        let (ours, others) = match verbose {
            0 => (Level::INFO, Level::ERROR),
            1 => (Level::DEBUG, Level::WARN),
            _ => (Level::TRACE, Level::DEBUG),
        };
        Self { ours, others }
    }

    fn wants(self, metadata: &Metadata<'_>, level: Level) -> bool {
        let most = if is_ours(metadata) { self.ours } else { self.others };
        level <= most
    }

    fn most(self) -> Level {
        self.ours.max(self.others)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("tidemark")
}

/// `text` with control characters as their escapes: a source neither begins a line nor moves a terminal's cursor.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.chars()
            .flat_map(printable_character)
            .collect::<String>()
            .into()
    } else {
        text.into()
    }
}

fn printable_character(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}
