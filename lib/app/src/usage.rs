//! What is typed for an option or a subcommand, as people read about it.

use clap::{Arg, ArgAction, Command};
use tidemark_collect::UsageDescription;

/// The options and the subcommands that `command` has and `common` does not.
pub(crate) fn of(command: &Command, common: &Command) -> (Vec<UsageDescription>, Vec<UsageDescription>) {
    let is_own = |arg: &&Arg| common.get_arguments().all(|other| other.get_id() != arg.get_id());
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let options = options.filter(is_own).map(|arg| UsageDescription {
        usage: usage(arg),
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
    });
    let subcommands = command.get_subcommands().filter(|one| !one.is_hide_set());
    let subcommands = subcommands.map(|subcommand| UsageDescription {
        usage: line(subcommand),
        help: subcommand
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default(),
    });
    (options.collect(), subcommands.collect())
}

/// What is typed for an option, `-f, --file FILE`; for an argument without a name, its value's.
fn usage(arg: &Arg) -> String {
    let mut names = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    match (names.is_empty(), takes_value) {
        (true, _) => value(arg),
        (false, true) => format!("{} {}", names.join(", "), value(arg)),
        (false, false) => names.join(", "),
    }
}

/// `convert [--all] FILE`.
fn line(subcommand: &Command) -> String {
    let mut words = vec![subcommand.get_name().to_owned()];
    for arg in subcommand.get_arguments().filter(|arg| !arg.is_hide_set()) {
        words.push(match arg.is_required_set() {
            true => usage(arg),
            false => format!("[{}]", usage(arg)),
        });
    }
    words.join(" ")
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    match names.is_empty() {
        true => arg.get_id().as_str().to_uppercase(),
        false => names.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_its_own_is_what_is_not_common() {
        let common = || Command::new("x").arg(Arg::new("every").long("every").help("Stay"));
        let command = common()
            .arg(
                Arg::new("file")
                    .short('f')
                    .long("file")
                    .value_name("FILE")
                    .help("Read it"),
            )
            .arg(Arg::new("all").long("all").action(ArgAction::SetTrue))
            .arg(Arg::new("secret").long("secret").hide(true))
            .subcommand(
                Command::new("convert")
                    .about("Print it")
                    .arg(Arg::new("path").required(true))
                    .arg(Arg::new("to").long("to").value_name("FORMAT")),
            );
        let described = |usage: &str, help: &str| UsageDescription {
            usage: usage.to_owned(),
            help: help.to_owned(),
        };
        let (options, subcommands) = of(&command, &common());
        assert_eq!(
            options,
            [described("-f, --file FILE", "Read it"), described("--all", "")]
        );
        assert_eq!(subcommands, [described("convert PATH [--to FORMAT]", "Print it")]);
        assert_eq!(of(&common(), &common()), (Vec::new(), Vec::new()));
    }
}
