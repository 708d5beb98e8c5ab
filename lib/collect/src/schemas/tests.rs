use tidemark_point::{FieldSchema, Kind, TagSchema, Timestamp};

use super::*;
use crate::chain;

const QUEUE: Schema = Schema {
    measurement: "queue",
    help: "A queue.",
    tags: &[TagSchema {
        name: "report",
        help: "The report.",
    }],
    fields: &[FieldSchema {
        name: "count",
        kind: Kind::Gauge,
        field_type: FieldType::Int,
        unit: None,
        help: "Entries.",
    }],
};

fn point(
    measurement: &'static str,
    tag: &'static str,
    field: &'static str,
    value: impl Into<Value>,
) -> Point {
    Point::builder(measurement)
        .tag(tag, "x")
        .field(field, value)
        .field("count", 1_i64)
        .time(Timestamp::EPOCH)
        .build(&mut Adjustments::default())
        .unwrap()
}

fn lenient(points: &mut Vec<Point>) -> Vec<String> {
    check_schemas(points, &[&QUEUE], Strictness::Lenient).unwrap()
}

fn strict(point: Point) -> String {
    chain(&check_schemas(&mut vec![point], &[&QUEUE], Strictness::Strict).unwrap_err())
}

#[test]
fn a_point_as_declared_passes_both_ways() {
    let mut points = vec![point("queue", "report", "count", 1_i64)];
    let before = points.clone();
    assert_eq!(
        check_schemas(&mut points, &[&QUEUE], Strictness::Strict).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(lenient(&mut points), Vec::<String>::new());
    assert_eq!(points, before);
}

#[test]
fn an_undeclared_field_is_an_error_or_left_out_and_counted() {
    let odd = || point("queue", "report", "oldest", 2.5);
    assert!(strict(odd()).contains("field `oldest` of `queue` is not declared"));
    let mut points = vec![odd(), odd()];
    let notices = lenient(&mut points);
    assert_eq!(notices.len(), 1);
    assert!(notices[0].ends_with("(left out of 2 points)"), "{notices:?}");
    for point in points {
        assert_eq!(point.field("oldest"), None);
        assert_eq!(point.field("count"), Some(&Value::Int(1)));
        assert_eq!(point.tag("report"), Some("x"));
    }
}

#[test]
fn a_field_of_another_type_is_an_error_or_left_out() {
    let odd = Point::builder("queue")
        .field("count", 1.5)
        .time(Timestamp::EPOCH)
        .build(&mut Adjustments::default())
        .unwrap();
    assert!(strict(odd.clone()).ends_with("field `count` of `queue` is declared as int, and is float here"));
    let mut points = vec![odd];
    assert_eq!(lenient(&mut points).len(), 1);
    assert_eq!(points, [], "no field is left, so no point is");
}

#[test]
fn an_undeclared_measurement_is_an_error_or_left_out() {
    let odd = point("queues", "report", "count", 1_i64);
    assert!(strict(odd.clone()).contains("measurement `queues` is not declared"));
    let mut points = vec![odd, point("queue", "report", "count", 1_i64)];
    assert!(lenient(&mut points)[0].ends_with("(left out 1 point)"));
    assert_eq!(points.len(), 1);
}

#[test]
fn an_undeclared_tag_is_an_error_or_stays_with_a_notice() {
    let odd = point("queue", "site", "count", 1_i64);
    assert!(strict(odd.clone()).contains("tag `site` of `queue` is not declared"));
    let mut points = vec![odd];
    assert!(lenient(&mut points)[0].ends_with("(on 1 point)"));
    assert_eq!(points[0].tag("site"), Some("x"));
}

#[test]
fn made_up_names_do_not_make_endless_notices() {
    let mut points: Vec<Point> = (0..1000)
        .map(|n| {
            Point::builder(format!("m{n}"))
                .field("count", 1_i64)
                .time(Timestamp::EPOCH)
                .build(&mut Adjustments::default())
                .unwrap()
        })
        .collect();
    let notices = lenient(&mut points);
    assert_eq!(notices.len(), MISMATCH_LIMIT + 1);
    assert_eq!(
        notices[MISMATCH_LIMIT],
        "900 more points are not as declared, in other ways"
    );
}
