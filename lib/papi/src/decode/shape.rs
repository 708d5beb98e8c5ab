//! From a value of any shape to points.

use tidemark_collect::{Tags, Timestamp};

use super::tree::{Node, Place, Tree};
use super::{Decoded, MAX_PARTS, MAX_WIDTH, Warning};

/// Operations that wait for something to happen: how long they take says nothing.
const WAITING: [&str; 2] = ["change_notify", "read_directory_change"];
/// The tags that say whose value it is.
const OWN_TAGS: [&str; 4] = ["cluster", "devid", "node", "degraded"];
/// The field of a number that stands alone.
const VALUE: &str = "value";

/// A statistic but for its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statistic<'a> {
    pub(crate) key: &'a str,
    /// Whose it is: [`OWN_TAGS`].
    pub(crate) owner: &'a Tags,
    pub(crate) time: Timestamp,
}

/// Memory for the fields and tags of the maps that are open, kept from value to value.
#[derive(Debug, Default)]
pub(crate) struct Room {
    fields: Vec<(&'static str, f64)>,
    tags: Vec<(&'static str, &'static str)>,
}

/// The memory of a list without elements, for elements of another life.
fn emptied<A, B>(mut list: Vec<A>, other: impl FnMut(A) -> B) -> Vec<B> {
    list.clear();
    // Collected in place.
    list.into_iter().map(other).collect()
}

/// Adds the points of a statistic's value, which is the tree's.
pub(crate) fn points(statistic: Statistic<'_>, tree: &Tree<'_>, room: &mut Room, out: &mut Decoded) {
    let mut shape = Shape {
        statistic,
        tree,
        out,
        fields: emptied(std::mem::take(&mut room.fields), |_| ("", 0.0)),
        tags: emptied(std::mem::take(&mut room.tags), |_| ("", "")),
    };
    if let Node::Map(_) = tree.node(0) {
        shape.map(0);
    } else if let Node::List(_) = tree.node(0) {
        shape.list(0, VALUE);
    } else {
        shape.member(VALUE, 0);
        if !shape.fields.is_empty() {
            shape.point();
        }
    }
    room.fields = emptied(shape.fields, |_| ("", 0.0));
    room.tags = emptied(shape.tags, |_| ("", ""));
}

/// Makes points of a tree. What it is in decides what a part becomes; the rules are `statistics`'.
struct Shape<'a> {
    statistic: Statistic<'a>,
    tree: &'a Tree<'a>,
    out: &'a mut Decoded,
    /// The fields of the maps that are open, the outermost first.
    fields: Vec<(&'a str, f64)>,
    /// Their tags.
    tags: Vec<(&'a str, &'a str)>,
}

impl<'a> Shape<'a> {
    fn warn(&mut self, warning: Warning) {
        self.out.warnings.add(warning, self.statistic.key);
    }

    /// The points of a map; what it adds to the open ones is taken away again.
    fn map(&mut self, place: Place) {
        let (fields, tags) = (self.fields.len(), self.tags.len());
        let mut lists = Vec::new();
        self.gather(place, &mut lists);
        if lists.is_empty() {
            if self.fields.is_empty() {
                self.warn(Warning::NoNumber);
            } else {
                self.point();
            }
        }
        for (name, list) in lists {
            self.list(list, name);
        }
        self.fields.truncate(fields);
        self.tags.truncate(tags);
    }

    /// Takes a map's numbers and texts, and those of maps in it; the lists that give points are only noted.
    fn gather(&mut self, place: Place, lists: &mut Vec<(&'a str, Place)>) {
        let tree = self.tree;
        for (name, value) in tree.members(place) {
            match tree.node(value) {
                Node::Map(_) => self.gather(value, lists),
                Node::List(_) if self.gives_points(name, value) => lists.push((name, value)),
                Node::List(_) => self.list(value, name),
                Node::Text(text) => self.tag(name, text),
                _ => self.member(name, value),
            }
        }
    }

    /// Whether a list has an element that can be a point.
    fn gives_points(&self, name: &str, list: Place) -> bool {
        let is_point = |element| match self.tree.node(element) {
            Node::Map(_) => true,
            Node::Number(number) => number.is_finite() && !name.is_empty(),
            _ => false,
        };
        self.tree.elements(list).any(is_point)
    }

    /// The points of a list's elements.
    fn list(&mut self, list: Place, name: &'a str) {
        let tree = self.tree;
        if tree.elements(list).next().is_none() {
            self.warn(Warning::EmptyList);
        }
        for element in tree.elements(list) {
            match tree.node(element) {
                Node::Map(_) => self.map(element),
                Node::List(_) => self.warn(Warning::NestedList),
                _ => {
                    let before = self.fields.len();
                    self.member(name, element);
                    if self.fields.len() > before {
                        self.point();
                        self.fields.truncate(before);
                    }
                }
            }
        }
    }

    /// Takes what is neither map nor list as a field, if it is a number that can be.
    fn member(&mut self, name: &'a str, place: Place) {
        let warning = match self.tree.node(place) {
            Node::Number(number) if !number.is_finite() => Warning::OutOfRange,
            Node::Number(_) if name.is_empty() => Warning::NoName,
            Node::Number(number) => {
                if self.is_wide() {
                    Warning::TooWide
                } else {
                    self.fields.push((name, *number));
                    return;
                }
            }
            Node::Text(_) => Warning::Text,
            Node::Bool(_) => Warning::Bool,
            Node::Deep => Warning::TooDeep,
            _ => Warning::Null,
        };
        self.warn(warning);
    }

    fn tag(&mut self, name: &'a str, text: &'a str) {
        if text.is_empty() {
            return;
        }
        if name.is_empty() {
            self.warn(Warning::NoName);
        } else if OWN_TAGS.contains(&name) {
            self.warn(Warning::OwnTag);
        } else if self.is_wide() {
            self.warn(Warning::TooWide);
        } else {
            self.tags.push((name, text));
        }
    }

    fn is_wide(&self) -> bool {
        self.fields.len() + self.tags.len() >= MAX_WIDTH
    }

    /// A point of all that is open.
    fn point(&mut self) {
        let operation = self.tags.iter().rfind(|tag| tag.0 == "op_name");
        if operation.is_some_and(|tag| WAITING.contains(&tag.1)) {
            return;
        }
        self.out.parts += self.fields.len() + self.tags.len();
        if self.out.parts > MAX_PARTS {
            self.warn(Warning::TooMany);
            return;
        }
        let statistic = self.statistic;
        let builder = self.out.made.builder(statistic.key, self.fields.len());
        let mut builder = builder.tags(statistic.owner);
        for (name, text) in &self.tags {
            builder = builder.tag(name, text);
        }
        for (name, value) in &self.fields {
            builder = builder.field(name, *value);
        }
        let builder = builder.time(statistic.time);
        let adjustments = self.out.points.adjustments_mut();
        if self.out.made.add(builder, adjustments).is_err() {
            self.warn(Warning::Refused);
        }
    }
}
