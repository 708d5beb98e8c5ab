use std::sync::Arc;
use std::time::Duration;

use tidemark_point::{Point, Schema, Timestamp};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior};

use crate::context::Notes;
use crate::{CollectorError, Context, Metric, Points, Strictness, chain, check_schemas};

/// How long a run that is under way may still take once the shutdown signal has fired.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// The points of one run, and how it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// What was collected, in the collector's order.
    pub points: Vec<Point>,
    /// When the run began.
    pub started: Timestamp,
    /// How long it took, by a clock that does not jump.
    pub duration: Duration,
    /// Which of many targets, for collectors that have many.
    pub target: Option<String>,
    /// Data that should be there and is not: the run is partial.
    pub gaps: Vec<String>,
    /// Anything else that the operator should know.
    pub notices: Vec<String>,
    /// Why nothing could be collected, on one line.
    pub error: Option<String>,
}

impl Batch {
    /// A batch of these points, with what the context noted since its run began.
    ///
    /// Adjustments to the points become a notice.
    pub fn new(
        cx: &Context,
        started: Timestamp,
        duration: Duration,
        points: Result<Points, CollectorError>,
    ) -> Self {
        let gaps = cx.take_gaps();
        let mut notices = cx.take_notices();
        let (points, error) = match points {
            Ok(points) => {
                let (points, adjustments) = points.into_parts();
                if !adjustments.is_empty() {
                    notices.push(adjustments.to_string());
                }
                (points, None)
            }
            Err(error) => (Vec::new(), Some(chain(&error))),
        };
        Self {
            points,
            started,
            duration,
            target: cx.target().map(str::to_owned),
            gaps,
            notices,
            error,
        }
    }

    /// Whether anything could be collected.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    /// Whether data that should be there is not.
    pub fn is_partial(&self) -> bool {
        self.is_ok() && !self.gaps.is_empty()
    }

    /// Checks the points against what is declared: see [`check_schemas`].
    fn check(&mut self, declared: Declared) {
        if declared.by_rule {
            return;
        }
        match check_schemas(&mut self.points, declared.schemas, declared.strictness) {
            Ok(found) => {
                let mut notes = Notes::default();
                found.iter().for_each(|notice| notes.add(notice));
                self.notices.extend(notes.take());
            }
            Err(error) => {
                self.points.clear();
                self.error = Some(chain(&error));
            }
        }
    }
}

/// What a collector declares, and how strictly it is held to it.
#[derive(Clone, Copy, Debug)]
struct Declared {
    schemas: &'static [&'static Schema],
    by_rule: bool,
    strictness: Strictness,
}

impl Declared {
    fn by<M: Metric>(strictness: Strictness) -> Self {
        Self {
            schemas: M::MEASUREMENTS,
            by_rule: M::RULE.is_some(),
            strictness,
        }
    }
}

/// The most points that a collector may be ahead of who takes its batches: some 20 MB of them.
const POINTS_AHEAD: usize = 50_000;

/// Where [`Metric::every`] sends its batches. Each is checked against what the collector declares.
///
/// Clones send to the same place: one for each task of a collector that has many targets.
#[derive(Clone, Debug)]
pub struct Batches {
    sender: mpsc::Sender<Sent>,
    room: Arc<Semaphore>,
    declared: Declared,
}

/// Where the batches of a [`Batches`] come out, in their order.
#[derive(Debug)]
pub struct BatchReceiver {
    receiver: mpsc::Receiver<Sent>,
    room: Arc<Semaphore>,
}

/// A batch, and the room that it takes up on its way.
#[derive(Debug)]
struct Sent {
    batch: Batch,
    room: u32,
}

impl Batches {
    /// A sender for the batches of `M`, and where they come out. A sender waits that is `capacity` (at least 1) batches
    /// ahead, or 50,000 points; a larger batch goes alone.
    pub fn channel<M: Metric>(capacity: usize, strictness: Strictness) -> (Self, BatchReceiver) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let room = Arc::new(Semaphore::new(POINTS_AHEAD));
        let taken = BatchReceiver {
            receiver,
            room: Arc::clone(&room),
        };
        let declared = Declared::by::<M>(strictness);
        (
            Self {
                sender,
                room,
                declared,
            },
            taken,
        )
    }

    /// Sends one run's batch.
    ///
    /// # Errors
    /// [`CollectorError::Closed`] where nobody takes batches any more: time to end.
    pub async fn send(&mut self, mut batch: Batch) -> Result<(), CollectorError> {
        batch.check(self.declared);
        let room = u32::try_from(batch.points.len().min(POINTS_AHEAD)).unwrap_or(0);
        let permit = self.room.acquire_many(room).await;
        // It is given back by who takes the batch.
        permit.map_err(|_| CollectorError::Closed)?.forget();
        let sent = self.sender.send(Sent { batch, room }).await;
        sent.map_err(|_| CollectorError::Closed)
    }
}

impl BatchReceiver {
    /// The next batch; none once there are no senders any more. Safe to drop while it waits.
    pub async fn recv(&mut self) -> Option<Batch> {
        let sent = self.receiver.recv().await;
        sent.map(|sent| self.take(sent))
    }

    /// The next batch that is there already.
    pub fn try_recv(&mut self) -> Option<Batch> {
        let sent = self.receiver.try_recv().ok();
        sent.map(|sent| self.take(sent))
    }

    fn take(&self, sent: Sent) -> Batch {
        self.room.add_permits(sent.room as usize);
        sent.batch
    }
}

impl Drop for BatchReceiver {
    /// Who waits for room waits no longer.
    fn drop(&mut self) {
        self.room.close();
    }
}

/// One run: collects within the context's deadline, checks the points, and returns the batch with what was noted.
///
/// It never fails: what went wrong is the batch's `error`.
pub async fn run_once<M: Metric>(metric: &M, cx: &Context) -> Batch {
    let mut batch = run_unchecked(metric, cx).await;
    batch.check(Declared::by::<M>(cx.strictness()));
    batch
}

async fn run_unchecked<M: Metric>(metric: &M, cx: &Context) -> Batch {
    cx.begin_run();
    let (started, began) = (cx.now(), Instant::now());
    let after = cx.deadline();
    let collect = async {
        tokio::time::timeout(after, metric.collect(cx))
            .await
            .unwrap_or(Err(CollectorError::Deadline { after }))
    };
    let stopped = async {
        cx.shutdown().fired().await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    let points = tokio::select! {
        biased;
        points = collect => points,
        () = stopped => Err(CollectorError::Stopped),
    };
    Batch::new(cx, started, began.elapsed(), points)
}

/// The default of [`Metric::every`].
pub(crate) async fn run_at_intervals<M: Metric>(
    metric: &M,
    cx: &Context,
    out: &mut Batches,
) -> Result<(), CollectorError> {
    let mut ticks = tokio::time::interval(cx.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            () = cx.shutdown().fired() => return Ok(()),
            _ = ticks.tick() => {}
        }
        out.send(run_unchecked(metric, cx).await).await?;
    }
}
