//! The kernel's text tables: words, numbers, lines, and what is said of the ones that cannot be read.

use std::fmt;

/// How many characters of a broken line a message quotes.
const QUOTED_CHARS: usize = 60;

/// Lines that could not be read: the first of them, and how many more there were.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Broken {
    line: usize,
    reason: String,
    more: usize,
}

impl Broken {
    /// The line numbered `line` (from 1), and why it could not be read.
    pub(crate) fn at(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line,
            reason: reason.into(),
            more: 0,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)?;
        match self.more {
            0 => Ok(()),
            1 => f.write_str(" (and 1 more line)"),
            more => write!(f, " (and {more} more lines)"),
        }
    }
}

impl std::error::Error for Broken {}

/// What a table held: the rows that could be read, and what was wrong with the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) broken: Option<Broken>,
}

impl<T> Rows<T> {
    /// Reads each of `text`'s lines after the first `header` ones. `read` gives a row, `None` for a line that
    /// does not matter, or what is wrong with it. Blank lines do not matter.
    pub(crate) fn read<'a>(
        text: &'a str,
        header: usize,
        mut read: impl FnMut(&'a str) -> Result<Option<T>, String>,
    ) -> Self {
        let mut table = Self {
            rows: Vec::new(),
            broken: None,
        };
        for (index, line) in text.lines().enumerate().skip(header) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match read(line) {
                Ok(row) => table.rows.extend(row),
                Err(reason) => note(&mut table.broken, index + 1, || {
                    format!("{reason} in {}", quoted(line))
                }),
            }
        }
        table
    }
}

/// Adds a broken line to what is known of them; `reason` is asked for the first alone.
pub(crate) fn note(broken: &mut Option<Broken>, line: usize, reason: impl FnOnce() -> String) {
    match broken {
        Some(broken) => broken.more += 1,
        None => *broken = Some(Broken::at(line, reason())),
    }
}

/// The beginning of a line as a message shows it: escaped, cut.
pub(crate) fn quoted(line: &str) -> String {
    let mut shown: String = line
        .chars()
        .take(QUOTED_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    if line.chars().nth(QUOTED_CHARS).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// A whole number of the kernel's, `name` being what it counts.
pub(crate) fn number(word: Option<&str>, name: &str) -> Result<u64, String> {
    let word = word.ok_or_else(|| format!("{name} is missing"))?;
    // `parse` alone would take a leading `+`.
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("{name} is no whole number: {}", quoted(word)));
    }
    word.parse()
        .map_err(|_| format!("{name} is no whole number of 64 bits: {}", quoted(word)))
}

/// A decimal number that is not negative, as in `0.36`.
pub(crate) fn decimal(word: Option<&str>, name: &str) -> Result<f64, String> {
    let word = word.ok_or_else(|| format!("{name} is missing"))?;
    match word.parse::<f64>() {
        Ok(value) if value.is_finite() && word.starts_with(|first: char| first.is_ascii_digit()) => Ok(value),
        _ => Err(format!("{name} is no decimal number: {}", quoted(word))),
    }
}

/// `count` times `unit`, or what is wrong with it.
pub(crate) fn times(count: u64, unit: u64, name: &str) -> Result<u64, String> {
    count
        .checked_mul(unit)
        .ok_or_else(|| format!("{name} is more than 64 bits of bytes: {count}"))
}

/// A count of `per_second` parts as seconds: exact up to 2^53 parts (285 years of microseconds), the nearest float
/// beyond.
pub(crate) fn seconds(parts: u64, per_second: f64) -> f64 {
    parts as f64 / per_second
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_whole_and_fit() {
        assert_eq!(number(Some("0"), "n"), Ok(0));
        assert_eq!(number(Some("18446744073709551615"), "n"), Ok(u64::MAX));
        for bad in ["", "-1", "+1", "1.5", "0x1", "18446744073709551616", "１"] {
            assert!(number(Some(bad), "n").is_err(), "{bad}");
        }
        assert_eq!(number(None, "the total"), Err("the total is missing".into()));
    }

    #[test]
    fn decimals_are_finite_and_positive() {
        assert_eq!(decimal(Some("0.36"), "n"), Ok(0.36));
        for bad in ["", "inf", "NaN", "-0.1", "+1", ".5", "1e999", "1,5"] {
            assert!(decimal(Some(bad), "n").is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_broken_line_is_named_and_the_others_counted() {
        let table = Rows::read("head\n1\nx\n\n2\ny\nz\n", 1, |line| {
            number(Some(line), "n").map(Some)
        });
        assert_eq!(table.rows, [1, 2]);
        let said = table.broken.unwrap().to_string();
        assert_eq!(
            said,
            "line 3: n is no whole number: \"x\" in \"x\" (and 2 more lines)"
        );
    }

    #[test]
    fn a_long_line_is_cut_and_escaped() {
        let shown = quoted(&format!("\u{1b}[31m{}", "é".repeat(1000)));
        assert!(shown.starts_with("\"\\u{1b}[31mé"), "{shown}");
        assert!(shown.ends_with("é…\""), "{shown}");
    }

    #[test]
    fn seconds_are_the_nearest_float() {
        assert_eq!(seconds(41694, 100.0), 416.94);
        assert_eq!(seconds(19_459_445, 1e6), 19.459_445);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|[0-9 .\n]{0,200}") {
            let table = Rows::read(&text, 0, |line| number(line.split_ascii_whitespace().next(), "n").map(Some));
            prop_assert!(table.rows.len() <= text.lines().count());
            let _ = decimal(Some(&text), "n");
            let _ = quoted(&text);
        }
    }
}
