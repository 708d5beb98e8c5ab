//! The line of `tidemark lint`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use tidemark_app::exit::Failure;

use super::{flag, text};

/// What to check, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LintArguments {
    /// The file; none for standard input.
    pub(crate) file: Option<PathBuf>,
    /// Its format; found out where it is not named.
    pub(crate) from: Option<PageFormat>,
    /// The format to convert it to.
    pub(crate) to: Option<ConvertedFormat>,
    pub(crate) lenient: bool,
    pub(crate) precision: Precision,
}

/// A format of metrics that is checked.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum PageFormat {
    OpenMetrics,
    Prometheus,
    Influx,
}

/// A format that metrics are converted to.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum ConvertedFormat {
    Influx,
    OpenMetrics,
    Json,
}

/// The unit of times in line protocol.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq)]
pub(crate) enum Precision {
    #[default]
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl PageFormat {
    const NAMES: [&str; 3] = ["openmetrics", "prometheus", "influx"];

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "openmetrics" => Some(Self::OpenMetrics),
            "prometheus" => Some(Self::Prometheus),
            "influx" => Some(Self::Influx),
            _ => None,
        }
    }
}

impl ConvertedFormat {
    const NAMES: [&str; 3] = ["influx", "openmetrics", "json"];

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "influx" => Some(Self::Influx),
            "openmetrics" => Some(Self::OpenMetrics),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Precision {
    const NAMES: [&str; 4] = ["ns", "us", "ms", "s"];

    fn from_name(name: &str) -> Self {
        match name {
            "us" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            _ => Self::Nanoseconds,
        }
    }

    /// How it is named on the line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "us",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// What it is called in messages.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Nanoseconds => "nanoseconds",
            Self::Microseconds => "microseconds",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
        }
    }

    /// Nanoseconds in one.
    pub(crate) fn nanos(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        }
    }
}

const HELP: &str = "\
Each mistake is a line FILE:LINE:COLUMN: what is wrong; what to write instead. Columns are bytes,
from 1. Notices (what is allowed and probably not meant) are no mistakes. With --to these lines go
to standard error, and what is in no bad line goes to standard output.

It ends with 0 where there is no mistake, else with 1. Line protocol may be of any length, one
point of it at most 32 MiB; other pages at most 128 MiB.

Formats:
  openmetrics  OpenMetrics text 1.0: strict, ends with # EOF
  prometheus   the Prometheus text format 0.0.4
  influx       InfluxDB line protocol

Examples:
  curl -s http://localhost:9100/metrics | tidemark lint
  tidemark lint --from influx --precision s points.txt
  tidemark lint --to openmetrics page.prom > page.om";

pub(super) fn command() -> Command {
    Command::new("lint")
        .about("Check a page of metrics, and say what is wrong with line and column")
        .after_help(HELP)
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("The page; standard input where there is none, or -"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("FORMAT")
                .value_parser(PageFormat::NAMES)
                .help("Its format; without this it is found out, and said"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("FORMAT")
                .value_parser(ConvertedFormat::NAMES)
                .help("Print what is right in this format"),
        )
        .arg(flag(
            "lenient",
            "Take what servers take: real pages are seldom as the specification has them",
        ))
        .arg(
            Arg::new("precision")
                .long("precision")
                .value_name("UNIT")
                .value_parser(Precision::NAMES)
                .default_value("ns")
                .help("The unit of times in line protocol"),
        )
}

pub(super) fn read(matches: &ArgMatches) -> Result<LintArguments, Failure> {
    let from = text(matches, "from").and_then(|name| PageFormat::from_name(&name));
    let precision =
        text(matches, "precision").map_or_else(Precision::default, |name| Precision::from_name(&name));
    if precision != Precision::Nanoseconds && from.is_some_and(|from| from != PageFormat::Influx) {
        return Err(Failure::usage(
            "--precision is for line protocol alone: the other formats have one unit of time each; leave it away",
        ));
    }
    Ok(LintArguments {
        file: matches
            .get_one::<PathBuf>("file")
            .filter(|file| file.as_os_str() != "-")
            .cloned(),
        from,
        to: text(matches, "to").and_then(|name| ConvertedFormat::from_name(&name)),
        lenient: matches.get_flag("lenient"),
        precision,
    })
}
