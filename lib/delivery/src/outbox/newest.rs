//! For a sink that holds the newest run alone: what is replaced, and what is newest.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::{Due, Outbox, ledger, queue};
use crate::submission::NO_PART;
use crate::{DeliveryError, Run};

/// Whose newest batches: one place of the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) collector: String,
    /// What it looked at, where there are many.
    pub(crate) target: Option<String>,
    /// Tidemark's own points of the run.
    pub(crate) own: bool,
    /// When the batches were committed.
    pub(crate) committed: Timestamp,
}

impl Outbox {
    /// Takes out of the queue what a newer run of the same collector and target has replaced, and counts it as
    /// superseded. How many points that were.
    pub(crate) async fn supersede(&self, sink: i64) -> Result<u64, DeliveryError> {
        let failed = |error| self.failed(error);
        let mut db = self.connection().await;
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let points = supersede(&mut transaction, sink).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(points)
    }

    /// Takes these batches out of the queue: something newer than they are is there already.
    pub(crate) async fn supersede_these(&self, sink: i64, batches: &[i64]) -> Result<(), DeliveryError> {
        let failed = |error| self.failed(error);
        let mut db = self.connection().await;
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let replaced: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT batch, points FROM delivery WHERE sink = ? AND batch IN (SELECT value FROM json_each(?))",
        )
        .bind(sink)
        .bind(serde_json::to_string(batches).unwrap_or_default())
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        take_out(&mut transaction, sink, &replaced)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Whose batches wait for the sink, in the order of their commits.
    pub(crate) async fn places(&self, sink: i64) -> Result<Vec<Place>, DeliveryError> {
        let mut db = self.connection().await;
        let rows: Vec<(String, Option<String>, bool, i64)> = sqlx::query_as(
            "SELECT b.collector, b.target, b.own, max(b.committed)
             FROM delivery d JOIN batch b ON b.id = d.batch WHERE d.sink = ?
             GROUP BY b.collector, b.target, b.own ORDER BY max(d.batch)",
        )
        .bind(sink)
        .fetch_all(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        let place = |(collector, target, own, committed)| Place {
            collector,
            target,
            own,
            committed: Timestamp::from_nanos_clamped(committed),
        };
        Ok(rows.into_iter().map(place).collect())
    }

    /// The batches of a place's newest run, in order: several where it had very many points. What was committed since
    /// the others were superseded supersedes too: else an older run might be written after a newer one.
    pub(crate) async fn newest_of(&self, sink: i64, place: &Place) -> Result<Vec<Due>, DeliveryError> {
        let failed = |error| self.failed(error);
        let mut db = self.connection().await;
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        supersede(&mut transaction, sink).await.map_err(failed)?;
        let rows: Vec<SqliteRow> = sqlx::query(
            "SELECT d.batch, d.lane, d.rest, d.requests, d.alone,
                    b.collector, b.own, b.points, b.encoding, b.uints, b.length, b.crc, b.body
             FROM delivery d JOIN batch b ON b.id = d.batch
             WHERE d.sink = ? AND b.collector = ? AND b.target IS ? AND b.own = ? ORDER BY d.batch",
        )
        .bind(sink)
        .bind(&place.collector)
        .bind(&place.target)
        .bind(place.own)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        let due: Result<_, _> = rows.iter().map(queue::due).collect();
        due.map_err(failed)
    }

    /// The newest run of a collector and target.
    pub(crate) async fn last_run_of(&self, place: &Place) -> Result<Option<Run>, DeliveryError> {
        let mut db = self.connection().await;
        let run: Option<super::records::Row> =
            sqlx::query_as("SELECT * FROM run WHERE collector = ? AND target IS ? ORDER BY id DESC LIMIT 1")
                .bind(&place.collector)
                .bind(&place.target)
                .fetch_optional(&mut *db)
                .await
                .map_err(|error| self.failed(error))?;
        Ok(run.map(Run::from))
    }
}

/// The interval of a collector whose run is not recorded any more.
const USUAL_INTERVAL: Duration = Duration::from_secs(5 * 60);

impl Place {
    /// From when on its batches are stale: their collector should have run again, twice.
    pub(crate) fn stale_from(&self, last_run: Option<&Run>) -> Timestamp {
        let unknown = || Run::new(self.collector.clone(), self.committed, USUAL_INTERVAL);
        let late = last_run.map_or_else(|| unknown().is_late_after(), Run::is_late_after);
        self.committed.saturating_add(late)
    }
}

async fn supersede(db: &mut SqliteConnection, sink: i64) -> Result<u64, sqlx::Error> {
    let replaced: Vec<(i64, i64)> = sqlx::query_as(
        "WITH waiting AS (
             SELECT d.batch, d.points, b.collector, b.own, b.target, b.part
             FROM delivery d JOIN batch b ON b.id = d.batch WHERE d.sink = ?1),
         newest AS (
             SELECT collector, own, target, max(batch) AS first FROM waiting WHERE part = 0
             GROUP BY collector, own, target)
         SELECT w.batch, w.points FROM waiting w
         LEFT JOIN newest n ON n.collector = w.collector AND n.own = w.own AND n.target IS w.target
         WHERE w.part = ?2 OR w.batch < n.first",
    )
    .bind(sink)
    .bind(NO_PART)
    .fetch_all(&mut *db)
    .await?;
    take_out(db, sink, &replaced).await
}

/// Takes batches out of the queue, each with its points, and counts them as superseded. How many points that were.
async fn take_out(db: &mut SqliteConnection, sink: i64, replaced: &[(i64, i64)]) -> Result<u64, sqlx::Error> {
    if replaced.is_empty() {
        return Ok(0);
    }
    let points: i64 = replaced.iter().map(|(_, points)| points).sum();
    let batches: Vec<i64> = replaced.iter().map(|(batch, _)| *batch).collect();
    let batches = serde_json::to_string(&batches).unwrap_or_default();
    sqlx::query("UPDATE sink SET superseded = superseded + ?2, waiting = waiting - ?2 WHERE id = ?1")
        .bind(sink)
        .bind(points)
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM delivery WHERE sink = ? AND batch IN (SELECT value FROM json_each(?))")
        .bind(sink)
        .bind(&batches)
        .execute(&mut *db)
        .await?;
    ledger::forget_delivered(db, &batches).await?;
    Ok(u64::try_from(points).unwrap_or(0))
}
