use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::fmt::{self, Display};

use tidemark_point::{Adjustments, FieldType, Point, Schema, Value};

use crate::CollectorError;

/// The most kinds of mismatch that one check tells apart; a source that makes up names cannot make it more.
const MISMATCH_LIMIT: usize = 100;

/// What becomes of a point that does not match its declaration.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Strictness {
    /// The check fails: for tests and dry runs.
    Strict,
    /// The offending field is left out, and a notice counts it: for runs.
    #[default]
    Lenient,
}

/// How a point differs from its declaration.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Mismatch {
    Measurement {
        measurement: String,
    },
    Tag {
        measurement: String,
        tag: String,
    },
    Field {
        measurement: String,
        field: String,
    },
    Type {
        measurement: String,
        field: String,
        declared: FieldTypeName,
        found: FieldTypeName,
    },
}

/// `float`, `int` … as the type is displayed.
type FieldTypeName = String;

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement { measurement } => {
                write!(
                    f,
                    "measurement `{measurement}` is not declared: add its SCHEMA to MEASUREMENTS"
                )
            }
            Self::Tag { measurement, tag } => {
                write!(
                    f,
                    "tag `{tag}` of `{measurement}` is not declared: add it to the measurement's struct"
                )
            }
            Self::Field { measurement, field } => {
                write!(
                    f,
                    "field `{field}` of `{measurement}` is not declared: add it to the measurement's struct"
                )
            }
            Self::Type {
                measurement,
                field,
                declared,
                found,
            } => {
                write!(
                    f,
                    "field `{field}` of `{measurement}` is declared as {declared}, and is {found} here"
                )
            }
        }
    }
}

impl Error for Mismatch {}

/// Checks each point against the schema of its measurement.
///
/// Strict: the first mismatch is an error. Lenient: a field that is not declared, or is of another type, is left
/// out of its point; a point whose measurement is not declared, or that has no field left, is left out; an
/// undeclared tag stays, since without it two series would become one. What is returned then are notices, one a kind
/// of mismatch, with the number of points.
///
/// # Errors
/// In strict mode, where a point is not as declared.
pub fn check_schemas(
    points: &mut Vec<Point>,
    schemas: &[&Schema],
    strictness: Strictness,
) -> Result<Vec<String>, CollectorError> {
    let mut found = Found::default();
    let mut strict = None;
    points.retain_mut(|point| {
        if strict.is_some() {
            return true;
        }
        let mismatches = mismatches(point, schemas);
        if mismatches.is_empty() {
            return true;
        }
        if strictness == Strictness::Strict {
            strict = mismatches.into_iter().next();
            return true;
        }
        let kept = without(point, &mismatches);
        mismatches.into_iter().for_each(|mismatch| found.count(mismatch));
        kept.map(|kept| *point = kept).is_some()
    });
    match strict {
        Some(mismatch) => Err(CollectorError::caused(
            "a point is not as the collector declares it",
            mismatch,
        )),
        None => Ok(found.notices()),
    }
}

/// All differences between a point and its declaration; no allocation where there are none.
fn mismatches(point: &Point, schemas: &[&Schema]) -> Vec<Mismatch> {
    let measurement = point.measurement();
    let Some(schema) = schemas.iter().find(|schema| schema.measurement == measurement) else {
        return vec![Mismatch::Measurement {
            measurement: measurement.to_owned(),
        }];
    };
    let mut mismatches = Vec::new();
    for (tag, _) in point.tags() {
        if !schema.tags.iter().any(|declared| declared.name == tag) {
            mismatches.push(Mismatch::Tag {
                measurement: measurement.to_owned(),
                tag: tag.to_owned(),
            });
        }
    }
    for (field, value) in point.fields() {
        let found = type_of(value);
        match schema.fields.iter().find(|declared| declared.name == field) {
            None => mismatches.push(Mismatch::Field {
                measurement: measurement.to_owned(),
                field: field.to_owned(),
            }),
            Some(declared) if declared.field_type != found => mismatches.push(Mismatch::Type {
                measurement: measurement.to_owned(),
                field: field.to_owned(),
                declared: declared.field_type.to_string(),
                found: found.to_string(),
            }),
            Some(_) => {}
        }
    }
    mismatches
}

fn type_of(value: &Value) -> FieldType {
    match value {
        Value::Float(_) => FieldType::Float,
        Value::Int(_) => FieldType::Int,
        Value::Uint(_) => FieldType::Uint,
        Value::Bool(_) => FieldType::Bool,
        Value::String(_) => FieldType::String,
    }
}

/// The point without its offending fields; `None` where nothing is left.
fn without(point: &Point, mismatches: &[Mismatch]) -> Option<Point> {
    if mismatches
        .iter()
        .any(|mismatch| matches!(mismatch, Mismatch::Measurement { .. }))
    {
        return None;
    }
    let offends = |name: &str| {
        mismatches.iter().any(|mismatch| match mismatch {
            Mismatch::Field { field, .. } | Mismatch::Type { field, .. } => field == name,
            Mismatch::Measurement { .. } | Mismatch::Tag { .. } => false,
        })
    };
    let mut builder = Point::builder(point.measurement()).time(point.time());
    for (key, value) in point.tags() {
        builder = builder.tag(key, value);
    }
    for (key, value) in point.fields().filter(|(key, _)| !offends(key)) {
        builder = builder.field(key, value.clone());
    }
    // All parts come from a valid point: nothing is adjusted, and it fails only without a field.
    builder.build(&mut Adjustments::default()).ok()
}

/// Mismatches by kind, with the number of points of each.
#[derive(Default)]
struct Found {
    counts: BTreeMap<Mismatch, u64>,
    more: u64,
}

impl Found {
    fn count(&mut self, mismatch: Mismatch) {
        let full = self.counts.len() >= MISMATCH_LIMIT;
        match self.counts.entry(mismatch) {
            Entry::Occupied(mut count) => *count.get_mut() += 1,
            Entry::Vacant(_) if full => self.more += 1,
            Entry::Vacant(count) => {
                count.insert(1);
            }
        }
    }

    fn notices(self) -> Vec<String> {
        let plural = |count: u64| if count == 1 { "point" } else { "points" };
        let mut notices: Vec<String> = self
            .counts
            .into_iter()
            .map(|(mismatch, count)| {
                let left = match mismatch {
                    Mismatch::Measurement { .. } => "left out",
                    Mismatch::Field { .. } | Mismatch::Type { .. } => "left out of",
                    Mismatch::Tag { .. } => "on",
                };
                format!("{mismatch} ({left} {count} {})", plural(count))
            })
            .collect();
        if self.more > 0 {
            notices.push(format!(
                "{} more points are not as declared, in other ways",
                self.more
            ));
        }
        notices
    }
}

#[cfg(test)]
mod tests;
