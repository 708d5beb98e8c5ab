//! What systemd's manager says of units, and what it is told: the only place that calls `systemctl`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tidemark_app::exit::Failure;
use tidemark_collect::one_line;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// What is asked of each unit.
const PROPERTIES: &str = "Id,LoadState,ActiveState,FragmentPath,DropInPaths,NeedDaemonReload,TimersMonotonic,ExecStart,\
                          ActiveEnterTimestampMonotonic";

/// The most of an answer that is read: some 50,000 units.
const MAX_ANSWER: u64 = 32 << 20;

/// `systemctl`, and how long it may take.
#[derive(Debug)]
pub(super) struct Systemctl {
    /// The program.
    pub(super) program: PathBuf,
    /// For an answer. The manager answers at once, but not while it reloads.
    pub(super) ask_time: Duration,
    /// For a change: a service that is stopped has its `TimeoutStopSec=`.
    pub(super) change_time: Duration,
}

/// A unit as the manager has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// `tidemark-host.timer`.
    pub(super) name: String,
    /// `LoadState`.
    pub(super) load: Load,
    /// `ActiveState`.
    pub(super) active: Activity,
    /// The file that it was read from; empty where there is none.
    pub(super) fragment: PathBuf,
    /// The operator's changes to it.
    pub(super) drop_ins: Vec<PathBuf>,
    /// Whether a file of it has changed since it was read.
    pub(super) needs_reload: bool,
    /// Of a timer, `OnUnitInactiveSec=` in force.
    pub(super) interval: Option<String>,
    /// The program of a service.
    pub(super) program: Option<PathBuf>,
    /// When it became active, in the manager's microseconds since boot; 0 where it never was.
    pub(super) active_since: u64,
}

/// Whether the manager has a unit's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    Loaded,
    /// There is no file (any more).
    NotFound,
    /// The operator wants it never to be started.
    Masked,
    /// It cannot be used as it is.
    Bad,
}

/// What a unit is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    Active,
    Inactive,
    Failed,
    /// It starts, reloads or ends; a oneshot service while it runs.
    Changing,
}

impl State {
    /// A unit that the manager knows nothing of.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            load: Load::NotFound,
            active: Activity::Inactive,
            fragment: PathBuf::new(),
            drop_ins: Vec::new(),
            needs_reload: false,
            interval: None,
            program: None,
            active_since: 0,
        }
    }
}

impl Systemctl {
    /// The host's own.
    pub(super) fn of_host() -> Self {
        Self {
            program: PathBuf::from("/usr/bin/systemctl"),
            ask_time: Duration::from_secs(60),
            change_time: Duration::from_secs(180),
        }
    }

    /// The states of these units, and of all that match a pattern among them and are not idle.
    pub(super) async fn show(&self, names: &[&str]) -> Result<Vec<State>, Failure> {
        let mut words = vec!["show", "--property", PROPERTIES, "--"];
        words.extend(names);
        let (said, complaints, is_done) = self.call(&words, self.ask_time).await?;
        if !is_done {
            return Err(self.failed("show", &complaints));
        }
        Ok(states(&said))
    }

    /// Has the manager read all units again, which runs the generators.
    pub(super) async fn reload(&self) -> Result<(), Failure> {
        let (_, complaints, is_done) = self.call(&["daemon-reload"], self.change_time).await?;
        match is_done {
            true => Ok(()),
            false => Err(self.failed("daemon-reload", &complaints)),
        }
    }

    /// Tells the manager something of units, the words of the command first. One that cannot be done does not keep the
    /// others from it.
    ///
    /// # Errors
    /// Where it cannot be asked. What it complains of is the answer.
    pub(super) async fn tell(&self, words: &[&str], units: &[&str]) -> Result<Vec<String>, Failure> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let mut line = words.to_vec();
        line.push("--");
        line.extend(units);
        let (_, complaints, is_done) = self.call(&line, self.change_time).await?;
        let complaints: Vec<String> = complaints.lines().map(one_line).collect();
        Ok(match is_done {
            true => Vec::new(),
            false if complaints.is_empty() => {
                vec![format!(
                    "systemctl {} failed and does not say why",
                    words.join(" ")
                )]
            }
            false => complaints,
        })
    }

    /// Runs it: what it says, what it complains of, and whether it has done its work.
    async fn call(&self, words: &[&str], limit: Duration) -> Result<(String, String, bool), Failure> {
        let command = words.iter().take(1).copied().collect::<String>();
        let cannot = |why: String| {
            Failure::run(format!(
                "{} {command} {why}; is systemd this machine's manager, and does `systemctl status` answer?",
                self.program.display()
            ))
        };
        let mut child = Command::new(&self.program)
            .args(["--no-pager", "--no-ask-password"])
            .args(words)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("SYSTEMD_COLORS", "0")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot(format!("cannot be started: {error}")))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let answer = async {
            let (said, complaints) = tokio::try_join!(read(out), read(err))?;
            std::io::Result::Ok((said, complaints, child.wait().await?))
        };
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok((said, complaints, status))) => Ok((said, complaints, status.success())),
            Ok(Err(error)) => Err(cannot(format!("cannot be read: {error}"))),
            Err(_) => Err(cannot(format!("has not answered for {} s", limit.as_secs()))),
        }
    }

    fn failed(&self, command: &str, complaints: &str) -> Failure {
        let said = complaints.trim();
        let said = if said.is_empty() {
            "it does not say why"
        } else {
            said
        };
        Failure::run(format!(
            "{} {command} failed: {}",
            self.program.display(),
            one_line(said)
        ))
    }
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(MAX_ANSWER).read_to_end(&mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The states in what `systemctl show` says, each unit once: the pattern and a name may both mean it.
fn states(said: &str) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for block in said.split("\n\n") {
        let state = state(block);
        if !state.name.is_empty() && seen.insert(state.name.clone()) {
            states.push(state);
        }
    }
    states
}

fn state(block: &str) -> State {
    let mut state = State::unknown("");
    for (key, value) in block.lines().filter_map(|line| line.split_once('=')) {
        match key {
            "Id" => value.clone_into(&mut state.name),
            "LoadState" => {
                state.load = match value {
                    "loaded" => Load::Loaded,
                    "not-found" => Load::NotFound,
                    "masked" => Load::Masked,
                    _ => Load::Bad,
                }
            }
            "ActiveState" => {
                state.active = match value {
                    "active" => Activity::Active,
                    "inactive" => Activity::Inactive,
                    "failed" => Activity::Failed,
                    _ => Activity::Changing,
                }
            }
            "FragmentPath" => state.fragment = PathBuf::from(value),
            "DropInPaths" => state.drop_ins = value.split_whitespace().map(PathBuf::from).collect(),
            "NeedDaemonReload" => state.needs_reload = value == "yes",
            "TimersMonotonic" => state.interval = interval(value).or(state.interval),
            "ExecStart" => state.program = program(value),
            "ActiveEnterTimestampMonotonic" => state.active_since = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    state
}

/// `5min` of `{ OnUnitInactiveUSec=5min ; next_elapse=1h 2min }`.
fn interval(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("OnUnitInactiveUSec=")?;
    Some(rest.split([';', '}']).next()?.trim().to_owned())
}

/// `/usr/bin/x` of `{ path=/usr/bin/x ; argv[]=/usr/bin/x --every=10s ; … }`.
fn program(value: &str) -> Option<PathBuf> {
    let (_, rest) = value.split_once("path=")?;
    let (path, _) = rest.split_once(" ; argv[]=")?;
    Some(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SAID: &str = "\
Id=tidemark.target
LoadState=loaded
ActiveState=active
FragmentPath=/usr/lib/systemd/system/tidemark.target
DropInPaths=
NeedDaemonReload=no
ActiveEnterTimestampMonotonic=8147483

Id=tidemark-host.timer
LoadState=loaded
ActiveState=inactive
FragmentPath=/run/systemd/generator/tidemark-host.timer
DropInPaths=/etc/systemd/system/tidemark-host.timer.d/a.conf /run/systemd/system/tidemark-.timer.d/b.conf
NeedDaemonReload=yes
TimersMonotonic={ OnBootUSec=30s ; next_elapse=30s }
TimersMonotonic={ OnUnitInactiveUSec=1h 30min ; next_elapse=infinity }
ActiveEnterTimestampMonotonic=0

ExecStart={ path=/usr/lib/a ; b ; argv[]=/usr/lib/a ; b --every=10s ; ignore_errors=no ; pid=0 ; code=(null) }
Id=tidemark-gone.service
LoadState=not-found
ActiveState=activating

Id=tidemark-host.timer
LoadState=loaded
ActiveState=failed
";

    #[test]
    fn an_answer_is_read() {
        let states = states(SAID);
        let names: Vec<&str> = states.iter().map(|state| state.name.as_str()).collect();
        assert_eq!(
            names,
            ["tidemark.target", "tidemark-host.timer", "tidemark-gone.service"]
        );
        assert_eq!(
            (states[0].active, states[0].active_since),
            (Activity::Active, 8_147_483)
        );
        let timer = &states[1];
        assert_eq!((timer.load, timer.active), (Load::Loaded, Activity::Inactive));
        assert_eq!(timer.interval.as_deref(), Some("1h 30min"));
        assert_eq!(timer.drop_ins.len(), 2);
        assert!(timer.needs_reload && timer.program.is_none());
        let gone = &states[2];
        assert_eq!(
            (gone.load, gone.active, gone.program.as_deref()),
            (
                Load::NotFound,
                Activity::Changing,
                Some(Path::new("/usr/lib/a ; b"))
            )
        );
        assert_eq!(super::states("").len(), 0);
        assert_eq!(super::states("\n\nnonsense\n\n=\n").len(), 0);
    }
}
