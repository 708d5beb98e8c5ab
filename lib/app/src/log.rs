//! The log: plain lines on standard error.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;

/// Starts the log of `program`: notices, warnings and errors; with `-v` what is done; with `-vv` every detail, of the
/// libraries beneath too.
///
/// Only the first call in a process counts.
pub fn start(program: &str, verbose: u8) {
    let (ours, others) = match verbose {
        0 => (Level::INFO, Level::ERROR),
        1 => (Level::DEBUG, Level::WARN),
        _ => (Level::TRACE, Level::DEBUG),
    };
    let lines = Lines {
        program: program.to_owned(),
        ours,
        others,
    };
    // The first one stays: a second start is a test's.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines));
}

/// Writes `PROGRAM: LEVEL: message key=value` for each event, in one write.
struct Lines {
    program: String,
    ours: Level,
    others: Level,
}

impl Lines {
    fn wants(&self, target: &str, level: Level) -> bool {
        let most = if target.starts_with("tidemark") {
            self.ours
        } else {
            self.others
        };
        level <= most
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event() && self.wants(metadata.target(), *metadata.level())
    }

    fn max_level_hint(&self) -> Option<tracing_subscriber::filter::LevelFilter> {
        Some(self.ours.max(self.others).into())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = line(&self.program, event);
        crate::exit::write_to_standard_error(line.as_bytes());
    }
}

fn line(program: &str, event: &Event<'_>) -> String {
    let mut words = Words::default();
    event.record(&mut words);
    let level = match *event.metadata().level() {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "notice",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    let line = format!("{program}: {level}: {}{}", words.message, words.fields);
    // A line stays a line, whatever a source put into a message.
    let mut line = printable(&line).into_owned();
    line.push('\n');
    line
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

/// An event's message, and its fields as ` key=value`.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Keeps the lines instead of writing them.
    struct Kept {
        lines: Lines,
        kept: Arc<Mutex<Vec<String>>>,
    }

    impl<S: Subscriber> Layer<S> for Kept {
        fn enabled(&self, metadata: &tracing::Metadata<'_>, context: Context<'_, S>) -> bool {
            self.lines.enabled(metadata, context)
        }

        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.kept
                .lock()
                .expect("lock")
                .push(line(&self.lines.program, event));
        }
    }

    fn logged(ours: Level, events: impl FnOnce()) -> Vec<String> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let lines = Lines {
            program: "tidemark-x".to_owned(),
            ours,
            others: Level::ERROR,
        };
        let layer = Kept {
            lines,
            kept: Arc::clone(&kept),
        };
        tracing::subscriber::with_default(Registry::default().with(layer), events);
        std::mem::take(&mut *kept.lock().expect("lock"))
    }

    #[test]
    fn a_line_names_program_level_message_and_fields() {
        let lines = logged(Level::INFO, || {
            tracing::warn!(points = 3, sink = "store", "{} waits", "a batch");
            tracing::info!("calm");
            tracing::debug!("not shown");
        });
        assert_eq!(
            lines,
            [
                "tidemark-x: warning: a batch waits points=3 sink=store\n",
                "tidemark-x: notice: calm\n"
            ]
        );
    }

    #[test]
    fn verbose_shows_more_of_ours_alone() {
        let lines = logged(Level::DEBUG, || {
            tracing::debug!("shown");
            tracing::debug!(target: "hyper", "not shown");
            tracing::error!(target: "hyper", "shown too");
        });
        assert_eq!(
            lines,
            ["tidemark-x: debug: shown\n", "tidemark-x: error: shown too\n"]
        );
    }

    #[test]
    fn a_message_cannot_begin_a_second_line() {
        let lines = logged(Level::INFO, || tracing::info!("one\ntwo \u{1b}[31mred é"));
        assert_eq!(lines, ["tidemark-x: notice: one\\ntwo \\u{1b}[31mred é\n"]);
    }
}
