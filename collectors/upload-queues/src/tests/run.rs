//! Whole runs of the collector against recorded answers of Launchpad.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, DefaultState, ManualClock, defaults};
use tidemark_testkit::{Answer, Source, golden};

use super::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Launchpad with the recorded answers.
fn recorded() -> Source {
    let source = Source::http();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let body = Answer::ok(std::fs::read(&path).unwrap()).header("Content-Type", "application/json");
        match name.split('.').collect::<Vec<_>>()[..] {
            ["ubuntu", "json"] => source.route("/devel/ubuntu", body),
            ["series", "json"] => source.route("/devel/ubuntu/series", body),
            [series, status, "json"] => source.route(&target(series, status), body),
            [series, status, "2", "json"] => {
                source.route(&format!("{}&memo=40", target(series, status)), body);
            }
            _ => {}
        }
    }
    source
}

fn target(series: &str, status: &str) -> String {
    format!("/devel/ubuntu/{series}?ws.op=getPackageUploads&status={status}&pocket=Proposed")
}

/// Launchpad with two series, and in each queue one upload, an hour old.
fn small() -> Source {
    let source = Source::http();
    source.route(
        "/devel/ubuntu",
        answer(&json!({"current_series_link": "https://api.launchpad.net/devel/ubuntu/tricky"})),
    );
    let series = |name: &str, status: &str| json!({"name": name, "active": true, "status": status});
    let list = json!({"entries": [series("tricky", "Active Development"), series("noble", "Supported")]});
    source.route("/devel/ubuntu/series", answer(&list));
    for series in ["tricky", "noble"] {
        for status in ["Unapproved", "New"] {
            source.route(
                &target(series, status),
                answer(&json!({"entries": [of("2026-11-21T06:00:00Z")]})),
            );
        }
    }
    source
}

fn answer(value: &Value) -> Answer {
    Answer::ok(value.to_string())
}

/// One run at 2026-11-21 07:00.
fn run(source: &Source, series: &[&str]) -> Batch {
    run_on(source, series, "/ubuntu.csv")
}

/// The same, with another list of releases.
fn run_on(source: &Source, series: &[&str], distro_info: &str) -> Batch {
    let metric = UploadQueues {
        launchpad: source.url("/devel").parse().unwrap(),
        series: series.iter().map(|name| (*name).to_owned()).collect(),
        distro_info: distro_info.to_owned(),
    };
    let cx = Context::builder()
        .host_root(fixtures())
        .clock(ManualClock::new(Timestamp::from_secs(1_795_244_400).unwrap()))
        // One that hangs takes a quarter of it; what answers has as long.
        .deadline(Duration::from_secs(40));
    testing::run(&metric, cx)
}

/// The points of the queues with one upload of an hour.
fn one_each(release: &str, devel: &str) -> String {
    let mut text = String::new();
    for status in ["Unapproved", "New"] {
        let tags = format!("devel={devel},release={release},status={status}");
        text += &format!("ubuntu_queue_size,{tags} count=1i 1795244400000000000\n");
        text += &format!(
            "queue_ages,{tags} oldest_age_in_days=0i,ten_day_backlog_count=0i 1795244400000000000\n"
        );
    }
    for (kind, count) in [("source", 1), ("binary", 0), ("sync", 0)] {
        text += &format!(
            "ubuntu_new_queue_size,devel={devel},release={release},type={kind} count={count}i 1795244400000000000\n"
        );
    }
    text
}

#[test]
fn recorded_answers_give_the_expected_points() {
    let source = recorded();
    let batch = run(&source, &[]);
    assert_eq!(
        (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
        (None, &[][..], &[][..])
    );
    golden(fixtures().join("expected.influx"), &lines(&batch));
    // Both queues of nine series, one of them in two pages, and the two lists.
    assert_eq!(source.requests().len(), 2 * 9 + 1 + 2);
    let pages: Vec<_> = source
        .requests()
        .into_iter()
        .filter(|request| request.parameter("memo").is_some())
        .map(|request| request.query)
        .collect();
    assert_eq!(
        pages,
        ["ws.op=getPackageUploads&status=New&pocket=Proposed&ws.size=300&memo=40&ws.start=40"]
    );
}

#[test]
fn series_that_are_named_are_looked_at_alone() {
    let source = small();
    let batch = run(&source, &["noble", "noble"]);
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(lines(&batch), one_each("noble", "False"));
    assert!(
        source
            .requests()
            .iter()
            .all(|request| request.path != "/devel/ubuntu/series")
    );
    let batch = run(&source, &["tricky", "noble", "warty"]);
    assert_eq!(
        lines(&batch),
        one_each("tricky", "True") + &one_each("noble", "False")
    );
    assert_eq!(batch.gaps.len(), 2);
    assert!(
        batch.gaps[0].starts_with("warty's Unapproved queue: "),
        "{:?}",
        batch.gaps
    );
}

#[test]
fn without_launchpads_list_distro_info_names_the_series() {
    let source = small();
    source.route("/devel/ubuntu/series", Answer::new(500));
    let batch = run(&source, &[]);
    assert_eq!(batch.error, None);
    assert_eq!(
        lines(&batch),
        one_each("noble", "False") + &one_each("tricky", "True")
    );
    let gap = &batch.gaps[0];
    assert!(
        gap.starts_with("the active series: http://localhost:")
            && gap.ends_with("; those of /ubuntu.csv count instead"),
        "{gap}"
    );
    assert_eq!(batch.gaps.len(), 1);
}

#[test]
fn without_any_list_of_series_the_one_in_development_is_looked_at() {
    let source = small();
    source.route("/devel/ubuntu/series", Answer::new(500));
    let batch = run_on(&source, &[], "/missing.csv");
    assert_eq!(batch.error, None);
    assert_eq!(lines(&batch), one_each("tricky", "True"));
    let gap = &batch.gaps[0];
    assert!(
        gap.starts_with("the active series: known neither from distro-info (")
            && gap.ends_with("; the one in development, tricky, alone is looked at"),
        "{gap}"
    );
    assert_eq!(batch.gaps.len(), 1);
}

#[test]
fn without_launchpads_development_series_distro_info_names_it() {
    for wanted in [&[][..], &["tricky", "noble"][..]] {
        let source = small();
        source.route("/devel/ubuntu", Answer::ok("<html>"));
        let batch = run(&source, wanted);
        assert_eq!(batch.error, None);
        assert_eq!(
            lines(&batch),
            one_each("tricky", "True") + &one_each("noble", "False")
        );
        let gap = &batch.gaps[0];
        assert!(
            gap.starts_with("the development series: ")
                && gap.ends_with("; tricky, that of /ubuntu.csv, counts instead"),
            "{gap}"
        );
        assert_eq!(batch.gaps.len(), 1);
    }
}

#[test]
fn where_nobody_knows_the_development_series_the_run_is_an_error() {
    for wanted in [&[][..], &["noble"][..]] {
        let source = small();
        source.route("/devel/ubuntu", Answer::new(500));
        let said = run_on(&source, wanted, "/missing.csv").error.unwrap();
        assert!(
            said.starts_with("the development series: known neither from distro-info (cannot read ")
                && said.contains("distro-info-data")
                && said.ends_with("answered 500 Internal Server Error"),
            "{said}"
        );
    }
}

#[test]
fn a_queue_that_fails_is_a_gap_that_names_it_and_the_others_count() {
    let one = of("2026-11-21T06:00:00Z");
    for (page, why) in [
        (Answer::new(404), "answered 404"),
        (Answer::ok(""), "0 bytes"),
        (Answer::ok("[]"), "invalid length 0"),
        (Answer::ok(r#"{"entries": {}}"#), "expected a list of entries"),
        (
            answer(&json!({"entries": [null, 7]})),
            "entry 1: it is null, not an upload, and 1 more",
        ),
        (
            answer(&json!({"entries": [one], "next_collection_link": "?status=New&memo=1"})),
            "answered 404",
        ),
        (Answer::gzip_bomb(1 << 30), "longer than 8388608 bytes"),
    ] {
        let source = small();
        source.route(&target("noble", "Unapproved"), page);
        source.route("/devel/ubuntu/noble?memo=1", Answer::new(404));
        let batch = run(&source, &[]);
        assert_eq!(batch.error, None);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        let gap = &batch.gaps[0];
        assert!(
            gap.starts_with("noble's Unapproved queue: ") && gap.contains(why),
            "{gap}"
        );
        let lost = "release=noble,status=Unapproved ";
        let all = one_each("tricky", "True") + &one_each("noble", "False");
        let left: String = all
            .split_inclusive('\n')
            .filter(|line| !line.contains(lost))
            .collect();
        assert_eq!(lines(&batch), left);
    }
}

#[test]
fn what_cannot_be_read_of_an_upload_is_a_gap_of_its_queue() {
    let source = small();
    let broken =
        json!({"entries": [{"date_created": null}, of("2026-11-01T06:00:00Z"), of("2026-11-22T06:00:00Z")]});
    source.route(&target("noble", "Unapproved"), answer(&broken));
    source.route(
        &target("noble", "New"),
        answer(&json!({"entries": [{"date_created": "2026-11-01T06:00:00Z"}]})),
    );
    let batch = run(&source, &["noble"]);
    assert_eq!(batch.error, None);
    assert_eq!(
        batch.gaps,
        [
            "noble's Unapproved queue: entry 1: its date_created is null, not a time as RFC 3339 has it",
            "noble's New queue: entry 1: it has no contains_source",
        ]
    );
    assert_eq!(
        batch.notices,
        [
            "noble's Unapproved queue: entry 3: it is of 2026-11-22 06:00:00 UTC, after now: the age of such an upload counts as 0"
        ]
    );
    assert_eq!(
        lines(&batch),
        "ubuntu_queue_size,devel=False,release=noble,status=Unapproved count=3i 1795244400000000000\n\
         queue_ages,devel=False,release=noble,status=Unapproved oldest_age_in_days=20i,ten_day_backlog_count=1i 1795244400000000000\n\
         ubuntu_queue_size,devel=False,release=noble,status=New count=1i 1795244400000000000\n\
         queue_ages,devel=False,release=noble,status=New oldest_age_in_days=20i,ten_day_backlog_count=1i 1795244400000000000\n"
    );
}

#[test]
fn where_no_queue_can_be_read_the_run_is_an_error() {
    let source = small();
    let batch = run(&source, &["warty", "hoary"]);
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("none of the 4 parts gave anything; the first, warty's Unapproved queue: http://")
            && said.contains("404"),
        "{said}"
    );
    assert_eq!((batch.points.len(), batch.gaps.len()), (0, 4));
}

#[test]
fn queues_that_hang_cost_no_other_its_points() {
    let source = small();
    source.route(&target("tricky", "Unapproved"), Answer::hang());
    source.route(
        &target("tricky", "New"),
        Answer::ok("{").drip(Duration::from_secs(60)),
    );
    let batch = run(&source, &[]);
    assert_eq!(batch.error, None);
    assert_eq!(lines(&batch), one_each("noble", "False"));
    assert_eq!(batch.gaps.len(), 2);
}

#[test]
fn without_settings_it_asks_launchpad_for_all_active_series() {
    let metric: UploadQueues = defaults().unwrap();
    assert_eq!(metric.launchpad.as_str(), "https://api.launchpad.net/devel/");
    assert!(metric.series.is_empty());
    assert_eq!(UploadQueues::RUN_INTERVAL.to_string(), "5m");
    assert_eq!(UploadQueues::DEFAULT, DefaultState::Off);
    assert_eq!(metric.distro_info, "/usr/share/distro-info/ubuntu.csv");
    assert_eq!(UploadQueues::NEEDS.paths, [metric.distro_info]);
}
