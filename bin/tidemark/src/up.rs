//! `tidemark up`: everything in the foreground. The collectors at their intervals, and the flush timer's work each minute.

mod flush;
mod report;
mod schedule;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use tidemark_app::exit::{self, Failure};
use tidemark_app::lock::{Locked, RunLock};
use tidemark_app::{StopSignals, block_on, ready_state};
use tidemark_catalogue::Timing;
use tidemark_delivery::{OpenOptions, RUN_BUDGET, Sinks};
use tidemark_settings::{Loaded, Span};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::Command;
use crate::catalogue::{self, Catalogue, nothing_installed};
use crate::child::{self, Handle, Tell};
use flush::Flush;
use report::Reporter;
pub(crate) use report::sink_text;
use schedule::{Action, Job, Schedule};

/// A run is told to end this long after its deadline and its delivery's budget: it ends by itself before.
const SLACK: Duration = Duration::from_secs(10);

/// Intervals below this are kept by one process that stays, as those of a program that listens are.
const STAYS_BELOW: Span = Span::minutes(1);

/// The name of this program's own lock: no collector can be called so.
const LOCK: &str = "_up";

/// A collector that is started.
#[derive(Debug)]
struct Member {
    name: String,
    program: PathBuf,
    options: Vec<OsString>,
    job: Job,
}

impl Member {
    fn new(name: &str, program: &Path, timing: Timing, listens: bool, passed_on: &[OsString]) -> Self {
        let mut options = passed_on.to_vec();
        let interval = timing.interval.as_duration();
        let stays = listens || timing.interval < STAYS_BELOW;
        if stays {
            options.push(format!("--every={}", timing.interval).into());
        }
        let limit = timing
            .deadline
            .as_duration()
            .saturating_add(RUN_BUDGET)
            .saturating_add(SLACK);
        let job = Job {
            interval,
            limit: (!stays).then_some(limit),
        };
        Self {
            name: name.to_owned(),
            program: program.to_owned(),
            options,
            job,
        }
    }

    fn stays(&self) -> bool {
        self.job.limit.is_none()
    }
}

/// Runs until a signal ends it.
pub(crate) fn up(command: &Command) -> Result<ExitCode, Failure> {
    let loaded = command.settings()?;
    for notice in &loaded.notices {
        tracing::info!("{notice}");
    }
    let catalogue = catalogue::find(&command.here);
    let members = members(command, &catalogue, &loaded)?;
    let (state, sinks) = ready_state(&command.here, &loaded.settings)?;
    let _lock = match RunLock::take(&state, LOCK) {
        Ok(Locked::Held { lock, .. }) => Some(lock),
        Ok(Locked::Beside { pid }) => {
            let who = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            return Err(Failure::run(format!(
                "`tidemark up` runs already with the state in {}{who}: stop it first, or set STATE_DIRECTORY to another \
                 folder",
                state.display()
            )));
        }
        // The outbox says what a state that cannot be written means.
        Err(_) => None,
    };
    exit::print(report::first_screen(&catalogue, &loaded, &state, command.here.places.config()).as_bytes())?;
    block_on(async {
        let signals = StopSignals::listen()
            .map_err(|error| Failure::run(format!("signals cannot be listened to: {error}")))?;
        let options = || OpenOptions::from_settings(&state, &loaded.settings, sinks.clone(), clock());
        let reading = OpenOptions {
            sinks: Sinks::named(&loaded.settings),
            ..options()
        };
        let reporter = Reporter::open(reading, &loaded.settings, &members).await;
        let flush = flush::start(options());
        Up::new(members, reporter, command.here.environment.added().clone())
            .run(signals, &flush)
            .await;
        flush.stop().await;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn clock() -> std::sync::Arc<dyn tidemark_collect::Clock> {
    std::sync::Arc::new(tidemark_collect::SystemClock)
}

/// The collectors to start.
fn members(command: &Command, catalogue: &Catalogue, loaded: &Loaded) -> Result<Vec<Member>, Failure> {
    if catalogue.collectors.is_empty() {
        return Err(Failure::run(nothing_installed(&catalogue.folders)));
    }
    let passed_on = command.passed_on();
    let sound = catalogue
        .collectors
        .iter()
        .filter(|collector| collector.description.is_ok());
    let member = |collector: &crate::catalogue::Collector| {
        let timing = Timing::of(collector, loaded);
        let listens = collector
            .description
            .as_ref()
            .is_ok_and(|described| described.description.needs.listens);
        timing
            .enabled
            .then(|| Member::new(&collector.name, &collector.program, timing, listens, &passed_on))
    };
    let members: Vec<Member> = sound.filter_map(member).collect();
    if members.is_empty() {
        return Err(Failure::run(
            "there is nothing to run: every collector is off or broken; `tidemark list` says why".to_owned(),
        ));
    }
    Ok(members)
}

/// The programs at work.
struct Up {
    members: Vec<Member>,
    /// The host's variables: who owns the state perhaps may not read them.
    added: BTreeMap<String, OsString>,
    schedule: Schedule,
    reporter: Reporter,
    began: Instant,
    running: JoinSet<std::io::Result<ExitStatus>>,
    /// What runs, by its task.
    tasks: HashMap<Id, usize>,
    handles: HashMap<usize, Handle>,
    /// The collectors whose run was told while their process had yet to be seen to end.
    told: BTreeSet<String>,
}

impl Up {
    fn new(members: Vec<Member>, reporter: Reporter, added: BTreeMap<String, OsString>) -> Self {
        let schedule = Schedule::new(members.iter().map(|member| member.job));
        Self {
            members,
            added,
            schedule,
            reporter,
            began: Instant::now(),
            running: JoinSet::new(),
            tasks: HashMap::new(),
            handles: HashMap::new(),
            told: BTreeSet::new(),
        }
    }

    async fn run(mut self, mut signals: StopSignals, flush: &Flush) {
        let stays = self.members.iter().any(Member::stays);
        let mut look = tokio::time::interval(Duration::from_secs(1));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.schedule.is_over() {
            for action in self.schedule.due(self.began.elapsed()) {
                self.act(action);
            }
            let wake = self.schedule.wake().map(|at| self.began + at);
            let due = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.ended(ended, flush).await,
                () = due => {}
                // The runs of a program that stays have no end of a process to look at.
                _ = look.tick(), if stays => self.tell_new_runs(flush).await,
                signal = signals.next() => {
                    self.reporter.tell(&format!("{signal}: ending"));
                    for action in self.schedule.stop(self.began.elapsed()) {
                        self.act(action);
                    }
                }
            }
        }
        self.reporter.tell_new_runs().await;
        self.reporter.close().await;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Start(index) => self.start(index),
            Action::Terminate(index) => self.tell(index, Tell::Terminate),
            Action::Kill(index) => self.tell(index, Tell::Kill),
        }
    }

    fn start(&mut self, index: usize) {
        let Some(member) = self.members.get(index) else {
            return;
        };
        match child::start(&member.program, &member.options, &self.added) {
            Ok((handle, ended)) => {
                let task = self.running.spawn(ended);
                self.tasks.insert(task.id(), index);
                self.handles.insert(index, handle);
            }
            Err(error) => {
                let text = format!("cannot be started: {}: {error}", member.program.display());
                self.reporter.tell_of(&member.name, &text);
                self.schedule.ended(index, self.began.elapsed());
            }
        }
    }

    fn tell(&self, index: usize, what: Tell) {
        if let Some(handle) = self.handles.get(&index) {
            handle.tell(what);
        }
    }

    /// Tells what was recorded. Of two runs side by side one may find a sink taken and leave its batch: it need not wait
    /// for the next minute.
    async fn tell_new_runs(&mut self, flush: &Flush) {
        self.told.extend(self.reporter.tell_new_runs().await);
        if self.reporter.something_waits().await {
            flush.now();
        }
    }

    async fn ended(&mut self, ended: Result<(Id, std::io::Result<ExitStatus>), JoinError>, flush: &Flush) {
        let (task, status) = match ended {
            Ok((task, status)) => (task, Some(status)),
            Err(error) => (error.id(), None),
        };
        let Some(index) = self.tasks.remove(&task) else {
            return;
        };
        self.handles.remove(&index);
        self.schedule.ended(index, self.began.elapsed());
        self.tell_new_runs(flush).await;
        let Some(member) = self.members.get(index) else {
            return;
        };
        let told = self.told.remove(&member.name);
        // A run that left no record: the command line, the settings, a kill.
        let text = match status {
            Some(Ok(status)) if told && !member.stays() || status.success() => return,
            Some(Ok(status)) if member.stays() => {
                format!("ended ({status}), and starts again after its interval")
            }
            Some(Ok(status)) => format!("ended without a record ({status})"),
            Some(Err(error)) => format!("ended, and its exit status is not known: {error}"),
            None => "ended, and its exit status is not known".to_owned(),
        };
        self.reporter.tell_of(&member.name, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_intervals_and_programs_that_listen_are_kept_by_one_process() {
        for (interval, listens, stays) in [
            (Span::secs(59), false, true),
            (Span::minutes(1), false, false),
            (Span::minutes(5), true, true),
        ] {
            let timing = Timing {
                enabled: true,
                interval,
                deadline: Span::minutes(10),
            };
            let member = Member::new("x", Path::new("/x"), timing, listens, &[]);
            let every = OsString::from(format!("--every={interval}"));
            assert_eq!(member.stays(), stays, "{interval}");
            assert_eq!(member.options.contains(&every), stays, "{interval}");
        }
    }
}
