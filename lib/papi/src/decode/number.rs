//! Numbers of an answer that are not just floats.

use tidemark_collect::Timestamp;

use super::reader::{Kind, Number, Read, Reader};

/// A whole number of an answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Whole {
    /// Not there, or null.
    #[default]
    Absent,
    Is(i64),
    /// Something else.
    Odd,
}

impl Whole {
    /// Reads a number, or a number in quotes.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Read<Whole> {
        if let Some(whole) = reader.short_whole() {
            return Ok(Whole::Is(whole));
        }
        Ok(match reader.kind()? {
            Kind::Number => Whole::of(&reader.number()?),
            Kind::Text => reader.string()?.trim().parse().map_or(Whole::Odd, Whole::Is),
            Kind::Null => {
                reader.word()?;
                Whole::Absent
            }
            Kind::Bool | Kind::Map | Kind::List => {
                reader.skip()?;
                Whole::Odd
            }
        })
    }

    /// A number, if it is whole, however it is written.
    pub(crate) fn of(number: &Number<'_>) -> Whole {
        if let Ok(whole) = number.text.parse() {
            return Whole::Is(whole);
        }
        // From 2^63 on they are none; below, a whole float is one.
        let limit = 9_223_372_036_854_775_808.0;
        let Number { value, .. } = *number;
        if value.fract() == 0.0 && value >= -limit && value < limit {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in the range")]
            return Whole::Is(value as i64);
        }
        Whole::Odd
    }
}

/// A time in seconds since 1970, of a number or a number in quotes; `None` where it is none, not after 1970, or beyond
/// what a point can have.
pub(crate) fn time(reader: &mut Reader<'_>) -> Read<Option<Timestamp>> {
    if let Some(whole) = reader.short_whole() {
        return Ok(Timestamp::from_secs(whole).filter(|time| *time > Timestamp::EPOCH));
    }
    Ok(match reader.kind()? {
        Kind::Number => seconds(reader.number()?.text),
        Kind::Text => seconds(reader.string()?.trim()),
        _ => {
            reader.skip()?;
            None
        }
    })
}

fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let nanos = if digits(whole) && digits(fraction) {
        let mut nanos = whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?;
        let mut unit = 100_000_000;
        for digit in fraction.bytes() {
            nanos = nanos.checked_add(i64::from(digit - b'0') * unit)?;
            unit /= 10;
        }
        nanos
    } else {
        // With an exponent.
        let nanos = text.parse::<f64>().ok()? * 1e9;
        if !(1.0..9e18).contains(&nanos) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is in the range")]
        let nanos = nanos as i64;
        nanos
    };
    Timestamp::from_nanos(nanos).filter(|time| *time > Timestamp::EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_however_it_is_written() {
        let cases = [
            ("1700000000", Some(1_700_000_000_000_000_000)),
            ("\"1700000000\"", Some(1_700_000_000_000_000_000)),
            ("1700000000.25", Some(1_700_000_000_250_000_000)),
            ("1700000000.1234567891", Some(1_700_000_000_123_456_789)),
            ("1.7e9", Some(1_700_000_000_000_000_000)),
            ("0", None),
            ("-5", None),
            ("1700000000000", None),
            ("1e300", None),
            ("null", None),
            ("\"\"", None),
            ("\".\"", None),
            ("\"now\"", None),
            ("[1]", None),
        ];
        for (text, nanos) in cases {
            let read = time(&mut Reader::new(text)).unwrap();
            assert_eq!(read.map(Timestamp::nanos), nanos, "{text}");
        }
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let cases = [
            ("5", Whole::Is(5)),
            ("-5", Whole::Is(-5)),
            ("5.0", Whole::Is(5)),
            ("5e0", Whole::Is(5)),
            ("\" 5 \"", Whole::Is(5)),
            ("9223372036854775807", Whole::Is(i64::MAX)),
            ("9223372036854775808", Whole::Odd),
            ("-9223372036854775808", Whole::Is(i64::MIN)),
            ("1e400", Whole::Odd),
            ("NaN", Whole::Odd),
            ("5.5", Whole::Odd),
            ("\"five\"", Whole::Odd),
            ("true", Whole::Odd),
            ("{\"a\": [5]}", Whole::Odd),
            ("null", Whole::Absent),
        ];
        for (text, whole) in cases {
            assert_eq!(Whole::read(&mut Reader::new(text)).unwrap(), whole, "{text}");
        }
    }
}
