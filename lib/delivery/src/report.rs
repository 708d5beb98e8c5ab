//! What a delivery did, sink by sink.

use tidemark_point::Timestamp;

/// What one delivery did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// One entry for each sink that was to get something, in the order of the settings.
    pub sinks: Vec<SinkReport>,
}

impl Report {
    /// Whether each sink took all that waited for it.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.sinks
            .iter()
            .all(|sink| sink.state == SinkState::Drained && sink.waiting == 0)
    }

    /// Whether a sink takes points, and would have taken more had there been time.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.sinks.iter().any(|sink| sink.state == SinkState::OutOfTime)
    }
}

/// What one delivery did for one sink. Numbers are points.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SinkReport {
    /// The sink's name.
    pub sink: String,
    /// Points that it took.
    pub delivered: u64,
    /// Points that it refused.
    pub rejected: u64,
    /// Points that wait for it still, as far as they could be counted.
    pub waiting: u64,
    /// Why it ended.
    pub state: SinkState,
}

/// Why a delivery to a sink ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkState {
    /// Nothing is left that could be sent now (batches that are parked wait on).
    Drained,
    /// The sink failed not long ago, and is left alone until then.
    BackingOff {
        /// When it is tried again.
        until: Timestamp,
        /// What went wrong.
        said: String,
    },
    /// Another process delivers to it just now.
    Elsewhere,
    /// The time was used up; the rest waits.
    OutOfTime,
    /// The sink could not take it; the rest waits. What went wrong, and what to do.
    Failed(String),
    /// The outbox is damaged. [`Delivery::deliver`](crate::Delivery::deliver) sets it aside and tries again.
    Damaged,
}
