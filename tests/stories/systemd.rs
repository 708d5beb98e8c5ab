//! Under a real systemd: what the generated units start, and what they may do.

mod sandbox;
mod timers;

use std::time::Duration;

use serde_json::Value;
use tidemark_settings::Span;
use tidemark_systemd::{Collector, Host, Needs, Unit, units};
use tidemark_testkit::{Systemd, program};

/// Where the collector `host` is on the machine.
const HOST: &str = "/usr/lib/tidemark/collectors/tidemark-host";
/// How long some runs may take on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(60);

/// A machine with the user, empty settings, the operator's command and the collector `host`; no units yet.
fn machine() -> Systemd {
    let machine = Systemd::start();
    machine.sysusers("u tidemark - \"Collects metrics\" /var/lib/tidemark\n");
    for (name, path) in [("tidemark-host", HOST), ("tidemark", "/usr/bin/tidemark")] {
        let bytes = std::fs::read(program(name)).expect("a program that is built");
        machine.install(path, bytes, 0o755, "root");
    }
    machine.install("/etc/tidemark/tidemark.toml", "", 0o640, "root:tidemark");
    machine
}

/// The collector `host` as it describes itself.
fn describe(machine: &Systemd) -> Collector {
    let described = machine.run([HOST, "--describe"]).expect_code(0).stdout;
    let described: Value = serde_json::from_str(&described).expect("a description");
    let text = |name: &str| described[name].as_str().expect("a text").to_owned();
    let list = |name: &str| {
        let all = described["needs"][name].as_array().expect("a list");
        let all = all.iter().map(|one| one.as_str().expect("a text").to_owned());
        all.collect::<Vec<String>>()
    };
    Collector {
        name: text("name"),
        summary: text("summary"),
        program: HOST.into(),
        interval: text("run_interval").parse().expect("a span"),
        deadline: text("deadline").parse().expect("a span"),
        needs: Needs {
            network: described["needs"]["network"] == true,
            programs: list("programs"),
            paths: list("paths").into_iter().map(Into::into).collect(),
        },
    }
}

/// Puts a collector on the machine that is a script of sh, and needs nothing.
fn script(machine: &Systemd, name: &str, script: &str) -> Collector {
    let program = format!("/usr/lib/tidemark/collectors/tidemark-{name}");
    machine.install(&program, format!("#!/bin/sh\n{script}\n"), 0o755, "root");
    Collector {
        name: name.to_owned(),
        summary: "A script.".to_owned(),
        program: program.into(),
        interval: Span::minutes(1),
        deadline: Span::minutes(1),
        needs: Needs::default(),
    }
}

/// Puts a collector's generated units on the machine.
fn install(machine: &Systemd, collector: &Collector, host: &Host) {
    for Unit { file_name, text, .. } in units(collector, host).expect("units") {
        machine.install(format!("/etc/systemd/system/{file_name}"), text, 0o644, "root");
    }
    machine.daemon_reload();
}

/// Changes a unit as an operator does.
fn drop_in(machine: &Systemd, unit: &str, text: &str) {
    machine.install(
        format!("/etc/systemd/system/{unit}.d/of-the-test.conf"),
        text,
        0o644,
        "root",
    );
    machine.daemon_reload();
}
