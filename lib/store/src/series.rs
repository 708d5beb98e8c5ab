//! What a caller asks for and gets: series, selectors, samples.

use std::fmt;

use tidemark_point::{Timestamp, Value};

/// The identity of a series: one field of one measurement with one set of tags.
///
/// The order is by measurement, then tags, then field, each by bytes.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SeriesName {
    /// The measurement.
    pub measurement: String,
    /// The tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// The field.
    pub field: String,
}

impl SeriesName {
    /// The value of the tag `key`, where the series has it.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// `measurement{key="value"} field`, for people.
impl fmt::Display for SeriesName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.measurement)?;
        for (number, (key, value)) in self.tags.iter().enumerate() {
            write!(out, "{}{key}={value:?}", if number == 0 { "{" } else { "," })?;
        }
        write!(
            out,
            "{} {}",
            if self.tags.is_empty() { "" } else { "}" },
            self.field
        )
    }
}

/// Which series are meant: those that match every part that is given. The default is all of them.
///
/// ```
/// use tidemark_store::Selector;
///
/// let disks = Selector::new().measurement("disk").tag("device", "sda");
/// assert_eq!(disks.tags.len(), 1);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selector {
    /// Only this measurement.
    pub measurement: Option<String>,
    /// Only series with all of these tags.
    pub tags: Vec<(String, String)>,
    /// Only this field.
    pub field: Option<String>,
}

impl Selector {
    /// All series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only this measurement.
    pub fn measurement(mut self, name: impl Into<String>) -> Self {
        self.measurement = Some(name.into());
        self
    }

    /// Only series that have this tag with this value; may be given many times.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Only this field.
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into());
        self
    }

    /// Whether the series is one of those meant.
    pub fn matches(&self, series: &SeriesName) -> bool {
        self.measurement
            .as_ref()
            .is_none_or(|name| *name == series.measurement)
            && self.field.as_ref().is_none_or(|name| *name == series.field)
            && self
                .tags
                .iter()
                .all(|(key, value)| series.tag(key) == Some(value))
    }
}

/// The newest value of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct LastValue {
    /// The series.
    pub series: SeriesName,
    /// When the value was taken.
    pub time: Timestamp,
    /// The value, as it was written.
    pub value: Value,
}

/// The samples of one series, in the order of time, each time once.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSamples {
    /// The series.
    pub series: SeriesName,
    /// Times and values.
    pub samples: Vec<(Timestamp, Value)>,
}
