//! The contract of a collector's command line, from outside: exit codes, outputs, messages, what is kept.
#![expect(clippy::expect_used, reason = "helpers of tests are tests")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidemark_collect::{ManualClock, Timestamp};
use tidemark_delivery::{Delivery, OpenOptions, Run as Record, Sinks};
use tidemark_testkit::{Answer, Ended, Home, Run, SinkServer, program, wait_until};

/// A run of the example collector at home.
fn behaving(home: &Home) -> Run {
    home.at_home(Run::new(program("examples/tidemark-behaving")))
}

fn home(behaviour: &str) -> Home {
    let home = Home::new();
    home.settings(&format!("[collector.behaving]\nbehaviour = \"{behaviour}\"\n"));
    home
}

/// Whether the state folder holds nothing.
fn is_untouched(home: &Home) -> bool {
    std::fs::read_dir(home.state())
        .expect("the state")
        .next()
        .is_none()
}

/// The runs that are recorded, the newest first.
fn recorded(home: &Home) -> Vec<Record> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let delivery = Delivery::open(OpenOptions::new(&home.state(), "h", Sinks::discard("x"), clock)).await;
        let outbox = delivery.outbox().expect("an outbox");
        outbox.runs("behaving", 10).await.expect("the runs")
    })
}

/// Waits until a run is under way, as its lock says.
fn wait_for_a_run(home: &Home) {
    wait_until("a run is under way", Duration::from_secs(60), || {
        std::fs::read_to_string(home.state().join("run-behaving.lock")).is_ok_and(|text| text.contains('T'))
    });
}

/// The one line that a failure says.
#[track_caller]
fn one_line(ended: &Ended) -> &str {
    let mut lines = ended.stderr.lines();
    let line = lines.next().unwrap_or_default();
    assert_eq!(lines.next(), None, "more than one line: {}", ended.stderr);
    line
}

#[test]
fn a_run_says_nothing_and_keeps_its_points() {
    let home = home("ok");
    let ended = behaving(&home).run().expect_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert!(home.state().join("outbox.db").is_file());
    assert!(home.state().join("store.db").is_file());
    let [run] = recorded(&home).try_into().expect("one run");
    assert_eq!(
        (run.ok, run.points, run.error, run.interval),
        (true, 3, None, Duration::from_secs(60))
    );
}

#[test]
fn a_dry_run_prints_yaml_and_touches_nothing() {
    let home = home("ok");
    let ended = behaving(&home).arg("--dry-run").run().expect_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(
        ended.stdout.matches("- measurement: behaving\n").count(),
        3,
        "{}",
        ended.stdout
    );
    assert!(
        ended
            .stdout
            .contains("  tags:\n    index: \"2\"\n  fields:\n    third: 0.6666666666666666\n    value: 2\n")
    );
    assert!(is_untouched(&home));
}

#[test]
fn a_dry_run_prints_json_and_line_protocol() {
    let home = home("ok");
    home.settings("[host]\ntags = { site = \"north pole\" }\n");
    let json = behaving(&home)
        .args(["-n", "--output", "json"])
        .run()
        .expect_code(0)
        .stdout;
    assert!(
        json.contains("\"site\": \"north pole\"") && json.starts_with('['),
        "{json}"
    );
    let influx = behaving(&home)
        .args(["-n", "--output", "influx"])
        .run()
        .expect_code(0)
        .stdout;
    let lines: Vec<&str> = influx.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].starts_with("behaving,index=1,site=north\\ pole third=0.3333333333333333,value=1u "),
        "{influx}"
    );
}

#[test]
fn a_dry_run_prints_openmetrics_with_what_is_declared() {
    let home = home("ok");
    home.settings("[host]\ntags = { site = \"north \\\"pole\\\"\" }\n");
    let ended = behaving(&home)
        .args(["-n", "--output", "openmetrics"])
        .run()
        .expect_code(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2 + 3 + 2 + 3 + 1, "{}", ended.stdout);
    assert_eq!(lines[0], "# TYPE behaving gauge");
    assert_eq!(lines[1], "# HELP behaving The same as the index.");
    let sample = "behaving{index=\"1\",site=\"north \\\"pole\\\"\"} 1 ";
    let time = lines[3].strip_prefix(sample).expect("the second sample");
    assert!(time.parse::<f64>().is_ok_and(|time| time > 1.6e9), "{time}");
    assert_eq!(lines[5], "# TYPE behaving_third gauge");
    assert_eq!(lines[6], "# HELP behaving_third A third of it. Unit: s.");
    assert!(lines[8].contains("} 0.3333333333333333 "), "{}", lines[8]);
    assert_eq!(lines[10], "# EOF");
    assert_eq!(ended.stderr, "");
    assert!(is_untouched(&home));
}

#[test]
fn a_dry_run_needs_no_state_no_credentials_and_no_sink() {
    let home = home("ok");
    home.settings(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"https://nowhere.invalid:8086\"\ndatabase = \"metrics\"\n\
         username = \"u\"\npassword = { file = \"/nowhere/secret\" }\n",
    );
    std::fs::remove_dir(home.state()).expect("remove");
    let ended = behaving(&home)
        .args(["-n", "--output", "influx"])
        .run()
        .expect_code(0);
    // InfluxDB 1 knows no unsigned integers.
    assert!(ended.stdout.contains(",value=2i "), "{}", ended.stdout);
    assert!(!home.state().exists());
}

#[test]
fn a_host_that_is_told_to_run_dry_submits_nothing() {
    let home = home("ok");
    home.settings("[host]\ndry_run = true\n");
    let ended = behaving(&home).run().expect_code(0);
    assert!(ended.stdout.starts_with("- measurement: behaving\n"));
    assert!(is_untouched(&home));
}

#[test]
fn a_gap_is_a_warning_and_no_failure() {
    let home = home("partial");
    let ended = behaving(&home).run().expect_code(0);
    assert_eq!(
        one_line(&ended),
        "tidemark-behaving: warning: one of two sources is missing"
    );
}

#[test]
fn a_notice_is_said() {
    let home = home("notice");
    let ended = behaving(&home).run().expect_code(0);
    assert_eq!(
        one_line(&ended),
        "tidemark-behaving: notice: all is well, and more"
    );
}

#[test]
fn no_points_are_no_failure() {
    let home = home("empty");
    behaving(&home).run().expect_code(0);
    assert_eq!(behaving(&home).arg("-n").run().expect_code(0).stdout, "[]\n");
}

#[test]
fn a_failure_is_one_line_with_the_whole_chain() {
    let home = home("fail");
    let expected = "tidemark-behaving: http://source/page: the source is down: connection refused";
    let ended = behaving(&home).run().expect_code(1);
    assert_eq!(one_line(&ended), expected);
    let dry = behaving(&home).arg("-n").run().expect_code(1);
    assert_eq!((one_line(&dry), dry.stdout.as_str()), (expected, ""));
    let [run] = recorded(&home).try_into().expect("one run");
    assert_eq!(
        (run.ok, run.error.as_deref()),
        (false, expected.strip_prefix("tidemark-behaving: "))
    );
}

#[test]
fn a_run_that_never_ends_ends_at_its_deadline() {
    for behaviour in ["hang", "block"] {
        let home = home(behaviour);
        home.settings(&format!(
            "[collector.behaving]\nbehaviour = \"{behaviour}\"\ndeadline = \"1s\"\n"
        ));
        let ended = behaving(&home).run().expect_code(1);
        assert!(one_line(&ended).contains("deadline"), "{}", ended.stderr);
        assert!(
            ended.wall >= Duration::from_secs(1) && ended.wall < Duration::from_secs(60),
            "{:?}",
            ended.wall
        );
    }
}

#[test]
fn a_panic_is_a_failed_run() {
    let home = home("panic");
    let ended = behaving(&home).run().expect_code(1);
    assert_eq!(
        one_line(&ended),
        "tidemark-behaving: the collector panicked: a mistake with a secret-free text; this is a mistake in the program"
    );
    assert!(
        recorded(&home)[0]
            .error
            .as_deref()
            .is_some_and(|error| error.contains("panicked"))
    );
}

#[test]
fn what_was_not_declared_fails_a_dry_run_and_is_a_notice_in_a_run() {
    let home = home("undeclared");
    let dry = behaving(&home).arg("-n").run().expect_code(1);
    assert!(one_line(&dry).contains("other"), "{}", dry.stderr);
    let ended = behaving(&home).run().expect_code(0);
    assert!(one_line(&ended).starts_with("tidemark-behaving: notice: ") && ended.stderr.contains("other"));
}

#[test]
fn points_of_the_same_series_and_time_are_one() {
    let home = home("twice");
    let ended = behaving(&home)
        .args(["-n", "--output", "influx"])
        .run()
        .expect_code(0);
    let series: std::collections::BTreeSet<&str> = ended
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(series.len(), 3, "{}", ended.stdout);
}

#[test]
fn a_signal_ends_a_run_that_is_recorded() {
    let home = home("hang");
    let running = behaving(&home).arg("-vv").start();
    wait_for_a_run(&home);
    running.terminate();
    running.terminate();
    let ended = running.wait().expect_code(1);
    assert!(
        ended
            .stderr
            .lines()
            .last()
            .is_some_and(|line| line.contains("SIGTERM")),
        "{}",
        ended.stderr
    );
    assert!(
        recorded(&home)[0]
            .error
            .as_deref()
            .is_some_and(|error| error.contains("SIGTERM"))
    );
}

#[test]
fn after_a_signal_a_sink_that_never_answers_holds_up_the_end_for_a_moment_only() {
    let home = home("ok");
    let server = SinkServer::start();
    server.judge(|_| Answer::hang());
    home.settings(&format!(
        "[collector.behaving]\ntakes = \"2s\"\n[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"m\"\n",
        server.url("")
    ));
    let running = behaving(&home).arg("-v").start();
    wait_for_a_run(&home);
    running.terminate();
    let told = Instant::now();
    let ended = running.wait().expect_code(0);
    let asked = server.requests().first().map(|request| request.received);
    let held_up = asked.map_or(told, |asked| asked.max(told)).elapsed();
    // What was collected is kept; the delivery of a run that nobody hurries takes ten seconds.
    assert!(
        ended
            .stderr
            .contains("told to end: what is not delivered yet waits"),
        "{}",
        ended.stderr
    );
    assert!(held_up < Duration::from_secs(9), "{held_up:?}");
    assert_eq!(recorded(&home)[0].points, 3);
}

#[test]
fn a_second_run_beside_it_ends_at_once() {
    let home = home("hang");
    let first = behaving(&home).start();
    wait_for_a_run(&home);
    let second = behaving(&home).run().expect_code(0);
    assert_eq!(
        one_line(&second),
        format!(
            "tidemark-behaving: notice: a run is under way already (process {}): nothing to do",
            first.pid()
        )
    );
    // One that was to stay has not failed to start.
    let socket = home.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).expect("a socket");
    manager.set_nonblocking(true).expect("a socket");
    let stays = behaving(&home).arg("--every").env("NOTIFY_SOCKET", &socket);
    stays.run().expect_code(0);
    let mut told = [0; 100];
    let length = manager.recv(&mut told).expect("a message");
    assert_eq!(&told[..length], b"READY=1");
    // A dry run disturbs nobody and is disturbed by none; it hangs as it is told.
    first.kill();
}

#[test]
fn the_run_after_a_kill_says_so() {
    let home = home("hang");
    let first = behaving(&home).start();
    wait_for_a_run(&home);
    first.kill();
    home.settings("[collector.behaving]\nbehaviour = \"ok\"\n");
    let ended = behaving(&home).run().expect_code(0);
    assert!(
        one_line(&ended).contains("was killed before it ended"),
        "{}",
        ended.stderr
    );
    assert_eq!(behaving(&home).run().expect_code(0).stderr, "");
    let runs: Vec<bool> = recorded(&home).iter().map(|run| run.ok).collect();
    assert_eq!(runs, [true, true, false]);
}

#[test]
fn wrong_options_are_one_line_and_exit_code_2() {
    let home = Home::new();
    for (line, expected) in [
        (&["--output", "json"][..], "add --dry-run"),
        (&["--dry-rum"], "--dry-run"),
        (&["-n", "--output", "xml"], "yaml, influx, openmetrics, json"),
        (&["--every", "soon"], "30s"),
        (&["--every", "0"], "above zero"),
        (&["surplus"], "surplus"),
    ] {
        let ended = behaving(&home).args(line).run().expect_code(2);
        let line = one_line(&ended);
        assert!(
            line.starts_with("tidemark-behaving: ") && line.contains(expected),
            "{line}"
        );
        assert_eq!(ended.stdout, "");
    }
    assert!(is_untouched(&home));
}

#[test]
fn wrong_settings_are_exit_code_78_all_at_once() {
    let home = Home::new();
    home.settings("[collector.behaving]\nbehaviour = 3\npoint = 1\n");
    let ended = behaving(&home).run().expect_code(78);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    for (line, number) in lines.iter().zip([2, 3]) {
        let place = format!("tidemark-behaving: {}:{number}:", home.config().display());
        assert!(line.starts_with(&place), "{line}");
    }
    behaving(&home).arg("-n").run().expect_code(78);
    assert!(
        recorded(&home)[0]
            .error
            .as_deref()
            .is_some_and(|error| error.contains("`behaviour` is an integer"))
    );
    behaving(&Home::new())
        .args(["--config", "/nowhere.toml"])
        .run()
        .expect_code(78);
}

#[test]
fn a_secret_that_does_not_resolve_ends_the_run_before_it_collects() {
    let home = Home::new();
    home.settings(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"metrics\"\n\
         username = \"u\"\npassword = { file = \"/nowhere/secret\" }\n",
    );
    let ended = behaving(&home).run().expect_code(78);
    assert!(one_line(&ended).contains("/nowhere/secret"), "{}", ended.stderr);
    let [run] = recorded(&home).try_into().expect("one run");
    assert_eq!(run.interval, Duration::from_secs(60));
    assert!(run.error.is_some_and(|error| error.contains("/nowhere/secret")));
}

#[test]
fn what_the_settings_have_to_say_is_logged_and_recorded_at_every_run() {
    let home = Home::new();
    let secret = home.file("secret", "hunter2");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).expect("mode");
    home.settings(&format!(
        "[collector.behaving]\nbehaviour = \"notice\"\n[[sink]]\ntype = \"influxdb\"\nurl = \"https://127.0.0.1:1\"\n\
         database = \"metrics\"\nusername = \"u\"\n\
         insecure_skip_verify = true\npassword = {{ file = \"{}\" }}\n",
        secret.display()
    ));
    for _ in 0..2 {
        let ended = behaving(&home).run().expect_code(0);
        for part in ["insecure_skip_verify", "/secret", "all is well"] {
            let said = ended
                .stderr
                .lines()
                .filter(|line| line.starts_with("tidemark-behaving: notice: ") && line.contains(part));
            assert_eq!(said.count(), 1, "{part} in {}", ended.stderr);
        }
    }
    for run in recorded(&home) {
        assert_eq!(run.notices.len(), 3, "{:?}", run.notices);
        assert!(
            run.notices
                .iter()
                .any(|notice| notice.contains("insecure_skip_verify"))
        );
        assert!(run.notices.iter().any(|notice| notice.contains("/secret")));
    }
}

#[test]
fn describe_reads_no_settings() {
    let home = Home::new();
    home.settings("this is no TOML");
    let ended = behaving(&home).arg("--describe").run().expect_code(0);
    for key in [
        "\"name\": \"behaving\"",
        "\"run_interval\": \"1m\"",
        "\"deadline\": \"30s\"",
        "\"type\": \"uint\"",
    ] {
        assert!(ended.stdout.contains(key), "{key} in {}", ended.stdout);
    }
    assert!(is_untouched(&home));
}

#[test]
fn help_and_version_are_for_standard_output() {
    let home = Home::new();
    let help = behaving(&home).arg("--help").run().expect_code(0);
    assert!(
        help.stdout.starts_with("Behaves as it is told."),
        "{}",
        help.stdout
    );
    assert!(
        help.stdout.contains("Usage: tidemark-behaving [OPTIONS]"),
        "{}",
        help.stdout
    );
    assert_eq!(help.stderr, "");
    let version = behaving(&home).arg("-V").run().expect_code(0);
    assert_eq!(
        version.stdout,
        format!("tidemark-behaving {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn every_runs_until_it_is_told_to_end() {
    let home = home("ok");
    let running = behaving(&home).args(["--every", "20ms", "-v"]).start();
    wait_until("five runs", Duration::from_secs(60), || {
        running.stderr().matches("collected 3 points in").count() >= 5
    });
    running.terminate();
    let ended = running.wait().expect_code(0);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
}

#[test]
fn every_says_aloud_what_is_new_alone() {
    for (behaviour, aloud) in [
        (
            "fail",
            "error: http://source/page: the source is down: connection refused",
        ),
        ("partial", "warning: one of two sources is missing"),
    ] {
        let home = home(behaviour);
        let running = behaving(&home).args(["--every", "20ms"]).start();
        wait_until("three runs", Duration::from_secs(60), || {
            running.stderr().matches("notice: still: ").count() >= 2
        });
        running.terminate();
        let ended = running.wait().expect_code(0);
        assert_eq!(ended.stderr.matches(aloud).count(), 1, "{}", ended.stderr);
        let (_, text) = aloud.split_once(": ").expect("a text");
        assert!(
            ended.stderr.contains(&format!("notice: still: {text}")),
            "{}",
            ended.stderr
        );
        assert!(recorded(&home).len() >= 3);
    }
}

#[test]
fn every_goes_on_after_a_failed_run() {
    let home = home("fail");
    let running = behaving(&home).args(["--every", "20ms"]).start();
    wait_until("three failures", Duration::from_secs(60), || {
        running.stderr().matches("source is down").count() >= 3
    });
    running.interrupt();
    running.wait().expect_code(0);
}

#[test]
fn a_state_folder_that_cannot_be_used_is_no_reason_not_to_deliver() {
    let home = home("ok");
    home.settings("[[sink]]\ntype = \"discard\"\n");
    std::fs::remove_dir(home.state()).expect("remove");
    std::fs::write(home.state(), "a file").expect("write");
    let ended = behaving(&home).run().expect_code(0);
    assert!(
        ended.stderr.contains(&home.state().display().to_string()),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let home = home("ok");
    home.settings("[collector.behaving]\npoints = 100000\n");
    let script = format!(
        "{} -n | head -1; echo ${{PIPESTATUS[0]}}",
        program("examples/tidemark-behaving").display()
    );
    let ended = home
        .at_home(Run::new("/bin/bash"))
        .args(["-c", &script])
        .run()
        .expect_code(0);
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str()),
        ("- measurement: behaving\n0\n", "")
    );
}

/// Root alone can become another; the others have nothing to become.
#[test]
fn as_root_a_run_becomes_the_states_owner() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = home("ok");
    // What only root can read, and what the owner must be able to reach.
    let secret = home.file("secret", "hunter2");
    home.settings(&format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"metrics\"\nusername = \"u\"\n\
         password = {{ file = \"{}\" }}\n",
        secret.display()
    ));
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
    std::os::unix::fs::chown(home.state(), Some(NOBODY), Some(NOBODY)).expect("chown");
    let ended = behaving(&home).arg("-vv").run().expect_code(0);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    let files: Vec<_> = std::fs::read_dir(home.state())
        .expect("the state")
        .map(|file| file.expect("a file"))
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let metadata = file.metadata().expect("metadata");
        assert_eq!((metadata.uid(), metadata.gid()), (NOBODY, NOBODY), "{file:?}");
    }
}
