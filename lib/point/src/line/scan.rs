//! One line, byte by byte.

use std::borrow::Cow;

use super::borrowed::{BorrowedPoint, BorrowedValue};
use super::error::LineErrorKind;
use crate::class::{BACKSLASH, BREAK, COMMA_SPACE, CONTROL, EQUALS, class};
use crate::point::SEPARATOR_BYTES;
use crate::{FieldType, MAX_KEY_BYTES, Timestamp};

/// What ends, and what can be escaped in, a measurement.
const MEASUREMENT: u8 = COMMA_SPACE;
/// What ends, and what can be escaped in, a key or tag value.
const KEY: u8 = COMMA_SPACE | EQUALS;

/// A mistake, and where in the line it is.
pub(crate) struct Mistake {
    pub(crate) place: usize,
    pub(crate) kind: LineErrorKind,
}

/// The end of a name, and whether it has escapes.
#[derive(Clone, Copy)]
pub(crate) struct NameEnd {
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

/// Reads one point from the beginning of a text, and tells where it ends: at a line break or the text's end.
pub(crate) fn scan(text: &str) -> Result<(BorrowedPoint<'_>, usize), Mistake> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
    };
    let point = scanner.point()?;
    Ok((point, scanner.at))
}

/// The end of the measurement that `bytes` begin with.
pub(crate) fn measurement_end(bytes: &[u8]) -> NameEnd {
    name_end(bytes, 0, MEASUREMENT, BREAK | CONTROL)
}

/// The end of the tag key or field key that begins at `start`.
pub(crate) fn key_end(bytes: &[u8], start: usize) -> NameEnd {
    name_end(bytes, start, KEY, BREAK | CONTROL)
}

/// The end of the tag value that begins at `start`.
pub(crate) fn tag_value_end(bytes: &[u8], start: usize) -> NameEnd {
    name_end(bytes, start, KEY, BREAK)
}

#[inline]
fn name_end(bytes: &[u8], start: usize, special: u8, refused: u8) -> NameEnd {
    let mut end = start;
    let mut escaped = false;
    loop {
        // Most bytes mean nothing.
        let rest = &bytes[end.min(bytes.len())..];
        let Some(plain) = rest.iter().position(|&byte| class(byte) != 0) else {
            return NameEnd {
                end: bytes.len(),
                escaped,
            };
        };
        end += plain;
        let found = class(rest[plain]);
        if found & (special | refused) != 0 {
            return NameEnd { end, escaped };
        }
        let escapes = found == BACKSLASH
            && rest
                .get(plain + 1)
                .is_some_and(|&next| class(next) & special != 0);
        escaped |= escapes;
        end += if escapes { 2 } else { 1 };
    }
}

/// A name without its escapes; those of a measurement are fewer.
pub(crate) fn unescape(name: &str, measurement: bool) -> Cow<'_, str> {
    let special = if measurement { MEASUREMENT } else { KEY };
    unescape_before(name, |byte| class(byte) & special != 0)
}

/// The text without the backslashes just before the bytes that `escaped` names.
fn unescape_before(text: &str, escaped: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut unescaped = String::new();
    let (mut copied, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] == b'\\' && escaped(bytes[at + 1]) {
            unescaped.push_str(&text[copied..at]);
            copied = at + 1;
            at += 2;
        } else {
            at += 1;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    unescaped.push_str(&text[copied..]);
    Cow::Owned(unescaped)
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn point(&mut self) -> Result<BorrowedPoint<'a>, Mistake> {
        let measurement = measurement_end(self.bytes);
        self.at = measurement.end;
        if measurement.end == 0 {
            return Err(self.missing(LineErrorKind::MissingMeasurement));
        }
        let sorted = self.tags()?;
        let series_key = &self.text[..self.at];
        match self.peek() {
            Some(b' ') => self.skip_spaces(),
            Some(byte) if !self.at_line_end() => return Err(self.mistake(LineErrorKind::Unexpected(byte))),
            _ => return Err(self.mistake(LineErrorKind::MissingFields)),
        }
        if self.at_line_end() {
            return Err(self.mistake(LineErrorKind::MissingFields));
        }
        let fields = self.fields(series_key.len())?;
        self.skip_spaces();
        let time = self.time()?;
        Ok(BorrowedPoint {
            series_key,
            sorted,
            fields,
            time,
        })
    }

    /// Passes the tags; tells whether they are sorted for certain.
    fn tags(&mut self) -> Result<bool, Mistake> {
        let start = self.at;
        let mut sorted = true;
        let mut previous: &[u8] = &[];
        while self.peek() == Some(b',') {
            self.at += 1;
            let key_start = self.at;
            let key = key_end(self.bytes, key_start);
            self.at = key.end;
            if key.end == key_start {
                return Err(self.missing(LineErrorKind::MissingTagKey));
            }
            if self.peek() != Some(b'=') {
                return Err(self.missing(LineErrorKind::MissingTagValue));
            }
            let bytes = &self.bytes[key_start..key.end];
            sorted &= !key.escaped && previous < bytes;
            previous = bytes;
            let value = tag_value_end(self.bytes, key.end + 1);
            self.at = value.end;
            if value.end == key.end + 1 {
                return Err(self.missing(LineErrorKind::MissingTagValue));
            }
        }
        if !sorted {
            self.refuse_repeated_tags(start)?;
        }
        Ok(sorted)
    }

    /// Refuses two tags of one key among those from `start` to here.
    fn refuse_repeated_tags(&self, start: usize) -> Result<(), Mistake> {
        let mut keys = Vec::new();
        let mut at = start;
        while at < self.at {
            let key = key_end(self.bytes, at + 1);
            keys.push((&self.bytes[at + 1..key.end], at + 1));
            at = tag_value_end(self.bytes, key.end + 1).end;
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Mistake {
                place: pair[1].1,
                kind: LineErrorKind::RepeatedTag,
            }),
            None => Ok(()),
        }
    }

    fn fields(&mut self, series: usize) -> Result<Vec<(Cow<'a, str>, BorrowedValue<'a>)>, Mistake> {
        // Growing costs more than room that is not used.
        let mut fields = Vec::with_capacity(8);
        loop {
            let start = self.at;
            let key = key_end(self.bytes, start);
            self.at = key.end;
            if key.end == start {
                return Err(self.missing(LineErrorKind::MissingFieldKey));
            }
            if self.peek() != Some(b'=') {
                return Err(self.missing(LineErrorKind::MissingFieldValue));
            }
            if series + SEPARATOR_BYTES + (key.end - start) > MAX_KEY_BYTES {
                return Err(Mistake {
                    place: start,
                    kind: LineErrorKind::KeyTooLong,
                });
            }
            let name = &self.text[start..key.end];
            let name = if key.escaped {
                unescape(name, false)
            } else {
                Cow::Borrowed(name)
            };
            self.at += 1;
            fields.push((name, self.value()?));
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b' ') => return Ok(fields),
                Some(byte) if !self.at_line_end() => {
                    return Err(self.mistake(LineErrorKind::Unexpected(byte)));
                }
                _ => return Ok(fields),
            }
        }
    }

    fn value(&mut self) -> Result<BorrowedValue<'a>, Mistake> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'0'..=b'9' | b'-' | b'.') => self.number(),
            Some(b't' | b'T' | b'f' | b'F') => {
                let start = self.at;
                match self.token() {
                    "t" | "T" | "true" | "True" | "TRUE" => Ok(BorrowedValue::Bool(true)),
                    "f" | "F" | "false" | "False" | "FALSE" => Ok(BorrowedValue::Bool(false)),
                    _ => Err(Mistake {
                        place: start,
                        kind: LineErrorKind::InvalidValue,
                    }),
                }
            }
            None | Some(b',' | b' ' | b'\n' | b'\r') => Err(self.mistake(LineErrorKind::MissingFieldValue)),
            Some(_) => Err(self.mistake(LineErrorKind::InvalidValue)),
        }
    }

    /// The text up to a comma, a space or a line break.
    fn token(&mut self) -> &'a str {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b' ' | b'\n' | b'\r'))
            .unwrap_or(rest.len());
        self.at += length;
        &self.text[start..self.at]
    }

    fn number(&mut self) -> Result<BorrowedValue<'a>, Mistake> {
        let place = self.at;
        let token = self.token();
        let value = if let Some(int) = token.strip_suffix('i') {
            int.parse().ok().map(BorrowedValue::Int)
        } else if let Some(uint) = token.strip_suffix('u') {
            uint.parse().ok().map(BorrowedValue::Uint)
        } else {
            token
                .parse()
                .ok()
                .filter(|float: &f64| float.is_finite())
                .map(BorrowedValue::Float)
        };
        value.ok_or_else(|| Mistake {
            place,
            kind: number_mistake(token),
        })
    }

    fn string(&mut self) -> Result<BorrowedValue<'a>, Mistake> {
        let quote = self.at;
        let start = quote + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => at += 1,
                None => {
                    self.at = self.bytes.len();
                    return Err(Mistake {
                        place: quote,
                        kind: LineErrorKind::UnclosedString,
                    });
                }
            }
        }
        self.at = at + 1;
        let text = &self.text[start..at];
        let text = if escaped {
            unescape_before(text, |byte| matches!(byte, b'"' | b'\\'))
        } else {
            Cow::Borrowed(text)
        };
        Ok(BorrowedValue::String(text))
    }

    fn time(&mut self) -> Result<Option<Timestamp>, Mistake> {
        if self.at_line_end() {
            return Ok(None);
        }
        let place = self.at;
        let token = self.token();
        let nanos: i64 = match token.parse() {
            Ok(nanos) if !token.starts_with('+') => nanos,
            _ => {
                let digits = token.strip_prefix('-').unwrap_or(token);
                let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let kind = if valid {
                    LineErrorKind::TimeOutOfRange
                } else {
                    LineErrorKind::InvalidTime
                };
                return Err(Mistake { place, kind });
            }
        };
        let Some(time) = Timestamp::from_nanos(nanos) else {
            return Err(Mistake {
                place,
                kind: LineErrorKind::TimeOutOfRange,
            });
        };
        self.skip_spaces();
        match self.peek() {
            Some(byte) if !self.at_line_end() => Err(self.mistake(LineErrorKind::Unexpected(byte))),
            _ => Ok(Some(time)),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Whether here is a line break (LF, or CR and LF), the end, or a CR at the end.
    fn at_line_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n') => true,
            Some(b'\r') => matches!(self.bytes.get(self.at + 1), None | Some(b'\n')),
            Some(_) => false,
        }
    }

    /// That something is missing here, or that a byte is in the way.
    fn missing(&self, kind: LineErrorKind) -> Mistake {
        match self.peek() {
            Some(byte) if !self.at_line_end() && class(byte) & (BREAK | CONTROL) != 0 => {
                self.mistake(LineErrorKind::Unexpected(byte))
            }
            _ => self.mistake(kind),
        }
    }

    fn mistake(&self, kind: LineErrorKind) -> Mistake {
        Mistake { place: self.at, kind }
    }
}

/// Why a token is no number: it is too large, or not written as one.
fn number_mistake(token: &str) -> LineErrorKind {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (field_type, valid) = if let Some(int) = token.strip_suffix('i') {
        (FieldType::Int, digits(int.strip_prefix('-').unwrap_or(int)))
    } else if let Some(uint) = token.strip_suffix('u') {
        (FieldType::Uint, digits(uint))
    } else {
        // Infinite, but not by name.
        (
            FieldType::Float,
            token.parse::<f64>().is_ok() && !token.contains(['n', 'N']),
        )
    };
    if valid {
        LineErrorKind::NumberOutOfRange(field_type)
    } else {
        LineErrorKind::InvalidNumber(field_type)
    }
}
