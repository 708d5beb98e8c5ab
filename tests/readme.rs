//! The README's table of collectors is what the collectors say of themselves.
//!
//! `TIDEMARK_REFRESH=1 cargo test -p tidemark-tests --test readme` writes it anew.

#![allow(
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidemark_testkit::{Run, asked, program};

const BEGIN: &str = "<!-- collectors:";
const END: &str = "<!-- /collectors -->";

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of the collectors' folders, sorted.
fn collectors() -> Vec<String> {
    let entries = fs::read_dir(root().join("collectors")).expect("the folder of collectors");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry of it")
                .file_name()
                .into_string()
                .expect("a name in UTF-8")
        })
        .collect();
    names.sort();
    names
}

/// What a collector says of itself.
fn describe(name: &str) -> Value {
    let ended = Run::new(program(&format!("tidemark-{name}")))
        .arg("--describe")
        .run()
        .expect_code(0);
    serde_json::from_str(&ended.stdout).expect("a description is JSON")
}

/// The table, a row a collector.
fn table(descriptions: &[Value]) -> String {
    let mut table = String::from(
        "| collector | every | on by default | what it is | measurements |\n|---|---|---|---|---|\n",
    );
    for description in descriptions {
        let text = |key: &str| description[key].as_str().expect(key);
        let name = text("name");
        let on = if text("default") == "on" {
            "yes"
        } else {
            "with its section"
        };
        let measurements: Vec<String> = match description["measurements"].as_array() {
            Some(all) if !all.is_empty() => all
                .iter()
                .map(|one| format!("`{}`", one["name"].as_str().expect("a name")))
                .collect(),
            _ => vec![text("rule").to_owned()],
        };
        let _ = writeln!(
            table,
            "| [`{name}`](collectors/{name}) | {} | {on} | {} | {} |",
            text("run_interval"),
            text("summary"),
            measurements.join(", ")
        );
    }
    table
}

#[test]
fn the_readme_lists_every_collector_as_it_describes_itself() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).expect("README.md");
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("README.md has the mark before its table");
    let (mark, rest) = rest.split_once('\n').expect("a line after the mark");
    let (is, after) = rest
        .split_once(END)
        .expect("README.md has the mark after its table");
    let descriptions: Vec<Value> = collectors().iter().map(|name| describe(name)).collect();
    let due = table(&descriptions);
    if asked("TIDEMARK_REFRESH").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{mark}\n{due}{END}{after}"))
            .expect("README.md can be written");
        return;
    }
    assert_eq!(
        is, due,
        "TIDEMARK_REFRESH=1 cargo test -p tidemark-tests --test readme writes it anew"
    );
}

#[test]
fn each_folder_describes_a_collector_of_its_own_name() {
    for name in collectors() {
        assert_eq!(describe(&name)["name"], name.as_str());
    }
}
