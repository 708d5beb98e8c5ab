//! A derived measurement: every kind of field, tag and time; the derive's own names do not get in the way.

use std::borrow::Cow;

use tidemark_collect::{Adjustments, FieldType, Kind, Measurement, Timestamp, Value};

/// Everything.
#[derive(Measurement)]
#[measurement("every thing")]
struct Everything {
    /// Owned.
    #[tag]
    owned: String,
    /// Borrowed for ever.
    #[tag]
    fixed: &'static str,
    /// May be missing.
    #[tag]
    missing: Option<String>,
    /// Either.
    #[tag]
    cow: Cow<'static, str>,
    /// A float.
    float: f64,
    /// A short float.
    short: f32,
    /// An integer.
    int: i64,
    /// A short integer.
    #[name("short int")]
    small: i32,
    /// A count of all times.
    #[counter]
    #[unit("B")]
    total: u64,
    /// A short unsigned integer.
    port: u32,
    /// True or false.
    ok: bool,
    /// A text.
    text: String,
    /// May be missing.
    absent: Option<f64>,
    /// When.
    #[time]
    when: Option<Timestamp>,
}

// The same names as in the prelude.
#[allow(dead_code)]
struct Option2;
#[allow(dead_code)]
type Result = ();

#[test]
fn a_struct_is_declared_and_becomes_a_point() {
    let schema = Everything::SCHEMA;
    assert_eq!((schema.measurement, schema.help), ("every thing", "Everything."));
    assert_eq!(schema.tags.len(), 4);
    assert_eq!(schema.fields.len(), 9);
    let total = schema.fields.iter().find(|field| field.name == "total").unwrap();
    assert_eq!(
        (total.kind, total.field_type, total.unit),
        (Kind::Counter, FieldType::Uint, Some("B"))
    );
    let small = schema
        .fields
        .iter()
        .find(|field| field.name == "short int")
        .unwrap();
    assert_eq!(
        (small.kind, small.field_type, small.unit),
        (Kind::Gauge, FieldType::Int, None)
    );

    let everything = Everything {
        owned: "a".to_owned(),
        fixed: "b",
        missing: None,
        cow: Cow::Borrowed("c"),
        float: 0.5,
        short: 0.25,
        int: -1,
        small: -2,
        total: u64::MAX,
        port: 7,
        ok: true,
        text: "t".to_owned(),
        absent: None,
        when: Timestamp::from_nanos(9),
    };
    let mut adjustments = Adjustments::default();
    let point = everything.into_point(Timestamp::EPOCH, &mut adjustments).unwrap();
    assert!(adjustments.is_empty());
    assert_eq!(schema.conforms(&point), Ok(()));
    assert_eq!(
        point.tags().collect::<Vec<_>>(),
        [("cow", "c"), ("fixed", "b"), ("owned", "a")]
    );
    assert_eq!(point.fields().count(), 8);
    assert_eq!(point.field("total"), Some(&Value::Uint(u64::MAX)));
    assert_eq!(point.field("short"), Some(&Value::Float(0.25)));
    assert_eq!(point.time().nanos(), 9);
}
