//! Samples as they are kept.

use tidemark_point::Timestamp;

use crate::Family;

/// Samples that were published together; nothing in it changes.
#[derive(Debug)]
pub(crate) struct Group {
    /// The labels of all sets.
    pub(crate) text: Box<[u8]>,
    pub(crate) sets: Box<[Set]>,
    pub(crate) rows: Box<[Row]>,
    pub(crate) columns: Box<[Column]>,
}

/// Where a set of labels is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// It stands alone: some label of the source's has another value in it.
    pub(crate) whole: bool,
}

/// What the values of a row share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) set: u32,
    pub(crate) time: Timestamp,
}

/// The values of a family, each with its row.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) family: Family,
    pub(crate) rows: Box<[u32]>,
    pub(crate) values: Box<[f64]>,
}

/// A sample as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// Its own labels.
    pub(crate) labels: &'a [u8],
    /// Whether the source's labels are not to be added.
    pub(crate) whole: bool,
    pub(crate) time: Timestamp,
    pub(crate) value: f64,
}

impl Group {
    /// The families in it, by column.
    pub(crate) fn families(&self) -> impl Iterator<Item = &Family> {
        self.columns.iter().map(|column| &column.family)
    }

    /// How many samples a column has.
    pub(crate) fn len(&self, column: usize) -> usize {
        self.columns.get(column).map_or(0, |column| column.values.len())
    }

    /// Whether some samples do not have the source's own labels.
    pub(crate) fn overrides(&self) -> bool {
        self.sets.iter().any(|set| set.whole)
    }

    /// The samples of a column, from one on.
    pub(crate) fn samples(&self, column: usize, from: usize) -> impl Iterator<Item = Shown<'_>> {
        let column = self.columns.get(column).into_iter();
        let pairs = column.flat_map(move |column| column.rows.iter().zip(&column.values).skip(from));
        pairs.filter_map(|(row, value)| {
            let row = self.rows.get(*row as usize)?;
            let set = self.sets.get(row.set as usize)?;
            Some(Shown {
                labels: self.text.get(set.start as usize..set.end as usize)?,
                whole: set.whole,
                time: row.time,
                value: *value,
            })
        })
    }
}
