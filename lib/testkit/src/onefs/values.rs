//! Values: a pure function of key, node and time, so that a test can reckon every one of them.

use serde_json::{Map, Value, json};

use super::keys::{Key, Shape};

/// The operations of a protocol, each with its class. The second is one that collectors leave out.
const OPERATIONS: [(&str, &str); 6] = [
    ("read", "read"),
    ("change_notify", "namespace_read"),
    ("write", "write"),
    ("lookup", "namespace_read"),
    ("create", "create"),
    ("close", "file_state"),
];
/// What the numbers of an operation are called.
const NUMBERS: [&str; 14] = [
    "in_avg",
    "in_max",
    "in_min",
    "in_rate",
    "in_standard_dev",
    "op_count",
    "op_rate",
    "out_avg",
    "out_max",
    "out_min",
    "out_rate",
    "time_avg",
    "time_max",
    "time_min",
];

/// The value of a key at a time (s), of that node; of the cluster with node 0.
///
/// A number is [`number`] of the key. In a map, it is `number` of the key, a colon and the number's name
/// (`node.ifs.cache:l1_data_read_hit`), in a list of operations with the operation in between
/// (`cluster.protostats.nfs:read:op_rate`).
pub fn value(key: &Key, devid: i64, time: i64) -> Value {
    let name = &key.name;
    match key.shape {
        Shape::Float => json!(number(name, devid, time)),
        Shape::Integer => json!(whole(name, devid, time)),
        Shape::Cache => Value::Object(
            cache_fields()
                .map(|field| {
                    let value = whole(&format!("{name}:{field}"), devid, time);
                    (field, json!(value))
                })
                .collect(),
        ),
        Shape::Total => json!([numbers(name, devid, time)]),
        Shape::Operations => OPERATIONS
            .iter()
            .zip(1..)
            .map(|((operation, class), id)| {
                let mut map = numbers(&format!("{name}:{operation}"), devid, time);
                map.insert("op_id".to_owned(), json!(id));
                map.insert("op_name".to_owned(), json!(operation));
                map.insert("class_name".to_owned(), json!(class));
                Value::Object(map)
            })
            .collect(),
    }
}

/// A number below a million, with two binary digits after the point: the same as a float and as text.
pub fn number(name: &str, devid: i64, time: i64) -> f64 {
    let hash = mix(name, devid, time);
    let quarters = u32::try_from(hash % 4_000_000).unwrap_or(0);
    f64::from(quarters) / 4.0
}

/// A whole number below a million.
pub fn whole(name: &str, devid: i64, time: i64) -> u64 {
    mix(name, devid, time) % 1_000_000
}

fn numbers(name: &str, devid: i64, time: i64) -> Map<String, Value> {
    NUMBERS
        .iter()
        .map(|field| {
            let value = match *field {
                "op_count" => json!(whole(&format!("{name}:{field}"), devid, time)),
                _ => json!(number(&format!("{name}:{field}"), devid, time)),
            };
            ((*field).to_owned(), value)
        })
        .collect()
}

/// The counters of the three levels, and the odd ones.
fn cache_fields() -> impl Iterator<Item = String> {
    let levels = ["l1", "l2", "l3"].into_iter().flat_map(|level| {
        ["data", "meta"].into_iter().flat_map(move |kind| {
            let read = ["read_start", "read_hit", "read_miss", "read_wait"];
            let ahead = ["prefetch_start", "prefetch_hit"];
            read.into_iter()
                .chain(ahead)
                .map(move |what| format!("{level}_{kind}_{what}"))
        })
    });
    let odd = ["l1_prefetch_miss", "l2_prefetch_miss", "oldest_page_age"];
    levels.chain(odd.map(str::to_owned))
}

/// FNV-1a over all of it, stirred.
fn mix(name: &str, devid: i64, time: i64) -> u64 {
    let bytes = name.bytes().chain(devid.to_le_bytes()).chain(time.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

/// The protocol summary: for each node, two protocols and two operations.
pub(super) fn protocol_summary(nodes: &[i64], time: i64) -> Value {
    let mut items = Vec::new();
    for &node in nodes {
        for protocol in ["nfs3", "smb2"] {
            for (operation, class) in [("read", "read"), ("change_notify", "namespace_read")] {
                let name = format!("protocol:{protocol}:{operation}");
                let mut item = traffic(&name, node, time);
                for field in ["in_standard_dev", "out_standard_dev", "time_standard_dev"] {
                    item.insert(
                        field.to_owned(),
                        json!(number(&format!("{name}:{field}"), node, time)),
                    );
                }
                let count = whole(&format!("{name}:operation_count"), node, time);
                item.insert("operation_count".to_owned(), json!(count));
                item.insert("operation".to_owned(), json!(operation));
                item.insert("class".to_owned(), json!(class));
                item.insert("protocol".to_owned(), json!(protocol));
                items.push(Value::Object(item));
            }
        }
    }
    json!({ "protocol": items })
}

/// The client summary: for each node, a client that is known by name, and one that is not.
pub(super) fn client_summary(nodes: &[i64], time: i64) -> Value {
    let mut items = Vec::new();
    for &node in nodes {
        for known in [true, false] {
            let remote = format!("192.0.2.{}", 2 * (node % 100) + i64::from(known));
            let name = format!("client:{remote}");
            let mut item = traffic(&name, node, time);
            let count = whole(&format!("{name}:num_operations"), node, time);
            item.insert("num_operations".to_owned(), json!(count));
            item.insert("class".to_owned(), json!("read"));
            item.insert("protocol".to_owned(), json!("nfs3"));
            item.insert(
                "local_addr".to_owned(),
                json!(format!("198.51.100.{}", node % 250)),
            );
            item.insert("local_name".to_owned(), json!(format!("node-{node}")));
            item.insert("remote_addr".to_owned(), json!(remote));
            item.insert(
                "remote_name".to_owned(),
                json!(if known { "client.example" } else { "" }),
            );
            if known {
                let user = json!({"id": "UID:1000", "name": "mira", "type": "user"});
                item.insert("user".to_owned(), user);
            }
            items.push(Value::Object(item));
        }
    }
    json!({ "client": items })
}

/// The drive summary: for each node, two drives.
pub(super) fn drive_summary(nodes: &[i64], time: i64) -> Value {
    const FIELDS: [&str; 13] = [
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
    let mut items = Vec::new();
    for &node in nodes {
        for (bay, kind) in [(1, "sas"), (2, "ssd")] {
            let name = format!("drive:{bay}");
            let fields = FIELDS.iter().map(|field| {
                let value = number(&format!("{name}:{field}"), node, time);
                ((*field).to_owned(), json!(value))
            });
            let mut item: Map<String, Value> = fields.collect();
            item.insert("drive_id".to_owned(), json!(format!("{node}:{bay}")));
            item.insert("type".to_owned(), json!(kind));
            item.insert("time".to_owned(), json!(time));
            items.push(Value::Object(item));
        }
    }
    json!({ "drive": items })
}

/// What protocols and clients have in common.
fn traffic(name: &str, node: i64, time: i64) -> Map<String, Value> {
    const FIELDS: [&str; 12] = [
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
    let fields = FIELDS.iter().map(|field| {
        let value = number(&format!("{name}:{field}"), node, time);
        ((*field).to_owned(), json!(value))
    });
    let mut item: Map<String, Value> = fields.collect();
    item.insert("node".to_owned(), json!(node));
    item.insert("time".to_owned(), json!(time));
    item
}
