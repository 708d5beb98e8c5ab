//! The body of a Prometheus remote-write request, version 1.0: protobuf, before it is compressed.
//!
//! The [specification](https://prometheus.io/docs/specs/prw/remote_write_spec/) wants the body in Snappy's block
//! format; that, the headers and the sending are the caller's part.

use crate::Declarations;
use crate::exposition::FamilyType;
use crate::exposition::help;
use crate::prometheus::{AnyPoint, Clashes, Family, Gathered, Keep, LabelForm, LeftOut, MAX_BYTES, Number};

const NANOS_PER_MILLISECOND: i64 = 1_000_000;

/// Protobuf's wire types, in the lowest bits of a field's key.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;

const fn key(field: u8, wire_type: u8) -> u8 {
    field << 3 | wire_type
}

// WriteRequest
const TIMESERIES: u8 = key(1, LENGTH);
const METADATA: u8 = key(3, LENGTH);
// TimeSeries
const LABELS: u8 = key(1, LENGTH);
const SAMPLES: u8 = key(2, LENGTH);
// Label
const LABEL_NAME: u8 = key(1, LENGTH);
const LABEL_VALUE: u8 = key(2, LENGTH);
// Sample
const SAMPLE_VALUE: u8 = key(1, FIXED64);
const SAMPLE_TIME: u8 = key(2, VARINT);
// MetricMetadata
const METADATA_TYPE: u8 = key(1, VARINT);
const METADATA_NAME: u8 = key(2, LENGTH);
const METADATA_HELP: u8 = key(4, LENGTH);
const METADATA_UNIT: u8 = key(5, LENGTH);

/// About what a series takes beside its name and labels, and what a sample takes.
const SERIES_BYTES: usize = 20;
const SAMPLE_BYTES: usize = 18;

/// The label that holds the name.
const NAME_LABEL: &str = "__name__";

/// A request's body, and what it does not hold.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Request {
    /// The protobuf message `WriteRequest`, uncompressed; empty where there is nothing to send.
    pub body: Vec<u8>,
    /// The series in it.
    pub series: usize,
    /// The samples in it.
    pub samples: usize,
    /// What of the points is not in it.
    pub left_out: LeftOut,
}

/// The request that stores points.
///
/// Names and labels are those of a page, see [`exposition::write`](crate::exposition::write()). Each series is there
/// once, its labels sorted and unique and none empty, its samples in the order of time. Times are milliseconds: what
/// is finer is cut, and of two values of one series in one of them the later is kept. The metadata holds type, help and
/// unit of what is declared, under the name that the samples have. Integers beyond 2^53 lose digits: a sample is a
/// float.
///
/// What could not be sent is left out and counted, see [`Omission`](crate::Omission).
///
/// ```
/// use tidemark_point::{Declarations, line, remote_write};
///
/// let lines: Vec<_> = line::read(b"load,host=a load1=0.5 1700000000000000000\n").collect::<Result<_, _>>()?;
/// let request = remote_write::encode(&lines, &Declarations::new());
/// assert_eq!((request.series, request.samples), (1, 1));
/// assert_eq!(request.body[0], 0x0a); // the first series
/// # Ok::<(), line::LineError>(())
/// ```
pub fn encode<P: AnyPoint>(points: &[P], declarations: &Declarations) -> Request {
    let mut request = Request::default();
    let mut metadata = Vec::new();
    let mut family_name = String::new();
    let mut name_label = Vec::new();
    let gathered = Gathered::new::<MessageLabels, P>(points, declarations);
    let keep = Keep::Each(NANOS_PER_MILLISECOND);
    let body = &mut request.body;
    body.reserve(gathered.estimated_len(SERIES_BYTES, SAMPLE_BYTES));
    let (mut series, mut samples) = (0, 0);
    request.left_out =
        gathered.each_series(Clashes::None, keep, MAX_BYTES, |family, labels, set, entries| {
            if family_name != family.name {
                family_name.clone_from(&family.name);
                name_label.clear();
                MessageLabels::push(&mut name_label, NAME_LABEL, &family.name, false);
                describe(&mut metadata, family);
            }
            let labels_length = name_label.len() + set.end - set.start;
            let samples_length: usize = entries
                .iter()
                .map(|entry| 2 + sample_length(millis(entry.time)))
                .sum();
            body.push(TIMESERIES);
            push_varint(body, (labels_length + samples_length) as u64);
            body.extend_from_slice(&labels[set.start..set.split]);
            body.extend_from_slice(&name_label);
            body.extend_from_slice(&labels[set.split..set.end]);
            for entry in entries {
                let time = millis(entry.time);
                body.push(SAMPLES);
                push_varint(body, sample_length(time) as u64);
                body.push(SAMPLE_VALUE);
                body.extend_from_slice(&float(entry.number).to_le_bytes());
                body.push(SAMPLE_TIME);
                push_varint(body, time);
            }
            series += 1;
            samples += entries.len();
        });
    request.body.append(&mut metadata);
    (request.series, request.samples) = (series, samples);
    request
}

/// Labels as messages, one after the other.
enum MessageLabels {}

impl LabelForm for MessageLabels {
    fn push(out: &mut Vec<u8>, label: &str, value: &str, _first: bool) {
        out.push(LABELS);
        push_varint(out, (text_length(label) + text_length(value)) as u64);
        push_text(out, LABEL_NAME, label);
        push_text(out, LABEL_VALUE, value);
    }
}

fn describe(out: &mut Vec<u8>, family: &Family<'_>) {
    let Some(declared) = family.declared else { return };
    let family_type: u8 = match family.family_type {
        FamilyType::Counter => 1,
        FamilyType::Gauge => 2,
        _ => 0,
    };
    let help = help(declared, true);
    let unit = declared.unit.as_deref().unwrap_or_default();
    let mut message = vec![METADATA_TYPE, family_type];
    push_text(&mut message, METADATA_NAME, &family.name);
    for (key, text) in [(METADATA_HELP, help.as_str()), (METADATA_UNIT, unit)] {
        if !text.is_empty() {
            push_text(&mut message, key, text);
        }
    }
    out.push(METADATA);
    push_varint(out, message.len() as u64);
    out.append(&mut message);
}

/// Milliseconds as protobuf has an `int64`: negative ones as the unsigned number of the same bits.
fn millis(nanos: i64) -> u64 {
    nanos.div_euclid(NANOS_PER_MILLISECOND).cast_unsigned()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a sample is a float, as the specification has it"
)]
fn float(number: Number) -> f64 {
    match number {
        Number::Float(float) => float,
        Number::Int(int) => int as f64,
        Number::Uint(uint) => uint as f64,
    }
}

/// The length of a `Sample`: both fields with their keys.
fn sample_length(time: u64) -> usize {
    1 + size_of::<f64>() + 1 + varint_length(time)
}

/// The length of a text with its key and its own length.
fn text_length(text: &str) -> usize {
    1 + varint_length(text.len() as u64) + text.len()
}

fn varint_length(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn push_text(out: &mut Vec<u8>, key: u8, text: &str) {
    out.push(key);
    push_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        // Seven bits at a time, the highest bit for "more follows".
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
