//! Servers that hold what the real programs collected.

use tidemark_collect::{Clock, SystemClock};
use tidemark_point::Timestamp;
use tidemark_testkit::{Cell, Home, Influxd, InfluxdOptions, Prometheus, PrometheusOptions, Series, http};

use super::grafana::{self, Choices, Span, label_values};
use crate::scene::{BOUND, Submitter, influxdb};
use crate::ubuntu::{INTERVALS, World};

/// How much earlier there are the same points again, in seconds: graphs of changes need them, in buckets of any length.
const EARLIER: [i64; 5] = [60, 120, 300, 3600, 86_400];

const HOST: &str = "[host]\nname = \"metrics-1.example.com\"\n\n";

/// Now, in milliseconds since the epoch.
fn milliseconds() -> i64 {
    SystemClock.now().nanos() / 1_000_000
}

fn ago(minutes: u32) -> Timestamp {
    SystemClock
        .now()
        .saturating_sub(std::time::Duration::from_secs(60) * minutes)
}

/// All collectors' points: of Ubuntu's from local copies of their sources, of the host that this runs on; and tidemark's own.
pub(super) struct InInfluxdb {
    pub(super) server: Influxd,
    /// When all was there, in milliseconds since the epoch: as of then it is asked.
    pub(super) now: i64,
}

impl InInfluxdb {
    /// Of what is there now.
    pub(super) fn of(server: Influxd) -> Self {
        let now = milliseconds();
        Self { server, now }
    }

    pub(super) fn new() -> Self {
        let (world, home) = (World::new(), Home::new());
        let server = Influxd::start(InfluxdOptions::default());
        home.settings(&(world.settings() + HOST + &influxdb("database", &server)));
        let collectors = INTERVALS.iter().map(|(collector, _)| *collector).chain(["host"]);
        for collector in collectors {
            let program = format!("tidemark-{collector}");
            let dry = home
                .run(&program)
                .args(["--dry-run", "--output", "influx"])
                .bound(BOUND);
            write(&server, &earlier(&dry.run().expect_code(0).stdout));
            home.run(&program).bound(BOUND).run().expect_code(0);
        }
        let mut submitter = Submitter::new(&home, &[]);
        for minutes in [90, 5, 0] {
            submitter.flush(ago(minutes));
        }
        Self::of(server)
    }

    /// What a variable's query offers, sorted.
    #[track_caller]
    pub(super) fn values(&self, query: &str) -> Vec<String> {
        let series = self.server.query(query);
        // Of measurements it is the name.
        let column = |series: &Series| match series.columns.iter().any(|column| column == "value") {
            true => "value",
            false => "name",
        };
        let values = series.iter().flat_map(|series| series.column(column(series)));
        let mut values: Vec<String> = values.map(|cell| cell.text().to_owned()).collect();
        values.sort();
        values
    }

    /// Whether a statement gives a value.
    #[track_caller]
    pub(super) fn has(&self, written: &str, choices: &Choices, span: &Span) -> bool {
        let found = self.server.query(&grafana::influxql(written, choices, span));
        let mut cells = found
            .iter()
            .flat_map(|series| &series.rows)
            .flat_map(|row| row.iter().skip(1));
        cells.any(|cell| *cell != Cell::Null)
    }
}

/// Writes lines.
#[track_caller]
pub(super) fn write(server: &Influxd, lines: &str) {
    let url = format!("{}/write?db={}", server.url(), server.database());
    assert_eq!(http::post(&url, lines.as_bytes()).status, 204);
}

/// These lines, at each of the times before.
pub(super) fn earlier(lines: &str) -> String {
    let mut body = String::new();
    for line in lines.lines() {
        let (rest, time) = line.rsplit_once(' ').expect("a time");
        let time: i64 = time.parse().expect("a time");
        for seconds in EARLIER {
            body += &format!("{rest} {}\n", time - seconds * 1_000_000_000);
        }
    }
    body
}

/// The host's points and tidemark's own, by remote write.
pub(super) struct InPrometheus {
    pub(super) server: Prometheus,
    /// When all was there, in milliseconds since the epoch: as of then it is asked. Five minutes later the server would
    /// say nothing of it.
    pub(super) now: i64,
}

impl InPrometheus {
    /// Of what is there now.
    pub(super) fn of(server: Prometheus) -> Self {
        let now = milliseconds();
        Self { server, now }
    }

    pub(super) fn new() -> Self {
        let home = Home::new();
        let server = Prometheus::start(PrometheusOptions {
            remote_write: true,
            ..PrometheusOptions::default()
        });
        home.settings(&format!(
            "{HOST}[[sink]]\nname = \"prometheus\"\ntype = \"remote-write\"\nurl = \"{}\"\n",
            server.write_url()
        ));
        // Rates need two.
        for _ in 0..2 {
            home.run("tidemark-host").bound(BOUND).run().expect_code(0);
        }
        let mut submitter = Submitter::new(&home, &[]);
        for minutes in [1, 0] {
            submitter.flush(ago(minutes));
        }
        Self::of(server)
    }

    /// What a variable's query offers, sorted.
    #[track_caller]
    pub(super) fn values(&self, query: &str) -> Vec<String> {
        let (metric, label) = label_values(query);
        let group = format!("group by ({label}) ({metric})");
        let series = self.server.query(&group, Some(self.now));
        let mut values: Vec<String> = series
            .iter()
            .map(|series| series.label(label).to_owned())
            .collect();
        values.sort();
        values
    }

    /// Whether an expression gives a value.
    #[track_caller]
    pub(super) fn has(&self, written: &str, choices: &Choices, span: &Span) -> bool {
        let query = grafana::promql(written, choices, span);
        let found = self
            .server
            .query_range(&query, span.from, span.to, span.interval * 1000);
        found.iter().any(|series| !series.samples.is_empty())
    }
}
