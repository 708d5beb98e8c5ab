//! Plain lines on standard error.

use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer};

use super::words::Words;
use super::{Filter, RUN, printable};

/// Writes `PROGRAM: LEVEL: message key=value` for each event, in one write.
pub(super) struct Lines {
    program: String,
    filter: Filter,
}

impl Lines {
    pub(super) fn new(program: &str, filter: Filter) -> Self {
        Self {
            program: program.to_owned(),
            filter,
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event() && self.filter.wants(metadata, level_of(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter.most().into())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = line(&self.program, event);
        crate::exit::write_to_standard_error(line.as_bytes());
    }
}

/// A run that goes well says nothing to who does not ask.
fn level_of(metadata: &Metadata<'_>) -> Level {
    if metadata.target() == RUN {
        Level::DEBUG
    } else {
        *metadata.level()
    }
}

fn line(program: &str, event: &Event<'_>) -> String {
    let mut words = Words::default();
    event.record(&mut words);
    let level = match level_of(event.metadata()) {
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
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::registry::Registry;

    /// Keeps the lines instead of writing them.
    struct Kept {
        lines: Lines,
        kept: Arc<Mutex<Vec<String>>>,
    }

    impl<S: Subscriber> Layer<S> for Kept {
        fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
            self.lines.enabled(metadata, context)
        }

        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.kept
                .lock()
                .expect("lock")
                .push(line(&self.lines.program, event));
        }
    }

    fn logged(verbose: u8, events: impl FnOnce()) -> Vec<String> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let layer = Kept {
            lines: Lines::new("tidemark-x", Filter::of(verbose)),
            kept: Arc::clone(&kept),
        };
        tracing::subscriber::with_default(Registry::default().with(layer), events);
        std::mem::take(&mut *kept.lock().expect("lock"))
    }

    #[test]
    fn a_line_names_program_level_message_and_what_is_not_for_filters() {
        let lines = logged(0, || {
            tracing::warn!(points = 3, sink = "store", of = "x", "{} waits", "a batch");
            tracing::info!("calm");
            tracing::debug!("not shown");
            tracing::info!(target: RUN, "a run that goes well");
        });
        assert_eq!(
            lines,
            [
                "tidemark-x: warning: a batch waits of=x\n",
                "tidemark-x: notice: calm\n"
            ]
        );
    }

    #[test]
    fn verbose_shows_more_of_ours_alone() {
        let lines = logged(1, || {
            tracing::debug!("shown");
            tracing::info!(target: RUN, "a run");
            tracing::debug!(target: "hyper", "not shown");
            tracing::error!(target: "hyper", code = 7, "shown too");
        });
        assert_eq!(
            lines,
            [
                "tidemark-x: debug: shown\n",
                "tidemark-x: debug: a run\n",
                "tidemark-x: error: shown too code=7\n"
            ]
        );
    }

    #[test]
    fn a_message_cannot_begin_a_second_line() {
        let lines = logged(0, || tracing::info!("one\ntwo \u{1b}[31mred é"));
        assert_eq!(lines, ["tidemark-x: notice: one\\ntwo \\u{1b}[31mred é\n"]);
    }
}
