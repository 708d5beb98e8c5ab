//! Nothing is changed: no file of the state, and nothing of what a server has.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tidemark_testkit::{
    InfluxTls, Influxd, InfluxdOptions, Prometheus, PrometheusOptions, SinkServer, VictoriaMetrics,
    wait_until,
};

use super::*;

/// Every file of a folder: its bytes, and when it was written.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, i64, i64, u64)> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| {
            let about = entry.metadata().expect("metadata");
            let bytes = fs::read(entry.path()).expect("read");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, (bytes, about.mtime(), about.mtime_nsec(), about.ino()))
        })
        .collect()
}

#[test]
fn the_state_stays_as_it_is_byte_for_byte() {
    let site = Site::new(&format!(
        "{ON}[[sink]]\ntype = \"store\"\n{}",
        influxdb("http://127.0.0.1:1", "")
    ));
    site.run(&["run", "behaving"]).expect_code(0);
    let before = files(&site.home.state());
    assert!(before.contains_key("outbox.db") && before.contains_key("store.db"));
    for line in [&["check"][..], &["check", "--json"], &["check", "-vv"]] {
        site.run(line).expect_code(1);
    }
    let after = files(&site.home.state());
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (name, file) in before {
        assert!(after[&name] == file, "{name} was changed");
    }
}

#[test]
fn a_state_in_use_is_read_through_its_log_and_not_held_up() {
    let site = Site::new("[collector.behaving]\nrun_interval = \"1s\"\n[[sink]]\ntype = \"store\"\n");
    let up = site.tidemark(&["up"]).start();
    wait_until("runs", Duration::from_secs(60), || {
        up.stdout().matches("behaving  3 points in ").count() >= 2
    });
    for _ in 0..5 {
        let screen = site.check(0);
        assert!(screen.text.contains("it adds up"), "{}", screen.text);
    }
    let runs = up.stdout().matches("behaving  3 points in ").count();
    wait_until("more runs", Duration::from_secs(60), || {
        up.stdout().matches("behaving  3 points in ").count() > runs
    });
    // Before the end, which a run that is under way is told of as well.
    let said = up.stdout();
    assert!(!said.contains("failed"), "{said}");
    up.terminate();
    up.wait().expect_code(0);
}

#[test]
fn what_a_killed_process_left_stays_for_the_next_run() {
    let site = Site::new("[collector.behaving]\nrun_interval = \"1s\"\n[[sink]]\ntype = \"store\"\n");
    let up = site.tidemark(&["up"]).start();
    wait_until("runs", Duration::from_secs(60), || {
        up.stdout().matches("behaving  3 points in ").count() >= 2
    });
    up.kill();
    // SQLite's index of the log is memory that processes share: it says who reads, too.
    let lasting = |folder: &Path| {
        let mut files = files(folder);
        files.retain(|name, _| !name.ends_with("-shm"));
        files
    };
    let before = lasting(&site.home.state());
    assert!(before.contains_key("outbox.db-wal"), "{:?}", before.keys());
    let screen = site.check(0);
    assert!(screen.text.contains("it adds up"), "{}", screen.text);
    assert!(lasting(&site.home.state()) == before, "{:?}", before.keys());
}

/// One of each kind, all of them real, after a run and with nothing wrong.
#[test]
fn every_kind_of_sink_is_asked_within_a_second_and_keeps_what_it_has() {
    let influxd = Influxd::start(InfluxdOptions {
        tls: InfluxTls::SelfSigned,
        user: Some(("writer".to_owned(), "hunter2".to_owned())),
        ..InfluxdOptions::default()
    });
    let victoria = VictoriaMetrics::start();
    let prometheus = Prometheus::start(PrometheusOptions {
        remote_write: true,
        ..PrometheusOptions::default()
    });
    let site = Site::new("");
    let textfiles = site.home.path().join("textfiles");
    fs::create_dir(&textfiles).expect("a folder");
    site.home.settings(&format!(
        "{ON}{}{}{}[[sink]]\ntype = \"textfile\"\ndirectory = \"{}\"\n[[sink]]\ntype = \"store\"\n\
         [[sink]]\ntype = \"discard\"\n",
        influxdb(
            &influxd.url(),
            &format!(
                "username = \"writer\"\npassword = \"hunter2\"\nca_file = \"{}\"",
                influxd.ca_file().display()
            )
        ),
        sink(
            "influxdb2",
            &victoria.url(),
            "org = \"o\"\nbucket = \"b\"\ntoken = \"t\""
        ),
        sink("remote-write", &prometheus.write_url(), ""),
        textfiles.display()
    ));
    site.run(&["run", "behaving"]).expect_code(0);
    const ALL: &str = "{__name__=~\".+\"}";
    let exported = || {
        let mut series: Vec<String> = victoria.export(ALL).iter().map(|of| format!("{of:?}")).collect();
        series.sort_unstable();
        series
    };
    wait_until("the last of a run is shown", Duration::from_secs(60), || {
        exported().iter().any(|of| of.contains("tidemark_run"))
    });
    let held = || {
        (
            influxd.query("SELECT * FROM /.*/"),
            exported(),
            prometheus.stored(ALL),
            files(&textfiles),
            files(&site.home.state()),
        )
    };
    let before = held();
    assert!(!before.0.is_empty() && !before.1.is_empty() && !before.2.is_empty() && !before.3.is_empty());
    within_a_second(|| {
        let ended = site.run(&["check"]).expect_code(0);
        assert!(ended.stdout.contains("All is well."), "{}", ended.stdout);
        ended.wall
    });
    let after = held();
    assert_eq!(after.0, before.0);
    assert_eq!(after.1, before.1);
    assert_eq!(after.2, before.2);
    assert!(after.3 == before.3 && after.4 == before.4, "a file was changed");
}

#[test]
fn ten_sinks_are_asked_side_by_side() {
    let servers: Vec<SinkServer> = (0..10).map(|_| SinkServer::start()).collect();
    let slow = Duration::from_millis(800);
    for server in &servers {
        server.judge(move |_| tidemark_testkit::Answer::new(204).after(slow));
    }
    let settings = servers.iter().enumerate();
    let settings =
        settings.map(|(number, server)| influxdb(&server.url(""), &format!("name = \"s{number}\"")));
    let site = Site::new(&settings.collect::<String>());
    let screen = site.check(0);
    assert!(screen.wall < slow * 9, "{:?}", screen.wall);
}
