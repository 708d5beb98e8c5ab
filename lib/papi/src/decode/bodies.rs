//! The short answers: a session, the cluster's configuration, a key.

use std::time::Duration;

use super::document::{Items, read, refusal, text, text_next};
use super::reader::{Kind, Read, Reader, Wrong};
use super::tree::{Node, Place, Tree};
use super::{DecodeError, Decoded};

/// A session, as its answer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Session {
    /// How long it lasts, whatever is done with it: `timeout_absolute`; `None` where the cluster does not say.
    pub timeout_absolute: Option<Duration>,
}

/// A cluster's name and version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Config {
    /// The name as it was set.
    pub name: String,
    /// `onefs_version.version`; empty where it is absent.
    pub version: String,
}

/// What a statistics key is. What is absent, or of another type, is empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyInfo {
    /// What it counts.
    pub description: String,
    /// Its unit.
    pub units: String,
    /// `cluster` or `node`.
    pub scope: String,
    /// The type of its values.
    pub kind: String,
    /// How values of nodes become one of the cluster.
    pub aggregation: String,
    /// How often the cluster has a new value: the interval of the policy that is not persistent. `None` where it is made on
    /// demand.
    pub interval: Option<Duration>,
}

/// The answer to a login.
///
/// # Errors
/// Where it is no JSON object. Nothing of it is shown.
pub fn session(body: &[u8]) -> Result<Session, DecodeError> {
    let text = text(body);
    let tree = tree(&text, "a session").map_err(DecodeError::hidden)?;
    let timeout = tree.member(0, "timeout_absolute");
    Ok(Session {
        timeout_absolute: timeout.and_then(|place| span(&tree, place)),
    })
}

/// The answer of `cluster/config`.
///
/// # Errors
/// Where it is no JSON object with a `name`, or the cluster refuses.
pub fn config(body: &[u8]) -> Result<Config, DecodeError> {
    let text = text(body);
    let tree = tree(&text, "an object with `name`")?;
    let name = string(&tree, 0, "name");
    if name.is_empty() {
        return Err(DecodeError::Form {
            expected: "an object with the cluster's `name`",
        });
    }
    let version = tree.member(0, "onefs_version");
    Ok(Config {
        name,
        version: version
            .map(|place| string(&tree, place, "version"))
            .unwrap_or_default(),
    })
}

/// The answer of `statistics/keys/KEY`.
///
/// # Errors
/// Where it is no JSON object with a key in `keys`, or the cluster refuses.
pub fn key_info(body: &[u8]) -> Result<KeyInfo, DecodeError> {
    let text = text(body);
    let mut keys = Keys::default();
    read(&text, &mut keys, &mut Decoded::new())?;
    keys.first.ok_or(DecodeError::Form { expected: Keys::FORM })
}

/// What a list says of its first key.
#[derive(Default)]
struct Keys<'a> {
    first: Option<KeyInfo>,
    policies: Tree<'a>,
}

impl<'a> Items<'a> for Keys<'a> {
    const MEMBER: &'static str = "keys";
    const FORM: &'static str = "an object with a key in `keys`";

    fn item(&mut self, reader: &mut Reader<'a>, _: &mut Decoded) -> Read<()> {
        if self.first.is_some() {
            return reader.skip();
        }
        let mut info = KeyInfo::default();
        let mut more = reader.open(Kind::Map)?;
        while more {
            match reader.name()?.as_bytes() {
                b"description" => info.description = text_next(reader)?.into_owned(),
                b"units" => info.units = text_next(reader)?.into_owned(),
                b"scope" => info.scope = text_next(reader)?.into_owned(),
                b"type" => info.kind = text_next(reader)?.into_owned(),
                b"aggregation_type" => info.aggregation = text_next(reader)?.into_owned(),
                b"policies" => {
                    self.policies.clear();
                    let policies = self.policies.read(reader)?;
                    info.interval = interval(&self.policies, policies);
                }
                _ => reader.skip()?,
            }
            more = reader.more(Kind::Map)?;
        }
        self.first = Some(info);
        Ok(())
    }
}

/// The interval of the first policy that is not persistent.
fn interval(tree: &Tree<'_>, policies: Place) -> Option<Duration> {
    let is_current = |policy: &Place| {
        let persistent = tree.member(*policy, "persistent");
        persistent.is_some_and(|place| matches!(tree.node(place), Node::Bool(false)))
    };
    let policy = tree.elements(policies).find(is_current)?;
    span(tree, tree.member(policy, "interval")?)
}

/// A whole object.
fn tree<'a>(text: &'a str, expected: &'static str) -> Result<Tree<'a>, DecodeError> {
    let wrong = |wrong: Wrong| DecodeError::at(text, wrong);
    let mut reader = Reader::new(text);
    let mut tree = Tree::default();
    let place = tree.read(&mut reader).map_err(wrong)?;
    reader.end().map_err(wrong)?;
    let errors = tree.member(place, "errors").unwrap_or(place);
    if let Some(refusal) = refusal(&tree, errors) {
        return Err(refusal);
    }
    match tree.node(place) {
        Node::Map(_) => Ok(tree),
        _ => Err(DecodeError::Form { expected }),
    }
}

fn string(tree: &Tree<'_>, map: Place, name: &str) -> String {
    let text = tree.member(map, name).and_then(|place| tree.text(place));
    text.unwrap_or_default().to_owned()
}

/// A span in seconds, be it a number or one in quotes; `None` where it is none, or not above nothing.
fn span(tree: &Tree<'_>, place: Place) -> Option<Duration> {
    let seconds = match tree.node(place) {
        Node::Number(number) => *number,
        Node::Text(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|span| !span.is_zero())
}
