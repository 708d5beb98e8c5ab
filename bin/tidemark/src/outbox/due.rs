//! `tidemark outbox flush --due`: the flush timer's work. What waits is delivered where no backoff forbids it, and a point
//! says how each sink is.
//!
//! It is quiet: delivery itself logs what an operator must know, and what could not be delivered is the ledger's to tell.

use std::process::ExitCode;
use std::time::Duration;

use tidemark_app::StopSignals;
use tidemark_app::exit::Failure;
use tidemark_app::log::RUN;
use tidemark_collect::chain;
use tidemark_delivery::{Budget, Delivery, Report};

use super::{failed, opened};
use crate::wording::counted;

/// How long it may go on, as its unit lets it; the next one goes on with what is left.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Delivers what is due; success where the outbox could be read.
pub(super) async fn flush(delivery: &mut Delivery) -> Result<ExitCode, Failure> {
    let ledger = opened(delivery)?.ledger().await.map_err(failed)?;
    let waited = ledger.iter().any(|sink| sink.waiting > 0);
    if let Err(error) = delivery.submit_sink_points().await {
        tracing::warn!("the sinks' own points: {}", chain(&error));
    }
    let mut signals = StopSignals::listen()
        .map_err(|error| Failure::run(format!("signals cannot be listened to: {error}")))?;
    tokio::select! {
        report = delivery.deliver(Budget::Timer) => match said(&report) {
            Some(said) if waited => tracing::info!(target: RUN, points = delivered(&report), "{said}"),
            _ => tracing::debug!("nothing was delivered but the sinks' own points"),
        },
        signal = signals.next() => tracing::debug!("{signal}: what is not delivered yet waits in the outbox"),
        () = tokio::time::sleep(LONGEST) => {
            tracing::info!(target: RUN, "the time is used up: the next flush goes on with what is left");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn delivered(report: &Report) -> u64 {
    report.sinks.iter().map(|sink| sink.delivered).sum()
}

/// `delivered 812 points to central; 3 points wait for other`; nothing where nothing was delivered.
fn said(report: &Report) -> Option<String> {
    let points = |number: u64| counted(number, "point", "points");
    let took = report.sinks.iter().filter(|sink| sink.delivered > 0);
    let took: Vec<String> = took
        .map(|sink| format!("{} to {}", points(sink.delivered), sink.sink))
        .collect();
    if took.is_empty() {
        return None;
    }
    let waits = report.sinks.iter().filter(|sink| sink.waiting > 0);
    let waits = waits.map(|sink| {
        let wait = counted(sink.waiting, "point waits", "points wait");
        format!("; {wait} for {}", sink.sink)
    });
    Some(format!(
        "delivered {}{}",
        took.join(", "),
        waits.collect::<String>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemark_settings::Span;
    use tidemark_systemd::{Host, START_MARGIN};

    #[test]
    fn its_unit_lets_it_end_by_itself() {
        let units = tidemark_systemd::flush("/usr/bin/tidemark".as_ref(), &[], &Host::new()).expect("units");
        let most = Span::from(LONGEST + START_MARGIN.as_duration());
        assert!(units[0].text.contains(&format!("\nTimeoutStartSec={most}\n")));
    }
}
