//! Whether a run was as it should be.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::run::Ended;

use super::{Part, Then};

/// What stands in place of what differs from run to run.
const MASK: &str = "_";

/// A run, as the sink and the terminal have it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The exit code.
    pub(super) code: Option<i32>,
    /// The points, masked and sorted.
    pub(super) lines: Vec<String>,
    /// The warnings, without `PROGRAM: warning: `.
    pub(super) gaps: Vec<String>,
    /// The last line of standard error.
    pub(super) last: String,
    /// The point `tidemark_run`; empty where there is none.
    pub(super) run: String,
    /// The peak of memory in bytes.
    pub(super) memory: u64,
    /// How long it took.
    pub(super) wall: Duration,
}

/// What a run should be.
pub(super) struct Due<'a> {
    /// The run in which all was well.
    pub(super) good: &'a Seen,
    /// The parts that fail, and what comes of each.
    pub(super) failing: Vec<(&'a Part, Then)>,
    /// The most memory.
    pub(super) memory: u64,
}

impl Seen {
    /// A run that ended, and the bodies that it sent.
    pub(super) fn new(program: &str, ended: &Ended, bodies: &[String], moving: &[String]) -> Self {
        let all = || bodies.iter().flat_map(|body| body.lines());
        let run = all()
            .find(|line| line.starts_with("tidemark_run,"))
            .unwrap_or_default();
        let began = time(run).unwrap_or(i64::MAX);
        let mut lines: Vec<String> = all()
            .filter(|line| !line.starts_with("tidemark_"))
            .map(|line| masked(line, began, moving))
            .collect();
        lines.sort_unstable();
        let warning = format!("{program}: warning: ");
        let gaps = ended
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix(&warning));
        Self {
            code: ended.code,
            lines,
            gaps: gaps.map(str::to_owned).collect(),
            last: ended.stderr.lines().last().unwrap_or_default().to_owned(),
            run: run.to_owned(),
            memory: ended.peak_memory,
            wall: ended.wall,
        }
    }

    /// What is wrong with the run in which all should be well.
    pub(super) fn faults_of_good(&self, parts: &[Part]) -> Vec<String> {
        let mut faults = Vec::new();
        if self.code != Some(0) || self.lines.is_empty() {
            faults.push(format!(
                "exit code {:?} and {} lines; it says: {}",
                self.code,
                self.lines.len(),
                self.last
            ));
        }
        for part in parts {
            let name = &part.names[0];
            if !self.lines.iter().any(|line| (part.costs)(line)) {
                faults.push(format!("no line belongs to {name}"));
            }
            if let Some(gap) = self.gaps.iter().find(|gap| part.is_named_by(gap)) {
                // Then a case of this part proves nothing.
                faults.push(format!("a gap of {name}: {gap}"));
            }
        }
        faults
    }
}

impl Due<'_> {
    /// What is wrong with a run.
    pub(super) fn faults(&self, seen: &Seen) -> Vec<String> {
        let mut faults = Vec::new();
        let is_lost = |line: &String| {
            let lost =
                |(part, then): &(&Part, Then)| !matches!(then, Then::Kept | Then::Told) && (part.costs)(line);
            self.failing.iter().any(lost)
        };
        let is_free = |line: &String| {
            let free = |(part, then): &(&Part, Then)| {
                matches!(then, Then::Partly | Then::Whatever) && (part.costs)(line)
            };
            self.failing.iter().any(free)
        };
        let due: BTreeSet<&String> = self.good.lines.iter().filter(|line| !is_lost(line)).collect();
        let there: BTreeSet<&String> = seen.lines.iter().filter(|line| !is_free(line)).collect();
        let missing: Vec<&str> = due.difference(&there).map(|line| line.as_str()).collect();
        if let Some(first) = missing.first() {
            faults.push(format!("{} lines are missing: {first}", missing.len()));
        }
        let surplus: Vec<&str> = there.difference(&due).map(|line| line.as_str()).collect();
        if let Some(first) = surplus.first() {
            faults.push(format!("{} lines too many: {first}", surplus.len()));
        }
        let gaps: Vec<&String> = seen
            .gaps
            .iter()
            .filter(|gap| !self.good.gaps.contains(gap))
            .collect();
        let has = |then: Then| self.failing.iter().any(|(_, other)| *other == then);
        let is_error = seen.lines.is_empty() && has(Then::Gap);
        for (part, then) in &self.failing {
            let named = gaps.iter().any(|gap| part.is_named_by(gap));
            let name = &part.names[0];
            match then {
                // Where nothing is left, the error says why.
                Then::Gap | Then::Told | Then::Partly if !named && !is_error => {
                    faults.push(format!("no gap begins with `{name}: `"));
                }
                Then::Skipped | Then::Kept if named && !has(Then::Gap) => {
                    faults.push(format!("there is a gap of {name}, and none was due"));
                }
                _ => {}
            }
        }
        for gap in &gaps {
            if !self.failing.iter().any(|(part, _)| part.is_named_by(gap)) {
                faults.push(format!("a gap that names nothing that failed: {gap}"));
            }
        }
        self.ending(seen, is_error, gaps.is_empty(), &mut faults);
        if seen.memory > self.memory {
            faults.push(format!("{} bytes of memory", seen.memory));
        }
        faults
    }

    /// Exit code, the last line, and what the run's own point says.
    fn ending(&self, seen: &Seen, is_error: bool, is_whole: bool, faults: &mut Vec<String>) {
        let told = |word: &str| seen.run.contains(word);
        if is_error {
            if seen.code != Some(1) {
                faults.push(format!("nothing is left, and the exit code is {:?}", seen.code));
            }
            if seen.last.contains(": warning: ") || seen.last.is_empty() {
                faults.push(format!("the last line does not say why: {:?}", seen.last));
            }
            if !told("ok=false") {
                faults.push(format!("the failed run is not told: {:?}", seen.run));
            }
            return;
        }
        if seen.code != Some(0) {
            faults.push(format!("exit code {:?}: {}", seen.code, seen.last));
        }
        let is_partial = !is_whole || !self.good.gaps.is_empty();
        if !told(&format!("partial={is_partial}")) {
            faults.push(format!("partial={is_partial} is due: {:?}", seen.run));
        }
    }
}

/// The time of a line, where it has one.
fn time(line: &str) -> Option<i64> {
    line.rsplit_once(' ')?.1.parse().ok()
}

/// A line without its time, where that is of this run, and without the values of those fields.
fn masked(line: &str, began: i64, moving: &[String]) -> String {
    let mut text = match (line.rsplit_once(' '), time(line)) {
        (Some((rest, _)), Some(time)) if time >= began => format!("{rest} {MASK}"),
        _ => line.to_owned(),
    };
    for field in moving {
        for before in [' ', ','] {
            let Some(at) = text.find(&format!("{before}{field}=")) else {
                continue;
            };
            let start = at + field.len() + 2;
            let length = text[start..].find([',', ' ']).unwrap_or(text.len() - start);
            text.replace_range(start..start + length, MASK);
        }
    }
    text
}
