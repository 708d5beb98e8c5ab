//! Whose a statistic is.

use std::collections::HashMap;

use tidemark_collect::Tags;

use super::Naming;

/// The most of whom the tags are kept: more than a cluster has nodes.
const MOST: usize = 1024;

/// A node, or the cluster; and whether its value is of before.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Owner {
    /// 0 of the cluster.
    pub(crate) devid: i64,
    pub(crate) node: i64,
    pub(crate) degraded: bool,
}

impl Owner {
    fn tags(self, naming: &Naming<'_>) -> Tags {
        let (mut devid, mut node) = (itoa::Buffer::new(), itoa::Buffer::new());
        let is_node = self.devid != 0;
        let tags = [
            Some(("cluster", naming.cluster)),
            naming
                .include_degraded
                .then_some(("degraded", if self.degraded { "true" } else { "false" })),
            is_node.then(|| ("devid", devid.format(self.devid))),
            is_node.then(|| ("node", node.format(self.node))),
        ];
        Tags::new(tags.into_iter().flatten())
    }
}

/// The tags of those who were met in an answer. Each key names the same nodes in the same order.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    met: Vec<(Owner, Tags)>,
    places: HashMap<Owner, usize>,
    /// Where the last one is.
    last: usize,
}

impl Owners {
    /// The tags of one of the answer's.
    pub(crate) fn tags(&mut self, owner: Owner, naming: &Naming<'_>) -> &Tags {
        let next = if self.last + 1 < self.met.len() {
            self.last + 1
        } else {
            0
        };
        self.last = match self.met.get(next) {
            Some((met, _)) if *met == owner => next,
            _ => self.place(owner, naming),
        };
        &self.met[self.last].1
    }

    fn place(&mut self, owner: Owner, naming: &Naming<'_>) -> usize {
        if let Some(place) = self.places.get(&owner) {
            return *place;
        }
        if self.met.len() == MOST {
            self.met.clear();
            self.places.clear();
        }
        self.places.insert(owner, self.met.len());
        self.met.push((owner, owner.tags(naming)));
        self.met.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use tidemark_collect::{Adjustments, Point, Timestamp};

    use super::*;

    #[test]
    fn each_has_its_own_tags_in_any_order_and_however_many() {
        let naming = Naming {
            cluster: "c",
            include_degraded: true,
            now: Timestamp::EPOCH,
        };
        let mut owners = Owners::default();
        let many = i64::try_from(MOST).unwrap() + 100;
        let orderly = (0..2).flat_map(|_| 0..5);
        for devid in orderly.chain([3, 3, 1, 0]).chain(0..many).chain([7, 0]) {
            for degraded in [false, true] {
                let node = devid * 2;
                let tags = owners.tags(
                    Owner {
                        devid,
                        node,
                        degraded,
                    },
                    &naming,
                );
                let point = Point::builder("m")
                    .tags(tags)
                    .field("v", 1.0)
                    .time(Timestamp::EPOCH);
                let point = point.build(&mut Adjustments::default()).unwrap();
                let mut expected = format!("m,cluster=c,degraded={degraded}");
                if devid != 0 {
                    expected.push_str(&format!(",devid={devid},node={node}"));
                }
                assert_eq!(point.series_key(), expected);
            }
        }
        assert!(owners.met.len() <= MOST);
    }
}
