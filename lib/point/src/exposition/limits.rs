//! The bounds of what is read: beyond them a page is refused, never taken in part.

/// The longest line, in bytes.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// The most labels of one sample, and of one exemplar.
pub const MAX_LABELS: usize = 1_000;
/// The most characters that the label names and values of an exemplar may have together: OpenMetrics' limit.
pub const MAX_EXEMPLAR_CHARACTERS: usize = 128;
/// The most families that a strict reader remembers.
pub const MAX_FAMILIES: usize = 200_000;
/// The most samples of one family that a strict reader remembers, some ten bytes each.
pub const MAX_METRICS: usize = 2_000_000;
/// The most label sets of one histogram or summary of 0.0.4, where they may be mixed: some 200 bytes each.
pub const MAX_MIXED_METRICS: usize = 250_000;
/// The most mistakes that are named at the end of one family.
pub(crate) const MAX_FAMILY_END_MISTAKES: usize = 1_000;
