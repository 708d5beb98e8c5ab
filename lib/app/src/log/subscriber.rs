//! What `tracing` hands over, and the spans that it is within.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

use super::words::Words;
use super::{Filter, Writer, is_ours};

/// Hands each event that is wanted to the writer, with the fields of the spans that it is in.
pub(super) struct Log {
    pub(super) writer: Writer,
    pub(super) filter: Filter,
    spans: Mutex<Spans>,
}

/// The spans that are open: a few, one for each delivery and one for the run.
#[derive(Default)]
struct Spans {
    last: u64,
    open: Vec<Open>,
    /// Which threads are in which, the innermost last.
    entered: Vec<(ThreadId, u64)>,
}

struct Open {
    id: u64,
    handles: usize,
    metadata: &'static Metadata<'static>,
    /// Its own fields, then those that it is within.
    fields: Vec<(&'static str, String)>,
}

impl Log {
    pub(super) fn new(writer: Writer, filter: Filter) -> Self {
        Self {
            writer,
            filter,
            spans: Mutex::default(),
        }
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spans {
    fn find(&mut self, id: u64) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.id == id)
    }

    /// The innermost that this thread is in.
    fn current(&mut self) -> Option<&mut Open> {
        let here = std::thread::current().id();
        let (_, id) = *self.entered.iter().rev().find(|(thread, _)| *thread == here)?;
        self.find(id)
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.enabled(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match metadata.is_span() {
            true => is_ours(metadata) && self.writer.takes_fields(),
            false => self.filter.wants(metadata, self.writer.level_of(metadata)),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.filter.most().into())
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut words = Words::default();
        attributes.record(&mut words);
        let mut fields = words.fields;
        let mut spans = self.spans();
        let within = match attributes.parent() {
            Some(parent) => spans.find(parent.into_u64()),
            None if attributes.is_contextual() => spans.current(),
            None => None,
        };
        fields.extend(within.map(|within| within.fields.clone()).unwrap_or_default());
        spans.last += 1;
        let id = spans.last;
        spans.open.push(Open {
            id,
            handles: 1,
            metadata: attributes.metadata(),
            fields,
        });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut words = Words::default();
        values.record(&mut words);
        if let Some(open) = self.spans().find(span.into_u64()) {
            open.fields.splice(0..0, words.fields);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        if self.writer.takes_fields() {
            let within = self.spans().current().map(|within| within.fields.clone());
            words.fields.extend(within.unwrap_or_default());
        }
        self.writer.write(event.metadata(), &words);
    }

    fn enter(&self, span: &Id) {
        let entered = (std::thread::current().id(), span.into_u64());
        self.spans().entered.push(entered);
    }

    fn exit(&self, span: &Id) {
        let left = (std::thread::current().id(), span.into_u64());
        let mut spans = self.spans();
        if let Some(place) = spans.entered.iter().rposition(|entered| *entered == left) {
            spans.entered.remove(place);
        }
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some(open) = self.spans().find(span.into_u64()) {
            open.handles += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut spans = self.spans();
        let Some(open) = spans.find(span.into_u64()) else {
            return false;
        };
        open.handles = open.handles.saturating_sub(1);
        let closed = open.handles == 0;
        spans.open.retain(|open| open.handles > 0);
        closed
    }

    fn current_span(&self) -> Current {
        match self.spans().current() {
            Some(open) => Current::new(Id::from_u64(open.id), open.metadata),
            None => Current::none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;

    #[test]
    fn a_span_that_nobody_holds_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::at(&folder.path().join("socket"), "tidemark-x", None).expect("a socket");
        let log = std::sync::Arc::new(Log::new(Writer::Journal(journal), Filter::of(0)));
        tracing::subscriber::with_default(std::sync::Arc::clone(&log), || {
            let outer = tracing::info_span!("outer", sink = "a");
            let held = outer.in_scope(|| {
                let inner = tracing::info_span!("inner", points = 1);
                let entered = inner.enter();
                let current = tracing::Span::current();
                assert_eq!(current.id(), inner.id());
                drop(entered);
                current
            });
            assert!(tracing::Span::current().is_none());
            drop(outer);
            assert_eq!(log.spans().open.len(), 1);
            let fields = [("POINTS", "1".to_owned()), ("SINK", "a".to_owned())];
            assert_eq!(log.spans().open[0].fields, fields);
            drop(held);
            assert!(log.spans().open.is_empty() && log.spans().entered.is_empty());
        });
    }
}
