//! What Grafana demands of a dashboard's JSON, and a reader of its panels.

use std::collections::BTreeSet;

use serde_json::Value;

use super::grafana::{Dashboard, Kind, list, text};

const PANELS: [&str; 6] = ["timeseries", "state-timeline", "stat", "bargauge", "table", "row"];
const COLUMNS: u64 = 24;

#[track_caller]
pub(super) fn check(dashboard: &Dashboard) {
    let (name, json) = (&dashboard.name, &dashboard.json);
    assert_eq!(text(json, "uid"), format!("tidemark-{name}"));
    let is_of_a_uid = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    assert!(name.len() <= 31 && name.chars().all(is_of_a_uid), "{name}");
    assert_eq!(json["schemaVersion"], 41);
    assert!(!text(json, "description").is_empty());
    // An id is one server's; inputs ask a person.
    for key in ["id", "version", "iteration", "__inputs", "__requires"] {
        assert!(json.get(key).is_none(), "{name}: {key}");
    }
    let tags: Vec<&str> = list(json, "tags").iter().filter_map(Value::as_str).collect();
    assert_eq!(tags[0], "tidemark");
    assert_eq!(
        list(json, "links")[0]["tags"][0],
        "tidemark",
        "{name}: the way to the others"
    );
    let reference = variables(dashboard);
    panels(dashboard, &reference);
    each_reference(json, &reference);
}

/// Checks the variables, and gives what all else calls the data source.
fn variables(dashboard: &Dashboard) -> Value {
    let name = &dashboard.name;
    let written = list(&dashboard.json["templating"], "list");
    let names: BTreeSet<&str> = written.iter().map(|variable| text(variable, "name")).collect();
    assert_eq!(names.len(), written.len(), "{name}: {names:?}");
    let source = &written[0];
    assert_eq!(source["type"], "datasource");
    // COS replaces what it knows by its own.
    let due = match dashboard.kind() {
        Kind::Influxdb => "datasource",
        Kind::Prometheus => "prometheusds",
    };
    assert_eq!(text(source, "name"), due);
    let everything = dashboard.json.to_string();
    for variable in &written[1..] {
        let called = text(variable, "name");
        assert!(!text(variable, "label").is_empty());
        let used = [
            format!("${{{called}:regex}}"),
            format!("${{{called}}}"),
            format!("${called}"),
        ];
        assert!(
            used.iter().any(|used| everything.contains(used)),
            "{name}: {called} is not used"
        );
        if variable["type"] == "textbox" {
            assert_eq!(variable["current"]["value"], variable["query"]);
            assert!(text(variable, "description").ends_with('.'), "{name}: {called}");
            continue;
        }
        assert_eq!(variable["type"], "query", "{name}: {called}");
        // Filled when the dashboard is opened, or its time changes; never by hand.
        assert!(
            [1, 2].map(Value::from).contains(&variable["refresh"]),
            "{name}: {called}"
        );
        assert_eq!(variable["multi"], variable["includeAll"]);
        let query = variable["query"]
            .as_str()
            .unwrap_or_else(|| text(&variable["query"], "query"));
        assert_eq!(query, text(variable, "definition"));
    }
    let kind = text(source, "query");
    serde_json::json!({"type": kind, "uid": format!("${{{due}}}")})
}

fn panels(dashboard: &Dashboard, reference: &Value) {
    let name = &dashboard.name;
    let written = list(&dashboard.json, "panels");
    let mut taken = BTreeSet::new();
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for panel in written {
        let title = text(panel, "title");
        let at = format!("{name}: {title}");
        assert!(
            panel["id"].as_u64().is_some_and(|id| id > 0 && ids.insert(id)),
            "{at}: its id"
        );
        assert!(!title.is_empty() && titles.insert(title), "{at}: twice");
        let side = |side: &str| {
            panel["gridPos"][side]
                .as_u64()
                .unwrap_or_else(|| panic!("{at}: {side}"))
        };
        let (x, y, wide, high) = (side("x"), side("y"), side("w"), side("h"));
        assert!(wide > 0 && high > 0 && x + wide <= COLUMNS, "{at}");
        for column in x..x + wide {
            for row in y..y + high {
                assert!(taken.insert((column, row)), "{at} is upon another");
            }
        }
        let kind = text(panel, "type");
        assert!(PANELS.contains(&kind), "{at}: {kind}");
        if kind == "row" {
            assert_eq!(
                (wide, high, &panel["collapsed"]),
                (COLUMNS, 1, &Value::Bool(false))
            );
            continue;
        }
        assert!(text(panel, "description").ends_with('.'), "{at}: its description");
        assert_eq!(panel["datasource"], *reference, "{at}");
        thresholds(
            &at,
            list(&panel["fieldConfig"]["defaults"]["thresholds"], "steps"),
        );
        if kind == "table" {
            table(&at, dashboard.kind(), panel);
        } else {
            targets(&at, dashboard.kind(), list(panel, "targets"));
        }
        for link in list(panel, "links") {
            assert!(
                !text(link, "title").is_empty() && text(link, "url").starts_with("http"),
                "{at}: {link}"
            );
        }
    }
}

fn thresholds(at: &str, steps: &[Value]) {
    assert!(steps[0]["value"].is_null(), "{at}");
    let values: Vec<f64> = steps[1..]
        .iter()
        .filter_map(|step| step["value"].as_f64())
        .collect();
    assert_eq!(values.len(), steps.len() - 1, "{at}");
    assert!(values.is_sorted(), "{at}: {values:?}");
}

/// A column for each query, by the name that it has after all transformations.
fn table(at: &str, kind: Kind, panel: &Value) {
    let targets = list(panel, "targets");
    let columns = list(&panel["fieldConfig"], "overrides").iter();
    let titles: Vec<&str> = columns
        .map(|column| text(&column["matcher"], "options"))
        .collect();
    assert!(!targets.is_empty() && targets.len() == titles.len(), "{at}");
    let steps = list(panel, "transformations");
    let step = |id: &str| {
        let step = steps.iter().find(|step| step["id"] == id);
        step.map(|step| &step["options"])
    };
    let kept = &step("filterFieldsByName").expect("a filter")["include"];
    let names = &step("organize").expect("an order")["renameByName"];
    let order: Vec<&str> = steps.iter().map(|step| text(step, "id")).collect();
    assert_eq!(order, ["filterFieldsByName", "merge", "organize"], "{at}");
    for (target, title) in targets.iter().zip(&titles) {
        let field = match kind {
            Kind::Influxdb => {
                assert_eq!(target["resultFormat"], "table", "{at}");
                let query = text(target, "query");
                assert!(query.contains(&format!(" AS \"{title}\" FROM ")), "{at}: {query}");
                (*title).to_owned()
            }
            Kind::Prometheus => {
                assert!(target["format"] == "table" && target["instant"] == true, "{at}");
                match targets.len() {
                    1 => "Value".to_owned(),
                    _ => format!("Value #{}", text(target, "refId")),
                }
            }
        };
        assert!(
            list(kept, "names").contains(&field.as_str().into()),
            "{at}: {field}"
        );
        assert_eq!(names[&field], *title, "{at}");
    }
    let sorted = text(&list(&panel["options"], "sortBy")[0], "displayName");
    assert!(titles.contains(&sorted), "{at}: {sorted}");
}

fn targets(at: &str, kind: Kind, targets: &[Value]) {
    let names: BTreeSet<&str> = targets.iter().map(|target| text(target, "refId")).collect();
    assert!(
        !targets.is_empty() && names.len() == targets.len(),
        "{at}: {names:?}"
    );
    for target in targets {
        match kind {
            Kind::Influxdb => {
                assert_eq!(
                    (&target["rawQuery"], text(target, "resultFormat")),
                    (&Value::Bool(true), "time_series")
                );
                legend(at, text(target, "query"), text(target, "alias"));
            }
            Kind::Prometheus => {
                assert!(target["instant"] != target["range"], "{at}");
                assert!(!text(target, "legendFormat").is_empty(), "{at}");
            }
        }
    }
}

/// A legend names the tags that series are told apart by, and the column where there are several.
fn legend(at: &str, query: &str, legend: &str) {
    let (_, groups) = query.rsplit_once("GROUP BY ").expect("groups");
    let named = legend.split('$').filter_map(|part| part.strip_prefix("tag_"));
    let named: BTreeSet<&str> = named
        .map(|part| {
            part.split(|letter: char| letter != '_' && !letter.is_alphanumeric())
                .next()
                .unwrap_or_default()
        })
        .collect();
    let grouped: BTreeSet<&str> = groups.split('"').skip(1).step_by(2).collect();
    let forgotten: Vec<&&str> = grouped
        .difference(&named)
        .filter(|tag| **tag != "series")
        .collect();
    assert!(
        named.is_subset(&grouped) && forgotten.is_empty(),
        "{at}: {legend}: {grouped:?}"
    );
    let columns = query
        .split(" FROM ")
        .next()
        .unwrap_or_default()
        .matches(" AS ")
        .count();
    assert_eq!(
        legend.contains("$col"),
        columns > 1 || legend == "$col",
        "{at}: {legend}"
    );
    // Of several measurements, the part of the name that differs.
    let is_part = |(at, _): (usize, &str)| legend[at + 1..].starts_with(|next: char| next.is_ascii_digit());
    assert_eq!(
        legend.match_indices('$').any(is_part),
        query.contains("FROM /"),
        "{at}: {legend}"
    );
    assert!(!legend.is_empty(), "{at}");
}

/// Whatever names a data source names the variable.
fn each_reference(json: &Value, reference: &Value) {
    match json {
        Value::Object(object) => {
            for (key, value) in object {
                if key == "datasource" {
                    assert_eq!(value, reference);
                }
                each_reference(value, reference);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| each_reference(value, reference)),
        _ => {}
    }
}
