//! What a Prometheus server scrapes: the newest values of each cluster, under gostats' names, while the collector stays.
//!
//! [`ListenerPlan`] is what the settings, or gostats' file, say of it. [`Exposition`] is what runs: the samples of all
//! clusters and the listeners that show them, kept over reloads. Each cluster's task has a [`Feed`] and hands it the points
//! of each visit; the listeners are open before the first cluster has answered, and one that is down holds up none.

mod feed;
mod names;
mod open;
mod plan;
#[cfg(test)]
mod tests;

pub use feed::{Facts, Feed};
pub use open::Exposition;
pub use plan::ListenerPlan;
