//! The text of a batch: line protocol, as it is stored and as a sink gets it.

use std::borrow::Cow;
use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Point, Value};
use tidemark_settings::{SinkKind, SinkSettings};

use crate::sink::profile::Wire;

/// The most points that are stored and sent as one.
pub(crate) const MAX_POINTS: usize = 10_000;
/// Text beyond which no further point is added to what is stored and sent as one.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// The field that InfluxDB 1 does not store.
const TIME_KEY: &str = "time";
/// Text below this is not worth compressing.
const MIN_COMPRESSED: usize = 1024;
/// The longest text that is unpacked: one point can be this long beyond [`MAX_TEXT`], no batch of ours is longer.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;

/// How a body is packed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    /// The number in the outbox.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Plain => 0,
            Self::Gzip => 1,
            Self::Zstd => 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Plain),
            1 => Some(Self::Gzip),
            2 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// How the bodies of a run are written, by the sinks that get them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// [`Dialect::V1`] where every sink is InfluxDB 1: then nothing needs to be rewritten.
    dialect: Dialect,
    /// Gzip where it goes over HTTP: it is sent as it is stored.
    packed: Encoding,
    /// Whether a sink takes no older point of a series after a newer one.
    in_order: bool,
}

impl Style {
    pub(crate) fn of<'a>(kinds: impl Iterator<Item = &'a SinkKind>) -> Self {
        let mut style = Self {
            dialect: Dialect::V1,
            packed: Encoding::Zstd,
            in_order: false,
        };
        for kind in kinds {
            if dialect(kind) == Dialect::V2 {
                style.dialect = Dialect::V2;
            }
            if matches!(Wire::of(kind), Some(Wire::LineProtocol(_))) {
                style.packed = Encoding::Gzip;
            }
            style.in_order |= minds_order(kind);
        }
        style
    }
}

/// A body as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    pub(crate) points: u32,
    pub(crate) encoding: Encoding,
    /// Whether it holds what only [`Dialect::V2`] has: unsigned integers, or fields called `time`.
    pub(crate) v2_only: bool,
    /// Bytes of the text.
    pub(crate) length: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Body {
    pub(crate) fn crc(&self) -> u32 {
        crc32fast::hash(&self.bytes)
    }

    /// The text.
    ///
    /// # Errors
    /// Where it does not unpack to its length: it is damaged.
    pub(crate) fn text(&self) -> io::Result<Cow<'_, [u8]>> {
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let length = usize::try_from(self.length.min(MAX_UNPACKED)).unwrap_or(0);
        let text = match self.encoding {
            Encoding::Plain => Cow::Borrowed(self.bytes.as_slice()),
            Encoding::Gzip => {
                let mut text = Vec::with_capacity(length);
                GzDecoder::new(self.bytes.as_slice())
                    .take(self.length.saturating_add(1))
                    .read_to_end(&mut text)?;
                Cow::Owned(text)
            }
            Encoding::Zstd => Cow::Owned(zstd::bulk::decompress(&self.bytes, length)?),
        };
        if text.len() as u64 == self.length {
            Ok(text)
        } else {
            Err(damaged("the length does not match"))
        }
    }
}

/// The bodies of points, which may be in several slices: one, or several where they are very many.
pub(crate) fn bodies(points: &[&[Point]], style: Style) -> io::Result<Vec<Body>> {
    let given = || points.iter().copied().flatten();
    match style.in_order {
        true if !given().is_sorted_by_key(Point::time) => pack_all(in_order(given()).into_iter(), style),
        _ => pack_all(given(), style),
    }
}

fn pack_all<'a>(points: impl Iterator<Item = &'a Point>, style: Style) -> io::Result<Vec<Body>> {
    let mut points = points.peekable();
    let mut bodies = Vec::new();
    while points.peek().is_some() {
        let mut packer = Packer::new(style.packed);
        let mut v2_only = false;
        for point in points.by_ref().take(MAX_POINTS) {
            line::write_point(&mut packer.text, point, style.dialect);
            v2_only |= style.dialect == Dialect::V2
                && point
                    .fields()
                    .any(|(key, value)| matches!(value, Value::Uint(_)) || key == TIME_KEY);
            if packer.wrote_point()? >= MAX_TEXT {
                break;
            }
        }
        bodies.push(packer.finish(v2_only)?);
    }
    Ok(bodies)
}

/// The points in the order of time; those of one time stay as they are.
fn in_order<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<&'a Point> {
    let mut sorted: Vec<&Point> = points.collect();
    sorted.sort_by_key(|point| point.time());
    sorted
}

/// Whether a sink takes no older point of a series after a newer one.
pub(crate) fn minds_order(kind: &SinkKind) -> bool {
    Wire::of(kind) == Some(Wire::RemoteWrite)
}

/// Packs a text while it is written, so that little of it is in memory.
struct Packer {
    packed: Encoding,
    /// What is written and not compressed yet.
    text: Vec<u8>,
    points: u32,
    /// Bytes of the text that are compressed already.
    compressed: usize,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

/// Bytes of text that are compressed together.
const CHUNK: usize = 32 * 1024;

impl Packer {
    fn new(packed: Encoding) -> Self {
        Self {
            packed,
            text: Vec::new(),
            points: 0,
            compressed: 0,
            gzip: None,
        }
    }

    /// The text has one more point. Its bytes so far.
    fn wrote_point(&mut self) -> io::Result<usize> {
        self.points += 1;
        if self.packed == Encoding::Gzip && self.text.len() >= CHUNK {
            self.compress()?;
        }
        Ok(self.compressed + self.text.len())
    }

    fn compress(&mut self) -> io::Result<()> {
        let gzip = self.gzip.get_or_insert_with(|| gzip_into(Vec::new()));
        gzip.write_all(&self.text)?;
        self.compressed += self.text.len();
        self.text.clear();
        Ok(())
    }

    fn finish(mut self, v2_only: bool) -> io::Result<Body> {
        let length = self.compressed + self.text.len();
        let (encoding, bytes) = match self.packed {
            _ if length < MIN_COMPRESSED => (Encoding::Plain, self.text),
            Encoding::Plain => (Encoding::Plain, self.text),
            Encoding::Zstd => (Encoding::Zstd, zstd::bulk::compress(&self.text, 1)?),
            Encoding::Gzip => {
                self.compress()?;
                let packed = self.gzip.map(GzEncoder::finish).transpose()?;
                (Encoding::Gzip, packed.unwrap_or_default())
            }
        };
        Ok(Body {
            points: self.points,
            encoding,
            v2_only,
            length: length as u64,
            bytes,
        })
    }
}

fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = gzip_into(Vec::with_capacity(text.len() / 4));
    encoder.write_all(text)?;
    encoder.finish()
}

fn gzip_into(out: Vec<u8>) -> GzEncoder<Vec<u8>> {
    GzEncoder::new(out, Compression::new(1))
}

/// A body as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) gzip: bool,
}

impl Payload {
    /// The text for a sink of this dialect; compressed where that is worth it and taken.
    pub(crate) fn of(
        text: Cow<'_, [u8]>,
        v2_only: bool,
        dialect: Dialect,
        takes_gzip: bool,
    ) -> io::Result<Self> {
        let text = if v2_only && dialect == Dialect::V1 {
            Cow::Owned(to_v1(&text))
        } else {
            text
        };
        if takes_gzip && text.len() >= MIN_COMPRESSED {
            return Ok(Self {
                bytes: gzip(&text)?,
                gzip: true,
            });
        }
        Ok(Self {
            bytes: text.into_owned(),
            gzip: false,
        })
    }
}

/// The body of points as the first sink that takes this collector's batches gets it, byte for byte; as InfluxDB 1 would
/// get it where there is none.
#[must_use]
pub fn dry_run_body(points: &[Point], sinks: &[SinkSettings], collector: &str) -> Vec<u8> {
    let first = sinks.iter().find(|sink| sink.takes(collector));
    let takers = sinks.iter().filter(|sink| sink.takes(collector));
    let dialect = first.map_or(Dialect::V1, |sink| dialect(&sink.kind));
    if !takers.into_iter().any(|sink| minds_order(&sink.kind)) {
        return line::write(points, dialect);
    }
    let mut body = Vec::new();
    for point in in_order(points.iter()) {
        line::write_point(&mut body, point, dialect);
    }
    body
}

/// The dialect that a sink takes.
pub(crate) fn dialect(kind: &SinkKind) -> Dialect {
    match Wire::of(kind) {
        Some(Wire::LineProtocol(dialect)) => dialect,
        _ => Dialect::V2,
    }
}

/// Text of [`Dialect::V2`] in [`Dialect::V1`]: the same bytes as if its points had been written so. Lines that cannot be
/// read are left as they are; the server says what is wrong with them.
fn to_v1(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut state = Place::Series;
    let (mut key, mut digits) = (0, 0);
    let mut escaped = false;
    let mut is_time = false;
    for &byte in text {
        let after_escape = std::mem::take(&mut escaped);
        if is_time && state == Place::Value && matches!(byte, b',' | b' ' | b'\n') {
            is_time = false;
            if byte == b',' {
                out.truncate(key);
                state = Place::Key;
                continue;
            }
            drop_last(&mut out, key);
        }
        match state {
            _ if byte == b'\n' => (state, is_time) = (Place::Series, false),
            Place::Series if byte == b' ' && !after_escape => (state, key) = (Place::Key, out.len() + 1),
            Place::Key if byte == b'=' && !after_escape => {
                is_time = out.get(key..) == Some(TIME_KEY.as_bytes());
                (state, digits) = (Place::Value, out.len() + 1);
            }
            // Outside of strings a backslash is a byte like others, unless what follows would end something.
            Place::Series | Place::Key => escaped = byte == b'\\',
            Place::Value if byte == b'"' && out.len() == digits => state = Place::Text,
            Place::Value if byte == b'u' && out.len() > digits => {
                signed(&mut out, digits);
                continue;
            }
            Place::Value if byte == b',' => (state, key) = (Place::Key, out.len() + 1),
            Place::Value if byte == b' ' => state = Place::Time,
            Place::Text if byte == b'"' && !after_escape => state = Place::Value,
            Place::Text => escaped = byte == b'\\' && !after_escape,
            Place::Value | Place::Time => {}
        }
        out.push(byte);
    }
    out
}

/// Drops the field that begins at `key`, behind another. One that is alone stays: without it there is no line.
fn drop_last(out: &mut Vec<u8>, key: usize) {
    if let Some(comma) = key.checked_sub(1)
        && out.get(comma) == Some(&b',')
    {
        out.truncate(comma);
    }
}

/// Where in a line a byte stands.
#[derive(Copy, Clone, PartialEq)]
enum Place {
    Series,
    Key,
    Value,
    Text,
    Time,
}

/// Ends the digits from `start` on as a signed integer, the largest one where they are beyond it.
fn signed(out: &mut Vec<u8>, start: usize) {
    let digits = out
        .get(start..)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    match digits.map(str::parse::<u64>) {
        Some(Ok(number)) => {
            if i64::try_from(number).is_err() {
                out.truncate(start);
                out.extend_from_slice(i64::MAX.to_string().as_bytes());
            }
            out.push(b'i');
        }
        // `true` ends in no `u`: this is no line of ours.
        _ => out.push(b'u'),
    }
}

#[cfg(test)]
#[path = "body/tests.rs"]
mod tests;
