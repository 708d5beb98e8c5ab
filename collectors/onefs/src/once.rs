//! One run over all clusters: everything is fetched once.

use std::time::Duration;

use tidemark_collect::{CollectorError, Context, Points, chain, side_by_side};
use tokio::time::Instant;

use crate::bound::Bound;
use crate::memory::Memories;
use crate::plan::Plan;
use crate::visitor::Visitor;

/// How many clusters are visited at a time.
const AT_A_TIME: usize = 64;
/// What is left of the run, at most, when visits have to end: for what was fetched to be submitted.
const MARGIN: Duration = Duration::from_secs(5);

/// Visits all clusters of the plan once.
pub(crate) async fn once(plan: &Plan, memories: &Memories, cx: &Context) -> Result<Points, CollectorError> {
    if plan.clusters.is_empty() {
        return Ok(nothing(cx));
    }
    let count = plan.clusters.len();
    // Where not all have their turn at once, each has its share of the time.
    let rounds = u32::try_from(count.div_ceil(AT_A_TIME)).unwrap_or(u32::MAX);
    let remaining = cx.remaining();
    let time = (remaining - MARGIN.min(remaining / 4)) / rounds;
    let visits = plan.clusters.iter().map(|cluster| async move {
        let now = Instant::now();
        let mut visitor = Visitor::new(plan, cluster, memories, cx, now);
        let run = cx.for_target(visitor.target());
        let outcome = visitor.visit(&run, &Bound::new(now + time, cx.shutdown())).await;
        visitor.close().await;
        let name = visitor.target();
        (name, outcome, run)
    });
    let visited = side_by_side(AT_A_TIME, visits).await;
    let mut points = Points::new();
    let mut failures = Vec::new();
    for (name, outcome, run) in visited {
        for gap in run.take_gaps() {
            cx.gap(format_args!("{name}: {gap}"));
        }
        for notice in run.take_notices() {
            cx.notice(format_args!("{name}: {notice}"));
        }
        match outcome {
            Ok(fetched) => points.append(fetched),
            Err(error) => failures.push((name, error)),
        }
    }
    if failures.len() < count {
        for (name, error) in failures {
            cx.gap(format_args!("{name}: {}", chain(&error)));
        }
        return Ok(points);
    }
    let mut failures = failures.into_iter();
    let Some((name, first)) = failures.next() else {
        return Ok(points);
    };
    if count == 1 {
        return Err(first);
    }
    for (name, error) in failures {
        cx.gap(format_args!("{name}: {}", chain(&error)));
    }
    Err(CollectorError::caused(
        format_args!("none of {count} clusters could be collected; {name}"),
        first,
    ))
}

/// What is said where every cluster is disabled.
pub(crate) fn nothing(cx: &Context) -> Points {
    cx.notice("every cluster is disabled: nothing is collected");
    Points::new()
}
