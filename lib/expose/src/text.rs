//! The parts of a page, as both formats write them.

use tidemark_point::Timestamp;
use tidemark_point::exposition::Format;

const NANOS_PER_MILLISECOND: i64 = 1_000_000;
const MILLIS_PER_SECOND: u64 = 1_000;

/// Whole numbers below this are written without a fraction.
const WHOLE: f64 = 1e15;

/// Appends a label of a set that begins at `start`: after a comma where it is not the first.
pub(crate) fn push_label(out: &mut Vec<u8>, start: usize, name: &str, value: &str) {
    if out.len() > start {
        out.push(b',');
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_escaped(out, value, true);
    out.push(b'"');
}

/// Appends a text with its backslashes, line breaks and (where they would end it) quotes escaped.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            byte => out.push(byte),
        }
    }
}

/// Appends a finite number, in the shortest form that reads back the same.
pub(crate) fn push_number(out: &mut Vec<u8>, number: f64) {
    // A negative zero keeps its sign.
    if number.abs() < WHOLE && number.fract() == 0.0 && (number != 0.0 || number.is_sign_positive()) {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and in range")]
        let whole = number as i64;
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
    }
}

/// Appends a time, cut to milliseconds: in OpenMetrics as seconds, in 0.0.4 as milliseconds.
pub(crate) fn push_time(out: &mut Vec<u8>, time: Timestamp, format: Format) {
    let millis = time.nanos().div_euclid(NANOS_PER_MILLISECOND);
    if format == Format::Prometheus {
        out.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes());
        return;
    }
    if millis < 0 {
        out.push(b'-');
    }
    let millis = millis.unsigned_abs();
    let seconds = millis / MILLIS_PER_SECOND;
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    let fraction = millis % MILLIS_PER_SECOND;
    if fraction > 0 {
        // A thousand more keeps the zeros that lead.
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(MILLIS_PER_SECOND + fraction);
        out.push(b'.');
        out.extend_from_slice(
            digits
                .get(1..)
                .unwrap_or_default()
                .trim_end_matches('0')
                .as_bytes(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_read_back_the_same() {
        for (number, written) in [
            (0.0, "0"),
            (-0.0, "-0.0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1000000000000000.0"),
            (1e22, "1e+22"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            let found = text(|out| push_number(out, number));
            assert_eq!(found, written);
            assert_eq!(found.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn times_in_both_formats() {
        for (nanos, openmetrics, prometheus) in [
            (0, "0", "0"),
            (1_700_000_000_000_000_000, "1700000000", "1700000000000"),
            (1_700_000_000_250_999_999, "1700000000.25", "1700000000250"),
            (1_001_000_000, "1.001", "1001"),
            (1_111_000_000, "1.111", "1111"),
            (-1, "-0.001", "-1"),
            (-1_500_000_000, "-1.5", "-1500"),
        ] {
            let time = Timestamp::from_nanos(nanos).unwrap();
            assert_eq!(text(|out| push_time(out, time, Format::OpenMetrics)), openmetrics);
            assert_eq!(text(|out| push_time(out, time, Format::Prometheus)), prometheus);
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(text(|out| push_escaped(out, "a\\b\n\"é", true)), "a\\\\b\\n\\\"é");
        assert_eq!(text(|out| push_escaped(out, "a\\b\n\"é", false)), "a\\\\b\\n\"é");
        let labels = text(|out| {
            out.push(b'x');
            push_label(out, 1, "a", "1");
            push_label(out, 1, "b", "");
        });
        assert_eq!(labels, "xa=\"1\",b=\"\"");
    }
}
