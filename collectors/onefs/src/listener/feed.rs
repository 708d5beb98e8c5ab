//! From a visit's points to the samples that a cluster shows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidemark_collect::Point;
use tidemark_expose::{Omitted, Registry, Samples, Source};
use tidemark_papi::Address;

use super::names::{CLUSTER_TAG, Families, Names};

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What it is; empty where nobody said.
    pub description: &'a str,
    /// How often it is fetched: its samples are shown until the next ones are overdue.
    pub interval: Duration,
}

/// What a cluster shows, under the labels that it has.
#[derive(Debug)]
pub(crate) struct ShownSource {
    source: Source,
    /// None before its first points.
    labels: Option<Vec<(String, String)>>,
}

/// What a cluster shows, which its feed and the next one after a reload share.
pub(crate) type SharedSource = Arc<Mutex<ShownSource>>;

impl ShownSource {
    /// Nothing yet, of the cluster at this address.
    pub(super) fn new(registry: &Registry, address: &Address) -> Self {
        Self {
            source: registry.source(&address.short(), &[]),
            labels: None,
        }
    }

    /// Takes these labels; where they are new, what was shown with others goes.
    fn take_labels(&mut self, registry: &Registry, labels: &[(&str, &str)]) {
        let owned = || {
            labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        };
        let same = |known: &Vec<(String, String)>| {
            let known = known.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            known.eq(labels.iter().copied())
        };
        if !self.labels.as_ref().is_some_and(same) {
            self.source = registry.source(self.source.name(), labels);
            self.labels = Some(owned().collect());
        }
    }
}

/// What hands one cluster's points to the listeners.
#[derive(Clone, Debug)]
pub struct Feed {
    pub(super) registry: Registry,
    pub(super) names: Names,
    pub(super) families: Arc<Families>,
    pub(super) source: SharedSource,
}

impl Feed {
    /// Shows a visit's points: those of a key take the place of the ones before. `facts` says what is known of a key, by
    /// its measurement; `cluster` is the name that the points carry.
    pub fn show<'p, 'f>(
        &self,
        cluster: &str,
        points: impl IntoIterator<Item = &'p Point>,
        facts: impl Fn(&str) -> Facts<'f>,
    ) -> Omitted {
        let mut shown = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        shown.take_labels(&self.registry, &self.names.labels(cluster));
        let source = &shown.source;
        let mut keys: HashMap<&str, (Samples, Facts<'f>)> = HashMap::new();
        for point in points {
            let (samples, facts) = keys.entry(point.measurement()).or_insert_with(|| {
                (
                    source.samples(),
                    described(point.measurement(), facts(point.measurement())),
                )
            });
            samples.row(point.tags().filter(|(tag, _)| *tag != CLUSTER_TAG), point.time());
            self.families
                .each(point, facts.description, |family, value| match family {
                    Some(family) => samples.value(family, value),
                    None => samples.leave_out(),
                });
        }
        let mut omitted = Omitted::default();
        for (key, (samples, facts)) in keys {
            omitted.merge(&source.publish(key, samples, facts.interval));
        }
        omitted
    }
}

/// Summaries are no keys: what they are is said here.
fn described<'f>(measurement: &str, facts: Facts<'f>) -> Facts<'f> {
    let description = match measurement {
        "node.summary.protocol" => "Operations of a node, by protocol, class and operation.",
        "node.summary.client" => "Operations of a node, by client.",
        "node.summary.drive" => "The load and the fill level of a drive.",
        _ => facts.description,
    };
    Facts { description, ..facts }
}
