//! Whole runs of the collector against recorded listings.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, DefaultState, ManualClock, Metric, Needs, Timestamp, defaults};
use tidemark_testkit::{Answer, Source, golden};

use crate::Cnf;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn path(series: &str) -> String {
    format!("/ubuntu/dists/{series}/main/cnf/")
}

/// An archive with these listings.
fn archive(listings: &[(&str, Answer)]) -> Source {
    let source = Source::http();
    for (series, answer) in listings {
        source.route(&path(series), answer.clone());
    }
    source
}

/// One run at 2026-11-21 07:00, on a host that knows these releases.
fn run_on(metric: &Cnf) -> Batch {
    let cx = Context::builder()
        .host_root(fixtures())
        .clock(ManualClock::new(Timestamp::from_secs(1_795_244_400).unwrap()))
        // One that hangs takes a quarter of it; what answers has as long.
        .deadline(Duration::from_secs(40));
    testing::run(metric, cx)
}

/// A run of which the series are set.
fn run(listings: &[(&str, Answer)]) -> Batch {
    let archive = archive(listings);
    run_on(&Cnf {
        url: archive.url("/ubuntu").parse().unwrap(),
        series: listings.iter().map(|(series, _)| (*series).to_owned()).collect(),
        launchpad: "http://127.0.0.1:1/".parse().unwrap(),
        distro_info: String::new(),
    })
}

/// A listing with one file of that time.
fn listing(modified: &str) -> Answer {
    Answer::ok(format!(
        "<pre><a href=\"Commands-amd64.xz\">Commands-amd64.xz</a> {modified}   30K\n</pre>"
    ))
}

fn age(series: &str, days: &str, is_out_of_date: bool) -> String {
    format!(
        "command_not_found_age,release={series} cnf_age={days},out_of_date={is_out_of_date} 1795244400000000000\n"
    )
}

#[test]
fn recorded_listings_give_the_expected_points() {
    let read = |name: &str| Answer::ok(std::fs::read(fixtures().join(name)).unwrap()).gzip();
    // Launchpad names trusty and xenial too, of which the archive has no such folder.
    let archive = archive(
        &[
            "bionic", "focal", "jammy", "noble", "questing", "resolute", "stonking",
        ]
        .map(|series| (series, read(&format!("{series}.html")))),
    );
    archive.route("/devel/ubuntu/series", read("series.json"));
    // With a slash at the end of the addresses, and without.
    for slash in ["/", ""] {
        let batch = run_on(&Cnf {
            url: archive.url(&format!("/ubuntu{slash}")).parse().unwrap(),
            series: Vec::new(),
            launchpad: archive.url(&format!("/devel{slash}")).parse().unwrap(),
            distro_info: String::new(),
        });
        assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
        assert_eq!(
            batch.notices,
            [
                "stonking's index: it is of 2026-11-21 07:02:00, which is still to come: its age counts as 0; see the clocks"
            ]
        );
        golden(fixtures().join("expected.influx"), &lines(&batch));
    }
}

#[test]
fn an_index_is_out_of_date_after_a_day() {
    let batch = run(&[
        ("a", listing("2026-11-20 07:00")),
        ("b", listing("2026-11-20 06:59")),
        ("c", listing("2026-11-21 07:00")),
    ]);
    assert_eq!(
        (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
        (None, &[][..], &[][..])
    );
    assert_eq!(
        lines(&batch),
        age("a", "1.0", false) + &age("b", "1.0006944444444446", true) + &age("c", "0.0", false)
    );
}

#[test]
fn a_series_without_a_folder_is_skipped() {
    for status in [404, 410] {
        let batch = run(&[
            ("noble", listing("2026-11-20 19:00")),
            ("trusty", Answer::new(status)),
        ]);
        assert_eq!(
            (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
            (None, &[][..], &[][..])
        );
        assert_eq!(lines(&batch), age("noble", "0.5", false));
    }
    // Where none has one, the address is wrong.
    let batch = run(&[("noble", Answer::new(404)), ("trusty", Answer::new(404))]);
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("none of 2 series has a folder dists/SERIES/main/cnf below http://")
            && said.contains("/ubuntu"),
        "{said}"
    );
    // Where one may have, it is not.
    let batch = run(&[("noble", Answer::new(500)), ("trusty", Answer::new(404))]);
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("noble's index: ") && said.contains("500"),
        "{said}"
    );
}

#[test]
fn a_listing_that_fails_is_a_gap_that_names_it_and_the_others_count() {
    for (answer, why) in [
        (Answer::new(500), "500"),
        (Answer::ok(""), "0 bytes"),
        (
            Answer::ok("<html><h1>Maintenance</h1></html>"),
            "no listing of a folder",
        ),
        (
            Answer::ok("<pre><a href=\"Release\">Release</a> 2026-11-21 06:00\n</pre>"),
            "none of its 1 files is called Commands",
        ),
        (
            listing("                "),
            "shows no date of \"Commands-amd64.xz\"",
        ),
        (
            listing("2026-02-30 06:00"),
            "shows no date of \"Commands-amd64.xz\"",
        ),
        (Answer::huge(1 << 30), "1048576"),
        (Answer::hang(), "did not answer within"),
    ] {
        let batch = run(&[
            ("jammy", listing("2026-11-20 19:00")),
            ("noble", answer),
            ("resolute", listing("2026-11-21 01:00")),
        ]);
        assert_eq!(batch.error, None);
        assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
        let gap = &batch.gaps[0];
        assert!(gap.starts_with("noble's index: ") && gap.contains(why), "{gap}");
        assert_eq!(
            lines(&batch),
            age("jammy", "0.5", false) + &age("resolute", "0.25", false)
        );
    }
}

#[test]
fn listings_that_hang_leave_time_for_those_after_them() {
    // As many as are asked for at a time, within the deadline.
    let mut listings = ["a", "b", "c", "d"]
        .map(|series| (series, Answer::hang()))
        .to_vec();
    let slow = listing("2026-11-20 19:00").after(Duration::from_millis(400));
    listings.push(("noble", slow));
    let batch = run(&listings);
    assert_eq!((batch.error.as_deref(), batch.gaps.len()), (None, 4));
    assert_eq!(lines(&batch), age("noble", "0.5", false));
}

#[test]
fn without_series_the_run_is_an_error_that_names_launchpad() {
    let archive = archive(&[]);
    for answer in [
        Answer::new(503).header("Retry-After", "3600"),
        Answer::ok(r#"{"entries": []}"#),
        Answer::ok("["),
    ] {
        archive.route("/devel/ubuntu/series", answer);
        let batch = run_on(&Cnf {
            url: archive.url("/ubuntu").parse().unwrap(),
            series: Vec::new(),
            launchpad: archive.url("/devel/").parse().unwrap(),
            distro_info: "/missing.csv".to_owned(),
        });
        let said = batch.error.unwrap();
        assert!(
            said.contains("/devel/ubuntu/series") && said.contains("/missing.csv"),
            "{said}"
        );
        assert_eq!((batch.points.len(), batch.gaps.len()), (0, 0));
    }
}

#[test]
fn where_launchpad_does_not_answer_distro_info_names_the_series() {
    // Of which 25.10 is past its end, and 14.04 past its extended support.
    let series = ["trusty", "xenial", "jammy", "questing", "stonking"];
    let archive = archive(&series.map(|series| (series, listing("2026-11-20 19:00"))));
    archive.route("/devel/ubuntu/series", Answer::new(500));
    let batch = run_on(&Cnf {
        url: archive.url("/ubuntu").parse().unwrap(),
        series: Vec::new(),
        launchpad: archive.url("/devel/").parse().unwrap(),
        distro_info: "/ubuntu.csv".to_owned(),
    });
    assert_eq!((batch.error.as_deref(), batch.gaps.len()), (None, 1));
    let gap = &batch.gaps[0];
    assert!(
        gap.starts_with("the active series: http://")
            && gap.ends_with("; those of /ubuntu.csv count instead"),
        "{gap}"
    );
    assert_eq!(
        lines(&batch),
        age("jammy", "0.5", false) + &age("stonking", "0.5", false)
    );
}

#[test]
fn a_series_that_is_named_twice_counts_once() {
    let batch = run(&[
        ("noble", listing("2026-11-20 19:00")),
        ("noble", listing("2026-11-20 19:00")),
    ]);
    assert_eq!(lines(&batch), age("noble", "0.5", false));
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let metric: Cnf = defaults().unwrap();
    assert_eq!(metric.url.as_str(), "http://archive.ubuntu.com/ubuntu/");
    assert_eq!(metric.launchpad.as_str(), "https://api.launchpad.net/devel/");
    assert_eq!(metric.series, [""; 0]);
    assert_eq!(
        metric.folder("noble").as_str(),
        "http://archive.ubuntu.com/ubuntu/dists/noble/main/cnf/"
    );
    assert_eq!(Cnf::RUN_INTERVAL.to_string(), "5m");
    assert_eq!(Cnf::DEFAULT, DefaultState::Off);
    assert_eq!(metric.distro_info, "/usr/share/distro-info/ubuntu.csv");
    let needs = Needs {
        paths: &["/usr/share/distro-info/ubuntu.csv"],
        ..Needs::NETWORK
    };
    assert_eq!(Cnf::NEEDS, needs);
}
