//! What sinks refused, point by point: for people, to be mended, and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;
use tidemark_collect::one_line;
use tidemark_delivery::RejectedPoint;
use tidemark_point::Timestamp;

use crate::arguments::RejectedFormat;
use crate::wording::relative;

/// How a comment begins that says which refused point the line below stands for: the number, ` by ` and the sink follow.
pub(super) const MARKER: &str = "# refused ";
/// What stands between the number and the sink.
pub(super) const BY: &str = " by ";

const HEAD: &str =
    "# Mend these lines and delete those that are not worth it; then: tidemark outbox retry --from FILE
# Each line goes to the sinks of the comments `# refused …` above it: keep these comments.
";

/// One refused point for people.
pub(super) fn for_people(point: &RejectedPoint, now: Timestamp) -> String {
    format!(
        "\n{} {} by {}{}: {}\n    {}\n",
        one_line(&point.collector),
        relative(now, point.at),
        one_line(&point.sink),
        status(point)
            .map(|status| format!(" ({status})"))
            .unwrap_or_default(),
        one_line(&point.reason),
        one_line(&point.line)
    )
}

fn status(point: &RejectedPoint) -> Option<String> {
    point.status.map(|status| format!("status {status}"))
}

/// The points, the oldest first, in a `format`.
pub(super) fn text(points: &[RejectedPoint], format: RejectedFormat) -> String {
    match format {
        RejectedFormat::Influx => to_mend(points),
        RejectedFormat::Yaml => yaml(points),
        RejectedFormat::Json => json(points),
    }
}

/// Each line once, below the reasons of all sinks that refused it.
fn to_mend(points: &[RejectedPoint]) -> String {
    if points.is_empty() {
        return "# Nothing that was refused is kept.\n".to_owned();
    }
    let mut text = HEAD.to_owned();
    let mut rest: Vec<&RejectedPoint> = points.iter().collect();
    rest.sort_by_key(|point| (&point.line, &point.collector, point.id));
    let mut blocks: Vec<Vec<&RejectedPoint>> = Vec::new();
    for point in rest {
        match blocks.last_mut() {
            Some(block) if is_same_line(block, point) => block.push(point),
            _ => blocks.push(vec![point]),
        }
    }
    blocks.sort_by_key(|block| block.first().map(|point| point.id));
    for block in blocks {
        text.push('\n');
        for point in &block {
            let status = status(point)
                .map(|status| format!(", {status}"))
                .unwrap_or_default();
            let _ = writeln!(
                text,
                "{MARKER}{}{BY}{}{status}: {}",
                point.id,
                name(point),
                one_line(&point.reason)
            );
        }
        if let Some(point) = block.first() {
            text.push_str(&point.line);
            text.push('\n');
        }
    }
    text
}

/// What a marker says of a point beside its number: numbers begin anew where a damaged outbox was set aside.
pub(super) fn name(point: &RejectedPoint) -> String {
    format!(
        "{}: {}, {}",
        one_line(&point.sink),
        one_line(&point.collector),
        point.at
    )
}

/// Whether another sink refused the line of `block` too.
fn is_same_line(block: &[&RejectedPoint], point: &RejectedPoint) -> bool {
    let sinks: BTreeSet<&str> = block.iter().map(|point| point.sink.as_str()).collect();
    block
        .first()
        .is_some_and(|first| first.line == point.line && first.collector == point.collector)
        && !sinks.contains(point.sink.as_str())
}

fn value(point: &RejectedPoint) -> serde_json::Value {
    json!({
        "id": point.id,
        "sink": point.sink,
        "collector": point.collector,
        "refused": point.at.to_string(),
        "status": point.status,
        "reason": point.reason,
        "line": point.line,
    })
}

fn json(points: &[RejectedPoint]) -> String {
    let values: Vec<String> = points.iter().map(|point| value(point).to_string()).collect();
    match values.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{}\n]\n", values.join(",\n")),
    }
}

fn yaml(points: &[RejectedPoint]) -> String {
    if points.is_empty() {
        return "[]\n".to_owned();
    }
    let mut text = String::new();
    for point in points {
        let _ = write!(
            text,
            "- id: {}\n  sink: {}\n  collector: {}\n  refused: {}\n  status: {}\n  reason: {}\n  line: {}\n",
            point.id,
            quoted(&point.sink),
            quoted(&point.collector),
            quoted(&point.at.to_string()),
            point
                .status
                .map_or_else(|| "null".to_owned(), |status| status.to_string()),
            quoted(&point.reason),
            quoted(&point.line)
        );
    }
    text
}

/// A string in double quotes that every reader of YAML takes: as in JSON, and in ASCII alone.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for character in serde_json::Value::from(text).to_string().chars() {
        match u32::from(character) {
            0x20..0x7f => out.push(character),
            code if code <= 0xffff => {
                let _ = write!(out, "\\u{code:04x}");
            }
            code => {
                let _ = write!(out, "\\U{code:08x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_strings_are_ascii_on_one_line() {
        assert_eq!(
            quoted("a\n\"b\" é \u{2028}😀\u{1}"),
            r#""a\n\"b\" \u00e9 \u2028\U0001f600\u0001""#
        );
    }
}
