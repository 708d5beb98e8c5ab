//! The real program, over HTTPS, and each of its sources failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::{Path, PathBuf};

use tidemark_testkit::{Answer, Certificates, Home, Matrix, Part, Route, Source, Then, without_times};

const STATUSES: [&str; 2] = ["Unapproved", "New"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn target(series: &str, status: &str) -> String {
    format!("/devel/ubuntu/{series}?ws.op=getPackageUploads&status={status}&pocket=Proposed")
}

fn settings(launchpad: &str, more: &str) -> String {
    format!("[collector.upload-queues]\nlaunchpad = \"{launchpad}\"\n{more}")
}

#[test]
fn all_queues_over_https() {
    let certificates = Certificates::new();
    let source = Source::https(&certificates.leaf);
    let answer = |name: &str| Answer::ok(fixture(name)).gzip();
    source.route("/devel/ubuntu", answer("ubuntu.json"));
    source.route("/devel/ubuntu/series", answer("series.json"));
    for series in [
        "tricky", "stonking", "resolute", "noble", "jammy", "focal", "bionic", "xenial", "trusty",
    ] {
        for status in STATUSES {
            source.route(
                &target(series, status),
                answer(&format!("{series}.{status}.json")),
            );
        }
    }
    source.route(
        &format!("{}&memo=40", target("tricky", "New")),
        answer("tricky.New.2.json"),
    );
    let home = Home::new();
    home.settings(&settings(&source.url("/devel/"), ""));
    let ended = home
        .run("tidemark-upload-queues")
        .args(["--dry-run", "--output", "influx"])
        .env("SSL_CERT_FILE", certificates.authority())
        .run()
        .expect_code(0);
    // The clock is the machine's: uploads may be of a time that has not come, and have other ages.
    let names = |text: &str| -> Vec<String> {
        without_times(text)
            .into_iter()
            .map(|line| match line.split_once(' ') {
                Some((series, _)) if series.starts_with("queue_ages") => series.to_owned(),
                _ => line.to_owned(),
            })
            .collect()
    };
    assert_eq!(names(&ended.stdout), names(&fixture("expected.influx")));
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
}

#[test]
fn each_source_failing_in_each_way() {
    let series = r#"{"entries": [{"name": "tricky", "active": true, "status": "Active Development"},
                                 {"name": "noble", "active": true, "status": "Supported"}]}"#;
    let wrong_series = r#"{"entries": [{"name": ["tricky"], "active": "yes", "status": 7}]}"#;
    // Nothing is lost of either, as distro-info has them too; but a gap is due.
    let active = Part::new("the active series", |_: &str| true)
        .route(Route::new("/devel/ubuntu/series", series, wrong_series))
        .whenever(Then::Told);
    let development = Part::new("the development series", |_: &str| true)
        .route(Route::new(
            "/devel/ubuntu",
            fixture("ubuntu.json"),
            r#"{"current_series_link": ["tricky"]}"#,
        ))
        .whenever(Then::Told);
    let queue = |series: &'static str, status: &'static str| {
        let lost = move |line: &str| {
            let is_new = line.starts_with("ubuntu_new_queue_size") || line.contains(",status=New ");
            line.contains(&format!("release={series},")) && is_new == (status == "New")
        };
        let page = r#"{"start": 0, "total_size": 2, "entries": [
            {"self_link": "/+upload/1", "date_created": "2026-01-01T00:00:00.123456+00:00",
             "contains_source": true, "contains_build": true, "contains_copy": false, "copy_source_archive_link": null},
            {"self_link": "/+upload/2", "date_created": "2025-12-31T00:00:00+00:00",
             "contains_source": false, "contains_build": false, "contains_copy": true, "display_name": "küche"}]}"#;
        Part::new(format!("{series}'s {status} queue"), lost).route(Route::new(
            target(series, status),
            page,
            r#"{"entries": ["a", 7, null]}"#,
        ))
    };
    Matrix::new("tidemark-upload-queues", |bases| {
        let distro_info = path("ubuntu.csv");
        settings(
            &format!("{}/devel", bases.url("")),
            &format!("distro_info = {distro_info:?}\n"),
        )
    })
    .part(active)
    .part(development)
    .parts(
        ["tricky", "noble"]
            .iter()
            .flat_map(|series| STATUSES.map(|status| queue(series, status))),
    )
    .moving("oldest_age_in_days")
    .check();
}

#[test]
fn whatever_a_queue_holds_the_run_stays_small() {
    let source = Source::http();
    source.route("/devel/ubuntu", Answer::ok(fixture("ubuntu.json")));
    // Eight MiB of uploads of which nothing is known, in each of four queues; and as many as are read of them.
    let many = |count: usize| Answer::ok(format!("{{\"entries\":[{}{{}}]}}", "{},".repeat(count - 1))).gzip();
    for series in ["tricky", "noble", "jammy", "focal"] {
        source.route(&target(series, "New"), many(2_000_000));
        source.route(&target(series, "Unapproved"), many(30_000));
    }
    let home = Home::new();
    let more = "series = [\"tricky\", \"noble\", \"jammy\", \"focal\"]\n";
    home.settings(&settings(&source.url("/devel"), more));
    let ended = home
        .run("tidemark-upload-queues")
        .args(["--dry-run", "--output", "influx"])
        .run()
        .expect_code(0);
    assert_eq!(
        ended
            .stdout
            .lines()
            .filter(|line| line.contains("count=30000i"))
            .count(),
        4
    );
    assert_eq!(
        ended.stderr.matches("more than 30000 entries in a page").count(),
        4,
        "{}",
        ended.stderr
    );
    assert!(ended.peak_memory < 64 << 20, "{} bytes", ended.peak_memory);
}
