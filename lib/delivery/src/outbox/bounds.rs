//! How much may wait. Over a bound the oldest batch goes, into the ledger.

use std::path::Path;

use rustix::fs::statvfs;
use sqlx::SqliteConnection;
use tidemark_point::Timestamp;

use super::losses::Lost;
use super::{Outbox, ledger};
use crate::DeliveryError;
use crate::body::Body;

/// What a batch takes beside its body: rows, and the rest of its last page.
const OVERHEAD: u64 = 8 * 1024;

/// The bytes that a body takes.
pub(super) fn size(body: &Body) -> u64 {
    body.bytes.len() as u64 + OVERHEAD
}

/// Whether so many bytes fit without a look into the outbox. (Those who commit at the same time may all fit in the same
/// room; whoever comes next makes good for it.)
pub(super) fn has_room(outbox: &Outbox, incoming: u64) -> bool {
    outbox.bounds.max_age.is_none() && Room::of(outbox).holds(incoming)
}

/// What the bounds leave.
struct Room {
    max_bytes: u64,
    /// Bytes of the outbox's files.
    file: u64,
    /// Bytes that are free on its disk, and that must stay so.
    free: u64,
    keep_free: u64,
}

impl Room {
    fn of(outbox: &Outbox) -> Self {
        let (free, disk) = free_space(outbox);
        Self {
            max_bytes: outbox.bounds.max_bytes.as_bytes(),
            file: size_of_files(&outbox.path),
            free,
            keep_free: outbox.bounds.keep_free.bytes(disk),
        }
    }

    fn holds(&self, incoming: u64) -> bool {
        self.file.saturating_add(incoming) <= self.max_bytes
            && self.free >= self.keep_free.saturating_add(incoming)
    }
}

/// Makes room for so many bytes. What had to go is returned, a notice for each sink that lost something.
pub(super) async fn make_room(
    outbox: &Outbox,
    db: &mut SqliteConnection,
    incoming: u64,
    now: Timestamp,
) -> Result<Vec<String>, DeliveryError> {
    let mut lost = Lost::default();
    if let Some(max_age) = outbox.bounds.max_age {
        let oldest = now.saturating_sub(max_age.as_duration());
        while let Some((batch, _)) = oldest_batch(outbox, db, Some(oldest)).await? {
            lost.add(ledger::give_up(outbox, db, batch).await?);
        }
        lost.because("older than outbox.max_age", &outbox.told);
    }
    let room = Room::of(outbox);
    if room.holds(incoming) {
        return Ok(lost.notices());
    }
    // Pages that are free in the file are used before it grows.
    let (pages, free_pages, page): (i64, i64, i64) = sqlx::query_as(
        "SELECT page_count, freelist_count, page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
    .fetch_one(&mut *db)
    .await
    .map_err(|error| outbox.failed(error))?;
    let bytes = |pages: i64| u64::try_from(pages.saturating_mul(page)).unwrap_or(0);
    let grown = bytes(pages).saturating_add(room.free.saturating_sub(room.keep_free));
    let limit = room.max_bytes.min(grown);
    let mut used = bytes(pages - free_pages);
    while used + incoming > limit {
        let Some((batch, length)) = oldest_batch(outbox, db, None).await? else {
            return Err(DeliveryError::Full {
                path: outbox.path.clone(),
                source: None,
            });
        };
        lost.add(ledger::give_up(outbox, db, batch).await?);
        used = used.saturating_sub(length.max(1));
    }
    let why = if limit == room.max_bytes {
        "beyond outbox.max_bytes"
    } else {
        "beyond outbox.keep_free"
    };
    lost.because(why, &outbox.told);
    Ok(lost.notices())
}

/// The oldest batch (committed before an instant, where one is given), and the bytes of its body.
async fn oldest_batch(
    outbox: &Outbox,
    db: &mut SqliteConnection,
    before: Option<Timestamp>,
) -> Result<Option<(i64, u64)>, DeliveryError> {
    let oldest: Option<(i64, i64, i64)> =
        sqlx::query_as("SELECT id, committed, length(body) FROM batch ORDER BY id LIMIT 1")
            .fetch_optional(&mut *db)
            .await
            .map_err(|error| outbox.failed(error))?;
    Ok(oldest
        .filter(|(_, committed, _)| before.is_none_or(|before| *committed < before.nanos()))
        .map(|(id, _, length)| (id, u64::try_from(length).unwrap_or(0))))
}

/// Bytes of the outbox and its write-ahead log: no less than what is in use.
fn size_of_files(path: &Path) -> u64 {
    let log = format!("{}-wal", path.display());
    [path, Path::new(&log)]
        .iter()
        .map(|path| std::fs::metadata(path).map_or(0, |file| file.len()))
        .sum()
}

/// The bytes that are free for us on the outbox's disk, and all of its bytes; both without bound where nobody says.
fn free_space(outbox: &Outbox) -> (u64, u64) {
    match statvfs(&outbox.dir) {
        Ok(disk) => (
            disk.f_bavail.saturating_mul(disk.f_frsize),
            disk.f_blocks.saturating_mul(disk.f_frsize),
        ),
        Err(_) => (u64::MAX, u64::MAX),
    }
}
