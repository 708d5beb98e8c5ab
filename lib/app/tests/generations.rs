//! Settings that are read anew while the program stays, and runs of many targets, from outside.
#![expect(clippy::expect_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::os::unix::fs::{FileExt as _, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidemark_collect::{ManualClock, Timestamp};
use tidemark_delivery::{Delivery, OpenOptions, Run as Record, SinkLedger, Sinks};
use tidemark_testkit::{Home, Random, Run, Running, SinkServer, program, wait_until};

/// Long enough for a machine that is busy.
const BOUND: Duration = Duration::from_secs(60);

/// Programs with a file of targets at home.
struct Scene {
    home: Home,
    file: PathBuf,
}

impl Scene {
    /// With these targets, and more of settings.
    fn new(targets: &str, more: &str) -> Self {
        let home = Home::new();
        let file = home.file("targets", targets);
        let scene = Self { home, file };
        scene.settings(more);
        scene
    }

    fn settings(&self, more: &str) {
        self.home.settings(&format!(
            "[collector.targets]\nfile = \"{}\"\n{more}\n",
            self.file.display()
        ));
    }

    fn run(&self) -> Run {
        let run = self.home.at_home(Run::new(program("examples/tidemark-targets")));
        run.bound(BOUND)
    }

    /// The program, which stays; once it has looked at `target`.
    fn stays(&self, target: &str) -> Running {
        let running = self.run().args(["--every", "50ms", "-v"]).start();
        looked_at(&running, target);
        running
    }

    /// What is recorded: the runs, the newest first, and the ledgers.
    fn recorded(&self, name: &str) -> (Vec<Record>, Vec<SinkLedger>) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
            let options = OpenOptions::new(&self.home.state(), "h", Sinks::discard("x"), clock);
            let delivery = Delivery::open(options).await;
            let outbox = delivery.outbox().expect("an outbox");
            let runs = outbox.runs(name, 10_000).await.expect("the runs");
            (runs, outbox.ledger().await.expect("the ledgers"))
        })
    }

    fn targets(&self) -> BTreeSet<String> {
        let (runs, _) = self.recorded("targets");
        runs.into_iter().filter_map(|run| run.target).collect()
    }
}

fn hang_up(running: &Running) {
    let pid = Pid::from_raw(running.pid().cast_signed()).expect("a process");
    kill_process(pid, Signal::HUP).expect("it runs");
}

#[track_caller]
fn says(running: &Running, text: &str, times: usize) {
    wait_until(text, BOUND, || running.stderr().matches(text).count() >= times);
}

#[track_caller]
fn looked_at(running: &Running, target: &str) {
    says(running, &format!("debug: {target}: collected "), 1);
}

/// How many looks at a target it tells of by now.
fn looks(running: &Running, target: &str) -> usize {
    let text = format!("debug: {target}: collected ");
    running.stderr().matches(&text).count()
}

const IN_FORCE: &str = "the settings that were read anew are in force";
const REFUSED: &str = "error: the settings have changed, and those before stay in force: ";

#[test]
fn a_signal_has_everything_read_anew_and_nothing_that_was_sent_is_lost() {
    let scene = Scene::new("one", "points = 1");
    // Of the newest hundred runs, which are kept, none is pushed out by then.
    let running = scene.run().args(["--every", "1s", "-v"]).start();
    looked_at(&running, "one");
    scene.settings("points = 2\n[host]\ntags = { site = \"north\" }");
    hang_up(&running);
    says(&running, IN_FORCE, 1);
    says(&running, "debug: one: collected 2 points", 1);
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("SIGHUP: the settings are read anew"),
        "{}",
        ended.stderr
    );
    // Twice where the change was seen before the signal came.
    let reloads = ended.stderr.matches(IN_FORCE).count();
    let (runs, ledgers) = scene.recorded("targets");
    // Each generation's last word is kept.
    let of = |points: u64| {
        let goodbye = runs.iter().filter(|run| run.target.as_deref() == Some("goodbye"));
        goodbye.filter(|run| run.points == points).count()
    };
    assert_eq!((of(1), of(2)), (1, reloads));
    assert!(
        ledgers
            .iter()
            .all(|ledger| ledger.rejected == 0 && ledger.dropped == 0),
        "{ledgers:?}"
    );
}

#[test]
fn what_was_learnt_is_taken_over() {
    let scene = Scene::new("one", "[[sink]]\ntype = \"discard\"");
    let server = SinkServer::start();
    let sink = format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"m\"",
        server.url("")
    );
    let running = scene.stays("one");
    // The sinks are opened anew too.
    scene.settings(&sink);
    wait_until("what is new arrives", BOUND, || {
        server
            .requests()
            .iter()
            .any(|request| request.text().contains("looked,"))
    });
    running.terminate();
    running.wait().expect_code(0);
    let counts: BTreeSet<u64> = server
        .requests()
        .iter()
        .flat_map(|request| {
            let text = request.text();
            let fields = text
                .lines()
                .filter_map(|line| line.split_once(" count="))
                .map(|(_, rest)| rest.to_owned());
            fields.collect::<Vec<_>>()
        })
        .filter_map(|rest| rest.split('i').next()?.parse().ok())
        .collect();
    // It did not begin at one again.
    assert!(counts.first().is_some_and(|first| *first > 1), "{counts:?}");
}

#[test]
fn a_file_of_its_own_is_read_anew_however_it_is_replaced() {
    let scene = Scene::new("one", "");
    let running = scene.stays("one");
    // In place, and at no time empty.
    let write = |name: &str, text: &str| {
        let file = std::fs::File::options()
            .write(true)
            .open(scene.home.path().join(name));
        file.and_then(|file| file.write_all_at(text.as_bytes(), 0))
            .expect("write");
    };
    write("targets", "two");
    looked_at(&running, "two");
    // By a rename.
    let new = scene.home.file("new", "three");
    std::fs::rename(new, &scene.file).expect("rename");
    looked_at(&running, "three");
    // By a link that leads elsewhere.
    scene.home.file("first", "four");
    scene.home.file("second", "nine");
    let link = scene.home.path().join("link");
    symlink("first", &link).expect("a link");
    std::fs::rename(&link, &scene.file).expect("rename");
    looked_at(&running, "four");
    symlink("second", &link).expect("a link");
    std::fs::rename(&link, &scene.file).expect("rename");
    looked_at(&running, "nine");
    // Behind the link.
    write("second", "five");
    looked_at(&running, "five");
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches(IN_FORCE).count(), 5, "{}", ended.stderr);
}

#[test]
fn settings_that_are_wrong_leave_those_before_in_force_and_are_said_once() {
    let scene = Scene::new("one", "");
    let running = scene.stays("one");
    // Each step is one change, and is waited for: what lies between two would be refused as well.
    scene.home.file("targets", "two!");
    says(&running, REFUSED, 1);
    let before = looks(&running, "one");
    wait_until("it goes on as before", BOUND, || {
        looks(&running, "one") > before + 30
    });
    // A check that panics.
    scene.home.file("targets", "panic");
    says(&running, "reading them panicked", 1);
    // Deleted.
    std::fs::remove_file(&scene.file).expect("remove");
    says(&running, "cannot be read", 1);
    // What every program has in its settings is checked too.
    scene.home.settings("[collector.targets]\nfile = 3\n");
    says(&running, "`file` is an integer", 1);
    // While it is so, each run says it to `tidemark status`.
    wait_until("a run that says so", BOUND, || {
        let (runs, _) = scene.recorded("targets");
        runs[0]
            .notices
            .first()
            .is_some_and(|notice| notice.contains("`file` is an integer"))
    });
    let (told, _) = scene.recorded("targets");
    scene.settings("");
    says(&running, "cannot be read", 2);
    scene.home.file("targets", "two");
    looked_at(&running, "two");
    running.terminate();
    let ended = running.wait().expect_code(0);
    let refused: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains(REFUSED))
        .collect();
    assert_eq!(refused.len(), 5, "{}", ended.stderr);
    let path = scene.file.display();
    assert!(
        refused[0].ends_with(&format!("{path}: \"two!\" is no target; {path}: mend it")),
        "{refused:?}"
    );
    for (place, why) in [
        (2, "cannot be read"),
        (3, "`file` is an integer"),
        (4, "cannot be read"),
    ] {
        assert!(refused[place].contains(why), "{refused:?}");
    }
    assert!(
        told.iter()
            .filter_map(|run| run.notices.first())
            .all(|notice| notice.contains("those before stay in force"))
    );
    assert!(told.iter().all(|run| run.ok));
    let (runs, _) = scene.recorded("targets");
    assert!(runs[0].notices.is_empty(), "{:?}", runs[0]);
}

#[test]
fn a_dry_run_is_not_begun_or_ended_by_a_reload() {
    let scene = Scene::new("one", "");
    let running = scene.stays("one");
    scene.settings("[host]\ndry_run = true");
    says(&running, "`dry_run` of [host] is another now", 1);
    let before = looks(&running, "one");
    wait_until("it goes on as before", BOUND, || {
        looks(&running, "one") > before + 80
    });
    // Back as it was: that is in force again.
    scene.settings("points = 2");
    says(&running, "debug: one: collected 2 points", 1);
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.matches(REFUSED).count(), 1, "{}", ended.stderr);
}

#[test]
fn a_storm_of_signals_is_a_few_reloads_and_runs_go_on() {
    let scene = Scene::new("one two three", "");
    let running = scene.stays("three");
    let before = looks(&running, "one");
    let mut sent = 0;
    wait_until("runs go on in the storm", BOUND, || {
        (0..200).for_each(|_| hang_up(&running));
        sent += 200;
        sent >= 1000 && looks(&running, "one") > before + 40
    });
    says(&running, IN_FORCE, 2);
    running.terminate();
    let ended = running.wait().expect_code(0);
    let reloads = ended.stderr.matches(IN_FORCE).count();
    // At most one a second.
    assert!(
        reloads as u64 <= ended.wall.as_secs() + 2,
        "{reloads} in {:?}",
        ended.wall
    );
    assert!(
        !ended.stderr.contains("error") && !ended.stderr.contains("warning"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_slow_run_is_broken_off_by_a_reload_and_is_no_failure() {
    let home = Home::new();
    let settings = |takes: &str| {
        home.settings(&format!(
            "[collector.behaving]\ndeadline = \"1h\"\ntakes = \"{takes}\"\n"
        ));
    };
    settings("10m");
    let run = home.at_home(Run::new(program("examples/tidemark-behaving")));
    let running = run.bound(BOUND).args(["--every", "100ms", "-v"]).start();
    says(&running, "a run that takes 10m", 1);
    settings("0s");
    hang_up(&running);
    says(&running, "collected 3 points", 1);
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(ended.wall < Duration::from_secs(600), "{:?}", ended.wall);
    assert!(
        ended.stderr.contains("was broken off for the newer settings"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    let scene = Scene {
        home,
        file: PathBuf::new(),
    };
    let (runs, _) = scene.recorded("behaving");
    assert!(!runs.is_empty() && runs.iter().all(|run| run.ok), "{runs:?}");
}

#[test]
fn a_collector_that_does_not_heed_is_left_behind_for_newer_settings() {
    let mut scene = Scene::new("one", "lingers = \"1h\"");
    let running = scene.stays("one");
    // One change.
    scene.file = scene.home.file("others", "two");
    scene.settings("lingers = \"0s\"");
    looked_at(&running, "two");
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(
        ended
            .stderr
            .contains("did not heed the signal to end, and is left"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_signal_to_end_is_heeded_while_settings_are_exchanged() {
    const LINGERS: Duration = Duration::from_secs(4);
    // A machine that stands still may have exchanged them before the signal: then once more.
    let is_in_time = || {
        let scene = Scene::new("one", &format!("lingers = \"{}s\"", LINGERS.as_secs()));
        let running = scene.stays("one");
        let began = Instant::now();
        hang_up(&running);
        says(&running, "SIGHUP: the settings are read anew", 1);
        running.terminate();
        let is_in_time = began.elapsed() < LINGERS;
        let ended = running.wait().expect_code(0);
        assert!(
            !is_in_time || !ended.stderr.contains(IN_FORCE),
            "{}",
            ended.stderr
        );
        assert!(scene.targets().contains("goodbye"));
        is_in_time
    };
    assert!((0..5).any(|_| is_in_time()), "no signal came in time");
}

#[test]
fn the_manager_is_told() {
    let scene = Scene::new("one", "");
    let socket = scene.home.path().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_nonblocking(true).expect("a socket");
    let mut told = Vec::new();
    let mut wait_for = |what: &str| {
        wait_until(what, BOUND, || {
            let mut bytes = [0; 1000];
            while let Ok(length) = manager.recv(&mut bytes) {
                told.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
            told.iter().any(|text| text.starts_with(what))
        });
        let at = told
            .iter()
            .position(|text| text.starts_with(what))
            .expect("it is there");
        told.drain(..=at);
    };
    // What is told of each run would fill the socket while nobody reads.
    let run = scene.run().args(["--every", "1h"]).env("NOTIFY_SOCKET", &socket);
    let running = run.env("WATCHDOG_USEC", "60000000").start();
    for what in ["READY=1", "WATCHDOG=1", "STATUS="] {
        wait_for(what);
    }
    hang_up(&running);
    for what in [
        "RELOADING=1\nMONOTONIC_USEC=",
        "STATUS=the settings were read anew",
        "READY=1",
    ] {
        wait_for(what);
    }
    scene.home.file("targets", "!");
    for what in [
        "RELOADING=1\nMONOTONIC_USEC=",
        "STATUS=the settings have changed, and those before stay",
        "READY=1",
    ] {
        wait_for(what);
    }
    running.terminate();
    wait_for("STOPPING=1");
    running.wait().expect_code(0);
}

#[test]
fn a_kill_leaves_nothing_half() {
    let mut random = Random::fresh();
    let names: Vec<String> = (0..8).map(|number| format!("cl{number}")).collect();
    // Nothing listens there: what is kept waits.
    let sink = "points = 7\n[[sink]]\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"m\"";
    for _ in 0..8 {
        let scene = Scene::new(&names.join(" "), sink);
        // As many runs as are kept take ten seconds.
        let run = scene.run().args(["--every", "800ms"]);
        let range = Duration::from_millis(100)..Duration::from_millis(1200);
        run.kill_at_random(&mut random, range);
        if !scene.home.state().join("outbox.db").exists() {
            continue;
        }
        let (runs, ledgers) = scene.recorded("targets");
        let points: u64 = runs.iter().map(|run| run.points + 1).sum();
        let collected = ledgers
            .iter()
            .find(|ledger| ledger.name == "influxdb")
            .map_or(0, |ledger| ledger.collected);
        assert!(runs.len() < 100, "more than are kept: {}", runs.len());
        assert_eq!(points, collected, "{} runs", runs.len());
    }
}

#[test]
fn runs_of_many_targets_are_quiet() {
    let names: Vec<String> = (0..40).map(|number| format!("cl{number}")).collect();
    let scene = Scene::new(&names.join(" "), "fail = [\"cl3\", \"cl17\"]");
    let running = scene.run().args(["--every", "50ms"]).start();
    says(&running, "cl17: it does not answer", 1);
    // The newest hundred are kept: looked at while it still fails.
    wait_until("many runs, and failed ones among them", BOUND, || {
        let (runs, _) = scene.recorded("targets");
        let failed = runs
            .iter()
            .any(|run| !run.ok && run.target.as_deref() == Some("cl17"));
        failed && runs.len() >= 100
    });
    scene.settings("fail = [\"cl3\"]");
    says(&running, "notice: cl17: ", 1);
    running.terminate();
    let ended = running.wait().expect_code(0);
    // A new collector with the same failure says nothing new.
    let mut said: Vec<&str> = ended.stderr.lines().collect();
    said.retain(|line| !line.contains("the settings"));
    said.sort_unstable();
    assert_eq!(
        said,
        [
            "tidemark-targets: notice: cl17: well again",
            "tidemark-targets: warning: cl17: it does not answer",
            "tidemark-targets: warning: cl3: it does not answer",
        ],
        "{}",
        ended.stderr
    );
}

#[test]
fn a_program_has_options_and_subcommands_of_its_own() {
    let scene = Scene::new("", "");
    let ended = scene.run().arg("greet").run().expect_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("hello\n", ""));
    let help = scene.run().arg("--help").run().expect_code(0).stdout;
    assert!(help.contains("--file <FILE>") && help.contains("greet"), "{help}");
    scene.run().arg("gret").run().expect_code(2);

    let ended = scene.run().arg("-n").run().expect_code(0);
    assert!(ended.stderr.contains("notice: ") && ended.stderr.contains("names no target"));
    let other = scene.home.file("other", "one two");
    let ended = scene
        .run()
        .arg("-n")
        .arg("--file")
        .arg(&other)
        .run()
        .expect_code(0);
    assert_eq!(
        ended.stdout.matches("measurement: looked").count(),
        2,
        "{}",
        ended.stdout
    );

    let ended = scene.run().args(["--file", "/nowhere"]).run().expect_code(78);
    assert!(
        ended
            .stderr
            .starts_with("tidemark-targets: /nowhere cannot be read: "),
        "{}",
        ended.stderr
    );
    let (runs, _) = scene.recorded("targets");
    assert!(
        runs[0]
            .error
            .as_deref()
            .is_some_and(|error| error.contains("/nowhere cannot be read"))
    );
}
