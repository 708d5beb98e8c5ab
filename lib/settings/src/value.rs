//! A value as it stands in a settings file, with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::mistake::{Mistake, Position, SourceFile};

/// A value as it stands in a settings file. It may hold a secret, so it has no printable form.
pub struct Value {
    pub(crate) at: Position,
    pub(crate) data: Data,
}

pub(crate) enum Data {
    String(Zeroizing<String>),
    /// Of any size that TOML can write; more than 128 bits are cut to the nearest.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Value>),
    Table(Table),
}

/// A section's keys and values.
pub(crate) type Table = BTreeMap<String, Entry>;

pub(crate) struct Entry {
    pub(crate) key_at: Position,
    pub(crate) value: Value,
}

impl Value {
    /// The text, where the value is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where the value is an integer.
    pub fn as_integer(&self) -> Option<i128> {
        match self.data {
            Data::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The number, where the value is a float.
    pub fn as_float(&self) -> Option<f64> {
        match self.data {
            Data::Float(number) => Some(number),
            _ => None,
        }
    }

    /// The truth, where the value is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Boolean(truth) => Some(truth),
            _ => None,
        }
    }

    /// The items, where the value is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match &self.data {
            Data::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The keys, sorted, and their values, where the value is a table.
    pub fn as_table(&self) -> Option<impl Iterator<Item = (&str, &Value)>> {
        self.table()
            .map(|table| table.iter().map(|(key, entry)| (key.as_str(), &entry.value)))
    }

    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.data {
            Data::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Where it stands.
    pub fn place(&self) -> &Position {
        &self.at
    }

    /// What kind of value it is, with its article: `a string`, `an integer`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::String(_) => "a string",
            Data::Integer(_) => "an integer",
            Data::Float(_) => "a float",
            Data::Boolean(_) => "a boolean",
            Data::Datetime => "a date",
            Data::Array(_) => "a list",
            Data::Table(_) => "a table",
        }
    }

    /// A mistake at this value. `what` goes on from the key's name (`is no colour`), `advice` is a clause of its own
    /// (`write "red" or "blue" instead`). Neither may hold the text of what may be a secret.
    #[must_use]
    pub fn mistake(&self, what: impl Into<String>, advice: impl Into<String>) -> Mistake {
        Mistake::new(self.at.clone(), what, advice)
    }

    /// The mistake of a value that is of another kind than `wanted` (`a time span`).
    #[must_use]
    pub fn wrong_kind(&self, wanted: &str, advice: impl Into<String>) -> Mistake {
        self.mistake(format!("is {}, where {wanted} is needed", self.kind()), advice)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} at {})", self.kind(), self.at)
    }
}

/// The parser's table as ours: owned, each key and value with its place. The parser bounds the depth.
pub(crate) fn table(file: &Arc<SourceFile>, parsed: DeTable<'_>) -> Table {
    parsed
        .into_iter()
        .map(|(key, value)| {
            let key_at = Position::in_text(file, key.span().start);
            (
                key.into_inner().into_owned(),
                Entry {
                    key_at,
                    value: self::value(file, value),
                },
            )
        })
        .collect()
}

fn value(file: &Arc<SourceFile>, parsed: Spanned<DeValue<'_>>) -> Value {
    let at = Position::in_text(file, parsed.span().start);
    let data = match parsed.into_inner() {
        DeValue::String(text) => Data::String(Zeroizing::new(text.into_owned())),
        DeValue::Integer(number) => Data::Integer(integer(number.as_str(), number.radix())),
        DeValue::Float(number) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Data::Boolean(truth),
        DeValue::Datetime(_) => Data::Datetime,
        DeValue::Array(items) => Data::Array(items.into_iter().map(|item| value(file, item)).collect()),
        DeValue::Table(entries) => Data::Table(table(file, entries)),
    };
    Value { at, data }
}

fn integer(digits: &str, radix: u32) -> i128 {
    let nearest = if digits.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    i128::from_str_radix(digits, radix).unwrap_or(nearest)
}

/// The file's text, or what of it comes before the first byte that is not UTF-8.
pub(crate) fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let bytes = Zeroizing::new(error.into_bytes());
            let before = bytes
                .get(..good)
                .and_then(|before| std::str::from_utf8(before).ok())
                .unwrap_or_default();
            Err(Zeroizing::new(before.to_owned()))
        }
    }
}
