//! `update_excuses_by_team.yaml`, as PyYAML's dumper writes the objects of the program that makes it.

use std::fmt::Write as _;

use super::names::{below, one_in, package, person, pick, version, words};
use super::{ARCHITECTURES, Made, Size};
use crate::Random;

/// The items of the real one.
const ITEMS: usize = 2_400;
/// Where PyYAML folds.
const WIDTH: usize = 80;
const TEAMS: [&str; 22] = [
    "debcrafters-packages",
    "desktop-packages",
    "foundations-bugs",
    "ubuntu-server",
    "ubuntu-openstack",
    "kernel-packages",
    "ubuntu-security",
    "ubuntu-mozillateam",
    "kubuntu-bugs",
    "xubuntu-bugs",
    "lubuntu-packaging",
    "ubuntu-mate-dev",
    "ubuntustudio-bugs",
    "ubuntubudgie-devs",
    "unsubscribed",
    "maas-maintainers",
    "snappy-dev",
    "checkbox-dev",
    "translators-packages",
    "documentation-packages",
    "null-team",
    "ubuntu-équipe",
];

/// What is right to read in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ByTeam {
    /// In the order of the document.
    pub teams: Vec<Team>,
    /// Items without an age, or with one that is no number: they count for no team.
    pub malformed: usize,
    /// Items in all.
    pub items: usize,
}

/// A team's part.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// Its name in Launchpad.
    pub name: String,
    /// Items older than 3 days.
    pub count: i64,
    /// Their mean age in days, added up in the order of the document; 0 where there are none.
    pub age: f64,
}

/// Team by team a list of items, 5 KB each: 12 MB where it is real. Python's objects are tags and anchors that aliases
/// name again; ages are floats, whole numbers, exactly 3 and -1; one team has an empty list and one has null.
pub fn update_excuses_by_team(size: Size) -> Made<ByTeam> {
    let mut random = Random::new(5);
    let mut text = String::new();
    let mut anchors = 1;
    let mut answer = ByTeam {
        teams: Vec::new(),
        malformed: 0,
        items: 0,
    };
    let most = size.of(ITEMS);
    // The first is the longest by far, as it is in truth.
    let shares = [
        30, 12, 10, 9, 7, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 1,
    ];
    for (name, share) in TEAMS.into_iter().zip(shares) {
        let quoted = if name.is_ascii() {
            name.to_owned()
        } else {
            double_quoted(name)
        };
        let items = if share == 0 {
            0
        } else {
            (most * share / 100).max(1)
        };
        let mut ages = Vec::new();
        match (items, name) {
            (0, "null-team") => _ = writeln!(text, "{quoted}: null"),
            (0, _) => _ = writeln!(text, "{quoted}: []"),
            _ => _ = writeln!(text, "{quoted}:"),
        }
        for _ in 0..items {
            answer.items += 1;
            match item(&mut text, &mut random, &mut anchors) {
                Some(age) if age > 3.0 => ages.push(age),
                Some(_) => {}
                None => answer.malformed += 1,
            }
        }
        let sum: f64 = ages.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let age = if ages.is_empty() {
            0.0
        } else {
            sum / ages.len() as f64
        };
        answer.teams.push(Team {
            name: name.to_owned(),
            count: super::small(ages.len()),
            age,
        });
    }
    Made { text, answer }
}

/// Adds an item and gives its age, where it has one.
fn item(out: &mut String, random: &mut Random, anchors: &mut usize) -> Option<f64> {
    let name = package(random);
    let regressing = one_in(random, 4);
    let kind = if regressing {
        "regressing-other"
    } else {
        "package-in-proposed"
    };
    let _ = writeln!(out, "- kind: {kind}\n  package_in_proposed: {name}");
    if regressing {
        let _ = writeln!(out, "  regressing_package: {}\n  regressions:", package(random));
        for _ in 0..=random.below(2) {
            let _ = writeln!(
                out,
                "  - package: {}\n    version: {}\n    arches:",
                package(random),
                version(random)
            );
            for arch in &ARCHITECTURES[..=below(random, 3)] {
                let _ = writeln!(
                    out,
                    "    - arch: {arch}\n      hist_link: https://autopkgtest.ubuntu.com/packages/{name}/resolute/{arch}\n      log_link: null"
                );
            }
        }
    } else {
        out.push_str("  regressing_package: null\n  regressions: []\n");
    }
    out.push_str("  waiting: []\n");
    // The objects of Python: an excuse that two problems share is an anchor, and the second names it.
    match random.below(12) {
        0 | 1 if *anchors > 1 => _ = writeln!(out, "  data: *id{:03}", 2 + below(random, *anchors - 1)),
        2 | 3 => {
            *anchors += 1;
            let _ = writeln!(
                out,
                "  data: &id{anchors:03} !!python/object/apply:collections.defaultdict"
            );
            let factory = if *anchors == 2 {
                "&id001 !!python/name:builtins.dict ''"
            } else {
                "*id001"
            };
            let _ = writeln!(out, "    args:\n    - {factory}\n    dictitems:");
            data(out, random, 6, &name);
        }
        4 if one_in(random, 20) => out.push_str("  data: null\n"),
        _ => {
            out.push_str("  data:\n");
            data(out, random, 4, &name);
        }
    }
    out.push_str("  unsatdepends: []\n  unsatbuilddep: null\n  brokenbin: null\n  componentmismatch: null\n");
    age(out, random)
}

fn age(out: &mut String, random: &mut Random) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "below a thousand days")]
    let (text, age) = match random.below(200) {
        0 => return None,
        1 => ("null".to_owned(), None),
        2 => ("3.0".to_owned(), Some(3.0)),
        3 => ("-1".to_owned(), Some(-1.0)),
        4 => ("1.5e+2".to_owned(), Some(150.0)),
        5..=9 => {
            let days = random.below(400);
            (days.to_string(), Some(days as f64))
        }
        _ => {
            let days = random.below(500_000_000) as f64 / 1e7 * if one_in(random, 8) { 9.0 } else { 0.4 };
            (format!("{days:?}"), Some(days))
        }
    };
    let _ = writeln!(out, "  age: {text}");
    age
}

/// What britney knows of a package.
fn data(out: &mut String, random: &mut Random, indent: usize, name: &str) {
    let pad = " ".repeat(indent);
    let (old, new) = (version(random), version(random));
    let verdict = *pick(
        random,
        &[
            "PASS",
            "REJECTED_PERMANENTLY",
            "REJECTED_TEMPORARILY",
            "REJECTED_WAITING_FOR_ANOTHER_ITEM",
        ],
    );
    let _ = writeln!(
        out,
        "{pad}component: {}",
        pick(random, &["main", "universe", "restricted", "multiverse"])
    );
    let _ = writeln!(out, "{pad}dependencies:\n{pad}  blocked-by:");
    for _ in 0..=random.below(4) {
        let _ = writeln!(out, "{pad}  - {}", package(random));
    }
    let _ = writeln!(
        out,
        "{pad}  migrate-after: []\n{pad}detailed-info: []\n{pad}excuses:"
    );
    let mut excuse = format!(
        "Migration status for {name} ({old} to {new}): BLOCKED: Rejected/violates migration policy/introduces a regression"
    );
    for _ in 0..4 + random.below(8) {
        list_item(out, &pad, &excuse);
        let (other, arch) = (package(random), pick(random, &ARCHITECTURES));
        excuse = match random.below(4) {
            0 => format!(
                "autopkgtest for {other}/{}: <a href=\"https://autopkgtest.ubuntu.com/packages/{other}/resolute/{arch}\">{arch}</a>: <a href=\"https://autopkgtest.ubuntu.com/results/autopkgtest-resolute/resolute/{arch}/log.gz\"><span style=\"background:#ff6666\">Regression</span></a> ♻ ",
                version(random)
            ),
            1 => format!("missing build on {arch}: {other} (from {})", version(random)),
            2 => format!("Invalidated by dependency, it's waiting for {other}"),
            _ => format!("{}'s upload: {}", person(random), words(random, 14)),
        };
    }
    let _ = writeln!(out, "{pad}is-candidate: {}", verdict == "PASS");
    let _ = writeln!(out, "{pad}item-name: {name}");
    let _ = writeln!(
        out,
        "{pad}maintainer: {}",
        scalar(person(random), indent + 2, indent + 12)
    );
    let _ = writeln!(out, "{pad}migration-policy-verdict: {verdict}");
    if one_in(random, 3) {
        let _ = writeln!(
            out,
            "{pad}missing-builds:\n{pad}  on-architectures:\n{pad}  - riscv64\n{pad}  on-unimportant-architectures: []"
        );
    }
    let _ = writeln!(out, "{pad}new-version: {}", scalar(&new, indent + 2, indent + 13));
    let _ = writeln!(out, "{pad}old-version: {}", scalar(&old, indent + 2, indent + 13));
    let days = random.below(400_000);
    let _ = writeln!(
        out,
        "{pad}policy_info:\n{pad}  age:\n{pad}    age-requirement: 0\n{pad}    current-age: {}.{:04}\n{pad}    verdict: PASS",
        days / 10_000,
        days % 10_000
    );
    let _ = writeln!(out, "{pad}  autopkgtest:");
    for _ in 0..1 + random.below(5) {
        let other = package(random);
        let _ = writeln!(out, "{pad}    {other}/{}:", version(random));
        for arch in &ARCHITECTURES[..1 + below(random, ARCHITECTURES.len())] {
            let state = pick(
                random,
                &[
                    "PASS",
                    "REGRESSION",
                    "ALWAYSFAIL",
                    "RUNNING",
                    "RUNNING-REFERENCE",
                    "NEUTRAL",
                ],
            );
            let _ = writeln!(
                out,
                "{pad}      {arch}:\n{pad}      - {state}\n{pad}      - https://autopkgtest.ubuntu.com/results/autopkgtest-resolute/resolute/{arch}/{}/{other}/20261119_{:06}_{:05x}@/log.gz\n{pad}      - https://autopkgtest.ubuntu.com/packages/{other}/resolute/{arch}\n{pad}      - null\n{pad}      - null",
                &other[..1],
                random.below(240_000),
                random.below(1 << 20)
            );
        }
    }
    let _ = writeln!(
        out,
        "{pad}    verdict: {verdict}\n{pad}  block-bugs:\n{pad}    verdict: PASS\n{pad}  update-excuse:"
    );
    if one_in(random, 5) {
        let _ = writeln!(
            out,
            "{pad}    '{}': 17{:08}",
            2_000_000 + random.below(140_000),
            random.below(90_000_000)
        );
    }
    let _ = writeln!(
        out,
        "{pad}    verdict: PASS\n{pad}reason:\n{pad}- {}\n{pad}source: {name}",
        pick(random, &["autopkgtest", "depends", "no-binaries", "missingbuild"])
    );
}

fn list_item(out: &mut String, pad: &str, text: &str) {
    let _ = writeln!(out, "{pad}- {}", scalar(text, pad.len() + 2, pad.len() + 2));
}

/// A text in the style that PyYAML takes for it, folded; `column` is where it begins.
fn scalar(text: &str, indent: usize, column: usize) -> String {
    if !text.is_ascii() {
        return double_quoted(text);
    }
    let special = text.contains(": ") || text.contains(" #") || text.ends_with([' ', ':']);
    let special = special || text.starts_with(|first: char| !first.is_ascii_alphabetic());
    if special {
        format!("'{}'", folded(&text.replace('\'', "''"), indent, column + 1))
    } else {
        folded(text, indent, column)
    }
}

/// Broken at the first space behind the width.
fn folded(text: &str, indent: usize, mut column: usize) -> String {
    let mut out = String::new();
    for (place, word) in text.split(' ').enumerate() {
        if place > 0 {
            // A break at a space that ends the text would lose it.
            if column > WIDTH && !word.is_empty() {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

/// Escaped, as what is not ASCII is.
fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for one in text.chars() {
        match u32::from(one) {
            0x22 => out.push_str("\\\""),
            0x5C => out.push_str("\\\\"),
            0x20..=0x7E => out.push(one),
            code @ 0..=0xFF => _ = write!(out, "\\x{code:02X}"),
            code => _ = write!(out, "\\u{code:04X}"),
        }
    }
    out.push('"');
    out
}
