//! `tidemark man`: manual pages as roff, of the command from its own line, of a collector from its description.

use std::process::ExitCode;

use clap::{Arg, ArgAction};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use tidemark_app::collector_command;
use tidemark_app::exit::{self, Failure};
use tidemark_collect::{Description, SettingDescription, UsageDescription, one_line};

use crate::arguments;
use crate::catalogue;
use crate::{Command, PROGRAM};

/// Prints the page of a collector; of the command, where there is no name.
pub(crate) fn man(command: &Command, name: Option<&str>) -> Result<ExitCode, Failure> {
    let page = match name.filter(|name| *name != PROGRAM) {
        None => of_command(),
        Some(name) => {
            // `tidemark-host` is what a page is called, `host` what a collector is.
            let name = name.strip_prefix("tidemark-").unwrap_or(name);
            let installed = catalogue::installed(&command.here);
            let described = catalogue::describe(name, catalogue::program(&installed, name)?)?;
            of_collector(&described.description)
        }
    };
    exit::print(page.render().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn of_command() -> Roff {
    let mut line = arguments::command();
    line.build();
    let mut page = Roff::new();
    title(&mut page, PROGRAM, env!("CARGO_PKG_VERSION"));
    section(&mut page, "NAME");
    page.text([roman(format!("{PROGRAM} - {}", about(&line)))]);
    section(&mut page, "SYNOPSIS");
    page.text([
        bold(PROGRAM),
        roman(" ["),
        italic("OPTIONS"),
        roman("] "),
        italic("COMMAND"),
    ]);
    section(&mut page, "DESCRIPTION");
    paragraphs(
        &mut page,
        "A collector is a small program that looks at one thing, returns points, and ends; a timer starts it again. \
         Points are kept in an outbox until their sinks have taken them, and the ledger says what became of each.\n\n\
         This command shows how collectors and sinks are, runs collectors, checks what is set up, and handles what sinks \
         refuse.",
    );
    section(&mut page, "OPTIONS");
    for arg in line.get_arguments() {
        argument(&mut page, arg);
    }
    section(&mut page, "COMMANDS");
    for subcommand in line.get_subcommands() {
        of_subcommand(&mut page, subcommand);
    }
    exit_status(
        &mut page,
        "Done. Of status --check, lint, check and units verify: nothing is wrong.",
        "It could not be done, or something is wrong; a line on standard error says what, why, and what to do.",
    );
    section(&mut page, "ENVIRONMENT");
    term(
        &mut page,
        [bold("TIDEMARK_CONFIG")],
        "The settings, in place of /etc/tidemark/tidemark.toml.",
    );
    term(
        &mut page,
        [bold("TIDEMARK_COLLECTORS")],
        "The folder of the collectors; without it, that of this program, or /usr/lib/tidemark/collectors.",
    );
    term(
        &mut page,
        [bold("STATE_DIRECTORY")],
        "The folder of outbox and store; without it, /var/lib/tidemark for root, else ~/.local/state/tidemark.",
    );
    section(&mut page, "FILES");
    term(
        &mut page,
        [italic("/etc/tidemark/tidemark.toml")],
        "The settings. conf.d/*.toml beside it is read in the order of names.",
    );
    term(
        &mut page,
        [italic("outbox.db")],
        "In the state folder: what waits, and the ledger.",
    );
    term(
        &mut page,
        [italic("store.db")],
        "In the state folder: the values that show prints.",
    );
    page
}

/// A subcommand, and those below it.
fn of_subcommand(page: &mut Roff, command: &clap::Command) {
    if command.is_hide_set() {
        return;
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut usage = name.to_owned();
    for arg in command.get_positionals().filter(|arg| !arg.is_hide_set()) {
        usage.push_str(&match arg.is_required_set() {
            true => format!(" {}", value(arg)),
            false => format!(" [{}]", value(arg)),
        });
    }
    page.control("SS", [usage.as_str()]);
    page.text([roman(format!("{}.", about(command)))]);
    for arg in command.get_arguments().filter(|arg| !arg.is_global_set()) {
        argument(page, arg);
    }
    if let Some(help) = command.get_after_help()
        && !command.has_subcommands()
    {
        page.control("PP", []);
        paragraphs(page, &help.to_string());
    }
    for subcommand in command.get_subcommands() {
        of_subcommand(page, subcommand);
    }
}

fn of_collector(of: &Description) -> Roff {
    let program = format!("tidemark-{}", of.name);
    let mut page = Roff::new();
    title(&mut page, &program, &of.version);
    section(&mut page, "NAME");
    let summary = of.summary.trim_end_matches('.');
    page.text([roman(format!("{program} - {summary}"))]);
    section(&mut page, "SYNOPSIS");
    page.text([bold(program.as_str()), roman(" ["), italic("OPTIONS"), roman("]")]);
    section(&mut page, "DESCRIPTION");
    paragraphs(
        &mut page,
        &format!(
            "{summary}.\n\nWithout options it collects once, keeps the points in the outbox, delivers them, and ends. \
             A timer starts it {} after its end{}. A run ends after {} at the latest.",
            of.run_interval,
            match of.default.as_str() {
                "on" => "",
                _ => ", once it has a section in the settings",
            },
            of.deadline
        ),
    );
    needs(&mut page, of);
    section(&mut page, "OPTIONS");
    for arg in collector_command(&program, "", "").get_arguments() {
        argument(&mut page, arg);
    }
    usages(&mut page, &of.options);
    if !of.subcommands.is_empty() {
        section(&mut page, "COMMANDS");
        usages(&mut page, &of.subcommands);
    }
    section(&mut page, "SETTINGS");
    page.text([roman(format!("In the section [collector.{}]:", of.name))]);
    for (name, what, help) in [
        ("enabled", "boolean", "Whether a timer starts it."),
        (
            "run_interval",
            "span",
            "The time from the end of a run to the next one.",
        ),
        ("deadline", "span", "The longest that a run may take."),
    ] {
        term(&mut page, [bold(name), roman(format!(" ({what})"))], help);
    }
    settings(&mut page, &of.settings, "");
    measurements(&mut page, of);
    exit_status(
        &mut page,
        "Collected, and delivered or safely in the outbox.",
        "Nothing could be collected, or it could be neither delivered nor kept.",
    );
    section(&mut page, "SEE ALSO");
    page.text([bold("tidemark"), roman("(1)")]);
    page
}

fn usages(page: &mut Roff, usages: &[UsageDescription]) {
    for UsageDescription { usage, help } in usages {
        term(page, [bold(one_line(usage))], &one_line(help));
    }
}

/// The keys, each followed by those of its own table: `cluster.hostname`.
fn settings(page: &mut Roff, keys: &[SettingDescription], above: &str) {
    for key in keys {
        let default = match &key.default {
            Some(default) => format!(", default {default}"),
            None => String::new(),
        };
        let name = format!("{above}{}", key.name);
        let what = roman(format!(" ({}{default})", key.value_type));
        term(page, [bold(name.as_str()), what], &key.help);
        settings(page, &key.keys, &format!("{name}."));
    }
}

fn needs(page: &mut Roff, of: &Description) {
    let mut needs = Vec::new();
    if of.needs.network {
        needs.push("the network".to_owned());
    }
    if of.needs.listens {
        needs.push("ports on which it answers".to_owned());
    }
    if !of.needs.programs.is_empty() {
        needs.push(format!("the programs {}", of.needs.programs.join(", ")));
    }
    if !of.needs.paths.is_empty() {
        needs.push(format!("the paths {}", of.needs.paths.join(", ")));
    }
    if !needs.is_empty() {
        page.control("PP", []);
        page.text([roman(format!("It needs {}.", needs.join("; ")))]);
    }
}

fn measurements(page: &mut Roff, of: &Description) {
    section(page, "MEASUREMENTS");
    if let Some(rule) = &of.rule {
        paragraphs(page, rule);
    }
    for measurement in &of.measurements {
        page.control("SS", [one_line(&measurement.name).as_str()]);
        paragraphs(page, &measurement.help);
        for tag in &measurement.tags {
            term(page, [bold(tag.name.as_str()), roman(" (tag)")], &tag.help);
        }
        for field in &measurement.fields {
            let unit = field
                .unit
                .as_ref()
                .map(|unit| format!(", {unit}"))
                .unwrap_or_default();
            let what = format!(" ({}, {}{unit})", field.field_type, field.kind);
            term(page, [bold(field.name.as_str()), roman(what)], &field.help);
        }
    }
}

fn title(page: &mut Roff, name: &str, version: &str) {
    let source = format!("tidemark {version}");
    page.control(
        "TH",
        [name.to_uppercase().as_str(), "1", "", source.as_str(), "tidemark"],
    );
    // No hyphens that are not there: names are copied.
    page.control("nh", []);
    page.control("ad", ["l"]);
}

fn section(page: &mut Roff, name: &str) {
    page.control("SH", [name]);
}

/// Paragraphs that an empty line divides; lines that are indented stay as they are.
fn paragraphs(page: &mut Roff, text: &str) {
    let mut is_verbatim = false;
    for line in text.lines() {
        let indented = line.starts_with("  ");
        if indented != is_verbatim {
            page.control(if indented { "EX" } else { "EE" }, []);
            is_verbatim = indented;
        }
        match line.trim().is_empty() {
            true => page.control("PP", []),
            false => page.text([roman(line)]),
        };
    }
    if is_verbatim {
        page.control("EE", []);
    }
}

fn term<const N: usize>(page: &mut Roff, term: [Inline; N], text: &str) {
    page.control("TP", []);
    page.text(term);
    page.text([roman(text)]);
}

/// An option or argument with its help.
fn argument(page: &mut Roff, arg: &Arg) {
    if arg.is_hide_set() {
        return;
    }
    let mut names = Vec::new();
    if let Some(short) = arg.get_short() {
        names.push(bold(format!("-{short}")));
    }
    if let Some(long) = arg.get_long() {
        if !names.is_empty() {
            names.push(roman(", "));
        }
        names.push(bold(format!("--{long}")));
    }
    if names.is_empty() {
        names.push(italic(value(arg)));
    } else if matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        names.extend([roman(" "), italic(value(arg))]);
    }
    let possible: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set() && arg.get_action().takes_values())
        .map(|value| value.get_name().to_owned())
        .collect();
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let help = match possible.is_empty() {
        true => help,
        false => format!("{help} ({})", possible.join(", ")),
    };
    page.control("TP", []);
    page.text(names);
    page.text([roman(help)]);
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
    format!("{}{}", names.join(" "), if many { "..." } else { "" })
}

fn about(command: &clap::Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    about.trim_end_matches('.').to_owned()
}

fn exit_status(page: &mut Roff, good: &str, bad: &str) {
    section(page, "EXIT STATUS");
    term(page, [bold("0")], good);
    term(page, [bold("1")], bad);
    term(page, [bold("2")], "The command line is wrong.");
    term(page, [bold("78")], "The settings are wrong.");
}
