//! Listings that failed, told once for all that failed of the same.

use std::fmt;

use crate::rsync::Failure;

/// The most listings that are named of those that failed of the same.
const NAMED: usize = 3;

/// Listings that failed, by what they failed of.
#[derive(Debug)]
pub(crate) struct Failures<'a> {
    /// How many listings there are in all.
    of: usize,
    /// Where they are, a URL.
    base: &'a str,
    groups: Vec<Group>,
}

/// Listings that failed of the same.
#[derive(Debug)]
struct Group {
    patterns: Vec<String>,
    failure: Failure,
    /// Whether some gave lines before.
    is_cut: bool,
}

impl<'a> Failures<'a> {
    /// None yet, of so many listings below `base`.
    pub(crate) fn new(of: usize, base: &'a str) -> Self {
        Self {
            of,
            base,
            groups: Vec::new(),
        }
    }

    /// Adds one; `is_cut` where it gave lines before.
    pub(crate) fn add(&mut self, pattern: &str, failure: Failure, is_cut: bool) {
        let known = self
            .groups
            .iter_mut()
            .find(|group| group.is_cut == is_cut && group.failure.is_like(&failure));
        match known {
            Some(group) => group.patterns.push(pattern.to_owned()),
            None => self.groups.push(Group {
                patterns: vec![pattern.to_owned()],
                failure,
                is_cut,
            }),
        }
    }

    /// A line for each reason.
    pub(crate) fn lines(&self) -> impl Iterator<Item = impl fmt::Display> {
        self.groups.iter().map(|group| Line {
            failures: self,
            group,
        })
    }
}

struct Line<'a> {
    failures: &'a Failures<'a>,
    group: &'a Group,
}

/// `12 of 15 listings of rsync://…/ (*/dvd/*/*.iso, */dvd/*/*.wsl, daily*/*/*.iso and 9 more): rsync ended with …`
impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of, base, patterns) = (self.failures.of, self.failures.base, &self.group.patterns);
        match patterns.as_slice() {
            all if all.len() == of => write!(f, "all {of} listings of {base}")?,
            [one] => write!(f, "the listing {base}{one}")?,
            some => {
                let named = some.iter().take(NAMED).map(String::as_str);
                let named = named.collect::<Vec<_>>().join(", ");
                write!(f, "{} of {of} listings of {base} ({named}", some.len())?;
                match some.len().saturating_sub(NAMED) {
                    0 => f.write_str(")")?,
                    more => write!(f, " and {more} more)")?,
                }
            }
        }
        let cut = match (self.group.is_cut, patterns.len()) {
            (false, _) => "",
            (true, 1) => ", of which what came counts",
            (true, _) => ", of each of which what came counts",
        };
        write!(f, "{cut}: {}", self.group.failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(failures: &Failures<'_>) -> Vec<String> {
        failures.lines().map(|line| line.to_string()).collect()
    }

    fn ended(code: i32, said: &str) -> Failure {
        Failure::Ended(Ok(code), said.to_owned())
    }

    #[test]
    fn what_fails_of_the_same_is_told_once() {
        let mut failures = Failures::new(6, "rsync://h/m/");
        failures.add(
            "a",
            ended(12, "connection unexpectedly closed (81 bytes received so far)"),
            false,
        );
        failures.add(
            "b",
            ended(12, "connection unexpectedly closed (7 bytes received so far)"),
            false,
        );
        failures.add(
            "c",
            ended(12, "connection unexpectedly closed (7 bytes received so far)"),
            true,
        );
        failures.add(
            "d",
            ended(30, "connection unexpectedly closed (7 bytes received so far)"),
            false,
        );
        failures.add("e", ended(12, ""), false);
        assert_eq!(
            lines(&failures),
            [
                "2 of 6 listings of rsync://h/m/ (a, b): rsync ended with code 12: connection unexpectedly closed (81 \
                 bytes received so far)",
                "the listing rsync://h/m/c, of which what came counts: rsync ended with code 12: connection \
                 unexpectedly closed (7 bytes received so far)",
                "the listing rsync://h/m/d: rsync ended with code 30: connection unexpectedly closed (7 bytes received so \
                 far)",
                "the listing rsync://h/m/e: rsync ended with code 12 and said nothing",
            ]
        );
    }

    #[test]
    fn many_are_counted_and_all_are_called_so() {
        for (failed, told) in [
            (1, "the listing rsync://h/m/0: rsync printed more"),
            (2, "2 of 5 listings of rsync://h/m/ (0, 1): rsync"),
            (3, "3 of 5 listings of rsync://h/m/ (0, 1, 2): rsync"),
            (4, "4 of 5 listings of rsync://h/m/ (0, 1, 2 and 1 more): rsync"),
            (5, "all 5 listings of rsync://h/m/: rsync"),
        ] {
            let mut failures = Failures::new(5, "rsync://h/m/");
            for number in 0..failed {
                failures.add(&number.to_string(), Failure::Long, false);
            }
            let lines = lines(&failures);
            assert!(lines.len() == 1 && lines[0].starts_with(told), "{lines:?}");
        }
    }
}
