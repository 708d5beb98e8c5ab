//! A tree of all of Ubuntu's daily images, by a real rsync from a real daemon, into a real InfluxDB.

use std::collections::BTreeMap;
use std::path::Path;

use tidemark_testkit::{Answer, Ended, Home, Influxd, InfluxdOptions, RsyncDaemon, Source};

use crate::scene::{BOUND, influxdb, lines};

/// The daemon, Launchpad, the database, and a home for the program.
struct Stage {
    daemon: RsyncDaemon,
    launchpad: Source,
    server: Influxd,
    home: Home,
}

/// A recorded file of the collector's.
fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../collectors/images/fixtures");
    std::fs::read_to_string(folder.join(name)).expect("a fixture")
}

impl Stage {
    fn new() -> Self {
        let stage = Self {
            daemon: RsyncDaemon::start(),
            launchpad: Source::http(),
            server: Influxd::start(InfluxdOptions::default()),
            home: Home::new(),
        };
        stage.daemon.fill(&fixture("cdimage.tree"));
        let series = [
            "trusty", "xenial", "bionic", "focal", "jammy", "noble", "questing", "resolute",
        ];
        let entries = series.map(|name| format!(r#"{{"name": "{name}", "active": true}}"#));
        let page = format!(r#"{{"entries": [{}]}}"#, entries.join(", "));
        stage.launchpad.route("/devel/ubuntu/series", Answer::ok(page));
        stage
    }

    /// A run with that program as its rsync.
    fn run(&self, rsync: &str) -> Ended {
        self.home.settings(&format!(
            "[collector.images]\nurl = \"{}\"\nlaunchpad = \"{}\"\nrsync = \"{rsync}\"\n{}",
            self.daemon.url(""),
            self.launchpad.url("/devel/"),
            influxdb("metrics", &self.server)
        ));
        self.home.run("tidemark-images").bound(BOUND).run()
    }

    /// The images that are stored: series, number of points and the size of each.
    fn stored(&self) -> BTreeMap<String, Vec<String>> {
        let series = self
            .server
            .query("SELECT age, size FROM daily_image_details GROUP BY *");
        let each = series.iter().map(|series| {
            for age in series.column("age") {
                assert!(!age.number().starts_with('-'), "{series:?}");
            }
            let tags = series.tags.iter().filter(|(_, value)| !value.is_empty());
            let tags: Vec<String> = tags.map(|(name, value)| format!("{name}={value}")).collect();
            let sizes = series
                .column("size")
                .into_iter()
                .map(|size| size.number().to_owned());
            (tags.join(","), sizes.collect())
        });
        each.collect()
    }

    /// Of each run, whether it gave anything and whether something was missing.
    fn runs(&self) -> Vec<(bool, bool)> {
        let runs = self.server.query("SELECT ok, partial FROM tidemark_run");
        let rows = runs.iter().flat_map(|series| &series.rows);
        let truth = |cell: &tidemark_testkit::Cell| *cell == tidemark_testkit::Cell::Bool(true);
        rows.map(|row| (truth(&row[1]), truth(&row[2]))).collect()
    }
}

/// The images that there should be, with their sizes.
fn expected() -> BTreeMap<String, String> {
    let lines = lines(&fixture("expected.influx"));
    let each = lines.into_iter().map(|line| {
        let tags: Vec<String> = line
            .tags
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (
            tags.join(","),
            line.fields["size"].trim_end_matches('i').to_owned(),
        )
    });
    each.collect()
}

#[test]
fn all_images_are_stored_and_a_listing_that_fails_costs_its_own() {
    let mut stage = Stage::new();
    let ended = stage.run("rsync").expect_code(0);
    assert_eq!(ended.stderr, "");
    let expected = expected();
    let stored = stage.stored();
    assert_eq!(stored.len(), 164);
    for (tags, sizes) in &stored {
        assert_eq!(sizes, &[expected[tags].clone()], "{tags}");
    }
    let types = stage.server.field_types("daily_image_details");
    let types: Vec<(&str, &str)> = types
        .iter()
        .map(|(name, kind)| (name.as_str(), kind.as_str()))
        .collect();
    assert_eq!(types, [("age", "integer"), ("size", "integer")]);

    // Images of one ending cannot be listed, of another not to the end.
    let script = "case $* in
        *.wsl\\ *) echo 'rsync: connection unexpectedly closed (81 bytes received so far) [Receiver]' >&2; exit 12 ;;
        *.img.xz\\ *) rsync \"$@\" | head -n 8; kill -KILL $$ ;;
        esac
        exec rsync \"$@\"";
    let script = stage.home.script("rsync", script).display().to_string();
    let ended = stage.run(&script).expect_code(0);
    let said: Vec<&str> = ended.stderr.lines().collect();
    let has = |words: &str| said.iter().any(|line| line.contains(words));
    assert!(
        has("5 of 15 listings of ") && has("rsync ended with code 12: connection unexpectedly closed"),
        "{said:?}"
    );
    assert!(
        has("of each of which what came counts: rsync was ended by signal 9"),
        "{said:?}"
    );
    let again = stage.stored();
    assert_eq!(again.len(), 164);
    // All but those are there twice: of the cut ones, those at the beginning.
    for (tags, sizes) in &again {
        let is_lost = tags.contains("flavor=ubuntu-wsl,")
            || (tags.contains("image_type=preinstalled") && !tags.contains("flavor=edubuntu,"));
        assert_eq!(sizes.len(), if is_lost { 1 } else { 2 }, "{tags}");
    }

    stage.daemon.kill();
    let ended = stage.run("rsync").expect_code(1);
    assert!(ended.stderr.contains("all 15 listings of "), "{}", ended.stderr);
    assert_eq!(stage.stored(), again);
    assert_eq!(stage.runs(), [(true, false), (true, true), (false, false)]);
}
