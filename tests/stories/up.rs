//! Everything in the foreground, without settings: `tidemark up`, and what the other commands tell beside it.

use std::time::Duration;

use serde_json::Value;
use tidemark_testkit::{Home, Run, wait_until};

use crate::scene::{BOUND, Status, status};

fn host(status: &Status) -> &Value {
    status.collector("host")
}

#[test]
fn collects_into_the_store_and_tells() {
    let home = Home::new();
    let up = home
        .run("tidemark")
        .arg("up")
        .bound(Duration::from_secs(300))
        .start();
    wait_until("the first run has ended", BOUND, || {
        assert!(up.runs(), "{}", up.stderr());
        host(&status(&home))["state"] == "ok"
    });
    let told = status(&home);
    let last = &host(&told)["last_run"];
    assert_eq!(
        (&last["ok"], &last["error"]),
        (&Value::Bool(true), &Value::Null),
        "{last}"
    );
    let points = last["points"].as_u64().expect("points");
    assert!(points > 5, "{last}");
    assert_eq!(host(&told)["interval_seconds"], 60);
    wait_until("the store has them", BOUND, || {
        let ledger = status(&home).sink("store");
        ledger.waiting == 0 && ledger.delivered > points
    });
    let shown = home.run("tidemark").args(["show", "host"]).run().expect_code(0);
    assert!(shown.stdout.lines().count() > 5, "{}", shown.stdout);
    // A collector that needs a source is not started where it has no section.
    assert_eq!(told.collector("sponsoring")["state"], "disabled");
    let listed = home.run("tidemark").arg("list").run().expect_code(0);
    for name in ["host", "sponsoring"] {
        assert!(listed.stdout.contains(name), "{}", listed.stdout);
    }
    up.terminate();
    let ended = up.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.wall < Duration::from_secs(200));
}

#[test]
fn starts_a_failing_collector_no_more_often_than_its_interval() {
    let home = Home::new();
    // Nothing listens there.
    let port = tidemark_testkit::free_port();
    home.settings(&format!(
        "[collector.host]\nenabled = false\n\n[collector.sponsoring]\nurl = \"http://localhost:{port}/\"\n\
         run_interval = \"2s\"\n"
    ));
    let up = home
        .run("tidemark")
        .arg("up")
        .bound(Duration::from_secs(300))
        .start();
    wait_until("it fails", BOUND, || {
        status(&home).collector("sponsoring")["state"] == "failing"
    });
    // All of them end later than this. The first may have begun before, and the second have been due meanwhile; between the
    // others are whole intervals.
    let start = std::time::Instant::now();
    let first = runs(&home);
    wait_until("it ran four times more", BOUND, || runs(&home) >= first + 4);
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
    up.interrupt();
    let ended = up.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    home.run("tidemark")
        .args(["status", "--check"])
        .run()
        .expect_code(1);
}

/// How many runs were recorded: each has a point of its own in the store.
fn runs(home: &Home) -> u64 {
    status(home).sink("store").collected
}

#[test]
fn hands_a_termination_on_in_the_middle_of_a_run() {
    let source = tidemark_testkit::Source::http();
    source.route("/general.json", tidemark_testkit::Answer::hang());
    let home = Home::new();
    home.settings(&format!(
        "[collector.host]\nenabled = false\n\n[collector.sponsoring]\nurl = \"{}\"\n",
        source.url("/general.json")
    ));
    let up = home
        .run("tidemark")
        .arg("up")
        .bound(Duration::from_secs(120))
        .start();
    wait_until("the source is asked", BOUND, || !source.requests().is_empty());
    up.terminate();
    let ended = up.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.wall < Duration::from_secs(60), "{:?}", ended.wall);
}

/// A collector that is killed is that run's affair alone.
#[test]
fn goes_on_where_a_collector_is_killed() {
    let source = tidemark_testkit::Source::http();
    source.route("/general.json", tidemark_testkit::Answer::hang());
    let home = Home::new();
    let url = source.url("/general.json");
    home.settings(&format!("[collector.host]\nenabled = false\n\n[collector.sponsoring]\nurl = \"{url}\"\nrun_interval = \"1s\"\n"));
    let up = home
        .run("tidemark")
        .arg("up")
        .bound(Duration::from_secs(120))
        .start();
    wait_until("the source is asked", BOUND, || !source.requests().is_empty());
    let children = up.processes().split_off(1);
    assert_eq!(children.len(), 1, "one collector runs");
    source.route("/general.json", tidemark_testkit::Answer::ok("[]"));
    Run::new("/bin/kill")
        .arg("-9")
        .arg(children[0].to_string())
        .run()
        .expect_code(0);
    wait_until("the next run is well", BOUND, || {
        status(&home).collector("sponsoring")["state"] == "ok"
    });
    assert!(up.runs());
    let children = up.processes().split_off(1);
    up.terminate();
    up.wait().expect_code(0);
    for child in children {
        // Its number may be another's by now.
        let name = std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        assert!(!name.starts_with("tidemark-sponso"), "{child} is left behind");
    }
    let ledger = status(&home).sink("store");
    assert!(
        ledger.collected >= 3,
        "the killed run's own point, and the next run's two: {ledger:?}"
    );
}

#[test]
fn of_settings_that_are_wrong_ends_with_78() {
    let home = Home::new();
    home.settings("[host]\nnmae = 1\n");
    let ended = home.run("tidemark").arg("up").bound(BOUND).run().expect_code(78);
    assert!(ended.stderr.contains("tidemark.toml:2"), "{}", ended.stderr);
}

#[test]
fn one_run_by_the_operator_s_command_is_one_of_the_collector() {
    let home = Home::new();
    home.run("tidemark")
        .args(["run", "host"])
        .bound(BOUND)
        .run()
        .expect_code(0);
    assert_eq!(host(&status(&home))["last_run"]["ok"], true);
    let dry = home
        .run("tidemark")
        .args(["run", "host", "--dry-run"])
        .bound(BOUND)
        .run()
        .expect_code(0);
    assert!(dry.stdout.contains("measurement:"), "{}", dry.stdout);
    let unknown = home
        .run("tidemark")
        .args(["run", "no-such-collector"])
        .bound(BOUND)
        .run();
    assert_ne!(unknown.code, Some(0));
    assert!(unknown.stderr.contains("no-such-collector"), "{}", unknown.stderr);
}
