//! What the archive's listing says, and the age that follows from it.

use std::error::Error;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use tidemark_collect::Timestamp;
use tidemark_ubuntu::apache_index;

/// What the files are called that count: `Commands-amd64.xz`.
const COMMANDS: &str = "Commands";

/// When the last file that names `Commands` was modified, by the server's clock: UTC.
///
/// Where that file shows no date, no other stands in for it: its age is not known.
///
/// # Errors
/// Where no file is called so, and where the last shows no date.
///
/// ```
/// let html = r#"<pre><a href="Commands-amd64.xz">Commands-amd64.xz</a>  2026-11-21 02:15   30K"#;
/// let modified = tidemark_cnf::listing::newest(html).unwrap();
/// assert_eq!(modified.to_string(), "2026-11-21 02:15:00");
/// ```
pub fn newest(html: &str) -> Result<NaiveDateTime, ListingError> {
    let rows = apache_index::parse(html);
    let files = rows.len();
    let last = rows
        .into_iter()
        .rfind(|row| row.name.contains(COMMANDS))
        .ok_or(ListingError::NoCommands { files })?;
    last.modified.ok_or(ListingError::NoDate { name: last.name })
}

/// How old a file is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Age {
    /// In days; never less than 0.
    pub days: f64,
    /// Whether that is more than one.
    pub is_out_of_date: bool,
    /// Whether the file is of a time still to come.
    pub is_ahead: bool,
}

impl Age {
    /// The age of what was modified then, in UTC.
    pub fn of(modified: NaiveDateTime, now: Timestamp) -> Self {
        let age = DateTime::<Utc>::from(now).naive_utc() - modified;
        let past = age.max(TimeDelta::zero());
        Self {
            days: past.as_seconds_f64() / 86_400.0,
            is_out_of_date: past > TimeDelta::days(1),
            is_ahead: age < TimeDelta::zero(),
        }
    }
}

/// Why a listing says no age.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ListingError {
    /// No file is called so.
    NoCommands {
        /// How many others there are.
        files: usize,
    },
    /// The last of those shows no date.
    NoDate {
        /// What it is called.
        name: String,
    },
}

impl fmt::Display for ListingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommands { files: 0 } => {
                f.write_str("it is no listing of a folder, or the folder is empty")
            }
            Self::NoCommands { files } => write!(f, "none of its {files} files is called {COMMANDS}"),
            Self::NoDate { name } => write!(f, "the listing shows no date of {name:?}"),
        }
    }
}

impl Error for ListingError {}
