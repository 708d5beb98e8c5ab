//! `tidemark`, the operator's command: runs the collectors, and says how they and their points are.
//!
//! | subcommand | what it does |
//! |---|---|
//! | [`up`] | runs the collectors at their intervals, in the foreground: no settings, no root, no network |
//! | [`list`] | says which collectors are installed, and what starts them |
//! | [`status`] | says how collectors and sinks are: a screen, `--json` for programs, `--check` for monitoring |
//! | [`show`] | shows a collector's values in the store |
//! | [`run`] | runs collectors once, now |
//! | [`check`] | says whether all that a run needs is as it should be: settings, secrets, sinks, outbox, collectors |
//! | [`outbox`] | says what waits and what was rejected; tries it now, takes mended points, or gives it up |
//! | [`lint`] | checks a page of metrics, and says what is wrong with line and column; converts it |
//! | [`units`] | prints systemd's units, brings systemd in line with them, says where it is not |
//! | [`completions`], [`man`] | print what a shell completes, and manual pages |
//! | [`new`] | makes a new collector in a checkout of the source |
//!
//! On a machine without anything:
//!
//! ```sh
//! tidemark up &           # collects this machine's own metrics into the store
//! tidemark status         # how that is
//! tidemark show host      # what was measured
//! ```
//!
//! What it is not: it measures nothing itself and links no collector. A collector is a program of its own, `tidemark-NAME`,
//! which is found in a folder ([`catalogue`]), asked what it is, and started ([`child`]). Nor is it a daemon: `up` is for
//! trying and for hosts without systemd.
//!
//! This file is the command line and what every subcommand needs first; each subcommand is a module of its name.

mod arguments;
mod catalogue;
mod check;
mod child;
mod completions;
mod lint;
mod list;
mod man;
mod new;
mod orphaned;
mod outbox;
mod run;
mod runs;
mod show;
mod state;
mod status;
mod table;
mod units;
mod up;
mod wording;

use std::path::PathBuf;
use std::process::ExitCode;

use tidemark_app::exit::{self, Failure};
use tidemark_app::{Surroundings, log};
use tidemark_settings::{EnvironmentFileError, Loaded, Mistakes, Settings};

use crate::arguments::{Request, Subcommand};

/// What the command is called in its messages.
const PROGRAM: &str = "tidemark";

fn main() -> ExitCode {
    match command() {
        Ok(code) => code,
        Err(failure) => failure.report(PROGRAM),
    }
}

fn command() -> Result<ExitCode, Failure> {
    let arguments = match arguments::parse(std::env::args_os())? {
        Request::Print(text) => return exit::print(text.as_bytes()).map(|()| ExitCode::SUCCESS),
        Request::Do(arguments) => arguments,
    };
    log::start(PROGRAM, arguments.verbose);
    let here = Surroundings::find(arguments.config.clone());
    let command = Command {
        here,
        config: arguments.config,
        verbose: arguments.verbose,
    };
    match arguments.subcommand {
        Subcommand::Up => up::up(&command),
        Subcommand::List => list::list(&command),
        Subcommand::Status { json, check } => status::status(&command, json, check),
        Subcommand::Show { name, since, output } => show::show(&command, &name, since, output),
        Subcommand::Run { names, dry_run } => run::run(&command, &names, dry_run),
        Subcommand::Outbox(action) => outbox::outbox(&command, &action),
        Subcommand::New { name, dir } => new::new(&name, dir.as_deref()),
        Subcommand::Check { json } => check::check(&command, json),
        Subcommand::Lint(arguments) => lint::lint(&arguments),
        Subcommand::Units(action) => units::units(&command, &action),
        Subcommand::Completions(what) => completions::completions(&command, what),
        Subcommand::Man { name } => man::man(&command, name.as_deref()),
    }
}

/// What every subcommand works with.
struct Command {
    here: Surroundings,
    /// The settings' file where it was named.
    config: Option<PathBuf>,
    /// How often `-v` was given.
    verbose: u8,
}

impl Command {
    /// The settings, without the collectors' own sections: each collector checks its own.
    fn settings(&self) -> Result<Loaded, Failure> {
        let loaded = self.load();
        loaded.map_err(|mistakes| Failure::settings(mistakes.to_string()))
    }

    /// As [`Command::settings`]; the notices say where it is not known which sinks there are.
    fn load(&self) -> Result<Loaded, Mistakes> {
        let mut loaded = Settings::load(&self.here.settings(None))?;
        tidemark_idic::add_named_sink(&mut loaded, &self.here.places);
        let unknown = self.unknown_sinks(&loaded);
        loaded.notices.extend(unknown);
        Ok(loaded)
    }

    /// What is said where the settings make no sink, and the variables that may make one cannot be read.
    fn unknown_sinks(&self, loaded: &Loaded) -> Option<String> {
        let unread = self.unread().filter(|_| loaded.has_default_sink);
        unread.map(|unread| format!("which sinks units have is not known: {unread}"))
    }

    /// Why the settings are not known whole; such as may be missing.
    fn unread(&self) -> Option<&EnvironmentFileError> {
        self.here.environment.unread()
    }

    /// The options that a collector is started with so that it sees what this command sees.
    fn passed_on(&self) -> Vec<std::ffi::OsString> {
        let mut options = Vec::new();
        if let Some(config) = &self.config {
            options.push("--config".into());
            options.push(config.into());
        }
        options.extend((0..self.verbose).map(|_| "-v".into()));
        options
    }
}
