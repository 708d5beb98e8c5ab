//! Whole runs of the collector against recorded answers of Launchpad.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, DefaultState, ManualClock, Metric, Needs, Timestamp, defaults};
use tidemark_testkit::{Answer, Source, golden};

use crate::Contributors;

/// Launchpad with these recorded answers, each in a file called as its path, and those of links.
fn recorded() -> Source {
    let source = Source::http();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let body = Answer::ok(std::fs::read(&path).unwrap()).header("Content-Type", "application/json");
        match name.split('.').collect::<Vec<_>>()[..] {
            [team, what, "json"] => source.route(&format!("/devel/~{team}/{what}"), body),
            [team, what, "total_size", "json"] => {
                source.route(&format!("/devel/~{team}/{what}?by=link"), body);
            }
            _ => {}
        }
    }
    source
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// One run at 2026-11-21 07:00.
fn run(source: &Source, teams: &[&str]) -> Batch {
    let metric = Contributors {
        launchpad: source.url("/devel").parse().unwrap(),
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
    };
    let cx = Context::builder()
        .clock(ManualClock::new(Timestamp::from_secs(1_795_244_400).unwrap()))
        // One that hangs takes a quarter of it; what answers has as long.
        .deadline(Duration::from_secs(40));
    testing::run(&metric, cx)
}

fn count(team: &str, what: &str, count: u32) -> String {
    format!("launchpad_team_members,count_type={what},team={team} count={count}i 1795244400000000000\n")
}

#[test]
fn recorded_answers_give_the_expected_points() {
    let metric: Contributors = defaults().unwrap();
    let teams: Vec<&str> = metric.teams.iter().map(String::as_str).collect();
    let source = recorded();
    let batch = run(&source, &teams);
    assert_eq!(
        (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
        (None, &[][..], &[][..])
    );
    golden(fixtures().join("expected.influx"), &lines(&batch));
    // Two numbers of each team, and one that is behind a link; nobody is asked for by name.
    assert_eq!(source.requests().len(), 21);
    for request in source.requests() {
        assert_eq!(request.parameter("ws.show").as_deref(), Some("total_size"));
    }
}

#[test]
fn a_number_that_is_not_given_is_a_gap_and_the_others_count() {
    for (answer, why) in [
        (
            Answer::new(404).body("Object: <x>, name: '~motu'"),
            "answered 404 Not Found",
        ),
        (Answer::new(401), "answered 401"),
        (Answer::ok(r#"{"entries": []}"#), "missing field `total_size`"),
        (
            Answer::ok(r#"{"total_size": "37"}"#),
            "invalid type: string \"37\"",
        ),
        (
            Answer::ok("9223372036854775808"),
            "9223372036854775808 are more than a point can say",
        ),
        (Answer::ok("99999999999999999999"), "expected a number of entries"),
        (Answer::ok("<html>"), "an HTML page where JSON was due"),
        (Answer::ok(""), "0 bytes"),
        (Answer::huge(1 << 30), "longer than 8388608 bytes"),
        (Answer::reset(), "no HTTP answer came"),
    ] {
        let source = Source::http();
        source.route("/devel/~motu/members", answer);
        source.route("/devel/~motu/participants", Answer::ok("9223372036854775807"));
        let batch = run(&source, &["motu"]);
        assert_eq!(batch.error, None);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        let gap = &batch.gaps[0];
        assert!(gap.starts_with("motu's members: ") && gap.contains(why), "{gap}");
        assert_eq!(
            lines(&batch),
            "launchpad_team_members,count_type=participants,team=motu count=9223372036854775807i 1795244400000000000\n"
        );
    }
}

#[test]
fn a_team_that_is_named_twice_is_one_and_its_name_any_text() {
    let source = Source::http();
    for (path, number) in [("~b", "1"), ("~%C3%BC%20x%3Fy", "2")] {
        source.route(&format!("/devel/{path}/members"), Answer::ok(number));
        source.route(&format!("/devel/{path}/participants"), Answer::ok("0"));
    }
    let batch = run(&source, &["ü x?y", "b", "ü x?y"]);
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    let due = [
        count("b", "members", 1),
        count("b", "participants", 0),
        count("ü\\ x?y", "members", 2),
        count("ü\\ x?y", "participants", 0),
    ];
    assert_eq!(lines(&batch), due.concat());
}

#[test]
fn where_nothing_is_given_the_run_is_an_error() {
    let source = Source::http();
    let batch = run(&source, &["b", "a"]);
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("none of the 4 parts gave anything; the first, a's members: http://localhost:")
            && said.contains("404"),
        "{said}"
    );
    assert_eq!((batch.points.len(), batch.gaps.len()), (0, 4));
    let said = run(&source, &[]).error.unwrap();
    assert!(
        said.contains("`teams` of [collector.contributors] is empty"),
        "{said}"
    );
}

#[test]
fn one_that_hangs_costs_no_other_its_number() {
    let source = recorded();
    source.route("/devel/~motu/members", Answer::hang());
    let batch = run(&source, &["motu", "ubuntu-sru", "ubuntu-release"]);
    assert_eq!(batch.error, None);
    assert!(
        batch.gaps[0].contains("did not answer within"),
        "{:?}",
        batch.gaps
    );
    assert_eq!((batch.points.len(), batch.gaps.len()), (5, 1));
}

#[test]
fn without_settings_it_asks_launchpad_for_ubuntus_teams() {
    let metric: Contributors = defaults().unwrap();
    assert_eq!(metric.launchpad.as_str(), "https://api.launchpad.net/devel/");
    assert_eq!(
        metric.teams.join(" "),
        "motu ubuntumembers ubuntu-archive ubuntu-core-dev ubuntu-dev ubuntu-developer-members ubuntu-release ubuntu-sru ubuntu-sru-developers ubuntu-uploaders"
    );
    assert_eq!(Contributors::RUN_INTERVAL.to_string(), "1h");
    assert_eq!(Contributors::DEFAULT, DefaultState::Off);
    assert_eq!(Contributors::NEEDS, Needs::NETWORK);
}
