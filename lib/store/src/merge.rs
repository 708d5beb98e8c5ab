//! Merging: parts of any layouts become parts in which each series' values lie side by side.
//!
//! Most rows have the same few layouts, so names are looked up once for a layout and times are compared once for all
//! series that came with the same layouts; for a sample there is only its copy.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::rc::Rc;

use tidemark_point::FieldType;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::{MAX_ROW_SERIES, Part};
use crate::frame::{Codec, TYPES, type_number};
use crate::layout::{self, Layout};
use crate::part::{Cell, Columns, PartBuilder};

/// Columns of a chunk: bounds what is read for one series, and how many names change with one of them.
const MAX_CHUNK_COLUMNS: usize = 256;
/// Series with fewer times than this come and go: they are kept in chunks of their own, so that the layouts of the
/// others stay the same from one compaction to the next.
const REGULAR_TIMES: usize = 3;

/// What merging makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// Large parts of any series.
    Rows,
    /// Parts of a bounded number of series of one family.
    Chunks,
}

/// Collects grids. Of a series and time, the value that was added last counts.
#[derive(Debug, Default)]
pub(crate) struct Merger<'n> {
    /// Series key and field to the place in `series`.
    by_name: HashMap<(&'n str, &'n str), usize>,
    series: Vec<Series<'n>>,
    /// By source, the grids that were added.
    sources: Vec<Vec<Block>>,
    blocks: usize,
}

/// A series and where its values are.
#[derive(Debug)]
struct Series<'n> {
    family: u8,
    key: &'n str,
    field: &'n str,
    places: Vec<Place>,
}

/// The column of a source.
#[derive(Clone, Copy, Debug)]
struct Place {
    source: usize,
    field_type: FieldType,
    /// Which of the source's columns of that type.
    nth: usize,
}

/// The values of a grid.
#[derive(Debug)]
struct Block {
    /// Which one was added first.
    order: usize,
    times: Vec<i64>,
    values: Columns,
}

impl<'n> Merger<'n> {
    /// Makes a run of a layout's columns known; the grids that have it are added under the number returned.
    pub(crate) fn source(&mut self, layout: &'n Layout, columns: Range<usize>) -> usize {
        let source = self.sources.len();
        self.sources.push(Vec::new());
        let mut counts = [0; TYPES.len()];
        for (key, field, field_type) in layout.columns().take(columns.end).skip(columns.start) {
            let count = &mut counts[usize::from(type_number(field_type))];
            let place = Place {
                source,
                field_type,
                nth: *count,
            };
            *count += 1;
            let at = *self.by_name.entry((key, field)).or_insert(self.series.len());
            if let Some(series) = self.series.get_mut(at) {
                series.places.push(place);
                continue;
            }
            self.series.push(Series {
                family: layout::family(key),
                key,
                field,
                places: vec![place],
            });
        }
        source
    }

    /// Adds a grid with the columns of a source.
    pub(crate) fn add(&mut self, source: usize, times: Vec<i64>, values: Columns) {
        if let Some(blocks) = self.sources.get_mut(source) {
            blocks.push(Block {
                order: self.blocks,
                times,
                values,
            });
            self.blocks += 1;
        }
    }

    /// The parts.
    pub(crate) fn finish(&self, target: Target, codec: &mut Codec) -> io::Result<Vec<Part<'static>>> {
        let histories = self.histories();
        let mut columns = Vec::with_capacity(self.series.len());
        for (series, history) in self.series.iter().zip(&histories) {
            columns_of(series, history, &mut columns);
        }
        let family = |column: &Column<'_>| match target {
            Target::Rows => 0,
            Target::Chunks => column.series.family,
        };
        columns.sort_unstable_by(|a, b| (family(a), a.order()).cmp(&(family(b), b.order())));
        let mut parts = Vec::new();
        let mut rest = columns.into_iter().peekable();
        while let Some(first) = rest.next() {
            let this = family(&first);
            let mut columns = vec![first];
            columns.extend(std::iter::from_fn(|| rest.next_if(|next| family(next) == this)));
            let (max, regular) = match target {
                Target::Rows => (MAX_ROW_SERIES, 0),
                Target::Chunks => (MAX_CHUNK_COLUMNS, REGULAR_TIMES),
            };
            let (regular, passing): (Vec<Grid<'_>>, Vec<Grid<'_>>) = grids(columns, max)
                .into_iter()
                .partition(|grid| grid.times.len() >= regular);
            for grids in [regular, passing] {
                for grids in packed(grids, max) {
                    parts.push(part(&grids, codec)?);
                }
            }
        }
        Ok(parts)
    }

    /// For each series the grids that have it; the same one for all that came with the same sources.
    fn histories(&self) -> Vec<Rc<History<'_>>> {
        let mut known: HashMap<Vec<usize>, Rc<History<'_>>> = HashMap::new();
        let mut histories = Vec::with_capacity(self.series.len());
        let mut sources = Vec::new();
        for series in &self.series {
            sources.clear();
            sources.extend(series.places.iter().map(|place| place.source));
            if let Some(history) = known.get(&sources) {
                histories.push(Rc::clone(history));
                continue;
            }
            let history = Rc::new(History::new(&self.sources, &sources));
            histories.push(Rc::clone(&history));
            known.insert(sources.clone(), history);
        }
        histories
    }
}

/// The grids that some series came in, in the order in which they were added.
#[derive(Debug)]
struct History<'a> {
    /// Each with the number of the series' place in it.
    blocks: Vec<(usize, &'a Block)>,
    times: Times,
    /// Whether the times follow one another, each once.
    in_order: bool,
}

impl<'a> History<'a> {
    fn new(all: &'a [Vec<Block>], sources: &[usize]) -> Self {
        let mut blocks: Vec<(usize, &Block)> = Vec::new();
        for (place, source) in sources.iter().enumerate() {
            blocks.extend(all.get(*source).into_iter().flatten().map(|block| (place, block)));
        }
        if sources.len() > 1 {
            blocks.sort_by_key(|(_, block)| block.order);
        }
        let times: Vec<i64> = blocks
            .iter()
            .flat_map(|(_, block)| &block.times)
            .copied()
            .collect();
        Self {
            blocks,
            in_order: times.is_sorted_by(|a, b| a < b),
            times: Times::new(times),
        }
    }
}

/// Times with their hash, shared by the columns that have them.
#[derive(Clone, Debug)]
struct Times {
    hash: u64,
    times: Rc<[i64]>,
}

impl Times {
    fn new(times: Vec<i64>) -> Self {
        let bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
        Self {
            hash: xxh3_64(&bytes),
            times: times.into(),
        }
    }
}

/// A series' samples of one type, in the order of time, each time once.
#[derive(Debug)]
struct Column<'a> {
    series: &'a Series<'a>,
    field_type: FieldType,
    times: Times,
    values: Values<'a>,
}

/// Where a column's values are.
#[derive(Debug)]
enum Values<'a> {
    /// One after the other in the grids that they came in.
    InOrder(Rc<History<'a>>),
    /// Sorted here.
    Sorted(Vec<Cell<'a>>),
}

impl Column<'_> {
    fn order(&self) -> (&str, &str, u8) {
        (self.series.key, self.series.field, type_number(self.field_type))
    }

    /// Appends the values.
    fn put(&self, values: &mut Columns) {
        match &self.values {
            Values::InOrder(history) => {
                for (place, block) in &history.blocks {
                    if let Some(place) = self.series.places.get(*place) {
                        values.extend(&block.values, self.field_type, place.nth, block.times.len());
                    }
                }
            }
            Values::Sorted(cells) => cells.iter().for_each(|cell| values.push(*cell)),
        }
    }
}

/// The columns of a series, one for each type.
fn columns_of<'a>(series: &'a Series<'a>, history: &Rc<History<'a>>, columns: &mut Vec<Column<'a>>) {
    let types = || series.places.iter().map(|place| place.field_type);
    if let Some(field_type) = types()
        .next()
        .filter(|first| types().all(|other| other == *first))
        && history.in_order
    {
        columns.push(Column {
            series,
            field_type,
            times: history.times.clone(),
            values: Values::InOrder(Rc::clone(history)),
        });
        return;
    }
    let mut samples: Vec<(i64, Cell<'a>)> = Vec::with_capacity(history.times.times.len());
    for (place, block) in &history.blocks {
        let Some(place) = series.places.get(*place) else {
            continue;
        };
        let cells = block.values.cells(place.field_type, place.nth, block.times.len());
        samples.extend(block.times.iter().copied().zip(cells));
    }
    // Stable, so that the last of equal times is the one that was added last.
    samples.sort_by_key(|(time, _)| *time);
    samples.dedup_by(|later, kept| {
        let again = later.0 == kept.0;
        if again {
            *kept = *later;
        }
        again
    });
    for field_type in TYPES {
        let of_type = || samples.iter().filter(|(_, cell)| cell.field_type() == field_type);
        let times: Vec<i64> = of_type().map(|(time, _)| *time).collect();
        if !times.is_empty() {
            columns.push(Column {
                series,
                field_type,
                times: Times::new(times),
                values: Values::Sorted(of_type().map(|(_, cell)| *cell).collect()),
            });
        }
    }
}

/// Columns with the same times.
#[derive(Debug)]
struct Grid<'a> {
    times: Rc<[i64]>,
    columns: Vec<Column<'a>>,
}

/// Puts columns with the same times together, at most `max` of them; their order stays.
fn grids(columns: Vec<Column<'_>>, max: usize) -> Vec<Grid<'_>> {
    let mut grids: Vec<Grid<'_>> = Vec::new();
    // By the hash of its times, the grid that is not full. Of two kinds of times with one hash, one has more grids.
    let mut open: HashMap<u64, usize> = HashMap::new();
    for column in columns {
        let times = &column.times;
        let found = open.get(&times.hash).and_then(|at| grids.get_mut(*at));
        match found.filter(|grid| grid.times == times.times && grid.columns.len() < max) {
            Some(grid) => grid.columns.push(column),
            None => {
                open.insert(times.hash, grids.len());
                grids.push(Grid {
                    times: Rc::clone(&times.times),
                    columns: vec![column],
                });
            }
        }
    }
    grids
}

/// Puts small grids together up to the bound of a part.
fn packed(grids: Vec<Grid<'_>>, max: usize) -> Vec<Vec<Grid<'_>>> {
    let mut parts: Vec<Vec<Grid<'_>>> = Vec::new();
    let mut columns = usize::MAX;
    for grid in grids {
        columns = columns.saturating_add(grid.columns.len());
        match parts.last_mut() {
            Some(part) if columns <= max => part.push(grid),
            _ => {
                columns = grid.columns.len();
                parts.push(vec![grid]);
            }
        }
    }
    parts
}

fn part(grids: &[Grid<'_>], codec: &mut Codec) -> io::Result<Part<'static>> {
    let mut text = Vec::new();
    let columns = grids.iter().flat_map(|grid| &grid.columns);
    layout::put_columns(
        &mut text,
        columns.map(|column| (column.series.key, column.series.field, column.field_type)),
    );
    let hash = layout::hash(&text);
    let mut builder = PartBuilder::new(hash, grids.len());
    let (mut first, mut last, mut samples) = (i64::MAX, i64::MIN, 0);
    for grid in grids {
        let mut values = Columns::default();
        for column in &grid.columns {
            column.put(&mut values);
        }
        builder.grid(codec, grid.columns.len(), &grid.times, &values)?;
        first = grid.times.iter().copied().fold(first, i64::min);
        last = grid.times.iter().copied().fold(last, i64::max);
        samples += values.len() as u64;
    }
    Ok(Part {
        hash,
        text: Cow::Owned(text),
        first,
        last,
        samples,
        data: builder.finish(),
    })
}
