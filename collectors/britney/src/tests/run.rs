//! Whole runs of the collector against recorded documents.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidemark_collect::{Batch, DefaultState, ManualClock, Strictness, defaults, line, run_once};
use tidemark_testkit::{Answer, Source, asked};

use crate::*;

/// 2026-11-21 07:00.
const NOW: i64 = 1_795_244_400;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Everything below a folder, as paths below it.
fn files(folder: &Path, below: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

/// A server with these paths, below `/proposed-migration/`.
struct Scene {
    source: Source,
    metric: Britney,
    now: Timestamp,
}

impl Scene {
    fn new(series: &[&str]) -> Self {
        let source = Source::http();
        let metric = Britney {
            url: source.url("/proposed-migration").parse().unwrap(),
            series: series.iter().map(|&series| series.to_owned()).collect(),
            development: Some("tenacious".to_owned()),
            distro_info: "/ubuntu.csv".to_owned(),
        };
        let now = Timestamp::from_secs(NOW).unwrap();
        let scene = Self { source, metric, now };
        scene.route(
            EXCUSES,
            Answer::ok(
                "time,valid candidates,not considered,total,median age,backlog\n1795242600000,1,2,3,4,5\n",
            ),
        );
        scene.route(BY_TEAM, Answer::ok("desktop-packages: [{age: 4.5}]\n"));
        scene
    }

    /// One with the recorded documents, which finds out the series.
    fn recorded(change: impl Fn(Answer) -> Answer) -> Self {
        let mut scene = Self::new(&[]);
        scene.metric.development = None;
        let mut names = Vec::new();
        files(&fixtures(), "", &mut names);
        for name in names {
            let answer = Answer::ok(std::fs::read(fixtures().join(&name)).unwrap());
            let path = match name.strip_suffix("index.html") {
                Some(folder) => folder.to_owned(),
                // Files have dots where logs have colons.
                None if name.starts_with("log/") => {
                    let (folder, log) = name.rsplit_once('/').unwrap();
                    format!("{folder}/{}{}", log[..8].replace('.', ":"), &log[8..])
                }
                None => name,
            };
            scene.route(
                &path,
                if path.ends_with(".log") {
                    change(answer)
                } else {
                    answer.gzip()
                },
            );
        }
        scene
    }

    fn route(&self, path: &str, answer: Answer) {
        self.source.route(&format!("/proposed-migration/{path}"), answer);
    }

    /// The page of a series that was made then.
    fn page(&self, series: &str, generated: &str) {
        let page = format!("<html>\n<p>Generated: {generated} +0000</p>\n<ul></ul></html>\n");
        self.route(&format!("{series}/update_excuses.html"), Answer::ok(page));
    }

    /// The listing of a day's folder, and its logs.
    fn logs(&self, series: &str, day: &str, logs: &[(&str, &str)]) {
        let rows: String = logs
            .iter()
            .map(|(name, _)| format!("<li><a href=\"./{name}\">{name}</a></li>\n"))
            .collect();
        self.route(
            &format!("log/{series}/{day}/"),
            Answer::ok(format!("<ul>\n{rows}</ul>\n")),
        );
        for (name, log) in logs {
            self.route(&format!("log/{series}/{day}/{name}"), Answer::ok(log).by_range());
        }
    }

    /// The paths that were asked for, below `/proposed-migration/`, sorted.
    fn asked(&self) -> Vec<String> {
        let requests = self.source.requests().into_iter();
        let mut paths: Vec<String> = requests
            .map(|request| request.path["/proposed-migration/".len()..].to_owned())
            .collect();
        paths.sort_unstable();
        paths
    }

    fn run(&self) -> Batch {
        self.run_within(Duration::from_secs(60))
    }

    fn run_within(&self, deadline: Duration) -> Batch {
        let cx = Context::builder()
            .metric::<Britney>()
            .clock(ManualClock::new(self.now))
            .host_root(fixtures())
            .deadline(deadline)
            .strictness(Strictness::Strict)
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run_once(&self.metric, &cx))
    }

    /// One run at that time; the lines of the last runs, without their times.
    fn last_runs(&mut self, now: &str) -> (Vec<String>, Batch) {
        self.now = now.parse().unwrap();
        let batch = self.run();
        assert_eq!(batch.error, None);
        let lines = text(&batch);
        let lines = lines.lines().filter(|line| line.starts_with("britney"));
        (
            lines
                .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
                .collect(),
            batch,
        )
    }
}

fn text(batch: &Batch) -> String {
    String::from_utf8(line::write(&batch.points, line::Dialect::V1)).unwrap()
}

/// A whole log.
fn log(started: &str, finished: &str) -> String {
    format!("{started}\ntrying: glibc\n    got: 0+0: a-0\nFinished at: {finished}\n")
}

fn age(series: &str, hours: i64) -> String {
    format!("britney_last_run_age,release={series} run_age={hours}i")
}

fn took(series: &str, minutes: i64) -> String {
    format!("britney_last_run_duration,release={series} run_duration={minutes}i")
}

/// The points of a new [`Scene`].
const OTHERS: &str = "update_excuses_by_team_stats,release=tenacious,team=desktop-packages age=4.5,count=1i 1795244400000000000\n\
    update_excuses_stats,release=tenacious backlog=5i,median_age=4i,not_considered=2i,total=3i,valid_candidates=1i 1795242600000000000\n";

#[test]
fn recorded_documents_give_the_expected_points() {
    // Whether the server gives parts of a log, or has to give the whole.
    for change in [
        |answer: Answer| answer.by_range(),
        |answer| answer,
        |answer: Answer| answer.gzip(),
    ] {
        let scene = Scene::recorded(change);
        let mut batch = scene.run();
        assert_eq!(batch.error, None);
        // They come as the documents do.
        batch.gaps.sort_unstable();
        batch.notices.sort_unstable();
        assert_eq!(
            batch.gaps,
            [
                "update_excuses.csv: the row in line 1435 is left out: \"nan\" is no whole number",
                "update_excuses_by_team.yaml: unsubscribed: the package in line 3138 is left out: it has no age",
                "update_excuses_by_team.yaml: unsubscribed: the package in line 3141 is left out: its age is the text \"unknown\", not a number",
            ]
        );
        assert_eq!(
            batch.notices,
            [
                "resolute's update_excuses.html is of 2026-11-21 07:00:30 UTC, a time to come: its age counts as 0",
                "update_excuses.csv: rows of a time to come: 1",
            ]
        );
        let expected = fixtures().join("expected.influx");
        if asked("TIDEMARK_REFRESH").is_some() {
            std::fs::write(&expected, text(&batch)).unwrap();
        }
        assert_eq!(text(&batch), std::fs::read_to_string(expected).unwrap());
    }
}

#[test]
fn of_a_log_its_ends_are_asked_for() {
    let scene = Scene::recorded(Answer::by_range);
    scene.run();
    let ranges: Vec<(String, String)> = scene
        .source
        .requests()
        .into_iter()
        .filter(|request| request.path.contains("/tenacious/2026-11-21/"))
        .map(|request| {
            let name = request.path.rsplit_once('/').unwrap().1.to_owned();
            (name, request.header("range").unwrap_or_default().to_owned())
        })
        .collect();
    let asked = |name: &str, range: &str| (name.to_owned(), range.to_owned());
    assert_eq!(
        ranges,
        [
            asked("", ""),
            asked("06:10:02.log", "bytes=-256"),
            asked("05:10:02.log", "bytes=-256"),
            asked("05:10:02.log", "bytes=0-255"),
        ]
    );
}

#[test]
fn an_age_is_whole_hours_and_counts_days() {
    for (generated, now, hours) in [
        ("2026.11.21 06:00:01", "2026-11-21T07:00:00Z", 0),
        ("2026.11.21 06:00:00", "2026-11-21T07:00:00Z", 1),
        ("2026.11.21 06:00:00", "2026-11-21T07:59:59.999Z", 1),
        ("2026.11.20 23:59:59", "2026-11-21T00:00:00Z", 0),
        ("2026.11.18 03:59:59", "2026-11-21T07:00:00Z", 75),
        ("2024.02.28 12:00:00", "2024-03-01T12:00:00Z", 48),
        ("2025.12.31 23:00:00", "2026-01-01T01:00:00Z", 2),
        ("2026.11.21 07:00:01", "2026-11-21T07:00:00Z", 0),
        ("2027.11.21 07:00:00", "2026-11-21T07:00:00Z", 0),
    ] {
        let mut scene = Scene::new(&["noble"]);
        scene.page("noble", generated);
        let (lines, batch) = scene.last_runs(now);
        assert_eq!(lines, [age("noble", hours)], "{generated}");
        let is_told = batch
            .notices
            .iter()
            .any(|notice| notice.contains("noble's update_excuses.html is of 20"));
        assert_eq!(
            is_told,
            generated[..4] == *"2027" || generated.ends_with("07:00:01"),
            "{:?}",
            batch.notices
        );
    }
}

#[test]
fn a_run_over_midnight_has_its_log_in_the_folder_of_the_day_before() {
    let before = log(
        "Thu, 29 Feb 2024 23:50:02 +0000",
        "Fri, 1 Mar 2024 00:05:10 +0000",
    );
    let mut scene = Scene::new(&["noble"]);
    scene.page("noble", "2024.03.01 00:04:31");
    scene.logs("noble", "2024-02-29", &[("23:50:02.log", &before)]);
    // No run began on the new day.
    assert_eq!(
        scene.last_runs("2024-03-01T00:10:00Z").0,
        [age("noble", 0), took("noble", 15)]
    );
    // One did, and goes on.
    scene.logs(
        "noble",
        "2024-03-01",
        &[("00:09:02.log", "Fri, 01 Mar 2024 00:09:02 +0000\ntrying: glibc\n")],
    );
    let (lines, batch) = scene.last_runs("2024-03-01T00:10:00Z");
    assert_eq!(lines, [age("noble", 0), took("noble", 15)]);
    assert_eq!(batch.gaps, [""; 0]);
    // It ended.
    let after = log(
        "Fri, 01 Mar 2024 00:09:02 +0000",
        "Fri, 01 Mar 2024 01:11:01 +0000",
    );
    scene.logs("noble", "2024-03-01", &[("00:09:02.log", &after)]);
    assert_eq!(
        scene.last_runs("2024-03-01T01:20:00Z").0,
        [age("noble", 1), took("noble", 61)]
    );
}

#[test]
fn the_newest_log_that_is_whole_counts() {
    let whole = log(
        "Sat, 21 Nov 2026 02:00:00 +0000",
        "Sat, 21 Nov 2026 02:12:59 +0000",
    );
    let older = log(
        "Sat, 21 Nov 2026 01:00:00 +0000",
        "Sat, 21 Nov 2026 01:59:00 +0000",
    );
    let newer = log(
        "Sat, 21 Nov 2026 06:00:00 +0000",
        "Sat, 21 Nov 2026 06:59:00 +0000",
    );
    let mut scene = Scene::new(&["noble"]);
    scene.page("noble", "2026.11.21 02:12:00");
    scene.logs(
        "noble",
        "2026-11-21",
        &[
            ("01:00:00.log", &older),
            ("02:00:00.log", &whole),
            // A test, one that was killed, one that is no log, one of the first moment, and one that has just gone.
            ("06:00:00-notest.log", &newer),
            (
                "03:00:00.log",
                "Sat, 21 Nov 2026 03:00:00 +0000\ntrying: glibc\nKilled\n",
            ),
            (
                "04:00:00.log",
                "trying: glibc\nFinished at: Sat, 21 Nov 2026 04:12:59 +0000\n",
            ),
            ("05:00:00.log", ""),
            ("06:00:00.log", ""),
        ],
    );
    scene.route("log/noble/2026-11-21/06:00:00.log", Answer::new(404));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(lines, [age("noble", 4), took("noble", 12)]);
    assert_eq!(
        (batch.gaps.len(), batch.notices.len()),
        (0, 0),
        "{:?} {:?}",
        batch.gaps,
        batch.notices
    );
}

#[test]
fn a_run_may_take_no_minute_and_more_than_a_day() {
    for (started, finished, minutes) in [
        (
            "Sat, 21 Nov 2026 02:00:00 +0000",
            "Sat, 21 Nov 2026 02:00:59 +0000",
            0,
        ),
        (
            "Sat, 21 Nov 2026 02:00:00 +0000",
            "Sat, 21 Nov 2026 02:00:00 +0000",
            0,
        ),
        (
            "Wed, 28 Feb 2024 02:00:00 +0000",
            "Fri, 01 Mar 2024 02:30:00 +0000",
            2 * 24 * 60 + 30,
        ),
        (
            "Sat, 21 Nov 2026 02:00:00 +0100",
            "Sat, 21 Nov 2026 02:00:00 +0000",
            60,
        ),
    ] {
        let mut scene = Scene::new(&["noble"]);
        scene.page("noble", "2026.11.21 02:12:00");
        scene.logs(
            "noble",
            "2026-11-21",
            &[("02:00:00.log", &log(started, finished))],
        );
        assert_eq!(
            scene.last_runs("2026-11-21T07:00:00Z").0,
            [age("noble", 4), took("noble", minutes)]
        );
    }
}

#[test]
fn without_a_log_that_is_whole_there_is_a_gap() {
    let running = "Sat, 21 Nov 2026 02:00:00 +0000\n";
    let back = log(
        "Sat, 21 Nov 2026 02:00:00 +0000",
        "Sat, 21 Nov 2026 01:59:59 +0000",
    );
    let gap = |scene: &mut Scene| {
        scene.page("noble", "2026.11.21 02:12:00");
        let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
        assert_eq!(lines, [age("noble", 4)]);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        assert!(
            batch.gaps[0].starts_with("noble's last log: "),
            "{:?}",
            batch.gaps
        );
        batch.gaps[0].clone()
    };
    let mut scene = Scene::new(&["noble"]);
    assert!(
        gap(&mut scene).contains("there is no log in http"),
        "{}",
        gap(&mut scene)
    );
    scene.logs("noble", "2026-11-20", &[("01:00:00.log", running)]);
    scene.logs("noble", "2026-11-21", &[("02:00:00.log", running)]);
    let said = gap(&mut scene);
    assert!(
        said.contains("no log is whole in http") && said.contains("(2 were looked at)"),
        "{said}"
    );
    scene.logs("noble", "2026-11-21", &[("02:00:00.log", &back)]);
    assert!(
        gap(&mut scene).contains("before it begins"),
        "{}",
        gap(&mut scene)
    );
    scene.route("log/noble/2026-11-21/02:00:00.log", Answer::new(500));
    assert!(gap(&mut scene).contains("answered 500"), "{}", gap(&mut scene));
    // Of a day's many logs that are not whole, a few are looked at.
    let names: Vec<String> = (0..60).map(|minute| format!("01:{minute:02}:00.log")).collect();
    let logs: Vec<(&str, &str)> = names.iter().map(|name| (&name[..], running)).collect();
    let mut scene = Scene::new(&["noble"]);
    scene.logs("noble", "2026-11-21", &logs);
    assert!(
        gap(&mut scene).contains("(20 were looked at)"),
        "{}",
        gap(&mut scene)
    );
}

#[test]
fn without_its_page_a_series_still_has_its_log() {
    let whole = log(
        "Fri, 20 Nov 2026 23:00:00 +0000",
        "Fri, 20 Nov 2026 23:12:59 +0000",
    );
    for answer in [
        Answer::new(404),
        Answer::new(500),
        Answer::ok("<html>Log in</html>"),
        Answer::ok(""),
        Answer::reset(),
    ] {
        let mut scene = Scene::new(&["noble"]);
        scene.route("noble/update_excuses.html", answer);
        scene.logs("noble", "2026-11-20", &[("23:00:00.log", &whole)]);
        let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
        assert_eq!(lines, [took("noble", 12)]);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        assert!(
            batch.gaps[0].starts_with("noble's update_excuses.html: http"),
            "{:?}",
            batch.gaps
        );
    }
}

#[test]
fn the_series_in_development_may_have_had_no_run_yet() {
    let mut scene = Scene::recorded(Answer::by_range);
    scene.route("tenacious/update_excuses.html", Answer::new(404));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(
        (lines.len(), batch.gaps.len()),
        (12, 3),
        "{lines:?} {:?}",
        batch.gaps
    );
    assert!(
        batch
            .notices
            .contains(&"tenacious is in development and has no update_excuses.html yet".to_owned()),
        "{:?}",
        batch.notices
    );
    assert!(!scene.asked().iter().any(|path| path.starts_with("log/tenacious")));
    // That it cannot be had is another thing.
    scene.route("tenacious/update_excuses.html", Answer::new(503));
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(
        (lines.len(), batch.gaps.len()),
        (13, 4),
        "{lines:?} {:?}",
        batch.gaps
    );
}

#[test]
fn named_series_are_asked_for_alone_and_need_no_list() {
    let mut scene = Scene::new(&["noble", "xenial"]);
    scene.metric.distro_info = "/missing.csv".to_owned();
    scene.page("noble", "2026.11.21 02:12:00");
    scene.page("xenial", "2026.11.21 02:12:00");
    let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
    assert_eq!(lines, [age("noble", 4), age("xenial", 4)]);
    assert_eq!(batch.gaps.len(), 2, "{:?}", batch.gaps);
    assert_eq!(
        scene.asked(),
        [
            "log/noble/2026-11-20/",
            "log/noble/2026-11-21/",
            "log/xenial/2026-11-20/",
            "log/xenial/2026-11-21/",
            "noble/update_excuses.html",
            "update_excuses.csv",
            "update_excuses_by_team.yaml",
            "xenial/update_excuses.html",
        ]
    );
}

#[test]
fn without_the_list_of_releases_what_needs_it_is_missing() {
    let missing = "cannot read the list of Ubuntu's releases: install the package distro-info-data anew";
    let mut scene = Scene::new(&[]);
    scene.metric.distro_info = "/missing.csv".to_owned();
    let batch = scene.run();
    assert_eq!((batch.error.clone(), text(&batch)), (None, OTHERS.to_owned()));
    assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
    assert!(
        batch.gaps[0].starts_with(&format!("the supported series: {missing}")),
        "{:?}",
        batch.gaps
    );

    scene.metric.development = None;
    let said = scene.run().error.unwrap();
    assert!(
        said.starts_with(missing) && said.contains("missing.csv"),
        "{said}"
    );
    assert_eq!(scene.source.requests().len(), 2);

    scene.metric.series = vec!["noble".to_owned()];
    scene.page("noble", "2026.11.21 02:12:00");
    let batch = scene.run();
    assert_eq!(
        (batch.error.clone(), text(&batch)),
        (None, format!("{} 1795244400000000000\n", age("noble", 4)))
    );
    assert!(
        batch.gaps[0].starts_with(&format!("the series in development: {missing}")),
        "{:?}",
        batch.gaps
    );
}

#[test]
fn a_list_of_releases_that_is_too_old_says_so() {
    let mut scene = Scene::recorded(Answer::by_range);
    let (lines, batch) = scene.last_runs("2027-04-22T00:00:00Z");
    assert!(lines.contains(&age("tenacious", 3642)), "{lines:?}");
    assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
    let due = "the series in development: the list of Ubuntu's releases knows none in the making on 2027-04-22 \
               (its newest is tenacious): upgrade the package distro-info-data";
    assert_eq!(batch.gaps[0], due);
}

#[test]
fn a_document_that_fails_is_a_gap_and_the_other_counts() {
    for (broken, other) in [(EXCUSES, 0), (BY_TEAM, 1)] {
        for (answer, said) in [
            (Answer::new(404), "404"),
            (Answer::new(500), "500"),
            (Answer::ok(""), "0 bytes"),
            (
                Answer::ok("<!DOCTYPE html>\n<html><body>Log in</body></html>\n"),
                "does not have the form",
            ),
            (Answer::ok(b"\xff\xfet\0i\0m\0e\0"), "UTF-8"),
            (
                Answer::ok("a: [{age: 4},\n".repeat(10_000)).cut_after(70_000),
                "broke off",
            ),
            (Answer::huge(200 << 20), "longer than"),
            (Answer::gzip_bomb(200 << 20), ""),
        ] {
            let scene = Scene::new(&[]);
            scene.route(broken, answer);
            let mut scene = scene;
            scene.metric.series = vec!["noble".to_owned()];
            scene.page("noble", "2026.11.21 02:12:00");
            let batch = scene.run();
            assert_eq!(batch.error, None);
            assert_eq!(batch.gaps.len(), 2, "{:?}", batch.gaps);
            assert!(
                batch.gaps[0].starts_with(&format!("{broken}: ")) && batch.gaps[0].contains(said),
                "{said}: {:?}",
                batch.gaps
            );
            assert_eq!(
                text(&batch)
                    .lines()
                    .filter(|line| OTHERS.contains(line))
                    .collect::<Vec<_>>(),
                [OTHERS.lines().nth(other).unwrap()]
            );
        }
    }
}

#[test]
fn where_nothing_can_be_read_the_run_is_an_error() {
    let scene = Scene::recorded(Answer::by_range);
    scene.source.close();
    let batch = scene.run();
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("none of the 16 parts gave anything; the first, update_excuses_by_team.yaml: "),
        "{said}"
    );
    assert_eq!(
        (batch.points.len(), batch.gaps.len()),
        (0, 16),
        "{:?}",
        batch.gaps
    );
}

#[test]
fn one_that_hangs_costs_no_other_its_time() {
    let scene = Scene::recorded(Answer::by_range);
    scene.route("noble/update_excuses.html", Answer::hang());
    scene.route("log/jammy/2026-11-21/", Answer::hang());
    scene.route("log/resolute/2026-11-21/05:00:00.log", Answer::hang());
    let began = Instant::now();
    let batch = scene.run_within(Duration::from_secs(6));
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(batch.error, None);
    let parts = [
        "jammy's last log: ",
        "noble's update_excuses.html: ",
        "resolute's last log: ",
    ];
    for part in parts {
        let gaps: Vec<&String> = batch.gaps.iter().filter(|gap| gap.starts_with(part)).collect();
        assert!(
            gaps.len() == 1 && gaps[0].contains("did not answer within"),
            "{:?}",
            batch.gaps
        );
    }
    // The three of the recorded documents.
    assert_eq!(batch.gaps.len(), 3 + parts.len(), "{:?}", batch.gaps);
    let lines = text(&batch);
    assert_eq!(
        lines.lines().filter(|line| line.starts_with("britney")).count(),
        14 - parts.len(),
        "{lines}"
    );
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let metric: Britney = defaults().unwrap();
    assert_eq!(
        metric.url.as_str(),
        "https://ubuntu-archive-team.ubuntu.com/proposed-migration/"
    );
    assert_eq!(
        (metric.series.len(), metric.development, &metric.distro_info[..]),
        (0, None, distro_info::PATH)
    );
    assert_eq!(Britney::RUN_INTERVAL.to_string(), "5m");
    assert_eq!(Britney::DEFAULT, DefaultState::Off);
}
