//! Batches that wait to be committed together.

use std::time::Duration;

use tidemark_collect::Batch;
use tokio::time::Instant;

/// How long the first batch of a group waits for others.
const LINGER: Duration = Duration::from_millis(250);

/// The most points of a group, but for its last batch, and the most batches.
const MAX_POINTS: usize = 50_000;
const MAX_BATCHES: usize = 1000;

/// Batches that wait.
#[derive(Debug, Default)]
pub(super) struct Group {
    batches: Vec<Batch>,
    points: usize,
    due: Option<Instant>,
    hurried: bool,
}

impl Group {
    /// Takes a batch. One without a target waits for no others: there are none at the same time.
    pub(super) fn add(&mut self, batch: Batch) {
        let now = Instant::now();
        let waits = batch.target.is_some() && !self.hurried;
        let due = if waits { now + LINGER } else { now };
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
        self.points += batch.points.len();
        self.batches.push(batch);
        if self.is_full() {
            self.due = Some(now);
        }
    }

    /// Nothing waits for others any more.
    pub(super) fn hurry(&mut self) {
        self.hurried = true;
        self.due = self.due.map(|_| Instant::now());
    }

    /// Whether what comes must wait until the group is committed.
    pub(super) fn is_full(&self) -> bool {
        self.points >= MAX_POINTS || self.batches.len() >= MAX_BATCHES
    }

    /// Waits until the group is to be committed. Safe to drop while it waits.
    pub(super) async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// The batches, in their order; others may come.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        (self.points, self.due) = (0, None);
        std::mem::take(&mut self.batches)
    }
}

#[cfg(test)]
mod tests;
