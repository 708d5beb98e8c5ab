//! The front door: what a run, a flush and the operator's command hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::Clock;
use tidemark_point::Point;
use tidemark_settings::{KeepFree, OutboxSettings, Settings, Size};

use crate::{DeliveryError, Outbox, Report, Run, Sinks};

/// The longest that a run waits on delivery.
pub const RUN_BUDGET: Duration = Duration::from_secs(10);

/// How long a delivery may take, and whether it heeds the backoff.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A run's: at most [`RUN_BUDGET`]; a sink that is backing off is left alone.
    Run,
    /// The flush timer's: until nothing is left; a sink that is backing off is left alone.
    Timer,
    /// The operator's: until nothing is left, all is tried now, whatever the backoff.
    Flush,
}

/// What [`Delivery::open`] needs.
pub struct OpenOptions {
    /// The state folder. It must exist.
    pub dir: PathBuf,
    /// The host's name: the tag `host` of tidemark's own points.
    pub host: String,
    /// The sinks, resolved; or named only, for what delivers nothing.
    pub sinks: Sinks,
    /// The outbox's bounds.
    pub outbox: OutboxSettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl OpenOptions {
    /// Options with the usual bounds.
    pub fn new(dir: &Path, host: &str, sinks: Sinks, clock: Arc<dyn Clock>) -> Self {
        let outbox = OutboxSettings {
            max_bytes: Size::mib(1024),
            keep_free: KeepFree::Usual,
            max_age: None,
        };
        Self {
            dir: dir.to_path_buf(),
            host: host.to_owned(),
            sinks,
            outbox,
            clock,
        }
    }

    /// Options as the settings have them.
    pub fn from_settings(dir: &Path, settings: &Settings, sinks: Sinks, clock: Arc<dyn Clock>) -> Self {
        Self {
            dir: dir.to_path_buf(),
            host: settings.host.name.clone(),
            sinks,
            outbox: settings.outbox.clone(),
            clock,
        }
    }
}

/// The outbox with its sinks; or, where there can be no outbox, the sinks alone.
pub struct Delivery {
    outbox: Option<Outbox>,
    notices: Vec<String>,
}

impl Delivery {
    /// Opens the outbox of a state folder, and makes it where it is not there. Never fails: where there can be none,
    /// [`Delivery::outbox`] is none, [`Delivery::notices`] says why, and points are delivered directly.
    pub async fn open(options: OpenOptions) -> Self {
        let _ = options;
        Self {
            outbox: None,
            notices: Vec::new(),
        }
    }

    /// The outbox, where there is one.
    pub fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }

    /// What should be said about opening and committing, once: why there is no outbox, what was set aside, what was
    /// dropped by a bound. It is logged already; a run also records it.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Keeps a run's points, its record and its `tidemark_run` point for every sink that takes this collector's
    /// batches; durably when this returns. Where they cannot be kept, they are delivered at once.
    ///
    /// The points must hold the tags that the settings add already. A run that is recorded already (the same
    /// collector, target and start) changes nothing: so a killed run is closed once.
    ///
    /// # Errors
    /// [`DeliveryError::Lost`] where the points could be neither kept nor delivered.
    pub async fn submit(&mut self, run: &Run, points: &[Point]) -> Result<(), DeliveryError> {
        let _ = (run, points);
        Ok(())
    }

    /// Sends what waits to every sink, all sinks at once, each until it is drained, fails or the time is used up.
    pub async fn deliver(&mut self, budget: Budget) -> Report {
        let _ = budget;
        Report::default()
    }

    /// Queues a `tidemark_sink` point for each sink: the flush does so before it delivers.
    ///
    /// # Errors
    /// Where they cannot be kept.
    pub async fn submit_sink_points(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// Closes the outbox and the sinks. Dropping does so too, but later, on threads of their own.
    pub async fn close(self) {}
}
