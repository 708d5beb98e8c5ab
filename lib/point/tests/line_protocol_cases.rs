//! The cases that break writers of line protocol: what becomes of each, on literals. A new case goes here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests fail loudly, as tests do"
)]

use std::panic::catch_unwind;

use tidemark_point::line::{self, Dialect};
use tidemark_point::{
    Adjustments, FieldSchema, FieldType, Kind, MAX_KEY_BYTES, MAX_STRING_BYTES, Point, PointBuilder,
    PointError, Schema, SchemaError, TagSchema, Timestamp, Value, merge_duplicates,
};

fn point(measurement: &'static str) -> PointBuilder {
    Point::builder(measurement).time(Timestamp::EPOCH)
}

/// The line of a point that is built, and what building it changed.
fn line_of(builder: PointBuilder) -> (String, Adjustments) {
    let mut adjustments = Adjustments::default();
    let point = builder.build(&mut adjustments).unwrap();
    let line = String::from_utf8(line::write(std::slice::from_ref(&point), Dialect::V2)).unwrap();
    let read: Vec<Point> = line::parse(line.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(read, [point], "{line}");
    (line, adjustments)
}

fn line_alone(builder: PointBuilder) -> String {
    let (line, adjustments) = line_of(builder);
    assert!(adjustments.is_empty(), "{line}: {adjustments}");
    line
}

fn refused(builder: PointBuilder) -> PointError {
    let mut adjustments = Adjustments::default();
    let error = builder.build(&mut adjustments).unwrap_err();
    assert_eq!(adjustments.refused, 1);
    error
}

#[test]
fn float_nan_and_infinite() {
    let (line, adjustments) = line_of(
        point("m")
            .field("a", f64::NAN)
            .field("b", f64::INFINITY)
            .field("c", f64::NEG_INFINITY)
            .field("d", 1.5),
    );
    assert_eq!(line, "m d=1.5 0\n");
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.non_finite = 3)
    );
    let error = refused(point("m").field("a", f64::NAN));
    assert_eq!(
        error,
        PointError::NoFields {
            measurement: "m".into()
        }
    );
}

#[test]
fn empty_tag_value() {
    let (line, adjustments) = line_of(point("m").tag("a", "").tag("b", "x").field("v", true));
    assert_eq!(line, "m,b=x v=true 0\n");
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.empty_tags = 1)
    );
}

#[test]
fn empty_measurement_tag_key_or_field_key() {
    assert_eq!(refused(point("").field("v", 1.0)), PointError::EmptyMeasurement);
    assert_eq!(
        refused(point("m").field("", 1.0).field("v", 1.0)),
        PointError::EmptyFieldKey {
            measurement: "m".into()
        }
    );
    let (line, adjustments) = line_of(point("m").tag("", "x").field("v", 1.0));
    assert_eq!(line, "m v=1.0 0\n");
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.empty_tags = 1)
    );
}

#[test]
fn tag_key_or_value_that_ends_in_a_backslash() {
    let (line, adjustments) = line_of(
        point("m\\")
            .tag("k\\", "C:\\")
            .tag("share", "\\\\host\\d\\\\")
            .field("f\\", 1_i64),
    );
    assert_eq!(line, "m/,k/=C:/,share=\\\\host\\d\\/ f/=1i 0\n");
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.replaced = 5)
    );
    assert_eq!(
        line_alone(point("a\\b").tag("c\\d", "e\\f").field("g\\h", 1_i64)),
        "a\\b,c\\d=e\\f g\\h=1i 0\n"
    );
}

#[test]
fn backslash_before_what_is_escaped() {
    // In tags all readers agree,
    assert_eq!(
        line_alone(point("m").tag("c\\=d", "e\\,f\\ g").field("v", 1_i64)),
        "m,c\\\\=d=e\\\\,f\\\\ g v=1i 0\n"
    );
    // but InfluxDB takes such a space for the end of the tags when it looks for strings.
    let (line, adjustments) = line_of(point("m").tag("a", "b\\ c\\,d").tag("e", "\"").field("v", 1_i64));
    assert_eq!(line, "m,a=b/\\ c\\\\,d,e=\" v=1i 0\n");
    assert_eq!(adjustments.replaced, 1);
    // In field keys it takes two backslashes for one thing, and a quote for escaped; in measurements it
    // writes another number of them than it reads.
    let names = [
        ("a\\ b", "a/\\ b", "a/\\ b"),
        ("a\\\\ b", "a\\\\\\ b", "a\\/\\ b"),
        ("a\\\\=b", "a\\\\\\=b", "a\\/=b"),
        ("a\\\\\\,b", "a\\\\/\\,b", "a\\\\/\\,b"),
        ("a\\\"b", "a/\"b", "a/\"b"),
    ];
    for (name, field_key, measurement) in names {
        assert_eq!(
            line_of(point("m").field(name, 1_i64)).0,
            format!("m {field_key}=1i 0\n")
        );
        assert_eq!(
            line_of(point(name).field("v", 1_i64)).0,
            format!("{measurement} v=1i 0\n")
        );
    }
}

#[test]
fn newline_cr_and_tab_in_measurement_tag_and_field_key() {
    let (line, adjustments) = line_of(
        point("a\nb v=1 0\nc")
            .tag("d\re", "f\r\ng")
            .tag("h\ti", "j\0k\u{b}l\u{c}m")
            .field("n\no", 1_i64),
    );
    assert_eq!(
        line,
        "a\\ b\\ v=1\\ 0\\ c,d\\ e=f\\ \\ g,h\\ i=j\\ k\\ l\\ m n\\ o=1i 0\n"
    );
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.replaced = 6)
    );
    // Other control characters stay in tag values, and nowhere else.
    let (line, _) = line_of(point("a\u{1}").tag("b\u{1f}", "c\u{1}").field("d\u{7f}", 1_i64));
    assert_eq!(line, "a\\ ,b\\ =c\u{1} d\\ =1i 0\n");
}

#[test]
fn newline_in_a_string_field() {
    let (line, adjustments) = line_of(point("m").field("v", "a\nb\r\nc\td"));
    assert_eq!(line, "m v=\"a\\\\nb\\\\r\\\\nc\td\" 0\n");
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.replaced = 1)
    );
}

#[test]
fn space_comma_equals() {
    assert_eq!(
        line_alone(
            point("a b,c=d\"e")
                .tag("f g,h=i\"j", "k l,m=n\"o")
                .field("p q,r=s\"t", 1_i64)
        ),
        "a\\ b\\,c=d\"e,f\\ g\\,h\\=i\"j=k\\ l\\,m\\=n\"o p\\ q\\,r\\=s\"t=1i 0\n"
    );
    assert_eq!(
        line_alone(point(" ").tag(" ", " ").field(" ", 1_i64)),
        "\\ ,\\ =\\  \\ =1i 0\n"
    );
    assert_eq!(
        line_alone(point("größe").tag("ß", "日本").field("é", 1_i64)),
        "größe,ß=日本 é=1i 0\n"
    );
}

#[test]
fn string_field() {
    assert_eq!(
        line_alone(point("m").field("v", "say \"hi\", a=b \\o/")),
        "m v=\"say \\\"hi\\\", a=b \\\\o/\" 0\n"
    );
    assert_eq!(line_alone(point("m").field("v", "")), "m v=\"\" 0\n");
    for backslashes in 1..=6 {
        let text = "\\".repeat(backslashes);
        let line = line_alone(
            point("m")
                .field("v", text.clone())
                .field("w", format!("{text}\"{text}n")),
        );
        assert_eq!(
            line,
            format!("m v=\"{text}{text}\",w=\"{text}{text}\\\"{text}{text}n\" 0\n")
        );
    }
}

#[test]
fn string_over_64_kib() {
    let longest = "x".repeat(MAX_STRING_BYTES);
    assert_eq!(
        line_alone(point("m").field("v", longest.clone())),
        format!("m v=\"{longest}\" 0\n")
    );
    // The euro sign has three bytes, and 65536 = 3 × 21845 + 1.
    let (line, adjustments) = line_of(point("m").field("v", "€".repeat(21_846)));
    assert_eq!(line, format!("m v=\"{}\" 0\n", "€".repeat(21_845)));
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.cut_strings = 1)
    );
    // Tags that are as long would make a series that cannot be stored.
    let error = refused(point("m").tag("t", longest).field("v", 1.0));
    assert_eq!(
        error,
        PointError::KeyTooLong {
            measurement: "m".into(),
            bytes: 65_545
        }
    );
    let fitting = "x".repeat(MAX_KEY_BYTES - "m,t=#!~#v".len());
    line_alone(point("m").tag("t", fitting.clone()).field("v", 1.0));
    let mut full = point("m")
        .tag("t", fitting)
        .field("v", 1.0)
        .build(&mut Adjustments::default())
        .unwrap();
    full.add_tag("u", "x");
    assert_eq!(full.tag("u"), None);
}

#[test]
fn integers() {
    let line = line_alone(
        point("m")
            .field("a", i64::MIN)
            .field("b", i64::MAX)
            .field("c", 0_u64)
            .field("d", u64::MAX)
            .field("e", -1),
    );
    assert_eq!(
        line,
        "m a=-9223372036854775808i,b=9223372036854775807i,c=0u,d=18446744073709551615u,e=-1i 0\n"
    );
    let unsigned = point("m")
        .field("a", u64::MAX)
        .field("b", i64::MAX as u64)
        .field("c", 7_u64)
        .build(&mut Adjustments::default())
        .unwrap();
    let line = line::write(&[unsigned], Dialect::V1);
    assert_eq!(line, b"m a=9223372036854775807i,b=9223372036854775807i,c=7i 0\n");
}

const DISK: &Schema = &Schema {
    measurement: "disk",
    help: "A disk.",
    tags: &[TagSchema {
        name: "path",
        help: "Where it is.",
    }],
    fields: &[gauge("used", FieldType::Float), gauge("inodes", FieldType::Uint)],
};

const fn gauge(name: &'static str, field_type: FieldType) -> FieldSchema {
    FieldSchema {
        name,
        kind: Kind::Gauge,
        field_type,
        unit: None,
        help: "A number.",
    }
}

#[test]
fn one_field_two_types() {
    let conforms =
        |builder: PointBuilder| DISK.conforms(&builder.build(&mut Adjustments::default()).unwrap());
    assert_eq!(
        conforms(
            point("disk")
                .tag("path", "/")
                .field("used", 0.5)
                .field("inodes", 1_u64)
        ),
        Ok(())
    );
    assert_eq!(conforms(point("disk").field("used", 0.5)), Ok(()));
    let error = conforms(point("disk").field("used", 1_i64)).unwrap_err();
    let (declared, found) = (FieldType::Float, FieldType::Int);
    assert_eq!(
        error,
        SchemaError::FieldType {
            measurement: "disk",
            field: "used",
            declared,
            found
        }
    );
    assert_eq!(
        error.to_string(),
        "the field \"used\" of \"disk\" is declared as float, and a point has it as int"
    );
    assert_eq!(
        conforms(point("disk").field("free", 0.5)).unwrap_err(),
        SchemaError::UndeclaredField {
            measurement: "disk",
            field: "free".into()
        }
    );
    assert_eq!(
        conforms(point("disk").tag("host", "a").field("used", 0.5)).unwrap_err(),
        SchemaError::UndeclaredTag {
            measurement: "disk",
            tag: "host".into()
        }
    );
    assert_eq!(
        conforms(point("cpu").field("used", 0.5)).unwrap_err(),
        SchemaError::Measurement {
            declared: "disk",
            found: "cpu".into()
        }
    );
}

#[test]
fn leading_hash_in_a_measurement() {
    assert_eq!(
        refused(point("#m").field("v", 1.0)),
        PointError::Comment {
            measurement: "#m".into()
        }
    );
    assert_eq!(
        line_alone(point("m#").tag("#", "#").field("#", 1_i64)),
        "m#,#=# #=1i 0\n"
    );
    assert_eq!(line_alone(point(" #").field("v", 1_i64)), "\\ # v=1i 0\n");
}

/// What a declaration is refused with, if it is.
fn declared(schema: Schema) -> Option<String> {
    let panic = catch_unwind(move || schema.check()).err()?;
    panic.downcast_ref::<&str>().map(|message| (*message).to_owned())
}

#[test]
fn keys_field_and_measurement_and_names_that_begin_with_an_underscore() {
    let own = Some("names that begin with _ are InfluxDB's own".to_owned());
    assert_eq!(declared(DISK.clone()), None);
    assert_eq!(
        declared(Schema {
            measurement: "_internal",
            ..DISK.clone()
        }),
        own
    );
    assert_eq!(
        declared(Schema {
            tags: &[TagSchema {
                name: "_measurement",
                help: ""
            }],
            ..DISK.clone()
        }),
        own
    );
    assert_eq!(
        declared(Schema {
            fields: const { &[gauge("_field", FieldType::Int)] },
            ..DISK.clone()
        }),
        own
    );
    let other = [
        (
            Schema {
                measurement: "",
                ..DISK.clone()
            },
            "a declared name is empty",
        ),
        (
            Schema {
                measurement: "#m",
                ..DISK.clone()
            },
            "a measurement that begins with # would be a comment in line protocol",
        ),
        (
            Schema {
                fields: &[],
                ..DISK.clone()
            },
            "a measurement needs a field",
        ),
        (
            Schema {
                fields: const { &[gauge("a\tb", FieldType::Int)] },
                ..DISK.clone()
            },
            "a declared name contains a control character or a backslash",
        ),
        (
            Schema {
                fields: const { &[gauge("a", FieldType::Int), gauge("a", FieldType::Int)] },
                ..DISK.clone()
            },
            "two fields have the same name",
        ),
        (
            Schema {
                fields: const { &[gauge("path", FieldType::Int)] },
                ..DISK.clone()
            },
            "a tag and a field have the same name",
        ),
    ];
    for (schema, message) in other {
        assert_eq!(declared(schema), Some(message.to_owned()));
    }
}

#[test]
fn key_time() {
    let hidden = Some("a tag or field called time hides the point's time".to_owned());
    assert_eq!(
        declared(Schema {
            fields: const { &[gauge("time", FieldType::Int)] },
            ..DISK.clone()
        }),
        hidden
    );
    assert_eq!(
        declared(Schema {
            tags: &[TagSchema {
                name: "time",
                help: ""
            }],
            ..DISK.clone()
        }),
        hidden
    );

    let mut adjustments = Adjustments::default();
    let brought = point("m")
        .tag("a", "x")
        .tag("time", "noon")
        .field("time", 12)
        .field("v", 1)
        .field("z", 2);
    let point_with_time = brought.build(&mut adjustments).unwrap();
    assert_eq!(point_with_time.tag("time"), Some("noon"));
    assert_eq!(point_with_time.field("time"), Some(&Value::Int(12)));
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.time_keys = 2)
    );
    let points = [point_with_time];
    assert_eq!(line::write(&points, Dialect::V1), b"m,a=x v=1i,z=2i 0\n");
    let text = line::write(&points, Dialect::V2);
    assert_eq!(text, b"m,a=x time=12i,v=1i,z=2i 0\n");
    let read = line::parse(&text).next().unwrap().unwrap();
    assert_eq!(read.field("time"), Some(&Value::Int(12)));
    assert!(read.fields().eq(points[0].fields()));
    for neighbour in ["time2", "xtime", "Time", "ti me"] {
        let point = point("m").field(neighbour, 1).build(&mut adjustments).unwrap();
        let line = String::from_utf8(line::write(&[point], Dialect::V1)).unwrap();
        assert_eq!(line, format!("m {}=1i 0\n", neighbour.replace(' ', "\\ ")));
    }
    assert_eq!(
        refused(point("m").field("time", 12)),
        PointError::NoFields {
            measurement: "m".into()
        }
    );
}

#[test]
fn time() {
    let at = |nanos| {
        line_alone(
            Point::builder("m")
                .field("v", 1_i64)
                .time(Timestamp::from_nanos(nanos).unwrap()),
        )
    };
    assert_eq!(at(1_700_000_000_123_456_789), "m v=1i 1700000000123456789\n");
    assert_eq!(at(-1), "m v=1i -1\n");
    assert_eq!(at(i64::MIN + 2), "m v=1i -9223372036854775806\n");
    assert_eq!(at(i64::MAX - 1), "m v=1i 9223372036854775806\n");
    for nanos in [i64::MIN, i64::MIN + 1, i64::MAX] {
        assert_eq!(Timestamp::from_nanos(nanos), None);
        let error = line::parse_line(&format!("m v=1 {nanos}")).unwrap_err();
        assert_eq!(
            (error.column, error.kind),
            (7, line::LineErrorKind::TimeOutOfRange)
        );
    }
    assert_eq!(
        refused(Point::builder("m").field("v", 1.0)),
        PointError::NoTime {
            measurement: "m".into()
        }
    );
}

#[test]
fn two_points_with_the_same_measurement_tags_and_time_in_one_batch() {
    let mut adjustments = Adjustments::default();
    let build = |builder: PointBuilder| builder.build(&mut Adjustments::default()).unwrap();
    let mut points = vec![
        build(point("m").tag("a", "x").tag("b", "y").field("v", 1).field("w", 1)),
        build(point("m").tag("a", "x").field("v", 2)),
        build(point("m").tag("b", "y").tag("a", "x").field("v", 3).field("u", 3)),
        build(
            Point::builder("m")
                .tag("a", "x")
                .field("v", 4)
                .time(Timestamp::MAX),
        ),
        build(point("m").tag("a", "x").field("v", 2)),
    ];
    merge_duplicates(&mut points, &mut adjustments);
    let lines = String::from_utf8(line::write(&points, Dialect::V1)).unwrap();
    assert_eq!(
        lines,
        "m,a=x,b=y u=3i,v=3i,w=1i 0\nm,a=x v=2i 0\nm,a=x v=4i 9223372036854775806\n"
    );
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| (counts.merged, counts.overwritten) = (2, 1))
    );
}

#[test]
fn order_of_tags_and_floats() {
    // By bytes: capitals, then small letters, then what is not ASCII; and by the key alone.
    let (line, adjustments) = line_of(
        point("m")
            .tag("b", "1")
            .tag("é", "2")
            .tag("B", "3")
            .tag("a b", "4")
            .tag("a", "5")
            .tag("b", "6")
            .field("v", 1),
    );
    assert_eq!(line, "m,B=3,a=5,a\\ b=4,b=6,é=2 v=1i 0\n");
    assert_eq!(
        adjustments,
        Adjustments::default().tap(|counts| counts.repeated = 1)
    );

    let floats = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1.0 / 3.0, "0.3333333333333333"),
        (1e22, "1e+22"),
        (123_456_789.0, "123456789.0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN, "-1.7976931348623157e+308"),
        (2f64.powi(53) + 2.0, "9007199254740994.0"),
    ];
    for (float, text) in floats {
        let line = line_alone(point("m").field("v", float));
        assert_eq!(line, format!("m v={text} 0\n"));
        let read = line::parse_line(&line).unwrap();
        let [(_, line::BorrowedValue::Float(read))] = read.fields() else {
            panic!("{line}")
        };
        assert_eq!(read.to_bits(), float.to_bits(), "{line}");
    }
}

/// Changes a value in an expression.
trait Tap: Sized {
    fn tap<T>(mut self, change: impl FnOnce(&mut Self) -> T) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Adjustments {}
