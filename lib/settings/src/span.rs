//! Time spans as systemd writes them.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
/// systemd's month: 30.4375 days.
const MONTH: u64 = 2_629_800 * SECOND;
/// systemd's year: 365.25 days.
const YEAR: u64 = 31_557_600 * SECOND;

/// Every spelling of a unit, longer ones before their own beginnings, so that the first match is the right one.
const UNITS: [(&str, u64); 30] = [
    ("seconds", SECOND),
    ("second", SECOND),
    ("sec", SECOND),
    ("s", SECOND),
    ("minutes", MINUTE),
    ("minute", MINUTE),
    ("min", MINUTE),
    ("months", MONTH),
    ("month", MONTH),
    ("M", MONTH),
    ("msec", 1_000),
    ("ms", 1_000),
    ("m", MINUTE),
    ("hours", HOUR),
    ("hour", HOUR),
    ("hr", HOUR),
    ("h", HOUR),
    ("days", DAY),
    ("day", DAY),
    ("d", DAY),
    ("weeks", WEEK),
    ("week", WEEK),
    ("w", WEEK),
    ("years", YEAR),
    ("year", YEAR),
    ("y", YEAR),
    ("usec", 1),
    ("us", 1),
    // GREEK SMALL LETTER MU, then MICRO SIGN: systemd takes both.
    ("\u{3bc}s", 1),
    ("\u{b5}s", 1),
];

/// The units of the written form, the largest first, as systemd spells them. A year and a month are no whole number of weeks or days apart,
/// but systemd reads the sum back to the microsecond, which is what counts.
const WRITTEN: [(&str, u64); 9] = [
    ("y", YEAR),
    ("month", MONTH),
    ("w", WEEK),
    ("d", DAY),
    ("h", HOUR),
    ("min", MINUTE),
    ("s", SECOND),
    ("ms", 1_000),
    ("us", 1),
];

/// The longest text that is read as a span, in bytes.
const LONGEST_TEXT: usize = 256;

/// A time span in systemd's grammar (systemd.time(7)), to the microsecond.
///
/// Reads `5m`, `1h 30min`, `1.5h`, `2weeks 3d`; a number without a unit is seconds. Writes the largest units first, as
/// systemd itself does: `1h 30min`, `1min 30s`, `1d`; nothing is `0`. It differs from systemd in two things alone: whole
/// minutes under an hour are `5m`, the shortest form, and parts of a second are units of their own, `1s 500ms`. systemd
/// reads either back as the same. `infinity` is refused: no span here is endless.
///
/// ```
/// use tidemark_settings::Span;
/// let span: Span = "90min".parse()?;
/// assert_eq!(span, Span::minutes(90));
/// assert_eq!(span.to_string(), "1h 30min");
/// assert_eq!(Span::minutes(5).to_string(), "5m");
/// # Ok::<(), tidemark_settings::SpanError>(())
/// ```
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    micros: u64,
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span { micros: 0 };
    /// The longest span: a microsecond less than 584,542 years, as systemd reads fewer than so many years.
    pub const MAX: Span = Span {
        micros: 584_542 * YEAR - 1,
    };

    /// So many milliseconds, at most [`Span::MAX`].
    #[must_use]
    pub const fn millis(count: u64) -> Span {
        Span::of(count, 1_000)
    }

    /// So many seconds, at most [`Span::MAX`].
    #[must_use]
    pub const fn secs(count: u64) -> Span {
        Span::of(count, SECOND)
    }

    /// So many minutes, at most [`Span::MAX`].
    #[must_use]
    pub const fn minutes(count: u64) -> Span {
        Span::of(count, MINUTE)
    }

    /// So many hours, at most [`Span::MAX`].
    #[must_use]
    pub const fn hours(count: u64) -> Span {
        Span::of(count, HOUR)
    }

    /// So many days of 24 hours, at most [`Span::MAX`].
    #[must_use]
    pub const fn days(count: u64) -> Span {
        Span::of(count, DAY)
    }

    const fn of(count: u64, unit: u64) -> Span {
        let micros = count.saturating_mul(unit);
        if micros > Span::MAX.micros {
            Span::MAX
        } else {
            Span { micros }
        }
    }

    /// The span as the standard library has it.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.micros)
    }

    /// The span in whole microseconds.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// The span in whole seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.micros / SECOND
    }

    /// The span in seconds. Exact up to 285 years (53 bits of microseconds).
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.as_duration().as_secs_f64()
    }

    /// Whether this is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.micros == 0
    }
}

impl From<Duration> for Span {
    /// Rounded down to the microsecond; at most [`Span::MAX`].
    fn from(duration: Duration) -> Span {
        match u64::try_from(duration.as_micros()) {
            Ok(micros) if micros <= Span::MAX.micros => Span { micros },
            _ => Span::MAX,
        }
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        span.as_duration()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.pad("0");
        }
        if self.micros < HOUR && self.micros.is_multiple_of(MINUTE) {
            return f.pad(&format!("{}m", self.micros / MINUTE));
        }
        let mut text = String::new();
        let mut rest = self.micros;
        for (name, unit) in WRITTEN {
            let count = rest / unit;
            if count > 0 {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(&count.to_string());
                text.push_str(name);
                rest %= unit;
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Span({self})")
    }
}

/// Why a text is not a time span.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanError {
    /// The text is empty, or white space alone.
    Empty,
    /// The text is longer than any span needs (256 bytes).
    TooLong,
    /// A number is missing where one must stand, before a unit or after a point.
    NoNumber,
    /// What follows a number is no unit of time.
    UnknownUnit,
    /// A number has a minus sign.
    Negative,
    /// The sum is more than [`Span::MAX`].
    TooMuch,
    /// The text is `infinity`.
    Infinite,
}

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SpanError::Empty => "a time span is empty",
            SpanError::TooLong => "a time span is longer than 256 bytes",
            SpanError::NoNumber => "a number is missing in a time span",
            SpanError::UnknownUnit => "an unknown unit in a time span",
            SpanError::Negative => "a time span is negative",
            SpanError::TooMuch => "a time span is longer than 584,542 years",
            SpanError::Infinite => "an endless time span has no meaning here",
        })
    }
}

impl Error for SpanError {}

impl FromStr for Span {
    type Err = SpanError;

    /// Follows systemd's `parse_time` step by step, its rounding included: each digit after the point counts for a
    /// tenth of the one before it, in whole microseconds.
    fn from_str(text: &str) -> Result<Span, SpanError> {
        if text.len() > LONGEST_TEXT {
            return Err(SpanError::TooLong);
        }
        let mut rest = skip_space(text);
        if rest.is_empty() {
            return Err(SpanError::Empty);
        }
        if rest
            .strip_prefix("infinity")
            .is_some_and(|after| skip_space(after).is_empty())
        {
            return Err(SpanError::Infinite);
        }
        let mut sum: u64 = 0;
        while !rest.is_empty() {
            let (micros, after) = one_term(rest)?;
            sum = sum
                .checked_add(micros)
                .filter(|sum| *sum <= Span::MAX.micros)
                .ok_or(SpanError::TooMuch)?;
            rest = skip_space(after);
        }
        Ok(Span { micros: sum })
    }
}

/// Reads a number and its unit; gives the microseconds and what follows.
fn one_term(text: &str) -> Result<(u64, &str), SpanError> {
    if text.starts_with('-') {
        return Err(SpanError::Negative);
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (whole, after_whole) = digits(unsigned);
    let (fraction, after_number) = match after_whole.strip_prefix('.') {
        // `+.5s` is refused, `.5s` is taken: so does systemd.
        Some(after) if !whole.is_empty() || unsigned.len() == text.len() => {
            let (fraction, after) = digits(after);
            if fraction.is_empty() {
                return Err(SpanError::NoNumber);
            }
            (fraction, after)
        }
        _ if whole.is_empty() => return Err(SpanError::NoNumber),
        _ => ("", after_whole),
    };
    let spaced = skip_space(after_number);
    let (unit, after) = match UNITS.iter().find(|(name, _)| spaced.starts_with(name)) {
        Some((name, unit)) => (*unit, spaced.get(name.len()..).unwrap_or_default()),
        None if spaced.is_empty() || spaced.len() < after_number.len() => (SECOND, spaced),
        None => return Err(SpanError::UnknownUnit),
    };
    // After white space only another number may follow; say what is really wrong with `5 parsecs`.
    if after.len() == spaced.len()
        && after.starts_with(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'))
    {
        return Err(SpanError::UnknownUnit);
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| SpanError::TooMuch)?
    };
    // systemd counts in signed numbers, and refuses one that comes near its infinity by itself.
    let in_range = whole <= i64::MAX.cast_unsigned() && whole < u64::MAX / unit;
    let mut micros = in_range.then(|| whole * unit).ok_or(SpanError::TooMuch)?;
    let mut tenth = unit;
    for digit in fraction.bytes() {
        tenth /= 10;
        micros = micros
            .checked_add(u64::from(digit - b'0') * tenth)
            .ok_or(SpanError::TooMuch)?;
    }
    Ok((micros, after))
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructors_stop_at_the_longest() {
        assert_eq!(Span::secs(90), Span::millis(90_000));
        assert_eq!(Span::hours(25), Span::minutes(1500));
        assert_eq!(Span::days(u64::MAX), Span::MAX);
        assert_eq!(Span::from(Duration::MAX), Span::MAX);
        assert_eq!(Duration::from(Span::minutes(5)), Duration::from_secs(300));
    }

    #[test]
    fn errors_name_the_fault() {
        for (text, error) in [
            ("", SpanError::Empty),
            (" \t", SpanError::Empty),
            ("s", SpanError::NoNumber),
            ("5.s", SpanError::NoNumber),
            ("+.5s", SpanError::NoNumber),
            ("5 parsecs", SpanError::UnknownUnit),
            ("5H", SpanError::UnknownUnit),
            ("1.5.5s", SpanError::UnknownUnit),
            ("1e3s", SpanError::UnknownUnit),
            ("-1s", SpanError::Negative),
            ("1h -1s", SpanError::Negative),
            ("584542y", SpanError::TooMuch),
            ("99999999999999999999", SpanError::TooMuch),
            ("infinity", SpanError::Infinite),
            (" infinity ", SpanError::Infinite),
        ] {
            assert_eq!(text.parse::<Span>(), Err(error), "{text:?}");
        }
        assert_eq!("1 ".repeat(200).parse::<Span>(), Err(SpanError::TooLong));
    }
}
