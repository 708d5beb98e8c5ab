//! What is said of a document: lines for people, bounded in number and length.

use std::borrow::Cow;
use std::fmt;

use serde::de::Unexpected;

/// The most faults, and the most notices, that are kept of a document; of more, the number is.
const MAX_REMARKS: usize = 10;
/// The most characters of a name that a remark shows: parameters are a name too.
const NAME_SHOWN: usize = 60;

/// Lines for people, bounded.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Remarks {
    lines: Vec<String>,
    more: usize,
}

impl Remarks {
    /// Adds a line, which is made only where it is kept.
    pub(crate) fn add(&mut self, line: impl FnOnce() -> String) {
        if self.lines.len() < MAX_REMARKS {
            self.lines.push(line());
        } else {
            self.more += 1;
        }
    }

    /// The lines, and one that says how many more there are.
    pub(crate) fn into_lines(self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.lines.into_iter().chain(more)
    }
}

/// Names on one line: `systemd / all-proposed_1;requester_… / noble / amd64`.
pub(crate) struct Way<'a>(pub(crate) &'a [Cow<'a, str>]);

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " / " })?;
            Shown(name).fmt(f)?;
        }
        Ok(())
    }
}

/// What a value is, in JSON's words.
pub(crate) struct Found<'a>(pub(crate) &'a Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Unit => f.write_str("null"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("an object"),
            Unexpected::Str(text) => match cut(text) {
                Some(start) => write!(f, "the text {start:?}…"),
                None => write!(f, "the text {text:?}"),
            },
            Unexpected::Unsigned(number) => number.fmt(f),
            Unexpected::Signed(number) => number.fmt(f),
            // 2.0 is not shown as 2, which would be a count, nor 1e300 with all its zeros.
            Unexpected::Float(number) => write!(f, "{number:?}"),
            Unexpected::Bool(value) => value.fmt(f),
            other => other.fmt(f),
        }
    }
}

/// A name, cut where it is long; `""` where it is empty.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cut(self.0) {
            Some(start) => write!(f, "{start}…"),
            None if self.0.is_empty() => f.write_str("\"\""),
            None => f.write_str(self.0),
        }
    }
}

/// The beginning of a text that is too long to be shown.
fn cut(text: &str) -> Option<&str> {
    let (end, _) = text.char_indices().nth(NAME_SHOWN)?;
    Some(&text[..end])
}
