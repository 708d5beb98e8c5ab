//! One line, byte by byte.

use std::borrow::Cow;

use super::Format;
use super::entry::{Entry, Exemplar, Labels, Sample, quoted_end, unescaped};
use super::error::{Expected, TextErrorKind};
use super::label::RawLabel;
use super::number::{self, NumberMistake};
use crate::Timestamp;

/// How a page is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grammar {
    pub(crate) format: Format,
    pub(crate) lenient: bool,
}

impl Grammar {
    /// Whether tokens have exactly one space between them.
    pub(crate) fn is_exact(self) -> bool {
        self.format == Format::OpenMetrics && !self.lenient
    }
}

/// A mistake, and where in the line it is.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) place: usize,
    pub(crate) kind: TextErrorKind,
}

/// Where the parts of a line are in it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Places {
    /// The metric's or family's name.
    pub(crate) name: usize,
    /// The value; a metadata line's last word.
    pub(crate) value: usize,
    pub(crate) time: usize,
    pub(crate) exemplar: usize,
}

/// What else is to be told of a line; used again for the next.
#[derive(Clone, Default, Debug)]
pub(crate) struct Details<'a> {
    /// A sample's labels, sorted by name.
    pub(crate) labels: Vec<RawLabel<'a>>,
    pub(crate) places: Places,
}

/// Takes a line apart, which has no line break; `None` where it says nothing.
#[inline]
pub(crate) fn scan<'a>(
    line: &'a str,
    grammar: Grammar,
    details: &mut Details<'a>,
) -> Result<Option<Entry<'a>>, Mistake> {
    let mut scanner = Scanner {
        line,
        bytes: line.as_bytes(),
        at: 0,
        grammar,
    };
    if !grammar.is_exact() {
        scanner.blanks();
    }
    match scanner.byte() {
        None if grammar.is_exact() => Err(scanner.mistake(0, TextErrorKind::BlankLine)),
        None => Ok(None),
        Some(b'#') => scanner.hash(&mut details.places),
        Some(_) => scanner.sample(details).map(|sample| Some(Entry::Sample(sample))),
    }
}

/// A line, and the next byte of it.
pub(crate) struct Scanner<'a> {
    pub(crate) line: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    pub(crate) grammar: Grammar,
}

impl<'a> Scanner<'a> {
    pub(crate) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn mistake(&self, place: usize, kind: TextErrorKind) -> Mistake {
        Mistake { place, kind }
    }

    pub(crate) fn unexpected(&self, expected: Expected) -> Mistake {
        let found = self.line.get(self.at..).and_then(|rest| rest.chars().next());
        self.mistake(self.at, TextErrorKind::Unexpected { expected, found })
    }

    /// Skips blanks, and tells whether there were any.
    pub(crate) fn blanks(&mut self) -> bool {
        let start = self.at;
        while matches!(self.byte(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.at > start
    }

    /// Skips what separates two tokens.
    #[inline]
    pub(crate) fn separator(&mut self) -> Result<(), Mistake> {
        if !self.grammar.is_exact() {
            return if self.blanks() {
                Ok(())
            } else {
                Err(self.unexpected(Expected::Blank))
            };
        }
        if self.byte() != Some(b' ') {
            return Err(self.unexpected(Expected::OneSpace));
        }
        self.at += 1;
        match self.byte() {
            Some(b' ' | b'\t') => Err(self.unexpected(Expected::OneSpace)),
            _ => Ok(()),
        }
    }

    /// What stands up to the next blank.
    #[inline]
    pub(crate) fn token(&mut self) -> &'a str {
        let start = self.at;
        while !matches!(self.byte(), None | Some(b' ' | b'\t')) {
            self.at += 1;
        }
        &self.line[start..self.at]
    }

    /// Nothing but blanks may follow, and not even those in OpenMetrics.
    pub(crate) fn line_end(&mut self) -> Result<(), Mistake> {
        if !self.grammar.is_exact() {
            self.blanks();
        }
        match self.byte() {
            None => Ok(()),
            Some(_) => Err(self.unexpected(Expected::LineEnd)),
        }
    }

    #[inline]
    pub(crate) fn skip_name_characters(&mut self) {
        while self
            .byte()
            .is_some_and(|byte| class(byte) & (NAME | DIGIT | COLON) != 0)
        {
            self.at += 1;
        }
    }

    pub(crate) fn metric_name(&mut self) -> Result<&'a str, Mistake> {
        let start = self.at;
        if self.byte().is_none_or(|byte| class(byte) & (NAME | COLON) == 0) {
            return Err(self.unexpected(Expected::MetricName));
        }
        self.skip_name_characters();
        Ok(&self.line[start..self.at])
    }

    /// A name in quotes, as Prometheus 3 writes names of other characters.
    pub(crate) fn quoted_name(&mut self) -> Result<Cow<'a, str>, Mistake> {
        let start = self.at;
        let (name, _) = self.quoted()?;
        if !self.grammar.lenient {
            return Err(self.mistake(start, TextErrorKind::QuotedName));
        }
        if name.is_empty() {
            return Err(self.mistake(start, TextErrorKind::EmptyName));
        }
        Ok(unescaped(name))
    }

    /// The text in the quotes that begin here, as it is written, and whether it has escapes.
    #[inline]
    pub(crate) fn quoted(&mut self) -> Result<(&'a str, bool), Mistake> {
        let start = self.at + 1;
        let end = quoted_end(&self.bytes[start..]);
        let close = start + end.close;
        if close >= self.bytes.len() {
            return Err(self.mistake(self.at, TextErrorKind::UnclosedString));
        }
        let text = &self.line[start..close];
        if end.escaped && !self.grammar.lenient && self.grammar.format == Format::Prometheus {
            let mut bytes = text.bytes().enumerate();
            while let Some((offset, byte)) = bytes.next() {
                if byte == b'\\' && !matches!(bytes.next(), Some((_, b'n' | b'"' | b'\\'))) {
                    return Err(self.mistake(start + offset, TextErrorKind::InvalidEscape));
                }
            }
        }
        self.at = close + 1;
        Ok((text, end.escaped))
    }

    #[inline]
    fn sample(&mut self, details: &mut Details<'a>) -> Result<Sample<'a>, Mistake> {
        let Details { labels, places } = details;
        *places = Places {
            name: self.at,
            ..Places::default()
        };
        labels.clear();
        let mut name = None;
        if self.byte() != Some(b'{') || !self.grammar.lenient {
            name = Some(Cow::Borrowed(self.metric_name()?));
            if !self.grammar.is_exact() && matches!(self.byte(), Some(b' ' | b'\t')) {
                let end = self.at;
                self.blanks();
                if self.byte() != Some(b'{') {
                    self.at = end;
                }
            }
        }
        let mut rest = Labels::default();
        if self.byte() == Some(b'{') {
            rest = self.labels(labels, &mut name)?;
        }
        let Some(name) = name else {
            self.at = places.name;
            return Err(self.unexpected(Expected::MetricName));
        };
        // A value may follow the labels at once where blanks are free.
        if self.grammar.is_exact() || self.bytes.get(self.at.wrapping_sub(1)) != Some(&b'}') {
            self.separator()?;
        } else {
            self.blanks();
        }
        places.value = self.at;
        let value = self.value()?;
        let mut time = None;
        let mut time_is_exact = true;
        let mut exemplar = None;
        if self.more()? {
            if self.byte() != Some(b'#') || self.grammar.format == Format::Prometheus {
                places.time = self.at;
                let (read, exact) = self.time()?;
                time = Some(read);
                time_is_exact = exact;
            }
            if time.is_none() || self.more()? {
                places.exemplar = self.at;
                if self.byte() != Some(b'#') || self.grammar.format == Format::Prometheus {
                    return Err(self.unexpected(Expected::LineEnd));
                }
                exemplar = Some(self.exemplar()?);
            }
        }
        Ok(Sample {
            name,
            labels: rest,
            value,
            time,
            time_is_exact,
            exemplar,
        })
    }

    /// Whether another token follows, whose separator is skipped.
    #[inline]
    fn more(&mut self) -> Result<bool, Mistake> {
        if self.at == self.bytes.len() {
            return Ok(false);
        }
        if self.grammar.is_exact() {
            self.separator()?;
            return match self.byte() {
                Some(_) => Ok(true),
                None => {
                    self.at -= 1;
                    Err(self.unexpected(Expected::LineEnd))
                }
            };
        }
        self.blanks();
        Ok(self.at < self.bytes.len())
    }

    #[inline]
    fn value(&mut self) -> Result<f64, Mistake> {
        let start = self.at;
        let token = self.token();
        if token.is_empty() {
            return Err(self.unexpected(Expected::Value));
        }
        number::value(token).map_err(|mistake| {
            let kind = match mistake {
                NumberMistake::Invalid => TextErrorKind::InvalidValue(shown(token)),
                NumberMistake::OutOfRange => TextErrorKind::ValueOutOfRange(shown(token)),
            };
            self.mistake(start, kind)
        })
    }

    /// The time that stands here; where a strict page may have it and [`Timestamp`] may not, the nearest, and `false`.
    fn time(&mut self) -> Result<(Timestamp, bool), Mistake> {
        let start = self.at;
        let token = self.token();
        let time = match self.grammar.format {
            Format::OpenMetrics => number::seconds(token),
            Format::Prometheus => number::milliseconds(token),
        };
        let kind = match time {
            Ok(time) => return Ok((time, true)),
            // The specification's only bound: a number fits a 64-bit float.
            Err(NumberMistake::OutOfRange) if !self.grammar.lenient && number::value(token).is_ok() => {
                let negative = token.starts_with('-');
                return Ok((if negative { Timestamp::MIN } else { Timestamp::MAX }, false));
            }
            Err(NumberMistake::OutOfRange) => TextErrorKind::TimeOutOfRange(shown(token)),
            Err(NumberMistake::Invalid) => TextErrorKind::InvalidTime {
                text: shown(token),
                format: self.grammar.format,
            },
        };
        Err(self.mistake(start, kind))
    }

    /// The exemplar whose hash sign stands here.
    fn exemplar(&mut self) -> Result<Exemplar<'a>, Mistake> {
        self.at += 1;
        self.separator()?;
        if self.byte() != Some(b'{') {
            return Err(self.unexpected(Expected::ExemplarLabels));
        }
        let labels = self.labels(&mut Vec::new(), &mut Some(Cow::Borrowed("")))?;
        self.separator()?;
        let value = self.value()?;
        let time = if self.more()? { Some(self.time()?.0) } else { None };
        self.line_end()?;
        Ok(Exemplar { labels, value, time })
    }
}

/// As much of a text as a message shows.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A byte that a name may begin with.
pub(crate) const NAME: u8 = 1;
/// A byte that a metric's name may begin with.
const COLON: u8 = 2;
pub(crate) const DIGIT: u8 = 4;

#[inline]
pub(crate) fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphabetic() || byte == b'_' {
            classes[byte as usize] = NAME;
        } else if byte.is_ascii_digit() {
            classes[byte as usize] = DIGIT;
        } else if byte == b':' {
            classes[byte as usize] = COLON;
        }
        byte += 1;
    }
    classes
};
