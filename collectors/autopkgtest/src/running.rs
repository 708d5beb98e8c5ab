//! `running.json`: package, parameters, release, architecture, and a list of what is known of the test that runs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::Unexpected;

use crate::RunningTests;
use crate::document::{Refused, Tree, tags};

/// The most pairs of release and architecture of an instance: a hundred times what there are.
const MAX_PAIRS: usize = 10_000;

/// How many tests run, by release and architecture.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Running {
    counts: BTreeMap<String, BTreeMap<String, i64>>,
    pairs: usize,
}

impl Tree for Running {
    type Measurement = RunningTests;

    const WHAT: &'static str = "running tests";
    const LEVELS: &'static [&'static str] = &["package", "set of parameters", "release", "architecture"];
    const LEAF: &'static str = "a list";

    fn take(&mut self, names: &[Cow<'_, str>], found: &Unexpected<'_>) -> Result<(), Refused> {
        if !matches!(found, Unexpected::Seq) {
            return Err(Refused::Leaf);
        }
        let [release, arch] = tags(names, [2, 3])?;
        if let Some(count) = self
            .counts
            .get_mut(release)
            .and_then(|counts| counts.get_mut(arch))
        {
            *count += 1;
            return Ok(());
        }
        if self.pairs == MAX_PAIRS {
            return Err(Refused::TooMany("pairs of release and architecture", MAX_PAIRS));
        }
        self.pairs += 1;
        self.counts
            .entry(release.to_owned())
            .or_default()
            .insert(arch.to_owned(), 1);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn measurements(self, instance: &'static str) -> impl Iterator<Item = RunningTests> {
        self.counts.into_iter().flat_map(move |(release, counts)| {
            counts.into_iter().map(move |(arch, count)| RunningTests {
                release: release.clone(),
                arch,
                instance,
                count,
            })
        })
    }
}
