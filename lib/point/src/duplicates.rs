//! Points of the same series and time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::{Adjustments, Point, Timestamp};

/// Merges points of the same measurement, tags and time, since a sink keeps only one of each.
///
/// The first stands for all, with the fields of all; where two have the same field, the later value counts.
/// The order of the others stays. The points that went are counted as merged, values lost as overwritten.
pub fn merge_duplicates(points: &mut Vec<Point>, adjustments: &mut Adjustments) {
    if points.len() < 2 {
        return;
    }
    let mut merges: Vec<(usize, usize)> = Vec::new();
    let mut first: HashMap<(&str, Timestamp), usize> = HashMap::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        match first.entry((point.series_key(), point.time())) {
            Entry::Vacant(place) => {
                place.insert(index);
            }
            Entry::Occupied(place) => merges.push((*place.get(), index)),
        }
    }
    if merges.is_empty() {
        return;
    }
    let mut gone = vec![false; points.len()];
    for (into, from) in merges {
        let fields = std::mem::take(&mut points[from].fields);
        let kept = &mut points[into].fields;
        for field in fields {
            match kept.binary_search_by(|other| other.key.cmp(&field.key)) {
                Ok(place) => {
                    adjustments.overwritten += u64::from(kept[place].value != field.value);
                    kept[place] = field;
                }
                Err(place) => kept.insert(place, field),
            }
        }
        gone[from] = true;
        adjustments.merged += 1;
    }
    let mut index = 0;
    points.retain(|_| {
        index += 1;
        !gone[index - 1]
    });
}
