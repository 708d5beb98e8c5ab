//! An upload, as an entry of Launchpad's `getPackageUploads` tells of it.
//!
//! An entry has some thirty keys. Of it are kept its address, when it came, and what it holds; what of these is not as it
//! should be is said, and the rest counts.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::found::Found;

/// The longest address that is kept, in bytes: twice what they are.
const MAX_LINK: usize = 150;

/// An entry of the list: an upload, or what is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// An upload.
    Upload(Upload),
    /// What is there instead of an object.
    Other(String),
}

/// An upload that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// Its address, where it has one that is not too long: listed twice, it is one.
    pub self_link: Option<String>,
    /// When it came, or what is wrong with that.
    pub created: Told<DateTime<Utc>>,
    /// Whether it holds sources.
    pub source: Told<bool>,
    /// Whether it holds binaries.
    pub build: Told<bool>,
    /// Whether it is a copy from another archive.
    pub copy: Told<bool>,
}

/// A value, or what is wrong with it, in words.
pub type Told<T> = Result<T, Cow<'static, str>>;

impl Default for Upload {
    fn default() -> Self {
        Self {
            self_link: None,
            created: Err("it has no date_created".into()),
            source: Err("it has no contains_source".into()),
            build: Err("it has no contains_build".into()),
            copy: Err("it has no contains_copy".into()),
        }
    }
}

fn time(found: &Found<'_>) -> Told<DateTime<Utc>> {
    let time = match found {
        Found::Text(text) => DateTime::parse_from_rfc3339(text).ok(),
        _ => None,
    };
    match time {
        Some(time) => Ok(time.to_utc()),
        None => Err(format!("its date_created is {found}, not a time as RFC 3339 has it").into()),
    }
}

fn flag(key: &str, found: &Found<'_>) -> Told<bool> {
    match found {
        Found::Bool(value) => Ok(*value),
        other => Err(format!("its {key} is {other}, not true or false").into()),
    }
}

/// The entries of a list in JSON.
///
/// # Errors
/// Where it is no JSON, or no list.
pub fn read(json: &str) -> Result<Vec<Entry>, serde_json::Error> {
    serde_json::from_str(json)
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl EntryVisitor {
    fn other<E>(found: &Found<'_>) -> Result<Entry, E> {
        Ok(Entry::Other(found.to_string()))
    }
}

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an upload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entry: A) -> Result<Entry, A::Error> {
        let mut upload = Upload::default();
        while let Some(key) = entry.next_key::<Key>()? {
            match key {
                Key::SelfLink => {
                    if let Found::Text(link) = entry.next_value()?
                        && link.len() <= MAX_LINK
                    {
                        upload.self_link = Some(link.into_owned());
                    }
                }
                Key::DateCreated => upload.created = time(&entry.next_value()?),
                Key::ContainsSource => upload.source = flag("contains_source", &entry.next_value()?),
                Key::ContainsBuild => upload.build = flag("contains_build", &entry.next_value()?),
                Key::ContainsCopy => upload.copy = flag("contains_copy", &entry.next_value()?),
                Key::Other => {
                    entry.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Entry::Upload(upload))
    }

    fn visit_unit<E: Error>(self) -> Result<Entry, E> {
        Self::other(&Found::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Entry, E> {
        Self::other(&Found::Bool(value))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Entry, E> {
        Self::other(&Found::Number)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Entry, E> {
        Self::other(&Found::Number)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Entry, E> {
        Self::other(&Found::Number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
        Self::other(&Found::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Self::other(&Found::List)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    SelfLink,
    DateCreated,
    ContainsSource,
    ContainsBuild,
    ContainsCopy,
    #[serde(other)]
    Other,
}
