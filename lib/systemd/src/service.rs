use std::path::Path;

use tidemark_settings::Span;

use crate::sandbox::{credentials, sandbox};
use crate::text::Text;
use crate::{Collector, Host, Needs, UnitError, value};

/// Beyond its deadline a run has this long: the program waits 7 s for a collector that does not heed it, delivers for at
/// most 10 s, and starts and commits in what is left.
pub const START_MARGIN: Span = Span::secs(30);

/// How long a program that is told to end may take: a commit under way waits up to 10 s for others to leave the outbox; then
/// the program waits 7 s for its collector, commits what that sent (10 s again), and delivers for 2 s.
const STOP_TIME: Span = Span::secs(30);

/// How long a program that stays may take to be ready, and may then be silent.
const WATCHDOG: Span = Span::minutes(2);

/// The least between the end of a program that should have stayed and its next start.
const SHORTEST_RESTART: Span = Span::secs(5);
/// The longest, of a program that stays at a long interval.
const LONGEST_RESTART: Span = Span::minutes(1);

/// Has a program that stays read its settings anew.
const RELOAD: &str = "+/bin/kill -HUP $MAINPID";

/// The most files and connections of a program that stays: it may have some of each of many sources at once.
const MOST_FILES: &str = "65536";

/// What is said of a service that differs from one to the next.
pub(crate) struct Service<'a> {
    /// The unit's name without `.service`.
    pub(crate) unit: &'a str,
    /// What it is, for people; not escaped.
    pub(crate) description: String,
    /// Its program.
    pub(crate) program: &'a Path,
    /// What follows the program on its command line; not escaped.
    pub(crate) arguments: Vec<String>,
    /// What the program itself reaches for.
    pub(crate) needs: &'a Needs,
    /// How it runs.
    pub(crate) runs: Runs,
}

/// How a service runs.
#[derive(Copy, Clone)]
pub(crate) enum Runs {
    /// Once, for at most so long; a timer starts it again.
    Once(Span),
    /// It stays, and works at this interval.
    Stays(Span),
}

impl<'a> Service<'a> {
    pub(crate) fn of(collector: &'a Collector, unit: &'a str, runs: Runs) -> Service<'a> {
        let arguments = match runs {
            Runs::Once(_) => Vec::new(),
            Runs::Stays(interval) => vec![format!("--every={interval}")],
        };
        Service {
            unit,
            description: format!("tidemark collector {}: {}", collector.name, collector.summary),
            program: &collector.program,
            arguments,
            needs: &collector.needs,
            runs,
        }
    }

    pub(crate) fn text(&self, host: &Host) -> Result<String, UnitError> {
        let mut text = Text::new();
        text.section("Unit");
        text.key("Description", &value::description(&self.description));
        text.key("StartLimitIntervalSec", "0");
        if self.needs.network || self.needs.listens || host.sinks.network {
            text.key("Wants", "network-online.target");
            text.key("After", "network-online.target");
        }
        if let Runs::Stays(_) = self.runs {
            text.key("PartOf", "tidemark.target");
        }

        text.section("Service");
        match self.runs {
            Runs::Once(most) => {
                text.key("Type", "oneshot");
                text.key("TimeoutStartSec", &most.to_string());
            }
            Runs::Stays(interval) => {
                text.key("Type", "notify");
                text.key("TimeoutStartSec", &WATCHDOG.to_string());
                text.key("WatchdogSec", &WATCHDOG.to_string());
                text.key("Restart", "always");
                text.key(
                    "RestartSec",
                    &interval.clamp(SHORTEST_RESTART, LONGEST_RESTART).to_string(),
                );
            }
        }
        text.key("TimeoutStopSec", &STOP_TIME.to_string());
        text.key("Environment", "TIDEMARK_BOOT_ID=%b");
        text.key("EnvironmentFile", "-/etc/default/tidemark");
        text.key("ExecStart", &self.command(host)?);
        if let Runs::Stays(_) = self.runs {
            // As the manager: the sandbox lets nobody send a signal.
            text.key("ExecReload", RELOAD);
            text.key("LimitNOFILE", MOST_FILES);
        }
        text.key("User", value::account("the user", &host.user)?);
        text.key("StateDirectory", "tidemark");
        text.key("StateDirectoryMode", "0750");
        text.key("SyslogIdentifier", self.unit);
        text.key("Slice", "tidemark.slice");
        text.key("MemoryMax", "1G");
        text.key("TasksMax", "256");
        text.key("OOMScoreAdjust", "300");
        for (key, value) in credentials(host)? {
            text.key(key, &value);
        }
        for (key, value) in sandbox(self.needs, host, self.program)? {
            text.key(key, &value);
        }
        if let Runs::Stays(_) = self.runs {
            text.section("Install");
            text.key("WantedBy", "tidemark.target");
        }
        Ok(text.finish())
    }

    fn command(&self, host: &Host) -> Result<String, UnitError> {
        let mut line = vec![value::checked_program("the program", self.program)?.to_owned()];
        line.extend(self.arguments.iter().cloned());
        if let Some(file) = &host.settings_file {
            line.push("--config".to_owned());
            line.push(value::checked_path("the settings", file)?.to_owned());
        }
        // A colon in front: no `$` begins a variable then.
        if line.iter().any(|word| word.contains('$'))
            && let Some(program) = line.first_mut()
        {
            program.insert(0, ':');
        }
        Ok(line
            .iter()
            .map(|word| value::word(word))
            .collect::<Vec<_>>()
            .join(" "))
    }
}

/// How long a run may take from its start to its end.
pub(crate) fn start_timeout(deadline: Span) -> Span {
    Span::from(deadline.as_duration().saturating_add(START_MARGIN.as_duration()))
}
