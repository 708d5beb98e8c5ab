//! When a cluster that has failed is asked again. Pure: time and chance are handed in.

use std::time::Duration;

use tidemark_collect::Timestamp;

/// The longest that a cluster rests on its own word (`Retry-After`), or on ours.
const LONGEST: Duration = Duration::from_hours(1);
/// How long after its rest a cluster has to be well for a failure to be forgotten that comes back between successes.
const SETTLED: Duration = Duration::from_mins(10);

/// What kind of failure it was: how long a cluster rests depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// It may go away by itself: no connection, no answer in time, a busy cluster.
    Passing,
    /// Sessions are refused.
    Session,
    /// The certificate is not to be trusted, or no client can be made.
    Certificate,
    /// What answers is not OneFS, or says more than OneFS would.
    NotOneFs,
    /// User or password are refused. Each try counts towards a lock-out of the account.
    Credentials,
}

impl Trouble {
    /// The wait after the first failure, and the longest; it doubles in between.
    fn waits(self) -> (Duration, Duration) {
        match self {
            Self::Passing => (Duration::from_secs(5), Duration::from_mins(5)),
            Self::Session => (Duration::from_secs(10), Duration::from_mins(30)),
            Self::Certificate | Self::NotOneFs => (Duration::from_secs(30), Duration::from_mins(10)),
            Self::Credentials => (Duration::from_mins(30), LONGEST),
        }
    }

    /// Whether some requests may succeed while it goes on: nodes that refuse each other's sessions accept their own.
    fn comes_back(self) -> bool {
        matches!(self, Self::Session | Self::NotOneFs)
    }

    /// The wait after so many failures in a row (from 1), before chance.
    fn wait(self, failures: u32) -> Duration {
        let (first, longest) = self.waits();
        let doublings = failures.saturating_sub(1).min(20);
        first.saturating_mul(1 << doublings).min(longest)
    }
}

/// How often a cluster has failed in a row, and until when it rests.
///
/// Requests run side by side: those that began before a failure became known belong to it and make it no worse. A
/// request notes [`step`](Self::step) when it begins, and hands it in when it fails.
///
/// ```
/// use std::time::Duration;
/// use tidemark_collect::Timestamp;
/// use tidemark_papi::{Backoff, Trouble};
///
/// let mut backoff = Backoff::default();
/// let now = Timestamp::EPOCH;
/// let step = backoff.step();
/// backoff.failed(step, Trouble::Passing, now, None, 0);
/// assert!(backoff.rests(now).is_some());
/// assert_eq!(backoff.rests(now.saturating_add(Duration::from_secs(5))), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    /// Failures in a row.
    failures: u32,
    trouble: Option<Trouble>,
    until: Option<Timestamp>,
    step: u64,
}

impl Backoff {
    /// The step that a request which begins now belongs to.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Until when it rests; `None` where it may be asked now. An instant further ahead than the longest wait comes
    /// from a clock that has jumped: it is past.
    pub fn rests(&self, now: Timestamp) -> Option<Timestamp> {
        self.until
            .filter(|until| now < *until && *until <= now.saturating_add(LONGEST))
    }

    /// A request of that step has failed. `retry_after` is what the cluster asked for; `random` is any number: the wait
    /// is from half of its bound to the whole, so that many clusters that failed together do not come back together.
    /// The wait after refused credentials is never less than its bound.
    ///
    /// True where this is a new failure, false where the step is over already.
    pub fn failed(
        &mut self,
        step: u64,
        trouble: Trouble,
        now: Timestamp,
        retry_after: Option<Duration>,
        random: u64,
    ) -> bool {
        // A password that was refused is worth more than what else failed beside it.
        let graver = trouble == Trouble::Credentials && self.trouble != Some(Trouble::Credentials);
        if step != self.step && !graver {
            return false;
        }
        self.failures = if self.trouble == Some(trouble) {
            self.failures.saturating_add(1)
        } else {
            1
        };
        self.trouble = Some(trouble);
        self.step += 1;
        let bound = trouble.wait(self.failures);
        let wait = match trouble {
            Trouble::Credentials => bound,
            _ => bound / 2 + jitter(bound / 2, random),
        };
        let wait = wait.max(retry_after.unwrap_or_default()).min(LONGEST);
        self.until = Some(now.saturating_add(wait));
        true
    }

    /// A request has succeeded: all is well from here on. One that began before the last failure changes nothing. Where
    /// sessions were refused, or what answered was not OneFS, that comes back between successes: it is forgotten once it
    /// has not for ten minutes.
    pub fn succeeded(&mut self, step: u64, now: Timestamp) {
        let is_recent =
            |until: Timestamp| now < until.saturating_add(SETTLED) && until <= now.saturating_add(LONGEST);
        let lingers = self.trouble.is_some_and(Trouble::comes_back) && self.until.is_some_and(is_recent);
        if step == self.step && self.failures > 0 && !lingers {
            *self = Self {
                step: self.step + 1,
                ..Self::default()
            };
        }
    }

    /// It may be asked at once, whatever was before: the settings are new.
    pub fn forget(&mut self) {
        *self = Self {
            step: self.step + 1,
            ..Self::default()
        };
    }
}

/// From nothing to the whole.
fn jitter(bound: Duration, random: u64) -> Duration {
    let bound = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random % bound.saturating_add(1))
}

#[cfg(test)]
mod tests;
