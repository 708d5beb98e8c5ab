//! Values as tables.

use tidemark_collect::{Description, one_line};
use tidemark_point::{Timestamp, Value};
use tidemark_store::{SeriesName, SeriesSamples};

use crate::table::{Align, Cell, Table};
use crate::wording::{count, relative};

/// A table for each measurement, with a row for each series: its newest value and age.
pub(super) fn newest(series: &[SeriesSamples], description: &Description, now: Timestamp) -> String {
    let columns = [
        ("VALUE", Align::Right),
        ("UNIT", Align::Left),
        ("AGE", Align::Left),
    ];
    tables(
        series,
        description,
        &columns,
        |SeriesSamples { series, samples }| {
            let (time, value) = samples.last()?;
            Some(vec![
                value_text(value).into(),
                unit(series, description).into(),
                relative(now, *time).into(),
            ])
        },
    )
}

/// A table for each measurement, with a row for each series: what its values were over the time.
pub(super) fn ranges(series: &[SeriesSamples], description: &Description, now: Timestamp) -> String {
    let columns = [
        ("COUNT", Align::Right),
        ("MIN", Align::Right),
        ("MEAN", Align::Right),
        ("MAX", Align::Right),
        ("LAST", Align::Right),
        ("UNIT", Align::Left),
        ("AGE", Align::Left),
    ];
    tables(
        series,
        description,
        &columns,
        |SeriesSamples { series, samples }| {
            let (time, last) = samples.last()?;
            let spread = Spread::of(samples.iter().map(|(_, value)| value));
            let number = |pick: fn(&Spread) -> f64| {
                spread
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |of| float(pick(of)))
            };
            Some(vec![
                count(samples.len() as u64).into(),
                number(|spread| spread.min).into(),
                number(|spread| spread.mean).into(),
                number(|spread| spread.max).into(),
                value_text(last).into(),
                unit(series, description).into(),
                relative(now, *time).into(),
            ])
        },
    )
}

/// A table for each measurement; tags that all series share are said once, above.
fn tables(
    series: &[SeriesSamples],
    description: &Description,
    columns: &[(&'static str, Align)],
    cells: impl Fn(&SeriesSamples) -> Option<Vec<Cell>>,
) -> String {
    let shared = shared_tags(series);
    let mut out = String::new();
    if !shared.is_empty() {
        out.push_str(&format!("All of {}\n\n", tags_text(&shared, &[])));
    }
    let of_measurement = series.chunk_by(|a, b| a.series.measurement == b.series.measurement);
    for (index, group) in of_measurement.enumerate() {
        let Some(first) = group.first() else { continue };
        let name = &first.series.measurement;
        let help = description
            .measurements
            .iter()
            .find(|measurement| measurement.name == *name);
        let help = help
            .map(|measurement| format!(": {}", measurement.help))
            .unwrap_or_default();
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&one_line(format!("{name}{help}")));
        out.push('\n');
        let tagged = group.iter().any(|of| of.series.tags.len() > shared.len());
        let mut head = vec![("FIELD", Align::Left)];
        if tagged {
            head.insert(0, ("TAGS", Align::Left));
        }
        let mut table = Table::new(head.into_iter().chain(columns.iter().copied()));
        let mut before: Option<&[(String, String)]> = None;
        for of in group {
            let Some(cells) = cells(of) else { continue };
            let mut row: Vec<Cell> = Vec::new();
            if tagged {
                let same = before.replace(&of.series.tags) == Some(&of.series.tags);
                row.push(if same {
                    "".into()
                } else {
                    tags_text(&of.series.tags, &shared).into()
                });
            }
            row.push(of.series.field.as_str().into());
            row.extend(cells);
            table.row(row);
        }
        out.push_str(&table.render(false));
    }
    out
}

/// The tags that every series has.
fn shared_tags(series: &[SeriesSamples]) -> Vec<(String, String)> {
    let mut shared = series
        .first()
        .map(|first| first.series.tags.clone())
        .unwrap_or_default();
    for of in series {
        shared.retain(|tag| of.series.tags.contains(tag));
    }
    shared
}

fn tags_text(tags: &[(String, String)], but: &[(String, String)]) -> String {
    let own = tags.iter().filter(|tag| !but.contains(tag));
    own.map(|(key, value)| one_line(format!("{key}={value}")))
        .collect::<Vec<_>>()
        .join(" ")
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
        let expected = r#"disk: A disk.
TAGS        FIELD  VALUE  UNIT  AGE
device=sda  busy    0.25        40 s ago
            read   3,000  B     40 s ago
device=sdb  read       7  B     40 s ago

load
FIELD      VALUE  UNIT  AGE
state  "a \"b\""        100 s ago
"#;
        assert_eq!(newest(&samples(), &description(), now()), expected);
    }

    #[test]
    fn a_time_is_count_min_mean_max_and_last() {
        let expected = r#"disk: A disk.
TAGS        FIELD  COUNT    MIN   MEAN    MAX   LAST  UNIT  AGE
device=sda  busy       2   0.25  0.375    0.5   0.25        40 s ago
            read       2  1,000  2,000  3,000  3,000  B     40 s ago
device=sdb  read       2      7      7      7      7  B     40 s ago
"#;
        assert_eq!(ranges(&samples()[..3], &description(), now()), expected);
    }

    #[test]
    fn what_is_no_number_has_no_spread() {
        let text = ranges(&samples()[3..], &description(), now());
        assert!(
            text.contains(r#"state      1    -     -    -  "a \"b\""        100 s ago"#),
            "{text}"
        );
    }

    #[test]
    fn tags_that_all_share_are_said_once() {
        let of = |device: &str| {
            series(
                "disk",
                &[("device", device), ("host", "h")],
                "read",
                vec![Value::Uint(1)],
            )
        };
        let expected = "\
All of host=h

disk: A disk.
TAGS        FIELD  VALUE  UNIT  AGE
device=sda  read       1  B     100 s ago
device=sdb  read       1  B     100 s ago
";
        assert_eq!(newest(&[of("sda"), of("sdb")], &description(), now()), expected);
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
