//! Reading a document of the service: names in names in names, and something at the end of each way.
//!
//! It is read as it comes and nothing of it is kept but what a [`Tree`] takes: parameters and logs are skipped. A part
//! that is not of this shape is a fault that names it, and the rest is read on. What is no JSON, or no object, or holds
//! more than the bounds, fails as a whole. Time and memory are linear in its length.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::{Deserialize, de};
use tidemark_collect::Measurement;
use tidemark_ubuntu::{Found, Remarks};

use crate::way::Way;

/// The most names in one object: more than Ubuntu has packages.
const MAX_NAMES: usize = 100_000;
/// The longest name that becomes a tag, in bytes.
const MAX_TAG: usize = 200;

/// What is kept of a document.
pub(crate) trait Tree: Default {
    /// What it says, a thing each.
    type Measurement: Measurement;
    /// What the document is about, as people call it.
    const WHAT: &'static str;
    /// What the names are, from the outermost in.
    const LEVELS: &'static [&'static str];
    /// What is due at the end of each way.
    const LEAF: &'static str;

    /// Takes what is at the end of these names, as many as there are levels.
    fn take(&mut self, names: &[Cow<'_, str>], found: &Unexpected<'_>) -> Result<(), Refused>;

    /// Whether it says nothing.
    fn is_empty(&self) -> bool;

    /// A measurement of each thing that it says of this instance.
    fn measurements(self, instance: &'static str) -> impl Iterator<Item = Self::Measurement>;
}

/// Why the end of a way is not taken.
#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    /// It is something else than what is due.
    Leaf,
    /// The name at this level cannot be a tag.
    Name(usize),
    /// There are more of these than so many.
    TooMany(&'static str, usize),
}

/// The names at these levels as tags, which have at least one byte and at most [`MAX_TAG`].
pub(crate) fn tags<'n, const N: usize>(
    names: &'n [Cow<'_, str>],
    levels: [usize; N],
) -> Result<[&'n str; N], Refused> {
    let mut tags = [""; N];
    for (tag, level) in tags.iter_mut().zip(levels) {
        *tag = names.get(level).map_or("", |name| name);
        if tag.is_empty() || tag.len() > MAX_TAG {
            return Err(Refused::Name(level));
        }
    }
    Ok(tags)
}

/// A document that was read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Document<T> {
    pub(crate) tree: T,
    /// What is left out, and why.
    pub(crate) faults: Remarks,
    /// What is odd, and leaves out nothing.
    pub(crate) notices: Remarks,
}

impl<'de, T: Tree> Deserialize<'de> for Document<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut document = Self::default();
        let mut names = Vec::with_capacity(T::LEVELS.len());
        deserializer.deserialize_map(Node {
            document: &mut document,
            names: &mut names,
        })?;
        Ok(document)
    }
}

/// One value on the way: an object whose names lead on, or what is at the end.
struct Node<'w, 'de, T> {
    document: &'w mut Document<T>,
    /// The names that lead here.
    names: &'w mut Vec<Cow<'de, str>>,
}

impl<T: Tree> Node<'_, '_, T> {
    /// Takes what is found here, where it may be.
    fn found<E: Error>(self, found: &Unexpected<'_>) -> Result<(), E> {
        if self.names.is_empty() {
            return Err(E::invalid_type(*found, &self));
        }
        let (names, faults) = (&*self.names, &mut self.document.faults);
        let due = if names.len() < T::LEVELS.len() {
            "an object"
        } else {
            match self.document.tree.take(names, found) {
                Ok(()) => return Ok(()),
                Err(Refused::Leaf) => T::LEAF,
                Err(Refused::Name(level)) => {
                    let level = T::LEVELS.get(level).unwrap_or(&"name");
                    faults.add(|| {
                        format!(
                            "{}: the {level} has no name, or one of more than {MAX_TAG} bytes",
                            Way(names)
                        )
                    });
                    return Ok(());
                }
                Err(Refused::TooMany(what, most)) => {
                    return Err(E::custom(format_args!(
                        "more than {most} {what}, the most that are read"
                    )));
                }
            }
        };
        faults.add(|| format!("{} is {}, not {due}", Way(names), Found(found)));
        Ok(())
    }
}

impl<'de, T: Tree> DeserializeSeed<'de> for Node<'_, 'de, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Tree> Visitor<'de> for Node<'_, 'de, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an object with a name for each {}",
            T::LEVELS.first().unwrap_or(&"part")
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.names.len() == T::LEVELS.len() {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return self.found(&Unexpected::Map);
        }
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if seen.contains(&name) {
                map.next_value::<IgnoredAny>()?;
                self.names.push(name);
                let way = Way(self.names).to_string();
                self.document
                    .notices
                    .add(|| format!("{way} is there twice: the first counts"));
                self.names.pop();
                continue;
            }
            if seen.len() == MAX_NAMES {
                return Err(A::Error::custom(format_args!(
                    "one object has more than {MAX_NAMES} names, the most that are read"
                )));
            }
            seen.insert(name.clone());
            self.names.push(name);
            map.next_value_seed(Node {
                document: self.document,
                names: self.names,
            })?;
            self.names.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.found(&Unexpected::Seq)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.found(&Unexpected::Unsigned(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.found(&Unexpected::Signed(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.found(&Unexpected::Float(number))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.found(&Unexpected::Bool(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.found(&Unexpected::Str(text))
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.found(&Unexpected::Unit)
    }
}

/// A name, borrowed where it is written without escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
