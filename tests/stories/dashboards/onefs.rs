//! OneFS' dashboards: what they name is what the program collects from clusters with all stock keys, what is summed up and
//! what is derived; and each query gives it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::clusters::{self, Measured};
use super::collected::{InInfluxdb, InPrometheus};
use super::declared::names;
use super::grafana::{self, Choice, Choices, Dashboard, Kind, Query};
use super::{alerts, ask_each};

/// Whether it is one of OneFS'.
pub(super) fn is_one(dashboard: &Dashboard) -> bool {
    dashboard.name.starts_with("onefs-")
}

/// Whether it shows clusters: their names come from the source. The other is of tidemark's own runs.
pub(super) fn is_of_clusters(dashboard: &Dashboard) -> bool {
    is_one(dashboard) && !dashboard.name.starts_with("onefs-collection-")
}

fn all(kind: Kind) -> impl Iterator<Item = Dashboard> {
    let all = grafana::all().into_iter();
    all.filter(move |dashboard| is_one(dashboard) && dashboard.kind() == kind)
}

#[test]
fn each_query_of_influxdb_gives_what_clusters_have() {
    let world = InInfluxdb::of(clusters::in_influxdb());
    let measured = clusters::measured(&world.server);
    let (mut asked, mut shown) = (0, BTreeSet::new());
    for dashboard in all(Kind::Influxdb) {
        each_of_clusters(&dashboard, |at, written| {
            let named = influxql(&measured, &written.text).unwrap_or_else(|why| panic!("{at}: {why}"));
            for (measurement, field) in &named {
                assert_eq!(written.unit, unit(measurement, field, &written.text), "{at}");
            }
            shown.extend(named.into_iter().map(|(measurement, _)| measurement));
        });
        asked += ask_each(
            &dashboard,
            world.now,
            |query| world.values(query),
            |written, choices, span| world.has(written, choices, span),
        );
    }
    assert!(asked > 200, "{asked}");
    // The same as the ones with `node` in them, under names that older dashboards for Prometheus have.
    let twice = ["ifs.concurrency", "cluster.disk.iosched.latency.avg"];
    let forgotten: Vec<&String> = measured
        .keys()
        .filter(|name| !name.starts_with("tidemark_") && !twice.contains(&name.as_str()))
        .filter(|name| !shown.contains(*name))
        .collect();
    assert!(forgotten.is_empty(), "collected and not shown: {forgotten:?}");
    figures(&world);
    for statement in alerts("onefs") {
        influxql(&measured, &statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
    }
}

/// Does something with each query of a dashboard that shows clusters, and where it stands.
fn each_of_clusters(dashboard: &Dashboard, mut act: impl FnMut(&str, &Query)) {
    let panels = dashboard.panels();
    for panel in panels.iter().filter(|_| is_of_clusters(dashboard)) {
        for written in &panel.queries {
            act(
                &format!("{}: {}: {}", dashboard.name, panel.title, written.text),
                written,
            );
        }
    }
}

/// Panels show what clusters said, reckoned as their descriptions say, however often it was collected.
#[track_caller]
fn figures(world: &InInfluxdb) {
    let alpha = ("cluster", "alpha");
    for (dashboard, title, tags, due) in [
        ("overview", "Health over time", &[alpha][..], "1"),
        ("overview", "CPU", &[alpha], "0.75"),
        ("overview", "Space in use", &[("cluster", "beta.2")], "87.5"),
        ("overview", "Received by clients' networks", &[alpha], "1500.5"),
        // Three nodes, and two.
        ("overview", "Clients of NFS that are active", &[alpha], "21"),
        (
            "overview",
            "Clients of NFS that are active",
            &[("cluster", "beta.2")],
            "14",
        ),
        ("cluster", "Disks: busy", &[("node", "3")], "0.435"),
        // Three operations of one time for each of the other.
        (
            "protocols",
            "Time of an operation by class",
            &[("class_name", "figures")],
            "150",
        ),
        (
            "protocols",
            "Operations by class",
            &[("class_name", "figures")],
            "40",
        ),
        ("protocols", "Each operation", &[("op_name", "unlock")], "10"),
        // Of 900 terabytes 700 are left a day later.
        ("capacity", "Days until it is full", &[alpha], "3.5"),
    ] {
        let dashboard = format!("onefs-{dashboard}-influxdb");
        assert_eq!(
            super::shown(world, &dashboard, title, tags),
            due,
            "{dashboard}: {title}"
        );
    }
}

#[test]
fn each_query_of_prometheus_gives_what_was_scraped() {
    let world = InPrometheus::of(clusters::by_scrapes());
    let measured = in_prometheus(&world);
    rules_name(&measured, "isilon_stat_");
    let dashboards = all(Kind::Prometheus).filter(is_of_clusters);
    assert!(ask(&world, dashboards, &measured) > 200);
}

/// The same boards, with other names written in their boxes.
#[test]
fn each_query_of_prometheus_gives_what_came_by_remote_write() {
    let world = InPrometheus::of(clusters::by_remote_write());
    let measured = in_prometheus(&world);
    rules_name(&measured, "");
    let dashboards = all(Kind::Prometheus).map(|mut dashboard| {
        dashboard.write("prefix", "");
        dashboard
    });
    assert!(ask(&world, dashboards, &measured) > 200);
}

/// The rules name what is there, with that prefix.
#[track_caller]
fn rules_name(measured: &BTreeMap<String, BTreeSet<String>>, prefix: &str) {
    let path = super::root().join("charm/src/prometheus_alert_rules/onefs.rules");
    let rules = fs::read_to_string(path).expect("the rules");
    let named = rules.split("{__name__=~\"(isilon_stat_)?").skip(1);
    let named: BTreeSet<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.len() > 3, "{named:?}");
    for name in named {
        let labels = measured.get(&format!("{prefix}{name}"));
        assert!(
            labels.is_some_and(|labels| labels.contains("cluster")),
            "{prefix}{name}"
        );
    }
}

/// Names and asks every query of these, and gives how many there are.
#[track_caller]
fn ask(
    world: &InPrometheus,
    dashboards: impl Iterator<Item = Dashboard>,
    measured: &BTreeMap<String, BTreeSet<String>>,
) -> usize {
    let mut asked = 0;
    for dashboard in dashboards {
        each_of_clusters(&dashboard, |at, written| {
            let named = promql(measured, &written.text, &dashboard.texts());
            named.unwrap_or_else(|why| panic!("{at}: {why}"));
        });
        asked += ask_each(
            &dashboard,
            world.now,
            |query| world.values(query),
            |written, choices, span| world.has(written, choices, span),
        );
    }
    asked
}

/// What a statement names of what is measured: measurements and fields.
fn influxql(
    measured: &BTreeMap<String, Measured>,
    statement: &str,
) -> Result<BTreeSet<(String, String)>, String> {
    let (mut from, mut aliases, mut rest) = (Vec::new(), BTreeSet::new(), Vec::new());
    if let Some((_, pattern)) = statement.split_once("FROM /^") {
        let (pattern, _) = pattern.split_once("$/").ok_or("no end")?;
        from = matching(measured.keys(), &pattern.replace("\\.", "."), '.')?;
    }
    let mut parts = statement.split('"');
    let mut before = parts.next().unwrap_or_default();
    while let (Some(name), Some(after)) = (parts.next(), parts.next()) {
        match before.split_whitespace().last() {
            Some("FROM") => from.push(name.to_owned()),
            Some("AS") => {
                aliases.insert(name);
            }
            _ => rest.push(name),
        }
        before = after;
    }
    let mut named = BTreeSet::new();
    for measurement in from {
        let there = measured
            .get(&measurement)
            .ok_or(format!("there is no {measurement}"))?;
        for name in &rest {
            if there.fields.contains(*name) {
                named.insert((measurement.clone(), (*name).to_owned()));
            } else if !there.tags.contains(*name) && !aliases.contains(name) {
                return Err(format!("{measurement} has no {name}"));
            }
        }
    }
    if named.is_empty() {
        Err("no field".to_owned())
    } else {
        Ok(named)
    }
}

/// What fits a pattern with one group: the names between whose start and end there is something without that letter.
fn matching<'a>(
    names: impl Iterator<Item = &'a String>,
    pattern: &str,
    without: char,
) -> Result<Vec<String>, String> {
    let (start, rest) = pattern.split_once('(').ok_or("no group")?;
    let (_, end) = rest.split_once(')').ok_or("no group")?;
    let fits = |name: &&String| {
        let between = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        between.is_some_and(|between| !between.is_empty() && !between.contains(without))
    };
    let found: Vec<String> = names.filter(fits).cloned().collect();
    if found.is_empty() {
        Err(format!("nothing fits {pattern}"))
    } else {
        Ok(found)
    }
}

/// The metrics that a Prometheus holds, and their labels.
fn in_prometheus(world: &InPrometheus) -> BTreeMap<String, BTreeSet<String>> {
    let mut measured: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for series in world.server.query("{__name__=~\".+\"}", Some(world.now)) {
        let labels = series.labels.keys().cloned();
        measured
            .entry(series.label("__name__").to_owned())
            .or_default()
            .extend(labels);
    }
    measured
}

/// Whether what an expression names is there.
fn promql(measured: &BTreeMap<String, BTreeSet<String>>, text: &str, texts: &Choices) -> Result<(), String> {
    let mut expression = text.to_owned();
    for (name, choice) in texts {
        if let Choice::Text(value) = choice {
            expression = expression.replace(&format!("${{{name}}}"), value);
            expression = expression.replace(&format!("${name}"), value);
        }
    }
    let (mut metrics, labels) = names(&expression);
    for pattern in expression.split("{__name__=~\"").skip(1) {
        let (pattern, _) = pattern.split_once('"').ok_or("no end")?;
        metrics.extend(matching(measured.keys(), pattern, ' ')?);
    }
    // What a replacement makes.
    let mut there = BTreeSet::from(["protocol".to_owned()]);
    for metric in &metrics {
        there.extend(
            measured
                .get(metric)
                .ok_or(format!("there is no {metric}"))?
                .iter()
                .cloned(),
        );
    }
    match labels.iter().find(|label| !there.contains(*label)) {
        Some(label) => Err(format!("no label {label}")),
        None if metrics.is_empty() => Err("no metric".to_owned()),
        None => Ok(()),
    }
}

/// Grafana's unit for what a query makes of a field.
fn unit(measurement: &str, field: &str, text: &str) -> &'static str {
    let has = |word: &str| measurement.split('.').any(|part| part == word);
    if text.contains("AS \"days\"") {
        return "d";
    }
    match field {
        "op_rate" | "operation_rate" | "xfers_in" | "xfers_out" if !text.contains("AS \"weight\"") => "ops",
        // Times, each by how often there was one.
        "op_rate" | "operation_rate" | "time_avg" | "time_max" => "µs",
        "in_rate" | "out_rate" | "in" | "out" | "bytes_in" | "bytes_out" => "Bps",
        "access_latency" | "iosched_latency" | "oldest_page_age" => "ms",
        "busy" | "used_bytes_percent" => "percent",
        "xfer_size_in" | "xfer_size_out" => "bytes",
        "access_slow" => "cps",
        "iosched_queue" | "used_inodes" => "short",
        // Hits of what was asked for.
        _ if measurement == "node.ifs.cache" => "percentunit",
        _ if has("percentchange") || has("percent") => "percent",
        // In thousandths.
        _ if has("cpu") && has("cluster") || has("busy") => "percentunit",
        _ if has("bytes") && has("rate") => "Bps",
        _ if has("bytes") || has("memory") || has("size") => "bytes",
        _ if has("packets") => "pps",
        _ if has("errors") || has("slow") || has("heat") => "cps",
        _ if has("latency") => "s",
        _ if has("ops") || has("xfers") => "ops",
        _ => "short",
    }
}
