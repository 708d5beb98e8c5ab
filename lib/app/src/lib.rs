//! The shared main of every collector: arguments, logs, settings, run lock, deadline, signals, outbox, exit codes.
//!
//! A collector's `main.rs` is one call:
//!
//! ```
//! use tidemark_collect::{CollectorError, Context, Measurement, Metric, Points, Schema, Settings};
//!
//! /// Always the same.
//! #[derive(Measurement)]
//! #[measurement("answer")]
//! struct Answer {
//!     /// To everything.
//!     value: i64,
//! }
//!
//! /// Knows the answer.
//! #[derive(Settings)]
//! struct Deep {}
//!
//! impl Metric for Deep {
//!     const NAME: &'static str = "deep";
//!     const MEASUREMENTS: &'static [&'static Schema] = &[Answer::SCHEMA];
//!
//!     async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
//!         Ok(Points::at(cx.now(), [Answer { value: 42 }]))
//!     }
//! }
//!
//! tidemark_app::main!(Deep);
//! ```
//!
//! A run reads the settings, collects on a thread of its own until the deadline, commits points and record to the outbox
//! in one transaction, delivers for a short while, and ends. Whatever the collector does (it blocks, panics, never ends)
//! and whichever signal comes, the run is recorded, and one line on standard error says what, why and what to do. The
//! exit codes are those of [`exit`]. Under systemd all of this goes to the journal, with fields and priorities: see [`log`].
//! A run that is killed is closed by the next one, which finds its start in the [`lock`].
//!
//! With `--every` the program stays, and reads its settings anew when it is told to or their files change: see [`run`]. Runs
//! that end within a quarter of a second, as those of a collector with many targets do, are committed together. Options,
//! subcommands and files of a collector's own are its [`Extras`].
//!
//! It also holds what the operator's command shares with the collectors: [`boot`], [`log`], [`output`], [`Surroundings`],
//! [`ready_state`], [`become_owner`], [`StopSignals`].
//!
//! What it is not: it collects nothing, and knows no sink. It prints on standard output only what was asked for.

mod arguments;
pub mod boot;
mod clock_notice;
mod collecting;
pub mod exit;
mod extras;
mod generation;
mod journal;
pub mod lock;
pub mod log;
mod manager;
pub mod output;
mod owner;
mod program;
mod session;
mod signals;
mod surroundings;
mod usage;
mod watch;

pub use arguments::{collector_command, dry_run, dry_run_options, printed_or_failure, with_common_options};
pub use extras::Extras;
pub use owner::{OwnerError, become_owner};
pub use program::{block_on, ready_state, run};
pub use signals::StopSignals;
pub use surroundings::Surroundings;

/// What [`Extras`] speaks of: options as clap has them.
pub use clap;
/// What [`Extras`] speaks of: settings that are read.
pub use tidemark_settings::Loaded;

/// The main function of a collector's program: `tidemark_app::main!(Sponsoring);` is the whole of its `main.rs`.
///
/// A program with options, subcommands or further files of its own names its [`Extras`] too:
/// `tidemark_app::main!(Onefs, OnefsProgram);`.
#[macro_export]
macro_rules! main {
    ($metric:ty) => {
        $crate::main!($metric, ());
    };
    ($metric:ty, $extras:ty) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run::<$metric, $extras>(env!("CARGO_PKG_VERSION"))
        }
    };
}
