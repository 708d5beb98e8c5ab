//! Checking line protocol: piece by piece, so that a file may be far larger than memory.

use tidemark_app::exit::Failure;
use tidemark_point::line::{self, BorrowedPoint, LineError, LineErrorKind};
use tidemark_point::{Adjustments, Point, Timestamp};

use super::convert::Converter;
use super::findings::{Findings, Place};
use super::input::Input;
use super::meaning::Meaning;
use crate::arguments::{LintArguments, Precision};
use crate::wording::counted;

/// How much is held.
#[derive(Debug, Copy, Clone)]
struct Bounds {
    /// The longest point, with the line breaks of its strings.
    point: usize,
    /// Bytes that are read at once.
    piece: usize,
}

/// A point may be longer than all that InfluxDB takes in one request.
const BOUNDS: Bounds = Bounds {
    point: 32 * 1024 * 1024,
    piece: 1024 * 1024,
};

/// A check of line protocol.
pub(super) struct Lint<'a> {
    findings: &'a mut Findings,
    converter: &'a mut Converter,
    meaning: Meaning,
    precision: Precision,
    bounds: Bounds,
    /// The time of points whose line gives none, where they are converted.
    now: Timestamp,
    points: u64,
    without_time: u64,
    adjustments: Adjustments,
    /// Whether it was said that lines end in CR LF.
    said_carriage_return: bool,
}

impl<'a> Lint<'a> {
    pub(super) fn new(
        arguments: &LintArguments,
        findings: &'a mut Findings,
        converter: &'a mut Converter,
        now: Timestamp,
    ) -> Self {
        Self {
            findings,
            converter,
            meaning: Meaning::new(arguments.lenient, arguments.precision),
            precision: arguments.precision,
            bounds: BOUNDS,
            now,
            points: 0,
            without_time: 0,
            adjustments: Adjustments::default(),
            said_carriage_return: false,
        }
    }

    /// Reads all of the input; how many points it had.
    pub(super) fn run(mut self, input: &mut Input) -> Result<u64, Failure> {
        let mut buffer = Vec::new();
        let mut number = 1;
        let Bounds {
            point: longest,
            piece: usual,
        } = self.bounds;
        let mut wanted = usual;
        loop {
            let missing = wanted.saturating_sub(buffer.len());
            let is_last = input.read(missing, &mut buffer)? < missing;
            let whole = match is_last {
                true => buffer.len(),
                false => buffer
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |at| at + 1),
            };
            let piece = buffer.get(..whole).unwrap_or_default();
            let mut done = self.piece(piece, number, is_last)?;
            if is_last {
                break;
            }
            if done == 0 && wanted >= longest {
                if piece.is_empty() {
                    let what = format!("the line is longer than {longest} bytes: write several points");
                    self.findings.mistake(Place::new(number, 1), &what)?;
                    number += skip_line(&mut buffer, input, usual)?;
                    wanted = usual;
                    continue;
                }
                // The first point's string has no end within the bound.
                done = self.piece(piece, number, true)?;
            }
            number += breaks(piece.get(..done).unwrap_or_default());
            buffer.drain(..done);
            wanted = match done {
                0 => (wanted * 2).min(longest),
                _ => usual.max(buffer.len() * 2).min(longest),
            };
        }
        self.end()
    }

    /// Checks whole lines, of which the first has this number: how many bytes of them are done with. Where it is not
    /// the last piece, a point whose string does not end in it is left.
    fn piece(&mut self, piece: &[u8], number: usize, is_last: bool) -> Result<usize, Failure> {
        let (mut begin, mut number) = (0, number);
        'read: while begin < piece.len() {
            let text = piece.get(begin..).unwrap_or_default();
            let mut reader = line::read(text);
            let (mut counted, mut line) = (0, number);
            while let Some(item) = reader.next() {
                let range = reader.range();
                match item {
                    Ok(point) => {
                        line += breaks(text.get(counted..range.start).unwrap_or_default());
                        counted = range.start;
                        let bytes = text.get(range.clone()).unwrap_or_default();
                        let indent = range.start - line_start(text, range.start);
                        let place = Place::new(line, 1 + indent);
                        if text.get(range.end) == Some(&b'\r') {
                            self.carriage_return(place)?;
                        }
                        self.point(&point, bytes, place)?;
                    }
                    Err(error) if error.kind == LineErrorKind::UnclosedString => {
                        if !is_last && range.end == text.len() {
                            return Ok(begin + line_start(text, range.start));
                        }
                        self.mistake(&error, number)?;
                        // What follows is looked at on its own: the string was hardly meant to hold it.
                        let (end, passed) = after_line(text, error.line);
                        begin += end;
                        number += passed;
                        continue 'read;
                    }
                    Err(error) => self.mistake(&error, number)?,
                }
            }
            break;
        }
        Ok(piece.len())
    }

    fn mistake(&mut self, error: &LineError, number: usize) -> Result<(), Failure> {
        let place = Place::new(number + error.line - 1, error.column);
        self.findings.mistake(place, &what(&error.kind, self.precision))
    }

    fn carriage_return(&mut self, place: Place) -> Result<(), Failure> {
        match std::mem::replace(&mut self.said_carriage_return, true) {
            true => Ok(()),
            false => {
                let what = "the line ends in CR LF: InfluxDB 1 refuses such lines; end them in LF alone";
                self.findings.notice(place, what)
            }
        }
    }

    fn point(&mut self, point: &BorrowedPoint<'_>, text: &[u8], place: Place) -> Result<(), Failure> {
        self.points += 1;
        let is_good = self.meaning.check(point, text, place, self.findings)?;
        if is_good && self.converter.is_wanted() {
            match self.converted(point) {
                Ok(point) => self.converter.push(point)?,
                Err(why) => self.findings.mistake(place, &why)?,
            }
        }
        Ok(())
    }

    fn converted(&mut self, point: &BorrowedPoint<'_>) -> Result<Point, String> {
        let mut builder = Point::builder(point.measurement());
        for (key, value) in point.tags() {
            builder = builder.tag(key, value);
        }
        for (key, value) in point.fields() {
            builder = builder.field(key, value.to_value());
        }
        let time = match point.time() {
            Some(time) => scaled(time, self.precision).unwrap_or(time),
            None => {
                self.without_time += 1;
                self.now
            }
        };
        builder
            .time(time)
            .build(&mut self.adjustments)
            .map_err(|error| error.to_string())
    }

    fn end(self) -> Result<u64, Failure> {
        self.meaning.end(self.findings)?;
        if self.without_time > 0 {
            let without = counted(self.without_time, "point has", "points have");
            let what = format!("{without} no time, and that of now where they are converted");
            self.findings.notice(Place::new(1, 1), &what)?;
        }
        if !self.adjustments.is_empty() {
            let what = format!("converted: {}", self.adjustments);
            self.findings.notice(Place::new(1, 1), &what)?;
        }
        Ok(self.points)
    }
}

/// The time that is written so in line protocol of this precision; none where it is out of range.
pub(super) fn scaled(written: Timestamp, precision: Precision) -> Option<Timestamp> {
    written
        .nanos()
        .checked_mul(precision.nanos())
        .and_then(Timestamp::from_nanos)
}

/// What is wrong, and what to write instead.
fn what(kind: &LineErrorKind, precision: Precision) -> String {
    // The reader's words are of nanoseconds.
    let is_scaled = precision != Precision::Nanoseconds;
    match kind {
        LineErrorKind::InvalidTime if is_scaled => {
            return format!(
                "the time is not a whole number of {}; write a whole number, and a comma without a space between two \
                 fields",
                precision.words()
            );
        }
        LineErrorKind::TimeOutOfRange if is_scaled => return out_of_range(precision),
        _ => {}
    }
    let advice = match kind {
        LineErrorKind::NotUtf8 => "write UTF-8",
        LineErrorKind::MissingMeasurement => "begin the line with a name",
        LineErrorKind::MissingTagKey | LineErrorKind::MissingTagValue => {
            "write ,key=value without spaces, or take the comma away"
        }
        LineErrorKind::RepeatedTag => "write each tag once",
        LineErrorKind::MissingFieldKey => "write key=value, and a comma only between two fields",
        LineErrorKind::MissingFieldValue => "write key=value, a string in double quotes",
        LineErrorKind::InvalidValue => "",
        LineErrorKind::InvalidNumber(_) => {
            "write 1.5 (float), 15i (integer) or 15u (unsigned), a string in double quotes"
        }
        LineErrorKind::NumberOutOfRange(_) => "write one that fits",
        LineErrorKind::UnclosedString => "end it with a double quote, and write \\\" for one within it",
        LineErrorKind::InvalidTime => "write a whole number, and a comma without a space between two fields",
        LineErrorKind::TimeOutOfRange => "name its unit with --precision where it is not nanoseconds",
        LineErrorKind::Unexpected(b' ' | b'\t' | b'\r' | b'\n') => {
            "write one space there, or escape it with a backslash"
        }
        LineErrorKind::Unexpected(byte) if byte.is_ascii_control() => "take it away",
        LineErrorKind::Unexpected(_) => "take it away, or escape it with a backslash",
        LineErrorKind::KeyTooLong => "write shorter names",
        LineErrorKind::Point(why) => return why.to_string(),
        _ => "",
    };
    match advice {
        "" => kind.to_string(),
        advice => format!("{kind}; {advice}"),
    }
}

/// What is said of a time that cannot be stored.
pub(super) fn out_of_range(precision: Precision) -> String {
    format!(
        "the time is out of range for --precision {}: {} to {}",
        precision.name(),
        Timestamp::MIN.nanos() / precision.nanos(),
        Timestamp::MAX.nanos() / precision.nanos()
    )
}

/// Takes the rest of a line away, of the buffer and of the input: how many lines were passed.
fn skip_line(buffer: &mut Vec<u8>, input: &mut Input, piece: usize) -> Result<usize, Failure> {
    loop {
        if let Some(at) = buffer.iter().position(|byte| *byte == b'\n') {
            buffer.drain(..=at);
            return Ok(1);
        }
        buffer.clear();
        if input.read(piece, buffer)? == 0 {
            return Ok(0);
        }
    }
}

/// Where the line of a place begins.
fn line_start(text: &[u8], place: usize) -> usize {
    text.get(..place)
        .unwrap_or_default()
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1)
}

/// Where the line after the one of this number begins, and how many lines are before it.
fn after_line(text: &[u8], line: usize) -> (usize, usize) {
    let mut breaks = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(place, _)| place + 1);
    match breaks.nth(line.saturating_sub(1)) {
        Some(place) => (place, line),
        None => (text.len(), line),
    }
}

fn breaks(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
#[path = "influx/tests.rs"]
mod tests;
