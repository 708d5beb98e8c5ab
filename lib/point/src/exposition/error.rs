//! Why a page is not what its format asks for.

use std::fmt;

use super::limits::{MAX_LABELS, MAX_LINE_BYTES};
use super::mistake::FamilyMistake;
use super::{FamilyType, Format};
use crate::{PointError, Timestamp};

/// A mistake in a page, with the place.
#[derive(Clone, PartialEq, Debug)]
pub struct TextError {
    /// The line in the page, from 1.
    pub line: usize,
    /// The byte in that line where the mistake is, from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: TextErrorKind,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for TextError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            TextErrorKind::Point(source) => Some(source),
            _ => None,
        }
    }
}

/// What belongs at a place where something else stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Expected {
    /// A metric name.
    MetricName,
    /// A label name.
    LabelName,
    /// A label name, or the end of the labels.
    LabelNameOrEnd,
    /// The sign between a label's name and value.
    Equals,
    /// The quote before a label's value.
    Quote,
    /// The next label, or the end of the labels.
    CommaOrEnd,
    /// The labels of an exemplar.
    ExemplarLabels,
    /// One space, neither more nor a tab.
    OneSpace,
    /// A blank.
    Blank,
    /// A unit.
    Unit,
    /// A value.
    Value,
    /// The end of the line.
    LineEnd,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::MetricName => "a metric name ([a-zA-Z_:][a-zA-Z0-9_:]*)",
            Expected::LabelName => "a label name ([a-zA-Z_][a-zA-Z0-9_]*)",
            Expected::LabelNameOrEnd => "a label name ([a-zA-Z_][a-zA-Z0-9_]*) or '}'",
            Expected::Equals => "'=' and the label's value in quotes",
            Expected::Quote => "the label's value in double quotes",
            Expected::CommaOrEnd => "',' and the next label, or '}'",
            Expected::ExemplarLabels => "the exemplar as ' # {labels} value', with {} where it has no label",
            Expected::OneSpace => "exactly one space",
            Expected::Blank => "a space",
            Expected::Unit => "a unit ([a-zA-Z0-9_:]*)",
            Expected::Value => "a number",
            Expected::LineEnd => "the end of the line",
        })
    }
}

/// What is wrong with a page. Texts are shown up to their first 64 characters.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum TextErrorKind {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The page begins with a byte order mark.
    ByteOrderMark,
    /// A line ends in a carriage return.
    CarriageReturn,
    /// The last line has no line feed.
    MissingLineFeed,
    /// OpenMetrics has no blank lines.
    BlankLine,
    /// OpenMetrics has no comments.
    Comment,
    /// The page does not end with `# EOF`.
    MissingEof,
    /// Something follows `# EOF`.
    AfterEof,
    /// The line is longer than [`MAX_LINE_BYTES`]; how long it is.
    LineTooLong(usize),
    /// The line has more than [`MAX_LABELS`] labels.
    TooManyLabels,
    /// Something else belongs where this character stands; `None` at the end of the line.
    Unexpected {
        /// What belongs there.
        expected: Expected,
        /// What stands there.
        found: Option<char>,
    },
    /// A quoted text does not end.
    UnclosedString,
    /// A backslash before what cannot be escaped.
    InvalidEscape,
    /// A name in quotes, which neither format has.
    QuotedName,
    /// A name of no characters.
    EmptyName,
    /// A label is given twice.
    RepeatedLabel(String),
    /// This is no number.
    InvalidValue(String),
    /// The number is beyond the range of a 64-bit float.
    ValueOutOfRange(String),
    /// This is no time.
    InvalidTime {
        /// What stands there.
        text: String,
        /// How the format writes times.
        format: Format,
    },
    /// The time is beyond the range of [`Timestamp`].
    TimeOutOfRange(String),
    /// The time is right, but beyond the range of [`Timestamp`], so that there is no point of it.
    TimeNotStored,
    /// A TYPE line names no type of the format.
    InvalidType {
        /// What stands there.
        text: String,
        /// Which types there are.
        format: Format,
    },
    /// The line is well-formed, but breaks a rule of families.
    Family(FamilyMistake),
    /// The sample is no point that can be stored.
    Point(PointError),
}

impl fmt::Display for TextErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextErrorKind::NotUtf8 => f.write_str("the text is not UTF-8: write it in that encoding"),
            TextErrorKind::ByteOrderMark => {
                f.write_str("the page begins with a byte order mark: write UTF-8 without one")
            }
            TextErrorKind::CarriageReturn => {
                f.write_str("the line ends in a carriage return: end lines with a line feed alone")
            }
            TextErrorKind::MissingLineFeed => {
                f.write_str("the last line has no line feed, so it may be cut off: write one after it")
            }
            TextErrorKind::BlankLine => f.write_str("a blank line: leave it out"),
            TextErrorKind::Comment => f.write_str(
                "a comment: leave it out, a '#' begins '# TYPE', '# UNIT', '# HELP' or '# EOF' alone",
            ),
            TextErrorKind::MissingEof => f.write_str(
                "the page does not end with '# EOF', so it may be cut off: write it as the last line",
            ),
            TextErrorKind::AfterEof => f.write_str("something follows '# EOF': write it as the last line"),
            TextErrorKind::LineTooLong(bytes) => {
                write!(
                    f,
                    "the line is {bytes} bytes long: at most {MAX_LINE_BYTES} are read"
                )
            }
            TextErrorKind::TooManyLabels => {
                write!(f, "more than {MAX_LABELS} labels: at most so many are read")
            }
            TextErrorKind::Unexpected { expected, found } => match found {
                Some(found) => write!(f, "unexpected {found:?}: write {expected}"),
                None => write!(f, "the line ends too early: write {expected}"),
            },
            TextErrorKind::UnclosedString => {
                f.write_str("the quote that opens here is not closed in its line: write one after the text")
            }
            TextErrorKind::InvalidEscape => {
                f.write_str("a backslash before what cannot be escaped: write \\\\ for a backslash")
            }
            TextErrorKind::QuotedName => {
                f.write_str("a name in quotes: write a name that needs none, of letters, digits and '_'")
            }
            TextErrorKind::EmptyName => f.write_str("the name is empty: write one between the quotes"),
            TextErrorKind::RepeatedLabel(name) => {
                write!(f, "the label {name} is given twice: each label once")
            }
            TextErrorKind::InvalidValue(text) => {
                write!(
                    f,
                    "{text:?} is no number: write decimal digits, +Inf, -Inf or NaN"
                )
            }
            TextErrorKind::ValueOutOfRange(text) => {
                write!(
                    f,
                    "{text} is beyond the range of a 64-bit float: write +Inf or -Inf"
                )
            }
            TextErrorKind::InvalidTime { text, format } => {
                let form = match format {
                    Format::Prometheus => "whole milliseconds since 1970, such as 1700000000250",
                    Format::OpenMetrics => "seconds since 1970, such as 1700000000.25",
                };
                write!(f, "{text:?} is no time: write {form}")
            }
            TextErrorKind::TimeOutOfRange(text) => {
                let (first, last) = (Timestamp::MIN, Timestamp::MAX);
                write!(f, "the time {text} is out of range: {first} to {last}")
            }
            TextErrorKind::TimeNotStored => {
                let (first, last) = (Timestamp::MIN, Timestamp::MAX);
                write!(f, "the time cannot be stored: only {first} to {last} can")
            }
            TextErrorKind::InvalidType { text, format } => {
                write!(f, "{text:?} is no type: write")?;
                let names = FamilyType::ALL
                    .iter()
                    .filter_map(|family_type| family_type.name(*format));
                for (place, name) in names.enumerate() {
                    write!(f, "{} {name}", if place == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            TextErrorKind::Family(mistake) => mistake.fmt(f),
            TextErrorKind::Point(_) => f.write_str("the sample is no point that can be stored"),
        }
    }
}
