//! The real program, over HTTPS, and each number failing in each way.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::Path;

use tidemark_testkit::{Answer, Certificates, Home, Matrix, Part, Route, Source, without_times};

const TEAMS: [&str; 2] = ["motu", "ubuntu-archive"];
const COUNTS: [&str; 2] = ["members", "participants"];

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

fn path(team: &str, what: &str) -> String {
    format!("/devel/~{team}/{what}")
}

fn settings(launchpad: &str) -> String {
    format!("[collector.contributors]\nlaunchpad = \"{launchpad}\"\nteams = [\"motu\", \"ubuntu-archive\"]\n")
}

#[test]
fn every_number_over_https() {
    let certificates = Certificates::new();
    let source = Source::https(&certificates.leaf);
    for team in TEAMS {
        for what in COUNTS {
            let answer = Answer::ok(fixture(&format!("{team}.{what}.json"))).gzip();
            source.route(&path(team, what), answer);
        }
    }
    let home = Home::new();
    home.settings(&settings(&source.url("/devel/")));
    let ended = home
        .run("tidemark-contributors")
        .args(["--dry-run", "--output", "influx"])
        .env("SSL_CERT_FILE", certificates.authority())
        .run()
        .expect_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(
        without_times(&ended.stdout),
        [
            "launchpad_team_members,count_type=members,team=motu count=37i",
            "launchpad_team_members,count_type=participants,team=motu count=163i",
            "launchpad_team_members,count_type=members,team=ubuntu-archive count=9i",
            "launchpad_team_members,count_type=participants,team=ubuntu-archive count=10i",
        ]
    );
}

#[test]
fn each_number_failing_in_each_way() {
    let part = |team: &'static str, what: &'static str| {
        let tags = format!(",count_type={what},team={team} ");
        let wrong = r#"{"total_size": "37", "start": "0", "entries": {}}"#;
        Part::new(format!("{team}'s {what}"), move |line| line.contains(&tags)).route(Route::new(
            path(team, what),
            fixture(&format!("{team}.{what}.json")),
            wrong,
        ))
    };
    Matrix::new("tidemark-contributors", |bases| {
        settings(&format!("{}/devel", bases.url("")))
    })
    .parts(TEAMS.iter().flat_map(|team| COUNTS.map(|what| part(team, what))))
    .check();
}
