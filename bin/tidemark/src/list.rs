//! `tidemark list`: which collectors are installed, and what starts them.

use std::process::ExitCode;

use tidemark_app::block_on;
use tidemark_app::exit::{self, Failure};
use tidemark_delivery::Run;
use tidemark_settings::{Loaded, Span};

use crate::Command;
use crate::catalogue::{Catalogue, Collector, Described, nothing_installed};
use crate::table::{Align, Cell, Table};

/// How a collector is started, as settings and description say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// Whether timers and `up` start it.
    pub(crate) enabled: bool,
    /// From the end of one run to the start of the next.
    pub(crate) interval: Span,
    /// How long a run may take.
    pub(crate) deadline: Span,
}

impl Plan {
    /// Of the collector; the usual spans where it is broken. A broken one counts as enabled unless the settings switch
    /// it off: whether it would be is what nobody can say, and it must not go unseen.
    pub(crate) fn of(collector: &Collector, loaded: &Loaded) -> Self {
        let common = loaded.common(&collector.name);
        let described = collector.description.as_ref().ok();
        let on = described.is_none_or(|described| described.description.default == "on");
        Self {
            enabled: common
                .enabled
                .unwrap_or(on || loaded.has_section(&collector.name)),
            interval: common
                .run_interval
                .or(described.map(|of| of.run_interval))
                .unwrap_or(Span::minutes(5)),
            deadline: common
                .deadline
                .or(described.map(|of| of.deadline))
                .unwrap_or(Span::minutes(10)),
        }
    }

    /// Of the collector as its last run had it, where the settings are not known.
    pub(crate) fn as_recorded(collector: &Collector, last_run: Option<&Run>) -> Self {
        let described = collector.description.as_ref().ok();
        let on = described.is_none_or(|described| described.description.default == "on");
        Self {
            enabled: on || last_run.is_some(),
            interval: last_run
                .map(|run| Span::from(run.interval))
                .or(described.map(|of| of.run_interval))
                .unwrap_or(Span::minutes(5)),
            deadline: described.map_or(Span::minutes(10), |of| of.deadline),
        }
    }

    /// Why it is started or not, in a few words.
    pub(crate) fn why(self, collector: &Collector, loaded: &Loaded) -> String {
        match (self.enabled, loaded.common(&collector.name).enabled) {
            (true, Some(_)) => "on: enabled in the settings".to_owned(),
            (true, None) => "on".to_owned(),
            (false, Some(_)) => "off: disabled in the settings".to_owned(),
            (false, None) => format!("off: needs [collector.{}] in the settings", collector.name),
        }
    }
}

/// Prints the table.
pub(crate) fn list(command: &Command) -> Result<ExitCode, Failure> {
    let loaded = command.settings()?;
    let catalogue = block_on(async { Ok(Catalogue::find(&command.here).await) })?;
    exit::print(text(&catalogue, &loaded).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn text(catalogue: &Catalogue, loaded: &Loaded) -> String {
    if catalogue.collectors.is_empty() {
        return format!("{}\n", nothing_installed(&catalogue.folders));
    }
    let mut table = Table::new([
        ("COLLECTOR", Align::Left),
        ("EVERY", Align::Left),
        ("STARTED", Align::Left),
        ("WHAT", Align::Left),
    ]);
    for collector in &catalogue.collectors {
        let plan = Plan::of(collector, loaded);
        match &collector.description {
            Ok(Described { description, .. }) => table.row([
                Cell::from(collector.name.as_str()),
                plan.interval.to_string().into(),
                plan.why(collector, loaded).into(),
                description.summary.as_str().into(),
            ]),
            Err(broken) => {
                table.row([
                    collector.name.as_str().into(),
                    "-".into(),
                    "broken".into(),
                    Cell::from("-"),
                ]);
                table.note(&broken.to_string());
            }
        }
    }
    table.render(false)
}
