//! Whole runs of the collector against a recorded report.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use crate::Sponsoring;
use std::path::Path;
use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, ManualClock, Metric, Needs, Timestamp, defaults};
use tidemark_testkit::{Answer, Source, golden};

const PATH: &str = "/jsons/general.json";

/// One run at 2026-11-21 07:00 against a source that gives this answer.
fn run(answer: Answer) -> Batch {
    let source = Source::http();
    source.route(PATH, answer);
    let metric = Sponsoring {
        url: source.url(PATH).parse().unwrap(),
    };
    let now = Timestamp::from_secs(1_795_244_400).unwrap();
    let cx = Context::builder().clock(ManualClock::new(now));
    testing::run(&metric, cx)
}

#[test]
fn a_recorded_report_gives_the_expected_points() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let batch = run(Answer::ok(std::fs::read(fixtures.join("general.json")).unwrap()).gzip());
    assert_eq!(
        (batch.error.as_deref(), batch.gaps.len(), batch.notices.len()),
        (None, 0, 0)
    );
    golden(fixtures.join("general.influx"), &lines(&batch));
}

#[test]
fn an_empty_report_is_a_count_of_0() {
    let batch = run(Answer::ok("[]"));
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(
        lines(&batch),
        "sponsoring_queue_stats,report=sponsoring count=0i 1795244400000000000\n"
    );
}

#[test]
fn a_malformed_entry_is_a_gap_that_names_it_and_the_others_count() {
    let batch = run(Answer::ok(
        r#"[{"date_queued":"11/20/26","sets":["main"]},
            {"title":"Merge x\ny","date_queued":null,"sets":["main"]},
            {"date_queued":"11/01/26","sets":[]}]"#,
    ));
    assert_eq!(batch.error, None);
    assert_eq!(
        batch.gaps,
        ["entry 2 is left out: invalid type: null, expected a string: \
          {\"date_queued\":null,\"sets\":[\"main\"],\"title\":\"Merge x\\ny\"}"]
    );
    assert_eq!(
        lines(&batch),
        "sponsoring_queue_stats,report=main average_age=1i,count=1i,oldest=1i 1795244400000000000\n\
         sponsoring_queue_stats,report=sponsoring average_age=10i,count=2i,oldest=20i 1795244400000000000\n"
    );
}

#[test]
fn an_entry_of_a_later_day_has_age_0_and_a_notice() {
    let batch = run(Answer::ok(r#"[{"date_queued":"11/22/26","sets":[]}]"#));
    assert_eq!(
        batch.notices,
        ["entry 1 is queued on 2026-11-22, after today: its age counts as 0"]
    );
    assert_eq!(batch.gaps, [""; 0]);
    assert_eq!(
        lines(&batch),
        "sponsoring_queue_stats,report=sponsoring average_age=0i,count=1i,oldest=0i 1795244400000000000\n"
    );
}

#[test]
fn a_report_of_which_nothing_can_be_read_is_an_error() {
    let all_broken = run(Answer::ok(r#"[null, {"date_queued":"11/20/26"}]"#));
    let said = all_broken.error.unwrap();
    assert!(said.contains("none of its 2 entries can be read"), "{said}");
    assert!(said.contains(PATH), "{said}");
    assert_eq!((all_broken.points.len(), all_broken.gaps.len()), (0, 2));
    for body in [
        "{}",
        "null",
        "<html>log in</html>",
        "[",
        "[{\"date_queued\": \"\u{1}\"}",
        "",
    ] {
        let batch = run(Answer::ok(body));
        assert!(batch.error.is_some_and(|said| said.contains(PATH)), "{body}");
        assert_eq!(batch.points.len(), 0);
    }
    assert!(run(Answer::new(404)).error.unwrap().contains("404"));
    assert!(run(Answer::ok("[1,2]").cut_after(2)).error.is_some());
}

#[test]
fn a_huge_report_is_refused() {
    let body = format!("[{}0]", "0,".repeat(3 << 20));
    let said = run(Answer::ok(body).gzip()).error.unwrap();
    assert!(
        said.contains(&(4 << 20).to_string()) || said.contains("4 MiB"),
        "{said}"
    );
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let metric: Sponsoring = defaults().unwrap();
    assert_eq!(
        metric.url.as_str(),
        "http://sponsoring-reports.ubuntu.com/jsons/general.json"
    );
    assert_eq!(
        (Sponsoring::NAME, Sponsoring::RUN_INTERVAL.to_string()),
        ("sponsoring", "5m".to_owned())
    );
    assert_eq!(Sponsoring::NEEDS, Needs::NETWORK);
}
