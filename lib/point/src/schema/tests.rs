use super::*;

#[test]
fn kinds_have_names() {
    assert_eq!(
        format!("{:>8}|{}", Kind::Gauge, Kind::Counter),
        "   gauge|counter"
    );
}

#[test]
fn declarations_are_found_by_name() {
    const SCHEMA: &Schema = &Schema {
        measurement: "disk",
        help: "A disk.",
        tags: &[TagSchema {
            name: "path",
            help: "Where it is.",
        }],
        fields: &[FieldSchema {
            name: "used",
            kind: Kind::Gauge,
            field_type: FieldType::Float,
            unit: Some("%"),
            help: "What is used of it.",
        }],
    };
    const _: () = SCHEMA.check();
    assert_eq!(SCHEMA.tag("path").map(|tag| tag.help), Some("Where it is."));
    assert_eq!(SCHEMA.field("used").and_then(|field| field.unit), Some("%"));
    assert_eq!(SCHEMA.field("path"), None);
    assert_eq!(SCHEMA.tag("used"), None);
}
