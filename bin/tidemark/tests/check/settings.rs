//! The first rung: the settings.

use super::*;

#[test]
fn every_mistake_of_every_section_is_listed() {
    let site = Site::new(
        "[[sinks]]\n[outbox]\nmax_bites = 1\n[collector.behaving]\npoints = \"many\"\nbehavior = \"ok\"\n",
    );
    site.check(78).shows("settings-mistakes");
}

#[test]
fn mistakes_of_a_collector_alone_leave_the_sinks_to_be_tried() {
    let site = Site::new("[collector.behaving]\npoints = \"many\"\n[collector.slow]\nwait = \"soon\"\n");
    site.script("slow", r#"{"network": false, "programs": [], "paths": []}"#);
    site.check(78).shows("settings-mistakes-of-a-collector");
}

#[test]
fn more_mistakes_than_anybody_reads_are_counted() {
    let keys: String = (0..150).map(|number| format!("key{number} = 1\n")).collect();
    let screen = Site::new(&format!("[host]\n{keys}")).check(78);
    assert_eq!(
        screen.text.matches("FAILED     mistake").count(),
        101,
        "{}",
        screen.text
    );
    assert!(
        screen.text.contains(
            "  FAILED     mistake  50 more mistakes\n                      -> mend those above first\n"
        ),
        "{}",
        screen.text
    );
}

#[test]
fn what_somebody_should_know_is_a_warning() {
    let site = Site::new(&format!(
        "{}[host]\ndry_run = true\n[collector.behavin]\n[collector.other-one]\n",
        influxdb(
            "http://127.0.0.1:1",
            "username = \"u\"\npassword = { file = \"PASSWORD\" }\nonly = [\"behavin\"]"
        )
    ));
    let password = site.home.file("password", "hunter2");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).expect("mode");
    let text = fs::read_to_string(site.home.config()).expect("settings");
    site.home
        .settings(&text.replace("PASSWORD", &password.display().to_string()));
    site.home.file("tidemark.toml.save", "");
    fs::create_dir(site.home.path().join("conf.d")).expect("a folder");
    site.home.file("conf.d/10-more.toml", "[store]\nkeep = \"1d\"\n");
    site.check(1).shows("settings-notices");
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let site = Site::new("");
    let run = site.tidemark(&["check", "--config", "nowhere.toml"]);
    site.screen(run, 78).shows("settings-missing");
}
