//! The answer of `statistics/current`.

use std::borrow::Cow;

use tidemark_collect::Timestamp;

use super::document::{Items, checked_text, read, text_next};
use super::number::{self, Whole};
use super::owner::{Owner, Owners};
use super::reader::{Kind, Read, Reader};
use super::shape::{Room, Statistic, points};
use super::tree::Tree;
use super::{DecodeError, Decoded, ErrorCode, Naming, Warning};

/// About as many bytes of an answer are a point.
const BYTES: usize = 256;

/// Reads the answer of `statistics/current`, and adds its points to `out`.
///
/// A statistic's measurement is its key, its tags are `cluster`, and of a node's `devid` and `node` (the logical number, or
/// the `devid` where it is absent); a `devid` of 0, or none, is the cluster's. Where it is asked for, `degraded` says
/// whether the code was [`ErrorCode::Degraded`]. The time is the statistic's own, and the answer's where it has none that
/// can be (0 is none). Members may be in any order and unknown ones there; of two with one name the last counts.
///
/// A value may have any shape. All its numbers become floats:
///
/// - A number is the field `value`.
/// - A list is a point for each element; a number in it is a field named as the list is (`value` where it has no name).
/// - A map is a point: its numbers are fields, its texts tags (an empty one says nothing). A list in it is a point for
///   each element instead, each with the map's own fields and tags; the element's own count where both have one of a name.
/// - A map in a map is read as if its members were the outer map's own, however deep.
/// - Points whose `op_name` is `change_notify` or `read_directory_change` are dropped: these wait, and how long misleads.
///
/// What can be neither is left out, counted in [`Decoded::warnings`], and the rest goes on: null, a bool, a text where no
/// map names it, an empty list, a list in a list, a number beyond a float's range, a map without numbers, a text that
/// would replace one of the tags above, and what is beyond [`MAX_DEPTH`](super::MAX_DEPTH),
/// [`MAX_WIDTH`](super::MAX_WIDTH) and [`MAX_PARTS`](super::MAX_PARTS). A statistic with an error code is in
/// [`Decoded::absent`] or [`Decoded::skipped`].
///
/// The time it takes is linear in the answer's length.
///
/// ```
/// use tidemark_collect::Timestamp;
/// use tidemark_papi::decode::{Decoded, Naming, statistics};
///
/// let body = br#"{"stats": [
///     {"key": "cluster.protostats.nfs", "devid": 0, "time": 1700000000, "error_code": null, "value": [
///         {"op_name": "read", "op_rate": 12.5, "time_avg": 310},
///         {"op_name": "write", "op_rate": 3, "time_avg": 905.5}]},
///     {"key": "node.load.1min", "devid": 7, "node": 3, "time": 1700000000, "error_code": 6, "value": null}
/// ]}"#;
/// let naming = Naming { cluster: "cl17", include_degraded: false, now: Timestamp::EPOCH };
/// let mut out = Decoded::new();
/// statistics(body, &naming, &mut out)?;
/// let read = out.points.iter().next().unwrap();
/// assert_eq!(read.series_key(), "cluster.protostats.nfs,cluster=cl17,op_name=read");
/// assert_eq!(read.field("time_avg"), Some(&310.0.into()));
/// assert_eq!(out.points.len(), 2);
/// assert_eq!(out.skipped.len(), 1);
/// # Ok::<(), tidemark_papi::decode::DecodeError>(())
/// ```
///
/// # Errors
/// Where it is no such answer, or the cluster refuses. What was read before the mistake is in `out`.
pub fn statistics(body: &[u8], naming: &Naming<'_>, out: &mut Decoded) -> Result<(), DecodeError> {
    let text = checked_text(body, out);
    let mut items = Statistics {
        naming,
        owners: Owners::default(),
        tree: Tree::default(),
        room: Room::default(),
    };
    out.made.reserve(text.len() / BYTES);
    let outcome = read(&text, &mut items, out);
    out.complete();
    outcome
}

struct Statistics<'a, 'n> {
    naming: &'n Naming<'n>,
    owners: Owners,
    /// The value of the statistic that is read.
    tree: Tree<'a>,
    room: Room,
}

/// What a statistic has beside its value.
#[derive(Default)]
struct Head<'a> {
    key: Cow<'a, str>,
    devid: Whole,
    node: Whole,
    time: Option<Timestamp>,
    code: Whole,
    error: Cow<'a, str>,
}

impl<'a> Items<'a> for Statistics<'a, '_> {
    const MEMBER: &'static str = "stats";
    const FORM: &'static str = "an object with `stats`";

    fn item(&mut self, reader: &mut Reader<'a>, out: &mut Decoded) -> Read<()> {
        let mut head = Head::default();
        self.tree.clear();
        let mut more = reader.open(Kind::Map)?;
        while more {
            match reader.name()?.as_bytes() {
                b"key" => head.key = text_next(reader)?,
                b"devid" => head.devid = Whole::read(reader)?,
                b"node" => head.node = Whole::read(reader)?,
                b"time" => head.time = number::time(reader)?,
                b"error_code" => head.code = Whole::read(reader)?,
                b"error" => head.error = text_next(reader)?,
                b"value" => {
                    self.tree.clear();
                    self.tree.read(reader)?;
                }
                _ => reader.skip()?,
            }
            more = reader.more(Kind::Map)?;
        }
        self.add(&head, out);
        Ok(())
    }
}

impl Statistics<'_, '_> {
    fn add(&mut self, head: &Head<'_>, out: &mut Decoded) {
        let key = &*head.key;
        if key.is_empty() {
            return out.warnings.add(Warning::NoKey, Self::MEMBER);
        }
        let code = match head.code {
            Whole::Absent => None,
            Whole::Is(code) => ErrorCode::new(code),
            Whole::Odd => return out.warnings.add(Warning::BadErrorCode, key),
        };
        match code {
            None | Some(ErrorCode::Degraded) => {}
            Some(code) => return out.error(key, code, &head.error),
        }
        let devid = match head.devid {
            Whole::Absent => 0,
            Whole::Is(devid) => devid,
            Whole::Odd => return out.warnings.add(Warning::BadNode, key),
        };
        let node = match head.node {
            Whole::Absent => devid,
            Whole::Is(node) => node,
            Whole::Odd => return out.warnings.add(Warning::BadNode, key),
        };
        let time = head.time.unwrap_or_else(|| {
            out.warnings.add(Warning::NoTime, key);
            self.naming.now
        });
        let owner = Owner {
            devid,
            node,
            degraded: code.is_some(),
        };
        let owner = self.owners.tags(owner, self.naming);
        points(Statistic { key, owner, time }, &self.tree, &mut self.room, out);
    }
}
