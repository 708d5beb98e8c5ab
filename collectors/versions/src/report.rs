//! The list of reports, and a report: a line each, of which empty ones do not matter.

use std::collections::BTreeSet;

use tidemark_ubuntu::{Remarks, shown};

/// The most reports of a list: ten times what there are and more.
pub const MAX_REPORTS: usize = 200;
/// The most categories of a report.
pub const MAX_CATEGORIES: usize = 1000;
/// The longest name of a report or a category, in bytes.
pub const MAX_NAME: usize = 200;

/// The list of reports.
#[derive(Debug, Default, PartialEq)]
pub struct List {
    /// Their names in its order, each once.
    pub names: Vec<String>,
    /// The lines that are left out.
    pub left_out: Remarks,
}

/// A report.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    /// Categories in its order, each once, and their counts.
    pub counts: Vec<(String, i64)>,
    /// The lines that are left out.
    pub left_out: Remarks,
}

/// Reads the list of reports.
///
/// A name that is there already counts once. One that is no name of a file in the same folder (with a slash or a control
/// character, `.` or `..`, or longer than [`MAX_NAME`]), or one too many, is left out.
///
/// ```
/// let list = tidemark_versions::report::names("desktop\nnot in debian\n../passwd\n");
/// assert_eq!(list.names, ["desktop", "not in debian"]);
/// assert_eq!(list.left_out.to_string(), "line 3, \"../passwd\", is no name of a file");
/// ```
pub fn names(text: &str) -> List {
    let mut list = List::default();
    let mut seen = BTreeSet::new();
    for (number, name) in lines(text) {
        if seen.contains(name) {
            continue;
        }
        let why = if !is_name(name) {
            "is no name of a file"
        } else if list.names.len() == MAX_REPORTS {
            "is one report more than are read"
        } else {
            seen.insert(name);
            list.names.push(name.to_owned());
            continue;
        };
        list.left_out
            .add(|| format!("line {number}, {}, {why}", shown(name)));
    }
    list
}

/// Reads a report.
///
/// A line that is not `category=COUNT` with a count of decimal digits (there may be spaces around both), a category longer
/// than [`MAX_NAME`], there already, or one too many, is left out.
///
/// ```
/// let report = tidemark_versions::report::counts("up-to-date=812\noutdated=none\n");
/// assert_eq!(report.counts, [("up-to-date".to_owned(), 812)]);
/// assert_eq!(report.left_out.to_string(), "line 2, \"outdated=none\", is not category=COUNT");
/// ```
pub fn counts(text: &str) -> Report {
    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    for (number, line) in lines(text) {
        let why = match pair(line) {
            None => "is not category=COUNT",
            Some((category, _)) if seen.contains(category) => "is of a category that is there already",
            Some(_) if report.counts.len() == MAX_CATEGORIES => "is one category more than are read",
            Some((category, count)) => {
                seen.insert(category);
                report.counts.push((category.to_owned(), count));
                continue;
            }
        };
        report
            .left_out
            .add(|| format!("line {number}, {}, {why}", shown(line)));
    }
    report
}

/// The lines that are not empty, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty())
}

fn is_name(name: &str) -> bool {
    // A page for people came instead of the list.
    !name.starts_with('<')
        && !matches!(name, "." | "..")
        && name.len() <= MAX_NAME
        && !name.contains(|c: char| c == '/' || c.is_control())
}

fn pair(line: &str) -> Option<(&str, i64)> {
    let (category, count) = line.split_once('=')?;
    let (category, count) = (category.trim_end(), count.trim_start());
    let is_pair = (1..=MAX_NAME).contains(&category.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
    Some((category, count.parse().ok().filter(|_| is_pair)?))
}
