//! What a collector's program has beside what all have.

use std::path::PathBuf;

use clap::{ArgMatches, Command};
use tidemark_collect::Metric;
use tidemark_settings::Loaded;

use crate::Surroundings;
use crate::exit::Failure;

/// What the program of the collector `M` has beside what all have: options and subcommands, and what it does with its
/// settings before it collects. A program names it in [`main!`](crate::main); each function has a default that does
/// nothing.
///
/// ```
/// use std::path::PathBuf;
/// use tidemark_app::clap::{Arg, ArgMatches, Command, value_parser};
/// use tidemark_app::exit::Failure;
/// use tidemark_app::{Extras, Loaded, Surroundings};
/// # use tidemark_collect::{CollectorError, Context, Measurement, Metric, Points, Schema, Settings};
///
/// # /// The words of a list.
/// # #[derive(Measurement)]
/// # #[measurement("words")]
/// # struct Words {
/// #     /// How many.
/// #     count: u64,
/// # }
/// /// Counts the words of a list.
/// #[derive(Settings)]
/// struct List {
///     /// The file of the list.
///     #[default("/etc/list")]
///     file: PathBuf,
/// }
/// # impl Metric for List {
/// #     const NAME: &'static str = "list";
/// #     const MEASUREMENTS: &'static [&'static Schema] = &[Words::SCHEMA];
/// #     async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
/// #         let count = cx.read_host(&self.file)?.split_whitespace().count() as u64;
/// #         Ok(Points::at(cx.now(), [Words { count }]))
/// #     }
/// # }
///
/// struct ListProgram;
///
/// impl Extras<List> for ListProgram {
///     fn command(command: Command) -> Command {
///         command.arg(
///             Arg::new("list")
///                 .long("list")
///                 .value_name("FILE")
///                 .value_parser(value_parser!(PathBuf))
///                 .help("Count the words of this file instead"),
///         )
///     }
///
///     fn prepare(
///         metric: &mut List,
///         _: &mut Loaded,
///         matches: &ArgMatches,
///         _: &Surroundings,
///     ) -> Result<(), Failure> {
///         if let Some(file) = matches.get_one::<PathBuf>("list") {
///             metric.file.clone_from(file);
///         }
///         match metric.file.is_file() {
///             true => Ok(()),
///             false => Err(Failure::settings(format!("{}: there is no such list", metric.file.display()))),
///         }
///     }
///
///     fn watched(metric: &List) -> Vec<PathBuf> {
///         vec![metric.file.clone()]
///     }
/// }
///
/// tidemark_app::main!(List, ListProgram);
/// ```
pub trait Extras<M: Metric>: 'static {
    /// Adds options and subcommands to those that all collectors have. A subcommand takes `-v`, `--config` and `--help` too.
    fn command(command: Command) -> Command {
        command
    }

    /// Does what the subcommand of [`command`](Self::command) says that the line names, before any settings are read; none
    /// where it names none, and the program goes on as every collector does.
    fn subcommand(matches: &ArgMatches, here: &Surroundings) -> Option<Result<(), Failure>> {
        let _ = (matches, here);
        None
    }

    /// Makes the collector ready, once its settings are read and before secrets of sinks are resolved or the state is
    /// touched: reads further files, resolves secrets of its own, checks what the settings' types cannot say, adds a
    /// sink to `loaded`. What should be said at each run goes to `loaded.notices`.
    ///
    /// It is called for dry runs too, and where the program stays, anew at each reload (see [`run`](crate::run)), on another
    /// thread than the collector's, which goes on meanwhile.
    ///
    /// # Errors
    /// A [`Failure::settings`] ends the program with exit code 78, and is recorded so that `tidemark status` shows it.
    /// At a reload, the settings before stay in force.
    fn prepare(
        metric: &mut M,
        loaded: &mut Loaded,
        matches: &ArgMatches,
        here: &Surroundings,
    ) -> Result<(), Failure> {
        let _ = (metric, loaded, matches, here);
        Ok(())
    }

    /// Files beside the settings' own that [`prepare`](Self::prepare) read: where the program stays and one of them changes,
    /// however it is replaced, everything is read anew. Asked after each successful [`prepare`](Self::prepare).
    fn watched(metric: &M) -> Vec<PathBuf> {
        let _ = metric;
        Vec::new()
    }
}

/// A collector with nothing of its own.
impl<M: Metric> Extras<M> for () {}
