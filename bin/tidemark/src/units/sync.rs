//! `tidemark units sync`: has systemd follow what is installed and set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tidemark_app::exit::Failure;
use tidemark_catalogue::Plan;
use tidemark_systemd::{TARGET, Unit};

use super::generated::{Difference, Generated};
use super::manager::{Activity, Load, State, Systemctl};
use super::record::{self, Record, Runtime, file_identity};
use super::secrets;
use super::steps::{self, Situation, Step, Why, stays};
use super::verify::{self, Report, Sides};

/// How often it is asked whether runs have ended.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long it is waited for them. A run without its unit has systemd's `DefaultTimeoutStartSec=` in the place of its own
/// timeout, 1min 30s as a rule; an operator may have made that endless.
const LONGEST_RUN: Duration = Duration::from_secs(600);

/// How often one sync has the manager read the units again, while packages are unpacked.
const MOST_RELOADS: usize = 3;

/// Where things are on this machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// How its manager is asked.
    pub(super) systemctl: Systemctl,
    /// Where the generator writes.
    pub(super) generated: PathBuf,
    /// Of what is forgotten at the next boot.
    pub(super) runtime: PathBuf,
    /// How long a run may go on whose collector is gone.
    pub(super) longest_run: Duration,
}

/// What should be.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) plan: Plan,
    /// The fingerprint of the settings' files.
    pub(super) settings: u64,
}

/// What a sync did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// What it did it for.
    pub(super) plan: Plan,
    /// Whether the target is active; nothing was started where it is not.
    pub(super) is_active: bool,
    /// A line for each thing.
    pub(super) lines: Vec<String>,
    /// What could not be done.
    pub(super) complaints: Vec<String>,
    /// Services that run, and should no longer be.
    pub(super) leaving: Vec<String>,
}

impl Machine {
    /// The one that this process runs on.
    pub(super) fn this() -> Self {
        Self {
            systemctl: Systemctl::of_host(),
            generated: PathBuf::from("/run/systemd/generator"),
            runtime: PathBuf::from("/run/tidemark"),
            longest_run: LONGEST_RUN,
        }
    }

    /// Brings the manager in line. No other sync is at work meanwhile.
    pub(super) async fn sync(&self, due: impl Fn() -> Due) -> Result<Done, Failure> {
        let runtime = Runtime::take(&self.runtime).await?;
        let mut done = Done::default();
        let (due, states) = self.align(due, &mut done).await?;
        let plan = &due.plan.units;
        let target = state_of(&states, TARGET);
        let record = runtime
            .read()
            .filter(|record| record.target_since == target.active_since);
        let programs = programs(plan, &states);
        let secrets = secrets(plan);
        let mut situation = Situation {
            plan,
            record: record.as_ref(),
            states: &states,
            is_active: target.active == Activity::Active,
            settings: due.settings,
            programs: &programs,
            secrets: &secrets,
        };
        done.is_active = situation.is_active;
        let all = steps::steps(&situation);
        done.complaints
            .extend(all.missing.iter().map(|unit| missing(unit)));
        let refusals = self.take(&all.steps, &mut done).await?;

        // What was stopped may have failed by that.
        let after = match all.steps.is_empty() {
            true => states.clone(),
            false => self.states(plan).await?,
        };
        situation.states = &after;
        let left = steps::steps(&situation);
        done.leaving = left.leaving;
        for service in &done.leaving {
            done.lines
                .push(format!("{service} is let end: its collector is gone or off"));
        }
        let failed: Vec<Step> = left
            .steps
            .into_iter()
            .filter(|step| matches!(step, Step::Clear(_)))
            .collect();
        let refused = self.take(&failed, &mut done).await?;

        let is_done = refusals.is_empty();
        done.complaints.extend(refusals.into_iter().chain(refused));
        let is_start = |step: &&Step| matches!(step, Step::Start(_));
        let started: Vec<&str> = all.steps.iter().filter(is_start).map(Step::unit).collect();
        let next = match situation.is_active {
            true => steps::record(&situation, target.active_since, &started, is_done),
            // With the target all is started anew.
            false => Record::default(),
        };
        if record.as_ref() != Some(&next) {
            runtime.write(&next)?;
        }
        done.plan = due.plan;
        Ok(done)
    }

    /// Compares, and changes nothing.
    pub(super) async fn verify(&self, due: &Due) -> Result<Report, Failure> {
        let plan = &due.plan.units;
        let states = self.states(plan).await?;
        let target = state_of(&states, TARGET);
        let record = record::look(&self.runtime).filter(|record| record.target_since == target.active_since);
        let sides = Sides {
            situation: Situation {
                plan,
                record: record.as_ref(),
                states: &states,
                is_active: target.active == Activity::Active,
                settings: due.settings,
                programs: &programs(plan, &states),
                secrets: &secrets(plan),
            },
            on_disk: Generated::read(&self.generated).differences(plan),
            generated: &self.generated,
        };
        Ok(Report::new(verify::findings(&sides), due.plan.notices.clone()))
    }

    /// Waits until none of these services runs any more whose units are gone. What still does after a while is stopped:
    /// nothing else may ever end it. What could not be done is the answer.
    pub(super) async fn let_end(&self, services: &[String]) -> Result<Done, Failure> {
        let start = Instant::now();
        let names: Vec<&str> = services.iter().map(String::as_str).collect();
        let mut done = Done::default();
        loop {
            let states = self.systemctl.show(&names).await?;
            let is_left = |state: &State| state.load == Load::NotFound && state.active == Activity::Changing;
            let left = states.into_iter().filter(is_left);
            let steps: Vec<Step> = left.map(|state| Step::Stop(state.name, Why::Overdue)).collect();
            if steps.is_empty() {
                return Ok(done);
            }
            if start.elapsed() >= self.longest_run {
                done.complaints = self.take(&steps, &mut done).await?;
                return Ok(done);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// What the manager says of the target, of all that should be, and of all that is not idle.
    pub(super) async fn states(&self, plan: &[Unit]) -> Result<BTreeMap<String, State>, Failure> {
        let mut names = vec![TARGET, super::PATH_UNIT, super::SECRETS_PATH_UNIT];
        names.extend(["tidemark-*.timer", "tidemark-*.service"]);
        names.extend(plan.iter().map(|unit| unit.file_name.as_str()));
        let states = self.systemctl.show(&names).await?;
        Ok(states
            .into_iter()
            .map(|state| (state.name.clone(), state))
            .collect())
    }

    /// Has the manager read the units again where that changes anything, until it has what should be.
    async fn align(
        &self,
        due: impl Fn() -> Due,
        done: &mut Done,
    ) -> Result<(Due, BTreeMap<String, State>), Failure> {
        let mut changed = BTreeSet::new();
        let mut reloads = 0;
        loop {
            // Looked at anew each time: more may have changed while the generator ran, or another sync was at work.
            let due = due();
            let plan = &due.plan.units;
            let states = self.states(plan).await?;
            let differences = Generated::read(&self.generated).differences(plan);
            let is_behind = |unit: &Unit| {
                let state = states.get(&unit.file_name);
                state.is_none_or(|state| state.needs_reload || state.load == Load::NotFound)
            };
            let is_aligned = differences.is_empty() && !plan.iter().any(is_behind);
            if !is_aligned && reloads < MOST_RELOADS {
                self.systemctl.reload().await?;
                reloads += 1;
                let names = differences
                    .into_iter()
                    .filter(|(_, how)| *how == Difference::Changed);
                changed.extend(names.map(|(name, _)| name));
                continue;
            }
            if reloads > 0 {
                done.lines.push("systemd has read the units again".to_owned());
                let changed = changed.iter().filter(|name| !differences.contains_key(*name));
                done.lines
                    .extend(changed.map(|name| format!("{name} has changed")));
            }
            let complaints = differences
                .iter()
                .map(|(name, how)| self.not_generated(name, *how));
            done.complaints.extend(complaints);
            return Ok((due, states));
        }
    }

    fn not_generated(&self, name: &str, difference: Difference) -> String {
        let what = match difference {
            Difference::Missing => "is not there",
            Difference::Changed => "is not as it should be",
            Difference::Left => "should not be there",
        };
        format!(
            "{} {what} after the generator has run; `journalctl -b -t {}` says why, where that is installed",
            self.generated.join(name).display(),
            super::GENERATOR
        )
    }

    /// Takes the steps, and says each that the manager has not refused. What it refused is the answer.
    async fn take(&self, steps: &[Step], done: &mut Done) -> Result<Vec<String>, Failure> {
        let mut refusals = Vec::new();
        for steps in steps.chunk_by(|one, next| one.words() == next.words()) {
            let Some(first) = steps.first() else { continue };
            let units: Vec<&str> = steps.iter().map(Step::unit).collect();
            let refused = self.systemctl.tell(first.words(), &units).await?;
            let names = |step: &Step| refused.iter().any(|refusal| refusal.contains(step.unit()));
            // Where a refusal names none, it may be any.
            let is_clear = refused.is_empty() || steps.iter().any(names);
            let taken = steps.iter().filter(|step| is_clear && !names(step));
            done.lines.extend(taken.map(ToString::to_string));
            refusals.extend(refused);
        }
        Ok(refusals)
    }
}

/// The state of a unit that was asked for.
pub(super) fn state_of(states: &BTreeMap<String, State>, name: &str) -> State {
    states.get(name).cloned().unwrap_or_else(|| State::unknown(name))
}

fn programs(plan: &[Unit], states: &BTreeMap<String, State>) -> BTreeMap<String, u64> {
    let staying = plan.iter().filter(|unit| stays(unit));
    let programs = staying.filter_map(|unit| {
        let program = states.get(&unit.file_name)?.program.as_deref()?;
        Some((unit.file_name.clone(), file_identity(program)))
    });
    programs.collect()
}

fn secrets(plan: &[Unit]) -> BTreeMap<String, u64> {
    let staying = plan.iter().filter(|unit| stays(unit));
    let secrets = staying.map(|unit| (unit.file_name.clone(), secrets::identity(unit)));
    secrets.collect()
}

fn missing(unit: &str) -> String {
    format!("systemd cannot use {unit}: `systemctl status {unit}` says why")
}

impl Step {
    /// The unit that it is about.
    pub(super) fn unit(&self) -> &str {
        match self {
            Step::Stop(unit, _) | Step::Clear(unit) | Step::Restart(unit, _) | Step::Start(unit) => unit,
        }
    }

    /// What `systemctl` is told.
    fn words(&self) -> &'static [&'static str] {
        match self {
            Step::Stop(..) => &["stop"],
            Step::Clear(_) => &["reset-failed"],
            // It takes what its collector needs to end; nobody has to wait for that.
            Step::Restart(..) => &["try-restart", "--no-block"],
            Step::Start(_) => &["start", "--no-block"],
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Stop(unit, why) => write!(f, "stopped {unit}: {why}"),
            Step::Clear(unit) => write!(f, "cleared the failure of {unit}: {}", Why::Gone),
            Step::Restart(unit, why) => write!(f, "restarted {unit}: {why}"),
            Step::Start(unit) => write!(f, "started {unit}"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Gone => "its collector is gone or off",
            Why::Overdue => "its collector is gone or off, and its run had not ended in time",
            Why::HasTimer => "its timer starts it from now on",
            Why::Standby => "this host stands by",
            Why::Unit => "its unit has changed",
            Why::Settings => "the settings have changed",
            Why::Secret => "a secret of it has another file",
            Why::Program => "its program has been replaced",
        })
    }
}

#[cfg(test)]
mod tests;
