//! Runs that timers start, and where their points go.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tidemark_systemd::Host;
use tidemark_testkit::{
    Answer, Influxd, InfluxdOptions, JournalEntry, SinkServer, Source, Systemd, wait_until,
};

use super::{
    BOUND, add, add_generator, describe, described, drop_in, install, machine, read_settings, script,
    wait_for_runs,
};
use crate::scene::{lines, playing, report, with_credential};

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

/// A collector's last run, as `status --json` tells it.
fn last_run(machine: &Systemd, collector: &str) -> Value {
    let status = machine.run(["tidemark", "status", "--json"]);
    let status = status.expect_code(0).stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let all = status["collectors"].as_array().into_iter().flatten();
    let mut found = all.filter(|one| one["name"] == collector);
    found.next().expect("it is installed")["last_run"].clone()
}

/// Its timer fires, each run ends well in its sandbox, and what it collected is in the store.
#[test]
fn a_timer_fills_the_store() {
    let machine = machine();
    install(&machine, &describe(&machine), &Host::new());
    quicken(&machine, "host");
    machine.systemctl(["start", "tidemark-host.timer"]);
    wait_for_runs(&machine, "host", "done", &[], 5);
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

    let run = last_run(&machine, "host");
    assert_eq!(
        (&run["ok"], &run["partial"]),
        (&true.into(), &false.into()),
        "{run}"
    );
    assert_eq!(run["gaps"], Value::Array(Vec::new()), "{run}");
    let warnings = machine.journal("tidemark-host.service", &["-p", "warning"]);
    assert!(warnings.is_empty(), "{warnings:?}");
    let stat = machine
        .run(["stat", "-c", "%U", "/var/lib/tidemark/store.db"])
        .expect_code(0);
    assert_eq!(stat.stdout, "tidemark\n");
}

/// One that hangs is ended at its time, again and again; one that crashes does not stop its timer; a third keeps its times
/// beside them.
#[test]
fn a_collector_that_hangs_or_crashes_stops_nothing() {
    let machine = machine();
    for (name, text) in [
        ("hangs", "trap '' TERM\nwhile :; do sleep 600; done"),
        ("crashes", "kill -SEGV $$"),
        ("works", "exit 0"),
    ] {
        install(&machine, &script(&machine, name, text), &Host::new());
        quicken(&machine, name);
    }
    drop_in(
        &machine,
        "tidemark-hangs.service",
        "[Service]\nTimeoutStartSec=4s\nTimeoutStopSec=500ms\n",
    );
    machine.systemctl([
        "start",
        "tidemark-hangs.timer",
        "tidemark-crashes.timer",
        "tidemark-works.timer",
    ]);
    for (name, result, runs) in [
        ("hangs", "failed", 2),
        ("crashes", "failed", 3),
        ("works", "done", 5),
    ] {
        wait_for_runs(&machine, name, result, &[], runs);
        assert_eq!(
            machine.property(&format!("tidemark-{name}.timer"), "ActiveState"),
            "active"
        );
    }
    // While one hung, from a start to its end, the other ran at its times.
    let instant = |entry: &JournalEntry| -> u64 {
        let text = entry.field("__REALTIME_TIMESTAMP").unwrap_or_default();
        text.parse().expect("a time in microseconds")
    };
    wait_until("two runs beside one that hung", BOUND, || {
        let hung = machine.journal("tidemark-hangs.service", &["_PID=1"]);
        let hung: Vec<u64> = hung
            .iter()
            .filter(|entry| {
                entry.message().starts_with("Starting") || entry.field("JOB_RESULT") == Some("failed")
            })
            .map(instant)
            .collect();
        let works = ["JOB_TYPE=start", "JOB_RESULT=done"];
        let works = machine.journal("tidemark-works.service", &works);
        let works: Vec<u64> = works.iter().map(instant).collect();
        hung.chunks_exact(2).any(|span| {
            let beside = works.iter().filter(|at| (span[0]..span[1]).contains(at));
            beside.count() >= 2
        })
    });
    machine.systemctl([
        "stop",
        "tidemark-hangs.timer",
        "tidemark-crashes.timer",
        "tidemark-works.timer",
    ]);
    for (name, result) in [("hangs", "timeout"), ("crashes", "signal")] {
        let service = format!("tidemark-{name}.service");
        machine.wait_for(&service, "failed");
        assert_eq!(machine.property(&service, "Result"), result);
    }
    let warned = machine.journal("tidemark-hangs.service", &["-p", "warning"]);
    assert!(
        warned.iter().any(|entry| entry.message().contains("timed out")),
        "{warned:?}"
    );
}

/// A source that never answers: the run ends at its deadline by itself, is recorded, and says so in status and journal; its
/// timer goes on.
#[test]
fn a_run_that_reaches_its_deadline_says_so() {
    let machine = machine();
    let source = Source::http();
    source.route("/general.json", Answer::hang());
    let settings = format!(
        "[collector.sponsoring]\nurl = \"{}\"\ndeadline = \"3s\"\n",
        source.url("/general.json")
    );
    machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
    let sponsoring = add(&machine, "sponsoring");
    install(&machine, &described(&machine, &sponsoring), &Host::new());
    quicken(&machine, "sponsoring");
    machine.systemctl(["start", "tidemark-sponsoring.timer"]);
    wait_for_runs(&machine, "sponsoring", "failed", &[], 2);
    machine.systemctl(["stop", "tidemark-sponsoring.timer"]);
    machine.wait_for("tidemark-sponsoring.service", "failed");
    assert_eq!(
        machine.property("tidemark-sponsoring.service", "ExecMainStatus"),
        "1",
        "it ends by itself"
    );
    let run = last_run(&machine, "sponsoring");
    assert_eq!(run["ok"], false, "{run}");
    let why = run["error"].as_str().unwrap_or_default();
    assert!(why.contains("did not answer within"), "{run}");
    let said = machine.journal("tidemark-sponsoring.service", &["_COMM=tidemark-sponso"]);
    assert!(
        said.iter()
            .any(|entry| entry.message().contains("did not answer within")),
        "{said:?}"
    );
    source.route("/general.json", Answer::ok(report(2)));
    machine.systemctl(["start", "tidemark-sponsoring.service"]);
    assert_eq!(last_run(&machine, "sponsoring")["ok"], true);
}

/// A run that takes longer than the interval, an operator's `systemctl start`, and his `tidemark run`, all at once: one
/// runs at a time.
#[test]
fn no_run_overlaps_another() {
    let machine = machine();
    let sink = SinkServer::start();
    let source = Source::http();
    let slow = Answer::ok(report(2)).after(Duration::from_millis(400));
    source.route("/general.json", slow);
    let settings = format!(
        "[collector.sponsoring]\nurl = \"{}\"\n{}",
        source.url("/general.json"),
        playing("played", &sink)
    );
    machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
    let sponsoring = add(&machine, "sponsoring");
    let host = Host::of(&read_settings(&machine, &settings));
    install(&machine, &described(&machine, &sponsoring), &host);
    quicken(&machine, "sponsoring");
    machine.systemctl(["start", "tidemark-sponsoring.timer"]);
    let by_hand = machine.command([
        "sh",
        "-c",
        "for try in 1 2 3; do tidemark run sponsoring || exit 1; done",
    ]);
    let by_hand = by_hand.bound(BOUND).start();
    let by_manager = [
        "sh",
        "-c",
        "for try in 1 2 3; do systemctl start tidemark-sponsoring.service || exit 1; done",
    ];
    let by_manager = machine.command(by_manager).bound(BOUND).start();
    by_hand.wait().expect_code(0);
    by_manager.wait().expect_code(0);
    wait_until("a start beside a run", BOUND, || {
        let started = machine.run(["tidemark", "run", "sponsoring"]).expect_code(0);
        started.stderr.contains("under way")
    });
    wait_for_runs(&machine, "sponsoring", "done", &[], 5);
    machine.systemctl(["stop", "tidemark-sponsoring.timer"]);
    machine.wait_for("tidemark-sponsoring.service", "dead");
    machine.run(["tidemark", "outbox", "flush"]).expect_code(0);

    let requests = sink.requests();
    let points = requests.iter().flat_map(|request| lines(request.text()));
    let mut runs: Vec<(i64, i64)> = points
        .filter(|line| line.measurement == "tidemark_run")
        .map(|line| {
            assert_eq!(line.fields["ok"], "true");
            let seconds: f64 = line.fields["duration_seconds"].parse().expect("a float");
            let nanos = Duration::from_secs_f64(seconds).as_nanos();
            (line.time, line.time + i64::try_from(nanos).expect("a short run"))
        })
        .collect();
    runs.sort_unstable();
    for pair in runs.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{:?} and {:?}", pair[0], pair[1]);
    }
    assert!(runs.len() >= 3, "{runs:?}");
    assert_eq!(runs.len(), source.requests().len(), "each asked once");
}

/// Into a real InfluxDB over HTTPS, again and again, with a password that is a credential of systemd alone.
#[test]
fn the_password_is_a_credential() {
    let password = "only for the unit";
    let influxd = Influxd::start(InfluxdOptions::https("writer", password));
    let machine = machine();
    let settings = with_credential(&machine, &influxd);
    machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
    add_generator(&machine);
    quicken(&machine, "host");
    machine.systemctl(["start", "tidemark-host.timer"]);
    let count = || influxd.count("host_memory", "total_bytes");
    wait_until("five runs in the database", BOUND, || count() >= 5);
    machine.systemctl(["stop", "tidemark-host.timer"]);
    machine.wait_for("tidemark-host.service", "dead");

    let runs = ended(&machine, "host", "done");
    assert_eq!(count(), runs as u64, "each run's points, once");
    let hosts = influxd.query("SELECT total_bytes, host FROM host_memory");
    assert!(
        hosts[0]
            .column("host")
            .iter()
            .all(|host| host.text() == "machine")
    );
    let said = machine.journal("tidemark-host.service", &["COLLECTOR=host"]);
    let delivered = said
        .iter()
        .filter(|entry| entry.message().contains("influxdb"))
        .count();
    assert_eq!(delivered, runs, "each run says where its points went: {said:?}");
    let warnings = machine.journal("tidemark-host.service", &["-p", "warning"]);
    assert!(warnings.is_empty(), "{warnings:?}");

    for word in ["show", "cat"] {
        let said = machine.systemctl([word, "tidemark-host.service"]);
        assert!(!said.contains(password), "{said}");
    }
    let everything = machine
        .run(["journalctl", "--no-pager", "--output=export", "--all"])
        .stdout;
    assert!(!everything.contains(password));
    let files = ["grep", "-rlF", password, "/etc", "/run", "/var/lib/tidemark"];
    let files = machine.run(files).stdout;
    assert_eq!(files, "/etc/credstore/influxdb-password\n");
}

/// A secret that is not there: the unit starts all the same, and the program says which it is and what to do.
#[test]
fn a_secret_that_is_missing_is_named() {
    let machine = machine();
    for (secret, name) in [
        ("credential = \"nowhere\"", "nowhere"),
        ("file = \"/root/secrets/nowhere\"", "/root/secrets/nowhere"),
    ] {
        let settings = format!(
            "[[sink]]\ntype = \"influxdb\"\nurl = \"https://localhost:1\"\ndatabase = \"metrics\"\nusername = \"u\"\n\
             password = {{ {secret} }}\n"
        );
        machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
        let host = Host::of(&read_settings(&machine, &settings));
        install(&machine, &describe(&machine), &host);
        let started = machine.run(["systemctl", "start", "tidemark-host.service"]);
        assert_eq!(started.code, Some(1), "{secret}");
        let status = machine.property("tidemark-host.service", "ExecMainStatus");
        assert_eq!(status, "78", "{secret}");
        let said = machine.journal("tidemark-host.service", &["_COMM=tidemark-host"]);
        let said: Vec<&str> = said.iter().map(JournalEntry::message).collect();
        assert!(
            said.last().is_some_and(|last| last.contains(name)),
            "{secret}: {said:?}"
        );
    }
}

/// Of the collectors that are built, those that are on have a timer, with the interval that is theirs or the operator's.
#[test]
fn only_what_is_on_has_a_timer() {
    let machine = machine();
    for name in ["sponsoring", "autopkgtest"] {
        add(&machine, name);
    }
    add_generator(&machine);
    let timers = |settings: &str| {
        machine.install("/etc/tidemark/tidemark.toml", settings, 0o640, "root:tidemark");
        machine.daemon_reload();
        machine.systemctl(["start", "tidemark.target"]);
        let listed = ["list-timers", "--all", "--plain", "--no-legend", "tidemark-*"];
        let listed = machine.systemctl(listed);
        let words = listed.split_whitespace();
        let timers = words.filter_map(|word| word.strip_prefix("tidemark-")?.strip_suffix(".timer"));
        let timers: BTreeSet<String> = timers.map(str::to_owned).collect();
        let interval = |timer: &String| {
            let times = machine.property(&format!("tidemark-{timer}.timer"), "TimersMonotonic");
            let interval = times.split_once("OnUnitInactiveUSec=");
            let interval = interval.and_then(|(_, rest)| rest.split_once(" ;"));
            format!("{timer} {}", interval.map_or("none", |(interval, _)| interval))
        };
        timers.iter().map(interval).collect::<Vec<_>>()
    };
    assert_eq!(timers(""), ["flush 1min", "host 1min"]);
    assert_eq!(
        timers("[collector.sponsoring]\n[collector.autopkgtest]\nrun_interval = \"1h 30min\"\n"),
        [
            "autopkgtest 1h 30min",
            "flush 1min",
            "host 1min",
            "sponsoring 5min"
        ]
    );
    for timer in ["autopkgtest", "sponsoring", "host", "flush"] {
        let timer = format!("tidemark-{timer}.timer");
        assert_eq!(machine.property(&timer, "ActiveState"), "active");
    }
}
