//! `queue_size.json`: context, release, architecture, and how many tests wait.

use std::borrow::Cow;

use serde::de::Unexpected;

use crate::QueueSize;
use crate::document::{Refused, Tree, tags};

/// The most queues of an instance: thirty times what there are.
const MAX_QUEUES: usize = 10_000;

/// The queues of an instance, in the order of the document: context, release and architecture, and a count.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Queues(Vec<([String; 3], i64)>);

impl Tree for Queues {
    type Measurement = QueueSize;

    const WHAT: &'static str = "queues";
    const LEVELS: &'static [&'static str] = &["context", "release", "architecture"];
    const LEAF: &'static str = "a count";

    fn take(&mut self, names: &[Cow<'_, str>], found: &Unexpected<'_>) -> Result<(), Refused> {
        let Unexpected::Unsigned(count) = *found else {
            return Err(Refused::Leaf);
        };
        let count = i64::try_from(count).map_err(|_| Refused::Leaf)?;
        let tags = tags(names, [0, 1, 2])?;
        if self.0.len() == MAX_QUEUES {
            return Err(Refused::TooMany("queues", MAX_QUEUES));
        }
        self.0.push((tags.map(str::to_owned), count));
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn measurements(self, instance: &'static str) -> impl Iterator<Item = QueueSize> {
        let queues = self.0.into_iter();
        queues.map(move |([context, release, arch], count)| QueueSize {
            context,
            release,
            arch,
            instance,
            count,
        })
    }
}
