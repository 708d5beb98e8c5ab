//! Bounds, and how long a sample is shown.

use std::time::Duration;

/// No sample is shown for less than what this interval gives.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(5);
/// The least by which the next answer may be late.
pub const SHORTEST_GRACE: Duration = Duration::from_secs(5);
/// The most by which the next answer may be late.
pub const LONGEST_GRACE: Duration = Duration::from_secs(60);

/// How long a sample is shown that is measured anew at each interval: the interval, of 5 s at least, and half of it for
/// the next answer to come (5 s at least, 60 s at most).
///
/// ```
/// use std::time::Duration;
/// use tidemark_expose::lifetime;
/// assert_eq!(lifetime(Duration::from_secs(1)), Duration::from_secs(10));
/// assert_eq!(lifetime(Duration::from_secs(30)), Duration::from_secs(45));
/// assert_eq!(lifetime(Duration::from_secs(300)), Duration::from_secs(360));
/// ```
#[must_use]
pub fn lifetime(interval: Duration) -> Duration {
    let interval = interval.max(SHORTEST_INTERVAL);
    interval.saturating_add((interval / 2).clamp(SHORTEST_GRACE, LONGEST_GRACE))
}

/// The text of the labels that one set of samples may hold, in bytes; what goes beyond is left out and counted.
pub(crate) const MAX_LABEL_BYTES: usize = 64 << 20;
/// The samples that one set may hold; what goes beyond is left out and counted.
pub(crate) const MAX_SAMPLES: usize = 8 << 20;

/// The connections of one listener. One more ends the one that has waited for longest, see
/// [`Connections`](crate::connections::Connections).
pub(crate) const MAX_CONNECTIONS: usize = 64;
/// A request's line and header.
pub(crate) const MAX_HEADER_BYTES: usize = 16 << 10;
/// Fields of a request's header.
pub(crate) const MAX_HEADERS: usize = 64;

/// How a listener deals with slow askers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long a TLS handshake may take.
    pub(crate) handshake: Duration,
    /// How long a request's header may take, counted from the answer before: longer than the usual scrape intervals, so
    /// that a server keeps its connection.
    pub(crate) header: Duration,
    /// How long an asker may take to read an answer, however long the answer is.
    pub(crate) answer: Duration,
    /// How long answers that are under way may take once the listener is to close.
    pub(crate) close: Duration,
}

impl Patience {
    pub(crate) const DEFAULT: Patience = Patience {
        handshake: Duration::from_secs(10),
        header: Duration::from_secs(65),
        answer: Duration::from_secs(60),
        close: Duration::from_secs(5),
    };
}
