//! Collectors and settings that change, and a systemd that follows by itself.

use std::collections::BTreeMap;

use serde_json::Value;
use tidemark_testkit::{Ended, Systemd, program, wait_until};

use super::{BOUND, HOST, describe_beside, drop_in, machine, shipped};

/// Where collectors are on the machine.
const COLLECTORS: &str = "/usr/lib/tidemark/collectors";
const SETTINGS: &str = "/etc/tidemark/tidemark.toml";
/// What an installed host has beside its programs.
const SHIPPED: [&str; 5] = [
    "tidemark.target",
    "tidemark-units.path",
    "tidemark-units.secrets.path",
    "tidemark-units.service",
    "tidemark-units.again.service",
];

/// A machine on which all is installed as the package does it, and no collector; the target has been started.
fn installed() -> Systemd {
    let machine = machine();
    remove(&machine, "host");
    let generator = std::fs::read(program("tidemark-generator")).expect("a program that is built");
    let path = "/usr/lib/systemd/system-generators/tidemark-generator";
    machine.install(path, generator, 0o755, "root");
    for unit in SHIPPED {
        machine.install(
            format!("/usr/lib/systemd/system/{unit}"),
            shipped(unit),
            0o644,
            "root",
        );
    }
    machine.daemon_reload();
    machine.systemctl(["enable", "--quiet", "tidemark.target"]);
    machine.systemctl(["start", "tidemark.target"]);
    settle(&machine);
    machine
}

/// Waits until systemd has nothing left to do for tidemark.
fn settle(machine: &Systemd) {
    for service in ["tidemark-units.service", "tidemark-units.again.service"] {
        machine.wait_for_property(service, "ActiveState", "no look goes on", |state| {
            state == "inactive" || state == "failed"
        });
    }
}

/// Puts a collector there that is a script, with a description beside it. Its timer first fires 30 s after the machine's
/// boot, and up to 12 s more.
fn add(machine: &Systemd, name: &str, script: &str) {
    let description = format!(
        r#"{{"name": "{name}", "summary": "A script.", "version": "1", "run_interval": "1m", "deadline": "1m",
        "default": "on", "measurements": [], "settings": [],
        "needs": {{"network": false, "programs": ["sh"], "paths": []}}}}"#
    );
    machine.install(format!("{COLLECTORS}/{name}.json"), description, 0o644, "root");
    let script = format!("#!/bin/sh\n{script}\n");
    machine.install(format!("{COLLECTORS}/tidemark-{name}"), script, 0o755, "root");
}

fn remove(machine: &Systemd, name: &str) {
    let [program, description] = [
        format!("{COLLECTORS}/tidemark-{name}"),
        format!("{COLLECTORS}/{name}.json"),
    ];
    machine.run(["rm", &program, &description]).expect_code(0);
}

fn set(machine: &Systemd, settings: &str) {
    machine.install(SETTINGS, settings, 0o640, "root:tidemark");
}

fn is_active(machine: &Systemd, unit: &str) -> bool {
    machine.property(unit, "ActiveState") == "active"
}

fn wait_for_timer(machine: &Systemd, name: &str, active: bool) {
    wait_until(&format!("the timer of {name}: {active}"), BOUND, || {
        is_active(machine, &format!("tidemark-{name}.timer")) == active
    });
}

fn sync(machine: &Systemd) -> Ended {
    machine.run(["tidemark", "units", "sync"])
}

/// Units of tidemark's that have failed.
fn failed(machine: &Systemd) -> String {
    machine.systemctl(["list-units", "--failed", "--plain", "--no-legend", "tidemark*"])
}

/// What `verify` finds of each unit: its verdict, and what was found.
fn verify(machine: &Systemd, code: i32) -> BTreeMap<String, (String, String)> {
    let ended = machine
        .run(["tidemark", "units", "verify", "--json"])
        .expect_code(code);
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let text = |of: &Value, key: &str| of[key].as_str().expect("a text").to_owned();
    let units = report["units"].as_array().expect("a list").iter();
    units
        .map(|of| (text(of, "unit"), (text(of, "verdict"), text(of, "found"))))
        .collect()
}

#[test]
fn a_collector_that_is_dropped_in_runs_by_itself_and_one_that_is_removed_leaves_nothing() {
    let machine = installed();
    let host = std::fs::read(program("tidemark-host")).expect("a program that is built");
    machine.install(HOST, host, 0o755, "root");
    // It has no description beside it: it is asked, unprivileged.
    set(&machine, "[collector.host]\nrun_interval = \"1m\"\n");
    wait_for_timer(&machine, "host", true);
    wait_until("its first run", BOUND, || {
        let shown = machine.run(["tidemark", "show", "host", "--output", "influx"]);
        shown.stdout.contains("host_memory")
    });
    settle(&machine);
    for (unit, (verdict, found)) in verify(&machine, 0) {
        assert_eq!(verdict, "ok", "{unit}: {found}");
    }
    let again = sync(&machine).expect_code(0);
    assert_eq!(again.stdout, "nothing to do: 4 units are as they should be\n");

    for service in ["tidemark-units.service", "tidemark-units.again.service"] {
        let warnings = machine.journal(service, &["-p", "warning"]);
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    add(&machine, "fails", "exit 1");
    wait_for_timer(&machine, "fails", true);
    machine
        .run(["systemctl", "start", "tidemark-fails.service"])
        .expect_code(1);
    settle(&machine);
    remove(&machine, "fails");
    machine.run(["rm", HOST]).expect_code(0);
    for name in ["fails", "host"] {
        wait_for_timer(&machine, name, false);
    }
    settle(&machine);
    assert_eq!(failed(&machine), "");
    for (unit, (verdict, found)) in verify(&machine, 0) {
        assert_eq!(verdict, "ok", "{unit}: {found}");
    }
    assert_eq!(
        sync(&machine).expect_code(0).stdout,
        "nothing to do: 2 units are as they should be\n"
    );
}

#[test]
fn settings_take_effect_by_themselves() {
    let machine = installed();
    add(&machine, "a", "exit 0");
    add(&machine, "b", "exit 0");
    for name in ["a", "b"] {
        wait_for_timer(&machine, name, true);
    }
    settle(&machine);
    let interval = |name: &str| machine.property(&format!("tidemark-{name}.timer"), "TimersMonotonic");
    assert!(
        interval("a").contains("OnUnitInactiveUSec=1min ;"),
        "{}",
        interval("a")
    );
    let runs = || {
        machine
            .journal("tidemark-a.service", &["JOB_TYPE=start", "JOB_RESULT=done"])
            .len()
    };
    wait_until("its first run", BOUND, || runs() == 1);

    set(
        &machine,
        "[collector.a]\nrun_interval = \"1h\"\n[collector.b]\nenabled = false\n",
    );
    wait_until("the new interval", BOUND, || {
        interval("a").contains("OnUnitInactiveUSec=1h ;")
    });
    wait_for_timer(&machine, "b", false);
    settle(&machine);
    assert!(is_active(&machine, "tidemark-a.timer"));
    assert_eq!(machine.property("tidemark-b.service", "LoadState"), "not-found");
    assert_eq!(
        (failed(&machine).as_str(), runs()),
        ("", 1),
        "a new interval is no run"
    );
    // It waits for the new one: an hour after its end, and its own delay.
    let next = machine.property("tidemark-a.timer", "NextElapseUSecMonotonic");
    let next: tidemark_settings::Span = next.parse().expect("a span");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec;
    let ahead = next.as_secs().saturating_sub(now.unsigned_abs());
    assert!((3300..3700).contains(&ahead), "{next} at {now} s");

    // In a file of its own, and as an editor does it: written beside, and renamed.
    set(&machine, "");
    machine.install(
        "/etc/tidemark/conf.d/b.toml",
        "[collector.b]\nenabled = true\nrun_interval = \"2h\"\n",
        0o640,
        "root:tidemark",
    );
    wait_for_timer(&machine, "b", true);
    wait_until("both intervals", BOUND, || {
        interval("a").contains("OnUnitInactiveUSec=1min ;")
            && interval("b").contains("OnUnitInactiveUSec=2h ;")
    });
    settle(&machine);
    verify(&machine, 0);

    // A mistake stops nothing.
    set(
        &machine,
        "[collector.a]\nrun_interval = 5\nenabeld = true\n[outbox\n",
    );
    machine.run(["rm", "/etc/tidemark/conf.d/b.toml"]).expect_code(0);
    wait_until("the defaults", BOUND, || {
        interval("b").contains("OnUnitInactiveUSec=1min ;")
    });
    settle(&machine);
    assert!(is_active(&machine, "tidemark-a.timer") && is_active(&machine, "tidemark-b.timer"));
    let said = sync(&machine).expect_code(0);
    assert_eq!(said.stdout, "nothing to do: 6 units are as they should be\n");
    assert!(
        said.stderr
            .starts_with("tidemark: notice: the settings are wrong"),
        "{}",
        said.stderr
    );
    let host = std::fs::read(program("tidemark-host")).expect("a program that is built");
    describe_beside(&machine, "host");
    machine.install(HOST, host, 0o755, "root");
    wait_for_timer(&machine, "host", true);
    machine
        .run(["systemctl", "start", "tidemark-host.service"])
        .expect_code(1);
    assert_eq!(machine.property("tidemark-host.service", "ExecMainStatus"), "78");
    assert!(is_active(&machine, "tidemark-host.timer"));
}

#[test]
fn what_the_operator_has_done_stays() {
    let machine = installed();
    for name in ["a", "b", "c"] {
        add(&machine, name, "exit 0");
    }
    for name in ["a", "b", "c"] {
        wait_for_timer(&machine, name, true);
    }
    settle(&machine);
    machine.systemctl(["stop", "tidemark-a.timer"]);
    machine.systemctl(["mask", "--now", "--quiet", "tidemark-b.timer"]);
    drop_in(
        &machine,
        "tidemark-c.timer",
        "[Timer]\nOnUnitInactiveSec=\nOnUnitInactiveSec=7h\n",
    );

    add(&machine, "d", "exit 0");
    wait_for_timer(&machine, "d", true);
    set(
        &machine,
        "[collector.a]\nrun_interval = \"1h\"\n[collector.c]\nrun_interval = \"1h\"\n",
    );
    wait_until("the new interval", BOUND, || {
        machine
            .systemctl(["cat", "tidemark-a.timer"])
            .contains("OnUnitInactiveSec=1h")
    });
    settle(&machine);
    for _ in 0..2 {
        let said = sync(&machine).expect_code(0);
        assert_eq!(said.stdout, "nothing to do: 10 units are as they should be\n");
    }
    assert!(!is_active(&machine, "tidemark-a.timer") && !is_active(&machine, "tidemark-b.timer"));
    assert_eq!(machine.property("tidemark-b.timer", "LoadState"), "masked");
    let loaded = machine.property("tidemark-c.timer", "TimersMonotonic");
    assert!(loaded.contains("OnUnitInactiveUSec=7h ;"), "{loaded}");
    let found = verify(&machine, 0);
    let own = |found: &str| ("own".to_owned(), found.to_owned());
    assert_eq!(found["tidemark-a.timer"], own("stopped"));
    assert_eq!(found["tidemark-b.timer"], own("masked"));
    assert_eq!(
        found["tidemark-c.timer"],
        own("with /etc/systemd/system/tidemark-c.timer.d/of-the-test.conf")
    );
    assert_eq!(found["tidemark-d.timer"].0, "ok");

    // All of it stopped: nothing is started by what changes.
    machine.systemctl(["stop", "tidemark.target"]);
    assert!(!is_active(&machine, "tidemark-d.timer"));
    add(&machine, "e", "exit 0");
    let said = sync(&machine).expect_code(0).stdout;
    assert!(
        said.ends_with("\ntidemark.target is not active: nothing was started\n"),
        "{said}"
    );
    assert_eq!(machine.property("tidemark-e.timer", "LoadState"), "loaded");
    assert!(!is_active(&machine, "tidemark-e.timer"));
    let stopped = &verify(&machine, 0)["tidemark.target"];
    assert_eq!(*stopped, own("not active: nothing is started"));
    machine.systemctl(["start", "tidemark.target"]);
    for name in ["a", "c", "d", "e"] {
        wait_for_timer(&machine, name, true);
    }
}

#[test]
fn verify_says_what_differs() {
    let machine = installed();
    add(&machine, "a", "exit 0");
    wait_for_timer(&machine, "a", true);
    settle(&machine);
    machine.systemctl(["stop", "tidemark-units.path"]);
    let differs = |unit: &str| {
        let mut found = verify(&machine, 1);
        let (verdict, found) = found.remove(unit).expect("the unit");
        assert_eq!(verdict, "differs", "{found}");
        found
    };
    let file = "/run/systemd/generator/tidemark-a.timer";
    machine
        .run(["sed", "-i", "s/OnUnitInactiveSec=.*/OnUnitInactiveSec=3h/", file])
        .expect_code(0);
    assert_eq!(differs("tidemark-a.timer"), "is another on disk");
    let screen = machine.run(["tidemark", "units", "verify"]).expect_code(1).stdout;
    assert!(screen.contains("-> `tidemark units sync`"), "{screen}");
    let said = sync(&machine).expect_code(0).stdout;
    assert_eq!(
        said,
        "systemd has read the units again\ntidemark-a.timer has changed\n"
    );
    verify(&machine, 0);

    // On disk as it should be, and read as something else.
    let text = machine.run(["cat", file]).expect_code(0).stdout;
    machine.install(
        file,
        text.replace("OnUnitInactiveSec=1m", "OnUnitInactiveSec=3h"),
        0o644,
        "root",
    );
    let reread = "mv /usr/lib/systemd/system-generators/tidemark-generator /root/; cp -a /run/systemd/generator /root/";
    machine.run(["sh", "-c", reread]).expect_code(0);
    let keep = "#!/bin/sh\ncp -a /root/generator/. \"$1\"\n";
    machine.install("/etc/systemd/system-generators/keep", keep, 0o755, "root");
    machine.daemon_reload();
    machine.install(file, &text, 0o644, "root");
    machine.install(
        format!("/root/generator/{}", "tidemark-a.timer"),
        &text,
        0o644,
        "root",
    );
    let found = differs("tidemark-a.timer");
    assert!(
        found == "systemd has read an older one" || found == "has the interval 3h instead of 1m",
        "{found}"
    );
    machine.daemon_reload();
    verify(&machine, 0);

    // A collector that nobody has looked at.
    add(&machine, "b", "exit 0");
    assert_eq!(differs("tidemark-b.timer"), "is not on disk");
    let ended = sync(&machine).expect_code(1);
    assert!(
        ended
            .stderr
            .contains("tidemark-b.timer is not there after the generator has run"),
        "{}",
        ended.stderr
    );
    remove(&machine, "b");
    machine.systemctl(["start", "tidemark-units.path"]);
    verify(&machine, 0);
}

#[test]
fn a_run_that_goes_on_is_let_end() {
    let machine = installed();
    let script = "touch \"$STATE_DIRECTORY/started\"; until [ -e \"$STATE_DIRECTORY/go\" ]; do sleep 0.05; done; \
        touch \"$STATE_DIRECTORY/ended\"; exit 1";
    add(&machine, "a", script);
    wait_for_timer(&machine, "a", true);
    let exists = |name: &str| {
        machine
            .run(["test", "-e", &format!("/var/lib/tidemark/{name}")])
            .code
            == Some(0)
    };
    machine.systemctl(["start", "--no-block", "tidemark-a.service"]);
    wait_until("it runs", BOUND, || exists("started"));
    // A change of others, and of itself, in the middle of its run.
    add(&machine, "b", "exit 0");
    set(&machine, "[collector.a]\nrun_interval = \"1h\"\n");
    wait_for_timer(&machine, "b", true);
    remove(&machine, "a");
    wait_for_timer(&machine, "a", false);
    assert_eq!(
        machine.property("tidemark-a.service", "ActiveState"),
        "activating"
    );
    let said = sync(&machine).expect_code(0).stdout;
    assert!(said.contains("tidemark-a.service is let end"), "{said}");
    machine.run(["touch", "/var/lib/tidemark/go"]).expect_code(0);
    wait_until("it has ended", BOUND, || exists("ended"));
    wait_until("nothing is left of it", BOUND, || {
        machine.property("tidemark-a.service", "ActiveState") == "inactive"
    });
    settle(&machine);
    assert_eq!(failed(&machine), "");
}

#[test]
fn a_burst_is_followed_to_its_last_file() {
    let machine = installed();
    for number in 0..10 {
        add(&machine, &format!("n{number}"), "exit 0");
    }
    for number in 0..10 {
        wait_for_timer(&machine, &format!("n{number}"), true);
    }
    settle(&machine);
    assert!(is_active(&machine, "tidemark-units.path"));
    // In the middle of a look the path unit sees nothing: changes at any instant are followed.
    for number in 0..6 {
        let name = format!("n{number}");
        remove(&machine, &name);
        wait_for_timer(&machine, &name, false);
        add(&machine, &name, "exit 0");
        wait_for_timer(&machine, &name, true);
    }
    // An upgrade: each file in the place of the one before, its timer untouched.
    let look = || machine.property("tidemark-units.again.service", "InactiveEnterTimestampMonotonic");
    let since = || machine.property("tidemark-n9.timer", "ActiveEnterTimestampMonotonic");
    let (started, looked) = (since(), look());
    for name in ["tidemark-n9", "n9.json"] {
        let unpack =
            format!("cd {COLLECTORS} && cp -p {name} {name}.dpkg-new && mv -f {name}.dpkg-new {name}");
        machine.run(["sh", "-c", &unpack]).expect_code(0);
    }
    wait_until("another look", BOUND, || look() != looked);
    settle(&machine);
    assert_eq!(since(), started);
    // The folder itself goes and comes.
    machine
        .run(["mv", COLLECTORS, "/usr/lib/tidemark/away"])
        .expect_code(0);
    wait_for_timer(&machine, "n9", false);
    machine.run(["rm", "-rf", COLLECTORS]).expect_code(0);
    machine
        .run(["mv", "/usr/lib/tidemark/away", COLLECTORS])
        .expect_code(0);
    wait_for_timer(&machine, "n9", true);
    settle(&machine);
    assert_eq!(failed(&machine), "");
    verify(&machine, 0);

    // All that is watched is made where it is missing.
    let missing = ["/etc/tidemark/conf.d", "/etc/credstore"];
    machine.command(["rm", "-r"]).args(missing).run().expect_code(0);
    machine.systemctl(["restart", "tidemark.target"]);
    let made = machine.command(["stat", "-c", "%a"]).args(missing).run();
    assert_eq!(made.expect_code(0).stdout, "755\n700\n");
    settle(&machine);
    remove(&machine, "n9");
    wait_for_timer(&machine, "n9", false);
}

#[test]
fn shipped_units_are_sound_and_sandboxed() {
    let machine = installed();
    let paths = SHIPPED.map(|unit| format!("/usr/lib/systemd/system/{unit}"));
    let verified = machine
        .command(["systemd-analyze", "verify", "--man=no"])
        .args(&paths)
        .run()
        .expect_code(0);
    assert_eq!((verified.stdout.as_str(), verified.stderr.as_str()), ("", ""));
    for service in ["tidemark-units.service", "tidemark-units.again.service"] {
        machine
            .run([
                "systemd-analyze",
                "security",
                "--threshold=16",
                "--no-pager",
                service,
            ])
            .expect_code(0);
    }
    let stat = machine.run([
        "stat",
        "-c",
        "%n %a %U:%G",
        "/var/lib/tidemark",
        "/run/tidemark",
        "/etc/tidemark/conf.d",
        "/etc/credstore",
    ]);
    assert_eq!(
        stat.expect_code(0).stdout,
        "/var/lib/tidemark 750 tidemark:tidemark\n/run/tidemark 755 root:root\n/etc/tidemark/conf.d 755 root:root\n\
         /etc/credstore 700 root:root\n"
    );
    let passwd = machine
        .run(["getent", "passwd", "tidemark"])
        .expect_code(0)
        .stdout;
    assert!(
        passwd
            .trim_end()
            .ends_with(":/var/lib/tidemark:/usr/sbin/nologin"),
        "{passwd}"
    );
}

/// Under a minute one process stays. It reads settings and program at its start: it is restarted for either.
#[test]
fn a_service_that_stays_follows_too() {
    const SERVICE: &str = "tidemark-host.service";
    let machine = installed();
    let host = std::fs::read(program("tidemark-host")).expect("a program that is built");
    set(&machine, "[collector.host]\nrun_interval = \"2s\"\n");
    describe_beside(&machine, "host");
    machine.install(HOST, &host, 0o755, "root");
    let runs = |interval: &str| {
        let line = machine.property(SERVICE, "ExecStart");
        is_active(&machine, SERVICE) && line.contains(&format!("--every={interval} "))
    };
    let process = || machine.property(SERVICE, "MainPID");
    wait_until("it stays", BOUND, || runs("2s"));
    settle(&machine);
    let first = process();
    assert!(sync(&machine).expect_code(0).stdout.starts_with("nothing to do"));
    assert_eq!(process(), first);

    let restarted = |from: &str| is_active(&machine, SERVICE) && !["0", from].contains(&process().as_str());
    set(&machine, "[collector.host]\nrun_interval = \"3s\"\n");
    wait_until("another interval", BOUND, || runs("3s") && restarted(&first));
    settle(&machine);
    let second = process();
    set(
        &machine,
        "[host]\nname = \"other\"\n[collector.host]\nrun_interval = \"3s\"\n",
    );
    wait_until("other settings", BOUND, || restarted(&second));
    settle(&machine);
    let third = process();
    machine.install(HOST, &host, 0o755, "root");
    wait_until("another program", BOUND, || restarted(&third));
    settle(&machine);
    verify(&machine, 0);

    // A secret, which it is handed at its start: by itself, as nothing else changes.
    machine.install("/etc/credstore/influxdb", "old", 0o600, "root");
    set(
        &machine,
        "[collector.host]\nrun_interval = \"3s\"\n[[sink]]\ntype = \"influxdb\"\nurl = \"https://127.0.0.1:1\"\n\
         database = \"d\"\nusername = \"u\"\npassword = { credential = \"influxdb\" }\n",
    );
    let secret = format!("/run/credentials/{SERVICE}/influxdb");
    let holds = |text: &str| is_active(&machine, SERVICE) && machine.run(["cat", &secret]).stdout == text;
    wait_until("its secret", BOUND, || holds("old"));
    settle(&machine);
    machine.install("/etc/credstore/influxdb", "new", 0o600, "root");
    wait_until("the new one", BOUND, || holds("new"));
    settle(&machine);
    verify(&machine, 0);

    machine.systemctl(["stop", SERVICE]);
    set(&machine, "[collector.host]\nrun_interval = \"4s\"\n");
    wait_until("the unit has changed", BOUND, || {
        machine.property(SERVICE, "ExecStart").contains("--every=4s ")
    });
    settle(&machine);
    assert!(!is_active(&machine, SERVICE), "the operator has stopped it");

    // Its timer starts it from now on; then it stays again.
    set(&machine, "[collector.host]\nrun_interval = \"1m\"\n");
    wait_for_timer(&machine, "host", true);
    set(&machine, "[collector.host]\nrun_interval = \"2s\"\n");
    wait_until("it stays", BOUND, || runs("2s"));
    wait_for_timer(&machine, "host", false);
    set(&machine, "[collector.host]\nrun_interval = \"1m\"\n");
    wait_for_timer(&machine, "host", true);
    settle(&machine);
    machine.wait_for(SERVICE, "dead");
    assert_eq!(machine.property(SERVICE, "Type"), "oneshot");
    remove(&machine, "host");
    wait_for_timer(&machine, "host", false);
    settle(&machine);
    assert_eq!(failed(&machine), "");
}
