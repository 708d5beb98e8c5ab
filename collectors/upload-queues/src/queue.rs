//! What the entries of a queue come to.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use tidemark_collect::Timestamp;
use tidemark_ubuntu::Remarks;

use crate::upload::Entry;

/// The age in whole days up to which an upload is no backlog: what has waited longer has been passed over by a week's worth
/// of reviewers.
const IN_TIME: i64 = 10;

/// A queue, and what could not be read of it.
#[derive(Debug, Default, PartialEq)]
pub struct Queue {
    /// Uploads in it, each once.
    pub count: i64,
    /// How long they have waited; `None` where that can be read of none of them.
    pub ages: Option<Ages>,
    /// What they are; `None` where that can be read of none of them.
    pub types: Option<Types>,
    /// Entries that are no uploads: they count for nothing.
    pub strange: Remarks,
    /// Uploads whose age cannot be read: they count, and are in no age.
    pub undated: Remarks,
    /// Uploads whose type cannot be read: they count, and are of no type.
    pub untyped: Remarks,
    /// Uploads of a time that has not come.
    pub ahead: Remarks,
}

/// How long uploads have waited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ages {
    /// Whole days of the oldest; 0 where there is none.
    pub oldest: i64,
    /// Uploads of more than ten whole days.
    pub backlog: i64,
}

/// How many uploads are of each type; one may be of several, or of none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Types {
    /// They hold sources.
    pub source: i64,
    /// They hold binaries.
    pub binary: i64,
    /// They are copies from another archive.
    pub sync: i64,
}

impl Queue {
    /// The queue with these entries at that time. An upload that is listed twice, as pages that changed while they were
    /// read may do, is one.
    pub fn of(entries: impl IntoIterator<Item = Entry>, now: Timestamp) -> Self {
        let now = DateTime::<Utc>::from(now);
        let mut queue = Self::default();
        let (mut ages, mut types) = (Ages::default(), Types::default());
        let (mut dated, mut typed) = (0_i64, 0_i64);
        let mut seen = HashSet::new();
        for (number, entry) in (1..).zip(entries) {
            let mut upload = match entry {
                Entry::Upload(upload) => upload,
                Entry::Other(what) => {
                    queue
                        .strange
                        .add(|| format!("entry {number}: it is {what}, not an upload"));
                    continue;
                }
            };
            if let Some(link) = upload.self_link.take()
                && !seen.insert(link)
            {
                continue;
            }
            queue.count += 1;
            match upload.created {
                Ok(created) => {
                    dated += 1;
                    if created > now {
                        queue
                            .ahead
                            .add(|| format!("entry {number}: it is of {created}, after now"));
                    }
                    ages.add(now.signed_duration_since(created).num_days().max(0));
                }
                Err(what) => queue.undated.add(|| format!("entry {number}: {what}")),
            }
            match (upload.source, upload.build, upload.copy) {
                (Ok(source), Ok(binary), Ok(sync)) => {
                    typed += 1;
                    types.add(source, binary, sync);
                }
                (Err(what), ..) | (_, Err(what), _) | (.., Err(what)) => {
                    queue.untyped.add(|| format!("entry {number}: {what}"));
                }
            }
        }
        // Of none of some, nothing is known; of an empty queue, all is.
        queue.ages = (dated > 0 || queue.count == 0).then_some(ages);
        queue.types = (typed > 0 || queue.count == 0).then_some(types);
        queue
    }

    /// All that could not be read.
    pub fn faults(&self) -> impl Iterator<Item = &Remarks> {
        [&self.strange, &self.undated, &self.untyped]
            .into_iter()
            .filter(|remarks| !remarks.is_empty())
    }
}

impl Ages {
    fn add(&mut self, days: i64) {
        self.oldest = self.oldest.max(days);
        self.backlog += i64::from(days > IN_TIME);
    }
}

impl Types {
    fn add(&mut self, source: bool, binary: bool, sync: bool) {
        self.source += i64::from(source);
        self.binary += i64::from(binary);
        self.sync += i64::from(sync);
    }
}
