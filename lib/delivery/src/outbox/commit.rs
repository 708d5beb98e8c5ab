//! Keeping a run: its points, its record and its own point, in one transaction.

use std::io;
use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::{Point, Timestamp};

use super::script::Script;
use super::{Outbox, RUNS_KEPT, bounds};
use crate::body::{Body, Style, bodies};
use crate::sink::SinkSpec;
use crate::{DeliveryError, Run, backoff};

/// Points of one collector that are committed together.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Batch<'a> {
    /// Whether they are tidemark's own: their rejection is counted and never reported.
    pub(crate) own: bool,
    pub(crate) points: &'a [Point],
}

/// A commit, ready to be written.
pub(super) struct Commit<'a> {
    pub(super) collector: &'a str,
    pub(super) run: Option<&'a Run>,
    /// The sinks that take it.
    pub(super) sinks: Vec<&'a SinkSpec>,
    /// Each with whether it is tidemark's own.
    pub(super) bodies: Vec<(bool, Body)>,
    pub(super) now: Timestamp,
}

impl Outbox {
    /// Keeps a collector's batches for every sink that takes them, and the run's record; all or nothing, durably. What
    /// had to go for them is returned, a notice each.
    pub(crate) async fn commit(
        &self,
        collector: &str,
        run: Option<&Run>,
        batches: &[Batch<'_>],
    ) -> Result<Vec<String>, DeliveryError> {
        let sinks: Vec<&SinkSpec> = self.sinks.iter().filter(|sink| sink.takes(collector)).collect();
        // Packed before the lock is held.
        let mut packed = Vec::new();
        if !sinks.is_empty() {
            let style = Style::of(sinks.iter().map(|sink| sink.sink_kind()));
            for batch in batches {
                for body in bodies(batch.points, style) {
                    packed.push((batch.own, body.map_err(|source| self.unpackable(source))?));
                }
            }
        }
        let commit = Commit {
            collector,
            run,
            sinks,
            bodies: packed,
            now: self.clock.now(),
        };
        let incoming = commit.bodies.iter().map(|(_, body)| bounds::size(body)).sum();
        // A run that failed with nothing collected is recorded once: that is looked up first.
        let once = run.filter(|run| !run.ok && run.points == 0);
        let declared = self.declared_for(&commit.sinks);
        let mut db = self.connection().await;
        if once.is_none() && bounds::has_room(self, incoming) {
            let script = commit.script().declaring(collector, declared);
            self.run_alone(&mut db, script).await?;
            return Ok(Vec::new());
        }
        let failed = |error| self.failed(error);
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        if let Some(run) = once
            && is_recorded(&mut transaction, run).await.map_err(failed)?
        {
            return Ok(Vec::new());
        }
        let notices = bounds::make_room(self, &mut transaction, incoming, commit.now).await?;
        let script = commit.script().declaring(collector, declared);
        script.run(&mut transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(notices)
    }

    pub(super) fn unpackable(&self, source: io::Error) -> DeliveryError {
        DeliveryError::File {
            path: self.path.clone(),
            source,
        }
    }
}

impl Commit<'_> {
    pub(super) fn script(self) -> Script {
        let mut script = Script::new();
        if let Some(run) = self.run {
            record(&mut script, run);
        }
        if self.bodies.is_empty() {
            return script;
        }
        self.collect(&mut script);
        let target = self.run.and_then(|run| run.target.as_ref());
        let mut before = None;
        let mut part = 0;
        for (own, body) in self.bodies {
            let lane = lane(self.collector, own);
            let (points, crc) = (body.points, body.crc());
            part = match before.replace(own) {
                _ if self.run.is_none() && !own => NO_PART,
                Some(before) if before == own => part + 1,
                _ => 0,
            };
            script
                .sql(
                    "INSERT INTO batch (collector, own, committed, points, encoding, uints, target, part, length, crc, body)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);\n",
                )
                .value(self.collector)
                .value(own)
                .value(self.now.nanos())
                .value(points)
                .value(body.encoding.code())
                .value(body.uints)
                .value(target)
                .value(part)
                .value(i64::try_from(body.length).unwrap_or(i64::MAX))
                .value(crc)
                .value(body.bytes);
            script
                .sql(
                    "INSERT INTO delivery (sink, batch, lane, points) SELECT id, last_insert_rowid(), ?, ?
                     FROM sink WHERE name IN (",
                )
                .value(lane)
                .value(points);
            script.values(self.sinks.iter().map(|sink| sink.name()));
            script.sql(");\n");
        }
        script
    }

    /// Counts the points as collected, for each sink.
    fn collect(&self, script: &mut Script) {
        let points: u64 = self.bodies.iter().map(|(_, body)| u64::from(body.points)).sum();
        let points = i64::try_from(points).unwrap_or(i64::MAX);
        script.sql("INSERT INTO sink (name, kind, since, collected, waiting, fingerprint) VALUES ");
        for (place, sink) in self.sinks.iter().enumerate() {
            script
                .sql(comma(place))
                .sql("(?, ?, ?, ?, ?, ?)")
                .value(sink.name())
                .value(sink.kind())
                .value(self.now.nanos())
                .value(points)
                .value(points)
                .value(sink.fingerprint());
        }
        script.sql(
            " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind,
             collected = collected + excluded.collected, waiting = waiting + excluded.waiting;\n",
        );
    }
}

/// What stands for the part of a run where points belong to none: they were mended.
pub(super) const NO_PART: i64 = -1;

/// Batches of one lane are delivered in order.
pub(super) fn lane(collector: &str, own: bool) -> String {
    match own {
        true => format!("{collector}/own"),
        false => collector.to_owned(),
    }
}

fn comma(place: usize) -> &'static str {
    if place == 0 { "" } else { ", " }
}

/// Whether a run is recorded already.
async fn is_recorded(db: &mut SqliteConnection, run: &Run) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM run WHERE collector = ? AND target IS ? AND started = ?)",
    )
    .bind(&run.collector)
    .bind(&run.target)
    .bind(run.started.nanos())
    .fetch_one(db)
    .await
}

/// One in so many commits forgets the collector's oldest runs.
const TIDY_EVERY: u64 = 16;

/// Records a run.
fn record(script: &mut Script, run: &Run) {
    let list = |notes: &[String]| serde_json::to_string(notes).unwrap_or_default();
    let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    script
        .sql(
            "INSERT INTO run (collector, target, started, duration, interval, deadline, ok, points, gaps, notices,
                              error)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);\n",
        )
        .value(&run.collector)
        .value(&run.target)
        .value(run.started.nanos())
        .value(nanos(run.duration))
        .value(nanos(run.interval))
        .value(nanos(run.deadline))
        .value(run.ok)
        .value(i64::try_from(run.points).unwrap_or(i64::MAX))
        .value(list(&run.gaps))
        .value(list(&run.notices))
        .value(&run.error);
    // The look at the index costs more than the record itself: every so often is often enough.
    if backoff::random().is_multiple_of(TIDY_EVERY) {
        script
            .sql(
                "DELETE FROM run WHERE collector = ? AND id <=
                 (SELECT id FROM run WHERE collector = ? ORDER BY id DESC LIMIT 1 OFFSET ?);\n",
            )
            .value(&run.collector)
            .value(&run.collector)
            .value(RUNS_KEPT);
    }
}
