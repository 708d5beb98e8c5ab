//! The text exposition formats of Prometheus: 0.0.4 and OpenMetrics 1.0.
//!
//! [`Reader`] takes a page apart, borrowed and in order. As it comes it is strict: it takes what the
//! [OpenMetrics specification](https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md)
//! or the [0.0.4 format](https://prometheus.io/docs/instrumenting/exposition_formats/) allow, families' rules
//! included, and names every mistake with line and column. [`Reader::lenient`] reads pages as they are found, as
//! the Prometheus server does. [`points`] makes points of a page.
//!
//! ```
//! use tidemark_point::exposition::{Entry, Format, Reader};
//!
//! let page = b"# TYPE up gauge\nup{job=\"disk\"} 1 1700000000.25\n# EOF\n";
//! for entry in Reader::new(page, Format::OpenMetrics) {
//!     if let Entry::Sample(sample) = entry? {
//!         assert_eq!((sample.name(), sample.value), ("up", 1.0));
//!         assert_eq!(sample.labels().next(), Some(("job".into(), "disk".into())));
//!         assert_eq!(sample.time.map(|time| time.nanos()), Some(1_700_000_000_250_000_000));
//!     }
//! }
//! # Ok::<(), tidemark_point::exposition::TextError>(())
//! ```

mod entry;
mod error;
mod family;
mod hashes;
mod label;
mod limits;
mod metadata;
mod metric;
mod mistake;
mod number;
mod points;
mod read;
mod sample_rules;
mod scan;
mod series;
mod write;

use std::fmt;

pub use entry::{Entry, Exemplar, Labels, Sample};
pub use error::{Expected, TextError, TextErrorKind};
pub use limits::{
    MAX_EXEMPLAR_CHARACTERS, MAX_FAMILIES, MAX_LABELS, MAX_LINE_BYTES, MAX_METRICS, MAX_MIXED_METRICS,
};
pub use mistake::FamilyMistake;
pub use points::{Points, points};
pub use read::Reader;
pub(crate) use write::help;
pub use write::{Page, Times, write};

/// Which text format a page is in.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Prometheus 0.0.4: times in whole milliseconds, blanks as one likes, no end mark.
    Prometheus,
    /// OpenMetrics 1.0: times in seconds, one space between tokens, `# EOF` at the end.
    OpenMetrics,
}

/// The type of a metric family.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum FamilyType {
    /// Not known: `unknown` in OpenMetrics, `untyped` in 0.0.4.
    Unknown,
    /// A value that goes up and down.
    Gauge,
    /// A value that only goes up, from 0.
    Counter,
    /// Related booleans; OpenMetrics alone.
    StateSet,
    /// Text that does not change, as labels of a 1; OpenMetrics alone.
    Info,
    /// Events counted in cumulative buckets.
    Histogram,
    /// Things that are there now, counted in cumulative buckets; OpenMetrics alone.
    GaugeHistogram,
    /// Events counted, with quantiles.
    Summary,
}

impl FamilyType {
    /// Each of them.
    pub const ALL: [FamilyType; 8] = [
        FamilyType::Unknown,
        FamilyType::Gauge,
        FamilyType::Counter,
        FamilyType::StateSet,
        FamilyType::Info,
        FamilyType::Histogram,
        FamilyType::GaugeHistogram,
        FamilyType::Summary,
    ];

    /// How a TYPE line of this format names it; `None` where the format does not know it.
    pub const fn name(self, format: Format) -> Option<&'static str> {
        Some(match (self, format) {
            (FamilyType::Unknown, Format::OpenMetrics) => "unknown",
            (FamilyType::Unknown, Format::Prometheus) => "untyped",
            (FamilyType::Gauge, _) => "gauge",
            (FamilyType::Counter, _) => "counter",
            (FamilyType::Histogram, _) => "histogram",
            (FamilyType::Summary, _) => "summary",
            (FamilyType::StateSet, Format::OpenMetrics) => "stateset",
            (FamilyType::Info, Format::OpenMetrics) => "info",
            (FamilyType::GaugeHistogram, Format::OpenMetrics) => "gaugehistogram",
            (_, Format::Prometheus) => return None,
        })
    }

    /// What a sample's name may add to its family's name.
    pub const fn suffixes(self, format: Format) -> &'static [&'static str] {
        match (self, format) {
            (FamilyType::Unknown | FamilyType::Gauge | FamilyType::StateSet, _)
            | (FamilyType::Counter | FamilyType::Info | FamilyType::GaugeHistogram, Format::Prometheus) => {
                &[""]
            }
            (FamilyType::Counter, Format::OpenMetrics) => &["_total", "_created"],
            (FamilyType::Info, Format::OpenMetrics) => &["_info"],
            (FamilyType::Histogram, Format::OpenMetrics) => &["_bucket", "_count", "_sum", "_created"],
            (FamilyType::Histogram, Format::Prometheus) => &["_bucket", "_count", "_sum"],
            (FamilyType::GaugeHistogram, Format::OpenMetrics) => &["_bucket", "_gcount", "_gsum"],
            (FamilyType::Summary, Format::OpenMetrics) => &["", "_count", "_sum", "_created"],
            (FamilyType::Summary, Format::Prometheus) => &["", "_count", "_sum"],
        }
    }
}

impl fmt::Display for FamilyType {
    /// The name in OpenMetrics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name(Format::OpenMetrics).unwrap_or_default())
    }
}
