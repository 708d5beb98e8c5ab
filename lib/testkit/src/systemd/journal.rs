//! The entries of a machine's journal.

use serde_json::{Map, Value};

/// An entry of the journal, as `journalctl --output=json` gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry(Map<String, Value>);

impl JournalEntry {
    #[track_caller]
    pub(super) fn parse(line: &str) -> Self {
        Self(serde_json::from_str(line).unwrap_or_else(|why| panic!("journalctl: {why}: {line}")))
    }

    /// The text of a field; the first where it has many. None where it has no such field, or its bytes are no text.
    pub fn field(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::String(text) => Some(text),
            Value::Array(all) => all.first().and_then(Value::as_str),
            _ => None,
        }
    }

    /// Its message; empty where it has none that is text.
    pub fn message(&self) -> &str {
        self.field("MESSAGE").unwrap_or_default()
    }

    /// Its priority: 3 error, 4 warning, 5 notice, 6 info, 7 debug.
    pub fn priority(&self) -> Option<u8> {
        self.field("PRIORITY")?.parse().ok()
    }

    /// Everything as JSON.
    pub fn json(&self) -> &Map<String, Value> {
        &self.0
    }
}
