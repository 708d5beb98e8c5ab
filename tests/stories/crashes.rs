//! Kills at random instants of runs and flushes, several collectors at once, a database that comes and goes: the ledger
//! adds up, every committed point is stored, none twice.
//!
//! The short campaign is a test like the others. The long one is `tests/campaign`, which sets `TIDEMARK_CRASHES` to the
//! number of kills. `TIDEMARK_SEED` repeats a campaign's random numbers (not its timing).
//!
//! How it is known that nothing is lost: every batch goes to the database, to the store, and to a witness that writes
//! down every line that it is sent. In the end all have been brought everything that was committed (`collected`), so the
//! number of points in the database, the number of different points that the witness saw and the ledger's `delivered`
//! must all be that number. None twice: a point that was sent again for want of an answer has its first time, and
//! overwrites itself; a point that was made twice would be one too many. What the store shows of each collector is what
//! the witness saw.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidemark_testkit::{Home, Influxd, InfluxdOptions, Random, Run, SinkServer, asked};

use crate::scene::{BOUND, Ledger, Line, Scene, influxdb, lines, playing, status};

/// How long the short campaign kills.
const SHORT: Duration = Duration::from_secs(20);
/// How many kills the short campaign has at the most, and at the least.
const SHORT_KILLS: (u64, u64) = (400, 30);
/// How long it kills on the slowest machine, until it has as many as it must.
const SLOWEST: Duration = Duration::from_secs(120);
/// Long enough to end by itself, nearly always.
const AT_LEISURE: Duration = Duration::from_secs(20);
/// How long the long one may take, a kill.
const LONG_A_KILL: Duration = Duration::from_secs(1);

/// One of those that are killed, again and again.
struct Victim<'a> {
    home: &'a Home,
    program: &'static str,
    arguments: &'static [&'static str],
}

impl Victim<'_> {
    fn run(&self) -> Run {
        self.home.run(self.program).args(self.arguments).bound(BOUND)
    }
}

/// What a campaign did.
#[derive(Default)]
struct Tally {
    /// In the order of the victims.
    each: [Fate; 3],
    done: AtomicBool,
}

/// How often a victim was killed, and how often it ended by itself.
#[derive(Default)]
struct Fate {
    killed: AtomicU64,
    ended: AtomicU64,
}

#[test]
fn nothing_committed_is_lost_and_nothing_is_stored_twice() {
    let wanted = asked("TIDEMARK_CRASHES");
    let (kills, least) = wanted.map_or(SHORT_KILLS, |kills| (kills, kills));
    let (bound, slowest) = wanted.map_or((SHORT, SLOWEST), |kills| {
        let bound = LONG_A_KILL * u32::try_from(kills).unwrap_or(u32::MAX);
        (bound, bound)
    });
    let mut random = Random::fresh();
    let user = Some(("metrics".to_owned(), "it is a secret".to_owned()));
    let mut server = Influxd::start(InfluxdOptions {
        user,
        ..InfluxdOptions::default()
    });
    let witness = SinkServer::start();
    let scene = Scene::new();
    scene.report(20);
    let store = "[[sink]]\ntype = \"store\"\n";
    scene.sinks(&(influxdb("database", &server) + &playing("witness", &witness) + store));

    let victims = [
        Victim {
            home: &scene.home,
            program: "tidemark-sponsoring",
            arguments: &[],
        },
        Victim {
            home: &scene.home,
            program: "tidemark-host",
            arguments: &[],
        },
        Victim {
            home: &scene.home,
            program: "tidemark",
            arguments: &["outbox", "flush"],
        },
    ];
    let tally = Tally::default();
    let began = Instant::now();
    std::thread::scope(|scope| {
        let start = |(victim, fate)| {
            let (mut random, tally) = (Random::new(random.next_u64()), &tally);
            scope.spawn(move || torment(victim, fate, &mut random, tally, kills))
        };
        let torments: Vec<_> = victims.iter().zip(&tally.each).map(start).collect();
        let mut before = Ledger::default();
        // The database is this thread's: it lives as long as the thread that starts it.
        while tally.goes_on(kills) && began.elapsed() < if tally.has(least) { bound } else { slowest } {
            let up = random.duration(Duration::from_millis(300)..Duration::from_millis(1500));
            std::thread::park_timeout(up);
            if random.below(2) == 0 {
                server.kill();
            } else {
                server.stop();
            }
            std::thread::park_timeout(random.duration(Duration::ZERO..Duration::from_millis(700)));
            server.restart();
            before = assert_grows(&scene, &before);
        }
        tally.done.store(true, Ordering::Relaxed);
        for torment in torments {
            torment.join().expect("its message is above");
        }
    });
    for (victim, fate) in victims.iter().zip(&tally.each) {
        tell(&format!(
            "{} {:?}: {}",
            victim.program,
            victim.arguments,
            fate.told()
        ));
        assert!(fate.is_both(), "each is killed, and each ends");
    }
    let killed = tally.killed();
    assert!(killed >= least, "only {killed} kills in {:?}", began.elapsed());

    // One whole run of each closes what was killed last; then everything that waits is brought.
    for victim in &victims[..2] {
        victim.run().run().expect_code(0);
    }
    scene
        .tidemark("outbox flush")
        .bound(Duration::from_secs(300))
        .run()
        .expect_code(0);
    assert_adds_up(&scene, &server, &witness);
}

impl Tally {
    fn killed(&self) -> u64 {
        self.each
            .iter()
            .map(|fate| fate.killed.load(Ordering::Relaxed))
            .sum()
    }

    /// Whether there were so many kills, and each victim was killed and ended by itself.
    fn has(&self, kills: u64) -> bool {
        self.killed() >= kills && self.each.iter().all(Fate::is_both)
    }

    fn goes_on(&self, kills: u64) -> bool {
        !self.done.load(Ordering::Relaxed) && !self.has(kills)
    }
}

impl Fate {
    fn is_both(&self) -> bool {
        [&self.killed, &self.ended]
            .iter()
            .all(|count| count.load(Ordering::Relaxed) > 0)
    }

    fn told(&self) -> String {
        let [killed, ended] = [&self.killed, &self.ended].map(|count| count.load(Ordering::Relaxed));
        format!("{killed} killed, {ended} ended by themselves")
    }
}

/// Runs it and kills it, until enough are killed or the time is over. Every fifth may end by itself.
fn torment(victim: &Victim<'_>, fate: &Fate, random: &mut Random, tally: &Tally, kills: u64) {
    // How long it takes undisturbed changes with what else goes on: the kills follow it.
    let mut usual = Duration::from_millis(40);
    while tally.goes_on(kills) {
        let latest = if random.below(5) == 0 {
            AT_LEISURE
        } else {
            usual + usual / 4
        };
        let end = victim.run().kill_at_random(random, Duration::ZERO..latest);
        if end.signal == Some(9) {
            fate.killed.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        fate.ended.fetch_add(1, Ordering::Relaxed);
        usual = (usual * 3 + end.wall.min(Duration::from_secs(1))) / 4;
        // A flush that could not bring everything says so with 1; a run has kept its batch.
        let is_flush = victim.program == "tidemark";
        let well = matches!((end.code, is_flush), (Some(0), _) | (Some(1), true))
            && !end.stderr.contains("panicked");
        if !well {
            tally.done.store(true, Ordering::Relaxed);
        }
        assert!(
            well,
            "{} ended with {:?}: {}",
            victim.program, end.code, end.stderr
        );
    }
}

#[track_caller]
fn assert_adds_up(scene: &Scene, server: &Influxd, witness: &SinkServer) {
    let stored = stored(server);
    let seen: Vec<Line> = witness
        .requests()
        .iter()
        .flat_map(|request| lines(request.text()))
        .collect();
    let different: BTreeSet<String> = seen.iter().map(Line::key).collect();
    let told = status(&scene.home);
    let [of_database, of_witness, of_store] = ["database", "witness", "store"].map(|name| told.sink(name));
    tell(&format!(
        "{of_database:?}; {} points in the database; {} sent to the witness",
        stored,
        seen.len()
    ));
    assert_eq!(
        of_database.figures(),
        (of_database.collected, of_database.collected, 0, 0)
    );
    assert_eq!(
        of_witness.figures(),
        (of_witness.collected, of_witness.collected, 0, 0)
    );
    assert_eq!(of_store.figures(), of_witness.figures(), "all got the same");
    assert_eq!(
        different.len() as u64,
        of_witness.collected,
        "points that the witness saw, points committed"
    );
    assert_eq!(stored, of_database.collected, "points stored, points committed");
    for collector in ["sponsoring", "host"] {
        assert_shown(scene, collector, &seen);
    }
    assert!(
        of_database.collected > 50,
        "the campaign committed something: {of_database:?}"
    );
}

/// In the midst of it, too, the ledger adds up, and nothing is taken back; gives the ledger as it is now.
#[track_caller]
fn assert_grows(scene: &Scene, before: &Ledger) -> Ledger {
    let told = status(&scene.home);
    // The first commit may have been killed.
    if told.0["sinks"].as_array().is_none_or(Vec::is_empty) {
        return before.clone();
    }
    let now = told.sink("database");
    assert!(
        now.collected >= before.collected && now.delivered >= before.delivered,
        "{before:?}, then {now:?}"
    );
    assert_eq!((now.rejected, now.dropped), (0, 0), "{now:?}");
    now
}

/// What the store shows of a collector is what the witness saw: the same points, with the same fields.
#[track_caller]
fn assert_shown(scene: &Scene, collector: &str, seen: &[Line]) {
    let shown = scene.tidemark(&format!("show {collector} --since 1d --output influx"));
    let shown = lines(&shown.bound(Duration::from_secs(120)).run().expect_code(0).stdout);
    let point = |line: &Line| (line.key(), line.fields.keys().cloned().collect::<Vec<_>>());
    let seen = seen.iter().filter(|line| line.measurement.starts_with(collector));
    let (shown_points, seen): (BTreeSet<_>, BTreeSet<_>) =
        (shown.iter().map(point).collect(), seen.map(point).collect());
    assert_eq!(
        shown.len(),
        shown_points.len(),
        "{collector}: each point is shown once"
    );
    let (lost, strange) = (
        seen.difference(&shown_points).count(),
        shown_points.difference(&seen).count(),
    );
    assert_eq!(
        (lost, strange),
        (0, 0),
        "{collector}: points that the store lost, and that nobody else saw"
    );
    assert!(!seen.is_empty());
}

/// How many points are in the database: a row a point.
fn stored(server: &Influxd) -> u64 {
    let names = server.query("SHOW MEASUREMENTS");
    let names = names
        .iter()
        .flat_map(|series| &series.rows)
        .map(|row| row[0].text().to_owned());
    let rows = |name: String| {
        let series = server.query(&format!("SELECT * FROM \"{name}\""));
        series.iter().map(|series| series.rows.len() as u64).sum::<u64>()
    };
    names.map(rows).sum()
}

#[expect(
    clippy::print_stderr,
    reason = "the long campaign's figures; the harness shows them where it fails"
)]
fn tell(text: &str) {
    eprintln!("{text}");
}
