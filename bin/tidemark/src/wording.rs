//! Times, spans and numbers as people read them.

use std::time::Duration;

use tidemark_point::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long ago `then` was: `40 s ago`, `3 min ago`; what lies ahead is `in 3 min`.
pub(crate) fn relative(now: Timestamp, then: Timestamp) -> String {
    let nanos = now.since(then);
    let rough = rough(Duration::from_nanos(nanos.unsigned_abs()));
    match nanos {
        0..1_000_000_000 => "just now".to_owned(),
        1_000_000_000.. => format!("{rough} ago"),
        _ => format!("in {rough}"),
    }
}

/// A span to one figure and unit: `40 s`, `3 min`, `5 h`, `12 days`; two minutes are still said in seconds, two hours in
/// minutes, two days in hours.
pub(crate) fn rough(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / MINUTE),
        7200..172_800 => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

/// How long something took: `8 ms`, `1.2 s`, `2 min 5 s`.
pub(crate) fn took(seconds: f64) -> String {
    if seconds.is_nan() || seconds < 0.0 {
        return "-".to_owned();
    }
    if seconds < 0.0095 {
        return format!("{:.1} ms", seconds * 1e3);
    }
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = Duration::try_from_secs_f64(seconds)
        .unwrap_or(Duration::MAX)
        .as_secs();
    match whole {
        0..HOUR => format!("{} min {} s", whole / MINUTE, whole % MINUTE),
        _ => format!("{} h {} min", whole / HOUR, whole % HOUR / MINUTE),
    }
}

/// A whole number with its thousands apart: `81,200`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size to three figures at most: `512 B`, `1.2 MiB`, `13 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Figures of a size that is shown to people.
    #[expect(clippy::cast_precision_loss, reason = "three figures are shown")]
    let mut rest = bytes as f64 / 1024.0;
    let mut unit = 0;
    while rest >= 1023.5 && unit + 1 < units.len() {
        rest /= 1024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if rest < 9.95 {
        format!("{rest:.1} {name}")
    } else {
        format!("{rest:.0} {name}")
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn counted(number: u64, singular: &str, plural: &str) -> String {
    format!(
        "{} {}",
        count(number),
        if number == 1 { singular } else { plural }
    )
}

/// A time to the second, in UTC: `2026-11-21 07:10:00Z`.
pub(crate) fn date_and_time(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    format!("{}Z", seconds.replacen('T', " ", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds).expect("in range")
    }

    #[test]
    fn relative_times_have_one_figure() {
        let now = at(10_000_000);
        let cases = [
            (0, "just now"),
            (1, "1 s ago"),
            (119, "119 s ago"),
            (120, "2 min ago"),
            (7199, "119 min ago"),
            (7200, "2 h ago"),
            (172_799, "47 h ago"),
            (172_800, "2 days ago"),
            (-1, "in 1 s"),
            (-300, "in 5 min"),
        ];
        for (ago, expected) in cases {
            assert_eq!(relative(now, at(10_000_000 - ago)), expected, "{ago}");
        }
        let nearly = Timestamp::from_nanos(now.nanos() - 999_999_999).expect("in range");
        assert_eq!(relative(now, nearly), "just now");
        assert_eq!(relative(Timestamp::MAX, Timestamp::MIN), "106751 days ago");
    }

    #[test]
    fn durations_fit_their_size() {
        let cases = [
            (0.0, "0.0 ms"),
            (0.0082, "8.2 ms"),
            (0.0123, "12 ms"),
            (0.9991, "999 ms"),
            (0.9996, "1.0 s"),
            (1.25, "1.2 s"),
            (59.96, "0 min 59 s"),
            (125.4, "2 min 5 s"),
            (7260.0, "2 h 1 min"),
            (f64::NAN, "-"),
            (-1.0, "-"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(took(seconds), expected, "{seconds}");
        }
        assert!(took(f64::INFINITY).ends_with(" min"));
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (81_200, "81,200"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(number), expected);
        }
        assert_eq!(counted(1, "run", "runs"), "1 run");
        assert_eq!(counted(0, "run", "runs"), "0 runs");
    }

    #[test]
    fn sizes_have_few_figures() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (13 << 30, "13 GiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn dates_are_to_the_second() {
        assert_eq!(date_and_time(at(0)), "1970-01-01 00:00:00Z");
        let time = Timestamp::from_nanos(1_795_244_400_500_000_000).expect("in range");
        assert_eq!(date_and_time(time), "2026-11-21 07:00:00Z");
    }
}
