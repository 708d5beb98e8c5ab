//! How the lines of a batch go to a sink that minds their order and their number.

use std::collections::HashMap;

use crate::lines::Lines;

/// Requests, and which lines are of one series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The lines of each request, in order.
    parts: Vec<Lines>,
    /// The series of each line, as a number; empty where lines may be sent in any order.
    series: HashMap<u32, u32>,
}

impl From<Lines> for Plan {
    /// All lines in one request, in any order.
    fn from(lines: Lines) -> Self {
        Self::new(vec![lines], [])
    }
}

/// Lines that are divided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Halves {
    pub(crate) first: Lines,
    pub(crate) second: Lines,
    /// They are of one series: the second must not be sent before the first is settled.
    pub(crate) in_order: bool,
}

impl Plan {
    pub(crate) fn new(parts: Vec<Lines>, series: impl IntoIterator<Item = (u32, u32)>) -> Self {
        Self {
            parts,
            series: series.into_iter().collect(),
        }
    }

    pub(crate) fn take_parts(&mut self) -> Vec<Lines> {
        std::mem::take(&mut self.parts)
    }

    /// Divides lines: between series as long as there are several, else by time.
    pub(crate) fn halves(&self, lines: &Lines) -> Halves {
        let mut counts: Vec<(u32, u32)> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for line in lines.iter() {
            let Some(series) = self.series.get(&line) else {
                let (first, second) = lines.halves();
                return Halves {
                    first,
                    second,
                    in_order: false,
                };
            };
            let place = *places.entry(*series).or_insert_with(|| {
                counts.push((*series, 0));
                counts.len() - 1
            });
            if let Some((_, count)) = counts.get_mut(place) {
                *count += 1;
            }
        }
        if counts.len() <= 1 {
            let (first, second) = lines.halves();
            return Halves {
                first,
                second,
                in_order: true,
            };
        }
        let half = lines.count().div_ceil(2);
        let mut taken = 0;
        let mut last = 0;
        // The last series is always the other half's.
        for (place, (_, count)) in counts.iter().enumerate().take(counts.len() - 1) {
            if place > 0 && taken + count > half {
                break;
            }
            (taken, last) = (taken + count, place);
        }
        let is_first = |line| {
            let place = self.series.get(&line).and_then(|series| places.get(series));
            place.is_some_and(|place| *place <= last)
        };
        let (first, second) = lines.partition(is_first);
        Halves {
            first,
            second,
            in_order: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        text.parse().unwrap()
    }

    fn halves(plan: &Plan, of: &str) -> (String, String, bool) {
        let halves = plan.halves(&lines(of));
        (
            halves.first.to_string(),
            halves.second.to_string(),
            halves.in_order,
        )
    }

    #[test]
    fn lines_without_series_are_halved_anywhere() {
        let plan = Plan::from(Lines::all(5));
        assert_eq!(halves(&plan, "0-4"), ("0-2".into(), "3-4".into(), false));
    }

    #[test]
    fn a_series_is_torn_only_where_it_is_alone() {
        // Series by line: a b a b c a.
        let plan = Plan::new(
            vec![Lines::all(6)],
            [(0, 0), (1, 1), (2, 0), (3, 1), (4, 2), (5, 0)],
        );
        assert_eq!(halves(&plan, "0-5"), ("0,2,5".into(), "1,3-4".into(), false));
        assert_eq!(halves(&plan, "1,3-4"), ("1,3".into(), "4".into(), false));
        assert_eq!(halves(&plan, "0,2,5"), ("0,2".into(), "5".into(), true));
        // The largest one first, or last: each half has some.
        let large = Plan::new(vec![Lines::all(5)], [(0, 0), (1, 0), (2, 0), (3, 0), (4, 1)]);
        assert_eq!(halves(&large, "0-4"), ("0-3".into(), "4".into(), false));
        let large = Plan::new(vec![Lines::all(5)], [(0, 1), (1, 0), (2, 0), (3, 0), (4, 0)]);
        assert_eq!(halves(&large, "0-4"), ("0".into(), "1-4".into(), false));
    }
}
