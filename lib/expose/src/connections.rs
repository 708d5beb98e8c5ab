//! The connections of a listener, and which of them makes room for a new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::limits::MAX_CONNECTIONS;

/// What a connection does, and since when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activity {
    /// It greets, or sends a request, or does nothing.
    Waiting(Instant),
    /// It takes an answer.
    Answering(Instant),
}

/// The connections that are open, up to a bound.
///
/// Where there is no room, the one goes that has waited for longest: idle ones, and ones whose request never comes, hold
/// nobody off. An answer under way is never cut for a new connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    activity: watch::Receiver<Activity>,
    task: Option<AbortHandle>,
}

/// A connection's place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    id: u64,
    connections: Connections,
}

impl Connections {
    /// A place for a new connection, with what shows its activity. `None` where all others take answers.
    pub(crate) fn enter(&self, activity: watch::Receiver<Activity>) -> Option<Place> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.open.len() >= MAX_CONNECTIONS {
            let waiting = table
                .open
                .iter()
                .filter_map(|(id, open)| match *open.activity.borrow() {
                    Activity::Waiting(since) => Some((since, *id)),
                    Activity::Answering(_) => None,
                });
            let (_, oldest) = waiting.min()?;
            if let Some(task) = table.open.remove(&oldest).and_then(|open| open.task) {
                task.abort();
            }
        }
        let id = table.next;
        table.next += 1;
        table.open.insert(id, Open { activity, task: None });
        Some(Place {
            id,
            connections: self.clone(),
        })
    }

    /// How many are in the middle of an answer.
    pub(crate) fn answering(&self) -> usize {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_answering = |open: &&Open| matches!(*open.activity.borrow(), Activity::Answering(_));
        table.open.values().filter(is_answering).count()
    }

    /// Says which task serves the connection of that id, so that it can make room.
    pub(crate) fn served_by(&self, id: u64, task: AbortHandle) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = table.open.get_mut(&id) {
            open.task = Some(task);
        }
    }
}

impl Place {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.open.remove(&self.id);
    }
}
