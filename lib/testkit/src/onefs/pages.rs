//! What a cluster answers where all is well: its name, its keys, their values.

use serde_json::{Value, json};

use super::behaviour::{Behaviour, Odd};
use super::values;
use crate::answer::Answer;
use crate::request::{Request, parameters};

/// Where a key's description is.
const KEYS: &str = "/platform/1/statistics/keys/";
/// Where values are.
pub(super) const CURRENT: &str = "/platform/1/statistics/current";
/// Where summaries are.
pub(super) const SUMMARY: &str = "/platform/3/statistics/summary/";

/// The body of a request that may ask; `None` where there is no such page.
pub(super) fn page(request: &Request, behaviour: &Behaviour, now: i64) -> Option<Result<Value, Answer>> {
    let nodes = || behaviour.nodes.iter().map(|(_, lnn)| *lnn).collect::<Vec<_>>();
    let path = request.path.as_str();
    if path == "/platform/1/cluster/config" {
        return Some(Ok(config(behaviour)));
    }
    if let Some(name) = path.strip_prefix(KEYS) {
        return Some(description(name, behaviour));
    }
    if path == CURRENT {
        let asked = parameters(&request.query);
        let keys = asked.iter().filter(|(name, _)| name == "key");
        let items: Vec<Value> = keys.flat_map(|(_, key)| items(key, behaviour, now)).collect();
        return Some(Ok(json!({ "stats": items })));
    }
    match path.strip_prefix(SUMMARY)? {
        "protocol" => Some(Ok(values::protocol_summary(&nodes(), now))),
        "client" => Some(Ok(values::client_summary(&nodes(), now))),
        "drive" => Some(Ok(values::drive_summary(&nodes(), now))),
        _ => None,
    }
}

fn config(behaviour: &Behaviour) -> Value {
    let devices: Vec<Value> = behaviour
        .nodes
        .iter()
        .map(|(devid, lnn)| json!({"devid": devid, "lnn": lnn, "is_up": true}))
        .collect();
    json!({
        "name": behaviour.name,
        "description": "a cluster that is not there",
        "devices": devices,
        "has_quorum": true,
        "is_virtual": true,
        "onefs_version": {
            "build": "B_9_5_0_3(RELEASE)",
            "release": behaviour.version,
            "type": "RELEASE",
            "version": behaviour.version,
        },
    })
}

fn description(name: &str, behaviour: &Behaviour) -> Result<Value, Answer> {
    if behaviour.missing.contains(name) {
        return Err(no_such(name));
    }
    let key = behaviour.key(name);
    let policies = key.interval.map(|interval| {
        json!([
            {"interval": interval, "persistent": false, "retention": 3600},
            {"interval": 300, "persistent": true, "retention": 604_800},
        ])
    });
    Ok(json!({
        "keys": [{
            "key": name,
            "description": key.description,
            "units": key.units,
            "scope": if key.of_nodes { "node" } else { "cluster" },
            "type": key.shape.name(),
            "aggregation_type": key.aggregation,
            "base_name": null,
            "real_name": null,
            "default_cache_time": 60,
            "policy_cache_time": null,
            "policies": policies,
        }]
    }))
}

/// 404, as the API says it.
pub(super) fn no_such(what: &str) -> Answer {
    let text = format!("Could not find {what}.");
    let body = json!({"errors": [{"code": "AEC_NOT_FOUND", "message": text}]});
    Answer::new(404)
        .header("Content-Type", "application/json")
        .body(body.to_string())
}

/// What `stats` holds of a key.
pub(super) fn items(name: &str, behaviour: &Behaviour, now: i64) -> Vec<Value> {
    let key = behaviour.key(name);
    let whose: Vec<(i64, Option<i64>)> = if behaviour.missing.contains(name) || !key.of_nodes {
        vec![(0, None)]
    } else {
        let nodes = behaviour.nodes.iter();
        nodes
            .map(|(devid, lnn)| (*devid, behaviour.show_nodes.then_some(*lnn)))
            .collect()
    };
    let time = key.time(now);
    let missing = Odd::Error(1, format!("{name}: not present"));
    let mut items = Vec::new();
    for (devid, node) in whose {
        let odd = if behaviour.missing.contains(name) {
            Some(&missing)
        } else {
            behaviour.odd(name, devid)
        };
        if odd == Some(&Odd::Absent) {
            continue;
        }
        let well = values::value(&key, devid, time);
        let (code, error) = odd.map_or((json!(0), Value::Null), Odd::error);
        let mut item = json!({
            "devid": devid,
            "key": name,
            "time": time,
            "error_code": code,
            "error": error,
            "value": match odd {
                Some(odd) => odd.value(well),
                None => well,
            },
        });
        if let Some(node) = node {
            item["node"] = json!(node);
        }
        items.push(item);
    }
    items
}
