//! Points to line protocol.

use super::Dialect;
use crate::point::TIME_KEY;
use crate::{Point, Value};

/// The most bytes that a number and what stands around it take: a float, or a time with its line break.
const NUMBER_BYTES: usize = 32;
/// Whole floats below this are written without an exponent.
const MAX_WHOLE: u64 = 1_000_000_000_000_000;

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
        Value::Float(float) => write_float(out, *float),
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

/// The shortest text that reads back as the float. What many sources count is whole, and an integer is written in half the
/// time.
fn write_float(out: &mut Vec<u8>, float: f64) {
    #[expect(clippy::cast_possible_truncation, reason = "compared with the float below")]
    let whole = float as i64;
    let is_whole = whole as f64 == float && whole.unsigned_abs() < MAX_WHOLE;
    // An integer knows no negative zero.
    if is_whole && whole != 0 {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
        out.extend_from_slice(b".0");
    } else {
        out.extend_from_slice(zmij::Buffer::new().format_finite(float).as_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(float: f64) -> String {
        let mut out = Vec::new();
        write_float(&mut out, float);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_around_the_bounds_of_integers() {
        for (float, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-17.0, "-17.0"),
            (0.5, "0.5"),
            (-3.25, "-3.25"),
            (999_999_999_999_999.0, "999999999999999.0"),
            (-1e15, "-1000000000000000.0"),
            (1e16, "1e+16"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (9.3e18, "9.3e+18"),
        ] {
            assert_eq!(written(float), text);
        }
    }

    proptest! {
        #[test]
        fn a_whole_float_is_written_as_any_other(whole in any::<i64>(), shift in 0..64) {
            let float = (whole >> shift) as f64;
            let mut buffer = zmij::Buffer::new();
            prop_assert_eq!(written(float), buffer.format_finite(float));
        }
    }
}
