//! Every value of every key, once, with the right name, tags, type and time.

use std::collections::{BTreeMap, BTreeSet};

use tidemark_collect::{Clock as _, SystemClock};
use tidemark_testkit::onefs::{Odd, OneFs, stock_keys};
use tidemark_testkit::{Cell, Influxd, InfluxdOptions, Series, VictoriaMetrics, wait_until};

use super::expected::{Key, Number, Points, concurrency, statistics, summaries, with_time};
use super::site::{STAYS, SUMMARIES, Site, ends, global, influxdb, stock_groups, stock_names, table};
use crate::scene::{BOUND, status};

/// What concurrency is made of and no stock group has.
const BESIDE: [&str; 2] = ["node.ifs.ops.in", "node.ifs.ops.out"];
const CURRENT: &str = "/platform/1/statistics/current";
const DRIVES: &str = "/platform/3/statistics/summary/drive";

/// A time of the last two minutes, so many seconds after a whole minute.
pub(super) fn lately(seconds: i64) -> i64 {
    let now = SystemClock.now().nanos() / 1_000_000_000;
    now - now.rem_euclid(60) - 60 + seconds
}

/// A database as a real one is.
fn database() -> Influxd {
    Influxd::start(InfluxdOptions::https("isilon", "put it in"))
}

/// Has the collector read the file by way of its settings, so that every other command knows the sink as well.
pub(super) fn settings(site: &Site, more: &str) {
    let path = site.home.path().join("idic.toml");
    site.home.settings(&format!(
        "[host]\nname = \"metrics-1\"\n[collector.onefs]\nidic = \"{}\"\n{more}\n",
        path.display()
    ));
}

/// The keys that are fetched where concurrency is reckoned.
fn keys() -> Vec<String> {
    let beside = BESIDE.map(str::to_owned);
    stock_keys().into_iter().chain(beside).collect()
}

/// All points of the collector that are in the database; how many points there are of its runs.
fn stored(server: &Influxd) -> (Points, usize) {
    let types: BTreeMap<String, BTreeMap<String, String>> = server
        .query("SHOW FIELD KEYS")
        .iter()
        .map(|series| (series.name.clone(), types_of(series)))
        .collect();
    let (mut points, mut runs) = (Points::new(), 0);
    for (measurement, types) in &types {
        for series in server.query(&format!("SELECT * FROM \"{measurement}\" GROUP BY *")) {
            if measurement == "tidemark_run" {
                runs += series.rows.len();
                continue;
            }
            for row in &series.rows {
                let (key, fields) = point(measurement, types, &series, row);
                assert!(points.insert(key, fields).is_none());
            }
        }
    }
    (points, runs)
}

fn types_of(series: &Series) -> BTreeMap<String, String> {
    let rows = series.rows.iter();
    rows.map(|row| (row[0].text().to_owned(), row[1].text().to_owned()))
        .collect()
}

/// A row as a point.
#[track_caller]
fn point(
    measurement: &str,
    types: &BTreeMap<String, String>,
    series: &Series,
    row: &[Cell],
) -> (Key, BTreeMap<String, Number>) {
    let fields = series.columns.iter().zip(row).skip(1);
    let fields = fields
        .filter(|(_, cell)| **cell != Cell::Null)
        .map(|(name, cell)| {
            let text = cell.number();
            let number = match types[name].as_str() {
                "integer" => Number::Int(text.parse().expect("a whole number")),
                "float" => Number::Float(text.parse().expect("a number")),
                other => panic!("{measurement} {name} is of the type {other}"),
            };
            (name.clone(), number)
        });
    let nanos: i64 = row[0].number().parse().expect("a time");
    assert_eq!(nanos % 1_000_000_000, 0, "{measurement}: times are seconds");
    let tags = series.tags.iter().filter(|(_, value)| !value.is_empty());
    let key = Key {
        measurement: measurement.to_owned(),
        tags: tags.map(|(name, value)| (name.clone(), value.clone())).collect(),
        time: nanos / 1_000_000_000,
    };
    (key, fields.collect())
}

/// The same points, with the same fields, of the same types, with the same values.
#[track_caller]
fn assert_same(found: &Points, due: &Points) {
    let keys = |points: &Points| points.keys().cloned().collect::<BTreeSet<_>>();
    let (there, wanted) = (keys(found), keys(due));
    let some = |keys: BTreeSet<&Key>| {
        format!(
            "{} such as {:#?}",
            keys.len(),
            keys.iter().take(3).collect::<Vec<_>>()
        )
    };
    let (missing, strange) = (
        wanted.difference(&there).collect::<BTreeSet<_>>(),
        there.difference(&wanted).collect::<BTreeSet<_>>(),
    );
    assert!(
        missing.is_empty() && strange.is_empty(),
        "missing: {}\nstrange: {}",
        some(missing),
        some(strange)
    );
    for (key, fields) in due {
        let got = &found[key];
        let names = |fields: &BTreeMap<String, Number>| fields.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(got), names(fields), "{key:?}");
        for (name, due) in fields {
            let is_derived = key.measurement.contains(".avg.avg")
                || key.measurement.ends_with("concurrency")
                || key.measurement == "cluster.disk.iosched.latency.avg";
            let same = match (got[name], due) {
                // A mean is reckoned in another order.
                (Number::Float(got), Number::Float(due)) if is_derived => {
                    (got - due).abs() <= due.abs() * 1e-9
                }
                (got, due) => got == *due,
            };
            assert!(same, "{key:?} {name}: {:?} is not {due:?}", got[name]);
        }
    }
}

/// Everything that is there of a cluster of that size, by one run.
#[track_caller]
fn one_run(nodes: usize, more: &str, called: &str, change: impl FnOnce(&OneFs)) -> (Site, Influxd, Points) {
    let (site, server) = (Site::new(&[("Cl17", nodes)]), database());
    site.trust(server.ca_file());
    // Keys have their values of the half minute, of the minute, and of this second.
    let now = lately(47);
    site.set_time(now);
    change(&site.clusters[0]);
    let text = global("influxdb", 30, &stock_names())
        + more
        + &influxdb(&server)
        + SUMMARIES
        + &site.tables()
        + &stock_groups();
    site.idic(&text);
    settings(&site, "concurrency = true");
    let ended = site.run("tidemark-onefs").run().expect_code(0);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    site.run("tidemark")
        .args(["outbox", "flush"])
        .run()
        .expect_code(0);
    let cluster = site.clusters[0].behaviour();
    let mut due = statistics(&cluster, called, &keys(), now);
    due.extend(summaries(&cluster, called, now));
    due.extend(concurrency(&cluster, called, now - 17, None));
    (site, server, due)
}

/// The ledger's own count is that of the points, with the run's own: nothing came twice.
#[track_caller]
fn assert_once(site: &Site, points: usize, runs: usize) {
    let all = (points + runs) as u64;
    assert_eq!(status(&site.home).sink("idic").figures(), (all, all, 0, 0));
}

#[test]
fn of_a_cluster_of_one_node_with_all_that_tags_can_say() {
    let more = "preserve_case = true\ninclude_degraded = true\n";
    let weak = "node.load.1min";
    let (site, server, due) = one_run(1, more, "Cl17", |cluster| {
        cluster.change(|behaviour| {
            behaviour.odd.insert(weak.to_owned(), Odd::Degraded(3));
            // One that has no logical number is called by the other.
            behaviour.nodes = vec![(5, 5)];
            behaviour.show_nodes = false;
        });
    });
    let said = due.into_iter().map(|(mut key, fields)| {
        let is_derived = key.measurement.contains("concurrency")
            || key.measurement.contains(".sum")
            || key.measurement.contains(".avg.avg")
            || key.measurement == "cluster.disk.iosched.latency.avg";
        if !key.measurement.starts_with("node.summary.") && !is_derived {
            let degraded = (key.measurement == weak).to_string();
            key.tags.insert("degraded".to_owned(), degraded);
        }
        (key, fields)
    });
    let due: Points = said.collect();
    let (found, runs) = stored(&server);
    assert_same(&found, &due);
    assert_once(&site, due.len(), runs);
}

#[test]
fn of_a_cluster_of_16_nodes() {
    let (site, server, due) = one_run(16, "", "cl17", |cluster| {
        // A node that was replaced has another number than its device.
        cluster.change(|behaviour| behaviour.nodes[3] = (23, 4));
    });
    let (found, runs) = stored(&server);
    assert_same(&found, &due);
    assert_once(&site, due.len(), runs);
}

#[test]
fn of_a_cluster_of_252_nodes() {
    let (site, server, due) = one_run(252, "fetch_by_statgroup = true\n", "cl17", |_| {});
    assert!(due.len() > 10_000, "{}", due.len());
    let (found, runs) = stored(&server);
    assert_same(&found, &due);
    assert_once(&site, due.len(), runs);
}

/// Two clusters while the collector stays: the values of each of two moments, and the change between them.
#[test]
fn of_two_clusters_that_are_visited_again_and_again() {
    let (site, server) = (Site::new(&[("Alpha", 16), ("beta", 3)]), database());
    site.trust(server.ca_file());
    for cluster in &site.clusters {
        cluster.change(|behaviour| {
            behaviour.intervals = keys().into_iter().map(|key| (key, Some(1))).collect();
        });
    }
    let (one, other) = (&site.clusters[0], &site.clusters[1]);
    let tables = table(one, "") + &table(other, "authtype = \"basic-auth\"\n");
    let text =
        global("influxdb", 1, &stock_names()) + &influxdb(&server) + SUMMARIES + &tables + &stock_groups();
    site.idic(&text);
    settings(&site, "concurrency = true");
    let times = [lately(0), lately(59)];
    site.set_time(times[0]);
    let collector = site.run("tidemark-onefs").arg("--every").bound(STAYS).start();
    for time in times {
        site.set_time(time);
        let counts = |path: &str| -> Vec<usize> {
            let asked = site.clusters.iter().map(OneFs::counts);
            asked
                .map(|counts| counts.by_path.get(path).copied().unwrap_or(0))
                .collect()
        };
        // A visit with all its requests and one with all summaries, after those that were under way when the time changed.
        let more = |before: &[usize], path: &str, by: usize| {
            let now = counts(path);
            before.iter().zip(now).all(|(before, now)| now >= before + by)
        };
        let before = [CURRENT, DRIVES].map(counts);
        wait_until("both are visited", BOUND, || {
            more(&before[0], CURRENT, 7) && more(&before[1], DRIVES, 2)
        });
    }
    ends(collector);
    site.run("tidemark")
        .args(["outbox", "flush"])
        .run()
        .expect_code(0);
    let mut due = Points::new();
    for (cluster, called) in site.clusters.iter().zip(["alpha", "beta"]) {
        let cluster = cluster.behaviour();
        let mut before = None;
        for time in times {
            due.extend(statistics(&cluster, called, &keys(), time));
            due.extend(summaries(&cluster, called, time));
            due.extend(concurrency(&cluster, called, time, before.replace(time)));
        }
    }
    let (found, _) = stored(&server);
    assert_same(&found, &due);
    assert_eq!(one.counts().logins, 1);
    assert_eq!(other.counts().logins, 0, "it is asked with its password");
    let ledger = status(&site.home).sink("idic");
    assert_eq!((ledger.waiting, ledger.rejected, ledger.dropped), (0, 0, 0));
}

/// VictoriaMetrics takes what InfluxDB 2 takes, keeps what comes twice, and names series itself.
#[test]
fn into_influxdb_2() {
    let (site, server) = (Site::new(&[("Cl17", 16)]), VictoriaMetrics::start());
    let now = lately(47);
    site.set_time(now);
    let (_, port) = server
        .url()
        .rsplit_once(':')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a port");
    let back_end = format!(
        "[influxdbv2]\nhost = \"localhost\"\nport = \"{port}\"\norg = \"o\"\nbucket = \"b\"\naccess_token = \"$env:TOKEN\"\n"
    );
    let text =
        global("influxdbv2", 30, &stock_names()) + &back_end + SUMMARIES + &site.tables() + &stock_groups();
    site.idic(&text);
    settings(&site, "");
    site.run("tidemark-onefs").env("TOKEN", "t").run().expect_code(0);
    site.run("tidemark")
        .args(["outbox", "flush"])
        .env("TOKEN", "t")
        .run()
        .expect_code(0);
    let cluster = site.clusters[0].behaviour();
    let mut due = statistics(&cluster, "cl17", &stock_keys(), now);
    due.extend(with_time(summaries(&cluster, "cl17", now)));
    assert_once(&site, due.len(), 1);
    let mut wanted: BTreeMap<BTreeMap<String, String>, (i64, f64)> = BTreeMap::new();
    for (key, fields) in due {
        for (field, number) in fields {
            let mut labels = key.tags.clone();
            labels.insert("__name__".to_owned(), format!("{}_{field}", key.measurement));
            wanted.insert(labels, (key.time * 1000, number.float()));
        }
    }
    let mut found = 0;
    for mut series in server.export("{__name__!~\"tidemark_run_.*\"}") {
        series.labels.remove("db");
        let [(time, value)] = &series.samples[..] else {
            panic!("once: {series:?}")
        };
        let value: f64 = value.parse().expect("a number");
        assert_eq!(wanted.get(&series.labels), Some(&(*time, value)), "{series:?}");
        found += 1;
    }
    assert_eq!(found, wanted.len());
}
