//! `tidemark check`: whether everything that a run needs is as it should be, before a run finds out.
//!
//! A ladder: the settings, the state and the outbox, each sink from its secrets to the clock of its server, the
//! collectors. What stands higher is tried as far as it can be without what stands lower. Nothing is changed: no file is
//! made, nothing is migrated or set aside, no point is stored.
//!
//! The exit code is 78 where the settings are wrong, 1 where anything else failed (a secret that does not resolve, too:
//! mending that is no matter of the settings alone), else 0; warnings change nothing. `--json` prints one object:
//! `{"host", "now", "verdict", "parts": [{"part": settings|state|sink|sinks|collectors, "name" (of a sink), "checks":
//! [{"check", "verdict": ok|warning|failed|not_tried, "found", "advice"}]}]}`, times RFC 3339.

mod collectors;
mod idic;
mod outbox;
mod screen;
mod settings;
mod sinks;
mod state;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tidemark_app::exit::{self, Failure};
use tidemark_app::{OwnerError, become_owner, block_on};
use tidemark_collect::http::ClientOptions;
use tidemark_collect::{Clock, SystemClock};
use tidemark_delivery::{Finding, Sinks, SinksError, Verdict};
use tidemark_point::Timestamp;
use tidemark_settings::{Environment as _, Settings};

use crate::Command;
use crate::catalogue;
use crate::table::terminal_width;

/// What is configured where nobody knows: a name that no sink can have.
const NO_SINK: &str = "-";

/// Everything that was found; serialises as the object of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The host's name.
    host: String,
    #[serde(serialize_with = "time")]
    now: Timestamp,
    /// The worst of all.
    verdict: Word,
    parts: Vec<Part>,
    /// Whether the settings are wrong.
    #[serde(skip)]
    settings_are_wrong: bool,
}

/// What belongs together: the settings, the state, a sink, the collectors.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    /// `settings`, `state`, `sink` or `collectors`.
    part: &'static str,
    /// Of a sink, its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What it is called on the screen.
    #[serde(skip)]
    title: String,
    #[serde(serialize_with = "findings")]
    checks: Vec<Finding>,
}

impl Part {
    fn new(part: &'static str, title: impl Into<String>, checks: Vec<Finding>) -> Self {
        Self {
            part,
            name: None,
            title: title.into(),
            checks,
        }
    }
}

/// Looks at everything, and prints it; the exit code says whether something failed.
pub(crate) fn check(command: &Command, json: bool) -> Result<ExitCode, Failure> {
    let report = look(command)?;
    if json {
        exit::print(&report.to_json())?;
    } else {
        let plain = command.here.environment.get_nonempty("NO_COLOR").is_some();
        let colour = std::io::stdout().is_terminal() && !plain;
        exit::print(screen::screen(&report, colour, terminal_width()).as_bytes())?;
    }
    Ok(ExitCode::from(report.code()))
}

fn look(command: &Command) -> Result<Report, Failure> {
    let here = &command.here;
    let first = command.load();
    // Secrets and certificates may be root's alone: they are read before root becomes the state's owner.
    let idic = first.as_ref().map(|loaded| idic::Read::of(loaded, here));
    let idic = idic.unwrap_or_default();
    let (sinks, errors) = match &first {
        Ok(loaded) => {
            let http = ClientOptions::new(&here.environment);
            Sinks::resolve_each(&loaded.settings, &here.environment, &here.places, &http)
        }
        Err(_) => (Sinks::discard(NO_SINK), Vec::new()),
    };
    let state = here.places.state();
    let owner = match state {
        Ok(state) => become_owner(state),
        Err(_) => Ok(()),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let from = Sources {
        command,
        settings: first.as_ref().ok().map(|loaded| &loaded.settings),
        state: state.map_err(|error| error.to_string()),
        owner,
        sinks: &sinks,
        sinks_are_known: first.as_ref().is_ok_and(|loaded| loaded.sinks_in_doubt.is_none()),
        has_default_sink: first.as_ref().is_ok_and(|loaded| loaded.has_default_sink),
        errors: &errors,
        now: clock.now(),
        clock,
    };
    let (catalogue, outbox, found) = block_on(async {
        // Side by side: what hangs delays nothing else.
        Ok(tokio::join!(
            catalogue::find_beside(here),
            outbox::look(&from),
            sinks::look(&from)
        ))
    })?;
    let checked = settings::Checked::of(&first, &catalogue, here, idic);
    let mut parts = vec![checked.part(first.as_ref().ok(), here)];
    parts.push(state::part(&from, outbox.findings));
    parts.extend(sinks::parts(&from, found, &outbox.ledger));
    parts.push(collectors::part(&from, &catalogue, first.as_ref().ok()));
    let verdict = parts
        .iter()
        .flat_map(|part| &part.checks)
        .map(|check| check.verdict)
        .max();
    let verdict = verdict.filter(|verdict| *verdict != Verdict::NotTried);
    Ok(Report {
        host: match from.settings {
            Some(settings) => settings.host.name.clone(),
            None => here.hostname.clone(),
        },
        now: from.now,
        verdict: Word(verdict.unwrap_or(Verdict::Ok)),
        parts,
        settings_are_wrong: checked.mistakes.is_some(),
    })
}

/// What is looked at.
struct Sources<'a> {
    command: &'a Command,
    /// The shared sections, where they are right.
    settings: Option<&'a Settings>,
    /// The state folder, or why there is none.
    state: Result<&'a Path, String>,
    /// Whether root could become the state's owner.
    owner: Result<(), OwnerError>,
    sinks: &'a Sinks,
    /// Whether it is known which collectors bring a sink of their own.
    sinks_are_known: bool,
    /// Whether no sink is in the settings.
    has_default_sink: bool,
    /// Of the sinks that cannot be used.
    errors: &'a [SinksError],
    now: Timestamp,
    clock: Arc<dyn Clock>,
}

impl Report {
    /// 78 where the settings are wrong, 1 where something else failed, else 0.
    fn code(&self) -> u8 {
        match self.verdict {
            _ if self.settings_are_wrong => exit::SETTINGS,
            Word(Verdict::Failed) => exit::FAILED,
            Word(_) => exit::OK,
        }
    }

    fn to_json(&self) -> Vec<u8> {
        // Strings and lists under string keys: there is nothing that could fail.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

/// A verdict as programs read it.
#[derive(Debug, Copy, Clone)]
struct Word(Verdict);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self.0 {
            Verdict::Ok => "ok",
            Verdict::NotTried => "not_tried",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn findings<S: Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Check<'a> {
        check: &'a str,
        verdict: Word,
        found: &'a str,
        advice: Option<&'a str>,
    }
    serializer.collect_seq(findings.iter().map(|finding| Check {
        check: &finding.check,
        verdict: Word(finding.verdict),
        found: &finding.found,
        advice: finding.advice.as_deref(),
    }))
}
