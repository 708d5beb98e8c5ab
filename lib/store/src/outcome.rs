//! What a write did, told to the caller, who counts and reports it.

use std::fmt;
use std::path::PathBuf;

use tidemark_point::Timestamp;

/// What one write did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Written {
    /// Points that are stored now, durably.
    pub points: u64,
    /// Their samples: one for each field.
    pub samples: u64,
    /// What had to go by the store's bounds, old data first.
    pub dropped: Dropped,
    /// The damaged store that was set aside before this write, where there was one.
    pub set_aside: Option<SetAside>,
    /// Why compaction and retention, which were due with this write, could not be done: for a notice. The points are
    /// stored all the same, and the next time comes by itself.
    pub upkeep_failed: Option<String>,
}

/// What retention took away.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Dropped {
    /// Samples that were older than the store keeps.
    pub expired: u64,
    /// Samples that went because the store was larger than its bound, though not old enough to expire.
    pub evicted: u64,
    /// The times of the first and the last of the evicted ones.
    pub evicted_range: Option<(Timestamp, Timestamp)>,
    /// Samples that were lost because their bytes on the disk had changed.
    pub damaged: u64,
}

impl Dropped {
    /// Whether nothing went.
    pub fn is_empty(&self) -> bool {
        self.expired == 0 && self.evicted == 0 && self.damaged == 0
    }

    /// Adds what another retention took away.
    pub fn merge(&mut self, other: &Self) {
        self.expired += other.expired;
        self.evicted += other.evicted;
        self.damaged += other.damaged;
        self.evicted_range = match (self.evicted_range, other.evicted_range) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (range, None) | (None, range) => range,
        };
    }
}

/// One line for a notice.
impl fmt::Display for Dropped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} samples expired", self.expired)?;
        if let Some((first, last)) = self.evicted_range {
            write!(
                out,
                ", {} from {first} to {last} dropped for store.max_bytes",
                self.evicted
            )?;
        }
        if self.damaged > 0 {
            write!(out, ", {} lost to damage on the disk", self.damaged)?;
        }
        Ok(())
    }
}

/// A damaged store that was moved out of the way; a new one was started. The newest three are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SetAside {
    /// Where the store is.
    pub path: PathBuf,
    /// Where the damaged file is now; its write-ahead log, where it had one, is beside it with `-wal`.
    pub moved_to: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}

/// One line for a notice.
impl fmt::Display for SetAside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "the store {} was damaged ({}): set aside as {}, started anew",
            self.path.display(),
            self.reason,
            self.moved_to.display()
        )
    }
}

/// How large a store is, and what it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// Bytes of the file that are in use.
    pub bytes: u64,
    /// Samples stored; one that was written twice counts twice until compaction.
    pub samples: u64,
    /// Batch rows that are not compacted yet.
    pub rows: u64,
    /// Chunks.
    pub chunks: u64,
    /// Layouts (ordered lists of series).
    pub layouts: u64,
    /// The times of the oldest and the newest sample.
    pub range: Option<(Timestamp, Timestamp)>,
}
