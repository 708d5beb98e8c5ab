//! However the parts of a point are given, it is the same point.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing loudly")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Adjustments, MAX_KEY_BYTES, Point, PointBuilder, PointError, Timestamp, Value};

fn line_of(point: &Point) -> String {
    String::from_utf8(line::write(std::slice::from_ref(point), Dialect::V2)).unwrap()
}

fn built(builder: PointBuilder) -> (Point, Adjustments) {
    let mut adjustments = Adjustments::default();
    let point = builder.time(Timestamp::EPOCH).build(&mut adjustments).unwrap();
    (point, adjustments)
}

#[test]
fn tags_may_come_in_any_order_and_after_fields() {
    let (point, adjustments) = built(
        Point::builder("m")
            .field("v", 1_i64)
            .tag("node", "1")
            .field("a", true)
            .tag("cluster", "c"),
    );
    assert_eq!(line_of(&point), "m,cluster=c,node=1 a=true,v=1i 0\n");
    assert_eq!(
        point.tags().collect::<Vec<_>>(),
        [("cluster", "c"), ("node", "1")]
    );
    assert_eq!(point.field("v"), Some(&Value::Int(1)));
    assert_eq!(
        (point.measurement(), point.series_key()),
        ("m", "m,cluster=c,node=1")
    );
    assert!(adjustments.is_empty());
}

#[test]
fn of_the_same_key_the_last_counts() {
    let (point, adjustments) = built(
        Point::builder("m")
            .tag("b", "1")
            .tag("a", "2")
            .tag("b", "3")
            .field("w", 1_i64)
            .field("v", 1_i64)
            .field("w", 2.5),
    );
    assert_eq!(line_of(&point), "m,a=2,b=3 v=1i,w=2.5 0\n");
    assert_eq!(adjustments.repeated, 2);
    let (same, _) = built(
        Point::builder("m")
            .tag("a", "2")
            .tag("b", "3")
            .field("v", 1_i64)
            .field("w", 2.5),
    );
    assert_eq!(point, same);
}

#[test]
fn one_part_that_has_to_be_changed_changes_no_other() {
    let (point, adjustments) = built(
        Point::builder("m")
            .tag("b", "1")
            .field("v", 1_i64)
            .tag("a", "x\ny")
            .tag("c", "")
            .field("n", f64::NAN)
            .field("s", "two\nlines"),
    );
    assert_eq!(line_of(&point), "m,a=x\\ y,b=1 s=\"two\\\\nlines\",v=1i 0\n");
    assert_eq!(
        (
            adjustments.replaced,
            adjustments.empty_tags,
            adjustments.non_finite
        ),
        (2, 1, 1)
    );
}

#[test]
fn a_name_is_as_long_as_may_be_and_no_longer() {
    let of = |bytes: usize| {
        let mut adjustments = Adjustments::default();
        let built = Point::builder("m")
            .tag("t", "x".repeat(bytes))
            .field("v", 1_i64)
            .time(Timestamp::EPOCH)
            .build(&mut adjustments);
        (built, adjustments.refused)
    };
    // `m,t=`, the four bytes between series and field, and `v`.
    let longest = MAX_KEY_BYTES - 4 - 4 - 1;
    assert!(of(longest).0.is_ok());
    let (refused, counted) = of(longest + 1);
    assert!(
        matches!(refused, Err(PointError::KeyTooLong { ref measurement, bytes }) if measurement == "m" && bytes == MAX_KEY_BYTES + 1),
        "{refused:?}"
    );
    assert_eq!(counted, 1);
    let mut full = of(longest).0.unwrap();
    full.add_tag("u", "x");
    assert_eq!(full.tag("u"), None);
}

#[test]
fn an_added_tag_moves_what_is_behind_it() {
    let point = || {
        let builder = Point::builder("m").tag("b", "1").tag("d", "2");
        built(builder.field("v", 1_i64).field("w", 2_i64)).0
    };
    for (key, line) in [
        ("a", "m,a=x,b=1,d=2 v=1i,w=2i 0\n"),
        ("c", "m,b=1,c=x,d=2 v=1i,w=2i 0\n"),
        ("e", "m,b=1,d=2,e=x v=1i,w=2i 0\n"),
        ("d", "m,b=1,d=2 v=1i,w=2i 0\n"),
        ("", "m,b=1,d=2 v=1i,w=2i 0\n"),
        ("a b", "m,a\\ b=x,b=1,d=2 v=1i,w=2i 0\n"),
    ] {
        let mut added = point();
        added.add_tag(key, "x");
        assert_eq!(line_of(&added), line);
    }
    let mut bare = built(Point::builder("m").field("v", 1_i64)).0;
    bare.add_tag("host", "h");
    assert_eq!(line_of(&bare), "m,host=h v=1i 0\n");
}

#[derive(Clone, Debug)]
enum Part {
    Tag(String, String),
    Field(String, Value),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z][a-z0-9_.]{0,5}", 1 => "[a-z ,=\"\\\\\n]{1,5}", 1 => Just("time".to_owned())]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z\n]{0,4}".prop_map(Value::from),
    ]
}

fn of_parts(measurement: &str, parts: &[Part]) -> (Result<Point, PointError>, Adjustments) {
    let mut adjustments = Adjustments::default();
    let builder = parts
        .iter()
        .fold(Point::builder(measurement), |builder, part| match part {
            Part::Tag(key, value) => builder.tag(key, value),
            Part::Field(key, value) => builder.field(key, value.clone()),
        });
    let built = builder.time(Timestamp::EPOCH).build(&mut adjustments);
    (built, adjustments)
}

proptest! {
    #[test]
    fn the_order_of_parts_does_not_matter(
        measurement in name(),
        tags in proptest::collection::btree_map(name(), "[a-z0-9 ]{0,4}", 0..5),
        fields in proptest::collection::btree_map(name(), value(), 0..4),
        keys in proptest::collection::vec(any::<u32>(), 9),
    ) {
        let tag = |(key, value): (&String, &String)| Part::Tag(key.clone(), value.clone());
        let field = |(key, value): (&String, &Value)| Part::Field(key.clone(), value.clone());
        let sorted: Vec<Part> = tags.iter().map(tag).chain(fields.iter().map(field)).collect();
        let mut shuffled: Vec<(u32, Part)> = keys.into_iter().zip(sorted.clone()).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let shuffled: Vec<Part> = shuffled.into_iter().map(|(_, part)| part).collect();
        let (one, one_adjusted) = of_parts(&measurement, &sorted);
        let (other, other_adjusted) = of_parts(&measurement, &shuffled);
        // Keys that are changed may fall together: then the last one counts.
        prop_assume!(one_adjusted.repeated == 0);
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one_adjusted, other_adjusted);
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert_eq!(line_of(&one), line_of(&other));
            let read: BTreeMap<&str, &str> = one.tags().collect();
            let plain = tags.iter().filter(|(key, value)| !value.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            for (key, value) in plain {
                prop_assert_eq!(read.get(key.as_str()), Some(&value.as_str()));
            }
        }
    }
}
