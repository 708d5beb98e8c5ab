//! `rls-XX-incoming.json` and `rls-XX-tracking.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::names::{below, json, one_in, package, person, pick, words};
use super::{Made, Size};
use crate::Random;

const TEAMS: [&str; 9] = [
    "desktop-packages",
    "foundations-bugs",
    "ubuntu-server",
    "ubuntu-openstack",
    "kernel-packages",
    "ubuntu-security",
    "kubuntu-bugs",
    "ubuntu-équipe",
    "maas-maintainers",
];

/// What is right to read in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rls {
    /// Bugs of each team, a bug counted once however many tasks it has.
    pub bugs: BTreeMap<String, i64>,
    /// Bugs in all.
    pub all: usize,
}

/// A report of 2,000 bugs where it is real, 1.7 MB: bug by bug a list of tasks, with their teams, a list or null.
pub fn rls_json(size: Size) -> Made<Rls> {
    let mut random = Random::new(2);
    let all = size.of(2_000);
    let mut bugs: BTreeMap<String, i64> = BTreeMap::new();
    let mut text = String::from(
        "{\"generated\": \"2026-11-21T11:30:04.120312+00:00\", \"milestone\": null, \"tasks\": {",
    );
    for number in 0..all {
        let bug = 1_000_000 + number * 7;
        let _ = write!(text, "{}\"{bug}\": [", if number == 0 { "" } else { ", " });
        let mut teams_of_bug = BTreeSet::new();
        for task in 0..=below(&mut random, 3) {
            let teams = match random.below(5) {
                0 => None,
                1 => Some(vec![]),
                many => Some(
                    (0..=many % 2)
                        .map(|_| *pick(&mut random, &TEAMS))
                        .collect::<Vec<_>>(),
                ),
            };
            if task > 0 {
                text.push_str(", ");
            }
            one(&mut text, &mut random, bug, teams.as_deref());
            teams_of_bug.extend(teams.into_iter().flatten());
        }
        text.push(']');
        for team in teams_of_bug {
            *bugs.entry(team.to_owned()).or_default() += 1;
        }
    }
    text.push_str("}}\n");
    Made {
        text,
        answer: Rls { bugs, all },
    }
}

fn one(text: &mut String, random: &mut Random, bug: usize, teams: Option<&[&str]>) {
    let name = package(random);
    let title = format!("Bug #{bug} in {name} (Ubuntu Resolute): \"{}\"", words(random, 8));
    let _ = write!(
        text,
        "{{\"assignee\": {}, \"assignee_link\": null, ",
        json(person(random))
    );
    let _ = write!(
        text,
        "\"bug_heat\": {}, \"date_created\": \"Thursday, 19. November 2026 08:{:02} UTC\", ",
        random.below(900),
        random.below(60)
    );
    let _ = write!(
        text,
        "\"importance\": \"{}\", \"is_private\": {}, ",
        pick(random, &["High", "Medium", "Undecided"]),
        one_in(random, 30)
    );
    let _ = write!(
        text,
        "\"milestone\": {}, \"package\": {}, \"status\": \"Fix Committed\", \"tags\": [\"rls-rr-incoming\", \"🐛\"], ",
        if one_in(random, 2) {
            "null"
        } else {
            "\"ubuntu-27.04\""
        },
        json(&name)
    );
    match teams {
        None => text.push_str("\"team\": null"),
        Some(teams) => {
            let teams: Vec<String> = teams.iter().map(|team| json(team)).collect();
            let _ = write!(text, "\"team\": [{}]", teams.join(", "));
        }
    }
    let _ = write!(
        text,
        ", \"title\": {}, \"web_link\": \"https://bugs.launchpad.net/ubuntu/+source/{name}/+bug/{bug}\"}}",
        json(&title)
    );
}
