//! What waits for one sink: the next batch, and what became of it.

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::Timestamp;

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

/// A line that a sink refused.
#[derive(Debug)]
pub(crate) struct RejectedLine {
    pub(crate) line: String,
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
}

/// A row of `delivery` with its `batch`.
type DueRow = (
    i64,
    String,
    Option<String>,
    i64,
    i64,
    String,
    bool,
    i64,
    i64,
    bool,
    i64,
    i64,
    Vec<u8>,
);

impl Outbox {
    /// The sink's row, made fit for its settings: a backoff that belongs to other settings is over. None where nothing
    /// was ever committed for it.
    pub(crate) async fn endpoint(&self, sink: &SinkSpec) -> Result<Option<Endpoint>, DeliveryError> {
        let mut db = self.db.lock().await;
        type EndpointRow = (i64, i64, Option<i64>, Option<String>, i64, bool, i64);
        let row: Option<EndpointRow> = sqlx::query_as(
            "SELECT id, failures, not_before, last_error, fingerprint, plain, waiting
             FROM sink WHERE name = ?",
        )
        .bind(sink.name())
        .fetch_optional(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        let Some((id, failures, not_before, last_error, fingerprint, plain, waiting)) = row else {
            return Ok(None);
        };
        let endpoint = Endpoint {
            id,
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
            not_before: not_before.map(Timestamp::from_nanos_clamped),
            last_error,
            plain,
            waiting: u64::try_from(waiting).unwrap_or(0),
        };
        if fingerprint == i64::from(sink.fingerprint()) {
            return Ok(Some(endpoint));
        }
        let endpoint = Endpoint {
            id,
            waiting: endpoint.waiting,
            ..Endpoint::default()
        };
        write_endpoint(&mut db, &endpoint)
            .await
            .map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE sink SET fingerprint = ? WHERE id = ?")
            .bind(sink.fingerprint())
            .bind(id)
            .execute(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(Some(endpoint))
    }

    /// The oldest batch that waits for the sink behind `after`, is in none of the lanes and may be tried now.
    pub(crate) async fn next(
        &self,
        sink: i64,
        after: i64,
        lanes: &[String],
        heed_parking: bool,
    ) -> Result<Option<Due>, DeliveryError> {
        let now = self.clock.now();
        // An instant beyond the longest backoff is past.
        let (from, to) = match heed_parking {
            true => (now.nanos(), now.saturating_add(LONGEST_BACKOFF).nanos()),
            false => (i64::MAX, i64::MAX),
        };
        let mut db = self.db.lock().await;
        let row: Option<DueRow> = sqlx::query_as(
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
        Ok(row.map(due))
    }

    /// Writes down what became of batches, and of the endpoint where that changed; all or nothing.
    pub(crate) async fn settle(
        &self,
        sink: i64,
        settled: &[Settled],
        endpoint: Option<&Endpoint>,
    ) -> Result<(), DeliveryError> {
        let mut db = self.db.lock().await;
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
        let mut db = self.db.lock().await;
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
        let mut db = self.db.lock().await;
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

fn due(row: DueRow) -> Due {
    let (batch, lane, rest, requests, alone, collector, own, points, encoding, uints, length, crc, bytes) =
        row;
    let body = unpack(points, encoding, uints, length, crc, bytes);
    let all = Lines::all(u32::try_from(points).unwrap_or(0));
    let lines = rest.and_then(|rest| rest.parse().ok()).unwrap_or(all);
    let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Due {
        batch,
        collector,
        lane,
        own,
        lines,
        requests: number(requests),
        alone: number(alone),
        body,
    }
}

/// The body, where it is what was committed; else the bytes alone.
pub(super) fn unpack(
    points: i64,
    encoding: i64,
    uints: bool,
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
            uints,
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
