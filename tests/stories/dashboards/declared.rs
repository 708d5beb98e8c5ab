//! What collectors say that they measure, and what queries name of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidemark_delivery::{RUN_SCHEMA, SINK_SCHEMA};
use tidemark_point::{Kind, Schema};
use tidemark_testkit::{Run, program};
use tidemark_tests::readme::collectors;

use super::grafana::{list, text};

/// Labels that a scrape adds; it renames the collectors' own of these names.
const OF_A_SCRAPE: [&str; 3] = ["instance", "job", "exported_instance"];
/// Words of PromQL before which, or after which, there is no metric.
const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

#[derive(Default)]
struct Measurement {
    tags: BTreeSet<String>,
    /// Each with its unit, empty where it has none, and whether it is a counter.
    fields: BTreeMap<String, (String, bool)>,
}

/// Every measurement of every collector, and tidemark's own.
pub(super) struct Declared {
    measurements: BTreeMap<String, Measurement>,
}

/// What a query names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// `measurement.field`
    pub(super) fields: BTreeSet<String>,
    /// Their units.
    pub(super) units: BTreeSet<String>,
}

impl Declared {
    /// By asking each program.
    pub(super) fn new() -> Self {
        let mut measurements = BTreeMap::new();
        for name in collectors(&super::root()) {
            let run = Run::new(program(&format!("tidemark-{name}"))).arg("--describe");
            let described: Value = serde_json::from_str(&run.run().expect_code(0).stdout).expect("JSON");
            for written in list(&described, "measurements") {
                let mut measurement = Measurement::default();
                for tag in list(written, "tags") {
                    measurement.tags.insert(text(tag, "name").to_owned());
                }
                for field in list(written, "fields") {
                    let unit = field["unit"].as_str().unwrap_or_default().to_owned();
                    let is_counter = text(field, "kind") == "counter";
                    measurement
                        .fields
                        .insert(text(field, "name").to_owned(), (unit, is_counter));
                }
                measurements.insert(text(written, "name").to_owned(), measurement);
            }
        }
        for schema in [RUN_SCHEMA, SINK_SCHEMA] {
            measurements.insert(schema.measurement.to_owned(), of_schema(schema));
        }
        Self { measurements }
    }

    /// What a statement of InfluxQL names; what is not declared is an error.
    pub(super) fn influxql(&self, statement: &str) -> Result<Named, String> {
        let (mut measurement, mut aliases, mut rest) = (None, BTreeSet::new(), Vec::new());
        let mut parts = statement.split('"');
        let mut before = parts.next().unwrap_or_default();
        while let (Some(name), Some(after)) = (parts.next(), parts.next()) {
            match before.split_whitespace().last() {
                Some("FROM") if measurement.is_none_or(|found| found == name) => measurement = Some(name),
                Some("FROM") => return Err(format!("two measurements, {name} the second")),
                Some("AS") => {
                    aliases.insert(name);
                }
                _ => rest.push(name),
            }
            before = after;
        }
        let measurement = measurement.ok_or("no measurement")?;
        let declared = self
            .measurements
            .get(measurement)
            .ok_or(format!("{measurement} is not declared"))?;
        let mut named = Named::default();
        for name in rest {
            if let Some((unit, _)) = declared.fields.get(name) {
                named.fields.insert(format!("{measurement}.{name}"));
                named.units.insert(unit.clone());
            } else if !declared.tags.contains(name) && !aliases.contains(name) {
                return Err(format!("{measurement} has no {name}"));
            }
        }
        Ok(named)
    }

    /// What an expression of PromQL names, under the names that sinks give; what is not declared is an error.
    pub(super) fn promql(&self, expression: &str) -> Result<Named, String> {
        let (metrics, labels) = names(expression);
        let (mut named, mut tags) = (Named::default(), BTreeSet::from(OF_A_SCRAPE));
        for metric in metrics {
            let (measurement, field) = self.metric(&metric).ok_or(format!("{metric} is not declared"))?;
            let declared = &self.measurements[measurement];
            tags.extend(declared.tags.iter().map(String::as_str));
            named.fields.insert(format!("{measurement}.{field}"));
            named.units.insert(declared.fields[field].0.clone());
        }
        match labels.iter().find(|label| !tags.contains(label.as_str())) {
            Some(label) => Err(format!("no tag is called {label}")),
            None if named.fields.is_empty() => Err("no metric".to_owned()),
            None => Ok(named),
        }
    }

    /// The measurement and the field of a metric.
    fn metric(&self, metric: &str) -> Option<(&str, &str)> {
        let mut all = self.measurements.iter().flat_map(|(name, measurement)| {
            let fields = measurement.fields.iter();
            fields.map(move |(field, (_, is_counter))| (name, field, *is_counter))
        });
        let found = all.find(|(measurement, field, is_counter)| {
            let ending = if *is_counter { "_total" } else { "" };
            metric == format!("{measurement}_{field}{ending}")
        });
        found.map(|(measurement, field, _)| (measurement.as_str(), field.as_str()))
    }
}

fn of_schema(schema: &Schema) -> Measurement {
    let fields = schema.fields.iter().map(|field| {
        let unit = field.unit.unwrap_or_default().to_owned();
        (field.name.to_owned(), (unit, field.kind == Kind::Counter))
    });
    Measurement {
        tags: schema.tags.iter().map(|tag| tag.name.to_owned()).collect(),
        fields: fields.collect(),
    }
}

/// The metrics and the labels of an expression.
pub(super) fn names(expression: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut metrics, mut labels) = (BTreeSet::new(), BTreeSet::new());
    // Without strings and ranges.
    let mut code = String::new();
    for (number, part) in expression.split('"').enumerate() {
        code.push_str(if number % 2 == 0 { part } else { "''" });
    }
    let code: String = code
        .split('[')
        .enumerate()
        .map(|(number, part)| match part.split_once(']') {
            Some((_, after)) if number > 0 => after,
            _ => part,
        })
        .collect();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (mut rest, mut in_braces, mut grouped) = (code.as_str(), false, false);
    while let Some(first) = rest.chars().next() {
        let word = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
        let after = &rest[word.len().max(first.len_utf8())..];
        let is_call = after.trim_start().starts_with('(');
        match first {
            '{' => in_braces = true,
            '}' => in_braces = false,
            ')' => grouped = false,
            _ if word.is_empty() || first.is_ascii_digit() => {}
            _ if in_braces || grouped => {
                labels.insert(word.to_owned());
            }
            _ if GROUPING.contains(&word) => grouped = is_call,
            _ if OPERATORS.contains(&word) || is_call || followed_by_grouping(after) => {}
            _ => {
                metrics.insert(word.to_owned());
            }
        }
        rest = after;
    }
    (metrics, labels)
}

/// Whether it goes on with `by (…)` or the like: what stands before it is an aggregation.
fn followed_by_grouping(code: &str) -> bool {
    let next = code.trim_start();
    ["by", "without"].iter().any(|word| {
        next.strip_prefix(word)
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

#[test]
fn names_of_an_expression_are_its_metrics_and_labels() {
    let expression = "sum by (arch) (last_over_time(a_count{instance=\"x{y}\", b!~\"z\"}[30m]) or c{}) > 0 < 7 * 24\n\
        and on (d) 1 - rate(e_total[$__rate_interval]) / max(f) == bool 0";
    let (metrics, labels) = names(expression);
    assert_eq!(
        metrics,
        ["a_count", "c", "e_total", "f"].map(str::to_owned).into()
    );
    assert_eq!(labels, ["arch", "b", "d", "instance"].map(str::to_owned).into());
}
