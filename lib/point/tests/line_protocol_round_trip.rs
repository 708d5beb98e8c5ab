//! Line protocol, written and read back, on points and texts that nobody would think of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests fail loudly, as tests do"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, Point, Timestamp, Value, merge_duplicates};

/// Texts made of what means something somewhere, and of what does not.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9_]{1,4}",
        4 => prop::sample::select(vec![
            "\\", "\\\\", ",", "=", " ", "\"", "\n", "\r", "\t", "\0", "\u{b}", "\u{1}", "\u{7f}", "#", "time", "é", "日", "i", "t",
        ])
        .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![6 => text(), 1 => Just("time".to_owned())]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        any::<i32>().prop_map(|number| Value::Float(f64::from(number) / 100.0)),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::Uint),
        any::<bool>().prop_map(Value::Bool),
        text().prop_map(Value::from),
    ]
}

prop_compose! {
    fn built()(
        measurement in text(),
        tags in vec((text(), text()), 0..4),
        fields in vec((key(), value()), 1..4),
        time in any::<i64>(),
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

fn point() -> impl Strategy<Value = Point> {
    built().prop_filter_map("refused", |point| point)
}

/// The same point, made again of its parts, without those called `time` that this line protocol leaves out.
fn as_written(point: &Point, dialect: Dialect) -> (Point, Adjustments) {
    let mut adjustments = Adjustments::default();
    let is_kept = |key: &str| dialect == Dialect::V2 || key != "time";
    let mut builder = Point::builder(point.measurement()).time(point.time());
    for (key, value) in point.tags().filter(|tag| tag.0 != "time") {
        builder = builder.tag(key, value);
    }
    for (key, value) in point.fields().filter(|field| is_kept(field.0)) {
        builder = builder.field(key, value.clone());
    }
    (builder.build(&mut adjustments).unwrap(), adjustments)
}

fn bits(point: &Point) -> Vec<Option<u64>> {
    let bits = |value: &Value| {
        if let Value::Float(float) = value {
            Some(float.to_bits())
        } else {
            None
        }
    };
    point.fields().map(|field| bits(field.1)).collect()
}

/// Keys and values.
type Pairs = Vec<(String, String)>;

/// A line's measurement, tags and fields, unescaped, as InfluxDB 1 and 2 split it: tags by the byte before, fields
/// by pairs. It takes good lines alone. This is written after the description of their parser, apart from ours.
fn split_as_influxdb(line: &str) -> (String, Pairs, Pairs) {
    let bytes = line.as_bytes();
    let unescaped = |text: &str, escaped: &[&str]| {
        escaped.iter().fold(text.to_owned(), |text, special| {
            text.replace(&format!("\\{special}"), special)
        })
    };
    assert_eq!(end_as_influxdb(bytes), bytes.len() - 1);
    let mut at = 1;
    while !(matches!(bytes[at], b',' | b' ') && bytes[at - 1] != b'\\') {
        at += 1;
    }
    let measurement = unescaped(&line[..at], &[",", "\"", " ", "="]);
    let mut tags = Vec::new();
    while bytes[at] == b',' {
        let mut ends = [0; 3];
        for (place, stops) in [b"=".as_slice(), b", "].into_iter().enumerate() {
            ends[place] = at + 1;
            at += 1;
            while !(stops.contains(&bytes[at]) && bytes[at - 1] != b'\\') {
                at += 1;
            }
        }
        let name = |text| unescaped(text, &[",", "=", " "]);
        tags.push((name(&line[ends[0]..ends[1] - 1]), name(&line[ends[1]..at])));
    }
    let mut fields = Vec::new();
    while bytes[at] != b' ' || fields.is_empty() {
        let key = at + 1;
        at = key;
        while bytes[at] != b'=' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let value = at + 1;
        at = value;
        let mut quoted = false;
        while quoted || !matches!(bytes[at], b',' | b' ') {
            quoted ^= bytes[at] == b'"';
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        fields.push((
            unescaped(&line[key..value - 1], &[",", "\"", " ", "="]),
            line[value..at].to_owned(),
        ));
    }
    (measurement, tags, fields)
}

/// Where InfluxDB sees the end of a line: it looks for strings after the first space that no pair escapes.
fn end_as_influxdb(line: &[u8]) -> usize {
    let (mut at, mut quoted, mut fields) = (0, false, false);
    let (mut equals, mut commas) = (0, 0);
    while at < line.len() && (quoted || line[at] != b'\n') {
        match line[at] {
            b'\\' if at + 2 < line.len() => at += 1,
            b' ' => fields = true,
            b'=' if fields && !quoted => equals += 1,
            b',' if fields && !quoted => commas += 1,
            b'"' if fields && equals > commas => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn points_read_back_as_they_were_written(point in point()) {
        let line = line::write(std::slice::from_ref(&point), Dialect::V2);
        let (expected, changed) = as_written(&point, Dialect::V2);
        // It is counted each time.
        let mut counted = Adjustments::default();
        counted.time_keys = u64::from(point.field("time").is_some());
        prop_assert_eq!(&changed, &counted, "a valid point is not changed again");
        prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);

        let mut parser = line::parse(&line);
        let read = parser.next().unwrap().unwrap();
        prop_assert_eq!(bits(&read), bits(&expected));
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(parser.next(), None);
        prop_assert_eq!(parser.adjustments(), &counted);

        let text = str::from_utf8(&line).unwrap();
        let borrowed = line::parse_line(text).unwrap();
        prop_assert_eq!(borrowed.raw_series_key(), point.series_key());
        prop_assert_eq!(borrowed.series_key(), point.series_key());
    }

    #[test]
    fn influxdb_reads_the_same(point in point()) {
        let line = String::from_utf8(line::write(std::slice::from_ref(&point), Dialect::V1)).unwrap();
        let (point, _) = as_written(&point, Dialect::V1);
        let (measurement, tags, fields) = split_as_influxdb(&line);
        prop_assert_eq!(measurement, point.measurement());
        let expected: Vec<_> = point.tags().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        prop_assert_eq!(tags, expected);
        prop_assert_eq!(fields.len(), point.fields().count());
        for ((key, text), (expected, value)) in fields.iter().zip(point.fields()) {
            prop_assert_eq!(key, expected);
            match value {
                Value::Float(float) => prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), float.to_bits()),
                Value::Int(int) => prop_assert_eq!(text, &format!("{int}i")),
                Value::Uint(uint) => prop_assert_eq!(text, &format!("{}i", (*uint).min(i64::MAX as u64))),
                Value::Bool(bool) => prop_assert_eq!(text, &bool.to_string()),
                Value::String(string) => prop_assert_eq!(
                    text.replace("\\\\", "\0").replace("\\\"", "\"").replace('\0', "\\"),
                    format!("\"{string}\"").replace('\0', "\\")
                ),
            }
        }
    }

    #[test]
    fn batches_read_back(points in vec(point(), 0..8)) {
        let lines = line::write(&points, Dialect::V2);
        let read: Result<Vec<Point>, _> = line::parse(&lines).collect();
        let expected: Vec<Point> = points.iter().map(|point| as_written(point, Dialect::V2).0).collect();
        prop_assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn tags_are_added_as_if_they_had_been_there(point in point(), key in text(), value in text()) {
        let mut added = point.clone();
        added.add_tag(&key, &value);
        let mut builder = Point::builder(point.measurement()).time(point.time()).tag(key, value);
        for (key, value) in point.tags() {
            builder = builder.tag(key, value);
        }
        for (key, value) in point.fields() {
            builder = builder.field(key, value.clone());
        }
        prop_assert_eq!(added, builder.build(&mut Adjustments::default()).unwrap());
    }

    #[test]
    fn merging_leaves_one_of_each_and_loses_no_field(points in vec(point(), 0..4), order in vec(0_usize..4, 0..8)) {
        let mut merged: Vec<Point> = order.iter().filter_map(|&index| points.get(index).cloned()).collect();
        let given = merged.clone();
        let mut adjustments = Adjustments::default();
        merge_duplicates(&mut merged, &mut adjustments);
        prop_assert_eq!(merged.len() as u64 + adjustments.merged, given.len() as u64);
        for point in &given {
            let kept = merged.iter().filter(|kept| kept.series_key() == point.series_key() && kept.time() == point.time());
            let kept: Vec<&Point> = kept.collect();
            prop_assert_eq!(kept.len(), 1);
            prop_assert!(point.fields().all(|(key, _)| kept[0].field(key).is_some()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in vec(any::<u8>(), 0..64)) {
        read_all(&bytes);
    }

    #[test]
    fn what_looks_like_lines_is_read_without_harm(
        text in vec(prop::sample::select(vec![
            "m", ",", "=", " ", "\"", "\\", "\n", "\r", "#", "1", "i", "u", "-", ".", "e", "t", "\t", "é", "\0", "m v=1 1\n",
        ]), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = text.concat().into_bytes();
        let mut cut_text = text.clone();
        cut_text.truncate(cut.index(text.len() + 1));
        cut_text.extend([0xc3, b'\n']);
        cut_text.extend(&text);
        read_all(&text);
        read_all(&cut_text);
    }
}

/// Reads all items of a text and checks what holds for every text.
fn read_all(text: &[u8]) {
    let mut parser = line::parse(text).default_time(Timestamp::EPOCH);
    let mut end = 0;
    while let Some(item) = parser.next() {
        let range = parser.range();
        assert!(
            range.start >= end && range.end <= text.len() && !range.is_empty(),
            "{range:?}"
        );
        end = range.end;
        match item {
            Ok(point) => {
                let line = line::write(std::slice::from_ref(&point), Dialect::V2);
                let again: Vec<Point> = line::parse(&line).collect::<Result<_, _>>().unwrap();
                assert_eq!(again, [as_written(&point, Dialect::V2).0]);
            }
            Err(error) => {
                let before = text[..range.start].iter().filter(|&&byte| byte == b'\n').count();
                let lines = 1 + text[range].iter().filter(|&&byte| byte == b'\n').count();
                assert!((before + 1..=before + lines).contains(&error.line), "{error}");
                assert!(error.column >= 1 && error.column <= text.len() + 1, "{error}");
            }
        }
    }
}
