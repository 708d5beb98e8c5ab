//! What can be read of a damaged outbox, row by row, and what cannot, counted.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::commit::lane;
use super::queue;
use crate::Sinks;

/// Rows in a row that cannot be read before a damaged table is given up from there on.
const MAX_GAP: i64 = 10_000;

/// What came over from a damaged outbox.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    pub(super) batches: u64,
    /// Points that are known to be lost.
    pub(super) lost: i64,
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
type BatchRow = (
    String,
    bool,
    i64,
    i64,
    i64,
    bool,
    Option<String>,
    i64,
    i64,
    i64,
    Vec<u8>,
);
type DeliveryRow = (i64, i64, String, i64, Option<String>);

/// Copies what can be read of a damaged outbox into a new one.
pub(super) async fn salvage(
    old: &mut SqliteConnection,
    new: &mut SqliteConnection,
    sinks: &Sinks,
    now: Timestamp,
) -> Result<Salvaged, sqlx::Error> {
    let mut salvaged = Salvaged::default();
    let mut new = new.begin().await?;
    let first_version = is_first_version(old).await;
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
        let row: Result<Option<BatchRow>, _> = sqlx::query_as(match first_version {
            true => {
                "SELECT collector, own, committed, points, encoding, uints, NULL, 0, length, crc, body
                 FROM batch WHERE id = ?"
            }
            false => {
                "SELECT collector, own, committed, points, encoding, uints, target, part, length, crc, body
                 FROM batch WHERE id = ?"
            }
        })
        .bind(batch)
        .fetch_optional(&mut *old)
        .await;
        let Ok(Some(row)) = row else { continue };
        let (collector, own, committed, points, encoding, uints, target, part, length, crc, body) = row;
        let Ok(body) = queue::unpack(points, encoding, uints, length, crc, body) else {
            continue;
        };
        let mut to = deliveries.get(&batch).cloned().unwrap_or_default();
        if to.is_empty() {
            // Who it waits for is lost: all that take it get it; again is no harm.
            for sink in sinks.iter().filter(|sink| sink.takes(&collector)) {
                let id = sink_row(&mut new, sink.name(), sink.kind(), now).await?;
                to.push((id, lane(&collector, own), points, None));
            }
        }
        sqlx::query(
            "INSERT INTO batch (id, collector, own, committed, points, encoding, uints, target, part, length, crc, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(batch)
        .bind(&collector)
        .bind(own)
        .bind(committed)
        .bind(points)
        .bind(encoding)
        .bind(uints)
        .bind(target)
        .bind(part)
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
    reports(old, &mut new, first_version).await?;
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

/// Whether the outbox was damaged before it could be migrated from version 1.
async fn is_first_version(old: &mut SqliteConnection) -> bool {
    let columns: Result<i64, _> =
        sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('batch') WHERE name = 'part'")
            .fetch_one(old)
            .await;
    columns.is_ok_and(|columns| columns == 0)
}

/// Copies what can be read of the rest; a report is no reason to fail.
async fn reports(
    old: &mut SqliteConnection,
    new: &mut SqliteConnection,
    first_version: bool,
) -> Result<(), sqlx::Error> {
    type RunRow = (
        String,
        Option<String>,
        i64,
        i64,
        i64,
        i64,
        bool,
        i64,
        String,
        String,
        Option<String>,
    );
    let runs: Vec<RunRow> = sqlx::query_as(match first_version {
        true => {
            "SELECT collector, target, started, duration, interval, 600000000000, ok, points, gaps, notices, error
             FROM run ORDER BY id"
        }
        false => {
            "SELECT collector, target, started, duration, interval, deadline, ok, points, gaps, notices, error
             FROM run ORDER BY id"
        }
    })
    .fetch_all(&mut *old)
    .await
    .unwrap_or_default();
    for (collector, target, started, duration, interval, deadline, ok, points, gaps, notices, error) in runs {
        sqlx::query(
            "INSERT INTO run (collector, target, started, duration, interval, deadline, ok, points, gaps, notices, error)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(collector)
        .bind(target)
        .bind(started)
        .bind(duration)
        .bind(interval)
        .bind(deadline)
        .bind(ok)
        .bind(points)
        .bind(gaps)
        .bind(notices)
        .bind(error)
        .execute(&mut *new)
        .await?;
    }
    let declarations: Vec<(String, String)> = sqlx::query_as("SELECT collector, text FROM declaration")
        .fetch_all(&mut *old)
        .await
        .unwrap_or_default();
    for (collector, text) in declarations {
        sqlx::query("INSERT INTO declaration (collector, text) VALUES (?, ?)")
            .bind(collector)
            .bind(text)
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
pub(super) async fn mark_damaged(
    db: &mut SqliteConnection,
    sinks: &Sinks,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for sink in sinks.iter() {
        sink_row(db, sink.name(), sink.kind(), now).await?;
    }
    sqlx::query("UPDATE sink SET damaged_since = coalesce(damaged_since, ?)")
        .bind(now.nanos())
        .execute(db)
        .await?;
    Ok(())
}
