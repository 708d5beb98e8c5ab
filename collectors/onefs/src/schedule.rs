//! When what is due: pure, on instants that are passed in.
//!
//! Each line of a schedule has an interval and comes at whole multiples of it after the origin, which all lines of a
//! cluster share: lines that fall together are taken together. A tick that passes unheeded is skipped. What failed may be
//! put back: it comes again before its next tick, at most once.

use std::time::Duration;

use tokio::time::Instant;

/// The lines of one cluster.
#[derive(Clone, Debug)]
pub struct Schedule<T> {
    origin: Instant,
    lines: Vec<Line<T>>,
}

#[derive(Clone, Debug)]
struct Line<T> {
    what: T,
    interval: Duration,
    /// When it is due next.
    at: Instant,
    /// When it is tried again, after a failure.
    again: Option<Instant>,
}

impl<T> Line<T> {
    fn at(&self) -> Instant {
        self.again.map_or(self.at, |again| again.min(self.at))
    }
}

impl<T: Clone + PartialEq> Schedule<T> {
    /// A schedule with nothing on it.
    #[must_use]
    pub fn new(origin: Instant) -> Self {
        Self {
            origin,
            lines: Vec::new(),
        }
    }

    /// Puts these on it, each with its interval (at least a millisecond), in place of what is on it. What was on it at
    /// that interval keeps its next moment; what is new is due at the origin, or at once where that is past.
    pub fn set(&mut self, lines: impl IntoIterator<Item = (Duration, T)>, now: Instant) {
        let mut before = std::mem::take(&mut self.lines);
        self.lines = lines
            .into_iter()
            .map(|(interval, what)| {
                let interval = interval.max(Duration::from_millis(1));
                let kept = before
                    .iter()
                    .position(|line| line.interval == interval && line.what == what)
                    .map(|place| before.swap_remove(place));
                kept.unwrap_or_else(|| Line {
                    what,
                    interval,
                    at: now.max(self.origin),
                    again: None,
                })
            })
            .collect();
    }

    /// When the next line is due; none where there are none.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.lines.iter().map(Line::at).min()
    }

    /// Takes what is due now, and how many ticks passed unheeded.
    pub fn take(&mut self, now: Instant) -> Due<T> {
        let mut due = Due {
            lines: Vec::new(),
            missed: 0,
        };
        let origin = self.origin;
        for line in self.lines.iter_mut().filter(|line| line.at() <= now) {
            if line.at <= now {
                let next = tick_after(origin, line.interval, now);
                // One tick is heeded now; those between it and the next are not.
                let passed = ticks(next.duration_since(line.at), line.interval);
                due.missed = due.missed.saturating_add(passed.saturating_sub(1));
                line.at = next;
            }
            line.again = None;
            due.lines.push((line.interval, line.what.clone()));
        }
        due
    }

    /// Has what failed come again at `again`, unless its next tick comes before.
    pub fn put_back(&mut self, what: &T, again: Instant) {
        for line in self.lines.iter_mut().filter(|line| line.what == *what) {
            line.again = Some(again);
        }
    }
}

/// What is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Due<T> {
    /// Each with its interval, in the schedule's order.
    pub lines: Vec<(Duration, T)>,
    /// Ticks that nobody heeded, of all lines.
    pub missed: u64,
}

/// The first multiple of `interval` after `origin` that is after `now`.
fn tick_after(origin: Instant, interval: Duration, now: Instant) -> Instant {
    let since = now.saturating_duration_since(origin);
    if now < origin {
        return origin;
    }
    let next = interval.saturating_mul(u32::try_from(ticks(since, interval) + 1).unwrap_or(u32::MAX));
    origin
        .checked_add(next)
        .filter(|at| *at > now)
        .unwrap_or(now + interval)
}

/// How many whole intervals fit into `span`.
fn ticks(span: Duration, interval: Duration) -> u64 {
    u64::try_from(span.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u64::MAX)
}

/// When the cluster `number` of `count` begins: clusters are spread evenly over `interval`.
///
/// ```
/// use std::time::Duration;
/// use tidemark_onefs::schedule::phase;
///
/// let of = |number| phase(number, 4, Duration::from_secs(5)).as_millis();
/// assert_eq!([of(0), of(1), of(2), of(3)], [0, 1250, 2500, 3750]);
/// ```
#[must_use]
pub fn phase(number: usize, count: usize, interval: Duration) -> Duration {
    let whole = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let count = whole(count.max(1));
    interval.saturating_mul(whole(number).min(count)) / count
}

#[cfg(test)]
mod tests;
