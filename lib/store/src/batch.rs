//! Batches: points sorted into groups of one family and one time, each of which becomes a row.

use std::collections::HashMap;
use std::io;

use tidemark_point::line::{self, BorrowedValue, LineError};
use tidemark_point::{FieldType, Point, Timestamp};

use crate::frame::Codec;
use crate::layout::{self, FAMILIES, Layout};
use crate::merge::Merger;
use crate::part::{Cell, Columns, PartBuilder};

/// A group with so many series is closed; the next one goes on with the same family and time.
const MAX_GROUP_SERIES: usize = 8192;
/// A family with more groups than this in one batch, such as one of events that each have their own time, is
/// merged into few rows.
const MAX_GROUPS: usize = 8;

/// A row or chunk that is ready to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) family: u8,
    /// The layout's hash and text.
    pub(crate) hash: u128,
    pub(crate) text: Vec<u8>,
    /// The first and the last time.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) samples: u64,
    pub(crate) data: Vec<u8>,
}

/// The series of one family with a value at one time.
#[derive(Debug)]
pub(crate) struct Group {
    family: u8,
    time: i64,
    text: Vec<u8>,
    columns: Columns,
}

impl Group {
    /// The row: one grid of one time.
    fn to_part(&self, codec: &mut Codec) -> io::Result<Part> {
        let hash = layout::hash(&self.text);
        let mut builder = PartBuilder::new(hash, 1);
        codec.hasty = true;
        let packed = builder.grid(codec, self.columns.len(), &[self.time], &self.columns);
        codec.hasty = false;
        packed?;
        Ok(Part {
            family: self.family,
            hash,
            text: self.text.clone(),
            first: self.time,
            last: self.time,
            samples: self.columns.len() as u64,
            data: builder.finish(),
        })
    }

    /// Hands the values to a merger, in order.
    fn merge_into(&self, merger: &mut Merger) {
        // The text was made here, so it reads back.
        let Ok(layout) = Layout::read(self.text.clone()) else {
            return;
        };
        let slots = merger.slots(&layout);
        let mut words = self.columns.words.each_ref().map(|words| words.iter());
        let mut strings = self.columns.strings.iter();
        for (slot, field_type) in slots.iter().zip(layout.types()) {
            let [floats, ints, uints, bools] = &mut words;
            let word = match field_type {
                FieldType::Float => floats.next(),
                FieldType::Int => ints.next(),
                FieldType::Uint => uints.next(),
                FieldType::Bool => bools.next(),
                FieldType::String => {
                    if let Some(string) = strings.next() {
                        merger.push(*slot, self.time, Cell::String(string));
                    }
                    None
                }
            };
            if let Some(word) = word {
                merger.push(*slot, self.time, Cell::Word(field_type, *word));
            }
        }
    }
}

/// Points on their way into the store.
#[derive(Debug)]
pub(crate) struct Batch {
    groups: Vec<Group>,
    /// By family: the group of the newest point, which is mostly the next one's too.
    current: [Option<usize>; FAMILIES as usize],
    by_time: HashMap<(u8, i64), usize>,
    points: u64,
}

impl Batch {
    fn new() -> Self {
        Self {
            groups: Vec::new(),
            current: [None; FAMILIES as usize],
            by_time: HashMap::new(),
            points: 0,
        }
    }

    /// Takes the points in their order: of two with the same series and time the later one wins.
    pub(crate) fn of_points<'a>(points: impl IntoIterator<Item = &'a Point>) -> Self {
        let mut batch = Self::new();
        for point in points {
            let group = batch.group(point.series_key(), point.time());
            layout::put_key(&mut group.text, point.series_key());
            for (field, value) in point.fields() {
                layout::put_field(&mut group.text, value.field_type(), field);
                group.columns.push(value.into());
            }
            layout::end_fields(&mut group.text);
        }
        batch
    }

    /// Reads line protocol; a line without a time has `now`.
    pub(crate) fn of_text(text: &[u8], now: Timestamp) -> Result<Self, LineError> {
        let mut batch = Self::new();
        for point in line::read(text) {
            let point = point?;
            let key = point.series_key();
            let group = batch.group(&key, point.time().unwrap_or(now));
            layout::put_key(&mut group.text, &key);
            for (field, value) in point.fields() {
                let cell = match value {
                    BorrowedValue::Float(float) => Cell::Word(FieldType::Float, float.to_bits()),
                    BorrowedValue::Int(int) => Cell::Word(FieldType::Int, int.cast_unsigned()),
                    BorrowedValue::Uint(uint) => Cell::Word(FieldType::Uint, *uint),
                    BorrowedValue::Bool(bool) => Cell::Word(FieldType::Bool, u64::from(*bool)),
                    BorrowedValue::String(string) => Cell::String(string),
                };
                let field_type = match cell {
                    Cell::Word(field_type, _) => field_type,
                    Cell::String(_) => FieldType::String,
                };
                layout::put_field(&mut group.text, field_type, field);
                group.columns.push(cell);
            }
            layout::end_fields(&mut group.text);
        }
        Ok(batch)
    }

    /// The group that the next point belongs to.
    fn group(&mut self, series_key: &str, time: Timestamp) -> &mut Group {
        self.points += 1;
        let family = layout::family(series_key);
        let time = time.nanos();
        let fits = |group: &Group| group.time == time && group.columns.len() < MAX_GROUP_SERIES;
        let current = self.current[usize::from(family)].filter(|at| fits(&self.groups[*at]));
        let at = current
            .or_else(|| {
                self.by_time
                    .get(&(family, time))
                    .copied()
                    .filter(|at| fits(&self.groups[*at]))
            })
            .unwrap_or_else(|| {
                self.groups.push(Group {
                    family,
                    time,
                    text: Vec::new(),
                    columns: Columns::default(),
                });
                self.by_time.insert((family, time), self.groups.len() - 1);
                self.groups.len() - 1
            });
        self.current[usize::from(family)] = Some(at);
        &mut self.groups[at]
    }

    /// How many points there are.
    pub(crate) fn points(&self) -> u64 {
        self.points
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> u64 {
        self.groups.iter().map(|group| group.columns.len() as u64).sum()
    }

    /// The rows to store, in order.
    pub(crate) fn rows(&self, codec: &mut Codec) -> io::Result<Vec<Part>> {
        let mut counts = [0_usize; FAMILIES as usize];
        for group in &self.groups {
            counts[usize::from(group.family)] += 1;
        }
        let is_merged = |family: u8| counts[usize::from(family)] > MAX_GROUPS;
        let mut rows = Vec::with_capacity(self.groups.len().min(FAMILIES.into()));
        for group in self.groups.iter().filter(|group| !is_merged(group.family)) {
            rows.push(group.to_part(codec)?);
        }
        for family in (0..FAMILIES).filter(|family| is_merged(*family)) {
            rows.extend(self.merged(family, codec)?);
        }
        Ok(rows)
    }

    /// The rows again, after it came out that a layout is new: groups with a series twice, which no layout may
    /// have, are merged.
    pub(crate) fn rows_without_duplicates(&self, codec: &mut Codec) -> io::Result<Vec<Part>> {
        let mut rows = self.rows(codec)?;
        let mut merged = Vec::new();
        for row in &rows {
            let duplicates = Layout::read(row.text.clone()).is_ok_and(|layout| layout.has_duplicates());
            if duplicates && !merged.contains(&row.family) {
                merged.push(row.family);
            }
        }
        rows.retain(|row| !merged.contains(&row.family));
        for family in merged {
            rows.extend(self.merged(family, codec)?);
        }
        Ok(rows)
    }

    fn merged(&self, family: u8, codec: &mut Codec) -> io::Result<Vec<Part>> {
        let mut merger = Merger::default();
        for group in self.groups.iter().filter(|group| group.family == family) {
            group.merge_into(&mut merger);
        }
        merger.finish(family, codec)
    }
}
