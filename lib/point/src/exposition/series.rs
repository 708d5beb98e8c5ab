//! The samples of one family: which metric and point each belongs to, and that it is there once.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::FamilyType;
use super::family::Families;
use super::label::RawLabel;
use super::limits::{MAX_METRICS, MAX_MIXED_METRICS};
use super::metric::{Breach, Metric, Part, Taken};
use super::mistake::FamilyMistake;

/// A byte that no text has, which ends each in a hash.
const NOT_UTF8: u8 = 0xff;

/// The hash of the labels that a metric's samples share. They are written to `text`, whose room is used again: to
/// hash one long text is faster than many short ones.
pub(crate) fn label_set(
    keys: &RandomState,
    text: &mut Vec<u8>,
    labels: &[RawLabel<'_>],
    own: Option<RawLabel<'_>>,
) -> u64 {
    text.clear();
    for label in labels {
        // An empty label is none.
        if label.value.is_empty() || own.is_some_and(|own| own.place == label.place) {
            continue;
        }
        for part in [label.name, &label.plain()] {
            text.extend_from_slice(part.as_bytes());
            text.push(NOT_UTF8);
        }
    }
    keys.hash_one(text.as_slice())
}

impl<'a> Families<'a> {
    /// The hash of what tells a sample from the others of its metric.
    fn sample_hash(&self, metric: u64, taken: &Taken<'_, 'a>, point: u64) -> u64 {
        let mut hasher = self.keys.build_hasher();
        hasher.write_u64(metric);
        hasher.write_u64(point);
        hasher.write_u8(taken.part as u8);
        if let Some(own) = taken.own {
            hasher.write(own.plain().as_bytes());
        }
        hasher.finish()
    }

    /// Metrics and their points stand together.
    pub(crate) fn open_metrics_sample(
        &mut self,
        hash: u64,
        taken: &Taken<'_, 'a>,
        family_type: FamilyType,
        line: usize,
    ) -> Result<(), Breach> {
        let time = taken.sample.time;
        let name = taken.places.name;
        let mut outcome = Ok(());
        let current = self.metric.take_if(|(current, _)| *current == hash);
        let mut metric = match current {
            None => {
                self.end_metric(family_type);
                self.points += 1;
                let mut metric = Metric::new(line, time);
                if !self.seen.insert(hash) {
                    metric.doubtful = true;
                    outcome = Err((name, FamilyMistake::MetricAgain));
                }
                metric
            }
            Some((_, mut metric)) => {
                let repeated = metric.has(taken, family_type) || {
                    let parts = matches!(family_type, FamilyType::StateSet | FamilyType::Summary);
                    parts && self.parts.contains(&self.sample_hash(hash, taken, self.points))
                };
                let mut next = false;
                match (metric.time, time) {
                    (None, None) if repeated => {
                        self.metric = Some((hash, metric));
                        return Err((name, FamilyMistake::RepeatedSample));
                    }
                    (None, None) => {}
                    (Some(before), Some(time)) if time < before => {
                        outcome = Err((taken.places.time, FamilyMistake::TimeBackwards));
                        next = true;
                    }
                    // Times may differ by less than a nanosecond.
                    (Some(before), Some(time)) => next = time > before || repeated || metric.is_beyond(taken),
                    (Some(_), None) => outcome = Err((taken.places.value, FamilyMistake::MixedTimes)),
                    (None, Some(_)) => outcome = Err((taken.places.time, FamilyMistake::MixedTimes)),
                }
                if next {
                    self.metric = Some((hash, metric));
                    self.end_metric(family_type);
                    self.points += 1;
                    metric = Metric::new(line, time);
                }
                metric
            }
        };
        if matches!(family_type, FamilyType::StateSet | FamilyType::Summary) {
            let part = self.sample_hash(hash, taken, self.points);
            self.parts.insert(part);
        }
        let taken = metric.take(taken, family_type, self.format);
        self.metric = Some((hash, metric));
        self.bounded(name)?;
        outcome.and(taken)
    }

    /// A sample's name and labels are there once, in any order.
    pub(crate) fn prometheus_sample(
        &mut self,
        hash: u64,
        taken: &Taken<'_, 'a>,
        family_type: FamilyType,
        line: usize,
    ) -> Result<(), Breach> {
        let name = taken.places.name;
        let sample = match taken.own.is_none() && taken.part == Part::Plain {
            true => hash,
            false => self.sample_hash(hash, taken, 0),
        };
        if !self.seen.insert(sample) {
            return Err((name, FamilyMistake::RepeatedSample));
        }
        self.bounded(name)?;
        if !matches!(family_type, FamilyType::Histogram | FamilyType::Summary) {
            return Metric::new(line, None).take(taken, family_type, self.format);
        }
        let metric = self.mixed.entry(hash).or_insert_with(|| Metric::new(line, None));
        metric.take(taken, family_type, self.format)
    }

    fn bounded(&self, place: usize) -> Result<(), Breach> {
        let many = self.seen.len() + self.parts.len() > MAX_METRICS;
        match many || self.mixed.len() > MAX_MIXED_METRICS {
            true => Err((place, FamilyMistake::TooManyMetrics)),
            false => Ok(()),
        }
    }
}
