//! The settings that the package brings, all commented.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use tidemark_settings::{KnownCollector, KnownKey, LoadFrom, Loaded, Mistakes, Places, Settings};
use tidemark_testkit::Home;
use tidemark_tests::readme::collectors;

use super::contents::unpacked;
use super::root;

/// The file, and what the collectors of the package say of themselves.
struct Brought {
    text: String,
    descriptions: Vec<Value>,
    known: Vec<KnownCollector>,
}

/// The keys of a description, with those of tables in them.
fn keys(settings: &Value) -> Vec<KnownKey> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let settings = settings.as_array().into_iter().flatten();
    let key = |setting: &Value| KnownKey {
        name: text(&setting["name"]),
        type_name: text(&setting["type"]),
        keys: keys(&setting["keys"]),
    };
    settings.map(key).collect()
}

impl Brought {
    fn unpack() -> Self {
        let unpacked = unpacked();
        let read = |path: &str| fs::read_to_string(unpacked.path().join(path)).expect(path);
        let mut brought = Self {
            text: read("etc/tidemark/tidemark.toml"),
            descriptions: Vec::new(),
            known: Vec::new(),
        };
        for name in collectors(root()) {
            let description = read(&format!("usr/lib/tidemark/collectors/{name}.json"));
            let description: Value = serde_json::from_str(&description).expect("JSON");
            brought.known.push(KnownCollector {
                name,
                keys: Some(keys(&description["settings"])),
            });
            brought.descriptions.push(description);
        }
        brought
    }

    /// Reads settings as the operator's command does, with all collectors of the package known.
    fn read(&self, text: &str) -> Result<Loaded, Mistakes> {
        let home = Home::new();
        let file = home.file("all.toml", text);
        let environment = BTreeMap::new();
        let places = Places::new(&environment, true, Some(file));
        Settings::load(&LoadFrom {
            places: &places,
            environment: &environment,
            hostname: "machine".to_owned(),
            known_collectors: Some(&self.known),
        })
    }

    #[track_caller]
    fn load(&self, text: &str) -> Loaded {
        self.read(text).unwrap_or_else(|why| panic!("{why}"))
    }

    /// What may stand in the place of `wrong`, by the advice on a mistake: ``write one of `a`, `b` and `c` instead``.
    #[track_caller]
    fn advised(&self, wrong: &str, text: &str) -> Vec<String> {
        let mistakes = self.read(text).expect_err("a mistake").to_string();
        let line = mistakes.lines().find(|line| line.contains(wrong));
        let line = line.unwrap_or_else(|| panic!("{wrong}: {mistakes}"));
        let (_, advice) = line.split_once("write one of ").expect("advice");
        let words = advice.trim_end_matches(" instead").replace(" and ", ", ");
        let words = words
            .split(", ")
            .map(|word| word.trim_matches(['`', '"', '[', ']']));
        words.map(str::to_owned).collect()
    }

    /// The lines around one of them, up to the empty ones.
    #[track_caller]
    fn paragraph(&self, line: &str) -> &str {
        let mut paragraphs = self.text.split("\n\n");
        let found = paragraphs.find(|paragraph| paragraph.lines().any(|it| it == line));
        found.unwrap_or_else(|| panic!("no {line}"))
    }

    /// As it is with all settings uncommented: these have no space behind their `#`.
    fn uncommented(&self) -> String {
        let lines = self.text.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            _ => line,
        });
        lines.collect::<Vec<&str>>().join("\n")
    }
}

#[test]
fn they_say_nothing() {
    let brought = Brought::unpack();
    let lines = brought.text.lines();
    assert!(lines.clone().all(|line| line.is_empty() || line.starts_with('#')));
    assert!(lines.clone().count() > 50);
    let loaded = brought.load(&brought.text);
    assert_eq!(loaded.settings.sinks.len(), 1, "the store");
    assert_eq!(loaded.section_names().count(), 0);
}

/// Uncommented, all of it is right, and what has a default stands there with it.
#[test]
fn uncommented_they_are_settings() {
    let brought = Brought::unpack();
    let none = brought.load("").settings;
    let loaded = brought.load(&brought.uncommented());
    assert!(loaded.notices.is_empty(), "{:?}", loaded.notices);
    let all = &loaded.settings;
    assert_eq!(all.store, none.store);
    assert_eq!(all.outbox.max_bytes, none.outbox.max_bytes);
    assert_eq!(all.outbox.max_age, none.outbox.max_age);
    assert_eq!(all.host.dry_run, none.host.dry_run);
    for description in &brought.descriptions {
        let name = description["name"].as_str().expect("a name");
        let common = loaded.common(name);
        assert_eq!(common.enabled, Some(true), "{name}");
        let interval = common.run_interval.expect("an interval").to_string();
        assert_eq!(interval, description["run_interval"], "{name}");
        let deadline = common.deadline.expect("a deadline").to_string();
        assert_eq!(deadline, description["deadline"], "{name}");
        let section = brought.paragraph(&format!("#[collector.{name}]"));
        for setting in description["settings"].as_array().into_iter().flatten() {
            let key = setting["name"].as_str().expect("a name");
            let mut values = section
                .lines()
                .filter_map(|line| line.strip_prefix(&format!("#{key} = ")));
            let value = values.next().unwrap_or_else(|| panic!("{name}: {key}"));
            if let Some(default) = setting["default"].as_str() {
                assert!(
                    [default, &format!("{default:?}")].contains(&value),
                    "{name}: {key} = {value}"
                );
            }
        }
    }
}

/// No section, key and type of sink is left out.
#[test]
fn they_name_all_there_is() {
    let brought = Brought::unpack();
    let sections = brought.advised("`wrong`", "[wrong]\nkey = 1");
    assert!(sections.len() >= 5, "{sections:?}");
    for section in sections
        .iter()
        .filter(|section| !["collector.NAME", "sink"].contains(&section.as_str()))
    {
        let paragraph = brought.paragraph(&format!("#[{section}]"));
        for key in brought.advised("`wrong`", &format!("[{section}]\nwrong = 1")) {
            let line = format!("\n#{key} = ");
            assert!(paragraph.contains(&line), "[{section}] {key}");
        }
    }
    let types = brought.advised("no type of sink", "[[sink]]\ntype = \"wrong\"");
    let types: BTreeSet<&str> = types.iter().map(String::as_str).collect();
    assert!(types.contains("influxdb") && types.contains("store"), "{types:?}");
    let introduction = brought.text.split("\n\n").find(|it| it.starts_with("# Sinks: "));
    let introduction = introduction.expect("what all sinks have");
    for kind in types {
        let paragraph = brought.paragraph(&format!("#type = \"{kind}\""));
        for key in brought.advised("`wrong`", &format!("[[sink]]\ntype = \"{kind}\"\nwrong = 1")) {
            let mut words = [introduction, paragraph]
                .into_iter()
                .flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
            assert!(words.any(|word| word == key), "{kind}: {key}");
        }
    }
}
