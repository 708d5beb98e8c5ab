//! Spans beside systemd's own reading of them. systemd is on every machine that runs these tests.

use std::process::Command;
use std::time::Duration;

use proptest::prelude::*;
use tidemark_settings::{Span, SpanError};

/// systemd's microseconds and its own way to write them; `None` where it refuses the text.
fn systemd(texts: &[String]) -> Vec<Option<(u64, String)>> {
    // One call for all: it goes on past a text that it refuses, so each is told by its own answer.
    texts
        .iter()
        .map(|text| {
            let output = Command::new("systemd-analyze")
                .args(["timespan", "--", text])
                .output();
            let output = output.expect("systemd-analyze is needed for this test");
            if !output.status.success() {
                return None;
            }
            let answer = String::from_utf8(output.stdout).unwrap();
            let field = |name: &str| {
                let line = answer
                    .lines()
                    .find_map(|line| line.trim().strip_prefix(name))
                    .unwrap();
                line.trim().to_owned()
            };
            // Where the locale has no such letter, it writes `us`.
            let micros = if answer.contains("μs:") {
                field("μs:")
            } else {
                field("us:")
            };
            Some((micros.parse().unwrap(), field("Human:")))
        })
        .collect()
}

/// Texts of every unit and every corner of the grammar, right and wrong.
const TEXTS: &[&str] = &[
    "0",
    "1",
    "90",
    "5400s",
    "1.5h",
    "1h30min",
    "2weeks 3d",
    "1us",
    "1usec",
    "1µs",
    "1μs",
    "7ms",
    "7msec",
    "1500ms",
    "1.5ms",
    "3s",
    "3sec",
    "3second",
    "3seconds",
    "5m",
    "5min",
    "5minute",
    "5minutes",
    "4h",
    "4hr",
    "4hour",
    "4hours",
    "1d",
    "1day",
    "2days",
    "1w",
    "1week",
    "2weeks",
    "1M",
    "1month",
    "2months",
    "1y",
    "1year",
    "2years",
    "1m1M",
    "86400000001us",
    "1h 30 min",
    "1.5 h",
    " 5m ",
    "5m\t6s",
    "1 ms 5 h",
    "1d1d",
    "1 2",
    "1min 30",
    "+1s",
    ".5s",
    "0.5",
    "1.0000001s",
    "0.1us",
    "1.9999999us",
    "0.0000005s",
    "1.123456789s",
    "0.333h",
    "12.34 .56",
    "12.34s.56",
    "584541y",
    "584542y",
    "9223372036854775807us",
    "9223372036854775808us",
    "1y 12month",
    "55s500ms",
    "300ms20s 5day",
    "48hr",
    "2 h",
    "61s",
    "3599s",
    "8d",
    "31d",
    "366d",
    "100y",
    // Refused.
    "",
    " ",
    "s",
    "5.s",
    "+.5s",
    "1.5.5s",
    "1e3s",
    "-1s",
    "1h -1s",
    "5H",
    "5 parsecs",
    "5mins",
    "1S",
    "1D",
    "0x5",
    "1,5h",
    "3. 1",
    "0.-0",
    "3.+1",
    "584543y",
    "999999999999999999999",
    "18446744073709551615us",
    "five",
    "5m,",
    "1.",
    "1.h",
];

#[test]
fn reads_what_systemd_reads() {
    let texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    for (text, theirs) in texts.iter().zip(systemd(&texts)) {
        let ours = text.parse::<Span>().ok().map(Span::as_micros);
        assert_eq!(ours, theirs.map(|(micros, _)| micros), "{text:?}");
    }
    assert_eq!(
        systemd(&["infinity".to_owned()])[0]
            .as_ref()
            .map(|(_, human)| human.as_str()),
        Some("infinity")
    );
    assert_eq!("infinity".parse::<Span>(), Err(SpanError::Infinite));
}

#[test]
fn it_is_written_as_systemd_does_but_for_minutes_alone() {
    let spans = [
        (Span::ZERO, "0"),
        (Span::secs(1), "1s"),
        (Span::secs(60), "1m"),
        (Span::secs(61), "1min 1s"),
        (Span::minutes(59), "59m"),
        (Span::secs(90), "1min 30s"),
        (Span::minutes(5), "5m"),
        (Span::minutes(10), "10m"),
        (Span::minutes(60), "1h"),
        (Span::minutes(61), "1h 1min"),
        (Span::minutes(90), "1h 30min"),
        (Span::hours(36), "1d 12h"),
        (Span::days(7), "1w"),
        (Span::days(15), "2w 1d"),
        (Span::days(31), "1month 13h 30min"),
        (Span::days(366), "1y 18h"),
        (Span::millis(500), "500ms"),
        (Span::from(Duration::from_micros(7)), "7us"),
        (Span::from(Duration::from_micros(86_400_000_001)), "1d 1us"),
    ];
    let texts: Vec<String> = spans.iter().map(|(span, _)| span.to_string()).collect();
    for ((span, written), (text, theirs)) in spans.iter().zip(texts.iter().zip(systemd(&texts))) {
        assert_eq!(text, written);
        let (micros, human) = theirs.unwrap();
        assert_eq!(micros, span.as_micros(), "{text}");
        // Alone, minutes have the contract's shortest form.
        let alone = human.strip_suffix("min").filter(|count| !count.contains(' '));
        assert_eq!(alone.map_or(human.clone(), |count| format!("{count}m")), *written);
    }
}

#[test]
fn systemd_reads_what_we_write() {
    // Fractions of a second it writes as 1.500000s; we write 1s 500ms, which it reads as the same.
    let micros = [
        1_500_000,
        1_000_001,
        61_000_001,
        584_542 * 31_557_600_000_000 - 1,
        31_557_600_000_001,
        2_629_800_999_999,
    ];
    let spans: Vec<Span> = micros
        .iter()
        .map(|micros| Span::from(Duration::from_micros(*micros)))
        .collect();
    let texts: Vec<String> = spans.iter().map(Span::to_string).collect();
    for (span, theirs) in spans.iter().zip(systemd(&texts)) {
        assert_eq!(theirs.map(|(micros, _)| micros), Some(span.as_micros()), "{span}");
    }
}

proptest! {
    #[test]
    fn every_span_survives_its_text(micros in prop_oneof![0..584_542 * 31_557_600_000_000u64, 0..10_000_000_000u64]) {
        let span = Span::from(Duration::from_micros(micros));
        prop_assert_eq!(span.to_string().parse(), Ok(span));
    }

    #[test]
    fn any_text_is_a_span_or_an_error(text in "[0-9smhdwMy. +u\\-µ]{0,40}|.{0,40}") {
        if let Ok(span) = text.parse::<Span>() {
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
