//! `priority-mismatches.txt`: packages whose priority is not what the seeds make of it.
//!
//! A text for people: an architecture's name underlined with `====`, below it headings underlined with `----`, and below
//! each the packages, one a line. A heading may go over several lines, of which the last may be one word; all others have
//! spaces, which packages have not.
//!
//! ```
//! use tidemark_ubuntu_archive::priority_mismatches::parse;
//!
//! let text = "Generated: Sat Nov 21 02:00:00 GMT 2026\n\namd64\n=====\n\nPackages to make\nimportant\n---------\n\nadduser\ncron\n";
//! let mismatches = parse(text).unwrap();
//! assert_eq!(mismatches.counts["amd64"], 2);
//! assert_eq!(mismatches.generated.to_rfc3339(), "2026-11-21T02:00:00+00:00");
//! ```

use std::error::Error;
use std::fmt;

use chrono::{DateTime, Utc};
use tidemark_collect::Measurement;

use crate::architectures::{Counts, MAX_ARCHITECTURES, is_name};
use crate::generated::{DateError, date};

/// What an architecture's name is underlined with; four or more.
const ARCHITECTURE: &str = "====";
/// What a heading is underlined with.
const HEADING: &str = "----";

/// Packages of the development series with another priority than they should have.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("priority_mismatch_stats")]
pub(crate) struct Mismatch {
    /// The series, by its codename.
    #[tag]
    pub(crate) release: String,
    /// The architecture.
    #[tag]
    pub(crate) arch: String,
    /// Packages; 0 where the report does not name the architecture.
    pub(crate) count: i64,
}

/// What the report says.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatches {
    /// When it was generated.
    pub generated: DateTime<Utc>,
    /// The number of packages of each architecture that is named.
    pub counts: Counts,
    /// Names underlined as architectures are, over [`MAX_ARCHITECTURES`]: what is below them does not count.
    pub left_out: usize,
    /// Whether its last line has no end: then it was read while it was written, and the rest is missing.
    pub is_cut: bool,
}

/// Why the report cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReportError {
    /// No line begins `Generated:`.
    NotGenerated,
    /// When it was generated cannot be read.
    Date(DateError),
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGenerated => "no line of it begins \"Generated:\"",
            Self::Date(_) => "it does not say when it was generated",
        })
    }
}

impl Error for ReportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Date(error) => Some(error),
            Self::NotGenerated => None,
        }
    }
}

/// Counts the packages of each architecture. What stands before the first of them, or below an underlined line that is
/// no name (it has spaces), is none's.
///
/// Time is linear in the text's length; at most [`MAX_ARCHITECTURES`] architectures are kept.
///
/// # Errors
/// Where it does not say when it was generated.
pub fn parse(text: &str) -> Result<Mismatches, ReportError> {
    let mut generated = None;
    let mut counts = Counts::new();
    let mut left_out = 0;
    let mut packages = 0;
    let mut architecture: Option<&str> = None;
    let mut end = |architecture: Option<&str>, packages: i64| match architecture {
        Some(name) if counts.len() < MAX_ARCHITECTURES || counts.contains_key(name) => {
            *counts.entry(name.to_owned()).or_default() += packages;
        }
        Some(_) => left_out += 1,
        None => {}
    };
    let mut lines = text.lines().map(str::trim_end).peekable();
    while let Some(line) = lines.next() {
        let below = lines.peek().copied().unwrap_or_default();
        if let Some(stamp) = line.strip_prefix("Generated:") {
            if generated.is_none() {
                generated = Some(date(stamp).map_err(ReportError::Date)?);
            }
        } else if !line.is_empty() && below.starts_with(ARCHITECTURE) {
            end(architecture, packages);
            (architecture, packages) = (Some(line).filter(|line| is_name(line)), 0);
        } else if is_package(line) && !below.starts_with(HEADING) {
            packages += 1;
        }
    }
    end(architecture, packages);
    Ok(Mismatches {
        generated: generated.ok_or(ReportError::NotGenerated)?,
        counts,
        left_out,
        is_cut: !text.ends_with('\n'),
    })
}

/// Whether a line is a package's, unless it is the last of a heading.
fn is_package(line: &str) -> bool {
    let is_rule = line.starts_with(ARCHITECTURE) || line.starts_with(HEADING);
    !line.is_empty() && !is_rule && !line.contains(char::is_whitespace)
}
