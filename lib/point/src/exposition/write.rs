//! Points to a page.

use super::{FamilyType, Format};
use crate::prometheus::{AnyPoint, Clashes, Family, Gathered, Keep, LabelForm, LeftOut, MAX_BYTES, Number};
use crate::{Declarations, DeclaredField};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLISECOND: i64 = 1_000_000;

/// About what a sample takes beside its name and labels.
const SAMPLE_BYTES: usize = 40;

/// Whether a page says when its values were measured.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Times {
    /// It does.
    Keep,
    /// It does not, as a textfile must not.
    Leave,
}

/// A page, and what it does not hold.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Page {
    /// The text.
    pub text: Vec<u8>,
    /// The samples in it.
    pub samples: usize,
    /// What of the points is not in it.
    pub left_out: LeftOut,
}

/// The page of points, as a strict reader of the format takes it.
///
/// A field is a family, see [`prometheus_name`](crate::prometheus_name); a tag is a label, see
/// [`prometheus_label`](crate::prometheus_label); true and false are 1 and 0. Families are in the order of their
/// names, each with TYPE, UNIT and HELP as far as they are declared, and their series in the order of the points.
/// UNIT stands in OpenMetrics, where the name ends in the unit, as the specification demands; where the name does not
/// say it, the help does. Integers are written whole, floats in the shortest form that reads back the same. Times
/// have all their digits in OpenMetrics, and are cut to milliseconds in 0.0.4.
///
/// OpenMetrics with times holds every value of a series, in the order of time, the last of those of the same time;
/// the others hold the newest alone. What could not stand in a page is left out and counted, see
/// [`Omission`](crate::Omission): one point never breaks the page of the others. Of two families that clash, a counter
/// is kept before a gauge, and a gauge before what is not declared.
///
/// In 0.0.4, gauges whose names end as those of another type (`_total`, `_count`, `_sum`, `_bucket`) are untyped: the
/// names are the fields' own, and checkers refuse them for gauges.
///
/// ```
/// use tidemark_point::exposition::{Format, Times, write};
/// use tidemark_point::{Adjustments, Declarations, Point, Timestamp};
///
/// let declarations: Declarations = "net\tAn interface.\n\trx\tcounter\tbytes\tBytes received.\n".parse()?;
/// let point = Point::builder("net")
///     .tag("if", "eth0")
///     .field("rx", 12_u64)
///     .time(Timestamp::from_nanos(1_500_000_000).unwrap_or(Timestamp::EPOCH))
///     .build(&mut Adjustments::default())?;
/// let page = write(&[point], &declarations, Format::OpenMetrics, Times::Keep);
/// let lines: Vec<&str> = str::from_utf8(&page.text)?.lines().collect();
/// assert_eq!(lines[0], "# TYPE net_rx counter");
/// assert_eq!(lines[1], "# HELP net_rx Bytes received. Unit: bytes.");
/// assert_eq!(lines[2], "net_rx_total{if=\"eth0\"} 12 1.5");
/// assert_eq!(lines[3..], ["# EOF"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write<P: AnyPoint>(points: &[P], declarations: &Declarations, format: Format, times: Times) -> Page {
    let (clashes, keep) = match (format, times) {
        (Format::OpenMetrics, Times::Keep) => (Clashes::Suffixes, Keep::Each(1)),
        (Format::OpenMetrics, Times::Leave) => (Clashes::Suffixes, Keep::Newest),
        (Format::Prometheus, _) => (Clashes::Types, Keep::Newest),
    };
    let mut page = Page::default();
    let mut described = String::new();
    let gathered = Gathered::new::<TextLabels, P>(points, declarations);
    page.text.reserve(gathered.estimated_len(SAMPLE_BYTES, 0));
    let left_out = gathered.each_series(clashes, keep, MAX_BYTES, |family, labels, set, entries| {
        if described != family.name {
            described.clone_from(&family.name);
            describe(&mut page.text, family, format);
        }
        for entry in entries {
            page.text.extend_from_slice(family.name.as_bytes());
            if set.start < set.end {
                page.text.push(b'{');
                page.text.extend_from_slice(&labels[set.start..set.end]);
                page.text.push(b'}');
            }
            page.text.push(b' ');
            write_number(&mut page.text, entry.number);
            if times == Times::Keep {
                page.text.push(b' ');
                write_time(&mut page.text, entry.time, format);
            }
            page.text.push(b'\n');
            page.samples += 1;
        }
    });
    if format == Format::OpenMetrics {
        page.text.extend_from_slice(b"# EOF\n");
    }
    page.left_out = left_out;
    page
}

/// Labels as they stand between the braces.
enum TextLabels {}

impl LabelForm for TextLabels {
    fn push(out: &mut Vec<u8>, label: &str, value: &str, first: bool) {
        if !first {
            out.push(b',');
        }
        out.extend_from_slice(label.as_bytes());
        out.extend_from_slice(b"=\"");
        escape(out, value, true);
        out.push(b'"');
    }
}

/// Writes a text with its backslashes, line breaks and (where they would end it) quotes escaped.
fn escape(out: &mut Vec<u8>, text: &str, quotes: bool) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escaped = match byte {
            b'\\' => b'\\',
            b'\n' => b'n',
            b'"' if quotes => b'"',
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(&[b'\\', escaped]);
        copied = at + 1;
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// TYPE, UNIT and HELP.
fn describe(out: &mut Vec<u8>, family: &Family<'_>, format: Format) {
    let name = match format {
        Format::OpenMetrics => family.base(),
        Format::Prometheus => &family.name,
    };
    let mut line = |keyword: &str, text: &str| {
        for part in ["# ", keyword, " ", name, " "] {
            out.extend_from_slice(part.as_bytes());
        }
        escape(out, text, format == Format::OpenMetrics && keyword == "HELP");
        out.push(b'\n');
    };
    let written = written_type(family, format);
    line("TYPE", written.name(format).unwrap_or_default());
    let unit = family.unit_in_name();
    if let (Some(unit), Format::OpenMetrics) = (unit, format) {
        line("UNIT", unit);
    }
    if let Some(declared) = family.declared {
        let help = help(declared, unit.is_some());
        if !help.is_empty() {
            line("HELP", &help);
        }
    }
}

fn written_type(family: &Family<'_>, format: Format) -> FamilyType {
    let of_another = ["_total", "_count", "_sum", "_bucket"];
    let misleading = family.family_type == FamilyType::Gauge
        && of_another.iter().any(|suffix| family.name.ends_with(suffix));
    if format == Format::Prometheus && misleading {
        return FamilyType::Unknown;
    }
    family.family_type
}

/// The help on one line without control characters, and the unit where the name does not say it.
pub(crate) fn help(declared: &DeclaredField, unit_in_name: bool) -> String {
    let mut help: String = declared
        .help
        .trim()
        .chars()
        .map(|character| {
            if character.is_control() && character != '\n' {
                ' '
            } else {
                character
            }
        })
        .collect();
    if let (Some(unit), false) = (&declared.unit, unit_in_name) {
        if !help.is_empty() && !help.ends_with(['.', '!', '?']) {
            help.push('.');
        }
        if !help.is_empty() {
            help.push(' ');
        }
        help.push_str("Unit: ");
        help.push_str(unit);
        help.push('.');
    }
    help
}

fn write_number(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Float(float) => out.extend_from_slice(zmij::Buffer::new().format_finite(float).as_bytes()),
        Number::Int(int) => out.extend_from_slice(itoa::Buffer::new().format(int).as_bytes()),
        Number::Uint(uint) => out.extend_from_slice(itoa::Buffer::new().format(uint).as_bytes()),
    }
}

/// OpenMetrics: decimal seconds, without a float; 0.0.4: whole milliseconds, cut.
fn write_time(out: &mut Vec<u8>, nanos: i64, format: Format) {
    if format == Format::Prometheus {
        let millis = nanos.div_euclid(NANOS_PER_MILLISECOND);
        out.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes());
        return;
    }
    if nanos < 0 {
        out.push(b'-');
    }
    let nanos = nanos.unsigned_abs();
    let (seconds, mut fraction) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    if fraction == 0 {
        return;
    }
    let mut digits = *b".000000000";
    for digit in digits.iter_mut().skip(1).rev() {
        // A remainder of ten is a digit.
        *digit = b'0' + (fraction % 10).to_le_bytes()[0];
        fraction /= 10;
    }
    let length = digits
        .iter()
        .rposition(|digit| *digit != b'0')
        .map_or(0, |last| last + 1);
    out.extend_from_slice(&digits[..length]);
}
