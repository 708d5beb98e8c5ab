//! Frames: the values of some columns of one type, compressed.
//!
//! Numbers and booleans are 64-bit words. Each column is its first word and the differences along its times; the
//! bytes of all firsts, and of all differences, are laid out in eight planes, and planes of zeros are left out. So what
//! is constant costs its first word, counters cost their low planes, and zstd finds what is regular in the rest.

use std::fmt;
use std::io;
use std::mem;

use tidemark_point::FieldType;

use crate::bytes::{Malformed, Reader, put_len, put_varint, unzigzag, zigzag};

/// Samples of a frame of words: what is decompressed to read one series.
pub(crate) const FRAME_WORDS: usize = 4096;
/// Samples of a frame of strings, each of which may have 64 KiB.
pub(crate) const FRAME_STRINGS: usize = 64;
/// Below this zstd only adds its header.
const MIN_COMPRESSED: usize = 96;
/// Of rows, frames shorter than this stay as they are, and so do all frames of words, which are no longer: until
/// they are compacted, zstd costs more than writing what it would save.
const MIN_COMPRESSED_ROW: usize = 8 * FRAME_WORDS + 3;
const ZSTD_LEVEL: i32 = 1;
/// Longest text of a frame of strings that is decompressed.
const MAX_STRINGS_BYTES: usize = 1 << 30;

/// The field types in the order in which a part holds their frames; the index is a type's number in the format.
pub(crate) const TYPES: [FieldType; 5] = [
    FieldType::Float,
    FieldType::Int,
    FieldType::Uint,
    FieldType::Bool,
    FieldType::String,
];

/// A type's number in the format.
pub(crate) fn type_number(field_type: FieldType) -> u8 {
    match field_type {
        FieldType::Float => 0,
        FieldType::Int => 1,
        FieldType::Uint => 2,
        FieldType::Bool => 3,
        FieldType::String => 4,
    }
}

/// How many columns a frame of this type has, in a grid of `times` times.
pub(crate) fn columns_per_frame(field_type: FieldType, times: usize) -> usize {
    let samples = if field_type == FieldType::String {
        FRAME_STRINGS
    } else {
        FRAME_WORDS
    };
    (samples / times.max(1)).max(1)
}

/// Compresses and decompresses, with its tables and buffers kept from one frame to the next.
#[derive(Default)]
pub(crate) struct Codec {
    compressor: Option<zstd::bulk::Compressor<'static>>,
    decompressor: Option<zstd::bulk::Decompressor<'static>>,
    raw: Vec<u8>,
    packed: Vec<u8>,
    firsts: Vec<u64>,
    differences: Vec<u64>,
    /// Whether what is packed now is a row, which compaction will pack again.
    pub(crate) hasty: bool,
}

impl fmt::Debug for Codec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Codec")
    }
}

impl Codec {
    /// Appends `raw` as a packed slice: its length twice, plus one where it is compressed, then the bytes.
    fn put_packed(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let least = if self.hasty {
            MIN_COMPRESSED_ROW
        } else {
            MIN_COMPRESSED
        };
        if self.raw.len() >= least {
            let compressor = match &mut self.compressor {
                Some(compressor) => compressor,
                none => none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
            };
            self.packed.clear();
            self.packed
                .reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
            compressor.compress_to_buffer(&self.raw, &mut self.packed)?;
            if self.packed.len() < self.raw.len() {
                put_len(out, self.packed.len() << 1 | 1);
                out.extend_from_slice(&self.packed);
                return Ok(());
            }
        }
        put_len(out, self.raw.len() << 1);
        out.extend_from_slice(&self.raw);
        Ok(())
    }

    /// Reads a packed slice of at most `bound` bytes into `raw`.
    fn unpack(&mut self, packed: Packed<'_>, bound: usize) -> Result<(), Malformed> {
        self.raw.clear();
        if !packed.compressed {
            if packed.bytes.len() > bound {
                return Err(Malformed("a frame is too long"));
            }
            self.raw.extend_from_slice(packed.bytes);
            return Ok(());
        }
        let broken = Malformed("a frame cannot be decompressed");
        let content = zstd::zstd_safe::get_frame_content_size(packed.bytes).map_err(|_| broken)?;
        let len = content
            .and_then(|len| usize::try_from(len).ok())
            .filter(|len| *len <= bound)
            .ok_or(broken)?;
        let decompressor = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(zstd::bulk::Decompressor::new().map_err(|_| broken)?),
        };
        self.raw.reserve(len);
        decompressor
            .decompress_to_buffer(packed.bytes, &mut self.raw)
            .map_err(|_| broken)?;
        Ok(())
    }

    /// Packs any bytes, such as a layout's text.
    pub(crate) fn pack(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.raw.clear();
        self.raw.extend_from_slice(bytes);
        let mut out = Vec::new();
        self.put_packed(&mut out)?;
        Ok(out)
    }

    /// The inverse of [`pack`](Self::pack).
    pub(crate) fn unpack_all(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut reader = Reader::new(bytes);
        let packed = Packed::read(&mut reader)?;
        self.unpack(packed, MAX_STRINGS_BYTES)?;
        Ok(mem::take(&mut self.raw))
    }

    /// Appends a frame of columns of `times` words each, the columns one after the other.
    pub(crate) fn put_words(
        &mut self,
        out: &mut Vec<u8>,
        field_type: FieldType,
        words: &[u64],
        times: usize,
    ) -> io::Result<()> {
        let mut firsts = mem::take(&mut self.firsts);
        let mut differences = mem::take(&mut self.differences);
        firsts.clear();
        differences.clear();
        for column in words.chunks(times.max(1)) {
            if let Some((&first, rest)) = column.split_first() {
                firsts.push(difference(field_type, 0, first));
                let pairs = rest.iter().zip(column);
                differences.extend(pairs.map(|(&word, &previous)| difference(field_type, previous, word)));
            }
        }
        self.raw.clear();
        put_planes(&mut self.raw, &firsts);
        put_planes(&mut self.raw, &differences);
        self.firsts = firsts;
        self.differences = differences;
        self.put_packed(out)
    }

    /// Appends the words of a frame of `columns` columns of `times` words, the columns one after the other.
    pub(crate) fn words(
        &mut self,
        packed: Packed<'_>,
        field_type: FieldType,
        columns: usize,
        times: usize,
        words: &mut Vec<u64>,
    ) -> Result<(), Malformed> {
        let too_many = Malformed("a frame has too many samples");
        let count = columns.checked_mul(times).ok_or(too_many)?;
        let bound = count
            .checked_mul(8)
            .and_then(|bound| bound.checked_add(2))
            .ok_or(too_many)?;
        self.unpack(packed, bound)?;
        let mut reader = Reader::new(&self.raw);
        let firsts = columns.min(count);
        read_planes(&mut reader, firsts, &mut self.firsts)?;
        read_planes(&mut reader, count - firsts, &mut self.differences)?;
        if !reader.is_empty() {
            return Err(Malformed("a frame has bytes left over"));
        }
        if times == 1 && matches!(field_type, FieldType::Float | FieldType::Bool) {
            // The difference to 0 is the word itself.
            words.extend_from_slice(&self.firsts);
            return Ok(());
        }
        words.reserve(count);
        let mut differences = self.differences.iter();
        for first in &self.firsts {
            let mut word = undo_difference(field_type, 0, *first);
            words.push(word);
            for difference in differences.by_ref().take(times - 1) {
                word = undo_difference(field_type, word, *difference);
                words.push(word);
            }
        }
        Ok(())
    }

    /// Appends a frame of columns of `times` strings each, the columns one after the other.
    pub(crate) fn put_strings(
        &mut self,
        out: &mut Vec<u8>,
        strings: &[Box<str>],
        times: usize,
    ) -> io::Result<()> {
        let mut raw = mem::take(&mut self.raw);
        raw.clear();
        for column in strings.chunks(times.max(1)) {
            let mut previous: Option<&str> = None;
            for string in column {
                if previous == Some(string) {
                    put_varint(&mut raw, 0);
                } else {
                    put_len(&mut raw, string.len() + 1);
                    raw.extend_from_slice(string.as_bytes());
                }
                previous = Some(string);
            }
        }
        self.raw = raw;
        self.put_packed(out)
    }

    /// Appends the strings of a frame of `columns` columns of `times` strings, the columns one after the other.
    pub(crate) fn strings(
        &mut self,
        packed: Packed<'_>,
        columns: usize,
        times: usize,
        strings: &mut Vec<Box<str>>,
    ) -> Result<(), Malformed> {
        self.unpack(packed, MAX_STRINGS_BYTES)?;
        let mut reader = Reader::new(&self.raw);
        for _ in 0..columns {
            let start = strings.len();
            for _ in 0..times {
                let string = match reader.len()? {
                    0 => strings
                        .get(start..)
                        .and_then(<[Box<str>]>::last)
                        .cloned()
                        .ok_or(Malformed("a first string is missing"))?,
                    len => std::str::from_utf8(reader.take(len - 1)?)
                        .map_err(|_| Malformed("a string is not UTF-8"))?
                        .into(),
                };
                strings.push(string);
            }
        }
        if reader.is_empty() {
            Ok(())
        } else {
            Err(Malformed("a frame has bytes left over"))
        }
    }
}

/// A packed slice that was found but not decompressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a> {
    compressed: bool,
    bytes: &'a [u8],
}

impl<'a> Packed<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let head = reader.len()?;
        Ok(Self {
            compressed: head & 1 == 1,
            bytes: reader.take(head >> 1)?,
        })
    }
}

/// Appends a mask of the planes that are not all zeros, then those, each with a byte of every word. Without any it
/// is a byte long, whatever the count: readers take the count from elsewhere and bound it.
fn put_planes(out: &mut Vec<u8>, words: &[u64]) {
    let any = words.iter().fold(0, |any, word| any | word).to_le_bytes();
    let mask = (0..8).fold(0_u8, |mask, plane| mask | u8::from(any[plane] != 0) << plane);
    out.push(mask);
    let start = out.len();
    out.resize(
        start + words.len() * usize::try_from(mask.count_ones()).unwrap_or(0),
        0,
    );
    let mut planes = out[start..].chunks_exact_mut(words.len().max(1));
    let mut planes: [&mut [u8]; 8] =
        std::array::from_fn(|plane| if any[plane] == 0 { None } else { planes.next() }.unwrap_or_default());
    for (nth, words) in words.chunks(8).enumerate() {
        let mut square = [0; 8];
        square[..words.len()].copy_from_slice(words);
        transpose(&mut square);
        for (plane, row) in planes.iter_mut().zip(square) {
            let row = row.to_le_bytes();
            if let Some(place) = plane.get_mut(nth * 8..nth * 8 + words.len()) {
                match place.first_chunk_mut() {
                    Some(whole) => *whole = row,
                    None => place.copy_from_slice(&row[..words.len()]),
                }
            }
        }
    }
}

/// Reads `count` words.
fn read_planes(reader: &mut Reader<'_>, count: usize, words: &mut Vec<u64>) -> Result<(), Malformed> {
    let mask = reader.byte()?;
    let mut planes: [&[u8]; 8] = [&[]; 8];
    for (nth, plane) in planes.iter_mut().enumerate() {
        if mask >> nth & 1 == 1 {
            *plane = reader.take(count)?;
        }
    }
    words.clear();
    words.resize(count, 0);
    if mask == 0 {
        return Ok(());
    }
    for (nth, words) in words.chunks_mut(8).enumerate() {
        let mut square = planes.map(|plane| {
            let mut row = [0; 8];
            if let Some(bytes) = plane.get(nth * 8..nth * 8 + words.len()) {
                match bytes.first_chunk() {
                    Some(whole) => row = *whole,
                    None => row[..bytes.len()].copy_from_slice(bytes),
                }
            }
            u64::from_le_bytes(row)
        });
        transpose(&mut square);
        words.copy_from_slice(&square[..words.len()]);
    }
    Ok(())
}

/// Exchanges rows and columns of a square of bytes: eight words become the eight planes that they have a byte in.
fn transpose(square: &mut [u64; 8]) {
    for (step, shift, mask) in [
        (4, 32, 0x0000_0000_ffff_ffff),
        (2, 16, 0x0000_ffff_0000_ffff),
        (1, 8, 0x00ff_00ff_00ff_00ff_u64),
    ] {
        for low in (0..8).filter(|row| row & step == 0) {
            let high = low + step;
            let change = (square[low] >> shift ^ square[high]) & mask;
            square[high] ^= change;
            square[low] ^= change << shift;
        }
    }
}

/// Floats and booleans differ by XOR, integers by subtraction, so that what changes little has high planes of zeros.
fn difference(field_type: FieldType, previous: u64, word: u64) -> u64 {
    match field_type {
        FieldType::Int | FieldType::Uint => zigzag(word.wrapping_sub(previous).cast_signed()),
        FieldType::Float | FieldType::Bool | FieldType::String => previous ^ word,
    }
}

fn undo_difference(field_type: FieldType, previous: u64, difference: u64) -> u64 {
    match field_type {
        FieldType::Int | FieldType::Uint => previous.wrapping_add(unzigzag(difference).cast_unsigned()),
        FieldType::Float | FieldType::Bool | FieldType::String => previous ^ difference,
    }
}

/// Appends times, ascending, as differences of differences.
pub(crate) fn put_times(out: &mut Vec<u8>, times: &[i64]) {
    let (mut previous, mut step) = (0_i64, 0_i64);
    for &time in times {
        let next = time.wrapping_sub(previous);
        put_varint(out, zigzag(next.wrapping_sub(step)));
        (previous, step) = (time, next);
    }
}

/// Reads `count` times.
pub(crate) fn read_times(reader: &mut Reader<'_>, count: usize) -> Result<Vec<i64>, Malformed> {
    // Each time has at least a byte.
    if count > reader.rest().len() {
        return Err(Malformed("it has too many times"));
    }
    let mut times = Vec::with_capacity(count);
    let (mut previous, mut step) = (0_i64, 0_i64);
    for _ in 0..count {
        step = step.wrapping_add(unzigzag(reader.varint()?));
        previous = previous.wrapping_add(step);
        times.push(previous);
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(field_type: FieldType, words: &[u64], times: usize) -> usize {
        let mut codec = Codec::default();
        let mut out = Vec::new();
        codec.put_words(&mut out, field_type, words, times).unwrap();
        let mut back = Vec::new();
        let mut reader = Reader::new(&out);
        let packed = Packed::read(&mut reader).unwrap();
        codec
            .words(packed, field_type, words.len() / times, times, &mut back)
            .unwrap();
        assert_eq!(back, words);
        assert!(reader.is_empty());
        out.len()
    }

    #[test]
    fn words_survive_at_their_bounds() {
        let words = [
            0,
            1,
            u64::MAX,
            i64::MIN.cast_unsigned(),
            5e-324_f64.to_bits(),
            (-0.0_f64).to_bits(),
        ];
        for field_type in [FieldType::Float, FieldType::Int, FieldType::Uint] {
            for times in [1, 2, 3, 6] {
                round_trip(field_type, &words, times);
            }
        }
        round_trip(FieldType::Bool, &[0, 1, 1, 0], 2);
    }

    #[test]
    fn constants_and_counters_are_small() {
        assert_eq!(round_trip(FieldType::Uint, &[0; 4096], 64), 3);
        assert!(round_trip(FieldType::Float, &[1.5_f64.to_bits(); 4096], 64) < 128);
        let counter: Vec<u64> = (0..4096).map(|n| 1_000_000_000 + n * 15).collect();
        assert!(round_trip(FieldType::Int, &counter, 64) < 600);
        // Ten small counters of a one-shot run: no zstd, low planes alone.
        assert_eq!(
            round_trip(FieldType::Uint, &[3, 1, 4, 1, 5, 9, 2, 6, 5, 3], 1),
            13
        );
    }

    #[test]
    fn strings_survive_and_repeated_ones_are_free() {
        let long = "x".repeat(65_536);
        let strings: Vec<Box<str>> = ["", "", "a", "ä\n\0", &long, &long]
            .iter()
            .map(|text| (*text).into())
            .collect();
        let mut codec = Codec::default();
        for times in [1, 2, 3, 6] {
            let mut out = Vec::new();
            codec.put_strings(&mut out, &strings, times).unwrap();
            assert!(out.len() < 200, "{}", out.len());
            let packed = Packed::read(&mut Reader::new(&out)).unwrap();
            let mut back = Vec::new();
            codec.strings(packed, 6 / times, times, &mut back).unwrap();
            assert_eq!(back, strings);
        }
    }

    #[test]
    fn times_survive_at_their_bounds() {
        for times in [vec![], vec![i64::MIN, 0, i64::MAX], vec![60, 120, 180, 241]] {
            let mut out = Vec::new();
            put_times(&mut out, &times);
            assert_eq!(read_times(&mut Reader::new(&out), times.len()), Ok(times));
        }
        assert!(read_times(&mut Reader::new(&[1]), 2).is_err());
    }

    #[test]
    fn damaged_frames_are_errors() {
        let mut codec = Codec::default();
        let mut out = Vec::new();
        let words: Vec<u64> = (0..1000_u64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (n % 50))
            .collect();
        codec.put_words(&mut out, FieldType::Float, &words, 10).unwrap();
        let mut back = Vec::new();
        for cut in 0..40 {
            let mut reader = Reader::new(&out[..out.len() - 1 - cut]);
            assert!(Packed::read(&mut reader).is_err());
        }
        let packed = Packed::read(&mut Reader::new(&out)).unwrap();
        assert!(codec.words(packed, FieldType::Float, 99, 10, &mut back).is_err());
        assert!(
            codec
                .words(packed, FieldType::Float, usize::MAX, 10, &mut back)
                .is_err()
        );
        assert!(codec.strings(packed, 5, 10, &mut Vec::new()).is_err());
    }
}
