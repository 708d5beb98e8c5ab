//! The states on literals, the screen as golden text, the keys of the contract.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_795_244_400 + seconds).expect("in range")
}

fn run(started: i64, ok: bool) -> LastRun {
    LastRun {
        started: at(started),
        duration_seconds: 2.0,
        ok,
        partial: false,
        points: if ok { 812 } else { 0 },
        gaps: Vec::new(),
        notices: Vec::new(),
        error: (!ok).then(|| "https://source/page: connection refused".to_owned()),
    }
}

fn signs(last_run: Option<&LastRun>) -> Signs<'_> {
    Signs {
        enabled: true,
        broken: false,
        interval: Span::minutes(1),
        deadline: Span::secs(30),
        last_run: last_run.map(|run| {
            let end = End {
                wall: run.ended(),
                boot: None,
            };
            (run, end)
        }),
        running_since: None,
        of_targets: false,
        some_are_late: false,
    }
}

/// Now, on a host that is up for long, and whose boot has no id.
fn now(seconds: i64) -> Now {
    Now {
        wall: at(seconds),
        boot: None,
        up: Duration::from_secs(10_000_000),
    }
}

fn collector(name: &str, state: State, last_run: Option<LastRun>) -> CollectorStatus {
    CollectorStatus {
        name: name.to_owned(),
        enabled: state != State::Disabled,
        interval: Span::minutes(5),
        state,
        next_run: last_run
            .as_ref()
            .map(|run| run.ended().saturating_add(std::time::Duration::from_secs(300))),
        last_run,
        failing: None,
        late_targets: None,
        in_store: true,
        broken: None,
    }
}

fn sink(name: &str) -> SinkStatus {
    SinkStatus {
        name: name.to_owned(),
        sink_type: "store".to_owned(),
        collected: 81_200,
        delivered: 81_200,
        waiting: 0,
        rejected: 0,
        dropped: 0,
        superseded: 0,
        oldest_waiting: None,
        backoff_until: None,
        last_error: None,
        lost: 0,
        orphaned: false,
        by_command_line: false,
        damaged_since: None,
    }
}

fn well() -> Status {
    Status {
        host: "myhost".to_owned(),
        collectors: vec![
            collector("host", State::Ok, Some(run(-14, true))),
            collector("sponsoring", State::Disabled, None),
        ],
        sinks: vec![sink("store")],
        now: at(0),
        settings_are_wrong: false,
        warnings: Vec::new(),
    }
}

#[test]
fn the_state_is_the_worst_that_is_true() {
    let good = run(-10, true);
    let bad = run(-10, false);
    assert_eq!(signs(Some(&good)).state(&now(0)), State::Ok);
    assert_eq!(signs(Some(&bad)).state(&now(0)), State::Failing);
    assert_eq!(signs(None).state(&now(0)), State::Never);
    assert_eq!(
        Signs {
            enabled: false,
            ..signs(Some(&bad))
        }
        .state(&now(0)),
        State::Disabled
    );
    assert_eq!(
        Signs {
            broken: true,
            ..signs(Some(&good))
        }
        .state(&now(0)),
        State::Failing
    );
    assert_eq!(
        Signs {
            running_since: Some(at(-5)),
            ..signs(Some(&bad))
        }
        .state(&now(0)),
        State::Running
    );
    assert_eq!(
        Signs {
            running_since: Some(at(-5)),
            ..signs(None)
        }
        .state(&now(0)),
        State::Running
    );
}

#[test]
fn a_target_that_fails_is_seen_though_the_next_one_runs() {
    let (good, bad) = (run(-10, true), run(-10, false));
    let of_targets = |run| Signs {
        running_since: Some(at(-1)),
        of_targets: true,
        ..signs(Some(run))
    };
    assert_eq!(of_targets(&bad).state(&now(0)), State::Failing);
    assert_eq!(of_targets(&good).state(&now(0)), State::Running);
}

#[test]
fn a_target_that_is_late_makes_the_collector_late() {
    let (good, bad) = (run(-10, true), run(-10, false));
    let some_late = |run| Signs {
        running_since: Some(at(-1)),
        of_targets: true,
        some_are_late: true,
        ..signs(Some(run))
    };
    assert_eq!(some_late(&good).state(&now(0)), State::Late);
    assert_eq!(some_late(&bad).state(&now(0)), State::Failing);
    let disabled = Signs {
        enabled: false,
        ..some_late(&good)
    };
    assert_eq!(disabled.state(&now(0)), State::Disabled);
}

#[test]
fn late_is_twice_the_interval_and_the_deadline_after_the_end() {
    // It ended at 2 s; 2 × 60 s + 30 s later is 152 s.
    let good = run(0, true);
    assert_eq!(signs(Some(&good)).state(&now(152)), State::Ok);
    assert_eq!(signs(Some(&good)).state(&now(153)), State::Late);
    // A failed run that is long ago is late, not failing: nothing runs it.
    assert_eq!(signs(Some(&run(0, false))).state(&now(153)), State::Late);
    // A run under way is not late, until it is beyond its deadline.
    let running = Signs {
        running_since: Some(at(140)),
        ..signs(Some(&good))
    };
    assert_eq!(running.state(&now(153)), State::Running);
    assert_eq!(running.state(&now(171)), State::Late);
    // The clock was set back: a run of next week tells nothing.
    assert_eq!(signs(Some(&run(1_000_000, true))).state(&now(0)), State::Late);
}

#[test]
fn the_next_run_is_an_interval_after_the_end_and_not_past() {
    let good = run(0, true);
    assert_eq!(signs(Some(&good)).next_run(&now(10)), Some(at(62)));
    assert_eq!(signs(Some(&good)).next_run(&now(70)), Some(at(70)));
    // What should have started it long ago will not do so at a time that is known.
    assert_eq!(signs(Some(&good)).next_run(&now(153)), None);
    assert_eq!(signs(None).next_run(&now(10)), None);
    assert_eq!(
        Signs {
            enabled: false,
            ..signs(Some(&good))
        }
        .next_run(&now(10)),
        None
    );
    assert_eq!(
        Signs {
            running_since: Some(at(70)),
            ..signs(Some(&good))
        }
        .next_run(&now(71)),
        None
    );
}

#[test]
fn a_host_that_was_off_is_late_only_when_nothing_has_run_since_its_start() {
    let good = run(0, true);
    let up = |seconds: u64| Now {
        up: Duration::from_secs(seconds),
        ..now(604_800)
    };
    assert_eq!(signs(Some(&good)).state(&up(20)), State::Ok);
    assert_eq!(signs(Some(&good)).next_run(&up(20)), Some(at(604_810)));
    assert_eq!(signs(Some(&good)).state(&up(150)), State::Ok);
    assert_eq!(signs(Some(&good)).state(&up(151)), State::Late);
}

#[test]
fn a_host_that_is_well_is_a_short_screen() {
    let expected = "\
myhost  2026-11-21 07:00:00Z
All is well.

COLLECTOR   STATE     LAST RUN   TOOK  POINTS  EVERY  NEXT
host        ok        12 s ago  2.0 s     812  5m     in 4 min
sponsoring  disabled  -             -       -  5m     -

SINK   TYPE   DELIVERED  WAITING  REJECTED  DROPPED
store  store     81,200        0         0        0

The values: tidemark show host
";
    assert_eq!(screen(&well(), false, 0), expected);
}

#[test]
fn what_is_wrong_comes_first_with_since_when_and_what_to_do() {
    let mut status = well();
    status.collectors[0].last_run.as_mut().expect("a run").partial = true;
    status.collectors[0].last_run.as_mut().expect("a run").gaps =
        ["/proc/pressure", "b", "c", "d", "e"].map(str::to_owned).to_vec();
    let mut failing = collector("versions", State::Failing, Some(run(-100, false)));
    failing.failing = Some(FailingSince {
        since: at(-1800),
        runs: 6,
    });
    status.collectors.push(failing);
    let mut late = collector("images", State::Late, Some(run(-7200, true)));
    late.next_run = None;
    status.collectors.push(late);
    let mut broken = collector("cnf", State::Failing, None);
    broken.broken = Some("tidemark-cnf --describe failed (exit status: 3)".to_owned());
    status.collectors.push(broken);
    status.sinks.push(SinkStatus {
        sink_type: "influxdb".to_owned(),
        delivered: 80_000,
        waiting: 1200,
        rejected: 3,
        oldest_waiting: Some(at(-1800)),
        backoff_until: Some(at(250)),
        last_error: Some("https://db:8086: connection refused".to_owned()),
        lost: 3,
        ..sink("central")
    });
    status
        .warnings
        .push("settings: conf.d/x.toml is not readable".to_owned());
    let expected = "\
myhost  2026-11-21 07:00:00Z
3 of 5 collectors and 1 of 2 sinks need attention.
! settings: conf.d/x.toml is not readable

COLLECTOR   STATE     LAST RUN      TOOK  POINTS  EVERY  NEXT
cnf         failing   -                -       -  5m     -
    its program is broken: tidemark-cnf --describe failed (exit status: 3)
versions    failing   98 s ago     2.0 s       0  5m     in 3 min
    for 6 runs, since 2026-11-21 06:30:00Z (30 min ago): https://source/page: connection refused
    try: tidemark run versions --dry-run -v
images      late      119 min ago  2.0 s     812  5m     -
    no run has ended since 2026-11-21 05:00:02Z; is `tidemark up` or its timer running?
    try: tidemark run images
host        partial   12 s ago     2.0 s     812  5m     in 4 min
    missing: /proc/pressure
    missing: b
    missing: c
    missing: and 2 more (`tidemark status --json` has them)
sponsoring  disabled  -                -       -  5m     -

SINK     TYPE      DELIVERED  WAITING  REJECTED  DROPPED
central  influxdb     80,000    1,200         3        0
    https://db:8086: connection refused
    1,200 points wait, the oldest since 2026-11-21 06:30:00Z (30 min ago); tried again in 4 min
    try now: tidemark outbox flush
    3 points were lost; `tidemark outbox show central` says why, `tidemark outbox drop central` acknowledges it
store    store        81,200        0         0        0

The values: tidemark show host
";
    assert_eq!(screen(&status, false, 0), expected);
    assert!(status.needs_attention());
    assert!(screen(&status, true, 0).contains("\u{1b}[1;31mfailing\u{1b}[0m"));
}

#[test]
fn of_many_targets_those_that_fail_are_named() {
    let mut last_run = run(-10, false);
    last_run.error = Some("1 of 100 targets fails: cl17: connection refused".to_owned());
    last_run.points = 80_000;
    let status = Status {
        collectors: vec![collector("onefs", State::Failing, Some(last_run))],
        ..well()
    };
    let expected = "\
onefs      failing  8 s ago   2.0 s  80,000  5m     in 4 min
    1 of 100 targets fails: cl17: connection refused
    try: tidemark run onefs --dry-run -v
";
    let text = screen(&status, false, 0);
    assert!(text.contains(expected), "{text}");
    assert!(status.needs_attention());
}

#[test]
fn of_many_targets_those_that_are_late_are_named_once() {
    let late = "1 of 100 targets is late: no run of cl17 has ended";
    let mut last_run = run(-10, true);
    last_run.notices = vec![late.to_owned(), "another".to_owned()];
    let status = Status {
        collectors: vec![CollectorStatus {
            late_targets: Some(late.to_owned()),
            ..collector("onefs", State::Late, Some(last_run))
        }],
        ..well()
    };
    let expected = "\
onefs      late   8 s ago   2.0 s     812  5m     in 4 min
    1 of 100 targets is late: no run of cl17 has ended
    try: tidemark run onefs --dry-run -v
    notice: another
";
    let text = screen(&status, false, 0);
    assert!(text.contains(expected), "{text}");
    assert!(status.needs_attention());
}

#[test]
fn values_are_shown_of_what_the_store_takes_alone() {
    let mut status = well();
    status.collectors[0].in_store = false;
    let text = screen(&status, false, 0);
    assert!(
        text.ends_with("\nThe values: tidemark show sponsoring\n"),
        "{text}"
    );
    status.collectors[1].in_store = false;
    let text = screen(&status, false, 0);
    assert!(!text.contains("tidemark show"), "{text}");
}

#[test]
fn nothing_yet_says_how_to_begin() {
    let status = Status {
        collectors: vec![collector("host", State::Never, None)],
        sinks: Vec::new(),
        ..well()
    };
    let text = screen(&status, false, 0);
    assert!(text.contains("Nothing has run yet: `tidemark up`"), "{text}");
    assert!(text.contains("Nothing is known of any sink yet."), "{text}");
    assert!(!status.needs_attention());
    let empty = Status {
        collectors: Vec::new(),
        ..well()
    };
    assert!(screen(&empty, false, 0).contains("No collectors are installed."));
}

#[test]
fn wrong_settings_are_the_first_thing_said() {
    let status = Status {
        settings_are_wrong: true,
        ..well()
    };
    let text = screen(&status, false, 0);
    assert!(
        text.starts_with("myhost  2026-11-21 07:00:00Z\nThe settings are wrong"),
        "{text}"
    );
    assert!(!text.contains("All is well"), "{text}");
}

#[test]
fn what_the_settings_say_is_not_said_again_of_each_run() {
    let mut status = well();
    status.warnings.push("the sink db does not verify".to_owned());
    status.collectors[0].last_run.as_mut().expect("a run").notices =
        vec!["the sink db does not verify".to_owned(), "another".to_owned()];
    let text = screen(&status, false, 0);
    assert_eq!(text.matches("does not verify").count(), 1, "{text}");
    assert!(text.contains("notice: another"), "{text}");
}

#[test]
fn a_narrow_terminal_is_filled_and_not_overrun() {
    let mut status = well();
    status.sinks[0].waiting = 1;
    status.sinks[0].last_error =
        Some("https://db:8086: connection refused; it is tried again later".to_owned());
    let text = screen(&status, false, 60);
    assert!(text.contains("NEXT") && text.contains("1 point waits"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn waiting_alone_is_no_alarm_and_loss_is() {
    let mut status = well();
    status.sinks[0].waiting = 10;
    assert!(!status.needs_attention());
    status.sinks[0].lost = 1;
    assert!(status.needs_attention());
}

#[test]
fn json_has_the_keys_of_the_contract_and_no_other() {
    let mut status = well();
    status.sinks[0].backoff_until = Some(at(60));
    let json: serde_json::Value = serde_json::from_slice(&status.to_json()).expect("JSON");
    let expected = serde_json::json!({
        "host": "myhost",
        "collectors": [
            {
                "name": "host", "enabled": true, "interval_seconds": 300, "state": "ok",
                "last_run": {
                    "started": "2026-11-21T06:59:46Z", "duration_seconds": 2.0, "ok": true, "partial": false,
                    "points": 812, "gaps": [], "notices": [], "error": null
                },
                "next_run": "2026-11-21T07:04:48Z"
            },
            {
                "name": "sponsoring", "enabled": false, "interval_seconds": 300, "state": "disabled",
                "last_run": null, "next_run": null
            }
        ],
        "sinks": [
            {
                "name": "store", "type": "store", "collected": 81200, "delivered": 81200, "waiting": 0, "rejected": 0,
                "dropped": 0, "superseded": 0, "oldest_waiting": null, "backoff_until": "2026-11-21T07:01:00Z",
                "last_error": null
            }
        ]
    });
    assert_eq!(json, expected);
}

#[test]
fn an_interval_below_a_second_is_a_fraction() {
    let mut status = well();
    status.collectors[0].interval = Span::millis(500);
    let json: serde_json::Value = serde_json::from_slice(&status.to_json()).expect("JSON");
    assert_eq!(json["collectors"][0]["interval_seconds"], 0.5);
}
