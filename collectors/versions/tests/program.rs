//! The real program: each of its sources failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::Path;

use tidemark_testkit::{Matrix, Part, Route, Then, Way};

fn route(name: &str) -> Route {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/current")
        .join(name);
    let good = std::fs::read(path).unwrap();
    let target = format!("/current/{}", name.replace(' ', "%20"));
    Route::new(target, good, "packages: many\noutdated: [1, 2]\n")
}

fn report(name: &str) -> Part {
    let tag = format!(",report={},", name.replace(' ', r"\ "));
    Part::new(format!("report {name}"), move |line| line.contains(&tag))
        .route(route(name))
        // A report has no end that could be missing.
        .when(Way::Short, Then::Whatever)
}

#[test]
fn every_source_fails_in_every_way() {
    let names = [
        "base",
        "communicator",
        "evolution-telepathy",
        "desktop-core",
        "libre office",
        "graphics",
        "translations",
        "universe+multiverse",
    ];
    let list = Part::new("the list of reports", |_| true)
        .route(Route::new(
            "/current/reports",
            names.join("\n"),
            "/current/base\n/current/graphics\n",
        ))
        // The beginning of a name is a name too: of a report that is not there.
        .or_named("report l")
        .when(Way::Short, Then::Whatever);
    Matrix::new("tidemark-versions", |bases| {
        format!(
            "[collector.versions]\nurl = \"{}\"\n",
            bases.url("") + "/current/"
        )
    })
    .part(list)
    .parts(names.map(report))
    .check();
}
