//! Nothing is changed: no file of the state, and nothing of what a server has.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tidemark_testkit::{SinkServer, wait_until};

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
    wait_until("runs", Duration::from_secs(25), || {
        up.stdout().matches("behaving  3 points in ").count() >= 2
    });
    for _ in 0..5 {
        let screen = site.check(0);
        assert!(screen.text.contains("it adds up"), "{}", screen.text);
    }
    let runs = up.stdout().matches("behaving  3 points in ").count();
    wait_until("more runs", Duration::from_secs(25), || {
        up.stdout().matches("behaving  3 points in ").count() > runs
    });
    up.terminate();
    let ended = up.wait().expect_code(0);
    assert!(!ended.stdout.contains("failed"), "{}", ended.stdout);
}

#[test]
fn what_a_killed_process_left_stays_for_the_next_run() {
    let site = Site::new("[collector.behaving]\nrun_interval = \"1s\"\n[[sink]]\ntype = \"store\"\n");
    let up = site.tidemark(&["up"]).start();
    wait_until("runs", Duration::from_secs(25), || {
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

#[test]
fn ten_sinks_are_asked_side_by_side() {
    let servers: Vec<SinkServer> = (0..10).map(|_| SinkServer::start()).collect();
    let slow = Duration::from_millis(300);
    for server in &servers {
        server.judge(move |_| tidemark_testkit::Answer::new(204).after(slow));
    }
    let settings = servers.iter().enumerate();
    let settings =
        settings.map(|(number, server)| influxdb(&server.url(""), &format!("name = \"s{number}\"")));
    let site = Site::new(&settings.collect::<String>());
    let screen = site.check(0);
    assert!(screen.wall < slow * 5, "{:?}", screen.wall);
}
