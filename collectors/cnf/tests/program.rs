//! The real program: each of its sources failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::Path;

use tidemark_testkit::{Matrix, Part, Route, Then, Way};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

/// A series' listing. Half of one is one, of fewer files.
fn index(series: &str) -> Part {
    let tag = format!(",release={series} ");
    let good = fixture(&format!("{series}.html"));
    let wrong = String::from_utf8(good.clone()).unwrap().replace(':', "h");
    Part::new(format!("{series}'s index"), move |line| line.contains(&tag))
        .route(Route::new(format!("/ubuntu/dists/{series}/main/cnf/"), good, wrong).at("archive"))
        .when(Way::NotFound, Then::Skipped)
        .when(Way::Short, Then::Whatever)
}

const SERIES: [&str; 7] = [
    "bionic", "focal", "jammy", "noble", "questing", "resolute", "stonking",
];

/// Launchpad's page, of series that all have a listing.
fn series_page() -> String {
    let entries = SERIES.map(|name| format!(r#"{{"name": "{name}", "active": true, "status": null}}"#));
    format!(
        r#"{{"start": 0, "total_size": 7, "entries": [{}]}}"#,
        entries.join(", ")
    )
}

#[test]
fn every_source_fails_in_every_way() {
    let series = Part::new("the active series", |_| true).route(
        Route::new(
            "/devel/ubuntu/series",
            series_page(),
            r#"{"start": "0", "total_size": "2", "entries": [{"name": 24.04, "active": "yes"}, null]}"#,
        )
        .at("launchpad"),
    );
    Matrix::new("tidemark-cnf", |bases| {
        let (archive, launchpad) = (bases.url("archive"), bases.url("launchpad"));
        // Its host knows no other way to the series.
        format!(
            "[collector.cnf]\nurl = \"{archive}/ubuntu/\"\nlaunchpad = \"{launchpad}/devel\"\ndistro_info = \"/missing.csv\"\n"
        )
    })
    .part(series)
    .parts(SERIES.map(index))
    .moving("cnf_age")
    .moving("out_of_date")
    .check();
}
