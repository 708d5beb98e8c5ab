//! What a page consists of.

use std::borrow::Cow;

use super::FamilyType;
use crate::Timestamp;

/// One line of a page that says something. Comments and blank lines are none.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry<'a> {
    /// A family's type.
    Type {
        /// The family's name.
        family: Cow<'a, str>,
        /// Its type.
        family_type: FamilyType,
    },
    /// A family's unit, OpenMetrics alone; empty where it has none.
    Unit {
        /// The family's name.
        family: Cow<'a, str>,
        /// The unit.
        unit: &'a str,
    },
    /// A family's help.
    Help {
        /// The family's name.
        family: Cow<'a, str>,
        /// The help, its escapes undone.
        help: Cow<'a, str>,
    },
    /// A value.
    Sample(Sample<'a>),
    /// `# EOF`, the end of an OpenMetrics page.
    Eof,
}

/// A value with its name, labels and time.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) labels: Labels<'a>,
    /// The value.
    pub value: f64,
    /// The time, where the line gives one: its decimal digits, cut to nanoseconds.
    pub time: Option<Timestamp>,
    pub(crate) time_is_exact: bool,
    /// The exemplar, where the line has one; OpenMetrics alone.
    pub exemplar: Option<Exemplar<'a>>,
}

impl<'a> Sample<'a> {
    /// The sample's whole name, with the suffix that its family's type asks for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The labels in the order of the line: names and values, escapes undone. An empty value means the same as
    /// no label.
    pub fn labels(&self) -> Labels<'a> {
        self.labels.clone()
    }

    /// Whether the time is beyond the range of [`Timestamp`], and its nearest end stands for it. A strict reader
    /// takes such a time, since the formats set no bound but that of a 64-bit float; for a lenient one it is a mistake.
    pub fn is_time_beyond(&self) -> bool {
        !self.time_is_exact
    }

    /// The value of a label; `None` where the sample has no label of that name.
    pub fn label(&self, name: &str) -> Option<Cow<'a, str>> {
        self.labels().find(|label| label.0 == name).map(|label| label.1)
    }
}

/// A reference to data outside of the page, such as a trace: labels, a value, and perhaps a time.
#[derive(Clone, PartialEq, Debug)]
pub struct Exemplar<'a> {
    pub(crate) labels: Labels<'a>,
    /// The value.
    pub value: f64,
    /// The time, where there is one.
    pub time: Option<Timestamp>,
}

impl<'a> Exemplar<'a> {
    /// The labels in the order of the line: names and values, escapes undone.
    pub fn labels(&self) -> Labels<'a> {
        self.labels.clone()
    }
}

/// Labels in the order of their line, see [`Sample::labels`]. It allocates only for names and values with escapes.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Labels<'a> {
    /// What stands between the braces, known to be well-formed.
    rest: &'a str,
}

impl<'a> Labels<'a> {
    /// The labels of a text that was found to be well-formed.
    pub(crate) fn new(rest: &'a str) -> Labels<'a> {
        Labels { rest }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
            if self.rest.is_empty() {
                return None;
            }
            let name = if self.rest.starts_with('"') {
                self.quoted()
            } else {
                let end = self.rest.find(['=', ' ', '\t']).unwrap_or(self.rest.len());
                let (name, rest) = self.rest.split_at(end);
                self.rest = rest;
                Cow::Borrowed(name)
            };
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            // A quoted name alone is the sample's own.
            let Some(rest) = self.rest.strip_prefix('=') else {
                continue;
            };
            self.rest = rest.trim_start_matches([' ', '\t']);
            return Some((name, self.quoted()));
        }
    }
}

impl<'a> Labels<'a> {
    /// Takes the quoted text that the rest begins with.
    fn quoted(&mut self) -> Cow<'a, str> {
        let text = self.rest.strip_prefix('"').unwrap_or(self.rest);
        let end = quoted_end(text.as_bytes());
        let (quoted, rest) = text.split_at(end.close);
        self.rest = rest.strip_prefix('"').unwrap_or(rest);
        if end.escaped {
            unescaped(quoted)
        } else {
            Cow::Borrowed(quoted)
        }
    }
}

/// Where a quoted text ends, and whether it has escapes.
#[derive(Clone, Copy)]
pub(crate) struct QuotedEnd {
    /// The closing quote's place; the text's length where there is none.
    pub(crate) close: usize,
    pub(crate) escaped: bool,
}

/// The end of the quoted text whose opening quote stands before `bytes`.
#[inline]
pub(crate) fn quoted_end(bytes: &[u8]) -> QuotedEnd {
    let mut close = 0;
    let mut escaped = false;
    while let Some(&byte) = bytes.get(close) {
        match byte {
            b'"' => break,
            b'\\' => {
                escaped = true;
                close += 2;
            }
            _ => close += 1,
        }
    }
    QuotedEnd {
        close: close.min(bytes.len()),
        escaped,
    }
}

/// A text with its escapes undone: `\\`, `\"` and `\n`. A backslash before anything else stays.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some(escaped @ ('"' | '\\')) => plain.push(escaped),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
        rest = characters.as_str();
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
