use serde::{Deserialize, Serialize};
use tidemark_point::Schema;
use tidemark_settings::Key;

use crate::Metric;

/// What `--describe` prints, and `NAME.json` beside a program holds: a collector as data.
///
/// Written with [`Description::to_json`]; a reader takes it through `Deserialize`, and passes over keys that it does
/// not know.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Description {
    /// The collector's name.
    pub name: String,
    /// What it collects, in a sentence.
    pub summary: String,
    /// The version of tidemark that it was built with.
    pub version: String,
    /// Time between runs, as a systemd time span in its shortest form.
    pub run_interval: String,
    /// The longest that a run may take, as a systemd time span in its shortest form.
    pub deadline: String,
    /// `on` or `off`: whether the timers start it where the settings do not say.
    pub default: String,
    /// What it reaches for outside of its process.
    pub needs: NeedsDescription,
    /// What it measures; empty where all names come from the source.
    pub measurements: Vec<MeasurementDescription>,
    /// Whether names come from the source, by `rule`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dynamic: bool,
    /// The rule by which names come from the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The keys of its settings section.
    pub settings: Vec<SettingDescription>,
    /// Options of its own, beside those that all collectors have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<UsageDescription>,
    /// Subcommands, which are all its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subcommands: Vec<UsageDescription>,
}

/// An option or a subcommand.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UsageDescription {
    /// What is typed: `-f, --file FILE`, `convert FILE`.
    pub usage: String,
    /// What it does.
    pub help: String,
}

/// What a collector reaches for outside of its process.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct NeedsDescription {
    /// The network.
    pub network: bool,
    /// Ports on which it answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listens: bool,
    /// Programs that it runs.
    pub programs: Vec<String>,
    /// Paths of the host that it reads.
    pub paths: Vec<String>,
}

/// One measurement.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MeasurementDescription {
    /// Its name.
    pub name: String,
    /// What it is.
    pub help: String,
    /// Its tags.
    pub tags: Vec<TagDescription>,
    /// Its fields.
    pub fields: Vec<FieldDescription>,
}

/// One tag.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TagDescription {
    /// Its name.
    pub name: String,
    /// What it says.
    pub help: String,
}

/// One field.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldDescription {
    /// Its name.
    pub name: String,
    /// `float`, `int`, `uint`, `bool` or `string`.
    #[serde(rename = "type")]
    pub field_type: String,
    /// `gauge` or `counter`.
    pub kind: String,
    /// The unit, where it has one.
    pub unit: Option<String>,
    /// What it is.
    pub help: String,
}

/// One key of the settings section.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SettingDescription {
    /// The key.
    pub name: String,
    /// The type of its value, in words.
    #[serde(rename = "type")]
    pub value_type: String,
    /// The value where none is set, as plain text (a string without quotes); none where the key has no default.
    pub default: Option<String>,
    /// What it is for.
    pub help: String,
    /// The keys of its table, or of each table of its list; empty where it is neither.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<SettingDescription>,
}

impl SettingDescription {
    fn of(key: &Key) -> Self {
        Self {
            name: key.name.to_owned(),
            value_type: key.type_name.to_owned(),
            default: key.default.map(str::to_owned),
            help: key.help.to_owned(),
            keys: key.keys.iter().map(Self::of).collect(),
        }
    }
}

impl Description {
    /// The description of a collector. What its program has of its own on the command line is for the program to add.
    pub fn of<M: Metric>() -> Self {
        Self {
            name: M::NAME.to_owned(),
            summary: M::SUMMARY.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run_interval: M::RUN_INTERVAL.to_string(),
            deadline: M::DEADLINE.to_string(),
            default: M::DEFAULT.as_str().to_owned(),
            needs: NeedsDescription {
                network: M::NEEDS.network,
                listens: M::NEEDS.listens,
                programs: owned(M::NEEDS.programs),
                paths: owned(M::NEEDS.paths),
            },
            measurements: M::MEASUREMENTS
                .iter()
                .map(|schema| MeasurementDescription::of(schema))
                .collect(),
            dynamic: M::RULE.is_some(),
            rule: M::RULE.map(str::to_owned),
            settings: M::KEYS.iter().map(SettingDescription::of).collect(),
            options: Vec::new(),
            subcommands: Vec::new(),
        }
    }

    /// As `--describe` prints it: one JSON object, indented, with a final newline.
    ///
    /// # Errors
    /// None with the values of this type; the JSON writer's signature has them.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl MeasurementDescription {
    /// The description of a measurement.
    pub fn of(schema: &Schema) -> Self {
        Self {
            name: schema.measurement.to_owned(),
            help: schema.help.to_owned(),
            tags: schema
                .tags
                .iter()
                .map(|tag| TagDescription {
                    name: tag.name.to_owned(),
                    help: tag.help.to_owned(),
                })
                .collect(),
            fields: schema
                .fields
                .iter()
                .map(|field| FieldDescription {
                    name: field.name.to_owned(),
                    field_type: field.field_type.to_string(),
                    kind: field.kind.to_string(),
                    unit: field.unit.map(str::to_owned),
                    help: field.help.to_owned(),
                })
                .collect(),
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
