use tidemark_settings::{Loaded, Span};

use crate::Collector;

/// The usual interval, where nobody says another.
const INTERVAL: Span = Span::minutes(5);
/// The usual deadline, where nobody says another.
const DEADLINE: Span = Span::minutes(10);

/// When a collector is started, as settings and description say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timing {
    /// Whether timers and `tidemark up` start it.
    pub enabled: bool,
    /// From the end of one run to the start of the next.
    pub interval: Span,
    /// How long a run may take.
    pub deadline: Span,
}

impl Timing {
    /// Of the collector. The settings' `enabled` decides, else whether it is on by default or has a section. A broken one
    /// has the usual spans, and counts as enabled unless the settings switch it off: whether it would be is what nobody
    /// can say, and it must not go unseen.
    #[must_use]
    pub fn of(collector: &Collector, loaded: &Loaded) -> Timing {
        let common = loaded.common(&collector.name);
        let usual = Timing::unconfigured(collector);
        Timing {
            enabled: common
                .enabled
                .unwrap_or(usual.enabled || loaded.has_section(&collector.name)),
            interval: common.run_interval.unwrap_or(usual.interval),
            deadline: common.deadline.unwrap_or(usual.deadline),
        }
    }

    /// Of the collector where nothing is set.
    #[must_use]
    pub fn unconfigured(collector: &Collector) -> Timing {
        let described = collector.description.as_ref().ok();
        Timing {
            enabled: described.is_none_or(|described| described.description.default == "on"),
            interval: described.map_or(INTERVAL, |described| described.run_interval),
            deadline: described.map_or(DEADLINE, |described| described.deadline),
        }
    }
}
