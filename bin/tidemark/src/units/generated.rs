//! The units that the generator has written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use tidemark_systemd::{TARGET, Unit, unit_name};

/// The most of a unit that is read: none of ours is a tenth of it.
const MAX_UNIT: u64 = 1 << 20;

/// The units in a folder, by name, and those of them that the target starts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Generated {
    texts: BTreeMap<String, String>,
    wanted: BTreeSet<String>,
}

/// How a unit on disk is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// It is not there.
    Missing,
    /// Its text is another, or whether the target starts it.
    Changed,
    /// It should not be there.
    Left,
}

impl Generated {
    /// Those in the folder of the generator's output; none where it is not there.
    pub(super) fn read(folder: &Path) -> Self {
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            names.filter(|name| is_ours(name)).collect::<BTreeSet<String>>()
        };
        let texts = names(folder).into_iter().map(|name| {
            let text = text(&folder.join(&name));
            (name, text)
        });
        Self {
            texts: texts.collect(),
            wanted: names(&folder.join(format!("{TARGET}.wants"))),
        }
    }

    /// What differs from the units that should be, by name.
    pub(super) fn differences(&self, plan: &[Unit]) -> BTreeMap<String, Difference> {
        let mut all = BTreeMap::new();
        for unit in plan {
            let name = &unit.file_name;
            match self.texts.get(name) {
                None => all.insert(name.clone(), Difference::Missing),
                Some(text) if *text != unit.text || self.wanted.contains(name) != unit.wanted => {
                    all.insert(name.clone(), Difference::Changed)
                }
                Some(_) => None,
            };
        }
        let left = self.texts.keys().chain(&self.wanted);
        for name in left.filter(|name| plan.iter().all(|unit| unit.file_name != **name)) {
            all.insert(name.clone(), Difference::Left);
        }
        all
    }
}

/// The text of a file; what cannot be read is no unit's text.
fn text(file: &Path) -> String {
    let mut text = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(MAX_UNIT).read_to_end(&mut text));
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&text).into_owned())
}

/// Whether a unit's name is one that the generator gives: a collector's or the flush's, service or timer.
pub(super) fn is_ours(name: &str) -> bool {
    let stem = name
        .strip_suffix(".service")
        .or_else(|| name.strip_suffix(".timer"));
    let Some(of) = stem.and_then(|stem| stem.strip_prefix("tidemark-")) else {
        return false;
    };
    of == "flush" || unit_name(of).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn unit(name: &str, text: &str, wanted: bool) -> Unit {
        Unit {
            file_name: name.to_owned(),
            text: text.to_owned(),
            wanted,
        }
    }

    #[test]
    fn what_is_on_disk_is_compared_with_what_should_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let wants = folder.path().join("tidemark.target.wants");
        fs::create_dir(&wants).expect("a folder");
        for (name, text) in [
            ("tidemark-a.timer", "a"),
            ("tidemark-a.service", "old"),
            ("tidemark-left.timer", ""),
            ("tidemark-unlinked.timer", "u"),
            // Of others.
            ("tidemark-units.service", "x"),
            ("other.timer", "x"),
            ("tidemark-a.timer.tmp", "x"),
        ] {
            fs::write(folder.path().join(name), text).expect("write");
        }
        for name in ["tidemark-a.timer", "tidemark-dangling.timer"] {
            std::os::unix::fs::symlink(format!("../{name}"), wants.join(name)).expect("a link");
        }
        let plan = [
            unit("tidemark-a.timer", "a", true),
            unit("tidemark-a.service", "new", false),
            unit("tidemark-b.timer", "b", true),
            unit("tidemark-unlinked.timer", "u", true),
        ];
        let generated = Generated::read(folder.path());
        let expected = [
            ("tidemark-a.service", Difference::Changed),
            ("tidemark-b.timer", Difference::Missing),
            ("tidemark-dangling.timer", Difference::Left),
            ("tidemark-left.timer", Difference::Left),
            ("tidemark-unlinked.timer", Difference::Changed),
        ];
        let expected = expected.map(|(name, difference)| (name.to_owned(), difference));
        assert_eq!(generated.differences(&plan), BTreeMap::from(expected));
        let nowhere = Generated::read(&folder.path().join("gone"));
        assert_eq!(nowhere, Generated::default());
        assert_eq!(nowhere.differences(&plan).len(), 4);
        assert!(nowhere.differences(&[]).is_empty());
    }

    #[test]
    fn only_names_that_the_generator_gives_are_ours() {
        for name in [
            "tidemark-host.timer",
            "tidemark-rls-bugs.service",
            "tidemark-flush.timer",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "tidemark-units.service",
            "tidemark-hub.service",
            "tidemark-units.again.service",
            "tidemark.target",
            "tidemark-.timer",
            "tidemark-host.path",
            "tidemark-host",
            "host.timer",
            "tidemark-a@b.service",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
