//! Retention: what is too old goes, and the oldest where the store is too large.

use std::time::Duration;

use tidemark_point::Timestamp;

use crate::database::{Database, json_list};
use crate::layout::FAMILIES;
use crate::write::number;
use crate::{Dropped, StoreError};

/// Of the bound, in percent: how far eviction goes below it, so that it is not needed at each write.
const EVICT_TO_PERCENT: u64 = 90;
/// Parts that are looked at for one step of eviction.
const EVICT_STEP: i64 = 256;
/// Free pages in percent of all above which they are given back to the file system.
const FREE_PERCENT: i64 = 25;

/// Bytes of the file that are in use.
pub(crate) async fn used_bytes(database: &mut Database) -> Result<u64, StoreError> {
    let rows = database
        .fetch(
            "read the size",
            sqlx::query("PRAGMA page_count; PRAGMA freelist_count; PRAGMA page_size;"),
        )
        .await?;
    let [pages, free, size] = rows.as_slice() else {
        return Err(database.damaged("it does not tell its size".into()));
    };
    let pages: i64 = database.get(pages, 0)?;
    let free: i64 = database.get(free, 0)?;
    let size: i64 = database.get(size, 0)?;
    Ok((pages - free).saturating_mul(size).max(0).cast_unsigned())
}

/// Enforces both bounds.
///
/// Age counts from the newest sample, or from `now` where that is earlier: so a clock that jumps ahead does not
/// empty the store by itself.
pub(crate) async fn retain(
    database: &mut Database,
    keep: Duration,
    max_bytes: u64,
    now: Timestamp,
) -> Result<Dropped, StoreError> {
    database.begin("BEGIN IMMEDIATE").await?;
    let result = retain_within(database, keep, max_bytes, now).await;
    let dropped = database.end(result).await?;
    if !dropped.is_empty() {
        shrink(database).await?;
    }
    Ok(dropped)
}

async fn retain_within(
    database: &mut Database,
    keep: Duration,
    max_bytes: u64,
    now: Timestamp,
) -> Result<Dropped, StoreError> {
    let mut dropped = Dropped::default();
    let newest = newest(database).await?;
    let cutoff = now.min(newest.unwrap_or(now)).saturating_sub(keep);
    dropped.expired += expire_chunks(database, cutoff).await?;
    dropped.expired += expire_rows(database, cutoff).await?;
    if used_bytes(database).await? > max_bytes {
        evict(database, max_bytes / 100 * EVICT_TO_PERCENT, &mut dropped).await?;
    }
    // Also after compaction: rows of a layout may all have become chunks of others.
    let query = sqlx::query(
        "DELETE FROM layout WHERE id NOT IN (SELECT layout FROM fresh UNION ALL SELECT layout FROM chunk)",
    );
    database.execute("delete layouts", query).await?;
    Ok(dropped)
}

async fn newest(database: &mut Database) -> Result<Option<Timestamp>, StoreError> {
    let newest = number(
        database,
        "look for the newest sample",
        "SELECT max(last) FROM (SELECT max(last) AS last FROM fresh WHERE layout <> 0 \
         UNION ALL SELECT max(last) FROM chunk)",
    )
    .await?;
    Ok(newest.map(Timestamp::from_nanos_clamped))
}

async fn expire_chunks(database: &mut Database, cutoff: Timestamp) -> Result<u64, StoreError> {
    // By family, for the index.
    let query = sqlx::query(
        "DELETE FROM chunk WHERE family IN (SELECT value FROM json_each(?)) AND last < ? RETURNING samples",
    )
    .bind(json_list((0..FAMILIES).map(i64::from)))
    .bind(cutoff.nanos());
    let mut expired = 0_u64;
    for row in database.fetch("delete old chunks", query).await? {
        expired += database.get::<i64>(&row, 0)?.cast_unsigned();
    }
    Ok(expired)
}

async fn expire_rows(database: &mut Database, cutoff: Timestamp) -> Result<u64, StoreError> {
    let query = sqlx::query("SELECT sum(samples), max(id) FROM fresh WHERE last < ? AND layout <> 0")
        .bind(cutoff.nanos());
    let rows = database.fetch("look for old rows", query).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    let Some(last_id) = database.get::<Option<i64>>(row, 1)? else {
        return Ok(0);
    };
    let expired = database.get::<Option<i64>>(row, 0)?.unwrap_or(0).cast_unsigned();
    let query =
        sqlx::query("DELETE FROM fresh WHERE (last < ? OR layout = 0) AND id < (SELECT max(id) FROM fresh)")
            .bind(cutoff.nanos());
    database.execute("delete old rows", query).await?;
    delete_row(database, last_id).await?;
    Ok(expired)
}

/// Deletes a row. The one with the largest id is emptied instead: ids are the order of writing, and SQLite would
/// give that id out again.
async fn delete_row(database: &mut Database, id: i64) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE fresh SET layout = 0, samples = 0, data = x'' \
         WHERE id = ? AND id = (SELECT max(id) FROM fresh)",
    )
    .bind(id);
    if database.execute("empty a row", query).await?.rows_affected() == 0 {
        let query = sqlx::query("DELETE FROM fresh WHERE id = ?").bind(id);
        database.execute("delete a row", query).await?;
    }
    Ok(())
}

/// Deletes the oldest parts until no more than `target` bytes are in use.
async fn evict(database: &mut Database, target: u64, dropped: &mut Dropped) -> Result<(), StoreError> {
    loop {
        let used = used_bytes(database).await?;
        let mut excess = used.saturating_sub(target);
        if excess == 0 {
            return Ok(());
        }
        let query = sqlx::query(
            "SELECT 0, id, first, last, samples, length(data) AS len FROM fresh WHERE layout <> 0 \
             UNION ALL SELECT 1, id, first, last, samples, length(data) FROM chunk ORDER BY 4, 2 LIMIT ?",
        )
        .bind(EVICT_STEP);
        let rows = database.fetch("look for the oldest", query).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            if excess == 0 {
                break;
            }
            let id: i64 = database.get(row, 1)?;
            if database.get::<i64>(row, 0)? == 0 {
                delete_row(database, id).await?;
            } else {
                let query = sqlx::query("DELETE FROM chunk WHERE id = ?").bind(id);
                database.execute("delete a chunk", query).await?;
            }
            let first = Timestamp::from_nanos_clamped(database.get(row, 2)?);
            let last = Timestamp::from_nanos_clamped(database.get(row, 3)?);
            dropped.merge(&Dropped {
                evicted: database.get::<i64>(row, 4)?.cast_unsigned(),
                evicted_range: Some((first, last)),
                ..Dropped::default()
            });
            excess = excess.saturating_sub(database.get::<i64>(row, 5)?.cast_unsigned());
        }
    }
}

/// Gives free pages back to the file system where they are many.
async fn shrink(database: &mut Database) -> Result<(), StoreError> {
    let pages = number(database, "read the size", "PRAGMA page_count")
        .await?
        .unwrap_or(0);
    let free = number(database, "read the size", "PRAGMA freelist_count")
        .await?
        .unwrap_or(0);
    if free.saturating_mul(100) > pages.saturating_mul(FREE_PERCENT) {
        database
            .fetch("shrink the file", sqlx::query("PRAGMA incremental_vacuum"))
            .await?;
    }
    Ok(())
}
