//! Under a real systemd: what the generated units start, and what they may do.

mod boot;
mod exposure;
mod generator;
mod hostile;
mod images;
mod journal;
mod sandbox;
mod timers;
mod ubuntu;
mod units;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tidemark_settings::{LoadFrom, Places, Settings, Span};
use tidemark_systemd::{Collector, Host, Needs, Unit, units};
use tidemark_testkit::{Run, Systemd, program};

/// Where the collector `host` is on the machine.
const HOST: &str = "/usr/lib/tidemark/collectors/tidemark-host";
/// How long some runs may take on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(60);

/// A file of the source's `units/`.
fn shipped(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../units").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

/// A machine with the user, the folders, empty settings, the operator's command and the collector `host`; no units yet.
pub(crate) fn machine() -> Systemd {
    let machine = Systemd::start();
    machine.sysusers(&shipped("sysusers.conf"));
    let folders = machine.command(["systemd-tmpfiles", "--create", "-"]);
    folders.stdin(shipped("tmpfiles.conf")).run().expect_code(0);
    for (name, path) in [("tidemark-host", HOST), ("tidemark", "/usr/bin/tidemark")] {
        let bytes = std::fs::read(program(name)).expect("a program that is built");
        machine.install(path, bytes, 0o755, "root");
    }
    describe_beside(&machine, "host");
    machine.install("/etc/tidemark/tidemark.toml", "", 0o640, "root:tidemark");
    machine
}

/// Puts the description of a collector that is built beside its program, as a package does. Without it the program is asked
/// at each boot and reload, and has a second to answer, which may be too short on a machine that is busy with other tests.
fn describe_beside(machine: &Systemd, name: &str) {
    let asked = Run::new(program(&format!("tidemark-{name}"))).arg("--describe");
    let description = asked.bound(BOUND).run().expect_code(0).stdout;
    let path = format!("/usr/lib/tidemark/collectors/{name}.json");
    machine.install(path, description, 0o644, "root");
}

/// Puts a collector that is built on the machine; gives its program.
pub(crate) fn add(machine: &Systemd, name: &str) -> String {
    let path = format!("/usr/lib/tidemark/collectors/tidemark-{name}");
    let bytes = std::fs::read(program(&format!("tidemark-{name}"))).expect("a program that is built");
    machine.install(&path, bytes, 0o755, "root");
    describe_beside(machine, name);
    path
}

/// The collector `host` as it describes itself.
fn describe(machine: &Systemd) -> Collector {
    described(machine, HOST)
}

/// A collector as it describes itself.
fn described(machine: &Systemd, program: &str) -> Collector {
    let described = machine.run([program, "--describe"]).expect_code(0).stdout;
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
        program: program.into(),
        interval: text("run_interval").parse().expect("a span"),
        deadline: text("deadline").parse().expect("a span"),
        needs: Needs {
            network: described["needs"]["network"] == true,
            listens: described["needs"]["listens"] == true,
            programs: list("programs"),
            paths: list("paths").into_iter().map(Into::into).collect(),
        },
    }
}

/// A collector that needs nothing.
fn collector(name: &str, program: impl Into<PathBuf>) -> Collector {
    Collector {
        name: name.to_owned(),
        summary: "One of the test's.".to_owned(),
        program: program.into(),
        interval: Span::minutes(1),
        deadline: Span::minutes(1),
        needs: Needs::default(),
    }
}

/// Puts a collector on the machine that is a script of sh, and needs no more than that.
fn script(machine: &Systemd, name: &str, script: &str) -> Collector {
    let program = format!("/usr/lib/tidemark/collectors/tidemark-{name}");
    machine.install(&program, format!("#!/bin/sh\n{script}\n"), 0o755, "root");
    let mut collector = collector(name, program);
    collector.needs.programs.push("sh".to_owned());
    collector
}

/// Settings as a program of the machine reads them.
fn read_settings(machine: &Systemd, text: &str) -> Settings {
    let file = machine.share().join("tidemark.toml");
    std::fs::write(&file, text).expect("a shared folder");
    let environment = BTreeMap::new();
    let places = Places::new(&environment, true, Some(file));
    let from = LoadFrom {
        places: &places,
        environment: &environment,
        hostname: "machine".to_owned(),
        known_collectors: None,
    };
    Settings::load(&from)
        .expect("settings without a mistake")
        .settings
}

/// Puts the generator and the target on the machine, which a boot starts then.
fn add_generator(machine: &Systemd) {
    let bytes = std::fs::read(program("tidemark-generator")).expect("a program that is built");
    let path = "/usr/lib/systemd/system-generators/tidemark-generator";
    machine.install(path, bytes, 0o755, "root");
    // Nothing but the target itself: what follows changes is the story of `units`.
    let target = "[Unit]\nDescription=tidemark\n[Install]\nWantedBy=multi-user.target\n";
    machine.install("/usr/lib/systemd/system/tidemark.target", target, 0o644, "root");
    machine.systemctl(["enable", "--quiet", "tidemark.target"]);
}

/// Puts a collector's generated units on the machine.
fn install(machine: &Systemd, collector: &Collector, host: &Host) {
    install_units(machine, &units(collector, host).expect("units"));
}

/// Puts units on the machine.
fn install_units(machine: &Systemd, units: &[Unit]) {
    for Unit { file_name, text, .. } in units {
        machine.install(format!("/etc/systemd/system/{file_name}"), text, 0o644, "root");
    }
    machine.daemon_reload();
}

/// Waits until so many runs of a collector (or of the flush) ended so: `done`, `failed`. More words as the journal takes
/// them.
#[track_caller]
fn wait_for_runs(machine: &Systemd, name: &str, result: &str, more: &[&str], count: usize) {
    let result = format!("JOB_RESULT={result}");
    let words = [&["JOB_TYPE=start", &result], more].concat();
    machine.wait_for_entries(&format!("tidemark-{name}.service"), &words, count, BOUND);
}

/// Changes a unit as an operator does.
pub(crate) fn drop_in(machine: &Systemd, unit: &str, text: &str) {
    machine.install(
        format!("/etc/systemd/system/{unit}.d/of-the-test.conf"),
        text,
        0o644,
        "root",
    );
    machine.daemon_reload();
}
