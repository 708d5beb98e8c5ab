//! The lines of `tidemark completions` and `tidemark man`.

use clap::builder::PossibleValue;
use clap::{Arg, ArgMatches, Command};

use super::text;

/// What to print for completions.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Completions {
    Bash,
    Zsh,
    Fish,
    /// The names of the installed collectors, a line each: the completions ask for them.
    Collectors,
}

const COMPLETIONS_HELP: &str = "\
Where shells look for it:
  bash   tidemark completions bash > /usr/share/bash-completion/completions/tidemark
  zsh    tidemark completions zsh > /usr/share/zsh/vendor-completions/_tidemark
  fish   tidemark completions fish > /usr/share/fish/vendor_completions.d/tidemark.fish

In this bash alone: source <(tidemark completions bash)";

pub(super) fn completions() -> Command {
    Command::new("completions")
        .about("Print what a shell needs to complete this command")
        .after_help(COMPLETIONS_HELP)
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser([
                    PossibleValue::new("bash"),
                    PossibleValue::new("zsh"),
                    PossibleValue::new("fish"),
                    PossibleValue::new("collectors").hide(true),
                ])
                .help("The shell"),
        )
}

const MAN_HELP: &str = "\
Examples:
  tidemark man | man -l -
  tidemark man host > tidemark-host.1";

pub(super) fn man() -> Command {
    Command::new("man")
        .about("Print the manual page of this command, or of a collector, as roff")
        .after_help(MAN_HELP)
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .help("The collector; without it, the page of this command"),
        )
}

pub(super) fn read(matches: &ArgMatches) -> Completions {
    match text(matches, "shell").as_deref() {
        Some("zsh") => Completions::Zsh,
        Some("fish") => Completions::Fish,
        Some("collectors") => Completions::Collectors,
        _ => Completions::Bash,
    }
}
