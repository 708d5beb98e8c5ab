//! Keeping runs: their points, records and own points, in one transaction.

use std::io;
use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::Timestamp;

use super::script::Script;
use super::{Outbox, bounds, records};
use crate::sink::SinkSpec;
use crate::submission::{Packed, Submission};
use crate::{DeliveryError, Run};

/// A commit, ready to be written.
pub(super) struct Commit<'a> {
    pub(super) collector: &'a str,
    pub(super) runs: Vec<&'a Run>,
    /// The sinks that take it.
    pub(super) sinks: Vec<&'a SinkSpec>,
    pub(super) bodies: Vec<Packed>,
    pub(super) now: Timestamp,
}

impl Outbox {
    /// Keeps what a collector submits for every sink that takes it, and the records of its runs; all or nothing, durably.
    /// What had to go for it is returned, a notice each.
    pub(crate) async fn commit(&self, submission: &Submission<'_>) -> Result<Vec<String>, DeliveryError> {
        let collector = submission.collector;
        let sinks: Vec<&SinkSpec> = self.sinks.iter().filter(|sink| sink.takes(collector)).collect();
        let unpackable = |source| self.unpackable(source);
        let declared = self.declared_for(&sinks);
        // Packed before the lock is held.
        let mut bodies = match sinks.is_empty() {
            true => Vec::new(),
            false => submission.pack_points(&sinks).map_err(unpackable)?,
        };
        let packs_own = |of: &Submission<'_>| match sinks.is_empty() {
            true => Ok(Vec::new()),
            false => of.pack_own(&sinks).map_err(unpackable),
        };
        // A run that failed with nothing collected is recorded once: that is looked up first.
        let once = submission.runs.iter().any(|one| is_once(&one.run));
        if !once {
            bodies.extend(packs_own(submission)?);
        }
        let incoming = bodies.iter().map(|packed| bounds::size(&packed.body)).sum();
        let commit = |runs, bodies| Commit {
            collector,
            runs,
            sinks: sinks.clone(),
            bodies,
            now: self.clock.now(),
        };
        let mut db = self.connection().await;
        if !once && bounds::has_room(self, incoming) {
            let runs = submission.runs.iter().map(|one| &one.run).collect();
            let script = commit(runs, bodies).script().declaring(collector, declared);
            self.run_alone(&mut db, script).await?;
            return Ok(Vec::new());
        }
        let failed = |error| self.failed(error);
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let mut submission = submission.clone();
        if once {
            let mut new = Vec::new();
            for one in submission.runs {
                if !is_once(&one.run) || !is_recorded(&mut transaction, &one.run).await.map_err(failed)? {
                    new.push(one);
                }
            }
            if new.is_empty() {
                return Ok(Vec::new());
            }
            submission.runs = new;
            bodies.extend(packs_own(&submission)?);
        }
        let incoming = bodies.iter().map(|packed| bounds::size(&packed.body)).sum();
        let notices = bounds::make_room(self, &mut transaction, incoming, self.clock.now()).await?;
        let runs = submission.runs.iter().map(|one| &one.run).collect();
        let script = commit(runs, bodies).script().declaring(collector, declared);
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

/// Whether a run is recorded only where it is not yet.
fn is_once(run: &Run) -> bool {
    !run.ok && run.points == 0
}

impl Commit<'_> {
    pub(super) fn script(self) -> Script {
        let mut script = Script::new();
        record(&mut script, self.collector, &self.runs);
        if self.bodies.is_empty() {
            return script;
        }
        self.collect(&mut script);
        for packed in self.bodies {
            let Packed {
                own,
                target,
                part,
                body,
            } = packed;
            let lane = lane(self.collector, own);
            let (points, crc) = (body.points, body.crc());
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
                .value(body.v2_only)
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
        let points: u64 = self
            .bodies
            .iter()
            .map(|packed| u64::from(packed.body.points))
            .sum();
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

/// Runs that one statement records: SQLite takes 32,766 values in one.
const RUNS_AT_ONCE: usize = 1_000;

/// Records a collector's runs.
fn record(script: &mut Script, collector: &str, runs: &[&Run]) {
    if runs.is_empty() {
        return;
    }
    let list = |notes: &[String]| serde_json::to_string(notes).unwrap_or_default();
    let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    for runs in runs.chunks(RUNS_AT_ONCE) {
        script.sql(
            "INSERT INTO run (collector, target, started, duration, interval, deadline, ok, points, gaps, notices, error)
             VALUES ",
        );
        for (place, run) in runs.iter().enumerate() {
            script
                .sql(comma(place))
                .sql("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
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
        }
        script.sql(";\n");
    }
    records::tidy(script, collector);
}
