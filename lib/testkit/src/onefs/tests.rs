use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::certificates::Certificates;
use crate::http;

const NOW: i64 = 1_800_000_017;

fn cluster() -> OneFs {
    let cluster = OneFs::http("Cl17", 3);
    cluster.set_time(Time::At(NOW));
    cluster
}

/// A page, with name and password.
fn asked(cluster: &OneFs, path: &str) -> http::Response {
    http::Request::get(&cluster.url(path))
        // monitor:correct horse
        .header("Authorization", "Basic bW9uaXRvcjpjb3JyZWN0IGhvcnNl")
        .send()
        .unwrap()
}

fn json_of(cluster: &OneFs, path: &str) -> Value {
    let answer = asked(cluster, path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(answer.text()).unwrap()
}

/// The cookies of a login, and its body.
fn log_in(cluster: &OneFs) -> (Vec<String>, Value) {
    let body = br#"{"username": "monitor", "password": "correct horse", "services": ["platform"]}"#;
    let answer = http::post(&cluster.url(SESSION), body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    (
        cookies.map(|(_, value)| value.clone()).collect(),
        serde_json::from_str(answer.text()).unwrap(),
    )
}

fn with_session(cluster: &OneFs, cookie: &str, token: &str, referer: &str) -> u16 {
    let mut request = http::Request::get(&cluster.url("/platform/1/cluster/config"))
        .header("Cookie", cookie)
        .header("X-CSRF-Token", token);
    if !referer.is_empty() {
        request = request.header("Referer", referer);
    }
    request.send().unwrap().status
}

#[test]
fn the_stock_keys_are_116_in_13_groups() {
    let keys = stock_keys();
    let different: BTreeSet<&String> = keys.iter().collect();
    assert_eq!((keys.len(), different.len(), STOCK_GROUPS.len()), (116, 116, 13));
    let of_nodes = keys.iter().filter(|key| Key::named(key).of_nodes).count();
    assert_eq!(of_nodes, 59);
}

#[test]
fn a_session_needs_cookie_token_and_referer() {
    let cluster = cluster();
    let (cookies, body) = log_in(&cluster);
    assert_eq!(body["timeout_absolute"], 14_400);
    assert_eq!(
        cookies,
        [
            "isisessid=session-1-of-Cl17; path=/; HttpOnly; Secure",
            "isicsrf=token-1; path=/; Secure"
        ]
    );
    let cookie = "isisessid=session-1-of-Cl17; isicsrf=token-1";
    let base = cluster.url("");
    assert_eq!(with_session(&cluster, cookie, "token-1", &base), 200);
    assert_eq!(with_session(&cluster, cookie, "token-2", &base), 401);
    assert_eq!(with_session(&cluster, cookie, "token-1", ""), 401);
    assert_eq!(
        with_session(&cluster, cookie, "token-1", "http://elsewhere.example"),
        401
    );
    assert_eq!(
        with_session(&cluster, "isisessid=session-2-of-Cl17", "token-1", &base),
        401
    );
    // A session that has ended, by its time and by the cluster.
    cluster.set_time(Time::At(NOW + 14_399));
    assert_eq!(with_session(&cluster, cookie, "token-1", &base), 200);
    cluster.set_time(Time::At(NOW + 14_400));
    assert_eq!(with_session(&cluster, cookie, "token-1", &base), 401);
    assert_eq!(cluster.open_sessions(), 0);
    cluster.set_time(Time::At(NOW));
    cluster.end_sessions();
    assert_eq!(with_session(&cluster, cookie, "token-1", &base), 401);
    let counts = cluster.counts();
    assert_eq!((counts.logins, counts.requests, counts.unauthorized), (1, 9, 6));
    assert_eq!(counts.by_path["/platform/1/cluster/config"], 8);
}

#[test]
fn an_older_cluster_gives_no_token_and_wants_none() {
    let cluster = cluster();
    cluster.change(|behaviour| {
        behaviour.csrf = false;
        behaviour.timeout_absolute = None;
    });
    let (cookies, body) = log_in(&cluster);
    assert_eq!(cookies.len(), 1);
    assert_eq!(body["timeout_absolute"], Value::Null);
    assert_eq!(
        with_session(&cluster, "isisessid=session-1-of-Cl17", "none", ""),
        200
    );
}

#[test]
fn who_has_no_password_gets_nothing() {
    let cluster = cluster();
    for body in [
        r#"{"username": "monitor", "password": "wrong", "services": ["platform"]}"#,
        r#"{"username": "other", "password": "correct horse", "services": ["platform"]}"#,
        r#"{"username": "monitor", "password": "correct horse"}"#,
        "no JSON",
    ] {
        assert_eq!(
            http::post(&cluster.url(SESSION), body.as_bytes()).status,
            401,
            "{body}"
        );
    }
    let config = cluster.url("/platform/1/cluster/config");
    assert_eq!(http::get(&config).status, 401);
    cluster.change(|behaviour| behaviour.basic = false);
    assert_eq!(asked(&cluster, "/platform/1/cluster/config").status, 401);
    let counts = cluster.counts();
    assert_eq!(
        (counts.logins, counts.refused_logins, counts.unauthorized),
        (0, 4, 2)
    );
}

#[test]
fn each_value_is_a_function_of_key_node_and_time() {
    let cluster = cluster();
    let page = "/platform/1/statistics/current?devid=all&key=node.load.1min&key=ifs.bytes.used&key=node.cpu.throttling";
    let stats = json_of(&cluster, page);
    let time = 1_800_000_000;
    let item = |devid: i64, key: &str, time: i64, value: Value| json!({"devid": devid, "node": devid, "key": key, "time": time, "value": value, "error": null, "error_code": 0});
    let load = |node| {
        item(
            node,
            "node.load.1min",
            time,
            json!(number("node.load.1min", node, time)),
        )
    };
    let throttling = |node| {
        item(
            node,
            "node.cpu.throttling",
            NOW,
            json!(number("node.cpu.throttling", node, NOW)),
        )
    };
    let mut used = item(0, "ifs.bytes.used", time, json!(whole("ifs.bytes.used", 0, time)));
    used.as_object_mut().unwrap().remove("node");
    let expected = json!([
        load(1),
        load(2),
        load(3),
        used,
        throttling(1),
        throttling(2),
        throttling(3)
    ]);
    assert_eq!(stats["stats"], expected);
    let differ: BTreeSet<String> = [("a", 1, 1), ("b", 1, 1), ("a", 2, 1), ("a", 1, 2)]
        .map(|(name, node, time)| number(name, node, time).to_string())
        .into();
    assert_eq!(differ.len(), 4);
}

#[test]
fn lists_and_maps_are_as_the_api_has_them() {
    let cluster = cluster();
    let value = |key: &str| {
        let page = json_of(&cluster, &format!("/platform/1/statistics/current?key={key}"));
        page["stats"][0]["value"].clone()
    };
    let operations = value("cluster.protostats.nfs");
    assert_eq!(operations[0]["op_name"], "read");
    assert_eq!(operations[1]["op_name"], "change_notify");
    let rate = number("cluster.protostats.nfs:read:op_rate", 0, 1_800_000_000);
    assert_eq!(operations[0]["op_rate"], rate);
    let total = value("cluster.protostats.nfs.total");
    assert_eq!(total.as_array().map(Vec::len), Some(1));
    assert!(total[0]["time_avg"].is_number() && total[0]["op_name"].is_null());
    let cache = value("node.ifs.cache");
    assert_eq!(cache.as_object().map(|map| map.len()), Some(39));
    assert_eq!(
        cache["l3_data_read_start"],
        whole("node.ifs.cache:l3_data_read_start", 1, 1_800_000_000)
    );
}

#[test]
fn keys_have_descriptions_and_intervals() {
    let cluster = cluster();
    let key =
        |name: &str| json_of(&cluster, &format!("/platform/1/statistics/keys/{name}"))["keys"][0].clone();
    let load = key("node.load.1min");
    assert_eq!(
        load["policies"][0],
        json!({"interval": 30, "persistent": false, "retention": 3600})
    );
    assert_eq!(
        (load["scope"].as_str(), load["units"].as_str()),
        (Some("node"), Some("load * 100"))
    );
    assert_eq!(key("node.cpu.throttling")["policies"], Value::Null);
    cluster.change(|behaviour| {
        behaviour.intervals.insert("node.load.1min".to_owned(), Some(5));
        behaviour.missing.insert("ifs.bytes.used".to_owned());
    });
    assert_eq!(key("node.load.1min")["policies"][0]["interval"], 5);
    let gone = asked(&cluster, "/platform/1/statistics/keys/ifs.bytes.used");
    assert_eq!(gone.status, 404);
    assert!(gone.text().contains("AEC_NOT_FOUND"));
    let page = json_of(&cluster, "/platform/1/statistics/current?key=ifs.bytes.used");
    assert_eq!(
        (&page["stats"][0]["error_code"], &page["stats"][0]["value"]),
        (&json!(1), &Value::Null)
    );
}

#[test]
fn what_is_odd_is_played() {
    let cluster = cluster();
    let key = "node.load.1min";
    let well = || json!(number(key, 2, 1_800_000_000));
    let text = well().to_string();
    for (odd, value, code) in [
        (Odd::Error(4, "stale".to_owned()), Value::Null, json!(4)),
        (Odd::Degraded(3), well(), json!(3)),
        (Odd::NoError, well(), Value::Null),
        (Odd::Null, Value::Null, Value::Null),
        (Odd::Bool, json!(true), Value::Null),
        (Odd::Text, json!(text), Value::Null),
        (Odd::EmptyList, json!([]), Value::Null),
        (Odd::ListInList, json!([[1, 2], [3]]), Value::Null),
        (
            Odd::Nested(2),
            json!({"inner": {"inner": {"deepest": 1}}}),
            Value::Null,
        ),
        (Odd::Value(json!({"a": "b"})), json!({"a": "b"}), Value::Null),
    ] {
        cluster.change(|behaviour| {
            behaviour.odd_of.insert((key.to_owned(), 2), odd);
        });
        let page = json_of(&cluster, &format!("/platform/1/statistics/current?key={key}"));
        let item = &page["stats"][1];
        assert_eq!((&item["value"], &item["error_code"]), (&value, &code));
        assert_eq!(page["stats"][0]["error_code"], 0, "the others are well");
    }
    cluster.change(|behaviour| {
        behaviour.odd_of.insert((key.to_owned(), 2), Odd::Absent);
        behaviour.leave(3);
        behaviour.show_nodes = false;
        behaviour.clock_ahead = 3600;
    });
    let page = json_of(&cluster, &format!("/platform/1/statistics/current?key={key}"));
    assert_eq!(page["stats"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["stats"][0]["node"], Value::Null);
    assert_eq!(page["stats"][0]["time"], 1_800_003_600);
}

#[test]
fn answers_are_cut_and_swapped() {
    let cluster = cluster();
    let page = "/platform/1/statistics/current?key=node.load.1min";
    cluster.change(|behaviour| behaviour.truncate = Some(10));
    assert_eq!(asked(&cluster, page).text().len(), 10);
    assert!(asked(&cluster, "/platform/1/cluster/config").text().len() > 10);
    cluster.change(|behaviour| {
        behaviour.truncate = None;
        behaviour.refuse = 1;
    });
    assert_eq!(asked(&cluster, page).status, 401);
    assert_eq!(asked(&cluster, page).status, 200);
    cluster.change(|behaviour| behaviour.forbidden = true);
    assert_eq!(asked(&cluster, page).status, 403);
    cluster.change(|behaviour| behaviour.html = true);
    assert!(asked(&cluster, page).text().starts_with("<!DOCTYPE html>"));
    cluster.change(|behaviour| behaviour.busy = Some((503, Some("7".to_owned()))));
    let busy = asked(&cluster, page);
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("7")));
    cluster.answer("/platform/1/statistics/current", Answer::ok("[]"));
    assert_eq!(asked(&cluster, page).text(), "[]");
    cluster.answer_as_usual();
    assert_eq!(asked(&cluster, page).status, 503);
}

#[test]
fn summaries_have_what_the_schemas_have() {
    let cluster = cluster();
    for (name, count, fields) in [("protocol", 12, 21), ("client", 6, 22), ("drive", 6, 16)] {
        let page = json_of(
            &cluster,
            &format!("/platform/3/statistics/summary/{name}?degraded=true"),
        );
        let items = page[name].as_array().unwrap();
        assert_eq!(items.len(), count, "{name}");
        let longest = items
            .iter()
            .filter_map(|item| item.as_object())
            .map(|item| item.len())
            .max();
        assert_eq!(longest, Some(fields), "{name}");
        assert!(items.iter().all(|item| item["time"] == NOW));
    }
    assert_eq!(asked(&cluster, "/platform/3/statistics/summary/heat").status, 404);
}

#[test]
fn another_certificate_is_shown() {
    let certificates = Certificates::new();
    let cluster = OneFs::https(&certificates.leaf, "Cl17", 1);
    let meet = || {
        let request = http::Request::get(&cluster.url("/")).trust(certificates.authority());
        request
            .send()
            .map(|answer| answer.status)
            .map_err(|why| why.to_string())
    };
    assert_eq!(meet(), Ok(401));
    cluster.present(&certificates.expired);
    assert!(meet().unwrap_err().contains("expired"));
    cluster.present(&certificates.leaf);
    assert_eq!(meet(), Ok(401));
}

#[test]
fn a_fleet_has_the_same_values_at_its_own_time() {
    let fleet = Fleet::start(None, 2, 3);
    let page = "/platform/1/statistics/current?key=node.load.1min&key=node.cpu.throttling&key=cluster.protostats.nfs";
    for (cluster, name) in fleet.clusters.iter().zip(["cl0001", "cl0002"]) {
        assert_eq!(json_of(cluster, "/platform/1/cluster/config")["name"], name);
        cluster.set_time(Time::At(NOW));
        let first = json_of(cluster, page);
        let times: Vec<i64> = first["stats"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["time"].as_i64().unwrap())
            .collect();
        let of_key = 1_800_000_000;
        assert_eq!(times, [of_key, of_key, of_key, NOW, NOW, NOW, of_key]);
        cluster.set_time(Time::At(NOW + 30));
        let then = json_of(cluster, page);
        assert_eq!(then["stats"][0]["time"], of_key + 30);
        assert_eq!(then["stats"][0]["value"], first["stats"][0]["value"]);
        let drives = json_of(cluster, "/platform/3/statistics/summary/drive");
        assert_eq!(drives["drive"][0]["time"], NOW + 30);
        assert!(cluster.requests().is_empty());
        assert_eq!(cluster.counts().requests, 4);
    }
}

#[test]
fn the_time_of_this_process_goes_on() {
    let before = cpu_time();
    crate::wait_until("CPU time", std::time::Duration::from_secs(30), || {
        (0..100_000)
            .map(|number| crate::onefs::whole("x", number, 0))
            .max()
            > Some(0)
            && cpu_time() > before
    });
}
