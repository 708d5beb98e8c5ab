//! Values as tables.

use tidemark_collect::Description;
use tidemark_point::{Timestamp, Value};
use tidemark_store::{SeriesName, SeriesSamples};

use crate::table::{Align, Cell, Table};
use crate::wording::{count, relative};

/// A row for each series with its newest value and age.
pub(super) fn newest(series: &[SeriesSamples], description: &Description, now: Timestamp) -> String {
    let mut table = Table::new([
        ("MEASUREMENT", Align::Left),
        ("TAGS", Align::Left),
        ("FIELD", Align::Left),
        ("VALUE", Align::Right),
        ("UNIT", Align::Left),
        ("AGE", Align::Left),
    ]);
    let mut before = None;
    for SeriesSamples { series, samples } in series {
        let Some((time, value)) = samples.last() else {
            continue;
        };
        let [measurement, tags] = heading(series, &mut before);
        table.row([
            measurement,
            tags,
            series.field.as_str().into(),
            value_text(value).into(),
            unit(series, description).into(),
            relative(now, *time).into(),
        ]);
    }
    table.render(false)
}

/// A row for each series with what its values were over the time.
pub(super) fn ranges(series: &[SeriesSamples], description: &Description, now: Timestamp) -> String {
    let mut table = Table::new([
        ("MEASUREMENT", Align::Left),
        ("TAGS", Align::Left),
        ("FIELD", Align::Left),
        ("COUNT", Align::Right),
        ("MIN", Align::Right),
        ("MEAN", Align::Right),
        ("MAX", Align::Right),
        ("LAST", Align::Right),
        ("UNIT", Align::Left),
        ("AGE", Align::Left),
    ]);
    let mut before = None;
    for SeriesSamples { series, samples } in series {
        let Some((time, last)) = samples.last() else {
            continue;
        };
        let [measurement, tags] = heading(series, &mut before);
        let spread = Spread::of(samples.iter().map(|(_, value)| value));
        let number = |pick: fn(&Spread) -> f64| {
            spread
                .as_ref()
                .map_or_else(|| "-".to_owned(), |spread| float(pick(spread)))
        };
        table.row([
            measurement,
            tags,
            series.field.as_str().into(),
            count(samples.len() as u64).into(),
            number(|spread| spread.min).into(),
            number(|spread| spread.mean).into(),
            number(|spread| spread.max).into(),
            value_text(last).into(),
            unit(series, description).into(),
            relative(now, *time).into(),
        ]);
    }
    table.render(false)
}

/// Measurement and tags, once for the rows that share them.
fn heading<'a>(series: &'a SeriesName, before: &mut Option<(&'a str, &'a [(String, String)])>) -> [Cell; 2] {
    let (measurement, tags) = (series.measurement.as_str(), series.tags.as_slice());
    let same_measurement = before.is_some_and(|(name, _)| name == measurement);
    let same_tags = same_measurement && before.is_some_and(|(_, of)| of == tags);
    *before = Some((measurement, tags));
    let text = tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(" ");
    [
        if same_measurement {
            "".into()
        } else {
            measurement.into()
        },
        if same_tags { "".into() } else { text.into() },
    ]
}

fn unit<'a>(series: &SeriesName, description: &'a Description) -> &'a str {
    let measurement = description
        .measurements
        .iter()
        .find(|measurement| measurement.name == series.measurement);
    let field = measurement
        .and_then(|measurement| measurement.fields.iter().find(|field| field.name == series.field));
    field.and_then(|field| field.unit.as_deref()).unwrap_or_default()
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Float(number) => float(*number),
        Value::Int(number) => {
            let sign = if *number < 0 { "-" } else { "" };
            format!("{sign}{}", count(number.unsigned_abs()))
        }
        Value::Uint(number) => count(*number),
        Value::Bool(truth) => truth.to_string(),
        Value::String(text) => format!("{text:?}"),
    }
}

/// Three decimals, for people; very large and very small numbers with an exponent. (`--output` has every digit.)
fn float(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e15).contains(&size) {
        return format!("{number:.3e}");
    }
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, decimals) = text
        .split_once('.')
        .map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let whole = digits.parse().map_or_else(|_| digits.to_owned(), count);
    match decimals {
        Some(decimals) => format!("{sign}{whole}.{decimals}"),
        None => format!("{sign}{whole}"),
    }
}

/// The least, the mean and the largest of numbers; none for other values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    min: f64,
    mean: f64,
    max: f64,
}

impl Spread {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Self> {
        let mut spread: Option<Self> = None;
        for (index, value) in values.enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let number = match value {
                Value::Float(number) => *number,
                Value::Int(number) => *number as f64,
                Value::Uint(number) => *number as f64,
                Value::Bool(_) | Value::String(_) => return None,
            };
            #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
            let before = index as f64;
            spread = Some(match spread {
                None => Self {
                    min: number,
                    mean: number,
                    max: number,
                },
                // A running mean: a sum of large numbers could overflow.
                Some(Self { min, mean, max }) => Self {
                    min: min.min(number),
                    mean: mean + (number - mean) / (before + 1.0),
                    max: max.max(number),
                },
            });
        }
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        serde_json::from_str(
            r#"{"name": "x", "summary": "X.", "version": "0.1.0", "run_interval": "1m", "deadline": "10m",
            "default": "on", "needs": {"network": false, "programs": [], "paths": []}, "settings": [],
            "measurements": [{"name": "disk", "help": "A disk.", "tags": [{"name": "device", "help": "It."}],
                "fields": [{"name": "read", "type": "uint", "kind": "counter", "unit": "B", "help": "Read."}]}]}"#,
        )
        .expect("a description")
    }

    fn series(measurement: &str, tags: &[(&str, &str)], field: &str, values: Vec<Value>) -> SeriesSamples {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let time = |index: usize| Timestamp::from_secs(100 + 60 * i64::try_from(index).unwrap()).unwrap();
        SeriesSamples {
            series: SeriesName {
                measurement: measurement.into(),
                tags,
                field: field.into(),
            },
            samples: values
                .into_iter()
                .enumerate()
                .map(|(index, value)| (time(index), value))
                .collect(),
        }
    }

    fn samples() -> Vec<SeriesSamples> {
        vec![
            series(
                "disk",
                &[("device", "sda")],
                "busy",
                vec![Value::Float(0.5), Value::Float(0.25)],
            ),
            series(
                "disk",
                &[("device", "sda")],
                "read",
                vec![Value::Uint(1_000), Value::Uint(3_000)],
            ),
            series(
                "disk",
                &[("device", "sdb")],
                "read",
                vec![Value::Uint(7), Value::Uint(7)],
            ),
            series("load", &[], "state", vec![Value::String("a \"b\"".into())]),
        ]
    }

    fn now() -> Timestamp {
        Timestamp::from_secs(200).expect("in range")
    }

    #[test]
    fn the_newest_values_are_a_table() {
        let expected = r#"MEASUREMENT  TAGS        FIELD      VALUE  UNIT  AGE
disk         device=sda  busy        0.25        40 s ago
                         read       3,000  B     40 s ago
             device=sdb  read           7  B     40 s ago
load                     state  "a \"b\""        100 s ago
"#;
        assert_eq!(newest(&samples(), &description(), now()), expected);
    }

    #[test]
    fn a_time_is_count_min_mean_max_and_last() {
        let expected = r#"MEASUREMENT  TAGS        FIELD  COUNT    MIN   MEAN    MAX       LAST  UNIT  AGE
disk         device=sda  busy       2   0.25  0.375    0.5       0.25        40 s ago
                         read       2  1,000  2,000  3,000      3,000  B     40 s ago
             device=sdb  read       2      7      7      7          7  B     40 s ago
load                     state      1      -      -      -  "a \"b\""        100 s ago
"#;
        assert_eq!(ranges(&samples(), &description(), now()), expected);
    }

    #[test]
    fn numbers_are_for_people() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1234.5678, "-1,234.568"),
            (0.001, "0.001"),
            (0.0004, "4.000e-4"),
            (1e15, "1.000e15"),
            (123_456_789.0, "123,456,789"),
        ] {
            assert_eq!(float(number), expected);
        }
        assert_eq!(value_text(&Value::Int(i64::MIN)), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn the_mean_of_large_numbers_does_not_overflow() {
        let values = [Value::Float(f64::MAX), Value::Float(f64::MAX)];
        assert_eq!(
            Spread::of(values.iter()).map(|spread| spread.mean),
            Some(f64::MAX)
        );
        assert_eq!(Spread::of([Value::Bool(true)].iter()), None);
    }
}
