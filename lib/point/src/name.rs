//! Names and tag values as line protocol can carry them.

use std::borrow::Cow;

use crate::Adjustments;

/// Needs a backslash before it in some name: comma, equals sign, space.
const SPECIAL: u8 = 1;
/// Cannot stand in a name.
const CONTROL: u8 = 2;
/// Can stand in a name, but not just before a special character or at the end.
const BACKSLASH: u8 = 4;

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
    classes[b'\\' as usize] = BACKSLASH;
    classes
};

/// A measurement, tag key, tag value or field key that line protocol can carry.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: Cow<'static, str>,
    /// Whether it has a comma, an equals sign or a space.
    pub(crate) special: bool,
}

impl Name {
    /// The name with what cannot be carried replaced, by the rules on [`Point`](crate::Point).
    pub(crate) fn new(text: Cow<'static, str>, adjustments: &mut Adjustments) -> Name {
        let found = text.bytes().fold(0, |found, byte| found | CLASSES[usize::from(byte)]);
        if found & (CONTROL | BACKSLASH) == 0 {
            return Name { text, special: found & SPECIAL != 0 };
        }
        let carried = carried(&text);
        if carried != text {
            adjustments.replaced += 1;
        }
        let special = carried.bytes().any(|byte| CLASSES[usize::from(byte)] == SPECIAL);
        Name { text: Cow::Owned(carried), special }
    }
}

fn carried(text: &str) -> String {
    let mut carried = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let mut run = 1;
                while characters.next_if_eq(&'\\').is_some() {
                    run += 1;
                }
                let escapes = match characters.peek() {
                    None | Some(',' | '=' | '"') => true,
                    Some(next) => *next == ' ' || next.is_ascii_control(),
                };
                carried.extend(std::iter::repeat_n(if escapes { '/' } else { '\\' }, run));
            }
            _ if character.is_ascii_control() => carried.push(' '),
            _ => carried.push(character),
        }
    }
    carried
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
