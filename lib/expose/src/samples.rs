//! Samples on their way into the registry, laid out by family.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use tidemark_point::{Timestamp, prometheus_label};

use crate::Family;
use crate::group::{self, Group, Row};
use crate::limits::{MAX_LABEL_BYTES, MAX_SAMPLES};
use crate::text::push_label;

/// The labels that all samples of a source have.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SourceLabels {
    /// Name and value, in the order in which they were given, no name twice.
    labels: Vec<(Box<str>, Box<str>)>,
    /// The same as it stands between the braces.
    pub(crate) text: Box<[u8]>,
}

impl SourceLabels {
    /// Of labels with one name the first counts; one without a value is as good as none.
    pub(crate) fn new(given: &[(&str, &str)]) -> SourceLabels {
        let mut labels: Vec<(Box<str>, Box<str>)> = Vec::new();
        let mut text = Vec::new();
        for (name, value) in given {
            let name = prometheus_label(name);
            if !value.is_empty() && labels.iter().all(|(known, _)| **known != *name) {
                push_label(&mut text, 0, &name, value);
                labels.push((name.as_ref().into(), (*value).into()));
            }
        }
        SourceLabels {
            labels,
            text: text.into(),
        }
    }
}

impl SourceLabels {
    /// Whether they are called the same, in the same order.
    pub(crate) fn has_names_of(&self, other: &SourceLabels) -> bool {
        let names = self.labels.iter().map(|(name, _)| name);
        names.eq(other.labels.iter().map(|(name, _)| name))
    }
}

/// What did not become a sample, or not as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Omitted {
    /// Labels that became one with another of the same sample, once both were made valid: the first was kept.
    pub label_clashes: usize,
    /// Samples whose series came again: the last was kept.
    pub repeated: usize,
    /// Samples beyond the bounds (8 Mi samples or 64 MiB of labels in one set).
    pub too_many: usize,
    /// Values that are NaN or infinite.
    pub not_finite: usize,
}

impl Omitted {
    /// Whether everything is there as it was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Omitted::default()
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Omitted) {
        self.label_clashes += other.label_clashes;
        self.repeated += other.repeated;
        self.too_many += other.too_many;
        self.not_finite += other.not_finite;
    }
}

impl fmt::Display for Omitted {
    /// One line for a notice; empty where nothing was omitted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (count, what) in [
            (self.label_clashes, "labels left out: another has the same name"),
            (
                self.repeated,
                "samples left out: a later one has the same name and labels",
            ),
            (self.too_many, "samples left out: too many at once"),
            (self.not_finite, "samples left out: no finite number"),
        ] {
            if count > 0 {
                write!(f, "{separator}{count} {what}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// A set of samples that takes the place of the one before it, see [`Source::publish`](crate::Source::publish).
///
/// Rows and their values come in turn: [`row`](Self::row) says labels and time, and each [`value`](Self::value) after it
/// is a sample of that row.
#[derive(Debug)]
pub struct Samples {
    source: Arc<SourceLabels>,
    text: Vec<u8>,
    sets: Vec<Set>,
    rows: Vec<Row>,
    columns: Vec<Column>,
    count: usize,
    omitted: Omitted,
    /// The first set of labels with this hash.
    known: HashMap<u64, u32>,
    keys: RandomState,
    /// Whether the last row's labels were met before.
    again: bool,
    /// Whether the last row counts; not where it is beyond the bounds.
    open: bool,
    /// Where each column has each set of labels; made once a set comes again.
    places: HashMap<(usize, u32), usize>,
    places_known: bool,
    /// Where the last value went: values come in the same order in each row.
    last_column: usize,
}

/// One set of labels.
#[derive(Clone, Copy, Debug)]
struct Set {
    start: u32,
    end: u32,
    /// It stands alone: some label of the source's has another value here.
    whole: bool,
    /// The next set with the same hash.
    next: Option<u32>,
}

/// The values of a family, each with its row.
#[derive(Debug)]
struct Column {
    family: Family,
    rows: Vec<u32>,
    values: Vec<f64>,
}

impl Samples {
    pub(crate) fn new(source: Arc<SourceLabels>) -> Samples {
        Samples {
            source,
            text: Vec::new(),
            sets: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            count: 0,
            omitted: Omitted::default(),
            known: HashMap::new(),
            keys: RandomState::new(),
            again: false,
            open: false,
            places: HashMap::new(),
            places_known: false,
            last_column: 0,
        }
    }

    /// Begins a row: its labels beside those of the source, and when its values were measured.
    ///
    /// Names that Prometheus does not take are changed as [`prometheus_label`] says. A label that the source has too
    /// counts instead of that one; one without a value is as good as none, and left out.
    pub fn row<'a>(&mut self, labels: impl IntoIterator<Item = (&'a str, &'a str)>, time: Timestamp) {
        self.last_column = 0;
        let mut own: Vec<(Cow<'a, str>, &'a str)> = labels
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (prometheus_label(name), value))
            .collect();
        if !own.is_sorted_by(|(a, _), (b, _)| a < b) {
            own.sort_by(|(a, _), (b, _)| a.cmp(b));
            let before = own.len();
            own.dedup_by(|later, first| later.0 == first.0);
            self.omitted.label_clashes += before - own.len();
        }
        let start = self.text.len();
        let has = |name: &str| own.iter().any(|(own, _)| own == name);
        let whole = self
            .source
            .labels
            .iter()
            .any(|(name, value)| own.iter().any(|(own, its)| *own == **name && **its != **value));
        for (name, value) in &self.source.labels {
            if whole && !has(name) {
                push_label(&mut self.text, start, name, value);
            }
        }
        for (name, value) in &own {
            let is_the_source_s = |(known, _): &(Box<str>, Box<str>)| **known == **name;
            if whole || !self.source.labels.iter().any(is_the_source_s) {
                push_label(&mut self.text, start, name, value);
            }
        }
        let set = self.set(start, whole);
        self.open = set.is_some();
        if let Some(set) = set {
            self.rows.push(Row { set, time });
        }
    }

    /// A sample of the last row.
    pub fn value(&mut self, family: &Family, value: f64) {
        if !value.is_finite() {
            self.omitted.not_finite += 1;
            return;
        }
        let place = self.rows.len().checked_sub(1).filter(|_| self.open);
        let Some(row) = place.and_then(|place| u32::try_from(place).ok()) else {
            self.omitted.too_many += 1;
            return;
        };
        let column = self.column(family);
        if let Some(own) = self.columns.get_mut(column)
            && own.rows.last() == Some(&row)
            && let Some(last) = own.values.last_mut()
        {
            *last = value;
            self.omitted.repeated += 1;
            return;
        }
        if (self.again || self.places_known) && self.replace(column, row, value) {
            return;
        }
        if self.count >= MAX_SAMPLES {
            self.omitted.too_many += 1;
            return;
        }
        self.count += 1;
        if let Some(column) = self.columns.get_mut(column) {
            column.rows.push(row);
            column.values.push(value);
        }
    }

    /// A sample of the last row that is not even handed over, as there are too many.
    pub fn leave_out(&mut self) {
        self.omitted.too_many += 1;
    }

    /// What was not taken so far.
    #[must_use]
    pub fn omitted(&self) -> Omitted {
        self.omitted
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The set of the labels that stand at the end of the text: a known one, or a new one. `None` beyond the bounds.
    fn set(&mut self, start: usize, whole: bool) -> Option<u32> {
        let (before, labels) = self.text.split_at(start);
        let hash = self.keys.hash_one((labels, whole));
        let first = self.known.get(&hash).copied();
        let mut next = first;
        while let Some(at) = next {
            let set = self.sets.get(at as usize)?;
            let known = before.get(set.start as usize..set.end as usize);
            if known == Some(labels) && set.whole == whole {
                self.text.truncate(start);
                self.again = true;
                return Some(at);
            }
            next = set.next;
        }
        self.again = false;
        let places = (
            u32::try_from(start),
            u32::try_from(self.text.len()),
            u32::try_from(self.sets.len()),
        );
        let (Ok(start_at), Ok(end), Ok(at)) = places else {
            self.text.truncate(start);
            return None;
        };
        if self.text.len() > MAX_LABEL_BYTES || self.rows.len() >= MAX_SAMPLES {
            self.text.truncate(start);
            return None;
        }
        self.sets.push(Set {
            start: start_at,
            end,
            whole,
            next: first,
        });
        self.known.insert(hash, at);
        Some(at)
    }

    fn column(&mut self, family: &Family) -> usize {
        let is_it = |column: &Column| column.family.is(family);
        let guess = self.last_column;
        let found = if self.columns.get(guess).is_some_and(is_it) {
            guess
        } else if let Some(known) = self.columns.iter().position(is_it) {
            known
        } else {
            self.columns.push(Column {
                family: family.clone(),
                rows: Vec::new(),
                values: Vec::new(),
            });
            self.columns.len() - 1
        };
        self.last_column = found + 1;
        found
    }

    /// Puts a value in the place of an earlier one of the same series, where there is one.
    fn replace(&mut self, column: usize, row: u32, value: f64) -> bool {
        if !self.places_known {
            self.places_known = true;
            for (index, column) in self.columns.iter().enumerate() {
                for (at, row) in column.rows.iter().enumerate() {
                    if let Some(row) = self.rows.get(*row as usize) {
                        self.places.insert((index, row.set), at);
                    }
                }
            }
        }
        let Some(set) = self.rows.get(row as usize).map(|row| row.set) else {
            return false;
        };
        let Some(own) = self.columns.get_mut(column) else {
            return false;
        };
        match self.places.get(&(column, set)) {
            Some(&at) => {
                if let (Some(its_row), Some(its_value)) = (own.rows.get_mut(at), own.values.get_mut(at)) {
                    *its_row = row;
                    *its_value = value;
                }
                self.omitted.repeated += 1;
                true
            }
            None => {
                self.places.insert((column, set), own.rows.len());
                false
            }
        }
    }

    pub(crate) fn finish(self) -> Group {
        let columns = self.columns.into_iter().map(|column| group::Column {
            family: column.family,
            rows: column.rows.into(),
            values: column.values.into(),
        });
        let sets = self.sets.iter().map(|set| group::Set {
            start: set.start,
            end: set.end,
            whole: set.whole,
        });
        Group {
            text: self.text.into(),
            sets: sets.collect(),
            rows: self.rows.into(),
            columns: columns.collect(),
        }
    }
}
