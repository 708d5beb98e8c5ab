//! A point's time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_MILLISECOND: i64 = 1_000_000;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, negative before it.
///
/// The range is InfluxDB's, two short of the smallest `i64` and one short of the largest (1677-09-21 to
/// 2262-04-11): the missing values have other meanings there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant.
    pub const MIN: Timestamp = Timestamp(i64::MIN + 2);
    /// The latest instant.
    pub const MAX: Timestamp = Timestamp(i64::MAX - 1);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// The instant so many nanoseconds after the epoch; `None` outside the range.
    pub const fn from_nanos(nanos: i64) -> Option<Timestamp> {
        if nanos < Self::MIN.0 || nanos > Self::MAX.0 {
            None
        } else {
            Some(Timestamp(nanos))
        }
    }

    /// The instant so many nanoseconds after the epoch; the nearest one outside the range.
    pub const fn from_nanos_clamped(nanos: i64) -> Timestamp {
        if nanos < Self::MIN.0 {
            Self::MIN
        } else if nanos > Self::MAX.0 {
            Self::MAX
        } else {
            Timestamp(nanos)
        }
    }

    /// The instant so many seconds after the epoch; `None` outside the range.
    pub const fn from_secs(seconds: i64) -> Option<Timestamp> {
        match seconds.checked_mul(NANOS_PER_SECOND) {
            Some(nanos) => Self::from_nanos(nanos),
            None => None,
        }
    }

    /// The instant so many milliseconds after the epoch; `None` outside the range.
    pub const fn from_millis(milliseconds: i64) -> Option<Timestamp> {
        match milliseconds.checked_mul(NANOS_PER_MILLISECOND) {
            Some(nanos) => Self::from_nanos(nanos),
            None => None,
        }
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to this instant, negative where it is the later one; saturating.
    pub const fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant and so much later, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Timestamp {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self::from_nanos_clamped(self.0.saturating_add(nanos))
    }

    /// This instant and so much earlier, at least [`Timestamp::MIN`].
    pub fn saturating_sub(self, duration: Duration) -> Timestamp {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self::from_nanos_clamped(self.0.saturating_sub(nanos))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with `Z`, and only as many digits of the second as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from(*self);
        write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S"))?;
        let nanos = self.0.rem_euclid(NANOS_PER_SECOND);
        if nanos != 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|source| TimestampError::Syntax {
            text: shown(text),
            source,
        })?;
        Timestamp::try_from(time.with_timezone(&Utc))
            .map_err(|_| TimestampError::OutOfRange { text: shown(text) })
    }
}

/// As much of a text as a message shows.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = TimestampError;

    fn try_from(time: DateTime<Utc>) -> Result<Self, Self::Error> {
        time.timestamp_nanos_opt()
            .and_then(Timestamp::from_nanos)
            .ok_or_else(|| TimestampError::OutOfRange {
                text: time.to_rfc3339(),
            })
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        DateTime::from_timestamp_nanos(time.0)
    }
}

/// Why a text or a date is not a [`Timestamp`].
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text is not RFC 3339.
    Syntax {
        /// The text's beginning.
        text: String,
        /// What chrono says.
        source: chrono::ParseError,
    },
    /// The instant is outside [`Timestamp::MIN`] to [`Timestamp::MAX`].
    OutOfRange {
        /// The instant, as it was given.
        text: String,
    },
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimestampError::Syntax { text, .. } => {
                write!(f, "{text:?} is not a time: write it as 2026-01-31T12:00:00Z")
            }
            TimestampError::OutOfRange { text } => {
                write!(
                    f,
                    "the time {text} is out of range: {} to {}",
                    Timestamp::MIN,
                    Timestamp::MAX
                )
            }
        }
    }
}

impl std::error::Error for TimestampError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TimestampError::Syntax { source, .. } => Some(source),
            TimestampError::OutOfRange { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_has_only_the_digits_that_are_needed() {
        let shown = |nanos| Timestamp::from_nanos(nanos).unwrap().to_string();
        assert_eq!(shown(0), "1970-01-01T00:00:00Z");
        assert_eq!(shown(1_500_000_000), "1970-01-01T00:00:01.5Z");
        assert_eq!(shown(1), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(shown(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(Timestamp::MIN.to_string(), "1677-09-21T00:12:43.145224194Z");
        assert_eq!(Timestamp::MAX.to_string(), "2262-04-11T23:47:16.854775806Z");
    }

    #[test]
    fn text_reads_back() {
        for time in [
            Timestamp::MIN,
            Timestamp::EPOCH,
            Timestamp::MAX,
            Timestamp(1_700_000_000_123_000_000),
        ] {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        assert_eq!(
            "2026-01-31T14:00:00.25+02:00"
                .parse::<Timestamp>()
                .unwrap()
                .nanos()
                % 1_000_000_000,
            250_000_000
        );
    }

    #[test]
    fn bad_texts_say_what_to_write() {
        let error = "yesterday".parse::<Timestamp>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"yesterday\" is not a time: write it as 2026-01-31T12:00:00Z"
        );
        let error = "2300-01-01T00:00:00Z".parse::<Timestamp>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the time 2300-01-01T00:00:00Z is out of range"),
            "{error}"
        );
    }

    #[test]
    fn arithmetic_stays_in_the_range() {
        assert_eq!(Timestamp::from_nanos(i64::MIN + 1), None);
        assert_eq!(Timestamp::from_nanos(i64::MAX), None);
        assert_eq!(Timestamp::from_secs(i64::MAX), None);
        assert_eq!(
            Timestamp::from_millis(1_500),
            Timestamp::from_nanos(1_500_000_000)
        );
        assert_eq!(Timestamp::from_nanos_clamped(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(
            Timestamp::MIN.saturating_sub(Duration::from_nanos(1)),
            Timestamp::MIN
        );
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN), i64::MAX);
        assert_eq!(
            Timestamp::EPOCH
                .saturating_add(Duration::from_secs(2))
                .since(Timestamp::EPOCH),
            2_000_000_000
        );
    }
}
