//! What a dry run prints is what a sink gets, and nothing else happens.

use serde_json::Value;
use tidemark_testkit::{Answer, SinkServer};

use crate::scene::{QUEUE, Scene, files, lines, playing};

/// The body with each line's time taken out: two runs have two times.
fn timeless(body: &str) -> String {
    let line = |line: &str| {
        let (rest, time) = line.rsplit_once(' ').expect("a time");
        assert!(
            time.len() == 19 && time.bytes().all(|byte| byte.is_ascii_digit()),
            "ns of this century: {time}"
        );
        format!("{rest} TIME\n")
    };
    body.split_inclusive('\n')
        .map(|text| line(text.trim_end_matches('\n')))
        .collect()
}

/// A report with names that need escapes.
const REPORT: &str = r#"[{"date_queued":"01/02/26","sets":["desktop core, = x","ünïcode"]},{"date_queued":"11/20/26","sets":[]}]"#;

#[test]
fn is_byte_for_byte_what_a_sink_receives() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.source.route("/general.json", Answer::ok(REPORT));
    scene.settings(
        "",
        &format!("{}[host.tags]\nsite = \"a b\"\n", playing("played", &sink)),
    );
    let dry_run = || {
        let run = scene.sponsoring().args(["--dry-run", "--output", "influx"]);
        run.run().expect_code(0)
    };
    let dry = dry_run();
    assert!(sink.requests().is_empty());
    scene.collect();
    let later = dry_run();
    let requests = sink.requests();
    let batch = requests
        .iter()
        .find(|request| request.text().contains(QUEUE))
        .expect("the batch");
    let batch = timeless(batch.text());
    // Ages are in days, and a day may have ended, before the run or behind it.
    let of_its_day = if batch == timeless(&dry.stdout) {
        &dry
    } else {
        &later
    };
    assert_eq!(timeless(&of_its_day.stdout), batch);
    assert!(dry.stdout.ends_with('\n') && !dry.stdout.ends_with("\n\n"));
    let read = lines(&dry.stdout);
    assert_eq!(read.len(), 3);
    assert!(
        read.iter().all(|line| line.tags["site"] == "a b"),
        "{}",
        dry.stdout
    );
    assert!(
        read.iter().any(|line| line.tags["report"] == "desktop core, = x"),
        "{}",
        dry.stdout
    );
}

#[test]
fn needs_no_sink_and_no_credentials_and_writes_nothing() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    let text = playing("played", &sink);
    scene.sinks(&format!(
        "{}\nusername = \"u\"\npassword = {{ file = \"/nonexistent\" }}\n",
        text.trim_end()
    ));
    sink.close();
    for option in ["-n", "--dry-run"] {
        let ended = scene.sponsoring().arg(option).run().expect_code(0);
        assert!(
            ended.stdout.contains("measurement: sponsoring_queue_stats"),
            "{}",
            ended.stdout
        );
    }
    assert_eq!(files(&scene.home.state()), [], "nothing is written");
    // Not even where nothing can be.
    let nowhere = scene
        .sponsoring()
        .arg("-n")
        .env("STATE_DIRECTORY", "/proc/nowhere");
    nowhere.run().expect_code(0);
}

#[test]
fn tells_the_same_in_each_form() {
    let scene = Scene::new();
    scene.source.route("/general.json", Answer::ok(REPORT));
    scene.sinks("");
    let run = |format: &str| {
        scene
            .sponsoring()
            .args(["-n", "--output", format])
            .run()
            .expect_code(0)
            .stdout
    };
    let influx = lines(&run("influx"));
    let json: Value = serde_json::from_str(&run("json")).expect("JSON");
    let json = json.as_array().expect("an array");
    assert_eq!(json.len(), influx.len());
    for (point, line) in json.iter().zip(&influx) {
        assert_eq!(point["measurement"], line.measurement.as_str());
        assert_eq!(point["tags"]["report"], line.tags["report"].as_str());
        assert_eq!(format!("{}i", point["fields"]["count"]), line.fields["count"]);
        assert!(
            point["time"].as_str().is_some_and(|time| time.ends_with('Z')),
            "RFC 3339: {point}"
        );
    }
    let yaml = run("yaml");
    assert_eq!(
        yaml.matches("measurement: sponsoring_queue_stats").count(),
        influx.len(),
        "{yaml}"
    );
    let default = timeless_yaml(&scene.sponsoring().arg("-n").run().expect_code(0).stdout);
    let yaml = [yaml, run("yaml")].map(|yaml| timeless_yaml(&yaml));
    // Ages are in days: one of the two is of the same day.
    assert!(yaml.contains(&default), "YAML is the default: {default}");
}

fn timeless_yaml(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("time:"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_source_that_fails_fails_it_too() {
    let scene = Scene::new();
    scene.sinks("");
    scene.source.route("/general.json", Answer::new(500));
    let ended = scene.sponsoring().arg("-n").run().expect_code(1);
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn of_this_machine_is_read_by_a_reader_that_is_not_its_own() {
    let scene = Scene::new();
    scene.sinks("");
    let ended = scene
        .home
        .run("tidemark-host")
        .args(["-n", "--output", "influx"])
        .run()
        .expect_code(0);
    let points = lines(&ended.stdout);
    assert!(points.len() > 5, "{}", ended.stdout);
    assert!(
        points
            .iter()
            .all(|point| !point.fields.is_empty() && point.tags.contains_key("host"))
    );
    let json = scene
        .home
        .run("tidemark-host")
        .args(["-n", "--output", "json"])
        .run()
        .expect_code(0);
    assert!(serde_json::from_str::<Value>(&json.stdout).is_ok_and(|value| value.is_array()));
}
