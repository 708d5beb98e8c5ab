//! Runs at an interval, in one process: `--every`.

use std::path::PathBuf;

use tidemark_collect::{Metric, Shutdown};
use tidemark_delivery::{Budget, Delivery, Run};
use tidemark_point::Point;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{
    HANG_GRACE, LAST_DELIVERY, Session, Submit, Target, close_killed, ended_text, listen, no_thread, print,
    run_of, submit, tell,
};
use crate::collecting::{Collecting, Ended};
use crate::exit::Failure;
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
                    let Some(mut batch) = batch else {
                        if let Target::Submit(to) = &mut self.target {
                            to.end();
                        }
                        break ended(collecting.end(), give_up.is_some());
                    };
                    self.finish(&mut batch);
                    let outcome = match (&mut self.target, &mut pipe) {
                        (Target::Submit(to), Some(pipe)) => {
                            let run = run_of(self.name, &mut batch, self.interval, self.deadline);
                            let submitted = pipe.submit(run, &batch.points).await;
                            to.end();
                            submitted
                        }
                        (Target::Print(format), _) => print::<M>(&batch, *format, &self.settings),
                        (Target::Submit(_), None) => Ok(()),
                    };
                    if let Err(failure) = outcome {
                        tracing::error!("{failure}");
                    }
                }
                signal = signals.next() => {
                    if give_up.is_some() {
                        break Ok(());
                    }
                    tracing::debug!("{signal}: ending");
                    trigger.fire();
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
}

/// Commits batches, and delivers beside that: a slow sink delays no commit.
struct Pipe {
    state: PathBuf,
    committer: Delivery,
    killed: Option<tidemark_point::Timestamp>,
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
                tell(&delivery.deliver(Budget::Run).await);
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
