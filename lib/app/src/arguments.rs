//! A collector's command line: what the user typed, checked as far as the line alone can tell.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, error::ErrorKind};
use tidemark_settings::Span;

use crate::exit::Failure;
use crate::output::Format;

/// What the user asked for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Print this text on standard output and end with 0 (help, version).
    Print(String),
    /// Print the description.
    Describe,
    /// Collect, or what a subcommand of the collector's own says.
    Run(Arguments, Box<ArgMatches>),
}

/// The options of a run.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Print, and submit nothing.
    pub(crate) dry_run: Option<Format>,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// The settings' file where it was named.
    pub(crate) config: Option<PathBuf>,
    /// Stay, and run at an interval.
    pub(crate) every: Option<Every>,
}

/// The interval of `--every`.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(crate) enum Every {
    /// The collector's own, or the settings'.
    Interval,
    /// The one that was typed.
    Span(Span),
}

/// The options of the collector `program`, as clap takes them.
#[must_use]
pub fn collector_command(program: &str, version: &'static str, summary: &'static str) -> Command {
    let command = Command::new("collector")
        .bin_name(program)
        .display_name(program)
        .version(version)
        .about(summary)
        .args(dry_run_options())
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("SPAN")
                .num_args(0..=1)
                .help("Stay, and run at this interval [default: the collector's]"),
        )
        .arg(
            Arg::new("describe")
                .long("describe")
                .action(ArgAction::SetTrue)
                .help("Print what this collector is, as JSON"),
        );
    with_common_options(command)
}

/// `--dry-run` and `--output`, which [`dry_run`] reads.
#[must_use]
pub fn dry_run_options() -> [Arg; 2] {
    [
        Arg::new("dry-run")
            .short('n')
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .help("Print what would be submitted; submit and write nothing"),
        Arg::new("output")
            .long("output")
            .value_name("FORMAT")
            .value_parser(Format::NAMES)
            .help("With --dry-run: how to print it [default: yaml]"),
    ]
}

/// Adds what every program takes, before a subcommand or after it: `-v`, `--config`, `--help`; and `--version`.
#[must_use]
pub fn with_common_options(command: Command) -> Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .global(true)
                .action(ArgAction::Count)
                .help("Log what is done; twice: every detail"),
        )
        .arg(
            Arg::new("config")
                .short('c')
                .long("config")
                .global(true)
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Read the settings from this file"),
        )
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .global(true)
                .action(ArgAction::Help)
                .help("Print this help"),
        )
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help("Print the version"),
        )
}

/// Reads the command line of the collector `program`, whose `command` is [`collector_command`]'s, with what is its own.
///
/// # Errors
/// A [`Failure`] with exit code 2 that says what to type instead.
pub(crate) fn parse(
    program: &str,
    command: Command,
    line: impl IntoIterator<Item = OsString>,
) -> Result<Request, Failure> {
    let matches = match command.try_get_matches_from(line) {
        Ok(matches) => matches,
        Err(error) => return printed_or_failure(program, &error).map(Request::Print),
    };
    if matches.get_flag("describe") {
        return Ok(Request::Describe);
    }
    let arguments = Arguments {
        dry_run: dry_run(&matches)?,
        verbose: matches.get_count("verbose"),
        config: matches.get_one::<PathBuf>("config").cloned(),
        every: every(&matches)?,
    };
    Ok(Request::Run(arguments, Box::new(matches)))
}

/// How a dry run prints, where one is asked for.
///
/// # Errors
/// A [`Failure`] with exit code 2 where `--output` stands alone.
pub fn dry_run(matches: &ArgMatches) -> Result<Option<Format>, Failure> {
    let output = matches
        .get_one::<String>("output")
        .and_then(|name| Format::from_name(name));
    match (matches.get_flag("dry-run"), output) {
        (true, output) => Ok(Some(output.unwrap_or(Format::Yaml))),
        (false, None) => Ok(None),
        (false, Some(format)) => Err(Failure::usage(format!(
            "--output {format} prints what a dry run collected: add --dry-run, or leave --output out"
        ))),
    }
}

fn every(matches: &ArgMatches) -> Result<Option<Every>, Failure> {
    if !matches.contains_id("every") {
        return Ok(None);
    }
    let Some(text) = matches.get_one::<String>("every") else {
        return Ok(Some(Every::Interval));
    };
    match text.parse::<Span>() {
        Ok(span) if !span.as_duration().is_zero() => Ok(Some(Every::Span(span))),
        Ok(_) => Err(Failure::usage(
            "--every 0 would never rest: name a span above zero, such as 30s or 5m",
        )),
        Err(error) => Err(Failure::usage(format!(
            "--every {text:?}: {error}; write a span such as 30s, 5m or 1h 30min"
        ))),
    }
}

/// Help and version are no errors; what else clap says becomes one line.
///
/// # Errors
/// A [`Failure`] with exit code 2 that holds clap's message, its tip, and where the help is.
pub fn printed_or_failure(program: &str, error: &clap::Error) -> Result<String, Failure> {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return Ok(text),
        // A command without its subcommand: clap's text is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            return Err(Failure::usage(format!(
                "what to do is missing; `{program} --help` lists the subcommands"
            )));
        }
        _ => {}
    }
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        let line = line.strip_prefix("error: ").unwrap_or(line);
        match parts.last_mut() {
            _ if line.is_empty() => {}
            // What is missing stands below.
            Some(last) if last.ends_with(':') => {
                last.push(' ');
                last.push_str(line);
            }
            _ => parts.push(line.to_owned()),
        }
    }
    Err(Failure::usage(format!(
        "{}; see `{program} --help`",
        parts.join("; ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Request, Failure> {
        let line = std::iter::once("tidemark-x")
            .chain(line.iter().copied())
            .map(OsString::from);
        let command = collector_command("tidemark-x", "1.2.3", "What x is.");
        super::parse("tidemark-x", command, line)
    }

    fn run(line: &[&str]) -> Arguments {
        match parse(line) {
            Ok(Request::Run(arguments, _)) => arguments,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    fn message(line: &[&str]) -> String {
        let failure = parse(line).expect_err("a usage error");
        assert_eq!(failure.code(), 2, "{line:?}");
        failure.to_string()
    }

    #[test]
    fn no_options_is_a_run() {
        let arguments = run(&[]);
        assert_eq!(arguments.dry_run, None);
        assert_eq!(arguments.verbose, 0);
        assert_eq!(arguments.config, None);
        assert_eq!(arguments.every, None);
    }

    #[test]
    fn a_dry_run_prints_yaml_where_nothing_else_is_said() {
        assert_eq!(run(&["-n"]).dry_run, Some(Format::Yaml));
        assert_eq!(
            run(&["--dry-run", "--output", "influx"]).dry_run,
            Some(Format::Influx)
        );
        assert_eq!(run(&["--output=json", "-n"]).dry_run, Some(Format::Json));
    }

    #[test]
    fn output_without_dry_run_is_an_error_that_says_so() {
        assert_eq!(
            message(&["--output", "json"]),
            "--output json prints what a dry run collected: add --dry-run, or leave --output out"
        );
    }

    #[test]
    fn an_unknown_format_names_those_that_are_known() {
        let text = message(&["-n", "--output", "xml"]);
        assert!(
            text.contains("'xml'") && text.contains("yaml, influx, openmetrics, json"),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn every_takes_a_span_or_none() {
        assert_eq!(run(&["--every"]).every, Some(Every::Interval));
        assert_eq!(run(&["--every", "30s"]).every, Some(Every::Span(Span::secs(30))));
        assert_eq!(run(&["--every", "-v"]).every, Some(Every::Interval));
    }

    #[test]
    fn every_refuses_zero_and_what_is_no_span() {
        assert!(message(&["--every", "0"]).contains("would never rest"));
        assert!(message(&["--every", "soon"]).contains("30s, 5m"));
    }

    #[test]
    fn verbose_counts_and_config_is_a_path() {
        let arguments = run(&["-vv", "--verbose", "-c", "/x.toml"]);
        assert_eq!(arguments.verbose, 3);
        assert_eq!(arguments.config, Some(PathBuf::from("/x.toml")));
    }

    #[test]
    fn an_unknown_option_is_one_line_with_the_nearest() {
        let text = message(&["--dry-rum"]);
        assert!(text.contains("--dry-rum") && text.contains("--dry-run"), "{text}");
        assert!(text.ends_with("see `tidemark-x --help`"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn help_and_version_are_printed() {
        let Ok(Request::Print(version)) = parse(&["-V"]) else {
            panic!("version")
        };
        assert_eq!(version, "tidemark-x 1.2.3\n");
        let Ok(Request::Print(help)) = parse(&["--help"]) else {
            panic!("help")
        };
        assert!(help.starts_with("What x is.\n"), "{help}");
        for option in [
            "--dry-run",
            "--output",
            "--verbose",
            "--config",
            "--every",
            "--describe",
            "--version",
        ] {
            assert!(help.contains(option), "{option} in {help}");
        }
    }
}
