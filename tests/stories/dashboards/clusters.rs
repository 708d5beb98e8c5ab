//! Two clusters of OneFS that are not there, and servers that hold what the real program collected from them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tidemark_testkit::onefs::{Odd, OneFs, stock_keys};
use tidemark_testkit::{
    Home, Influxd, InfluxdOptions, Prometheus, PrometheusOptions, Running, Samples, free_port, wait_until,
};

use super::collected::{earlier, write};
use crate::scene::{BOUND, influxdb};

/// The names that the clusters have in every point.
pub(super) const NAMES: [&str; 2] = ["alpha", "beta.2"];
/// Terabytes that are left of a cluster, and later.
const LEFT: [u64; 2] = [900, 700];
const TERABYTE: u64 = 1_000_000_000_000;
/// What is derived of what was before is there from the second time on.
const LAST: &str = "cluster.node.disk.iosched.latency.avg.avg.percentchange";

/// The clusters, and the home of their collector.
struct Clusters {
    clusters: [OneFs; 2],
    home: Home,
}

/// Values that stay as they are, for panels to show: of each node, where nodes have them.
fn figures() -> [(&'static str, Value); 7] {
    let operation = |name: &str, rate: f64, time: f64| {
        json!({
            "op_name": name, "class_name": "figures", "op_rate": rate, "in_rate": 10, "out_rate": 20,
            "time_avg": time, "time_max": 1000,
        })
    };
    [
        ("cluster.health", json!(1)),
        ("cluster.cpu.idle.avg", json!(250)),
        ("ifs.percent.avail", json!(12.5)),
        ("node.clientstats.active.nfs", json!(7)),
        ("node.disk.busy.avg", json!(435)),
        ("cluster.net.ext.bytes.in.rate", json!(1500.5)),
        (
            "cluster.protostats.nlm",
            json!([operation("lock", 30.0, 100.0), operation("unlock", 10.0, 300.0)]),
        ),
    ]
}

/// What there is of a measurement.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) tags: BTreeSet<String>,
    pub(super) fields: BTreeSet<String>,
}

impl Clusters {
    fn new() -> Self {
        let clusters = [OneFs::http("Alpha", 3), OneFs::http("BETA.2", 2)];
        for cluster in &clusters {
            cluster.change(|behaviour| {
                // New values each second: no test waits for half a minute.
                let more = ["node.ifs.ops.in", "node.ifs.ops.out"].map(str::to_owned);
                let keys = stock_keys().into_iter().chain(more);
                behaviour.intervals = keys.map(|key| (key, Some(1))).collect();
                let figures = figures().into_iter();
                behaviour.odd = figures
                    .map(|(key, value)| (key.to_owned(), Odd::Value(value)))
                    .collect();
            });
        }
        let clusters = Self {
            clusters,
            home: Home::new(),
        };
        clusters.leave(LEFT[0]);
        clusters
    }

    /// From now on so many terabytes are left of each.
    fn leave(&self, terabytes: u64) {
        for cluster in &self.clusters {
            let left = Odd::Value(json!(terabytes * TERABYTE));
            cluster.change(|behaviour| {
                behaviour.odd.insert("ifs.bytes.avail".to_owned(), left);
            });
        }
    }

    /// All that there is to collect, into that sink, with these keys more.
    fn settings(&self, more: &str, sink: &str) {
        let mut text = format!(
            "[host]\nname = \"metrics-1.example.com\"\n\n[collector.onefs]\nmin_update_interval = \"1s\"\n\
             concurrency = true\nsummary_stats = {{ protocol = true, client = true, drive = true }}\n{more}\n"
        );
        for cluster in &self.clusters {
            let behaviour = cluster.behaviour();
            text += &format!(
                "[[collector.onefs.cluster]]\nhostname = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\n\n",
                cluster.address(),
                behaviour.username,
                behaviour.password
            );
        }
        self.home.settings(&(text + sink));
    }

    /// The collector, which stays: as long as it is waited for.
    fn stays(&self) -> Running {
        self.home
            .run("tidemark-onefs")
            .arg("--every")
            .bound(10 * BOUND)
            .start()
    }
}

/// Ends it as systemd does.
#[track_caller]
fn ends(collector: Running) {
    collector.terminate();
    collector.wait().expect_code(0);
}

/// An InfluxDB with what one run found, at times of the last days too, and what came while it stayed.
pub(super) fn in_influxdb() -> Influxd {
    let clusters = Clusters::new();
    let server = Influxd::start(InfluxdOptions::default());
    clusters.settings("", &influxdb("database", &server));
    let dry = clusters
        .home
        .run("tidemark-onefs")
        .args(["--dry-run", "--output", "influx"]);
    write(&server, &earlier(&dry.bound(BOUND).run().expect_code(0).stdout));
    // Less than the day before.
    clusters.leave(LEFT[1]);
    let collector = clusters.stays();
    wait_until("both clusters are visited again", BOUND, || {
        let query = format!("SELECT count(\"value\") FROM \"{LAST}\" GROUP BY \"cluster\"");
        let runs =
            "SELECT count(\"points\") FROM \"tidemark_run\" WHERE \"target\" != '' GROUP BY \"target\"";
        let drives = "SELECT count(\"busy\") FROM \"node.summary.drive\" WHERE time > now() - 30s GROUP BY \"cluster\"";
        [&query, runs, drives]
            .iter()
            .all(|query| server.query(query).len() == NAMES.len())
    });
    ends(collector);
    server
}

/// What an InfluxDB holds.
pub(super) fn measured(server: &Influxd) -> BTreeMap<String, Measured> {
    let mut measured: BTreeMap<String, Measured> = BTreeMap::new();
    for series in server.query("SHOW TAG KEYS") {
        let keys = series
            .column("tagKey")
            .into_iter()
            .map(|cell| cell.text().to_owned());
        measured.entry(series.name.clone()).or_default().tags = keys.collect();
    }
    for series in server.query("SHOW FIELD KEYS") {
        let keys = series
            .column("fieldKey")
            .into_iter()
            .map(|cell| cell.text().to_owned());
        measured.entry(series.name.clone()).or_default().fields = keys.collect();
    }
    measured
}

/// A Prometheus with what came by remote write while the collector stayed.
pub(super) fn by_remote_write() -> Prometheus {
    let clusters = Clusters::new();
    let server = Prometheus::start(PrometheusOptions {
        remote_write: true,
        ..PrometheusOptions::default()
    });
    let sink = format!(
        "[[sink]]\nname = \"prometheus\"\ntype = \"remote-write\"\nurl = \"{}\"\n",
        server.write_url()
    );
    clusters.settings("", &sink);
    stay_until_less_is_left(&clusters, &server, "");
    wait_until("tidemark's runs are there", BOUND, || {
        server.query("tidemark_run_points{target!=\"\"}", None).len() == NAMES.len()
    });
    server
}

/// A Prometheus that scraped the collector while it stayed.
pub(super) fn by_scrapes() -> Prometheus {
    let clusters = Clusters::new();
    let listener = format!("127.0.0.1:{}", free_port());
    let server = Prometheus::start(PrometheusOptions {
        targets: vec![listener.clone()],
        ..PrometheusOptions::default()
    });
    clusters.settings(
        &format!("prometheus = {{ listen = \"{listener}\" }}"),
        "[[sink]]\ntype = \"discard\"\n",
    );
    stay_until_less_is_left(&clusters, &server, "isilon_stat_");
    server
}

fn stay_until_less_is_left(clusters: &Clusters, server: &Prometheus, prefix: &str) {
    let collector = clusters.stays();
    let has = |metric: &str, is_it: &dyn Fn(&Samples) -> bool| {
        let found = server.query(&format!("{prefix}{metric}"), None);
        let found = found
            .iter()
            .filter(|series| is_it(series))
            .map(|series| series.label("cluster"));
        found.collect::<BTreeSet<_>>() == NAMES.into()
    };
    for terabytes in LEFT {
        clusters.leave(terabytes);
        let is_it = |series: &Samples| {
            let value = series
                .samples
                .last()
                .and_then(|(_, value)| value.parse::<f64>().ok());
            #[expect(clippy::cast_precision_loss, reason = "a round number")]
            let due = (terabytes * TERABYTE) as f64;
            value.is_some_and(|value| (value - due).abs() < 1.0)
        };
        wait_until("what is left of both clusters", BOUND, || {
            has("ifs_bytes_avail", &is_it)
        });
    }
    wait_until("all of both clusters", BOUND, || {
        let metrics = [LAST.replace('.', "_"), "node_summary_drive_busy".to_owned()];
        metrics.iter().all(|metric| has(metric, &|_| true))
    });
    // A scrape is a second behind.
    let since = std::time::Instant::now();
    wait_until("two more seconds have gone", BOUND, || {
        since.elapsed() > Duration::from_secs(2)
    });
    ends(collector);
}
