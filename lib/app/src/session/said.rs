//! What was said of the runs before, so that only what is new is said aloud.
//!
//! A collector without targets says each run in a line, and `still:` of what the run before lacked too. One with many targets
//! may end eighty runs a second: there a run's line and its `still:` are for who asks (`-v`), what is new of a target is said
//! once, and each minute a line sums up. A target's runs may look at other things in turns: what was said of it is known for
//! as long as it comes back within an hour, a failure until a run that is well. A text that differs in a count alone (`17
//! bytes`, where another number stood) is the same.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::summary::counted;
use crate::exit::Failure;
use crate::log::RUN;

/// How often a line sums up the runs of targets.
const PERIOD: Duration = Duration::from_secs(60);

/// The most that is said aloud of targets in a period. What is beyond is counted, and as new in the next.
const MAX_ALOUD: u32 = 100;

/// The most targets that are remembered. Of others, everything is new.
const MAX_TARGETS: usize = 4096;

/// Periods after which a target that was not seen is forgotten.
const FORGOTTEN_AFTER: u64 = 60;

/// How long what was said of a target is known, since it was so last.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);

/// The most texts that are known of a target; the one that was so longest ago goes first.
const MAX_KNOWN: usize = 256;

/// The most failing targets that a line names, and the most characters of why.
const MAX_NAMED: usize = 3;
const MAX_WHY: usize = 100;

/// What was said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Of runs without a target.
    alone: Subject,
    targets: HashMap<String, Subject>,
    /// Of targets that are too many to remember.
    stranger: Subject,
    period: Period,
}

/// What was said of a target's runs.
#[derive(Debug, Default)]
struct Subject {
    /// What is known.
    known: Vec<Known>,
    /// How many runs there were.
    runs: u64,
    /// Why the last run failed, where it did.
    failed: Option<String>,
    /// The period of the last run.
    seen: u64,
}

/// A text that was said.
#[derive(Debug)]
struct Known {
    /// The text without its counts.
    gist: String,
    /// The run that it was said of last, and when.
    run: u64,
    at: Instant,
}

/// Since the last line that summed up.
#[derive(Debug, Default)]
struct Period {
    number: u64,
    ends: Option<Instant>,
    runs: usize,
    targets: usize,
    points: usize,
    gaps: usize,
    aloud: u32,
    unsaid: usize,
}

/// How something is said.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum How {
    Aloud,
    /// It is known.
    Still,
    /// There was too much aloud.
    Unsaid,
}

impl Subject {
    /// A run of a target begins: what was not so for long is known no more.
    fn begin(&mut self) {
        let now = Instant::now();
        self.known
            .retain(|known| now.duration_since(known.at) < KNOWN_FOR);
        self.runs += 1;
    }

    /// A run without a target begins: what was not so at the run before is known no more.
    fn begin_alone(&mut self) {
        let before = self.runs;
        self.known.retain(|known| known.run == before);
        self.runs += 1;
    }

    /// How `text` is to be said, and remembers that it is.
    fn how(&mut self, text: &str, aloud: Option<&mut Period>) -> How {
        let (run, at) = (self.runs, Instant::now());
        let gist = gist(text);
        if let Some(known) = self.known.iter_mut().find(|known| known.gist == gist) {
            (known.run, known.at) = (run, at);
            return How::Still;
        }
        if aloud.is_some_and(|period| !period.may_be_aloud()) {
            return How::Unsaid;
        }
        if self.known.len() >= MAX_KNOWN {
            let longest = (0..self.known.len()).min_by_key(|index| self.known[*index].at);
            longest.map(|index| self.known.swap_remove(index));
        }
        self.known.push(Known { gist, run, at });
        How::Aloud
    }

    /// The failure before is over; true where there was one.
    fn recover(&mut self) -> bool {
        let Some(failed) = self.failed.take() else {
            return false;
        };
        let failed = gist(&failed);
        self.known.retain(|known| known.gist != failed);
        true
    }
}

impl Period {
    fn may_be_aloud(&mut self) -> bool {
        if self.aloud == MAX_ALOUD {
            self.unsaid += 1;
            return false;
        }
        self.aloud += 1;
        true
    }
}

impl Said {
    /// A run has ended, with this to be said of it before it is kept.
    pub(super) fn begin(&mut self, target: Option<&str>, gaps: &[String], notices: &[String]) {
        let Some(target) = target else {
            self.alone.begin_alone();
            for gap in gaps {
                match self.alone.how(gap, None) {
                    How::Aloud => tracing::warn!("{gap}"),
                    _ => tracing::info!("still: {gap}"),
                }
            }
            for notice in notices {
                tracing::info!("{notice}");
            }
            return;
        };
        self.count_run(target, gaps.len());
        let (subject, period) = self.of(target);
        subject.begin();
        for gap in gaps {
            let text = named(target, gap);
            match subject.how(gap, Some(&mut *period)) {
                How::Aloud => tracing::warn!("{text}"),
                How::Still => tracing::debug!("still: {text}"),
                How::Unsaid => tracing::debug!("{text}"),
            }
        }
        for notice in notices {
            let text = named(target, notice);
            match subject.how(notice, Some(&mut *period)) {
                How::Aloud => tracing::info!("{text}"),
                How::Still => tracing::debug!("still: {text}"),
                How::Unsaid => tracing::debug!("{text}"),
            }
        }
    }

    /// The run that began last is kept, as `line` says, or has failed. How it was, in a line.
    pub(super) fn end(
        &mut self,
        target: Option<&str>,
        points: usize,
        line: String,
        outcome: Result<(), Failure>,
    ) -> String {
        match (target, outcome) {
            (None, Ok(())) => {
                tracing::info!(target: RUN, points, "{line}");
                line
            }
            (None, Err(failure)) => {
                let text = failure.to_string();
                match self.alone.how(&text, None) {
                    How::Aloud => tracing::error!("{text}"),
                    _ => tracing::info!("still: {text}"),
                }
                format!("failed: {text}")
            }
            (Some(target), Ok(())) => {
                let (subject, period) = self.of(target);
                period.points += points;
                if subject.recover() {
                    tracing::info!("{target}: well again");
                }
                let line = format!("{target}: {line}");
                tracing::debug!(points, "{line}");
                line
            }
            (Some(target), Err(failure)) => {
                let (subject, period) = self.of(target);
                let text = failure.to_string();
                let line = named(target, &text);
                match subject.how(&text, Some(period)) {
                    How::Aloud => tracing::warn!("{line}"),
                    How::Still => tracing::debug!("still: {line}"),
                    How::Unsaid => tracing::debug!("{line}"),
                }
                subject.failed = Some(text);
                format!("failed: {line}")
            }
        }
    }

    fn of(&mut self, target: &str) -> (&mut Subject, &mut Period) {
        let subject = self.targets.get_mut(target).unwrap_or(&mut self.stranger);
        (subject, &mut self.period)
    }

    fn count_run(&mut self, target: &str, gaps: usize) {
        let period = &mut self.period;
        period.ends.get_or_insert_with(|| Instant::now() + PERIOD);
        period.runs += 1;
        period.gaps += gaps;
        if !self.targets.contains_key(target) && self.targets.len() < MAX_TARGETS {
            let unseen = Subject {
                seen: u64::MAX,
                ..Subject::default()
            };
            self.targets.insert(target.to_owned(), unseen);
        }
        match self.targets.get_mut(target) {
            Some(subject) if subject.seen != period.number => {
                subject.seen = period.number;
                period.targets += 1;
            }
            Some(_) => {}
            None => self.stranger = Subject::default(),
        }
    }

    /// Waits until it is time to sum up. Safe to drop while it waits.
    pub(super) async fn period_ended(&self) {
        match self.period.ends {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// Says what the runs of targets came to since the last time, and forgets targets that are gone.
    pub(super) fn sum_up(&mut self) {
        let number = self.period.number + 1;
        let period = std::mem::take(&mut self.period);
        self.period.number = number;
        self.targets
            .retain(|_, subject| subject.seen.saturating_add(FORGOTTEN_AFTER) > number);
        if period.runs > 0 {
            let line = self.line(&period);
            tracing::info!(target: RUN, points = period.points, "{line}");
        }
    }

    fn line(&self, period: &Period) -> String {
        let mut line = format!(
            "{} of {}: collected {}",
            counted(period.runs, "run"),
            counted(period.targets, "target"),
            counted(period.points, "point")
        );
        if period.gaps > 0 {
            line.push_str(&format!(", with {}", counted(period.gaps, "gap")));
        }
        let failing = self.targets.iter();
        let mut failing: Vec<(&str, &str)> = failing
            .filter_map(|(target, subject)| Some((target.as_str(), subject.failed.as_deref()?)))
            .collect();
        failing.sort_unstable();
        if !failing.is_empty() {
            line.push_str(&format!("; {} failing: ", failing.len()));
            let named: Vec<String> = failing.iter().take(MAX_NAMED).map(short).collect();
            line.push_str(&named.join(", "));
            if failing.len() > MAX_NAMED {
                line.push_str(&format!(" and {} more", failing.len() - MAX_NAMED));
            }
        }
        if period.unsaid > 0 {
            line.push_str(&format!(
                "; {} more was to be said: see `tidemark status`, or -v",
                period.unsaid
            ));
        }
        line
    }
}

/// `text` with its target before it, but where it begins with it or has an address of it: a name such as `down` or `cl1` may
/// be anywhere in a text by chance.
fn named(target: &str, text: &str) -> String {
    let is_name = |at: usize| {
        let (before, after) = (&text[..at], &text[at + target.len()..]);
        (before.is_empty() || before.ends_with("://"))
            && !after.starts_with(|next: char| next.is_alphanumeric() || next == '-' || next == '_')
    };
    if target.is_empty() || text.match_indices(target).any(|(at, _)| is_name(at)) {
        text.to_owned()
    } else {
        format!("{target}: {text}")
    }
}

/// `text` without its counts, which are other numbers at each run of what goes on: the digits of a word of digits alone that
/// another word follows. Codes in brackets, ports and names with digits in them stay.
fn gist(text: &str) -> String {
    let mut gist = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let (digits, after) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        let begins = before.is_empty() && gist.is_empty() || before.ends_with([' ', '(']);
        let mut next = after.chars();
        let is_count = begins && next.next() == Some(' ') && next.next().is_some_and(char::is_alphabetic);
        gist.push_str(before);
        gist.push_str(if is_count { "N" } else { digits });
        rest = after;
    }
    gist + rest
}

fn short((target, why): &(&str, &str)) -> String {
    let mut short: String = why.chars().take(MAX_WHY).collect();
    if short.len() < why.len() {
        short.push('…');
    }
    format!("{target} ({short})")
}

#[cfg(test)]
mod tests;
