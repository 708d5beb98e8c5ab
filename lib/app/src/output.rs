//! Points as text for people and programs: what `--output` names.

mod json;
mod yaml;

use std::fmt;

use tidemark_point::Point;
use tidemark_point::line::{self, Dialect};

/// A text for points.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Format {
    /// A list of `measurement`, `tags`, `fields`, `time` (RFC 3339).
    Yaml,
    /// InfluxDB line protocol, times in nanoseconds.
    Influx,
    /// The list of [`Format::Yaml`] as one array.
    Json,
}

impl Format {
    /// The names that the command line takes.
    pub const NAMES: [&str; 3] = ["yaml", "influx", "json"];

    /// The format called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "yaml" => Some(Self::Yaml),
            "influx" => Some(Self::Influx),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaml => "yaml",
            Self::Influx => "influx",
            Self::Json => "json",
        })
    }
}

/// `points` in the `format`, ready to be written; [`Format::Influx`] in the `dialect`.
#[must_use]
pub fn render(points: &[Point], format: Format, dialect: Dialect) -> Vec<u8> {
    match format {
        Format::Yaml => yaml::write(points).into_bytes(),
        Format::Json => json::write(points),
        Format::Influx => line::write(points, dialect),
    }
}
