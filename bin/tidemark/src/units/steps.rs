//! From what should be, what was, and what the manager says, to what is to be done. Pure.
//!
//! | a unit | what is done |
//! |---|---|
//! | is new | started |
//! | is known, and idle | nothing: the operator has stopped it |
//! | a service that stays, and its text, its program, its secrets or the settings have changed | restarted |
//! | a timer whose text has changed | nothing: the reload has it follow |
//! | a timer that has failed | started: only a reload without its file does that |
//! | is masked | nothing: the operator wants it so |
//! | a timer, or a service that stays, that the target does not start | stopped: the host stands by |
//! | should no longer be, and stays | stopped |
//! | should no longer be, and has failed | its failure is cleared |
//! | should no longer be, and a run goes on | nothing: the run ends by itself |
//!
//! Nothing is started while the target is not active: it starts all that it wants when it is.

use std::collections::BTreeMap;

use tidemark_systemd::Unit;

use super::generated::is_ours;
use super::manager::{Activity, Load, State};
use super::record::{Known, Record, fingerprint};

/// What is known before anything is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    /// What should be.
    pub(super) plan: &'a [Unit],
    /// What was, since the target was started.
    pub(super) record: Option<&'a Record>,
    /// What the manager says, by name.
    pub(super) states: &'a BTreeMap<String, State>,
    /// Whether the target is active.
    pub(super) is_active: bool,
    /// The fingerprint of the settings.
    pub(super) settings: u64,
    /// The identity of the program of each service that stays, by the service's name.
    pub(super) programs: &'a BTreeMap<String, u64>,
    /// The identity of its secrets, likewise.
    pub(super) secrets: &'a BTreeMap<String, u64>,
}

/// What is to be done to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It should no longer be.
    Stop(String, Why),
    /// It has failed and should no longer be.
    Clear(String),
    /// It runs as it no longer should.
    Restart(String, Why),
    /// It is new.
    Start(String),
}

/// Why something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its collector is gone or off.
    Gone,
    /// Its collector is gone or off, and the run that was let end did not.
    Overdue,
    /// Its timer starts it from now on.
    HasTimer,
    /// Nothing is started on this host.
    Standby,
    /// Its unit has changed.
    Unit,
    /// The settings have changed, and it reads them at its start alone.
    Settings,
    /// A secret that it was handed at its start has changed.
    Secret,
    /// Its program has been replaced.
    Program,
}

/// What is to be done, in this order, and what cannot be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    /// Services that run, and should no longer be.
    pub(super) leaving: Vec<String>,
    /// Units that the manager does not have, or cannot use.
    pub(super) missing: Vec<String>,
}

/// Whether a unit is a service that the target itself starts.
pub(super) fn stays(unit: &Unit) -> bool {
    unit.wanted && unit.file_name.ends_with(".service")
}

/// What is to be done once the manager has read the units again.
pub(super) fn steps(of: &Situation) -> Steps {
    let mut all = Steps::default();
    of.gone(&mut all);
    for unit in of.plan {
        of.planned(unit, &mut all);
    }
    // What is stopped makes way for what is started.
    all.steps.sort_by_key(|step| match step {
        Step::Stop(..) => 0,
        Step::Clear(_) => 1,
        Step::Restart(..) => 2,
        Step::Start(_) => 3,
    });
    all
}

/// What is in force now; `told` are the units that the manager was told to start, with `is_done` where it has done all
/// that it was told.
pub(super) fn record(of: &Situation, target_since: u64, told: &[&str], is_done: bool) -> Record {
    let before = of.record;
    let units = of.plan.iter().filter(|unit| unit.wanted).filter_map(|unit| {
        let name = &unit.file_name;
        let known = of.known(name);
        let state = of.states.get(name);
        let runs = state.is_some_and(|state| matches!(state.active, Activity::Active | Activity::Changing));
        let is_new = known.is_none() && (runs || (is_done && told.contains(&name.as_str())));
        // What could not be done is tried again.
        let known = match known {
            Some(known) if !is_done => known,
            None if !is_new => return None,
            _ => Known {
                text: fingerprint(unit.text.as_bytes()),
                program: identity(of.programs, name),
                secrets: identity(of.secrets, name),
            },
        };
        Some((name.clone(), known))
    });
    Record {
        target_since,
        settings: match before {
            Some(before) if !is_done => before.settings,
            _ => of.settings,
        },
        units: units.collect(),
    }
}

fn identity(of: &BTreeMap<String, u64>, unit: &str) -> u64 {
    of.get(unit).copied().unwrap_or(0)
}

impl Situation<'_> {
    fn known(&self, name: &str) -> Option<Known> {
        self.record?.units.get(name).copied()
    }

    /// The units that should no longer be, and of which the manager still has something.
    fn gone(&self, all: &mut Steps) {
        for (name, state) in self.states {
            let is_planned = self.plan.iter().any(|unit| unit.file_name == *name);
            // One that is loaded is the operator's own, or the generator sees what is not seen here.
            if is_planned || !is_ours(name) || !matches!(state.load, Load::NotFound | Load::Masked) {
                continue;
            }
            let is_run = name.ends_with(".service") && self.known(name).is_none();
            match state.active {
                Activity::Inactive => {}
                Activity::Failed => all.steps.push(Step::Clear(name.clone())),
                Activity::Changing if is_run => all.leaving.push(name.clone()),
                Activity::Active | Activity::Changing => all.steps.push(Step::Stop(name.clone(), Why::Gone)),
            }
        }
    }

    fn planned(&self, unit: &Unit, all: &mut Steps) {
        let name = &unit.file_name;
        let Some(state) = self.states.get(name) else {
            all.missing.push(name.clone());
            return;
        };
        match state.load {
            Load::Masked => return,
            Load::NotFound | Load::Bad => {
                all.missing.push(name.clone());
                return;
            }
            Load::Loaded => {}
        }
        let known = self.known(name);
        let runs = matches!(state.active, Activity::Active | Activity::Changing);
        if !unit.wanted {
            let why = self.why_unwanted(name, known);
            all.steps
                .extend(why.filter(|_| runs).map(|why| Step::Stop(name.clone(), why)));
            return;
        }
        if !self.is_active {
            return;
        }
        match known {
            None if !runs => all.steps.push(Step::Start(name.clone())),
            Some(_) if state.active == Activity::Failed && !stays(unit) => {
                all.steps.push(Step::Start(name.clone()));
            }
            Some(known) if runs && stays(unit) => {
                let why = self.why_restart(unit, known);
                all.steps.extend(why.map(|why| Step::Restart(name.clone(), why)));
            }
            _ => {}
        }
    }

    /// Why a unit is stopped that the target does not start; none where it is a run of its timer's.
    fn why_unwanted(&self, name: &str, known: Option<Known>) -> Option<Why> {
        let Some(stem) = name.strip_suffix(".service") else {
            return Some(Why::Standby);
        };
        let timer = format!("{stem}.timer");
        match self.plan.iter().any(|unit| unit.file_name == timer) {
            true => known.map(|_| Why::HasTimer),
            false => Some(Why::Standby),
        }
    }

    fn why_restart(&self, unit: &Unit, known: Known) -> Option<Why> {
        // What is gone, as in the middle of an upgrade, is no reason yet.
        let is_another = |now: u64, known: u64| now != 0 && known != now;
        if known.text != fingerprint(unit.text.as_bytes()) {
            Some(Why::Unit)
        } else if self.record.is_some_and(|record| record.settings != self.settings) {
            Some(Why::Settings)
        } else if is_another(identity(self.secrets, &unit.file_name), known.secrets) {
            Some(Why::Secret)
        } else if is_another(identity(self.programs, &unit.file_name), known.program) {
            Some(Why::Program)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
