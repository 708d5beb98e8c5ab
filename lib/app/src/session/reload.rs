//! When the settings are read anew, and what comes of it.
//!
//! A SIGHUP asks for it, and a change of a file that they were read from. The files are looked at once a second, and read
//! once two looks found the same: a file that is being written is not read half. What is read is read on a thread of its own:
//! the collector goes on meanwhile, and a file system that hangs holds up nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::Metric;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::Extras;
use crate::exit::Failure;
use crate::generation::{Generation, Origin};
use crate::signals::Hangups;
use crate::watch::{Seen, Watched};

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks in a row may find something else each time before it is read all the same.
const MAX_RESTLESS: u32 = 10;

/// How long after settings were read they are not read again: signals that come faster are one.
const REST: Duration = Duration::from_secs(1);

/// What was read, or why not.
type Outcome<M> = Result<(M, Generation), Failure>;

/// When the settings are read anew.
pub(super) struct Reloads<M> {
    origin: Arc<Origin>,
    read: fn(&Origin, &[String], Seen) -> Outcome<M>,
    hangups: Hangups,
    watched: Arc<Watched>,
    /// What was found when the settings were read last, whether they were taken or not.
    seen: Seen,
    /// What the last look found, where that is something else.
    other: Option<Seen>,
    restless: u32,
    look: Option<JoinHandle<Seen>>,
    next_look: Instant,
    job: Option<JoinHandle<(Seen, Outcome<M>)>>,
    asked: Option<&'static str>,
    not_before: Instant,
}

/// What happened.
pub(super) enum Reload<M> {
    /// The settings are being read, because of this.
    Begins(&'static str),
    /// They are as they should be.
    Ready(Box<(M, Generation)>),
    /// They are not, and those before stay in force.
    Refused(Failure),
    /// The terminal is gone: to end.
    HungUp,
}

impl<M: Metric> Reloads<M> {
    /// Listens and looks from now on, for changes of what `generation` was made of.
    pub(super) fn listen<E: Extras<M>>(origin: Origin, generation: &Generation) -> std::io::Result<Self> {
        let read = |origin: &Origin, said: &[String], seen: Seen| {
            let outcome = origin.read::<M, E>(said, seen);
            outcome.map_err(|unready| unready.failure)
        };
        let now = Instant::now();
        Ok(Self {
            origin: Arc::new(origin),
            read,
            hangups: Hangups::listen()?,
            watched: Arc::new(generation.watched.clone()),
            seen: generation.seen.clone(),
            other: None,
            restless: 0,
            look: None,
            next_look: now + LOOK,
            job: None,
            asked: None,
            not_before: now,
        })
    }

    /// These settings are in force now.
    pub(super) fn in_force(&mut self, generation: &Generation) {
        self.watched = Arc::new(generation.watched.clone());
        self.seen = generation.seen.clone();
        // What it finds is of the files before.
        self.look = None;
        self.other = None;
    }

    /// Waits for the next thing that happens; `said` are the notices of the settings in force. Safe to drop while it waits.
    pub(super) async fn next(&mut self, said: &[String]) -> Reload<M> {
        loop {
            if let Some(job) = &mut self.job {
                tokio::select! {
                    ended = job => {
                        self.job = None;
                        return self.ended(ended);
                    }
                    anew = self.hangups.next() => match anew {
                        // What is read now may be from before the signal.
                        true => self.asked = Some("SIGHUP"),
                        false => return Reload::HungUp,
                    }
                }
                continue;
            }
            if let Some(why) = self.asked.filter(|_| self.not_before <= Instant::now()) {
                self.asked = None;
                self.begin(said);
                return Reload::Begins(why);
            }
            let (asked, not_before) = (self.asked.is_some(), self.not_before);
            tokio::select! {
                anew = self.hangups.next() => match anew {
                    true => self.asked = Some("SIGHUP"),
                    false => return Reload::HungUp,
                },
                () = tokio::time::sleep_until(not_before), if asked => {}
                changed = looked(&mut self.look, self.next_look, &self.watched, self.other.as_ref().unwrap_or(&self.seen)) => {
                    self.look = None;
                    self.next_look = Instant::now() + LOOK;
                    if let Some(now) = changed && self.has_changed(now) {
                        self.asked = Some("the settings have changed");
                    }
                }
            }
        }
    }

    /// Whether what is found `now` is something else than what was read, and stays so.
    fn has_changed(&mut self, now: Seen) -> bool {
        if now == self.seen {
            // Its stamps may be newer.
            self.seen = now;
            (self.other, self.restless) = (None, 0);
            return false;
        }
        self.restless += 1;
        let is_still = self.other.as_ref() == Some(&now) || self.restless > MAX_RESTLESS;
        self.other = Some(now);
        is_still
    }

    fn begin(&mut self, said: &[String]) {
        let (origin, watched) = (Arc::clone(&self.origin), Arc::clone(&self.watched));
        let (read, said, seen) = (self.read, said.to_owned(), self.seen.clone());
        (self.look, self.other, self.restless) = (None, None, 0);
        self.job = Some(spawn_blocking(move || {
            let seen = watched.look(&seen);
            let before = seen.clone();
            // A collector's own mistake ends the reload alone.
            let outcome = catch_unwind(AssertUnwindSafe(|| read(&origin, &said, before)));
            (seen, outcome.unwrap_or_else(|_| Err(panicked())))
        }));
    }

    fn ended(&mut self, ended: Result<(Seen, Outcome<M>), tokio::task::JoinError>) -> Reload<M> {
        self.not_before = Instant::now() + REST;
        self.next_look = self.not_before;
        let Ok((seen, outcome)) = ended else {
            return Reload::Refused(panicked());
        };
        // Not again until they are something else.
        self.seen = seen;
        match outcome {
            Ok(ready) => Reload::Ready(Box::new(ready)),
            Err(failure) => Reload::Refused(failure),
        }
    }
}

fn panicked() -> Failure {
    Failure::run("reading them panicked; this is a mistake in the program")
}

/// Waits until it is time to look, and for what is found. Safe to drop while it waits: the look goes on in its place.
async fn looked(
    look: &mut Option<JoinHandle<Seen>>,
    at: Instant,
    watched: &Arc<Watched>,
    before: &Seen,
) -> Option<Seen> {
    let look = match look {
        Some(look) => look,
        None => {
            tokio::time::sleep_until(at).await;
            let (watched, before) = (Arc::clone(watched), before.clone());
            look.insert(spawn_blocking(move || watched.look(&before)))
        }
    };
    look.await.ok()
}
