//! The real program: each of its sources failing in each way, and reports of real size.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::Path;

use tidemark_testkit::ubuntu::{Size, rls_json};
use tidemark_testkit::{Answer, Home, Matrix, Part, Route, Source};

const SERIES: [&str; 4] = ["jammy", "noble", "resolute", "stonking"];

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn report(series: &str, tag: &str) -> Part {
    let initial = &series[..1];
    let name = format!("rls-{initial}{initial}-{tag}.json");
    let lines = format!(",release={series},tag={tag},");
    let good = std::fs::read(fixture(&name)).unwrap();
    Part::new(format!("{series}'s {name}"), move |line| line.contains(&lines)).route(Route::new(
        format!("/rls-mgr/{name}"),
        good,
        r#"{"tasks": {"1": "systemd", "2": [7], "3": [{"team": "desktop-packages"}]}}"#,
    ))
}

#[test]
fn every_source_fails_in_every_way() {
    // Stonking has nothing that is proposed.
    let parts = SERIES[..3]
        .iter()
        .flat_map(|series| ["incoming", "tracking"].map(|tag| report(series, tag)));
    Matrix::new("tidemark-rls-bugs", |bases| {
        let distro_info = fixture("ubuntu.csv");
        format!(
            "[collector.rls-bugs]\nurl = \"{}/rls-mgr/\"\nseries = {:?}\ndistro_info = {distro_info:?}\n",
            bases.url(""),
            &SERIES[..3]
        )
    })
    .parts(parts)
    .check();
}

#[test]
fn reports_of_real_size_need_little_memory() {
    let source = Source::http();
    let made = rls_json(Size::REAL);
    for series in SERIES {
        for tag in ["incoming", "tracking"] {
            let initial = &series[..1];
            source.route(
                &format!("/rls-{initial}{initial}-{tag}.json"),
                Answer::ok(&made.text).gzip(),
            );
        }
    }
    let home = Home::new();
    home.settings(&format!(
        "[collector.rls-bugs]\nurl = \"{}\"\nseries = {SERIES:?}\ndistro_info = {:?}\n",
        source.url("/"),
        fixture("ubuntu.csv")
    ));
    let run = home
        .run("tidemark-rls-bugs")
        .args(["--dry-run", "--output", "influx"]);
    let ended = run.run().expect_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.stdout.lines().count(), 8 * made.answer.bugs.len());
    for (team, bugs) in made.answer.bugs {
        let count = format!(",tag=tracking,team_name={team} count={bugs}i ");
        let lines = ended.stdout.lines().filter(|line| line.contains(&count));
        assert_eq!(lines.count(), 4, "{team}");
    }
    assert!(ended.peak_memory < 24 << 20, "{} bytes", ended.peak_memory);
}
