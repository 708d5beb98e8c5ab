//! The places that take batches: what they have in common. Each has a module of its own.

mod discard;
pub(crate) mod http;
mod influxdb;
mod influxdb2;
mod line_protocol;
pub(crate) mod profile;
mod remote_write;
mod resolve;
mod spec;
mod store;
pub(crate) mod textfile;

use std::sync::Arc;
use std::time::Duration;

pub use resolve::{Sinks, SinksError};
pub(crate) use spec::Reach;
pub use spec::SinkSpec;
use tidemark_point::Declarations;

use crate::body::Payload;
use crate::lines::Lines;
use crate::plan::Plan;
use crate::policy::{Later, Outcome};
use crate::sink::line_protocol::LineProtocol;
use crate::sink::remote_write::RemoteWrite;

/// The name by which the flush's own batches go: `only` and `except` of a sink may hold it.
pub const FLUSH_NAME: &str = "tidemark";

/// A place that takes batches.
///
/// It says what came of each request as an [`Outcome`]; what follows from that is the delivery's part, the same for
/// all sinks.
pub(crate) trait Sink {
    /// Whether a compressed body is as good as a plain one.
    fn takes_gzip(&self) -> bool {
        false
    }

    /// Whether it takes no older point of a series after a newer one, and bounds its requests itself: see
    /// [`Sink::plan`].
    fn minds_order(&self) -> bool {
        false
    }

    /// How these lines of a text go to it, where it minds their order.
    fn plan(&self, _text: &[u8], lines: Lines) -> Plan {
        Plan::from(lines)
    }

    /// Hands over lines of the sink's dialect, within the time.
    fn send(&mut self, payload: Payload, time: Duration) -> impl Future<Output = Outcome> + Send;

    /// Lets go of what it holds open.
    fn close(self) -> impl Future<Output = ()> + Send
    where
        Self: Sized + Send,
    {
        async {}
    }
}

/// Any of the sinks.
pub(crate) enum AnySink {
    LineProtocol(LineProtocol),
    RemoteWrite(RemoteWrite),
    Store(Box<store::StoreSink>),
    Discard(discard::Discard),
}

impl AnySink {
    /// Says what is known of the fields of the batches that come.
    pub(crate) fn declare(&mut self, declared: &Arc<Declarations>) {
        if let Self::RemoteWrite(sink) = self {
            sink.declare(declared);
        }
    }

    /// What was left out by rule since this was asked last.
    pub(crate) fn take_notice(&mut self) -> Option<String> {
        match self {
            Self::RemoteWrite(sink) => sink.take_notice(),
            Self::LineProtocol(_) | Self::Store(_) | Self::Discard(_) => None,
        }
    }
}

impl Sink for AnySink {
    fn takes_gzip(&self) -> bool {
        match self {
            Self::LineProtocol(sink) => sink.takes_gzip(),
            Self::RemoteWrite(sink) => sink.takes_gzip(),
            Self::Store(sink) => sink.takes_gzip(),
            Self::Discard(sink) => sink.takes_gzip(),
        }
    }

    fn minds_order(&self) -> bool {
        matches!(self, Self::RemoteWrite(_))
    }

    fn plan(&self, text: &[u8], lines: Lines) -> Plan {
        match self {
            Self::RemoteWrite(sink) => sink.plan(text, lines),
            Self::LineProtocol(_) | Self::Store(_) | Self::Discard(_) => Plan::from(lines),
        }
    }

    async fn send(&mut self, payload: Payload, time: Duration) -> Outcome {
        match self {
            Self::LineProtocol(sink) => sink.send(payload, time).await,
            Self::RemoteWrite(sink) => sink.send(payload, time).await,
            Self::Store(sink) => sink.send(payload, time).await,
            Self::Discard(sink) => sink.send(payload, time).await,
        }
    }

    async fn close(self) {
        match self {
            Self::LineProtocol(sink) => sink.close().await,
            Self::RemoteWrite(sink) => sink.close().await,
            Self::Store(sink) => sink.close().await,
            Self::Discard(sink) => sink.close().await,
        }
    }
}

impl From<Later> for Outcome {
    fn from(later: Later) -> Self {
        Self::Later(later)
    }
}
