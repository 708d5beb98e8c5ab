//! A run in a line.

use std::time::Duration;

use tidemark_delivery::{Report, SinkState};

/// `collected 812 points in 8.2 ms`; what is partial says so.
pub(super) fn collected(points: usize, took: Duration, gaps: usize) -> String {
    let mut line = format!("collected {} in {}", counted(points, "point"), span(took));
    if gaps > 0 {
        line.push_str(&format!(", with {}", counted(gaps, "gap")));
    }
    line
}

/// `; delivered to store; 1624 points wait for central (backing off)`; what went wrong is logged where it happens.
pub(super) fn delivered(report: &Report) -> String {
    let took: Vec<&str> = report
        .sinks
        .iter()
        .filter(|sink| sink.delivered > 0)
        .map(|sink| sink.sink.as_str())
        .collect();
    let mut line = String::new();
    if !took.is_empty() {
        line.push_str(&format!("; delivered to {}", took.join(", ")));
    }
    for sink in report.sinks.iter().filter(|sink| sink.waiting > 0) {
        line.push_str(&waiting(sink.waiting, &sink.sink, &sink.state));
    }
    line
}

fn waiting(points: u64, sink: &str, state: &SinkState) -> String {
    let verb = if points == 1 { "point waits" } else { "points wait" };
    let why = match state {
        SinkState::BackingOff { .. } => " (backing off)",
        SinkState::Elsewhere => " (another process delivers)",
        _ => "",
    };
    format!("; {points} {verb} for {sink}{why}")
}

pub(super) fn counted(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

fn span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 0.9995 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_how_much_it_took_and_what_is_missing() {
        let ms = Duration::from_micros;
        assert_eq!(collected(812, ms(8_240), 0), "collected 812 points in 8.2 ms");
        assert_eq!(
            collected(1, ms(999_800), 1),
            "collected 1 point in 1.0 s, with 1 gap"
        );
        assert_eq!(
            collected(0, ms(61_000_000), 2),
            "collected 0 points in 61.0 s, with 2 gaps"
        );
    }

    #[test]
    fn what_waits_says_why() {
        let backing_off = SinkState::BackingOff {
            until: tidemark_point::Timestamp::EPOCH,
            said: "connection refused".to_owned(),
        };
        for (points, state, expected) in [
            (1, SinkState::OutOfTime, "; 1 point waits for x"),
            (1624, backing_off, "; 1624 points wait for x (backing off)"),
            (
                2,
                SinkState::Elsewhere,
                "; 2 points wait for x (another process delivers)",
            ),
        ] {
            assert_eq!(waiting(points, "x", &state), expected);
        }
        assert_eq!(delivered(&Report::default()), "");
    }
}
