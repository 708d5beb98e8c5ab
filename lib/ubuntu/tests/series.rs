//! Which series a run looks at, as Launchpad and distro-info say, or one of them, or neither.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use tidemark_collect::{CollectorError, Context, Timestamp, chain};
use tidemark_testkit::{Answer, Source};
use tidemark_ubuntu::launchpad::Launchpad;
use tidemark_ubuntu::series::{active, development};

/// Of 2026-11-21: one past everything, one under extended maintenance, one supported, one in the making, one to come.
const RELEASES: &str = "version,codename,series,created,release,eol,eol-server,eol-esm
14.04 LTS,Trusty Tahr,trusty,2013-10-17,2014-04-17,2019-04-25,2019-04-25,2024-04-25
18.04 LTS,Bionic Beaver,bionic,2017-10-19,2018-04-26,2023-05-31,2023-05-31,2028-04-26
24.04 LTS,Noble Numbat,noble,2023-10-26,2024-04-25,2029-05-31,2029-05-31,2034-04-25
27.04,Tenacious Tapir,tenacious,2026-10-15,2027-04-22,2028-01-13
27.10,Unnamed,unnamed,2027-04-22,2027-10-14,2028-07-13
";

/// A host with that file, and a Launchpad.
struct World {
    launchpad: Source,
    root: tempfile::TempDir,
    now: Timestamp,
}

impl World {
    fn new(releases: Option<&str>) -> Self {
        let root = tempfile::tempdir().unwrap();
        if let Some(releases) = releases {
            std::fs::write(root.path().join("ubuntu.csv"), releases).unwrap();
        }
        Self {
            launchpad: Source::http(),
            root,
            now: "2026-11-21T07:00:00Z".parse().unwrap(),
        }
    }

    /// What there is to know, and the gaps.
    fn look(&self) -> (Result<String, String>, Result<String, String>, Vec<String>) {
        let cx = Context::builder().host_root(self.root.path()).build();
        let root = self.launchpad.url("/devel").parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let why = |error: CollectorError| chain(&error);
        runtime.block_on(async {
            let launchpad = Launchpad::new(&cx, &root);
            let active = active(&cx, &launchpad, "/ubuntu.csv", self.now).await;
            let development = development(&cx, &launchpad, "/ubuntu.csv", self.now).await;
            (
                active.map(|names| names.join(" ")).map_err(why),
                development.map_err(why),
                cx.take_gaps(),
            )
        })
    }
}

#[test]
fn what_launchpad_says_counts() {
    let world = World::new(None);
    let series = r#"{"entries": [{"name": "resolute", "active": true}, {"name": "warty", "active": false}]}"#;
    world.launchpad.route("/devel/ubuntu/series", Answer::ok(series));
    let link = r#"{"current_series_link": "https://api.launchpad.net/devel/ubuntu/resolute"}"#;
    world.launchpad.route("/devel/ubuntu", Answer::ok(link));
    let said = Ok("resolute".to_owned());
    assert_eq!(world.look(), (said.clone(), said, vec![]));
}

#[test]
fn where_it_does_not_answer_distro_info_stands_in_and_gaps_say_so() {
    let mut world = World::new(Some(RELEASES));
    let (active, development, gaps) = world.look();
    assert_eq!(active.unwrap(), "bionic noble tenacious");
    assert_eq!(development.unwrap(), "tenacious");
    let [of_active, of_development] = &gaps[..] else {
        panic!("{gaps:?}")
    };
    assert!(
        of_active.starts_with("the active series: http://localhost:")
            && of_active.ends_with("; those of /ubuntu.csv count instead"),
        "{of_active}"
    );
    assert!(
        of_development.starts_with("the development series: http://localhost:")
            && of_development.ends_with("; tenacious, that of /ubuntu.csv, counts instead"),
        "{of_development}"
    );
    // On a leap day, when none of its list is in the making, and before all of them.
    world.now = "2028-02-29T23:59:59Z".parse().unwrap();
    let (active, development, _) = world.look();
    assert_eq!(active.unwrap(), "bionic noble unnamed");
    assert!(
        development
            .unwrap_err()
            .contains("none in the making on 2028-02-29")
    );
    world.now = "2010-01-01T00:00:00Z".parse().unwrap();
    let said = world.look().0.unwrap_err();
    assert!(
        said.contains("none that is supported or in the making on 2010-01-01 (its newest is unnamed)"),
        "{said}"
    );
}

#[test]
fn where_neither_says_any_the_error_tells_of_both() {
    let (active, development, gaps) = World::new(None).look();
    for (said, what) in [(active, "active"), (development, "development")] {
        let said = said.unwrap_err();
        assert!(
            said.starts_with(&format!("the {what} series: known neither from distro-info ("))
                && said.contains("install the package distro-info-data")
                && said.contains(") nor from Launchpad: http://localhost:")
                && said.contains("404"),
            "{said}"
        );
    }
    assert_eq!(gaps, [""; 0]);
}
