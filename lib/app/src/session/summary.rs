//! A run in a line.

use std::time::Duration;

use tidemark_delivery::Report;

/// `collected 812 points in 8.2 ms`; what is partial says so.
pub(super) fn collected(points: usize, took: Duration, gaps: usize) -> String {
    let mut line = format!("collected {} in {}", counted(points, "point"), span(took));
    if gaps > 0 {
        line.push_str(&format!(", with {}", counted(gaps, "gap")));
    }
    line
}

/// `; delivered to store; 1624 points wait for central`; nothing where nothing was to be delivered.
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
        let verb = if sink.waiting == 1 {
            "point waits"
        } else {
            "points wait"
        };
        line.push_str(&format!("; {} {verb} for {}", sink.waiting, sink.sink));
    }
    line
}

fn counted(number: usize, noun: &str) -> String {
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
        assert_eq!(delivered(&Report::default()), "");
    }
}
