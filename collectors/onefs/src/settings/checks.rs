//! What is wrong with keys that are right each by itself: each mistake at the later of those that clash.

use std::collections::{BTreeMap, BTreeSet};

use tidemark_collect::settings::{SectionReader, Value};
use tidemark_papi::Address;

use crate::group::no_key;
use crate::stock;

/// Notes what does not fit together. What cannot be read is noted already, and passed over here.
pub(super) fn check(section: &mut SectionReader<'_>) {
    idic_stands_alone(section);
    no_cluster_twice(section);
    no_group_twice(section);
    no_key_twice(section);
    derived_are_of_keys(section);
}

/// The items of a list of tables.
fn tables<'a>(section: &SectionReader<'a>, key: &str) -> &'a [Value] {
    section.value(key).and_then(Value::as_list).unwrap_or_default()
}

/// A key of a table.
fn within<'a>(table: &'a Value, key: &str) -> Option<&'a Value> {
    table
        .as_table()?
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

fn text<'a>(table: &'a Value, key: &str) -> Option<&'a str> {
    within(table, key)?.as_str()
}

fn idic_stands_alone(section: &mut SectionReader<'_>) {
    if section.value("idic").is_none() {
        return;
    }
    // What the file says of these, nothing here may say too.
    const SAID: [&str; 8] = [
        "cluster",
        "statgroup",
        "active_stat_groups",
        "summary_stats",
        "min_update_interval",
        "preserve_case",
        "include_degraded",
        "fetch_by_statgroup",
    ];
    for key in SAID {
        if let Some(value) = section.value(key) {
            let what = format!("`{key}` stands beside `idic`, whose file says the same");
            section.mistake(value.mistake(
                what,
                "leave one of them out; `tidemark-onefs convert FILE` writes the file as settings",
            ));
        }
    }
}

fn no_cluster_twice(section: &mut SectionReader<'_>) {
    let (mut addresses, mut ports) = (BTreeSet::new(), BTreeMap::new());
    for cluster in tables(section, "cluster") {
        if within(cluster, "disabled").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        let Some(address) = text(cluster, "hostname").and_then(|text| text.parse::<Address>().ok()) else {
            continue;
        };
        if let Some(port) = within(cluster, "prometheus_port")
            && let Some(number) = port.as_integer()
            && let Some(other) = ports.insert(number, address.clone())
        {
            let what = format!("`cluster` has `prometheus_port`, which is {number} for {other} too");
            section.mistake(port.mistake(what, "write another port instead"));
        }
        if addresses.insert(address.clone()) {
            continue;
        }
        if let Some(hostname) = within(cluster, "hostname") {
            let what = format!("`cluster` has {address} twice");
            section.mistake(hostname.mistake(what, "leave one of them out"));
        }
    }
}

fn no_group_twice(section: &mut SectionReader<'_>) {
    let mut names = BTreeSet::new();
    for group in tables(section, "statgroup") {
        let Some((value, name)) = within(group, "name").and_then(|value| Some((value, value.as_str()?)))
        else {
            continue;
        };
        if name.is_empty() {
            section.mistake(value.mistake("`statgroup` has an empty `name`", "write a name instead"));
        } else if !names.insert(name) {
            let what = format!("`statgroup` has {name:?} twice");
            section.mistake(value.mistake(what, "write another name, or one group with the keys of both"));
        }
    }
}

fn derived_are_of_keys(section: &mut SectionReader<'_>) {
    for derived in tables(section, "derived") {
        let Some(value) = within(derived, "key") else {
            continue;
        };
        let Some(text) = value.as_str() else { continue };
        let key = text.split_once(':').map_or(text, |(key, _)| key);
        if let Some(fault) = no_key(key) {
            let what = format!("`derived` has the `key` {key:?}, which {fault}");
            section.mistake(value.mistake(what, "write the name of a statistics key, or KEY:FIELD, instead"));
            continue;
        }
        let list = within(derived, "functions").and_then(Value::as_list);
        let change = within(derived, "percent_change").and_then(Value::as_bool);
        if list.is_none_or(<[Value]>::is_empty) && change != Some(true) {
            let what = format!("`derived` has {text:?}, of which nothing is worked out");
            section.mistake(value.mistake(
                what,
                "write functions = [\"sum\"], or percent_change = true, beside it",
            ));
        }
    }
}

/// A key that two active groups have would be fetched twice, and its points would be the same.
fn no_key_twice(section: &mut SectionReader<'_>) {
    let own = tables(section, "statgroup");
    let active: Option<BTreeSet<&str>> = section
        .value("active_stat_groups")
        .and_then(Value::as_list)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let is_active = |name: &str| active.as_ref().is_none_or(|active| active.contains(name));
    let own_names: BTreeSet<&str> = own.iter().filter_map(|group| text(group, "name")).collect();
    let mut holders: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, keys) in stock::GROUPS {
        if is_active(name) && !own_names.contains(name) {
            holders.extend(keys.iter().map(|key| (*key, name)));
        }
    }
    for group in own {
        let Some(name) = text(group, "name") else { continue };
        let stats = within(group, "stats").and_then(Value::as_list);
        for value in stats.unwrap_or_default() {
            let Some(key) = value.as_str() else { continue };
            if let Some(fault) = no_key(key) {
                let what = format!("`statgroup` has `stats`, which has {key:?}, and that {fault}");
                section.mistake(value.mistake(what, "write the name of a statistics key instead"));
                continue;
            }
            if !is_active(name) {
                continue;
            }
            if let Some(other) = holders.insert(key, name) {
                let what = format!("`statgroup` has the key {key} in {name:?}, which {other:?} has too");
                section.mistake(value.mistake(
                    what,
                    "leave it out of one of them, or one of them out of `active_stat_groups`",
                ));
            }
        }
    }
}
