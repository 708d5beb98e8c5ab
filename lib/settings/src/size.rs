//! Sizes in bytes.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Every unit, the largest first of each kind.
const UNITS: [(&str, u64); 14] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    // systemd's own spelling of the binary units.
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("B", 1),
];

/// A size in bytes: `1GiB`, `64MiB`, `500MB`, `1.5GiB`, or bare bytes.
///
/// `KiB`, `MiB`, `GiB`, `TiB` are powers of 1024, and so are systemd's `K`, `M`, `G`, `T`; `kB`, `MB`, `GB`, `TB` are
/// powers of 1000. Written with the largest unit that divides it evenly.
///
/// ```
/// use tidemark_settings::Size;
/// assert_eq!("1GiB".parse(), Ok(Size::mib(1024)));
/// assert_eq!(Size::mib(1024).to_string(), "1GiB");
/// ```
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(u64);

impl Size {
    /// So many bytes.
    #[must_use]
    pub const fn bytes(count: u64) -> Size {
        Size(count)
    }

    /// So many times 1,048,576 bytes, at most `u64::MAX`.
    #[must_use]
    pub const fn mib(count: u64) -> Size {
        Size(count.saturating_mul(1 << 20))
    }

    /// The size in bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, unit) in &UNITS[..8] {
            if self.0 > 0 && self.0.is_multiple_of(*unit) {
                return f.pad(&format!("{}{name}", self.0 / unit));
            }
        }
        f.pad(&self.0.to_string())
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Size({self})")
    }
}

/// Why a text is not a size.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SizeError {
    /// No number stands at the beginning.
    NoNumber,
    /// What follows the number is no unit.
    UnknownUnit,
    /// More bytes than 64 bits count.
    TooMuch,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SizeError::NoNumber => "a size must begin with a number",
            SizeError::UnknownUnit => "an unknown unit in a size",
            SizeError::TooMuch => "a size is more than 64 bits count",
        })
    }
}

impl Error for SizeError {}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Size, SizeError> {
        let text = text.trim_matches([' ', '\t']);
        let end = text
            .bytes()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(text.len());
        let (whole, rest) = text.split_at(end);
        if whole.is_empty() {
            return Err(SizeError::NoNumber);
        }
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(
                rest.bytes()
                    .position(|byte| !byte.is_ascii_digit())
                    .unwrap_or(rest.len()),
            ),
            None => ("", rest),
        };
        let unit_name = rest.trim_start_matches([' ', '\t']);
        let unit = match UNITS.iter().find(|(name, _)| *name == unit_name) {
            Some((_, unit)) => *unit,
            None if unit_name.is_empty() => 1,
            None => return Err(SizeError::UnknownUnit),
        };
        if text.as_bytes().get(end) == Some(&b'.') && fraction.is_empty() {
            return Err(SizeError::NoNumber);
        }
        let whole: u64 = whole.parse().map_err(|_| SizeError::TooMuch)?;
        let whole_bytes = whole.checked_mul(unit).ok_or(SizeError::TooMuch)?;
        // No unit has more than 13 digits, so those after the eighteenth count for no byte.
        let (mut part, mut scale) = (0u128, 1u128);
        for digit in fraction.bytes().take(18) {
            part = part * 10 + u128::from(digit - b'0');
            scale *= 10;
        }
        let part_bytes = u64::try_from(part * u128::from(unit) / scale).map_err(|_| SizeError::TooMuch)?;
        let bytes = whole_bytes.checked_add(part_bytes).ok_or(SizeError::TooMuch)?;
        Ok(Size(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_units() {
        for (text, bytes, shortest) in [
            ("0", 0, "0"),
            ("123", 123, "123"),
            ("123B", 123, "123"),
            ("1GiB", 1 << 30, "1GiB"),
            ("64MiB", 64 << 20, "64MiB"),
            ("500MB", 500_000_000, "500MB"),
            ("1.5GiB", 3 << 29, "1536MiB"),
            ("1G", 1 << 30, "1GiB"),
            ("10 kB", 10_000, "10kB"),
            ("16TiB", 16 << 40, "16TiB"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size, Size::bytes(bytes), "{text}");
            assert_eq!(size.to_string(), shortest);
            assert_eq!(shortest.parse(), Ok(size));
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        for (text, error) in [
            ("", SizeError::NoNumber),
            ("GiB", SizeError::NoNumber),
            ("-1", SizeError::NoNumber),
            ("1.MiB", SizeError::NoNumber),
            ("1gib", SizeError::UnknownUnit),
            ("1 2", SizeError::UnknownUnit),
            ("1e9", SizeError::UnknownUnit),
            ("99999999TiB", SizeError::TooMuch),
            ("18446744073709551616", SizeError::TooMuch),
        ] {
            assert_eq!(text.parse::<Size>(), Err(error), "{text:?}");
        }
    }
}
