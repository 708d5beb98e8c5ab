//! Pages, written and read back: by the strict reader, and by Prometheus' own checker.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail loudly, as tests do"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use tidemark_point::exposition::{Entry, FamilyType, Format, Page, Reader, Times, write};
use tidemark_point::line::{self, Dialect};
use tidemark_point::{
    Adjustments, Declarations, DeclaredField, Kind, Omission, Point, Timestamp, Value, prometheus_label,
    prometheus_name,
};
use tidemark_testkit::{Run, promtool};

/// Names that fall together when they are made valid, and when suffixes are added.
fn name() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", "B", "x", "_", "__", ".", ":", "1", " ", "é", "_total", "_created", "_count", "_sum",
        "_bucket", "_info", "_seconds", "total", "value", "time", "le", "quantile", "\\", "\"",
    ]);
    vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn tag_value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,2}".prop_map(String::from),
        prop::sample::select(vec![
            "\\", "\"", "\\n", "}", ",", "=", " # ", "é", "\u{1}", "{", "#"
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        2 => any::<i64>().prop_map(Value::Int),
        1 => any::<u64>().prop_map(Value::Uint),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::from("text")),
    ]
}

prop_compose! {
    fn point()(
        measurement in name(),
        tags in vec((name(), tag_value()), 0..3),
        fields in vec((name(), value()), 1..4),
        time in prop_oneof![any::<i64>(), 0_i64..4],
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

fn points() -> impl Strategy<Value = Vec<Point>> {
    vec(point().prop_filter_map("refused", |point| point), 0..12)
}

/// Declares some of the fields, in some way.
fn declare(points: &[Point], choices: &[u8]) -> Declarations {
    let mut declarations = Declarations::new();
    let fields = points
        .iter()
        .flat_map(|point| point.fields().map(|field| (point.measurement(), field.0)));
    for ((measurement, field), choice) in fields.zip(choices.iter().cycle()) {
        if choice % 4 == 0 {
            continue;
        }
        let declared = DeclaredField {
            kind: if choice % 4 == 1 {
                Kind::Counter
            } else {
                Kind::Gauge
            },
            unit: (choice & 8 != 0).then(|| "seconds".into()),
            help: if choice & 16 != 0 {
                "Help \"with\" \\ and\nmore\r\u{7}.".into()
            } else {
                "".into()
            },
        };
        declarations.declare_field(measurement, field, declared);
    }
    declarations
}

type Labels = Vec<(String, String)>;
type Sample = (String, Labels, u64, Option<i64>);

/// The samples of a page, which the strict reader must take.
fn read(page: &Page, format: Format) -> Vec<Sample> {
    let mut samples = Vec::new();
    for entry in Reader::new(&page.text, format) {
        let entry = entry.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&page.text)));
        if let Entry::Sample(sample) = entry {
            let labels = sample
                .labels()
                .map(|(label, value)| (label.into_owned(), value.into_owned()))
                .collect();
            let time = sample.time.map(Timestamp::nanos);
            samples.push((sample.name().to_owned(), labels, sample.value.to_bits(), time));
        }
    }
    samples
}

#[expect(clippy::cast_precision_loss, reason = "as a reader of the text does")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        Value::Int(int) => Some(*int as f64),
        Value::Uint(uint) => Some(*uint as f64),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(_) => None,
    }
}

/// All that the points could become.
fn possible(points: &[Point], declarations: &Declarations) -> BTreeSet<(String, Labels, u64, i64)> {
    let mut all = BTreeSet::new();
    for point in points {
        let mut labels: Labels = point
            .tags()
            .filter(|tag| tag.0 != "time")
            .map(|(key, value)| (prometheus_label(key).into_owned(), value.to_owned()))
            .collect();
        labels.sort();
        for (field, value) in point.fields() {
            let kind = declarations
                .field(point.measurement(), field)
                .map_or(Kind::Gauge, |declared| declared.kind);
            if let Some(number) = number(value) {
                let name = prometheus_name(point.measurement(), field, kind);
                all.insert((name, labels.clone(), number.to_bits(), point.time().nanos()));
            }
        }
    }
    all
}

fn values(points: &[Point]) -> u64 {
    points.iter().flat_map(Point::fields).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_strict_reader_takes_what_is_written(points in points(), choices in vec(any::<u8>(), 1..8)) {
        let declarations = declare(&points, &choices);
        let possible = possible(&points, &declarations);
        for (format, times) in [
            (Format::OpenMetrics, Times::Keep),
            (Format::OpenMetrics, Times::Leave),
            (Format::Prometheus, Times::Keep),
            (Format::Prometheus, Times::Leave),
        ] {
            let page = write(&points, &declarations, format, times);
            let samples = read(&page, format);
            prop_assert_eq!(samples.len(), page.samples);
            for (name, labels, bits, time) in &samples {
                let same_time = |nanos: i64| match (time, format) {
                    (None, _) => times == Times::Leave,
                    (Some(time), Format::OpenMetrics) => *time == nanos,
                    (Some(time), Format::Prometheus) => time.div_euclid(1_000_000) == nanos.div_euclid(1_000_000),
                };
                let from = (name.clone(), labels.clone(), *bits, i64::MIN)..=(name.clone(), labels.clone(), *bits, i64::MAX);
                prop_assert!(possible.range(from).any(|sample| same_time(sample.3)), "{name} {labels:?}");
            }
            let left_out: u64 = Omission::ALL.into_iter().map(|reason| page.left_out.count(reason)).sum();
            prop_assert_eq!(values(&points), page.samples as u64 + left_out);
            if times == Times::Leave || format == Format::Prometheus {
                let series: BTreeSet<_> = samples.iter().map(|sample| (&sample.0, &sample.1)).collect();
                prop_assert_eq!(series.len(), samples.len(), "a series has one sample");
            }

            let text = line::write(&points, Dialect::V2);
            let lines: Vec<_> = line::read(&text).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(write(&lines, &declarations, format, times), page);
        }
    }

    #[test]
    fn lines_of_others_are_pages_too(text in line_text(), choice in any::<u8>()) {
        let lines: Vec<_> = line::read(text.as_bytes()).filter_map(Result::ok).collect();
        let mut declarations = Declarations::new();
        for line in &lines {
            for (field, _) in line.fields().iter().filter(|_| choice % 2 == 0) {
                let kind = if choice & 2 == 0 { Kind::Counter } else { Kind::Gauge };
                let declared = DeclaredField { kind, unit: None, help: text.as_str().into() };
                declarations.declare_field(&line.measurement(), field, declared);
            }
        }
        for format in [Format::OpenMetrics, Format::Prometheus] {
            let page = write(&lines, &declarations, format, Times::Keep);
            prop_assert_eq!(read(&page, format).len(), page.samples);
        }
        let compact = declarations.to_string();
        prop_assert_eq!(compact.parse(), Ok(declarations));
    }
}

/// Lines, most of them good, of what means something somewhere.
fn line_text() -> impl Strategy<Value = String> {
    let piece = || {
        prop::sample::select(vec![
            "a", "b", "_", "1", "\\", "\\,", "\\ ", "\\=", "\"", "é", "\u{1}", "\u{7f}", "\r", "\t", "\n",
            "{", "}", "#", " # ", "time", "value", ",", "=", "total",
        ])
    };
    let text = move || vec(piece(), 1..3).prop_map(|pieces| pieces.concat());
    let number = prop::sample::select(vec!["1", "-1i", "2u", "t", "\"x\"", "1e300", "-0", "\"\n\"", "x"]);
    let line = (text(), text(), text(), text(), number, 0..4_i64).prop_map(
        |(measurement, key, value, field, number, time)| {
            format!("m{measurement},k{key}=v{value} {field}={number},f=1i {time}\n")
        },
    );
    vec(line, 1..8).prop_map(|lines| lines.concat())
}

/// A page with every kind of field, label and number that a source may bring.
fn wide() -> (Vec<Point>, Declarations) {
    let lines = "net,if=eth0,path=C:\\DIR\\x,q=\"é\" rx_bytes=12u,up=true,age_seconds=0.5,err=1i 1700000000000000000\n\
                 net,if=eth1,a.b=1 rx_bytes=18446744073709551615u,up=false,age_seconds=1e-310 1700000000000000001\n\
                 net,if=eth0,path=C:\\DIR\\x,q=\"é\" rx_bytes=13u,err=-1i 1700000001123456789\n\
                 queue,le=0.5,quantile=0.9 count=3i,sum=4.5,oldest_age=7i,name=\"text\" -1\n\
                 queue total=1i 0\n";
    let declarations = "net\tAn interface.\n\
                        \tage_seconds\tgauge\tseconds\tSince it came up.\n\
                        \terr\tcounter\t\tErrors \"of\" any\\nkind \\\\.\n\
                        \trx_bytes\tcounter\tbytes\tBytes received.\n\
                        \tup\tgauge\t\tWhether it is up.\n\
                        queue\tA queue.\n\
                        \tcount\tgauge\t\tThose in it.\n\
                        \toldest_age\tgauge\td\tAge of the oldest.\n\
                        \tsum\tgauge\t\tTheir sum.\n\
                        \ttotal\tgauge\t\tAll of them.\n";
    let points = line::parse(lines.as_bytes()).collect::<Result<_, _>>().unwrap();
    (points, declarations.parse().unwrap())
}

#[test]
fn promtool_has_nothing_to_say_of_a_textfile() {
    let (points, declarations) = wide();
    let page = write(&points, &declarations, Format::Prometheus, Times::Leave);
    let ended = promtool::check_metrics(page.text.clone());
    // `le` and `quantile` are labels like others here, and promtool's lint would rather they were not.
    let said: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| !line.contains("label"))
        .collect();
    assert_eq!(
        said,
        Vec::<&str>::new(),
        "{}",
        String::from_utf8_lossy(&page.text)
    );

    let plain: Vec<Point> = points
        .into_iter()
        .filter(|point| point.tag("le").is_none())
        .collect();
    for times in [Times::Leave, Times::Keep] {
        let page = write(&plain, &declarations, Format::Prometheus, times);
        let ended = promtool::check_metrics(page.text);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn promtool_parses_whatever_is_written() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    for case in 0..12 {
        // Many points in few pages: a start of promtool takes longer than its work.
        let points = vec(point(), 60..61).new_tree(&mut runner).unwrap().current();
        let points: Vec<Point> = points.into_iter().flatten().collect();
        let declarations = declare(&points, &[case, 1, 18, 3, 7]);
        let page = write(&points, &declarations, Format::Prometheus, Times::Keep);
        let ended = promtool::check_metrics(page.text.clone());
        assert!(
            matches!(ended.code, Some(0 | 3)),
            "{}\n{}",
            ended.stderr,
            String::from_utf8_lossy(&page.text)
        );
    }
}

#[test]
fn the_reader_finds_types_units_and_help_again() {
    let (points, declarations) = wide();
    let page = write(&points, &declarations, Format::OpenMetrics, Times::Keep);
    let (mut types, mut units, mut helps) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for entry in Reader::new(&page.text, Format::OpenMetrics) {
        match entry.unwrap() {
            Entry::Type { family, family_type } => drop(types.insert(family.into_owned(), family_type)),
            Entry::Unit { family, unit } => drop(units.insert(family.into_owned(), unit.to_owned())),
            Entry::Help { family, help } => drop(helps.insert(family.into_owned(), help.into_owned())),
            Entry::Sample(_) | Entry::Eof => {}
        }
    }
    assert_eq!(types["net_rx_bytes"], FamilyType::Counter);
    assert_eq!(types["queue_count"], FamilyType::Gauge);
    assert_eq!(types["queue_total"], FamilyType::Gauge);
    let expected = [("net_age_seconds", "seconds"), ("net_rx_bytes", "bytes")];
    assert_eq!(
        units,
        BTreeMap::from(expected.map(|(family, unit)| (family.to_owned(), unit.to_owned())))
    );
    assert_eq!(helps["net_err"], "Errors \"of\" any\nkind \\.");
    assert_eq!(helps["queue_oldest_age"], "Age of the oldest. Unit: d.");
}

#[test]
fn prometheus_stores_what_a_page_of_openmetrics_says() {
    let declarations =
        "net\tAn interface.\n\trx_bytes\tcounter\tbytes\tBytes.\n\tage\tgauge\td\tA \"b\" \\\\ c\\nd.\n";
    let declarations: Declarations = declarations.parse().unwrap();
    let base = 1_700_000_000_000_000_000_i64;
    let (mut points, mut expected) = (Vec::new(), BTreeSet::new());
    // The newest first: each series is in order in the page.
    for number in (0..60_u8).rev() {
        let index = i64::from(number);
        // Digits beyond milliseconds, which Prometheus cuts.
        let time = base + index * 7_000_000 + index * 12_345;
        let (host, age) = (
            ["a\"b", "C:\\x", "é }"][usize::from(number % 3)],
            0.1 + f64::from(number),
        );
        let point = Point::builder("net")
            .tag("host", host)
            .tag("Zone", "z, \"y\"=1")
            .field("rx_bytes", index * 1_000_000_007)
            .field("age", age)
            .field("up", index % 2 == 0)
            .time(Timestamp::from_nanos(time).unwrap());
        points.push(point.build(&mut Adjustments::default()).unwrap());
        for (name, value) in [
            ("net_rx_bytes_total", (index * 1_000_000_007) as f64),
            ("net_age", age),
            ("net_up", f64::from(u8::from(index % 2 == 0))),
        ] {
            let labels = format!("{{Zone={:?}, __name__={name:?}, host={host:?}}}", "z, \"y\"=1");
            expected.insert((labels, value.to_bits(), time / 1_000_000));
        }
    }
    let page = write(&points, &declarations, Format::OpenMetrics, Times::Keep);
    assert!(page.left_out.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let (file, blocks) = (folder.path().join("page"), folder.path().join("blocks"));
    std::fs::write(&file, &page.text).unwrap();
    std::fs::create_dir_all(blocks.join("wal")).unwrap();
    let create = Run::new("promtool").args(["tsdb", "create-blocks-from", "openmetrics"]);
    create.arg(&file).arg(&blocks).run().expect_code(0);
    let dump = Run::new("promtool")
        .args(["tsdb", "dump"])
        .arg(&blocks)
        .run()
        .expect_code(0);
    let sample = |line: &str| {
        let (labels, rest) = line.rsplit_once("} ").unwrap();
        let (value, time) = rest.split_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        (
            format!("{labels}}}"),
            value.to_bits(),
            time.parse::<i64>().unwrap(),
        )
    };
    assert_eq!(dump.stdout.lines().map(sample).collect::<BTreeSet<_>>(), expected);
}
