//! The front door: what a run, a flush and the operator's command hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::{Clock, chain};
use tidemark_point::{Point, Schema};
use tidemark_settings::{KeepFree, OutboxSettings, Settings, Size};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::run::SinkPoint;
use crate::sink::{AnySink, FLUSH_NAME, Sink as _};
use crate::submission::{Submission, Submitted};
use crate::{DeliveryError, Outbox, Report, Run, SinkReport, SinkState, Sinks, direct, session};

/// The longest that a run waits on delivery, where nothing else is said.
pub const RUN_BUDGET: Duration = Duration::from_secs(10);

/// After how long it is tried again whether there can be an outbox.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How long a delivery may take, and whether it heeds the backoff.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A run's: at most [`OpenOptions::run_budget`]; a sink that is backing off is left alone.
    Run,
    /// The flush timer's: until nothing is left; a sink that is backing off is left alone.
    Timer,
    /// The operator's: until nothing is left, all is tried now, whatever the backoff.
    Flush,
}

/// What [`Delivery::open`] needs.
#[derive(Clone)]
pub struct OpenOptions {
    /// The state folder. It must exist.
    pub dir: PathBuf,
    /// The host's name: the tag `host` of tidemark's own points.
    pub host: String,
    /// The sinks, resolved; or named only, for what delivers nothing.
    pub sinks: Sinks,
    /// The outbox's bounds.
    pub outbox: OutboxSettings,
    /// What the collector that submits declares of its measurements: their kinds, units and helps go to the sinks that
    /// say them. Empty for what submits no points.
    pub declared: &'static [&'static Schema],
    /// The longest that a run waits on delivery.
    pub run_budget: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl OpenOptions {
    /// Options with the usual bounds, and [`RUN_BUDGET`].
    pub fn new(dir: &Path, host: &str, sinks: Sinks, clock: Arc<dyn Clock>) -> Self {
        let outbox = OutboxSettings {
            max_bytes: Size::mib(1024),
            keep_free: KeepFree::Usual,
            max_age: None,
        };
        Self {
            dir: dir.to_path_buf(),
            host: host.to_owned(),
            sinks,
            outbox,
            declared: &[],
            run_budget: RUN_BUDGET,
            clock,
        }
    }

    /// Options as the settings have them.
    pub fn from_settings(dir: &Path, settings: &Settings, sinks: Sinks, clock: Arc<dyn Clock>) -> Self {
        let outbox = settings.outbox.clone();
        Self {
            outbox,
            ..Self::new(dir, &settings.host.name, sinks, clock)
        }
    }
}

/// The outbox with its sinks; or, where there can be no outbox, the sinks alone.
pub struct Delivery {
    options: OpenOptions,
    outbox: Option<Arc<Outbox>>,
    /// In the order of the settings; connected when something is delivered to them.
    sinks: Vec<Option<AnySink>>,
    notices: Vec<String>,
    /// When it was found that there can be no outbox.
    refused: Option<Instant>,
}

impl Delivery {
    /// Opens the outbox of a state folder, and makes it where it is not there. Never fails: where there can be none,
    /// [`Delivery::outbox`] is none, [`Delivery::take_notices`] says why, and points are delivered directly.
    pub async fn open(options: OpenOptions) -> Self {
        let sinks = options.sinks.iter().map(|_| None).collect();
        let mut delivery = Self {
            options,
            outbox: None,
            sinks,
            notices: Vec::new(),
            refused: None,
        };
        delivery.open_outbox().await;
        delivery
    }

    async fn open_outbox(&mut self) {
        match Outbox::open(&self.options).await {
            Ok((outbox, notices)) => {
                self.outbox = Some(Arc::new(outbox));
                self.notices.extend(notices);
            }
            Err(error) => {
                self.refused = Some(Instant::now());
                self.tell_direct(&error);
            }
        }
    }

    /// A process that stays leaves an outbox that is gone, and tries now and then whether there can be one again.
    async fn look_again(&mut self) {
        if self.outbox.as_ref().is_some_and(|outbox| !outbox.is_in_place()) {
            let notice = "the outbox's file was removed or moved while it was open: a new one is begun";
            tracing::warn!("{notice}");
            self.notices.push(notice.to_owned());
            self.close_outbox().await;
        }
        if self.outbox.is_none() && self.refused.is_none_or(|refused| refused.elapsed() >= LOOK_AGAIN) {
            self.open_outbox().await;
        }
    }

    /// Says why points go to the sinks without the outbox.
    fn tell_direct(&mut self, why: &DeliveryError) {
        let notice = format!(
            "{}; points are delivered directly, and those that a sink refuses are kept in the log alone",
            chain(why)
        );
        tracing::warn!("{notice}");
        self.notices.push(notice);
    }

    /// The outbox, where there is one.
    pub fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_deref()
    }

    /// What should be said about opening and committing, once: why there is no outbox, what was set aside, what was
    /// dropped by a bound. It is logged already.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Keeps a run's points, its record and its `tidemark_run` point for every sink that takes this collector's
    /// batches; durably when this returns. Where they cannot be kept, they are delivered at once.
    ///
    /// The points must hold the tags that the settings add already. A run that collected nothing and is recorded
    /// already (the same collector, target and start) changes nothing: so a killed run is closed once.
    ///
    /// # Errors
    /// [`DeliveryError::Lost`] where the points could be neither kept nor delivered.
    pub async fn submit(&mut self, run: &Run, points: &[Point]) -> Result<(), DeliveryError> {
        let submission = Submission {
            collector: &run.collector,
            runs: vec![Submitted::new(run, points, &self.options.host)],
            own: &[],
        };
        self.commit(&submission).await
    }

    /// As [`Delivery::submit`], for runs that ended at about the same time: those of one collector are kept in one
    /// transaction, all or none. It costs little more than one of them.
    ///
    /// The points of its runs are stored and sent together, and so are their `tidemark_run` points; each run's apart where
    /// a sink holds the newest run of each target (textfile).
    ///
    /// # Errors
    /// [`DeliveryError::Lost`] where points could be neither kept nor delivered. Where the runs are of several
    /// collectors, those of the others are kept all the same.
    pub async fn submit_all(&mut self, runs: &[(Run, Vec<Point>)]) -> Result<(), DeliveryError> {
        let mut collectors: Vec<&str> = Vec::new();
        for (run, _) in runs {
            if !collectors.contains(&run.collector.as_str()) {
                collectors.push(&run.collector);
            }
        }
        let mut result = Ok(());
        for collector in collectors {
            let runs = runs.iter().filter(|(run, _)| run.collector == collector);
            let submission = Submission {
                collector,
                runs: runs
                    .map(|(run, points)| Submitted::new(run, points, &self.options.host))
                    .collect(),
                own: &[],
            };
            result = result.and(self.commit(&submission).await);
        }
        result
    }

    /// Queues a `tidemark_sink` point for each sink: the flush does so before it delivers.
    ///
    /// # Errors
    /// Where they can be neither kept nor delivered.
    pub async fn submit_sink_points(&mut self) -> Result<(), DeliveryError> {
        let Some(outbox) = &self.outbox else { return Ok(()) };
        let now = self.options.clock.now();
        let mut points = Vec::new();
        for ledger in outbox.ledger().await? {
            let point = SinkPoint {
                sink: &ledger.name,
                waiting: ledger.waiting,
                oldest_waiting: ledger.oldest_waiting,
                rejected: ledger.rejected,
                dropped: ledger.dropped,
            };
            points.extend(point.point(&self.options.host, now));
        }
        let submission = Submission {
            collector: FLUSH_NAME,
            runs: Vec::new(),
            own: &points,
        };
        self.commit(&submission).await
    }

    async fn commit(&mut self, submission: &Submission<'_>) -> Result<(), DeliveryError> {
        self.look_again().await;
        let mut result = self.try_commit(submission).await;
        if let Err(Some(error)) = &result
            && error.is_damage()
        {
            self.open_again().await;
            result = self.try_commit(submission).await;
        }
        let Err(why) = result else { return Ok(()) };
        if let Some(error) = why {
            self.tell_direct(&error);
        }
        direct::deliver(&self.options, submission).await
    }

    /// Nothing comes back where there is no outbox.
    async fn try_commit(&mut self, submission: &Submission<'_>) -> Result<(), Option<DeliveryError>> {
        let outbox = self.outbox.as_ref().ok_or(None)?;
        self.notices
            .extend(outbox.commit(submission).await.map_err(Some)?);
        Ok(())
    }

    /// After damage was found: closes the outbox, has it set aside, and opens a new one. While others have the damaged
    /// one open it stays closed here, so that the last one that finds the damage can set it aside.
    async fn open_again(&mut self) {
        self.close_outbox().await;
        match Outbox::set_damaged_aside(&self.options).await {
            Ok(notices) => {
                self.notices.extend(notices);
                self.open_outbox().await;
            }
            Err(error) => {
                self.refused = Some(Instant::now());
                self.tell_direct(&error);
            }
        }
    }

    async fn close_outbox(&mut self) {
        if let Some(outbox) = self.outbox.take().and_then(Arc::into_inner) {
            outbox.close().await;
        }
    }

    /// Sends what waits to every sink, all sinks at once, each until it is drained, fails or the time is used up.
    ///
    /// Without an outbox there is nothing to send: [`Delivery::submit`] has done so.
    pub async fn deliver(&mut self, budget: Budget) -> Report {
        self.look_again().await;
        let deadline = (budget == Budget::Run).then(|| Instant::now() + self.options.run_budget);
        let mut report = self.deliver_until(budget, deadline).await;
        if report.sinks.iter().any(|sink| sink.state == SinkState::Damaged) {
            self.open_again().await;
            if self.outbox.is_some() {
                report = self.deliver_until(budget, deadline).await;
            }
        }
        if let Some(outbox) = &self.outbox
            && report.is_drained()
        {
            outbox.give_back().await;
        }
        report
    }

    async fn deliver_until(&mut self, budget: Budget, deadline: Option<Instant>) -> Report {
        let Some(outbox) = &self.outbox else {
            return Report::default();
        };
        let specs: Vec<_> = self.options.sinks.iter().cloned().collect();
        let mut reports: Vec<Option<SinkReport>> = specs.iter().map(|_| None).collect();
        if let ([spec], [sink], [report]) = (
            specs.as_slice(),
            self.sinks.as_mut_slice(),
            reports.as_mut_slice(),
        ) {
            let session = session::run(outbox, spec, sink, budget, deadline);
            *report = Some(session.instrument(spec.span()).await);
        } else {
            let mut sessions = JoinSet::new();
            for (place, (spec, sink)) in specs.into_iter().zip(&mut self.sinks).enumerate() {
                let (outbox, mut sink) = (outbox.clone(), sink.take());
                let span = spec.span();
                let session = async move {
                    let report = session::run(&outbox, &spec, &mut sink, budget, deadline).await;
                    (place, report, sink)
                };
                sessions.spawn(session.instrument(span));
            }
            while let Some(ended) = sessions.join_next().await {
                if let Ok((place, report, sink)) = ended
                    && let (Some(sink_place), Some(report_place)) =
                        (self.sinks.get_mut(place), reports.get_mut(place))
                {
                    (*sink_place, *report_place) = (sink, Some(report));
                }
            }
        }
        Report {
            sinks: reports.into_iter().flatten().collect(),
        }
    }

    /// Closes the outbox and the sinks. Dropping does so too, but later, on threads of their own.
    pub async fn close(mut self) {
        for sink in self.sinks.drain(..).flatten() {
            sink.close().await;
        }
        self.close_outbox().await;
    }
}
