//! The outbox: what waits for the sinks, the ledger, the runs, and what was refused.

use std::time::Duration;

use tidemark_point::Timestamp;

use crate::{DeliveryError, Run};

/// Runs kept for each collector.
pub const RUNS_KEPT: u32 = 100;
/// Texts kept of refused points, over all sinks; beyond it the oldest go, their count stays.
pub const MAX_REJECTED_POINTS: u32 = 10_000;
/// Bytes kept of the texts of refused points, over all sinks; beyond it the oldest go, their count stays.
pub const MAX_REJECTED_BYTES: u64 = 8 * 1024 * 1024;

/// An open outbox.
pub struct Outbox {}

/// What became of every point that a sink was to get. Numbers are points; it always adds up:
/// `collected = delivered + waiting + rejected + dropped + superseded`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkLedger {
    /// The sink.
    pub name: String,
    /// Its type, as the settings name it.
    pub kind: String,
    /// Since when it is counted.
    pub since: Timestamp,
    /// The counts are not whole: since then, the outbox was damaged and salvaged.
    pub damaged_since: Option<Timestamp>,
    /// Points committed for it.
    pub collected: u64,
    /// Points that it took.
    pub delivered: u64,
    /// Points that wait.
    pub waiting: u64,
    /// Points that it refused.
    pub rejected: u64,
    /// Points that were given up: by a bound, by damage, by the operator.
    pub dropped: u64,
    /// Points that a newer batch replaced.
    pub superseded: u64,
    /// Of the rejected and dropped ones, those that the operator has acknowledged.
    pub acknowledged: u64,
    /// When the oldest batch that waits was committed.
    pub oldest_waiting: Option<Timestamp>,
    /// Batches that wait and always failed alone: they are tried apart from the others.
    pub parked: u64,
    /// The sink is left alone until then.
    pub backoff_until: Option<Timestamp>,
    /// What went wrong last, and what to do; gone when the sink takes a batch again.
    pub last_error: Option<String>,
    /// It is in no settings any more.
    pub orphaned: bool,
}

impl SinkLedger {
    /// Points that were lost and not acknowledged yet.
    #[must_use]
    pub fn unacknowledged(&self) -> u64 {
        (self.rejected + self.dropped).saturating_sub(self.acknowledged)
    }

    /// Whether the counts add up.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.collected == self.delivered + self.waiting + self.rejected + self.dropped + self.superseded
    }
}

/// A batch that waits for a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingBatch {
    /// Its number; it names the batch in `show` and `drop`.
    pub id: i64,
    /// The sink that it waits for.
    pub sink: String,
    /// Whose points they are.
    pub collector: String,
    /// When it was committed.
    pub committed: Timestamp,
    /// Points that wait.
    pub points: u64,
    /// Bytes of the batch as it is stored.
    pub stored_bytes: u64,
    /// How often it failed.
    pub attempts: u32,
    /// It always failed alone and is left alone until then.
    pub parked_until: Option<Timestamp>,
}

/// A point that a sink refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectedPoint {
    /// Its number.
    pub id: i64,
    /// The sink that refused it.
    pub sink: String,
    /// Whose point it is.
    pub collector: String,
    /// The point in line protocol, without a line break.
    pub line: String,
    /// The server's words.
    pub reason: String,
    /// The answer's HTTP status, where there was one.
    pub status: Option<u16>,
    /// When it was refused.
    pub at: Timestamp,
}

/// What [`Outbox::drop_waiting`] gives up and acknowledges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropSelection {
    /// Of this sink alone; all sinks where there is none.
    pub sink: Option<String>,
    /// This batch alone; all that wait where there is none.
    pub batch: Option<i64>,
    /// Losses are acknowledged and refused points forgotten, and nothing that waits is touched.
    pub losses_only: bool,
}

/// What [`Outbox::drop_waiting`] did. Numbers are points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Points that waited and are given up.
    pub waiting: u64,
    /// Losses of before that are acknowledged now.
    pub acknowledged: u64,
    /// Orphaned sinks that are forgotten.
    pub sinks: Vec<String>,
}

impl Outbox {
    /// The ledger of each sink, configured ones first in their order, then orphaned ones.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn ledger(&self) -> Result<Vec<SinkLedger>, DeliveryError> {
        Ok(Vec::new())
    }

    /// Counts everything again from the tables, and returns what does not agree; nothing for a sound outbox.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn verify(&self) -> Result<Vec<String>, DeliveryError> {
        Ok(Vec::new())
    }

    /// The newest runs of a collector, the newest first.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn runs(&self, collector: &str, limit: u32) -> Result<Vec<Run>, DeliveryError> {
        let _ = (collector, limit);
        Ok(Vec::new())
    }

    /// The newest run of every collector, by name.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn last_runs(&self) -> Result<Vec<Run>, DeliveryError> {
        Ok(Vec::new())
    }

    /// The batches that wait, the oldest first, from one after the batch `after` on.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn waiting(
        &self,
        sink: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<WaitingBatch>, DeliveryError> {
        let _ = (sink, after, limit);
        Ok(Vec::new())
    }

    /// The line protocol of a batch; of the points alone that wait for `sink`, where one is given.
    ///
    /// # Errors
    /// Where there is no such batch, or it is damaged.
    pub async fn body(&self, batch: i64, sink: Option<&str>) -> Result<Vec<u8>, DeliveryError> {
        let _ = (batch, sink);
        Ok(Vec::new())
    }

    /// Points that a sink refused, the newest first.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn rejected(
        &self,
        sink: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RejectedPoint>, DeliveryError> {
        let _ = (sink, limit);
        Ok(Vec::new())
    }

    /// Ends the backoff of a sink (of all where there is none), and lets its parked batches wait with the others.
    ///
    /// # Errors
    /// Where the sink is unknown, or the outbox cannot be written.
    pub async fn retry(&self, sink: Option<&str>) -> Result<(), DeliveryError> {
        let _ = sink;
        Ok(())
    }

    /// Gives up what waits, acknowledges what was lost, forgets refused points, and forgets orphaned sinks.
    ///
    /// # Errors
    /// Where the sink or the batch is unknown, or the outbox cannot be written.
    pub async fn drop_waiting(&self, selection: &DropSelection) -> Result<Dropped, DeliveryError> {
        let _ = selection;
        Ok(Dropped::default())
    }
}

/// How long a statement waits for another process.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
