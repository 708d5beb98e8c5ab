//! Names and tag values as line protocol can carry them.

use std::borrow::Cow;

use crate::Adjustments;

/// Needs a backslash before it in some name: comma, equals sign, space.
const SPECIAL: u8 = 1;
/// Cannot be carried: white space but the space, and the byte that InfluxDB skips as such.
const BREAK: u8 = 2;
/// Can be carried in tag values alone: the other control characters.
const CONTROL: u8 = 4;
/// Can be carried, but not everywhere.
const BACKSLASH: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = CONTROL;
        byte += 1;
    }
    classes[0x7f] = CONTROL;
    classes[b',' as usize] = SPECIAL;
    classes[b'=' as usize] = SPECIAL;
    classes[b' ' as usize] = SPECIAL;
    classes[0] = BREAK;
    classes[b'\t' as usize] = BREAK;
    classes[b'\n' as usize] = BREAK;
    classes[0x0b] = BREAK;
    classes[0x0c] = BREAK;
    classes[b'\r' as usize] = BREAK;
    classes[b'\\' as usize] = BACKSLASH;
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// What a text names: the rules differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Measurement,
    TagKey,
    TagValue,
    FieldKey,
}

/// A measurement, tag key, tag value or field key that line protocol can carry.
#[derive(Clone, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Whether it has a comma, an equals sign or a space.
    pub(crate) special: bool,
}

impl<'a> Name<'a> {
    /// The text with what cannot be carried replaced by the rules on [`Point`](crate::Point).
    pub(crate) fn new(part: Part, text: Cow<'a, str>, adjustments: &mut Adjustments) -> Name<'a> {
        let found = text.bytes().fold(0, |found, byte| found | class(byte));
        if found & (BREAK | CONTROL | BACKSLASH) == 0 {
            return Name {
                text,
                special: found & SPECIAL != 0,
            };
        }
        let replaced = replace(part, &text);
        if replaced != text {
            adjustments.replaced += 1;
        }
        let special = replaced.bytes().any(|byte| class(byte) == SPECIAL);
        Name {
            text: Cow::Owned(replaced),
            special,
        }
    }
}

fn replace(part: Part, text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut backslashes = 0;
    for character in text.chars() {
        let character = match u8::try_from(character).map_or(0, class) {
            BREAK => ' ',
            CONTROL if part != Part::TagValue => ' ',
            _ => character,
        };
        let read_otherwise = part == Part::FieldKey
            && match character {
                '"' => backslashes > 0,
                ',' | '=' | ' ' => backslashes % 2 == 1,
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
