//! When a sink that failed is tried again.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use tidemark_point::Timestamp;

/// No sink is left alone for longer. An instant further ahead is the work of a clock that jumped, and counts as past.
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(60 * 60);

/// The most that the first wait can be; it doubles with each failure.
const FIRST: Duration = Duration::from_secs(5);
/// The most that a wait grows to by itself. Only a server's `Retry-After` makes it longer.
const LARGEST: Duration = Duration::from_secs(10 * 60);
/// The first and the largest wait of a batch that always fails alone.
const FIRST_PARKED: Duration = Duration::from_secs(10 * 60);

/// The wait after so many failures in a row (from 1): full jitter, anything from nothing to the doubled bound, so that
/// hosts that failed together do not come back together.
pub(crate) fn delay(failures: u32, random: u64) -> Duration {
    jitter(doubled(FIRST, failures, LARGEST), random)
}

/// The wait of a batch that is parked, after so many failures alone (from 1 on): its half at least.
pub(crate) fn parked_delay(times: u32, random: u64) -> Duration {
    let bound = doubled(FIRST_PARKED, times, LONGEST_BACKOFF);
    bound / 2 + jitter(bound / 2, random)
}

fn doubled(first: Duration, times: u32, largest: Duration) -> Duration {
    first
        .saturating_mul(1 << times.saturating_sub(1).min(16))
        .min(largest)
}

fn jitter(bound: Duration, random: u64) -> Duration {
    let bound = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random % bound.saturating_add(1))
}

/// A number that differs from call to call and process to process. Not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Whether the wait until `instant` is over. An instant further ahead than the longest backoff was written by a clock
/// that has jumped since, and is past.
pub(crate) fn is_over(instant: Option<Timestamp>, now: Timestamp) -> bool {
    instant.is_none_or(|instant| instant <= now || instant > now.saturating_add(LONGEST_BACKOFF))
}

/// How long a `Retry-After` asks to wait: seconds, or a date in any of the three forms of HTTP (RFC 9110, 5.6.7).
/// Nothing for anything else; at most [`LONGEST_BACKOFF`].
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let date = http_date(text)?;
        Duration::from_nanos(u64::try_from(date.since(now)).unwrap_or(0))
    };
    Some(wait.min(LONGEST_BACKOFF))
}

/// An instant in any of the three forms of HTTP (RFC 9110, 5.6.7).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_rfc2822(text)
        .map(|date| date.with_timezone(&Utc))
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%A, %d-%b-%y %H:%M:%S GMT")
                .or_else(|_| NaiveDateTime::parse_from_str(text, "%a %b %e %H:%M:%S %Y"))
                .map(|date| date.and_utc())
        });
    Timestamp::try_from(date.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_bound() {
        let most: Vec<u64> = (1..10)
            .map(|failures| doubled(FIRST, failures, LARGEST).as_secs())
            .collect();
        assert_eq!(most, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(doubled(FIRST, u32::MAX, LARGEST), LARGEST);
        for random in [0, 1, u64::MAX / 3, u64::MAX] {
            assert!(delay(3, random) <= Duration::from_secs(20));
            let parked = parked_delay(9, random);
            assert!(parked >= LONGEST_BACKOFF / 2 && parked <= LONGEST_BACKOFF);
        }
        assert_eq!(delay(1, 0), Duration::ZERO);
    }

    #[test]
    fn randomness_differs() {
        assert!(
            (0..8)
                .map(|_| random())
                .collect::<std::collections::BTreeSet<_>>()
                .len()
                > 1
        );
    }

    #[test]
    fn a_wait_ends_also_when_the_clock_jumps() {
        let now = Timestamp::from_secs(1_000_000).unwrap();
        let at = |seconds: i64| Timestamp::from_secs(1_000_000 + seconds);
        assert!(is_over(None, now));
        assert!(is_over(at(0), now) && is_over(at(-5), now));
        assert!(!is_over(at(1), now) && !is_over(at(3600), now));
        assert!(is_over(at(3601), now), "further ahead than the longest backoff");
    }

    #[test]
    fn retry_after_in_every_form() {
        // RFC 9110's own example instant: 1994-11-06 08:49:37 UTC.
        let now = Timestamp::from_secs(784_111_777 - 30).unwrap();
        let seconds = |text: &str| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
        assert_eq!(seconds("Sunday, 06-Nov-94 08:49:37 GMT"), Some(30));
        assert_eq!(seconds("Sun Nov  6 08:49:37 1994"), Some(30));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "past");
        assert_eq!(seconds("99999999999999999999999"), Some(3600), "bounded");
        assert_eq!(seconds("Wed, 31 Dec 2200 23:59:59 GMT"), Some(3600), "bounded");
        for garbage in [
            "",
            "soon",
            "-5",
            "1.5",
            "12 s",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "\u{0}",
        ] {
            assert_eq!(seconds(garbage), None, "{garbage:?}");
        }
    }
}
