//! Points that had to go for a bound, and how that is said: in a log once, and then at most each minute. A process that stays
//! over a bound loses some at each commit.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidemark_point::Timestamp;
use tokio::time::Instant;

/// How long the log is silent about losses of one kind after it told of some.
const SILENT: Duration = Duration::from_secs(60);

/// Points that had to go, by sink.
#[derive(Debug, Default)]
pub(super) struct Lost {
    points: BTreeMap<String, (u64, Timestamp)>,
    notices: Vec<String>,
}

impl Lost {
    pub(super) fn add(&mut self, batch: Vec<(String, u64, Timestamp)>) {
        for (sink, points, committed) in batch {
            self.points.entry(sink).or_insert((0, committed)).0 += points;
        }
    }

    /// Says why what was added so far is lost; loudly, since it is lost for good.
    pub(super) fn because(&mut self, why: &'static str, told: &Told) {
        for (sink, (points, since)) in std::mem::take(&mut self.points) {
            let notice = format!("{points} points for {sink}, waiting since {since}, were dropped: {why}");
            match told.add(&sink, why, (points, since), Instant::now()) {
                Some((points, line)) => tracing::warn!(sink, points, "{line}"),
                None => tracing::debug!(sink, points, "{notice}"),
            }
            self.notices.push(notice);
        }
    }

    pub(super) fn notices(self) -> Vec<String> {
        self.notices
    }
}

/// What the log was told of losses, by sink and why.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeMap<(String, &'static str), Kind>>);

/// Losses of one kind.
#[derive(Debug)]
struct Kind {
    told: Instant,
    /// Points that were lost since, and since when the oldest of them waited.
    untold: Option<(u64, Timestamp)>,
}

impl Told {
    /// The points and the line that the log is to be told; none where it is to wait.
    fn add(
        &self,
        sink: &str,
        why: &'static str,
        (points, since): (u64, Timestamp),
        now: Instant,
    ) -> Option<(u64, String)> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kind) = kinds.get_mut(&(sink.to_owned(), why)) else {
            let kind = Kind {
                told: now,
                untold: None,
            };
            kinds.insert((sink.to_owned(), why), kind);
            return Some((points, line(sink, points, since, why)));
        };
        let (before, oldest) = kind.untold.unwrap_or((0, since));
        let (points, since) = (before + points, oldest.min(since));
        if now.saturating_duration_since(kind.told) < SILENT {
            kind.untold = Some((points, since));
            return None;
        }
        *kind = Kind {
            told: now,
            untold: None,
        };
        Some((points, line(sink, points, since, why)))
    }

    /// What was not told yet, as nothing comes that it could be told with.
    pub(super) fn tell_rest(&self) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((sink, why), kind) in &mut *kinds {
            if let Some((points, since)) = kind.untold.take() {
                tracing::warn!(sink, points, "{}", line(sink, points, since, why));
            }
        }
    }
}

fn line(sink: &str, points: u64, since: Timestamp, why: &str) -> String {
    format!("{points} points for {sink}, waiting since {since}, were dropped: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHY: &str = "beyond outbox.max_bytes";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_795_244_400 + seconds).unwrap()
    }

    #[test]
    fn a_loss_is_told_at_once_and_those_after_it_once_a_minute() {
        let told = Told::default();
        let start = Instant::now();
        let add = |sink: &str, why, points, quarters: u32| {
            let now = start + Duration::from_millis(250) * quarters;
            told.add(sink, why, (points, at(i64::from(quarters) / 4)), now)
        };
        let first =
            "10 points for db, waiting since 2026-11-21T07:00:00Z, were dropped: beyond outbox.max_bytes";
        assert_eq!(add("db", WHY, 10, 0), Some((10, first.to_owned())));
        for quarter in 1..240 {
            assert_eq!(add("db", WHY, 10, quarter), None, "{quarter}");
        }
        // Another sink, and another reason, are told at once.
        assert!(add("other", WHY, 1, 5).is_some() && add("db", "older than outbox.max_age", 1, 5).is_some());
        let second =
            "2400 points for db, waiting since 2026-11-21T07:00:00Z, were dropped: beyond outbox.max_bytes";
        assert_eq!(add("db", WHY, 10, 240), Some((2400, second.to_owned())));
        assert_eq!(add("db", WHY, 10, 241), None);
        // After a silence, what was held back is told with what comes.
        assert_eq!(add("db", WHY, 10, 4000).map(|(points, _)| points), Some(20));
    }

    #[test]
    fn what_was_held_back_is_told_at_the_end_and_once() {
        let told = Told::default();
        let now = Instant::now();
        assert!(told.add("db", WHY, (1, at(0)), now).is_some());
        assert!(told.add("db", WHY, (2, at(1)), now).is_none());
        told.tell_rest();
        let kinds = told.0.lock().unwrap();
        assert!(kinds.values().all(|kind| kind.untold.is_none()));
    }
}
