//! How the collectors and the sinks are: what `status` shows, and the contract of `status --json`.

mod gather;
mod late;
mod screen;
mod targets;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tidemark_app::block_on;
use tidemark_app::boot::{self, BootInstant};
use tidemark_app::exit::{self, Failure};
use tidemark_collect::{Clock as _, SystemClock};
use tidemark_point::Timestamp;
use tidemark_settings::{Environment as _, Span};

use crate::Command;
use crate::catalogue;
use crate::state;
use crate::table::terminal_width;
use gather::{Sources, gather};
use late::{End, Now};
use screen::screen;

/// The host that is looked at.
const HOST: &str = "/";

/// Prints the screen (with wrong settings too), or the contract's object; with `check` the exit code says whether somebody should look.
pub(crate) fn status(command: &Command, json: bool, check: bool) -> Result<ExitCode, Failure> {
    let (loaded, wrong) = match command.settings() {
        Ok(loaded) => (Some(loaded), None),
        // Nobody needs the screen more than who has to mend the settings. The contract's object would have to guess.
        Err(wrong) if !json => (None, Some(wrong)),
        Err(wrong) => return Err(wrong),
    };
    let state = state::folder(command)?;
    let has_outbox = state::file(&state, state::OUTBOX)?.is_some();
    let mut status = block_on(async {
        let catalogue = catalogue::find_beside(&command.here).await;
        let from = Sources {
            catalogue: &catalogue,
            loaded: loaded.as_ref(),
            hostname: &command.here.hostname,
            state: &state,
            has_outbox,
            unread: command.unread(),
            clock: Arc::new(SystemClock),
            now: Now {
                wall: SystemClock.now(),
                boot: BootInstant::now(&command.here.environment, Path::new(HOST)),
                up: boot::uptime(Path::new(HOST)),
            },
        };
        gather(from).await.map_err(Failure::run)
    })?;
    if !has_outbox {
        status.warnings.extend(state::elsewhere(command, &state));
    }
    if json {
        exit::print(&status.to_json())?;
    } else {
        let plain = command.here.environment.get_nonempty("NO_COLOR").is_some();
        let colour = std::io::stdout().is_terminal() && !plain;
        exit::print(screen(&status, colour, terminal_width()).as_bytes())?;
    }
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    Ok(ExitCode::from(if check && status.needs_attention() {
        exit::FAILED
    } else {
        exit::OK
    }))
}

/// All of it, in the order of names; serialises as the contract says.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// The host's name.
    pub(crate) host: String,
    /// The installed collectors.
    pub(crate) collectors: Vec<CollectorStatus>,
    /// The sinks.
    pub(crate) sinks: Vec<SinkStatus>,
    /// When this was looked at.
    #[serde(skip)]
    pub(crate) now: Timestamp,
    /// Whether the settings are wrong: this is what was recorded, and what is configured is not known.
    #[serde(skip)]
    pub(crate) settings_are_wrong: bool,
    /// What is wrong with the whole: settings' notices, an outbox that cannot be used.
    #[serde(skip)]
    pub(crate) warnings: Vec<String>,
}

/// How a collector is.
#[derive(Debug, Serialize)]
pub(crate) struct CollectorStatus {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    #[serde(rename = "interval_seconds", serialize_with = "seconds")]
    pub(crate) interval: Span,
    pub(crate) state: State,
    pub(crate) last_run: Option<LastRun>,
    #[serde(serialize_with = "maybe_time")]
    pub(crate) next_run: Option<Timestamp>,
    /// Since when it fails, and for how many runs.
    #[serde(skip)]
    pub(crate) failing: Option<FailingSince>,
    /// Which of its targets are late, where it is not late as a whole.
    #[serde(skip)]
    pub(crate) late_targets: Option<String>,
    /// Whether the store is a sink that takes its batches.
    #[serde(skip)]
    pub(crate) in_store: bool,
    /// Why its program cannot be used.
    #[serde(skip)]
    pub(crate) broken: Option<String>,
}

/// A row of failed runs that ends with the last one.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct FailingSince {
    /// When the first of them began, as far as runs are kept.
    pub(crate) since: Timestamp,
    /// How many there are.
    pub(crate) runs: u64,
}

/// A collector's state in a word.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Its last run was right, and not too long ago.
    Ok,
    /// No run, or none of one of its targets, has ended for twice the interval and the deadline, while the host was up.
    Late,
    /// Its last run failed.
    Failing,
    /// A run is under way.
    Running,
    /// It has never run.
    Never,
    /// Nothing starts it.
    Disabled,
}

impl State {
    /// The word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Running => "running",
            Self::Never => "never",
            Self::Disabled => "disabled",
        }
    }

    /// Whether somebody should look.
    pub(crate) fn is_bad(self) -> bool {
        matches!(self, Self::Late | Self::Failing)
    }
}

/// A collector's newest run that has ended.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LastRun {
    #[serde(serialize_with = "time")]
    pub(crate) started: Timestamp,
    pub(crate) duration_seconds: f64,
    pub(crate) ok: bool,
    pub(crate) partial: bool,
    pub(crate) points: u64,
    pub(crate) gaps: Vec<String>,
    pub(crate) notices: Vec<String>,
    pub(crate) error: Option<String>,
}

impl LastRun {
    /// When it ended.
    pub(crate) fn ended(&self) -> Timestamp {
        let duration = Duration::try_from_secs_f64(self.duration_seconds);
        self.started.saturating_add(duration.unwrap_or_default())
    }
}

/// How a sink is; numbers are points.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SinkStatus {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) sink_type: String,
    pub(crate) collected: u64,
    pub(crate) delivered: u64,
    pub(crate) waiting: u64,
    pub(crate) rejected: u64,
    pub(crate) dropped: u64,
    pub(crate) superseded: u64,
    #[serde(serialize_with = "maybe_time")]
    pub(crate) oldest_waiting: Option<Timestamp>,
    #[serde(serialize_with = "maybe_time")]
    pub(crate) backoff_until: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    /// Points that were lost and that nobody has acknowledged.
    #[serde(skip)]
    pub(crate) lost: u64,
    /// Whether no settings name it any more.
    #[serde(skip)]
    pub(crate) orphaned: bool,
    /// Whether a collector's own command line may deliver to it though no settings name it.
    #[serde(skip)]
    pub(crate) by_command_line: bool,
    /// Since when the outbox is known to have been damaged.
    #[serde(skip)]
    pub(crate) damaged_since: Option<Timestamp>,
}

impl SinkStatus {
    /// Whether somebody should look.
    pub(crate) fn is_bad(&self) -> bool {
        self.lost > 0 || self.orphaned || (self.waiting > 0 && self.last_error.is_some())
    }
}

impl Status {
    /// Whether `--check` fails: something is late, failing, or lost and not acknowledged.
    pub(crate) fn needs_attention(&self) -> bool {
        self.collectors.iter().any(|collector| collector.state.is_bad())
            || self.sinks.iter().any(|sink| sink.lost > 0)
    }

    /// The contract's object, indented, with a final newline.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and lists under string keys: there is nothing that could fail.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

/// What a collector's state follows from.
#[derive(Debug, Clone)]
pub(crate) struct Signs<'a> {
    pub(crate) enabled: bool,
    pub(crate) broken: bool,
    pub(crate) interval: Span,
    pub(crate) deadline: Span,
    /// The last run, and when it ended.
    pub(crate) last_run: Option<(&'a LastRun, End)>,
    /// When the run under way began.
    pub(crate) running_since: Option<Timestamp>,
    /// Whether the last run stands for those of many targets: then one is under way all the time, and says nothing of the
    /// others.
    pub(crate) of_targets: bool,
    /// Whether some of the targets are late.
    pub(crate) some_are_late: bool,
}

impl Signs<'_> {
    /// The state; the worst that is true.
    pub(crate) fn state(&self, now: &Now) -> State {
        match self.last_run {
            _ if !self.enabled => State::Disabled,
            _ if self.broken => State::Failing,
            _ if self.is_quiet(now) => State::Late,
            Some((run, _)) if self.of_targets && !run.ok => State::Failing,
            _ if self.some_are_late => State::Late,
            _ if self.is_running(now) => State::Running,
            Some((run, _)) if !run.ok => State::Failing,
            Some(_) => State::Ok,
            None => State::Never,
        }
    }

    /// Whether a run is under way, within its deadline.
    fn is_running(&self, now: &Now) -> bool {
        self.running_since
            .is_some_and(|since| distance(now.wall, since) <= nanos(self.deadline))
    }

    /// Whether no run at all ends any more.
    pub(crate) fn is_quiet(&self, now: &Now) -> bool {
        let end = self.last_run.as_ref().map(|(_, end)| end);
        end.is_some_and(|end| !self.is_running(now) && self.is_late(now.quiet_since(end)))
    }

    /// Whether a collector is late of which no run has ended for so long: 2 × interval + deadline is not late yet.
    fn is_late(&self, quiet: Duration) -> bool {
        let interval = self.interval.as_duration();
        quiet
            > interval
                .saturating_mul(2)
                .saturating_add(self.deadline.as_duration())
    }

    /// When the next run starts, as far as that can be told: not of one that is late, as what should start it does not.
    pub(crate) fn next_run(&self, now: &Now) -> Option<Timestamp> {
        let (_, end) = self.last_run.as_ref()?;
        let quiet = now.quiet_since(end);
        let known = self.enabled && self.running_since.is_none() && !self.is_late(quiet);
        known.then(|| now.next_run(quiet, self.interval.as_duration()))
    }
}

fn distance(a: Timestamp, b: Timestamp) -> u64 {
    a.since(b).unsigned_abs()
}

fn nanos(span: Span) -> u64 {
    u64::try_from(span.as_duration().as_nanos()).unwrap_or(u64::MAX)
}

/// Whole seconds as an integer, others as they are.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn seconds<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    match span.as_duration() {
        whole if whole.subsec_nanos() == 0 => serializer.serialize_u64(whole.as_secs()),
        other => serializer.serialize_f64(other.as_secs_f64()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[expect(clippy::ref_option, reason = "serde passes a reference")]
fn maybe_time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
