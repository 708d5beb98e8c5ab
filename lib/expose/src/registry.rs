//! The newest samples of each source.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidemark_collect::{Clock, Timestamp};

use crate::group::Group;
use crate::limits::lifetime;
use crate::samples::{Omitted, Samples, SourceLabels};
use crate::snapshot::Snapshot;

/// The newest samples of many sources, until they expire. Clones share them.
///
/// Whoever asks takes a [`Snapshot`]; what is published meanwhile does not change it, and nobody waits.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    sources: Mutex<BTreeMap<Arc<str>, Entry>>,
    next: AtomicU64,
}

/// What a source shows.
struct Entry {
    /// Of the handle that publishes for it.
    id: u64,
    labels: Arc<SourceLabels>,
    groups: BTreeMap<Box<str>, Published>,
}

#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) group: Arc<Group>,
    pub(crate) at: Timestamp,
    lifetime: Duration,
}

impl Published {
    /// Whether it is still shown. A clock that was set back, too, ends what it was shown by.
    fn is_shown(&self, now: Timestamp) -> bool {
        u128::from(now.since(self.at).unsigned_abs()) <= self.lifetime.as_nanos()
    }
}

/// A source's place in the registry: a cluster, a collector. When it is dropped its samples go.
pub struct Source {
    registry: Registry,
    name: Arc<str>,
    id: u64,
    labels: Arc<SourceLabels>,
}

impl Registry {
    /// An empty one, whose samples expire by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Registry {
        Registry(Arc::new(Shared {
            clock,
            sources: Mutex::default(),
            next: AtomicU64::new(0),
        }))
    }

    /// A place for a source's samples, all of which have these labels; of labels with one name the first counts.
    ///
    /// Where there is a source of that name already, the new one takes over: samples stay where the labels are the
    /// same, and what the old one publishes is no longer taken.
    #[must_use]
    pub fn source(&self, name: &str, labels: &[(&str, &str)]) -> Source {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let labels = Arc::new(SourceLabels::new(labels));
        let name: Arc<str> = name.into();
        let mut sources = self.lock();
        let entry = sources.entry(Arc::clone(&name)).or_insert_with(|| Entry {
            id,
            labels: Arc::clone(&labels),
            groups: BTreeMap::new(),
        });
        entry.id = id;
        if entry.labels != labels {
            entry.labels = Arc::clone(&labels);
            entry.groups.clear();
        }
        Source {
            registry: self.clone(),
            name,
            id,
            labels,
        }
    }

    /// What is there now: of one source, or of all. Expired samples are forgotten.
    #[must_use]
    pub fn snapshot(&self, source: Option<&str>) -> Snapshot {
        let now = self.0.clock.now();
        let mut snapshot = Snapshot::default();
        let mut sources = self.lock();
        let mut take = |entry: &mut Entry| {
            entry.groups.retain(|_, published| published.is_shown(now));
            for published in entry.groups.values() {
                snapshot.add(&entry.labels, published);
            }
        };
        match source {
            Some(name) => {
                if let Some(entry) = sources.get_mut(name) {
                    take(entry);
                }
            }
            None => sources.values_mut().for_each(take),
        }
        drop(sources);
        snapshot.sort();
        snapshot
    }

    /// The names of the sources, in order.
    #[must_use]
    pub fn sources(&self) -> Vec<Arc<str>> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Entry>> {
        self.0.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("sources", &self.lock().len())
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Its name in the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An empty set, to be filled for [`publish`](Self::publish) of this source.
    #[must_use]
    pub fn samples(&self) -> Samples {
        Samples::new(Arc::clone(&self.labels))
    }

    /// Shows these samples in the place of those that `group` (a statistic, a measurement) had before, until the next
    /// ones are overdue: for [`lifetime`] of the interval at which they are measured. Gives what was omitted of them.
    pub fn publish(&self, group: &str, samples: Samples, interval: Duration) -> Omitted {
        let omitted = samples.omitted();
        let published = Published {
            group: Arc::new(samples.finish()),
            at: self.registry.0.clock.now(),
            lifetime: lifetime(interval),
        };
        if let Some(entry) = self.registry.lock().get_mut(&self.name)
            && entry.id == self.id
        {
            entry.groups.insert(group.into(), published);
        }
        omitted
    }

    /// Forgets the samples of all groups that `keep` does not want.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) {
        if let Some(entry) = self.registry.lock().get_mut(&self.name)
            && entry.id == self.id
        {
            entry.groups.retain(|group, _| keep(group));
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let mut sources = self.registry.lock();
        if sources.get(&self.name).is_some_and(|entry| entry.id == self.id) {
            sources.remove(&self.name);
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
