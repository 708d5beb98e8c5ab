//! Sets of names and label sets, eight bytes each, however long they are.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A set of hashes, made with keys that nobody outside knows: no page can make two of them fall together.
pub(crate) type Hashes = HashSet<u64, BuildHasherDefault<Hashed>>;
/// A map by such hashes.
pub(crate) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

/// The room that an empty set may keep, however little was in it.
const SMALL: usize = 1024;

/// Empties a set in time that what was in it pays for.
pub(crate) fn empty(hashes: &mut Hashes) {
    if hashes.capacity() > SMALL + 4 * hashes.len() {
        *hashes = Hashes::default();
    }
    hashes.clear();
}

/// As [`empty`].
pub(crate) fn empty_map<T>(map: &mut ByHash<T>) {
    if map.capacity() > SMALL + 4 * map.len() {
        *map = ByHash::default();
    }
    map.clear();
}

/// Passes on what is a hash already.
#[derive(Clone, Default, Debug)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
