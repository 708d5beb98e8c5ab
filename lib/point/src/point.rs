//! The point, and the series that it belongs to.

use std::borrow::Cow;

use crate::builder::sort_and_keep_last;
use crate::name::{Name, Part, escape, keep_from_quotes};
use crate::{Adjustments, PointBuilder, Timestamp, Value};

/// The most bytes that a point's measurement, tags and one field key may have together in line protocol, with
/// the four that InfluxDB puts between series and field: its limit.
pub const MAX_KEY_BYTES: usize = 65_535;

/// The longest string that a field may hold, in bytes: InfluxDB's limit. Longer ones are cut.
pub const MAX_STRING_BYTES: usize = 65_536;

/// The key that InfluxDB keeps for the point's time.
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
/// - Tags and fields called `time` stay in the point, but line protocol leaves them out, since InfluxDB cannot
///   store them: alone, such a field is no field.
/// - A point whose names are longer than [`MAX_KEY_BYTES`] together is refused.
///
/// Tags and fields are sorted by the bytes of their keys.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    pub(crate) series: Series,
    pub(crate) fields: Vec<Field>,
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
        self.fields.iter().map(|field| (&*field.key, &field.value))
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
        let mut adjustments = Adjustments::default();
        let key = Name::new(Part::TagKey, Cow::Borrowed(key), &mut adjustments);
        let value = Name::new(Part::TagValue, Cow::Borrowed(value), &mut adjustments);
        if key.text.is_empty() || value.text.is_empty() || self.tag(&key.text).is_some() {
            return;
        }
        let mut name = |part, text| Name::new(part, Cow::Borrowed(text), &mut adjustments);
        let measurement = name(Part::Measurement, self.measurement());
        let mut tags = vec![(key, value)];
        tags.extend(
            self.tags()
                .map(|(key, value)| (name(Part::TagKey, key), name(Part::TagValue, value))),
        );
        let quoted = measurement.quote || self.fields.iter().any(|field| field.key.contains('"'));
        keep_from_quotes(&mut tags, quoted, &mut adjustments);
        sort_and_keep_last(&mut tags, |tag| &tag.0.text);
        let longest = self.fields.iter().map(Field::wire_len).max().unwrap_or_default();
        if let Ok(series) = Series::new(&measurement, &tags, longest) {
            self.series = series;
        }
    }
}

/// A field of a point.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Field {
    pub(crate) key: Cow<'static, str>,
    /// Whether the key needs escapes in line protocol.
    pub(crate) special: bool,
    pub(crate) value: Value,
}

impl Field {
    /// The length of the key in line protocol.
    pub(crate) fn wire_len(&self) -> usize {
        if !self.special {
            return self.key.len();
        }
        self.key.len()
            + self
                .key
                .bytes()
                .filter(|byte| matches!(byte, b',' | b'=' | b' '))
                .count()
    }
}

/// Measurement and tags, in one text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Series {
    /// `measurement,key=value,…` without escapes; the ends say where each part is.
    plain: String,
    measurement_end: u16,
    tags: Vec<TagEnds>,
    /// As line protocol has it, where that is another text.
    wire: Option<Box<str>>,
}

#[derive(Clone, PartialEq, Debug)]
struct TagEnds {
    key: u16,
    value: u16,
}

/// How long names are that are too long.
pub(crate) struct TooLong(pub(crate) usize);

impl Series {
    /// The series of names that are valid, sorted and unique; `field` is the length of the longest field key.
    pub(crate) fn new(
        measurement: &Name<'_>,
        tags: &[(Name<'_>, Name<'_>)],
        field: usize,
    ) -> Result<Series, TooLong> {
        let length = |tag: &(Name<'_>, Name<'_>)| tag.0.text.len() + tag.1.text.len() + 2;
        let length = measurement.text.len() + tags.iter().map(length).sum::<usize>();
        let end =
            |text: &String| u16::try_from(text.len()).map_err(|_| TooLong(length + SEPARATOR_BYTES + field));
        let mut plain = String::with_capacity(length);
        plain.push_str(&measurement.text);
        let measurement_end = end(&plain)?;
        let mut ends = Vec::with_capacity(tags.len());
        let mut same = !measurement.special;
        for (key, value) in tags {
            plain.push(',');
            plain.push_str(&key.text);
            let key_end = end(&plain)?;
            plain.push('=');
            plain.push_str(&value.text);
            ends.push(TagEnds {
                key: key_end,
                value: end(&plain)?,
            });
            same &= !key.special && !value.special && key.text != TIME_KEY;
        }
        let wire = if same {
            None
        } else {
            Some(wire(&measurement.text, tags, length))
        };
        let bytes = wire.as_ref().map_or(plain.len(), |wire| wire.len()) + SEPARATOR_BYTES + field;
        if bytes > MAX_KEY_BYTES {
            return Err(TooLong(bytes));
        }
        Ok(Series {
            plain,
            measurement_end,
            tags: ends,
            wire,
        })
    }

    pub(crate) fn wire(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.plain)
    }

    fn measurement(&self) -> &str {
        &self.plain[..usize::from(self.measurement_end)]
    }

    fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = usize::from(self.measurement_end) + 1;
        self.tags.iter().map(move |ends| {
            let (key, value) = (usize::from(ends.key), usize::from(ends.value));
            let tag = (&self.plain[start..key], &self.plain[key + 1..value]);
            start = value + 1;
            tag
        })
    }
}

fn wire(measurement: &str, tags: &[(Name<'_>, Name<'_>)], length: usize) -> Box<str> {
    let mut wire = String::with_capacity(length + 8);
    escape(&mut wire, measurement, false);
    for (key, value) in tags {
        if key.text != TIME_KEY {
            wire.push(',');
            escape(&mut wire, &key.text, true);
            wire.push('=');
            escape(&mut wire, &value.text, true);
        }
    }
    wire.into_boxed_str()
}
