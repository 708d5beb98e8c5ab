//! The steps of UPGRADING.md, as they are typed on a host that had the Python collectors: its sink is configured by the five
//! variables in /etc/default/tidemark alone.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tidemark_testkit::{Influxd, InfluxdOptions};

use super::{delivered, install, machine, root, shell};
use crate::ubuntu::World;

/// What a shell would not read as systemd does.
const PASSWORD: &str = "it is $1 \"secret\"";

/// The one command of the page that has these words, without what it says of it, for a shell of root's.
#[track_caller]
fn step(words: &str) -> String {
    let page = fs::read_to_string(root().join("UPGRADING.md")).expect("a page");
    let commands: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.contains("sudo ") && line.contains(words))
        .collect();
    let [command] = commands[..] else {
        panic!("{words:?} is in {commands:?}");
    };
    let (command, _) = command.split_once("   ").unwrap_or((command, ""));
    command.replace("sudo ", "")
}

#[test]
fn the_steps_from_the_python_collectors_do_what_the_page_says() {
    let influxd = Influxd::start(InfluxdOptions::https("collector", PASSWORD));
    let (machine, world) = (machine(), World::new());
    // What runs, the test starts: a timer's run before the variables are set would go into the store.
    machine.install(
        "/etc/systemd/system/tidemark-.timer.d/later.conf",
        "[Timer]\nOnBootSec=\nOnBootSec=1d\n",
        0o644,
        "root",
    );
    install(&machine, "old.deb");
    let authority = fs::read(influxd.ca_file()).expect("a certificate");
    machine.install("/etc/tidemark/authority.pem", authority, 0o644, "root");
    let variables = |password: &str| {
        let text = format!(
            "INFLUXDB_HOSTNAME=localhost\nINFLUXDB_PORT={}\nINFLUXDB_USERNAME=collector\nINFLUXDB_PASSWORD='{password}'\n\
             INFLUXDB_DATABASE={}\nSSL_CERT_FILE=/etc/tidemark/authority.pem\n",
            influxd.port(),
            influxd.database()
        );
        machine.install("/etc/default/tidemark", text, 0o640, "root");
    };
    let check = step("tidemark check");
    variables("another");
    let refused = machine.run(["sh", "-c", &check]).expect_code(1);
    assert!(refused.stdout.contains("influxdb"), "{}", refused.stdout);
    variables(PASSWORD);
    let tried = shell(&machine, &check);
    assert!(tried.contains("sink influxdb"), "{tried}");

    // From local copies of the sources; the step itself needs no section.
    let distro_info = Path::new("/usr/share/distro-info/ubuntu.csv");
    machine.install(distro_info, world.distro_info(), 0o644, "root");
    let sections = world.settings_with(distro_info);
    machine.install("/etc/tidemark/conf.d/sources.toml", sections, 0o644, "root");
    let dry_run = step("run britney --dry-run");
    let points = shell(&machine, &format!("cd /tmp && {dry_run} && cat tidemark.yaml"));
    assert!(points.contains("measurement: britney_last_run_age"), "{points}");
    machine
        .run(["rm", "/etc/tidemark/conf.d/sources.toml"])
        .expect_code(0);

    shell(&machine, &step("printf"));
    machine.wait_for("tidemark-britney.timer", "active");
    machine
        .run(["systemctl", "list-timers", "tidemark-britney.timer"])
        .expect_code(0);
    // What is typed sees the sink that units have.
    variables("another");
    machine
        .run(["systemctl", "start", "tidemark-host.service"])
        .expect_code(0);
    let status = shell(&machine, &step("tidemark status"));
    assert!(
        status.contains("try now: tidemark outbox flush") && !status.contains("in no settings"),
        "{status}"
    );
    let listed = shell(&machine, &step("tidemark outbox list"));
    assert!(listed.contains("influxdb"), "{listed}");

    // Who may not read the variables is told so, and not to drop what waits.
    let as_user = |words: &str| {
        let user = "runuser -u tidemark -- env STATE_DIRECTORY=/var/lib/tidemark tidemark";
        machine.run(["sh", "-c", &format!("{user} {words} 2>&1")])
    };
    let unknown = "which sinks units have is not known: /etc/default/tidemark cannot be read: only root";
    for (words, code) in [
        ("status", 0),
        ("check", 0),
        ("outbox flush", 1),
        ("outbox drop influxdb --waiting", 78),
    ] {
        let said = as_user(words).expect_code(code).stdout;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(unknown), "{words}: {said}");
        assert!(!said.contains("any more"), "{words}: {said}");
    }

    variables(PASSWORD);
    shell(&machine, "tidemark run host");
    shell(&machine, &step("tidemark outbox flush"));
    delivered(&machine);
    let sinks = shell(&machine, "tidemark status --json");
    let sinks: Value = serde_json::from_str(&sinks).expect("JSON");
    let sinks = sinks["sinks"].as_array().expect("a list");
    let names: Vec<&Value> = sinks.iter().map(|sink| &sink["name"]).collect();
    assert_eq!(names, ["influxdb"]);
}
