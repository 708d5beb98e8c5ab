//! Where the file sends what is collected.

use tidemark_settings::{Mistake, SectionReader, quoted};

/// `stats_processor`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum BackEnd {
    /// `influxdb`: InfluxDB 1.
    Influxdb,
    /// `influxdbv2`: InfluxDB 2.
    Influxdb2,
    /// `prometheus`: a listener for each cluster.
    Prometheus,
    /// `discard`: nowhere.
    Discard,
}

impl BackEnd {
    const ALL: [(&'static str, BackEnd); 4] = [
        ("influxdb", BackEnd::Influxdb),
        ("influxdbv2", BackEnd::Influxdb2),
        ("prometheus", BackEnd::Prometheus),
        ("discard", BackEnd::Discard),
    ];

    /// As the file names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BackEnd::Influxdb => "influxdb",
            BackEnd::Influxdb2 => "influxdbv2",
            BackEnd::Prometheus => "prometheus",
            BackEnd::Discard => "discard",
        }
    }

    /// The back end that `[global]` names; a mistake counts only where the back end does.
    pub(crate) fn of(section: &SectionReader<'_>) -> Result<BackEnd, Mistake> {
        const ADVICE: &str = "write \"influxdb\", \"influxdbv2\", \"prometheus\" or \"discard\" instead";
        let Some(value) = section.value("stats_processor") else {
            return Err(Mistake::new(
                section.place().clone(),
                "[global] has no `stats_processor`",
                "write stats_processor = \"influxdb\" in it",
            ));
        };
        let Some(text) = value.as_str() else {
            return Err(value.mistake(
                format!("`stats_processor` is {}, where a string is needed", value.kind()),
                ADVICE,
            ));
        };
        let known = BackEnd::ALL.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, back_end)| back_end).ok_or_else(|| {
            let what = format!("`stats_processor` is {}, which is no back end", quoted(text));
            value.mistake(what, ADVICE)
        })
    }
}
