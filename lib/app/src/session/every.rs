//! Runs at an interval, in one process: `--every`.

use std::time::Duration;

use tidemark_collect::{Batch, CollectorError, Metric, Shutdown, ShutdownTrigger, chain};
use tidemark_delivery::Run;
use tidemark_point::Timestamp;
use tidemark_settings::Span;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::group::Group;
use super::pipe::Pipe;
use super::pulse::{Pulse, Tick};
use super::reload::{Reload, Reloads};
use super::{
    HANG_GRACE, Session, Target, clock, end, ended_text, listen, no_thread, outcome, print, summary,
};
use crate::Extras;
use crate::collecting::{Collecting, Ended, Working};
use crate::exit::Failure;
use crate::generation::{Generation, Origin};
use crate::log;

/// The collector that is at work.
struct Running<M> {
    collecting: Collecting,
    working: Working<M>,
    /// Tells it to end.
    trigger: ShutdownTrigger,
}

/// What is to become of the collector that is at work.
enum Phase<M> {
    /// It runs.
    Running,
    /// It is to end, and another one with newer settings takes over.
    Replacing {
        next: Box<(M, Generation)>,
        give_up: Instant,
    },
    /// It is to end, and the program with it.
    Stopping { give_up: Instant },
}

impl<M> Phase<M> {
    /// When a collector that does not end is left behind.
    async fn hung(&self) {
        match self {
            Self::Running => std::future::pending().await,
            Self::Replacing { give_up, .. } | Self::Stopping { give_up } => {
                tokio::time::sleep_until(*give_up).await;
            }
        }
    }

    fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }
}

/// What the loop works with, beside the session.
struct Loop<M> {
    pipe: Option<Pipe>,
    running: Running<M>,
    pulse: Pulse,
    group: Group,
    phase: Phase<M>,
}

impl Session {
    /// Runs at the interval until a signal ends it. A run that fails ends nothing. The settings are read anew when a signal
    /// asks for it, or their files change.
    pub(crate) async fn every<M: Metric, E: Extras<M>>(
        mut self,
        metric: M,
        origin: Origin,
    ) -> Result<(), Failure> {
        let mut signals = listen()?;
        let mut reloads = Reloads::listen::<E>(origin, &self.generation).map_err(super::no_signals)?;
        let pipe = match &mut self.target {
            Target::Print(_) => None,
            Target::Submit(submit) => {
                let options = self.generation.open_options::<M>(&submit.state);
                let pipe = Pipe::open(options, submit.killed.take()).await;
                // The first run begins at once; of later ones only the collector knows when.
                submit.begin(clock().now());
                Some(pipe)
            }
        };
        let mut at = Loop {
            pipe,
            running: self.start(metric, None)?,
            pulse: Pulse::start(self.manager.take(), self.late_after()),
            group: Group::default(),
            phase: Phase::Running,
        };
        let result = loop {
            tokio::select! {
                batch = at.running.collecting.next(), if !at.group.is_full() => match batch {
                    Some(batch) => at.add(batch),
                    None => {
                        self.commit(&mut at).await;
                        match std::mem::replace(&mut at.phase, Phase::Running) {
                            Phase::Replacing { next, .. } => {
                                if let Err(Ended::Panic(text)) = at.running.collecting.end() {
                                    tracing::warn!("the collector with the settings before panicked at its end: {text}");
                                }
                                if let Err(failure) = self.replace(&mut at, *next, &mut reloads).await {
                                    break Err(failure);
                                }
                            }
                            phase => {
                                if let Target::Submit(to) = &mut self.target {
                                    to.end(None);
                                }
                                break ended(at.running.collecting.end(), !phase.is_running());
                            }
                        }
                    }
                },
                () = at.group.due() => self.commit(&mut at).await,
                tick = at.pulse.tick() => {
                    if tick == Tick::Stuck {
                        self.stuck(&mut at.pipe).await;
                    }
                }
                () = self.said.period_ended() => self.said.sum_up(),
                signal = signals.next() => {
                    if at.stop(signal) {
                        break Ok(());
                    }
                }
                reload = reloads.next(&self.generation.notices), if at.phase.is_running() => match reload {
                    Reload::Begins(why) => {
                        tracing::info!("{why}: the settings are read anew");
                        at.pulse.reloading();
                    }
                    Reload::Refused(failure) => self.refuse(&at.pulse, &failure),
                    Reload::Ready(next) => self.make_way(&mut at, next),
                    Reload::HungUp => {
                        at.stop("SIGHUP");
                    }
                },
                () = at.phase.hung() => {
                    match std::mem::replace(&mut at.phase, Phase::Running) {
                        Phase::Replacing { next, .. } => {
                            tracing::warn!(
                                "the collector with the settings before did not heed the signal to end, and is left"
                            );
                            at.take_waiting();
                            self.commit(&mut at).await;
                            if let Err(failure) = self.replace(&mut at, *next, &mut reloads).await {
                                break Err(failure);
                            }
                        }
                        Phase::Running | Phase::Stopping { .. } => {
                            tracing::warn!("the collector did not heed the signal to end, and is left");
                            break Ok(());
                        }
                    }
                }
            }
        };
        // What it has sent is kept, however this ends.
        at.take_waiting();
        self.commit(&mut at).await;
        self.said.sum_up();
        if let Some(pipe) = at.pipe {
            pipe.close().await;
        }
        result
    }

    /// Starts the collector with the settings in force, which takes over from the one before.
    fn start<M: Metric>(&self, metric: M, before: Option<Working<M>>) -> Result<Running<M>, Failure> {
        let (trigger, shutdown) = Shutdown::new();
        let context = self.context::<M>(shutdown);
        let (collecting, working) = Collecting::every(metric, before, context).map_err(no_thread)?;
        Ok(Running {
            collecting,
            working,
            trigger,
        })
    }

    /// How long no run may end before something is wrong: 2 × interval + deadline, as `status` calls it late, and what a
    /// collector that does not heed its deadline is given.
    fn late_after(&self) -> Duration {
        let interval = self.generation.interval;
        interval
            .saturating_mul(2)
            .saturating_add(self.generation.deadline)
            .saturating_add(HANG_GRACE)
    }

    /// The settings as they are now are not taken.
    fn refuse(&mut self, pulse: &Pulse, why: &Failure) {
        let why = why.to_string().replace('\n', "; ");
        let refused = format!("the settings have changed, and those before stay in force: {why}");
        tracing::error!("{refused}");
        pulse.refused(&refused);
        self.refused = Some(refused);
    }

    /// Tells the collector to end, for `next`.
    fn make_way<M: Metric>(&mut self, at: &mut Loop<M>, next: Box<(M, Generation)>) {
        if next.1.dry_run.is_some() != self.generation.dry_run.is_some() {
            let why = "`dry_run` of [host] is another now, and that takes a new start of this program";
            return self.refuse(&at.pulse, &Failure::settings(why));
        }
        at.running.trigger.fire();
        at.phase = Phase::Replacing {
            next,
            give_up: Instant::now() + HANG_GRACE,
        };
    }

    /// The collector has ended, or is left: the next one takes over, with sinks that are opened anew.
    async fn replace<M: Metric>(
        &mut self,
        at: &mut Loop<M>,
        (metric, generation): (M, Generation),
        reloads: &mut Reloads<M>,
    ) -> Result<(), Failure> {
        reloads.in_force(&generation);
        self.generation = generation;
        self.refused = None;
        let before = std::sync::Arc::clone(&at.running.working);
        at.running = self.start(metric, Some(before))?;
        if let (Target::Submit(submit), Some(pipe)) = (&self.target, at.pipe.take()) {
            let killed = pipe.close().await;
            let options = self.generation.open_options::<M>(&submit.state);
            at.pipe = Some(Pipe::open(options, killed).await);
        }
        at.pulse.replaced(self.late_after());
        tracing::info!("the settings that were read anew are in force");
        Ok(())
    }

    /// Commits or prints the batches that wait.
    async fn commit<M: Metric>(&mut self, at: &mut Loop<M>) {
        let batches = at.group.take();
        let Some(last) = batches.iter().map(|batch| batch.started).max() else {
            return;
        };
        let clock = self.clock_notice(last);
        let (mut runs, mut ends) = (Vec::new(), Vec::new());
        for mut batch in batches {
            let notices = self.finish(&mut batch, clock.as_deref());
            let line = summary::collected(batch.points.len(), batch.duration, batch.gaps.len());
            let run = self.run_of(&mut batch);
            let span = log::run_span(run.started, run.target.as_deref());
            ends.push((span, notices, line));
            runs.push((run, batch.points));
        }
        // Of a run that is alone, all that is said on the way is said of it.
        let span = match ends.as_slice() {
            [(span, ..)] => span.clone(),
            _ => tracing::Span::none(),
        };
        let lost = match &mut at.pipe {
            Some(pipe) => pipe.submit(&mut runs).instrument(span).await,
            None => None,
        };
        if let Target::Submit(to) = &mut self.target {
            to.end(Some(last));
        }
        let mut how = String::new();
        let number = ends.len();
        for ((span, notices, line), (mut run, points)) in ends.into_iter().zip(runs) {
            let _within = span.entered();
            let target = run.target.take();
            self.said.begin(target.as_deref(), &run.gaps, &notices);
            let outcome = match &self.target {
                Target::Submit(_) => outcome(run.error, lost.as_deref()),
                Target::Print(format) => print::<M>(&run, &points, *format, &self.generation.settings),
            };
            how = self.said.end(target.as_deref(), points.len(), line, outcome);
        }
        if number > 1 {
            how = format!("{number} runs; the last, {how}");
        }
        at.pulse.run_ended(&format!("{last}: {how}"));
    }

    /// Says and records that no run ends any more.
    async fn stuck(&mut self, pipe: &mut Option<Pipe>) {
        let error = format!(
            "no run has ended for {}: the collector is stuck; see what blocks, or raise `deadline`",
            Span::from(self.late_after())
        );
        tracing::error!("{error}");
        if let (Target::Submit(to), Some(pipe)) = (&mut self.target, pipe) {
            let run = Run {
                ok: false,
                error: Some(error),
                deadline: self.generation.deadline,
                ..Run::new(self.name, clock().now(), self.generation.interval)
            };
            let started = run.started;
            // It failed, and that is said.
            pipe.submit(&mut [(run, Vec::new())]).await;
            to.end(Some(started));
        }
    }
}

impl<M> Loop<M> {
    /// Takes a batch. A run that was broken off for newer settings is none: the next one comes at once.
    fn add(&mut self, batch: Batch) {
        let is_broken_off = matches!(self.phase, Phase::Replacing { .. })
            && batch.error.as_deref() == Some(&chain(&CollectorError::Stopped));
        if is_broken_off {
            let started: Timestamp = batch.started;
            let target = batch
                .target
                .map(|target| format!(" of {target}"))
                .unwrap_or_default();
            tracing::debug!("the run{target} of {started} was broken off for the newer settings");
        } else {
            self.group.add(batch);
        }
    }

    /// Takes what the collector has sent already.
    fn take_waiting(&mut self) {
        while let Some(batch) = self.running.collecting.waiting() {
            self.add(batch);
        }
    }

    /// Tells the collector to end, and the program with it; whether that was said before.
    fn stop(&mut self, signal: &str) -> bool {
        if matches!(self.phase, Phase::Stopping { .. }) {
            return true;
        }
        self.pulse.stopping();
        end(signal, &self.running.trigger);
        self.group.hurry();
        self.phase = Phase::Stopping {
            give_up: Instant::now() + HANG_GRACE,
        };
        false
    }
}

fn ended(end: Result<(), Ended>, stopping: bool) -> Result<(), Failure> {
    match end {
        Ok(()) if stopping => Ok(()),
        Ok(()) => Err(Failure::run(
            "the collector ended by itself; it should stay until it is stopped",
        )),
        Err(why) => Err(Failure::run(ended_text(Err(why)))),
    }
}
