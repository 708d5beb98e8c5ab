//! From settings, programs, locks and the outbox to a [`Status`].

use std::path::Path;
use std::sync::Arc;

use tidemark_app::lock;
use tidemark_collect::{Clock, chain};
use tidemark_delivery::{Delivery, OpenOptions, Outbox, RUNS_KEPT, Run, SinkLedger, Sinks};
use tidemark_settings::Loaded;

use super::{CollectorStatus, FailingSince, LastRun, Signs, SinkStatus, Status};
use crate::catalogue::{Catalogue, Collector};
use crate::list::Plan;

/// Looks at everything; an error where the state is there and cannot be read.
pub(super) async fn gather(
    catalogue: &Catalogue,
    loaded: &Loaded,
    state: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Status, String> {
    let now = clock.now();
    let settings = &loaded.settings;
    let mut warnings = loaded.notices.clone();
    let mut delivery = None;
    if state.join("outbox.db").exists() {
        let options = OpenOptions::from_settings(state, settings, Sinks::named(settings), clock);
        let mut opened = Delivery::open(options).await;
        let notices = opened.take_notices();
        if opened.outbox().is_none() {
            return Err(format!(
                "the outbox in {} cannot be read: {}",
                state.display(),
                notices.join("; ")
            ));
        }
        warnings.extend(notices);
        delivery = Some(opened);
    }
    let outbox = delivery.as_ref().and_then(Delivery::outbox);
    let mut collectors = Vec::new();
    for collector in &catalogue.collectors {
        let runs = match outbox {
            Some(outbox) => outbox
                .runs(&collector.name, RUNS_KEPT)
                .await
                .map_err(|error| chain(&error))?,
            None => Vec::new(),
        };
        collectors.push(of_collector(collector, loaded, state, &runs, now));
    }
    let sinks = match outbox {
        Some(outbox) => ledger(outbox).await?,
        None => Vec::new(),
    };
    if let Some(delivery) = delivery {
        delivery.close().await;
    }
    Ok(Status {
        host: settings.host.name.clone(),
        collectors,
        sinks,
        now,
        warnings,
    })
}

fn of_collector(
    collector: &Collector,
    loaded: &Loaded,
    state: &Path,
    runs: &[Run],
    now: tidemark_point::Timestamp,
) -> CollectorStatus {
    let plan = Plan::of(collector, loaded);
    let last_run = runs.first().map(last_run);
    // A lock that cannot be looked at tells nothing.
    let holder = lock::holder(state, &collector.name).unwrap_or_default();
    let broken = collector.description.as_ref().err().map(ToString::to_string);
    let signs = Signs {
        enabled: plan.enabled,
        broken: broken.is_some(),
        interval: plan.interval,
        deadline: plan.deadline,
        last_run: last_run.as_ref(),
        running_since: holder.and_then(|holder| holder.since),
    };
    CollectorStatus {
        name: collector.name.clone(),
        enabled: plan.enabled,
        interval: plan.interval,
        state: signs.state(now),
        next_run: signs.next_run(),
        failing: failing(runs),
        broken,
        last_run,
    }
}

fn last_run(run: &Run) -> LastRun {
    LastRun {
        started: run.started,
        duration_seconds: run.duration.as_secs_f64(),
        ok: run.ok,
        partial: run.is_partial(),
        points: run.points,
        gaps: run.gaps.clone(),
        notices: run.notices.clone(),
        error: run.error.clone(),
    }
}

/// How many of the newest runs failed without one between that did not; `runs` has the newest first.
fn failing(runs: &[Run]) -> Option<FailingSince> {
    let failed = runs.iter().take_while(|run| !run.ok);
    let since = failed.clone().last()?.started;
    Some(FailingSince {
        since,
        runs: failed.count() as u64,
    })
}

async fn ledger(outbox: &Outbox) -> Result<Vec<SinkStatus>, String> {
    let ledger = outbox.ledger().await.map_err(|error| chain(&error))?;
    Ok(ledger.into_iter().map(of_sink).collect())
}

fn of_sink(ledger: SinkLedger) -> SinkStatus {
    SinkStatus {
        lost: ledger.unacknowledged(),
        name: ledger.name,
        sink_type: ledger.kind,
        collected: ledger.collected,
        delivered: ledger.delivered,
        waiting: ledger.waiting,
        rejected: ledger.rejected,
        dropped: ledger.dropped,
        superseded: ledger.superseded,
        oldest_waiting: ledger.oldest_waiting,
        backoff_until: ledger.backoff_until,
        last_error: ledger.last_error,
        orphaned: ledger.orphaned,
        damaged_since: ledger.damaged_since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tidemark_point::Timestamp;

    fn run(seconds: i64, ok: bool) -> Run {
        let started = Timestamp::from_secs(seconds).expect("in range");
        Run {
            ok,
            ..Run::new("x", started, Duration::from_secs(60))
        }
    }

    #[test]
    fn failing_counts_back_to_the_last_good_run() {
        let since =
            |runs: &[Run]| failing(runs).map(|failing| (failing.since.nanos() / 1_000_000_000, failing.runs));
        assert_eq!(since(&[]), None);
        assert_eq!(since(&[run(9, true), run(8, false)]), None);
        assert_eq!(
            since(&[run(9, false), run(8, false), run(7, true), run(6, false)]),
            Some((8, 2))
        );
        assert_eq!(since(&[run(9, false)]), Some((9, 1)));
    }
}
