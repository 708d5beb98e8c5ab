#![doc = include_str!("catalogue.md")]

mod ask;
mod broken;
mod described;
mod file;
mod find;
mod host;
mod installed;
mod patience;
mod plan;
mod side_by_side;
mod timing;
mod trust;
mod write;

pub use broken::Broken;
pub use described::Described;
pub use find::{Catalogue, Collector, describe};
pub use installed::{Installed, NotInstalled, is_collector_name, nothing_installed};
pub use patience::Patience;
pub use plan::{Plan, System};
pub use tidemark_settings::accounts::Account;
pub use timing::Timing;
pub use trust::Trust;
