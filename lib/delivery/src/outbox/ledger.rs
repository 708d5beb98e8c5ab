//! The ledger: what became of every point. It changes only in the transaction that changes the queue.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, Row as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::{Outbox, SinkLedger};
use crate::DeliveryError;
use crate::backoff;

/// Gives up a batch for every sink that it waits for: their names, the points, and since when it waited.
pub(super) async fn give_up(
    outbox: &Outbox,
    db: &mut SqliteConnection,
    batch: i64,
) -> Result<Vec<(String, u64, Timestamp)>, DeliveryError> {
    let failed = |error| outbox.failed(error);
    let lost: Vec<(i64, String, i64, i64)> = sqlx::query_as(
        "SELECT s.id, s.name, d.points, b.committed FROM sink s
         JOIN delivery d ON d.sink = s.id AND d.batch = ?1 JOIN batch b ON b.id = ?1",
    )
    .bind(batch)
    .fetch_all(&mut *db)
    .await
    .map_err(failed)?;
    for (sink, _, points, _) in &lost {
        give_up_at(db, *sink, batch, *points).await.map_err(failed)?;
    }
    sqlx::query("DELETE FROM batch WHERE id = ?")
        .bind(batch)
        .execute(&mut *db)
        .await
        .map_err(failed)?;
    let told = |(_, name, points, committed): (i64, String, i64, i64)| {
        (
            name,
            u64::try_from(points).unwrap_or(0),
            Timestamp::from_nanos_clamped(committed),
        )
    };
    Ok(lost.into_iter().map(told).collect())
}

/// Gives up a batch at one sink.
pub(super) async fn give_up_at(
    db: &mut SqliteConnection,
    sink: i64,
    batch: i64,
    points: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM delivery WHERE sink = ? AND batch = ?")
        .bind(sink)
        .bind(batch)
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE sink SET waiting = waiting - ?2, dropped = dropped + ?2 WHERE id = ?1")
        .bind(sink)
        .bind(points)
        .execute(&mut *db)
        .await?;
    Ok(())
}

/// What is so of a row of `batch` that nothing holds any more. The way round by `sink` finds deliveries by their key.
pub(super) const WAITS_FOR_NOBODY: &str =
    "NOT EXISTS (SELECT 1 FROM sink s JOIN delivery d ON d.sink = s.id AND d.batch = batch.id)";

/// Deletes those of the batches (a JSON array of their numbers) that wait for no sink any more.
pub(super) async fn forget_delivered(db: &mut SqliteConnection, batches: &str) -> Result<(), sqlx::Error> {
    let sql =
        format!("DELETE FROM batch WHERE id IN (SELECT value FROM json_each(?)) AND {WAITS_FOR_NOBODY}");
    sqlx::query(AssertSqlSafe(sql))
        .bind(batches)
        .execute(&mut *db)
        .await?;
    Ok(())
}

struct Row {
    id: i64,
    name: String,
    kind: String,
    since: i64,
    damaged_since: Option<i64>,
    collected: i64,
    delivered: i64,
    waiting: i64,
    rejected: i64,
    dropped: i64,
    superseded: i64,
    acknowledged: i64,
    not_before: Option<i64>,
    last_error: Option<String>,
}

impl<'r> FromRow<'r, SqliteRow> for Row {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            since: row.try_get("since")?,
            damaged_since: row.try_get("damaged_since")?,
            collected: row.try_get("collected")?,
            delivered: row.try_get("delivered")?,
            waiting: row.try_get("waiting")?,
            rejected: row.try_get("rejected")?,
            dropped: row.try_get("dropped")?,
            superseded: row.try_get("superseded")?,
            acknowledged: row.try_get("acknowledged")?,
            not_before: row.try_get("not_before")?,
            last_error: row.try_get("last_error")?,
        })
    }
}

impl Outbox {
    /// The ledger of each sink: configured ones in their order, then orphaned ones by name. A sink that never got a
    /// point is all zeros.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn ledger(&self) -> Result<Vec<SinkLedger>, DeliveryError> {
        let mut db = self.connection().await;
        let failed = |error| self.failed(error);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, kind, since, damaged_since, collected, delivered, waiting, rejected, dropped,
                    superseded, acknowledged, not_before, last_error FROM sink ORDER BY name",
        )
        .fetch_all(&mut *db)
        .await
        .map_err(failed)?;
        let now = self.clock.now();
        let mut ledgers = Vec::new();
        for row in rows {
            let (oldest, parked): (Option<i64>, i64) = sqlx::query_as(
                "SELECT (SELECT b.committed FROM delivery d JOIN batch b ON b.id = d.batch WHERE d.sink = ?1
                         ORDER BY d.batch LIMIT 1),
                        (SELECT count(*) FROM delivery WHERE sink = ?1 AND not_before IS NOT NULL)",
            )
            .bind(row.id)
            .fetch_one(&mut *db)
            .await
            .map_err(failed)?;
            ledgers.push(self.ledger_of(row, oldest, parked, now));
        }
        for (place, sink) in self.sinks.iter().enumerate() {
            match ledgers.iter().position(|ledger| ledger.name == sink.name()) {
                Some(found) => {
                    let ledger = ledgers.remove(found);
                    ledgers.insert(place, ledger);
                }
                None => ledgers.insert(place, SinkLedger::none(sink.name(), sink.kind(), now)),
            }
        }
        Ok(ledgers)
    }

    fn ledger_of(&self, row: Row, oldest: Option<i64>, parked: i64, now: Timestamp) -> SinkLedger {
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let not_before = row.not_before.map(Timestamp::from_nanos_clamped);
        let configured = self.sinks.iter().find(|sink| sink.name() == row.name);
        SinkLedger {
            orphaned: configured.is_none(),
            kind: configured.map_or(row.kind, |sink| sink.kind().to_owned()),
            name: row.name,
            since: Timestamp::from_nanos_clamped(row.since),
            damaged_since: row.damaged_since.map(Timestamp::from_nanos_clamped),
            collected: count(row.collected),
            delivered: count(row.delivered),
            waiting: count(row.waiting),
            rejected: count(row.rejected),
            dropped: count(row.dropped),
            superseded: count(row.superseded),
            acknowledged: count(row.acknowledged),
            oldest_waiting: oldest.map(Timestamp::from_nanos_clamped),
            parked: count(parked),
            backoff_until: not_before.filter(|_| !backoff::is_over(not_before, now)),
            last_error: row.last_error,
        }
    }

    /// Counts everything again from the tables, and says what does not agree; nothing for a sound outbox.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub async fn verify(&self) -> Result<Vec<String>, DeliveryError> {
        let mut wrong = Vec::new();
        for ledger in self.ledger().await?.iter().filter(|ledger| !ledger.adds_up()) {
            wrong.push(format!(
                "the ledger of {} does not add up: {ledger:?}",
                ledger.name
            ));
        }
        let mut db = self.connection().await;
        let failed = |error| self.failed(error);
        let waiting: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT name, waiting, counted FROM (SELECT s.name, s.waiting, coalesce((SELECT sum(d.points)
             FROM delivery d WHERE d.sink = s.id), 0) AS counted FROM sink s) WHERE waiting <> counted",
        )
        .fetch_all(&mut *db)
        .await
        .map_err(failed)?;
        wrong.extend(waiting.into_iter().map(|(name, waiting, counted)| {
            format!("{name} has {waiting} points waiting in the ledger, {counted} in the queue")
        }));
        for (sql, what) in [
            (
                "SELECT count(*) FROM delivery WHERE batch NOT IN (SELECT id FROM batch)
                 OR sink NOT IN (SELECT id FROM sink)",
                "deliveries have no batch or no sink",
            ),
            (
                "SELECT count(*) FROM batch WHERE id NOT IN (SELECT batch FROM delivery)",
                "batches wait for no sink",
            ),
            (
                "SELECT count(*) FROM sink WHERE min(collected, delivered, waiting, rejected, dropped, superseded) < 0",
                "ledgers have a negative count",
            ),
        ] {
            let count: i64 = sqlx::query_scalar(sql)
                .fetch_one(&mut *db)
                .await
                .map_err(failed)?;
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        }
        Ok(wrong)
    }
}

impl SinkLedger {
    fn none(name: &str, kind: &str, since: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            since,
            damaged_since: None,
            collected: 0,
            delivered: 0,
            waiting: 0,
            rejected: 0,
            dropped: 0,
            superseded: 0,
            acknowledged: 0,
            oldest_waiting: None,
            parked: 0,
            backoff_until: None,
            last_error: None,
            orphaned: false,
        }
    }
}
