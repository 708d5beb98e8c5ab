//! What the watchdog of a program that stays must prove: that runs end.
//!
//! The program's main loop tells the manager that it is alive, between committing one run and the next: a loop that hangs
//! tells nothing. It tells so only while runs end in time. A collector that is stuck on its own thread, beyond its deadline,
//! is told nothing of either, and the manager starts the program anew. How long a run takes and how long the manager lets
//! the program be silent have nothing to do with each other: a deadline may be longer than the watchdog.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::manager::Manager;

/// The manager, and how long ago a run ended.
pub(super) struct Pulse {
    manager: Option<Manager>,
    /// The longest that no run may end.
    longest: Duration,
    progress: Instant,
    beat: Option<Interval>,
    stuck: bool,
}

/// What is to be done.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Tick {
    /// Nothing: the manager was told.
    Beat,
    /// To say that no run ends any more; once, until one ends again.
    Stuck,
}

impl Pulse {
    /// Tells the manager that the program is ready; it is late when no run has ended for `longest`.
    pub(super) fn start(manager: Option<Manager>, longest: Duration) -> Self {
        let watchdog = manager.as_ref().and_then(Manager::watchdog);
        let beat = watchdog.map(|watchdog| {
            let mut beat = tokio::time::interval((watchdog / 3).max(Duration::from_millis(1)));
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beat
        });
        if let Some(manager) = &manager {
            manager.ready();
        }
        Self {
            manager,
            longest,
            progress: Instant::now(),
            beat,
            stuck: false,
        }
    }

    /// Waits for the next thing to do. Safe to drop while it waits.
    pub(super) async fn tick(&mut self) -> Tick {
        loop {
            let end = self.progress.checked_add(self.longest).filter(|_| !self.stuck);
            let late = async {
                match end {
                    Some(end) => tokio::time::sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            let beat = async {
                match &mut self.beat {
                    Some(beat) => beat.tick().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = late => {
                    self.stuck = true;
                    return Tick::Stuck;
                }
                _ = beat => {}
            }
            if let Some(manager) = self.manager.as_ref().filter(|_| !self.stuck) {
                manager.alive();
                return Tick::Beat;
            }
        }
    }

    /// A run ended, so.
    pub(super) fn run_ended(&mut self, how: &str) {
        self.progress = Instant::now();
        self.stuck = false;
        if let Some(manager) = &self.manager {
            manager.status(how);
        }
    }

    /// The settings are read anew.
    pub(super) fn reloading(&self) {
        if let Some(manager) = &self.manager {
            manager.reloading();
        }
    }

    /// The settings before stay in force: `why`.
    pub(super) fn refused(&self, why: &str) {
        if let Some(manager) = &self.manager {
            manager.status(why);
            manager.ready();
        }
    }

    /// Another collector runs now, which is late when no run of it has ended for `longest`.
    pub(super) fn replaced(&mut self, longest: Duration) {
        self.longest = longest;
        self.progress = Instant::now();
        self.stuck = false;
        if let Some(manager) = &self.manager {
            manager.status("the settings were read anew");
            manager.ready();
        }
    }

    /// The program was told to end.
    pub(super) fn stopping(&self) {
        if let Some(manager) = &self.manager {
            manager.stopping();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::tests::{listening, told};

    const S: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_beats_while_runs_end_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let (listener, manager) = listening(folder.path(), 120 * S);
        let began = Instant::now();
        let mut pulse = Pulse::start(Some(manager), 600 * S);
        assert_eq!(told(&listener), ["READY=1"]);
        // Longer than the watchdog: each 40 s it is told, up to the 600 s.
        for beat in 0..15 {
            assert_eq!(pulse.tick().await, Tick::Beat, "{beat}");
            assert_eq!(began.elapsed(), 40 * S * beat);
            assert_eq!(told(&listener), ["WATCHDOG=1"]);
        }
        assert_eq!(pulse.tick().await, Tick::Stuck);
        assert_eq!(began.elapsed(), 600 * S);
        let more = tokio::time::timeout(10_000 * S, pulse.tick()).await;
        assert!(more.is_err() && told(&listener).is_empty(), "{more:?}");
        // A run that ends at last.
        pulse.run_ended("collected 3 points");
        assert_eq!(pulse.tick().await, Tick::Beat);
        pulse.stopping();
        assert_eq!(
            told(&listener),
            ["STATUS=collected 3 points", "WATCHDOG=1", "STOPPING=1"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_collector_has_a_time_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (listener, manager) = listening(folder.path(), Duration::from_secs(86_400));
        let began = Instant::now();
        let mut pulse = Pulse::start(Some(manager), 10 * S);
        assert_eq!(pulse.tick().await, Tick::Beat);
        assert_eq!(pulse.tick().await, Tick::Stuck);
        pulse.reloading();
        pulse.replaced(50 * S);
        assert_eq!(pulse.tick().await, Tick::Stuck);
        assert_eq!(began.elapsed(), 60 * S);
        pulse.refused("the settings before stay in force");
        let told = told(&listener);
        assert!(told[2].starts_with("RELOADING=1\n"), "{told:?}");
        assert_eq!(
            told[3..],
            [
                "STATUS=the settings were read anew",
                "READY=1",
                "STATUS=the settings before stay in force",
                "READY=1"
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_manager_it_says_when_runs_do_not_end() {
        let mut pulse = Pulse::start(None, 10 * S);
        let began = Instant::now();
        assert_eq!(pulse.tick().await, Tick::Stuck);
        assert_eq!(began.elapsed(), 10 * S);
        pulse.run_ended("");
        assert_eq!(pulse.tick().await, Tick::Stuck);
        assert_eq!(began.elapsed(), 20 * S);
        let mut endless = Pulse::start(None, Duration::MAX);
        let more = tokio::time::timeout(10_000 * S, endless.tick()).await;
        assert!(more.is_err());
    }
}
