//! Numbers and times, from their digits.

use crate::Timestamp;

/// The most digits that an integer may have for a float to hold it for sure.
const EXACT_DIGITS: usize = 15;

/// Why a text is not a number or time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NumberMistake {
    /// It is written otherwise.
    Invalid,
    /// It is beyond the range.
    OutOfRange,
}

/// The value that a text stands for: `realnumber`, infinity or NaN of OpenMetrics' ABNF, which is also what Go's
/// ParseFloat takes, but for hexadecimal digits and underscores. A finite number must fit a 64-bit float.
#[inline]
pub(crate) fn value(text: &str) -> Result<f64, NumberMistake> {
    let bytes = text.as_bytes();
    if bytes.len() <= EXACT_DIGITS && !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit) {
        let whole = bytes.iter().fold(0_u32.into(), |whole: u64, digit| {
            whole * 10 + u64::from(digit - b'0')
        });
        #[expect(clippy::cast_precision_loss, reason = "at most 15 digits")]
        return Ok(whole as f64);
    }
    // Rust's grammar is the ABNF's, but for a sign before NaN.
    let value: f64 = text.parse().map_err(|_| NumberMistake::Invalid)?;
    let last = bytes.last().copied().unwrap_or_default();
    if value.is_nan() && bytes.len() != 3 {
        return Err(NumberMistake::Invalid);
    }
    if value.is_infinite() && (last.is_ascii_digit() || last == b'.') {
        return Err(NumberMistake::OutOfRange);
    }
    Ok(value)
}

/// A time of 0.0.4: milliseconds that an `i64` holds.
pub(crate) fn milliseconds(text: &str) -> Result<Timestamp, NumberMistake> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberMistake::Invalid);
    }
    let milliseconds = text.parse().map_err(|_| NumberMistake::Invalid)?;
    Timestamp::from_millis(milliseconds).ok_or(NumberMistake::OutOfRange)
}

/// How many digits of a second's fraction are kept.
const FRACTION_DIGITS: i64 = 9;
/// No nanoseconds of [`Timestamp`] have more digits.
const MAX_NANOSECOND_DIGITS: i64 = 19;
/// Larger exponents change nothing: no text that is read has so many digits.
const MAX_EXPONENT: i64 = 1 << 40;

/// A time of OpenMetrics: seconds as a `realnumber`. What is finer than a nanosecond is cut.
pub(crate) fn seconds(text: &str) -> Result<Timestamp, NumberMistake> {
    if let Some(time) = plain_seconds(text.as_bytes()) {
        return Ok(time);
    }
    let number = RealNumber::split(text).ok_or(NumberMistake::Invalid)?;
    let nanos = number.shifted(FRACTION_DIGITS).ok_or(NumberMistake::OutOfRange)?;
    Timestamp::from_nanos(nanos).ok_or(NumberMistake::OutOfRange)
}

/// A time as most are written: a few digits of seconds, and perhaps some of the fraction.
#[inline]
fn plain_seconds(text: &[u8]) -> Option<Timestamp> {
    let point = text.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = text.split_at(point.unwrap_or(text.len()));
    let fraction = fraction.get(1..).unwrap_or_default();
    if whole.is_empty() || whole.len() > 10 || fraction.len() > 9 {
        return None;
    }
    // At most 19 digits, which an u64 holds.
    let mut nanos = 0_u64;
    for &digit in whole.iter().chain(fraction) {
        if !digit.is_ascii_digit() {
            return None;
        }
        nanos = nanos * 10 + u64::from(digit - b'0');
    }
    let missing = 9 - u32::try_from(fraction.len()).ok()?;
    let nanos = nanos.checked_mul(10_u64.pow(missing))?;
    Timestamp::from_nanos(i64::try_from(nanos).ok()?)
}

/// The parts of a `realnumber`.
struct RealNumber<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> RealNumber<'a> {
    /// The parts of a text; `None` where it is no `realnumber`.
    fn split(text: &'a str) -> Option<RealNumber<'a>> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Self::exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (whole.as_bytes(), fraction.as_bytes());
        let digits = whole.len() + fraction.len() > 0
            && whole.iter().chain(fraction).all(|byte| byte.is_ascii_digit());
        digits.then_some(RealNumber {
            negative: text.starts_with('-'),
            whole,
            fraction,
            exponent,
        })
    }

    fn exponent(text: &str) -> Option<i64> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let size = digits.iter().fold(0, |size: i64, digit| {
            (size * 10 + i64::from(digit - b'0')).min(MAX_EXPONENT)
        });
        Some(if text.starts_with('-') { -size } else { size })
    }

    /// The whole part of the number times a power of ten; `None` where it is too large.
    fn shifted(&self, power: i64) -> Option<i64> {
        // The point stands after so many of the digits, once it has moved.
        let point = i64::try_from(self.whole.len()).ok()? + self.exponent + power;
        let mut digits = self.whole.iter().chain(self.fraction).copied();
        let leading = digits.clone().take_while(|&digit| digit == b'0').count();
        let Some(first) = digits.nth(leading) else {
            return Some(0);
        };
        let kept = point - i64::try_from(leading).ok()?;
        if kept > MAX_NANOSECOND_DIGITS {
            return None;
        }
        let mut nanos = 0_i64;
        let digits = std::iter::once(first)
            .chain(digits)
            .chain(std::iter::repeat(b'0'));
        for digit in digits.take(usize::try_from(kept).unwrap_or(0)) {
            // Downwards, where there is room for one more.
            nanos = nanos.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
        }
        if self.negative {
            Some(nanos)
        } else {
            nanos.checked_neg()
        }
    }
}
