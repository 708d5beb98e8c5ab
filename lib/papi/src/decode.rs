//! The API's answers, read: statistics and summaries to points, the short ones to structs.
//!
//! They are read as they come, by a reader that keeps nothing of an answer but the value that it is at. What is odd in an
//! answer costs no more than itself: it is left out and counted in [`Warnings`], and the rest goes on. Only what is no JSON
//! of the right form, or a refusal, is a [`DecodeError`]; what was read before that place is there all the same.
//!
//! JSON is taken with some grace: a number that no float holds, `NaN`, a lone surrogate, a control character in a text,
//! bytes that are no UTF-8, and a byte order mark cost no answer.

mod answer;
mod bodies;
mod document;
mod error;
mod error_code;
mod number;
mod owner;
mod reader;
mod shape;
mod statistics;
mod summary;
mod tree;
mod warning;

pub use answer::{Absent, Decoded, Naming, Skipped};
pub use bodies::{Config, KeyInfo, Session, config, key_info, session};
pub use error::DecodeError;
pub use error_code::ErrorCode;
pub use statistics::statistics;
pub use summary::{client, drive, protocol};
pub use tree::MAX_DEPTH;
pub use warning::{Warning, Warnings};

/// The most fields and tags of one point, without the tags that say whose it is.
pub const MAX_WIDTH: usize = 512;
/// The most fields and tags of all points in one [`Decoded`]: ten times what 252 nodes have with all stock keys. Lists in maps
/// repeat the map's, so that a short answer could be many points.
pub const MAX_PARTS: usize = 4_000_000;
