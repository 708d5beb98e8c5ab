//! How OpenMetrics writes labels, numbers and times.

use std::fmt::Write as _;

use tidemark_point::Timestamp;
use tidemark_point::exposition::{Exemplar, Labels};

/// The labels that say something, as they are written; the bounds of buckets and quantiles as numbers are written.
pub(super) fn labels(labels: Labels<'_>, own_label: &str, with_own: bool) -> Vec<String> {
    labels
        .filter(|(name, value)| !value.is_empty() && (with_own || name != own_label))
        .map(|(name, value)| {
            let written = match name == own_label {
                true => own_value(own_label, &value),
                false => escaped(&value),
            };
            format!("{name}=\"{written}\"")
        })
        .collect()
}

/// The value of the label that tells the samples of a point apart.
pub(super) fn own_value(own_label: &str, value: &str) -> String {
    match value.parse::<f64>() {
        Ok(bound) if matches!(own_label, "le" | "quantile") => number(bound),
        _ => escaped(value),
    }
}

pub(super) fn in_braces(labels: &[String]) -> String {
    match labels.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", labels.join(",")),
    }
}

/// A value, and its time where it has one.
pub(super) fn value(value: f64, time: Option<Timestamp>) -> String {
    let mut text = number(value);
    if let Some(time) = time {
        let _ = write!(text, " {}", seconds(time));
    }
    text
}

/// An exemplar with what stands before it.
pub(super) fn exemplar(exemplar: &Exemplar<'_>) -> String {
    format!(
        " # {{{}}} {}",
        labels(exemplar.labels(), "", true).join(","),
        value(exemplar.value, exemplar.time)
    )
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// The shortest text that reads back the same.
fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => format!("{value:?}"),
    }
}

/// Seconds with as many digits as are needed.
fn seconds(time: Timestamp) -> String {
    const NANOS: u64 = 1_000_000_000;
    let sign = if time.nanos() < 0 { "-" } else { "" };
    let nanos = time.nanos().unsigned_abs();
    let fraction = format!(".{:09}", nanos % NANOS);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{}{fraction}", nanos / NANOS)
}
