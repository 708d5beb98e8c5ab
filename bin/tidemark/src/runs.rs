//! A run in a line.

use tidemark_delivery::{Run, SinkLedger};
use tidemark_settings::SinkSettings;

use crate::wording::{counted, took};

/// `812 points in 8 ms -> store`; what is partial or failed says so, and what waits for a sink that is in trouble.
pub(crate) fn line(run: &Run, sinks: &[SinkSettings], ledger: &[SinkLedger]) -> String {
    let seconds = took(run.duration.as_secs_f64());
    let target = run
        .target
        .as_deref()
        .map(|target| format!(" ({target})"))
        .unwrap_or_default();
    if !run.ok {
        return format!("failed after {seconds}{target}");
    }
    let points = counted(run.points, "point", "points");
    let mut line = format!("{points} in {seconds}{target}");
    let takers: Vec<&str> = sinks
        .iter()
        .filter(|sink| sink.takes(&run.collector))
        .map(|sink| sink.name.as_str())
        .collect();
    match takers.as_slice() {
        [] => line.push_str(" -> nowhere: no sink takes them"),
        names => line.push_str(&format!(" -> {}", names.join(", "))),
    }
    let mut remarks = Vec::new();
    if run.is_partial() {
        remarks.push(format!(
            "partial: {}",
            counted(run.gaps.len() as u64, "gap", "gaps")
        ));
    }
    let in_trouble = |sink: &&SinkLedger| sink.waiting > 0 && sink.last_error.is_some();
    for sink in ledger
        .iter()
        .filter(in_trouble)
        .filter(|sink| takers.contains(&sink.name.as_str()))
    {
        remarks.push(format!(
            "{} for {}",
            counted(sink.waiting, "point waits", "points wait"),
            sink.name
        ));
    }
    if !remarks.is_empty() {
        line.push_str(&format!(" ({})", remarks.join("; ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tidemark_point::Timestamp;
    use tidemark_settings::SinkKind;

    fn sink(name: &str, except: &[&str]) -> SinkSettings {
        let except = except.iter().map(|name| (*name).to_owned()).collect();
        SinkSettings {
            name: name.to_owned(),
            only: Vec::new(),
            except,
            kind: SinkKind::Store,
        }
    }

    fn run() -> Run {
        Run {
            points: 1812,
            duration: Duration::from_millis(12),
            ..Run::new("host", Timestamp::EPOCH, Duration::from_secs(60))
        }
    }

    #[test]
    fn a_run_says_what_how_long_and_where_to() {
        let sinks = [sink("store", &[]), sink("db", &["host"]), sink("other", &[])];
        assert_eq!(line(&run(), &sinks, &[]), "1,812 points in 12 ms -> store, other");
        assert_eq!(
            line(&run(), &sinks[1..2], &[]),
            "1,812 points in 12 ms -> nowhere: no sink takes them"
        );
    }

    #[test]
    fn what_is_partial_or_failed_says_so() {
        let sinks = [sink("store", &[])];
        let partial = Run {
            gaps: vec!["a".into(), "b".into()],
            points: 1,
            ..run()
        };
        assert_eq!(
            line(&partial, &sinks, &[]),
            "1 point in 12 ms -> store (partial: 2 gaps)"
        );
        let failed = Run {
            ok: false,
            target: Some("node-1".into()),
            ..run()
        };
        assert_eq!(line(&failed, &sinks, &[]), "failed after 12 ms (node-1)");
    }
}
