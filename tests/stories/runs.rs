//! Runs beside each other, one after the other, and killed ones.

use std::time::Duration;

use tidemark_testkit::{Answer, SinkServer, wait_until};

use crate::scene::{BOUND, Line, QUEUE, Scene, lines, playing, report, status};

fn points(sink: &SinkServer) -> Vec<Line> {
    sink.requests()
        .iter()
        .flat_map(|request| lines(request.text()))
        .collect()
}

fn runs(sink: &SinkServer) -> Vec<Line> {
    points(sink)
        .into_iter()
        .filter(|line| line.measurement == "tidemark_run")
        .collect()
}

#[test]
fn a_second_one_beside_it_ends_at_once() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.source.route("/general.json", Answer::hang());
    let first = scene.sponsoring().start();
    wait_until("the source is asked", BOUND, || {
        !scene.source.requests().is_empty()
    });
    let second = scene.sponsoring().run().expect_code(0);
    // The first is held up for longer.
    assert!(second.wall < Duration::from_secs(20), "{:?}", second.wall);
    assert!(
        second.stderr.contains("under way"),
        "it says so: {}",
        second.stderr
    );
    assert_eq!(scene.source.requests().len(), 1);
    // Another collector is none of its business.
    scene.home.run("tidemark-host").bound(BOUND).run().expect_code(0);
    drop(first);
}

#[test]
fn a_killed_one_is_closed_by_the_next() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.source.route("/general.json", Answer::hang());
    let run = scene.sponsoring().start();
    wait_until("the source is asked", BOUND, || {
        !scene.source.requests().is_empty()
    });
    run.kill();
    assert!(sink.requests().is_empty());
    scene.report(2);
    scene.collect();
    let runs = runs(&sink);
    let told: Vec<(&str, &str)> = runs
        .iter()
        .map(|run| (run.tags["collector"].as_str(), run.fields["ok"].as_str()))
        .collect();
    assert_eq!(told.len(), 2, "{runs:?}");
    assert!(
        told.contains(&("sponsoring", "false")) && told.contains(&("sponsoring", "true")),
        "{runs:?}"
    );
    assert_eq!(scene.ledger("played").figures(), (5, 5, 0, 0));
    // Once is enough.
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (9, 9, 0, 0));
}

#[test]
fn one_that_stays_runs_at_its_interval_until_it_is_told_to_end() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    let start = std::time::Instant::now();
    let running = scene
        .sponsoring()
        .args(["--every", "1s"])
        .bound(Duration::from_secs(120))
        .start();
    wait_until("three runs", BOUND, || runs(&sink).len() >= 3);
    assert!(
        start.elapsed() > Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(ended.peak_memory < 64 << 20, "{}", ended.peak_memory);
    let times: Vec<i64> = runs(&sink).iter().map(|run| run.time).collect();
    assert!(times.is_sorted(), "{times:?}");
    let told = status(&scene.home);
    assert_eq!(told.collector("sponsoring")["last_run"]["ok"], true);
}

#[test]
fn one_that_stays_goes_on_where_its_source_and_its_sink_fail() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.source.route("/general.json", Answer::new(500));
    sink.judge(|_| Answer::new(503));
    let running = scene
        .sponsoring()
        .args(["--every", "1s"])
        .bound(Duration::from_secs(120))
        .start();
    wait_until("two runs failed", BOUND, || scene.source.requests().len() >= 2);
    scene.source.route("/general.json", Answer::ok(report(2)));
    let asked = scene.source.requests().len();
    wait_until("two runs more", BOUND, || {
        scene.source.requests().len() >= asked + 2
    });
    running.terminate();
    running.wait().expect_code(0);
    sink.judge(|_| Answer::new(204));
    sink.forget();
    scene.flush();
    let times: Vec<i64> = runs(&sink).iter().map(|run| run.time).collect();
    assert!(times.len() >= 4 && times.is_sorted(), "{times:?}");
    assert!(points(&sink).iter().any(|line| line.measurement == QUEUE));
}

#[test]
fn a_terminated_one_ends_soon_and_is_recorded() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.source.route("/general.json", Answer::hang());
    let running = scene.sponsoring().start();
    wait_until("the source is asked", BOUND, || {
        !scene.source.requests().is_empty()
    });
    let told = std::time::Instant::now();
    running.terminate();
    let ended = running.wait().expect_code(1);
    assert!(told.elapsed() < Duration::from_secs(25), "{:?}", told.elapsed());
    assert!(ended.stderr.contains("SIGTERM"), "{}", ended.stderr);
    let last = status(&scene.home).collector("sponsoring")["last_run"].clone();
    assert_eq!(last["ok"], false, "{last}");
}
