//! `tidemark units verify`: what should be, beside what is on disk and what systemd has loaded.
//!
//! What an operator has stopped, masked or changed is `own`, and no fault. The exit code is 1 where something differs.
//! `--json` prints one object: `{"verdict": ok|differs, "units": [{"unit", "verdict": ok|own|differs, "found", "advice"}],
//! "notices": [texts]}`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use tidemark_settings::Span;
use tidemark_systemd::{TARGET, Unit};

use super::generated::Difference;
use super::manager::{Activity, Load, State};
use super::steps::{Situation, Step, steps};
use super::sync::state_of;
use super::{PATH_UNIT, SECRETS_PATH_UNIT};
use crate::table::{Align, Cell, Paint, Table};
use crate::wording::counted;

/// What mends most of it.
const SYNC: &str = "`tidemark units sync`";

/// How a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// As the operator wants it.
    Own,
    /// Not as it should be.
    Differs,
}

/// What was found of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) unit: String,
    pub(super) verdict: Verdict,
    pub(super) found: String,
    /// What to do.
    pub(super) advice: Option<String>,
}

/// Everything that was found; serialises as the object of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether anything differs: `ok` or `differs`.
    verdict: Verdict,
    units: Vec<Finding>,
    /// What the plan leaves out, and why.
    notices: Vec<String>,
}

/// What is compared.
#[derive(Debug)]
pub(super) struct Sides<'a> {
    /// What should be, and what the manager says.
    pub(super) situation: Situation<'a>,
    /// What differs on disk.
    pub(super) on_disk: BTreeMap<String, Difference>,
    /// Where the generator writes.
    pub(super) generated: &'a Path,
}

impl Report {
    pub(super) fn new(units: Vec<Finding>, notices: Vec<String>) -> Self {
        let differs = units.iter().any(|finding| finding.verdict == Verdict::Differs);
        Self {
            verdict: if differs { Verdict::Differs } else { Verdict::Ok },
            units,
            notices,
        }
    }

    pub(super) fn differs(&self) -> bool {
        self.verdict == Verdict::Differs
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // Strings and lists under string keys: there is nothing that could fail.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// The whole screen; `width` is the terminal's, 0 where there is none.
    pub(super) fn screen(&self, colour: bool, width: usize) -> String {
        let count = |verdict| self.units.iter().filter(|of| of.verdict == verdict).count() as u64;
        let own = match count(Verdict::Own) {
            0 => String::new(),
            own => format!(", {own} as the operator has it"),
        };
        let all = counted(self.units.len() as u64, "unit", "units");
        let mut out = match count(Verdict::Differs) {
            0 => format!("All is as it should be: {all}{own}.\n\n"),
            one => format!("{one} of {all} not as it should be{own}.\n\n"),
        };
        let columns = ["UNIT", "VERDICT", "FOUND"].map(|name| (name, Align::Left));
        let mut table = Table::new(columns);
        for of in &self.units {
            let (word, paint) = match of.verdict {
                Verdict::Ok => ("ok", Paint::Good),
                Verdict::Own => ("own", Paint::Notable),
                Verdict::Differs => ("DIFFERS", Paint::Bad),
            };
            table.row([
                of.unit.as_str().into(),
                Cell::from(word).painted(paint),
                of.found.as_str().into(),
            ]);
            if let Some(advice) = &of.advice {
                table.note(&format!("-> {advice}"));
            }
        }
        out.push_str(&table.render_within(colour, width));
        out
    }
}

/// A finding for each unit that should be, or is and should not.
pub(super) fn findings(sides: &Sides) -> Vec<Finding> {
    let situation = &sides.situation;
    let all = steps(situation);
    let step_of = |name: &str| all.steps.iter().find(|step| step.unit() == name);
    let mut findings = vec![
        of_target(situation),
        of_path(situation, PATH_UNIT, "changes take no effect by themselves"),
        of_path(
            situation,
            SECRETS_PATH_UNIT,
            "secrets that change take no effect by themselves",
        ),
    ];
    for unit in situation.plan {
        let state = state_of(situation.states, &unit.file_name);
        let found = sides.planned(unit, &state, step_of(&unit.file_name));
        findings.push(found.of(&unit.file_name));
    }
    let is_planned = |name: &str| situation.plan.iter().any(|unit| unit.file_name == name);
    let mut left: Vec<&str> = sides.on_disk.keys().map(String::as_str).collect();
    left.extend(all.steps.iter().map(Step::unit));
    left.retain(|name| !is_planned(name));
    left.sort_unstable();
    left.dedup();
    for name in left {
        let found = Found::differs("is still there, but its collector is gone or off", SYNC);
        findings.push(found.of(name));
    }
    for name in &all.leaving {
        findings.push(Found::ok("runs to its end; its collector is gone or off".to_owned()).of(name));
    }
    findings
}

/// A finding without its unit.
struct Found {
    verdict: Verdict,
    found: String,
    advice: Option<String>,
}

impl Found {
    fn ok(found: String) -> Self {
        Self {
            verdict: Verdict::Ok,
            found,
            advice: None,
        }
    }

    fn own(found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Own,
            found: found.into(),
            advice: None,
        }
    }

    fn differs(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Differs,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    fn of(self, unit: &str) -> Finding {
        Finding {
            unit: unit.to_owned(),
            verdict: self.verdict,
            found: self.found,
            advice: self.advice,
        }
    }
}

impl Sides<'_> {
    fn planned(&self, unit: &Unit, state: &State, step: Option<&Step>) -> Found {
        let name = &unit.file_name;
        if state.load == Load::Masked {
            return Found::own("masked");
        }
        match self.on_disk.get(name) {
            Some(Difference::Missing) => return Found::differs("is not on disk", SYNC),
            Some(_) => return Found::differs("is another on disk", SYNC),
            None => {}
        }
        let status = format!("`systemctl status {name}` says why");
        match state.load {
            Load::NotFound => return Found::differs("systemd has not read it", SYNC),
            Load::Bad => return Found::differs("systemd cannot use it", status),
            Load::Loaded | Load::Masked => {}
        }
        if state.needs_reload {
            return Found::differs("systemd has read an older one", SYNC);
        }
        if state.fragment != self.generated.join(name) {
            return Found::own(format!("is {}", state.fragment.display()));
        }
        if state.drop_ins.is_empty()
            && let Some((due, loaded)) = other_interval(unit, state)
        {
            return Found::differs(format!("has the interval {loaded} instead of {due}"), SYNC);
        }
        match step {
            Some(Step::Start(_)) if state.active == Activity::Failed => {
                return Found::differs("has failed", SYNC);
            }
            Some(Step::Start(_)) => return Found::differs("has not been started", SYNC),
            Some(Step::Restart(_, why)) => {
                return Found::differs(format!("has to be restarted: {why}"), SYNC);
            }
            Some(Step::Stop(_, why)) => return Found::differs(format!("has to be stopped: {why}"), SYNC),
            Some(Step::Clear(_)) | None => {}
        }
        let mut own = Vec::new();
        if unit.wanted && self.situation.is_active {
            match state.active {
                Activity::Active | Activity::Changing => {}
                Activity::Inactive => own.push("stopped".to_owned()),
                Activity::Failed => return Found::differs("has failed", status),
            }
        }
        let drop_ins = state.drop_ins.iter().filter(|path| is_operators(path));
        own.extend(drop_ins.map(|path| format!("with {}", path.display())));
        match own.is_empty() {
            true => Found::ok(how(unit, state)),
            false => Found::own(own.join(", ")),
        }
    }
}

/// Whether a drop-in is the operator's; others come with systemd or with a package.
fn is_operators(drop_in: &Path) -> bool {
    drop_in.starts_with("/etc") || drop_in.starts_with("/run")
}

/// How a unit is that is as it should be.
fn how(unit: &Unit, state: &State) -> String {
    let active = match state.active {
        Activity::Active => "active",
        Activity::Inactive | Activity::Failed => "idle",
        Activity::Changing => "running",
    };
    match &state.interval {
        Some(interval) if unit.wanted => format!("{active}, every {interval}"),
        _ => active.to_owned(),
    }
}

/// The interval that a timer should have and the one that it has, where they are not the same.
fn other_interval(unit: &Unit, state: &State) -> Option<(Span, String)> {
    let mut lines = unit.text.lines();
    let due = lines.find_map(|line| line.strip_prefix("OnUnitInactiveSec="))?;
    let due: Span = due.parse().ok()?;
    let loaded = state.interval.clone().unwrap_or_else(|| "none".to_owned());
    (loaded.parse() != Ok(due)).then_some((due, loaded))
}

fn of_target(situation: &Situation) -> Finding {
    let state = state_of(situation.states, TARGET);
    let found = match (state.load, state.active) {
        (Load::Masked, _) => Found::own("masked: nothing is started"),
        (Load::NotFound | Load::Bad, _) => Found::differs("is not installed: nothing is started", INSTALL),
        (Load::Loaded, Activity::Active) => Found::ok("active".to_owned()),
        (Load::Loaded, _) => Found {
            advice: Some(format!("`systemctl enable --now {TARGET}`")),
            ..Found::own("not active: nothing is started")
        },
    };
    found.of(TARGET)
}

/// Of a path unit; `deaf` is what follows where it does not look.
fn of_path(situation: &Situation, unit: &str, deaf: &str) -> Finding {
    let state = state_of(situation.states, unit);
    let found = match (state.load, state.active) {
        (Load::Masked, _) => Found::own(format!("masked: {deaf}")),
        (Load::NotFound | Load::Bad, _) => Found::differs(format!("is not installed: {deaf}"), INSTALL),
        (Load::Loaded, Activity::Failed) => {
            Found::differs(format!("has failed: {deaf}"), format!("`systemctl start {unit}`"))
        }
        (Load::Loaded, Activity::Inactive) if situation.is_active => Found {
            advice: Some(format!("`systemctl start {unit}`")),
            ..Found::own(format!("stopped: {deaf}"))
        },
        (Load::Loaded, Activity::Inactive) => Found::ok("idle".to_owned()),
        (Load::Loaded, _) => Found::ok("active".to_owned()),
    };
    found.of(unit)
}

/// What to do where a shipped unit is missing.
const INSTALL: &str = "install tidemark's package anew";

#[cfg(test)]
mod tests;
