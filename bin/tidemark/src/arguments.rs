//! The operator's command line: what the user typed, checked as far as the line alone can tell.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tidemark_app::exit::Failure;
use tidemark_app::output::Format;
use tidemark_app::{printed_or_failure, with_common_options};
use tidemark_settings::Span;

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
        dry_run: bool,
    },
    Outbox(OutboxAction),
}

/// What to do with the outbox.
#[derive(Debug, PartialEq)]
pub(crate) enum OutboxAction {
    /// Which batches wait.
    List { sink: Option<String> },
    /// What was rejected and why; or the text of one batch.
    Show { what: Option<String> },
    /// Try all that waits now.
    Flush,
    /// End a backoff, and try.
    Retry { sink: Option<String> },
    /// Acknowledge losses; give up what waits.
    Drop {
        sink: Option<String>,
        batch: Option<i64>,
        waiting: bool,
    },
}

fn command() -> Command {
    let command = Command::new("tidemark")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Collects metrics at regular intervals, keeps them safe, and delivers them.")
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommand(Command::new("up").about("Run the collectors at their intervals, in the foreground"))
        .subcommand(Command::new("list").about("Say which collectors are installed, and what starts them"))
        .subcommand(
            Command::new("status")
                .about("Say how the collectors and the sinks are")
                .arg(flag("json", "Print it as JSON"))
                .arg(flag(
                    "check",
                    "End with 1 while something is late, failing, or lost and not acknowledged",
                )),
        )
        .subcommand(
            Command::new("show")
                .about("Show a collector's newest values in the store")
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
                .arg(
                    Arg::new("names")
                        .value_name("NAME")
                        .required(true)
                        .num_args(1..)
                        .help("The collectors"),
                )
                .arg(
                    Arg::new("dry-run")
                        .short('n')
                        .long("dry-run")
                        .action(ArgAction::SetTrue)
                        .help("Print what would be submitted; submit and write nothing"),
                ),
        )
        .subcommand(outbox());
    with_common_options(command)
}

fn outbox() -> Command {
    let sink = || Arg::new("sink").value_name("SINK").help("Of this sink alone");
    Command::new("outbox")
        .about("What waits for the sinks, and what they rejected")
        .subcommand_required(true)
        .subcommand(
            Command::new("list")
                .about("List the batches that wait")
                .arg(sink()),
        )
        .subcommand(
            Command::new("show")
                .about("Say what was rejected and why, or print a batch that waits")
                .arg(
                    Arg::new("what")
                        .value_name("SINK|BATCH")
                        .help("Of this sink alone, or the batch of this number"),
                ),
        )
        .subcommand(Command::new("flush").about("Deliver all that waits now, whatever the backoff"))
        .subcommand(
            Command::new("retry")
                .about("End the backoff of a sink and of its set-aside batches")
                .arg(sink()),
        )
        .subcommand(
            Command::new("drop")
                .about("Acknowledge what was lost; with --waiting, give up what waits")
                .arg(sink())
                .arg(flag("waiting", "Give up all that waits, for good"))
                .arg(
                    Arg::new("batch")
                        .long("batch")
                        .value_name("NUMBER")
                        .value_parser(clap::value_parser!(i64))
                        .conflicts_with("waiting")
                        .help("Give up this batch, for good"),
                ),
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
    let text = |matches: &ArgMatches, name: &str| matches.get_one::<String>(name).cloned();
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
            dry_run: of.get_flag("dry-run"),
        },
        Some(("outbox", of)) => Subcommand::Outbox(match of.subcommand() {
            Some(("list", of)) => OutboxAction::List {
                sink: text(of, "sink"),
            },
            Some(("show", of)) => OutboxAction::Show {
                what: text(of, "what"),
            },
            Some(("flush", _)) => OutboxAction::Flush,
            Some(("retry", of)) => OutboxAction::Retry {
                sink: text(of, "sink"),
            },
            Some(("drop", of)) => OutboxAction::Drop {
                sink: text(of, "sink"),
                batch: of.get_one::<i64>("batch").copied(),
                waiting: of.get_flag("waiting"),
            },
            _ => return Err(unknown("tidemark outbox")),
        }),
        _ => return Err(unknown("tidemark")),
    })
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
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Request, Failure> {
        super::parse(
            std::iter::once("tidemark")
                .chain(line.iter().copied())
                .map(OsString::from),
        )
    }

    #[track_caller]
    fn done(line: &[&str]) -> Arguments {
        match parse(line) {
            Ok(Request::Do(arguments)) => arguments,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    #[track_caller]
    fn message(line: &[&str]) -> String {
        let failure = parse(line).expect_err("a usage error");
        assert_eq!(failure.code(), 2, "{line:?}");
        let text = failure.to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        text
    }

    #[test]
    fn an_argument_that_is_no_text_is_one_line() {
        use std::os::unix::ffi::OsStringExt as _;
        let line = |words: [&str; 2]| {
            let words = words.map(OsString::from).into_iter();
            let strange = OsString::from_vec(vec![0xff, 0xfe]);
            super::parse(std::iter::once("tidemark".into()).chain(words).chain([strange]))
        };
        for words in [["show", "--since"], ["outbox", "show"], ["status", "-v"]] {
            let failure = line(words).expect_err("a usage error");
            assert_eq!(
                (failure.code(), failure.to_string().lines().count()),
                (2, 1),
                "{words:?}"
            );
        }
        // A file may be called anything.
        assert!(matches!(line(["list", "--config"]), Ok(Request::Do(_))));
    }

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn subcommands_are_read() {
        let cases: [(&[&str], Subcommand); 12] = [
            (&["up"], Subcommand::Up),
            (&["list"], Subcommand::List),
            (
                &["status"],
                Subcommand::Status {
                    json: false,
                    check: false,
                },
            ),
            (
                &["status", "--json", "--check"],
                Subcommand::Status {
                    json: true,
                    check: true,
                },
            ),
            (
                &["show", "host"],
                Subcommand::Show {
                    name: "host".into(),
                    since: None,
                    output: None,
                },
            ),
            (
                &["show", "host", "--since", "1h", "--output", "influx"],
                Subcommand::Show {
                    name: "host".into(),
                    since: Some(Span::hours(1)),
                    output: Some(Format::Influx),
                },
            ),
            (
                &["run", "a", "b", "-n"],
                Subcommand::Run {
                    names: vec!["a".into(), "b".into()],
                    dry_run: true,
                },
            ),
            (
                &["outbox", "list"],
                Subcommand::Outbox(OutboxAction::List { sink: None }),
            ),
            (
                &["outbox", "show", "7"],
                Subcommand::Outbox(OutboxAction::Show {
                    what: Some("7".into()),
                }),
            ),
            (&["outbox", "flush"], Subcommand::Outbox(OutboxAction::Flush)),
            (
                &["outbox", "retry", "db"],
                Subcommand::Outbox(OutboxAction::Retry {
                    sink: Some("db".into()),
                }),
            ),
            (
                &["outbox", "drop", "db", "--waiting"],
                Subcommand::Outbox(OutboxAction::Drop {
                    sink: Some("db".into()),
                    batch: None,
                    waiting: true,
                }),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(done(line).subcommand, expected, "{line:?}");
        }
    }

    #[test]
    fn config_and_verbose_go_before_or_after() {
        for line in [
            &["--config", "x.toml", "-v", "status"][..],
            &["status", "--config", "x.toml", "-v"],
            &["-v", "status", "-c", "x.toml"],
            &["-c", "x.toml", "outbox", "-v", "flush"],
            &["outbox", "flush", "-v", "--config=x.toml"],
        ] {
            let arguments = done(line);
            assert_eq!(arguments.config, Some(PathBuf::from("x.toml")), "{line:?}");
            assert_eq!(arguments.verbose, 1, "{line:?}");
        }
    }

    #[test]
    fn wrong_lines_say_what_to_type() {
        assert!(message(&[]).contains("`tidemark --help`"));
        assert!(message(&["outbox"]).contains("--help"));
        assert!(message(&["statsu"]).contains("'status'"));
        assert!(message(&["show"]).contains("<NAME>"));
        assert!(message(&["run"]).contains("<NAME>..."));
        assert!(message(&["show", "host", "--since", "soon"]).contains("1h or 2d"));
        assert!(message(&["show", "host", "--since", "0"]).contains("holds nothing"));
        assert!(message(&["show", "host", "--output", "xml"]).contains("yaml, influx, json"));
        // They come with later work.
        for line in [
            &["check"][..],
            &["lint"],
            &["units", "print"],
            &["new", "x"],
            &["completions", "bash"],
            &["man"],
            &["outbox", "show", "--rejected"],
            &["outbox", "retry", "--from", "x"],
        ] {
            message(line);
        }
    }

    #[test]
    fn help_is_printed_for_each() {
        for line in [
            &["--help"][..],
            &["status", "-h"],
            &["outbox", "--help"],
            &["outbox", "drop", "-h"],
        ] {
            let Ok(Request::Print(text)) = parse(line) else {
                panic!("{line:?}")
            };
            assert!(text.contains("Usage: tidemark"), "{text}");
        }
        let Ok(Request::Print(version)) = parse(&["-V"]) else {
            panic!("version")
        };
        assert_eq!(version, concat!("tidemark ", env!("CARGO_PKG_VERSION"), "\n"));
    }
}
