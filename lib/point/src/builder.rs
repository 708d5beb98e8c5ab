//! Making a point valid.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use crate::fields::{Field, Fields};
use crate::name::{Name, Part, is_plain, keep_from_quotes};
use crate::point::{MAX_KEY_BYTES, SEPARATOR_BYTES, TIME_KEY};
use crate::series::{Series, TooLong, insert_tag, push_tag, sorted_plain, split_plain};
use crate::{Adjustments, MAX_STRING_BYTES, Point, PointError, Timestamp, Value};

/// What a text has room for behind a measurement, before it has to grow.
const TAGS_BYTES: usize = 64;

/// The parts of a point, gathered: names and tags are copied at once, so that borrowed ones will do. The rules that make
/// it valid are [`Point`]'s.
///
/// Names of plain characters cost the least; tags do so in the order of their keys, before the fields.
#[derive(Clone, Debug)]
#[must_use = "a point is made by `build`"]
pub struct PointBuilder {
    /// `measurement,key=value,…` of plain names, and behind it the keys of the fields.
    text: String,
    /// Where measurement and tags end in it.
    end: usize,
    /// Where the key of the last tag is.
    last_key: Range<usize>,
    /// Whether tags are sorted and unique so far.
    sorted: bool,
    fields: Fields,
    /// All parts, once one of them is to be changed or escaped.
    loose: Option<Box<Loose>>,
    time: Option<Timestamp>,
}

/// Parts as they were given.
#[derive(Clone, Default, Debug)]
struct Loose {
    measurement: String,
    tags: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    fields: Vec<(Cow<'static, str>, Value)>,
}

impl PointBuilder {
    pub(crate) fn new(measurement: &str) -> PointBuilder {
        let room = String::with_capacity(measurement.len() + TAGS_BYTES);
        PointBuilder::in_room(room, measurement, 0)
    }

    /// In the memory of that text, with room for so many fields.
    pub(crate) fn in_room(mut room: String, measurement: &str, fields: usize) -> PointBuilder {
        room.clear();
        let odd = measurement.is_empty() || measurement.starts_with('#') || !is_plain(measurement);
        let loose = odd.then(|| {
            Box::new(Loose {
                measurement: measurement.to_owned(),
                ..Loose::default()
            })
        });
        if loose.is_none() {
            room.push_str(measurement);
        }
        PointBuilder {
            text: room,
            end: measurement.len(),
            last_key: 0..0,
            sorted: true,
            fields: Fields::with_room(fields),
            loose,
            time: None,
        }
    }

    /// Sets a tag.
    pub fn tag(mut self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.set_tag(key.as_ref(), value.as_ref());
        self
    }

    pub(crate) fn set_tag(&mut self, key: &str, value: &str) {
        let plain = || is_plain(key) && is_plain(value) && !key.is_empty() && !value.is_empty();
        if self.loose.is_some() || key == TIME_KEY || !plain() {
            let tag = (Cow::Owned(key.to_owned()), Cow::Owned(value.to_owned()));
            self.loosen().tags.push(tag);
            return;
        }
        let is_first = self.last_key.is_empty();
        self.sorted &= is_first || &self.text[self.last_key.clone()] < key;
        let start = self.end + 1;
        self.last_key = start..start + key.len();
        let added = key.len() + value.len() + 2;
        if self.end == self.text.len() {
            push_tag(&mut self.text, key, value);
        } else {
            insert_tag(&mut self.text, self.end, key, value);
            self.fields.iter_mut().for_each(|field| field.move_key(added));
        }
        self.end += added;
    }

    /// Whether nothing is set yet, and the measurement is plain.
    pub(crate) fn has_name_alone(&self) -> bool {
        self.loose.is_none() && self.last_key.is_empty() && self.end == self.text.len()
    }

    /// Adds tags that need no rule, behind the name alone.
    pub(crate) fn push_sorted(&mut self, text: &str, last_key: &Range<usize>) {
        self.last_key = self.end + last_key.start..self.end + last_key.end;
        self.text.push_str(text);
        self.end = self.text.len();
    }

    /// Sets a field.
    pub fn field(mut self, key: impl AsRef<str>, value: impl Into<Value>) -> Self {
        self.set_field(key.as_ref(), value.into());
        self
    }

    pub(crate) fn set_field(&mut self, key: &str, value: Value) {
        let storable = match &value {
            Value::Float(float) => float.is_finite(),
            Value::String(text) => is_storable(text),
            Value::Int(_) | Value::Uint(_) | Value::Bool(_) => true,
        };
        if self.loose.is_some() || !storable || key.is_empty() || key == TIME_KEY || !is_plain(key) {
            self.loosen().fields.push((Cow::Owned(key.to_owned()), value));
            return;
        }
        let start = self.text.len();
        self.text.push_str(key);
        self.fields
            .push(Field::new(&(start..self.text.len()), false, value));
    }

    /// Sets the time, without which there is no point.
    pub fn time(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// The point. What had to be changed is counted in `adjustments`, and so is a point that is refused.
    pub fn build(self, adjustments: &mut Adjustments) -> Result<Point, PointError> {
        let point = match self.loose {
            Some(loose) => assemble(
                Cow::Owned(loose.measurement),
                loose.tags,
                loose.fields,
                self.time,
                adjustments,
            ),
            None => self.build_plain(adjustments),
        };
        if point.is_err() {
            adjustments.refused += 1;
        }
        point
    }

    /// The point of plain names and of values that can be stored.
    fn build_plain(mut self, adjustments: &mut Adjustments) -> Result<Point, PointError> {
        let named = || split_plain(&self.text[..self.end]).0.to_owned();
        let Some(time) = self.time else {
            return Err(PointError::NoTime { measurement: named() });
        };
        if self.fields.is_empty() {
            return Err(PointError::NoFields { measurement: named() });
        }
        if !self.sorted {
            self.sort_tags(adjustments);
        }
        let text = &self.text;
        let given = self.fields.len();
        self.fields
            .sort_and_keep_last(|left, right| text.get(left.key()).cmp(&text.get(right.key())));
        adjustments.repeated += (given - self.fields.len()) as u64;
        let longest = self.fields.iter().map(|field| field.key().len()).max();
        let longest = longest.unwrap_or_default();
        let bytes = self.end + SEPARATOR_BYTES + longest;
        if bytes > MAX_KEY_BYTES {
            let measurement = split_plain(&self.text[..self.end]).0;
            return Err(PointError::KeyTooLong {
                measurement: measurement.chars().take(64).collect(),
                bytes,
            });
        }
        Ok(Point {
            series: Series::of_plain(self.text, self.end),
            fields: self.fields,
            time,
        })
    }

    #[cold]
    fn sort_tags(&mut self, adjustments: &mut Adjustments) {
        let (mut sorted, repeated) = sorted_plain(&self.text[..self.end]);
        adjustments.repeated += repeated;
        let end = sorted.len();
        sorted.push_str(&self.text[self.end..]);
        let less = self.end - end;
        self.fields.iter_mut().for_each(|field| field.move_key_back(less));
        (self.text, self.end) = (sorted, end);
    }

    /// The parts as they were given, for the rules to look at.
    #[cold]
    fn loosen(&mut self) -> &mut Loose {
        let (text, end) = (&self.text, self.end);
        let fields = &mut self.fields;
        self.loose.get_or_insert_with(|| {
            let owned = |text: &str| Cow::Owned(text.to_owned());
            let (measurement, tags) = split_plain(&text[..end]);
            let mut loose = Loose {
                measurement: measurement.to_owned(),
                tags: tags.map(|(key, value)| (owned(key), owned(value))).collect(),
                fields: Vec::new(),
            };
            for field in std::mem::replace(fields, Fields::new()).into_vec() {
                let key = owned(text.get(field.key()).unwrap_or_default());
                loose.fields.push((key, field.value));
            }
            Box::new(loose)
        })
    }
}

/// The point of these parts, whatever they are.
fn assemble<'a>(
    measurement: Cow<'a, str>,
    tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    fields: Vec<(Cow<'a, str>, Value)>,
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
    if fields.iter().all(|(key, _)| key.text == TIME_KEY) {
        return Err(PointError::NoFields { measurement: named() });
    }
    let longest = fields
        .iter()
        .map(|(key, _)| key.wire_len())
        .max()
        .unwrap_or_default();
    match Series::new(&measurement, &tags, longest) {
        Ok(mut series) => {
            let mut kept = Fields::new();
            for (key, value) in fields {
                let special = key.special;
                kept.push(Field::new(&series.keep_key(&key.text), special, value));
            }
            Ok(Point {
                series,
                fields: kept,
                time,
            })
        }
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
    sort_and_keep_last(&mut valid, |left, right| left.0.text.cmp(&right.0.text));
    adjustments.repeated += (given - valid.len()) as u64;
    valid
}

/// The fields that can be stored; `None` where one has no name.
fn valid_fields<'a>(
    fields: Vec<(Cow<'a, str>, Value)>,
    adjustments: &mut Adjustments,
) -> Option<Vec<(Name<'a>, Value)>> {
    let mut valid: Vec<(Name<'a>, Value)> = Vec::with_capacity(fields.len());
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
        valid.push((Name::new(Part::FieldKey, key, adjustments), value));
    }
    let given = valid.len();
    sort_and_keep_last(&mut valid, |left, right| left.0.text.cmp(&right.0.text));
    adjustments.repeated += (given - valid.len()) as u64;
    Some(valid)
}

/// Sorts by key, and keeps the last of those with the same key.
pub(crate) fn sort_and_keep_last<T>(parts: &mut Vec<T>, by_key: impl Fn(&T, &T) -> Ordering) {
    if parts.is_sorted_by(|left, right| by_key(left, right) == Ordering::Less) {
        return;
    }
    parts.sort_by(&by_key);
    parts.dedup_by(|later, kept| {
        let same = by_key(later, kept) == Ordering::Equal;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

fn has_breaks(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'\n' | b'\r'))
}

/// Whether a string is a field's value as it is.
fn is_storable(text: &str) -> bool {
    text.len() <= MAX_STRING_BYTES && !has_breaks(text)
}

fn valid_string(text: Box<str>, adjustments: &mut Adjustments) -> Box<str> {
    if is_storable(&text) {
        return text;
    }
    let breaks = has_breaks(&text);
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
