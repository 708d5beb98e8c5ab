//! Points of the `influxdb2` crate, there and back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]
#![cfg(feature = "influxdb2")]

use influxdb2::models::{DataPoint, WriteDataPoint};
use proptest::prelude::*;
use tidemark_collect::{Batch, Context, DataPointError, Points, Timestamp, Value, chain};

fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos).unwrap()
}

/// A point with one text in one place.
fn with(measurement: &str, tag: &str, value: &str, key: &str, text: &str) -> DataPoint {
    DataPoint::builder(measurement)
        .tag(tag, value)
        .field(key, text)
        .timestamp(5)
        .build()
        .unwrap()
}

fn pushed(point: &DataPoint) -> Result<Points, DataPointError> {
    let mut points = Points::new();
    points.push_data_point(point, Timestamp::EPOCH).map(|()| points)
}

#[test]
fn a_data_point_is_a_point() {
    let point = DataPoint::builder("disk, a")
        .tag("ho=st", "a b,c=d")
        .field("used", 0.1)
        .field("count", -5)
        .field("ok", true)
        .field("text", "say \"hi\", a=b")
        .timestamp(1_700_000_000_000_000_001)
        .build()
        .unwrap();
    let points = pushed(&point).unwrap();
    assert!(points.adjustments().is_empty());
    let point = points.iter().next().unwrap();
    assert_eq!(
        (point.measurement(), point.tag("ho=st")),
        ("disk, a", Some("a b,c=d"))
    );
    assert_eq!(point.field("used"), Some(&Value::Float(0.1)));
    assert_eq!(point.field("count"), Some(&Value::Int(-5)));
    assert_eq!(point.field("ok"), Some(&Value::Bool(true)));
    assert_eq!(point.field("text"), Some(&"say \"hi\", a=b".into()));
    assert_eq!(point.time().nanos(), 1_700_000_000_000_000_001);
}

#[test]
fn one_without_a_time_gets_the_one_given() {
    let point = DataPoint::builder("a")
        .tag("b c", "x")
        .field("f", 1)
        .build()
        .unwrap();
    let mut points = Points::new();
    points.push_data_point(&point, timestamp(77)).unwrap();
    assert_eq!(points.iter().next().unwrap().time().nanos(), 77);
}

#[test]
fn what_would_inject_a_line_is_refused() {
    let evil = "x\nevil,host=b value=1";
    for point in [
        with(evil, "t", "v", "f", "s"),
        with("m", evil, "v", "f", "s"),
        with("m", "t", evil, "f", "s"),
        with("m", "t", "v", evil, "s"),
        with("m", "t", "v", "f", evil),
    ] {
        let error = pushed(&point).unwrap_err();
        assert!(
            matches!(error, DataPointError::Control { byte: b'\n', .. }),
            "{error:?}"
        );
        assert!(!chain(&error).contains('\n'));
    }
}

#[test]
fn what_is_not_finite_is_refused_by_name() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let point = DataPoint::builder("m")
            .field("bad", value)
            .field("good", 1.0)
            .build()
            .unwrap();
        let text = chain(&pushed(&point).unwrap_err());
        assert!(
            text.contains("NaN and infinite numbers cannot be: leave such fields out"),
            "{text}"
        );
        assert!(text.contains("bad="), "{text}");
    }
}

#[test]
fn empty_names_and_tags_are_refused() {
    for point in [
        with("", "t", "v", "f", "s"),
        with("m", "", "v", "f", "s"),
        with("m", "t", "", "f", "s"),
        with("m", "t", "v", "", "s"),
        with("#m", "t", "v", "f", "s"),
    ] {
        assert!(pushed(&point).is_err(), "{point:?}");
    }
}

#[test]
fn a_backslash_passes_where_it_means_itself() {
    let points = pushed(&with("m", "t", "v", "f", "C:\\dir")).unwrap();
    assert_eq!(points.iter().next().unwrap().field("f"), Some(&"C:\\dir".into()));
}

#[test]
fn a_backslash_that_would_be_read_as_an_escape_is_refused() {
    for point in [
        with("m\\", "t", "v", "f", "s"),
        with("m", "t\\", "v", "f", "s"),
        with("m", "t", "v\\", "f", "s"),
        with("m", "t", "v", "f", "s\\"),
        with("m", "t", "v", "f", "a\\\\b"),
        with("m", "t", "v", "f", "a\\\"b"),
    ] {
        assert!(pushed(&point).is_err(), "{point:?}");
    }
}

#[test]
fn a_batch_is_written_for_its_clients() {
    let points: Points = pushed(&with("m", "t", "v", "f", "s")).unwrap();
    let mut text = Vec::new();
    points.write_data_point_to(&mut text).unwrap();
    assert_eq!(text, b"m,t=v f=\"s\" 5\n");
    let cx = Context::builder().build();
    let batch = Batch::new(&cx, timestamp(1), std::time::Duration::ZERO, Ok(points));
    text.clear();
    batch.write_data_point_to(&mut text).unwrap();
    assert_eq!(text, b"m,t=v f=\"s\" 5\n");
}

/// Text of what breaks writers, mostly.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("\\".to_owned()),
            Just(",".to_owned()),
            Just("=".to_owned()),
            Just(" ".to_owned()),
            Just("\"".to_owned()),
            Just("#".to_owned()),
            "[a-z0-9é\n\t]",
        ],
        0..6,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// It is refused, or it is exactly what was meant.
    #[test]
    fn no_point_turns_into_another(
        measurement in text(), tag in text(), value in text(), key in text(), string in text(), number in any::<f64>(),
    ) {
        let point = DataPoint::builder(measurement.clone())
            .tag(&tag, &value)
            .tag("zz", "z")
            .field(key.clone(), string.clone())
            .field("number", number)
            .timestamp(5)
            .build()
            .unwrap();
        if let Ok(points) = pushed(&point) {
            let read: Vec<_> = points.iter().collect();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].measurement(), measurement);
            prop_assert_eq!(read[0].tags().count(), if tag == "zz" { 1 } else { 2 });
            if tag != "zz" {
                prop_assert_eq!(read[0].tag(&tag), Some(value.as_str()));
            }
            prop_assert_eq!(read[0].fields().count(), if key == "number" { 1 } else { 2 });
            prop_assert_eq!(read[0].field("number"), Some(&Value::Float(number)));
            if key != "number" {
                prop_assert_eq!(read[0].field(&key), Some(&string.as_str().into()));
            }
        }
    }
}
