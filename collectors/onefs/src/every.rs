//! The collector as it stays: a task a cluster, none of which waits for another.

use std::time::Duration;

use tidemark_collect::{Batch, Batches, CollectorError, Context, side_by_side};
use tokio::time::Instant;

use crate::bound::Bound;
use crate::listener::Exposition;
use crate::memory::Memories;
use crate::once;
use crate::plan::Plan;
use crate::schedule::phase;
use crate::visitor::Visitor;

/// The least that a visit has, however short the interval: longer than a request's own time.
const SHORTEST_VISIT: Duration = Duration::from_secs(45);
/// The most that ending the sessions may take.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The longest interval that clusters are spread over, where there is time enough between them.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);
/// What their beginnings are apart at least: at first each is asked about all its keys.
const APART: Duration = Duration::from_millis(25);

/// Visits all clusters of the plan until the shutdown signal fires.
pub(crate) async fn every(
    plan: &Plan,
    memories: &Memories,
    shown: Option<&Exposition>,
    cx: &Context,
    out: &Batches,
) -> Result<(), CollectorError> {
    if plan.clusters.is_empty() {
        return nothing_to_do(cx, out.clone()).await;
    }
    let began = Instant::now();
    let count = plan.clusters.len();
    let spread = spread(plan.minimum, count);
    let tasks = plan.clusters.iter().enumerate().map(|(number, cluster)| {
        let origin = began + phase(number, count, spread);
        let feed = shown.and_then(|shown| shown.feed(&cluster.address));
        let visitor = Visitor::new(plan, cluster, memories, cx, origin).with_feed(feed);
        let time = plan.minimum.max(SHORTEST_VISIT).min(cx.deadline());
        stay(visitor, origin, time, cx, out.clone())
    });
    let ended = side_by_side(count, tasks).await;
    if let Some(shown) = shown {
        shown.settle().await;
    }
    ended.into_iter().collect()
}

/// What the beginnings of so many clusters are spread over: whole intervals, so that later moments are spread evenly too.
fn spread(interval: Duration, count: usize) -> Duration {
    let interval = interval.clamp(Duration::from_millis(1), LONGEST_SPREAD);
    let least = APART.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
    let intervals = least.as_nanos().div_ceil(interval.as_nanos()).max(1);
    interval.saturating_mul(u32::try_from(intervals).unwrap_or(u32::MAX))
}

/// Visits one cluster at its moments.
async fn stay(
    mut visitor: Visitor<'_>,
    origin: Instant,
    time: Duration,
    cx: &Context,
    mut out: Batches,
) -> Result<(), CollectorError> {
    let shutdown = cx.shutdown();
    let mut next = origin;
    // It failed under this name, which it has been called by since nobody knew another.
    let mut failed_as: Option<String> = None;
    loop {
        tokio::select! {
            biased;
            () = shutdown.fired() => break,
            () = tokio::time::sleep_until(next) => {}
        }
        let run = cx.for_target(visitor.target());
        let (started, began) = (run.now(), Instant::now());
        let bound = Bound::new(began + time, shutdown);
        // What a visit needs while it lasts, hundreds of clusters need not have all the time.
        let outcome = Box::pin(visitor.visit(&run, &bound)).await;
        let failed = outcome.is_err();
        let mut batch = Batch::new(&run, started, began.elapsed(), outcome);
        if batch.error.is_some() && shutdown.is_fired() {
            // It was cut short, which is no failure of the cluster's.
            break;
        }
        let target = visitor.target();
        if failed && !visitor.is_known() {
            failed_as = Some(target.clone());
        } else if let Some(before) = failed_as.take_if(|before| *before != target) {
            // Under its own name it is another target: this one fails no more.
            out.send(Batch {
                points: Vec::new(),
                started: batch.started,
                duration: batch.duration,
                target: Some(before),
                gaps: Vec::new(),
                notices: vec![format!("the cluster is up, and called {target}")],
                error: None,
            })
            .await?;
        }
        batch.target = Some(target);
        out.send(batch).await?;
        next = visitor.next(failed, cx);
    }
    // The cluster ends it by itself too, later.
    let _ = tokio::time::timeout(LAST_WORDS, visitor.close()).await;
    Ok(())
}

/// Says at each interval that there is nothing to visit.
async fn nothing_to_do(cx: &Context, mut out: Batches) -> Result<(), CollectorError> {
    let mut ticks = tokio::time::interval(cx.interval());
    loop {
        tokio::select! {
            biased;
            () = cx.shutdown().fired() => return Ok(()),
            _ = ticks.tick() => {}
        }
        cx.begin_run();
        let batch = Batch::new(cx, cx.now(), Duration::ZERO, Ok(once::nothing(cx)));
        out.send(batch).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_clusters_begin_apart() {
        let seconds = |interval, count| spread(Duration::from_secs(interval), count).as_secs();
        assert_eq!(seconds(5, 1), 5);
        assert_eq!(seconds(5, 200), 5);
        assert_eq!(seconds(5, 201), 10);
        assert_eq!(seconds(5, 400), 10);
        assert_eq!(seconds(30, 400), 30);
        assert_eq!(seconds(3600, 1), 30);
        assert_eq!(spread(Duration::ZERO, 1), Duration::from_millis(25));
    }
}
