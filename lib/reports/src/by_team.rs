//! `update_excuses_by_team.yaml`: a list of packages for each team, each with its age in days and much that does not
//! count here.
//!
//! The file is what Python's dumper makes of britney's objects: tags of Python's types, anchors and aliases, and texts in
//! every style. It is 10 MB and more, so it is read as it comes: of each part is kept what counts, and of a part with an
//! anchor what would count where an alias names it. Tags mean nothing here, and no alias is written out, so that a document
//! cannot grow in memory. Time is linear in its length, and memory is bounded.
//!
//! ```
//! use tidemark_reports::by_team::parse;
//!
//! let yaml = "desktop-packages:\n- age: 5.5\n  source: gnome-shell\n- age: 2\n- age: old\nkernel-packages: null\n";
//! let by_team = parse([yaml]).unwrap();
//! let teams: Vec<_> = by_team.teams.iter().map(|team| (&team.name[..], team.count, team.age)).collect();
//! assert_eq!(teams, [("desktop-packages", 1, 5.5), ("kernel-packages", 0, 0.0)]);
//! assert_eq!(by_team.gaps, ["\"desktop-packages\": the package in line 5 is left out: its age is the text \"old\", not a number"]);
//! ```

use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use granit_parser::{Event, Parser, ScanError};
use tidemark_ubuntu::{Remarks, shown};

mod chars;
mod node;

use chars::Chars;
use node::{Age, Node, Packages, Scalar, Value, fault};

/// The most teams: hundreds of times what there are.
pub const MAX_TEAMS: usize = 10_000;
/// The most anchors: hundreds of times what there are.
pub const MAX_ANCHORS: usize = 50_000;
/// The longest text, in characters, with what stands before it: the longest is a few thousand.
pub const MAX_TEXT: usize = 1 << 20;
/// The longest name of a team that becomes a tag, in bytes.
pub const MAX_NAME: usize = 200;

/// What the file says, team by team.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByTeam {
    /// The teams, in the order of the file.
    pub teams: Vec<Team>,
    /// What is left out, a line each; bounded.
    pub gaps: Vec<String>,
    /// What is odd, and leaves out nothing; bounded.
    pub notices: Vec<String>,
}

/// A team, and its packages that are older than 3 days.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// Its name, as a tag: 1 to [`MAX_NAME`] bytes.
    pub name: String,
    /// The packages.
    pub count: i64,
    /// Their mean age in days; 0 where there are none.
    pub age: f64,
}

/// Reads the file, of which the bytes come in pieces.
///
/// A package without an age that is a number is left out, as is a team that is no list (or null, which is an empty one):
/// each is a gap.
///
/// # Errors
/// Where it is no YAML, or none of this shape, or over a bound.
pub fn parse<P: Into<Vec<u8>>>(pieces: impl IntoIterator<Item = P>) -> Result<ByTeam, ByTeamError> {
    read(&mut pieces.into_iter().map(Into::into))
}

/// The same; not generic, so that it is built here.
fn read(pieces: &mut dyn Iterator<Item = Vec<u8>>) -> Result<ByTeam, ByTeamError> {
    let since_event = Cell::new(0);
    let chars = Chars::new(pieces, &since_event, MAX_TEXT);
    let mut reader = Reader::default();
    for next in Parser::new_from_fallible_iter(chars) {
        let (event, span) = next.map_err(|error| ByTeamError::Yaml(Box::new(error)))?;
        since_event.set(0);
        reader.take(event, span.start.line())?;
    }
    Ok(reader.end())
}

/// What is open, and what was read.
#[derive(Default)]
struct Reader {
    /// The collections around the current place, the document's first.
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    teams: Vec<Team>,
    places: HashMap<String, usize>,
    gaps: Remarks,
    notices: Remarks,
}

/// A collection whose end is not read yet.
struct Open {
    /// Its anchor; 0 where it has none.
    anchor: usize,
    /// Where it begins.
    line: usize,
    inside: Inside,
}

enum Inside {
    Mapping {
        /// The key whose value is due; none where a key is due.
        key: Option<Key>,
        age: Option<Age>,
    },
    List(Packages),
}

/// A key, as far as it matters.
enum Key {
    /// The name of a team: a key of the document's mapping.
    Team(String),
    Age,
    /// `<<`: the mapping that the value names is part of this one.
    Merge,
    Other,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), ByTeamError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // Most scalars are texts deep inside, of which nothing is kept.
                let kept = if anchor > 0 || self.open.len() <= 2 || self.is_age_due() {
                    &text[..]
                } else {
                    ""
                };
                let node = Node::Scalar(Scalar {
                    value: Value::of(&text, style, tag.as_deref()),
                    text: cut(kept).into(),
                });
                self.anchor(anchor, &node)?;
                // A key is compared as it is; what is kept may be none of it.
                if self.is_key_due() {
                    self.key(Some(&text), line)
                } else {
                    self.place(node, line)?
                }
            }
            Event::Alias(anchor) => {
                // One that stands inside of what it names is not read yet: it is nothing that counts.
                let node = self.anchors.get(&anchor).cloned().unwrap_or(Node::Mapping(None));
                self.tell_of_list(&node);
                match node {
                    Node::Scalar(scalar) if self.is_key_due() => self.key(Some(&scalar.text), line),
                    _ if self.is_key_due() => self.key(None, line),
                    node => self.place(node, line)?,
                }
            }
            Event::MappingStart(_, anchor, _) => self.open.push(Open {
                anchor,
                line,
                inside: Inside::Mapping { key: None, age: None },
            }),
            Event::SequenceStart(_, anchor, _) => self.open.push(Open {
                anchor,
                line,
                inside: Inside::List(Packages::default()),
            }),
            Event::MappingEnd | Event::SequenceEnd => self.close()?,
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(ByTeamError::Documents);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn is_key_due(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                inside: Inside::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn is_age_due(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                inside: Inside::Mapping {
                    key: Some(Key::Age),
                    ..
                },
                ..
            })
        )
    }

    /// Keeps what an alias may name.
    fn anchor(&mut self, anchor: usize, node: &Node) -> Result<(), ByTeamError> {
        if anchor > 0 {
            if self.anchors.len() == MAX_ANCHORS {
                return Err(ByTeamError::TooMany("anchors", MAX_ANCHORS));
            }
            self.anchors.insert(anchor, node.clone());
        }
        Ok(())
    }

    /// Takes a key: a text, or none where it is a collection.
    fn key(&mut self, text: Option<&str>, line: usize) {
        let is_team = self.open.len() == 1;
        if is_team && text.is_none() {
            self.gaps
                .add(|| format!("a key in line {line} is left out: it is no name of a team"));
        }
        if let Some(Open {
            inside: Inside::Mapping { key, .. },
            ..
        }) = self.open.last_mut()
        {
            *key = Some(match text {
                Some(text) if is_team => Key::Team(cut(text).to_owned()),
                Some("age") => Key::Age,
                Some("<<") => Key::Merge,
                _ => Key::Other,
            });
        }
    }

    fn close(&mut self) -> Result<(), ByTeamError> {
        let Some(Open { anchor, line, inside }) = self.open.pop() else {
            return Ok(());
        };
        let node = match inside {
            Inside::Mapping { age, .. } => Node::Mapping(age),
            Inside::List(packages) => Node::List(packages),
        };
        self.anchor(anchor, &node)?;
        match (self.open.is_empty(), &node) {
            // The document's mapping: its teams are taken.
            (true, Node::Mapping(_)) => Ok(()),
            _ if self.is_key_due() => {
                self.key(None, line);
                Ok(())
            }
            _ => self.place(node, line),
        }
    }

    /// Takes a value or an item, where it stands.
    fn place(&mut self, node: Node, line: usize) -> Result<(), ByTeamError> {
        let depth = self.open.len();
        let Some(open) = self.open.last_mut() else {
            return match node {
                // A file that says nothing.
                Node::Scalar(Scalar {
                    value: Value::Null, ..
                }) => Ok(()),
                other => Err(ByTeamError::NoTeams(other.what().into_owned())),
            };
        };
        match &mut open.inside {
            Inside::List(packages) => {
                if !packages.add(&node)
                    && depth == 2
                    && let Some(team) = self.team()
                {
                    self.gaps
                        .add(|| format!("{team}: the package in line {line} is left out: {}", fault(&node)));
                }
            }
            Inside::Mapping { key, age } => match key.take() {
                Some(Key::Team(name)) => self.add_team(name, &node)?,
                Some(Key::Age) => *age = Some(node.into_age()),
                Some(Key::Merge) => {
                    if let (None, Node::Mapping(Some(merged))) = (&age, node) {
                        *age = Some(merged);
                    }
                }
                Some(Key::Other) | None => {}
            },
        }
        Ok(())
    }

    /// The team whose list is open.
    fn team(&self) -> Option<String> {
        match self.open.first() {
            Some(Open {
                inside:
                    Inside::Mapping {
                        key: Some(Key::Team(name)),
                        ..
                    },
                ..
            }) => Some(shown(name)),
            _ => None,
        }
    }

    /// Tells of what is wrong with the packages of a team whose list is that of another.
    fn tell_of_list(&mut self, node: &Node) {
        if let Node::List(Packages { faults: 1.., .. }) = node
            && self.open.len() == 1
            && let Some(team) = self.team()
        {
            self.gaps.add(|| {
                format!("{team}: packages without an age are left out, as in the list that it names")
            });
        }
    }

    fn add_team(&mut self, name: String, node: &Node) -> Result<(), ByTeamError> {
        if name.is_empty() || name.len() > MAX_NAME {
            self.gaps.add(|| {
                format!(
                    "{} is left out: a team's name has 1 to {MAX_NAME} bytes",
                    shown(&name)
                )
            });
            return Ok(());
        }
        let packages = match node {
            Node::List(packages) => *packages,
            Node::Scalar(Scalar {
                value: Value::Null, ..
            }) => Packages::default(),
            other => {
                self.gaps
                    .add(|| format!("{} is left out: it is {}, not a list", shown(&name), other.what()));
                return Ok(());
            }
        };
        let team = Team {
            count: packages.count.into(),
            age: packages.age(),
            name,
        };
        if let Some(place) = self.places.get(&team.name) {
            self.notices
                .add(|| format!("{} is there twice: the last counts", shown(&team.name)));
            self.teams[*place] = team;
            return Ok(());
        }
        if self.teams.len() == MAX_TEAMS {
            return Err(ByTeamError::TooMany("teams", MAX_TEAMS));
        }
        self.places.insert(team.name.clone(), self.teams.len());
        self.teams.push(team);
        Ok(())
    }

    fn end(self) -> ByTeam {
        ByTeam {
            teams: self.teams,
            gaps: self.gaps.into_lines().collect(),
            notices: self.notices.into_lines().collect(),
        }
    }
}

/// As much of a text as is kept: one byte and a character more than a name may have.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME + 4)]
}

/// Why a file is not read at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum ByTeamError {
    /// It is no YAML, or one of its texts is longer than [`MAX_TEXT`]; the cause says where.
    Yaml(Box<ScanError>),
    /// It is something else than a mapping of teams: what it is.
    NoTeams(String),
    /// It holds more than one document.
    Documents,
    /// It has more of these than so many.
    TooMany(&'static str, usize),
}

impl fmt::Display for ByTeamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yaml(_) => f.write_str("it is no YAML that can be read"),
            Self::NoTeams(what) => write!(f, "it is {what}, not a mapping of teams"),
            Self::Documents => f.write_str("it holds more than one document"),
            Self::TooMany(what, most) => write!(f, "it has more than {most} {what}, the most that are read"),
        }
    }
}

impl Error for ByTeamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Yaml(error) => Some(&**error),
            Self::NoTeams(_) | Self::Documents | Self::TooMany(..) => None,
        }
    }
}

#[cfg(test)]
mod tests;
