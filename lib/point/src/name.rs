//! Names and tag values as line protocol can carry them.

use std::borrow::Cow;

use crate::Adjustments;
use crate::class::{BACKSLASH, BREAK, COMMA_SPACE, CONTROL, EQUALS, QUOTE, class};

/// Needs a backslash before it in some name.
const SPECIAL: u8 = COMMA_SPACE | EQUALS;

/// What a text names: the rules differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Measurement,
    TagKey,
    TagValue,
    FieldKey,
    /// A tag key or tag value of a point with a quote in a name.
    BesideQuote,
}

/// A measurement, tag key, tag value or field key that line protocol can carry.
#[derive(Clone, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Whether it has a comma, an equals sign or a space.
    pub(crate) special: bool,
    /// Whether it has a double quote.
    pub(crate) quote: bool,
    backslash: bool,
}

impl<'a> Name<'a> {
    /// The text with what cannot be carried replaced by the rules on [`Point`](crate::Point).
    pub(crate) fn new(part: Part, text: Cow<'a, str>, adjustments: &mut Adjustments) -> Name<'a> {
        let found = text.bytes().fold(0, |found, byte| found | class(byte));
        let name = |text, found| Name {
            text,
            special: found & SPECIAL != 0,
            quote: found & QUOTE != 0,
            backslash: found & BACKSLASH != 0,
        };
        if found & (BREAK | CONTROL | BACKSLASH) == 0 {
            return name(text, found);
        }
        let replaced = replace(part, &text);
        adjustments.replaced += u64::from(replaced != text);
        let found = replaced.bytes().fold(0, |found, byte| found | class(byte));
        name(Cow::Owned(replaced), found)
    }
}

impl Name<'_> {
    /// The length in line protocol.
    pub(crate) fn wire_len(&self) -> usize {
        if self.special {
            escaped_len(&self.text)
        } else {
            self.text.len()
        }
    }
}

/// The length of a key with a backslash before each comma, equals sign and space.
pub(crate) fn escaped_len(key: &str) -> usize {
    key.len()
        + key
            .bytes()
            .filter(|byte| matches!(byte, b',' | b'=' | b' '))
            .count()
}

/// Whether a text stands in line protocol as it is, wherever: it needs no escapes and no replacement.
pub(crate) fn is_plain(text: &str) -> bool {
    text.bytes().fold(0, |found, byte| found | class(byte)) == 0
}

/// Replaces in tags what InfluxDB misreads where the same point has a quote in a name, be it here or elsewhere.
pub(crate) fn keep_from_quotes<'a>(
    tags: &mut [(Name<'a>, Name<'a>)],
    elsewhere: bool,
    adjustments: &mut Adjustments,
) {
    if !elsewhere && !tags.iter().any(|tag| tag.0.quote || tag.1.quote) {
        return;
    }
    for name in tags
        .iter_mut()
        .flat_map(|tag| [&mut tag.0, &mut tag.1])
        .filter(|name| name.backslash)
    {
        let text = std::mem::take(&mut name.text);
        *name = Name::new(Part::BesideQuote, text, adjustments);
    }
}

fn replace(part: Part, text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut backslashes = 0;
    for character in text.chars() {
        let character = match u8::try_from(character).map_or(0, class) {
            BREAK => ' ',
            CONTROL if !matches!(part, Part::TagValue | Part::BesideQuote) => ' ',
            _ => character,
        };
        let read_otherwise = match (part, character) {
            (Part::Measurement, ',' | '=' | ' ' | '"') | (Part::FieldKey, '"') => backslashes > 0,
            (Part::FieldKey, ',' | '=' | ' ') | (Part::BesideQuote, ' ') => backslashes % 2 == 1,
            _ => false,
        };
        if read_otherwise {
            replaced.pop();
            replaced.push('/');
        }
        backslashes = if character == '\\' { backslashes + 1 } else { 0 };
        replaced.push(character);
    }
    if backslashes > 0 {
        replaced.pop();
        replaced.push('/');
    }
    replaced
}

/// Appends a name with a backslash before its commas, spaces and, but in a measurement, equals signs.
pub(crate) fn escape(out: &mut String, name: &str, equals: bool) {
    for character in name.chars() {
        if matches!(character, ',' | ' ') || (equals && character == '=') {
            out.push('\\');
        }
        out.push(character);
    }
}
