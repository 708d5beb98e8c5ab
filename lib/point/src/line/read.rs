//! Line protocol to points.

use std::ops::Range;

use super::borrowed::{BorrowedPoint, BorrowedValue};
use super::error::{LineError, LineErrorKind};
use super::scan::{Mistake, scan};
use crate::{Adjustments, Point, Timestamp};

/// Reads points from line protocol, see [`Parser`].
pub fn parse(text: &[u8]) -> Parser<'_> {
    Parser {
        reader: read(text),
        default_time: None,
        adjustments: Adjustments::default(),
    }
}

/// Reads the parts of points from line protocol, see [`Reader`].
pub fn read(text: &[u8]) -> Reader<'_> {
    let mut reader = Reader {
        text,
        valid: "",
        base: 0,
        at: 0,
        line: 1,
        range: 0..0,
    };
    reader.validate();
    reader
}

/// Reads one line, without copying what it holds.
///
/// It may end in a line break. A blank line, a comment, and a second line are errors here.
pub fn parse_line(text: &str) -> Result<BorrowedPoint<'_>, LineError> {
    let start = text.len() - text.trim_start_matches(' ').len();
    let error = |place: usize, kind| {
        let (breaks, column) = position(&text.as_bytes()[..start + place]);
        LineError {
            line: 1 + breaks,
            column,
            kind,
        }
    };
    if text.as_bytes().get(start) == Some(&b'#') {
        return Err(error(0, LineErrorKind::MissingMeasurement));
    }
    let (point, end) = scan(&text[start..]).map_err(|mistake| error(mistake.place, mistake.kind))?;
    match text[start + end..].trim_matches(['\r', '\n']).bytes().next() {
        Some(byte) => Err(error(end, LineErrorKind::Unexpected(byte))),
        None => Ok(point),
    }
}

/// The points of a text: an iterator with one item a line, be it good or bad.
///
/// As [`Reader`], but each item is a [`Point`], made valid by its rules; what they changed is counted. A line
/// without a time is an error, unless there is a default.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    reader: Reader<'a>,
    default_time: Option<Timestamp>,
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
        self.reader.range()
    }

    /// What was changed so far to make valid points of the lines.
    pub fn adjustments(&self) -> &Adjustments {
        &self.adjustments
    }
}

impl Iterator for Parser<'_> {
    type Item = Result<Point, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.reader.next()?;
        Some(line.and_then(|point| {
            point
                .to_point(self.default_time, &mut self.adjustments)
                .map_err(|kind| self.reader.error(self.reader.range.start, kind))
        }))
    }
}

/// The parts of the points of a text: an iterator with one item a line, be it good or bad.
///
/// Blank lines and comments are skipped. A line ends at LF or CR LF outside of quoted strings, in which line
/// breaks are read as InfluxDB reads them. After a mistake it goes on with the next line; a string that is never
/// closed takes the rest of the text with it. Time and memory are linear in the text.
///
/// ```
/// use tidemark_point::line;
///
/// let text = b"disk,host=a used=0.5 1\ndisk,host= used=1 1\n";
/// let mut lines = line::read(text);
/// assert!(lines.next().is_some_and(|line| line.is_ok_and(|point| point.raw_series_key() == "disk,host=a")));
/// let error = lines.next().and_then(Result::err);
/// assert_eq!(error.map(|error| (error.line, error.column)), Some((2, 11)));
/// assert_eq!(&text[lines.range()], b"disk,host= used=1 1");
/// assert_eq!(lines.next(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    /// The UTF-8 from `base` up to the end or to the first byte that is not.
    valid: &'a str,
    base: usize,
    /// The next byte to read, and the line that it is in.
    at: usize,
    line: usize,
    range: Range<usize>,
}

impl<'a> Reader<'a> {
    /// Where the line of the last item is in the text, without its line break.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Finds the UTF-8 that begins at the next byte.
    fn validate(&mut self) {
        let rest = &self.text[self.at..];
        self.base = self.at;
        self.valid = match str::from_utf8(rest) {
            Ok(valid) => valid,
            Err(error) => str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
        };
    }

    /// Where the UTF-8 ends.
    fn valid_end(&self) -> usize {
        self.base + self.valid.len()
    }

    /// Passes blank lines, comments and the spaces before a point.
    fn skip_blank(&mut self) {
        let bytes = self.valid.as_bytes();
        let mut at = self.at - self.base;
        loop {
            match bytes.get(at) {
                Some(b' ') => at += 1,
                Some(b'\n') => {
                    at += 1;
                    self.line += 1;
                }
                Some(b'\r') if matches!(bytes.get(at + 1), None | Some(b'\n')) => at += 1,
                Some(b'#') => {
                    let comment = comment(&self.valid[at..]);
                    if bad_in_comment(comment).is_some() {
                        break;
                    }
                    at += comment.len();
                }
                _ => break,
            }
        }
        self.at = self.base + at;
    }

    /// The error at a place of the line that begins at `self.at` or earlier, in `self.line`.
    fn error(&self, place: usize, kind: LineErrorKind) -> LineError {
        let begin = self.text[..self.range.start]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let (_, column) = position(&self.text[begin..place]);
        let (breaks, _) = position(&self.text[place.min(self.range.end)..self.range.end]);
        LineError {
            line: self.line - breaks,
            column,
            kind,
        }
    }

    /// Ends the line that begins at `start` before the next line break from `from`.
    fn end_line(&mut self, start: usize, from: usize) {
        let rest = &self.text[from..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.at = from + length;
        self.line += position(&self.text[start..self.at]).0;
        self.range = start..self.at;
        if self.at > self.valid_end() {
            self.validate();
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<BorrowedPoint<'a>, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blank();
        let start = self.at;
        let cut = self.valid_end() < self.text.len();
        if start == self.valid_end() {
            if !cut {
                return None;
            }
            self.end_line(start, start + 1);
            return Some(Err(self.error(start, LineErrorKind::NotUtf8)));
        }
        let rest = &self.valid[start - self.base..];
        // A comment that was not skipped has something bad in it.
        let scanned = match rest
            .starts_with('#')
            .then(|| bad_in_comment(comment(rest)))
            .flatten()
        {
            Some(mistake) => Err(mistake),
            None => scan(rest),
        };
        match scanned {
            Ok((point, length)) if !(cut && length == rest.len()) => {
                self.at = start + length;
                self.range = start..self.at;
                if point
                    .fields
                    .iter()
                    .any(|(_, value)| matches!(value, BorrowedValue::String(_)))
                {
                    self.line += position(&rest.as_bytes()[..length]).0;
                }
                Some(Ok(point))
            }
            Ok(_) => {
                let bad = self.valid_end();
                self.end_line(start, bad + 1);
                Some(Err(self.error(bad, LineErrorKind::NotUtf8)))
            }
            Err(Mistake { place, kind }) => {
                let from = if kind == LineErrorKind::UnclosedString {
                    rest.len()
                } else {
                    place
                };
                let (place, kind) = if cut && from == rest.len() {
                    (rest.len(), LineErrorKind::NotUtf8)
                } else {
                    (place, kind)
                };
                self.end_line(start, start + from);
                Some(Err(self.error(start + place, kind)))
            }
        }
    }
}

/// A comment at the beginning of a text, without its line break.
fn comment(text: &str) -> &str {
    let line = text.split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

/// The first control character of a comment, but tabs.
fn bad_in_comment(comment: &str) -> Option<Mistake> {
    let place = comment
        .bytes()
        .position(|byte| byte.is_ascii_control() && byte != b'\t')?;
    Some(Mistake {
        place,
        kind: LineErrorKind::Unexpected(comment.as_bytes()[place]),
    })
}

/// How many line breaks are in a text, and in what column of its last line it ends, from 1.
fn position(text: &[u8]) -> (usize, usize) {
    let breaks = text.iter().filter(|&&byte| byte == b'\n').count();
    let column = text
        .iter()
        .rev()
        .position(|&byte| byte == b'\n')
        .unwrap_or(text.len())
        + 1;
    (breaks, column)
}
