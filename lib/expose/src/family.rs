//! Families: the name of samples, and what it means.

use std::sync::Arc;

use tidemark_point::{Kind, prometheus_name};

/// A gauge's name and help. Cheap to clone; make one once and use it for all sources.
#[derive(Clone, Debug)]
pub struct Family(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Box<str>,
    help: Box<str>,
}

impl Family {
    /// A family of this name, changed as [`prometheus_name`] changes names that Prometheus does not take. Control
    /// characters of the help become spaces, line breaks stay.
    ///
    /// ```
    /// use tidemark_expose::Family;
    /// assert_eq!(Family::new("node.cpu.idle-avg", "").name(), "node_cpu_idle_avg");
    /// ```
    #[must_use]
    pub fn new(name: &str, help: &str) -> Family {
        let control = |character: char| character.is_control() && character != '\n';
        Family(Arc::new(Inner {
            name: prometheus_name(name, "value", Kind::Gauge).into(),
            help: help.replace(control, " ").trim().into(),
        }))
    }

    /// The name of its samples.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it means; empty where nobody said.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.0.help
    }

    /// Whether it is the very same, not just one alike.
    pub(crate) fn is(&self, other: &Family) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
