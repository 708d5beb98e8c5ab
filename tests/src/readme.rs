//! The README's table of collectors, as it is and as it is due.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

const BEGIN: &str = "<!-- collectors:";
const END: &str = "<!-- /collectors -->";

/// README.md, cut at its table.
pub struct Readme<'a> {
    /// All before the table.
    pub before: &'a str,
    /// The table.
    pub table: &'a str,
    /// All after it.
    pub after: &'a str,
}

impl<'a> Readme<'a> {
    /// Finds the table between its marks.
    ///
    /// # Panics
    /// Where a mark is missing.
    pub fn cut(text: &'a str) -> Self {
        let begin = text.find(BEGIN).expect("README.md has the mark before its table");
        let mark = text[begin..].find('\n').expect("a line after the mark");
        let (before, rest) = text.split_at(begin + mark + 1);
        let end = rest.find(END).expect("README.md has the mark after its table");
        let (table, after) = rest.split_at(end);
        Self { before, table, after }
    }
}

/// The names of the collectors' folders of a workspace, sorted.
///
/// # Panics
/// Where they cannot be listed.
pub fn collectors(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("collectors")).expect("the folder of collectors");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry of it").file_name();
            name.into_string().expect("a name in UTF-8")
        })
        .collect();
    names.sort();
    names
}

/// The table that is due, a row for each description.
///
/// # Panics
/// Where a description is none.
pub fn table(descriptions: &[Value]) -> String {
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
