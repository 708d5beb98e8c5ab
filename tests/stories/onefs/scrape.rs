//! To a real Prometheus: it finds the clusters' listeners by itself, and scrapes them over TLS, with a password.

use std::collections::BTreeMap;

use tidemark_testkit::onefs::stock_keys;
use tidemark_testkit::{Certificates, Prometheus, PrometheusOptions, free_port, http, wait_until};

use super::expected::{Points, statistics, summaries, with_time};
use super::site::{
    SUMMARIES, Site, ends, global, is_of_a_busy_machine, statgroup, stock_groups, stock_names, table,
};
use super::values::lately;
use crate::scene::BOUND;

const USER: &str = "scraper";
const PASSWORD: &str = "read it out";

/// What is known of a sample beside its value: its labels, `__name__` among them, and its time in milliseconds.
type Sample = (BTreeMap<String, String>, i64);

/// A point's samples under gostats' names.
fn samples(points: &Points) -> BTreeMap<Sample, f64> {
    let mut samples = BTreeMap::new();
    for (key, fields) in points {
        let name: String = key
            .measurement
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() {
                    letter
                } else {
                    '_'
                }
            })
            .collect();
        for (field, number) in fields {
            // It is beside the operation's name, and no value.
            if field == "op_id" {
                continue;
            }
            let mut labels = key.tags.clone();
            labels.insert("isilon_cluster".to_owned(), key.tags["cluster"].clone());
            let name = match fields.len() {
                1 => format!("isilon_stat_{name}"),
                _ => format!("isilon_stat_{name}_{field}"),
            };
            labels.insert("__name__".to_owned(), name);
            let before = samples.insert((labels, key.time * 1000), number.float());
            assert!(before.is_none(), "{key:?} {field}");
        }
    }
    samples
}

/// All samples of clusters that the server has.
fn stored(server: &Prometheus) -> BTreeMap<Sample, f64> {
    let mut samples = BTreeMap::new();
    for mut series in server.stored("{job=\"isilon_stats\",cluster!=\"\"}") {
        series
            .labels
            .retain(|name, _| name != "job" && name != "instance");
        for (time, value) in series.samples {
            let value = value.parse().expect("a number");
            let before = samples.insert((series.labels.clone(), time), value);
            assert!(before.is_none(), "{:?} twice", series.labels);
        }
    }
    samples
}

/// How a server finds and scrapes them.
fn scrape_config(list: u16, certificates: &Certificates) -> String {
    let access = format!(
        "basic_auth: {{username: '{USER}', password: '{PASSWORD}'}}\n    tls_config: {{ca_file: '{}'}}",
        certificates.authority().display()
    );
    format!(
        "  - job_name: isilon_stats\n    {access}\n    http_sd_configs:\n    - url: https://localhost:{list}/\n      \
         refresh_interval: 1s\n      {}\n",
        access.replace("\n    ", "\n      ")
    )
}

#[test]
fn every_value_is_scraped_once_under_its_name() {
    let site = Site::new(&[("Cl17", 16), ("cl18", 1)]);
    let keys = stock_keys();
    for cluster in &site.clusters {
        cluster.change(|behaviour| {
            behaviour.intervals = keys.iter().map(|key| (key.clone(), Some(1))).collect();
        });
    }
    let (ports, list) = ([free_port(), free_port()], free_port());
    let leaf = &site.certificates.leaf;
    let back_end = format!(
        "[prometheus]\nauthenticated = true\nusername = \"{USER}\"\npassword = \"$env:SCRAPE\"\ntls_cert = \"{}\"\n\
         tls_key = \"{}\"\ninstance_label_name = \"isilon_cluster\"\n[prom_http_sd]\nenabled = true\n\
         listen_addr = \"localhost\"\nsd_port = {list}\n",
        leaf.certificate.display(),
        leaf.key.display()
    );
    let tables = site.clusters.iter().zip(ports);
    let tables: String = tables
        .map(|(cluster, port)| table(cluster, &format!("prometheus_port = {port}\n")))
        .collect();
    site.idic(&(global("prometheus", 1, &stock_names()) + &back_end + SUMMARIES + &tables + &stock_groups()));
    let server = Prometheus::start(PrometheusOptions {
        scrape_configs: scrape_config(list, &site.certificates),
        ..PrometheusOptions::default()
    });
    let times = [lately(7), lately(47)];
    site.set_time(times[0]);
    let collector = site.stays_with(&[("SCRAPE", PASSWORD)]);
    let mut due = BTreeMap::new();
    for time in times {
        site.set_time(time);
        let mut points = Points::new();
        for (cluster, called) in site.clusters.iter().zip(["cl17", "cl18"]) {
            let cluster = cluster.behaviour();
            points.extend(statistics(&cluster, called, &keys, time));
            points.extend(with_time(summaries(&cluster, called, time)));
        }
        due.extend(samples(&points));
        wait_until("all of them are scraped", BOUND, || {
            collector.runs() && stored(&server).len() >= due.len()
        });
    }
    let found = stored(&server);
    for (sample, value) in &due {
        assert_eq!(found.get(sample), Some(value), "{sample:?}");
    }
    let strange: Vec<_> = found.keys().filter(|sample| !due.contains_key(*sample)).collect();
    assert!(strange.is_empty(), "{} such as {:?}", strange.len(), strange[0]);

    // What a person sees.
    let page = |path: &str| {
        http::Request::get(&format!("https://localhost:{}{path}", ports[1]))
            .trust(site.certificates.authority())
    };
    let send = |request: http::Request<'_>| request.send().expect("an answer");
    assert_eq!(send(page("/metrics")).status, 401);
    assert_eq!(send(page("/metrics").basic(USER, "another")).status, 401);
    let landing = send(page("/").basic(USER, PASSWORD));
    assert!(landing.text().contains("/metrics"), "{}", landing.text());
    let mut metrics = String::new();
    // Where a busy machine visits too late, nothing is shown for a while.
    wait_until("it is shown with what it is", BOUND, || {
        send(page("/metrics").basic(USER, PASSWORD))
            .text()
            .clone_into(&mut metrics);
        [
            "# HELP isilon_stat_node_load_1min Made up: node.load.1min of each node",
            "# TYPE isilon_stat_node_load_1min gauge",
        ]
        .iter()
        .all(|line| metrics.lines().any(|found| found == *line))
    });
    assert!(!metrics.contains("cl17"), "each cluster has its own listener");
    let written = ends(collector);
    let mut warnings = written.lines().filter(|line| line.contains("warning"));
    assert!(warnings.all(is_of_a_busy_machine), "{written}");
}

/// Without a password the listeners are this host's alone, and a notice says so; a cluster that is down shows nothing old.
#[test]
fn without_a_password_and_a_cluster_that_goes_away() {
    let site = Site::new(&[("cl17", 1)]);
    let port = free_port();
    site.clusters[0].change(|behaviour| {
        behaviour.intervals = [("node.load.1min".to_owned(), Some(1))].into();
    });
    let text = global("prometheus", 1, &["one"])
        + &table(&site.clusters[0], &format!("prometheus_port = {port}\n"))
        + &statgroup("one", &["node.load.1min"]);
    site.idic(&text);
    let collector = site.stays();
    let metrics = || {
        let answer = http::Request::get(&format!("http://localhost:{port}/metrics")).send();
        answer.map(|answer| answer.text().to_owned()).unwrap_or_default()
    };
    let name = "isilon_stat_node_load_1min{cluster=\"cl17\",devid=\"1\",node=\"1\"} ";
    wait_until("it is shown", BOUND, || metrics().contains(name));
    site.clusters[0].close();
    // Five seconds at least.
    wait_until("it is shown no more", BOUND, || !metrics().contains(name));
    let written = ends(collector);
    assert!(
        written.contains("open to this host alone, on 127.0.0.1"),
        "{written}"
    );
}
