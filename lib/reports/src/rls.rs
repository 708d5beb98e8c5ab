//! The report of a release's bugs, `rls-XX-incoming.json` or `rls-XX-tracking.json`: bugs, their tasks, and the teams of each
//! task.
//!
//! It is read as it comes, and nothing of it is kept but the teams. What is not of this shape is left out, and the rest is
//! read on; what is no JSON, or has no `tasks` at all, or more than the bounds, fails as a whole. Time is linear in its
//! length.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use tidemark_ubuntu::{Found, Remarks, shown};

/// The most bugs of a report: fifty times what they have.
pub const MAX_BUGS: usize = 100_000;
/// The most teams of a report.
pub const MAX_TEAMS: usize = 1000;
/// The longest name of a team, in bytes.
pub const MAX_NAME: usize = 200;

/// How many bugs each team has.
///
/// ```
/// use tidemark_reports::rls::parse;
///
/// let json = r#"{"tasks": {"1": [{"team": ["a", "b"]}, {"team": ["a"]}], "2": [{"team": null}], "3": [{"team": ["a"]}]}}"#;
/// assert_eq!(parse(json).unwrap().bugs, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
/// ```
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    /// Bugs by team; a bug counts once however many of its tasks are the team's.
    pub bugs: BTreeMap<String, i64>,
    /// What has another shape.
    pub left_out: Remarks,
}

/// Reads a report.
///
/// # Errors
/// Where it is no JSON, has no `tasks`, or has more bugs or teams than the bounds.
pub fn parse(json: &str) -> serde_json::Result<Report> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let report = deserializer.deserialize_map(Document)?;
    deserializer.end()?;
    Ok(report)
}

/// The names of a report that matter.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Tasks,
    Team,
    #[serde(other)]
    Other,
}

/// The whole: an object, of which `tasks` matters.
struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = Report;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `tasks`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Report, A::Error> {
        let mut report = None;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Tasks if report.is_none() => report = Some(map.next_value_seed(Bugs)?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        report.ok_or_else(|| A::Error::missing_field("tasks"))
    }
}

/// What is in `tasks`: an object with a list of tasks for each bug.
struct Bugs;

impl<'de> DeserializeSeed<'de> for Bugs {
    type Value = Report;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Report, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Bugs {
    type Value = Report;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the tasks of each bug")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Report, A::Error> {
        let mut report = Report::default();
        let mut seen: HashSet<Cow<'_, str>> = HashSet::new();
        while let Some(Name(bug)) = map.next_key()? {
            if seen.len() == MAX_BUGS {
                return Err(too_many(MAX_BUGS, "bugs"));
            }
            if seen.contains(&bug) {
                map.next_value::<IgnoredAny>()?;
                let what = || format!("bug {} is there twice: the first counts", shown(&bug));
                report.left_out.add(what);
                continue;
            }
            let mut teams = BTreeSet::new();
            map.next_value_seed(Node {
                due: Due::Tasks,
                bug: &bug,
                teams: &mut teams,
                left_out: &mut report.left_out,
            })?;
            for team in teams {
                if let Some(count) = report.bugs.get_mut(&*team) {
                    *count += 1;
                } else if report.bugs.len() < MAX_TEAMS {
                    report.bugs.insert(team.into_owned(), 1);
                } else {
                    return Err(too_many(MAX_TEAMS, "teams"));
                }
            }
            seen.insert(bug);
        }
        Ok(report)
    }
}

fn too_many<E: Error>(most: usize, what: &str) -> E {
    E::custom(format_args!("more than {most} {what}, the most that are read"))
}

/// A value of a bug.
struct Node<'a, 'de> {
    due: Due,
    bug: &'a str,
    /// The bug's teams so far.
    teams: &'a mut BTreeSet<Cow<'de, str>>,
    left_out: &'a mut Remarks,
}

/// What a value should be.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// A bug: a list of tasks.
    Tasks,
    /// A task: an object with `team`.
    Task,
    /// What is in `team`: a list of teams, or null.
    Teams,
    /// A team's name.
    Team,
}

impl<'de> Node<'_, 'de> {
    fn of(&mut self, due: Due) -> Node<'_, 'de> {
        Node {
            due,
            bug: self.bug,
            teams: self.teams,
            left_out: self.left_out,
        }
    }

    /// Takes a name.
    fn name<E: Error>(self, name: Cow<'de, str>) -> Result<(), E> {
        if !matches!(self.due, Due::Team) {
            return self.wrong(Unexpected::Str(&name));
        }
        if name.is_empty() || name.len() > MAX_NAME {
            let bug = self.bug;
            self.left_out.add(|| {
                format!(
                    "bug {} has a team without a name, or with one of more than {MAX_NAME} bytes",
                    shown(bug)
                )
            });
        } else if self.teams.len() == MAX_TEAMS && !self.teams.contains(&name) {
            return Err(too_many(MAX_TEAMS, "teams"));
        } else {
            self.teams.insert(name);
        }
        Ok(())
    }

    /// Leaves out what is something else than it should be.
    fn wrong<E: Error>(self, found: Unexpected<'_>) -> Result<(), E> {
        let (what, due) = match self.due {
            Due::Tasks => ("", "a list of tasks"),
            Due::Task => ("a task of ", "an object"),
            Due::Teams => ("the `team` of a task of ", "a list or null"),
            Due::Team => ("a team of ", "a name"),
        };
        let bug = self.bug;
        self.left_out
            .add(|| format!("{what}bug {} is {}, not {due}", shown(bug), Found(&found)));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let due = match self.due {
            Due::Tasks => Due::Task,
            Due::Teams => Due::Team,
            Due::Task | Due::Team => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return self.wrong(Unexpected::Seq);
            }
        };
        while seq.next_element_seed(self.of(due))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let is_task = matches!(self.due, Due::Task);
        let mut has_team = false;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Team if is_task && !has_team => {
                    has_team = true;
                    map.next_value_seed(self.of(Due::Teams))?;
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        if !is_task {
            return self.wrong(Unexpected::Map);
        }
        if !has_team {
            let bug = self.bug;
            self.left_out
                .add(|| format!("a task of bug {} has no `team`", shown(bug)));
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.due {
            Due::Teams => Ok(()),
            _ => self.wrong(Unexpected::Unit),
        }
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<(), E> {
        self.name(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        self.name(Cow::Owned(name.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.wrong(Unexpected::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.wrong(Unexpected::Signed(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.wrong(Unexpected::Float(number))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.wrong(Unexpected::Bool(value))
    }
}

/// A name, borrowed where it is written without escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
