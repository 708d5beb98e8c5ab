//! Gostats' file and the settings that it is converted to collect the same; which sink counts; and the sink that the file
//! makes, to every command.

use std::fs;

use tidemark_testkit::{Influxd, InfluxdOptions, Run, SinkServer, VictoriaMetrics};

use super::site::{SUMMARIES, Site, global, influxdb, statgroup, stock_groups, stock_names, table};
use super::values::{lately, settings};
use crate::scene::{lines, playing, status};

/// A credential of systemd's for each that the converted settings name.
fn credentials(site: &Site, converted: &str, secrets: &[&str]) -> std::path::PathBuf {
    let folder = site.home.path().join("credentials");
    fs::create_dir_all(&folder).expect("a folder");
    let names: Vec<&str> = converted
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once("credential = \"")?.1.split('"').next())
        .collect();
    assert_eq!(names.len(), secrets.len(), "{converted}");
    for (name, secret) in names.into_iter().zip(secrets) {
        fs::write(folder.join(name), secret).expect("a file");
    }
    folder
}

/// What a dry run would submit, a line a point.
#[track_caller]
fn collected(run: Run) -> Vec<String> {
    let ended = run.args(["--dry-run", "--output", "influx"]).run().expect_code(0);
    let mut all: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn the_converted_settings_collect_the_same() {
    let site = Site::new(&[("Alpha", 3), ("BETA", 2), ("gamma", 1)]);
    let server = Influxd::start(InfluxdOptions::https("isilon", "put it in"));
    site.trust(server.ca_file());
    site.set_time(lately(47));
    let [alpha, beta, gamma] = &site.clusters[..] else {
        panic!("three")
    };
    beta.change(|it| it.password = "another one".to_owned());
    let tables = table(alpha, "prometheus_port = 9095\n")
        + &table(beta, "preserve_case = true\nauthtype = \"basic-auth\"\n")
            .replace("another one", "$env:BETA")
        + &table(gamma, "disabled = true\n");
    let text = global("influxdb", 5, &stock_names())
        + "include_degraded = true\n"
        + &influxdb(&server)
        + SUMMARIES
        + &tables
        + &stock_groups();
    site.idic(&text);
    let variables = |run: Run| run.env("BETA", "another one");
    let of_file = collected(variables(site.onefs()));
    assert!(of_file.len() > 500, "{}", of_file.len());
    assert!(
        of_file.iter().any(|line| line.contains("cluster=BETA"))
            && !of_file.iter().any(|line| line.contains("gamma"))
    );

    let path = site.home.path().join("idic.toml");
    let converted = site
        .run("tidemark-onefs")
        .arg("convert")
        .arg(&path)
        .run()
        .expect_code(0);
    assert_eq!(converted.stderr, "");
    let converted = converted.stdout;
    for secret in ["correct horse", "put it in", "another one"] {
        assert!(!converted.contains(secret), "{converted}");
    }
    fs::remove_file(path).expect("it is there");
    site.home.settings(&converted);
    let folder = credentials(
        &site,
        &converted,
        &["correct horse", "correct horse", "put it in"],
    );
    let native = || variables(site.run("tidemark-onefs")).env("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(collected(native()), of_file);

    // And into the database that the file named, in one run.
    native().run().expect_code(0);
    let ledger = status(&site.home).sink("idic");
    assert_eq!(ledger.delivered, of_file.len() as u64 + 1, "{ledger:?}");
    assert_eq!(server.count("node.load.1min", "value"), 5);
}

#[test]
fn a_sink_of_the_settings_wins_over_the_file_s_back_end() {
    let (site, sink) = (Site::new(&[("cl17", 2)]), SinkServer::start());
    site.set_time(lately(47));
    let keys = statgroup("keys", &["node.load.1min"]);
    // Nobody looks at it.
    let back_end = "[kafka]\nx = 1\n[influxdb]\nhost = 5\nport = \"none\"\n";
    site.idic(&(global("kafka", 5, &["keys"]) + back_end + &site.tables() + &keys));
    let path = site.home.path().join("idic.toml");
    let named = format!("[collector.onefs]\nidic = \"{}\"\n\n", path.display());
    site.home.settings(&(named + &playing("played", &sink)));
    for run in [site.onefs(), site.run("tidemark-onefs")] {
        sink.forget();
        run.run().expect_code(0);
        let bodies = sink.requests();
        let points: Vec<_> = bodies.iter().flat_map(|request| lines(request.text())).collect();
        let of_cluster = points
            .iter()
            .filter(|point| point.measurement == "node.load.1min");
        assert_eq!(of_cluster.count(), 2, "{points:?}");
    }
    let sinks = status(&site.home).0["sinks"].clone();
    let names: Vec<&str> = sinks
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|sink| sink["name"].as_str())
        .collect();
    assert_eq!(names, ["played"]);
    // Without it, the back end counts.
    let ended = {
        site.home.settings("");
        site.onefs().run().expect_code(78)
    };
    assert!(
        ended.stderr.contains("`stats_processor` is `kafka`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_file_s_sink_is_known_to_every_command() {
    let (site, mut server) = (
        Site::new(&[("cl17", 1)]),
        Influxd::start(InfluxdOptions::https("isilon", "put it in")),
    );
    site.trust(server.ca_file());
    let keys = statgroup("keys", &["node.load.1min"]);
    site.idic(&(global("influxdb", 5, &["keys"]) + &influxdb(&server) + &site.tables() + &keys));
    settings(&site, "");
    let tidemark = |words: &str| site.run("tidemark").args(words.split(' ')).run();
    let checked = tidemark("check").expect_code(0).stdout;
    let verdict = |text: &str| {
        text.lines()
            .find(|line| line.contains("idic"))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        verdict(&checked).contains("ok") || checked.contains("ok"),
        "{checked}"
    );
    server.kill();
    let checked = tidemark("check").expect_code(1).stdout;
    assert!(checked.contains("idic"), "{checked}");
    site.run("tidemark-onefs").run().expect_code(0);
    assert_eq!(status(&site.home).sink("idic").figures(), (2, 0, 2, 0));
    tidemark("outbox flush").expect_code(1);
    assert!(tidemark("outbox list").expect_code(0).stdout.contains("idic"));
    server.restart();
    tidemark("outbox flush").expect_code(0);
    assert_eq!(status(&site.home).sink("idic").figures(), (2, 2, 0, 0));
    assert!(tidemark("status").expect_code(0).stdout.contains("idic"));
    assert_eq!(server.count("node.load.1min", "value"), 1);

    // Another back end in the file: what waits for the one before goes there no more by itself, and nothing is lost.
    let victoria = VictoriaMetrics::start();
    let port = victoria.url().rsplit(':').next().expect("a port").to_owned();
    let back_end = format!(
        "[influxdbv2]\nhost = \"localhost\"\nport = {port}\norg = \"o\"\nbucket = \"b\"\naccess_token = \"t\"\n"
    );
    site.idic(&(global("influxdbv2", 5, &["keys"]) + &back_end + &site.tables() + &keys));
    site.run("tidemark-onefs").run().expect_code(0);
    tidemark("outbox flush").expect_code(0);
    assert_eq!(victoria.export("{__name__=\"node.load.1min_value\"}").len(), 1);
}
