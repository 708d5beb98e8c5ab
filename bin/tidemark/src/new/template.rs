//! The files of a new collector.

use crate::new::name::Name;

/// What the collector of the template is.
const SUMMARY: &str = "The memory of this machine: an example, to be made a collector of its own.";
/// How often it runs.
const INTERVAL: &str = "5m";
/// What it depends on, tests included; the manifest of the template says the same.
pub(crate) const DEPENDENCIES: [&str; 4] = ["tidemark-app", "tidemark-collect", "tidemark-testkit", "tokio"];

/// Each file's path in the collector's folder, and its text.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.template")),
    ("src/lib.rs", include_str!("template/lib.rs.template")),
    ("src/main.rs", include_str!("template/main.rs.template")),
    ("src/tests.rs", include_str!("template/tests.rs.template")),
    ("fixtures/proc/meminfo", include_str!("template/meminfo.template")),
    (
        "fixtures/expected.influx",
        include_str!("template/expected.influx.template"),
    ),
];

/// The files of the collector of that name.
pub(crate) fn files(name: &Name) -> impl Iterator<Item = (&'static str, String)> {
    let forms = [
        ("@NAME@", name.to_string()),
        ("@CRATE@", name.in_rust()),
        ("@TYPE@", name.type_name()),
        ("@MEASUREMENT@", name.measurement()),
        ("@SUMMARY@", SUMMARY.to_owned()),
    ];
    FILES.into_iter().map(move |(path, text)| {
        let mut text = text.to_owned();
        for (mark, form) in &forms {
            text = text.replace(mark, form);
        }
        (path, text)
    })
}

/// Its row in the README's table of collectors.
pub(crate) fn row(name: &Name) -> String {
    let measurement = name.measurement();
    format!(
        "| [`{name}`](collectors/{name}) | {INTERVAL} | with its section | {SUMMARY} | `{measurement}` |\n"
    )
}

/// Whether a source of the template has this word in it.
pub(crate) fn has_word(word: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = FILES
        .iter()
        .flat_map(|(_, text)| text.split(|letter| !is_part(letter)));
    words.into_iter().any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_is_left() {
        let name = Name::new("disk-health").expect("a name");
        for (path, text) in files(&name) {
            assert!(!text.contains('@'), "{path}: {text}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
        }
    }

    #[test]
    fn no_line_is_too_long_for_the_longest_name() {
        // The longest type is one that needs the word at its end.
        for name in ["x".repeat(32), "exact-size-iterator".to_owned()] {
            let name = Name::new(&name).expect("a name");
            for (path, text) in files(&name).filter(|(path, _)| path.ends_with(".rs")) {
                for line in text.lines() {
                    let comment = line.trim_start().starts_with("//");
                    assert!(comment || line.chars().count() <= 110, "{path}: {line}");
                }
            }
        }
    }

    #[test]
    fn the_manifest_names_the_same_dependencies() {
        let manifest = FILES[0].1;
        let named: Vec<&str> = manifest
            .lines()
            .filter_map(|line| line.strip_suffix(".workspace = true"))
            .filter(|key| key.starts_with("tidemark-") || *key == "tokio")
            .collect();
        assert_eq!(named, DEPENDENCIES);
        assert_eq!(manifest.matches("dependencies]").count(), 2);
    }
}
