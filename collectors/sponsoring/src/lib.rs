//! The collector `sponsoring`: uploads to Ubuntu that wait for a sponsor, as the sponsoring report lists them.
//!
//! The report is a JSON list with an entry for each upload, of which `date_queued` (`MM/DD/YY`) and `sets` (the
//! package sets) count. There is a point `sponsoring_queue_stats` for each set, and one called `sponsoring` for all
//! entries; that one is there for an empty list too, with a count of 0 and no ages. It does not ask Launchpad, and
//! says nothing of single uploads.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_sponsoring::Sponsoring;
//!
//! assert_eq!(Sponsoring::NAME, "sponsoring");
//! assert_eq!(Sponsoring::MEASUREMENTS[0].measurement, "sponsoring_queue_stats");
//! ```

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tidemark_collect::http::{Url, redacted};
use tidemark_collect::{CollectorError, Context, Measurement, Metric, Needs, Points, Schema, Settings};

/// The report of all entries, in whatever sets they are.
const ALL: &str = "sponsoring";

/// The longest report that is read: a hundred times what it is.
const MAX_BYTES: u64 = 4 << 20;

/// Uploads that wait for a sponsor.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("sponsoring_queue_stats")]
struct Queue {
    /// The package set that counts them, or `sponsoring` for all.
    #[tag]
    report: String,
    /// Uploads in the queue.
    count: i64,
    /// Age of the oldest, in whole days.
    #[unit("d")]
    oldest: Option<i64>,
    /// Mean age, in whole days, rounded down.
    #[unit("d")]
    average_age: Option<i64>,
}

/// The queue of uploads to Ubuntu that need a sponsor.
#[derive(Debug, Settings)]
pub struct Sponsoring {
    /// The report's address.
    #[default("http://sponsoring-reports.ubuntu.com/jsons/general.json")]
    url: Url,
}

impl Metric for Sponsoring {
    const NAME: &'static str = "sponsoring";
    const NEEDS: Needs = Needs::NETWORK;
    const MEASUREMENTS: &'static [&'static Schema] = &[Queue::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let list: Vec<Value> = cx.http().get(&self.url).max_bytes(MAX_BYTES).json().await?;
        let now = cx.now();
        let today = DateTime::<Utc>::from(now).date_naive();
        let mut entries = Vec::with_capacity(list.len());
        for (number, value) in (1..).zip(&list) {
            match Entry::read(value) {
                Ok(entry) => {
                    let date = entry.date_queued;
                    if date > today {
                        cx.notice(format_args!(
                            "entry {number} is queued on {date}, after today: its age counts as 0"
                        ));
                    }
                    entries.push(entry);
                }
                Err(reason) => cx.gap(format_args!("entry {number} is left out: {reason}: {value}")),
            }
        }
        if entries.is_empty() && !list.is_empty() {
            let reason = format!("none of its {} entries can be read", list.len());
            return Err(CollectorError::parse(redacted(&self.url), reason));
        }
        Ok(Points::at(now, queues(&entries, today)))
    }
}

/// An upload that waits. All else that is said of it does not matter here.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(deserialize_with = "date")]
    date_queued: NaiveDate,
    /// A set that is named twice counts once.
    sets: BTreeSet<String>,
}

impl Entry {
    fn read(value: &Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("it is no object".into());
        }
        let entry = Self::deserialize(value).map_err(|error| error.to_string())?;
        if entry.sets.contains("") {
            return Err("a set has no name".into());
        }
        Ok(entry)
    }

    /// Whole days, none for one of a later day.
    fn age(&self, today: NaiveDate) -> i64 {
        today.signed_duration_since(self.date_queued).num_days().max(0)
    }
}

fn date<'de, D: Deserializer<'de>>(value: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(value)?;
    NaiveDate::parse_from_str(&text, "%m/%d/%y")
        .map_err(|_| D::Error::custom(format!("{text:?} is no date MM/DD/YY")))
}

/// A queue for each set, and one for all.
fn queues(entries: &[Entry], today: NaiveDate) -> Vec<Queue> {
    let mut ages = BTreeMap::from([(ALL, Vec::new())]);
    for entry in entries {
        let age = entry.age(today);
        // Were there a set called as the report of all, an entry would still count there once.
        let sets = entry.sets.iter().map(String::as_str).filter(|set| *set != ALL);
        sets.chain([ALL])
            .for_each(|report| ages.entry(report).or_default().push(age));
    }
    ages.into_iter()
        .map(|(report, ages)| queue(report, &ages))
        .collect()
}

fn queue(report: &str, ages: &[i64]) -> Queue {
    let count = i64::try_from(ages.len()).unwrap_or(i64::MAX);
    Queue {
        report: report.to_owned(),
        count,
        oldest: ages.iter().max().copied(),
        average_age: ages.iter().sum::<i64>().checked_div(count),
    }
}

#[cfg(test)]
mod tests;
