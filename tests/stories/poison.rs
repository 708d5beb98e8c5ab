//! One bad point among five thousand: it is found and named, the others are stored.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tidemark_testkit::{Answer, Influxd, InfluxdOptions, Request, SinkServer};

use crate::scene::{QUEUE, Scene, influxdb, lines, playing, set_name};

/// One point a set and one for all: five thousand.
const SETS: usize = 4_999;
const POISON: usize = 3_333;

/// A server that stores lines, all but the poisoned one, and answers as `refuse` says where that is among them.
fn server(partial: bool, refuse: impl Fn(&str) -> String + Send + Sync + 'static) -> (SinkServer, Stored) {
    let (sink, stored) = (SinkServer::start(), Stored::default());
    let theirs = Arc::clone(&stored);
    let poison = format!("report={} ", set_name(POISON));
    sink.judge(move |request: &Request| {
        let bad = request.lines().find(|line| line.contains(&poison));
        if bad.is_none() || partial {
            let good = request
                .lines()
                .filter(|line| !line.contains(&poison))
                .map(str::to_owned);
            theirs.lock().expect("no panic while it is held").extend(good);
        }
        match bad {
            None => Answer::new(204),
            Some(line) => Answer::new(400).body(serde_json::json!({ "error": refuse(line) }).to_string()),
        }
    });
    (sink, stored)
}

type Stored = Arc<Mutex<BTreeSet<String>>>;

#[track_caller]
fn assert_found(sink: &SinkServer, stored: &Stored, words: &str) {
    let scene = Scene::new();
    scene.report(SETS);
    scene.sinks(&playing("played", sink));
    scene.collect();
    // What a run has no time for, the flush brings.
    scene.flush();
    let ledger = scene.ledger("played");
    assert_eq!(ledger.rejected, 1, "{ledger:?}");
    assert_eq!(ledger.waiting, 0, "{ledger:?}");
    let stored = stored.lock().expect("no panic while it is held");
    let reports: BTreeSet<String> = stored
        .iter()
        .flat_map(|line| lines(line))
        .filter(|line| line.measurement == QUEUE)
        .map(|line| line.tags["report"].clone())
        .collect();
    assert_eq!(reports.len(), SETS, "all but one of {} points", SETS + 1);
    assert!(!reports.contains(&set_name(POISON)));
    let batch = sink
        .requests()
        .iter()
        .filter(|request| request.text().contains(QUEUE))
        .count();
    assert!(batch <= 60, "{batch} requests");
    let told = scene.rejected();
    assert!(told.contains(words), "{words:?} is not in {told}");
    assert!(told.contains(&set_name(POISON)), "it is named: {told}");
}

#[test]
fn named_by_the_server() {
    let (sink, stored) = server(true, |line| {
        format!("partial write: unable to parse '{line}': poisoned dropped=0")
    });
    assert_found(&sink, &stored, "poisoned");
}

#[test]
fn counted_by_the_server_alone() {
    let (sink, stored) = server(true, |_| {
        "partial write: points beyond retention policy dropped=1".to_owned()
    });
    assert_found(&sink, &stored, "beyond retention policy");
}

#[test]
fn found_by_halving() {
    let (sink, stored) = server(false, |_| "something is wrong".to_owned());
    assert_found(&sink, &stored, "something is wrong");
}

/// Of a real server: the report has one set more than the server takes values of a tag.
#[test]
fn one_value_of_a_tag_too_many_for_a_real_server() {
    let data = format!("max-values-per-tag = {}", SETS + 1);
    let server = Influxd::start(InfluxdOptions {
        data,
        ..InfluxdOptions::default()
    });
    let scene = Scene::new();
    scene.sinks(&influxdb("real", &server));
    scene.report(SETS);
    scene.collect();
    // It counts those that were there before a request: the new one alone is refused. (Where that is a request's last
    // point, influxd 1.6 answers `dropped=1` and loses a good one too: only one that is sent again is there.)
    scene.report(SETS + 1);
    scene.collect();
    scene.flush();
    let ledger = scene.ledger("real");
    assert_eq!((ledger.rejected, ledger.waiting), (1, 0), "{ledger:?}");
    assert_eq!(server.count(QUEUE, "count"), 2 * (SETS as u64 + 1));
    let told = scene.rejected();
    assert!(
        told.contains("max-values-per-tag") && told.contains(&set_name(SETS)),
        "{told}"
    );
}
