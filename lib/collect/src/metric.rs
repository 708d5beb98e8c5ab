use std::future::Future;

use tidemark_point::Schema;
use tidemark_settings::{Section, Span};

use crate::batch::{Batches, run_at_intervals};
use crate::{CollectorError, Context, Points};

/// A collector: what it is called, when it runs, what it measures, and how.
///
/// The type itself holds the settings (`#[derive(Settings)]`).
pub trait Metric: Section + Send + Sync + 'static {
    /// The name, `[a-z][a-z0-9-]*`: the folder, package, binary, unit and settings section are called so.
    const NAME: &'static str;

    /// Time from the end of one run to the start of the next.
    const RUN_INTERVAL: Span = Span::minutes(5);

    /// The longest that one run may take.
    const DEADLINE: Span = Span::minutes(10);

    /// Whether the timers start it where the settings do not say.
    const DEFAULT: DefaultState = DefaultState::Off;

    /// What it reaches for; its sandbox is made of this.
    const NEEDS: Needs = Needs::NOTHING;

    /// All that it may return, field for field.
    const MEASUREMENTS: &'static [&'static Schema];

    /// Where names come from the source, the rule by which they do; then points outside of
    /// [`MEASUREMENTS`](Self::MEASUREMENTS) are no mistake.
    const RULE: Option<&'static str> = None;

    /// Looks once and returns what it saw.
    ///
    /// What is missing but leaves the rest useful is a [`Context::gap`]; an error means that there is nothing.
    fn collect(&self, cx: &Context) -> impl Future<Output = Result<Points, CollectorError>> + Send;

    /// Runs until the context's shutdown signal fires; each batch that is sent is a run.
    ///
    /// The default calls [`collect`](Self::collect) at once and then at each tick of [`Context::interval`]. A tick
    /// that passes while a run is still under way is skipped, not made up for. A run that fails sends a batch with
    /// its error, and the next tick comes. For sources that need sessions, or have many targets, write it anew.
    ///
    /// One that is written anew has two duties. After the shutdown signal it sends what it has and returns within five
    /// seconds; later it is left behind, and what it still sends is lost. And it is not silent for long: where no batch
    /// has come for twice the interval and the deadline together, it counts as stuck. That is an error, recorded as a
    /// failed run, and the service manager's watchdog, which is told no more that the program is alive, ends it and
    /// starts it anew. A source that may have nothing to say for so long sends an empty batch in between, at least one
    /// an interval: it proves that somebody listens, and costs a record.
    ///
    /// # Errors
    /// Where it cannot go on at all; the default only once nobody takes batches any more.
    fn every(
        &self,
        cx: &Context,
        out: &mut Batches,
    ) -> impl Future<Output = Result<(), CollectorError>> + Send {
        run_at_intervals(self, cx, out)
    }

    /// Takes over from `before`, the collector with the settings before, what is still good: sessions, what was learnt of
    /// a source. Called where the settings were read anew, on a collector that has not run yet, once the one before has
    /// returned from [`every`](Self::every) (or was left behind, where it did not return in time: what it holds locked
    /// must not be waited for).
    ///
    /// What depends on a setting that changed is not taken over: a session with another password, and an
    /// [`Http`](crate::http::Http), which knows the certificates as they were. The default takes over nothing.
    fn take_over(&mut self, before: &Self) {
        let _ = before;
    }
}

/// Whether the timers start a collector where the settings do not say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DefaultState {
    /// Useful everywhere as it is.
    On,
    /// Needs a source: starts once its settings section exists.
    Off,
}

impl DefaultState {
    /// `on` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// What a collector reaches for outside of its process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Needs {
    /// The network.
    pub network: bool,
    /// Ports on which it answers. Its unit is a service that stays, whatever its interval: between two runs nobody would.
    pub listens: bool,
    /// Programs that it runs, by name.
    pub programs: &'static [&'static str],
    /// Paths of the host that it reads, absolute.
    pub paths: &'static [&'static str],
}

impl Needs {
    /// Neither network nor programs nor paths.
    pub const NOTHING: Self = Self {
        network: false,
        listens: false,
        programs: &[],
        paths: &[],
    };

    /// The network alone.
    pub const NETWORK: Self = Self {
        network: true,
        listens: false,
        programs: &[],
        paths: &[],
    };
}
