//! Measurement, tags and the names of fields, in one text.

use crate::builder::sort_and_keep_last;
use crate::fields::{Field, Fields};
use crate::name::{Name, escape, is_plain};
use crate::point::{MAX_KEY_BYTES, SEPARATOR_BYTES, TIME_KEY};
use crate::together::Text;

/// The names of a point: one text, so that a point takes one allocation, or none where many share theirs.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// `measurement,key=value,…` without escapes, and behind it the keys of the fields, which know where theirs are.
    pub(crate) text: Text,
    /// Where measurement and tags end.
    end: usize,
    /// Where the text does not say for itself what is what: a part needs escapes, or a tag is called `time`.
    parts: Option<Box<Parts>>,
}

#[derive(Clone, PartialEq, Debug)]
struct Parts {
    measurement_end: u16,
    tags: Vec<TagEnds>,
    /// As line protocol has it.
    wire: Box<str>,
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
        let mut text = String::with_capacity(length + field);
        text.push_str(&measurement.text);
        let measurement_end = end(&text)?;
        let mut ends = Vec::with_capacity(tags.len());
        let mut same = !measurement.special;
        for (key, value) in tags {
            text.push(',');
            text.push_str(&key.text);
            let key_end = end(&text)?;
            text.push('=');
            text.push_str(&value.text);
            ends.push(TagEnds {
                key: key_end,
                value: end(&text)?,
            });
            same &= !key.special && !value.special && key.text != TIME_KEY;
        }
        let parts = (!same).then(|| {
            Box::new(Parts {
                measurement_end,
                tags: ends,
                wire: wire(&measurement.text, tags, length),
            })
        });
        let series = Series {
            end: text.len(),
            text: Text::Own(text),
            parts,
        };
        let bytes = series.wire().len() + SEPARATOR_BYTES + field;
        if bytes > MAX_KEY_BYTES {
            return Err(TooLong(bytes));
        }
        Ok(series)
    }

    /// The series of a text that says for itself what is what: `measurement,key=value,…` of plain names, the tags sorted
    /// and unique, with the keys of fields behind `end`.
    pub(crate) fn of_plain(text: String, end: usize) -> Series {
        Series {
            text: Text::Own(text),
            end,
            parts: None,
        }
    }

    /// Measurement and tags without escapes.
    fn plain(&self) -> &str {
        &self.text[..self.end]
    }

    pub(crate) fn wire(&self) -> &str {
        self.parts.as_ref().map_or(self.plain(), |parts| &parts.wire)
    }

    pub(crate) fn measurement(&self) -> &str {
        match &self.parts {
            Some(parts) => &self.text[..usize::from(parts.measurement_end)],
            None => split_plain(self.plain()).0,
        }
    }

    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = match &self.parts {
            Some(_) => None,
            None => Some(split_plain(self.plain()).1),
        };
        let ends = self.parts.as_ref().map(|parts| &*parts.tags).unwrap_or_default();
        let mut ends = ends.iter();
        let mut start = self.measurement().len() + 1;
        std::iter::from_fn(move || {
            if let Some(rest) = &mut rest {
                return rest.next();
            }
            let ends = ends.next()?;
            let (key, value) = (usize::from(ends.key), usize::from(ends.value));
            let tag = (&self.text[start..key], &self.text[key + 1..value]);
            start = value + 1;
            Some(tag)
        })
    }

    /// The key of a field of this point.
    pub(crate) fn field_key(&self, field: &Field) -> &str {
        self.text.get(field.key()).unwrap_or_default()
    }

    /// Keeps the key of a field: where it is.
    pub(crate) fn keep_key(&mut self, key: &str) -> std::ops::Range<usize> {
        self.text.change(|text| {
            let start = text.len();
            text.push_str(key);
            start..text.len()
        })
    }

    /// Adds a tag that the series does not have, and moves the fields' keys, where all names are plain. Nothing changes
    /// where they are not, or where names would be too long.
    pub(crate) fn add_plain_tag(
        &mut self,
        key: &str,
        value: &str,
        fields: &mut Fields,
    ) -> Result<(), NotPlain> {
        if self.parts.is_some() || key == TIME_KEY || !is_plain(key) || !is_plain(value) {
            return Err(NotPlain);
        }
        let added = key.len() + value.len() + 2;
        let longest = fields.iter().map(|field| field.wire_len(self)).max();
        if self.end + added + SEPARATOR_BYTES + longest.unwrap_or_default() > MAX_KEY_BYTES {
            return Ok(());
        }
        let before = self.tags().take_while(|tag| tag.0 < key);
        let place = self.measurement().len()
            + before
                .map(|(key, value)| key.len() + value.len() + 2)
                .sum::<usize>();
        self.text.change(|text| insert_tag(text, place, key, value));
        self.end += added;
        fields.iter_mut().for_each(|field| field.move_key(added));
        Ok(())
    }
}

/// The rules that change names have to look at it.
pub(crate) struct NotPlain;

/// The measurement and the tags of a text of plain names.
pub(crate) fn split_plain(text: &str) -> (&str, impl Iterator<Item = (&str, &str)>) {
    let (measurement, tags) = text.split_once(',').unwrap_or((text, ""));
    let tags = tags.split(',').filter_map(|tag| tag.split_once('='));
    (measurement, tags)
}

pub(crate) fn push_tag(text: &mut String, key: &str, value: &str) {
    text.push(',');
    text.push_str(key);
    text.push('=');
    text.push_str(value);
}

/// Adds a tag at a place of a text.
pub(crate) fn insert_tag(text: &mut String, place: usize, key: &str, value: &str) {
    let behind = text.split_off(place);
    push_tag(text, key, value);
    text.push_str(&behind);
}

/// A text of plain names with its tags sorted, the last of those with the same key alone; and how many went.
pub(crate) fn sorted_plain(text: &str) -> (String, u64) {
    let (measurement, tags) = split_plain(text);
    let mut tags: Vec<(&str, &str)> = tags.collect();
    let given = tags.len();
    sort_and_keep_last(&mut tags, |left, right| left.0.cmp(right.0));
    let mut sorted = String::with_capacity(text.len());
    sorted.push_str(measurement);
    for (key, value) in &tags {
        push_tag(&mut sorted, key, value);
    }
    (sorted, (given - tags.len()) as u64)
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

impl PartialEq for Series {
    /// Whether measurement and tags are the same; the fields' keys are theirs.
    fn eq(&self, other: &Series) -> bool {
        self.plain() == other.plain() && self.parts == other.parts
    }
}
