//! The collector `onefs`: the statistics of OneFS storage clusters, under the names that gostats and its dashboards know.
//!
//! A [`Plan`] says what is collected from where, be it of `[collector.onefs]` ([`settings`]) or of gostats' own
//! configuration file. Each cluster is visited by itself: who it is, what the keys of its [groups](group) are, then what
//! is due of them by its [schedule], each value a point whose measurement is the key. One that is down, slow or
//! wrongly configured holds up no other.
//!
//! A plain run fetches everything once. While the collector stays, keys of one interval are a [bucket] and are fetched
//! when it is due, and each visit is a run with the cluster's name as its target. What was learnt of keys is kept, over
//! visits and reloads ([`keys`]).
//!
//! It changes nothing on a cluster, and it keeps nothing on disk: what waits for a sink is delivery's.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_onefs::Onefs;
//! use tidemark_onefs::group::Group;
//!
//! assert_eq!(Onefs::NAME, "onefs");
//! assert_eq!(Group::stock().iter().map(|group| group.keys.len()).sum::<usize>(), 116);
//! ```

mod bound;
pub mod bucket;
pub mod derived;
mod every;
pub mod group;
pub mod keys;
pub mod listener;
mod memory;
mod once;
pub mod plan;
mod program;
pub mod schedule;
pub mod settings;
pub mod stock;
mod visitor;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tidemark_collect::settings::{Key, SectionReader};
use tidemark_collect::{Batches, CollectorError, Context, Metric, Needs, Points, Schema, Section, Span};

use crate::listener::Exposition;
use crate::memory::Memories;
use crate::plan::Plan;
use crate::settings::{CheckedSettings, OnefsSettings};
pub use program::OnefsProgram;

/// The collector: its settings, the plan that is made of them, and what is remembered of each cluster.
#[derive(Debug)]
pub struct Onefs {
    settings: OnefsSettings,
    /// None before [`OnefsProgram`] made it ready.
    plan: Option<Plan>,
    /// The file that the plan is of, where it is of one.
    idic: Option<PathBuf>,
    memories: Memories,
    /// What listens, once it does.
    shown: Mutex<Option<Exposition>>,
}

impl Onefs {
    /// A collector with that plan.
    pub fn new(settings: OnefsSettings, plan: Plan) -> Self {
        Self {
            plan: Some(plan),
            ..Self::unplanned(settings)
        }
    }

    fn unplanned(settings: OnefsSettings) -> Self {
        Self {
            settings,
            plan: None,
            idic: None,
            memories: Memories::default(),
            shown: Mutex::default(),
        }
    }

    /// Opens what is to listen; what the collector before had open is taken over.
    fn show(&self, plan: &Plan, cx: &Context) -> Option<Exposition> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.take();
        if plan.listener.is_wanted(&plan.clusters) {
            let listener = Arc::clone(&plan.listener);
            *shown = Some(Exposition::open(listener, &plan.clusters, cx.clock(), before));
        }
        shown.clone()
    }

    fn plan(&self) -> Result<&Plan, CollectorError> {
        self.plan.as_ref().ok_or_else(|| {
            CollectorError::other("no cluster is known: the program did not make a plan of the settings")
        })
    }
}

/// The settings' own section.
impl Section for Onefs {
    const SUMMARY: &'static str = CheckedSettings::SUMMARY;
    const KEYS: &'static [Key] = CheckedSettings::KEYS;

    fn read(section: &mut SectionReader<'_>) -> Option<Self> {
        let CheckedSettings(settings) = CheckedSettings::read(section)?;
        Some(Self::unplanned(settings))
    }
}

impl Metric for Onefs {
    const NAME: &'static str = "onefs";
    const RUN_INTERVAL: Span = Span::secs(30);
    const NEEDS: Needs = Needs {
        listens: true,
        ..Needs::NETWORK
    };
    const MEASUREMENTS: &'static [&'static Schema] = &[];
    const RULE: Option<&'static str> = Some(
        "each statistics key is a measurement, and so are `node.summary.protocol`, `node.summary.client`, \
         `node.summary.drive`",
    );

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        once::once(self.plan()?, &self.memories, cx).await
    }

    async fn every(&self, cx: &Context, out: &mut Batches) -> Result<(), CollectorError> {
        let plan = self.plan()?;
        let shown = self.show(plan, cx);
        every::every(plan, &self.memories, shown.as_ref(), cx, out).await
    }

    fn take_over(&mut self, before: &Self) {
        let Some(plan) = &self.plan else { return };
        let shown = before
            .shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        self.shown = Mutex::new(shown);
        self.memories = before
            .memories
            .kept(|address| plan.clusters.iter().any(|cluster| cluster.address == *address));
    }
}
