use super::*;
use crate::{FieldSchema, FieldType, TagSchema};

const NET: &Schema = &Schema {
    measurement: "net",
    help: "An interface.",
    tags: &[TagSchema {
        name: "if",
        help: "Its name.",
    }],
    fields: &[
        FieldSchema {
            name: "rx",
            kind: Kind::Counter,
            field_type: FieldType::Uint,
            unit: Some("bytes"),
            help: "Bytes\treceived,\nC:\\ too.",
        },
        FieldSchema {
            name: "up",
            kind: Kind::Gauge,
            field_type: FieldType::Bool,
            unit: None,
            help: "",
        },
    ],
};

#[test]
fn the_compact_text_reads_back() {
    let declarations = Declarations::from(&[NET][..]);
    let text = "net\tAn interface.\n\
                \trx\tcounter\tbytes\tBytes\\treceived,\\nC:\\\\ too.\n\
                \tup\tgauge\t\t\n";
    assert_eq!(declarations.to_string(), text);
    assert_eq!(text.parse(), Ok(declarations.clone()));
    assert_eq!(declarations.help("net"), "An interface.");
    assert_eq!(declarations.help("disk"), "");
    let rx = declarations.field("net", "rx").unwrap();
    assert_eq!((rx.kind, rx.unit.as_deref()), (Kind::Counter, Some("bytes")));
    assert_eq!(&*rx.help, "Bytes\treceived,\nC:\\ too.");
    assert_eq!(declarations.field("net", "up").unwrap().unit, None);
    assert_eq!(declarations.field("net", "tx"), None);
    assert_eq!("".parse(), Ok(Declarations::new()));
}

#[test]
fn what_is_merged_replaces() {
    let mut declarations = Declarations::from(&[NET][..]);
    declarations.merge("net\tNew.\n\tup\tcounter\t\tUps.\na\t\n".parse().unwrap());
    assert_eq!(declarations.help("net"), "New.");
    assert_eq!(declarations.field("net", "up").unwrap().kind, Kind::Counter);
    assert!(declarations.field("net", "rx").is_some());
    assert!(!declarations.is_empty());
}

#[test]
fn a_bad_text_names_its_line() {
    for (text, line, what) in [
        ("net\n", 1, "with tabs between"),
        ("\t\n", 1, "with tabs between"),
        ("net\tx\n\n", 2, "with tabs between"),
        ("\trx\tgauge\t\t\n", 1, "needs a measurement"),
        ("net\t\n\trx\tmeter\t\t\n", 2, "gauge or counter"),
        ("net\t\n\trx\tgauge\t\n", 2, "with tabs between"),
    ] {
        let error = text.parse::<Declarations>().unwrap_err();
        assert_eq!(error.line, line, "{text:?}");
        assert!(error.to_string().contains(what), "{error}");
    }
}
