//! The dashboards in `charm/src/grafana_dashboards`: Grafana takes them as they are, they name what collectors declare, and
//! each of their queries, asked as Grafana asks it, gives what the real programs collected into a real server.
//!
//! `grafana` reads the files and puts in what Grafana puts in; `declared` knows what may be named; `collected` fills the
//! servers. OneFS' names come from clusters: `onefs` holds its dashboards against what `clusters` gave.

mod clusters;
mod collected;
mod declared;
mod grafana;
mod onefs;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tidemark_testkit::{Home, Prometheus, PrometheusOptions, Run, Series};

use crate::scene::BOUND;
use crate::ubuntu::CONTRACT;
use collected::{InInfluxdb, InPrometheus};
use declared::{Declared, Named};
use grafana::{Choice, Choices, Dashboard, Kind, Query, Span};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn they_are_what_their_source_makes() {
    let run = Run::new("python3").env("PYTHONDONTWRITEBYTECODE", "1");
    let run = run
        .arg(root().join("charm/dashboards"))
        .arg("--check")
        .bound(BOUND);
    run.run().expect_code(0);
}

/// What the charm hands on is packed with it: a link would lead nowhere.
#[test]
fn the_charm_holds_the_files_and_not_links_to_them() {
    for folder in ["grafana_dashboards", "prometheus_alert_rules"] {
        let entries = std::fs::read_dir(root().join("charm/src").join(folder)).expect("a folder");
        let entries: Vec<_> = entries.map(|entry| entry.expect("an entry")).collect();
        assert!(entries.len() > 2, "{entries:?}");
        for entry in entries {
            assert!(entry.file_type().expect("a type").is_file(), "{entry:?}");
            let name = entry.file_name().into_string().expect("a name");
            let Some(alerts) = name.strip_suffix(".rules") else {
                continue;
            };
            // The package, and promtool's tests.
            let link = root().join(format!("units/alerts/{alerts}.rules.yml"));
            let [link, rules] = [link, entry.path()].map(|path| path.canonicalize().expect("a file"));
            assert_eq!(link, rules);
        }
    }
}

#[test]
fn grafana_takes_them_as_they_are() {
    let dashboards = grafana::all();
    let names: BTreeSet<&str> = dashboards
        .iter()
        .map(|dashboard| dashboard.name.as_str())
        .collect();
    let due = [
        "host-influxdb",
        "host-prometheus",
        "onefs-capacity-influxdb",
        "onefs-capacity-prometheus",
        "onefs-cluster-influxdb",
        "onefs-cluster-prometheus",
        "onefs-collection-influxdb",
        "onefs-collection-prometheus",
        "onefs-concurrency-influxdb",
        "onefs-concurrency-prometheus",
        "onefs-overview-influxdb",
        "onefs-overview-prometheus",
        "onefs-protocols-influxdb",
        "onefs-protocols-prometheus",
        "onefs-summaries-influxdb",
        "onefs-summaries-prometheus",
        "tidemark-influxdb",
        "tidemark-prometheus",
        "ubuntu-archive",
        "ubuntu-autopkgtest",
        "ubuntu-contributions",
        "ubuntu-images",
        "ubuntu-metrics",
        "ubuntu-versions",
    ];
    assert_eq!(names, due.into());
    for key in ["uid", "title"] {
        let values: BTreeSet<String> = dashboards
            .iter()
            .map(|dashboard| dashboard.json[key].to_string())
            .collect();
        assert_eq!(values.len(), dashboards.len(), "{key}: {values:?}");
    }
    for dashboard in &dashboards {
        shape::check(dashboard);
    }
}

#[test]
fn they_name_what_collectors_declare_in_its_unit() {
    let declared = Declared::new();
    for dashboard in grafana::all() {
        let kind = dashboard.kind();
        // Names that come from clusters are told by the module `onefs`.
        if onefs::is_of_clusters(&dashboard) {
            continue;
        }
        for variable in dashboard.variables() {
            let (name, query) = (&variable.name, &variable.query);
            let named = match kind {
                Kind::Influxdb => declared.influxql(query),
                Kind::Prometheus => {
                    let (metric, label) = grafana::label_values(query);
                    declared.promql(&format!("group by ({label}) ({metric})"))
                }
            };
            named.unwrap_or_else(|why| panic!("{}: {name}: {query}: {why}", dashboard.name));
        }
        for panel in dashboard.panels() {
            for Query { text, unit } in &panel.queries {
                let at = format!("{}: {}: {text}", dashboard.name, panel.title);
                let named = match kind {
                    Kind::Influxdb => declared.influxql(text),
                    Kind::Prometheus => declared.promql(text),
                };
                let named = named.unwrap_or_else(|why| panic!("{at}: {why}"));
                let due = units(&named, text);
                assert!(due.contains(&unit.as_str()), "{at}: {unit} is none of {due:?}");
            }
        }
    }
}

/// Grafana's units for what a query makes of these fields.
fn units(named: &Named, text: &str) -> &'static [&'static str] {
    let units: BTreeSet<&str> = named.units.iter().map(String::as_str).collect();
    assert_eq!(units.len(), 1, "one unit: {units:?}");
    let unit = units.first().copied().unwrap_or_default();
    if text.contains("count(\"") || text.contains("count_over_time(") {
        return &["short"];
    }
    if text.contains(" / ") {
        return &["percentunit"];
    }
    let is_rate = text.contains("non_negative_derivative(") || text.contains("rate(");
    match (unit, is_rate) {
        ("bytes", true) => &["Bps"],
        // Of one thing its share, of several how many at once.
        ("seconds" | "s", true) => &["percentunit", "short"],
        ("", true) => &["cps"],
        ("bytes", false) => &["bytes", "decbytes"],
        ("seconds" | "s", false) => &["s"],
        ("min", false) => &["m"],
        ("h", false) => &["h"],
        ("d", false) => &["d"],
        ("ratio", false) => &["percentunit"],
        ("", false) => &["short"],
        other => panic!("no unit of Grafana's for {other:?}"),
    }
}

#[test]
fn all_that_the_ubuntu_collectors_measure_is_shown() {
    let declared = Declared::new();
    let mut shown = BTreeSet::new();
    for dashboard in grafana::all() {
        if dashboard.kind() == Kind::Influxdb && !onefs::is_of_clusters(&dashboard) {
            for query in dashboard.panels().iter().flat_map(|panel| &panel.queries) {
                let named = declared.influxql(&query.text).expect("what is declared");
                shown.extend(named.fields);
            }
        }
    }
    for contract in &CONTRACT {
        for (field, _) in contract.fields {
            let field = format!("{}.{field}", contract.measurement);
            // Whether an age is over a day: the age itself is shown, and the alert asks for this.
            if field != "command_not_found_age.out_of_date" {
                assert!(shown.contains(&field), "{field}");
            }
        }
    }
}

/// Whether a query asks for what some hosts do not have, and this one has not.
fn may_be_missing(text: &str) -> bool {
    static MEASURED: OnceLock<String> = OnceLock::new();
    let measured = MEASURED.get_or_init(|| {
        let (home, dry) = (Home::new(), ["--dry-run", "--output", "influx"]);
        let run = home.run("tidemark-host").args(dry).bound(BOUND);
        run.run().expect_code(0).stdout
    });
    let is_measured = |name: &str| measured.lines().any(|line| line.starts_with(&format!("{name},")));
    ["host_disk", "host_pressure", "host_swap"]
        .iter()
        .any(|name| text.contains(name) && !is_measured(name))
}

/// What Grafana puts in where nothing was chosen by hand.
fn first_choices(dashboard: &Dashboard, values: &BTreeMap<String, Vec<String>>) -> Choices {
    let mut choices = dashboard.texts();
    for variable in dashboard.variables() {
        let first = variable.first(&values[&variable.name]);
        choices.insert(variable.name, first);
    }
    choices
}

/// What there is to choose of each variable, by its name; a server that knows nothing of one fails the test.
#[track_caller]
fn values(dashboard: &Dashboard, ask: impl Fn(&str) -> Vec<String>) -> BTreeMap<String, Vec<String>> {
    let (mut values, mut choices) = (BTreeMap::new(), dashboard.texts());
    for variable in dashboard.variables() {
        // It may ask for what is chosen of one before.
        let query = grafana::chosen(dashboard.kind(), &variable.query, &choices);
        let found: Vec<String> = ask(&query).iter().map(|found| variable.value(found)).collect();
        assert!(!found.is_empty(), "{}: {query}", dashboard.name);
        choices.insert(variable.name.clone(), variable.first(&found));
        values.insert(variable.name, found);
    }
    values
}

/// These, and each other value of each variable by itself, and all values of one that takes several, by name.
fn other_choices(dashboard: &Dashboard, values: &BTreeMap<String, Vec<String>>) -> Vec<Choices> {
    let first = first_choices(dashboard, values);
    let mut all = Vec::new();
    for variable in dashboard.variables() {
        let values = &values[&variable.name];
        let mut others: Vec<Vec<String>> = values.iter().map(|value| vec![value.clone()]).collect();
        if variable.several && values.len() > 1 {
            others.push(values.clone());
        }
        for other in others {
            let mut choices = first.clone();
            choices.insert(variable.name.clone(), Choice::These(other));
            all.push(choices);
        }
    }
    all
}

#[test]
fn each_query_of_influxdb_gives_what_was_collected() {
    let world = InInfluxdb::new();
    let mut asked = 0;
    for dashboard in grafana::all() {
        if dashboard.kind() == Kind::Influxdb && !onefs::is_one(&dashboard) {
            asked += ask_each(
                &dashboard,
                world.now,
                |query| world.values(query),
                |written, choices, span| world.has(written, choices, span),
            );
        }
    }
    assert!(asked > 60, "{asked}");
}

/// Asks each query of a dashboard at that time (ms) as Grafana does where nothing was chosen by hand: it gives something. So
/// does each other choice, in some panel. How many queries there are.
#[track_caller]
fn ask_each(
    dashboard: &Dashboard,
    now: i64,
    ask: impl Fn(&str) -> Vec<String>,
    has: impl Fn(&str, &Choices, &Span) -> bool,
) -> usize {
    let name = &dashboard.name;
    let values = values(dashboard, ask);
    let first = first_choices(dashboard, &values);
    let others = other_choices(dashboard, &values);
    let (mut asked, mut gave) = (0, vec![false; others.len()]);
    for panel in dashboard.panels() {
        let span = Span::new(dashboard, &panel, now);
        for Query { text, .. } in &panel.queries {
            asked += 1;
            if !has(text, &first, &span) {
                assert!(may_be_missing(text), "{name}: {}: {text}", panel.title);
                continue;
            }
            for (choices, gave) in others.iter().zip(&mut gave) {
                // One is enough.
                *gave = *gave || has(text, choices, &span);
            }
        }
    }
    for (choices, gave) in others.iter().zip(gave) {
        assert!(gave, "{name}: nothing of {choices:?}");
    }
    asked
}

/// The last value of a panel's series with that tag.
#[track_caller]
fn shown(world: &InInfluxdb, dashboard: &str, title: &str, tags: &[(&str, &str)]) -> String {
    let all = grafana::all();
    let dashboard = all
        .iter()
        .find(|other| other.name == dashboard)
        .expect("a dashboard");
    let panels = dashboard.panels();
    let panel = panels.iter().find(|panel| panel.title == title);
    let panel = panel.unwrap_or_else(|| panic!("no panel {title}"));
    let values = values(dashboard, |query| world.values(query));
    let span = Span::new(dashboard, panel, world.now);
    let query = grafana::influxql(&panel.queries[0].text, &first_choices(dashboard, &values), &span);
    let series = world.server.query(&query);
    let is_it = |series: &&Series| {
        let is = |(name, value): &(&str, &str)| series.tags.get(*name).is_some_and(|tag| tag == value);
        tags.iter().all(is)
    };
    let series = series
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{tags:?}: {series:?}"));
    let cells = series.rows.last().expect("a row").iter().skip(1);
    let cells: Vec<String> = cells.map(|cell| cell.number().to_owned()).collect();
    cells.join(" ")
}

/// The same points are there five minutes, an hour and a day earlier too: sums hold each once.
#[test]
fn panels_show_the_figures_of_the_sources() {
    let world = InInfluxdb::new();
    for (dashboard, title, tags, due) in [
        (
            "ubuntu-autopkgtest",
            "Queue by architecture",
            &[("arch", "amd64")][..],
            "14",
        ),
        (
            "ubuntu-autopkgtest",
            "Queue by context",
            &[("context", "huge")],
            "2",
        ),
        (
            "ubuntu-autopkgtest",
            "Running by release",
            &[("release", "noble")],
            "4",
        ),
        (
            "ubuntu-autopkgtest",
            "Change of the queue",
            &[("arch", "amd64")],
            "0",
        ),
        ("ubuntu-archive", "NEW queues", &[("release", "tenacious")], "3"),
        ("ubuntu-archive", "NEW queues by type", &[("type", "binary")], "2"),
        ("ubuntu-archive", "NBS: not built from source", &[], "2 171"),
        (
            "ubuntu-archive",
            "Uninstallable packages",
            &[("arch", "riscv64")],
            "31",
        ),
        (
            "ubuntu-archive",
            "Component mismatches in proposed",
            &[("action", "demotion"), ("type", "source")],
            "12",
        ),
        ("ubuntu-contributions", "Teams", &[("team", "motu")], "10"),
        ("ubuntu-images", "Size", &[("flavor", "kubuntu")], "4000000000"),
        ("ubuntu-images", "Change of size", &[("flavor", "kubuntu")], "0"),
        (
            "ubuntu-metrics",
            "Oldest upload",
            &[("release", "tenacious"), ("status", "New")],
            "30",
        ),
        (
            "ubuntu-metrics",
            "Unapproved updates of releases",
            &[("release", "noble")],
            "3",
        ),
        (
            "ubuntu-metrics",
            "Unapproved updates of releases: over ten days",
            &[("release", "noble")],
            "2",
        ),
        ("ubuntu-metrics", "autopkgtest: queue", &[("arch", "amd64")], "14"),
        (
            "ubuntu-metrics",
            "britney: last run",
            &[("release", "jammy")],
            "26",
        ),
        (
            "ubuntu-metrics",
            "britney: duration",
            &[("release", "noble")],
            "47",
        ),
        (
            "ubuntu-metrics",
            "Excuses: packages by team",
            &[("team", "desktop-packages")],
            "2",
        ),
        ("ubuntu-metrics", "Excuses: packages in proposed", &[], "31 11 21"),
        ("ubuntu-metrics", "Excuses: age", &[], "41 51"),
        (
            "ubuntu-metrics",
            "Bugs for the teams to look at",
            &[("team_name", "foundations"), ("tag", "tracking")],
            "1",
        ),
        ("ubuntu-versions", "Packages", &[("category", "uptodate")], "120"),
    ] {
        assert_eq!(shown(&world, dashboard, title, tags), due, "{dashboard}: {title}");
    }
    // As the filesystem itself says.
    let fullest: f64 = shown(&world, "host-influxdb", "Fullest filesystem", &[])
        .parse()
        .expect("a share");
    let used = shown(&world, "host-influxdb", "Filesystems: space in use", &[]);
    let used: f64 = used.parse().expect("a share");
    assert!(
        (0.0..=1.0).contains(&used) && used > 0.0 && fullest >= used,
        "{fullest} {used}"
    );
}

#[test]
fn each_query_of_prometheus_gives_what_was_collected() {
    let world = InPrometheus::new();
    let mut asked = 0;
    for dashboard in grafana::all() {
        if dashboard.kind() != Kind::Prometheus || onefs::is_one(&dashboard) {
            continue;
        }
        let name = &dashboard.name;
        let values = values(&dashboard, |query| world.values(query));
        let mut choices = other_choices(&dashboard, &values);
        choices.push(first_choices(&dashboard, &values));
        for panel in dashboard.panels() {
            let span = Span::new(&dashboard, &panel, world.now);
            for written in &panel.queries {
                for choices in &choices {
                    asked += 1;
                    assert!(
                        world.has(&written.text, choices, &span) || may_be_missing(&written.text),
                        "{name}: {}: {} of {choices:?}",
                        panel.title,
                        written.text
                    );
                }
            }
        }
    }
    assert!(asked > 60, "{asked}");
}

/// Prometheus reads the rules, can evaluate each, and they name what is declared.
#[test]
fn rules_name_what_collectors_declare() {
    let declared = Declared::new();
    let rules =
        ["host", "ubuntu"].map(|name| root().join(format!("charm/src/prometheus_alert_rules/{name}.rules")));
    let server = Prometheus::start(PrometheusOptions {
        rules: rules.to_vec(),
        ..PrometheusOptions::default()
    });
    let answer = server.request("/api/v1/rules").send().expect("an answer");
    let answer: Value = serde_json::from_str(answer.text()).expect("JSON");
    let groups = grafana::list(&answer["data"], "groups").iter();
    let rules: Vec<&Value> = groups.flat_map(|group| grafana::list(group, "rules")).collect();
    assert_eq!(rules.len(), 10, "{answer}");
    for rule in rules {
        let query = grafana::text(rule, "query");
        if let Err(why) = declared.promql(query) {
            panic!("{}: {query}: {why}", rule["name"]);
        }
        assert!(server.query(query, None).is_empty(), "of nothing collected");
    }
    for name in ["host", "ubuntu"] {
        for statement in alerts(name) {
            declared
                .influxql(&statement)
                .unwrap_or_else(|why| panic!("{statement}: {why}"));
        }
    }
}

/// The statements of `units/alerts/NAME.influxql`.
fn alerts(name: &str) -> Vec<String> {
    let path = root().join(format!("units/alerts/{name}.influxql"));
    let text = std::fs::read_to_string(path).expect("a file");
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
    let code = code.join(" ");
    code.split_inclusive(';').map(str::to_owned).collect()
}
