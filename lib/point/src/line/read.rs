//! Line protocol to points.

use std::borrow::Cow;
use std::ops::Range;

use super::{LineError, LineErrorKind};
use crate::{Adjustments, Point, Timestamp, Value};

/// Reads points from line protocol, see [`Parser`].
pub fn parse(text: &[u8]) -> Parser<'_> {
    Parser { lines: lines(text), default_time: None, range: 0..0, adjustments: Adjustments::default() }
}

/// The points of a text: an iterator with one item a line, be it good or bad.
///
/// Blank lines and comments are skipped. A line without a time is an error, unless a default was given.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    lines: Lines<'a>,
    default_time: Option<Timestamp>,
    range: Range<usize>,
    adjustments: Adjustments,
}

impl<'a> Parser<'a> {
    /// The time of points whose line gives none.
    #[must_use]
    pub fn default_time(mut self, time: Timestamp) -> Parser<'a> {
        self.default_time = Some(time);
        self
    }

    /// Where the line of the last item is in the text, without its line break.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What was changed so far to make valid points of the lines.
    pub fn adjustments(&self) -> &Adjustments {
        &self.adjustments
    }
}

impl Iterator for Parser<'_> {
    type Item = Result<Point, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        self.range = line.range();
        Some(line.parse().and_then(|point| point.to_point(self.default_time, &mut self.adjustments)))
    }
}

/// The lines of a text that are neither blank nor comments, see [`Lines`].
pub fn lines(text: &[u8]) -> Lines<'_> {
    Lines { text, next: 0, number: 1 }
}

/// An iterator over the lines of a text that are neither blank nor comments.
///
/// A line ends at a line break outside of a quoted string.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    next: usize,
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = RawLine<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let _ = (&self.text, &mut self.next, &mut self.number);
        None
    }
}

/// One line, not read yet.
#[derive(Clone, Debug)]
pub struct RawLine<'a> {
    text: &'a [u8],
    start: usize,
    number: usize,
}

impl<'a> RawLine<'a> {
    /// The line, without its line break.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Its number in the text, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Where it is in the text, in bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Reads the line.
    pub fn parse(&self) -> Result<BorrowedPoint<'a>, LineError> {
        Err(LineError { line: self.number, column: 1, kind: LineErrorKind::MissingName("measurement") })
    }
}

/// Reads one line, without copying what it holds.
///
/// The line has no line break but in quoted strings. It is neither blank nor a comment: these are errors here.
pub fn parse_line(text: &str) -> Result<BorrowedPoint<'_>, LineError> {
    RawLine { text: text.as_bytes(), start: 0, number: 1 }.parse()
}

/// A line's parts, borrowed from it.
#[derive(Clone, PartialEq, Debug)]
pub struct BorrowedPoint<'a> {
    series_key: &'a str,
    fields: Vec<(Cow<'a, str>, BorrowedValue<'a>)>,
    time: Option<Timestamp>,
}

impl<'a> BorrowedPoint<'a> {
    /// Measurement and tags as they stand in the line, escapes and all.
    pub fn raw_series_key(&self) -> &'a str {
        self.series_key
    }

    /// Measurement and tags as [`Point::series_key`] has them: the same text for each line of a series.
    pub fn series_key(&self) -> Cow<'a, str> {
        Cow::Borrowed(self.series_key)
    }

    /// The measurement.
    pub fn measurement(&self) -> Cow<'a, str> {
        Cow::Borrowed(self.series_key)
    }

    /// The tags, in the line's order.
    pub fn tags(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        std::iter::empty()
    }

    /// The fields, in the line's order.
    pub fn fields(&self) -> &[(Cow<'a, str>, BorrowedValue<'a>)] {
        &self.fields
    }

    /// The time in nanoseconds, where the line gives one.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// The point that the line stands for, made valid as any other. Without a time in the line it has the
    /// default one; without both it is an error.
    pub fn to_point(
        &self,
        default_time: Option<Timestamp>,
        adjustments: &mut Adjustments,
    ) -> Result<Point, LineError> {
        let _ = (default_time, adjustments);
        Err(LineError { line: 1, column: 1, kind: LineErrorKind::MissingName("measurement") })
    }
}

/// A field's value, borrowed from the line.
#[derive(Clone, PartialEq, Debug)]
pub enum BorrowedValue<'a> {
    /// A finite float.
    Float(f64),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// True or false.
    Bool(bool),
    /// A string, without its quotes and escapes.
    String(Cow<'a, str>),
}

impl BorrowedValue<'_> {
    /// The value with a string of its own.
    pub fn to_value(&self) -> Value {
        match self {
            BorrowedValue::Float(float) => Value::Float(*float),
            BorrowedValue::Int(int) => Value::Int(*int),
            BorrowedValue::Uint(uint) => Value::Uint(*uint),
            BorrowedValue::Bool(bool) => Value::Bool(*bool),
            BorrowedValue::String(text) => Value::String(Box::from(&**text)),
        }
    }
}
