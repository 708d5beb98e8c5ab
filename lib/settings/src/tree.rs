//! All settings files as one tree of sections, before anything is checked but its shape.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use crate::files::{self, ReadError};
use crate::mistake::{Mistake, Position, SourceFile};
use crate::places::Places;
use crate::suggestion::{nearest, quoted};
use crate::syntax;
use crate::value::{self, Data, Table, Value};

/// The longest settings file, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// The most files in `conf.d`.
const MOST_FILES: usize = 1000;

/// The sections that are there once each.
pub(crate) const SINGLE: [&str; 3] = ["host", "outbox", "store"];
/// Every word that a section may begin with.
const SECTIONS: [&str; 5] = ["host", "collector", "sink", "outbox", "store"];

/// A section, of one file or joined from several.
pub(crate) struct Part {
    pub(crate) at: Position,
    pub(crate) table: Table,
}

/// What all files hold together.
pub(crate) struct Tree {
    /// The main file, there or not.
    pub(crate) main_file: Position,
    pub(crate) single: BTreeMap<&'static str, Part>,
    pub(crate) collectors: BTreeMap<String, Part>,
    pub(crate) sinks: Vec<Part>,
    /// Whether somebody configured a sink, even a wrong one.
    pub(crate) has_sinks: bool,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Tree {
    /// Reads the main file and those of `conf.d`.
    pub(crate) fn read(places: &Places) -> Tree {
        let config = places.config();
        let mut tree = Tree {
            main_file: Position::of_path(config, 0),
            single: BTreeMap::new(),
            collectors: BTreeMap::new(),
            sinks: Vec::new(),
            has_sinks: false,
            mistakes: Vec::new(),
        };
        tree.read_file(config, 0, !places.config_is_named());
        let folder = places.config_folder();
        match files::toml_files(&folder, MOST_FILES) {
            Ok(files) => {
                for (index, path) in files.iter().enumerate() {
                    tree.read_file(path, index + 1, false);
                }
            }
            Err(error) => {
                let (what, advice) = match error {
                    ReadError::Special => (
                        "is not a folder".to_owned(),
                        "make it a folder, or remove it".to_owned(),
                    ),
                    ReadError::TooLarge => (
                        format!("holds more than {MOST_FILES} files"),
                        "join some of them".to_owned(),
                    ),
                    other => (other.what(), other.advice()),
                };
                tree.mistakes
                    .push(Mistake::new(Position::of_path(&folder, 1), what, advice));
            }
        }
        tree
    }

    fn read_file(&mut self, path: &Path, rank: usize, may_be_missing: bool) {
        let bytes = match files::read(path, LONGEST_FILE) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing) if may_be_missing => return,
            Err(error) => {
                let (what, advice) = match error {
                    ReadError::TooLarge => (
                        "is longer than 1 MiB".to_owned(),
                        "move some of it to files in conf.d".to_owned(),
                    ),
                    other => (other.what(), other.advice()),
                };
                self.mistakes
                    .push(Mistake::new(Position::of_path(path, rank), what, advice));
                return;
            }
        };
        match value::text(bytes) {
            Ok(text) => self.add_text(&Arc::new(SourceFile {
                path: path.to_path_buf(),
                text,
                rank,
            })),
            Err(before) => {
                let offset = before.len();
                let file = Arc::new(SourceFile {
                    path: path.to_path_buf(),
                    text: before,
                    rank,
                });
                let what = "a byte that is not UTF-8 text";
                let advice = "write the file in UTF-8 instead";
                self.mistakes
                    .push(Mistake::new(Position::in_text(&file, offset), what, advice));
            }
        }
    }

    /// Adds what a file holds, unless it is not TOML: what the parser then made of it would only mislead.
    fn add_text(&mut self, file: &Arc<SourceFile>) {
        let (parsed, errors) = DeTable::parse_recoverable(&file.text);
        let (mistakes, is_toml) = syntax::mistakes(file, &errors);
        self.mistakes.extend(mistakes);
        if is_toml {
            self.add(value::table(file, parsed.into_inner()));
        }
    }

    fn add(&mut self, table: Table) {
        for (name, entry) in table {
            let key_at = entry.key_at;
            if let Some(single) = SINGLE.into_iter().find(|single| *single == name) {
                let title = format!("[{single}]");
                if let Some(part) = part(&mut self.mistakes, &title, key_at, entry.value) {
                    join(&mut self.mistakes, &title, self.single.entry(single), part);
                }
            } else if name == "collector" {
                self.add_collectors(key_at, entry.value);
            } else if name == "sink" {
                self.has_sinks = true;
                self.add_sinks(key_at, entry.value);
            } else {
                let what = format!("{} is no section of the settings", quoted(&name));
                let advice = match nearest(&name, &SECTIONS) {
                    Some(near) => format!("write {} instead", header(near)),
                    None if matches!(entry.value.data, Data::Table(_) | Data::Array(_)) => {
                        format!("write one of {} instead", SECTIONS.map(header).join(", "))
                    }
                    None => "write it below the header of its section, like [host], instead".to_owned(),
                };
                self.mistakes.push(Mistake::new(key_at, what, advice));
            }
        }
    }

    fn add_collectors(&mut self, at: Position, value: Value) {
        let Data::Table(table) = value.data else {
            let what = format!("`collector` is {}, where sections are needed", value.kind());
            self.mistakes
                .push(Mistake::new(at, what, "write [collector.NAME] instead"));
            return;
        };
        for (name, entry) in table {
            if !is_name(&name) {
                let what = format!("{} is no name of a collector", quoted(&name));
                let advice = match entry.value.table() {
                    Some(_) => "write small letters, digits and -, beginning with a letter, instead",
                    None => "write [collector.NAME] above its keys instead",
                };
                self.mistakes.push(Mistake::new(entry.key_at, what, advice));
                continue;
            }
            let title = format!("[collector.{name}]");
            if let Some(part) = part(&mut self.mistakes, &title, entry.key_at, entry.value) {
                join(&mut self.mistakes, &title, self.collectors.entry(name), part);
            }
        }
    }

    fn add_sinks(&mut self, at: Position, value: Value) {
        let Data::Array(items) = value.data else {
            let what = "`sink` is not a list of sections";
            self.mistakes.push(Mistake::new(
                at,
                what,
                "write [[sink]] instead, with two brackets on each side",
            ));
            return;
        };
        for item in items {
            let at = item.at.clone();
            if let Some(part) = part(&mut self.mistakes, "[[sink]]", at, item) {
                self.sinks.push(part);
            }
        }
    }
}

fn part(mistakes: &mut Vec<Mistake>, title: &str, at: Position, value: Value) -> Option<Part> {
    match value.data {
        Data::Table(table) => Some(Part { at, table }),
        _ => {
            let what = format!("{title} is {}, where a section is needed", value.kind());
            mistakes.push(Mistake::new(
                at,
                what,
                format!("write {title} on a line above its keys instead"),
            ));
            None
        }
    }
}

/// Adds a section's keys to those that other files gave it.
fn join<K: Ord>(mistakes: &mut Vec<Mistake>, title: &str, slot: Slot<'_, K, Part>, part: Part) {
    let joined = match slot {
        Slot::Vacant(slot) => {
            slot.insert(part);
            return;
        }
        Slot::Occupied(slot) => slot.into_mut(),
    };
    for (key, entry) in part.table {
        match joined.table.entry(key) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(first) => {
                let what = format!("{} of {title} is set already, at", quoted(first.key()));
                let mistake = Mistake::new(entry.key_at, what, "write it once");
                mistakes.push(mistake.beside(first.get().key_at.clone()));
            }
        }
    }
}

fn header(section: &str) -> String {
    match section {
        "collector" => "[collector.NAME]".to_owned(),
        "sink" => "[[sink]]".to_owned(),
        single => format!("[{single}]"),
    }
}

/// Whether this can be a collector's name: small letters, digits and `-`, a letter first.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase()) && is_name_text(name)
}

/// Small letters, digits and `-`, at most 64 of them.
pub(crate) fn is_name_text(name: &str) -> bool {
    let ok = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places name a file always in tests, and the usual one is the host's own; so this tries the step alone.
    #[test]
    fn a_file_that_nobody_named_may_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidemark.toml");
        let places = Places::new(&BTreeMap::new(), false, Some(path.clone()));
        let mut tree = Tree::read(&places);
        assert_eq!(tree.mistakes.len(), 1);
        tree.read_file(&path, 0, true);
        assert_eq!(tree.mistakes.len(), 1);
    }

    #[test]
    fn names_are_small_letters_digits_and_dashes() {
        for name in ["a", "host", "ubuntu-archive", "k8s"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1st", "-a", "Host", "a_b", "a.b", "é", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name_text("1st") && !is_name_text(""));
    }
}
