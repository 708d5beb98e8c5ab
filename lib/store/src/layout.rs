//! Layouts: ordered lists of columns, stored once and shared by all rows and chunks that have them.

use std::collections::HashSet;
use std::ops::Range;

use tidemark_point::{FieldType, line};
use xxhash_rust::xxh3;

use crate::SeriesName;
use crate::bytes::{Malformed, Reader, put_slice};
use crate::frame::{TYPES, type_number};

/// Measurements are spread over this many families by a hash of their names; a series stays in its family.
pub(crate) const FAMILIES: u8 = 16;
/// Stands for a family where a layout has series of more than one.
pub(crate) const MANY_FAMILIES: u8 = 255;

/// The family of a measurement, given the start of a series key: the measurement as line protocol escapes it.
pub(crate) fn family(series_key: &str) -> u8 {
    let measurement = &series_key.as_bytes()[..measurement_len(series_key)];
    xxh3::xxh3_64(measurement).to_le_bytes()[0] % FAMILIES
}

/// Bytes before the first comma that no backslash precedes.
fn measurement_len(series_key: &str) -> usize {
    let bytes = series_key.as_bytes();
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b',' if !escaped => return at,
            _ => escaped = byte == b'\\',
        }
    }
    bytes.len()
}

/// Stands where a type would, after a point's last field.
pub(crate) const END_OF_FIELDS: u8 = 0xff;

/// Begins the columns of one point in a layout's text.
pub(crate) fn put_key(text: &mut Vec<u8>, series_key: &str) {
    put_slice(text, series_key.as_bytes());
}

/// Appends a column of the point.
pub(crate) fn put_field(text: &mut Vec<u8>, field_type: FieldType, field: &str) {
    text.push(type_number(field_type));
    put_slice(text, field.as_bytes());
}

/// Ends the columns of the point.
pub(crate) fn end_fields(text: &mut Vec<u8>) {
    text.push(END_OF_FIELDS);
}

/// Appends whole points' worth of columns; columns of one series key must be side by side.
pub(crate) fn put_columns<'a>(
    text: &mut Vec<u8>,
    columns: impl IntoIterator<Item = (&'a str, &'a str, FieldType)>,
) {
    let mut open: Option<&str> = None;
    for (key, field, field_type) in columns {
        if open != Some(key) {
            if open.is_some() {
                end_fields(text);
            }
            put_key(text, key);
            open = Some(key);
        }
        put_field(text, field_type, field);
    }
    if open.is_some() {
        end_fields(text);
    }
}

/// The hash that names a layout: of its whole text.
pub(crate) fn hash(text: &[u8]) -> u128 {
    xxh3::xxh3_128(text)
}

/// A layout, read.
#[derive(Debug)]
pub(crate) struct Layout {
    hash: u128,
    text: Vec<u8>,
    columns: Vec<Column>,
    types: Vec<FieldType>,
}

/// One series with one type: where its names are in the layout's text.
#[derive(Clone, Debug)]
struct Column {
    key: Range<usize>,
    field: Range<usize>,
}

impl Layout {
    /// Reads a layout's text. All names are checked to be UTF-8.
    pub(crate) fn read(text: Vec<u8>) -> Result<Self, Malformed> {
        let (mut columns, mut types) = (Vec::new(), Vec::new());
        let mut reader = Reader::new(&text);
        let range = |reader: &mut Reader<'_>| {
            let name = reader.text()?;
            let end = text.len() - reader.rest().len();
            Ok::<_, Malformed>(end - name.len()..end)
        };
        while !reader.is_empty() {
            let key = range(&mut reader)?;
            loop {
                let number = reader.byte()?;
                if number == END_OF_FIELDS {
                    break;
                }
                let field_type = *TYPES
                    .get(usize::from(number))
                    .ok_or(Malformed("a type is unknown"))?;
                let field = range(&mut reader)?;
                columns.push(Column {
                    key: key.clone(),
                    field,
                });
                types.push(field_type);
            }
        }
        Ok(Self {
            hash: hash(&text),
            text,
            columns,
            types,
        })
    }

    pub(crate) fn hash(&self) -> u128 {
        self.hash
    }

    /// The family of all its series, or [`MANY_FAMILIES`].
    pub(crate) fn family(&self) -> u8 {
        let mut keys = self.columns.iter().map(|column| self.name(&column.key));
        let first = keys.next().map_or(MANY_FAMILIES, family);
        if keys.all(|key| family(key) == first) {
            first
        } else {
            MANY_FAMILIES
        }
    }

    /// How many columns there are.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The type of each column, in order.
    pub(crate) fn types(&self) -> &[FieldType] {
        &self.types
    }

    /// Series key, field and type of each column, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, &str, FieldType)> {
        self.columns
            .iter()
            .zip(&self.types)
            .map(|(column, field_type)| (self.name(&column.key), self.name(&column.field), *field_type))
    }

    /// Whether a series is in it twice.
    pub(crate) fn has_duplicates(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.len());
        !self.columns().all(|(key, field, _)| seen.insert((key, field)))
    }

    fn name(&self, range: &Range<usize>) -> &str {
        // Both were UTF-8 when they were read.
        self.text
            .get(range.clone())
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

/// The names of a series from its key and field; `None` where the key is not one.
pub(crate) fn series_name(series_key: &str, field: &str) -> Option<SeriesName> {
    let line = format!("{series_key} x=0i");
    let point = line::parse_line(&line).ok()?;
    Some(SeriesName {
        measurement: point.measurement().into_owned(),
        tags: point
            .tags()
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect(),
        field: field.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_reads_back_in_order() {
        let mut text = Vec::new();
        let columns = [
            ("system,host=a", "load1", FieldType::Float),
            ("system,host=a", "a b", FieldType::String),
            ("cpu", "idle", FieldType::Uint),
        ];
        put_columns(&mut text, columns);
        let layout = Layout::read(text.clone()).unwrap();
        assert_eq!(layout.hash(), hash(&text));
        assert_eq!(layout.columns().collect::<Vec<_>>(), columns);
        assert_eq!(layout.len(), 3);
    }

    #[test]
    fn broken_layouts_are_errors() {
        for text in [
            &[5_u8, b'a'][..],
            &[1, b'a', 9, 1, b'b', 0xff],
            &[1, 0xff, 0xff],
            &[1, b'a', 0, 1, b'b'],
        ] {
            assert!(Layout::read(text.to_vec()).is_err(), "{text:?}");
        }
        assert_eq!(Layout::read(Vec::new()).unwrap().len(), 0);
    }

    #[test]
    fn the_family_is_the_measurements() {
        assert_eq!(family("cpu"), family("cpu,host=a"));
        assert_eq!(family(r"a\,b"), family(r"a\,b,host=a"));
        assert_eq!(measurement_len(r"a\,b,host=a"), 4);
        let families: std::collections::BTreeSet<u8> = (0..500).map(|n| family(&format!("m{n}"))).collect();
        assert_eq!(families.len(), usize::from(FAMILIES));
    }
}
