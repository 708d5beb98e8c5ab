//! When a sink that failed is tried again.

use std::time::Duration;

/// No sink is left alone for longer. An instant further ahead is the work of a clock that jumped, and counts as past.
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(60 * 60);
