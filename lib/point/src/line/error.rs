//! Why a line is not line protocol.

use std::fmt;

use crate::PointError;

/// A line that is not line protocol, with the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// The line, from 1. A string with raw line breaks in it makes one line of several.
    pub line: usize,
    /// The byte in it where the reader stopped, from 1.
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
    /// A measurement, tag key or field key is missing.
    MissingName(&'static str),
    /// The line holds no point that can be stored.
    Point(PointError),
}

impl fmt::Display for LineErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineErrorKind::NotUtf8 => f.write_str("the text is not UTF-8"),
            LineErrorKind::MissingName(what) => write!(f, "the {what} is missing"),
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
