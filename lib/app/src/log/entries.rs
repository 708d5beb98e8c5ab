//! Entries in systemd's journal.

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::words::Words;
use super::{Filter, RUN, is_ours};
use crate::journal::{Entry, Journal, Priority};

/// Writes an entry for each event, with its fields and those of the spans that it is in.
pub(super) struct Entries {
    journal: Journal,
    filter: Filter,
}

impl Entries {
    pub(super) fn new(journal: Journal, filter: Filter) -> Self {
        Self { journal, filter }
    }
}

/// What a span adds to the entries within.
struct Within(Vec<(&'static str, String)>);

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Entries {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        match metadata.is_span() {
            true => is_ours(metadata),
            false => self.filter.wants(metadata, *metadata.level()),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter.most().into())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut words = Words::default();
        attributes.record(&mut words);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Within(words.fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut words = Words::default();
        values.record(&mut words);
        if let Some(span) = context.span(id)
            && let Some(Within(fields)) = span.extensions_mut().get_mut()
        {
            fields.extend(words.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut entry = Entry::new(priority(event.metadata()), &words.text());
        for (name, value) in &words.fields {
            entry.add(name, value);
        }
        // From the innermost to the outermost: what is nearer counts.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Within(fields)) = span.extensions().get() {
                for (name, value) in fields {
                    entry.add(name, value);
                }
            }
        }
        self.journal.write(entry);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::registry::Registry;

    /// What arrives in the journal's place, the fields of each entry as `NAME=value`, in order.
    fn entries(verbose: u8, events: impl FnOnce()) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let journal = Journal::at(&path, "tidemark-x", Some("x")).expect("a socket");
        let layer = Entries::new(journal, Filter::of(verbose));
        tracing::subscriber::with_default(Registry::default().with(layer), events);
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
            let run = super::super::run_span(started, Some("node-1"));
            run.in_scope(|| {
                tracing::warn!(sink = "central", points = 3_u64, "central: refused 3 points");
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
}
