//! Keeping a run: its points, its record and its own point, in one transaction.

use std::io;

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::{Point, Timestamp};

use super::{Outbox, RUNS_KEPT, bounds};
use crate::body::{Body, Style, bodies};
use crate::sink::SinkSpec;
use crate::{DeliveryError, Run};

/// Points that are committed together.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) collector: &'a str,
    /// Whether they are tidemark's own: their rejection is counted and never reported.
    pub(crate) own: bool,
    pub(crate) points: &'a [Point],
}

impl Batch<'_> {
    /// Batches of one lane are delivered in order.
    fn lane(&self) -> String {
        if self.own {
            format!("{}/own", self.collector)
        } else {
            self.collector.to_owned()
        }
    }
}

impl Outbox {
    /// Keeps batches for every sink that takes them, and the run's record; all or nothing, durably. What had to go for
    /// them is returned, a notice each.
    pub(crate) async fn commit(
        &self,
        run: Option<&Run>,
        batches: &[Batch<'_>],
    ) -> Result<Vec<String>, DeliveryError> {
        let now = self.clock.now();
        let mut db = self.db.lock().await;
        let mut transaction = db
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| self.failed(error))?;
        let mut notices = Vec::new();
        if let Some(run) = run
            && !self.record(&mut transaction, run).await?
        {
            return Ok(notices);
        }
        let mut kept: Option<(&str, Vec<(i64, &SinkSpec)>)> = None;
        for batch in batches.iter().filter(|batch| !batch.points.is_empty()) {
            let sinks = match &kept {
                Some((collector, sinks)) if *collector == batch.collector => sinks,
                _ => {
                    let points = batches.iter().filter(|other| other.collector == batch.collector);
                    let points = points.map(|other| other.points.len()).sum();
                    let sinks = self
                        .collect(&mut transaction, batch.collector, points, now)
                        .await?;
                    &kept.insert((batch.collector, sinks)).1
                }
            };
            self.keep(&mut transaction, *batch, sinks, now, &mut notices)
                .await?;
        }
        transaction.commit().await.map_err(|error| self.failed(error))?;
        Ok(notices)
    }

    /// Counts so many points as collected, for each sink that takes this collector's: their rows.
    async fn collect(
        &self,
        db: &mut SqliteConnection,
        collector: &str,
        points: usize,
        now: Timestamp,
    ) -> Result<Vec<(i64, &SinkSpec)>, DeliveryError> {
        let points = i64::try_from(points).unwrap_or(i64::MAX);
        let mut sinks = Vec::new();
        for sink in self.sinks.iter().filter(|sink| sink.takes(collector)) {
            let id: i64 = sqlx::query_scalar(
                "INSERT INTO sink (name, kind, since, collected, waiting, fingerprint) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET
                 kind = excluded.kind, collected = collected + ?4, waiting = waiting + ?4 RETURNING id",
            )
            .bind(sink.name())
            .bind(sink.kind())
            .bind(now.nanos())
            .bind(points)
            .bind(sink.fingerprint())
            .fetch_one(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
            sinks.push((id, sink));
        }
        Ok(sinks)
    }

    async fn keep(
        &self,
        db: &mut SqliteConnection,
        batch: Batch<'_>,
        sinks: &[(i64, &SinkSpec)],
        now: Timestamp,
        notices: &mut Vec<String>,
    ) -> Result<(), DeliveryError> {
        if sinks.is_empty() {
            return Ok(());
        }
        let style = Style::of(sinks.iter().map(|(_, sink)| sink.sink_kind()));
        let lane = batch.lane();
        for body in bodies(batch.points, style) {
            let body = body.map_err(|source| self.unpackable(source))?;
            notices.extend(bounds::make_room(self, db, body.bytes.len() as u64, now).await?);
            self.insert(db, batch, &lane, sinks, body, now).await?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        db: &mut SqliteConnection,
        batch: Batch<'_>,
        lane: &str,
        sinks: &[(i64, &SinkSpec)],
        body: Body,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let crc = body.crc();
        let id = sqlx::query(
            "INSERT INTO batch (collector, own, committed, points, encoding, uints, length, crc, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(batch.collector)
        .bind(batch.own)
        .bind(now.nanos())
        .bind(body.points)
        .bind(body.encoding.code())
        .bind(body.uints)
        .bind(i64::try_from(body.length).unwrap_or(i64::MAX))
        .bind(crc)
        .bind(body.bytes)
        .execute(&mut *db)
        .await
        .map_err(|error| self.failed(error))?
        .last_insert_rowid();
        for (sink, _) in sinks {
            sqlx::query("INSERT INTO delivery (sink, batch, lane, points) VALUES (?, ?, ?, ?)")
                .bind(sink)
                .bind(id)
                .bind(lane)
                .bind(body.points)
                .execute(&mut *db)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Records a run. A run that failed with nothing collected is recorded once: whether it was the first time.
    async fn record(&self, db: &mut SqliteConnection, run: &Run) -> Result<bool, DeliveryError> {
        let failed = |error| self.failed(error);
        if !run.ok && run.points == 0 {
            let known: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM run WHERE collector = ? AND target IS ? AND started = ?)",
            )
            .bind(&run.collector)
            .bind(&run.target)
            .bind(run.started.nanos())
            .fetch_one(&mut *db)
            .await
            .map_err(failed)?;
            if known {
                return Ok(false);
            }
        }
        let list = |notes: &[String]| serde_json::to_string(notes).unwrap_or_default();
        let id = sqlx::query(
            "INSERT INTO run (collector, target, started, duration, interval, ok, points, gaps, notices, error)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&run.collector)
        .bind(&run.target)
        .bind(run.started.nanos())
        .bind(i64::try_from(run.duration.as_nanos()).unwrap_or(i64::MAX))
        .bind(i64::try_from(run.interval.as_nanos()).unwrap_or(i64::MAX))
        .bind(run.ok)
        .bind(i64::try_from(run.points).unwrap_or(i64::MAX))
        .bind(list(&run.gaps))
        .bind(list(&run.notices))
        .bind(&run.error)
        .execute(&mut *db)
        .await
        .map_err(failed)?
        .last_insert_rowid();
        // Every so often is often enough.
        if id % 16 == 0 {
            sqlx::query(
                "DELETE FROM run WHERE collector = ?1 AND id <=
                 (SELECT id FROM run WHERE collector = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )
            .bind(&run.collector)
            .bind(RUNS_KEPT)
            .execute(&mut *db)
            .await
            .map_err(failed)?;
        }
        Ok(true)
    }

    fn unpackable(&self, source: io::Error) -> DeliveryError {
        DeliveryError::File {
            path: self.path.clone(),
            source,
        }
    }
}
