//! From a collector's batch to the outbox and the sinks: one run, and what it shares with runs at an interval.

mod every;
mod group;
mod pipe;
mod pulse;
mod reload;
mod said;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::http::Http;
use tidemark_collect::{
    Batch, Clock, Context, Metric, Shutdown, ShutdownTrigger, Strictness, SystemClock, chain,
};
use tidemark_delivery::{Budget, Delivery, OpenOptions, Run, dry_run_body};
use tidemark_point::line::Dialect;
use tidemark_point::{Adjustments, Declarations, Point, Timestamp, merge_duplicates};
use tidemark_settings::Settings;
use tokio::time::Instant;

use crate::boot::BootInstant;
use crate::clock_notice::clock_notice;
use crate::collecting::{Collecting, Ended};
use crate::exit::{self, Failure};
use crate::generation::Generation;
use crate::lock::{RunEnd, RunLock};
use crate::log::{self, RUN};
use crate::manager::Manager;
use crate::output::{self, Format};
use crate::signals::StopSignals;

pub(crate) use said::Said;

/// How long a collector may go on after its deadline, or after it was told to stop, before its run is closed without it.
const HANG_GRACE: Duration = Duration::from_secs(7);

/// How long a delivery may go on once the program was told to end; what it does not manage waits in the outbox.
const LAST_DELIVERY: Duration = Duration::from_secs(2);

/// What a session works with.
pub(crate) struct Session {
    /// The collector's name.
    pub(crate) name: &'static str,
    /// The settings in force.
    pub(crate) generation: Generation,
    /// Where the batches go.
    pub(crate) target: Target,
    /// The host that this runs on, where a unit started this run: what its clock is worth is said then. Who runs it by hand
    /// sees the clock.
    pub(crate) unit_host: Option<&'static Path>,
    /// Who started this and wants to know how it is.
    pub(crate) manager: Option<Manager>,
    /// What was said of the runs before, in this process.
    pub(crate) said: Said,
    /// Why the settings as they are now are not in force: said at every run.
    pub(crate) refused: Option<String>,
}

/// Where batches go.
pub(crate) enum Target {
    /// To standard output.
    Print(Format),
    /// To the outbox, and on to the sinks.
    Submit(Box<Submit>),
}

/// What submitting needs.
pub(crate) struct Submit {
    /// The state folder.
    pub(crate) state: PathBuf,
    /// The lock of this collector's runs; none where the state folder takes none.
    pub(crate) lock: Option<RunLock>,
    /// A run that began and never ended.
    pub(crate) killed: Option<Timestamp>,
    /// The time by a clock that nobody sets.
    pub(crate) boot: Box<dyn Fn() -> Option<BootInstant>>,
}

impl Session {
    fn context<M: Metric>(&self, shutdown: Shutdown) -> Context {
        let Generation {
            settings,
            http,
            interval,
            deadline,
            ..
        } = &self.generation;
        Context::builder()
            .metric::<M>()
            .http(Http::new(http.clone().collector(self.name)))
            .host_name(&settings.host.name)
            .interval(*interval)
            .deadline(*deadline)
            .strictness(self.strictness())
            .shutdown(shutdown)
            .build()
    }

    /// What was not declared is a mistake of the collector's author, who looks at dry runs.
    fn strictness(&self) -> Strictness {
        match self.target {
            Target::Print(_) => Strictness::Strict,
            Target::Submit(_) => Strictness::Lenient,
        }
    }

    /// One run.
    pub(crate) async fn once<M: Metric>(self, metric: M) -> Result<(), Failure> {
        let signals = listen()?;
        let (trigger, shutdown) = Shutdown::new();
        let context = self.context::<M>(shutdown);
        let started = context.now();
        // This process has one thread beside the collector's, and all that it does belongs to the run.
        let _within = log::run_span(started, None).entered();
        let ended = self.run(metric, context, started, signals, trigger).await;
        ended.map_err(|failure| failure.of_run(started))
    }

    async fn run<M: Metric>(
        mut self,
        metric: M,
        context: Context,
        started: Timestamp,
        mut signals: StopSignals,
        trigger: ShutdownTrigger,
    ) -> Result<(), Failure> {
        let shutdown = context.shutdown().clone();
        if let Target::Submit(submit) = &mut self.target {
            submit.begin(started);
        }
        let began = Instant::now();
        let collecting = Collecting::once(metric, context).map_err(no_thread)?;
        let mut batch = self
            .wait_for_batch(collecting, &mut signals, &trigger)
            .await
            .unwrap_or_else(|error| Batch {
                points: Vec::new(),
                started,
                duration: began.elapsed(),
                target: None,
                gaps: Vec::new(),
                notices: Vec::new(),
                error: Some(error),
            });
        // One start, wherever it is named: in the lock, the record, the log.
        batch.started = started;
        let clock = self.clock_notice(started);
        let notices = self.finish(&mut batch, clock.as_deref());
        self.said.begin(None, &batch.gaps, &notices);
        let run = self.run_of(&mut batch);
        match &mut self.target {
            Target::Print(format) => print::<M>(&run, &batch.points, *format, &self.generation.settings),
            Target::Submit(submit) => {
                let ending = shutdown.is_fired();
                let options = self.generation.open_options::<M>(&submit.state);
                submit
                    .submit_and_deliver(options, run, &batch.points, &mut signals, ending)
                    .await
            }
        }
    }

    /// The run's batch; or what to say where there is none, because the collector hangs or panicked.
    async fn wait_for_batch(
        &self,
        mut collecting: Collecting,
        signals: &mut StopSignals,
        trigger: &ShutdownTrigger,
    ) -> Result<Batch, String> {
        let mut give_up = Instant::now() + self.generation.deadline + HANG_GRACE;
        let mut stopped_by = None;
        loop {
            tokio::select! {
                batch = collecting.next() => return match batch {
                    Some(batch) => Ok(stopped(batch, stopped_by)),
                    None => Err(ended_text(collecting.end())),
                },
                signal = signals.next() => {
                    if stopped_by.replace(signal).is_some() {
                        return Err(format!("stopped by {signal} before anything was collected"));
                    }
                    end(signal, trigger);
                    give_up = give_up.min(Instant::now() + HANG_GRACE);
                }
                () = tokio::time::sleep_until(give_up) => return Err(match stopped_by {
                    Some(signal) => format!("stopped by {signal}, and the collector did not heed it"),
                    None => format!(
                        "the run was not done within its deadline of {}, and the collector did not heed it: see what \
                         blocks, or raise `deadline`",
                        tidemark_settings::Span::secs(self.generation.deadline.as_secs())
                    ),
                }),
            }
        }
    }

    /// What is to be said of the clock at a run that began at `started`.
    fn clock_notice(&self, started: Timestamp) -> Option<String> {
        let root = self.unit_host?;
        let before = match &self.target {
            Target::Submit(submit) => submit.lock.as_ref().and_then(RunLock::last_end),
            Target::Print(_) => None,
        };
        clock_notice(root, started, before.map(|before| before.started))
    }

    /// What is done to each batch before it leaves: the host's tags, one point for a series and time, and what is to be
    /// said of the clock and of the settings. What is to be logged of it: that of the settings was, at the start.
    fn finish(&self, batch: &mut Batch, clock: Option<&str>) -> Vec<String> {
        for point in &mut batch.points {
            for (key, value) in &self.generation.settings.host.tags {
                point.add_tag(key, value);
            }
        }
        let mut adjustments = Adjustments::default();
        merge_duplicates(&mut batch.points, &mut adjustments);
        if !adjustments.is_empty() {
            batch.notices.push(adjustments.to_string());
        }
        batch.notices.extend(clock.map(str::to_owned));
        let logged = batch.notices.clone();
        let settings = self.generation.notices.iter().chain(&self.refused);
        batch.notices.splice(0..0, settings.cloned());
        logged
    }

    /// The record of a batch; its points stay.
    fn run_of(&self, batch: &mut Batch) -> Run {
        Run {
            target: batch.target.take(),
            duration: batch.duration,
            ok: batch.error.is_none(),
            gaps: std::mem::take(&mut batch.gaps),
            notices: std::mem::take(&mut batch.notices),
            error: batch.error.take(),
            deadline: self.generation.deadline,
            ..Run::new(self.name, batch.started, self.generation.interval)
        }
    }
}

impl Submit {
    /// Notes the run's start; without the note, a kill would go unnoticed, and nothing else.
    fn begin(&mut self, started: Timestamp) {
        if let Some(lock) = &mut self.lock {
            noted(lock.begin(started));
        }
    }

    /// Notes the end of the run that began at `started`, or that none is in progress.
    fn end(&mut self, started: Option<Timestamp>) {
        let Some(lock) = &mut self.lock else { return };
        let run = started.and_then(|started| {
            let at = (self.boot)()?;
            Some(RunEnd { started, at })
        });
        noted(lock.end(run.as_ref()));
    }

    /// Commits the run, and delivers until the budget is used up or a signal comes; only for a moment where one came
    /// before.
    async fn submit_and_deliver(
        &mut self,
        options: OpenOptions,
        run: Run,
        points: &[Point],
        signals: &mut StopSignals,
        ending: bool,
    ) -> Result<(), Failure> {
        let mut delivery = Delivery::open(options).await;
        close_killed(&mut delivery, self.killed.take(), &run).await;
        let mut line = summary::collected(points.len(), run.duration, run.gaps.len());
        let started = run.started;
        let submitted = submit(&mut delivery, run, points).await;
        self.end(Some(started));
        let report = tokio::select! {
            report = delivery.deliver(Budget::Run) => Some(report),
            _ = signals.next() => None,
            () = tokio::time::sleep(LAST_DELIVERY), if ending => None,
        };
        match report {
            Some(report) => line.push_str(&summary::delivered(&report)),
            None => tracing::debug!("told to end: what is not delivered yet waits in the outbox"),
        }
        if submitted.is_ok() {
            tracing::info!(target: RUN, points = points.len(), "{line}");
        }
        delivery.close().await;
        submitted
    }
}

/// What cannot be noted costs no run.
pub(crate) fn noted(result: std::io::Result<()>) {
    if let Err(error) = result {
        tracing::debug!("the run cannot be noted in its lock: {error}");
    }
}

/// Tells the collector to end.
fn end(signal: &str, trigger: &ShutdownTrigger) {
    tracing::debug!("{signal}: ending");
    trigger.fire();
}

fn listen() -> Result<StopSignals, Failure> {
    StopSignals::listen().map_err(no_signals)
}

fn no_signals(error: std::io::Error) -> Failure {
    Failure::run(format!("signals cannot be listened to: {error}"))
}

fn no_thread(error: std::io::Error) -> Failure {
    Failure::run(format!(
        "the system gives no thread to collect on: {error}; see its limits on processes"
    ))
}

fn ended_text(end: Result<(), Ended>) -> String {
    match end {
        Ok(()) => "the collector ended without a batch".to_owned(),
        Err(Ended::Error(error)) => chain(&error),
        Err(Ended::Panic(text)) => {
            format!("the collector panicked: {text}; this is a mistake in the program")
        }
    }
}

/// A batch that was cut short by a signal says by which.
fn stopped(mut batch: Batch, signal: Option<&str>) -> Batch {
    if let (Some(signal), Some(error)) = (signal, &mut batch.error) {
        *error = format!("{error} ({signal})");
    }
    batch
}

/// Closes the run before this one, which was killed.
async fn close_killed(delivery: &mut Delivery, killed: Option<Timestamp>, run: &Run) {
    let Some(started) = killed else { return };
    let killed = Run {
        deadline: run.deadline,
        ..Run::killed(run.collector.clone(), started, run.interval)
    };
    let recorded = delivery.submit(&killed, &[]).await;
    let also = recorded
        .err()
        .map(|error| format!(", and cannot be recorded: {}", chain(&error)))
        .unwrap_or_default();
    tracing::warn!(
        run_id = %started,
        "the run of {started} was killed before it ended{also}"
    );
}

/// Commits a run; one that collected nothing is recorded too, and fails.
async fn submit(delivery: &mut Delivery, mut run: Run, points: &[Point]) -> Result<(), Failure> {
    run.notices.extend(delivery.take_notices());
    let submitted = delivery.submit(&run, points).await;
    outcome(run.error, submitted.err().map(|lost| chain(&lost)).as_deref())
}

/// How a run ended that is kept, or `lost`.
fn outcome(error: Option<String>, lost: Option<&str>) -> Result<(), Failure> {
    match (lost, error) {
        (None, None) => Ok(()),
        (None, Some(error)) => Err(Failure::run(error)),
        (Some(lost), None) => Err(Failure::run(lost)),
        (Some(lost), Some(error)) => Err(Failure::run(format!(
            "{error}; and this could not be recorded: {lost}"
        ))),
    }
}

/// Prints the points of a run. What the format cannot hold is said.
fn print<M: Metric>(run: &Run, points: &[Point], format: Format, settings: &Settings) -> Result<(), Failure> {
    if let Some(error) = &run.error {
        return Err(Failure::run(error.clone()));
    }
    if format == Format::Influx {
        return exit::print(&dry_run_body(points, &settings.sinks, M::NAME));
    }
    let declarations = Declarations::from(M::MEASUREMENTS);
    let rendered = output::render(points, format, Dialect::V2, &declarations);
    if rendered.left_out.refused() > 0 {
        tracing::warn!("{}", rendered.left_out);
    } else if !rendered.left_out.is_empty() {
        tracing::info!("{}", rendered.left_out);
    }
    exit::print(&rendered.text)
}

/// The clock of this program.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
