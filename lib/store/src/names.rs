//! Names that are remembered: a collector sends the same series in the same order each time, so the names of a batch
//! are mostly compared with those of one before, and their layout's text is neither written nor hashed again.

use std::sync::Arc;

use tidemark_point::line::BorrowedPoint;

use crate::bytes::Reader;
use crate::frame::type_number;
use crate::layout::{self, END_OF_FIELDS};
use crate::part::Cell;

/// Sequences that are remembered: one for each collector that writes by the same handle, within reason.
const MAX_REMEMBERED: usize = 8;

/// The names of a row of one time, in the order of its points.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The layout's text, and its hash.
    pub(crate) text: Vec<u8>,
    pub(crate) hash: u128,
    /// The series keys as they stood in the lines, one after the other.
    raw: Vec<u8>,
    points: Vec<Ends>,
}

/// Where a point's names end.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    raw: usize,
    /// Of the series key in the layout's text, and of the fields after it.
    key: usize,
    text: usize,
}

impl Names {
    /// Appends a point's names.
    pub(crate) fn push(&mut self, point: &BorrowedPoint<'_>) {
        self.raw.extend_from_slice(point.raw_series_key().as_bytes());
        layout::put_key(&mut self.text, &point.series_key());
        let key = self.text.len();
        for (field, value) in point.fields() {
            layout::put_field(&mut self.text, Cell::from(value).field_type(), field);
        }
        layout::end_fields(&mut self.text);
        self.points.push(Ends {
            raw: self.raw.len(),
            key,
            text: self.text.len(),
        });
    }

    /// How many points have names here.
    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether the names of the point `nth` are these.
    pub(crate) fn has(&self, nth: usize, point: &BorrowedPoint<'_>) -> bool {
        let Some(ends) = self.points.get(nth) else {
            return false;
        };
        let begin = nth.checked_sub(1).map_or(0, |before| self.points[before].raw);
        if self.raw.get(begin..ends.raw) != Some(point.raw_series_key().as_bytes()) {
            return false;
        }
        let mut names = Reader::new(self.text.get(ends.key..ends.text).unwrap_or_default());
        point.fields().iter().all(|(field, value)| {
            names.byte() == Ok(type_number(Cell::from(value).field_type()))
                && names.slice() == Ok(field.as_bytes())
        }) && names.rest() == [END_OF_FIELDS]
    }

    /// The names of the first point.
    fn head(&self) -> Option<(&[u8], &[u8])> {
        let ends = self.points.first()?;
        Some((self.raw.get(..ends.raw)?, self.text.get(..ends.text)?))
    }

    /// The names of the first `points` points.
    pub(crate) fn first(&self, points: usize) -> Self {
        let ends = points.checked_sub(1).and_then(|last| self.points.get(last));
        let ends = ends.copied().unwrap_or_default();
        Self {
            text: self.text[..ends.text].to_vec(),
            hash: 0,
            raw: self.raw[..ends.raw].to_vec(),
            points: self.points[..points].to_vec(),
        }
    }
}

/// What is remembered, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    known: Vec<Arc<Names>>,
}

impl Memory {
    /// The names that a batch with this first point probably has.
    pub(crate) fn recall(&self, first: &BorrowedPoint<'_>) -> Option<Arc<Names>> {
        self.known.iter().find(|names| names.has(0, first)).cloned()
    }

    /// Remembers names in the place of those with the same first point.
    pub(crate) fn keep(&mut self, mut names: Names) -> Arc<Names> {
        names.hash = layout::hash(&names.text);
        self.known.retain(|known| known.head() != names.head());
        if self.known.len() == MAX_REMEMBERED {
            self.known.remove(0);
        }
        let names = Arc::new(names);
        self.known.push(Arc::clone(&names));
        names
    }
}
