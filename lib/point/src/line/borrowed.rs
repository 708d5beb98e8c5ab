//! The parts of a line, borrowed from it.

use std::borrow::Cow;

use super::error::LineErrorKind;
use super::scan::{key_end, measurement_end, tag_value_end, unescape};
use crate::point::TIME_KEY;
use crate::{Adjustments, Point, Timestamp, Value};

/// A line's parts, borrowed from it.
#[derive(Clone, PartialEq, Debug)]
pub struct BorrowedPoint<'a> {
    pub(super) series_key: &'a str,
    /// Whether the tags are sorted for certain.
    pub(super) sorted: bool,
    pub(super) fields: Vec<(Cow<'a, str>, BorrowedValue<'a>)>,
    pub(super) time: Option<Timestamp>,
}

impl<'a> BorrowedPoint<'a> {
    /// Measurement and tags as they stand in the line, escapes and order and all.
    pub fn raw_series_key(&self) -> &'a str {
        self.series_key
    }

    /// Measurement and tags as [`Point::series_key`] has them for what it can hold: the same text for each line
    /// of a series. It is a slice of the line where the tags are sorted there.
    pub fn series_key(&self) -> Cow<'a, str> {
        let named_time = |(key, _): &(&str, &str)| *key == TIME_KEY;
        if self.sorted && !self.raw_tags().any(|tag| named_time(&tag)) {
            return Cow::Borrowed(self.series_key);
        }
        let mut tags: Vec<(Cow<'a, str>, (&'a str, &'a str))> = self
            .raw_tags()
            .filter(|tag| !named_time(tag))
            .map(|tag| (unescape(tag.0, false), tag))
            .collect();
        tags.sort();
        let mut key = String::with_capacity(self.series_key.len());
        key.push_str(&self.series_key[..measurement_end(self.series_key.as_bytes()).end]);
        for (_, (name, value)) in tags {
            key.extend([",", name, "=", value]);
        }
        Cow::Owned(key)
    }

    /// The measurement.
    pub fn measurement(&self) -> Cow<'a, str> {
        unescape(
            &self.series_key[..measurement_end(self.series_key.as_bytes()).end],
            true,
        )
    }

    /// The tags, keys and values, in the line's order.
    pub fn tags(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.raw_tags()
            .map(|(key, value)| (unescape(key, false), unescape(value, false)))
    }

    fn raw_tags(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let text = self.series_key;
        let mut at = measurement_end(text.as_bytes()).end;
        std::iter::from_fn(move || {
            if at >= text.len() {
                return None;
            }
            let key = key_end(text.as_bytes(), at + 1).end;
            let value = tag_value_end(text.as_bytes(), key + 1).end;
            let tag = (&text[at + 1..key], &text[key + 1..value]);
            at = value;
            Some(tag)
        })
    }

    /// The fields, keys and values, in the line's order. A key that is given twice is here twice; the last counts.
    pub fn fields(&self) -> &[(Cow<'a, str>, BorrowedValue<'a>)] {
        &self.fields
    }

    /// The time, where the line gives one.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// The point of the line, made valid as any other. Without a time in the line it has the default one.
    pub(super) fn to_point(
        &self,
        default_time: Option<Timestamp>,
        adjustments: &mut Adjustments,
    ) -> Result<Point, LineErrorKind> {
        let Some(time) = self.time.or(default_time) else {
            return Err(LineErrorKind::MissingTime);
        };
        let mut builder = Point::builder(self.measurement()).time(time);
        for (key, value) in self.tags() {
            builder.set_tag(&key, &value);
        }
        for (key, value) in &self.fields {
            builder.set_field(key, value.to_value());
        }
        builder.build(adjustments).map_err(LineErrorKind::Point)
    }
}

/// A field's value, borrowed from the line.
#[derive(Clone, PartialEq, Debug)]
pub enum BorrowedValue<'a> {
    /// A finite float.
    Float(f64),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// True or false.
    Bool(bool),
    /// A string, without its quotes and escapes. It may have line breaks.
    String(Cow<'a, str>),
}

impl BorrowedValue<'_> {
    /// The value with a string of its own.
    pub fn to_value(&self) -> Value {
        match self {
            BorrowedValue::Float(float) => Value::Float(*float),
            BorrowedValue::Int(int) => Value::Int(*int),
            BorrowedValue::Uint(uint) => Value::Uint(*uint),
            BorrowedValue::Bool(bool) => Value::Bool(*bool),
            BorrowedValue::String(text) => Value::String(Box::from(&**text)),
        }
    }
}
