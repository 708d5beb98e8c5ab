//! Delivering to one sink: what is due, the oldest first, until nothing is left, the sink fails or time is up.
//!
//! Order holds per lane: a batch that fails holds back the later ones of its lane, not those of others. Whether a
//! failure is the batch's or the endpoint's shows by the next one: where another batch passes, the first one failed
//! alone; where that fails too, the sink is left alone for a while. A batch that failed alone [`ALONE`] times is parked:
//! its lane goes on without it.
//!
//! A folder of files is no server, and holds the newest batches alone: see `publish`.

pub(crate) mod publish;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidemark_point::{Declarations, Timestamp};
use tokio::time::Instant;

use crate::backoff;
use crate::carry::{Carried, End, carry, time_left};
use crate::delivery::Budget;
use crate::endpoint::Endpoint;
use crate::lines::Lines;
use crate::lock::{self, FileLock, Mode};
use crate::outbox::{Beginning, Due, Outbox, Settled};
use crate::policy::Later;
use crate::report::{SinkReport, SinkState};
use crate::run::own_declarations;
use crate::sink::{AnySink, SinkSpec};
use crate::{DeliveryError, words};

/// Failures of a batch, while others passed, after which it is parked.
const ALONE: u32 = 5;
/// Batches whose fate is written down in one transaction. Killed before, they are sent again, which changes nothing.
const GROUP: usize = 16;
/// How long the fate of a batch may stay unwritten.
const GROUP_TIME: Duration = Duration::from_secs(1);

/// What one sink's delivery works with.
pub(crate) struct Session<'a> {
    outbox: &'a Outbox,
    spec: &'a SinkSpec,
    endpoint: Endpoint,
    /// Batches that were read together.
    due: VecDeque<Due>,
    report: SinkReport,
    unwritten: Vec<Settled>,
    unwritten_since: Instant,
    /// What is to be written down of the endpoint with the next group.
    endpoint_changed: bool,
    /// The sink took something.
    passed: bool,
    /// Failed since the sink last took something.
    suspect: Option<(Due, Later)>,
    /// Lanes that wait for a batch that failed.
    held: Vec<String>,
    /// What is known of the fields of batches, by lane; empty where the sink does not say it.
    declared: BTreeMap<String, Arc<Declarations>>,
}

/// Delivers to a sink within the budget. `sink` is connected where it is not yet.
pub(crate) async fn run(
    outbox: &Outbox,
    spec: &SinkSpec,
    sink: &mut Option<AnySink>,
    budget: Budget,
    deadline: Option<Instant>,
) -> SinkReport {
    let mut report = SinkReport {
        sink: spec.name().to_owned(),
        delivered: 0,
        rejected: 0,
        waiting: 0,
        state: SinkState::Drained,
    };
    let result = try_run(outbox, spec, sink, budget, deadline, &mut report).await;
    if let (Some(folder), true) = (spec.folder(), report.state != SinkState::Elsewhere) {
        publish::sweep(folder, outbox.clock().now(), deadline).await;
    }
    match result {
        Ok(()) => {}
        Err(error) => {
            let said = words::words(&tidemark_collect::chain(&error));
            tracing::warn!("{}: {said}", spec.name());
            report.state = match error.is_damage() {
                true => SinkState::Damaged,
                false => SinkState::Failed(said),
            };
        }
    }
    report
}

async fn try_run(
    outbox: &Outbox,
    spec: &SinkSpec,
    sink: &mut Option<AnySink>,
    budget: Budget,
    deadline: Option<Instant>,
    report: &mut SinkReport,
) -> Result<(), DeliveryError> {
    let Some(_lock) = FileLock::take(&lock::deliverer(outbox.dir(), spec.name()), Mode::Exclusive)? else {
        report.state = SinkState::Elsewhere;
        return Ok(());
    };
    let heed_parking = budget != Budget::Flush;
    let Some(Beginning { mut endpoint, due }) = outbox.begin(spec, heed_parking).await? else {
        return Ok(());
    };
    if spec.folder().is_some() && endpoint.waiting > 0 {
        let superseded = outbox.supersede(endpoint.id).await?;
        endpoint.waiting = endpoint.waiting.saturating_sub(superseded);
    }
    if let (Some(until), false) = (
        endpoint.backing_off(outbox.clock().now()),
        budget == Budget::Flush,
    ) {
        report.waiting = endpoint.waiting;
        if report.waiting > 0 {
            let said = endpoint.last_error.unwrap_or_default();
            report.state = SinkState::BackingOff { until, said };
        }
        return Ok(());
    }
    if sink.is_none() {
        *sink = spec.connect(outbox.dir(), outbox.clock(), endpoint.plain);
    }
    let mut session = Session {
        outbox,
        spec,
        endpoint,
        due,
        report: report.clone(),
        unwritten: Vec::new(),
        unwritten_since: Instant::now(),
        endpoint_changed: false,
        passed: false,
        suspect: None,
        held: Vec::new(),
        declared: BTreeMap::new(),
    };
    let result = match (spec.folder(), sink) {
        (Some(folder), _) => session.publish(folder, deadline).await,
        (None, Some(sink)) => {
            let result = session.deliver(sink, budget, deadline).await;
            if let Some(notice) = sink.take_notice() {
                tracing::info!("{}: {notice}", spec.name());
            }
            result
        }
        (None, None) => {
            report.state = SinkState::Failed("its settings were not read: nothing is delivered".to_owned());
            return Ok(());
        }
    };
    let written = session.write().await;
    if session.report.state != SinkState::Drained || !session.has_drained() {
        session.report.waiting = outbox.points_waiting(session.endpoint.id).await.unwrap_or(0);
    }
    *report = session.report;
    result.and(written)
}

impl Session<'_> {
    async fn deliver(
        &mut self,
        sink: &mut AnySink,
        budget: Budget,
        deadline: Option<Instant>,
    ) -> Result<(), DeliveryError> {
        let mut after = 0;
        let heed_parking = budget != Budget::Flush;
        loop {
            // What others commit meanwhile they deliver themselves; a flush takes it along.
            if budget == Budget::Run && self.has_drained() {
                break;
            }
            let Some(due) = self.next(after, heed_parking).await? else {
                break;
            };
            after = due.batch;
            if self.spec.needs_declarations() {
                let declared = self.declared(&due).await?;
                sink.declare(&declared);
            }
            let carried = match &due.body {
                Ok(body) => {
                    carry(
                        sink,
                        self.spec.dialect(),
                        body,
                        due.lines.clone(),
                        due.requests,
                        deadline,
                    )
                    .await
                }
                Err(_) => Carried::without(due.lines.clone(), End::Damaged),
            };
            let Some(end) = self.settle(&due, carried).await? else {
                continue;
            };
            match end {
                // Cut off by the end of the time, of a sink that took others before: that says nothing of the sink.
                End::Later(_) if self.passed && time_left(deadline).is_none() => {
                    self.report.state = SinkState::OutOfTime;
                    return Ok(());
                }
                End::OutOfTime => {
                    self.report.state = SinkState::OutOfTime;
                    return Ok(());
                }
                End::Later(later) => {
                    if !self.failed(due, later).await? {
                        return Ok(());
                    }
                }
                End::Settled | End::Damaged => {}
            }
        }
        match self.suspect.take() {
            Some((due, later)) if self.passed || due.alone >= ALONE => self.failed_alone(&due, &later).await,
            Some((due, later)) => self.endpoint_failed(Some(due), &later).await,
            None => Ok(()),
        }
    }

    /// What is known of the fields of a batch.
    async fn declared(&mut self, due: &Due) -> Result<Arc<Declarations>, DeliveryError> {
        if let Some(declared) = self.declared.get(&due.lane) {
            return Ok(declared.clone());
        }
        let declared = Arc::new(match due.own {
            true => own_declarations(),
            false => self.outbox.declarations(&due.collector).await?,
        });
        self.declared.insert(due.lane.clone(), declared.clone());
        Ok(declared)
    }

    /// The next batch behind `after`.
    async fn next(&mut self, after: i64, heed_parking: bool) -> Result<Option<Due>, DeliveryError> {
        while let Some(due) = self.due.pop_front() {
            if !self.held.contains(&due.lane) {
                return Ok(Some(due));
            }
        }
        self.outbox
            .next(self.endpoint.id, after, &self.held, heed_parking)
            .await
    }

    /// Whether the sink has taken or refused all that waited when the session began.
    fn has_drained(&self) -> bool {
        self.report.delivered + self.report.rejected >= self.endpoint.waiting
    }

    /// Notes what became of a batch. Where the sink goes on with the next one, nothing comes back.
    async fn settle(&mut self, due: &Due, carried: Carried) -> Result<Option<End>, DeliveryError> {
        let Carried {
            delivered,
            rejected,
            rest,
            requests,
            refused_gzip,
            end,
        } = carried;
        if refused_gzip {
            tracing::info!(
                "{}: refuses gzip; bodies are sent plain from now on",
                self.spec.name()
            );
            self.endpoint.plain = true;
            self.endpoint_changed = true;
        }
        self.report.delivered += delivered;
        self.report.rejected += rejected.len() as u64;
        self.tell_rejected(due, &rejected);
        let damaged = matches!(end, End::Damaged);
        if damaged {
            self.tell_damaged(due, rest.count());
        }
        let settled = Settled {
            batch: due.batch,
            collector: due.collector.clone(),
            own: due.own,
            delivered,
            lost: if damaged { u64::from(rest.count()) } else { 0 },
            rest: if damaged { Lines::default() } else { rest },
            rejected,
            requests,
        };
        let changed = settled.rest != due.lines || settled.requests != due.requests;
        if changed {
            if self.unwritten.is_empty() {
                self.unwritten_since = Instant::now();
            }
            self.unwritten.push(settled);
        }
        if !matches!(end, End::Settled) {
            self.write().await?;
            return Ok((!damaged).then_some(end));
        }
        self.passed = true;
        if self.endpoint.recovered() {
            tracing::info!("{}: takes points again", self.spec.name());
            self.endpoint_changed = true;
        }
        if let Some((due, later)) = self.suspect.take() {
            self.failed_alone(&due, &later).await?;
        }
        if self.unwritten.len() >= GROUP || self.unwritten_since.elapsed() >= GROUP_TIME {
            self.write().await?;
        }
        Ok(None)
    }

    /// A batch failed. Whether another one is worth a try.
    async fn failed(&mut self, due: Due, later: Later) -> Result<bool, DeliveryError> {
        self.held.push(due.lane.clone());
        match self.suspect.take() {
            None if later.may_be_the_batch => {
                self.suspect = Some((due, later));
                Ok(true)
            }
            suspect => {
                if let Some((before, _)) = suspect {
                    self.outbox
                        .batch_failed(self.endpoint.id, before.batch, before.alone, None)
                        .await?;
                }
                self.endpoint_failed(Some(due), &later).await?;
                Ok(false)
            }
        }
    }

    async fn endpoint_failed(&mut self, due: Option<Due>, later: &Later) -> Result<(), DeliveryError> {
        let now = self.outbox.clock().now();
        self.tell_failed(None, later);
        self.endpoint.failed(later, now, backoff::random());
        self.endpoint_changed = true;
        self.report.state = SinkState::Failed(later.said.clone());
        if let Some(due) = due {
            self.outbox
                .batch_failed(self.endpoint.id, due.batch, due.alone, None)
                .await?;
        }
        self.write().await
    }

    /// Says what went wrong. An outage of a day is a few hundred failures: the operator must know of the first, and of
    /// what is new.
    fn tell_failed(&self, collector: Option<&str>, later: &Later) {
        let (sink, points) = (self.spec.name(), self.endpoint.waiting);
        if self.endpoint.last_error.as_deref() == Some(&later.said) {
            tracing::info!(points, collector, "{sink}: still: {}", later.said);
        } else {
            tracing::warn!(points, collector, "{sink}: {}", later.said);
        }
    }

    /// A batch failed while others passed.
    async fn failed_alone(&mut self, due: &Due, later: &Later) -> Result<(), DeliveryError> {
        let alone = due.alone.saturating_add(1);
        let name = self.spec.name();
        let mut until: Option<Timestamp> = None;
        if alone >= ALONE {
            let wait = backoff::parked_delay(alone - ALONE + 1, backoff::random());
            let instant = self.outbox.clock().now().saturating_add(wait);
            let price = match self.spec.minds_order() {
                true => " (what comes later goes first, and its points may then be refused as out of order)",
                false => "",
            };
            tracing::warn!(
                collector = due.collector,
                batch = due.batch,
                "{name}: batch {} of {} fails alone, and is parked until {instant}{price}: {}",
                due.batch,
                due.collector,
                later.said
            );
            until = Some(instant);
        } else {
            tracing::warn!(
                collector = due.collector,
                batch = due.batch,
                "{name}: batch {} of {} failed while others passed: {}",
                due.batch,
                due.collector,
                later.said
            );
        }
        self.report.state = SinkState::Failed(later.said.clone());
        self.outbox
            .batch_failed(self.endpoint.id, due.batch, alone, until)
            .await
    }

    /// Writes down what is not yet.
    async fn write(&mut self) -> Result<(), DeliveryError> {
        if self.unwritten.is_empty() && !self.endpoint_changed {
            return Ok(());
        }
        let endpoint = self.endpoint_changed.then_some(&self.endpoint);
        self.outbox
            .settle(self.endpoint.id, &self.unwritten, endpoint)
            .await?;
        self.unwritten.clear();
        self.endpoint_changed = false;
        Ok(())
    }

    fn tell_rejected(&self, due: &Due, rejected: &[crate::outbox::RejectedLine]) {
        if due.own {
            return;
        }
        if let Some(first) = rejected.first() {
            let points = rejected.len();
            let plural = if points == 1 { "" } else { "s" };
            tracing::warn!(
                collector = due.collector,
                batch = due.batch,
                points,
                "{}: refused {points} point{plural} of {}: {}: {}",
                self.spec.name(),
                due.collector,
                words::words(&first.line),
                first.reason
            );
        }
    }

    /// Says that a batch is lost, and keeps its bytes beside the outbox for who wants to look.
    fn tell_damaged(&self, due: &Due, points: u32) {
        let path = self
            .outbox
            .dir()
            .join(format!("outbox.db.damaged-batch-{}", due.batch));
        let bytes = due.body.as_ref().map_or_else(|bytes| bytes, |body| &body.bytes);
        let kept = match std::fs::write(&path, bytes) {
            Ok(()) => format!("; what is left of it is {}", path.display()),
            Err(_) => String::new(),
        };
        tracing::warn!(
            collector = due.collector,
            batch = due.batch,
            points,
            "{}: batch {} of {} is damaged, its {points} points are lost{kept}",
            self.spec.name(),
            due.batch,
            due.collector
        );
    }
}
