//! Points as text for people and programs: what `--output` names.

mod json;
mod yaml;

use std::fmt;

use tidemark_point::exposition::{self, Times};
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Declarations, LeftOut, Point};

/// A text for points.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Format {
    /// A list of `measurement`, `tags`, `fields`, `time` (RFC 3339).
    Yaml,
    /// InfluxDB line protocol, times in nanoseconds.
    Influx,
    /// OpenMetrics 1.0, a page with times.
    OpenMetrics,
    /// The list of [`Format::Yaml`] as one array.
    Json,
}

impl Format {
    /// The names that the command line takes.
    pub const NAMES: [&str; 4] = ["yaml", "influx", "openmetrics", "json"];

    /// The format called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "yaml" => Some(Self::Yaml),
            "influx" => Some(Self::Influx),
            "openmetrics" => Some(Self::OpenMetrics),
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
            Self::OpenMetrics => "openmetrics",
            Self::Json => "json",
        })
    }
}

/// Points as text, and what the text does not hold.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// The text, ready to be written.
    pub text: Vec<u8>,
    /// What is not in it, for formats that cannot hold all.
    pub left_out: LeftOut,
}

/// `points` in the `format`: [`Format::Influx`] in the `dialect`, [`Format::OpenMetrics`] with what is declared of the
/// fields.
#[must_use]
pub fn render(points: &[Point], format: Format, dialect: Dialect, declarations: &Declarations) -> Rendered {
    let text = match format {
        Format::Yaml => yaml::write(points).into_bytes(),
        Format::Json => json::write(points),
        Format::Influx => line::write(points, dialect),
        Format::OpenMetrics => {
            let page = exposition::write(points, declarations, exposition::Format::OpenMetrics, Times::Keep);
            return Rendered {
                text: page.text,
                left_out: page.left_out,
            };
        }
    };
    Rendered {
        text,
        left_out: LeftOut::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_format_cannot_hold_is_counted() {
        let points = yaml::tests::samples();
        let rendered = |format| render(&points, format, Dialect::V2, &Declarations::new());
        for name in Format::NAMES {
            let format = Format::from_name(name).expect("a format of its name");
            assert_eq!(format.to_string(), name);
            let left_out = rendered(format).left_out.to_string();
            let expected = if format == Format::OpenMetrics {
                "1 string left out"
            } else {
                ""
            };
            assert_eq!(left_out, expected, "{name}");
        }
        let page = String::from_utf8(rendered(Format::OpenMetrics).text).expect("UTF-8");
        let first = "# TYPE queue_count unknown\n\
                     queue_count{release=\"22.04\",report=\"sponsoring\"} 12 1795244400.5\n";
        assert!(page.starts_with(first), "{page}");
    }
}
