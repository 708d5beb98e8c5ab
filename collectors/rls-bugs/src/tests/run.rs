//! Whole runs of the collector against recorded reports.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, DefaultState, ManualClock, Metric, Needs, Timestamp, defaults};
use tidemark_testkit::{Answer, Home, Source, golden};

use crate::RlsBugs;

/// 2026-11-21 07:00.
const NOW: i64 = 1_795_244_400;
const FOLDER: &str = "/reports/rls-mgr/";
const DISTRO_INFO: &str = include_str!("../../fixtures/ubuntu.csv");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The reports of a time and place.
struct Reports {
    source: Source,
    host: Home,
    seconds: i64,
    series: Vec<String>,
}

impl Reports {
    fn new(reports: &[(&str, Answer)]) -> Self {
        let source = Source::http();
        for (name, answer) in reports {
            source.route(&format!("{FOLDER}rls-{name}.json"), answer.clone());
        }
        let host = Home::new();
        host.file("ubuntu.csv", DISTRO_INFO);
        Self {
            source,
            host,
            seconds: NOW,
            series: Vec::new(),
        }
    }

    fn series(mut self, series: &[&str]) -> Self {
        self.series = series.iter().map(|series| (*series).to_owned()).collect();
        self
    }

    fn at(self, seconds: i64) -> Self {
        Self { seconds, ..self }
    }

    fn run_in(&self, folder: &str) -> Batch {
        let metric = RlsBugs {
            url: self.source.url(folder).parse().unwrap(),
            series: self.series.clone(),
            distro_info: "/ubuntu.csv".to_owned(),
        };
        let cx = Context::builder()
            .clock(ManualClock::new(Timestamp::from_secs(self.seconds).unwrap()))
            .host_root(self.host.path())
            // One that hangs takes a quarter of it; what answers has as long.
            .deadline(Duration::from_secs(40));
        testing::run(&metric, cx)
    }

    fn run(&self) -> Batch {
        self.run_in(FOLDER)
    }

    /// The reports that were asked for, sorted: `jj-incoming`.
    fn asked(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .source
            .requests()
            .iter()
            .map(|request| {
                let name = request.path.strip_prefix(FOLDER).unwrap();
                name.strip_prefix("rls-")
                    .unwrap()
                    .strip_suffix(".json")
                    .unwrap()
                    .to_owned()
            })
            .collect();
        names.sort_unstable();
        names
    }
}

/// A report in which that team has a bug.
fn report(team: &str) -> Answer {
    Answer::ok(format!(r#"{{"tasks": {{"1": [{{"team": ["{team}"]}}]}}}}"#))
}

fn count(tag: &str, release: &str, team: &str) -> String {
    format!(
        "distro_rls_bug_tasks,release={release},tag={tag},team_name={team} count=1i 1795244400000000000\n"
    )
}

#[test]
fn recorded_reports_give_the_expected_points() {
    let names: Vec<String> = ["jj", "nn", "rr", "ss"]
        .iter()
        .flat_map(|letters| ["incoming", "tracking"].map(|tag| format!("{letters}-{tag}")))
        .collect();
    let read = |name: &str| {
        let path = fixtures().join(format!("rls-{name}.json"));
        Answer::ok(std::fs::read(path).unwrap()).gzip()
    };
    let reports: Vec<_> = names.iter().map(|name| (name.as_str(), read(name))).collect();
    let reports = Reports::new(&reports);
    // With a slash at the end of the address, and without.
    for folder in [FOLDER, FOLDER.trim_end_matches('/')] {
        let batch = reports.run_in(folder);
        assert_eq!(
            (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
            (None, &[][..], &[][..])
        );
        golden(fixtures().join("expected.influx"), &lines(&batch));
    }
}

#[test]
fn every_supported_release_and_the_one_in_development_is_asked_for_and_no_other() {
    let all = |series: &[&str]| -> Vec<String> {
        let names = series.iter();
        names
            .flat_map(|letters| ["incoming", "tracking"].map(|tag| format!("{letters}-{tag}")))
            .collect()
    };
    for (seconds, letters) in [
        (NOW, &["jj", "nn", "rr", "ss"][..]),
        // The last second of 25.10's last day, 2026-07-09, and the next: 26.10 is in development.
        (1_783_641_599, &["jj", "nn", "qq", "rr", "ss"]),
        (1_783_641_600, &["jj", "nn", "rr", "ss"]),
        // The last second before 26.10 begins, on the day of 26.04's release, and the first.
        (1_776_902_399, &["jj", "nn", "qq", "rr"]),
        (1_776_902_400, &["jj", "nn", "qq", "rr", "ss"]),
        // A leap day: 2020-02-29, when the desktop of 14.04 was past its end.
        (1_582_934_400, &["bb", "ff", "x"]),
        // 2018-01-01: 17.04 was before artful.
        (1_514_764_800, &["aa", "bb", "t", "x", "z"]),
    ] {
        let reports = Reports::new(&[]).at(seconds);
        reports.run();
        assert_eq!(reports.asked(), all(letters), "{seconds}");
    }
}

#[test]
fn the_release_in_development_may_have_no_reports_yet() {
    const RELEASES: &str = "version,codename,series,created,release,eol\n\
        17.10,Artful Aardvark,artful,2017-04-13,2017-10-19,2018-07-19\n\
        24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31\n\
        26.10,Stonking Stingray,stonking,2026-04-23,2026-10-15,2027-07-15\n\
        27.04,Tenacious Tapir,tenacious,2026-10-15,2027-04-22,2028-01-20\n";
    let run = |reports: &[(&str, Answer)]| {
        let reports = Reports::new(reports);
        reports.host.file("ubuntu.csv", RELEASES);
        reports.run()
    };
    let others = [
        ("nn-incoming", report("a")),
        ("nn-tracking", report("b")),
        ("ss-incoming", report("c")),
        ("ss-tracking", report("d")),
    ];
    let with = |reports: &[(&'static str, Answer)]| [&others[..], reports].concat();

    let batch = run(&with(&[("tt-tracking", report("e"))]));
    assert_eq!((batch.error, &batch.gaps[..]), (None, &[][..]));
    assert_eq!(
        batch.notices,
        ["tenacious is in development and has no rls-tt-incoming.json yet"]
    );
    assert_eq!(batch.points.len(), 5);
    // That it cannot be had is another thing.
    let batch = run(&with(&[
        ("tt-incoming", Answer::new(503)),
        ("tt-tracking", report("e")),
    ]));
    assert_eq!(
        (batch.gaps.len(), batch.notices.len()),
        (1, 0),
        "{:?}",
        batch.gaps
    );
    assert!(
        batch.gaps[0].starts_with("tenacious's rls-tt-incoming.json: "),
        "{:?}",
        batch.gaps
    );
    // One that is released has reports, and that one has none yet does not make up for all others.
    let batch = run(&others[..3]);
    assert_eq!(
        (batch.gaps.len(), batch.notices.len()),
        (1, 2),
        "{:?}",
        batch.gaps
    );
    let said = run(&[]).error.unwrap();
    assert!(said.starts_with("none of the 4 parts gave anything; "), "{said}");
}

#[test]
fn the_initial_is_there_once_before_artful_and_twice_from_it_on() {
    let reports = Reports::new(&[]).series(&[
        "zesty",
        "artful",
        "trusty",
        "xenial",
        "bionic",
        "unheard-of",
        "artful",
    ]);
    reports.run();
    assert_eq!(
        reports.asked(),
        [
            "aa-incoming",
            "aa-tracking",
            "bb-incoming",
            "bb-tracking",
            "t-incoming",
            "t-tracking",
            "uu-incoming",
            "uu-tracking",
            "x-incoming",
            "x-tracking",
            "z-incoming",
            "z-tracking",
        ]
    );
    // Where the list does not know artful, all in it are of its time before.
    let reports = Reports::new(&[]).series(&["warty", "noble"]);
    reports.host.file(
        "ubuntu.csv",
        "version,codename,series,created,release,eol\n4.10,Warty Warthog,warty,2004-03-05,2004-10-20,2006-04-30\n",
    );
    reports.run();
    assert_eq!(
        reports.asked(),
        ["nn-incoming", "nn-tracking", "w-incoming", "w-tracking"]
    );
}

#[test]
fn a_report_that_fails_is_a_gap_that_names_it_and_the_others_count() {
    for (answer, why) in [
        (Answer::new(404), "404"),
        (Answer::ok(""), "0 bytes"),
        (
            Answer::ok("<html>maintenance</html>"),
            "an HTML page where JSON was due",
        ),
        (Answer::ok(r#"{"tasks": {"1": [{"te"#), "EOF"),
        (
            Answer::ok(r#"{"tasks": []}"#),
            "expected an object with the tasks of each bug",
        ),
        (
            Answer::ok(r#"{"tasks": {"1": null, "2": 3}}"#),
            "bug \"1\" is null, not a list of tasks, and 1 more",
        ),
        (Answer::huge(1 << 30), "16777216"),
        (Answer::hang(), "did not answer within"),
    ] {
        let batch = Reports::new(&[
            ("jj-incoming", report("a")),
            ("jj-tracking", report("b")),
            ("nn-incoming", answer),
            ("nn-tracking", report("c")),
        ])
        .series(&["noble", "jammy"])
        .run();
        assert_eq!(batch.error, None);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        let gap = &batch.gaps[0];
        assert!(
            gap.starts_with("noble's rls-nn-incoming.json: ") && gap.contains(why),
            "{gap}"
        );
        let expected = count("incoming", "jammy", "a")
            + &count("tracking", "jammy", "b")
            + &count("tracking", "noble", "c");
        assert_eq!(lines(&batch), expected);
    }
}

#[test]
fn reports_that_hang_leave_time_for_those_after_them() {
    // More than are asked for at a time, within the deadline.
    let hanging = ["ff-incoming", "ff-tracking", "jj-incoming"].map(|name| (name, Answer::hang()));
    let slow = |team| report(team).after(Duration::from_millis(200));
    let mut reports = hanging.to_vec();
    reports.extend([
        ("jj-tracking", slow("a")),
        ("nn-incoming", slow("b")),
        ("nn-tracking", slow("c")),
    ]);
    let batch = Reports::new(&reports).series(&["focal", "jammy", "noble"]).run();
    assert_eq!((batch.error.as_deref(), batch.gaps.len()), (None, 3));
    let expected =
        count("tracking", "jammy", "a") + &count("incoming", "noble", "b") + &count("tracking", "noble", "c");
    assert_eq!(lines(&batch), expected);
}

#[test]
fn what_is_left_out_of_a_report_is_a_gap_and_the_rest_counts() {
    let odd = Answer::ok(r#"{"tasks": {"1": [{"team": ["a"]}], "2": [{"team": 3}], "3": [{}]}}"#);
    let batch = Reports::new(&[("nn-incoming", odd), ("nn-tracking", report("b"))])
        .series(&["noble"])
        .run();
    assert_eq!(batch.error, None);
    assert_eq!(
        batch.gaps,
        [
            "noble's rls-nn-incoming.json: the `team` of a task of bug \"2\" is 3, not a list or null, and 1 more"
        ]
    );
    assert_eq!(
        lines(&batch),
        count("incoming", "noble", "a") + &count("tracking", "noble", "b")
    );
}

#[test]
fn reports_without_bugs_are_no_fault() {
    let none = Answer::ok(r#"{"tasks": {}}"#);
    let batch = Reports::new(&[("nn-incoming", none.clone()), ("nn-tracking", none)])
        .series(&["noble"])
        .run();
    assert_eq!((batch.error, batch.gaps.len(), batch.points.len()), (None, 0, 0));
}

#[test]
fn without_releases_or_any_report_the_run_is_an_error() {
    let batch = Reports::new(&[]).series(&["noble"]).run();
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("none of the 2 parts gave anything; the first, noble's rls-nn-incoming.json")
            && said.contains("404"),
        "{said}"
    );
    assert_eq!(batch.gaps.len(), 2);
    // 2040-01-01.
    let reports = Reports::new(&[]).at(2_208_988_800);
    let said = reports.run().error.unwrap();
    assert!(
        said.starts_with("/ubuntu.csv names no release that is supported on 2040-01-01")
            && said.contains("distro-info-data"),
        "{said}"
    );
    std::fs::remove_file(reports.host.path().join("ubuntu.csv")).unwrap();
    let said = reports.run().error.unwrap();
    assert!(
        said.contains("distro-info-data") && said.contains("ubuntu.csv"),
        "{said}"
    );
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let metric: RlsBugs = defaults().unwrap();
    assert_eq!(
        metric.url.as_str(),
        "http://reports.qa.ubuntu.com/reports/rls-mgr/"
    );
    assert_eq!(metric.distro_info, "/usr/share/distro-info/ubuntu.csv");
    assert_eq!(metric.series, [""; 0]);
    assert_eq!(RlsBugs::RUN_INTERVAL.to_string(), "1h");
    assert_eq!(RlsBugs::DEFAULT, DefaultState::Off);
    let needs = Needs {
        paths: &["/usr/share/distro-info/ubuntu.csv"],
        ..Needs::NETWORK
    };
    assert_eq!(RlsBugs::NEEDS, needs);
}
