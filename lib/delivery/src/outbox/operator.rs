//! What an operator looks at and decides: what waits, what was refused, retry, drop.

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::{DropSelection, Dropped, Outbox, RejectedPoint, WaitingBatch, ledger, queue};
use crate::DeliveryError;
use crate::lines::{LineTexts, Lines};

impl Outbox {
    /// The batches that wait, the oldest first, from one after the batch `after` (0 for all) on: of at most `limit`
    /// batches, each as often as sinks wait for it.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn waiting(
        &self,
        sink: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<WaitingBatch>, DeliveryError> {
        type Row = (i64, String, String, i64, i64, i64, i64, Option<i64>);
        let mut db = self.connection().await;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT d.batch, s.name, b.collector, b.committed, d.points, length(b.body), d.attempts, d.not_before
             FROM delivery d JOIN sink s ON s.id = d.sink JOIN batch b ON b.id = d.batch
             WHERE (?1 IS NULL OR s.name = ?1) AND d.batch IN
                 (SELECT id FROM batch WHERE id > ?2 AND EXISTS
                     (SELECT 1 FROM sink t JOIN delivery e ON e.sink = t.id AND e.batch = batch.id
                      WHERE ?1 IS NULL OR t.name = ?1)
                  ORDER BY id LIMIT ?3)
             ORDER BY d.batch, s.name",
        )
        .bind(sink)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        let batch =
            |(id, sink, collector, committed, points, length, attempts, not_before): Row| WaitingBatch {
                id,
                sink,
                collector,
                committed: Timestamp::from_nanos_clamped(committed),
                points: u64::try_from(points).unwrap_or(0),
                stored_bytes: u64::try_from(length).unwrap_or(0),
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                parked_until: not_before.map(Timestamp::from_nanos_clamped),
            };
        Ok(rows.into_iter().map(batch).collect())
    }

    /// The line protocol of a batch; of the points alone that wait for `sink`, where one is given.
    ///
    /// # Errors
    /// Where there is no such batch, or it is damaged.
    pub async fn body(&self, batch: i64, sink: Option<&str>) -> Result<Vec<u8>, DeliveryError> {
        type Row = (i64, i64, bool, i64, i64, Vec<u8>);
        let mut db = self.connection().await;
        let row: Option<Row> =
            sqlx::query_as("SELECT points, encoding, uints, length, crc, body FROM batch WHERE id = ?")
                .bind(batch)
                .fetch_optional(&mut *db)
                .await
                .map_err(|error| self.failed(error))?;
        let unknown = || DeliveryError::Unknown {
            what: format!("batch {batch}"),
        };
        let (points, encoding, uints, length, crc, bytes) = row.ok_or_else(unknown)?;
        let damaged = || DeliveryError::Damaged {
            path: self.path.clone(),
            what: format!("batch {batch} does not match its checksum"),
            source: None,
        };
        let body = queue::unpack(points, encoding, uints, length, crc, bytes).map_err(|_| damaged())?;
        let text = body.text().map_err(|_| damaged())?;
        let Some(sink) = sink else {
            return Ok(text.into_owned());
        };
        let rest: Option<Option<String>> = sqlx::query_scalar(
            "SELECT d.rest FROM delivery d JOIN sink s ON s.id = d.sink WHERE d.batch = ? AND s.name = ?",
        )
        .bind(batch)
        .bind(sink)
        .fetch_optional(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        let rest = rest.ok_or_else(|| DeliveryError::Unknown {
            what: format!("batch {batch} for {sink}"),
        })?;
        let lines = rest
            .and_then(|rest| rest.parse().ok())
            .unwrap_or_else(|| Lines::all(body.points));
        Ok(LineTexts::of(&text).join(&lines))
    }

    /// Points that a sink refused, the newest first.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn rejected(
        &self,
        sink: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RejectedPoint>, DeliveryError> {
        type Row = (i64, Option<String>, String, String, String, Option<i64>, i64);
        let mut db = self.connection().await;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT r.id, s.name, r.collector, r.line, r.reason, r.status, r.at
             FROM rejected r LEFT JOIN sink s ON s.id = r.sink
             WHERE (?1 IS NULL OR s.name = ?1) ORDER BY r.id DESC LIMIT ?2",
        )
        .bind(sink)
        .bind(limit)
        .fetch_all(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        let point = |(id, sink, collector, line, reason, status, at): Row| RejectedPoint {
            id,
            sink: sink.unwrap_or_default(),
            collector,
            line,
            reason,
            status: status.and_then(|status| u16::try_from(status).ok()),
            at: Timestamp::from_nanos_clamped(at),
        };
        Ok(rows.into_iter().map(point).collect())
    }

    /// Ends the backoff of a sink (of all where none is given), and lets its parked batches wait with the others.
    ///
    /// # Errors
    /// Where the sink is unknown, or the outbox cannot be written.
    pub async fn retry(&self, sink: Option<&str>) -> Result<(), DeliveryError> {
        let mut db = self.connection().await;
        let failed = |error| self.failed(error);
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for id in self.ids(&mut transaction, sink).await? {
            sqlx::query("UPDATE sink SET failures = 0, not_before = NULL, plain = 0 WHERE id = ?")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            sqlx::query("UPDATE delivery SET alone = 0, not_before = NULL WHERE sink = ? AND alone > 0")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Gives up what waits, acknowledges what was lost, forgets refused points, and forgets orphaned sinks that
    /// nothing waits for any more and whose losses are acknowledged. What is given up counts as dropped, and as acknowledged.
    ///
    /// # Errors
    /// Where the sink or the batch is unknown, or the outbox cannot be written.
    pub async fn drop_waiting(&self, selection: &DropSelection) -> Result<Dropped, DeliveryError> {
        let mut db = self.connection().await;
        let failed = |error| self.failed(error);
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let mut dropped = Dropped::default();
        let sinks = self.ids(&mut transaction, selection.sink.as_deref()).await?;
        let mut batches = 0;
        for sink in &sinks {
            if !selection.losses_only {
                let (number, points) = drop_of_sink(&mut transaction, *sink, selection.batch)
                    .await
                    .map_err(failed)?;
                batches += number;
                dropped.waiting += points;
            }
            // A single batch is acknowledged alone; earlier losses stay to be looked at.
            if selection.batch.is_none() {
                dropped.acknowledged += acknowledge(&mut transaction, *sink).await.map_err(failed)?;
            }
        }
        if let (Some(batch), 0) = (selection.batch, batches) {
            return Err(DeliveryError::Unknown {
                what: format!("batch {batch}"),
            });
        }
        dropped.sinks = self.forget_orphans(&mut transaction, &sinks).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(dropped)
    }

    /// The rows of the sink of this name, or of all.
    async fn ids(&self, db: &mut SqliteConnection, sink: Option<&str>) -> Result<Vec<i64>, DeliveryError> {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM sink WHERE ?1 IS NULL OR name = ?1")
            .bind(sink)
            .fetch_all(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
        match sink {
            // One that is configured and never got a point has no row.
            Some(name) if ids.is_empty() && !self.sinks.iter().any(|known| known.name() == name) => {
                Err(DeliveryError::Unknown {
                    what: format!("the sink {name:?}"),
                })
            }
            _ => Ok(ids),
        }
    }

    async fn forget_orphans(
        &self,
        db: &mut SqliteConnection,
        sinks: &[i64],
    ) -> Result<Vec<String>, DeliveryError> {
        let mut forgotten = Vec::new();
        for sink in sinks {
            let name: Option<String> = sqlx::query_scalar(
                "SELECT name FROM sink WHERE id = ? AND waiting = 0 AND acknowledged >= rejected + dropped",
            )
            .bind(sink)
            .fetch_optional(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
            if let Some(name) = name.filter(|name| !self.sinks.iter().any(|known| known.name() == name)) {
                sqlx::query("DELETE FROM sink WHERE id = ?")
                    .bind(sink)
                    .execute(&mut *db)
                    .await
                    .map_err(|error| self.failed(error))?;
                forgotten.push(name);
            }
        }
        Ok(forgotten)
    }
}

/// Gives up the batches of a sink, or one of them: how many batches and points.
async fn drop_of_sink(
    db: &mut SqliteConnection,
    sink: i64,
    batch: Option<i64>,
) -> Result<(u64, u64), sqlx::Error> {
    let waiting: Vec<(i64, i64)> =
        sqlx::query_as("SELECT batch, points FROM delivery WHERE sink = ?1 AND (?2 IS NULL OR batch = ?2)")
            .bind(sink)
            .bind(batch)
            .fetch_all(&mut *db)
            .await?;
    let mut points: i64 = 0;
    for (batch, count) in &waiting {
        ledger::give_up_at(db, sink, *batch, *count).await?;
        points += count;
    }
    sqlx::query("UPDATE sink SET acknowledged = acknowledged + ? WHERE id = ?")
        .bind(points)
        .bind(sink)
        .execute(&mut *db)
        .await?;
    let batches: Vec<i64> = waiting.iter().map(|(batch, _)| *batch).collect();
    ledger::forget_delivered(db, &serde_json::to_string(&batches).unwrap_or_default()).await?;
    Ok((waiting.len() as u64, u64::try_from(points).unwrap_or(0)))
}

/// Acknowledges what a sink lost, and forgets the texts: how many points that was.
async fn acknowledge(db: &mut SqliteConnection, sink: i64) -> Result<u64, sqlx::Error> {
    let lost: i64 = sqlx::query_scalar("SELECT rejected + dropped - acknowledged FROM sink WHERE id = ?")
        .bind(sink)
        .fetch_one(&mut *db)
        .await?;
    sqlx::query("UPDATE sink SET acknowledged = rejected + dropped WHERE id = ?")
        .bind(sink)
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM rejected WHERE sink = ?")
        .bind(sink)
        .execute(&mut *db)
        .await?;
    Ok(u64::try_from(lost).unwrap_or(0))
}
