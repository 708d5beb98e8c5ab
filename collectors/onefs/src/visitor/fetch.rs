//! What is due, fetched and decoded.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::{Context, Points, Timestamp};
use tidemark_papi::decode::{self, DecodeError, Decoded, Naming};
use tidemark_papi::{ApiErrorKind, StatisticsRequest, Summary};
use tokio::time::Instant;

use super::told::{listed, without_counts};
use super::{RETRY, Visitor, Work};
use crate::bound::{Bound, Unanswered};
use crate::memory::lock;
use crate::schedule::Due;

/// The most requests that a visit makes to find out which keys a cluster refuses.
const MOST_SPLITS: usize = 24;
/// The most that the clocks of a cluster and of this host may differ before it is said.
const CLOCKS_DIFFER: Duration = Duration::from_mins(5);

/// What reads a summary.
type Read = fn(&[u8], &Naming<'_>, &mut Decoded) -> Result<(), DecodeError>;

/// What comes of a visit.
#[derive(Default)]
struct Round {
    decoded: Decoded,
    /// Keys that were asked for in vain.
    failed: BTreeSet<Arc<str>>,
    failed_summaries: Vec<Summary>,
    /// Keys that were refused each by itself.
    refused: Vec<(Arc<str>, Unanswered)>,
    /// Whether the values of other keys came.
    has_values: bool,
    /// Requests that were answered.
    answered: usize,
    /// What was not, and why.
    failures: Vec<(&'static str, Unanswered)>,
    /// No more are made.
    is_over: bool,
    splits: usize,
}

impl Visitor<'_> {
    /// Fetches what is due.
    pub(super) async fn fetch(
        &mut self,
        cx: &Context,
        bound: &Bound<'_>,
        due: Due<Work>,
    ) -> Result<Points, Unanswered> {
        let name = self.target();
        let naming = Naming {
            cluster: &name,
            include_degraded: self.plan.include_degraded,
            now: cx.now(),
        };
        let mut round = Round::default();
        for keys in self.together(&due) {
            self.fetch_keys(bound, keys, &naming, &mut round).await;
        }
        self.judge_refused(cx, &mut round);
        for (_, work) in &due.lines {
            if let Work::Summary(summary) = work {
                self.fetch_summary(bound, *summary, &naming, &mut round).await;
            }
        }
        self.put_back(&due, &round);
        let mut failures = round.failures.into_iter();
        // Where nothing came of the visit, the first is its error.
        let error = match round.answered {
            0 => failures.next(),
            _ => None,
        };
        for (what, why) in failures {
            cx.gap(format_args!("{what}: {why}"));
        }
        match error {
            Some((_, why)) => Err(why),
            None => Ok(self.told_of(cx, round.decoded)),
        }
    }

    /// The keys that are due, by requests that are kept apart.
    fn together(&self, due: &Due<Work>) -> Vec<Vec<Arc<str>>> {
        let buckets = due.lines.iter().filter_map(|(_, work)| match work {
            Work::Bucket(bucket) => Some(&bucket.keys),
            Work::Summary(_) => None,
        });
        if self.plan.by_group {
            return buckets.cloned().collect();
        }
        let all: Vec<Arc<str>> = buckets.flatten().cloned().collect();
        if all.is_empty() { Vec::new() } else { vec![all] }
    }

    /// The requests for these keys: those of the last time, where the keys are the same.
    fn requests(&mut self, keys: &[Arc<str>]) -> Arc<[StatisticsRequest]> {
        if self.asked.0 != keys {
            self.asked = (keys.to_vec(), self.api.requests(keys).into());
        }
        Arc::clone(&self.asked.1)
    }

    async fn fetch_keys(
        &mut self,
        bound: &Bound<'_>,
        keys: Vec<Arc<str>>,
        naming: &Naming<'_>,
        round: &mut Round,
    ) {
        let mut waiting = VecDeque::from([keys]);
        while let Some(keys) = waiting.pop_front() {
            let mut rest = &keys[..];
            for request in &*self.requests(&keys) {
                let (asked, later) = rest.split_at(request.keys().min(rest.len()));
                rest = later;
                if round.is_over {
                    round.failed.extend(asked.iter().cloned());
                    continue;
                }
                let answer = bound.hold(self.api.current(request)).await;
                let unanswered = match answer {
                    Ok(body) => match decode::statistics(&body, naming, &mut round.decoded) {
                        Ok(()) => {
                            round.answered += 1;
                            round.has_values = true;
                            continue;
                        }
                        Err(cause) => Unanswered::Api(self.api.unreadable(request.url(), &body, cause)),
                    },
                    Err(unanswered) => unanswered,
                };
                if refuses_a_key(&unanswered) {
                    if asked.len() > 1 && round.splits + 2 <= MOST_SPLITS {
                        // One of the keys is at fault; the others are as good as before.
                        round.splits += 2;
                        let (one, other) = asked.split_at(asked.len() / 2);
                        waiting.extend([one.to_vec(), other.to_vec()]);
                        continue;
                    }
                    if let [key] = asked {
                        round.refused.push((Arc::clone(key), unanswered));
                        continue;
                    }
                }
                round.failed.extend(asked.iter().cloned());
                round.fails("statistics", unanswered);
            }
        }
    }

    async fn fetch_summary(
        &self,
        bound: &Bound<'_>,
        summary: Summary,
        naming: &Naming<'_>,
        round: &mut Round,
    ) {
        if round.is_over {
            round.failed_summaries.push(summary);
            return;
        }
        let (what, read): (_, Read) = match summary {
            Summary::Protocol => ("the summary of protocols", decode::protocol),
            Summary::Client => ("the summary of clients", decode::client),
            Summary::Drive => ("the summary of drives", decode::drive),
        };
        let unanswered = match bound.hold(self.api.summary(summary)).await {
            Ok(body) => match read(&body, naming, &mut round.decoded) {
                Ok(()) => {
                    round.answered += 1;
                    return;
                }
                Err(cause) => {
                    let url = self.api.summary_url(summary);
                    Unanswered::Api(self.api.unreadable(&url, &body, cause))
                }
            },
            Err(unanswered) => unanswered,
        };
        round.failed_summaries.push(summary);
        round.fails(what, unanswered);
    }

    /// A key that is refused while others are answered is at fault itself. Where all are refused, the cluster is, and
    /// they are tried again.
    fn judge_refused(&mut self, cx: &Context, round: &mut Round) {
        for (key, why) in mem::take(&mut round.refused) {
            if round.has_values {
                self.leave_out(cx, &key, &why);
            } else {
                round.failed.insert(key);
                round.fails("statistics", why);
            }
        }
    }

    /// A key that the cluster refuses is left out for a day.
    fn leave_out(&mut self, cx: &Context, key: &str, why: &Unanswered) {
        if lock(&self.memory).keys.leave_out(key, Instant::now()) {
            cx.notice(format_args!("the key {key} is left out for a day: {why}"));
        }
        self.sorted_until = None;
    }

    /// What failed is tried again soon, where its own moment is far; where nothing came of the visit, at the next one.
    fn put_back(&mut self, due: &Due<Work>, round: &Round) {
        let is_vain = round.answered == 0;
        let again = Instant::now() + if is_vain { Duration::ZERO } else { RETRY };
        for (interval, work) in &due.lines {
            let failed = match work {
                Work::Bucket(bucket) => bucket.keys.iter().any(|key| round.failed.contains(key)),
                Work::Summary(summary) => round.failed_summaries.contains(summary),
            };
            if failed && (is_vain || *interval > RETRY) {
                self.schedule.put_back(work, again);
            }
        }
    }

    /// The points of a visit, with what the cluster said beside them told.
    fn told_of(&mut self, cx: &Context, mut decoded: Decoded) -> Points {
        let now = Instant::now();
        let mut absent = Vec::new();
        {
            let mut memory = lock(&self.memory);
            for (key, said) in &decoded.absent {
                // One node may have no such thing while the others do.
                if !said.elsewhere && memory.keys.leave_out(key, now) {
                    absent.push(&**key);
                }
            }
        }
        if !absent.is_empty() {
            self.sorted_until = None;
            cx.notice(format_args!(
                "the cluster has nothing for {}; left out for a day",
                listed(&absent)
            ));
        }
        for (code, skipped) in &decoded.skipped {
            let said = match skipped.message.is_empty() {
                true => String::new(),
                false => format!(": {}", self.api.clean(&skipped.message)),
            };
            cx.gap(format_args!(
                "values are missing, as of {}: {code}{said}",
                skipped.key
            ));
        }
        if !decoded.warnings.is_empty() {
            cx.notice(format_args!("left out of the answers: {}", decoded.warnings));
        }
        let newest = decoded.points.iter().map(|point| point.time()).max();
        if let Some(newest) = newest
            && let Some(differ) = differ(newest, cx.now())
            && self.told.clock(now)
        {
            cx.notice(differ);
        }
        {
            let mut memory = lock(&self.memory);
            let name = self.name_of(&memory);
            memory
                .derived
                .derive(&self.plan.derivations, &name, &mut decoded.points);
        }
        let adjustments = mem::take(decoded.points.adjustments_mut());
        if !adjustments.is_empty() {
            cx.notice(format_args!(
                "changed, so that the points can be stored: {}",
                without_counts(adjustments)
            ));
        }
        self.show(cx, &decoded.points);
        decoded.points
    }
}

impl Round {
    fn fails(&mut self, what: &'static str, why: Unanswered) {
        self.is_over |= why.is_final();
        let said = why.to_string();
        let is_said = |(other, before): &(&str, Unanswered)| *other == what && before.to_string() == said;
        if !self.failures.iter().any(is_said) {
            self.failures.push((what, why));
        }
    }
}

/// Whether it may be for one of many keys that the cluster gives none.
fn refuses_a_key(unanswered: &Unanswered) -> bool {
    match unanswered {
        Unanswered::Api(error) => match error.kind() {
            ApiErrorKind::NotFound { .. } => true,
            ApiErrorKind::Refused { status, .. } => *status < 500,
            ApiErrorKind::Unreadable { cause, .. } => matches!(cause, DecodeError::Refused { .. }),
            _ => false,
        },
        Unanswered::Late | Unanswered::Stopped => false,
    }
}

/// What to say where the cluster's clock and ours differ by much.
fn differ(newest: Timestamp, now: Timestamp) -> Option<String> {
    let between = Duration::from_nanos(newest.nanos().abs_diff(now.nanos()));
    let what = if newest > now { "ahead of" } else { "behind" };
    (between > CLOCKS_DIFFER).then(|| {
        format!(
            "the cluster's newest value is {} s {what} this host's clock; one of the clocks is wrong",
            between.as_secs()
        )
    })
}
