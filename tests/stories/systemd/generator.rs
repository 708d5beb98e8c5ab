//! What the generator makes of a folder of collectors, at boot and at reload.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use tidemark_testkit::{Ended, Systemd, program};

use super::{HOST, machine};

/// Where the generator is.
const GENERATOR: &str = "/usr/lib/systemd/system-generators/tidemark-generator";
/// Where systemd has it write.
const GENERATED: &str = "/run/systemd/generator";
const COLLECTORS: &str = "/usr/lib/tidemark/collectors";

/// A machine with the generator and the target; its boot has not seen them yet.
fn with_generator() -> Systemd {
    let machine = machine();
    let bytes = fs::read(program("tidemark-generator")).expect("a program that is built");
    machine.install(GENERATOR, bytes, 0o755, "root");
    // Alone: what follows changes is the story of `units`.
    let target = "[Unit]\nDescription=tidemark\n[Install]\nWantedBy=multi-user.target\n";
    machine.install("/usr/lib/systemd/system/tidemark.target", target, 0o644, "root");
    machine.systemctl(["enable", "tidemark.target"]);
    machine
}

fn description(name: &str, interval: &str) -> String {
    format!(
        "{{\"name\": \"{name}\", \"summary\": \"Of {name}.\", \"version\": \"0.1.0\", \"run_interval\": \"{interval}\", \
         \"deadline\": \"10m\", \"default\": \"on\", \"needs\": {{\"network\": false, \"programs\": [], \"paths\": []}}, \
         \"measurements\": [], \"settings\": []}}"
    )
}

/// Puts a program that does nothing on the machine, with its description beside it.
fn described(machine: &Systemd, name: &str, interval: &str) {
    let folder = COLLECTORS;
    machine.install(
        format!("{folder}/{name}.json"),
        description(name, interval),
        0o644,
        "root",
    );
    machine.install(format!("{folder}/tidemark-{name}"), "#!/bin/sh\n", 0o755, "root");
}

/// Puts a program on the machine that is asked.
fn asked(machine: &Systemd, name: &str, script: &str) {
    let script = format!("#!/bin/sh\n{script}\n");
    machine.install(format!("{COLLECTORS}/tidemark-{name}"), script, 0o755, "root");
}

/// The names of the units that are generated.
fn generated(machine: &Systemd) -> Vec<String> {
    let listed = machine.run(["ls", GENERATED]).expect_code(0).stdout;
    let units = listed.lines().filter(|name| name.starts_with("tidemark-"));
    units.map(str::to_owned).collect()
}

/// Runs the generator as a person does, to see what it says.
fn by_hand(machine: &Systemd) -> Ended {
    machine.run(["mkdir", "-p", "/run/by-hand"]).expect_code(0);
    machine.run([GENERATOR, "/run/by-hand", "/run/by-hand", "/run/by-hand"])
}

/// Timers with each collector's own interval, after a boot and after a reload; and systemd finds nothing to say of any.
#[test]
fn boot_and_reload_make_the_timers() {
    let mut machine = with_generator();
    described(&machine, "hourly", "1h");
    described(&machine, "stays", "10s");
    asked(
        &machine,
        "asked",
        &format!(
            "test \"$1\" = --describe && echo '{}'",
            description("asked", "2h")
        ),
    );
    let settings = "[collector.hourly]\nrun_interval = \"90min\"\n[collector.stays]\nenabled = false\n";
    machine.install("/etc/tidemark/tidemark.toml", settings, 0o640, "root:tidemark");
    machine.reboot();
    assert_eq!(
        generated(&machine),
        [
            "tidemark-asked.service",
            "tidemark-asked.timer",
            "tidemark-flush.service",
            "tidemark-flush.timer",
            "tidemark-host.service",
            "tidemark-host.timer",
            "tidemark-hourly.service",
            "tidemark-hourly.timer",
        ]
    );
    for (name, interval) in [
        ("asked", "2h"),
        ("host", "1min"),
        ("hourly", "1h 30min"),
        ("flush", "1min"),
    ] {
        let timer = format!("tidemark-{name}.timer");
        machine.wait_for(&timer, "active");
        let times = machine.property(&timer, "TimersMonotonic");
        assert!(
            times.contains(&format!("OnUnitInactiveUSec={interval} ;")),
            "{times}"
        );
        assert_eq!(
            machine.property(&timer, "FragmentPath"),
            format!("{GENERATED}/{timer}")
        );
    }

    // A collector is put there, another taken away, a third switched on.
    described(&machine, "new", "3h");
    machine
        .run(["rm", &format!("{COLLECTORS}/tidemark-asked")])
        .expect_code(0);
    machine.install("/etc/tidemark/tidemark.toml", "", 0o640, "root:tidemark");
    machine.daemon_reload();
    let names = generated(&machine);
    for (name, is_there) in [
        ("tidemark-new.timer", true),
        ("tidemark-asked.timer", false),
        ("tidemark-stays.service", true),
        ("tidemark-stays.timer", false),
    ] {
        assert_eq!(
            names.iter().any(|one| one == name),
            is_there,
            "{name} in {names:?}"
        );
    }
    assert_eq!(machine.property("tidemark-new.timer", "LoadState"), "loaded");
    let wanted = machine.property("tidemark.target", "Wants");
    assert!(wanted.contains("tidemark-new.timer"), "{wanted}");

    let files = names.iter().map(|name| format!("{GENERATED}/{name}"));
    let verified = machine
        .command(["systemd-analyze", "verify", "--man=no"])
        .args(files)
        .run();
    assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""));
    let said = by_hand(&machine);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
}

/// Nothing in the folder ends a boot, takes long, or takes a sound collector's timer away.
#[test]
fn a_folder_of_wrong_programs_holds_nothing_up() {
    let mut machine = with_generator();
    asked(&machine, "hangs", "trap '' TERM; sleep 600 & sleep 600");
    asked(&machine, "endless", "exec yes");
    asked(&machine, "crashes", "kill -SEGV $$");
    asked(&machine, "tells", "id -u >/mnt/share/uid; exit 1");
    for name in ["open", "theirs", "linked", "fifo"] {
        described(&machine, name, "5m");
    }
    let spoil = "cd /usr/lib/tidemark/collectors && chmod 0666 open.json && chown tidemark tidemark-theirs &&
        mv linked.json /etc/linked.json && ln -s /etc/linked.json linked.json &&
        rm fifo.json && mkfifo fifo.json && mkdir folder.json tidemark-folder &&
        touch \"$(printf 'tidemark-a\\n[Service]\\nExecStart=b %%n;')\"";
    machine.run(["sh", "-c", spoil]).expect_code(0);
    machine.reboot();
    machine.wait_for("tidemark-host.timer", "active");
    let names = ["flush.service", "flush.timer", "host.service", "host.timer"];
    assert_eq!(generated(&machine), names.map(|name| format!("tidemark-{name}")));
    let uid = fs::read_to_string(machine.share().join("uid")).expect("it was asked");
    let tidemark = machine.run(["id", "-u", "tidemark"]).expect_code(0).stdout;
    assert_eq!(uid, tidemark, "asked without root's rights");
    let names = machine.run(["sh", "-c", "cat /proc/[0-9]*/comm"]).stdout;
    let names: Vec<&str> = names.lines().collect();
    assert!(names.contains(&"systemd"), "{names:?}");
    let left = names.iter().any(|name| ["sleep", "yes"].contains(name));
    assert!(!left, "nothing that was asked is left: {names:?}");

    let began = Instant::now();
    let said = by_hand(&machine);
    // All that do not answer have five seconds together.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(said.code, Some(0));
    for (name, fault) in [
        ("crashes", "failed (signal: 11"),
        ("endless", "longer than 4 MiB"),
        ("fifo", "is no regular file"),
        ("hangs", "did not answer within 1 s"),
        ("linked", "is a link"),
        ("open", "can be written by others"),
        ("tells", "failed (exit status: 1)"),
        ("theirs", "belongs to user "),
    ] {
        let of_it = format!("]: no timer for {name}: ");
        let line = said.stderr.lines().find(|line| line.contains(&of_it));
        assert!(
            line.is_some_and(|line| line.contains(fault)),
            "{name}: {}",
            said.stderr
        );
    }
    assert_eq!(said.stderr.lines().count(), 10, "{}", said.stderr);

    // The kernel's log, where there is one: a line at each write.
    machine.run(["touch", "/dev/kmsg"]).expect_code(0);
    assert_eq!(by_hand(&machine).stderr, "");
    let log = machine.run(["cat", "/dev/kmsg"]).stdout;
    assert_eq!(log.lines().count(), 10, "{log}");
    assert!(
        log.lines()
            .all(|line| line.starts_with("<28>tidemark-generator[")),
        "{log}"
    );
}

/// Settings that do not parse: the timers are there, and what they start says what is wrong, with 78.
#[test]
fn wrong_settings_fail_the_runs_and_not_the_timers() {
    let mut machine = with_generator();
    machine.install("/etc/tidemark/tidemark.toml", "[host\n", 0o640, "root:tidemark");
    machine.reboot();
    for timer in ["tidemark-host.timer", "tidemark-flush.timer"] {
        machine.wait_for(timer, "active");
    }
    machine
        .run(["systemctl", "start", "tidemark-host.service"])
        .expect_code(1);
    assert_eq!(machine.property("tidemark-host.service", "ExecMainStatus"), "78");
    let said = machine.journal("tidemark-host.service", &[]);
    assert!(
        said.iter()
            .any(|entry| entry.message().contains("tidemark.toml:1:")),
        "{said:?}"
    );
    let said = by_hand(&machine).stderr;
    assert!(
        said.contains("the settings are wrong, so timers have their defaults"),
        "{said}"
    );

    machine.install("/etc/tidemark/tidemark.toml", "", 0o640, "root:tidemark");
    machine.daemon_reload();
    machine.systemctl(["start", "tidemark-host.service"]);
}

/// What the operator has written comes before what is generated; a drop-in adds to it.
#[test]
fn the_operators_units_come_first() {
    let machine = with_generator();
    described(&machine, "masked", "5m");
    let own = format!("[Service]\nType=oneshot\nExecStart={HOST} --dry-run\n");
    machine.install("/etc/systemd/system/tidemark-host.service", own, 0o644, "root");
    machine.systemctl(["mask", "tidemark-masked.timer"]);
    let drop_in = "[Timer]\nOnUnitInactiveSec=\nOnUnitInactiveSec=7h\n";
    machine.install(
        "/etc/systemd/system/tidemark-host.timer.d/own.conf",
        drop_in,
        0o644,
        "root",
    );
    machine.daemon_reload();
    machine.systemctl(["start", "tidemark.target"]);
    let path = machine.property("tidemark-host.service", "FragmentPath");
    assert_eq!(path, "/etc/systemd/system/tidemark-host.service");
    assert_eq!(machine.property("tidemark-masked.timer", "LoadState"), "masked");
    assert_eq!(
        machine.property("tidemark-masked.timer", "ActiveState"),
        "inactive"
    );
    machine.wait_for("tidemark-host.timer", "active");
    let times = machine.property("tidemark-host.timer", "TimersMonotonic");
    assert!(times.contains("OnUnitInactiveUSec=7h ;"), "{times}");
}

/// Early at boot there is little: no `/var`, no `/tmp`, no bus, no network, and perhaps no room.
#[test]
fn it_needs_nothing_that_a_boot_brings_later() {
    let machine = with_generator();
    for number in 0..9 {
        described(&machine, &format!("one-{number}"), "5m");
    }
    asked(
        &machine,
        "asked",
        &format!("echo '{}'", description("asked", "2h")),
    );
    let run = |setup: &str, folder: &str| {
        let script = format!(
            "set -e; mkdir -p {folder}; {setup}
            code=0; {GENERATOR} {folder} {folder} {folder} || code=$?
            mkdir -p /mnt/share{folder}; cp -r {folder}/. /mnt/share{folder}; exit $code"
        );
        let ended = machine.run(["unshare", "--mount", "--net", "sh", "-c", &script]);
        let ended = ended.expect_code(0);
        let files = fs::read_dir(machine.share().join(&folder[1..])).expect("a folder");
        let files = files
            .map(|file| file.expect("a file").path())
            .filter(|path| path.is_file());
        let texts = files.map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("text"))
        });
        (texts.collect::<BTreeMap<String, String>>(), ended.stderr)
    };
    let (all, said) = run("", "/run/all");
    assert_eq!((all.len(), said.as_str()), (24, ""));

    let nothing =
        "for folder in /var /tmp /run/dbus /home /root; do mount -t tmpfs -o ro tmpfs $folder; done;";
    assert_eq!(run(nothing, "/run/early"), (all.clone(), String::new()));

    // Of a unit all is there, or nothing; never one without its sandbox.
    let (some, said) = run("mount -t tmpfs -o size=32k tmpfs /run/small;", "/run/small");
    assert!((1..24).contains(&some.len()), "{:?}", some.keys());
    assert!(
        said.contains("cannot be written: No space left on device"),
        "{said}"
    );
    for (name, text) in &some {
        assert_eq!(text, &all[name], "{name}");
        let service = name.replace(".timer", ".service");
        assert!(some.contains_key(&service), "{name} has nothing to start");
    }
}
