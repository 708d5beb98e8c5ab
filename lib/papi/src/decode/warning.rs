//! What of an answer was left out or changed, counted.

use std::fmt;

/// The longest name of a place that is kept, in bytes.
const NAME: usize = 120;

/// Why something of an answer was left out, or what was changed in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// A null where a value should be.
    Null,
    /// `true` or `false`: nothing that a number is expected of.
    Bool,
    /// A text that stands alone, or where a number should be.
    Text,
    /// A list without elements.
    EmptyList,
    /// A list in a list.
    NestedList,
    /// A number that no float holds (1e400, NaN), or an integer that is none or too large.
    OutOfRange,
    /// A map without a number.
    NoNumber,
    /// Lists and maps in each other, deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// More fields and tags of one point than [`MAX_WIDTH`](super::MAX_WIDTH).
    TooWide,
    /// More of all points than [`MAX_PARTS`](super::MAX_PARTS).
    TooMany,
    /// A member with an empty name.
    NoName,
    /// A text in a value that is called as one of the point's own tags: `cluster`, `devid`, `node` or `degraded`.
    OwnTag,
    /// Something else where a statistic or an item should be.
    NoItem,
    /// A statistic without a key.
    NoKey,
    /// A `devid` or `node` that is no whole number.
    BadNode,
    /// An `error_code` that is no whole number.
    BadErrorCode,
    /// A value of another type than it has in a summary.
    WrongType,
    /// Points that no sink could store.
    Refused,
    /// Without a time that can be: the time of the answer was taken. Nothing is left out.
    NoTime,
    /// Bytes of an answer that are no UTF-8 were replaced. Nothing is left out.
    Encoding,
    /// Errors beside statistics.
    Errors,
}

/// All of them, as they are told.
const ALL: [(Warning, &str); 21] = [
    (Warning::Null, "null"),
    (Warning::Bool, "true or false"),
    (Warning::Text, "a text in place of a number"),
    (Warning::EmptyList, "an empty list"),
    (Warning::NestedList, "a list in a list"),
    (Warning::OutOfRange, "a number out of range"),
    (Warning::NoNumber, "a map without numbers"),
    (Warning::TooDeep, "nested too deeply"),
    (Warning::TooWide, "too many fields and tags for a point"),
    (Warning::TooMany, "too many values for an answer"),
    (Warning::NoName, "a member without a name"),
    (Warning::OwnTag, "a text named as the point's own tag"),
    (Warning::NoItem, "no object in a list of objects"),
    (Warning::NoKey, "a statistic without a key"),
    (Warning::BadNode, "a node that is no number"),
    (Warning::BadErrorCode, "an error code that is no number"),
    (Warning::WrongType, "another type than it should have"),
    (Warning::Refused, "a point that cannot be stored"),
    (Warning::NoTime, "without a time, the answer's taken"),
    (Warning::Encoding, "no UTF-8, replaced"),
    (Warning::Errors, "errors beside statistics"),
];

/// Counts of [`Warning`]s, each with the name of where it was met first.
///
/// ```
/// use tidemark_papi::decode::{Warning, Warnings};
///
/// let mut warnings = Warnings::default();
/// warnings.add(Warning::Null, "node.load.1min");
/// warnings.add(Warning::Null, "node.load.5min");
/// warnings.add(Warning::Bool, "cluster.health");
/// assert_eq!(warnings.to_string(), "2 of null (first node.load.1min), 1 of true or false (first cluster.health)");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Warnings {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    warning: Warning,
    count: u64,
    first: Box<str>,
}

impl Warnings {
    /// One more of it, at a key or name.
    #[cold]
    pub fn add(&mut self, warning: Warning, place: &str) {
        self.add_many(warning, 1, place);
    }

    fn add_many(&mut self, warning: Warning, count: u64, place: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.warning == warning) {
            entry.count += count;
            return;
        }
        let first = &place[..place.floor_char_boundary(NAME)];
        self.entries.push(Entry {
            warning,
            count,
            first: first.replace(char::is_control, " ").into(),
        });
    }

    /// Adds those of another answer.
    pub fn merge(&mut self, other: &Warnings) {
        for entry in &other.entries {
            self.add_many(entry.warning, entry.count, &entry.first);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are of one kind.
    pub fn count(&self, warning: Warning) -> u64 {
        self.entries
            .iter()
            .find(|entry| entry.warning == warning)
            .map_or(0, |entry| entry.count)
    }

    /// How many there are of all kinds.
    pub fn total(&self) -> u64 {
        self.entries.iter().map(|entry| entry.count).sum()
    }

    /// Each kind that was met, its count, and where it was met first.
    pub fn iter(&self) -> impl Iterator<Item = (Warning, u64, &str)> {
        self.entries
            .iter()
            .map(|entry| (entry.warning, entry.count, &*entry.first))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = ALL.iter().find(|one| one.0 == *self);
        f.pad(told.map_or("", |one| one.1))
    }
}

impl fmt::Display for Warnings {
    /// One line for a notice; empty where there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for Entry {
            warning,
            count,
            first,
        } in &self.entries
        {
            write!(f, "{separator}{count} of {warning}")?;
            if !first.is_empty() {
                write!(f, " (first {first})")?;
            }
            separator = ", ";
        }
        Ok(())
    }
}
