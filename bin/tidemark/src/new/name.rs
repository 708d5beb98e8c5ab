//! A new collector's name, and what it is called where a dash may not be.

use std::fmt;

use crate::catalogue::is_collector_name;
use crate::new::template;

/// The longest name: with it, no line of the template is too long for the house's style.
const MAX_LENGTH: usize = 32;

/// What a type in Rust had better not be called, apart from the words of the template.
const TAKEN: &str = "
    Arc AsMut AsRef AsyncFn AsyncFnMut AsyncFnOnce Box Clone Copy Debug Default Deserialize DoubleEndedIterator Drop Eq
    Err ExactSizeIterator Extend Fn FnMut FnOnce From FromIterator Future Hash Into IntoFuture IntoIterator Iterator
    None Ok Option Ord PartialEq PartialOrd Rc Result Self Send Serialize Sized Some String Sync ToOwned ToString
    TryFrom TryInto Unpin Url Value Vec";

/// A name that a collector can have.
#[derive(Debug, PartialEq)]
pub(crate) struct Name(String);

impl Name {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with it, and how a name looks.
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let is_spelled = is_collector_name(name) || is_collector_name(&format!("{name}-"));
        if !is_spelled {
            return Err(format!(
                "{name:?} is no name for a collector: write a lower-case letter, then lower-case letters, digits and \
                 dashes, such as disk-health"
            ));
        }
        if !is_collector_name(name) {
            return Err(format!(
                "the name {name:?} is reserved for a part of tidemark: choose another, such as {name}-state"
            ));
        }
        if name.contains("--") {
            return Err(format!(
                "{name:?} has two dashes side by side, which makes no name of a crate: write one"
            ));
        }
        if name.len() > MAX_LENGTH {
            return Err(format!(
                "{name:?} is too long: a name has at most {MAX_LENGTH} characters"
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// The package's name: `tidemark-disk-health`.
    pub(crate) fn package(&self) -> String {
        format!("tidemark-{}", self.0)
    }

    /// The crate's name: `tidemark_disk_health`.
    pub(crate) fn in_rust(&self) -> String {
        self.package().replace('-', "_")
    }

    /// The measurement's name: `disk_health`.
    pub(crate) fn measurement(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The type's name: `DiskHealth`; `BoxCollector` where `Box` means something else already.
    pub(crate) fn type_name(&self) -> String {
        let words = self.0.split('-').map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        });
        let mut name: String = words.collect();
        if TAKEN.split_ascii_whitespace().any(|taken| taken == name) || template::has_word(&name) {
            name.push_str("Collector");
        }
        name
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect(text)
    }

    #[track_caller]
    fn refused(text: &str) -> String {
        Name::new(text).expect_err(text)
    }

    #[test]
    fn a_name_has_a_form_for_each_place() {
        let forms = |text| {
            let name = name(text);
            [
                name.package(),
                name.in_rust(),
                name.measurement(),
                name.type_name(),
            ]
        };
        assert_eq!(forms("load"), ["tidemark-load", "tidemark_load", "load", "Load"]);
        assert_eq!(
            forms("disk-2health-x"),
            [
                "tidemark-disk-2health-x",
                "tidemark_disk_2health_x",
                "disk_2health_x",
                "Disk2healthX"
            ]
        );
        assert_eq!(forms("q-"), ["tidemark-q-", "tidemark_q_", "q_", "Q"]);
    }

    #[test]
    fn a_type_is_not_called_as_another_is() {
        for (text, expected) in [
            ("self", "SelfCollector"),
            ("box", "BoxCollector"),
            ("points", "PointsCollector"),
            ("memory", "MemoryCollector"),
            ("context", "ContextCollector"),
            ("collector-error", "CollectorErrorCollector"),
            ("b-tree-map", "BTreeMapCollector"),
            ("runtime", "Runtime"),
        ] {
            assert_eq!(name(text).type_name(), expected);
        }
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        for text in [
            "",
            "Disk",
            "2disks",
            "-x",
            "disk_health",
            "disk health",
            "dïsk",
            "a/b",
            "..",
            "a.b",
            "x\n",
        ] {
            let said = refused(text);
            assert!(
                said.contains("is no name for a collector: write a lower-case letter"),
                "{said}"
            );
        }
        for text in ["hub", "tests", "app", "units", "systemd"] {
            assert!(
                refused(text).contains("is reserved for a part of tidemark"),
                "{text}"
            );
        }
        assert!(refused("a--b").contains("two dashes"));
        name(&"x".repeat(32));
        assert!(refused(&"x".repeat(33)).contains("at most 32 characters"));
    }
}
