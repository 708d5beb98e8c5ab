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
        (body.encoding, body.uints)
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
        uints: false,
        length: 10,
        bytes: packed,
    };
    assert!(body.text().is_err());
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let body = Body {
            points: 1,
            encoding,
            uints: false,
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
            uints: false,
            length: 9,
            bytes: packed
        }
        .text()
        .is_err()
    );
}

proptest! {
    #[test]
    fn rewriting_is_the_same_as_writing(
        tag in "[a-z,= \"\\\\u0-9]{1,8}",
        text in "[a-z,= \"\\\\u0-9]{0,12}",
        number in any::<u64>(),
        float in any::<f64>().prop_filter("finite", |float| float.is_finite()),
    ) {
        let points = [point(&tag, &text, number, float)];
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
        let payload = Payload::of(text, body.uints, Dialect::V1, false).unwrap();
        prop_assert_eq!(payload.bytes, line::write(&points, Dialect::V1));
    }
}
