//! Batches: points sorted into groups of one time, which become a row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::mem;
use std::sync::Arc;

use tidemark_point::line::{self, LineError};
use tidemark_point::{FieldType, Point, Timestamp};

use crate::frame::Codec;
use crate::layout::{self, Layout};
use crate::merge::{Merger, Target};
use crate::names::{Memory, Names};
use crate::part::{Cell, Columns, PartBuilder};

/// A row with so many series is closed; the batch goes on in the next.
pub(crate) const MAX_ROW_SERIES: usize = 8192;
/// A batch with more groups than this, such as one of events that each have their own time, is merged: its series'
/// values are put side by side.
const MAX_GROUPS: usize = 8;

/// A row or chunk that is ready to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    /// The layout's hash and text.
    pub(crate) hash: u128,
    pub(crate) text: Cow<'a, [u8]>,
    /// The first and the last time.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) samples: u64,
    pub(crate) data: Vec<u8>,
}

/// Series with a value at one time, at most as many as a row has.
#[derive(Debug)]
struct Group {
    time: i64,
    /// The layout's text, where it is not among the remembered ones.
    text: Vec<u8>,
    names: Option<Arc<Names>>,
    columns: Columns,
}

impl Group {
    /// Whether a point of this time may be added.
    fn fits(&self, time: i64) -> bool {
        self.time == time && self.columns.len() < MAX_ROW_SERIES
    }

    fn text(&self) -> &[u8] {
        self.names.as_ref().map_or(&self.text, |names| &names.text)
    }
}

/// A row of one group or more: a grid of one time for each.
fn row<'a>(groups: &'a [Group], codec: &mut Codec) -> io::Result<Part<'a>> {
    let text = match groups {
        [group] => Cow::Borrowed(group.text()),
        groups => groups.iter().flat_map(Group::text).copied().collect(),
    };
    let hash = match groups {
        [
            Group {
                names: Some(names), ..
            },
        ] => names.hash,
        _ => layout::hash(&text),
    };
    let mut builder = PartBuilder::new(hash, groups.len());
    let (mut first, mut last, mut samples) = (i64::MAX, i64::MIN, 0);
    codec.hasty = true;
    let packed = groups.iter().try_for_each(|group| {
        first = first.min(group.time);
        last = last.max(group.time);
        samples += group.columns.len() as u64;
        builder.grid(codec, group.columns.len(), &[group.time], &group.columns)
    });
    codec.hasty = false;
    packed?;
    Ok(Part {
        hash,
        text,
        first,
        last,
        samples,
        data: builder.finish(),
    })
}

/// Points on their way into the store.
#[derive(Debug)]
pub(crate) struct Batch {
    groups: Vec<Group>,
    /// The group of the newest point, which is mostly the next one's too.
    current: usize,
    /// The group of each time that goes on.
    by_time: HashMap<i64, usize>,
    points: u64,
}

impl Batch {
    fn new() -> Self {
        Self {
            groups: Vec::new(),
            current: 0,
            by_time: HashMap::new(),
            points: 0,
        }
    }

    /// Takes the points in their order: of two with the same series and time the later one wins.
    pub(crate) fn of_points<'a>(points: impl IntoIterator<Item = &'a Point>) -> Self {
        let mut batch = Self::new();
        for point in points {
            let fields = point
                .fields()
                .map(|(field, value)| (field, value.field_type(), value.into()));
            batch.add(point.series_key(), point.time(), fields);
        }
        batch
    }

    /// Reads line protocol; a line without a time has `now`. Names are compared with those of batches before.
    pub(crate) fn of_text(text: &[u8], now: Timestamp, memory: &mut Memory) -> Result<Self, LineError> {
        let mut batch = Self::new();
        let mut recalled: Option<Arc<Names>> = None;
        // Of a batch of one group: the points that have the recalled names, and the names where they differ.
        let mut same = 0;
        let mut names = Names::default();
        for point in line::read(text) {
            let point = point?;
            let time = point.time().unwrap_or(now);
            if batch.points == 0 {
                recalled = memory.recall(&point);
            }
            if batch.is_one_group(time.nanos()) {
                let group = batch.group(time.nanos());
                for (_, value) in point.fields() {
                    group.columns.push(value.into());
                }
                batch.points += 1;
                match &recalled {
                    Some(recalled) if recalled.has(same, &point) => same += 1,
                    _ => {
                        if let Some(recalled) = recalled.take() {
                            names = recalled.first(same);
                        }
                        names.push(&point);
                    }
                }
                continue;
            }
            if let Some(recalled) = recalled.take() {
                names = recalled.first(same);
            }
            if let Some(first) = batch.groups.first_mut().filter(|first| first.text.is_empty()) {
                first.text = mem::take(&mut names.text);
            }
            let fields = point.fields().iter().map(|(field, value)| {
                let cell = Cell::from(value);
                (&**field, cell.field_type(), cell)
            });
            batch.add(&point.series_key(), time, fields);
        }
        if let [group] = batch.groups.as_mut_slice() {
            group.names = Some(match recalled {
                Some(recalled) if recalled.len() == same => recalled,
                Some(recalled) => memory.keep(recalled.first(same)),
                None => memory.keep(names),
            });
        }
        Ok(batch)
    }

    /// Whether a point of this time goes into the first group, and all before it did.
    fn is_one_group(&self, time: i64) -> bool {
        match self.groups.as_slice() {
            [] => true,
            [group] => group.fits(time),
            _ => false,
        }
    }

    fn add<'a>(
        &mut self,
        series_key: &str,
        time: Timestamp,
        fields: impl Iterator<Item = (&'a str, FieldType, Cell<'a>)>,
    ) {
        self.points += 1;
        let group = self.group(time.nanos());
        layout::put_key(&mut group.text, series_key);
        for (field, field_type, cell) in fields {
            layout::put_field(&mut group.text, field_type, field);
            group.columns.push(cell);
        }
        layout::end_fields(&mut group.text);
    }

    /// The group that the next point belongs to.
    fn group(&mut self, time: i64) -> &mut Group {
        let fits = |group: &Group| group.fits(time);
        if !self.groups.get(self.current).is_some_and(fits) {
            let known = self.by_time.get(&time).copied();
            self.current = known
                .filter(|at| self.groups.get(*at).is_some_and(fits))
                .unwrap_or_else(|| {
                    self.groups.push(Group {
                        time,
                        text: Vec::new(),
                        names: None,
                        columns: Columns::default(),
                    });
                    self.by_time.insert(time, self.groups.len() - 1);
                    self.groups.len() - 1
                });
        }
        &mut self.groups[self.current]
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
    pub(crate) fn rows(&self, codec: &mut Codec) -> io::Result<Vec<Part<'_>>> {
        if self.groups.len() > MAX_GROUPS {
            return self.merged(codec);
        }
        let mut rows = Vec::new();
        let mut rest = self.groups.as_slice();
        while !rest.is_empty() {
            let mut columns = 0;
            let fit = rest.iter().take_while(|group| {
                columns += group.columns.len();
                columns <= MAX_ROW_SERIES
            });
            // One point may have more fields than a row has series.
            let (groups, after) = rest.split_at(fit.count().max(1));
            rows.push(row(groups, codec)?);
            rest = after;
        }
        Ok(rows)
    }

    /// The rows again, after it came out that a layout is new: a batch with a series twice, which no layout may
    /// have, is merged.
    pub(crate) fn rows_without_duplicates(&self, codec: &mut Codec) -> io::Result<Vec<Part<'_>>> {
        let rows = self.rows(codec)?;
        let is_twice =
            |row: &Part<'_>| Layout::read(row.text.to_vec()).is_ok_and(|layout| layout.has_duplicates());
        if rows.iter().any(is_twice) {
            self.merged(codec)
        } else {
            Ok(rows)
        }
    }

    fn merged(&self, codec: &mut Codec) -> io::Result<Vec<Part<'static>>> {
        // The texts were made here, so they read back.
        let layouts: Vec<(&Group, Layout)> = self
            .groups
            .iter()
            .filter_map(|group| Some((group, Layout::read(group.text().to_vec()).ok()?)))
            .collect();
        let mut merger = Merger::default();
        for (group, layout) in &layouts {
            let source = merger.source(layout, 0..layout.len());
            merger.add(source, vec![group.time], group.columns.clone());
        }
        merger.finish(Target::Rows, codec)
    }
}
