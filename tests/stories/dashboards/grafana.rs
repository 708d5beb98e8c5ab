//! Dashboards, read from their files, and what Grafana asks when it shows them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

/// A file.
pub(super) struct Dashboard {
    /// The file's name, without its ending.
    pub(super) name: String,
    pub(super) json: Value,
}

/// What kind of server it asks.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Influxdb,
    Prometheus,
}

/// A variable that a query fills.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) query: String,
    /// Whether several values can be chosen, and All.
    pub(super) several: bool,
}

/// A panel that shows something: no heading.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) unit: String,
    /// Seconds: the shortest time of a bucket.
    pub(super) interval: i64,
    pub(super) queries: Vec<String>,
}

/// What is chosen of a variable.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    All,
    These(Vec<String>),
}

/// By the variable's name.
pub(super) type Choices = BTreeMap<String, Choice>;

/// The time that is shown, and its buckets.
pub(super) struct Span {
    /// Milliseconds since the epoch.
    pub(super) from: i64,
    pub(super) to: i64,
    /// Seconds of a bucket.
    pub(super) interval: i64,
    /// Seconds of `$__rate_interval`.
    rate_interval: i64,
}

/// Every file.
pub(super) fn all() -> Vec<Dashboard> {
    let entries = fs::read_dir(super::root().join("charm/src/grafana_dashboards")).expect("the folder");
    let mut all: Vec<Dashboard> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a file");
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let name = name.strip_suffix(".json").expect("only dashboards");
            Dashboard {
                name: name.to_owned(),
                json: serde_json::from_str(&text).unwrap_or_else(|why| panic!("{name}: {why}")),
            }
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// A list of an object.
pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().map_or(&[], Vec::as_slice)
}

/// A string of an object.
#[track_caller]
pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {object}"))
}

impl Dashboard {
    pub(super) fn kind(&self) -> Kind {
        match text(&list(&self.json["templating"], "list")[0], "query") {
            "influxdb" => Kind::Influxdb,
            "prometheus" => Kind::Prometheus,
            other => panic!("{}: {other}", self.name),
        }
    }

    /// Those behind that of the data source.
    pub(super) fn variables(&self) -> Vec<Variable> {
        let written = &list(&self.json["templating"], "list")[1..];
        let variable = |written: &Value| Variable {
            name: text(written, "name").to_owned(),
            query: text(written, "definition").to_owned(),
            several: written["multi"] == true,
        };
        written.iter().map(variable).collect()
    }

    pub(super) fn panels(&self) -> Vec<Panel> {
        let written = list(&self.json, "panels").iter();
        let query = match self.kind() {
            Kind::Influxdb => "query",
            Kind::Prometheus => "expr",
        };
        let panel = |written: &Value| Panel {
            title: text(written, "title").to_owned(),
            unit: text(&written["fieldConfig"]["defaults"], "unit").to_owned(),
            interval: seconds(text(written, "interval")),
            queries: list(written, "targets")
                .iter()
                .map(|target| text(target, query).to_owned())
                .collect(),
        };
        written
            .filter(|written| written["type"] != "row")
            .map(panel)
            .collect()
    }
}

impl Span {
    /// What a panel that is a thousand points wide shows at that time.
    pub(super) fn new(dashboard: &Dashboard, panel: &Panel, now: i64) -> Self {
        let time = text(&dashboard.json["time"], "from");
        let range = seconds(time.strip_prefix("now-").expect("a time until now"));
        let interval = (range / 1000).max(panel.interval);
        Self {
            from: now - range * 1000,
            to: now,
            interval,
            rate_interval: (interval + panel.interval).max(4 * panel.interval),
        }
    }
}

/// A span as Grafana writes it.
#[track_caller]
fn seconds(text: &str) -> i64 {
    let (count, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        other => panic!("{other} in {text}"),
    };
    count.parse::<i64>().expect("a number") * unit
}

/// A statement as InfluxDB gets it.
#[track_caller]
pub(super) fn influxql(query: &str, choices: &Choices, span: &Span) -> String {
    let Span {
        from, to, interval, ..
    } = span;
    let mut query = query
        .replace("$timeFilter", &format!("time >= {from}ms and time <= {to}ms"))
        .replace("$__interval", &format!("{interval}s"));
    for (name, choice) in choices {
        query = query.replace(&format!("${{{name}:regex}}"), &pattern(choice));
    }
    without_variables(query)
}

/// An expression as Prometheus gets it.
#[track_caller]
pub(super) fn promql(query: &str, choices: &Choices, span: &Span) -> String {
    let mut query = query.replace("$__rate_interval", &format!("{}s", span.rate_interval));
    for (name, choice) in choices {
        if let Choice::These(values) = choice {
            query = query.replace(&format!("=\"${name}\""), &format!("=\"{}\"", values[0]));
        }
        // Within a string, where a backslash is doubled.
        query = query.replace(&format!("${name}"), &pattern(choice).replace('\\', "\\\\"));
    }
    without_variables(query)
}

/// What `label_values(METRIC, LABEL)` names.
#[track_caller]
pub(super) fn label_values(query: &str) -> (&str, &str) {
    let names = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'));
    let names = names.and_then(|names| names.split_once(", "));
    names.unwrap_or_else(|| panic!("{query}"))
}

fn pattern(choice: &Choice) -> String {
    match choice {
        Choice::All => ".*".to_owned(),
        Choice::These(values) => {
            let values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
            match &values[..] {
                [value] => value.clone(),
                values => format!("({})", values.join("|")),
            }
        }
    }
}

fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for letter in value.chars() {
        if "\\^$.*+?()[]{}|".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[track_caller]
fn without_variables(query: String) -> String {
    let mut parts = query.split('$').skip(1);
    let left =
        parts.find(|part| part.starts_with(|next: char| next == '{' || next == '_' || next.is_alphabetic()));
    assert!(
        left.is_none(),
        "${} was not put in: {query}",
        left.unwrap_or_default()
    );
    query
}
