//! UPGRADING.md's recipes, as it has them.

use std::fmt::Write as _;
use std::path::Path;

use tidemark_testkit::{Ended, Home, Run};

use super::World;
use crate::scene::{BOUND, lines};

/// A page of the project.
fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(path).expect("a page")
}

/// The script of the page.
fn recipe() -> String {
    let page = page("UPGRADING.md");
    let (_, rest) = page.split_once("```python\n").expect("a script");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// The example of a page that begins with this line.
#[track_caller]
fn example(page: &str, first: &str) -> String {
    let lines = page
        .lines()
        .skip_while(|line| line.trim_end() != format!("    {first}"));
    let lines: Vec<&str> = lines.take_while(|line| line.starts_with("    ")).collect();
    assert!(!lines.is_empty(), "no example begins with {first}");
    lines.join("\n")
}

/// As the Python collectors print their points: dumped by PyYAML, with a time only where the source gives one.
fn as_python(influx: &str, home: &Home, timed: &[&str]) -> String {
    let mut script = String::from("import datetime, yaml\npoints = []\n");
    for line in lines(influx) {
        let value = |text: &str| match text.as_bytes() {
            [.., b'i'] => text.trim_end_matches('i').to_owned(),
            [b't', ..] => "True".to_owned(),
            [b'f', ..] => "False".to_owned(),
            _ => format!("float({text})"),
        };
        let pairs = |pairs: Vec<String>| format!("{{{}}}", pairs.join(", "));
        let tags = line
            .tags
            .iter()
            .map(|(name, value)| format!("{name:?}: {value:?}"));
        let fields = line
            .fields
            .iter()
            .map(|(name, text)| format!("{name:?}: {}", value(text)));
        let time = if timed.contains(&line.measurement.as_str()) {
            let milliseconds = line.time / 1_000_000;
            format!(
                "'time': datetime.datetime.fromtimestamp({milliseconds} / 1000, tz=datetime.timezone.utc), "
            )
        } else {
            String::new()
        };
        let _ = writeln!(
            script,
            "points.append({{'measurement': {:?}, {time}'tags': {}, 'fields': {}}})",
            line.measurement,
            pairs(tags.collect()),
            pairs(fields.collect())
        );
    }
    script += "print(yaml.dump(points))\n";
    home.at_home(Run::new("python3"))
        .args(["-c", &script])
        .run()
        .expect_code(0)
        .stdout
}

fn compare(home: &Home, python: &str, tidemark: &str) -> Ended {
    home.file("compare.py", recipe());
    home.file("python.yaml", python);
    home.file("tidemark.yaml", tidemark);
    let run = home.at_home(Run::new("python3")).bound(BOUND);
    run.args(["compare.py", "python.yaml", "tidemark.yaml"]).run()
}

#[test]
fn the_comparison_of_both_dry_runs_finds_what_differs_and_nothing_else() {
    let (home, world) = (Home::new(), World::new());
    home.settings(&world.settings());
    let dry_run = |output: &str| {
        let run = home.run("tidemark-britney").bound(BOUND);
        run.args(["--dry-run", "--output", output])
            .run()
            .expect_code(0)
            .stdout
    };
    let influx = dry_run("influx");
    let python = as_python(&influx, &home, &["update_excuses_stats"]);
    let yaml = dry_run("yaml");
    let same = compare(&home, &python, &yaml).expect_code(0);
    let values: usize = lines(&influx).iter().map(|line| line.fields.len()).sum();
    assert_eq!(same.stdout, format!("{values} values are the same, 0 are not\n"));

    // Whole days were dropped; a float was an integer; a row has another time.
    let old = influx
        .replace("run_age=26i", "run_age=2i")
        .replace("age=5.0,", "age=5i,");
    assert!(old.contains("run_age=2i") && old.contains("age=5i,"), "{influx}");
    let late = (world.now.hours_ago(11).0 + 1).to_string();
    let old = old.replace(&world.now.hours_ago(11).0.to_string(), &late);
    let differs = compare(&home, &as_python(&old, &home, &["update_excuses_stats"]), &yaml).expect_code(1);
    for line in [
        "python   britney_last_run_age,release=jammy run_age=2\n",
        "tidemark britney_last_run_age,release=jammy run_age=26\n",
        "python   update_excuses_by_team_stats,release=tenacious,team=desktop-packages age=5\n",
        "tidemark update_excuses_by_team_stats,release=tenacious,team=desktop-packages age=5.0\n",
    ] {
        assert!(differs.stdout.contains(line), "{line}: {}", differs.stdout);
    }
    let end = format!("{} values are the same, 14 are not\n", values - 7);
    assert!(differs.stdout.ends_with(&end), "{}", differs.stdout);
}

/// A tag without a value is none to InfluxDB, and so to the comparison: Python prints it where an image has no type.
#[test]
fn the_comparison_knows_that_a_tag_of_nothing_is_no_tag() {
    let home = Home::new();
    let image = |tags: &str| {
        format!("- {{measurement: daily_image_details, tags: {{{tags}}}, fields: {{age: 1}}}}\n")
    };
    let python = image("release: noble, image_type: null");
    let tidemark = image("release: noble");
    let same = compare(&home, &python, &tidemark).expect_code(0);
    assert_eq!(same.stdout, "1 values are the same, 0 are not\n");
    compare(&home, &image("release: noble, image_type: dvd"), &tidemark).expect_code(1);
}

/// The settings that README.md and UPGRADING.md show are without a mistake, and switch on what they name.
#[test]
fn the_examples_of_settings_are_settings() {
    let home = Home::new();
    let readme = page("README.md");
    let sections = example(&readme, "[collector.sponsoring]                      # as it is");
    let sink = example(&page("UPGRADING.md"), "[[sink]]");
    home.file("influxdb.pem", "");
    let pem = home.path().join("influxdb.pem");
    let sink = sink.replace("/etc/tidemark/influxdb.pem", &pem.display().to_string());
    home.settings(&format!("{sections}\n{sink}\n"));
    let run = home.run("tidemark").arg("check").bound(BOUND);
    let checked = run.run().stdout;
    let has = |words: &str| {
        checked.lines().any(|line| {
            line.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains(words)
        })
    };
    assert!(has("ok files no mistakes; 1 sink"), "{checked}");
    for started in [
        "contributors every 1h",
        "images every 5m",
        "sponsoring every 5m",
        "upload-queues every 5m",
    ] {
        assert!(has(&format!("ok {started}")), "{started}: {checked}");
    }
}
