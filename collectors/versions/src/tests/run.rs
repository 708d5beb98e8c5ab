//! Whole runs of the collector against recorded reports.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, DefaultState, ManualClock, Metric, Needs, Timestamp, defaults};
use tidemark_testkit::{Answer, Source, golden};

use crate::Versions;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A source with these files in `/stats/current`.
fn source(files: &[(&str, Answer)]) -> Source {
    let source = Source::http();
    for (name, answer) in files {
        source.route(&format!("/stats/current/{name}"), answer.clone());
    }
    source
}

/// One run at 2026-11-21 07:00.
fn run_on(source: &Source, folder: &str) -> Batch {
    let metric = Versions {
        url: source.url(folder).parse().unwrap(),
    };
    let cx = Context::builder()
        .clock(ManualClock::new(Timestamp::from_secs(1_795_244_400).unwrap()))
        // One that hangs takes a quarter of it; what answers has as long.
        .deadline(Duration::from_secs(40));
    testing::run(&metric, cx)
}

fn run(files: &[(&str, Answer)]) -> Batch {
    run_on(&source(files), "/stats/current/")
}

/// The line of a report's category.
fn count(report: &str, category: &str, count: u32) -> String {
    format!(
        "versions_script_stats,category={category},report={report},series=devel count={count}i 1795244400000000000\n"
    )
}

#[test]
fn recorded_reports_give_the_expected_points() {
    let source = Source::http();
    for entry in std::fs::read_dir(fixtures().join("current")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap().replace(' ', "%20");
        let body = std::fs::read(entry.path()).unwrap();
        source.route(&format!("/stats/current/{name}"), Answer::ok(body));
    }
    // With a slash at the end of the address, and without.
    for folder in ["/stats/current/", "/stats/current"] {
        let batch = run_on(&source, folder);
        assert_eq!(
            (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
            (None, &[][..], &[][..])
        );
        golden(fixtures().join("expected.influx"), &lines(&batch));
    }
}

#[test]
fn a_report_that_fails_is_a_gap_that_names_it_and_the_others_count() {
    for (answer, why) in [
        (Answer::new(404), "404"),
        (Answer::ok(""), "0 bytes"),
        (
            Answer::ok("<html>\nmaintenance\n</html>"),
            "line 1, \"<html>\", is not category=COUNT, and 2 more",
        ),
        (Answer::ok(b"x=1\n\xff=2\n"), "UTF-8"),
        (Answer::huge(1 << 30), "1048576"),
        (Answer::hang(), "did not answer within"),
    ] {
        let batch = run(&[
            ("reports", Answer::ok("base\nbroken\nlast\n")),
            ("base", Answer::ok("a=1\nb=2\n")),
            ("broken", answer),
            ("last", Answer::ok("a=3\n")),
        ]);
        assert_eq!(batch.error, None);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        let gap = &batch.gaps[0];
        assert!(gap.starts_with("report broken: ") && gap.contains(why), "{gap}");
        let expected = count("base", "a", 1) + &count("base", "b", 2) + &count("last", "a", 3);
        assert_eq!(lines(&batch), expected);
    }
}

#[test]
fn reports_that_hang_leave_time_for_those_after_them() {
    // As many as are asked for at a time, within the deadline.
    let mut files = ["a", "b", "c", "d"].map(|name| (name, Answer::hang())).to_vec();
    files.push(("reports", Answer::ok("a\nb\nc\nd\nlast\n")));
    let slow = Answer::ok("x=1\n").after(Duration::from_millis(400));
    files.push(("last", slow));
    let batch = run(&files);
    assert_eq!((batch.error.as_deref(), batch.gaps.len()), (None, 4));
    assert_eq!(lines(&batch), count("last", "x", 1));
}

#[test]
fn a_line_that_is_wrong_is_a_gap_and_the_other_lines_count() {
    let batch = run(&[
        ("reports", Answer::ok("base\n../secret\n")),
        ("base", Answer::ok("a=1\nb=many\nc=2\n")),
    ]);
    assert_eq!(batch.error, None);
    assert_eq!(
        batch.gaps,
        [
            "the list of reports: line 2, \"../secret\", is no name of a file",
            "report base: line 2, \"b=many\", is not category=COUNT",
        ]
    );
    assert_eq!(lines(&batch), count("base", "a", 1) + &count("base", "c", 2));
}

#[test]
fn a_name_is_one_segment_of_the_address_whatever_is_in_it() {
    let name = "a b?c#d%41é";
    let source = source(&[
        ("reports", Answer::ok(name)),
        ("a%20b%3Fc%23d%2541%C3%A9", Answer::ok("x=1")),
    ]);
    let batch = run_on(&source, "/stats/current");
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(batch.points[0].tag("report"), Some(name));
}

#[test]
fn without_a_list_or_any_report_the_run_is_an_error() {
    for (list, why) in [
        (Answer::new(500), "500"),
        (Answer::ok(""), "0 bytes"),
        (Answer::ok("\n\n"), "it names no report"),
        (
            Answer::ok("<html>\n</html>\n"),
            "line 1, \"<html>\", is no name of a file",
        ),
    ] {
        let batch = run(&[("reports", list)]);
        let said = batch.error.unwrap();
        assert!(
            said.contains("/stats/current/reports") && said.contains(why),
            "{said}"
        );
        assert_eq!((batch.points.len(), batch.gaps.len()), (0, 0));
    }
    let batch = run(&[("reports", Answer::ok("a\nb")), ("b", Answer::ok("no count"))]);
    let said = batch.error.unwrap();
    assert!(
        said.contains("none of the 2 parts gave anything") && said.contains("report a"),
        "{said}"
    );
    assert_eq!(batch.gaps.len(), 2);
}

#[test]
fn reports_are_asked_for_side_by_side_a_few_at_a_time() {
    // Eight reports of 1.5 s each, four at a time: 3 s, and 12 s where they were asked for one after the other.
    let names: Vec<String> = (0..8).map(|number| format!("r{number}")).collect();
    let slow = Answer::ok("a=1").after(Duration::from_millis(1_500));
    let mut files = vec![("reports", Answer::ok(names.join("\n")))];
    files.extend(names.iter().map(|name| (name.as_str(), slow.clone())));
    let source = source(&files);
    let batch = run_on(&source, "/stats/current/");
    assert_eq!((batch.error.as_deref(), batch.points.len()), (None, 8));
    assert!(batch.duration < Duration::from_secs(11), "{:?}", batch.duration);
    assert!(
        (2..=5).contains(&source.connections()),
        "{}",
        source.connections()
    );
}

#[test]
fn without_settings_it_asks_the_desktop_team() {
    let metric: Versions = defaults().unwrap();
    assert_eq!(
        metric.url.as_str(),
        "https://people.canonical.com/~platform/desktop/versions/stats/current/"
    );
    assert_eq!(Versions::RUN_INTERVAL.to_string(), "1h");
    assert_eq!(Versions::DEFAULT, DefaultState::Off);
    assert_eq!(Versions::NEEDS, Needs::NETWORK);
}
