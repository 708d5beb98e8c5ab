//! The bounds of a store.

use std::time::Duration;

/// How much a store keeps, and how long it waits for another writer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Samples older than this may go (15 days).
    pub keep: Duration,
    /// Bytes in use in the file above which the oldest parts go (1 GiB). The write-ahead log beside it adds a
    /// few MiB at most while no reader holds it open.
    pub max_bytes: u64,
    /// How long a write waits for another process's (5 s).
    pub busy_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(15 * 24 * 60 * 60),
            max_bytes: 1 << 30,
            busy_timeout: Duration::from_secs(5),
        }
    }
}

impl StoreOptions {
    /// The defaults with other bounds.
    pub fn new(keep: Duration, max_bytes: u64) -> Self {
        Self {
            keep,
            max_bytes,
            ..Self::default()
        }
    }
}
