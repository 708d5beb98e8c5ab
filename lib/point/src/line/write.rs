//! Points to line protocol.

use super::Dialect;
use crate::point::TIME_KEY;
use crate::{Point, Value};

/// The most bytes that a number and what stands around it take: a float, or a time with its line break.
const NUMBER_BYTES: usize = 32;

/// The lines of points, each with its line break.
pub fn write(points: &[Point], dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::new();
    for point in points {
        write_point(&mut out, point, dialect);
    }
    out
}

/// Appends the line of a point, with its line break. Tags called `time` are left out, and so are fields in
/// [`Dialect::V1`].
pub fn write_point(out: &mut Vec<u8>, point: &Point, dialect: Dialect) {
    let series = point.series_key();
    out.reserve(series.len() + NUMBER_BYTES + point.fields.len() * (2 * NUMBER_BYTES));
    out.extend_from_slice(series.as_bytes());
    let mut separator = b' ';
    for field in point.fields.iter() {
        let key = point.series.field_key(field);
        if dialect == Dialect::V1 && key == TIME_KEY {
            continue;
        }
        out.push(separator);
        separator = b',';
        if field.special {
            write_key(out, key);
        } else {
            out.extend_from_slice(key.as_bytes());
        }
        out.push(b'=');
        write_value(out, &field.value, dialect);
    }
    out.push(b' ');
    out.extend_from_slice(itoa::Buffer::new().format(point.time.nanos()).as_bytes());
    out.push(b'\n');
}

#[cold]
fn write_key(out: &mut Vec<u8>, key: &str) {
    for &byte in key.as_bytes() {
        if matches!(byte, b',' | b'=' | b' ') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value, dialect: Dialect) {
    match value {
        Value::Float(float) => {
            out.extend_from_slice(zmij::Buffer::new().format_finite(*float).as_bytes());
        }
        Value::Int(int) => {
            out.extend_from_slice(itoa::Buffer::new().format(*int).as_bytes());
            out.push(b'i');
        }
        Value::Uint(uint) => match dialect {
            Dialect::V1 => {
                let int = i64::try_from(*uint).unwrap_or(i64::MAX);
                out.extend_from_slice(itoa::Buffer::new().format(int).as_bytes());
                out.push(b'i');
            }
            Dialect::V2 => {
                out.extend_from_slice(itoa::Buffer::new().format(*uint).as_bytes());
                out.push(b'u');
            }
        },
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::String(text) => write_string(out, text),
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut copied = 0;
    for (place, byte) in text.bytes().enumerate() {
        if matches!(byte, b'"' | b'\\') {
            out.extend_from_slice(&text.as_bytes()[copied..place]);
            out.push(b'\\');
            copied = place;
        }
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
    out.push(b'"');
}
