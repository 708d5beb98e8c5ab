//! When `up` starts and ends its programs: a state machine without clock or processes.
//!
//! Times are spans since `up` began, by a clock that does not jump.

use std::time::Duration;

/// How long a program may take to end after it was told to.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(10);

/// A program to run again and again.
#[derive(Debug, Copy, Clone)]
pub(super) struct Job {
    /// From the end of one run to the start of the next; zero is taken as a second.
    pub(super) interval: Duration,
    /// How long a run may take before it is told to end; none for a program that stays.
    pub(super) limit: Option<Duration>,
}

/// What to do now.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Start the program.
    Start(usize),
    /// Tell it to end (SIGTERM).
    Terminate(usize),
    /// End it (SIGKILL).
    Kill(usize),
}

/// The programs and where each is.
#[derive(Debug)]
pub(super) struct Schedule {
    jobs: Vec<(Job, State)>,
    stopping: bool,
}

#[derive(Debug, Copy, Clone)]
enum State {
    /// Starts at this time.
    Waiting { at: Duration },
    /// Runs; is told to end at this time.
    Running { terminate: Option<Duration> },
    /// Was told to end; is ended at this time.
    Ending { kill: Duration },
    /// Was ended.
    Killed,
}

impl Schedule {
    /// All `jobs` start at once.
    pub(super) fn new(jobs: impl IntoIterator<Item = Job>) -> Self {
        let waiting = State::Waiting { at: Duration::ZERO };
        Self {
            jobs: jobs.into_iter().map(|job| (job, waiting)).collect(),
            stopping: false,
        }
    }

    /// What is due, each thing once.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        for (index, (job, state)) in self.jobs.iter_mut().enumerate() {
            match *state {
                State::Waiting { at } if at <= now && !self.stopping => {
                    *state = State::Running {
                        terminate: job.limit.map(|limit| now.saturating_add(limit)),
                    };
                    actions.push(Action::Start(index));
                }
                State::Running { terminate: Some(at) } if at <= now => {
                    *state = State::Ending {
                        kill: now.saturating_add(STOP_GRACE),
                    };
                    actions.push(Action::Terminate(index));
                }
                State::Ending { kill } if kill <= now => {
                    *state = State::Killed;
                    actions.push(Action::Kill(index));
                }
                _ => {}
            }
        }
        actions
    }

    /// The program of `index` has ended, or could not be started: it rests for its interval either way.
    pub(super) fn ended(&mut self, index: usize, now: Duration) {
        if let Some((job, state)) = self.jobs.get_mut(index) {
            let interval = if job.interval.is_zero() {
                Duration::from_secs(1)
            } else {
                job.interval
            };
            *state = State::Waiting {
                at: now.saturating_add(interval),
            };
        }
    }

    /// Ends everything: nothing is started any more, what runs is told to end now, and is ended after
    /// [`STOP_GRACE`] or at its own limit, whichever is sooner.
    ///
    /// Called again, it ends what is left at once.
    pub(super) fn stop(&mut self, now: Duration) -> Vec<Action> {
        let again = std::mem::replace(&mut self.stopping, true);
        let mut actions = Vec::new();
        for (index, (_, state)) in self.jobs.iter_mut().enumerate() {
            match *state {
                State::Running { terminate } => {
                    let grace = now.saturating_add(STOP_GRACE);
                    *state = State::Ending {
                        kill: terminate.map_or(grace, |limit| limit.min(grace)),
                    };
                    actions.push(Action::Terminate(index));
                }
                State::Ending { .. } if again => {
                    *state = State::Killed;
                    actions.push(Action::Kill(index));
                }
                State::Waiting { .. } | State::Ending { .. } | State::Killed => {}
            }
        }
        actions
    }

    /// When something is due next; none where only an end is waited for.
    pub(super) fn wake(&self) -> Option<Duration> {
        let times = self.jobs.iter().filter_map(|(_, state)| match *state {
            State::Waiting { at } => (!self.stopping).then_some(at),
            State::Running { terminate } => terminate,
            State::Ending { kill } => Some(kill),
            State::Killed => None,
        });
        times.min()
    }

    /// Whether [`stop`](Self::stop) was called and nothing runs any more.
    pub(super) fn is_over(&self) -> bool {
        self.stopping
            && self
                .jobs
                .iter()
                .all(|(_, state)| matches!(state, State::Waiting { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Kill, Start, Terminate};

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn schedule() -> Schedule {
        Schedule::new([
            Job {
                interval: s(60),
                limit: Some(s(30)),
            },
            Job {
                interval: s(300),
                limit: Some(s(600)),
            },
            Job {
                interval: s(10),
                limit: None,
            },
        ])
    }

    #[test]
    fn all_start_at_once_and_again_after_their_own_end() {
        let mut schedule = schedule();
        assert_eq!(schedule.due(s(0)), [Start(0), Start(1), Start(2)]);
        assert_eq!(schedule.due(s(1)), []);
        schedule.ended(0, s(5));
        assert_eq!(schedule.due(s(64)), []);
        assert_eq!(schedule.wake(), Some(s(65)));
        assert_eq!(schedule.due(s(65)), [Start(0)]);
    }

    #[test]
    fn a_program_that_ends_at_once_rests_for_its_interval() {
        let mut schedule = Schedule::new([Job {
            interval: s(60),
            limit: Some(s(30)),
        }]);
        let mut starts = 0;
        for now in 0..600 {
            for action in schedule.due(s(now)) {
                assert_eq!(action, Start(0));
                starts += 1;
                schedule.ended(0, s(now));
            }
        }
        assert_eq!(starts, 10);
    }

    #[test]
    fn an_interval_of_zero_is_no_tight_loop() {
        let mut schedule = Schedule::new([Job {
            interval: Duration::ZERO,
            limit: None,
        }]);
        assert_eq!(schedule.due(s(0)), [Start(0)]);
        schedule.ended(0, s(0));
        assert_eq!(schedule.due(Duration::from_millis(999)), []);
        assert_eq!(schedule.due(s(1)), [Start(0)]);
    }

    #[test]
    fn a_program_beyond_its_limit_is_told_to_end_and_then_ended() {
        let mut schedule = schedule();
        schedule.due(s(0));
        assert_eq!(schedule.due(s(29)), []);
        assert_eq!(schedule.due(s(30)), [Terminate(0)]);
        assert_eq!(schedule.due(s(39)), []);
        assert_eq!(schedule.due(s(40)), [Kill(0)]);
        assert_eq!(schedule.due(s(41)), []);
        schedule.ended(0, s(41));
        assert_eq!(schedule.due(s(101)), [Start(0)]);
    }

    #[test]
    fn a_stop_tells_all_that_run_and_starts_nothing() {
        let mut schedule = schedule();
        schedule.due(s(0));
        schedule.ended(1, s(2));
        assert_eq!(schedule.stop(s(25)), [Terminate(0), Terminate(2)]);
        assert!(!schedule.is_over());
        // The first one's own limit comes before the grace is over.
        assert_eq!(schedule.wake(), Some(s(30)));
        assert_eq!(schedule.due(s(30)), [Kill(0)]);
        schedule.ended(0, s(30));
        assert_eq!(schedule.due(s(35)), [Kill(2)]);
        schedule.ended(2, s(35));
        assert!(schedule.is_over());
        assert_eq!(schedule.due(s(10_000)), []);
        assert_eq!(schedule.wake(), None);
    }

    #[test]
    fn a_second_stop_ends_what_is_left() {
        let mut schedule = schedule();
        schedule.due(s(0));
        assert_eq!(schedule.stop(s(1)), [Terminate(0), Terminate(1), Terminate(2)]);
        schedule.ended(0, s(1));
        assert_eq!(schedule.stop(s(1)), [Kill(1), Kill(2)]);
        assert_eq!(schedule.stop(s(1)), []);
    }

    #[test]
    fn nothing_to_run_is_over_once_stopped() {
        let mut schedule = Schedule::new([]);
        assert_eq!(schedule.wake(), None);
        assert!(!schedule.is_over());
        schedule.stop(s(0));
        assert!(schedule.is_over());
    }
}
