//! What waits for one sink: the next batch, and what became of it.

use std::collections::VecDeque;

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::script::Script;
use super::{MAX_REJECTED_BYTES, MAX_REJECTED_POINTS, Outbox, ledger};
use crate::DeliveryError;
use crate::backoff::LONGEST_BACKOFF;
use crate::body::{Body, Encoding};
use crate::endpoint::Endpoint;
use crate::lines::Lines;
use crate::sink::SinkSpec;

/// A batch that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) batch: i64,
    pub(crate) collector: String,
    pub(crate) lane: String,
    pub(crate) own: bool,
    pub(crate) lines: Lines,
    /// Requests that were spent on finding its bad points.
    pub(crate) requests: u32,
    /// How often it failed while others passed.
    pub(crate) alone: u32,
    /// The bytes alone where they do not match their checksum, or cannot be what was committed.
    pub(crate) body: Result<Body, Vec<u8>>,
}

/// What became of a batch at one sink.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) batch: i64,
    pub(crate) collector: String,
    pub(crate) own: bool,
    pub(crate) delivered: u64,
    pub(crate) rejected: Vec<RejectedLine>,
    /// Points of a damaged batch.
    pub(crate) lost: u64,
    /// What waits on; empty where the batch leaves.
    pub(crate) rest: Lines,
    pub(crate) requests: u32,
}

impl Settled {
    /// Whether the sink took every point that waited.
    fn is_delivered_whole(&self) -> bool {
        self.rest.is_empty() && self.rejected.is_empty() && self.lost == 0
    }
}

/// A line that a sink refused.
#[derive(Debug)]
pub(crate) struct RejectedLine {
    pub(crate) line: String,
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
}

/// What a session begins with.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) endpoint: Endpoint,
    /// Batches that are due, the oldest first; where much waits, or the sink failed, none: see [`Outbox::next`].
    pub(crate) due: VecDeque<Due>,
}

/// Points up to which all that waits is read at once: what a process of many targets commits together, and no more than
/// fits into memory.
const LITTLE: i64 = 10_000;

impl Outbox {
    /// The sink's row, made fit for its settings: a backoff that belongs to other settings is over; with it, what is due
    /// where little waits. None where nothing was ever committed for it.
    pub(crate) async fn begin(
        &self,
        sink: &SinkSpec,
        heed_parking: bool,
    ) -> Result<Option<Beginning>, DeliveryError> {
        let failed = |error| self.failed(error);
        let (from, to) = self.parked(heed_parking);
        let mut db = self.connection().await;
        let rows: Vec<SqliteRow> = sqlx::query(
            "SELECT s.id, s.failures, s.not_before, s.last_error, s.fingerprint, s.plain, s.waiting,
                    d.batch, d.lane, d.rest, d.requests, d.alone,
                    b.collector, b.own, b.points, b.encoding, b.uints, b.length, b.crc, b.body
             FROM sink s
             LEFT JOIN delivery d ON d.sink = s.id AND s.waiting <= ? AND s.not_before IS NULL
                  AND (d.not_before IS NULL OR d.not_before <= ? OR d.not_before > ?)
             LEFT JOIN batch b ON b.id = d.batch
             WHERE s.name = ? ORDER BY d.batch LIMIT 4",
        )
        .bind(LITTLE)
        .bind(from)
        .bind(to)
        .bind(sink.name())
        .fetch_all(&mut *db)
        .await
        .map_err(failed)?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let (mut endpoint, fingerprint) = endpoint(first).map_err(failed)?;
        let has_due = |row: &&SqliteRow| matches!(row.try_get::<Option<i64>, _>("batch"), Ok(Some(_)));
        let due: Result<_, _> = rows.iter().filter(has_due).map(due).collect();
        if fingerprint != i64::from(sink.fingerprint()) {
            endpoint = Endpoint {
                id: endpoint.id,
                waiting: endpoint.waiting,
                ..Endpoint::default()
            };
            write_endpoint(&mut db, &endpoint).await.map_err(failed)?;
            sqlx::query("UPDATE sink SET fingerprint = ? WHERE id = ?")
                .bind(sink.fingerprint())
                .bind(endpoint.id)
                .execute(&mut *db)
                .await
                .map_err(failed)?;
        }
        Ok(Some(Beginning {
            endpoint,
            due: due.map_err(failed)?,
        }))
    }

    /// The oldest batch that waits for the sink behind `after`, is in none of the lanes and may be tried now.
    pub(crate) async fn next(
        &self,
        sink: i64,
        after: i64,
        lanes: &[String],
        heed_parking: bool,
    ) -> Result<Option<Due>, DeliveryError> {
        let (from, to) = self.parked(heed_parking);
        let mut db = self.connection().await;
        let row: Option<SqliteRow> = sqlx::query(
            "SELECT d.batch, d.lane, d.rest, d.requests, d.alone,
                    b.collector, b.own, b.points, b.encoding, b.uints, b.length, b.crc, b.body
             FROM delivery d JOIN batch b ON b.id = d.batch
             WHERE d.sink = ?1 AND d.batch > ?2
             AND (d.not_before IS NULL OR d.not_before <= ?3 OR d.not_before > ?4)
             AND (?5 IS NULL OR d.lane NOT IN (SELECT value FROM json_each(?5)))
             ORDER BY d.batch LIMIT 1",
        )
        .bind(sink)
        .bind(after)
        .bind(from)
        .bind(to)
        .bind(if lanes.is_empty() {
            None
        } else {
            serde_json::to_string(lanes).ok()
        })
        .fetch_optional(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        row.as_ref()
            .map(due)
            .transpose()
            .map_err(|error| self.failed(error))
    }

    /// A batch is left alone that is parked until after the first instant, and not after the second one: an instant
    /// beyond the longest backoff is past.
    fn parked(&self, heed: bool) -> (i64, i64) {
        let now = self.clock.now();
        match heed {
            true => (now.nanos(), now.saturating_add(LONGEST_BACKOFF).nanos()),
            false => (i64::MAX, i64::MAX),
        }
    }

    /// Writes down what became of batches, and of the endpoint where that changed; all or nothing.
    pub(crate) async fn settle(
        &self,
        sink: i64,
        settled: &[Settled],
        endpoint: Option<&Endpoint>,
    ) -> Result<(), DeliveryError> {
        let mut db = self.connection().await;
        if endpoint.is_none() && settled.iter().all(Settled::is_delivered_whole) {
            let batches = settled.iter().map(|one| one.batch).collect::<Vec<_>>();
            return self.run_alone(&mut db, delivered(sink, &batches)).await;
        }
        let mut transaction = db
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| self.failed(error))?;
        self.settle_in(&mut transaction, sink, settled, endpoint)
            .await
            .map_err(|error| self.failed(error))?;
        transaction.commit().await.map_err(|error| self.failed(error))
    }

    async fn settle_in(
        &self,
        db: &mut SqliteConnection,
        sink: i64,
        settled: &[Settled],
        endpoint: Option<&Endpoint>,
    ) -> Result<(), sqlx::Error> {
        let settled = self.still_there(db, sink, settled).await?;
        let mut rejects = false;
        for one in &settled {
            // The texts of tidemark's own points would be reports about reports.
            for rejected in one.rejected.iter().filter(|_| !one.own) {
                rejects = true;
                sqlx::query(
                    "INSERT INTO rejected (sink, collector, line, reason, status, at) VALUES (?, ?, ?, ?, ?, ?)",
                )
                .bind(sink)
                .bind(&one.collector)
                .bind(&rejected.line)
                .bind(&rejected.reason)
                .bind(rejected.status)
                .bind(self.clock.now().nanos())
                .execute(&mut *db)
                .await?;
            }
        }
        let sum = |count: fn(&Settled) -> u64| {
            i64::try_from(settled.iter().map(|one| count(one)).sum::<u64>()).unwrap_or(i64::MAX)
        };
        let delivered = sum(|one| one.delivered);
        let rejected = sum(|one| one.rejected.len() as u64);
        let lost = sum(|one| one.lost);
        if delivered + rejected + lost > 0 {
            sqlx::query(
                "UPDATE sink SET delivered = delivered + ?2, rejected = rejected + ?3, dropped = dropped + ?4,
                 waiting = waiting - ?2 - ?3 - ?4, damaged_since = iif(?4 > 0, coalesce(damaged_since, ?5), damaged_since)
                 WHERE id = ?1",
            )
            .bind(sink)
            .bind(delivered)
            .bind(rejected)
            .bind(lost)
            .bind(self.clock.now().nanos())
            .execute(&mut *db)
            .await?;
        }
        if rejects {
            trim_rejected(db).await?;
        }
        if let Some(endpoint) = endpoint {
            write_endpoint(db, endpoint).await?;
        }
        Ok(())
    }

    /// Takes settled lines out of the queue. Those batches come back that were in it: one that was given up meanwhile, by
    /// a bound or by the operator, is in the ledger already.
    async fn still_there<'a>(
        &self,
        db: &mut SqliteConnection,
        sink: i64,
        settled: &'a [Settled],
    ) -> Result<Vec<&'a Settled>, sqlx::Error> {
        let mut there: Vec<i64> = Vec::new();
        let gone: Vec<i64> = settled
            .iter()
            .filter(|one| one.rest.is_empty())
            .map(|one| one.batch)
            .collect();
        if !gone.is_empty() {
            let gone = serde_json::to_string(&gone).unwrap_or_default();
            there = sqlx::query_scalar(
                "DELETE FROM delivery WHERE sink = ? AND batch IN (SELECT value FROM json_each(?)) RETURNING batch",
            )
            .bind(sink)
            .bind(&gone)
            .fetch_all(&mut *db)
            .await?;
            ledger::forget_delivered(db, &gone).await?;
        }
        for one in settled.iter().filter(|one| !one.rest.is_empty()) {
            let changed = sqlx::query(
                "UPDATE delivery SET points = ?, rest = ?, requests = ? WHERE sink = ? AND batch = ?",
            )
            .bind(one.rest.count())
            .bind(one.rest.to_string())
            .bind(one.requests)
            .bind(sink)
            .bind(one.batch)
            .execute(&mut *db)
            .await?;
            if changed.rows_affected() > 0 {
                there.push(one.batch);
            }
        }
        Ok(settled.iter().filter(|one| there.contains(&one.batch)).collect())
    }

    /// A batch failed. Where others passed, it failed alone: so often, and it is left alone until then.
    pub(crate) async fn batch_failed(
        &self,
        sink: i64,
        batch: i64,
        alone: u32,
        not_before: Option<Timestamp>,
    ) -> Result<(), DeliveryError> {
        let mut db = self.connection().await;
        sqlx::query(
            "UPDATE delivery SET attempts = attempts + 1, alone = ?, not_before = ? WHERE sink = ? AND batch = ?",
        )
        .bind(alone)
        .bind(not_before.map(Timestamp::nanos))
        .bind(sink)
        .bind(batch)
        .execute(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Points that wait for the sink.
    pub(crate) async fn points_waiting(&self, sink: i64) -> Result<u64, DeliveryError> {
        let mut db = self.connection().await;
        let waiting: Option<i64> = sqlx::query_scalar("SELECT waiting FROM sink WHERE id = ?")
            .bind(sink)
            .fetch_optional(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(waiting
            .and_then(|waiting| u64::try_from(waiting).ok())
            .unwrap_or(0))
    }
}

/// Takes batches out of the queue of a sink that took all of them. One that was given up meanwhile, by a bound or by the
/// operator, is in the ledger already.
fn delivered(sink: i64, batches: &[i64]) -> Script {
    let mut script = Script::new();
    script
        .sql(
            "UPDATE sink SET delivered = delivered + gone.points, waiting = waiting - gone.points
             FROM (SELECT coalesce(sum(points), 0) AS points FROM delivery WHERE sink = ? AND batch IN (",
        )
        .value(sink)
        .values(batches)
        .sql(")) AS gone WHERE id = ?;\n")
        .value(sink);
    script
        .sql("DELETE FROM delivery WHERE sink = ? AND batch IN (")
        .value(sink)
        .values(batches)
        .sql(");\n");
    script
        .sql("DELETE FROM batch WHERE id IN (")
        .values(batches)
        .sql(") AND ")
        .sql(ledger::WAITS_FOR_NOBODY)
        .sql(";\n");
    script
}

/// The row of a sink as what is known of it, and the fingerprint of the settings that this belongs to.
fn endpoint(row: &SqliteRow) -> Result<(Endpoint, i64), sqlx::Error> {
    let not_before: Option<i64> = row.try_get("not_before")?;
    let endpoint = Endpoint {
        id: row.try_get("id")?,
        failures: number(row, "failures")?,
        not_before: not_before.map(Timestamp::from_nanos_clamped),
        last_error: row.try_get("last_error")?,
        plain: row.try_get("plain")?,
        waiting: u64::try_from(row.try_get::<i64, _>("waiting")?).unwrap_or(0),
    };
    Ok((endpoint, row.try_get("fingerprint")?))
}

/// A row of `delivery` with its `batch`.
pub(super) fn due(row: &SqliteRow) -> Result<Due, sqlx::Error> {
    let points: i64 = row.try_get("points")?;
    let body = unpack(
        points,
        row.try_get("encoding")?,
        row.try_get("uints")?,
        row.try_get("length")?,
        row.try_get("crc")?,
        row.try_get("body")?,
    );
    let rest: Option<String> = row.try_get("rest")?;
    let all = Lines::all(u32::try_from(points).unwrap_or(0));
    Ok(Due {
        batch: row.try_get("batch")?,
        collector: row.try_get("collector")?,
        lane: row.try_get("lane")?,
        own: row.try_get("own")?,
        lines: rest.and_then(|rest| rest.parse().ok()).unwrap_or(all),
        requests: number(row, "requests")?,
        alone: number(row, "alone")?,
        body,
    })
}

fn number(row: &SqliteRow, column: &str) -> Result<u32, sqlx::Error> {
    Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
}

/// The body, where it is what was committed; else the bytes alone.
pub(super) fn unpack(
    points: i64,
    encoding: i64,
    v2_only: bool,
    length: i64,
    crc: i64,
    bytes: Vec<u8>,
) -> Result<Body, Vec<u8>> {
    match (
        u32::try_from(points),
        Encoding::from_code(encoding),
        u64::try_from(length),
    ) {
        (Ok(points), Some(encoding), Ok(length)) if i64::from(crc32fast::hash(&bytes)) == crc => Ok(Body {
            points,
            encoding,
            v2_only,
            length,
            bytes,
        }),
        _ => Err(bytes),
    }
}

async fn write_endpoint(db: &mut SqliteConnection, endpoint: &Endpoint) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE sink SET failures = ?, not_before = ?, last_error = ?, plain = ? WHERE id = ?")
        .bind(endpoint.failures)
        .bind(endpoint.not_before.map(Timestamp::nanos))
        .bind(&endpoint.last_error)
        .bind(endpoint.plain)
        .bind(endpoint.id)
        .execute(&mut *db)
        .await?;
    Ok(())
}

/// Forgets the oldest texts of refused points beyond the bounds; their count stays in the ledger.
async fn trim_rejected(db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM rejected WHERE id <= (SELECT id FROM rejected ORDER BY id DESC LIMIT 1 OFFSET ?1)
         OR id <= (SELECT max(id) FROM (
             SELECT id, sum(length(line) + length(reason)) OVER (ORDER BY id DESC) AS bytes FROM rejected)
             WHERE bytes > ?2)",
    )
    .bind(MAX_REJECTED_POINTS)
    .bind(i64::try_from(MAX_REJECTED_BYTES).unwrap_or(i64::MAX))
    .execute(&mut *db)
    .await?;
    Ok(())
}
