//! What is fetched together: the keys of one interval.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::group::Group;

/// Keys that are fetched at the same moments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// How often.
    pub interval: Duration,
    /// The group that its requests are kept to, where each group has its own.
    pub group: Option<Arc<str>>,
    /// The keys, in the order of the groups.
    pub keys: Vec<Arc<str>>,
}

/// What is known of a key on one cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// The cluster updates it at this interval; none: only on demand, or it is not known.
    Updated(Option<Duration>),
    /// It is not asked for: the cluster does not have it.
    LeftOut,
}

/// Sorts the keys of `groups` by interval, the shortest first; with `by_group`, by group too.
pub fn buckets(
    groups: &[Group],
    minimum: Duration,
    by_group: bool,
    standing: impl Fn(&str) -> Standing,
) -> Vec<Bucket> {
    let mut sorted: BTreeMap<(Duration, usize), Bucket> = BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        for key in &group.keys {
            let Standing::Updated(own) = standing(key) else {
                continue;
            };
            let interval = group.pace.interval(own, minimum);
            let bucket = sorted
                .entry((interval, if by_group { number } else { 0 }))
                .or_insert_with(|| Bucket {
                    interval,
                    group: by_group.then(|| Arc::clone(&group.name)),
                    keys: Vec::new(),
                });
            bucket.keys.push(Arc::clone(key));
        }
    }
    sorted.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Pace;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn own(key: &str) -> Standing {
        match key {
            "gone" => Standing::LeftOut,
            "demand" => Standing::Updated(None),
            key => Standing::Updated(key.get(1..).and_then(|text| text.parse().ok()).map(seconds)),
        }
    }

    /// `interval group keys` of each.
    fn told(buckets: &[Bucket]) -> Vec<String> {
        let told = |bucket: &Bucket| {
            let group = bucket.group.as_deref().unwrap_or("-");
            format!("{} {group} {}", bucket.interval.as_secs(), bucket.keys.join(","))
        };
        buckets.iter().map(told).collect()
    }

    #[test]
    fn keys_of_one_interval_share_a_bucket() {
        let groups = [
            Group::new("one", Pace::OWN, ["a5", "b30", "gone", "demand"]),
            Group::new("two", Pace::Times(2.0), ["c5", "d15", "e20"]),
            Group::new("three", Pace::Every(seconds(40)), ["f5", "g300"]),
        ];
        assert_eq!(
            told(&buckets(&groups, seconds(5), false, own)),
            ["5 - a5,demand", "10 - c5", "30 - b30,d15", "40 - e20,f5,g300"]
        );
        assert_eq!(
            told(&buckets(&groups, seconds(30), false, own)),
            ["30 - a5,b30,demand,c5,d15", "40 - e20,f5,g300"]
        );
        assert_eq!(
            told(&buckets(&groups, seconds(30), true, own)),
            [
                "30 one a5,b30,demand",
                "30 two c5,d15",
                "40 two e20",
                "40 three f5,g300"
            ]
        );
        assert_eq!(told(&buckets(&[], seconds(30), true, own)), [""; 0]);
    }
}
