//! What must be in a database: reckoned from what the fake's values are, and from what gostats' users rely on.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidemark_testkit::onefs::{Behaviour, number, value, whole};

/// A field's value, with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Float(f64),
    Int(u64),
}

impl Number {
    /// As those have it that know no types.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the fake's whole numbers are below a million"
    )]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Float(float) => float,
            Self::Int(int) => int as f64,
        }
    }
}

/// What tells a point from any other.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key {
    pub(super) measurement: String,
    pub(super) tags: BTreeMap<String, String>,
    /// Seconds.
    pub(super) time: i64,
}

/// Points, each with its fields. One that comes twice fails the test that adds it.
pub(super) type Points = BTreeMap<Key, BTreeMap<String, Number>>;

fn add(points: &mut Points, key: Key, fields: BTreeMap<String, Number>) {
    let shown = format!("{key:?}");
    let before = points.insert(key, fields);
    assert!(before.is_none(), "two points of one series and time: {shown}");
}

fn tags<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    pairs.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The points of these keys of a cluster that is called so, when it is asked at that time.
pub(super) fn statistics(cluster: &Behaviour, called: &str, keys: &[String], now: i64) -> Points {
    let mut points = Points::new();
    for name in keys {
        let key = cluster.key(name);
        let time = key.time(now);
        let own = |more: Vec<(&'static str, String)>| {
            let pairs = [("cluster", called.to_owned())].into_iter().chain(more);
            tags(pairs)
        };
        let whose: Vec<(i64, BTreeMap<String, String>)> = match key.of_nodes {
            false => vec![(0, own(Vec::new()))],
            true => cluster
                .nodes
                .iter()
                .map(|(devid, lnn)| {
                    let of_node = vec![("devid", devid.to_string()), ("node", lnn.to_string())];
                    (*devid, own(of_node))
                })
                .collect(),
        };
        for (devid, tags) in whose {
            of_value(&mut points, name, &tags, time, &value(&key, devid, time));
        }
    }
    points
}

/// A number is the field `value`, a list a point for each of its elements, and in a map numbers are fields, texts are tags.
fn of_value(points: &mut Points, name: &str, tags: &BTreeMap<String, String>, time: i64, value: &Value) {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().expect("a number");
            let fields = BTreeMap::from([("value".to_owned(), Number::Float(float))]);
            add(points, point_key(name, tags.clone(), time), fields);
        }
        Value::Array(elements) => {
            for element in elements {
                of_value(points, name, tags, time, element);
            }
        }
        Value::Object(map) => of_map(points, name, tags.clone(), time, map),
        other => panic!("the fake is well, and has {other}"),
    }
}

fn of_map(
    points: &mut Points,
    name: &str,
    mut tags: BTreeMap<String, String>,
    time: i64,
    map: &Map<String, Value>,
) {
    // Its latencies mislead.
    if map.get("op_name").and_then(Value::as_str) == Some("change_notify") {
        return;
    }
    let mut fields = BTreeMap::new();
    for (member, value) in map {
        match value {
            Value::Number(number) => {
                let float = number.as_f64().expect("a number");
                fields.insert(member.clone(), Number::Float(float));
            }
            Value::String(text) => {
                tags.insert(member.clone(), text.clone());
            }
            other => panic!("the fake is well, and has {other}"),
        }
    }
    add(points, point_key(name, tags, time), fields);
}

fn point_key(measurement: &str, tags: BTreeMap<String, String>, time: i64) -> Key {
    Key {
        measurement: measurement.to_owned(),
        tags,
        time,
    }
}

/// The numbers of the summaries but for those that are whole.
const PROTOCOL: [&str; 15] = [
    "in",
    "in_avg",
    "in_max",
    "in_min",
    "in_standard_dev",
    "operation_rate",
    "out",
    "out_avg",
    "out_max",
    "out_min",
    "out_standard_dev",
    "time_avg",
    "time_max",
    "time_min",
    "time_standard_dev",
];
const CLIENT: [&str; 12] = [
    "in",
    "in_avg",
    "in_max",
    "in_min",
    "operation_rate",
    "out",
    "out_avg",
    "out_max",
    "out_min",
    "time_avg",
    "time_max",
    "time_min",
];
const DRIVE: [&str; 13] = [
    "access_latency",
    "access_slow",
    "busy",
    "bytes_in",
    "bytes_out",
    "iosched_latency",
    "iosched_queue",
    "used_bytes_percent",
    "used_inodes",
    "xfer_size_in",
    "xfer_size_out",
    "xfers_in",
    "xfers_out",
];

/// The points of the three summaries, when the cluster is asked at that time.
pub(super) fn summaries(cluster: &Behaviour, called: &str, now: i64) -> Points {
    let mut points = Points::new();
    for (_, node) in &cluster.nodes {
        let fields = |name: &str, floats: &[&str], count: Option<&str>| {
            let number = |field: &&str| {
                let value = number(&format!("{name}:{field}"), *node, now);
                ((*field).to_owned(), Number::Float(value))
            };
            let mut fields: BTreeMap<String, Number> = floats.iter().map(number).collect();
            if let Some(count) = count {
                let value = whole(&format!("{name}:{count}"), *node, now);
                fields.insert(count.to_owned(), Number::Int(value));
            }
            fields
        };
        let of_node = || vec![("cluster", called.to_owned()), ("node", node.to_string())];
        for protocol in ["nfs3", "smb2"] {
            // Here change_notify stays.
            for (operation, class) in [("read", "read"), ("change_notify", "namespace_read")] {
                let more = [
                    ("protocol", protocol.to_owned()),
                    ("operation", operation.to_owned()),
                    ("class", class.to_owned()),
                ];
                let tags = tags(of_node().into_iter().chain(more));
                let name = format!("protocol:{protocol}:{operation}");
                add(
                    &mut points,
                    point_key("node.summary.protocol", tags, now),
                    fields(&name, &PROTOCOL, Some("operation_count")),
                );
            }
        }
        for known in [true, false] {
            let remote = format!("192.0.2.{}", 2 * (node % 100) + i64::from(known));
            let name = format!("client:{remote}");
            let mut more = vec![
                ("class", "read".to_owned()),
                ("protocol", "nfs3".to_owned()),
                ("local_addr", format!("198.51.100.{}", node % 250)),
                ("local_name", format!("node-{node}")),
                ("remote_addr", remote),
            ];
            // A tag without a value is none.
            if known {
                more.extend([
                    ("remote_name", "client.example".to_owned()),
                    ("user_id", "UID:1000".to_owned()),
                    ("user_name", "mira".to_owned()),
                    ("user_type", "user".to_owned()),
                ]);
            }
            let tags = tags(of_node().into_iter().chain(more));
            add(
                &mut points,
                point_key("node.summary.client", tags, now),
                fields(&name, &CLIENT, Some("num_operations")),
            );
        }
        for (bay, kind) in [(1, "sas"), (2, "ssd")] {
            let tags = tags([
                ("cluster", called.to_owned()),
                ("drive_id", format!("{node}:{bay}")),
                ("type", kind.to_owned()),
            ]);
            add(
                &mut points,
                point_key("node.summary.drive", tags, now),
                fields(&format!("drive:{bay}"), &DRIVE, None),
            );
        }
    }
    points
}

/// The points of summaries where others than InfluxDB 1 store them: their own time is a field as well.
pub(super) fn with_time(summaries: Points) -> Points {
    let with_time = summaries.into_iter().map(|(key, mut fields)| {
        fields.insert("time".to_owned(), Number::Int(key.time.unsigned_abs()));
        (key, fields)
    });
    with_time.collect()
}

/// The key's value of each node, when the cluster is asked at that time.
fn of_nodes(cluster: &Behaviour, name: &str, now: i64) -> Vec<f64> {
    let key = cluster.key(name);
    let time = key.time(now);
    let values = cluster.nodes.iter().map(|(devid, _)| value(&key, *devid, time));
    values.map(|value| value.as_f64().expect("a number")).collect()
}

/// The points of what is called concurrency, all its keys having a new value at that time, and the time before where there
/// was one.
pub(super) fn concurrency(cluster: &Behaviour, called: &str, now: i64, before: Option<i64>) -> Points {
    let sum = |name: &str, at: i64| of_nodes(cluster, name, at).iter().sum::<f64>();
    let mean = |at: i64| {
        let values = of_nodes(cluster, "node.disk.iosched.latency.avg", at);
        #[expect(clippy::cast_precision_loss, reason = "a number of nodes")]
        let count = values.len() as f64;
        values.iter().sum::<f64>() / count
    };
    let (ops_in, ops_out, latency) = (
        sum("node.ifs.ops.in", now),
        sum("node.ifs.ops.out", now),
        mean(now),
    );
    let mut all = vec![
        ("cluster.node.ifs.ops.in.sum", ops_in),
        ("cluster.node.ifs.ops.out.sum", ops_out),
        ("cluster.node.disk.iosched.latency.avg.avg", latency),
        ("cluster.disk.iosched.latency.avg", latency),
        ("cluster.ifs.concurrency", (ops_in + ops_out) * latency),
        ("ifs.concurrency", (ops_in + ops_out) * latency),
    ];
    if let Some(before) = before {
        let change = (latency - mean(before)) / mean(before) * 100.0;
        all.push(("cluster.node.disk.iosched.latency.avg.avg.percentchange", change));
    }
    let mut points = Points::new();
    for (name, value) in all {
        let fields = BTreeMap::from([("value".to_owned(), Number::Float(value))]);
        add(
            &mut points,
            point_key(name, tags([("cluster", called.to_owned())]), now),
            fields,
        );
    }
    points
}
