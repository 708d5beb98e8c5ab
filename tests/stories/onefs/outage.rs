//! The database is away for many rounds, and the program is killed at random: everything that was committed arrives, once.
//!
//! How it is known: each cluster's clock goes on with every request, so each visit's points have a time of their own, and no
//! two points are the same. What the ledger says was collected must be the number of points in the database.

use std::collections::BTreeSet;
use std::time::Duration;

use tidemark_testkit::onefs::{OneFs, Time, number};
use tidemark_testkit::{Influxd, InfluxdOptions, Random, wait_until};

use super::site::{STAYS, Site, ends, global, influxdb, statgroup};
use super::values::{lately, settings};
use crate::scene::{BOUND, Ledger, status};

const LOAD: &str = "node.load.1min";
const KEYS: [&str; 2] = [LOAD, "cluster.cpu.idle.avg"];
const CURRENT: &str = "/platform/1/statistics/current";
/// How many rounds the database is away.
const ROUNDS: usize = 8;
/// How often the program is killed, and when after its start.
const KILLS: usize = 9;
const ALIVE: std::ops::Range<Duration> = Duration::from_millis(200)..Duration::from_millis(1800);

struct Stage {
    site: Site,
    server: Influxd,
}

impl Stage {
    fn new() -> Self {
        let site = Site::new(&[("one", 3), ("two", 2), ("three", 1)]);
        for cluster in &site.clusters {
            cluster
                .change(|behaviour| behaviour.intervals = KEYS.map(|key| (key.to_owned(), Some(1))).into());
            cluster.set_time(Time::Counting(lately(0) - 7200));
        }
        let server = Influxd::start(InfluxdOptions::https("isilon", "put it in"));
        site.trust(server.ca_file());
        let text = global("influxdb", 1, &["keys"])
            + &influxdb(&server)
            + &site.tables()
            + &statgroup("keys", &KEYS);
        site.idic(&text);
        settings(&site, "");
        Self { site, server }
    }

    fn ledger(&self) -> Ledger {
        status(&self.site.home).sink("idic")
    }

    /// Brings what waits; then everything that was collected is in the database, each value as the cluster had it.
    #[track_caller]
    fn adds_up(&self) {
        self.site
            .run("tidemark")
            .args(["outbox", "flush"])
            .run()
            .expect_code(0);
        let (mut points, mut times) = (0, BTreeSet::new());
        for measurement in KEYS.iter().copied().chain(["tidemark_run"]) {
            for series in self
                .server
                .query(&format!("SELECT * FROM \"{measurement}\" GROUP BY *"))
            {
                points += series.rows.len() as u64;
                if measurement != LOAD {
                    continue;
                }
                let node = series.tags["devid"].parse().expect("a number");
                for (time, value) in series.column("time").into_iter().zip(series.column("value")) {
                    let seconds = time.number().parse::<i64>().expect("a time") / 1_000_000_000;
                    let value: f64 = value.number().parse().expect("a number");
                    assert_eq!(value, number(LOAD, node, seconds));
                    times.insert((series.tags["cluster"].clone(), seconds));
                }
            }
        }
        let ledger = self.ledger();
        assert_eq!(
            ledger.figures(),
            (points, points, 0, 0),
            "collected, delivered; {points} stored"
        );
        // Every answer that a cluster gave, but for those under way when the program ended.
        for (cluster, name) in self.site.clusters.iter().zip(["one", "two", "three"]) {
            let stored = times.iter().filter(|(of, _)| of == name).count();
            let asked = visits(cluster);
            assert!((1..=asked).contains(&stored), "{name}: {stored} of {asked}");
        }
    }

    /// How many visits' points of a cluster are in the database.
    fn stored(&self, name: &str) -> usize {
        let query =
            format!("SELECT \"value\" FROM \"{LOAD}\" WHERE \"cluster\" = '{name}' AND \"node\" = '1'");
        self.server
            .query(&query)
            .first()
            .map_or(0, |series| series.rows.len())
    }
}

fn visits(cluster: &OneFs) -> usize {
    cluster.counts().by_path.get(CURRENT).copied().unwrap_or(0)
}

#[test]
fn collection_goes_on_and_all_points_arrive_afterwards() {
    let mut stage = Stage::new();
    let Stage { site, server } = &mut stage;
    let collector = site.run("tidemark-onefs").arg("--every").bound(STAYS).start();
    let delivered = || {
        let sinks = status(&site.home).0["sinks"].clone();
        let of_file = |sink: &&serde_json::Value| sink["name"] == "idic";
        let found = sinks.as_array().into_iter().flatten().find(of_file);
        found.and_then(|sink| sink["delivered"].as_u64()).unwrap_or(0)
    };
    wait_until("the first points are there", BOUND, || delivered() > 6);
    server.kill();
    let before: Vec<usize> = site.clusters.iter().map(visits).collect();
    wait_until("many rounds pass", BOUND, || {
        let now = site.clusters.iter().map(visits);
        before.iter().zip(now).all(|(before, now)| now >= before + ROUNDS)
    });
    // A busy machine takes its time from an answer to the outbox, and from there to an attempt.
    wait_until("they wait, and it is said why", BOUND, || {
        let ledger = status(&site.home).sink("idic");
        ledger.waiting >= 8 * (ROUNDS as u64 - 2) && ledger.said().contains("connect")
    });
    server.restart();
    // It need not be flushed: the collector itself finds it again, and what is new is brought as well.
    let now = status(&site.home).sink("idic").collected;
    // It waits longer the longer the rounds took.
    wait_until("what waited is there", 5 * BOUND, || delivered() > now);
    ends(collector);
    stage.adds_up();
    for (cluster, name) in stage.site.clusters.iter().zip(["one", "two", "three"]) {
        let (stored, asked) = (stage.stored(name), visits(cluster));
        assert!(stored + 1 >= asked, "{name}: {stored} of {asked} visits");
        assert_eq!(cluster.counts().logins, 1);
    }
}

#[test]
fn killed_at_random_and_the_ledger_is_what_the_database_has() {
    let mut stage = Stage::new();
    let mut random = Random::fresh();
    let Stage { site, server } = &mut stage;
    for kill in 0..KILLS {
        // Now and then the database is away meanwhile.
        let is_away = kill % 4 == 2;
        if is_away {
            server.kill();
        }
        let run = site.run("tidemark-onefs").arg("--every");
        let ended = run.kill_at_random(&mut random, ALIVE);
        assert_eq!(ended.signal, Some(9), "{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        if is_away {
            server.restart();
        }
    }
    // What a killed one left is closed by the next.
    let collector = site.run("tidemark-onefs").arg("--every").bound(STAYS).start();
    let before: Vec<usize> = site.clusters.iter().map(visits).collect();
    wait_until("it collects", BOUND, || {
        let now = site.clusters.iter().map(visits);
        before.iter().zip(now).all(|(before, now)| now > before + 1)
    });
    ends(collector);
    stage.adds_up();
}
