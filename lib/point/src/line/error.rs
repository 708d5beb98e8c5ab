//! Why a text is not line protocol.

use std::fmt;

use crate::{FieldType, MAX_KEY_BYTES, PointError, Timestamp};

/// A line that is not line protocol, or holds no point, with the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// The line in the text, from 1.
    pub line: usize,
    /// The byte in that line where the mistake is, from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: LineErrorKind,
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The line begins with a comma, or with what cannot be in a name.
    MissingMeasurement,
    /// No tag key stands where one belongs.
    MissingTagKey,
    /// A tag key has no value.
    MissingTagValue,
    /// Two tags have the same key.
    RepeatedTag,
    /// The line ends before its fields.
    MissingFields,
    /// No field key stands where one belongs.
    MissingFieldKey,
    /// A field key has no value.
    MissingFieldValue,
    /// A value is neither number, nor `true` or `false`, nor a quoted string.
    InvalidValue,
    /// A number is not written as its type is.
    InvalidNumber(FieldType),
    /// A number is beyond its type's range.
    NumberOutOfRange(FieldType),
    /// A string has no closing quote.
    UnclosedString,
    /// The time is not a whole number.
    InvalidTime,
    /// The time is beyond [`Timestamp`]'s range.
    TimeOutOfRange,
    /// The line gives no time, and there is no default.
    MissingTime,
    /// A byte that cannot stand where it does, such as a control character in a name.
    Unexpected(u8),
    /// Measurement, tags and a field key are longer than [`MAX_KEY_BYTES`] together.
    KeyTooLong,
    /// The line is well-formed, but holds no point that can be stored.
    Point(PointError),
}

impl fmt::Display for LineErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineErrorKind::NotUtf8 => f.write_str("the text is not UTF-8"),
            LineErrorKind::MissingMeasurement => f.write_str("the measurement is missing"),
            LineErrorKind::MissingTagKey => f.write_str("a tag key is missing"),
            LineErrorKind::MissingTagValue => {
                f.write_str("a tag has no value: leave the tag out, or escape the comma or space before it")
            }
            LineErrorKind::RepeatedTag => f.write_str("a tag is given twice"),
            LineErrorKind::MissingFields => {
                f.write_str("the fields are missing: write a space and at least one key=value")
            }
            LineErrorKind::MissingFieldKey => f.write_str("a field key is missing"),
            LineErrorKind::MissingFieldValue => f.write_str("a field has no value"),
            LineErrorKind::InvalidValue => {
                f.write_str("this is no value: write a number, true, false or a \"string\"")
            }
            LineErrorKind::InvalidNumber(field_type) => write!(f, "this is no {field_type}"),
            LineErrorKind::NumberOutOfRange(field_type) => {
                write!(f, "the number is out of the range of {field_type}")
            }
            LineErrorKind::UnclosedString => f.write_str("the string that begins here has no closing quote"),
            LineErrorKind::InvalidTime => f.write_str("the time is not a whole number of nanoseconds"),
            LineErrorKind::TimeOutOfRange => {
                write!(
                    f,
                    "the time is out of range: {} to {}",
                    Timestamp::MIN.nanos(),
                    Timestamp::MAX.nanos()
                )
            }
            LineErrorKind::MissingTime => f.write_str("the time is missing"),
            LineErrorKind::Unexpected(byte) => {
                write!(f, "unexpected '{}'", byte.escape_ascii())
            }
            LineErrorKind::KeyTooLong => {
                write!(
                    f,
                    "measurement, tags and field key are longer than {MAX_KEY_BYTES} bytes together"
                )
            }
            LineErrorKind::Point(_) => f.write_str("the point cannot be stored"),
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for LineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            LineErrorKind::Point(source) => Some(source),
            _ => None,
        }
    }
}
