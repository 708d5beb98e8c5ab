use proptest::prelude::*;
use tidemark_point::{Adjustments, Timestamp};

use super::*;

fn point(tag: &str, text: &str, number: u64, float: f64) -> Point {
    Point::builder("m u=1u")
        .tag("t u", tag)
        .field("a=1u,", number)
        .field("s", text)
        .field("z", float)
        .field("true", true)
        .time(Timestamp::from_secs(7).unwrap())
        .build(&mut Adjustments::default())
        .unwrap()
}

#[test]
fn unsigned_integers_become_signed_ones() {
    assert_eq!(
        to_v1(b"m,t=1u a=1u,b=\"1u,c=2u \\\" 3u\",c=18446744073709551615u,d=9223372036854775807u,e=t 5\n"),
        b"m,t=1u a=1i,b=\"1u,c=2u \\\" 3u\",c=9223372036854775807i,d=9223372036854775807i,e=t 5\n"
    );
}

#[test]
fn fields_called_time_are_left_out() {
    for (v2, v1) in [
        ("m time=5i,v=1 7", "m v=1 7"),
        ("m a=1,time=5i,v=1u 7", "m a=1,v=1i 7"),
        ("m a=1,time=5i 7", "m a=1 7"),
        (
            "m,t=x a=\"time=1\",time=18446744073709551615u 7",
            "m,t=x a=\"time=1\" 7",
        ),
        ("m a=1,time=\"x, \\\",time=1 y\",v=2 7", "m a=1,v=2 7"),
        ("m a=1,time=\"x, \\\\\" 7", "m a=1 7"),
        ("m time=t,v=\",time=1i,\" 7", "m v=\",time=1i,\" 7"),
        (
            "m time=1i,time2=2i,xtime=3i,Time=4i 7",
            "m time2=2i,xtime=3i,Time=4i 7",
        ),
        (
            "m a\\,time=1i,b\\ time=2i,c\\=time=3i 7",
            "m a\\,time=1i,b\\ time=2i,c\\=time=3i 7",
        ),
        (
            "time,b=1\\ time\\=2 time\\ =1i,v=time 7",
            "time,b=1\\ time\\=2 time\\ =1i,v=time 7",
        ),
        // None of ours: without the field there would be no line.
        ("m time=5i 7", "m time=5i 7"),
        ("m a=1,time=5i", "m a=1"),
    ] {
        let lines = |line: &str| format!("{line}\nm z=1 8\n{line}\n");
        assert_eq!(String::from_utf8(to_v1(lines(v2).as_bytes())).unwrap(), lines(v1));
    }
}

fn timed(first: bool, last: bool) -> Point {
    let mut builder = Point::builder("node.summary.drive").field("time", 1_700_000_000_i64);
    if first {
        builder = builder.field("busy", 0.5);
    }
    if last {
        builder = builder.field("xfers_in", 2.0);
    }
    let time = Timestamp::from_secs(7).unwrap();
    builder.time(time).build(&mut Adjustments::default()).unwrap()
}

#[test]
fn a_body_with_fields_called_time_is_rewritten_for_influxdb_1_alone() {
    let points = [timed(true, true), timed(false, true), timed(true, false)];
    let style = Style {
        dialect: Dialect::V2,
        packed: Encoding::Gzip,
        in_order: false,
    };
    let body = bodies(&[&points], style).unwrap().remove(0);
    assert!(body.v2_only);
    let sent = |dialect| {
        let payload = Payload::of(body.text().unwrap(), body.v2_only, dialect, false).unwrap();
        String::from_utf8(payload.bytes).unwrap()
    };
    assert_eq!(
        sent(Dialect::V2),
        "node.summary.drive busy=0.5,time=1700000000i,xfers_in=2.0 7000000000\n\
         node.summary.drive time=1700000000i,xfers_in=2.0 7000000000\n\
         node.summary.drive busy=0.5,time=1700000000i 7000000000\n"
    );
    let without = sent(Dialect::V1);
    assert_eq!(without.as_bytes(), line::write(&points, Dialect::V1));
    assert!(!without.contains("time="), "{without}");
    // Nothing is left to rewrite where it is written so.
    let style = Style {
        dialect: Dialect::V1,
        ..style
    };
    let body = bodies(&[&points], style).unwrap().remove(0);
    assert_eq!(
        (body.text().unwrap().into_owned(), body.v2_only),
        (without.into_bytes(), false)
    );
}

#[test]
fn a_run_of_very_many_points_is_several_bodies() {
    let points: Vec<Point> = (0..25_001).map(|number| point("x", "", number, 1.0)).collect();
    let style = Style {
        dialect: Dialect::V2,
        packed: Encoding::Gzip,
        in_order: false,
    };
    // However they are given.
    let bodies: Vec<Body> = bodies(&[&points[..9_999], &[], &points[9_999..]], style).unwrap();
    assert_eq!(
        bodies.iter().map(|body| body.points).collect::<Vec<_>>(),
        [10_000, 10_000, 5_001]
    );
    let text: Vec<u8> = bodies
        .iter()
        .flat_map(|body| body.text().unwrap().into_owned())
        .collect();
    assert!(text == line::write(&points, Dialect::V2));
}

#[test]
fn small_bodies_are_plain_and_others_as_their_sinks_want() {
    let influx = SinkKind::Influxdb(tidemark_settings::InfluxdbSettings {
        url: "http://127.0.0.1:1".parse().unwrap(),
        database: "d".into(),
        username: None,
        password: None,
        retention_policy: None,
        ca_file: None,
        insecure_skip_verify: false,
    });
    let few = [point("x", "", 1, 1.0)];
    let many: Vec<Point> = (0..100).map(|number| point("x", "", number, 1.0)).collect();
    let one = |points: &[Point], kinds: &[&SinkKind]| {
        let body = bodies(&[points], Style::of(kinds.iter().copied()))
            .unwrap()
            .remove(0);
        (body.encoding, body.v2_only)
    };
    assert_eq!(one(&few, &[&influx]), (Encoding::Plain, false));
    assert_eq!(one(&many, &[&influx]), (Encoding::Gzip, false));
    assert_eq!(one(&many, &[&influx, &SinkKind::Store]), (Encoding::Gzip, true));
    assert_eq!(one(&many, &[&SinkKind::Store]), (Encoding::Zstd, true));
}

#[test]
fn a_damaged_body_is_an_error_and_no_bomb() {
    let packed = gzip(&vec![b'x'; 1_000_000]).unwrap();
    let body = Body {
        points: 1,
        encoding: Encoding::Gzip,
        v2_only: false,
        length: 10,
        bytes: packed,
    };
    assert!(body.text().is_err());
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let body = Body {
            points: 1,
            encoding,
            v2_only: false,
            length: 10,
            bytes: b"garbage".to_vec(),
        };
        assert!(body.text().is_err());
    }
    let packed = zstd::bulk::compress(&vec![b'x'; 1_000_000], 1).unwrap();
    assert!(
        Body {
            points: 1,
            encoding: Encoding::Zstd,
            v2_only: false,
            length: 9,
            bytes: packed
        }
        .text()
        .is_err()
    );
}

/// Names, `time` among them and what looks like it.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("time".to_owned()),
        1 => prop::sample::select(vec!["time2", "xtime", "Time", "tim", "a,time", "a time", "time=", "a=time"]).prop_map(str::to_owned),
        2 => "[a-z,= \"\\\\]{1,4}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::Uint),
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| Value::Float(f64::from(number) / 8.0)),
        "[time,= \"\\\\u0-9]{0,12}".prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn rewriting_is_the_same_as_writing(
        tag in "[a-z,= \"\\\\u0-9]{1,8}",
        text in "[a-z,= \"\\\\u0-9]{0,12}",
        number in any::<u64>(),
        float in any::<f64>().prop_filter("finite", |float| float.is_finite()),
        key in name(),
        more in proptest::collection::vec((name(), value()), 0..4),
    ) {
        let mut points = vec![point(&tag, &text, number, float)];
        let mut adjustments = Adjustments::default();
        let mut builder = Point::builder(&*tag).tag(&*text, &*tag).field(&*key, number);
        for (key, value) in more {
            builder = builder.field(key, value);
        }
        points.extend(builder.time(Timestamp::EPOCH).build(&mut adjustments));
        points.extend(points.first().cloned());
        let v2 = line::write(&points, Dialect::V2);
        prop_assert_eq!(
            String::from_utf8(to_v1(&v2)).unwrap(),
            String::from_utf8(line::write(&points, Dialect::V1)).unwrap()
        );
    }

    #[test]
    fn packing_gives_back_the_text(numbers in proptest::collection::vec(any::<u64>(), 1..100), zstd in any::<bool>()) {
        let points: Vec<Point> = numbers.iter().map(|number| point("t", "s", *number, 0.5)).collect();
        let packed = if zstd { Encoding::Zstd } else { Encoding::Gzip };
        let style = Style { dialect: Dialect::V2, packed, in_order: false };
        let body = bodies(&[&points], style).unwrap().remove(0);
        let text = body.text().unwrap();
        prop_assert!(*text == *line::write(&points, Dialect::V2));
        let payload = Payload::of(text, body.v2_only, Dialect::V1, false).unwrap();
        prop_assert_eq!(payload.bytes, line::write(&points, Dialect::V1));
    }
}
