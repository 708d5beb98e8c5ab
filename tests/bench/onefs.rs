//! The collector of OneFS under load: what a value costs it, from the cluster's answer over TLS to the database's word.
//!
//! The clusters are played by this process; what they cost is told beside. Each load is measured over the whole life of the
//! program: start, logins, the descriptions of 116 keys a cluster, moments, and the end with everything delivered.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidemark_testkit::onefs::{Fleet, cpu_time, stock_keys};
use tidemark_testkit::{Certificates, Ended, Home, Influxd, InfluxdOptions};

use crate::measure::mib;

/// How long gostats was watched at the loads of [`parity`].
const WATCHED: Duration = Duration::from_secs(57);
/// How long each load of [`growth`] is watched.
const SHORT: Duration = Duration::from_secs(45);
/// How long the largest load is watched.
const LONG: Duration = Duration::from_secs(300);
/// One cluster in so many fails or is slow in [`endurance`].
const ONE_IN: usize = 10;
/// The most that ending may take.
const END: Duration = Duration::from_secs(60);

/// How often it is looked whether the program runs still.
const LOOK: Duration = Duration::from_millis(200);

/// What is put on the program.
struct Load {
    clusters: usize,
    nodes: usize,
    /// Into InfluxDB; else into nothing.
    influxdb: bool,
    time: Duration,
    /// What is done to the clusters before.
    spoil: fn(&Fleet),
}

/// The loads at which gostats was measured: 20 and 100 clusters of 16 nodes, stock groups, 5 s at least, each key with a new
/// value in 5 s.
pub(crate) fn parity() {
    let load = |clusters, influxdb| Load {
        clusters,
        nodes: 16,
        influxdb,
        time: WATCHED,
        spoil: often,
    };
    table(
        "as gostats was measured",
        [load(20, true), load(100, true), load(100, false)],
    );
}

/// Each key has a new value in 5 s.
fn often(fleet: &Fleet) {
    for cluster in &fleet.clusters {
        cluster.change(|behaviour| {
            let keys = stock_keys().into_iter().map(|key| (key, Some(5)));
            behaviour.intervals.extend(keys);
        });
    }
}

/// How the cost grows with clusters and nodes.
pub(crate) fn growth() {
    let load = |clusters, nodes| Load {
        clusters,
        nodes,
        influxdb: true,
        time: SHORT,
        spoil: |_| {},
    };
    let loads = [
        (1, 16),
        (10, 16),
        (100, 16),
        (400, 16),
        (20, 4),
        (20, 64),
        (20, 252),
    ];
    table("growth", loads.map(|(clusters, nodes)| load(clusters, nodes)));
}

/// 400 clusters for five minutes, each key with a new value in 5 s, one in ten of them slow or failing.
pub(crate) fn endurance() {
    let spoil = |fleet: &Fleet| {
        often(fleet);
        for (number, cluster) in fleet.clusters.iter().step_by(ONE_IN).enumerate() {
            match number % 4 {
                0 => cluster.close(),
                1 => cluster.change(|behaviour| behaviour.delay = Duration::from_secs(3)),
                2 => cluster.change(|behaviour| behaviour.delay = Duration::from_secs(60)),
                _ => cluster.change(|behaviour| behaviour.password = "another".to_owned()),
            }
        }
    };
    let load = Load {
        clusters: 400,
        nodes: 16,
        influxdb: true,
        time: LONG,
        spoil,
    };
    table("one cluster in ten slow or failing", [load]);
}

fn table(title: &str, loads: impl IntoIterator<Item = Load>) {
    println!("\n### OneFS, {title}");
    println!(
        "| clusters | nodes | into | s | values | CPU s | ms of CPU a 1,000 values | of a core | peak MiB | runs that missed \
         a moment or failed, of clusters | the clusters' CPU s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for load in loads {
        measured(&load);
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn measured(load: &Load) {
    let certificates = Certificates::new();
    let fleet = Fleet::start(Some(&certificates.leaf), load.clusters, load.nodes);
    let influxd = load.influxdb.then(|| Influxd::start(InfluxdOptions::default()));
    let home = Home::new();
    home.settings(&settings(&fleet, influxd.as_ref()));
    (load.spoil)(&fleet);
    let before = cpu_time();
    let running = home
        .run("tidemark-onefs")
        .arg("--every")
        .env("SSL_CERT_FILE", certificates.authority())
        .bound(load.time + END)
        .start();
    let end = Instant::now() + load.time;
    while running.runs() && Instant::now() < end {
        std::thread::park_timeout(LOOK);
    }
    running.terminate();
    let ended: Ended = running.wait().expect_code(0);
    let theirs = cpu_time() - before;
    let values = collected(&home);
    let bad = influxd.as_ref().map_or(String::from("-"), |influxd| {
        let counted = influxd
            .query("SELECT COUNT(points) FROM tidemark_run WHERE gaps > 0 OR ok = false GROUP BY target");
        let runs = counted.iter().map(|series| series.rows[0][1].number());
        let runs: u64 = runs.filter_map(|runs| runs.parse::<u64>().ok()).sum();
        format!("{runs} of {}", counted.len())
    });
    println!(
        "| {} | {} | {} | {} | {values} | {:.2} | {:.2} | {:.3} | {:.1} | {bad} | {:.2} |",
        load.clusters,
        load.nodes,
        if load.influxdb { "InfluxDB 1" } else { "nothing" },
        load.time.as_secs(),
        ended.cpu.as_secs_f64(),
        ended.cpu.as_secs_f64() * 1e6 / values as f64,
        ended.cpu.as_secs_f64() / ended.wall.as_secs_f64(),
        mib(ended.peak_memory),
        theirs.as_secs_f64(),
    );
}

/// All clusters, as one user of theirs.
fn settings(fleet: &Fleet, influxd: Option<&Influxd>) -> String {
    let mut text = match influxd {
        Some(influxd) => format!(
            "[[sink]]\ntype = \"influxdb\"\nurl = {:?}\ndatabase = {:?}\n",
            influxd.url(),
            influxd.database()
        ),
        None => "[[sink]]\ntype = \"discard\"\n".to_owned(),
    };
    text.push_str("[collector.onefs]\nmin_update_interval = \"5s\"\n");
    for cluster in &fleet.clusters {
        let behaviour = cluster.behaviour();
        write!(
            text,
            "[[collector.onefs.cluster]]\nhostname = {:?}\nusername = {:?}\npassword = {:?}\n",
            cluster.address(),
            behaviour.username,
            behaviour.password,
        )
        .unwrap();
    }
    text
}

/// How many points were collected, but for tidemark's own.
fn collected(home: &Home) -> u64 {
    let status = home
        .run("tidemark")
        .args(["status", "--json"])
        .run()
        .expect_code(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    status["sinks"][0]["collected"].as_u64().unwrap()
}
