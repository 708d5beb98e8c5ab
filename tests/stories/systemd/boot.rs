//! Boots: with the database down, and in the middle of runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tidemark_testkit::{Answer, Influxd, InfluxdOptions, SinkServer, Source, Systemd, wait_until};

use super::{BOUND, add, add_generator, machine, wait_for_runs};
use crate::scene::{Line, lines, report, with_credential};

/// What only the units may know.
const PASSWORD: &str = "only for the units";
/// How long a sink that failed may be left alone, and how long what is sent to it then may take. The more often it has
/// failed, the longer it may be, by chance.
const BACKOFF: Duration = Duration::from_secs(10 * 60 + 60);
/// The collectors of the machine.
const COLLECTORS: [&str; 2] = ["host", "sponsoring"];

/// A machine whose timers start at boot, a source, and two sinks over HTTPS: a database, and a server that remembers what
/// came when.
struct Scene {
    machine: Systemd,
    source: Source,
    influxd: Influxd,
    player: SinkServer,
}

impl Scene {
    /// All is up, nothing has run: the next boot is the first to have timers.
    fn new() -> Self {
        let influxd = Influxd::start(InfluxdOptions::https("writer", PASSWORD));
        let player = SinkServer::https(&influxd.certificates().leaf);
        let source = Source::http();
        source.route("/general.json", Answer::ok(report(2)));
        let machine = machine();
        let sink = with_credential(&machine, &influxd);
        let settings = format!(
            "[collector.sponsoring]\nurl = \"{}\"\n{sink}{}",
            source.url("/general.json"),
            sink.replace(&influxd.url(), &player.url(""))
                .replace("name = \"influxdb\"", "name = \"player\"")
        );
        machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");

        add(&machine, "sponsoring");
        add_generator(&machine);
        for timer in ["host", "sponsoring", "flush"] {
            let quick = "[Timer]\nOnBootSec=\nOnBootSec=100ms\nOnUnitInactiveSec=300ms\n\
                RandomizedDelaySec=0\nAccuracySec=1ms\n";
            let path = format!("/etc/systemd/system/tidemark-{timer}.timer.d/of-the-test.conf");
            machine.install(path, quick, 0o644, "root");
        }
        Self {
            machine,
            source,
            influxd,
            player,
        }
    }

    /// How many runs of a unit ended so: `done`, `failed`.
    fn ended(&self, unit: &str, result: &str) -> usize {
        let words = ["JOB_TYPE=start", &format!("JOB_RESULT={result}")];
        self.machine
            .journal(&format!("tidemark-{unit}.service"), &words)
            .len()
    }

    /// Lets no run begin any more, and waits for the last.
    fn stop(&self, units: &[&str]) {
        let timers = units.iter().map(|unit| format!("tidemark-{unit}.timer"));
        self.machine
            .systemctl(["stop".to_owned()].into_iter().chain(timers));
        for unit in units {
            self.machine.wait_for_property(
                &format!("tidemark-{unit}.service"),
                "ActiveState",
                "its run is over",
                |state| ["inactive", "failed"].contains(&state),
            );
        }
    }

    fn status(&self) -> Value {
        let status = self.machine.run(["tidemark", "status", "--json"]);
        serde_json::from_str(&status.expect_code(0).stdout).expect("JSON")
    }

    /// A figure of each sink's ledger.
    fn ledger(&self, figure: &str) -> Vec<u64> {
        let status = self.status();
        let sinks = status["sinks"].as_array().expect("sinks");
        let figures: Vec<u64> = sinks.iter().filter_map(|sink| sink[figure].as_u64()).collect();
        assert_eq!(figures.len(), 2, "{status}");
        figures
    }

    /// What the database has of a collector's runs: when each began, and whether it was well.
    fn runs(&self, collector: &str) -> BTreeMap<String, bool> {
        let asked = format!("SELECT ok FROM tidemark_run WHERE collector = '{collector}'");
        let found = self.influxd.query(&asked);
        let rows = found.iter().flat_map(|series| {
            let (times, oks) = (series.column("time"), series.column("ok"));
            times.into_iter().zip(oks).collect::<Vec<_>>()
        });
        rows.map(|(time, ok)| {
            (
                time.number().to_owned(),
                *ok == tidemark_testkit::Cell::Bool(true),
            )
        })
        .collect()
    }

    /// All points that the database has.
    fn points(&self) -> u64 {
        let found = self.influxd.query("SELECT * FROM /.*/");
        found.iter().map(|series| series.rows.len() as u64).sum()
    }

    /// The password is in no unit, no log and no list of processes.
    fn nobody_knows_the_password(&self) {
        for unit in ["host", "sponsoring", "flush"] {
            for word in ["show", "cat"] {
                let said = self
                    .machine
                    .systemctl([word, &format!("tidemark-{unit}.service")]);
                assert!(!said.contains(PASSWORD), "{said}");
            }
        }
        let everything = ["journalctl", "--no-pager", "--output=export", "--all"];
        let everything = self.machine.run(everything).expect_code(0).stdout;
        assert!(!everything.contains(PASSWORD));
        assert!(everything.contains("tidemark-sponsoring"), "it is the journal");
    }
}

/// Times of each series in the order in which they came.
fn times(player: &SinkServer) -> BTreeMap<String, Vec<i64>> {
    let mut times: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let requests = player.requests();
    let points = requests.iter().flat_map(|request| lines(request.text()));
    for Line {
        measurement,
        tags,
        time,
        ..
    } in points
    {
        times
            .entry(format!("{measurement} {tags:?}"))
            .or_default()
            .push(time);
    }
    times
}

/// No sink is there at boot. Runs end well all the same; once the sinks are, the flush alone brings everything, each series
/// in its order, nothing twice.
#[test]
fn a_database_that_is_down_at_boot_gets_everything_later() {
    let mut scene = Scene::new();
    scene.influxd.stop();
    scene.player.close();
    scene.machine.reboot();
    for unit in ["host", "sponsoring", "flush"] {
        wait_for_runs(&scene.machine, unit, "done", &["-b"], 3);
    }
    scene.stop(&COLLECTORS);
    for unit in ["host", "sponsoring", "flush"] {
        assert_eq!(scene.ended(unit, "failed"), 0, "{unit} ends well");
    }
    assert_eq!(scene.ledger("delivered"), [0, 0]);
    let waiting = scene.ledger("waiting");
    let runs = COLLECTORS.map(|name| scene.ended(name, "done"));

    scene.influxd.restart();
    scene.player.reopen();
    wait_until("everything is delivered", BACKOFF, || {
        scene.ledger("waiting") == [0, 0]
    });
    scene.stop(&["flush"]);
    scene.machine.run(["tidemark", "outbox", "flush"]).expect_code(0);
    assert!(scene.ledger("delivered") >= waiting, "{waiting:?}");
    for figure in ["rejected", "dropped", "superseded"] {
        assert_eq!(scene.ledger(figure), [0, 0], "{figure}");
    }

    let said = |unit: &str, sink: &str, words: &str| {
        let service = format!("tidemark-{unit}.service");
        let said = scene.machine.journal(&service, &[&format!("SINK={sink}")]);
        said.iter().any(|entry| entry.message().contains(words))
    };
    for sink in ["influxdb", "player"] {
        let down = ["host", "sponsoring", "flush"]
            .iter()
            .any(|unit| said(unit, sink, "cannot connect"));
        assert!(down, "the journal says that {sink} is down");
        assert!(
            said("flush", sink, "takes points again"),
            "and that it is back: {sink}"
        );
    }

    let of = |collector| scene.runs(collector);
    assert_eq!([of("host").len(), of("sponsoring").len()], runs, "each run, once");
    assert!(of("host").values().chain(of("sponsoring").values()).all(|ok| *ok));
    let count = |measurement, field| scene.influxd.count(measurement, field);
    assert_eq!(count("host_memory", "total_bytes"), runs[0] as u64);
    assert_eq!(count("sponsoring_queue_stats", "count"), 3 * runs[1] as u64);
    assert_eq!(scene.points(), scene.ledger("collected")[0]);
    let times = times(&scene.player);
    assert!(times.len() > 5, "{times:?}");
    for (series, times) in &times {
        assert!(times.is_sorted(), "{series} in order: {times:?}");
        let each: BTreeSet<&i64> = times.iter().collect();
        assert_eq!(each.len(), times.len(), "{series} once each: {times:?}");
    }
    scene.nobody_knows_the_password();
}

/// The power fails in the middle of a run, then the machine is rebooted in the middle of another. The timers come back
/// both times, what was committed is in the database, each point once, and the runs that did not end are closed as such.
#[test]
fn boots_in_the_middle_of_runs_lose_nothing() {
    let mut scene = Scene::new();
    let hang = |scene: &Scene| {
        for name in COLLECTORS {
            wait_for_runs(&scene.machine, name, "done", &["-b"], 2);
        }
        scene.stop(&["sponsoring"]);
        scene.source.route("/general.json", Answer::hang());
        let before = scene.source.requests().len();
        scene
            .machine
            .systemctl(["start", "--no-block", "tidemark-sponsoring.service"]);
        wait_until("a run that waits", BOUND, || {
            scene.source.requests().len() > before
        });
        // What has been asked goes on waiting.
        scene.source.route("/general.json", Answer::ok(report(2)));
    };
    scene.machine.reboot();
    hang(&scene);
    scene.machine.power_cycle();
    hang(&scene);
    scene.machine.reboot();
    for name in COLLECTORS {
        wait_for_runs(&scene.machine, name, "done", &["-b"], 2);
        let timer = format!("tidemark-{name}.timer");
        assert_eq!(scene.machine.property(&timer, "ActiveState"), "active");
    }
    scene.stop(&["host", "sponsoring", "flush"]);
    scene.machine.run(["tidemark", "outbox", "flush"]).expect_code(0);

    let (host, sponsoring) = (scene.runs("host"), scene.runs("sponsoring"));
    let unwell = |runs: &BTreeMap<String, bool>| runs.values().filter(|ok| !**ok).count();
    assert_eq!(
        unwell(&sponsoring),
        2,
        "one was killed, one was told to end: {sponsoring:?}"
    );
    assert!(unwell(&host) <= 2, "{host:?}");
    let well = |runs: &BTreeMap<String, bool>| (runs.len() - unwell(runs)) as u64;
    let count = |measurement, field| scene.influxd.count(measurement, field);
    assert_eq!(count("host_memory", "total_bytes"), well(&host));
    assert_eq!(count("sponsoring_queue_stats", "count"), 3 * well(&sponsoring));
    assert!(well(&sponsoring) >= scene.ended("sponsoring", "done") as u64);
    for figure in ["waiting", "rejected", "dropped", "superseded"] {
        assert_eq!(scene.ledger(figure), [0, 0], "{figure}");
    }
    assert_eq!(scene.ledger("delivered"), scene.ledger("collected"));
    assert_eq!(
        scene.points(),
        scene.ledger("collected")[0],
        "each committed point, once"
    );
    let closed = scene.machine.journal("tidemark-sponsoring.service", &[]);
    assert!(
        closed
            .iter()
            .any(|entry| entry.message().contains("was killed before it ended")),
        "the next run says that one was killed"
    );
    scene.nobody_knows_the_password();
}
