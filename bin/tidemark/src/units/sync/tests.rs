//! With a program in the place of `systemctl`, which writes down what it is told.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tidemark_app::block_on;

use super::*;

/// Says what is in `show`, and does to the generated units what a reload does: takes those in `next`.
const SYSTEMCTL: &str = r#"#!/bin/sh
dir=$(dirname "$0")
shift 2
[ "$1" = show ] || echo "$*" >>"$dir/told"
case $1 in
show) cat "$dir/show" ;;
daemon-reload)
    rm -rf "$dir/generated" && cp -R "$dir/next" "$dir/generated"
    [ ! -e "$dir/show.reloaded" ] || cp "$dir/show.reloaded" "$dir/show"
    ;;
reset-failed) sed -i s/ActiveState=failed/ActiveState=inactive/ "$dir/show" ;;
esac
[ ! -e "$dir/refuses-$1" ] || { echo "Failed to $1: no." >&2; exit 1; }
"#;

/// The units of the collector `a`, read by systemd and not started.
const IDLE: [(&str, &str, &str); 2] = [
    ("tidemark-a.timer", "loaded", "inactive"),
    ("tidemark-a.service", "loaded", "inactive"),
];

struct Scene {
    folder: TempDir,
    machine: Machine,
    plan: Plan,
    settings: u64,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        for name in ["next", "generated"] {
            fs::create_dir(place(name)).expect("a folder");
        }
        let machine = Machine {
            systemctl: Systemctl {
                program: place("systemctl"),
                ask_time: Duration::from_secs(30),
                change_time: Duration::from_secs(30),
            },
            generated: place("generated"),
            runtime: place("run"),
            longest_run: Duration::from_secs(30),
        };
        let scene = Self {
            machine,
            plan: Plan::default(),
            settings: 1,
            folder,
        };
        scene.systemctl(SYSTEMCTL);
        scene
    }

    /// Puts another program there, by another program: one that another test starts meanwhile must not hold it open.
    fn systemctl(&self, script: &str) {
        let [from, to] = ["script", "systemctl"].map(|name| self.folder.path().join(name));
        fs::write(&from, script).expect("write");
        let installed = std::process::Command::new("install")
            .args(["-m", "755"])
            .args([from, to])
            .status();
        assert!(installed.expect("install").success());
    }

    /// A collector is on: what the generator would make of it.
    fn plan(&mut self, name: &str) {
        for (suffix, wanted) in [("service", false), ("timer", true)] {
            self.plan.units.push(Unit {
                file_name: format!("tidemark-{name}.{suffix}"),
                text: format!("of {name}"),
                wanted,
            });
        }
        generate(&self.plan.units, &self.folder.path().join("next"));
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("write");
    }

    fn sync(&self) -> Result<Done, Failure> {
        let due = || Due {
            plan: self.plan.clone(),
            settings: self.settings,
        };
        block_on(self.machine.sync(due))
    }

    fn done(&self) -> Vec<String> {
        let done = self.sync().expect("done");
        assert_eq!(done.complaints, [""; 0]);
        done.lines
    }

    /// What systemctl was told since the last look.
    fn told(&self) -> Vec<String> {
        let file = self.folder.path().join("told");
        let told = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        told.lines().map(str::to_owned).collect()
    }
}

fn generate(units: &[Unit], folder: &Path) {
    let plan = Plan {
        units: units.to_vec(),
        ..Plan::default()
    };
    assert_eq!(plan.write(folder), [""; 0]);
}

/// What `systemctl show` says of the target, and of units with their states.
fn show(target: &str, units: &[(&str, &str, &str)]) -> String {
    let unit = |name: &str, load: &str, active: &str| {
        format!("Id={name}\nLoadState={load}\nActiveState={active}\nNeedDaemonReload=no\n")
    };
    let mut text = unit("tidemark.target", "loaded", target) + "ActiveEnterTimestampMonotonic=7\n";
    for (name, load, active) in units {
        text += &format!("\n{}", unit(name, load, active));
    }
    text
}

#[test]
fn a_new_collector_is_started_once() {
    let mut scene = Scene::new();
    scene.plan("a");
    scene.write("show", &show("active", &[]));
    scene.write("show.reloaded", &show("active", &IDLE));
    assert_eq!(
        scene.done(),
        ["systemd has read the units again", "started tidemark-a.timer"]
    );
    assert_eq!(
        scene.told(),
        ["daemon-reload", "start --no-block -- tidemark-a.timer"]
    );
    // The timer is still inactive, as one is that the operator has stopped.
    assert_eq!(scene.done(), [""; 0]);
    assert_eq!(scene.told(), [""; 0]);
}

#[test]
fn a_collector_that_is_gone_is_stopped_and_cleared() {
    let mut scene = Scene::new();
    scene.plan("a");
    scene.plan("b");
    generate(&scene.plan.units, &scene.machine.generated);
    let runs = |name: &'static str| (name, "loaded", "active");
    let idle = |name: &'static str| (name, "loaded", "inactive");
    let a = [runs("tidemark-a.timer"), idle("tidemark-a.service")];
    let before = [a[0], a[1], runs("tidemark-b.timer"), idle("tidemark-b.service")];
    scene.write("show", &show("active", &before));
    assert_eq!(scene.done(), [""; 0]);

    scene.plan.units.clear();
    fs::remove_dir_all(scene.folder.path().join("next")).expect("remove");
    scene.plan("a");
    let gone = [
        a[0],
        a[1],
        ("tidemark-b.timer", "not-found", "active"),
        ("tidemark-b.service", "not-found", "failed"),
    ];
    scene.write("show.reloaded", &show("active", &gone));
    assert_eq!(
        scene.done(),
        [
            "systemd has read the units again",
            "stopped tidemark-b.timer: its collector is gone or off",
            "cleared the failure of tidemark-b.service: its collector is gone or off",
        ]
    );
    assert_eq!(
        scene.told()[..3],
        [
            "daemon-reload",
            "stop -- tidemark-b.timer",
            "reset-failed -- tidemark-b.service"
        ]
    );
}

#[test]
fn a_run_without_its_collector_is_named() {
    let scene = Scene::new();
    scene.write(
        "show",
        &show("active", &[("tidemark-b.service", "not-found", "activating")]),
    );
    let done = scene.sync().expect("done");
    assert_eq!(done.leaving, ["tidemark-b.service"]);
    assert_eq!(
        done.lines,
        ["tidemark-b.service is let end: its collector is gone or off"]
    );
    assert_eq!(scene.told(), [""; 0]);
    scene.write(
        "show",
        &show("active", &[("tidemark-b.service", "not-found", "failed")]),
    );
    let after = block_on(scene.machine.let_end(&done.leaving)).expect("it has ended");
    assert_eq!((after, scene.told().len()), (Done::default(), 0));
}

/// systemd ends a run without its unit by its own default, which an operator may have made endless.
#[test]
fn a_run_without_its_collector_that_does_not_end_is_stopped() {
    let mut scene = Scene::new();
    scene.machine.longest_run = Duration::from_millis(10);
    let hangs = ("tidemark-b.service", "not-found", "activating");
    // Its collector has come back meanwhile.
    let back = ("tidemark-c.service", "loaded", "activating");
    scene.write("show", &show("active", &[hangs, back]));
    let services = [hangs.0.to_owned(), back.0.to_owned()];
    let done = block_on(scene.machine.let_end(&services)).expect("an answer");
    assert_eq!(scene.told(), ["stop -- tidemark-b.service"]);
    assert_eq!(
        done.lines,
        ["stopped tidemark-b.service: its collector is gone or off, and its run had not ended in time"]
    );
    scene.write("refuses-stop", "");
    let done = block_on(scene.machine.let_end(&services)).expect("an answer");
    assert_eq!(
        (done.lines.len(), done.complaints.as_slice()),
        (0, ["Failed to stop: no.".to_owned()].as_slice())
    );
}

#[test]
fn nothing_is_started_while_the_target_is_stopped() {
    let mut scene = Scene::new();
    scene.plan("a");
    scene.write("show", &show("inactive", &IDLE));
    assert_eq!(scene.done(), ["systemd has read the units again"]);
    assert_eq!(scene.told(), ["daemon-reload"]);
    // It is started later, and a timer with it; the other came while it was started.
    scene.write("show", &show("active", &IDLE));
    assert_eq!(scene.done(), ["started tidemark-a.timer"]);
}

#[test]
fn what_the_generator_did_not_make_is_said() {
    let mut scene = Scene::new();
    scene.plan("a");
    let next = scene.folder.path().join("next");
    fs::remove_file(next.join("tidemark-a.timer")).expect("remove");
    fs::write(next.join("tidemark-left.timer"), "").expect("write");
    scene.write(
        "show",
        &show("active", &[("tidemark-a.service", "loaded", "inactive")]),
    );
    let done = scene.sync().expect("done");
    let said = done.complaints.join("\n");
    for part in [
        "generated/tidemark-a.timer is not there after the generator has run",
        "generated/tidemark-left.timer should not be there",
        "systemd cannot use tidemark-a.timer",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(scene.told(), ["daemon-reload"; MOST_RELOADS]);
}

#[test]
fn what_changes_while_the_generator_runs_is_looked_at_anew() {
    let mut scene = Scene::new();
    scene.plan("a");
    let early = scene.plan.clone();
    scene.plan("b");
    let names = [
        "tidemark-a.timer",
        "tidemark-a.service",
        "tidemark-b.timer",
        "tidemark-b.service",
    ];
    scene.write(
        "show",
        &show("active", &names.map(|name| (name, "loaded", "active"))),
    );
    let looks = std::cell::Cell::new(0);
    let due = || {
        looks.set(looks.get() + 1);
        Due {
            plan: if looks.get() == 1 {
                early.clone()
            } else {
                scene.plan.clone()
            },
            settings: 1,
        }
    };
    let done = block_on(scene.machine.sync(due)).expect("done");
    assert_eq!((done.complaints.len(), done.plan.units.len()), (0, 4));
    assert_eq!(scene.told(), ["daemon-reload"]);
}

#[test]
fn what_systemd_refuses_is_said_and_tried_again() {
    let mut scene = Scene::new();
    scene.plan("a");
    generate(&scene.plan.units, &scene.machine.generated);
    scene.write("show", &show("active", &IDLE));
    scene.write("refuses-start", "");
    for _ in 0..2 {
        let done = scene.sync().expect("done");
        assert_eq!(done.complaints, ["Failed to start: no."]);
        assert_eq!(done.lines, [""; 0]);
    }
    fs::remove_file(scene.folder.path().join("refuses-start")).expect("remove");
    assert_eq!(scene.done(), ["started tidemark-a.timer"]);
    assert_eq!(scene.done(), [""; 0]);
}

#[test]
fn a_manager_that_does_not_answer_is_an_error_within_bounds() {
    let mut scene = Scene::new();
    let said = |scene: &Scene| scene.sync().expect_err("an error").to_string();
    scene.write("refuses-show", "");
    scene.write("show", "");
    assert!(
        said(&scene).ends_with("/systemctl show failed: Failed to show: no."),
        "{}",
        said(&scene)
    );

    scene.systemctl("#!/bin/sh\nexec sleep 600\n");
    scene.machine.systemctl.ask_time = Duration::from_millis(200);
    assert!(
        said(&scene).contains("/systemctl show has not answered for 0 s; is systemd"),
        "{}",
        said(&scene)
    );

    scene.machine.systemctl.program = scene.folder.path().join("gone");
    assert!(
        said(&scene).contains("/gone show cannot be started: No such file"),
        "{}",
        said(&scene)
    );

    let mut scene = Scene::new();
    scene.plan("a");
    scene.write("show", &show("active", &[]));
    scene.write("refuses-daemon-reload", "");
    assert!(said(&scene).contains("daemon-reload failed"), "{}", said(&scene));
}

#[test]
fn two_at_once_do_it_once() {
    let mut scene = Scene::new();
    scene.plan("a");
    generate(&scene.plan.units, &scene.machine.generated);
    scene.write("show", &show("active", &IDLE));
    let lines: Vec<usize> = std::thread::scope(|scope| {
        let both = [(); 4].map(|()| scope.spawn(|| scene.done().len()));
        both.into_iter().map(|one| one.join().expect("done")).collect()
    });
    assert_eq!(lines.iter().sum::<usize>(), 1, "{lines:?}");
    assert_eq!(scene.told(), ["start --no-block -- tidemark-a.timer"]);
}

#[test]
fn an_older_start_of_the_target_is_forgotten() {
    let mut scene = Scene::new();
    scene.plan("a");
    generate(&scene.plan.units, &scene.machine.generated);
    scene.write("show", &show("active", &IDLE));
    assert_eq!(scene.done().len(), 1);
    let anew = show("active", &IDLE).replace("Monotonic=7", "Monotonic=8");
    scene.write("show", &anew);
    assert_eq!(scene.done(), ["started tidemark-a.timer"]);
}
