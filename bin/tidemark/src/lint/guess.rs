//! Finding out what format a page is in.

use tidemark_point::line;

use crate::arguments::PageFormat;

/// Lines that are looked at.
const MAX_LINES: usize = 1_000;

/// The format of a page that begins so. One that says nothing is taken as a page of 0.0.4.
pub(super) fn is_line_protocol(head: &[u8]) -> bool {
    for text in head.split(|byte| *byte == b'\n').take(MAX_LINES) {
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if text.starts_with(b"#") {
            // Comments of line protocol may say anything but this.
            if is_metadata(text) {
                return false;
            }
            continue;
        }
        return looks_like_a_point(&String::from_utf8_lossy(text));
    }
    false
}

fn is_metadata(line: &[u8]) -> bool {
    [&b"# TYPE "[..], b"# HELP ", b"# UNIT ", b"# EOF"]
        .iter()
        .any(|begin| line.starts_with(begin))
}

/// Whether a line is, or was meant to be, line protocol, and not a sample.
fn looks_like_a_point(text: &str) -> bool {
    if line::parse_line(text).is_ok() {
        return true;
    }
    let name = text.find(['{', ' ', '\t', ',', '=']);
    match name.map(|end| text.split_at(end)) {
        // `up 1`, and a name alone: a field would have its equals sign.
        Some((_, rest)) if rest.starts_with([' ', '\t']) => rest.contains('='),
        Some((_, rest)) => !rest.starts_with('{'),
        None => false,
    }
}

/// What a page is instead of one of metrics, where that is plain, and what to do.
pub(super) fn something_else(head: &[u8]) -> Option<&'static str> {
    let text = head.trim_ascii_start();
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
    };
    if ["<!doctype", "<html", "<?xml", "<head"].into_iter().any(begins) {
        return Some(
            "this is HTML or XML, no page of metrics: look at the address it came from, often it ends in /metrics",
        );
    }
    // A quoted name in braces is followed by a comma or the closing brace, a key of JSON by a colon.
    let key = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start)?;
    let end = key.strip_prefix(b"\"")?.iter().position(|byte| *byte == b'"')?;
    let after = key.get(end + 2..).unwrap_or_default().trim_ascii_start();
    after.starts_with(b":").then_some(
        "this is JSON, no page of metrics: look at the address it came from, often it ends in /metrics",
    )
}

/// Which of the text formats of Prometheus a whole page is in.
pub(super) fn exposition(page: &[u8]) -> PageFormat {
    let last = page.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    if last.is_some_and(|last| last.starts_with(b"# EOF"))
        || page.split(|byte| *byte == b'\n').any(is_openmetrics)
    {
        PageFormat::OpenMetrics
    } else {
        PageFormat::Prometheus
    }
}

/// Whether a line means something in OpenMetrics alone.
fn is_openmetrics(line: &[u8]) -> bool {
    const TYPES: [&[u8]; 4] = [b" unknown", b" info", b" stateset", b" gaugehistogram"];
    let line = line.trim_ascii_end();
    line.starts_with(b"# UNIT ")
        || line == b"# EOF"
        || (line.starts_with(b"# TYPE ") && TYPES.iter().any(|name| line.ends_with(name)))
        || (!line.starts_with(b"#") && contains(line, b" # {"))
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_pages_are_known() {
        for (text, is) in [
            ("\n<!DOCTYPE html>\n<html>", Some("HTML")),
            ("<html lang=\"en\">", Some("HTML")),
            ("<?xml version=\"1.0\"?>", Some("HTML")),
            ("{\"status\":\"ok\"}", Some("JSON")),
            ("{\n  \"a b\" : 1\n}", Some("JSON")),
            ("{\"a.b\",c=\"d\"} 1\n", None),
            ("{\"a.b\"} 1\n", None),
            ("<b> v=1", None),
            ("{\"open", None),
            ("up 1\n", None),
            ("", None),
        ] {
            let found = something_else(text.as_bytes());
            match is {
                Some(is) => assert!(found.is_some_and(|said| said.contains(is)), "{text}: {found:?}"),
                None => assert_eq!(found, None, "{text}"),
            }
        }
    }

    #[test]
    fn pages_are_told_apart() {
        for text in [
            "m v=1",
            "# a comment\n\nm,a=b v=1i 5\n",
            "m,a=b v=x",
            "m,a=b",
            "  m v=\"{\"\n",
            "m{a=\"b\"} v=1 1",
        ] {
            assert!(is_line_protocol(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "# anything\n",
            "up 1",
            "up 1 1700000000",
            "up{job=\"a b=1\"} 1\n",
            "# TYPE a gauge\nm v=1\n",
            "up",
            "up\t1\n",
            "{\"a.b\",c=\"d\"} 1\n",
        ] {
            assert!(!is_line_protocol(text.as_bytes()), "{text}");
        }
        for text in [
            "a 1\n# EOF\n",
            "# EOF",
            "# TYPE a info\na_info{b=\"c\"} 1\n",
            "# UNIT a_s s\n",
            "a_total 1 # {} 1\n",
        ] {
            assert_eq!(exposition(text.as_bytes()), PageFormat::OpenMetrics, "{text}");
        }
        for text in ["", "a 1\n", "# TYPE a untyped\na 1 17\n", "a{b=\"# EOF\"} 1\n"] {
            assert_eq!(exposition(text.as_bytes()), PageFormat::Prometheus, "{text}");
        }
    }
}
