//! Runs that timers start, and where their points go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidemark_settings::{LoadFrom, Places, Settings};
use tidemark_systemd::Host;
use tidemark_testkit::{InfluxTls, Influxd, InfluxdOptions, Systemd, wait_until};

use super::{BOUND, describe, drop_in, install, machine, script};

/// Has a timer fire all the time.
fn quicken(machine: &Systemd, collector: &str) {
    drop_in(
        machine,
        &format!("tidemark-{collector}.timer"),
        "[Timer]\nOnBootSec=\nOnActiveSec=0\nOnUnitInactiveSec=200ms\nRandomizedDelaySec=0\nAccuracySec=1ms\n",
    );
}

/// How many runs of a collector ended so: `done`, `failed`.
fn ended(machine: &Systemd, collector: &str, result: &str) -> usize {
    let of_starts = ["JOB_TYPE=start", &format!("JOB_RESULT={result}")];
    machine
        .journal(&format!("tidemark-{collector}.service"), &of_starts)
        .len()
}

/// Its timer fires, each run ends well in its sandbox, and what it collected is in the store.
#[test]
fn a_timer_fills_the_store() {
    let machine = machine();
    install(&machine, &describe(&machine), &Host::new());
    quicken(&machine, "host");
    machine.systemctl(["start", "tidemark-host.timer"]);
    wait_until("five runs", BOUND, || ended(&machine, "host", "done") >= 5);
    machine.systemctl(["stop", "tidemark-host.timer"]);
    machine.wait_for("tidemark-host.service", "dead");
    assert_eq!(machine.property("tidemark-host.service", "Result"), "success");

    let shown = machine.run(["tidemark", "show", "host", "--since", "1h", "--output", "influx"]);
    let shown = shown.expect_code(0).stdout;
    let lines = crate::scene::lines(&shown);
    let times: BTreeSet<i64> = lines
        .iter()
        .filter(|line| line.measurement == "host_memory")
        .map(|line| line.time)
        .collect();
    assert_eq!(
        times.len(),
        ended(&machine, "host", "done"),
        "each run's points, once"
    );

    let status = machine
        .run(["tidemark", "status", "--json"])
        .expect_code(0)
        .stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let host = status["collectors"].as_array().into_iter().flatten();
    let host = host
        .into_iter()
        .find(|one| one["name"] == "host")
        .expect("it ran");
    let run = &host["last_run"];
    assert_eq!(
        (&run["ok"], &run["partial"]),
        (&true.into(), &false.into()),
        "{host}"
    );
    assert_eq!(run["gaps"], Value::Array(Vec::new()), "{host}");
    let warnings = machine.journal("tidemark-host.service", &["-p", "warning"]);
    assert!(warnings.is_empty(), "{warnings:?}");
    let stat = machine
        .run(["stat", "-c", "%U", "/var/lib/tidemark/store.db"])
        .expect_code(0);
    assert_eq!(stat.stdout, "tidemark\n");
}

/// One that hangs is ended at its time, again and again; one that crashes does not stop its timer; a third keeps its times.
#[test]
fn a_collector_that_hangs_or_crashes_stops_nothing() {
    let machine = machine();
    for (name, text) in [
        ("hangs", "exec sleep 600"),
        ("crashes", "kill -SEGV $$"),
        ("works", "exit 0"),
    ] {
        install(&machine, &script(&machine, name, text), &Host::new());
        quicken(&machine, name);
    }
    drop_in(
        &machine,
        "tidemark-hangs.service",
        "[Service]\nTimeoutStartSec=500ms\n",
    );
    machine.systemctl([
        "start",
        "tidemark-hangs.timer",
        "tidemark-crashes.timer",
        "tidemark-works.timer",
    ]);
    for (name, result) in [("hangs", "failed"), ("crashes", "failed"), ("works", "done")] {
        wait_until(name, BOUND, || ended(&machine, name, result) >= 3);
        assert_eq!(
            machine.property(&format!("tidemark-{name}.timer"), "ActiveState"),
            "active"
        );
    }
    machine.systemctl(["stop", "tidemark-hangs.timer", "tidemark-crashes.timer"]);
    for (name, result) in [("hangs", "timeout"), ("crashes", "signal")] {
        let service = format!("tidemark-{name}.service");
        machine.wait_for(&service, "failed");
        assert_eq!(machine.property(&service, "Result"), result);
    }
}

/// Into a real InfluxDB over HTTPS, with a password that is a credential of systemd alone.
#[test]
fn the_password_is_a_credential() {
    let user = ("writer".to_owned(), "only for the unit".to_owned());
    let influxd = Influxd::start(InfluxdOptions {
        tls: InfluxTls::Authority,
        user: Some(user.clone()),
        ..InfluxdOptions::default()
    });
    let machine = machine();
    let settings = format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"{}\"\nusername = \"{}\"\n\
         password = {{ credential = \"influxdb-password\" }}\nca_file = \"/etc/tidemark/authority.pem\"\n",
        influxd.url(),
        influxd.database(),
        user.0
    );
    machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
    machine.install("/etc/credstore/influxdb-password", &user.1, 0o600, "root");
    let authority = std::fs::read(influxd.ca_file()).expect("a certificate");
    machine.install("/etc/tidemark/authority.pem", authority, 0o644, "root");

    let file = machine.share().join("tidemark.toml");
    std::fs::write(&file, settings).expect("a shared folder");
    let environment = BTreeMap::new();
    let places = Places::new(&environment, true, Some(file));
    let from = LoadFrom {
        places: &places,
        environment: &environment,
        hostname: "machine".to_owned(),
        known_collectors: None,
    };
    let settings = Settings::load(&from)
        .expect("settings without a mistake")
        .settings;
    install(&machine, &describe(&machine), &Host::of(&settings));
    machine.systemctl(["start", "tidemark-host.service"]);
    assert_eq!(influxd.count("host_memory", "total_bytes"), 1);
    let hosts = influxd.query("SELECT total_bytes, host FROM host_memory");
    assert_eq!(hosts[0].column("host")[0].text(), "machine");
    for word in ["show", "cat"] {
        let said = machine.systemctl([word, "tidemark-host.service"]);
        assert!(!said.contains(&user.1), "{said}");
    }
    let everything = machine
        .run(["journalctl", "--no-pager", "--output=export", "--all"])
        .stdout;
    assert!(!everything.contains(&user.1));
}
