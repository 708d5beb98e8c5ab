//! The runs that were recorded, and which of them are kept.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};
use tidemark_point::Timestamp;

use super::script::Script;
use super::{Outbox, RUNS_KEPT, TARGETS_KEPT};
use crate::{DeliveryError, Run, backoff};

/// One in so many commits forgets the collector's oldest runs: looking for them costs more than a record itself.
const TIDY_EVERY: u64 = 16;
/// Intervals after which a target that was not seen since is forgotten, and the time beside them.
const UNSEEN_INTERVALS: i64 = 10;
const UNSEEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Forgets now and then the runs of a collector that are not kept: see [`RUNS_KEPT`] and [`TARGETS_KEPT`].
pub(super) fn tidy(script: &mut Script, collector: &str) {
    if !backoff::random().is_multiple_of(TIDY_EVERY) {
        return;
    }
    script
        .sql(
            "DELETE FROM run WHERE collector = ?
             AND id <= (SELECT id FROM run WHERE collector = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
             AND (id NOT IN (SELECT max(id) FROM run WHERE collector = ? AND target IS NOT NULL GROUP BY target)
                  OR started + interval * ? + ? <
                     (SELECT started FROM run WHERE collector = ? ORDER BY id DESC LIMIT 1));\n",
        )
        .value(collector)
        .value(collector)
        .value(RUNS_KEPT)
        .value(collector)
        .value(UNSEEN_INTERVALS)
        .value(i64::try_from(UNSEEN.as_nanos()).unwrap_or(i64::MAX))
        .value(collector);
    // Whatever calls itself a target.
    script
        .sql(
            "DELETE FROM run WHERE collector = ?
             AND id <= (SELECT id FROM run WHERE collector = ? ORDER BY id DESC LIMIT 1 OFFSET ?);\n",
        )
        .value(collector)
        .value(collector)
        .value(RUNS_KEPT.saturating_add(TARGETS_KEPT));
}

pub(super) struct Row {
    collector: String,
    target: Option<String>,
    started: i64,
    duration: i64,
    interval: i64,
    deadline: i64,
    ok: bool,
    points: i64,
    gaps: String,
    notices: String,
    error: Option<String>,
}

impl<'r> FromRow<'r, SqliteRow> for Row {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            collector: row.try_get("collector")?,
            target: row.try_get("target")?,
            started: row.try_get("started")?,
            duration: row.try_get("duration")?,
            interval: row.try_get("interval")?,
            deadline: row.try_get("deadline")?,
            ok: row.try_get("ok")?,
            points: row.try_get("points")?,
            gaps: row.try_get("gaps")?,
            notices: row.try_get("notices")?,
            error: row.try_get("error")?,
        })
    }
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        let list = |notes: &str| serde_json::from_str(notes).unwrap_or_default();
        let span = |nanos: i64| Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        Self {
            gaps: list(&row.gaps),
            notices: list(&row.notices),
            collector: row.collector,
            target: row.target,
            started: Timestamp::from_nanos_clamped(row.started),
            duration: span(row.duration),
            ok: row.ok,
            points: u64::try_from(row.points).unwrap_or(0),
            error: row.error,
            interval: span(row.interval),
            deadline: span(row.deadline),
        }
    }
}

impl Outbox {
    /// The newest runs of a collector, the newest first.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn runs(&self, collector: &str, limit: u32) -> Result<Vec<Run>, DeliveryError> {
        let mut db = self.connection().await;
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM run WHERE collector = ? ORDER BY id DESC LIMIT ?")
            .bind(collector)
            .bind(limit)
            .fetch_all(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(rows.into_iter().map(Run::from).collect())
    }

    /// The newest run of each target of a collector, by target; none of a collector without.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn target_runs(&self, collector: &str) -> Result<Vec<Run>, DeliveryError> {
        let mut db = self.connection().await;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM run WHERE id IN (SELECT max(id) FROM run WHERE collector = ? AND target IS NOT NULL
                                            GROUP BY target) ORDER BY target",
        )
        .bind(collector)
        .fetch_all(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(rows.into_iter().map(Run::from).collect())
    }

    /// The newest run of every collector, by name.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn last_runs(&self) -> Result<Vec<Run>, DeliveryError> {
        let mut db = self.connection().await;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM run WHERE id IN (SELECT max(id) FROM run GROUP BY collector) ORDER BY collector",
        )
        .fetch_all(&mut *db)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(rows.into_iter().map(Run::from).collect())
    }
}
