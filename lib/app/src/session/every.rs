//! Runs at an interval, in one process: `--every`.

use std::path::PathBuf;
use std::time::Duration;

use tidemark_collect::{Batch, Metric, Shutdown};
use tidemark_delivery::{Budget, Delivery, Run};
use tidemark_point::{Point, Timestamp};
use tidemark_settings::Span;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::pulse::{Pulse, Tick};
use super::{
    HANG_GRACE, LAST_DELIVERY, Session, Submit, Target, clock, close_killed, end, ended_text, listen,
    no_thread, print, run_of, still, submit, summary,
};
use crate::collecting::{Collecting, Ended};
use crate::exit::Failure;
use crate::log::{self, RUN};
use crate::program::make_folder;

impl Session {
    /// Runs at the interval until a signal ends it. A run that fails ends nothing.
    pub(crate) async fn every<M: Metric>(mut self, metric: M) -> Result<(), Failure> {
        let mut signals = listen()?;
        let (trigger, shutdown) = Shutdown::new();
        let context = self.context::<M>(shutdown);
        let mut pipe = match &mut self.target {
            Target::Print(_) => None,
            Target::Submit(submit) => {
                let pipe = Pipe::open(submit).await;
                // The first run begins at once; of later ones only the collector knows when.
                submit.begin(context.now());
                Some(pipe)
            }
        };
        let mut collecting = Collecting::every(metric, context, self.strictness()).map_err(no_thread)?;
        let mut pulse = Pulse::start(self.manager.take(), self.late_after());
        let mut give_up: Option<Instant> = None;
        let result = loop {
            let hung = async {
                match give_up {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                batch = collecting.next() => {
                    let Some(batch) = batch else {
                        if let Target::Submit(to) = &mut self.target {
                            to.end(None);
                        }
                        break ended(collecting.end(), give_up.is_some());
                    };
                    let started = batch.started;
                    let run = log::run_span(started, batch.target.as_deref());
                    let how = self.take::<M>(batch, &mut pipe).instrument(run).await;
                    pulse.run_ended(&format!("{started}: {how}"));
                }
                tick = pulse.tick() => {
                    if tick == Tick::Stuck {
                        self.stuck(&mut pipe).await;
                    }
                }
                signal = signals.next() => {
                    if give_up.is_some() {
                        break Ok(());
                    }
                    pulse.stopping();
                    end(signal, &trigger);
                    give_up = Some(Instant::now() + HANG_GRACE);
                }
                () = hung => {
                    tracing::warn!("the collector did not heed the signal to end, and is left");
                    break Ok(());
                }
            }
        };
        if let Some(pipe) = pipe {
            pipe.close().await;
        }
        result
    }

    /// How long no run may end before something is wrong: 2 × interval + deadline, as `status` calls it late, and what a
    /// collector that does not heed its deadline is given.
    fn late_after(&self) -> Duration {
        self.interval
            .saturating_mul(2)
            .saturating_add(self.deadline)
            .saturating_add(HANG_GRACE)
    }

    /// Commits or prints a batch; how the run was, in a line.
    async fn take<M: Metric>(&mut self, mut batch: Batch, pipe: &mut Option<Pipe>) -> String {
        self.finish(&mut batch);
        let line = summary::collected(batch.points.len(), batch.duration, batch.gaps.len());
        let said = batch.gaps.clone();
        let before = std::mem::replace(&mut self.said, said);
        let outcome = match (&mut self.target, pipe) {
            (Target::Submit(to), Some(pipe)) => {
                let run = run_of(self.name, &mut batch, self.interval, self.deadline);
                let submitted = pipe.submit(run, &batch.points).await;
                to.end(Some(batch.started));
                submitted
            }
            (Target::Print(format), _) => print::<M>(&batch, *format, &self.settings),
            (Target::Submit(_), None) => Ok(()),
        };
        match outcome {
            Ok(()) => {
                tracing::info!(target: RUN, points = batch.points.len(), "{line}");
                line
            }
            Err(failure) => {
                let text = failure.to_string();
                match before.contains(&text) {
                    true => still(&text),
                    false => tracing::error!("{text}"),
                }
                let how = format!("failed: {text}");
                self.said.push(text);
                how
            }
        }
    }

    /// Says and records that no run ends any more.
    async fn stuck(&mut self, pipe: &mut Option<Pipe>) {
        let error = format!(
            "no run has ended for {}: the collector is stuck; see what blocks, or raise `deadline`",
            Span::from(self.late_after())
        );
        tracing::error!("{error}");
        if let (Target::Submit(to), Some(pipe)) = (&mut self.target, pipe) {
            let run = Run {
                ok: false,
                error: Some(error),
                deadline: self.deadline,
                ..Run::new(self.name, clock().now(), self.interval)
            };
            let started = run.started;
            // It failed, and that is said.
            let _ = pipe.submit(run, &[]).await;
            to.end(Some(started));
        }
    }
}

/// Commits batches, and delivers beside that: a slow sink delays no commit.
struct Pipe {
    state: PathBuf,
    committer: Delivery,
    killed: Option<Timestamp>,
    /// Tells the deliverer that something waits; closed, it ends.
    waiting: Sender<()>,
    deliverer: JoinHandle<()>,
}

impl Pipe {
    async fn open(submit: &mut Submit) -> Self {
        let (waiting, mut told) = channel(1);
        let committer = Delivery::open((submit.open)()).await;
        let mut delivery = Delivery::open((submit.open)()).await;
        let deliverer = tokio::spawn(async move {
            while told.recv().await.is_some() {
                let report = delivery.deliver(Budget::Run).await;
                tracing::debug!("a delivery ended{}", summary::delivered(&report));
            }
            delivery.close().await;
        });
        Self {
            state: submit.state.clone(),
            committer,
            killed: submit.killed.take(),
            waiting,
            deliverer,
        }
    }

    async fn submit(&mut self, run: Run, points: &[Point]) -> Result<(), Failure> {
        // It may be gone since the start: what is committed must have a place.
        make_folder(&self.state);
        close_killed(&mut self.committer, self.killed.take(), &run).await;
        let submitted = submit(&mut self.committer, run, points).await;
        // Full means that the deliverer is told already.
        let _ = self.waiting.try_send(());
        submitted
    }

    async fn close(self) {
        drop(self.waiting);
        let mut deliverer = self.deliverer;
        if tokio::time::timeout(LAST_DELIVERY, &mut deliverer).await.is_err() {
            deliverer.abort();
        }
        self.committer.close().await;
    }
}

fn ended(end: Result<(), Ended>, stopping: bool) -> Result<(), Failure> {
    match end {
        Ok(()) if stopping => Ok(()),
        Ok(()) => Err(Failure::run(
            "the collector ended by itself; it should stay until it is stopped",
        )),
        Err(why) => Err(Failure::run(ended_text(Err(why)))),
    }
}
