//! Points of the same series and time.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{Adjustments, Point, Timestamp};

/// Merges points of the same measurement, tags and time, since a sink keeps only one of each.
///
/// The first stands for all, with the fields of all; where two have the same field, the later value counts.
/// The order of the others stays. The points that went are counted as merged, values lost as overwritten.
pub fn merge_duplicates(points: &mut Vec<Point>, adjustments: &mut Adjustments) {
    if points.len() < 2 {
        return;
    }
    let merges = duplicates(points);
    if merges.is_empty() {
        return;
    }
    let mut all: Vec<Option<Point>> = std::mem::take(points).into_iter().map(Some).collect();
    for (into, from) in merges {
        let from = all.get_mut(from).and_then(Option::take);
        if let (Some(Some(into)), Some(from)) = (all.get_mut(into), from) {
            adjustments.overwritten += into.merge(from);
            adjustments.merged += 1;
        }
    }
    points.extend(all.into_iter().flatten());
}

/// The first of each of those that are there twice, and the later one.
fn duplicates(points: &[Point]) -> Vec<(usize, usize)> {
    // Nobody can know which series fall together.
    let seed = RandomState::new().hash_one(points.len());
    let mut merges = Vec::new();
    let mut first: HashMap<Instance<'_>, usize, BuildHasherDefault<Hashed>> =
        HashMap::with_capacity_and_hasher(points.len(), BuildHasherDefault::default());
    for (index, point) in points.iter().enumerate() {
        match first.entry(Instance::of(point, seed)) {
            Entry::Vacant(place) => {
                place.insert(index);
            }
            Entry::Occupied(place) => merges.push((*place.get(), index)),
        }
    }
    merges
}

/// A series at a time.
#[derive(PartialEq, Eq)]
struct Instance<'a> {
    hash: u64,
    time: Timestamp,
    series: &'a str,
}

impl Instance<'_> {
    fn of(point: &Point, seed: u64) -> Instance<'_> {
        let (series, time) = (point.series_key(), point.time());
        Instance {
            hash: xxh3_64_with_seed(series.as_bytes(), seed ^ time.nanos().cast_unsigned()),
            time,
            series,
        }
    }
}

impl Hash for Instance<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Takes a hash as it is.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }
}
