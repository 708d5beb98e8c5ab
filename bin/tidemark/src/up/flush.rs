//! The flush timer's work: each minute, what waits is delivered, and a point says how each sink is.

use std::time::Duration;

use tidemark_collect::chain;
use tidemark_delivery::{Budget, Delivery, OpenOptions};
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Between two flushes.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long a flush may go on once it was told to end; what it does not manage waits in the outbox.
const LAST: Duration = Duration::from_secs(2);

/// The flush at work.
pub(super) struct Flush {
    stop: oneshot::Sender<()>,
    now: Sender<()>,
    task: JoinHandle<()>,
}

/// Starts to flush, first after a minute: a run delivers what waits by itself.
pub(super) fn start(options: OpenOptions) -> Flush {
    let (stop, mut stopped) = oneshot::channel::<()>();
    let (now, mut asked) = channel(1);
    let task = tokio::spawn(async move {
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + INTERVAL, INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut delivery = Delivery::open(options).await;
        // Told by the reporter already.
        delivery.take_notices();
        loop {
            let is_tick = tokio::select! {
                _ = &mut stopped => break,
                _ = ticks.tick() => true,
                Some(()) = asked.recv() => false,
            };
            if is_tick && let Err(error) = delivery.submit_sink_points().await {
                tracing::warn!("the sinks' own points: {}", chain(&error));
            }
            tokio::select! {
                _ = &mut stopped => break,
                _ = delivery.deliver(Budget::Timer) => {}
            }
        }
        delivery.close().await;
    });
    Flush { stop, now, task }
}

impl Flush {
    /// Delivers what waits now; the backoff holds.
    pub(super) fn now(&self) {
        // Full means that it was asked already.
        let _ = self.now.try_send(());
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        // One that has ended already needs no telling.
        let _ = self.stop.send(());
        let mut task = self.task;
        if tokio::time::timeout(LAST, &mut task).await.is_err() {
            task.abort();
        }
    }
}
