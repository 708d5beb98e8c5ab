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
    /// What All is put in as.
    every: String,
    /// Which part of what was found is a value: the group of an expression; empty for the whole.
    regex: String,
}

/// A panel that shows something: no heading.
pub(super) struct Panel {
    pub(super) title: String,
    /// Seconds: the shortest time of a bucket.
    pub(super) interval: i64,
    pub(super) queries: Vec<Query>,
}

/// A statement or an expression.
pub(super) struct Query {
    pub(super) text: String,
    /// In which unit it is shown.
    pub(super) unit: String,
}

/// What is chosen of a variable.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// All, as this expression.
    All(String),
    These(Vec<String>),
    /// Written by hand, and put in as it is.
    Text(String),
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
    /// Seconds of `$__range`.
    range: i64,
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
        let written = list(&self.json["templating"], "list")[1..].iter();
        let variable = |written: &Value| Variable {
            name: text(written, "name").to_owned(),
            query: text(written, "definition").to_owned(),
            several: written["multi"] == true,
            every: written["allValue"].as_str().unwrap_or_default().to_owned(),
            regex: text(written, "regex").to_owned(),
        };
        written
            .filter(|written| written["type"] == "query")
            .map(variable)
            .collect()
    }

    /// What is written by hand where nobody has changed it.
    pub(super) fn texts(&self) -> Choices {
        let written = list(&self.json["templating"], "list").iter();
        let boxes = written.filter(|written| written["type"] == "textbox");
        boxes
            .map(|written| {
                let value = text(&written["current"], "value").to_owned();
                (text(written, "name").to_owned(), Choice::Text(value))
            })
            .collect()
    }

    /// Writes something else in a box.
    pub(super) fn write(&mut self, name: &str, value: &str) {
        let written = self.json["templating"]["list"].as_array_mut().expect("variables");
        let texts = written.iter_mut().filter(|written| written["type"] == "textbox");
        for text in texts.filter(|text| text["name"] == name) {
            text["current"]["value"] = value.into();
        }
    }

    pub(super) fn panels(&self) -> Vec<Panel> {
        let written = list(&self.json, "panels").iter();
        let query = match self.kind() {
            Kind::Influxdb => "query",
            Kind::Prometheus => "expr",
        };
        let panel = |written: &Value| Panel {
            title: text(written, "title").to_owned(),
            interval: seconds(text(written, "interval")),
            queries: list(written, "targets")
                .iter()
                .enumerate()
                .map(|(number, target)| Query {
                    text: text(target, query).to_owned(),
                    unit: unit(written, number).to_owned(),
                })
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
            range,
            rate_interval: (interval + panel.interval).max(4 * panel.interval),
        }
    }
}

/// In which unit the panel's query of that number is shown: of a table, each column has its own.
fn unit(panel: &Value, number: usize) -> &str {
    let config = &panel["fieldConfig"];
    let own = list(config, "overrides")
        .get(number)
        .map_or(&[][..], |column| list(column, "properties"));
    let own = own.iter().find(|property| property["id"] == "unit");
    own.map_or_else(
        || text(&config["defaults"], "unit"),
        |property| text(property, "value"),
    )
}

/// A span as Grafana writes it.
#[track_caller]
fn seconds(text: &str) -> i64 {
    let (count, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
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
    let query = query
        .replace("$timeFilter", &format!("time >= {from}ms and time <= {to}ms"))
        .replace("$__interval", &format!("{interval}s"));
    chosen(Kind::Influxdb, &query, choices)
}

/// An expression as Prometheus gets it.
#[track_caller]
pub(super) fn promql(query: &str, choices: &Choices, span: &Span) -> String {
    let query = query
        .replace("$__rate_interval", &format!("{}s", span.rate_interval))
        .replace("$__range", &format!("{}s", span.range));
    chosen(Kind::Prometheus, &query, choices)
}

/// A query with what is chosen put in.
#[track_caller]
pub(super) fn chosen(kind: Kind, query: &str, choices: &Choices) -> String {
    let mut query = query.to_owned();
    for (name, choice) in choices {
        let (braced, plain) = (format!("${{{name}}}"), format!("${name}"));
        query = match (kind, choice) {
            (Kind::Influxdb, choice) => query.replace(&format!("${{{name}:regex}}"), &pattern(choice)),
            (Kind::Prometheus, Choice::Text(text)) => query.replace(&braced, text).replace(&plain, text),
            (Kind::Prometheus, choice) => {
                if let Choice::These(values) = choice {
                    query = query.replace(&format!("=\"{plain}\""), &format!("=\"{}\"", values[0]));
                }
                // Within a string, where a backslash is doubled.
                query.replace(&plain, &pattern(choice).replace('\\', "\\\\"))
            }
        };
    }
    without_variables(query)
}

impl Variable {
    /// What is chosen where nothing was chosen by hand.
    pub(super) fn first(&self, values: &[String]) -> Choice {
        if self.several {
            Choice::All(self.every.clone())
        } else {
            Choice::These(values[..1].to_vec())
        }
    }

    /// The value in what the query found.
    pub(super) fn value(&self, found: &str) -> String {
        let expression = self.regex.trim_matches('/').replace("\\.", ".");
        let Some((before, rest)) = expression.split_once('(') else {
            return found.to_owned();
        };
        let (_, after) = rest.split_once(')').expect("a group");
        let start = match before.strip_prefix('^') {
            Some(before) => found.strip_prefix(before),
            None => found.split_once(before).map(|(_, rest)| rest),
        };
        let value = start.and_then(|start| start.strip_suffix(after.trim_end_matches('$')));
        value
            .unwrap_or_else(|| panic!("{} does not fit {found}", self.regex))
            .to_owned()
    }
}

/// What `label_values(METRIC, LABEL)` names.
#[track_caller]
pub(super) fn label_values(query: &str) -> (&str, &str) {
    let names = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'));
    let names = names.and_then(|names| names.rsplit_once(", "));
    names.unwrap_or_else(|| panic!("{query}"))
}

fn pattern(choice: &Choice) -> String {
    match choice {
        Choice::All(every) => every.clone(),
        Choice::Text(text) => text.clone(),
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
