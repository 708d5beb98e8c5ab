//! Why a point is refused.

use std::fmt;

use crate::MAX_KEY_BYTES;

/// Why a point could not be made.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PointError {
    /// The measurement is empty.
    EmptyMeasurement,
    /// The measurement begins with `#`, which line protocol reads as a comment.
    Comment {
        /// The measurement.
        measurement: String,
    },
    /// A field has an empty name.
    EmptyFieldKey {
        /// The point's measurement.
        measurement: String,
    },
    /// No field is left: none was given, or all were left out (NaN, infinite, or named `time`).
    NoFields {
        /// The point's measurement.
        measurement: String,
    },
    /// The builder was given no time.
    NoTime {
        /// The point's measurement.
        measurement: String,
    },
    /// Measurement, tags and a field's key together are longer than [`MAX_KEY_BYTES`].
    KeyTooLong {
        /// The point's measurement, at most its first 64 characters.
        measurement: String,
        /// How long they are in line protocol.
        bytes: usize,
    },
}

impl fmt::Display for PointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PointError::EmptyMeasurement => f.write_str("a point has no measurement: give it a name"),
            PointError::Comment { measurement } => write!(
                f,
                "a point of measurement {measurement:?} would be read as a comment: \
                 give it a name that does not begin with #"
            ),
            PointError::EmptyFieldKey { measurement } => {
                write!(f, "a point of {measurement:?} has a field without a name")
            }
            PointError::NoFields { measurement } => {
                write!(f, "a point of {measurement:?} has no field that can be stored")
            }
            PointError::NoTime { measurement } => write!(f, "a point of {measurement:?} has no time"),
            PointError::KeyTooLong { measurement, bytes } => write!(
                f,
                "the names and tags of a point of {measurement:?} are {bytes} bytes long: \
                 at most {MAX_KEY_BYTES} can be stored"
            ),
        }
    }
}

impl std::error::Error for PointError {}
