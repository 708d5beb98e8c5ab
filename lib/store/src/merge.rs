//! Merging: rows of any layouts become parts in which each series' values lie side by side.

use std::collections::HashMap;
use std::io;
use std::mem;

use tidemark_point::FieldType;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::Part;
use crate::bytes::put_slice;
use crate::frame::{Codec, type_number};
use crate::layout::{self, Layout};
use crate::part::{Cell, Columns, PartBuilder};

/// Columns of a part: bounds what is read for one series, and how many names change with one of them.
const MAX_COLUMNS: usize = 256;
/// Series with fewer times than this come and go: they are kept in parts of their own, so that the layouts of the
/// others stay the same from one compaction to the next.
const REGULAR_TIMES: usize = 3;

/// Collects samples by series. What is pushed later wins.
#[derive(Debug, Default)]
pub(crate) struct Merger {
    /// Length-prefixed series key, then the field, to the place in `series`.
    by_name: HashMap<Vec<u8>, usize>,
    series: Vec<Series>,
    name: Vec<u8>,
}

/// The samples of one series in the order in which they came.
#[derive(Debug)]
struct Series {
    key: String,
    field: String,
    times: Vec<i64>,
    types: Vec<FieldType>,
    /// Words, or places in `strings`.
    words: Vec<u64>,
    strings: Vec<Box<str>>,
}

impl Merger {
    /// For each column of a layout, where its samples go.
    pub(crate) fn slots(&mut self, layout: &Layout) -> Vec<usize> {
        layout
            .columns()
            .map(|(key, field, _)| self.slot(key, field))
            .collect()
    }

    fn slot(&mut self, key: &str, field: &str) -> usize {
        self.name.clear();
        put_slice(&mut self.name, key.as_bytes());
        self.name.extend_from_slice(field.as_bytes());
        if let Some(slot) = self.by_name.get(&self.name) {
            return *slot;
        }
        self.by_name.insert(self.name.clone(), self.series.len());
        self.series.push(Series {
            key: key.to_owned(),
            field: field.to_owned(),
            times: Vec::new(),
            types: Vec::new(),
            words: Vec::new(),
            strings: Vec::new(),
        });
        self.series.len() - 1
    }

    /// Adds a sample.
    pub(crate) fn push(&mut self, slot: usize, time: i64, cell: Cell<'_>) {
        let Some(series) = self.series.get_mut(slot) else {
            return;
        };
        series.times.push(time);
        match cell {
            Cell::Word(field_type, word) => {
                series.types.push(field_type);
                series.words.push(word);
            }
            Cell::String(string) => {
                series.types.push(FieldType::String);
                series.words.push(series.strings.len() as u64);
                series.strings.push(string.into());
            }
        }
    }

    /// The parts.
    pub(crate) fn finish(self, family: u8, codec: &mut Codec) -> io::Result<Vec<Part>> {
        let mut columns: Vec<Column> = self.series.into_iter().flat_map(Series::into_columns).collect();
        columns.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        let grids = grids(columns);
        let (regular, passing): (Vec<Grid>, Vec<Grid>) = grids
            .into_iter()
            .partition(|grid| grid.times.len() >= REGULAR_TIMES);
        let mut parts = Vec::new();
        for grids in [regular, passing] {
            for grids in packed(grids) {
                parts.push(part(family, &grids, codec)?);
            }
        }
        Ok(parts)
    }
}

impl Series {
    /// One column for each type: of one time there is one value, the last that was pushed.
    fn into_columns(mut self) -> Vec<Column> {
        if !self.times.is_sorted_by(|a, b| a < b) {
            let mut order: Vec<usize> = (0..self.times.len()).collect();
            order.sort_by_key(|&at| self.times[at]);
            let is_last = |nth: usize| {
                order
                    .get(nth + 1)
                    .is_none_or(|&next| self.times[next] != self.times[order[nth]])
            };
            let order: Vec<usize> = (0..order.len())
                .filter(|&nth| is_last(nth))
                .map(|nth| order[nth])
                .collect();
            self.times = order.iter().map(|&at| self.times[at]).collect();
            self.types = order.iter().map(|&at| self.types[at]).collect();
            self.words = order.iter().map(|&at| self.words[at]).collect();
        }
        let mut types = self.types.clone();
        types.sort_unstable();
        types.dedup();
        let mut columns = Vec::with_capacity(types.len());
        for field_type in types {
            let mut column = Column {
                key: self.key.clone(),
                field: self.field.clone(),
                field_type,
                times: Vec::new(),
                words: Vec::new(),
                strings: Vec::new(),
            };
            for ((&time, &word), _) in self
                .times
                .iter()
                .zip(&self.words)
                .zip(&self.types)
                .filter(|(_, of)| **of == field_type)
            {
                column.times.push(time);
                if field_type != FieldType::String {
                    column.words.push(word);
                } else if let Some(string) =
                    usize::try_from(word).ok().and_then(|at| self.strings.get_mut(at))
                {
                    column.strings.push(mem::take(string));
                }
            }
            columns.push(column);
        }
        columns
    }
}

/// A series' samples of one type, in the order of time, each time once.
#[derive(Debug)]
struct Column {
    key: String,
    field: String,
    field_type: FieldType,
    times: Vec<i64>,
    words: Vec<u64>,
    strings: Vec<Box<str>>,
}

impl Column {
    fn order(&self) -> (&str, &str, u8) {
        (&self.key, &self.field, type_number(self.field_type))
    }
}

/// Columns with the same times.
#[derive(Debug)]
struct Grid {
    times: Vec<i64>,
    columns: Vec<Column>,
}

/// Puts columns with the same times together; their order stays.
fn grids(columns: Vec<Column>) -> Vec<Grid> {
    let mut grids: Vec<Grid> = Vec::new();
    let mut by_times: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut bytes = Vec::new();
    for mut column in columns {
        bytes.clear();
        bytes.extend(column.times.iter().flat_map(|time| time.to_le_bytes()));
        let candidates = by_times.entry(xxh3_64(&bytes)).or_default();
        let found = candidates.iter().copied().find(|&at| {
            grids
                .get(at)
                .is_some_and(|grid| grid.times == column.times && grid.columns.len() < MAX_COLUMNS)
        });
        if let Some(grid) = found.and_then(|at| grids.get_mut(at)) {
            column.times = Vec::new();
            grid.columns.push(column);
        } else {
            // A full grid of the same times is behind the new one.
            candidates.insert(0, grids.len());
            candidates.truncate(4);
            grids.push(Grid {
                times: mem::take(&mut column.times),
                columns: vec![column],
            });
        }
    }
    grids
}

/// Puts small grids together up to the bound of a part.
fn packed(grids: Vec<Grid>) -> Vec<Vec<Grid>> {
    let mut parts: Vec<Vec<Grid>> = Vec::new();
    let mut columns = usize::MAX;
    for grid in grids {
        columns = columns.saturating_add(grid.columns.len());
        match parts.last_mut() {
            Some(part) if columns <= MAX_COLUMNS => part.push(grid),
            _ => {
                columns = grid.columns.len();
                parts.push(vec![grid]);
            }
        }
    }
    parts
}

fn part(family: u8, grids: &[Grid], codec: &mut Codec) -> io::Result<Part> {
    let mut text = Vec::new();
    let columns = grids.iter().flat_map(|grid| &grid.columns);
    layout::put_columns(
        &mut text,
        columns.map(|column| (column.key.as_str(), column.field.as_str(), column.field_type)),
    );
    let hash = layout::hash(&text);
    let mut builder = PartBuilder::new(hash, grids.len());
    let (mut first, mut last, mut samples) = (i64::MAX, i64::MIN, 0);
    for grid in grids {
        let mut values = Columns::default();
        for column in &grid.columns {
            if column.field_type == FieldType::String {
                values.strings.extend_from_slice(&column.strings);
            } else {
                values.words[usize::from(type_number(column.field_type))].extend_from_slice(&column.words);
            }
        }
        builder.grid(codec, grid.columns.len(), &grid.times, &values)?;
        first = grid.times.iter().copied().fold(first, i64::min);
        last = grid.times.iter().copied().fold(last, i64::max);
        samples += values.len() as u64;
    }
    Ok(Part {
        family,
        hash,
        text,
        first,
        last,
        samples,
        data: builder.finish(),
    })
}
