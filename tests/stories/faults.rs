//! Several sinks at once, each with another fault, for hundreds of batches of several collectors: each ledger adds up,
//! none delays another or a run, and when the faults end all that can be delivered is.
//!
//! The short campaign is a test like the others. The long one is `tests/campaign faults 2000`, which sets
//! `TIDEMARK_FAULTS` to the number of runs.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidemark_collect::{Clock, SystemClock};
use tidemark_delivery::Run as Record;
use tidemark_point::{Adjustments, Point};
use tidemark_testkit::{
    Answer, Influxd, InfluxdOptions, Prometheus, PrometheusOptions, Request, SinkServer, SmallDisk, asked,
    wait_until,
};

use crate::scene::{BOUND, LONGEST_RUN, Ledger, QUEUE, Scene, Submitter, influxdb, lines, playing, status};

/// How long the short campaign's faults last, and how many batches they must meet.
const SHORT: (Duration, u64) = (Duration::from_secs(8), 200);
/// How long they last on the slowest machine, until they have.
const SLOWEST: Duration = Duration::from_secs(120);
/// How long the long one's may last, a run.
const LONG_A_RUN: Duration = Duration::from_secs(2);
/// Between two runs of a collector that leaves delivery to the others.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the slow sink takes to answer.
const SLOW: Duration = Duration::from_millis(800);
/// How long the slowest machine takes until those that are well have everything.
const CAUGHT_UP: Duration = Duration::from_secs(90);
/// Those that take everything at once, but for what they reject.
const WELL: [&str; 3] = ["well", "prometheus", "picky"];
/// Those that are ill, and take something all the same.
const TAKE_SOME: [&str; 3] = ["slow", "busy", "shaky"];

/// The sinks, from the one that is well to the one that is worst.
struct Sinks {
    well: Influxd,
    /// Well too, and of another kind.
    prometheus: Prometheus,
    /// Refuses one point of each batch of the report.
    picky: SinkServer,
    /// Answers late.
    slow: SinkServer,
    /// 429 with Retry-After, now and then.
    busy: SinkServer,
    /// 500 to every second request.
    shaky: SinkServer,
    /// Never answers.
    silent: SinkServer,
    /// Refuses connections.
    down: SinkServer,
    /// A folder on a disk that is mounted read-only.
    folder: SmallDisk,
}

const NAMES: [&str; 9] = [
    "well",
    "prometheus",
    "picky",
    "slow",
    "busy",
    "shaky",
    "silent",
    "down",
    "folder",
];

impl Sinks {
    fn start() -> Self {
        Self {
            well: Influxd::start(InfluxdOptions::default()),
            prometheus: Prometheus::start(PrometheusOptions {
                remote_write: true,
                ..PrometheusOptions::default()
            }),
            picky: SinkServer::start(),
            slow: SinkServer::start(),
            busy: SinkServer::start(),
            shaky: SinkServer::start(),
            silent: SinkServer::start(),
            down: SinkServer::start(),
            folder: SmallDisk::new(1 << 20),
        }
    }

    fn settings(&self) -> String {
        let v2 = |name: &str, server: &SinkServer| {
            let url = server.url("");
            format!(
                "[[sink]]\nname = \"{name}\"\ntype = \"influxdb2\"\nurl = \"{url}\"\norg = \"o\"\nbucket = \"b\"\ntoken = \"t\"\n\n"
            )
        };
        let remote_write = |name: &str, url: &str| {
            format!("[[sink]]\nname = \"{name}\"\ntype = \"remote-write\"\nurl = \"{url}\"\n\n")
        };
        let folder = self.folder.path();
        [
            // The worst come first.
            playing("down", &self.down),
            remote_write("silent", &self.silent.url("/write")),
            format!(
                "[[sink]]\nname = \"folder\"\ntype = \"textfile\"\ndirectory = \"{}\"\n\n",
                folder.display()
            ),
            v2("shaky", &self.shaky),
            remote_write("busy", &self.busy.url("/write")),
            v2("slow", &self.slow),
            playing("picky", &self.picky),
            remote_write("prometheus", &self.prometheus.write_url()),
            influxdb("well", &self.well),
        ]
        .concat()
    }

    fn faults_begin(&mut self) {
        self.down.close();
        self.folder.read_only();
        self.silent.judge(|_| Answer::hang());
        self.slow.judge(|_| Answer::new(204).after(SLOW));
        let count = AtomicU64::new(0);
        self.shaky.judge(move |_| {
            let odd = count.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            Answer::new(if odd { 204 } else { 500 })
        });
        let count = AtomicU64::new(0);
        self.busy
            .judge(move |_| match count.fetch_add(1, Ordering::Relaxed) % 5 {
                0 => Answer::new(429).header("Retry-After", "2"),
                _ => Answer::new(204),
            });
        self.picky.judge(refuse_one);
    }

    fn faults_end(&mut self) {
        self.down.reopen();
        self.folder.writable();
        for server in [&self.silent, &self.slow, &self.shaky, &self.busy] {
            server.judge(|_| Answer::new(204));
        }
    }
}

/// Refuses the point of the first set, and says which it is; the others of the request are taken.
fn refuse_one(request: &Request) -> Answer {
    let bad = request.lines().find(|line| line.contains("report=set-00000"));
    bad.map_or(Answer::new(204), |bad| {
        let error = format!("partial write: unable to parse '{bad}': it is not liked dropped=1");
        Answer::new(400).body(serde_json::json!({ "error": error }).to_string())
    })
}

#[test]
fn each_ledger_adds_up_and_none_delays_another() {
    let wanted = asked("TIDEMARK_FAULTS");
    let (least, bound, due) = match wanted {
        Some(runs) => (
            Duration::ZERO,
            LONG_A_RUN * u32::try_from(runs).unwrap_or(u32::MAX),
            2 * runs,
        ),
        None => (SHORT.0, SLOWEST, SHORT.1),
    };
    let mut sinks = Sinks::start();
    let scene = Scene::new();
    scene.report(5);
    scene.sinks(&sinks.settings());
    sinks.faults_begin();

    let (runs, began) = (AtomicU64::new(0), Instant::now());
    let all_took_some = AtomicBool::new(false);
    let goes_on = || {
        let is_enough = 2 * runs.load(Ordering::Relaxed) >= due && all_took_some.load(Ordering::Relaxed);
        began.elapsed() < if is_enough { least } else { bound }
    };
    std::thread::scope(|scope| {
        for program in ["tidemark-sponsoring", "tidemark-host"] {
            let (scene, runs, goes_on) = (&scene, &runs, &goes_on);
            scope.spawn(move || {
                while goes_on() {
                    let ended = scene.home.run(program).bound(BOUND).run();
                    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
                    assert_eq!(ended.code, Some(0), "{program}: {}", ended.stderr);
                    assert!(ended.wall < LONGEST_RUN, "{program} took {:?}", ended.wall);
                    runs.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for collector in ["one", "two", "three"] {
            let (scene, runs, goes_on) = (&scene, &runs, &goes_on);
            scope.spawn(move || {
                let mut submitter = Submitter::new(&scene.home, &[]);
                while goes_on() {
                    let now = SystemClock.now();
                    let point = Point::builder("quick").tag("of", collector).field("value", 0.5);
                    let point = point.time(now).build(&mut Adjustments::default());
                    let record = Record::new(collector, now, Duration::from_secs(60));
                    submitter.submit(&record, &[point.expect("a point")]);
                    runs.fetch_add(1, Ordering::Relaxed);
                    std::thread::park_timeout(PAUSE);
                }
            });
        }
        // In the midst of it, too, each adds up (`Status::sink` demands it), and nothing is taken back.
        let mut before = vec![Ledger::default(); NAMES.len()];
        while goes_on() {
            let told = status(&scene.home);
            if told.0["sinks"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            for (name, before) in NAMES.iter().zip(&mut before) {
                let now = told.sink(name);
                let grows = [
                    (before.collected, now.collected),
                    (before.delivered, now.delivered),
                    (before.rejected, now.rejected),
                    (before.superseded, now.superseded),
                ];
                assert!(
                    grows.iter().all(|(before, now)| before <= now),
                    "{name}: {before:?}, then {now:?}"
                );
                *before = now;
            }
            let took_some = TAKE_SOME.iter().all(|name| told.sink(name).delivered > 0);
            all_took_some.store(took_some, Ordering::Relaxed);
        }
    });
    // Alone, so that nobody else delivers to a sink just now. A slow machine does not bring all at once, and one that was
    // so slow that a run's time was over before an answer came leaves that sink alone for some seconds.
    let mut alone = 0;
    wait_until("those that are well have everything", CAUGHT_UP, || {
        scene.collect();
        alone += 1;
        let told = status(&scene.home);
        WELL.iter().all(|name| told.sink(name).waiting == 0)
    });
    let runs = runs.into_inner();
    assert!(2 * runs >= due, "{runs} runs");
    assert_midst(&scene, &sinks);

    sinks.faults_end();
    scene
        .tidemark("outbox flush")
        .bound(Duration::from_secs(300))
        .run()
        .expect_code(0);
    assert_end(&scene, &sinks, runs + alone);
}

/// While the faults last: those that are well have got everything, the others what they could take.
#[track_caller]
fn assert_midst(scene: &Scene, sinks: &Sinks) {
    let told = status(&scene.home);
    let collected = told.sink("well").collected;
    for name in NAMES {
        let ledger = told.sink(name);
        assert_eq!(ledger.collected, collected, "{name}: {ledger:?}");
        assert_eq!(ledger.dropped, 0, "{name}: {ledger:?}");
        match name {
            _ if WELL.contains(&name) => assert_eq!(ledger.waiting, 0, "{name}: {ledger:?}"),
            "silent" | "down" | "folder" => assert_eq!(ledger.delivered, 0, "{name}: {ledger:?}"),
            _ => assert!(ledger.delivered > 0, "{name}: {ledger:?}"),
        }
        assert_eq!(ledger.rejected > 0, name == "picky", "{name}: {ledger:?}");
    }
    // Those that do not answer are left alone, not asked by each process.
    let asked = sinks.silent.requests().len();
    assert!(asked < 30, "{asked} requests to a sink that never answers");
}

/// After the faults: nothing waits, and everybody has the same points.
#[track_caller]
fn assert_end(scene: &Scene, sinks: &Sinks, due: u64) {
    let told = status(&scene.home);
    for name in NAMES {
        let ledger = told.sink(name);
        assert_eq!((ledger.waiting, ledger.dropped), (0, 0), "{name}: {ledger:?}");
        assert_eq!(ledger.superseded > 0, name == "folder", "{name}: {ledger:?}");
        assert_eq!(ledger.rejected > 0, name == "picky", "{name}: {ledger:?}");
    }
    let keys = |server: &SinkServer| -> BTreeSet<String> {
        let requests = server.requests();
        let lines = requests.iter().flat_map(|request| lines(request.text()));
        lines.map(|line| line.key()).collect()
    };
    let down = keys(&sinks.down);
    assert_eq!(down, keys(&sinks.shaky));
    assert_eq!(down, keys(&sinks.slow));
    assert_eq!(keys(&sinks.picky).len(), keys(&sinks.picky).union(&down).count());
    let of_queue = down.iter().filter(|key| key.starts_with(QUEUE)).count() as u64;
    assert_eq!(sinks.well.count(QUEUE, "count"), of_queue);
    let runs = down.iter().filter(|key| key.starts_with("tidemark_run")).count();
    assert_eq!(runs as u64, due);
    let stored = sinks.prometheus.stored("tidemark_run_ok");
    assert_eq!(
        stored.iter().map(|series| series.samples.len()).sum::<usize>(),
        runs
    );
    // The folder has what the last run of each said.
    for page in [
        "tidemark-host.prom",
        "tidemark_run-host.prom",
        "tidemark-sponsoring.prom",
    ] {
        assert_page(&sinks.folder.path().join(page));
    }
}

#[track_caller]
fn assert_page(path: &Path) {
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions());
    let mode = mode.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    assert_eq!(
        mode.mode() & 0o777,
        Permissions::from_mode(0o644).mode(),
        "{}",
        path.display()
    );
}
