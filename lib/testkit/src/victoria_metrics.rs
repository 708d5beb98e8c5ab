//! A real VictoriaMetrics on a free port: it takes what InfluxDB 2 takes.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::Deserialize;
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::http::{self, escape};
use crate::process::ServerProcess;

/// A running VictoriaMetrics with its data in a temporary folder. It is killed, and the folder goes, when it is dropped.
///
/// It proves the wire of InfluxDB 2 (`/api/v2/write`) alone: any token will do, a bad line is taken without a word,
/// values lose digits beyond the fifteenth or so, times are milliseconds, a batch that is sent twice is stored twice.
///
/// The process dies with the thread that started it, so that nothing is left of a test that was killed.
pub struct VictoriaMetrics {
    process: ServerProcess,
    port: u16,
    _folder: TempDir,
}

/// One series of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// Its labels, `__name__` among them.
    pub labels: BTreeMap<String, String>,
    /// Its samples: milliseconds since the epoch, and the value's own text.
    pub samples: Vec<(i64, String)>,
}

impl VictoriaMetrics {
    /// Starts one.
    ///
    /// # Panics
    /// When VictoriaMetrics is not installed (the message names the package), or does not answer within two minutes.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more arguments: `-dedup.minScrapeInterval=1ms`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[track_caller]
    pub fn start_with(more: &[&str]) -> Self {
        let folder = TempDir::with_prefix("tidemark-victoria-metrics-").expect("a temporary folder");
        let package = "victoria-metrics";
        let mut process = ServerProcess::new(package, package, folder.path().join("log"));
        let data = format!("-storageDataPath={}/data", folder.path().display());
        let port = process.start_somewhere(
            |port| {
                let listen = format!("-httpListenAddr=127.0.0.1:{port}");
                let others = ["-retentionPeriod=100y", "-loggerLevel=WARN"];
                let mut arguments = vec![OsString::from(listen), OsString::from(&data)];
                arguments.extend(others.iter().chain(more).map(OsString::from));
                arguments
            },
            |port| {
                let answer = http::Request::get(&format!("http://localhost:{port}/health")).send();
                answer.is_ok_and(|answer| answer.status == 200)
            },
        );
        Self {
            process,
            port,
            _folder: folder,
        }
    }

    /// Its address, at `localhost`, without a path.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Its log so far: warnings and errors.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Every sample of the series that a selector names, after a flush of what it holds in memory.
    ///
    /// # Panics
    /// When the server says that something is wrong.
    #[track_caller]
    pub fn export(&self, selector: &str) -> Vec<Exported> {
        let flushed = http::get(&format!("{}/internal/force_flush", self.url()));
        assert_eq!(flushed.status, 200, "{}", flushed.text());
        // Without an end, the second that has just begun is left out.
        let url = format!(
            "{}/api/v1/export?start=0&end=4000000000&match[]={}",
            self.url(),
            escape(selector)
        );
        let answer = http::get(&url);
        assert_eq!(answer.status, 200, "{selector}: {}", answer.text());
        answer.text().lines().map(read_series).collect()
    }
}

/// A line of an export.
#[track_caller]
fn read_series(line: &str) -> Exported {
    #[derive(Deserialize)]
    struct Series<'a> {
        metric: BTreeMap<String, String>,
        #[serde(borrow)]
        values: Vec<&'a RawValue>,
        timestamps: Vec<i64>,
    }
    let series: Series<'_> = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    let values = series.values.iter().map(|value| value.get().to_owned());
    Exported {
        labels: series.metric,
        samples: series.timestamps.into_iter().zip(values).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_influxdb_2_takes() {
        let server = VictoriaMetrics::start();
        let url = format!("{}/api/v2/write?org=o&bucket=b&precision=ns", server.url());
        let lines = b"m,host=a f=0.5,i=42i,u=7u,b=true 1700000000123000000\n";
        let answer = http::Request::post(&url, lines)
            .header("Authorization", "Token t")
            .send()
            .unwrap();
        assert_eq!(answer.status, 204, "{}", answer.text());
        let mut found = BTreeMap::new();
        for series in server.export("{host=\"a\"}") {
            found.insert(series.labels["__name__"].clone(), series.samples);
        }
        let sample = |value: &str| vec![(1_700_000_000_123, value.to_owned())];
        let expected = [("m_b", "1"), ("m_f", "0.5"), ("m_i", "42"), ("m_u", "7")];
        let expected: BTreeMap<String, Vec<(i64, String)>> = expected
            .map(|(name, value)| (name.to_owned(), sample(value)))
            .into();
        assert_eq!(found, expected);
        assert_eq!(server.export("{host=\"b\"}"), []);
    }
}
