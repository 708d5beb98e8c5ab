//! The operator's command line: what the user typed, checked as far as the line alone can tell.

mod lint;
mod outbox;
mod pages;
mod units;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tidemark_app::exit::Failure;
use tidemark_app::output::Format;
use tidemark_app::{dry_run, dry_run_options, printed_or_failure, with_common_options};
use tidemark_settings::Span;

pub(crate) use lint::{ConvertedFormat, LintArguments, PageFormat, Precision};
pub(crate) use outbox::{OutboxAction, RejectedFormat};
pub(crate) use pages::Completions;
pub(crate) use units::UnitsAction;

/// What the user asked for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Print this text on standard output and end with 0 (help, version).
    Print(String),
    /// Do that.
    Do(Arguments),
}

/// A subcommand, and the options that every one has.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) verbose: u8,
    pub(crate) config: Option<PathBuf>,
    pub(crate) subcommand: Subcommand,
}

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Subcommand {
    Up,
    List,
    Status {
        json: bool,
        check: bool,
    },
    Show {
        name: String,
        since: Option<Span>,
        output: Option<Format>,
    },
    Run {
        names: Vec<String>,
        /// Print in this format, and submit nothing.
        dry_run: Option<Format>,
    },
    Check {
        json: bool,
    },
    Outbox(OutboxAction),
    /// A new collector, in the checkout that `dir` or the current folder is in.
    New {
        name: String,
        dir: Option<PathBuf>,
    },
    Lint(LintArguments),
    Units(UnitsAction),
    Completions(Completions),
    /// The manual page of the command, or of a collector.
    Man {
        name: Option<String>,
    },
}

const UP_HELP: &str = "\
It needs no settings, no root and no systemd: without settings, this machine's own metrics go to
the store, where `tidemark show` finds them. Each collector runs at once, then at its interval.";

const LIST_HELP: &str = "\
Collectors are programs called tidemark-NAME, in the folder that TIDEMARK_COLLECTORS names, else
beside this program, else in /usr/lib/tidemark/collectors.";

const STATUS_HELP: &str = "\
What it says of collectors and points:
  late      no run has ended for twice the interval and the deadline, while the host was up
  failing   the last run collected nothing
  lost      refused by a sink, or dropped; `tidemark outbox show` says why, `tidemark outbox drop`
            acknowledges it

For monitoring: tidemark status --check, or --json for programs.";

const SHOW_HELP: &str = "\
Examples:
  tidemark show host                         the newest values
  tidemark show host --since 1h              count, least, mean, most and last of an hour
  tidemark show host --output influx         as points";

const RUN_HELP: &str = "\
The exit code is the worst of the collectors': 0 collected, and delivered or safely in the outbox;
1 nothing collected, or not kept; 78 the settings are wrong.";

/// The whole line, as clap takes it.
pub(crate) fn command() -> Command {
    let command = Command::new("tidemark")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Collects metrics at regular intervals, keeps them safe, and delivers them.")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommand(
            Command::new("up")
                .about("Run the collectors at their intervals, in the foreground")
                .after_help(UP_HELP),
        )
        .subcommand(
            Command::new("list")
                .about("Say which collectors are installed, and what starts them")
                .after_help(LIST_HELP),
        )
        .subcommand(
            Command::new("status")
                .about("Say how the collectors and the sinks are")
                .after_help(STATUS_HELP)
                .arg(flag("json", "Print it as JSON"))
                .arg(flag(
                    "check",
                    "End with 1 while something is late, failing, or lost and not acknowledged",
                )),
        )
        .subcommand(
            Command::new("show")
                .about("Show a collector's newest values in the store")
                .after_help(SHOW_HELP)
                .arg(
                    Arg::new("name")
                        .value_name("NAME")
                        .required(true)
                        .help("The collector"),
                )
                .arg(
                    Arg::new("since")
                        .long("since")
                        .value_name("SPAN")
                        .help("Show the values of this time, such as 1h"),
                )
                .arg(
                    Arg::new("output")
                        .long("output")
                        .value_name("FORMAT")
                        .value_parser(Format::NAMES)
                        .help("Print points instead of a table"),
                ),
        )
        .subcommand(
            Command::new("run")
                .about("Run collectors once, now")
                .after_help(RUN_HELP)
                .arg(
                    Arg::new("names")
                        .value_name("NAME")
                        .required(true)
                        .num_args(1..)
                        .help("The collectors"),
                )
                .args(dry_run_options()),
        )
        .subcommand(
            Command::new("check")
                .about("Say whether all that a run needs is as it should be, and change nothing")
                .arg(flag("json", "Print it as JSON")),
        )
        .subcommand(outbox::command())
        .subcommand(lint::command())
        .subcommand(units::command())
        .subcommand(pages::completions())
        .subcommand(pages::man());
    with_common_options(command.subcommand(new()))
}

fn new() -> Command {
    Command::new("new")
        .about("Make a new collector in a checkout of tidemark's source")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .help("What it is called: disk-health, say"),
        )
        .arg(
            Arg::new("dir")
                .long("dir")
                .value_name("DIR")
                .value_parser(clap::value_parser!(PathBuf))
                .help("The checkout, where the current folder is in none"),
        )
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// Reads the command line.
///
/// # Errors
/// A [`Failure`] with exit code 2 that says what to type instead.
pub(crate) fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Request, Failure> {
    let matches = match command().try_get_matches_from(line) {
        Ok(matches) => matches,
        Err(error) => return printed_or_failure("tidemark", &error).map(Request::Print),
    };
    let verbose = matches.get_count("verbose");
    let config = matches.get_one::<PathBuf>("config").cloned();
    Ok(Request::Do(Arguments {
        verbose,
        config,
        subcommand: subcommand(&matches)?,
    }))
}

fn subcommand(matches: &ArgMatches) -> Result<Subcommand, Failure> {
    Ok(match matches.subcommand() {
        Some(("up", _)) => Subcommand::Up,
        Some(("list", _)) => Subcommand::List,
        Some(("status", of)) => Subcommand::Status {
            json: of.get_flag("json"),
            check: of.get_flag("check"),
        },
        Some(("show", of)) => Subcommand::Show {
            name: text(of, "name").unwrap_or_default(),
            since: text(of, "since").map(|since| span(&since)).transpose()?,
            output: text(of, "output").and_then(|name| Format::from_name(&name)),
        },
        Some(("run", of)) => Subcommand::Run {
            names: of
                .get_many("names")
                .map(|names| names.cloned().collect())
                .unwrap_or_default(),
            dry_run: dry_run(of)?,
        },
        Some(("outbox", of)) => Subcommand::Outbox(outbox::read(of)?),
        Some(("lint", of)) => Subcommand::Lint(lint::read(of)?),
        Some(("units", of)) => Subcommand::Units(units::read(of)?),
        Some(("completions", of)) => Subcommand::Completions(pages::read(of)),
        Some(("man", of)) => Subcommand::Man {
            name: text(of, "name"),
        },
        Some(("check", of)) => Subcommand::Check {
            json: of.get_flag("json"),
        },
        Some(("new", of)) => Subcommand::New {
            name: of.get_one::<String>("name").cloned().unwrap_or_default(),
            dir: of.get_one("dir").cloned(),
        },
        _ => return Err(unknown("tidemark")),
    })
}

/// The text of an option.
fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

/// What clap has ruled out.
fn unknown(command: &str) -> Failure {
    Failure::usage(format!(
        "what to do is missing; `{command} --help` lists the subcommands"
    ))
}

fn span(text: &str) -> Result<Span, Failure> {
    match text.parse::<Span>() {
        Ok(span) if !span.is_zero() => Ok(span),
        Ok(_) => Err(Failure::usage(
            "--since 0 holds nothing: name a span such as 10min, 1h or 2d",
        )),
        Err(error) => Err(Failure::usage(format!(
            "--since {text:?}: {error}; write a span such as 10min, 1h or 2d"
        ))),
    }
}

#[cfg(test)]
mod tests;
