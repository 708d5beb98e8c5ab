//! What is kept of a part of the document: as much as counts where it stands, or where an alias names it again.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};
use tidemark_ubuntu::shown;

/// Packages that are older than so many days count.
const COUNTED_AFTER: f64 = 3.0;
/// The highest age that is one, in days.
const MAX_AGE: f64 = 1e9;
/// The longest number, in bytes.
const MAX_NUMBER: usize = 40;

/// A part of the document that was read.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Scalar(Scalar),
    /// A mapping, and the age that it has as a package.
    Mapping(Option<Age>),
    /// A list, and what it comes to as the packages of a team.
    List(Packages),
}

impl Node {
    /// What it is, for people.
    pub(super) fn what(&self) -> Cow<'static, str> {
        match self {
            Self::Scalar(Scalar { value, text }) => match value {
                Value::Null => "null".into(),
                Value::Number(_) => format!("the number {}", text.trim()).into(),
                Value::Text => format!("the text {}", shown(text)).into(),
            },
            Self::Mapping(_) => "a mapping".into(),
            Self::List(_) => "a list".into(),
        }
    }

    /// What it is as the age of a package.
    pub(super) fn into_age(self) -> Age {
        match self {
            Self::Scalar(Scalar {
                value: Value::Number(days),
                ..
            }) if days.abs() <= MAX_AGE => Age::Days(days),
            Self::Scalar(Scalar {
                value: Value::Number(_),
                text,
            }) => Age::Wrong(format!("its age is {} days, which cannot be", text.trim())),
            other => Age::Wrong(format!("its age is {}, not a number", other.what())),
        }
    }
}

/// A text, a number or nothing.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) value: Value,
    /// As it is written; cut where it is longer than a name may be.
    pub(super) text: Box<str>,
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Number(f64),
    Text,
}

impl Value {
    /// Quotes, or the tag `!!str`, make a text of null. A number is one with them too, as for Python's `float()`.
    pub(super) fn of(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Self {
        let is_quoted =
            style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
        if !is_quoted && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            return Self::Null;
        }
        let text = text.trim();
        // Rust reads `inf` and `nan` too.
        let is_number = |byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        if text.len() > MAX_NUMBER || !text.bytes().all(is_number) {
            return Self::Text;
        }
        text.parse().map_or(Self::Text, Self::Number)
    }
}

/// A package's age.
#[derive(Clone, Debug)]
pub(super) enum Age {
    Days(f64),
    /// It is something else: what is wrong with it, in words.
    Wrong(String),
}

/// A list as the packages of a team.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packages {
    /// Those that are old enough.
    pub(super) count: u32,
    /// Their ages in days, added up.
    pub(super) days: f64,
    /// Those without an age.
    pub(super) faults: u32,
}

impl Packages {
    /// Adds a package; false where it has no age, and does not count.
    pub(super) fn add(&mut self, package: &Node) -> bool {
        let Node::Mapping(Some(Age::Days(days))) = package else {
            self.faults = self.faults.saturating_add(1);
            return false;
        };
        if *days > COUNTED_AFTER {
            self.count = self.count.saturating_add(1);
            self.days += days;
        }
        true
    }

    /// The mean age in days; 0 where there are none.
    pub(super) fn age(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.days / f64::from(self.count)
        }
    }
}

/// What is wrong with a package that has no age.
pub(super) fn fault(package: &Node) -> String {
    match package {
        Node::Mapping(Some(Age::Wrong(what))) => what.clone(),
        Node::Mapping(_) => "it has no age".to_owned(),
        other => format!("it is {}, not a package", other.what()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_yaml_takes_for_one() {
        let value = |text| Value::of(text, ScalarStyle::Plain, None);
        for (text, number) in [
            ("5", 5.0),
            ("-1", -1.0),
            ("+4.5", 4.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1.5e+2", 150.0),
            ("007", 7.0),
        ] {
            assert_eq!(value(text), Value::Number(number), "{text}");
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(value(text), Value::Null, "{text}");
        }
        for text in [
            "inf", ".inf", "nan", "NaN", "infinity", "e", "-", ".", "1.2.3", "five", "5 days", "true",
            "0x10", "nULL",
        ] {
            assert_eq!(value(text), Value::Text, "{text}");
        }
        for style in [
            ScalarStyle::SingleQuoted,
            ScalarStyle::DoubleQuoted,
            ScalarStyle::Literal,
            ScalarStyle::Folded,
        ] {
            assert_eq!(Value::of(" 5.5\n", style, None), Value::Number(5.5));
            for text in ["", "~", "null", "5 days", "inf"] {
                assert_eq!(Value::of(text, style, None), Value::Text, "{text}");
            }
        }
        let tag = Tag::new("tag:yaml.org,2002:", "str");
        let tagged = |text| Value::of(text, ScalarStyle::Plain, Some(&tag));
        assert_eq!((tagged("5"), tagged("null")), (Value::Number(5.0), Value::Text));
    }
}
