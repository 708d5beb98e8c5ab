//! The declaration of a measurement.

use std::fmt;

use crate::{FieldType, Point};

/// What a measurement is declared to be: its name, tags and fields, with help, types, kinds and units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schema {
    /// The measurement's name.
    pub measurement: &'static str,
    /// What a point of it is about.
    pub help: &'static str,
    /// Its tags. A point may leave out any of them.
    pub tags: &'static [TagSchema],
    /// Its fields. A point may leave out any of them, but not all.
    pub fields: &'static [FieldSchema],
}

/// The declaration of a tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagSchema {
    /// The tag's key.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
}

/// The declaration of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldSchema {
    /// The field's key.
    pub name: &'static str,
    /// Gauge or counter.
    pub kind: Kind,
    /// The type of all its values.
    pub field_type: FieldType,
    /// The unit of its values, such as `seconds`, `bytes`, `ratio` or `d`; `None` for plain numbers. Where the name
    /// ends in the unit, both have the same spelling.
    pub unit: Option<&'static str>,
    /// What it says.
    pub help: &'static str,
}

/// How a field's values relate to each other.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows, and starts again from zero when its source does.
    Counter,
}

impl Kind {
    /// The kind's name: `gauge` or `counter`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        [Kind::Gauge, Kind::Counter]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Schema {
    /// Refuses, at compile time where the schema is a constant, names that could not be stored as declared.
    ///
    /// # Panics
    ///
    /// Where a name is empty, begins with `_`, contains a control character or a backslash; where the
    /// measurement begins with `#`; where a tag or field is called `time`; where a name is declared twice; where
    /// there is no field.
    ///
    /// ```compile_fail,E0080
    /// use tidemark_point::{FieldSchema, FieldType, Kind, Schema};
    ///
    /// const SCHEMA: &Schema = &Schema {
    ///     measurement: "disk",
    ///     help: "A disk.",
    ///     tags: &[],
    ///     fields: &[FieldSchema {
    ///         name: "time", // taken
    ///         kind: Kind::Gauge,
    ///         field_type: FieldType::Float,
    ///         unit: None,
    ///         help: "When.",
    ///     }],
    /// };
    /// const _: () = SCHEMA.check();
    /// ```
    #[expect(
        clippy::panic,
        reason = "evaluated at compile time, where a panic is the error message"
    )]
    pub const fn check(&self) {
        check_name(self.measurement);
        if self.measurement.as_bytes()[0] == b'#' {
            panic!("a measurement that begins with # would be a comment in line protocol");
        }
        if self.fields.is_empty() {
            panic!("a measurement needs a field");
        }
        let mut i = 0;
        while i < self.tags.len() {
            check_key(self.tags[i].name);
            let mut j = i + 1;
            while j < self.tags.len() {
                if equal(self.tags[i].name, self.tags[j].name) {
                    panic!("two tags have the same name");
                }
                j += 1;
            }
            let mut j = 0;
            while j < self.fields.len() {
                if equal(self.tags[i].name, self.fields[j].name) {
                    panic!("a tag and a field have the same name");
                }
                j += 1;
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.fields.len() {
            check_key(self.fields[i].name);
            let mut j = i + 1;
            while j < self.fields.len() {
                if equal(self.fields[i].name, self.fields[j].name) {
                    panic!("two fields have the same name");
                }
                j += 1;
            }
            i += 1;
        }
    }

    /// The declaration of a tag.
    pub fn tag(&self, name: &str) -> Option<&'static TagSchema> {
        self.tags.iter().find(|tag| tag.name == name)
    }

    /// The declaration of a field.
    pub fn field(&self, name: &str) -> Option<&'static FieldSchema> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a point is as declared: its measurement, no other tags, no other fields, and those of their types.
    pub fn conforms(&self, point: &Point) -> Result<(), SchemaError> {
        if point.measurement() != self.measurement {
            return Err(SchemaError::Measurement {
                declared: self.measurement,
                found: point.measurement().to_owned(),
            });
        }
        for (key, _) in point.tags() {
            if self.tag(key).is_none() {
                return Err(SchemaError::UndeclaredTag {
                    measurement: self.measurement,
                    tag: key.to_owned(),
                });
            }
        }
        for (key, value) in point.fields() {
            match self.field(key) {
                None => {
                    return Err(SchemaError::UndeclaredField {
                        measurement: self.measurement,
                        field: key.to_owned(),
                    });
                }
                Some(field) if field.field_type != value.field_type() => {
                    return Err(SchemaError::FieldType {
                        measurement: self.measurement,
                        field: field.name,
                        declared: field.field_type,
                        found: value.field_type(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

#[expect(
    clippy::panic,
    reason = "evaluated at compile time, where a panic is the error message"
)]
const fn check_name(name: &str) {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        panic!("a declared name is empty");
    }
    if bytes[0] == b'_' {
        panic!("names that begin with _ are InfluxDB's own");
    }
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i].is_ascii_control() || bytes[i] == b'\\' {
            panic!("a declared name contains a control character or a backslash");
        }
        i += 1;
    }
}

#[expect(
    clippy::panic,
    reason = "evaluated at compile time, where a panic is the error message"
)]
const fn check_key(name: &str) {
    check_name(name);
    if equal(name, "time") {
        panic!("a tag or field called time hides the point's time");
    }
}

const fn equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if left[i] != right[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// How a point differs from its declaration.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SchemaError {
    /// The point is of another measurement.
    Measurement {
        /// The declared measurement.
        declared: &'static str,
        /// The point's measurement.
        found: String,
    },
    /// The point has a tag that is not declared.
    UndeclaredTag {
        /// The measurement.
        measurement: &'static str,
        /// The tag's key.
        tag: String,
    },
    /// The point has a field that is not declared.
    UndeclaredField {
        /// The measurement.
        measurement: &'static str,
        /// The field's key.
        field: String,
    },
    /// A field's value has another type than declared.
    FieldType {
        /// The measurement.
        measurement: &'static str,
        /// The field's key.
        field: &'static str,
        /// The declared type.
        declared: FieldType,
        /// The value's type.
        found: FieldType,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaError::Measurement { declared, found } => {
                write!(
                    f,
                    "a point of measurement {found:?} does not belong to {declared:?}"
                )
            }
            SchemaError::UndeclaredTag { measurement, tag } => {
                write!(
                    f,
                    "the measurement {measurement:?} has no tag {tag:?}: declare it"
                )
            }
            SchemaError::UndeclaredField { measurement, field } => {
                write!(
                    f,
                    "the measurement {measurement:?} has no field {field:?}: declare it"
                )
            }
            SchemaError::FieldType {
                measurement,
                field,
                declared,
                found,
            } => write!(
                f,
                "the field {field:?} of {measurement:?} is declared as {declared}, and a point has it as {found}"
            ),
        }
    }
}

impl std::error::Error for SchemaError {}

#[cfg(test)]
mod tests;
