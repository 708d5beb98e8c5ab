//! What the reader of line protocol takes, and how it refuses the rest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests fail loudly, as tests do"
)]

use std::time::Instant;

use tidemark_point::line::{self, BorrowedValue, LineErrorKind, parse_line};
use tidemark_point::{Adjustments, FieldType, Point, PointError, Timestamp, Value};

/// A point in a form that is easy to write down.
fn shown(text: &str) -> String {
    let point = parse_line(text).expect(text);
    let tags: Vec<_> = point.tags().collect();
    format!(
        "{} {tags:?} {:?} {:?}",
        point.measurement(),
        point.fields(),
        point.time().map(Timestamp::nanos)
    )
}

#[test]
fn good_lines() {
    let lines = [
        ("m v=1", r#"m [] [("v", Float(1.0))] None"#),
        ("  m   v=1   5  ", r#"m [] [("v", Float(1.0))] Some(5)"#),
        ("m v=1 -5\r\n", r#"m [] [("v", Float(1.0))] Some(-5)"#),
        (
            "m,a=b,c=d v=-1i,w=2u",
            r#"m [("a", "b"), ("c", "d")] [("v", Int(-1)), ("w", Uint(2))] None"#,
        ),
        (
            r"m\,\ a=b,c\==\ d \,e=1",
            r#"m, a=b [("c=", " d")] [(",e", Float(1.0))] None"#,
        ),
        (
            r"m\=a,b=\\,\t v=1",
            r#"m\=a [("b", "\\,\\t")] [("v", Float(1.0))] None"#,
        ),
        (
            r#"m"q",a="b" c"="d \"e\" \\ \n""#,
            r#"m"q" [("a", "\"b\"")] [("c\"", String("d \"e\" \\ \\n"))] None"#,
        ),
        (
            "m a=\"x\ny\",b=\"\" 1",
            r#"m [] [("a", String("x\ny")), ("b", String(""))] Some(1)"#,
        ),
        (
            "m a=t,b=T,c=true,d=True,e=TRUE",
            r#"m [] [("a", Bool(true)), ("b", Bool(true)), ("c", Bool(true)), ("d", Bool(true)), ("e", Bool(true))] None"#,
        ),
        (
            "m a=f,b=F,c=false,d=False,e=FALSE",
            r#"m [] [("a", Bool(false)), ("b", Bool(false)), ("c", Bool(false)), ("d", Bool(false)), ("e", Bool(false))] None"#,
        ),
        (
            "m a=1.,b=.5,c=-.5,d=1e3,e=1E+3,f=-1.5e-3,g=007",
            r#"m [] [("a", Float(1.0)), ("b", Float(0.5)), ("c", Float(-0.5)), ("d", Float(1000.0)), ("e", Float(1000.0)), ("f", Float(-0.0015)), ("g", Float(7.0))] None"#,
        ),
        (
            "m a=1e-400,b=9223372036854775807i,c=-9223372036854775808i",
            r#"m [] [("a", Float(0.0)), ("b", Int(9223372036854775807)), ("c", Int(-9223372036854775808))] None"#,
        ),
        (
            "größe,ß=日 é=1",
            r#"größe [("ß", "日")] [("é", Float(1.0))] None"#,
        ),
        ("m#,#=# #=1", r##"m# [("#", "#")] [("#", Float(1.0))] None"##),
        (
            "m,time=1 time=2",
            r#"m [("time", "1")] [("time", Float(2.0))] None"#,
        ),
    ];
    for (text, expected) in lines {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn bad_lines_say_where_and_why() {
    use FieldType::{Float, Int, Uint};
    use LineErrorKind::*;
    let lines = [
        ("", 1, MissingMeasurement),
        (",a=b v=1", 1, MissingMeasurement),
        ("# comment", 1, MissingMeasurement),
        ("m", 2, MissingFields),
        ("m ", 3, MissingFields),
        ("m,a=b", 6, MissingFields),
        ("m,a=b 1465839830100400200", 26, MissingFieldValue),
        ("m\\ v=1", 7, MissingFields),
        ("m, v=1", 3, MissingTagKey),
        ("m,,a=b v=1", 3, MissingTagKey),
        ("m,=b v=1", 3, MissingTagKey),
        ("m,a v=1", 4, MissingTagValue),
        ("m,a= v=1", 5, MissingTagValue),
        ("m,a=,b=c v=1", 5, MissingTagValue),
        ("m,a=b=c v=1", 6, Unexpected(b'=')),
        ("m,a=1,b=2,a=3 v=1", 11, RepeatedTag),
        ("m,a\\ b=1,a\\ b=2 v=1", 10, RepeatedTag),
        ("m\tv=1", 2, Unexpected(b'\t')),
        ("m,a\u{1}=b v=1", 4, Unexpected(1)),
        ("m,a=b\tc v=1", 6, Unexpected(b'\t')),
        ("m =1", 3, MissingFieldKey),
        ("m v", 4, MissingFieldValue),
        ("m v=", 5, MissingFieldValue),
        ("m v=,w=1", 5, MissingFieldValue),
        ("m v= 1", 5, MissingFieldValue),
        ("m v=1,", 7, MissingFieldKey),
        ("m v=1, w=2", 7, MissingFieldKey),
        ("m v=1,,w=2", 7, MissingFieldKey),
        ("m v=x", 5, InvalidValue),
        ("m v=NaN", 5, InvalidValue),
        ("m v=+1", 5, InvalidValue),
        ("m v=inf", 5, InvalidValue),
        ("m v=tRUE", 5, InvalidValue),
        ("m v=truetrue", 5, InvalidValue),
        ("m v=-", 5, InvalidNumber(Float)),
        ("m v=.", 5, InvalidNumber(Float)),
        ("m v=-inf", 5, InvalidNumber(Float)),
        ("m v=-nan", 5, InvalidNumber(Float)),
        ("m v=1e", 5, InvalidNumber(Float)),
        ("m v=1.2.3", 5, InvalidNumber(Float)),
        ("m v=0x1p3", 5, InvalidNumber(Float)),
        ("m v=1_000", 5, InvalidNumber(Float)),
        ("m v=1f", 5, InvalidNumber(Float)),
        ("m v=1e309", 5, NumberOutOfRange(Float)),
        ("m v=i", 5, InvalidValue),
        ("m v=-i", 5, InvalidNumber(Int)),
        ("m v=1.5i", 5, InvalidNumber(Int)),
        ("m v=1ii", 5, InvalidNumber(Int)),
        ("m v=-+1i", 5, InvalidNumber(Int)),
        ("m v=9223372036854775808i", 5, NumberOutOfRange(Int)),
        ("m v=-1u", 5, InvalidNumber(Uint)),
        ("m v=18446744073709551616u", 5, NumberOutOfRange(Uint)),
        ("m v=\"a", 5, UnclosedString),
        ("m v=\"a\\\"", 5, UnclosedString),
        ("m v=\"a\"b", 8, Unexpected(b'b')),
        ("m v=\"a\"\"", 8, Unexpected(b'"')),
        ("m v=1 x", 7, InvalidTime),
        ("m v=1 1.5", 7, InvalidTime),
        ("m v=1 -", 7, InvalidTime),
        ("m v=1 +1", 7, InvalidTime),
        ("m v=1 1i", 7, InvalidTime),
        ("m v=1 99999999999999999999", 7, TimeOutOfRange),
        ("m v=1 1 2", 9, Unexpected(b'2')),
        ("m v=1\rw=2", 6, Unexpected(b'\r')),
        ("m v=1\nm v=2", 6, Unexpected(b'm')),
    ];
    for (text, column, kind) in lines {
        let error = parse_line(text).expect_err(text);
        assert_eq!(
            (error.line, error.column, error.kind),
            (1, column, kind),
            "{text:?}"
        );
    }
    let error = parse_line("m v=1,w=1x").unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 9: this is no float");
    let error = parse_line("m v=\"1\n2\",w=\"\n\"x").unwrap_err();
    assert_eq!(error.to_string(), "line 3, column 2: unexpected 'x'");
}

#[test]
fn a_bad_line_costs_no_other() {
    let text = b"# head\r\n\n  \nm v=1 1\nbad\n m v=\"a\nb\" 2 \r\nm v= 3\n\xff\xfe\nm,t=\xffx v=1 4\nm v=5 5\nm v=\"open 6\nm v=7 7\n";
    let mut parser = line::parse(text);
    let mut items = Vec::new();
    while let Some(item) = parser.next() {
        let item = match item {
            Ok(point) => format!("ok {}", point.time().nanos()),
            Err(error) => error.to_string(),
        };
        items.push((item, text[parser.range()].escape_ascii().to_string()));
    }
    let expected = [
        ("ok 1", "m v=1 1"),
        (
            "line 5, column 4: the fields are missing: write a space and at least one key=value",
            "bad",
        ),
        ("ok 2", r#"m v=\"a\nb\" 2 "#),
        ("line 8, column 5: a field has no value", "m v= 3"),
        ("line 9, column 1: the text is not UTF-8", r"\xff\xfe"),
        ("line 10, column 5: the text is not UTF-8", r"m,t=\xffx v=1 4"),
        ("ok 5", "m v=5 5"),
        (
            "line 12, column 5: the string that begins here has no closing quote",
            r#"m v=\"open 6\nm v=7 7\n"#,
        ),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(item, text)| ((*item).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(items, expected);
    assert_eq!(parser.adjustments().replaced, 1, "the line break in the string");
}

#[test]
fn a_comment_with_control_characters_is_no_comment() {
    let kinds: Vec<_> = line::read(b"#a\tb\n#a\x07b\n#\xff\n#c")
        .map(|line| line.map(|_| ()).unwrap_err().kind)
        .collect();
    assert_eq!(kinds, [LineErrorKind::Unexpected(7), LineErrorKind::NotUtf8]);
}

#[test]
fn a_line_without_time_takes_the_default_or_is_an_error() {
    let mut items = line::parse(b"m v=1 5\nm v=1");
    assert!(items.next().is_some_and(|item| item.is_ok()));
    let error = items.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 1: the time is missing");
    let times: Result<Vec<_>, _> = line::parse(b"m v=1 5\nm v=1")
        .default_time(Timestamp::MAX)
        .map(|item| item.map(|point| point.time().nanos()))
        .collect();
    assert_eq!(times, Ok(vec![5, i64::MAX - 1]));
}

#[test]
fn a_line_with_nothing_to_store_is_an_error() {
    let error = line::parse(b"m time=1 5").next().unwrap().unwrap_err();
    assert_eq!(
        error.kind,
        LineErrorKind::Point(PointError::NoFields {
            measurement: "m".into()
        })
    );
    let error = parse_line(&format!("m,t={} v=1 5", "x".repeat(65_535))).unwrap_err();
    assert_eq!(error.kind, LineErrorKind::KeyTooLong);
}

#[test]
fn points_that_are_read_are_made_valid() {
    let mut adjustments = Adjustments::default();
    let point = Point::builder("m")
        .tag("a", "1")
        .tag("b", "2")
        .field("v", "x\\ny")
        .field("w", 2.0)
        .time(Timestamp::EPOCH)
        .build(&mut adjustments)
        .unwrap();
    let mut parser = line::parse(b"m,b=2,a=1 w=1,v=\"x\ny\",w=2 0");
    assert_eq!(parser.next(), Some(Ok(point)));
    assert_eq!(
        (parser.adjustments().replaced, parser.adjustments().repeated),
        (1, 1)
    );
}

#[test]
fn series_keys_of_lines_are_those_of_points() {
    for text in [
        "m v=1 1",
        "m,a=b v=1 1",
        "m\\ =,c=d,a\\ b=\\,,a=e,time=1 v=1 1",
        "m,time=x v=1 1",
        "m,a=1,b=2 v=1 1",
    ] {
        let borrowed = parse_line(text).unwrap();
        let point = line::parse(text.as_bytes()).next().unwrap().unwrap();
        assert_eq!(borrowed.series_key(), point.series_key(), "{text}");
        assert!(text.starts_with(borrowed.raw_series_key()));
    }
    let sorted = parse_line("m,a=1,b=2 v=1 1").unwrap();
    assert!(matches!(sorted.series_key(), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn strings_are_borrowed_where_they_have_no_escapes() {
    let point = parse_line(r#"m a="plain",b="a\"b" 1"#).unwrap();
    let [
        (_, BorrowedValue::String(plain)),
        (_, BorrowedValue::String(escaped)),
    ] = point.fields()
    else {
        panic!()
    };
    assert!(matches!(plain, std::borrow::Cow::Borrowed("plain")));
    assert_eq!(escaped, "a\"b");
    assert_eq!(point.fields()[1].1.to_value(), Value::from("a\"b"));
}

/// Texts that make careless readers take quadratic time: each megabyte is read well within the limit.
#[test]
fn time_is_linear() {
    let many = |part: &str| part.repeat(1_000_000 / part.len());
    let texts = [
        many("m v=\"\n"),
        many("\""),
        many("\\"),
        many("m v=\"\\"),
        many("\u{ff}\n").replace('\u{ff}', "\n"),
        format!("m{} v=1 1", many(",a=b")),
        format!(
            "m,{} v=1 1",
            (0..100_000)
                .rev()
                .map(|i| format!("k{i}=v"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        format!("m {}", many("a=1,")),
        format!("m v=1{}", many("0")),
        format!("m v=\"{}\" 1", many("\n")),
        many("m v=1 1\nbad\n"),
        many("#\n"),
        many(" "),
    ];
    for text in texts {
        let start = Instant::now();
        let items = line::parse(text.as_bytes()).count();
        let taken = start.elapsed();
        assert!(
            taken.as_secs() < 15,
            "{items} items, {taken:?}: {}…",
            &text[..40.min(text.len())]
        );
    }
    let mut bytes = b"m v=1 1\n\xff\n".repeat(100_000);
    bytes.extend(b"\xff".repeat(100_000));
    let start = Instant::now();
    assert_eq!(line::parse(&bytes).count(), 200_001);
    assert!(start.elapsed().as_secs() < 15);
}
