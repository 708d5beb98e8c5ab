//! What is known of measurements and fields beside their values.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{Kind, Schema};

/// What the texts of Prometheus say about a field and a point does not hold: its kind, unit and help.
///
/// It is made of schemas, or from its own compact text, which can be kept beside a batch: a line for each
/// measurement and, indented by a tab, for each field; tab, line break and backslash in texts are escaped.
///
/// ```
/// use tidemark_point::{Declarations, Kind};
///
/// let text = "net\tAn interface.\n\trx\tcounter\tbytes\tBytes received.\n";
/// let declarations: Declarations = text.parse()?;
/// let field = declarations.field("net", "rx");
/// assert_eq!(field.map(|field| field.kind), Some(Kind::Counter));
/// assert_eq!(declarations.to_string(), text);
/// # Ok::<(), tidemark_point::DeclarationsError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Declarations {
    measurements: BTreeMap<Box<str>, Measurement>,
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Measurement {
    help: Box<str>,
    fields: BTreeMap<Box<str>, DeclaredField>,
}

/// What is known of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredField {
    /// Gauge or counter.
    pub kind: Kind,
    /// The unit of its values, such as `seconds`; `None` for plain numbers.
    pub unit: Option<Box<str>>,
    /// What it says.
    pub help: Box<str>,
}

impl Declarations {
    /// Nothing is known of any field.
    #[must_use]
    pub fn new() -> Declarations {
        Declarations::default()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.measurements.is_empty()
    }

    /// Adds what a schema says. What is known already of one of its fields is replaced.
    pub fn declare(&mut self, schema: &Schema) {
        self.declare_measurement(schema.measurement, schema.help);
        for field in schema.fields {
            let declared = DeclaredField {
                kind: field.kind,
                unit: field.unit.map(Box::from),
                help: field.help.into(),
            };
            self.declare_field(schema.measurement, field.name, declared);
        }
    }

    /// Adds a measurement, or replaces its help.
    pub fn declare_measurement(&mut self, measurement: &str, help: &str) {
        self.measurement(measurement).help = help.into();
    }

    /// Adds a field, or replaces what is known of it.
    pub fn declare_field(&mut self, measurement: &str, field: &str, declared: DeclaredField) {
        self.measurement(measurement)
            .fields
            .insert(field.into(), declared);
    }

    fn measurement(&mut self, name: &str) -> &mut Measurement {
        self.measurements.entry(name.into()).or_default()
    }

    /// Adds all that another knows. It replaces what is known already.
    pub fn merge(&mut self, other: Declarations) {
        for (name, measurement) in other.measurements {
            let own = self.measurements.entry(name).or_default();
            own.help = measurement.help;
            own.fields.extend(measurement.fields);
        }
    }

    /// What is known of a field.
    #[must_use]
    pub fn field(&self, measurement: &str, field: &str) -> Option<&DeclaredField> {
        self.measurements.get(measurement)?.fields.get(field)
    }

    /// What a measurement's points are about; empty where that is not known.
    #[must_use]
    pub fn help(&self, measurement: &str) -> &str {
        self.measurements.get(measurement).map_or("", |known| &known.help)
    }
}

impl<'a> FromIterator<&'a Schema> for Declarations {
    fn from_iter<T: IntoIterator<Item = &'a Schema>>(schemas: T) -> Declarations {
        let mut declarations = Declarations::new();
        for schema in schemas {
            declarations.declare(schema);
        }
        declarations
    }
}

impl From<&[&Schema]> for Declarations {
    fn from(schemas: &[&Schema]) -> Declarations {
        schemas.iter().copied().collect()
    }
}

impl fmt::Display for Declarations {
    /// The compact text. The same declarations have the same text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, measurement) in &self.measurements {
            writeln!(f, "{}\t{}", Escaped(name), Escaped(&measurement.help))?;
            for (name, field) in &measurement.fields {
                let unit = field.unit.as_deref().unwrap_or_default();
                writeln!(
                    f,
                    "\t{}\t{}\t{}\t{}",
                    Escaped(name),
                    field.kind,
                    Escaped(unit),
                    Escaped(&field.help)
                )?;
            }
        }
        Ok(())
    }
}

impl FromStr for Declarations {
    type Err = DeclarationsError;

    /// Reads the compact text.
    fn from_str(text: &str) -> Result<Declarations, DeclarationsError> {
        let mut declarations = Declarations::new();
        let mut measurement: Option<&mut Measurement> = None;
        for (index, line) in text.lines().enumerate() {
            let mistake = |kind| DeclarationsError {
                line: index + 1,
                kind,
            };
            let parts: Vec<&str> = line.split('\t').collect();
            match (parts.as_slice(), &mut measurement) {
                (["", field, kind, unit, help], Some(measurement)) => {
                    let declared = DeclaredField {
                        kind: Kind::from_name(kind).ok_or_else(|| mistake(Mistake::Kind))?,
                        unit: Some(unescaped(unit)).filter(|unit| !unit.is_empty()),
                        help: unescaped(help),
                    };
                    measurement.fields.insert(unescaped(field), declared);
                }
                (["", _, _, _, _], None) => return Err(mistake(Mistake::NoMeasurement)),
                ([name, help], _) if !name.is_empty() => {
                    let own = declarations.measurements.entry(unescaped(name)).or_default();
                    own.help = unescaped(help);
                    measurement = Some(own);
                }
                _ => return Err(mistake(Mistake::Parts)),
            }
        }
        Ok(declarations)
    }
}

/// A text on one line and in one column.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let special = ['\\', '\t', '\n', '\r'];
        let mut rest = self.0;
        while let Some(at) = rest.find(special) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'\t' => "\\t",
                b'\n' => "\\n",
                b'\r' => "\\r",
                _ => "\\\\",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

fn unescaped(text: &str) -> Box<str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => plain.push('\t'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
    }
    plain.into()
}

/// Why a text is not that of [`Declarations`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclarationsError {
    /// The line, from 1.
    pub line: usize,
    kind: Mistake,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Mistake {
    Kind,
    NoMeasurement,
    Parts,
}

impl fmt::Display for DeclarationsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Mistake::Kind => "the kind of a field is gauge or counter",
            Mistake::NoMeasurement => "a field needs a measurement above it",
            Mistake::Parts => {
                "a measurement is name and help, a field an empty part, name, kind, unit and help, with tabs between"
            }
        };
        write!(f, "line {} of the declarations: {what}", self.line)
    }
}

impl std::error::Error for DeclarationsError {}

#[cfg(test)]
mod tests;
