//! Points as a YAML list that readers of YAML 1.1 and 1.2 take alike.
//!
//! Only what is surely a string to both is written bare; every other string is quoted, times too (as bare text 1.1 reads
//! a timestamp and cuts it to microseconds).

use std::fmt::Write as _;

use tidemark_point::{Point, Value};

/// A list of `measurement`, `tags`, `fields`, `time`, with a final newline.
pub(super) fn write(points: &[Point]) -> String {
    if points.is_empty() {
        return "[]\n".to_owned();
    }
    let mut out = String::with_capacity(points.len() * 160);
    for point in points {
        out.push_str("- measurement: ");
        string(&mut out, point.measurement());
        out.push('\n');
        mapping(&mut out, "tags", point.tags(), string);
        mapping(&mut out, "fields", point.fields(), scalar);
        let _ = writeln!(out, "  time: '{}'", point.time());
    }
    out
}

fn mapping<'a, V>(
    out: &mut String,
    name: &str,
    entries: impl Iterator<Item = (&'a str, V)>,
    write: impl Fn(&mut String, V),
) {
    let _ = write!(out, "  {name}:");
    let mut empty = true;
    for (key, value) in entries {
        empty = false;
        out.push_str("\n    ");
        string(out, key);
        out.push_str(": ");
        write(out, value);
    }
    out.push_str(if empty { " {}\n" } else { "\n" });
}

fn scalar(out: &mut String, value: &Value) {
    let _ = match value {
        Value::Float(number) => {
            float(out, *number);
            Ok(())
        }
        Value::Int(number) => write!(out, "{number}"),
        Value::Uint(number) => write!(out, "{number}"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::String(text) => {
            string(out, text);
            Ok(())
        }
    };
}

/// The shortest text that reads back as the number, always a float to a reader: YAML 1.1 wants a point in the mantissa
/// and a sign in the exponent.
fn float(out: &mut String, number: f64) {
    let shortest = format!("{number:?}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        out.push_str(&shortest);
        return;
    };
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push_str(".0");
    }
    out.push('e');
    if !exponent.starts_with('-') {
        out.push('+');
    }
    out.push_str(exponent);
}

fn string(out: &mut String, text: &str) {
    if is_bare(text) {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

/// Whether `text` is a string to every reader without quotes.
fn is_bare(text: &str) -> bool {
    // Words that YAML 1.1 or 1.2 reads as something else, in lower case.
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let begins = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./+".contains(&byte);
    begins && text.bytes().all(bare) && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Double quotes, with escapes for what YAML does not print or would fold.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(character),
            // Printable by YAML's own list; the rest (controls, separators, the byte order mark) is escaped.
            '\u{a0}'..='\u{2027}'
            | '\u{202a}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fefe}'
            | '\u{ff00}'..='\u{fffd}' => {
                out.push(character);
            }
            '\u{10000}'..='\u{10ffff}' => out.push(character),
            other => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use tidemark_point::{Adjustments, Timestamp};

    pub(in crate::output) fn samples() -> Vec<Point> {
        let mut adjustments = Adjustments::default();
        let first = Point::builder("queue")
            .tag("report", "sponsoring")
            .tag("release", "22.04")
            .field("count", 12_i64)
            .field("oldest", 3.0)
            .time(Timestamp::from_nanos(1_795_244_400_500_000_000).expect("in range"))
            .build(&mut adjustments)
            .expect("a point");
        let second = Point::builder("values")
            .field("most", u64::MAX)
            .field("share", 1e22)
            .field("small", 5e-324)
            .field("up", true)
            .field("words", "no: \"1\" # x")
            .time(Timestamp::EPOCH)
            .build(&mut adjustments)
            .expect("a point");
        vec![first, second]
    }

    #[test]
    fn a_list_with_the_keys_of_the_contract() {
        let expected = r#"- measurement: queue
  tags:
    release: "22.04"
    report: sponsoring
  fields:
    count: 12
    oldest: 3.0
  time: '2026-11-21T07:00:00.5Z'
- measurement: values
  tags: {}
  fields:
    most: 18446744073709551615
    share: 1.0e+22
    small: 5.0e-324
    up: true
    words: "no: \"1\" # x"
  time: '1970-01-01T00:00:00Z'
"#;
        assert_eq!(write(&samples()), expected);
    }

    #[test]
    fn no_points_are_an_empty_list() {
        assert_eq!(write(&[]), "[]\n");
    }

    #[test]
    fn what_could_be_read_as_something_else_is_quoted() {
        for text in [
            "",
            "1",
            "-1",
            "1.5",
            "true",
            "No",
            "NULL",
            "~",
            "y",
            "0x1f",
            ".nan",
            "2026-11-21",
            "1:20",
            "a: b",
        ] {
            assert!(!is_bare(text), "{text:?}");
        }
        for text in [
            "@x", "`x", "&a", "*a", "!t", "- x", "a #b", "é", " a", "a ", "[x]", "{x}", "a,b", "%x", "=",
            "<<",
        ] {
            assert!(!is_bare(text), "{text:?}");
        }
        for text in [
            "a",
            "queue_stats",
            "a-b",
            "net/eth0",
            "_x",
            "v1.2",
            "c++",
            "nope",
            "one",
        ] {
            assert!(is_bare(text), "{text:?}");
        }
    }

    #[test]
    fn what_yaml_does_not_print_is_escaped() {
        let mut out = String::new();
        quoted(&mut out, "\u{0}\u{7f}\u{85}\u{2028}\u{feff}é€😀\\\"\t");
        assert_eq!(out, r#""\u0000\u007f\u0085\u2028\ufeffé€😀\\\"\t""#);
    }
}
