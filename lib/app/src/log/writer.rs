//! Where what is said goes: entries in the journal, or lines on standard error.

use tracing::{Level, Metadata};

use super::words::Words;
use super::{RUN, printable};
use crate::journal::{Entry, Journal, Priority};

/// Writes what is said.
#[derive(Debug)]
pub(super) enum Writer {
    /// An entry with fields for each event.
    Journal(Journal),
    /// `PROGRAM: LEVEL: message key=value` on standard error for each event of this program, in one write.
    Lines(String),
}

impl Writer {
    /// Whether fields are for more than to be left out.
    pub(super) fn takes_fields(&self) -> bool {
        matches!(self, Self::Journal(_))
    }

    /// How urgent an event is: among lines, a run that goes well says nothing to who does not ask.
    pub(super) fn level_of(&self, metadata: &Metadata<'_>) -> Level {
        match self {
            Self::Lines(_) if metadata.target() == RUN => Level::DEBUG,
            _ => *metadata.level(),
        }
    }

    pub(super) fn write(&self, metadata: &Metadata<'_>, words: &Words) {
        match self {
            Self::Journal(journal) => {
                let mut entry = Entry::new(priority(metadata), &words.text());
                // The event's own come first: what is nearer counts.
                for (name, value) in &words.fields {
                    entry.add(name, value);
                }
                journal.write(entry);
            }
            Self::Lines(program) => {
                let line = line(program, self.level_of(metadata), words);
                crate::exit::write_to_standard_error(line.as_bytes());
            }
        }
    }
}

fn priority(metadata: &Metadata<'_>) -> Priority {
    match *metadata.level() {
        Level::ERROR => Priority::Error,
        Level::WARN => Priority::Warning,
        Level::INFO if metadata.target() == RUN => Priority::Info,
        Level::INFO => Priority::Notice,
        Level::DEBUG | Level::TRACE => Priority::Debug,
    }
}

fn line(program: &str, level: Level, words: &Words) -> String {
    let level = match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "notice",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    let line = format!("{program}: {level}: {}", words.text());
    // A line stays a line, whatever a source put into a message.
    let mut line = printable(&line).into_owned();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Filter;
    use crate::log::subscriber::Log;
    use std::os::unix::net::UnixDatagram;

    /// What arrives in the journal's place, the fields of each entry as `NAME=value`, in order.
    fn entries(verbose: u8, events: impl FnOnce()) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let journal = Journal::at(&path, "tidemark-x", Some("x")).expect("a socket");
        let log = Log::new(Writer::Journal(journal), Filter::of(verbose));
        tracing::subscriber::with_default(log, events);
        let mut bytes = vec![0; 64 << 10];
        let mut entries = Vec::new();
        while let Ok(length) = listener.recv(&mut bytes) {
            let fields = crate::journal::tests::read(&bytes[..length]);
            let fields = fields.into_iter().filter(|(name, _)| name != "SYSLOG_IDENTIFIER");
            entries.push(fields.map(|(name, value)| format!("{name}={value}")).collect());
        }
        entries
    }

    #[test]
    fn priorities_say_who_must_look() {
        let entries = entries(1, || {
            tracing::error!("a");
            tracing::warn!("b");
            tracing::info!("c");
            tracing::info!(target: RUN, "d");
            tracing::debug!("e");
            tracing::trace!("not with one -v");
            tracing::info!(target: "hyper", "not ours");
        });
        let priorities: Vec<&str> = entries.iter().map(|entry| entry[2].as_str()).collect();
        let expected = [
            "PRIORITY=3",
            "PRIORITY=4",
            "PRIORITY=5",
            "PRIORITY=6",
            "PRIORITY=7",
        ];
        assert_eq!(priorities, expected);
    }

    #[test]
    fn what_is_said_in_a_run_names_it() {
        let entries = entries(0, || {
            let started = tidemark_point::Timestamp::from_secs(1_795_244_400).expect("in range");
            let run = crate::log::run_span(started, Some("node-1"));
            run.in_scope(|| {
                let delivery = tracing::info_span!("delivery", sink = "central");
                delivery.in_scope(|| tracing::warn!(points = 3_u64, "central: refused 3 points"));
                tracing::info!(target: RUN, collector = "queue", reason = "none", "well");
            });
            tracing::info!("outside");
            tracing::debug!("not without -v");
        });
        assert_eq!(
            entries,
            [
                vec![
                    "COLLECTOR=x",
                    "MESSAGE=central: refused 3 points",
                    "POINTS=3",
                    "PRIORITY=4",
                    "RUN_ID=2026-11-21T07:00:00Z",
                    "RUN_TARGET=node-1",
                    "SINK=central",
                ],
                vec![
                    "COLLECTOR=queue",
                    "MESSAGE=well reason=none",
                    "PRIORITY=6",
                    "RUN_ID=2026-11-21T07:00:00Z",
                    "RUN_TARGET=node-1",
                ],
                vec!["COLLECTOR=x", "MESSAGE=outside", "PRIORITY=5"],
            ]
        );
    }

    #[test]
    fn a_line_names_program_level_message_and_what_is_not_for_filters() {
        let words = |message: &str| Words {
            message: message.to_owned(),
            rest: " of=x".to_owned(),
            fields: vec![("SINK", "store".to_owned())],
        };
        let line = |level, message| line("tidemark-x", level, &words(message));
        assert_eq!(
            line(Level::WARN, "a batch waits"),
            "tidemark-x: warning: a batch waits of=x\n"
        );
        assert_eq!(
            line(Level::INFO, "one\ntwo \u{1b}[31mred é"),
            "tidemark-x: notice: one\\ntwo \\u{1b}[31mred é of=x\n"
        );
    }

    #[test]
    fn lines_have_more_of_ours_alone_and_runs_for_who_asks() {
        /// Which of some events are wanted.
        fn wanted(verbose: u8) -> Vec<&'static str> {
            let log = Log::new(Writer::Lines("tidemark-x".to_owned()), Filter::of(verbose));
            let mut wanted = Vec::new();
            tracing::subscriber::with_default(log, || {
                let mut ask = |name, is_wanted: bool| wanted.extend(is_wanted.then_some(name));
                ask("notice", tracing::enabled!(Level::INFO));
                ask("run", tracing::enabled!(target: RUN, Level::INFO));
                ask("debug", tracing::enabled!(Level::DEBUG));
                ask("trace", tracing::enabled!(Level::TRACE));
                ask("hyper's error", tracing::enabled!(target: "hyper", Level::ERROR));
                ask("hyper's debug", tracing::enabled!(target: "hyper", Level::DEBUG));
                ask(
                    "span",
                    !crate::log::run_span(tidemark_point::Timestamp::EPOCH, None).is_disabled(),
                );
            });
            wanted
        }
        assert_eq!(wanted(0), ["notice", "hyper's error"]);
        assert_eq!(wanted(1), ["notice", "run", "debug", "hyper's error"]);
        assert_eq!(
            wanted(2),
            [
                "notice",
                "run",
                "debug",
                "trace",
                "hyper's error",
                "hyper's debug"
            ]
        );
    }
}
