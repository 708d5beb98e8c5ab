//! A damaged outbox: set aside under a lock of all processes, what can be read of it kept, what cannot be counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::{LOCK_WAIT, Outbox, queue, schema};
use crate::delivery::OpenOptions;
use crate::lock::{self, FileLock, Mode};
use crate::{DeliveryError, Sinks};

/// Rows in a row that cannot be read before a damaged table is given up from there on.
const MAX_GAP: i64 = 10_000;

impl Outbox {
    /// Sets the outbox aside if it is damaged, after all of this process have closed it.
    pub(crate) async fn set_damaged_aside(options: &OpenOptions) -> Result<Vec<String>, DeliveryError> {
        let path = options.dir.join(schema::FILE);
        let what = "SQLite cannot read it".to_owned();
        let found = DeliveryError::Damaged {
            path: path.clone(),
            what,
            source: None,
        };
        set_aside(options, &path, found).await
    }
}

/// Sets a damaged outbox aside, and starts a new one with what can be read of it. Nothing is done, and nothing comes
/// back, where another process has done it meanwhile.
pub(super) async fn set_aside(
    options: &OpenOptions,
    path: &Path,
    found: DeliveryError,
) -> Result<Vec<String>, DeliveryError> {
    let lock = lock::outbox(&options.dir);
    let Some(_alone) = FileLock::wait(&lock, Mode::Exclusive, LOCK_WAIT).await? else {
        return Err(found);
    };
    if is_sound(path).await {
        return Ok(Vec::new());
    }
    let now = options.clock.now();
    let aside = free_name(path, now);
    rename(path, &aside)?;
    // With a schema that may be written, SQLite also reads a file that is cut short.
    let mut old = match schema::options(&aside)
        .pragma("writable_schema", "ON")
        .connect()
        .await
    {
        Ok(old) => Some(old),
        Err(error) => {
            tracing::debug!("nothing can be read of {}: {error}", aside.display());
            None
        }
    };
    let mut new = schema::open(path).await?;
    let salvaged = match &mut old {
        Some(old) => salvage(old, &mut new, &options.sinks, now).await,
        None => Ok(Salvaged::default()),
    };
    let salvaged = salvaged.map_err(|error| DeliveryError::sqlite(path, error))?;
    mark_damaged(&mut new, &options.sinks, now)
        .await
        .map_err(|error| DeliveryError::sqlite(path, error))?;
    if let Some(old) = old {
        // What is damaged may not close; it stays as it is.
        let _ = old.close().await;
    }
    new.close()
        .await
        .map_err(|error| DeliveryError::sqlite(path, error))?;
    let notice = format!(
        "the outbox {} was damaged: it was set aside as {}; {} waiting batches were saved, {} points are known to be lost",
        path.display(),
        aside.display(),
        salvaged.batches,
        salvaged.lost
    );
    tracing::warn!("{notice}");
    Ok(vec![notice])
}

/// Whether the outbox opens and SQLite finds nothing wrong with it.
async fn is_sound(path: &Path) -> bool {
    let Ok(mut db) = schema::open(path).await else {
        return false;
    };
    let check: Result<String, _> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut db)
        .await;
    let _ = db.close().await;
    check.is_ok_and(|check| check == "ok")
}

/// `outbox.db.damaged-TIME`, with a number behind it where that is taken.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let time: String = now
        .to_string()
        .chars()
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    let name = format!(
        "{}.damaged-{}",
        path.display(),
        time.split('.').next().unwrap_or_default().trim_end_matches('Z')
    );
    let mut free = PathBuf::from(&name);
    let mut number = 1;
    while free.exists() {
        number += 1;
        free = PathBuf::from(format!("{name}-{number}"));
    }
    free
}

/// Renames the file and its write-ahead log. The index of the log is made anew by who opens it.
fn rename(path: &Path, aside: &Path) -> Result<(), DeliveryError> {
    let with = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let failed = |source| DeliveryError::File {
        path: path.to_path_buf(),
        source,
    };
    // The log first: without its file it is nothing, the file without it is still an outbox.
    let log = with(path, "-wal");
    if log.exists() {
        fs::rename(&log, with(aside, "-wal")).map_err(failed)?;
    }
    let index = with(path, "-shm");
    if index.exists() {
        fs::remove_file(&index).map_err(failed)?;
    }
    fs::rename(path, aside).map_err(failed)?;
    // The names are durable with their folder.
    if let Some(folder) = path.parent() {
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
    }
    Ok(())
}

/// What came over from a damaged outbox.
#[derive(Debug, Default)]
struct Salvaged {
    batches: u64,
    lost: i64,
}

type SinkRow = (
    i64,
    String,
    String,
    i64,
    Option<i64>,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
);
type BatchRow = (String, bool, i64, i64, i64, bool, i64, i64, Vec<u8>);
type DeliveryRow = (i64, i64, String, i64, Option<String>);

async fn salvage(
    old: &mut SqliteConnection,
    new: &mut SqliteConnection,
    sinks: &Sinks,
    now: Timestamp,
) -> Result<Salvaged, sqlx::Error> {
    let mut salvaged = Salvaged::default();
    let mut new = new.begin().await?;
    let known = sink_rows(old, &mut new).await?;
    let (deliveries, batches) = what_waits(old, known.keys().copied()).await;
    // Numbers go on where they were: an operator has seen them.
    if let Some(last) = batches.last() {
        sqlx::query("INSERT INTO sqlite_sequence (name, seq) VALUES ('batch', ?)")
            .bind(last)
            .execute(&mut *new)
            .await?;
    }
    let mut waiting: BTreeMap<i64, i64> = BTreeMap::new();
    for batch in batches {
        let row: Result<Option<BatchRow>, _> = sqlx::query_as(
            "SELECT collector, own, committed, points, encoding, uints, length, crc, body FROM batch WHERE id = ?",
        )
        .bind(batch)
        .fetch_optional(&mut *old)
        .await;
        let Ok(Some(row)) = row else { continue };
        let (collector, own, committed, points, encoding, uints, length, crc, body) = row;
        let Ok(body) = queue::unpack(points, encoding, uints, length, crc, body) else {
            continue;
        };
        let mut to = deliveries.get(&batch).cloned().unwrap_or_default();
        if to.is_empty() {
            // Who it waits for is lost: all that take it get it; again is no harm.
            for sink in sinks.iter().filter(|sink| sink.takes(&collector)) {
                let id = sink_row(&mut new, sink.name(), sink.kind(), now).await?;
                to.push((
                    id,
                    if own {
                        format!("{collector}/own")
                    } else {
                        collector.clone()
                    },
                    points,
                    None,
                ));
            }
        }
        sqlx::query(
            "INSERT INTO batch (id, collector, own, committed, points, encoding, uints, length, crc, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(batch)
        .bind(&collector)
        .bind(own)
        .bind(committed)
        .bind(points)
        .bind(encoding)
        .bind(uints)
        .bind(length)
        .bind(crc)
        .bind(body.bytes)
        .execute(&mut *new)
        .await?;
        for (sink, lane, points, rest) in to {
            sqlx::query("INSERT INTO delivery (sink, batch, lane, points, rest) VALUES (?, ?, ?, ?, ?)")
                .bind(sink)
                .bind(batch)
                .bind(lane)
                .bind(points)
                .bind(rest)
                .execute(&mut *new)
                .await?;
            *waiting.entry(sink).or_default() += points;
        }
        salvaged.batches += 1;
    }
    salvaged.lost = balance(&mut new, &known, &waiting).await?;
    runs_and_rejected(old, &mut new).await?;
    new.commit().await?;
    Ok(salvaged)
}

/// Copies the ledger's rows; with each sink, the points that waited for it.
async fn sink_rows(
    old: &mut SqliteConnection,
    new: &mut SqliteConnection,
) -> Result<BTreeMap<i64, i64>, sqlx::Error> {
    let mut known = BTreeMap::new();
    let rows: Vec<SinkRow> = sqlx::query_as(
        "SELECT id, name, kind, since, damaged_since, collected, delivered, waiting, rejected, dropped, superseded,
                acknowledged FROM sink",
    )
    .fetch_all(&mut *old)
    .await
    .unwrap_or_default();
    for (
        id,
        name,
        kind,
        since,
        damaged,
        collected,
        delivered,
        waiting,
        rejected,
        dropped,
        superseded,
        acknowledged,
    ) in rows
    {
        sqlx::query(
            "INSERT INTO sink (id, name, kind, since, damaged_since, collected, delivered, waiting, rejected, dropped,
                               superseded, acknowledged) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(name)
        .bind(kind)
        .bind(since)
        .bind(damaged)
        .bind(collected)
        .bind(delivered)
        .bind(waiting)
        .bind(rejected)
        .bind(dropped)
        .bind(superseded)
        .bind(acknowledged)
        .execute(&mut *new)
        .await?;
        known.insert(id, waiting);
    }
    Ok(known)
}

/// The deliveries by batch (sink, lane, points, rest), and the numbers of all batches that are still mentioned.
async fn what_waits(
    old: &mut SqliteConnection,
    sinks: impl Iterator<Item = i64>,
) -> (
    BTreeMap<i64, Vec<(i64, String, i64, Option<String>)>>,
    BTreeSet<i64>,
) {
    let mut deliveries: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for sink in sinks {
        let (mut after, mut gap) = (0, 0);
        while gap < MAX_GAP {
            let row: Result<Option<DeliveryRow>, _> = sqlx::query_as(
                "SELECT sink, batch, lane, points, rest FROM delivery WHERE sink = ? AND batch > ? ORDER BY batch LIMIT 1",
            )
            .bind(sink)
            .bind(after)
            .fetch_optional(&mut *old)
            .await;
            match row {
                Ok(Some((sink, batch, lane, points, rest))) => {
                    deliveries
                        .entry(batch)
                        .or_default()
                        .push((sink, lane, points, rest));
                    (after, gap) = (batch, 0);
                }
                Ok(None) => break,
                Err(_) => (after, gap) = (after + 1, gap + 1),
            }
        }
    }
    let mut batches: BTreeSet<i64> = deliveries.keys().copied().collect();
    let (mut after, mut gap) = (0, 0);
    while gap < MAX_GAP {
        let row: Result<Option<i64>, _> =
            sqlx::query_scalar("SELECT id FROM batch WHERE id > ? ORDER BY id LIMIT 1")
                .bind(after)
                .fetch_optional(&mut *old)
                .await;
        match row {
            Ok(Some(batch)) => {
                batches.insert(batch);
                (after, gap) = (batch, 0);
            }
            Ok(None) => break,
            Err(_) => (after, gap) = (after + 1, gap + 1),
        }
    }
    (deliveries, batches)
}

/// Makes each ledger add up again: what waited and did not come over is lost. How many points are.
async fn balance(
    new: &mut SqliteConnection,
    known: &BTreeMap<i64, i64>,
    waiting: &BTreeMap<i64, i64>,
) -> Result<i64, sqlx::Error> {
    let mut all_lost = 0;
    for sink in known
        .keys()
        .chain(waiting.keys())
        .copied()
        .collect::<BTreeSet<i64>>()
    {
        let now = waiting.get(&sink).copied().unwrap_or(0);
        let lost = (known.get(&sink).copied().unwrap_or(0) - now).max(0);
        all_lost += lost;
        sqlx::query("UPDATE sink SET waiting = ?2, dropped = dropped + ?3 WHERE id = ?1")
            .bind(sink)
            .bind(now)
            .bind(lost)
            .execute(&mut *new)
            .await?;
        sqlx::query(
            "UPDATE sink SET collected = delivered + waiting + rejected + dropped + superseded WHERE id = ?",
        )
        .bind(sink)
        .execute(&mut *new)
        .await?;
    }
    Ok(all_lost)
}

/// Copies what can be read of the rest; a report is no reason to fail.
async fn runs_and_rejected(
    old: &mut SqliteConnection,
    new: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    type RunRow = (
        String,
        Option<String>,
        i64,
        i64,
        i64,
        bool,
        i64,
        String,
        String,
        Option<String>,
    );
    let runs: Vec<RunRow> = sqlx::query_as(
        "SELECT collector, target, started, duration, interval, ok, points, gaps, notices, error FROM run ORDER BY id",
    )
    .fetch_all(&mut *old)
    .await
    .unwrap_or_default();
    for (collector, target, started, duration, interval, ok, points, gaps, notices, error) in runs {
        sqlx::query(
            "INSERT INTO run (collector, target, started, duration, interval, ok, points, gaps, notices, error)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(collector)
        .bind(target)
        .bind(started)
        .bind(duration)
        .bind(interval)
        .bind(ok)
        .bind(points)
        .bind(gaps)
        .bind(notices)
        .bind(error)
        .execute(&mut *new)
        .await?;
    }
    type RejectedRow = (i64, String, String, String, Option<i64>, i64);
    let rejected: Vec<RejectedRow> =
        sqlx::query_as("SELECT sink, collector, line, reason, status, at FROM rejected ORDER BY id")
            .fetch_all(&mut *old)
            .await
            .unwrap_or_default();
    for (sink, collector, line, reason, status, at) in rejected {
        sqlx::query(
            "INSERT INTO rejected (sink, collector, line, reason, status, at) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(sink)
        .bind(collector)
        .bind(line)
        .bind(reason)
        .bind(status)
        .bind(at)
        .execute(&mut *new)
        .await?;
    }
    Ok(())
}

/// The row of a sink, made where it is not there.
async fn sink_row(
    db: &mut SqliteConnection,
    name: &str,
    kind: &str,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO sink (name, kind, since) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind
         RETURNING id",
    )
    .bind(name)
    .bind(kind)
    .bind(now.nanos())
    .fetch_one(db)
    .await
}

/// Notes in every ledger that the counts of before may not be whole.
async fn mark_damaged(db: &mut SqliteConnection, sinks: &Sinks, now: Timestamp) -> Result<(), sqlx::Error> {
    for sink in sinks.iter() {
        sink_row(db, sink.name(), sink.kind(), now).await?;
    }
    sqlx::query("UPDATE sink SET damaged_since = coalesce(damaged_since, ?)")
        .bind(now.nanos())
        .execute(db)
        .await?;
    Ok(())
}
