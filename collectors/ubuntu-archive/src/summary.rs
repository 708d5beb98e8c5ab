//! The reports of a series' packages that cannot be installed, and of those that are out of date on an architecture.
//!
//! Both are long texts for people: the packages of each architecture, and at the end what counts here:
//!
//! ```
//! use tidemark_ubuntu_archive::summary::parse;
//!
//! let text = "* amd64\n  hello (hello)\n\n* summary\n  1 amd64\n 14 riscv64\n\n# Generated: Sat, 21 Nov 2026 02:00:00 +0000\n";
//! let summary = parse(text).unwrap();
//! assert_eq!(summary.counts["riscv64"], 14);
//! assert_eq!(summary.generated.to_rfc3339(), "2026-11-21T02:00:00+00:00");
//! ```
//!
//! Of one that comes in pieces, a [`Search`] keeps the end alone.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::str::{Utf8Error, from_utf8};

use chrono::{DateTime, Utc};
use tidemark_collect::Measurement;
use tidemark_ubuntu::shown;

use crate::architectures::{Counts, MAX_ARCHITECTURES, is_name};
use crate::generated::{DateError, rfc2822};

/// The most lines of a summary that are shown where they cannot be read; of more, the number is.
pub const MAX_SHOWN: usize = 10;

/// The line at which a summary begins.
const HEADING: &str = "* summary";

/// Packages of the development series that cannot be installed.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("uninst_stats")]
pub(crate) struct Uninstallable {
    /// The series, by its codename.
    #[tag]
    pub(crate) release: String,
    /// The architecture.
    #[tag]
    pub(crate) arch: String,
    /// Packages; 0 where the report does not name the architecture.
    pub(crate) count: i64,
}

/// Packages of the development series that are out of date on an architecture.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("outdate_stats")]
pub(crate) struct OutOfDate {
    /// The series, by its codename.
    #[tag]
    pub(crate) release: String,
    /// The architecture.
    #[tag]
    pub(crate) arch: String,
    /// Packages; 0 where the report does not name the architecture.
    pub(crate) count: i64,
}

/// The summary of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// When the report was generated.
    pub generated: DateTime<Utc>,
    /// The count of each architecture that is named; of two for one, the last.
    pub counts: Counts,
    /// Lines that are no count and architecture, [`MAX_SHOWN`] at most, each quoted, and cut where it is long.
    pub unread: Vec<String>,
    /// How many more of them there are.
    pub unread_more: usize,
    /// Words of such lines that may be architectures: of those, nothing is known.
    pub unknown: BTreeSet<String>,
}

/// Why a report has no summary.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SummaryError {
    /// It is not UTF-8 text: the offset of the first byte that cannot be.
    NotText(usize),
    /// There is no line `* summary`.
    NoSummary,
    /// The summary is not followed by a line `# Generated: …`: the report is not whole.
    NotGenerated,
    /// When it was generated cannot be read.
    Date(DateError),
    /// It has lines, and none can be read.
    Nothing(String),
}

impl fmt::Display for SummaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText(at) => write!(f, "it is not UTF-8 text: the byte at offset {at} cannot be"),
            Self::NoSummary => f.write_str("it has no line \"* summary\""),
            Self::NotGenerated => {
                f.write_str("no line \"# Generated: …\" follows its summary: it is cut, or of another kind")
            }
            Self::Date(_) => f.write_str("it does not say when it was generated"),
            Self::Nothing(line) => write!(f, "no line of its summary is a count and an architecture: {line}"),
        }
    }
}

impl Error for SummaryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Date(error) => Some(error),
            _ => None,
        }
    }
}

/// Reads what is between the first line `* summary` and the line `# Generated: …` that follows.
///
/// Time is linear in the text's length; at most [`MAX_ARCHITECTURES`] architectures are kept.
///
/// # Errors
/// Where either line is missing, the date cannot be read, or no line between them can.
pub fn parse(text: &str) -> Result<Summary, SummaryError> {
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| *line == HEADING)
        .ok_or(SummaryError::NoSummary)?;
    let mut summary = Summary {
        generated: DateTime::UNIX_EPOCH,
        counts: Counts::new(),
        unread: Vec::new(),
        unread_more: 0,
        unknown: BTreeSet::new(),
    };
    for line in lines {
        if let Some(date) = line.strip_prefix("# Generated:") {
            summary.generated = rfc2822(date).map_err(SummaryError::Date)?;
            return match summary.unread.pop() {
                Some(line) if summary.counts.is_empty() => Err(SummaryError::Nothing(line)),
                last => {
                    summary.unread.extend(last);
                    Ok(summary)
                }
            };
        }
        // Comments, and rules under or over a table, are no rows.
        if line.chars().any(char::is_alphanumeric) && !line.starts_with('#') {
            summary.row(line);
        }
    }
    Err(SummaryError::NotGenerated)
}

/// A report that comes in pieces, which may end anywhere: what stands before its summary is looked through and forgotten.
///
/// ```
/// use tidemark_ubuntu_archive::summary::Search;
///
/// let mut search = Search::default();
/// for piece in ["* amd64\n  hello\n* sum", "mary\n 1 amd64\n# Generated: Sat, 21 Nov", " 2026 02:00:00 +0000\n"] {
///     search.look(piece.as_bytes()).unwrap();
/// }
/// assert_eq!(search.end().unwrap().counts["amd64"], 1);
/// ```
#[derive(Debug, Default)]
pub struct Search {
    /// What came last: until the summary, the beginning of a line; then all.
    pub(crate) kept: Vec<u8>,
    /// Bytes that came before it.
    before: usize,
    is_found: bool,
}

impl Search {
    /// Takes the next piece. Time is linear in the report's length.
    ///
    /// # Errors
    /// Where a line before the summary is not UTF-8 text.
    pub fn look(&mut self, piece: &[u8]) -> Result<(), SummaryError> {
        let last_line = piece.iter().rposition(|byte| *byte == b'\n');
        let whole = last_line.map_or(0, |end| self.kept.len() + end + 1);
        self.kept.extend_from_slice(piece);
        if !self.is_found {
            let lines = from_utf8(&self.kept[..whole]).map_err(|error| not_text(self.before, error))?;
            let mut passed = 0;
            for line in lines.split_inclusive('\n') {
                if line.trim() == HEADING {
                    self.is_found = true;
                    break;
                }
                passed += line.len();
            }
            self.kept.drain(..passed);
            self.before += passed;
        }
        Ok(())
    }

    /// The summary, after the last piece.
    ///
    /// # Errors
    /// As [`parse`], and where its text is not UTF-8.
    pub fn end(self) -> Result<Summary, SummaryError> {
        parse(from_utf8(&self.kept).map_err(|error| not_text(self.before, error))?)
    }
}

fn not_text(before: usize, error: Utf8Error) -> SummaryError {
    SummaryError::NotText(before + error.valid_up_to())
}

impl Summary {
    fn row(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if let (Some(count), Some(name), None) = (words.next(), words.next(), words.next())
            && let Some(count) = whole(count)
            && is_name(name)
            && (self.counts.len() < MAX_ARCHITECTURES || self.counts.contains_key(name))
        {
            self.counts.insert(name.to_owned(), count);
            return;
        }
        let words = line.split_whitespace().filter(|word| is_name(word)).take(4);
        let room = MAX_ARCHITECTURES.saturating_sub(self.unknown.len());
        self.unknown.extend(words.take(room).map(str::to_owned));
        if self.unread.len() < MAX_SHOWN {
            self.unread.push(shown(line));
        } else {
            self.unread_more += 1;
        }
    }
}

/// A count: digits alone, within what a field holds.
fn whole(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}
