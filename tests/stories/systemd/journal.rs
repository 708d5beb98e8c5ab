//! What programs say in the journal, and tell the manager.

use std::cell::Cell;

use serde_json::Value;
use tidemark_collect::{Clock as _, SystemClock, Timestamp};
use tidemark_settings::Span;
use tidemark_systemd::{Host, flush};
use tidemark_testkit::{Answer, JournalEntry, SinkServer, Systemd, program, wait_until};

use super::{BOUND, described, drop_in, install, install_units, machine, read_settings};

const PROGRAM: &str = "/usr/lib/tidemark/collectors/tidemark-behaving";
const UNIT: &str = "tidemark-behaving.service";
const SECRET: &str = "only for the unit";

/// A machine with the collector that behaves as it is told.
struct Stage {
    machine: Systemd,
    /// Entries of its unit that were looked at.
    seen: Cell<usize>,
}

impl Stage {
    fn new() -> Self {
        let machine = machine();
        let bytes = std::fs::read(program("examples/tidemark-acting")).expect("a program that is built");
        machine.install(PROGRAM, bytes, 0o755, "root");
        Self {
            machine,
            seen: Cell::new(0),
        }
    }

    fn settings(&self, text: &str) {
        self.machine
            .install("/etc/tidemark/tidemark.toml", text, 0o640, "root:tidemark");
    }

    /// One run to its end; what the program said in the journal since the last look.
    fn run(&self, settings: &str) -> Vec<JournalEntry> {
        self.settings(settings);
        drop(self.machine.run(["systemctl", "start", UNIT]));
        self.said()
    }

    fn said(&self) -> Vec<JournalEntry> {
        let all = self.machine.journal(UNIT, &[]);
        let new = all.get(self.seen.replace(all.len())..).unwrap_or_default();
        let own = new
            .iter()
            .filter(|entry| entry.field("SYSLOG_IDENTIFIER") == Some("tidemark-behaving"));
        own.cloned().collect()
    }

    fn status(&self) -> Value {
        let status = self.machine.run(["tidemark", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.expect_code(0).stdout).expect("JSON");
        let mut all = status["collectors"].as_array().into_iter().flatten();
        all.find(|one| one["name"] == "behaving")
            .expect("it is installed")
            .clone()
    }

    /// Seconds until the next run.
    fn next_run(&self) -> i64 {
        let next = self.status()["next_run"].as_str().map(str::parse::<Timestamp>);
        let next = next.expect("it is known").expect("a time");
        next.since(SystemClock.now()) / 1_000_000_000
    }
}

/// The one entry of that priority.
#[track_caller]
fn only(entries: &[JournalEntry], priority: u8) -> &JournalEntry {
    let mut found = entries.iter().filter(|entry| entry.priority() == Some(priority));
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{entries:#?}");
    first.unwrap_or_else(|| panic!("none of priority {priority}: {entries:#?}"))
}

/// Fields, priorities and texts of runs that go well, partly, and not at all; a password that is in none of them.
#[test]
fn each_run_says_what_an_operator_must_know_and_no_more() {
    let stage = Stage::new();
    let server = SinkServer::start();
    let sink = format!(
        "[[sink]]\ntype = \"influxdb\"\nname = \"central\"\nurl = \"{}\"\ndatabase = \"m\"\nusername = \"u\"\n\
         password = {{ credential = \"central-password\" }}\n",
        server.url("")
    );
    let machine = &stage.machine;
    machine.install("/etc/credstore/central-password", SECRET, 0o600, "root");
    let host = Host::of(&read_settings(machine, &sink));
    install(machine, &described(machine, PROGRAM), &host);
    let told = |behaviour: &str| format!("{sink}[collector.behaving]\nbehaviour = \"{behaviour}\"\n");

    // One that goes well is one line.
    let said = stage.run(&told("ok"));
    assert_eq!(said.len(), 1, "{said:#?}");
    let line = only(&said, 6);
    assert!(
        line.message().starts_with("collected 3 points in ")
            && line.message().ends_with("; delivered to central"),
        "{line:#?}"
    );
    let status = stage.status();
    let run = status["last_run"]["started"].as_str();
    for (field, value) in [
        ("COLLECTOR", Some("behaving")),
        ("POINTS", Some("3")),
        ("RUN_ID", run),
        ("SYSLOG_IDENTIFIER", Some("tidemark-behaving")),
        ("_SYSTEMD_UNIT", Some(UNIT)),
        ("_TRANSPORT", Some("journal")),
    ] {
        assert_eq!(line.field(field), value, "{field}");
    }
    let authorization = |request: &tidemark_testkit::Request| request.header("authorization").is_some();
    assert!(
        server.requests().iter().any(authorization),
        "the password is sent"
    );

    // A gap is a warning, a notice is none.
    let said = stage.run(&told("partial"));
    let gap = only(&said, 4);
    assert_eq!(gap.message(), "one of two sources is missing");
    assert_eq!(gap.field("RUN_ID"), only(&said, 6).field("RUN_ID"));
    assert!(only(&said, 6).message().contains(", with 1 gap;"), "{said:#?}");
    let said = stage.run(&told("notice"));
    assert_eq!(only(&said, 5).message(), "all is well, and more");
    assert_eq!(said.len(), 2, "{said:#?}");

    // A failure is said once, with why.
    let said = stage.run(&told("fail"));
    let why = "http://source/page: the source is down: connection refused";
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_eq!(only(&said, 3).message(), why);
    assert_eq!(
        only(&said, 3).field("RUN_ID"),
        stage.status()["last_run"]["started"].as_str()
    );
    let everything = machine.journal(UNIT, &[]);
    assert_eq!(
        everything
            .iter()
            .filter(|entry| entry.message().contains(why))
            .count(),
        1
    );

    // Hostile text stays in its field.
    let said = stage.run(&told("hostile"));
    assert_eq!(said.len(), 1, "{said:#?}");
    let entry = only(&said, 3);
    assert!(
        entry
            .message()
            .starts_with("what a source says PRIORITY=0 INJECTED=1"),
        "{}",
        entry.message()
    );
    assert!(!entry.message().contains(char::is_control));
    assert!(entry.message().len() <= 8 << 10);
    assert!(!entry.json().contains_key("INJECTED"));

    // A refused point is a warning that names sink and collector.
    let refusal = r#"{"error":"unable to parse 'behaving,index=1': invalid boolean"}"#;
    server.judge(move |request| match request.text().contains("index=1") {
        true => Answer::new(400)
            .header("X-Influxdb-Version", "1.6.7")
            .body(refusal),
        false => Answer::new(204),
    });
    let said = stage.run(&told("ok"));
    let refused = only(&said, 4);
    assert!(
        refused
            .message()
            .starts_with("central: refused 1 point of behaving: "),
        "{refused:#?}"
    );
    for (field, value) in [("SINK", "central"), ("POINTS", "1"), ("COLLECTOR", "behaving")] {
        assert_eq!(refused.field(field), Some(value), "{field}");
    }

    // A sink that goes on failing is said once as a warning, and its return is no warning.
    server.judge(|_| Answer::new(503).header("Retry-After", "0"));
    let said = stage.run(&told("ok"));
    let down = only(&said, 4);
    assert!(down.message().starts_with("central: ") && down.field("SINK") == Some("central"));
    assert!(
        only(&said, 6).message().contains("points wait for central"),
        "{said:#?}"
    );
    let said = stage.run(&told("ok"));
    assert!(
        only(&said, 5).message().starts_with("central: still: "),
        "{said:#?}"
    );
    assert!(said.iter().all(|entry| entry.priority() != Some(4)), "{said:#?}");
    server.judge(|_| Answer::new(204));
    let said = stage.run(&told("ok"));
    assert_eq!(only(&said, 5).message(), "central: takes points again");

    // Settings that are wrong: an error a line.
    let said = stage.run(&format!("{sink}[collector.behaving]\nbehaviour = 3\npoint = 1\n"));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().all(|entry| entry.priority() == Some(3)), "{said:#?}");
    assert!(
        said[0].message().starts_with("/etc/tidemark/tidemark.toml:"),
        "{said:#?}"
    );

    // However short a run is, what it says at its end is its unit's.
    for _ in 0..10 {
        stage.run(&told("ok"));
        assert_eq!(stage.run(&told("fail")).len(), 1);
    }

    // The flush has nothing to say where nothing waits.
    let units = flush("/usr/bin/tidemark".as_ref(), &["outbox", "flush", "--due"], &host).expect("units");
    install_units(machine, &units);
    stage.settings(&told("ok"));
    server.forget();
    machine.systemctl(["start", "tidemark-flush.service"]);
    assert_eq!(machine.property("tidemark-flush.service", "Result"), "success");
    let flushed = machine.journal(
        "tidemark-flush.service",
        &["_TRANSPORT=journal", "SYSLOG_IDENTIFIER=tidemark"],
    );
    assert!(flushed.is_empty(), "{flushed:#?}");
    let sent: String = server.requests().iter().map(|request| request.text()).collect();
    assert!(
        sent.contains("tidemark_sink,") && sent.contains("sink=central"),
        "{sent}"
    );

    let everything = machine
        .run(["journalctl", "--no-pager", "--output=export", "--all"])
        .stdout;
    assert!(!everything.contains(SECRET));
}

/// Its end is noted by a clock that nobody sets, whose boot the sandbox hides; a clock that is not set yet is a notice.
#[test]
fn a_run_knows_its_boot_and_what_the_clock_is_worth() {
    let mut stage = Stage::new();
    let machine = &stage.machine;
    install(machine, &described(machine, PROGRAM), &Host::new());
    machine
        .run(["mkdir", "-p", "/run/systemd/timesync"])
        .expect_code(0);
    let settings = "[collector.behaving]\nrun_interval = \"1h\"\n";
    let said = stage.run(settings);
    assert!(
        only(&said, 5)
            .message()
            .starts_with("the clock is not synchronised yet"),
        "{said:#?}"
    );
    let notices = stage.status()["last_run"]["notices"].to_string();
    assert!(notices.contains("the clock is not synchronised yet"), "{notices}");
    machine
        .run(["touch", "/run/systemd/timesync/synchronized"])
        .expect_code(0);
    assert_eq!(stage.run(settings).len(), 1);

    // Whichever daemon sets it: a clock that stands before the program's own file was not set.
    machine.run(["touch", "-d", "2 days", PROGRAM]).expect_code(0);
    for _ in 0..2 {
        let said = stage.run(settings);
        let notice = only(&said, 5).message();
        assert!(
            notice.contains(" before this program was made, ")
                && notice.starts_with("the clock stands 1d 23h "),
            "{notice}"
        );
    }
    machine.run(["touch", PROGRAM]).expect_code(0);
    assert_eq!(stage.run(settings).len(), 1);

    let boot = machine
        .run(["cat", "/proc/sys/kernel/random/boot_id"])
        .expect_code(0)
        .stdout;
    let lock = machine
        .run(["cat", "/var/lib/tidemark/run-behaving.lock"])
        .expect_code(0)
        .stdout;
    assert!(lock.contains(&boot.trim().replace('-', "")), "{lock}");
    assert_eq!(stage.status()["state"], "ok");

    // After a boot the next run is the timer's first one, and not an interval after the last.
    assert!(stage.next_run() > 3000);
    stage.machine.reboot();
    // It may be due already, where the boot took that long.
    assert!(stage.next_run() <= 30);
    assert_eq!(stage.status()["state"], "ok");
}

/// Then what is said goes to standard error, with its priority, and the run is as any other.
#[test]
fn a_journal_that_is_gone_costs_the_fields_alone() {
    let stage = Stage::new();
    let machine = &stage.machine;
    install(machine, &described(machine, PROGRAM), &Host::new());
    machine.run(["rm", "/run/systemd/journal/socket"]).expect_code(0);
    let said = stage.run("[collector.behaving]\nbehaviour = \"partial\"\n");
    assert_eq!(only(&said, 4).message(), "one of two sources is missing");
    assert!(
        only(&said, 6).message().starts_with("collected 3 points in "),
        "{said:#?}"
    );
    assert_eq!(only(&said, 6).field("_TRANSPORT"), Some("stdout"));
    assert_eq!(machine.property(UNIT, "Result"), "success");
    let said = stage.run("[collector.behaving]\nbehaviour = \"fail\"\n");
    assert!(
        only(&said, 3).message().contains("connection refused"),
        "{said:#?}"
    );
    assert_eq!(stage.status()["state"], "failing");
}

/// It is waited for once, for a moment; what it has taken by then is there when it goes on.
#[test]
fn a_journal_that_hangs_holds_up_no_run() {
    let stage = Stage::new();
    let machine = &stage.machine;
    install(machine, &described(machine, PROGRAM), &Host::new());
    // Enough to fill its queue.
    drop_in(
        machine,
        UNIT,
        &format!("[Service]\nExecStart=\nExecStart={PROGRAM} -vv\n"),
    );
    let journald = ["systemctl", "kill", "-s"];
    let signal = |name: &str| {
        let words = journald.iter().copied().chain([name, "systemd-journald.service"]);
        machine.run(words).expect_code(0);
    };
    stage.settings("[collector.behaving]\nbehaviour = \"partial\"\n");
    signal("STOP");
    for _ in 0..3 {
        machine.systemctl(["start", UNIT]);
        assert_eq!(machine.property(UNIT, "Result"), "success");
    }
    signal("CONT");
    let said = stage.said();
    assert!(said.iter().any(|entry| entry.priority() == Some(4)), "{said:#?}");
}

/// It becomes ready, says how its runs are, is started anew by the watchdog where none ends any more, and ends well.
#[test]
fn a_program_that_stays_is_watched() {
    let stage = Stage::new();
    let machine = &stage.machine;
    let mut collector = described(machine, PROGRAM);
    collector.interval = Span::secs(1);
    install(machine, &collector, &Host::new());
    drop_in(machine, UNIT, "[Service]\nWatchdogSec=10s\nRestartSec=100ms\n");
    let settings = |behaviour: &str| {
        format!(
            "[collector.behaving]\nrun_interval = \"1s\"\ndeadline = \"1s\"\nbehaviour = \"{behaviour}\"\n"
        )
    };
    stage.settings(&settings("ok"));
    machine.systemctl(["start", UNIT]);
    assert_eq!(machine.property(UNIT, "ActiveState"), "active");
    machine.wait_for_property(UNIT, "StatusText", "a run", |text| {
        text.contains("collected 3 points in ")
    });

    stage.settings(&settings("block"));
    machine.systemctl(["restart", UNIT]);
    wait_until("a start by the watchdog", BOUND, || {
        machine.property(UNIT, "NRestarts") != "0"
    });
    let said = stage.said();
    // A run before that may have failed: it had a second.
    let is_stuck = |entry: &&JournalEntry| entry.message().starts_with("no run has ended for 10s");
    let stuck = said.iter().find(is_stuck);
    assert_eq!(stuck.and_then(JournalEntry::priority), Some(3), "{said:#?}");
    let of_manager = machine.journal(UNIT, &["_PID=1"]);
    assert!(
        of_manager
            .iter()
            .any(|entry| entry.message().contains("Watchdog timeout")),
        "{of_manager:#?}"
    );
    let error = stage.status()["last_run"]["error"].to_string();
    assert!(error.contains("the collector is stuck"), "{error}");

    stage.settings(&settings("ok"));
    machine.systemctl(["restart", UNIT]);
    wait_until("runs go on", BOUND, || stage.status()["state"] == "ok");
    let restarts = machine.property(UNIT, "NRestarts");
    // Longer than the watchdog waits: it is told.
    let runs = || machine.journal(UNIT, &["PRIORITY=6", "COLLECTOR=behaving"]).len();
    let now = runs();
    wait_until("twelve more runs", BOUND, || runs() >= now + 12);
    assert_eq!(machine.property(UNIT, "NRestarts"), restarts);
    machine.systemctl(["stop", UNIT]);
    assert_eq!(machine.property(UNIT, "ActiveState"), "inactive");
    assert_eq!(machine.property(UNIT, "Result"), "success");
}
