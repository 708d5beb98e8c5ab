//! How a cluster behaves: well, unless a test says otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::Key;

/// What a cluster is, and what is wrong with it. Changed while it runs, by [`OneFs::change`](super::OneFs::change).
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The cluster's name.
    pub name: String,
    /// `onefs_version.version`.
    pub version: String,
    /// Who may ask.
    pub username: String,
    /// With that password.
    pub password: String,
    /// Logins are accepted, and their cookies.
    pub sessions: bool,
    /// Name and password in a request are accepted.
    pub basic: bool,
    /// Logins give a token that requests must have as a header, with a `Referer`. Older clusters have none.
    pub csrf: bool,
    /// `timeout_absolute` as a login says it; `None` leaves it out.
    pub timeout_absolute: Option<u64>,
    /// How long a session really lasts, in seconds of the cluster's clock.
    pub session_lasts: u64,
    /// How long a cookie lives, in seconds, where that is less: an answer in the second half of it gives another in its place.
    pub cookie_lasts: Option<u64>,
    /// The nodes' `devid`s, each with its logical number.
    pub nodes: Vec<(i64, i64)>,
    /// Whether statistics have the logical number.
    pub show_nodes: bool,
    /// How far the cluster's clock is ahead of its [`Time`](super::Time), in seconds.
    pub clock_ahead: i64,
    /// So many requests from now on are answered 401, as by a node that does not know the session. Logins are not.
    pub refuse: usize,
    /// The user may not ask: 403.
    pub forbidden: bool,
    /// Every answer has that status and, where it is said, that `Retry-After`.
    pub busy: Option<(u16, Option<String>)>,
    /// Every answer is a page for people.
    pub html: bool,
    /// Answers are not sent before so long.
    pub delay: Duration,
    /// Bodies come byte by byte, with that pause before each.
    pub drip: Option<Duration>,
    /// The JSON of statistics and summaries ends after so many bytes, in good order.
    pub truncate: Option<usize>,
    /// Connections end after so many bytes of a body.
    pub cut: Option<usize>,
    /// Keys that the cluster does not have.
    pub missing: BTreeSet<String>,
    /// Seconds between new values, where they are not the usual ones.
    pub intervals: BTreeMap<String, Option<u64>>,
    /// What is odd about the values of a key, of all nodes.
    pub odd: BTreeMap<String, Odd>,
    /// What is odd about the value of a key of one node (its `devid`).
    pub odd_of: BTreeMap<(String, i64), Odd>,
}

/// What is odd about a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Odd {
    /// An error in its place, with that code and text.
    Error(i64, String),
    /// The value is there, and this code with it.
    Degraded(i64),
    /// `error` and `error_code` are null.
    NoError,
    /// null.
    Null,
    /// true.
    Bool,
    /// A number in quotes.
    Text,
    /// A list of nothing.
    EmptyList,
    /// A list in a list.
    ListInList,
    /// Maps in maps, so deep.
    Nested(usize),
    /// Any value.
    Value(Value),
    /// There is nothing at all of it.
    Absent,
}

impl Behaviour {
    /// A cluster that is well, of so many nodes.
    pub fn well(name: &str, nodes: usize) -> Self {
        let nodes = i64::try_from(nodes).unwrap_or(0);
        Self {
            name: name.to_owned(),
            version: "v9.5.0.3".to_owned(),
            username: "monitor".to_owned(),
            password: "correct horse".to_owned(),
            sessions: true,
            basic: true,
            csrf: true,
            timeout_absolute: Some(14_400),
            session_lasts: 14_400,
            cookie_lasts: None,
            nodes: (1..=nodes).map(|node| (node, node)).collect(),
            show_nodes: true,
            clock_ahead: 0,
            refuse: 0,
            forbidden: false,
            busy: None,
            html: false,
            delay: Duration::ZERO,
            drip: None,
            truncate: None,
            cut: None,
            missing: BTreeSet::new(),
            intervals: BTreeMap::new(),
            odd: BTreeMap::new(),
            odd_of: BTreeMap::new(),
        }
    }

    /// A node leaves, by its `devid`.
    pub fn leave(&mut self, devid: i64) {
        self.nodes.retain(|(found, _)| *found != devid);
    }

    /// What the cluster says of a key.
    pub fn key(&self, name: &str) -> Key {
        let mut key = Key::named(name);
        if let Some(interval) = self.intervals.get(name) {
            key.interval = *interval;
        }
        key
    }

    pub(super) fn odd(&self, key: &str, devid: i64) -> Option<&Odd> {
        let of_one = self.odd_of.get(&(key.to_owned(), devid));
        of_one.or_else(|| self.odd.get(key))
    }
}

impl Odd {
    /// The value in place of that one.
    pub(super) fn value(&self, well: Value) -> Value {
        match self {
            Self::Error(..) | Self::Null => Value::Null,
            Self::Degraded(_) | Self::NoError | Self::Absent => well,
            Self::Bool => json!(true),
            Self::Text => json!(well.to_string()),
            Self::EmptyList => json!([]),
            Self::ListInList => json!([[1, 2], [3]]),
            Self::Nested(depth) => {
                (0..*depth).fold(json!({"deepest": 1}), |inner, _| json!({"inner": inner}))
            }
            Self::Value(value) => value.clone(),
        }
    }

    /// `error_code` and `error`.
    pub(super) fn error(&self) -> (Value, Value) {
        match self {
            Self::Error(code, text) => (json!(code), json!(text)),
            Self::Degraded(code) => (json!(code), json!("some nodes are unavailable")),
            _ => (Value::Null, Value::Null),
        }
    }
}
