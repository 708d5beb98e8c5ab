//! Lines that begin with a hash sign: metadata, the end mark, and comments.

use std::borrow::Cow;

use super::entry::{Entry, unescaped};
use super::error::{Expected, TextErrorKind};
use super::scan::{Mistake, Places, Scanner, shown};
use super::{FamilyType, Format};

impl<'a> Scanner<'a> {
    /// A line that begins with a hash sign.
    pub(crate) fn hash(&mut self, places: &mut Places) -> Result<Option<Entry<'a>>, Mistake> {
        let hash = self.at;
        self.at += 1;
        let apart = self.blanks();
        let start = self.at;
        let keyword = self.token();
        let open_metrics = self.grammar.format == Format::OpenMetrics;
        let known = match keyword {
            "HELP" | "TYPE" => true,
            "UNIT" | "EOF" => open_metrics,
            _ => false,
        };
        if !known || self.grammar.lenient && !apart {
            return match self.grammar.is_exact() {
                true => Err(self.mistake(hash, TextErrorKind::Comment)),
                false => Ok(None),
            };
        }
        let end = std::mem::replace(&mut self.at, hash + 1);
        // The server takes `#TYPE` for a comment, clients for a type.
        self.separator()?;
        self.at = end;
        *places = Places {
            name: start,
            ..Places::default()
        };
        if keyword == "EOF" {
            self.line_end()?;
            return Ok(Some(Entry::Eof));
        }
        if self.at == self.bytes.len() && self.grammar.lenient {
            return Ok(None);
        }
        self.separator()?;
        places.name = self.at;
        let family = match self.byte() {
            Some(b'"') => self.quoted_name()?,
            _ => Cow::Borrowed(self.metric_name()?),
        };
        let entry = match keyword {
            "HELP" => {
                places.value = self.at;
                let help = self.help()?;
                Entry::Help { family, help }
            }
            "UNIT" => {
                self.separator_before_text()?;
                if !self.grammar.is_exact() {
                    self.blanks();
                }
                places.value = self.at;
                let start = self.at;
                self.skip_name_characters();
                let unit = &self.line[start..self.at];
                if self.at < self.bytes.len() && !matches!(self.byte(), Some(b' ' | b'\t')) {
                    return Err(self.unexpected(Expected::Unit));
                }
                self.line_end()?;
                Entry::Unit { family, unit }
            }
            _ => {
                self.separator()?;
                places.value = self.at;
                let word = self.token();
                let Some(family_type) = self.family_type(word) else {
                    let kind = TextErrorKind::InvalidType {
                        text: shown(word),
                        format: self.grammar.format,
                    };
                    return Err(self.mistake(places.value, kind));
                };
                self.line_end()?;
                Entry::Type { family, family_type }
            }
        };
        Ok(Some(entry))
    }

    fn family_type(&self, word: &str) -> Option<FamilyType> {
        let lenient = self.grammar.lenient;
        FamilyType::ALL.into_iter().find(|family_type| {
            let named = |format| family_type.name(format) == Some(word);
            named(self.grammar.format) || lenient && (named(Format::OpenMetrics) || named(Format::Prometheus))
        })
    }

    /// The separator before a metadata line's text; outside of strict OpenMetrics it may be missing with the text.
    fn separator_before_text(&mut self) -> Result<(), Mistake> {
        let exact = self.grammar.is_exact();
        match (self.byte(), self.grammar.format) {
            (None, _) if !exact => {}
            // In OpenMetrics the text begins behind the one space, be it with another.
            (Some(b' '), Format::OpenMetrics) => self.at += 1,
            (Some(b'\t'), Format::OpenMetrics) if !exact => self.at += 1,
            _ => self.separator()?,
        }
        Ok(())
    }

    fn help(&mut self) -> Result<Cow<'a, str>, Mistake> {
        self.separator_before_text()?;
        let start = self.at;
        let text = &self.line[start..];
        self.at = self.bytes.len();
        // OpenMetrics' ABNF has no bare quote and no backslash at the end, but every reader of it takes them as they
        // stand, and they cannot be mistaken for anything else.
        if self.grammar.lenient || self.grammar.format == Format::OpenMetrics {
            return Ok(unescaped(text));
        }
        let mut bytes = text.bytes().enumerate();
        while let Some((offset, byte)) = bytes.next() {
            if byte == b'\\' && !matches!(bytes.next(), Some((_, b'n' | b'\\'))) {
                return Err(self.mistake(start + offset, TextErrorKind::InvalidEscape));
            }
        }
        Ok(unescaped(text))
    }
}
