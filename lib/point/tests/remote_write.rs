//! The body of remote write, read by an independent decoder of protobuf.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail loudly, as tests do")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use tidemark_point::line::{self, Dialect};
use tidemark_point::remote_write::{Request, encode};
use tidemark_point::{
    Adjustments, Declarations, Kind, Omission, Point, Timestamp, Value, prometheus_label, prometheus_name,
};

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Metadata {
    #[prost(int32, tag = "1")]
    metric_type: i32,
    #[prost(string, tag = "2")]
    family: String,
    #[prost(string, tag = "4")]
    help: String,
    #[prost(string, tag = "5")]
    unit: String,
}

fn points(lines: &str) -> Vec<Point> {
    line::parse(lines.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn decoded(request: &Request) -> WriteRequest {
    WriteRequest::decode(request.body.as_slice()).unwrap()
}

/// A series in one line: its labels, then values and times.
fn shown(series: &TimeSeries) -> String {
    let labels = series
        .labels
        .iter()
        .map(|label| format!("{}={}", label.name, label.value));
    let samples = series
        .samples
        .iter()
        .map(|sample| format!("{}@{}", sample.value, sample.timestamp));
    format!(
        "{} {}",
        labels.collect::<Vec<_>>().join(","),
        samples.collect::<Vec<_>>().join(" ")
    )
}

#[track_caller]
fn check(lines: &str, declarations: &str, expected: &[&str]) -> Request {
    let declarations: Declarations = declarations.parse().unwrap();
    let request = encode(&points(lines), &declarations);
    let borrowed: Vec<_> = line::read(lines.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(
        encode(&borrowed, &declarations),
        request,
        "lines and points give the same body"
    );
    let message = decoded(&request);
    let series: Vec<String> = message.timeseries.iter().map(shown).collect();
    assert_eq!(series, expected);
    assert_eq!(request.series, message.timeseries.len());
    assert_eq!(
        request.samples,
        message
            .timeseries
            .iter()
            .map(|series| series.samples.len())
            .sum::<usize>()
    );
    request
}

#[test]
fn nothing_is_an_empty_body() {
    assert_eq!(encode::<Point>(&[], &Declarations::new()), Request::default());
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let request = check(
        "up,Job=a,zone=b value=1i 1500000000\n",
        "up\t\n\tvalue\tcounter\ts\tH.\n",
        &["Job=a,__name__=up_total,zone=b 1@1500"],
    );
    let mut expected = Vec::new();
    expected.extend_from_slice(b"\x0a\x3c");
    expected.extend_from_slice(b"\x0a\x08\x0a\x03Job\x12\x01a");
    expected.extend_from_slice(b"\x0a\x14\x0a\x08__name__\x12\x08up_total");
    expected.extend_from_slice(b"\x0a\x09\x0a\x04zone\x12\x01b");
    expected.extend_from_slice(b"\x12\x0c\x09\0\0\0\0\0\0\xf0\x3f\x10\xdc\x0b");
    expected[1] = u8::try_from(expected.len() - 2).unwrap();
    expected.extend_from_slice(b"\x1a\x13\x08\x01\x12\x08up_total\x22\x02H.\x2a\x01s");
    let metadata = expected.len() - (2 + 2 + 10 + 4 + 3);
    expected[metadata + 1] = 2 + 10 + 4 + 3;
    assert_eq!(request.body, expected);
}

#[test]
fn labels_are_sorted_around_the_name() {
    check(
        "m,a.b=2,A=1,_c=3,é=4 v=0.5 1000000\n",
        "",
        &["A=1,__name__=m_v,a_b=2,key_=4,key_c=3 0.5@1"],
    );
    check("m v=1i 0\n", "", &["__name__=m_v 1@0"]);
    check("m,Z=1 v=1i 0\n", "", &["Z=1,__name__=m_v 1@0"]);
}

#[test]
fn a_series_is_there_once_and_in_time_order() {
    let request = check(
        "m,t=1 v=3i,w=1i 3000000\nm,t=2 v=9i 0\nm,t=1 v=1i -1000000\nm,t=1 v=2i 2999999\n",
        "",
        &[
            "__name__=m_v,t=1 1@-1 2@2 3@3",
            "__name__=m_v,t=2 9@0",
            "__name__=m_w,t=1 1@3",
        ],
    );
    assert!(request.left_out.is_empty());
}

#[test]
fn the_last_value_of_a_millisecond_counts() {
    let request = check(
        "m v=2i 1999999\nm v=1i 1000000\nm v=3i 2000000\nm v=4i -1\nm v=5i -1000000\n",
        "",
        &["__name__=m_v 4@-1 2@1 3@2"],
    );
    assert_eq!(request.left_out.count(Omission::Older), 2);
    assert_eq!(
        request.left_out.points(),
        [(1, Omission::Older), (4, Omission::Older)]
    );
}

#[test]
fn metadata_has_type_help_and_unit_of_what_is_declared() {
    let request = check(
        "net a=1i,b=2u,c=t 0\n",
        "net\tN.\n\ta\tgauge\t\tA.\n\tb\tcounter\tbytes\t\n",
        &[
            "__name__=net_a 1@0",
            "__name__=net_b_total 2@0",
            "__name__=net_c 1@0",
        ],
    );
    let metadata = |metric_type, family: &str, help: &str, unit: &str| Metadata {
        metric_type,
        family: family.to_owned(),
        help: help.to_owned(),
        unit: unit.to_owned(),
    };
    assert_eq!(
        decoded(&request).metadata,
        [
            metadata(2, "net_a", "A.", ""),
            metadata(1, "net_b_total", "", "bytes")
        ]
    );
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let request = check(
        "m s=\"x\",v=1i 0\nm,a.b=1,a-b=2 v=1i 0\nm c=-1i 0\nn b.c=1i 0\nn b_c=2i 0\nm,t=2 s=\"y\" 0\n",
        "m\t\n\tc\tcounter\t\t\n",
        &["__name__=m_v 1@0", "__name__=n_b_c 1@0"],
    );
    let left_out = &request.left_out;
    assert_eq!(
        left_out.points(),
        [
            (1, Omission::LabelClash),
            (2, Omission::NegativeCounter),
            (4, Omission::Duplicate),
            (5, Omission::String)
        ]
    );
    assert_eq!((left_out.count(Omission::String), left_out.refused()), (2, 3));
}

#[test]
fn series_of_one_name_and_of_different_kinds_are_all_sent() {
    check(
        "x,t=1 value=1i 0\nx,t=2 total=-2i 0\nx total=3i,value=4i 0\n",
        "x\t\n\tvalue\tcounter\t\t\n\ttotal\tgauge\t\t\n",
        &[
            "__name__=x_total,t=1 1@0",
            "__name__=x_total,t=2 -2@0",
            "__name__=x_total 4@0",
        ],
    );
}

#[test]
fn numbers_are_floats() {
    check(
        "m a=9007199254740993i,b=18446744073709551615u,c=-0.5,d=f,e=5e-324 0\n",
        "",
        &[
            "__name__=m_a 9007199254740992@0",
            "__name__=m_b 18446744073709552000@0",
            "__name__=m_c -0.5@0",
            "__name__=m_d 0@0",
            &format!("__name__=m_e {}@0", 5e-324_f64),
        ],
    );
    let times = "m v=1i 9223372036854775806\nm v=1i -9223372036854775806\n";
    check(times, "", &["__name__=m_v 1@-9223372036855 1@9223372036854"]);
}

#[test]
fn a_field_called_time_is_one_as_others() {
    check(
        "m,t=1 time=1700000000i,v=2i 5000000\n",
        "",
        &["__name__=m_time,t=1 1700000000@5", "__name__=m_v,t=1 2@5"],
    );
}

fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-cA-C]{1,2}",
        2 => prop::sample::select(vec!["_", "__", ".", "-", "1", " ", "é", "total", "value", "time", "\\", "\"", ","]).prop_map(str::to_owned),
    ];
    vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::Uint),
        any::<bool>().prop_map(Value::Bool),
        "[a-z\"\\\\]{0,3}".prop_map(Value::from),
    ]
}

prop_compose! {
    fn point()(
        measurement in name(),
        tags in vec((name(), name()), 0..4),
        fields in vec((name(), value()), 1..4),
        time in prop_oneof![any::<i64>(), 0_i64..5_000_000],
    ) -> Option<Point> {
        let mut builder = Point::builder(measurement).time(Timestamp::from_nanos_clamped(time));
        for (key, value) in tags {
            builder = builder.tag(key, value);
        }
        for (key, value) in fields {
            builder = builder.field(key, value);
        }
        builder.build(&mut Adjustments::default()).ok()
    }
}

#[expect(clippy::cast_precision_loss, reason = "as the writer does")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        Value::Int(int) => Some(*int as f64),
        Value::Uint(uint) => Some(*uint as f64),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(_) => None,
    }
}

type Labels = Vec<(String, String)>;

/// What a point becomes; nothing where two of its tags are one label.
fn expected(point: &Point) -> Vec<(Labels, i64, u64)> {
    let mut labels: Labels = point
        .tags()
        .filter(|tag| tag.0 != "time")
        .map(|(key, value)| (prometheus_label(key).into_owned(), value.to_owned()))
        .collect();
    let names: BTreeSet<_> = labels.iter().map(|label| label.0.clone()).collect();
    if names.len() < labels.len() {
        return Vec::new();
    }
    let sample = |(field, value): (&str, &Value)| {
        let name = prometheus_name(point.measurement(), field, Kind::Gauge);
        labels.push(("__name__".to_owned(), name));
        let mut all = labels.clone();
        labels.pop();
        all.sort();
        Some((
            all,
            point.time().nanos().div_euclid(1_000_000),
            number(value)?.to_bits(),
        ))
    };
    point.fields().filter_map(sample).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_sample_is_one_of_a_point_and_every_value_is_accounted_for(
        points in vec(point().prop_filter_map("refused", |point| point), 0..12),
    ) {
        let request = encode(&points, &Declarations::new());
        let message = decoded(&request);
        let mut given: BTreeMap<(Labels, i64), Vec<u64>> = BTreeMap::new();
        for (labels, time, bits) in points.iter().flat_map(expected) {
            given.entry((labels, time)).or_default().push(bits);
        }
        let mut series = BTreeSet::new();
        for one in &message.timeseries {
            let labels: Labels = one.labels.iter().map(|label| (label.name.clone(), label.value.clone())).collect();
            prop_assert!(labels.is_sorted_by(|a, b| a.0 < b.0), "{labels:?}");
            prop_assert!(labels.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()));
            prop_assert!(series.insert(labels.clone()), "{labels:?} twice");
            prop_assert!(one.samples.is_sorted_by(|a, b| a.timestamp < b.timestamp));
            for sample in &one.samples {
                let values = given.get(&(labels.clone(), sample.timestamp)).cloned().unwrap_or_default();
                prop_assert!(values.contains(&sample.value.to_bits()), "{labels:?} {sample:?}");
            }
        }
        let distinct: BTreeSet<_> = given.keys().map(|(labels, _)| labels.clone()).collect();
        prop_assert_eq!(distinct, series, "no series is missing");
        let values: usize = points.iter().map(|point| point.fields().count()).sum();
        let left_out: u64 = Omission::ALL.into_iter().map(|reason| request.left_out.count(reason)).sum();
        prop_assert_eq!(values as u64, request.samples as u64 + left_out);

        let text = line::write(&points, Dialect::V2);
        let lines: Vec<_> = line::read(&text).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(encode(&lines, &Declarations::new()), request);
    }
}
