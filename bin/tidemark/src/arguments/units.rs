//! The line of `tidemark units`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use tidemark_app::exit::Failure;

use super::{flag, unknown};

/// What to do with systemd's units.
#[derive(Debug, PartialEq)]
pub(crate) enum UnitsAction {
    /// Print the units as they should be, or write them into a folder.
    Print { to: Option<PathBuf> },
    /// Bring systemd in line.
    Sync {
        /// Wait for runs whose collector is gone.
        wait: bool,
    },
    /// Compare what should be with what is.
    Verify { json: bool },
}

const UNITS: &str = "\
Collectors that are installed and on have a timer, tidemark-NAME.timer, which starts
tidemark-NAME.service; at less than a minute a service stays. tidemark-generator makes them at
boot and at `systemctl daemon-reload`. What is installed, removed or set takes effect by itself:
tidemark-units.path watches it, and runs `tidemark units sync`.

To change a unit, write a drop-in (systemctl edit tidemark-NAME.service). A timer that is stopped
(systemctl stop tidemark-NAME.timer) stays so until tidemark.target starts again; for good, write
enabled = false in [collector.NAME], or mask it.";

const SYNC: &str = "\
What is new is started, what is gone is stopped. What an operator has stopped or masked stays so.
A run that goes on is let end. Nothing is started while tidemark.target is not active.";

pub(super) fn command() -> Command {
    Command::new("units")
        .about("What systemd runs: the units of the collectors")
        .after_help(UNITS)
        .subcommand_required(true)
        .subcommand(
            Command::new("print")
                .about("Print the units as they should be")
                .after_help(UNITS)
                .arg(
                    Arg::new("to")
                        .long("to")
                        .value_name("DIR")
                        .value_parser(clap::value_parser!(PathBuf))
                        .help("Write them into this folder instead"),
                ),
        )
        .subcommand(
            Command::new("sync")
                .about("Have systemd follow what is installed and set")
                .after_help(SYNC)
                .arg(flag(
                    "wait",
                    "Wait for runs whose collector is gone, stop what runs after 10min, and clear what they leave",
                )),
        )
        .subcommand(
            Command::new("verify")
                .about("Compare what should be with what is on disk and what systemd has loaded")
                .arg(flag("json", "Print it as JSON")),
        )
}

pub(super) fn read(matches: &ArgMatches) -> Result<UnitsAction, Failure> {
    Ok(match matches.subcommand() {
        Some(("print", of)) => UnitsAction::Print {
            to: of.get_one::<PathBuf>("to").cloned(),
        },
        Some(("sync", of)) => UnitsAction::Sync {
            wait: of.get_flag("wait"),
        },
        Some(("verify", of)) => UnitsAction::Verify {
            json: of.get_flag("json"),
        },
        _ => return Err(unknown("tidemark units")),
    })
}
