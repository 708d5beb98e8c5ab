//! Reports in plain text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::log::RFC_2822;
use super::names::{below, package, version, words};
use super::{ARCHITECTURES, Made, Size, utc};
use crate::Random;

/// What is right to read in a report on architectures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByArchitecture {
    /// When it was made, in milliseconds since the epoch.
    pub generated: i64,
    /// The architectures that it names, and their counts. Those of [`ARCHITECTURES`] that it does not name count 0.
    pub counts: BTreeMap<String, i64>,
}

/// `SERIES_outdate.txt`, 1.5 MB where it is real.
pub fn outdate_txt(size: Size, generated: i64) -> Made<ByArchitecture> {
    report(size.of(16_000), generated, 1)
}

/// `SERIES_uninst.txt`, 1.5 MB where it is real.
pub fn uninst_txt(size: Size, generated: i64) -> Made<ByArchitecture> {
    report(size.of(16_000), generated, 2)
}

/// Architecture by architecture what is wrong, then the summary, then the time. The last architecture has nothing wrong and
/// no line in the summary; `all` is in it beside the others.
fn report(lines: usize, generated: i64, seed: u64) -> Made<ByArchitecture> {
    let mut random = Random::new(seed);
    let generated = generated / 1000 * 1000;
    let mut counts = BTreeMap::new();
    let mut text = String::from("# Packages that are out of date or cannot be installed, by architecture\n");
    for arch in ARCHITECTURES[..7].iter().chain(&["all"]) {
        let _ = writeln!(text, "\n* {arch}\n");
        let mut count = 0;
        for _ in 0..lines / 8 {
            // A package, then at times a line that belongs to it.
            if below(&mut random, 3) == 0 && count > 0 {
                let _ = writeln!(
                    text,
                    "    {} {} -> {} [{}]",
                    count,
                    version(&mut random),
                    version(&mut random),
                    words(&mut random, 6)
                );
            } else {
                count += 1;
                let _ = writeln!(
                    text,
                    "  + {}: {} ({}) depends on {} (>= {}) {{NONEXISTENT}}",
                    package(&mut random),
                    package(&mut random),
                    version(&mut random),
                    package(&mut random),
                    version(&mut random)
                );
            }
        }
        counts.insert((*arch).to_owned(), count);
    }
    text.push_str("\n* summary\n\n");
    for (arch, count) in &counts {
        let _ = writeln!(text, " {count:>6} {arch}");
    }
    let _ = writeln!(text, "\n# Generated: {}", utc(generated).format(RFC_2822));
    Made {
        text,
        answer: ByArchitecture { generated, counts },
    }
}

/// `priority-mismatches.txt`, 40 KB where it is real: the time, then for each architecture but the last two its packages
/// under headings of one or more lines. A heading's last line may be one word.
pub fn priority_mismatches_txt(size: Size, generated: i64) -> Made<ByArchitecture> {
    let mut random = Random::new(3);
    let generated = generated / 1000 * 1000;
    let mut text = format!(
        "Generated: {}\n\n",
        utc(generated).format("%a %b %d %H:%M:%S GMT %Y")
    );
    let headings = [
        "Packages of a higher priority than the seeds give",
        "Packages that are in the seeds but have\nthe priority \"optional\", and would be\nimportant",
        "Packages with priority\nmismatches",
    ];
    let mut counts = BTreeMap::new();
    for arch in &ARCHITECTURES[..6] {
        let _ = writeln!(text, "{arch}\n{}\n", "=".repeat(arch.len().max(4)));
        let mut count = 0;
        for heading in headings {
            let last = heading.lines().last().unwrap_or_default();
            let _ = writeln!(text, "{heading}\n{}\n", "-".repeat(last.len().max(4)));
            for _ in 0..size.of(150) {
                let _ = writeln!(text, "{}", package(&mut random));
                count += 1;
            }
            text.push('\n');
        }
        counts.insert((*arch).to_owned(), count);
    }
    Made {
        text,
        answer: ByArchitecture { generated, counts },
    }
}

/// A report of the versions script, 30 lines `category=COUNT` where it is real. The answer is its lines.
pub fn versions_report(size: Size) -> Made<Vec<(String, i64)>> {
    let mut random = Random::new(30);
    let mut text = String::new();
    let mut answer = Vec::new();
    for number in 0..size.of(30) {
        let category = format!(
            "{}-{number}",
            ["updated", "to be updated", "neuer_in_debian", "in-sync"][number % 4].replace(' ', "_")
        );
        let count = i64::try_from(random.below(2_000)).expect("a small number");
        let _ = writeln!(text, "{category}={count}");
        answer.push((category, count));
    }
    Made { text, answer }
}
