//! Whole runs of the collector against recorded documents.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::time::Duration;

use tidemark_collect::{DefaultState, defaults};
use tidemark_testkit::{Answer, asked};

use super::scene::{Scene, age, fixtures, text};
use crate::*;

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
                "update_excuses_by_team.yaml: \"unsubscribed\": the package in line 3138 is left out: it has no age",
                "update_excuses_by_team.yaml: \"unsubscribed\": the package in line 3141 is left out: its age is the text \"unknown\", not a number",
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
        batch.gaps[0].starts_with(&format!("the active series: {missing}")),
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
        batch.gaps[0].starts_with(&format!("the development series: {missing}")),
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
    let due = "the development series: the list of Ubuntu's releases knows none in the making on 2027-04-22 \
               (its newest is tenacious): upgrade the package distro-info-data";
    assert_eq!(batch.gaps[0], due);
}

#[test]
fn a_named_development_series_has_runs_too_where_the_list_does_not_know_it() {
    let mut scene = Scene::recorded(Answer::by_range);
    scene.metric.development = Some("unheard".to_owned());
    scene.page("unheard", "2026.11.21 02:12:00");
    let (lines, _) = scene.last_runs("2026-11-21T07:00:00Z");
    assert!(lines.contains(&age("unheard", 4)), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("release=noble")),
        "{lines:?}"
    );
}

#[test]
fn a_list_of_releases_without_any_of_that_day_is_an_error() {
    let mut scene = Scene::new(&[]);
    scene.metric.development = None;
    scene.metric.distro_info = "/ancient.csv".to_owned();
    let ancient = "version,codename,series,created,release,eol\n4.10,Warty Warthog,warty,2004-03-05,2004-10-20,2006-04-30\n";
    let said = scene.run_below(&[("ancient.csv", ancient)]).error.unwrap();
    assert!(
        said.contains("knows none in the making on 2026-11-21 (its newest is warty): upgrade the package"),
        "{said}"
    );
    assert_eq!(scene.source.requests().len(), 0);
}

#[test]
fn a_document_without_teams_is_a_notice() {
    for yaml in ["{}\n", "# nothing\n"] {
        let mut scene = Scene::new(&["noble"]);
        scene.page("noble", "2026.11.21 02:12:00");
        scene.route(BY_TEAM, Answer::ok(yaml));
        let (lines, batch) = scene.last_runs("2026-11-21T07:00:00Z");
        assert_eq!(lines, [age("noble", 4)]);
        assert_eq!(batch.notices, ["update_excuses_by_team.yaml: it names no team"]);
    }
}

#[test]
fn series_that_hang_leave_time_for_those_after_them() {
    // More than are asked for at a time.
    let mut series: Vec<String> = (0..14).map(|number| format!("hanging-{number}")).collect();
    series.push("noble".to_owned());
    let mut scene = Scene::new(&[]);
    for name in &series {
        scene.route(&format!("{name}/update_excuses.html"), Answer::hang());
        for day in ["2026-11-20", "2026-11-21"] {
            scene.route(&format!("log/{name}/{day}/"), Answer::hang());
        }
    }
    scene.metric.series = series;
    scene.page("noble", "2026.11.21 06:12:00");
    scene.logs("noble", "2026-11-21", &[]);
    let batch = scene.run_within(Duration::from_secs(30));
    assert_eq!(batch.error, None);
    // Noble has no log; of the others neither comes.
    assert_eq!(batch.gaps.len(), 2 * 14 + 1, "{:?}", batch.gaps);
    assert_eq!(
        text(&batch),
        format!("{OTHERS}{} 1795244400000000000\n", age("noble", 0))
    );
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
                Answer::ok("- {age: 4}\n".repeat(10_000)).cut_after(70_000),
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
    let batch = scene.run_within(Duration::from_secs(24));
    assert_eq!(batch.error, None, "it was done within its deadline");
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

#[test]
fn what_takes_long_to_parse_costs_no_other_part() {
    let scene = Scene::recorded(Answer::by_range);
    let team = format!("team:\n{}", "- age: 5.5\n".repeat(5000));
    scene.route(BY_TEAM, Answer::repeated(team, MAX_BY_TEAM - (1 << 20)));
    // Much less than that takes, and enough for the others on a busy machine.
    let batch = scene.run_within(Duration::from_secs(10));
    assert!(batch.is_partial(), "{batch:?}");
    assert!(
        batch.gaps.iter().any(|gap| gap.starts_with(BY_TEAM)),
        "{:?}",
        batch.gaps
    );
    for of in [
        "britney_last_run_age",
        "britney_last_run_duration",
        "update_excuses_stats",
    ] {
        assert!(batch.points.iter().any(|point| point.measurement() == of), "{of}");
    }
}
