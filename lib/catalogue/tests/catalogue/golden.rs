//! Plans as they were read in review: which units, and in each what settings and description decide. The rest of a unit's
//! text is `tidemark-systemd`'s, which has its own.

use std::fs;
use std::path::Path;

use tidemark_catalogue::Plan;
use tidemark_testkit::asked;

use crate::scene::{Scene, description};

/// The keys that differ from one plan to another.
const DECIDED: [&str; 12] = [
    "Description",
    "Wants",
    "Type",
    "TimeoutStartSec",
    "WatchdogSec",
    "ExecStart",
    "User",
    "LoadCredential",
    "SupplementaryGroups",
    "PrivateNetwork",
    "OnUnitInactiveSec",
    "RandomizedDelaySec",
];

/// A plan as one text.
fn text(plan: &Plan) -> String {
    let mut text = String::new();
    for notice in &plan.notices {
        text.push_str(&format!("notice: {notice}\n"));
    }
    for unit in &plan.units {
        let wanted = if unit.wanted { ", wanted" } else { "" };
        text.push_str(&format!("\n{}{wanted}\n", unit.file_name));
        let decided = |line: &&str| {
            line.split_once('=')
                .is_some_and(|(key, _)| DECIDED.contains(&key))
        };
        for line in unit.text.lines().filter(decided) {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

fn compare(name: &str, scene: &Scene) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/catalogue/golden/{name}"));
    let made = text(&scene.plan()).replace(&scene.path("").display().to_string(), "/ROOT/");
    if asked("TIDEMARK_REFRESH").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, &made).expect("its own file");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(made, expected, "{name}: TIDEMARK_REFRESH=1 writes it anew");
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.described("events", description("events").replace("\"5m\"", "\"10s\""));
    scene.described(
        "queue",
        description("queue")
            .replace("\"network\": false", "\"network\": true")
            .replace("\"on\"", "\"off\"")
            .replace("Of queue.", "What waits: 100% of it."),
    );
    scene
}

#[test]
fn a_host_without_settings() {
    compare("defaults", &scene());
}

#[test]
fn a_host_with_a_sink_and_a_collector() {
    let scene = scene();
    scene.settings(
        "[collector.queue]\nrun_interval = \"1h\"\n[collector.events]\nenabled = false\n\
         [[sink]]\ntype = \"influxdb\"\nurl = \"https://influx.example\"\ndatabase = \"d\"\nusername = \"u\"\n\
         password = { credential = \"influxdb\" }\n",
    );
    compare("configured", &scene);
}

#[test]
fn a_host_with_wrong_settings() {
    let scene = scene();
    scene.settings("[collector.queue]\nrun_intervall = \"1h\"\n[hosts]\n");
    compare("wrong", &scene);
}
