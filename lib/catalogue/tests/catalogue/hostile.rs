//! Whatever a description holds: units of the known lines alone, or none.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidemark_catalogue::{Catalogue, Collector, Described, Plan};
use tidemark_settings::{LoadFrom, Loaded, Mistakes, Places, Settings};
use tidemark_systemd::Host;

use crate::scene::{Scene, description, timers};

fn settings() -> Result<Loaded, Mistakes> {
    let environment = std::collections::BTreeMap::new();
    Settings::load(&LoadFrom {
        places: &Places::new(&environment, true, None).below("/nowhere".as_ref()),
        environment: &environment,
        hostname: String::new(),
        known_collectors: None,
    })
}

/// The plan of the one collector whose `NAME.json` holds these bytes.
fn plan(json: &[u8]) -> Plan {
    let description = Described::read("a", json);
    let Ok(described) = description else {
        return Plan::default();
    };
    let catalogue = Catalogue {
        collectors: vec![Collector {
            name: "a".to_owned(),
            program: "/usr/lib/tidemark/collectors/tidemark-a".into(),
            description: Ok(described),
        }],
        ..Catalogue::default()
    };
    Plan::of(&catalogue, &settings(), &Host::new())
}

/// What the units of everything have not: a program that stays, and one that neither listens nor runs others.
const SOME: [&str; 3] = ["ExecReload", "LimitNOFILE", "SocketBindDeny"];

/// Keys that a text may set so often as it likes; all others once, and to what they are without hostility.
const MANY: [&str; 11] = [
    "BindPaths",
    "BindReadOnlyPaths",
    "DeviceAllow",
    "ExecPaths",
    "LoadCredential",
    "NoExecPaths",
    "ReadWritePaths",
    "SetCredential",
    "SupplementaryGroups",
    "SystemCallFilter",
    "TemporaryFileSystem",
];

/// Whether each line is one that tidemark means.
fn check(plan: &Plan) {
    let known: BTreeSet<String> = lines(&plan_of_everything())
        .map(|line| key(line).to_owned())
        .collect();
    for unit in &plan.units {
        let mut seen = BTreeSet::new();
        for line in unit.text.lines() {
            assert!(!line.ends_with('\\') && !line.contains(['\r', '\0']), "{line:?}");
            if line.is_empty() || line.starts_with("# Made by tidemark") {
                continue;
            }
            let key = key(line);
            assert!(
                known.contains(key) || SOME.contains(&key) || MANY.contains(&key),
                "{line:?}"
            );
            assert!(seen.insert(key) || MANY.contains(&key), "{line:?} once more");
            match key {
                "ExecStart" if unit.file_name == "tidemark-a.service" => {
                    // With a colon where an argument holds a `$`, which is no variable then.
                    let rest = [
                        "/usr/lib/tidemark/collectors/tidemark-a",
                        "\":/usr/lib/tidemark/collectors/tidemark-a\"",
                    ];
                    let mut rest = rest
                        .iter()
                        .filter_map(|program| line.strip_prefix("ExecStart=")?.strip_prefix(program));
                    assert!(
                        rest.any(|rest| rest.is_empty() || rest.starts_with(" --")),
                        "{line:?}"
                    );
                }
                "User" => assert_eq!(line, "User=tidemark"),
                _ => {}
            }
        }
    }
}

fn lines(plan: &Plan) -> impl Iterator<Item = &str> {
    let lines = plan.units.iter().flat_map(|unit| unit.text.lines());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn key(line: &str) -> &str {
    line.split_once('=').map_or(line, |(key, _)| key)
}

/// Two plans in one, with every key that there is.
fn plan_of_everything() -> Plan {
    let needs = r#"{"network": true, "programs": ["/opt/x"], "paths": ["/", "/home/x", "/dev/x", "/run/x", "/proc"]}"#;
    let everything = description("a").replace("{\"network\": false, \"programs\": [], \"paths\": []}", needs);
    let mut plan = plan(everything.as_bytes());
    for more in [description("a"), description("a").replace("\"5m\"", "\"10s\"")] {
        plan.units.extend(super::hostile::plan(more.as_bytes()).units);
    }
    plan
}

#[test]
fn a_plain_description_has_its_units() {
    let plan = plan(description("a").as_bytes());
    assert_eq!(plan.units.len(), 4, "{:?}", plan.notices);
    check(&plan);
    check(&plan_of_everything());
}

/// What could be meant to break out of a value.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[\\x00-\\x7f]{0,20}",
        Just("x\nExecStart=/bin/sh".to_owned()),
        Just("x\r\n[Service]\rUser=root\\".to_owned()),
        Just("/a\u{2028}b\u{85}User=root".to_owned()),
        Just("/a %n%%;'\"$HOME\\".to_owned()),
        Just("/../../etc".to_owned()),
        "/[ -~]{1,12}",
        Just("a".repeat(300)),
        Just("90s\nUser=root".to_owned()),
        Just("1h 30min".to_owned()),
        Just("infinity".to_owned()),
        Just("0".to_owned()),
    ]
}

/// A text as TOML takes it. JSON escapes the same, but for one letter.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\x7f', "\\u007f")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Names and paths in settings, and in the variables of units.
    #[test]
    fn settings_inject_nothing_and_stop_no_timer(
        directory in prop_oneof!["/[ -~]{1,12}", "/\\PC{1,12}", nasty()],
        file in prop_oneof![2 => "/[ -~]{1,12}", 1 => "/\\PC{1,12}", 1 => nasty()],
        credential in prop_oneof![6 => Just("token".to_owned()), 2 => "[!-~]{1,6}", 1 => nasty()],
        span in prop_oneof![8 => Just("1h 30min".to_owned()), 1 => nasty()],
        variables in proptest::collection::vec(nasty(), 2),
    ) {
        let scene = Scene::new();
        scene.described("a", description("a"));
        scene.folder("etc/default");
        scene.settings(&format!(
            "[collector.a]\ndeadline = {}\n[[sink]]\ntype = \"textfile\"\ndirectory = {}\n[[sink]]\n\
             type = \"influxdb2\"\nurl = \"https://influx.example\"\norg = \"o\"\nbucket = \"b\"\nca_file = {}\n\
             token = {{ credential = {} }}\n",
            quoted(&span), quoted(&directory), quoted(&file), quoted(&credential),
        ));
        let [config, certificates] = variables.as_slice() else {
            unreachable!("two");
        };
        scene.file(
            "etc/default/tidemark",
            format!("SSL_CERT_FILE='/{certificates}'\nTIDEMARK_CONFIG={}\n", if config.len() > 20 { config } else { "" }),
            0o600,
        );
        let plan = scene.plan();
        check(&plan);
        prop_assert_eq!(timers(&plan), ["a"], "{:?}", plan.notices);
        for notice in &plan.notices {
            prop_assert!(!notice.contains(char::is_control) && notice.len() < 2100, "{}", notice);
        }
    }

    #[test]
    fn texts_in_a_description_inject_nothing(
        name in prop_oneof![3 => Just("a".to_owned()), 1 => nasty()],
        summary in nasty(),
        interval in prop_oneof![Just("5m".to_owned()), Just("10s".to_owned()), nasty()],
        programs in proptest::collection::vec(nasty(), 0..3),
        paths in proptest::collection::vec(nasty(), 0..3),
        network in any::<bool>(),
    ) {
        let json = serde_json::json!({
            "name": name, "summary": summary, "version": summary, "run_interval": interval, "deadline": "10m",
            "default": "on", "needs": {"network": network, "programs": programs, "paths": paths},
            "measurements": [], "settings": [],
        });
        let plan = plan(json.to_string().as_bytes());
        check(&plan);
        for notice in &plan.notices {
            prop_assert!(!notice.contains(char::is_control) && notice.len() < 2100, "{}", notice);
        }
    }

    #[test]
    fn bytes_that_are_changed_inject_nothing(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut json = description("a").into_bytes();
        for (place, byte) in changes {
            let place = place.index(json.len());
            json[place] = byte;
        }
        check(&plan(&json));
        json.truncate(cut.index(json.len()));
        check(&plan(&json));
    }
}
