//! The point, and the series that it belongs to.

use std::borrow::Cow;
use std::fmt;

use crate::builder::sort_and_keep_last;
use crate::fields::{Field, Fields};
use crate::name::{Name, Part, keep_from_quotes};
use crate::series::{NotPlain, Series};
use crate::{Adjustments, PointBuilder, Timestamp, Value};

/// The most bytes that a point's measurement, tags and one field key may have together in line protocol, with
/// the four that InfluxDB puts between series and field: its limit.
pub const MAX_KEY_BYTES: usize = 65_535;

/// The longest string that a field may hold, in bytes: InfluxDB's limit. Longer ones are cut.
pub const MAX_STRING_BYTES: usize = 65_536;

/// The key that InfluxDB 1 keeps for the point's time.
pub(crate) const TIME_KEY: &str = "time";

/// What InfluxDB puts between a series key and a field key (`#!~#`).
pub(crate) const SEPARATOR_BYTES: usize = 4;

/// Values that were measured together: a measurement, tags, fields and a time.
///
/// A point that exists is valid: every sink can store it, and line protocol gives it back as it was. What a
/// source brings is made so when the point is built, by these rules, and counted in [`Adjustments`]:
///
/// - In measurements, tags and field keys, control characters, line breaks and tabs among them, become spaces; in
///   tag values only U+0000 and U+0009 to U+000D do. So one point is one line.
/// - There, a backslash at the end becomes a slash, since line protocol cannot carry it. So do those that InfluxDB
///   reads otherwise than they are written: in measurements, a backslash before a comma, an equals sign, a space or
///   a quote; in field keys, one before a quote, and the last of an odd number before one of the others; in tags,
///   the last of an odd number before a space, where a name of the point has a quote.
/// - A tag whose key or value is empty is left out. A point without a measurement, or with a field without a
///   name, is refused; so is one whose measurement begins with `#`, a comment in line protocol.
/// - A float that is NaN or infinite is left out. A point is refused only where no field is left.
/// - In strings, line breaks become the two characters `\n` or `\r`. A string of more than
///   [`MAX_STRING_BYTES`] is cut at a character.
/// - Of two tags, or two fields, of the same key the last counts.
/// - Tags and fields called `time` stay in the point, but InfluxDB 1 stores neither: line protocol leaves such a tag out,
///   and such a field where it is written for InfluxDB 1. Others store the field, but alone it is no field.
/// - A point whose names are longer than [`MAX_KEY_BYTES`] together is refused.
///
/// Tags and fields are sorted by the bytes of their keys.
#[derive(Clone)]
pub struct Point {
    pub(crate) series: Series,
    pub(crate) fields: Fields,
    pub(crate) time: Timestamp,
}

impl Point {
    /// Begins a point.
    pub fn builder(measurement: impl AsRef<str>) -> PointBuilder {
        PointBuilder::new(measurement.as_ref())
    }

    /// The measurement's name.
    pub fn measurement(&self) -> &str {
        self.series.measurement()
    }

    /// The tags, keys and values, by key.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.series.tags()
    }

    /// The fields, keys and values, by key; at least one.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let with_key = |field| (self.series.field_key(field), field);
        self.fields
            .iter()
            .map(with_key)
            .map(|(key, field)| (key, &field.value))
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags().find(|tag| tag.0 == key).map(|tag| tag.1)
    }

    /// The value of a field.
    pub fn field(&self, key: &str) -> Option<&Value> {
        self.fields().find(|field| field.0 == key).map(|field| field.1)
    }

    /// The point's time.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Measurement and tags as line protocol writes them: the same text for each point of a series.
    pub fn series_key(&self) -> &str {
        self.series.wire()
    }

    /// Adds a tag where the point has none of that key.
    ///
    /// The rules above hold: it may be changed, and it is left out where its key or value is empty or where the
    /// point would become too long.
    pub fn add_tag(&mut self, key: &str, value: &str) {
        if key.is_empty() || value.is_empty() || self.tag(key).is_some() {
            return;
        }
        let added = self.series.add_plain_tag(key, value, &mut self.fields);
        if let Err(NotPlain) = added {
            self.add_any_tag(key, value);
        }
    }

    fn add_any_tag(&mut self, key: &str, value: &str) {
        let mut adjustments = Adjustments::default();
        let key = Name::new(Part::TagKey, Cow::Borrowed(key), &mut adjustments);
        let value = Name::new(Part::TagValue, Cow::Borrowed(value), &mut adjustments);
        if self.tag(&key.text).is_some() {
            return;
        }
        let mut name = |part, text| Name::new(part, Cow::Borrowed(text), &mut adjustments);
        let measurement = name(Part::Measurement, self.measurement());
        let mut tags = vec![(key, value)];
        tags.extend(
            self.tags()
                .map(|(key, value)| (name(Part::TagKey, key), name(Part::TagValue, value))),
        );
        let quoted = measurement.quote || self.fields().any(|(key, _)| key.contains('"'));
        keep_from_quotes(&mut tags, quoted, &mut adjustments);
        sort_and_keep_last(&mut tags, |left, right| left.0.text.cmp(&right.0.text));
        let lengths = self.fields.iter().map(|field| field.wire_len(&self.series));
        let Ok(mut series) = Series::new(&measurement, &tags, lengths.max().unwrap_or_default()) else {
            return;
        };
        let mut fields = Fields::new();
        for field in self.fields.iter() {
            let key = series.keep_key(self.series.field_key(field));
            fields.push(Field::new(&key, field.special, field.value.clone()));
        }
        self.fields = fields;
        self.series = series;
    }

    /// Takes the fields of another point of the series: where both have a field, the other's value counts. How many
    /// values that replaced by different ones.
    pub(crate) fn merge(&mut self, other: Point) -> u64 {
        let mut overwritten = 0;
        let Point { series, fields, .. } = other;
        for field in fields.into_vec() {
            let key = series.field_key(&field);
            let found = self
                .fields
                .binary_search_by(|kept| self.series.field_key(kept).cmp(key));
            match found {
                Ok(place) => {
                    let kept = &mut self.fields[place].value;
                    overwritten += u64::from(*kept != field.value);
                    *kept = field.value;
                }
                Err(place) => {
                    let key = self.series.keep_key(key);
                    self.fields
                        .insert(place, Field::new(&key, field.special, field.value));
                }
            }
        }
        overwritten
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Point")
            .field("series", &self.series_key())
            .field("fields", &self.fields().collect::<Vec<_>>())
            .field("time", &self.time)
            .finish()
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Point) -> bool {
        self.time == other.time && self.series == other.series && self.fields().eq(other.fields())
    }
}
