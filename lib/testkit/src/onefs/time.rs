//! What time a cluster has.

use std::time::UNIX_EPOCH;

/// Where a cluster's time comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Time {
    /// It stands still, at so many seconds since the epoch.
    At(i64),
    /// A second more at each request: no two answers are of the same time.
    Counting(i64),
    /// The real one.
    Real,
}

impl Time {
    /// Seconds since the epoch, as a request finds them.
    pub(super) fn now(&mut self) -> i64 {
        match self {
            Self::At(seconds) => *seconds,
            Self::Counting(seconds) => {
                *seconds += 1;
                *seconds
            }
            Self::Real => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "what asks a cluster has the real time, so the cluster has it too"
                )]
                let now = std::time::SystemTime::now();
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            }
        }
    }
}
