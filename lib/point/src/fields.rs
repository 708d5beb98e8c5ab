//! The fields of a point.

use std::cmp::Ordering;
use std::ops::{Deref, DerefMut, Range};

use crate::Value;
use crate::builder::sort_and_keep_last;
use crate::name::escaped_len;
use crate::series::Series;

/// A field of a point; its key is in the text of the point's [`Series`].
#[derive(Clone, Debug)]
pub(crate) struct Field {
    start: u32,
    end: u32,
    /// Whether the key needs escapes in line protocol.
    pub(crate) special: bool,
    pub(crate) value: Value,
}

impl Field {
    /// The field of the key that is there in the text. One beyond 4 GiB is too long for every point.
    pub(crate) fn new(key: &Range<usize>, special: bool, value: Value) -> Field {
        Field {
            start: place(key.start),
            end: place(key.end),
            special,
            value,
        }
    }

    /// Where the key is in the text.
    pub(crate) fn key(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The text has so many bytes more before the key.
    pub(crate) fn move_key(&mut self, bytes: usize) {
        self.set_key(self.key().start.saturating_add(bytes));
    }

    /// The text has so many bytes less before the key.
    pub(crate) fn move_key_back(&mut self, bytes: usize) {
        self.set_key(self.key().start.saturating_sub(bytes));
    }

    fn set_key(&mut self, start: usize) {
        let end = start.saturating_add(self.key().len());
        (self.start, self.end) = (place(start), place(end));
    }

    /// The length of the key in line protocol.
    pub(crate) fn wire_len(&self, series: &Series) -> usize {
        let key = series.field_key(self);
        if self.special { escaped_len(key) } else { key.len() }
    }
}

/// A place in a text.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The fields of a point, most of which have one: that takes no allocation.
#[derive(Clone, Debug)]
pub(crate) enum Fields {
    One([Field; 1]),
    Many(Vec<Field>),
}

impl Fields {
    pub(crate) const fn new() -> Fields {
        Fields::Many(Vec::new())
    }

    /// None yet, with room for so many.
    pub(crate) fn with_room(fields: usize) -> Fields {
        match fields {
            0 | 1 => Fields::new(),
            fields => Fields::Many(Vec::with_capacity(fields)),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Field> {
        match self {
            Fields::One(field) => Vec::from(field),
            Fields::Many(fields) => fields,
        }
    }

    pub(crate) fn push(&mut self, field: Field) {
        self.insert(self.len(), field);
    }

    pub(crate) fn insert(&mut self, place: usize, field: Field) {
        if let Fields::Many(fields) = self
            && fields.capacity() > 0
        {
            fields.insert(place, field);
            return;
        }
        *self = match std::mem::replace(self, Fields::new()) {
            Fields::Many(_) => Fields::One([field]),
            Fields::One(first) => {
                let mut fields = Vec::with_capacity(4);
                fields.extend(first);
                fields.insert(place, field);
                Fields::Many(fields)
            }
        };
    }

    /// Sorts by key, and keeps the last of those with the same key.
    pub(crate) fn sort_and_keep_last(&mut self, by_key: impl Fn(&Field, &Field) -> Ordering) {
        if let Fields::Many(fields) = self {
            sort_and_keep_last(fields, by_key);
        }
    }
}

impl Deref for Fields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        match self {
            Fields::One(field) => field,
            Fields::Many(fields) => fields,
        }
    }
}

impl DerefMut for Fields {
    fn deref_mut(&mut self) -> &mut [Field] {
        match self {
            Fields::One(field) => field,
            Fields::Many(fields) => fields,
        }
    }
}
