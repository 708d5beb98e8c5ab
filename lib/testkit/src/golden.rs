use std::fs;
use std::path::Path;

use crate::asked;

/// Holds that a file of expected text says this. `TIDEMARK_REFRESH=1` writes it anew instead: read it as a diff.
///
/// # Panics
/// When it says something else, with the first line that differs, and when it cannot be read or written.
pub fn golden(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    if asked("TIDEMARK_REFRESH").is_some() {
        fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_else(|error| {
        panic!(
            "cannot read {}: {error}; TIDEMARK_REFRESH=1 writes it",
            path.display()
        )
    });
    if let Some(difference) = difference(&expected, text) {
        panic!(
            "{}: {difference}; TIDEMARK_REFRESH=1 writes it anew",
            path.display()
        );
    }
}

/// The lines of line protocol without their times, in their order: what a program with the machine's clock can be held to.
///
/// # Panics
/// When a line has no time.
pub fn without_times(lines: &str) -> Vec<&str> {
    let rest = |line| match str::rsplit_once(line, ' ') {
        Some((rest, time)) if time.parse::<i64>().is_ok() => rest,
        _ => panic!("this line has no time: {line}"),
    };
    lines.lines().map(rest).collect()
}

/// Where two texts differ first.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (mut due, mut there) = (expected.split_inclusive('\n'), found.split_inclusive('\n'));
    let mut number = 1;
    loop {
        match (due.next(), there.next()) {
            (Some(one), Some(other)) if one == other => number += 1,
            (one, other) => return Some(format!("line {number} is due to be {one:?}, and is {other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_before_its_time() {
        let lines = "a,b=c\\ d e=1i 5\nf g=\"h i\" -7\n";
        assert_eq!(without_times(lines), ["a,b=c\\ d e=1i", "f g=\"h i\""]);
        assert!(std::panic::catch_unwind(|| without_times("a b=1i\n")).is_err());
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        for (found, second) in [
            ("a\nc\n", "Some(\"c\\n\")"),
            ("a\n", "None"),
            ("a\nb", "Some(\"b\")"),
        ] {
            let said = difference("a\nb\n", found).unwrap();
            assert_eq!(
                said,
                format!("line 2 is due to be Some(\"b\\n\"), and is {second}")
            );
        }
    }
}
