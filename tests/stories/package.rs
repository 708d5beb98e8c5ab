//! The Debian package: what is in it, and what it does to a host.

mod changeover;
mod contents;
mod life;
mod settings;
pub(crate) mod upgrade;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tidemark_testkit::{Ended, Run, Systemd, program, wait_until};

use crate::scene::BOUND;

/// How long a package may take to make, where others are made at the same time.
const MAKE: Duration = Duration::from_secs(180);
/// How long dpkg may take on a machine that is busy with other tests.
const DPKG: Duration = Duration::from_secs(120);

/// The versions of the packages that the stories install.
const OLD: &str = "1.0.0-1";
pub(crate) const NEW: &str = "1.1.0-1";

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

/// The package [`OLD`] of this build's programs, made once for all stories of a process.
fn package() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tidemark.deb");
        let programs = program("tidemark").parent().expect("a folder").to_owned();
        let made = Command::new(root().join("units/debian/build"))
            .args(["--version", OLD, "--output"])
            .arg(&file)
            .arg("--programs")
            .arg(programs)
            .output()
            .expect("units/debian/build is there");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "units/debian/build: {said}");
        file
    })
}

/// The same as [`NEW`]; `script` changes what is in it first, in the folder that holds it.
#[track_caller]
pub(crate) fn newer(machine: &Systemd, script: &str) {
    let pack = format!(
        "set -e\nfolder=$(mktemp -d)\ntrap 'rm -rf \"$folder\"' EXIT\ndpkg-deb -R \"$1\" \"$folder/package\"\n\
         cd \"$folder/package\"\nsed -i 's/^Version: .*/Version: {NEW}/' DEBIAN/control\n({script}\n)\n\
         dpkg-deb --root-owner-group -Znone -b . \"$2\"\n"
    );
    let run = Run::new("sh").args(["-c", &pack, "pack"]).arg(package());
    let run = run.arg(machine.share().join("new.deb"));
    run.bound(MAKE).run().expect_code(0);
}

/// A machine that has the package at hand, as `old.deb`, and not installed.
pub(crate) fn machine() -> Systemd {
    let machine = Systemd::start();
    fs::copy(package(), machine.share().join("old.deb")).expect("a copy");
    machine
}

/// How dpkg is called. What others do after it (man-db reads all manual pages) takes longer than the rest, and is not done.
const DPKG_WORDS: &str = "env DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io --no-triggers";

/// `dpkg` with those words on the machine.
fn dpkg(machine: &Systemd, words: &str) -> Ended {
    machine
        .command(DPKG_WORDS.split(' '))
        .args(words.split_whitespace())
        .bound(DPKG)
        .run()
        .expect_code(0)
}

/// Installs a package that is in the machine's share.
fn install(machine: &Systemd, package: &str) -> Ended {
    dpkg(machine, &format!("-i {}/{package}", Systemd::SHARE))
}

/// A shell's script on the machine; what it prints.
#[track_caller]
pub(crate) fn shell(machine: &Systemd, script: &str) -> String {
    machine.run(["sh", "-c", script]).expect_code(0).stdout
}

/// Waits until all is delivered: where runs are beside each other, one may deliver what another has collected. Nothing may be
/// lost.
#[track_caller]
fn delivered(machine: &Systemd) {
    wait_until("all is delivered", BOUND, || {
        let status = machine.run(["tidemark", "status", "--json"]).expect_code(0);
        let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
        let sinks = status["sinks"].as_array().expect("a list");
        for sink in sinks {
            for lost in ["rejected", "dropped", "superseded"] {
                assert_eq!(sink[lost], 0, "{sink}");
            }
        }
        let all = sinks.iter().all(|sink| sink["collected"] == sink["delivered"]);
        if !all {
            machine.run(["tidemark", "outbox", "flush"]);
        }
        all
    });
}

/// Waits until nothing of tidemark's is active or at work. The slice in which runs were stays when they are over.
#[track_caller]
fn wait_until_idle(machine: &Systemd) {
    wait_until("nothing runs", BOUND, || {
        let units = units(machine, "active,activating,deactivating");
        units.iter().all(|unit| unit.ends_with(".slice"))
    });
}

/// The units of tidemark that are in one of these states, sorted.
pub(crate) fn units(machine: &Systemd, states: &str) -> Vec<String> {
    let state = format!("--state={states}");
    let listed = machine.systemctl([
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "--full",
        &state,
        "tidemark*",
    ]);
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}
