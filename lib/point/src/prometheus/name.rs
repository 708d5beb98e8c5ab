//! Names that Prometheus takes, made of ours.

use std::borrow::Cow;

use crate::Kind;

/// The field that adds nothing to the name.
const PLAIN_FIELD: &str = "value";

/// How the name of a counter ends.
pub(crate) const COUNTER_SUFFIX: &str = "_total";

/// What stands before a name that would begin with a digit, or with the underscore that is reserved.
const NAME_PREFIX: &str = "metric";
/// What stands before such a label.
const LABEL_PREFIX: &str = "key";

/// The name under which Prometheus knows a field, the same in every text and request.
///
/// It is `measurement_field`; a field called `value` adds nothing. Characters other than ASCII letters and digits
/// become `_`, the colon too, which is kept for recording rules. A counter's name ends in `_total`, once. Names
/// that begin with an underscore are reserved (OpenMetrics 1.0), and none may begin with a digit: `metric` or
/// `metric_` is put before these.
///
/// ```
/// use tidemark_point::{Kind, prometheus_name};
///
/// assert_eq!(prometheus_name("disk", "used.bytes", Kind::Gauge), "disk_used_bytes");
/// assert_eq!(prometheus_name("uptime", "value", Kind::Gauge), "uptime");
/// assert_eq!(prometheus_name("net", "rx", Kind::Counter), "net_rx_total");
/// assert_eq!(prometheus_name("net", "rx_total", Kind::Counter), "net_rx_total");
/// assert_eq!(prometheus_name("5xx", "rate", Kind::Gauge), "metric_5xx_rate");
/// ```
#[must_use]
pub fn prometheus_name(measurement: &str, field: &str, kind: Kind) -> String {
    let mut name = String::with_capacity(measurement.len() + field.len() + 1 + COUNTER_SUFFIX.len());
    push_clean(&mut name, measurement);
    if field != PLAIN_FIELD {
        name.push('_');
        push_clean(&mut name, field);
    }
    put_before(&mut name, NAME_PREFIX);
    if kind == Kind::Counter && !name.ends_with(COUNTER_SUFFIX) {
        name.push_str(COUNTER_SUFFIX);
    }
    name
}

/// The label that a tag becomes.
///
/// Characters other than ASCII letters, digits and `_` become `_`. Labels that begin with an underscore are
/// reserved, and none may begin with a digit: `key` or `key_` is put before these.
///
/// ```
/// use tidemark_point::prometheus_label;
///
/// assert_eq!(prometheus_label("host"), "host");
/// assert_eq!(prometheus_label("disk.name"), "disk_name");
/// assert_eq!(prometheus_label("__name__"), "key__name__");
/// assert_eq!(prometheus_label("1st"), "key_1st");
/// ```
#[must_use]
pub fn prometheus_label(tag: &str) -> Cow<'_, str> {
    if is_label(tag) {
        return Cow::Borrowed(tag);
    }
    let mut label = String::with_capacity(tag.len() + LABEL_PREFIX.len() + 1);
    push_clean(&mut label, tag);
    put_before(&mut label, LABEL_PREFIX);
    Cow::Owned(label)
}

/// Whether a tag is a label as it is.
pub(crate) fn is_label(tag: &str) -> bool {
    tag.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn push_clean(name: &mut String, text: &str) {
    let clean = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '_'
        }
    };
    name.extend(text.chars().map(clean));
}

fn put_before(name: &mut String, prefix: &str) {
    match name.as_bytes().first() {
        Some(byte) if byte.is_ascii_alphabetic() => {}
        Some(b'_') => name.insert_str(0, prefix),
        _ => {
            name.insert(0, '_');
            name.insert_str(0, prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_measurement_and_field() {
        for (measurement, field, kind, name) in [
            ("load", "load1", Kind::Gauge, "load_load1"),
            ("queue", "value", Kind::Gauge, "queue"),
            ("queue", "Value", Kind::Gauge, "queue_Value"),
            ("requests", "value", Kind::Counter, "requests_total"),
            ("requests_total", "value", Kind::Counter, "requests_total"),
            ("requests", "total", Kind::Counter, "requests_total"),
            ("total", "value", Kind::Counter, "total_total"),
            ("net", "rx_Total", Kind::Counter, "net_rx_Total_total"),
            ("a.b-c", "d e/f", Kind::Gauge, "a_b_c_d_e_f"),
            ("job:x", "rate5m", Kind::Gauge, "job_x_rate5m"),
            ("Größe", "größter", Kind::Gauge, "Gr__e_gr__ter"),
            ("温度", "值", Kind::Gauge, "metric____"),
            ("802.11", "value", Kind::Gauge, "metric_802_11"),
            ("_internal", "n", Kind::Gauge, "metric_internal_n"),
            ("__x", "value", Kind::Counter, "metric__x_total"),
            ("_total", "value", Kind::Counter, "metric_total"),
        ] {
            assert_eq!(
                prometheus_name(measurement, field, kind),
                name,
                "{measurement} {field}"
            );
        }
    }

    #[test]
    fn labels_are_clean_and_never_reserved() {
        for (tag, label) in [
            ("le", "le"),
            ("quantile", "quantile"),
            ("Host_1", "Host_1"),
            ("a:b", "a_b"),
            ("_x", "key_x"),
            ("__name__", "key__name__"),
            ("9", "key_9"),
            ("é", "key_"),
        ] {
            assert_eq!(prometheus_label(tag), label, "{tag}");
            assert_eq!(is_label(tag), tag == label, "{tag}");
        }
    }
}
