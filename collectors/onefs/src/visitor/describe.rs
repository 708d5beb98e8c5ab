//! What keys are: the cluster's own descriptions, asked for once.
//!
//! A description says how often a key has a new value. Where a cluster cannot give one just now, the key is fetched without
//! it, and asked about again soon: no value is lost for it.

use std::iter::Zip;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidemark_collect::http::HttpErrorKind;
use tidemark_collect::{Context, side_by_side};
use tidemark_papi::decode::KeyInfo;
use tidemark_papi::{ApiError, ApiErrorKind, Trouble};
use tokio::time::Instant;

use super::Visitor;
use super::told::listed;
use crate::bound::{Bound, Unanswered};
use crate::memory::lock;

/// How many keys are asked about at a time; of a cluster that answers quickly one, as each is a connection.
const KEYS_AT_A_TIME: usize = 8;
/// Up to here an answer is quick.
const QUICK: Duration = Duration::from_millis(30);
/// The time that one description has: it is small, and the values have to be fetched in the same visit.
const DESCRIPTION: Duration = Duration::from_secs(10);
/// How often a visit goes on after a description that it could not have; the other keys have their turn at the next one.
const MOST_ROUNDS: usize = 3;

/// Keys to ask about, and where the answers go.
type Waiting<'k> =
    Zip<std::slice::Iter<'k, Arc<str>>, std::slice::IterMut<'k, Option<Result<KeyInfo, Unanswered>>>>;

/// What came of asking about keys.
#[derive(Default)]
struct Asked {
    /// These the cluster does not have, as was not known.
    absent: Vec<Arc<str>>,
    /// These it could not describe, as was not known.
    failed: Vec<Arc<str>>,
    /// Why, of the first.
    why: Option<String>,
    /// These were not asked about, as the cluster had failed just before.
    waiting: Vec<Arc<str>>,
    /// A description took too long: no more are asked for.
    is_slow: bool,
    /// Why nothing more can be asked.
    ended: Option<Unanswered>,
}

impl Visitor<'_> {
    /// Asks about the keys that are not known.
    pub(super) async fn ask_about_keys(&mut self, cx: &Context, bound: &Bound<'_>) -> Result<(), Unanswered> {
        let wanted = self.plan.groups.iter().flat_map(|group| &group.keys);
        let mut unknown = lock(&self.memory).keys.unknown(wanted, Instant::now());
        if unknown.is_empty() {
            return Ok(());
        }
        self.sorted_until = None;
        let mut asked = Asked::default();
        for _ in 0..MOST_ROUNDS {
            let answers = self.descriptions_of(bound, &unknown).await;
            self.sort_out(bound, unknown, answers, &mut asked);
            if asked.ended.is_some() || asked.waiting.is_empty() {
                break;
            }
            unknown = std::mem::take(&mut asked.waiting);
            if asked.is_slow {
                break;
            }
        }
        if !asked.absent.is_empty() {
            cx.notice(format_args!(
                "the cluster does not have {}; left out for a day",
                listed(&asked.absent)
            ));
        }
        if let Some(why) = asked.why.filter(|_| !asked.failed.is_empty()) {
            cx.notice(format_args!(
                "the cluster cannot say what {} is; fetched as often as the settings let it, and asked again in a minute: \
                 {why}",
                listed(&asked.failed)
            ));
        }
        // What was learnt stays.
        asked.ended.map_or(Ok(()), Err)
    }

    async fn descriptions_of(
        &self,
        bound: &Bound<'_>,
        keys: &[Arc<str>],
    ) -> Vec<Result<KeyInfo, Unanswered>> {
        let Some((first, others)) = keys.split_first() else {
            return Vec::new();
        };
        let began = Instant::now();
        let first = self.description_of(bound, first).await;
        if matches!(first, Err(Unanswered::Late)) {
            return vec![first];
        }
        let beside = match began.elapsed() <= QUICK {
            true => Vec::new(),
            false => self.beside.take(KEYS_AT_A_TIME - 1),
        };
        let mut answers: Vec<_> = others.iter().map(|_| None).collect();
        let waiting = Mutex::new(others.iter().zip(&mut answers));
        if beside.is_empty() {
            self.describe_next(bound, &waiting).await;
        } else {
            // A few that each take the next key: a request for each key would take its memory before it begins.
            let asking = (0..=beside.len()).map(|_| self.describe_next(bound, &waiting));
            side_by_side(1 + beside.len(), asking).await;
        }
        std::iter::once(first)
            .chain(answers.into_iter().flatten())
            .collect()
    }

    async fn description_of(&self, bound: &Bound<'_>, key: &str) -> Result<KeyInfo, Unanswered> {
        let bound = bound.within(DESCRIPTION);
        bound.hold(self.api.key(key)).await
    }

    /// Asks about one key after the other, until none waits.
    async fn describe_next(&self, bound: &Bound<'_>, waiting: &Mutex<Waiting<'_>>) {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((key, answer)) = next else { break };
            *answer = Some(self.description_of(bound, key).await);
        }
    }

    /// Takes the answers to `keys`; there may be fewer of them.
    fn sort_out(
        &self,
        bound: &Bound<'_>,
        keys: Vec<Arc<str>>,
        answers: Vec<Result<KeyInfo, Unanswered>>,
        asked: &mut Asked,
    ) {
        let now = Instant::now();
        let mut memory = lock(&self.memory);
        let mut rested = false;
        let mut answers = answers.into_iter();
        for key in keys {
            let error = match answers.next() {
                Some(Ok(info)) => {
                    memory.keys.learn(&key, info, &self.descriptions);
                    continue;
                }
                None => {
                    asked.waiting.push(key);
                    continue;
                }
                Some(Err(unanswered)) => unanswered,
            };
            let why = match error {
                Unanswered::Late if !bound.is_over() => {
                    asked.is_slow = true;
                    format!("it took longer than {} s", DESCRIPTION.as_secs())
                }
                Unanswered::Api(error) if error.is_not_found() => {
                    if memory.keys.lack(&key, now) {
                        asked.absent.push(key);
                    }
                    continue;
                }
                Unanswered::Api(error) if error.is_resting() => {
                    asked.waiting.push(key);
                    continue;
                }
                Unanswered::Api(error) if is_of_the_key(&error) => {
                    if error.retry_after().is_some() {
                        // It asks to be left alone. At the next visit this key is not what it is asked for.
                        memory.keys.fail(&key, now);
                        asked.ended.get_or_insert(Unanswered::Api(error));
                        continue;
                    }
                    rested |= error.trouble().is_some();
                    tidemark_collect::chain(&error)
                }
                unanswered => {
                    asked.ended.get_or_insert(unanswered);
                    continue;
                }
            };
            if memory.keys.fail(&key, now) {
                asked.failed.push(key);
                asked.why.get_or_insert(why);
            }
        }
        drop(memory);
        if asked.ended.is_none() && rested {
            // Whether it is the cluster that is unwell, its values will show.
            self.api.retry_now();
        }
    }
}

/// Whether it may be for that one key that the cluster gave no description.
fn is_of_the_key(error: &ApiError) -> bool {
    match (error.trouble(), error.kind()) {
        (None, _) => true,
        (Some(Trouble::Passing), ApiErrorKind::Http(error)) => {
            !matches!(error.kind(), HttpErrorKind::Connect | HttpErrorKind::NoAnswer)
        }
        (Some(Trouble::Passing), _) => true,
        (Some(Trouble::NotOneFs), kind) => {
            matches!(kind, ApiErrorKind::Html { .. } | ApiErrorKind::NotOneFs { .. })
        }
        (Some(Trouble::Session | Trouble::Certificate | Trouble::Credentials), _) => false,
    }
}
