//! What an event or a span says.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};

/// Fields that an operator filters by, and their names in the journal.
const FILTERED: [(&str, &str); 6] = [
    ("collector", "COLLECTOR"),
    ("run_id", "RUN_ID"),
    ("run_target", "RUN_TARGET"),
    ("sink", "SINK"),
    ("points", "POINTS"),
    ("batch", "BATCH"),
];

/// Its message, with the fields that nobody filters by as ` key=value`; and the others.
#[derive(Default)]
pub(super) struct Words {
    message: String,
    rest: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Words {
    /// The message and the rest.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.message, self.rest)
    }

    fn record(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let name = field.name();
        if let Some((_, name)) = FILTERED.iter().find(|(own, _)| *own == name) {
            self.fields.push((name, value.to_string()));
            return;
        }
        let _ = match name {
            "message" => self.message.write_fmt(value),
            _ => write!(self.rest, " {name}={value}"),
        };
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, format_args!("{value}"));
    }
}
