//! A value, flat: its nodes in the order of the text. One list is used for all values of an answer.

use std::borrow::Cow;

use super::reader::{Kind, Read, Reader};

/// The most lists and maps in each other that are looked into; what is deeper is left out.
pub const MAX_DEPTH: usize = 64;

/// Where a value begins in a tree.
pub(crate) type Place = usize;

/// A part of a value.
#[derive(Clone, Debug)]
pub(crate) enum Node<'a> {
    /// Infinite or NaN where no float holds it.
    Number(f64),
    Text(Cow<'a, str>),
    Bool(bool),
    Null,
    /// Deeper than [`MAX_DEPTH`].
    Deep,
    /// Elements follow, up to this place.
    List(Place),
    /// Names and values follow, up to this place.
    Map(Place),
    /// The name of the value that follows.
    Name(Cow<'a, str>),
}

/// Values as they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    /// Forgets what it has.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
    }

    /// Adds the value that comes next.
    pub(crate) fn read(&mut self, reader: &mut Reader<'a>) -> Read<Place> {
        let place = self.nodes.len();
        self.read_within(reader, 0)?;
        Ok(place)
    }

    fn read_within(&mut self, reader: &mut Reader<'a>, depth: usize) -> Read<()> {
        let kind = reader.kind()?;
        let node = match kind {
            Kind::Number => Node::Number(reader.number()?.value),
            Kind::Text => Node::Text(reader.string()?),
            Kind::Bool => Node::Bool(reader.word()? == "true"),
            Kind::Null => {
                reader.word()?;
                Node::Null
            }
            Kind::Map | Kind::List if depth == MAX_DEPTH => {
                reader.skip()?;
                Node::Deep
            }
            Kind::Map | Kind::List => return self.read_elements(reader, kind, depth + 1),
        };
        self.nodes.push(node);
        Ok(())
    }

    fn read_elements(&mut self, reader: &mut Reader<'a>, kind: Kind, depth: usize) -> Read<()> {
        let place = self.nodes.len();
        self.nodes.push(Node::Null);
        let mut more = reader.open(kind)?;
        while more {
            if kind == Kind::Map {
                self.nodes.push(Node::Name(reader.name()?));
            }
            self.read_within(reader, depth)?;
            more = reader.more(kind)?;
        }
        let end = self.nodes.len();
        self.nodes[place] = match kind {
            Kind::Map => Node::Map(end),
            _ => Node::List(end),
        };
        Ok(())
    }

    /// What is at a place; [`Node::Null`] where nothing is.
    pub(crate) fn node(&self, place: Place) -> &Node<'a> {
        self.nodes.get(place).unwrap_or(&Node::Null)
    }

    /// Where the value at a place ends.
    fn end(&self, place: Place) -> Place {
        match self.node(place) {
            Node::List(end) | Node::Map(end) => *end,
            _ => place + 1,
        }
    }

    /// The places of a list's elements; none of what is no list.
    pub(crate) fn elements(&self, place: Place) -> impl Iterator<Item = Place> {
        let end = match self.node(place) {
            Node::List(end) => *end,
            _ => 0,
        };
        let mut next = place + 1;
        std::iter::from_fn(move || {
            let element = next;
            if element >= end {
                return None;
            }
            next = self.end(element);
            Some(element)
        })
    }

    /// The names of a map's members and the places of their values; none of what is no map.
    pub(crate) fn members(&self, place: Place) -> impl Iterator<Item = (&str, Place)> {
        let end = match self.node(place) {
            Node::Map(end) => *end,
            _ => 0,
        };
        let mut next = place + 1;
        std::iter::from_fn(move || {
            let at = next;
            let name = match self.nodes.get(at)? {
                Node::Name(name) if at < end => &**name,
                _ => return None,
            };
            next = self.end(at + 1);
            Some((name, at + 1))
        })
    }

    /// The place of a member: of the last of this name, where there are several.
    pub(crate) fn member(&self, place: Place, name: &str) -> Option<Place> {
        self.members(place)
            .filter(|member| member.0 == name)
            .last()
            .map(|member| member.1)
    }

    /// A text at a place.
    pub(crate) fn text(&self, place: Place) -> Option<&str> {
        match self.node(place) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }
}
