//! From this process to the outbox and the sinks, for as long as the settings are in force.

use std::path::PathBuf;

use tidemark_collect::chain;
use tidemark_delivery::{Budget, Delivery, OpenOptions, Run};
use tidemark_point::{Point, Timestamp};
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;

use super::{LAST_DELIVERY, close_killed, summary};
use crate::program::make_folder;

/// Commits runs, and delivers beside that: a slow sink delays no commit.
pub(super) struct Pipe {
    state: PathBuf,
    committer: Delivery,
    killed: Option<Timestamp>,
    /// Tells the deliverer that something waits; closed, it ends.
    waiting: Sender<()>,
    deliverer: JoinHandle<()>,
}

impl Pipe {
    /// Opens the outbox; `killed` is a run that never ended, to be closed with the first that does.
    pub(super) async fn open(options: OpenOptions, killed: Option<Timestamp>) -> Self {
        let (waiting, mut told) = channel(1);
        let state = options.dir.clone();
        let committer = Delivery::open(options.clone()).await;
        let mut delivery = Delivery::open(options).await;
        let deliverer = tokio::spawn(async move {
            while told.recv().await.is_some() {
                loop {
                    let report = delivery.deliver(Budget::Run).await;
                    tracing::debug!("a delivery ended{}", summary::delivered(&report));
                    // What waited after an outage is more than a run's budget carries.
                    if !report.is_out_of_time() {
                        break;
                    }
                }
            }
            delivery.close().await;
        });
        Self {
            state,
            committer,
            killed,
            waiting,
            deliverer,
        }
    }

    /// Keeps these runs, all or none; why they are lost, where they are.
    pub(super) async fn submit(&mut self, runs: &mut [(Run, Vec<Point>)]) -> Option<String> {
        // It may be gone since the start: what is committed must have a place.
        make_folder(&self.state);
        let (run, _) = runs.first_mut()?;
        close_killed(&mut self.committer, self.killed.take(), run).await;
        run.notices.extend(self.committer.take_notices());
        let submitted = self.committer.submit_all(runs).await;
        // Full means that the deliverer is told already.
        let _ = self.waiting.try_send(());
        submitted.err().map(|lost| chain(&lost))
    }

    /// Delivers for a moment, and closes the outbox; gives back a run that was killed, where no other has closed it yet.
    pub(super) async fn close(self) -> Option<Timestamp> {
        drop(self.waiting);
        let mut deliverer = self.deliverer;
        if tokio::time::timeout(LAST_DELIVERY, &mut deliverer).await.is_err() {
            deliverer.abort();
            // Its lock on a sink must be free for who comes next.
            let _ = deliverer.await;
        }
        self.committer.close().await;
        self.killed
    }
}
