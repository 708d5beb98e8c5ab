//! Making a point valid.

use std::borrow::Cow;

use crate::name::{Name, Part, keep_from_quotes};
use crate::point::{Field, Series, TIME_KEY, TooLong};
use crate::{Adjustments, MAX_STRING_BYTES, Point, PointError, Timestamp, Value};

/// The parts of a point, gathered: names and tags are copied at once, so that borrowed ones will do. The rules that make
/// it valid are [`Point`]'s.
#[derive(Clone, Debug)]
#[must_use = "a point is made by `build`"]
pub struct PointBuilder {
    measurement: Cow<'static, str>,
    tags: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    fields: Vec<(Cow<'static, str>, Value)>,
    time: Option<Timestamp>,
}

impl PointBuilder {
    pub(crate) fn new(measurement: &str) -> PointBuilder {
        PointBuilder {
            measurement: Cow::Owned(measurement.to_owned()),
            tags: Vec::new(),
            fields: Vec::new(),
            time: None,
        }
    }

    /// Sets a tag.
    pub fn tag(mut self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        self.tags.push((owned(key.as_ref()), owned(value.as_ref())));
        self
    }

    /// Sets a field.
    pub fn field(mut self, key: impl AsRef<str>, value: impl Into<Value>) -> Self {
        self.fields
            .push((Cow::Owned(key.as_ref().to_owned()), value.into()));
        self
    }

    /// Sets the time, without which there is no point.
    pub fn time(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// The point. What had to be changed is counted in `adjustments`, and so is a point that is refused.
    pub fn build(self, adjustments: &mut Adjustments) -> Result<Point, PointError> {
        build(self.measurement, self.tags, self.fields, self.time, adjustments)
    }
}

/// The point of these parts, see [`PointBuilder::build`].
pub(crate) fn build<'a>(
    measurement: Cow<'a, str>,
    tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    fields: Vec<(Cow<'static, str>, Value)>,
    time: Option<Timestamp>,
    adjustments: &mut Adjustments,
) -> Result<Point, PointError> {
    let point = assemble(measurement, tags, fields, time, adjustments);
    if point.is_err() {
        adjustments.refused += 1;
    }
    point
}

fn assemble<'a>(
    measurement: Cow<'a, str>,
    tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    fields: Vec<(Cow<'static, str>, Value)>,
    time: Option<Timestamp>,
    adjustments: &mut Adjustments,
) -> Result<Point, PointError> {
    let measurement = Name::new(Part::Measurement, measurement, adjustments);
    let named = || measurement.text.clone().into_owned();
    if measurement.text.is_empty() {
        return Err(PointError::EmptyMeasurement);
    }
    if measurement.text.starts_with('#') {
        return Err(PointError::Comment { measurement: named() });
    }
    let Some(time) = time else {
        return Err(PointError::NoTime { measurement: named() });
    };
    let quoted = measurement.quote || fields.iter().any(|(key, _)| key.contains('"'));
    let tags = valid_tags(tags, quoted, adjustments);
    let Some(fields) = valid_fields(fields, adjustments) else {
        return Err(PointError::EmptyFieldKey { measurement: named() });
    };
    if fields.iter().all(|field| field.key == TIME_KEY) {
        return Err(PointError::NoFields { measurement: named() });
    }
    let longest = fields.iter().map(Field::wire_len).max().unwrap_or_default();
    match Series::new(&measurement, &tags, longest) {
        Ok(series) => Ok(Point { series, fields, time }),
        Err(TooLong(bytes)) => Err(PointError::KeyTooLong {
            measurement: measurement.text.chars().take(64).collect(),
            bytes,
        }),
    }
}

fn valid_tags<'a>(
    tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    quoted: bool,
    adjustments: &mut Adjustments,
) -> Vec<(Name<'a>, Name<'a>)> {
    let mut valid: Vec<(Name<'a>, Name<'a>)> = Vec::with_capacity(tags.len());
    for (key, value) in tags {
        if key.is_empty() || value.is_empty() {
            adjustments.empty_tags += 1;
            continue;
        }
        adjustments.time_keys += u64::from(key == TIME_KEY);
        let key = Name::new(Part::TagKey, key, adjustments);
        valid.push((key, Name::new(Part::TagValue, value, adjustments)));
    }
    keep_from_quotes(&mut valid, quoted, adjustments);
    let given = valid.len();
    sort_and_keep_last(&mut valid, |tag| &tag.0.text);
    adjustments.repeated += (given - valid.len()) as u64;
    valid
}

/// The fields that can be stored; `None` where one has no name.
fn valid_fields(
    fields: Vec<(Cow<'static, str>, Value)>,
    adjustments: &mut Adjustments,
) -> Option<Vec<Field>> {
    let mut valid: Vec<Field> = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        if key.is_empty() {
            return None;
        }
        let value = match value {
            Value::Float(float) if !float.is_finite() => {
                adjustments.non_finite += 1;
                continue;
            }
            Value::String(text) => Value::String(valid_string(text, adjustments)),
            value => value,
        };
        adjustments.time_keys += u64::from(key == TIME_KEY);
        let Name { text, special, .. } = Name::new(Part::FieldKey, key, adjustments);
        valid.push(Field {
            key: text,
            special,
            value,
        });
    }
    let given = valid.len();
    sort_and_keep_last(&mut valid, |field| &field.key);
    adjustments.repeated += (given - valid.len()) as u64;
    Some(valid)
}

/// Sorts by key, and keeps the last of those with the same key.
pub(crate) fn sort_and_keep_last<T>(parts: &mut Vec<T>, key: impl Fn(&T) -> &str) {
    if parts.is_sorted_by(|left, right| key(left) < key(right)) {
        return;
    }
    parts.sort_by(|left, right| key(left).cmp(key(right)));
    parts.dedup_by(|later, kept| {
        let same = key(later) == key(kept);
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

fn valid_string(text: Box<str>, adjustments: &mut Adjustments) -> Box<str> {
    let breaks = text.bytes().any(|byte| matches!(byte, b'\n' | b'\r'));
    if !breaks && text.len() <= MAX_STRING_BYTES {
        return text;
    }
    let mut text = String::from(text);
    if breaks {
        adjustments.replaced += 1;
        text = text.replace('\n', "\\n").replace('\r', "\\r");
    }
    if text.len() > MAX_STRING_BYTES {
        adjustments.cut_strings += 1;
        text.truncate(text.floor_char_boundary(MAX_STRING_BYTES));
    }
    text.into_boxed_str()
}
