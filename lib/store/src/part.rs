//! Parts: the blob of a row or a chunk. A part is a list of grids; a grid is a run of the layout's columns that all
//! have a value at each of the grid's times.

use std::io;
use std::ops::Range;

use tidemark_point::line::BorrowedValue;
use tidemark_point::{FieldType, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::bytes::{Malformed, Reader, put_len};
use crate::frame::{Codec, Packed, TYPES, columns_per_frame, put_times, read_times, type_number};
use crate::layout::Layout;

/// Bytes of the checksum at the start of a part.
const CHECKSUM_LEN: usize = 8;

/// The values of a grid: by type, the columns in the layout's order, each with a value for each time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// Floats by their bits, ints, uints, bools as 0 and 1.
    pub(crate) words: [Vec<u64>; 4],
    pub(crate) strings: Vec<Box<str>>,
}

impl Columns {
    pub(crate) fn push(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Word(FieldType::Int, word) => self.words[1].push(word),
            Cell::Word(FieldType::Uint, word) => self.words[2].push(word),
            Cell::Word(FieldType::Bool, word) => self.words[3].push(word),
            Cell::Word(_, word) => self.words[0].push(word),
            Cell::String(string) => self.strings.push(string.into()),
        }
    }

    /// Appends the column `nth` of a type, of `times` values each, of others.
    pub(crate) fn extend(&mut self, from: &Self, field_type: FieldType, nth: usize, times: usize) {
        let range = nth * times..(nth + 1) * times;
        let number = usize::from(type_number(field_type));
        match (self.words.get_mut(number), from.words.get(number)) {
            // Mostly, and quicker than a copy.
            (Some(words), Some(from)) if times == 1 => words.extend(from.get(nth)),
            (Some(words), Some(from)) => words.extend_from_slice(from.get(range).unwrap_or_default()),
            _ => self
                .strings
                .extend_from_slice(from.strings.get(range).unwrap_or_default()),
        }
    }

    /// The values of the column `nth` of a type, of `times` values each.
    pub(crate) fn cells(
        &self,
        field_type: FieldType,
        nth: usize,
        times: usize,
    ) -> impl Iterator<Item = Cell<'_>> {
        let words = self.words.get(usize::from(type_number(field_type)));
        (nth * times..(nth + 1) * times).filter_map(move |at| match words {
            Some(words) => words.get(at).map(|word| Cell::Word(field_type, *word)),
            None => self.strings.get(at).map(|string| Cell::String(string)),
        })
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.words.iter().map(Vec::len).sum::<usize>() + self.strings.len()
    }
}

/// One value, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Word(FieldType, u64),
    String(&'a str),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Float(float) => Self::Word(FieldType::Float, float.to_bits()),
            Value::Int(int) => Self::Word(FieldType::Int, int.cast_unsigned()),
            Value::Uint(uint) => Self::Word(FieldType::Uint, *uint),
            Value::Bool(bool) => Self::Word(FieldType::Bool, u64::from(*bool)),
            Value::String(string) => Self::String(string),
        }
    }
}

impl<'a> From<&'a BorrowedValue<'_>> for Cell<'a> {
    fn from(value: &'a BorrowedValue<'_>) -> Self {
        match value {
            BorrowedValue::Float(float) => Self::Word(FieldType::Float, float.to_bits()),
            BorrowedValue::Int(int) => Self::Word(FieldType::Int, int.cast_unsigned()),
            BorrowedValue::Uint(uint) => Self::Word(FieldType::Uint, *uint),
            BorrowedValue::Bool(bool) => Self::Word(FieldType::Bool, u64::from(*bool)),
            BorrowedValue::String(string) => Self::String(string),
        }
    }
}

impl Cell<'_> {
    pub(crate) fn field_type(self) -> FieldType {
        match self {
            Self::Word(field_type, _) => field_type,
            Self::String(_) => FieldType::String,
        }
    }

    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Word(FieldType::Int, word) => Value::Int(word.cast_signed()),
            Self::Word(FieldType::Uint, word) => Value::Uint(word),
            Self::Word(FieldType::Bool, word) => Value::Bool(word != 0),
            Self::Word(_, word) => Value::Float(f64::from_bits(word)),
            Self::String(string) => Value::String(string.into()),
        }
    }
}

/// Builds a part, grid by grid.
#[derive(Debug)]
pub(crate) struct PartBuilder {
    data: Vec<u8>,
    layout_hash: u128,
}

impl PartBuilder {
    /// A part of so many grids, for the layout with this hash.
    pub(crate) fn new(layout_hash: u128, grids: usize) -> Self {
        let mut data = vec![0; CHECKSUM_LEN];
        put_len(&mut data, grids);
        Self { data, layout_hash }
    }

    /// Appends the grid of the layout's next `columns` columns.
    pub(crate) fn grid(
        &mut self,
        codec: &mut Codec,
        columns: usize,
        times: &[i64],
        values: &Columns,
    ) -> io::Result<()> {
        put_len(&mut self.data, columns);
        put_len(&mut self.data, times.len());
        put_times(&mut self.data, times);
        for (words, field_type) in values.words.iter().zip(TYPES) {
            for frame in words.chunks(columns_per_frame(field_type, times.len()) * times.len().max(1)) {
                codec.put_words(&mut self.data, field_type, frame, times.len())?;
            }
        }
        let per_frame = columns_per_frame(FieldType::String, times.len()) * times.len().max(1);
        for frame in values.strings.chunks(per_frame) {
            codec.put_strings(&mut self.data, frame, times.len())?;
        }
        Ok(())
    }

    /// The part, with its checksum.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let sum = checksum(
            self.data.get(CHECKSUM_LEN..).unwrap_or_default(),
            self.layout_hash,
        );
        if let Some(head) = self.data.first_chunk_mut::<CHECKSUM_LEN>() {
            *head = sum.to_le_bytes();
        }
        self.data
    }
}

/// Seeded with the layout's hash, so that a part read with another layout does not pass.
fn checksum(body: &[u8], layout_hash: u128) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = layout_hash.to_le_bytes();
    xxh3_64_with_seed(body, u64::from_le_bytes([a, b, c, d, e, f, g, h]))
}

/// What of a part is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// For each column of the layout, whether it is wanted.
    pub(crate) columns: &'a [bool],
    /// The first time that is wanted.
    pub(crate) from: i64,
    /// The first time after it that is not.
    pub(crate) to: i64,
}

impl<'a> Wanted<'a> {
    /// These columns at all times.
    pub(crate) fn always(columns: &'a [bool]) -> Self {
        Self {
            columns,
            from: i64::MIN,
            to: i64::MAX,
        }
    }
}

/// A grid that was read.
#[derive(Debug)]
pub(crate) struct Grid {
    /// Its columns in the layout.
    pub(crate) columns: Range<usize>,
    pub(crate) times: Vec<i64>,
    pub(crate) values: Columns,
}

/// Room that decoding needs, kept from one part to the next.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pub(crate) codec: Codec,
    words: Vec<u64>,
    strings: Vec<Box<str>>,
}

impl Decoder {
    /// Calls `visit` with column, time and value of all that is wanted of a part: a column's times in order.
    /// Frames without a wanted column are not decompressed.
    pub(crate) fn visit(
        &mut self,
        data: &[u8],
        layout: &Layout,
        wanted: Wanted<'_>,
        mut visit: impl FnMut(usize, i64, Cell<'_>),
    ) -> Result<(), Malformed> {
        let is_wanted = |at: usize| wanted.columns.get(at).copied().unwrap_or(false);
        let mut part = PartReader::new(data, layout)?;
        while let Some((columns, times)) = part.grid()? {
            let skip = times.partition_point(|time| *time < wanted.from);
            let until = times.partition_point(|time| *time < wanted.to);
            for field_type in TYPES {
                let of_type = of_type(layout, &columns, field_type);
                for frame in of_type.chunks(columns_per_frame(field_type, times.len())) {
                    let packed = Packed::read(&mut part.reader)?;
                    if skip >= until || !frame.iter().any(|&at| is_wanted(at)) {
                        continue;
                    }
                    self.words.clear();
                    self.strings.clear();
                    if field_type == FieldType::String {
                        self.codec
                            .strings(packed, frame.len(), times.len(), &mut self.strings)?;
                    } else {
                        self.codec
                            .words(packed, field_type, frame.len(), times.len(), &mut self.words)?;
                    }
                    for (nth, &column) in frame.iter().enumerate().filter(|(_, at)| is_wanted(**at)) {
                        let start = nth * times.len();
                        for (at, &time) in times.iter().enumerate().take(until).skip(skip) {
                            let cell = if field_type == FieldType::String {
                                Cell::String(&self.strings[start + at])
                            } else {
                                Cell::Word(field_type, self.words[start + at])
                            };
                            visit(column, time, cell);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The grids of a part, whole.
    pub(crate) fn grids(&mut self, data: &[u8], layout: &Layout) -> Result<Vec<Grid>, Malformed> {
        let mut grids = Vec::new();
        let mut part = PartReader::new(data, layout)?;
        while let Some((columns, times)) = part.grid()? {
            let mut counts = [0_usize; TYPES.len()];
            for field_type in layout.types().iter().take(columns.end).skip(columns.start) {
                counts[usize::from(type_number(*field_type))] += 1;
            }
            let mut values = Columns::default();
            let count = times.len();
            for (mut left, field_type) in counts.into_iter().zip(TYPES) {
                while left > 0 {
                    let columns = left.min(columns_per_frame(field_type, count));
                    let packed = Packed::read(&mut part.reader)?;
                    match values.words.get_mut(usize::from(type_number(field_type))) {
                        Some(words) => self.codec.words(packed, field_type, columns, count, words)?,
                        None => self.codec.strings(packed, columns, count, &mut values.strings)?,
                    }
                    left -= columns;
                }
            }
            grids.push(Grid {
                columns,
                times,
                values,
            });
        }
        Ok(grids)
    }
}

/// The columns of a type among some of a layout.
fn of_type(layout: &Layout, columns: &Range<usize>, field_type: FieldType) -> Vec<usize> {
    let types = layout.types().iter().enumerate();
    types
        .take(columns.end)
        .skip(columns.start)
        .filter_map(|(at, of)| (*of == field_type).then_some(at))
        .collect()
}

/// The columns of a grid, and its times.
type GridHead = (Range<usize>, Vec<i64>);

/// Walks through the grids of a part.
struct PartReader<'a> {
    reader: Reader<'a>,
    grids: usize,
    /// Columns of the layout, and how many of them have been read.
    columns: usize,
    first: usize,
}

impl<'a> PartReader<'a> {
    /// Checks the checksum.
    fn new(data: &'a [u8], layout: &Layout) -> Result<Self, Malformed> {
        let (sum, body) = data
            .split_first_chunk::<CHECKSUM_LEN>()
            .ok_or(Malformed("it is too short"))?;
        if u64::from_le_bytes(*sum) != checksum(body, layout.hash()) {
            return Err(Malformed("its checksum does not match"));
        }
        let mut reader = Reader::new(body);
        Ok(Self {
            grids: reader.len()?,
            reader,
            columns: layout.len(),
            first: 0,
        })
    }

    /// The columns and times of the next grid, whose frames are read by the caller; `None` after the last.
    fn grid(&mut self) -> Result<Option<GridHead>, Malformed> {
        let Some(grids) = self.grids.checked_sub(1) else {
            return if self.first == self.columns && self.reader.is_empty() {
                Ok(None)
            } else {
                Err(Malformed("it does not match its layout"))
            };
        };
        self.grids = grids;
        let end = self.first.checked_add(self.reader.len()?);
        let end = end
            .filter(|end| *end <= self.columns)
            .ok_or(Malformed("it has more columns than its layout"))?;
        let count = self.reader.len()?;
        let times = read_times(&mut self.reader, count)?;
        let columns = self.first..end;
        self.first = end;
        Ok(Some((columns, times)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::put_columns;

    fn layout() -> Layout {
        let mut text = Vec::new();
        let fields = [
            ("s", FieldType::String),
            ("f", FieldType::Float),
            ("u", FieldType::Uint),
            ("b", FieldType::Bool),
            ("i", FieldType::Int),
            ("g", FieldType::Float),
        ];
        put_columns(
            &mut text,
            fields.map(|(field, field_type)| ("m,host=a", field, field_type)),
        );
        Layout::read(text).unwrap()
    }

    /// Two grids: the first five columns at two times, the last one at three.
    fn part(layout: &Layout) -> (Vec<u8>, Vec<(usize, i64, Value)>) {
        let first = [
            (0, vec![Value::from("x"), Value::from("")]),
            (1, vec![Value::from(-0.0), Value::from(f64::MAX)]),
            (2, vec![Value::from(u64::MAX), Value::from(0_u64)]),
            (3, vec![Value::from(true), Value::from(false)]),
            (4, vec![Value::from(i64::MIN), Value::from(i64::MAX)]),
        ];
        let second = [(5, vec![Value::from(1.0), Value::from(2.0), Value::from(3.0)])];
        let mut builder = PartBuilder::new(layout.hash(), 2);
        let mut all = Vec::new();
        let mut codec = Codec::default();
        for (grid, times) in [
            (&first[..], &[10, 20][..]),
            (&second[..], &[-5, 15, i64::MAX][..]),
        ] {
            let mut columns = Columns::default();
            for (column, values) in grid {
                for (value, time) in values.iter().zip(times) {
                    columns.push(value.into());
                    all.push((*column, *time, value.clone()));
                }
            }
            assert_eq!(columns.len(), grid.len() * times.len());
            builder.grid(&mut codec, grid.len(), times, &columns).unwrap();
        }
        (builder.finish(), all)
    }

    fn read(data: &[u8], layout: &Layout, wanted: Wanted<'_>) -> Result<Vec<(usize, i64, Value)>, Malformed> {
        let mut out = Vec::new();
        Decoder::default().visit(data, layout, wanted, |column, time, cell| {
            out.push((column, time, cell.to_value()))
        })?;
        out.sort_by_key(|(column, time, _)| (*column, *time));
        Ok(out)
    }

    #[test]
    fn all_types_survive() {
        let layout = layout();
        let (data, all) = part(&layout);
        let wanted = Wanted::always(&[true; 6]);
        let back = read(&data, &layout, wanted).unwrap();
        // The end of a range is not in it.
        assert_eq!(back, all[..all.len() - 1]);
        assert!(matches!(back[2].2, Value::Float(zero) if zero.is_sign_negative()));
    }

    #[test]
    fn only_what_is_wanted_comes_back() {
        let layout = layout();
        let (data, _) = part(&layout);
        let columns = [false, true, false, false, false, true];
        let back = read(
            &data,
            &layout,
            Wanted {
                columns: &columns,
                from: 11,
                to: 20,
            },
        )
        .unwrap();
        assert_eq!(back, [(5, 15, Value::from(2.0))]);
    }

    #[test]
    fn every_changed_byte_is_found() {
        let layout = layout();
        let (data, _) = part(&layout);
        let wanted = Wanted::always(&[true; 6]);
        for at in 0..data.len() {
            let mut damaged = data.clone();
            damaged[at] ^= 1;
            assert!(read(&damaged, &layout, wanted).is_err(), "byte {at}");
            assert!(read(&data[..at], &layout, wanted).is_err(), "cut at {at}");
        }
        let other = Layout::read(vec![1, b'm', 0, 1, b'f', 0xff]).unwrap();
        assert!(read(&data, &other, wanted).is_err());
    }
}
