//! The contract of the operator's command, from outside: exit codes, outputs, messages, children.
//!
//! Here: a `Site` for each test, and the good day; `trouble.rs`: the bad one; `mending.rs`: refused points; `due.rs`: the
//! flush timer's; `lint.rs`; `pages.rs`: completions and manual pages; `units.rs`: units without systemd.
#![expect(clippy::expect_used, reason = "helpers of tests are tests")]

mod due;
mod gostats;
mod lint;
mod mending;
mod pages;
mod trouble;
mod units;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_testkit::{Ended, Home, Run, Running, program, wait_until};

/// Long enough on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A home with a folder of collectors: `behaving`, which behaves as its settings say.
struct Site {
    home: Home,
}

impl Site {
    fn new(settings: &str) -> Self {
        let site = Self::without_collectors(settings);
        let target = program("examples/tidemark-told");
        std::os::unix::fs::symlink(target, site.folder().join("tidemark-behaving")).expect("a link");
        site
    }

    fn without_collectors(settings: &str) -> Self {
        let site = Self { home: Home::new() };
        site.home.settings(settings);
        fs::create_dir(site.folder()).expect("a folder");
        site
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("collectors")
    }

    /// A collector that is a shell script.
    fn script(&self, name: &str, script: &str) {
        let text = self
            .home
            .file(&format!("{name}.script"), format!("#!/bin/sh\n{script}\n"));
        install(&text, &self.folder().join(format!("tidemark-{name}")));
    }

    /// A description beside the program.
    fn describe(&self, name: &str, interval: &str, deadline: &str) {
        let text = format!(
            r#"{{"name": "{name}", "summary": "A script.", "version": "1", "run_interval": "{interval}",
            "deadline": "{deadline}", "default": "on", "measurements": [], "settings": [],
            "needs": {{"network": false, "programs": [], "paths": []}}}}"#
        );
        fs::write(self.folder().join(format!("{name}.json")), text).expect("write");
    }

    fn tidemark(&self, line: &[&str]) -> Run {
        let run = Run::new(env!("CARGO_BIN_EXE_tidemark")).args(line);
        self.home
            .at_home(run)
            .env("TIDEMARK_COLLECTORS", self.folder())
            .bound(Duration::from_secs(60))
    }

    fn run(&self, line: &[&str]) -> Ended {
        self.tidemark(line).run()
    }

    fn status(&self) -> serde_json::Value {
        let text = self.run(&["status", "--json"]).expect_code(0).stdout;
        serde_json::from_str(&text).expect("JSON")
    }
}

const ON: &str = "[collector.behaving]\nrun_interval = \"1m\"\n";

/// Copies a program by a program: where this process had it open for writing, one that another test starts meanwhile
/// would inherit that, and it could not be run yet ("text file busy").
fn install(from: &Path, to: &Path) {
    let done = std::process::Command::new("install")
        .args(["-m", "755"])
        .args([from, to])
        .status();
    assert!(done.expect("install").success(), "{}", to.display());
}

#[track_caller]
fn one_line(ended: &Ended) -> &str {
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("tidemark: "), "{}", ended.stderr);
    ended.stderr.trim_end()
}

/// Waits until `up` has said `text` so often.
#[track_caller]
fn wait_for(up: &Running, text: &str, times: usize) {
    wait_until(&format!("{times} times {text:?}"), SOON, || {
        up.stdout().matches(text).count() >= times
    });
}

#[test]
fn a_run_is_seen_by_status_and_show() {
    let site = Site::new(ON);
    assert_eq!(site.run(&["run", "behaving"]).expect_code(0).stderr, "");
    let status = site.status();
    let collector = &status["collectors"][0];
    assert_eq!(collector["name"], "behaving");
    assert_eq!(collector["state"], "ok");
    assert_eq!(collector["enabled"], true);
    assert_eq!(collector["interval_seconds"], 60);
    assert_eq!(collector["last_run"]["points"], 3);
    assert_eq!(status["sinks"][0]["name"], "store");
    // The three points and the run's own.
    assert_eq!(status["sinks"][0]["delivered"], 4);
    let screen = site.run(&["status"]).expect_code(0).stdout;
    assert!(
        screen.contains("All is well.") && screen.contains("behaving   ok"),
        "{screen}"
    );
    assert!(!screen.contains('\u{1b}'), "no colour where nobody sees it");
    let shown = site.run(&["show", "behaving"]).expect_code(0).stdout;
    assert!(shown.contains("index=2  third  0.667  s"), "{shown}");
    let since = site
        .run(&["show", "behaving", "--since", "1h"])
        .expect_code(0)
        .stdout;
    assert!(since.contains("COUNT") && since.contains("MEAN"), "{since}");
    let influx = site
        .run(&["show", "behaving", "--output", "influx"])
        .expect_code(0)
        .stdout;
    assert!(
        influx.contains("behaving,index=1 third=0.3333333333333333,value=1u "),
        "{influx}"
    );
    assert_eq!(
        site.run(&["show", "behaving", "--since", "1h", "--output", "influx"])
            .stdout,
        influx
    );
}

#[test]
fn a_dry_run_is_the_collectors_own() {
    let site = Site::new(ON);
    let ended = site.run(&["run", "--dry-run", "behaving"]).expect_code(0);
    assert!(
        ended.stdout.starts_with("- measurement: behaving\n"),
        "{}",
        ended.stdout
    );
    let ended = site
        .run(&["run", "-n", "--output", "openmetrics", "behaving"])
        .expect_code(0);
    assert!(
        ended
            .stdout
            .starts_with("# TYPE behaving gauge\n# HELP behaving The same as the index.\n"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.ends_with("\n# EOF\n"), "{}", ended.stdout);
    let ended = site.run(&["run", "--output", "json", "behaving"]).expect_code(2);
    assert!(one_line(&ended).contains("add --dry-run"), "{}", ended.stderr);
    assert!(fs::read_dir(site.home.state()).expect("state").next().is_none());
}

#[test]
fn stored_values_are_a_page_of_openmetrics() {
    let site = Site::new(ON);
    for _ in 0..2 {
        site.run(&["run", "behaving"]).expect_code(0);
    }
    let page = |line: &[&str]| {
        let ended = site.run(&[&["show", "behaving", "--output", "openmetrics"], line].concat());
        assert_eq!(ended.stderr, "");
        ended.expect_code(0).stdout
    };
    let newest = page(&[]);
    let lines: Vec<&str> = newest.lines().collect();
    assert_eq!(lines.len(), 2 + 3 + 2 + 3 + 1, "{newest}");
    assert_eq!(lines[0], "# TYPE behaving gauge");
    assert_eq!(lines[6], "# HELP behaving_third A third of it. Unit: s.");
    assert!(
        lines[7].starts_with("behaving_third{index=\"0\"} 0.0 1"),
        "{newest}"
    );
    assert_eq!(lines[10], "# EOF");
    // Both runs' values, each series in the order of time.
    let since = page(&["--since", "1h"]);
    assert_eq!(since.lines().count(), 2 + 6 + 2 + 6 + 1, "{since}");
    assert_eq!(since.lines().nth(3), newest.lines().nth(2));
}

#[test]
fn run_ends_with_the_collectors_code() {
    let site = Site::new("[collector.behaving]\nbehaviour = \"fail\"\n");
    let ended = site.run(&["run", "behaving"]).expect_code(1);
    assert_eq!(
        ended.stderr,
        "tidemark-behaving: http://source/page: the source is down: connection refused\n"
    );
    assert_eq!(site.status()["collectors"][0]["state"], "failing");
    site.run(&["status"]).expect_code(0);
    let check = site.run(&["status", "--check"]).expect_code(1);
    assert!(
        check.stdout.contains("1 of 1 collector needs attention."),
        "{}",
        check.stdout
    );
    assert!(
        check.stdout.contains("the source is down: connection refused"),
        "{}",
        check.stdout
    );
    site.script("bad", "exit 78");
    site.describe("bad", "1m", "1m");
    site.run(&["run", "behaving", "bad"]).expect_code(78);
}

#[test]
fn an_unknown_collector_is_a_wrong_line() {
    let site = Site::new(ON);
    for line in [&["run", "nothere"][..], &["show", "nothere"]] {
        let ended = site.run(line).expect_code(2);
        assert_eq!(
            one_line(&ended),
            "tidemark: no collector is called \"nothere\"; there are behaving"
        );
    }
}

#[test]
fn wrong_lines_and_settings_have_their_codes() {
    let site = Site::new("[[sinks]]\n[outbox]\nmax_bites = 1\n");
    for line in [
        &["status"][..],
        &["list"],
        &["up"],
        &["show", "behaving"],
        &["outbox", "list"],
    ] {
        let ended = site.run(line).expect_code(78);
        assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
        assert!(
            ended.stderr.lines().all(|line| line.starts_with("tidemark: /")),
            "{}",
            ended.stderr
        );
    }
    for line in [
        &["statsu"][..],
        &[],
        &["outbox"],
        &["up", "now"],
        &["check", "now"],
        &["status", "--jsn"],
    ] {
        one_line(&site.run(line).expect_code(2));
    }
}

#[test]
fn no_collectors_is_said() {
    let site = Site::without_collectors("");
    let folder = site.folder().display().to_string();
    for line in [&["up"][..], &["run", "x"]] {
        let ended = site.run(line);
        assert!(one_line(&ended).contains(&folder), "{}", ended.stderr);
        assert_ne!(ended.code, Some(0));
    }
    assert!(site.run(&["list"]).expect_code(0).stdout.contains(&folder));
    assert!(
        site.run(&["status"])
            .expect_code(0)
            .stdout
            .contains("No collectors are installed.")
    );
}

#[test]
fn nothing_yet_is_no_error() {
    let site = Site::new(ON);
    let status = site.status();
    assert_eq!(status["collectors"][0]["state"], "never");
    assert_eq!(status["collectors"][0]["last_run"], serde_json::Value::Null);
    // The sinks are known before anything was collected.
    assert_eq!(status["sinks"].as_array().map(Vec::len), Some(1));
    assert_eq!(status["sinks"][0]["name"], "store");
    assert_eq!(status["sinks"][0]["collected"], 0);
    site.run(&["status", "--check"]).expect_code(0);
    for action in ["list", "show", "flush", "retry", "drop"] {
        let ended = site.run(&["outbox", action]).expect_code(0);
        assert_eq!(ended.stdout, "The outbox is empty: nothing has run yet.\n");
    }
    let shown = site.run(&["show", "behaving"]).expect_code(1);
    assert!(
        one_line(&shown).contains("`tidemark run behaving`"),
        "{}",
        shown.stderr
    );
    assert!(
        !site.home.state().join("outbox.db").exists(),
        "looking makes nothing"
    );
}

#[test]
fn where_the_store_is_no_sink_show_says_where_points_go() {
    let site = Site::new(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"metrics\"\n[collector.behaving]\n",
    );
    site.run(&["run", "behaving"]).expect_code(0);
    let ended = site.run(&["show", "behaving"]).expect_code(1);
    let line = one_line(&ended);
    assert!(
        line.contains("the store is no sink for behaving") && line.contains("http://127.0.0.1:1"),
        "{line}"
    );
}

#[test]
fn the_outbox_says_what_waits_and_why_and_drops_it() {
    let site = Site::new(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"metrics\"\n[collector.behaving]\n",
    );
    site.run(&["run", "behaving"]).expect_code(0);
    let list = site.run(&["outbox", "list"]).expect_code(0).stdout;
    assert!(list.contains("influxdb") && list.contains("behaving"), "{list}");
    let flush = site.run(&["outbox", "flush"]).expect_code(1);
    assert!(
        flush
            .stdout
            .contains("influxdb: 0 points delivered, 4 still waiting: "),
        "{}",
        flush.stdout
    );
    let status = site.status();
    assert_eq!(status["sinks"][0]["waiting"], 4);
    assert!(status["sinks"][0]["last_error"].is_string(), "{status}");
    // What waits is not lost.
    site.run(&["status", "--check"]).expect_code(0);
    let kept = site.run(&["outbox", "drop"]).expect_code(0);
    assert_eq!(kept.stdout, "There was nothing to drop.\n");
    let dropped = site.run(&["outbox", "drop", "--waiting"]).expect_code(0);
    assert!(
        dropped.stdout.contains("4 waiting points given up."),
        "{}",
        dropped.stdout
    );
    assert_eq!(
        site.run(&["outbox", "list"]).expect_code(0).stdout,
        "Nothing waits.\n"
    );
    site.run(&["outbox", "flush"]).expect_code(0);
    one_line(&site.run(&["outbox", "list", "nowhere"]).expect_code(1));
    one_line(&site.run(&["outbox", "drop", "nowhere"]).expect_code(1));
}

#[test]
fn up_runs_says_so_and_ends() {
    let site = Site::new("[collector.behaving]\nrun_interval = \"1m\"\n");
    let up = site.tidemark(&["up"]).start();
    wait_for(&up, "behaving  3 points in ", 1);
    let said = up.stdout();
    for text in [
        "(Ctrl-C ends it)",
        "behaving   1m     on",
        "store.db)",
        "tidemark status",
        "tidemark show behaving",
    ] {
        assert!(said.contains(text), "{text} in {said}");
    }
    let second = site.run(&["up"]).expect_code(1);
    assert!(
        one_line(&second).contains(&format!("(process {})", up.pid())),
        "{}",
        second.stderr
    );
    up.interrupt();
    let ended = up.wait().expect_code(0);
    assert!(ended.stdout.ends_with("SIGINT: ending\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "");
    assert_eq!(site.status()["collectors"][0]["state"], "ok");
}

#[test]
fn up_shows_what_the_store_takes_alone() {
    let site = Site::new(
        "[collector.behaving]\nrun_interval = \"1m\"\n[[sink]]\ntype = \"store\"\nexcept = [\"behaving\"]\n\
         [[sink]]\ntype = \"discard\"\n",
    );
    let up = site.tidemark(&["up"]).start();
    wait_for(&up, "behaving  3 points in ", 1);
    let said = up.stdout();
    assert!(
        said.contains("tidemark status") && !said.contains("tidemark show"),
        "{said}"
    );
    up.interrupt();
    up.wait().expect_code(0);
    let text = site.run(&["status"]).expect_code(0).stdout;
    assert!(!text.contains("tidemark show"), "{text}");
}

#[test]
fn a_short_interval_is_kept_by_one_process() {
    let site = Site::new("[collector.behaving]\nrun_interval = \"1s\"\n");
    let up = site.tidemark(&["up"]).start();
    wait_for(&up, "behaving  3 points in ", 3);
    up.terminate();
    up.wait().expect_code(0);
    site.run(&["show", "behaving", "--since", "1h"]).expect_code(0);
}

#[test]
fn up_never_starts_anything_in_a_tight_loop() {
    let site = Site::without_collectors("");
    let starts = site.home.path().join("starts");
    site.script("quick", &format!("echo x >> {}; exit 1", starts.display()));
    site.describe("quick", "1h", "1m");
    // Its interpreter is not there: it cannot be started.
    fs::write(site.folder().join("tidemark-gone"), "#!/nowhere\n").expect("write");
    fs::set_permissions(
        site.folder().join("tidemark-gone"),
        fs::Permissions::from_mode(0o755),
    )
    .expect("mode");
    site.describe("gone", "1h", "1m");
    let up = site.tidemark(&["up"]).start();
    wait_for(&up, "quick  ended without a record (exit status: 1)", 1);
    wait_for(&up, "gone   cannot be started: ", 1);
    up.terminate();
    let ended = up.wait().expect_code(0);
    assert_eq!(fs::read_to_string(&starts).expect("starts"), "x\n");
    assert_eq!(
        ended.stdout.matches("cannot be started").count(),
        1,
        "{}",
        ended.stdout
    );
}

#[test]
fn up_hands_the_signal_on_and_ends_what_does_not_heed_it() {
    let site = Site::without_collectors("");
    let heard = site.home.path().join("heard");
    let ready = site.home.path().join("ready");
    site.script(
        "heeds",
        &format!(
            "trap 'echo heard > {}; exit 0' TERM\n: > {}\nwhile :; do sleep 0.05; done",
            heard.display(),
            ready.display()
        ),
    );
    site.describe("heeds", "1h", "10m");
    let deaf = site.home.path().join("deaf");
    site.script(
        "deaf",
        &format!(
            "trap '' TERM\necho $$ > {}\nwhile :; do sleep 0.05; done",
            deaf.display()
        ),
    );
    site.describe("deaf", "1h", "10m");
    let up = site.tidemark(&["up"]).start();
    wait_until("both run", SOON, || {
        ready.exists() && fs::read_to_string(&deaf).is_ok_and(|pid| pid.ends_with('\n'))
    });
    up.terminate();
    wait_until("the signal is handed on", SOON, || heard.exists());
    // A second signal is an operator who does not want to wait.
    up.terminate();
    let ended = up.wait().expect_code(0);
    assert!(ended.stdout.contains("SIGTERM: ending"), "{}", ended.stdout);
    let pid = fs::read_to_string(&deaf).expect("a process id");
    wait_until("the end of what does not heed it", SOON, || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn up_passes_settings_and_verbosity_on() {
    let site = Site::new("");
    let other = site.home.file("other.toml", "[collector.behaving]\npoints = 7\n");
    let other = other.display().to_string();
    let up = site.tidemark(&["up", "--config", &other, "-v"]).start();
    wait_for(&up, "behaving  7 points in ", 1);
    wait_until("the child is verbose", SOON, || {
        up.stderr().contains("tidemark-behaving: debug: ")
    });
    up.terminate();
    up.wait().expect_code(0);
}

#[test]
fn a_run_under_way_is_seen() {
    let site = Site::new("[collector.behaving]\nbehaviour = \"hang\"\n");
    let run = site.tidemark(&["run", "behaving"]).start();
    wait_until("it is running", SOON, || {
        site.status()["collectors"][0]["state"] == "running"
    });
    run.terminate();
    run.terminate();
    let ended = run.wait();
    assert_ne!(ended.code, Some(0));
    assert_eq!(site.status()["collectors"][0]["state"], "failing");
}

#[test]
fn no_secret_is_ever_said() {
    const SECRET: &str = "hunter2-secret";
    let site = Site::new(&format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"metrics\"\nusername = \"u\"\n\
         password = \"{SECRET}\"\n[collector.behaving]\nrun_interval = \"1m\"\n"
    ));
    for line in [
        &["run", "behaving", "-vvv"][..],
        &["status", "-vvv"],
        &["status", "--json"],
        &["list", "-vvv"],
        &["show", "behaving"],
        &["outbox", "list"],
        &["outbox", "show"],
        &["outbox", "flush", "-vvv"],
    ] {
        let ended = site.run(line);
        assert!(
            !ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET),
            "{line:?}"
        );
    }
    let up = site.tidemark(&["up", "-vvv"]).start();
    wait_for(&up, "behaving  3 points in ", 1);
    wait_for(&up, "points wait for influxdb)", 1);
    up.terminate();
    let ended = up.wait().expect_code(0);
    assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET));
}

#[test]
fn as_root_the_command_becomes_the_states_owner() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let site = Site::new(ON);
    fs::set_permissions(site.home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    std::os::unix::fs::chown(site.home.state(), Some(NOBODY), Some(NOBODY)).expect("chown");
    site.run(&["run", "behaving"]).expect_code(0);
    for line in [
        &["status"][..],
        &["show", "behaving"],
        &["outbox", "list"],
        &["outbox", "flush"],
    ] {
        site.run(line).expect_code(0);
    }
    for file in fs::read_dir(site.home.state()).expect("the state") {
        let file = file.expect("a file");
        assert_eq!(file.metadata().expect("metadata").uid(), NOBODY, "{file:?}");
    }
}
