//! A log of britney.

use std::fmt::Write as _;

use super::names::{below, package, version, words};
use super::{ARCHITECTURES, Made, Size, utc};
use crate::Random;

/// The lines of the real one.
const LINES: usize = 40_000;
/// How RFC 2822 has a time.
pub(super) const RFC_2822: &str = "%a, %d %b %Y %H:%M:%S %z";

/// What is right to read in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// When it was started, in milliseconds since the epoch.
    pub started: i64,
    /// When it was finished.
    pub finished: i64,
    /// Whole minutes between them.
    pub minutes: i64,
}

/// A log of 4 MB where it is real, of a run that was started at that time and took so many seconds.
pub fn britney_log(size: Size, started: i64, seconds: i64) -> Made<Log> {
    let mut random = Random::new(4);
    let started = started / 1000 * 1000;
    let finished = started + seconds * 1000;
    let mut text = format!("{}\n", utc(started).format(RFC_2822));
    let lines = size.of(LINES);
    for line in 0..lines {
        let at = started + seconds * 1000 / super::small(lines) * super::small(line);
        let stamp = utc(at).format("%Y-%m-%dT%H:%M:%S+0000");
        let _ = match random.below(9) {
            0 => writeln!(
                text,
                "{stamp} - I - Loading hints list from data/resolute-proposed/Hints/{}",
                package(&mut random)
            ),
            1 => writeln!(text, "trying: {} {}", package(&mut random), package(&mut random)),
            2 => writeln!(
                text,
                "skipped: {} ({}, {}, {})",
                package(&mut random),
                random.below(99),
                line,
                random.below(9_999)
            ),
            3 => writeln!(
                text,
                "    got: {}+0: a-{}:a-{}:r-{}",
                random.below(9_999),
                random.below(99),
                random.below(99),
                random.below(99)
            ),
            4 => {
                let arch = ARCHITECTURES[below(&mut random, ARCHITECTURES.len())];
                writeln!(
                    text,
                    "    * {arch}: {}, {}, {}, {}",
                    package(&mut random),
                    package(&mut random),
                    package(&mut random),
                    package(&mut random)
                )
            }
            5 => writeln!(
                text,
                "{stamp} - D - {} {} is already in the target: Finished at: not yet",
                package(&mut random),
                version(&mut random)
            ),
            6 => writeln!(text, "{stamp} - W - {}", words(&mut random, 12)),
            7 => writeln!(text, "accepted: {}", package(&mut random)),
            _ => writeln!(
                text,
                "{stamp} - I - Requesting autopkgtest for {} {} on amd64, triggered by {}",
                package(&mut random),
                version(&mut random),
                package(&mut random)
            ),
        };
    }
    let _ = writeln!(text, "Finished at: {}", utc(finished).format(RFC_2822));
    let answer = Log {
        started,
        finished,
        minutes: seconds / 60,
    };
    Made { text, answer }
}
