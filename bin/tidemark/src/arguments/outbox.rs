//! The line of `tidemark outbox`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use tidemark_app::exit::Failure;

use super::{flag, text, unknown};

/// What to do with the outbox.
#[derive(Debug, PartialEq)]
pub(crate) enum OutboxAction {
    /// Which batches wait.
    List { sink: Option<String> },
    /// What was rejected and why; or the text of one batch.
    Show { what: Option<String> },
    /// The points that were rejected, each.
    Rejected {
        sink: Option<String>,
        format: Option<RejectedFormat>,
    },
    /// Try all that waits now; or what is due, as the flush timer does.
    Flush { due: bool },
    /// End a backoff, and try.
    Retry { sink: Option<String> },
    /// Take mended lines, from a file or (`-`) from standard input, and try.
    RetryFrom { file: PathBuf, sink: Option<String> },
    /// Acknowledge losses; give up what waits.
    Drop {
        sink: Option<String>,
        batch: Option<i64>,
        waiting: bool,
    },
}

/// A text for rejected points.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum RejectedFormat {
    /// Line protocol to be mended, reasons as comments.
    Influx,
    Yaml,
    Json,
}

impl RejectedFormat {
    const NAMES: [&str; 3] = ["influx", "yaml", "json"];

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "influx" => Some(Self::Influx),
            "yaml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

const MEND: &str = "What a sink refused can be mended and sent again:

  tidemark outbox show --rejected --output influx > refused
  editor refused
  tidemark outbox retry --from refused

Each line goes to the sink that refused it, as a new point; what it stands for counts as
acknowledged. A mistake in the file takes nothing, and is named by line and column.";

pub(super) fn command() -> Command {
    let sink = || Arg::new("sink").value_name("SINK").help("Of this sink alone");
    let sink_option = |help: &'static str| Arg::new("sink-option").long("sink").value_name("SINK").help(help);
    Command::new("outbox")
        .about("What waits for the sinks, and what they rejected")
        .after_help(MEND)
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
                        .conflicts_with("sink-option")
                        .help("Of this sink alone, or the batch of this number"),
                )
                .arg(flag(
                    "rejected",
                    "Every rejected point that is kept, the oldest first",
                ))
                .arg(sink_option("Of this sink alone").requires("rejected"))
                .arg(
                    Arg::new("output")
                        .long("output")
                        .value_name("FORMAT")
                        .value_parser(RejectedFormat::NAMES)
                        .requires("rejected")
                        .help("Print them as lines to mend (influx), or for programs"),
                )
                .after_help(MEND),
        )
        .subcommand(
            Command::new("flush")
                .about("Deliver all that waits now, whatever the backoff")
                .arg(flag(
                    "due",
                    "Leave alone what is backing off, say nothing, and send how each sink is: the timer's",
                )),
        )
        .subcommand(
            Command::new("retry")
                .about(
                    "End the backoff of a sink and of its set-aside batches; with --from, send mended points",
                )
                .arg(sink().conflicts_with("sink-option"))
                .arg(
                    Arg::new("from")
                        .long("from")
                        .value_name("FILE")
                        .value_parser(clap::value_parser!(PathBuf))
                        .help("Take the mended text of rejected points from this file, - for standard input"),
                )
                .arg(sink_option("Send mended points to this sink alone").requires("from"))
                .after_help(MEND),
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

pub(super) fn read(matches: &ArgMatches) -> Result<OutboxAction, Failure> {
    Ok(match matches.subcommand() {
        Some(("list", of)) => OutboxAction::List {
            sink: text(of, "sink"),
        },
        Some(("show", of)) if of.get_flag("rejected") => OutboxAction::Rejected {
            sink: text(of, "what").or_else(|| text(of, "sink-option")),
            format: text(of, "output").and_then(|name| RejectedFormat::from_name(&name)),
        },
        Some(("show", of)) => OutboxAction::Show {
            what: text(of, "what"),
        },
        Some(("flush", of)) => OutboxAction::Flush {
            due: of.get_flag("due"),
        },
        Some(("retry", of)) => {
            let sink = text(of, "sink").or_else(|| text(of, "sink-option"));
            match of.get_one::<PathBuf>("from").cloned() {
                Some(file) => OutboxAction::RetryFrom { file, sink },
                None => OutboxAction::Retry { sink },
            }
        }
        Some(("drop", of)) => OutboxAction::Drop {
            sink: text(of, "sink"),
            batch: of.get_one::<i64>("batch").copied(),
            waiting: of.get_flag("waiting"),
        },
        _ => return Err(unknown("tidemark outbox")),
    })
}
