//! Counts for each architecture, as reports have them.

use std::collections::{BTreeMap, BTreeSet};

/// The most architectures that are read of one report: ten times what Ubuntu has had.
pub const MAX_ARCHITECTURES: usize = 200;
/// The longest name of an architecture, in bytes.
pub const MAX_NAME: usize = 64;

/// A count for each architecture.
pub type Counts = BTreeMap<String, i64>;

/// Whether this can be the name of an architecture: one word, not too long.
pub(crate) fn is_name(name: &str) -> bool {
    let is_long = name.len() > MAX_NAME;
    !name.is_empty() && !is_long && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Adds a count of 0 for each of these that the report does not name: it names those alone that have something.
///
/// Those in `except` were named, and their counts could not be read.
pub(crate) fn fill(counts: &mut Counts, architectures: &[String], except: &BTreeSet<String>) {
    for architecture in architectures.iter().filter(|name| !except.contains(*name)) {
        if !counts.contains_key(architecture) {
            counts.insert(architecture.clone(), 0);
        }
    }
}
