//! The labels of a sample or exemplar, as they are written.

use std::borrow::Cow;

use super::entry::{Labels, unescaped};
use super::error::{Expected, TextErrorKind};
use super::limits::MAX_LABELS;
use super::scan::{DIGIT, Mistake, NAME, Scanner, class, shown};

/// A label as it is written, without its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawLabel<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    /// Whether the value has escapes.
    pub(crate) escaped: bool,
    /// Where its name is in the line.
    pub(crate) place: usize,
}

impl<'a> RawLabel<'a> {
    /// The value, its escapes undone.
    #[inline]
    pub(crate) fn plain(&self) -> Cow<'a, str> {
        match self.escaped {
            true => unescaped(self.value),
            false => Cow::Borrowed(self.value),
        }
    }
}

impl<'a> Scanner<'a> {
    /// The labels whose opening brace stands here, which are left in the scratch sorted by name.
    pub(crate) fn labels(
        &mut self,
        labels: &mut Vec<RawLabel<'a>>,
        name: &mut Option<Cow<'a, str>>,
    ) -> Result<Labels<'a>, Mistake> {
        self.at += 1;
        let start = self.at;
        let exact = self.grammar.is_exact();
        loop {
            if !exact {
                self.blanks();
            }
            let first = self.at == start || labels.is_empty() && name.is_none();
            if self.byte() == Some(b'}') && (first || !exact) {
                break;
            }
            let place = self.at;
            let label = match self.byte() {
                Some(byte) if class(byte) & NAME != 0 => {
                    while self.byte().is_some_and(|byte| class(byte) & (NAME | DIGIT) != 0) {
                        self.at += 1;
                    }
                    Cow::Borrowed(&self.line[place..self.at])
                }
                Some(b'"') => self.quoted_name()?,
                _ if first || !exact => return Err(self.unexpected(Expected::LabelNameOrEnd)),
                _ => return Err(self.unexpected(Expected::LabelName)),
            };
            if !exact {
                self.blanks();
            }
            if self.bytes[place] == b'"' && name.is_none() && self.byte() != Some(b'=') {
                *name = Some(label);
            } else {
                if self.byte() != Some(b'=') {
                    return Err(self.unexpected(Expected::Equals));
                }
                self.at += 1;
                if !exact {
                    self.blanks();
                }
                if self.byte() != Some(b'"') {
                    return Err(self.unexpected(Expected::Quote));
                }
                let (value, escaped) = self.quoted()?;
                if labels.len() == MAX_LABELS {
                    return Err(self.mistake(place, TextErrorKind::TooManyLabels));
                }
                // Names in quotes are compared as they are written.
                let name = match label {
                    Cow::Borrowed(name) => name,
                    Cow::Owned(_) => &self.line[place + 1..place + 1],
                };
                labels.push(RawLabel {
                    name,
                    value,
                    escaped,
                    place,
                });
                if !exact {
                    self.blanks();
                }
            }
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected(Expected::CommaOrEnd)),
            }
        }
        let text = &self.line[start..self.at];
        self.at += 1;
        self.sort(labels)?;
        Ok(Labels::new(text))
    }

    /// Sorts labels by name, of which each must be another.
    fn sort(&self, labels: &mut [RawLabel<'a>]) -> Result<(), Mistake> {
        if labels.is_sorted_by(|left, right| left.name < right.name) {
            return Ok(());
        }
        labels.sort_unstable_by_key(|label| (label.name, label.place));
        let repeated = labels.windows(2).find_map(|pair| match pair {
            [first, second] if first.name == second.name => Some(second),
            _ => None,
        });
        match repeated {
            Some(label) => {
                let kind = TextErrorKind::RepeatedLabel(shown(label.name));
                Err(self.mistake(label.place, kind))
            }
            None => Ok(()),
        }
    }
}
