//! What an answer becomes.

use std::collections::BTreeMap;

use tidemark_collect::{Points, Timestamp, Together};

use super::error::shown;
use super::{ErrorCode, Warnings};

/// The most keys that are remembered as absent, and the most codes as skipped.
const MAX_KEYS: usize = 4096;
const MAX_CODES: usize = 32;

/// What an answer does not say of its points.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// The tag `cluster`.
    pub cluster: &'a str,
    /// Whether statistics get the tag `degraded`, `true` or `false`.
    pub include_degraded: bool,
    /// The time of the answer: of what has none of its own.
    pub now: Timestamp,
}

/// What answers become. Several can be read into one.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// The points, in the order of the answer.
    pub points: Points,
    /// Keys that the cluster does not have, or not on some node.
    pub absent: BTreeMap<Box<str>, Absent>,
    /// Statistics without a value this time.
    pub skipped: BTreeMap<ErrorCode, Skipped>,
    /// What was left out or changed.
    pub warnings: Warnings,
    /// Fields and tags of all points so far.
    pub(crate) parts: usize,
    /// The points of the answer that is read.
    pub(crate) made: Together,
}

/// A key without values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Absent {
    /// Why, as it was said last.
    pub code: ErrorCode,
    /// How many nodes said so; 1 for a statistic of the cluster.
    pub nodes: u64,
    /// Whether other nodes have values: then the key should be asked for again.
    pub elsewhere: bool,
}

/// Statistics that a code has left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// The key of the first.
    pub key: String,
    /// What the cluster says of the first; empty where it says nothing.
    pub message: String,
}

impl Decoded {
    /// Nothing yet.
    pub fn new() -> Decoded {
        Decoded::default()
    }

    #[cold]
    pub(crate) fn error(&mut self, key: &str, code: ErrorCode, message: &str) {
        if !code.is_lasting() {
            if let Some(skipped) = self.skipped.get_mut(&code) {
                skipped.count += 1;
            } else if self.skipped.len() < MAX_CODES {
                let skipped = Skipped {
                    count: 1,
                    key: shown(key),
                    message: shown(message),
                };
                self.skipped.insert(code, skipped);
            } else if let Some(mut last) = self.skipped.last_entry() {
                last.get_mut().count += 1;
            }
        } else if let Some(absent) = self.absent.get_mut(key) {
            absent.nodes += 1;
            absent.code = code;
        } else if self.absent.len() < MAX_KEYS {
            let absent = Absent {
                code,
                nodes: 1,
                elsewhere: false,
            };
            self.absent.insert(key.into(), absent);
        }
    }

    /// The answer is read: its points are complete.
    pub(crate) fn complete(&mut self) {
        self.points.extend(self.made.finish());
        self.look_elsewhere();
    }

    /// Says of absent keys whether other nodes have them.
    fn look_elsewhere(&mut self) {
        if self.absent.is_empty() {
            return;
        }
        for point in &self.points {
            if let Some(absent) = self.absent.get_mut(point.measurement()) {
                absent.elsewhere = true;
            }
        }
    }
}
