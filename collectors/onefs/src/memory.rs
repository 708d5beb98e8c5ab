//! What is remembered of each cluster, over visits and reloads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidemark_papi::Address;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::derived::Derived;
use crate::keys::{Descriptions, Keys};

/// What is remembered of one cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// What it calls itself; none before it answered.
    pub(crate) name: Option<String>,
    /// Its version of OneFS.
    pub(crate) version: String,
    /// What is known of its keys.
    pub(crate) keys: Keys,
    /// The values before, of which changes are worked out.
    pub(crate) derived: Derived,
}

/// One cluster's memory, which is locked for moments alone.
pub(crate) type SharedMemory = Arc<Mutex<Memory>>;

/// What is remembered of all clusters.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    clusters: Mutex<BTreeMap<Address, SharedMemory>>,
    descriptions: Arc<Descriptions>,
    /// What all clusters together may ask at a time beside one request each.
    beside: Arc<Beside>,
    names: Arc<Names>,
}

/// What the clusters are called in their points.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<BTreeMap<Address, String>>);

impl Names {
    /// The cluster at `address` is called `name`. Where that is new, another address whose cluster is called so too: both
    /// write the same series.
    pub(crate) fn take(&self, address: &Address, name: &str) -> Option<Address> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = names.insert(address.clone(), name.to_owned());
        if before.as_deref() == Some(name) {
            return None;
        }
        let mut others = names.iter().filter(|(other, _)| *other != address);
        others
            .find(|(_, called)| *called == name)
            .map(|(other, _)| other.clone())
    }
}

/// The most requests of all clusters together beside one each: each is a connection, with its memory.
const MOST_BESIDE: usize = 24;

/// Permits for requests beside each cluster's one.
#[derive(Debug)]
pub(crate) struct Beside(Semaphore);

impl Default for Beside {
    fn default() -> Self {
        Self(Semaphore::new(MOST_BESIDE))
    }
}

impl Beside {
    /// Up to so many of those that are free now; nobody waits for one.
    pub(crate) fn take(&self, most: usize) -> Vec<SemaphorePermit<'_>> {
        std::iter::repeat_with(|| self.0.try_acquire())
            .take(most)
            .map_while(Result::ok)
            .collect()
    }
}

impl Memories {
    /// The memory of the cluster at this address; an empty one where it is new.
    pub(crate) fn of(&self, address: &Address) -> SharedMemory {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(clusters.entry(address.clone()).or_default())
    }

    /// Descriptions of keys, which clusters share.
    pub(crate) fn descriptions(&self) -> Arc<Descriptions> {
        Arc::clone(&self.descriptions)
    }

    /// What may be asked beside, which clusters share.
    pub(crate) fn beside(&self) -> Arc<Beside> {
        Arc::clone(&self.beside)
    }

    /// What the clusters are called, which they tell apart by.
    pub(crate) fn names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }

    /// Those of the clusters that `stays` says, with what failed forgiven: the settings are new. The memories are copies:
    /// who still holds one of these does not disturb.
    pub(crate) fn kept(&self, stays: impl Fn(&Address) -> bool) -> Self {
        let clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = clusters
            .iter()
            .filter(|(address, _)| stays(address))
            .map(|(address, memory)| {
                let mut memory = lock(memory).clone();
                memory.keys.forgive();
                (address.clone(), Arc::new(Mutex::new(memory)))
            });
        Self {
            clusters: Mutex::new(kept.collect()),
            descriptions: self.descriptions(),
            // Who goes may still hold some.
            beside: Arc::default(),
            // Each says its name anew.
            names: Arc::default(),
        }
    }
}

/// The memory of one cluster, for a moment.
pub(crate) fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
