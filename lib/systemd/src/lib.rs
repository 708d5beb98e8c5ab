#![doc = include_str!("units.md")]

mod collector;
mod error;
mod host;
mod name;
mod sandbox;
mod service;
mod text;
mod timer;
mod value;

use std::path::Path;

pub use collector::{Collector, Needs};
pub use error::UnitError;
pub use host::{Credential, Host, SinkNeeds};
pub use name::{LONGEST_NAME, unit_name};
pub use service::START_MARGIN;
use service::{Runs, Service, start_timeout};
use tidemark_settings::Span;

/// The target that all of tidemark's timers, and the services that stay, belong to.
pub const TARGET: &str = "tidemark.target";

/// From this interval on a timer starts a run; under it, and where the program listens, one process stays.
pub const SHORTEST_TIMER: Span = Span::minutes(1);

/// The unit of the flush, without its suffix.
const FLUSH: &str = "tidemark-flush";

/// How often what waits is delivered.
const FLUSH_INTERVAL: Span = Span::minutes(1);

/// How long one flush may take: what waits after that goes with the next.
const FLUSH_DEADLINE: Span = Span::minutes(10);

/// A unit to be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unit {
    /// The name of its file, `tidemark-host.timer`.
    pub file_name: String,
    /// Its text.
    pub text: String,
    /// Whether the target starts it: then it belongs into `tidemark.target.wants` as well.
    pub wanted: bool,
}

/// The units of a collector: a service and its timer; under [`SHORTEST_TIMER`], and of a collector that
/// [listens](Needs::listens), one service that stays: between two runs nobody would listen.
///
/// # Errors
/// Where a name, a path or a span is one that cannot stand in a unit; nothing is left out or made to fit silently, but for
/// the description.
pub fn units(collector: &Collector, host: &Host) -> Result<Vec<Unit>, UnitError> {
    let name = unit_name(&collector.name)?;
    for (of, span) in [
        ("the interval", collector.interval),
        ("the deadline", collector.deadline),
    ] {
        if span.is_zero() {
            return Err(UnitError::Span { of, span });
        }
    }
    if collector.interval < SHORTEST_TIMER || collector.needs.listens {
        let service = Service::of(collector, &name, Runs::Stays(collector.interval));
        return Ok(vec![Unit::service(&name, service.text(host)?, true)]);
    }
    let service = Service::of(collector, &name, Runs::Once(start_timeout(collector.deadline)));
    let description = format!(
        "tidemark collector {}, every {}",
        collector.name, collector.interval
    );
    Ok(vec![
        Unit::service(&name, service.text(host)?, false),
        Unit::timer(&name, timer::timer(&description, collector.interval)),
    ])
}

/// The units of the flush: `program` with `arguments` each minute, with the sinks' needs and their secrets.
///
/// # Errors
/// As [`units`].
pub fn flush(program: &Path, arguments: &[&str], host: &Host) -> Result<Vec<Unit>, UnitError> {
    for argument in arguments {
        if argument.chars().any(char::is_control) || (argument.contains('"') && argument.contains('\'')) {
            return Err(UnitError::Word {
                of: "an argument",
                word: (*argument).to_owned(),
                fault: "holds a control character or both kinds of quotes",
            });
        }
    }
    let service = Service {
        unit: FLUSH,
        description: "tidemark: deliver what waits in the outbox".to_owned(),
        program,
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        needs: &Needs::default(),
        runs: Runs::Once(start_timeout(FLUSH_DEADLINE)),
    };
    let description = format!("tidemark flush, every {FLUSH_INTERVAL}");
    Ok(vec![
        Unit::service(FLUSH, service.text(host)?, false),
        Unit::timer(FLUSH, timer::timer(&description, FLUSH_INTERVAL)),
    ])
}

impl Unit {
    fn service(name: &str, text: String, wanted: bool) -> Unit {
        Unit {
            file_name: format!("{name}.service"),
            text,
            wanted,
        }
    }

    fn timer(name: &str, text: String) -> Unit {
        Unit {
            file_name: format!("{name}.timer"),
            text,
            wanted: true,
        }
    }
}
