//! What tests of the units say of the world.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tidemark_systemd::Unit;

use super::manager::{Activity, Load, State};
use super::record::Record;
use super::steps::{Situation, record};

/// Where the units of a plan lie.
pub(super) const GENERATED: &str = "/run/systemd/generator";

/// What a test says of the world; all the rest is as it should be.
pub(super) struct World {
    pub(super) plan: Vec<Unit>,
    pub(super) record: Option<Record>,
    pub(super) states: BTreeMap<String, State>,
    pub(super) is_active: bool,
    pub(super) settings: u64,
    pub(super) programs: BTreeMap<String, u64>,
    pub(super) secrets: BTreeMap<String, u64>,
}

pub(super) fn unit(name: &str, text: &str, wanted: bool) -> Unit {
    Unit {
        file_name: name.to_owned(),
        text: text.to_owned(),
        wanted,
    }
}

impl World {
    /// In which all that is planned is loaded and idle, and nothing is known.
    pub(super) fn new(plan: impl IntoIterator<Item = Unit>) -> Self {
        let mut world = World {
            plan: plan.into_iter().collect(),
            record: None,
            states: BTreeMap::new(),
            is_active: true,
            settings: 1,
            programs: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        for unit in world.plan.clone() {
            world.load(&unit.file_name);
        }
        world
    }

    /// In which a sync has been, and all that is wanted runs.
    pub(super) fn settled(plan: impl IntoIterator<Item = Unit>) -> Self {
        let mut world = Self::new(plan);
        for unit in world.plan.clone().iter().filter(|unit| unit.wanted) {
            world.state(&unit.file_name).active = Activity::Active;
        }
        world.record = Some(record(&world.situation(), 5, &[], true));
        world
    }

    /// Has systemd read that unit.
    pub(super) fn load(&mut self, name: &str) -> &mut State {
        let state = self.state(name);
        state.load = Load::Loaded;
        state.fragment = PathBuf::from(GENERATED).join(name);
        state
    }

    pub(super) fn state(&mut self, name: &str) -> &mut State {
        let state = self.states.entry(name.to_owned());
        state.or_insert_with(|| State::unknown(name))
    }

    pub(super) fn situation(&self) -> Situation<'_> {
        Situation {
            plan: &self.plan,
            record: self.record.as_ref(),
            states: &self.states,
            is_active: self.is_active,
            settings: self.settings,
            programs: &self.programs,
            secrets: &self.secrets,
        }
    }
}
