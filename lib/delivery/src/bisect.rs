//! Finding the bad points of a batch, so that they cost none of the good ones.
//!
//! A refused request says which lines are bad (quoted, numbered, or older than a time), or which field is (its lines are
//! tried apart), or nothing: then it is halved. After [`MAX_REQUESTS`], those that were taken included, the rest of a
//! batch is refused by the last reason. Where halving went down to single lines, and each half on the way failed for the
//! same reason as its other half, every line is bad in the same way: the rest is refused without asking for each. Fewer
//! lines than `2^MIN_DEPTH` are all asked for.

use std::collections::HashMap;

use tidemark_point::{Timestamp, line};

use crate::lines::{LineTexts, Lines};
use crate::plan::{Halves, Plan};
use crate::policy::{Refusal, Suspect};

/// The most requests that a batch gets to find its bad points.
pub(crate) const MAX_REQUESTS: u32 = 60;

/// Halvings in a row that must fail alike before the rest is refused unasked.
const MIN_DEPTH: u32 = 4;

/// So many single lines that are too large, and none that was taken, are not what is wrong.
const TOO_LARGE: u32 = 4;

/// A line that is refused for good.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rejection {
    pub(crate) line: u32,
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
}

/// The search through one batch: what is to be sent, and what came of it so far.
#[derive(Debug)]
pub(crate) struct Search {
    plan: Plan,
    /// To be sent, the last one first.
    tasks: Vec<Task>,
    splits: Vec<Split>,
    searches: u32,
    /// Requests that were refused, or that what they were divided into took; those of earlier deliveries included.
    pub(crate) requests: u32,
    /// Single lines that were too large.
    too_large: u32,
    /// What was refused last.
    last: Option<Refusal>,
    pub(crate) delivered: u64,
    pub(crate) rejected: Vec<Rejection>,
}

#[derive(Debug)]
struct Task {
    lines: Lines,
    /// The split that it is a half of.
    half_of: Option<usize>,
    /// Which search it belongs to: what is divided without halving becomes a search of its own.
    search: u32,
    /// Whether it is a part of what was refused: then it counts, whatever comes of it.
    probes: bool,
}

/// A refused request that was halved.
#[derive(Debug)]
struct Split {
    search: u32,
    /// Halvings above it.
    depth: u32,
    /// Every half on the way here failed for the same reason as its other half.
    uniform: bool,
    /// Its halves are one series: the first is searched to its end before the second is sent.
    in_order: bool,
    /// The halves that failed, each with what was said.
    failed: Vec<(Lines, Refusal)>,
    outstanding: u8,
}

/// Where a request stands in its search.
#[derive(Copy, Clone)]
struct Ancestry {
    search: u32,
    depth: u32,
    uniform: bool,
}

impl Search {
    pub(crate) fn new(plan: impl Into<Plan>, requests: u32) -> Self {
        let mut plan = plan.into();
        let parts = plan.take_parts();
        let mut search = Self {
            plan,
            tasks: Vec::new(),
            splits: Vec::new(),
            searches: 0,
            requests,
            too_large: 0,
            last: None,
            delivered: 0,
            rejected: Vec::new(),
        };
        parts
            .into_iter()
            .rev()
            .for_each(|lines| search.begin(lines, false));
        search
    }

    /// A search of its own through these lines.
    fn begin(&mut self, lines: Lines, probes: bool) {
        self.searches += 1;
        if !lines.is_empty() {
            self.tasks.push(Task {
                lines,
                half_of: None,
                search: self.searches,
                probes,
            });
        }
    }

    /// The lines to send next; none where every line is settled.
    pub(crate) fn next(&self) -> Option<&Lines> {
        self.tasks.last().map(|task| &task.lines)
    }

    /// The lines that are not settled.
    pub(crate) fn rest(&self) -> Lines {
        let halves = self
            .splits
            .iter()
            .flat_map(|split| split.failed.iter().map(|(lines, _)| lines));
        Lines::union(self.tasks.iter().map(|task| &task.lines).chain(halves))
    }

    /// The sink took the lines.
    pub(crate) fn stored(&mut self) {
        if let Some(task) = self.tasks.pop() {
            self.delivered += u64::from(task.lines.count());
            self.half_done(task.half_of, None);
            self.spend(task.probes);
        }
    }

    /// Counts a request. After too many, what is left is refused by the last reason.
    fn spend(&mut self, counts: bool) {
        self.requests += u32::from(counts);
        if self.requests >= MAX_REQUESTS
            && let Some(refusal) = self.last.take()
        {
            let rest = self.rest();
            self.reject(&rest, &refusal);
            self.tasks.clear();
            self.splits.clear();
        }
    }

    /// The request was too large: it is halved; a single line is refused. False where that is no line's fault: nothing
    /// was taken, and [`TOO_LARGE`] single lines were too large; then all of them are left.
    pub(crate) fn too_large(&mut self, status: Option<u16>, said: &str) -> bool {
        let Some(task) = self.tasks.pop() else { return true };
        let single = task.lines.count() <= 1;
        if single {
            let refusal = Refusal {
                status,
                reason: said.to_owned(),
                ..Refusal::default()
            };
            self.reject(&task.lines, &refusal);
            self.too_large += 1;
            if self.too_large >= TOO_LARGE && self.delivered == 0 && self.last.is_none() {
                let mut numbers: Vec<u32> = self.rejected.drain(..).map(|rejection| rejection.line).collect();
                numbers.sort_unstable();
                let mut lines = Lines::default();
                numbers.into_iter().for_each(|line| lines.push(line..line + 1));
                self.begin(lines, false);
                return false;
            }
            if self.delivered > 0 {
                self.last = Some(refusal);
            }
        } else {
            let Halves { first, second, .. } = self.plan.halves(&task.lines);
            let halves = [second, first].into_iter();
            halves.for_each(|lines| self.begin(lines, task.probes));
        }
        self.half_done(task.half_of, None);
        self.spend(task.probes || single);
        true
    }

    /// Some of the lines are bad.
    pub(crate) fn refused(&mut self, refusal: Refusal, texts: &LineTexts<'_>) {
        let Some(task) = self.tasks.pop() else { return };
        self.last = Some(refusal.clone());
        let named = named(&task.lines, &refusal, texts);
        if !named.is_empty() {
            let (bad, rest) = task.lines.partition(|line| named.contains_key(&line));
            for line in bad.iter() {
                let reason = named.get(&line).unwrap_or(&refusal.reason).clone();
                self.rejected.push(Rejection {
                    line,
                    status: refusal.status,
                    reason,
                });
            }
            self.begin(rest, true);
            self.half_done(task.half_of, None);
        } else if let Some((suspects, others)) = apart(&task.lines, &refusal, texts) {
            [suspects, others]
                .into_iter()
                .for_each(|lines| self.begin(lines, true));
            self.half_done(task.half_of, None);
        } else if let Some(depth) = self.depth_in_order(&task) {
            self.divide(
                task.lines,
                &refusal,
                Ancestry {
                    search: task.search,
                    depth,
                    uniform: false,
                },
            );
        } else if task.half_of.is_some() {
            self.half_done(task.half_of, Some((task.lines, refusal.clone())));
        } else {
            self.divide(
                task.lines,
                &refusal,
                Ancestry {
                    search: task.search,
                    depth: 0,
                    uniform: true,
                },
            );
        }
        self.spend(true);
    }

    /// Whether a half is to be searched before the other one is sent: then the halvings above its own halves.
    fn depth_in_order(&self, task: &Task) -> Option<u32> {
        let split = self.splits.get(task.half_of?)?;
        split.in_order.then_some(split.depth + 1)
    }

    /// One half is settled, or has failed. When both are known, the failed ones are searched.
    fn half_done(&mut self, split: Option<usize>, failed: Option<(Lines, Refusal)>) {
        let Some(split) = split.and_then(|place| self.splits.get_mut(place)) else {
            return;
        };
        split.failed.extend(failed);
        split.outstanding = split.outstanding.saturating_sub(1);
        if split.outstanding > 0 {
            return;
        }
        let failed = std::mem::take(&mut split.failed);
        let alike = matches!(failed.as_slice(), [(_, first), (_, second)] if same_reason(&first.reason, &second.reason));
        let uniform = split.uniform && alike;
        let ancestry = Ancestry {
            search: split.search,
            depth: split.depth + 1,
            uniform,
        };
        let ends = failed.iter().all(|(lines, _)| lines.count() == 1);
        for (lines, refusal) in &failed {
            self.divide(lines.clone(), refusal, ancestry);
        }
        if let (true, true, Some((_, refusal))) =
            (uniform && ancestry.depth >= MIN_DEPTH, ends, failed.first())
        {
            self.give_up(ancestry.search, refusal);
        }
    }

    /// Refuses what is left of a search.
    fn give_up(&mut self, search: u32, refusal: &Refusal) {
        let mut lines = Vec::new();
        self.tasks.retain_mut(|task| {
            let gone = task.search == search;
            if gone {
                lines.push(std::mem::take(&mut task.lines));
            }
            !gone
        });
        for split in self.splits.iter_mut().filter(|split| split.search == search) {
            lines.extend(split.failed.drain(..).map(|(lines, _)| lines));
        }
        lines.iter().for_each(|lines| self.reject(lines, refusal));
    }

    fn divide(&mut self, lines: Lines, refusal: &Refusal, ancestry: Ancestry) {
        if lines.count() <= 1 {
            self.reject(&lines, refusal);
            return;
        }
        let Halves {
            first,
            second,
            in_order,
        } = self.plan.halves(&lines);
        let Ancestry {
            search,
            depth,
            uniform,
        } = ancestry;
        self.splits.push(Split {
            search,
            depth,
            uniform,
            in_order,
            failed: Vec::new(),
            outstanding: 2,
        });
        let half_of = Some(self.splits.len() - 1);
        self.tasks.extend([second, first].map(|lines| Task {
            lines,
            half_of,
            search,
            probes: true,
        }));
    }

    fn reject(&mut self, lines: &Lines, refusal: &Refusal) {
        let (status, reason) = (refusal.status, &refusal.reason);
        self.rejected.extend(lines.iter().map(|line| Rejection {
            line,
            status,
            reason: reason.clone(),
        }));
    }
}

/// The lines that an answer names, each with its reason.
fn named(lines: &Lines, refusal: &Refusal, texts: &LineTexts<'_>) -> HashMap<u32, String> {
    let mut named: HashMap<u32, String> = HashMap::new();
    if !refusal.quoted.is_empty() {
        let quoted: HashMap<&[u8], &str> = refusal
            .quoted
            .iter()
            .map(|(line, reason)| (line.as_bytes(), reason.as_str()))
            .collect();
        for line in lines.iter() {
            if let Some(reason) = quoted.get(texts.get(line)) {
                named.insert(line, (*reason).to_owned());
            }
        }
    }
    // What is quoted is certain; a number is what is left.
    if named.is_empty() && !refusal.numbered.is_empty() {
        let numbered: HashMap<u32, &str> = refusal
            .numbered
            .iter()
            .map(|(number, reason)| (*number, reason.as_str()))
            .collect();
        for (number, line) in (0..).zip(lines.iter()) {
            if let Some(reason) = numbered.get(&number) {
                named.insert(line, (*reason).to_owned());
            }
        }
    }
    if let (Some(too_old), true) = (&refusal.too_old, named.is_empty()) {
        let (early, _) = lines.partition(|line| is_before(texts.get(line), too_old.before));
        // Else the server kept some of them, and the others are to be found.
        if u64::from(early.count()) == too_old.count {
            named.extend(early.iter().map(|line| (line, refusal.reason.clone())));
        }
    }
    named
}

fn is_before(text: &[u8], time: Timestamp) -> bool {
    let point = std::str::from_utf8(text)
        .ok()
        .and_then(|text| line::parse_line(text).ok());
    point.and_then(|point| point.time()).is_some_and(|own| own < time)
}

/// The lines that have the field which the answer names, and the others; nothing where that divides nothing.
fn apart(lines: &Lines, refusal: &Refusal, texts: &LineTexts<'_>) -> Option<(Lines, Lines)> {
    let suspect = refusal.suspect.as_ref()?;
    let (suspects, others) = lines.partition(|line| has_field(texts.get(line), suspect));
    (!suspects.is_empty() && !others.is_empty()).then_some((suspects, others))
}

fn has_field(text: &[u8], suspect: &Suspect) -> bool {
    let Some(point) = std::str::from_utf8(text)
        .ok()
        .and_then(|text| line::parse_line(text).ok())
    else {
        // What cannot be read may well be what is bad.
        return true;
    };
    point.measurement() == suspect.measurement
        && point.fields().iter().any(|(field, _)| *field == suspect.field)
}

/// How newer Prometheus begins to say that a sample is there already; the time and both values follow.
const DUPLICATE: &str = "duplicate sample for timestamp";

/// Whether two answers say the same: the numbers that count points differ between halves, and so do the points that are
/// named as the oldest and the newest.
fn same_reason(one: &str, other: &str) -> bool {
    fn gist(reason: &str) -> &str {
        let reason = reason
            .find(" points outside retention policy ")
            .and_then(|start| reason.get(start..))
            .unwrap_or(reason);
        if reason.starts_with(DUPLICATE) {
            return DUPLICATE;
        }
        let reason = reason
            .split_once(" - oldest point ")
            .map_or(reason, |(reason, _)| reason);
        reason
            .rsplit_once(" dropped=")
            .map_or(reason, |(reason, _)| reason)
    }
    gist(one) == gist(other)
}

#[cfg(test)]
#[path = "bisect/tests.rs"]
mod tests;
