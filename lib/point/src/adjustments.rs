//! What was changed to make points valid.

use std::fmt;

/// What was changed or left out to make points valid, counted.
///
/// A run reports it as one notice: nothing is changed in silence.
///
/// ```
/// use tidemark_point::{Adjustments, Point, Timestamp};
///
/// let mut adjustments = Adjustments::default();
/// let point = Point::builder("disk")
///     .tag("path", "C:\\")
///     .field("used", 1.5)
///     .field("ratio", f64::NAN)
///     .time(Timestamp::EPOCH)
///     .build(&mut adjustments)?;
/// assert_eq!(point.tag("path"), Some("C:/"));
/// assert_eq!(adjustments.to_string(), "1 field that is not a number left out, 1 text changed");
/// # Ok::<(), tidemark_point::PointError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Adjustments {
    /// Fields left out because they are NaN or infinite.
    pub non_finite: u64,
    /// Tags left out because their key or value is empty.
    pub empty_tags: u64,
    /// Names, tag values and strings in which a character was replaced.
    pub replaced: u64,
    /// Strings cut at [`MAX_STRING_BYTES`](crate::MAX_STRING_BYTES).
    pub cut_strings: u64,
    /// Tags and fields that a later one of the same name replaced in one point.
    pub repeated: u64,
    /// Tags named `time`, which are not written, and fields named so, which InfluxDB 1 does not store.
    pub time_keys: u64,
    /// Points refused, see [`PointError`](crate::PointError).
    pub refused: u64,
    /// Points merged into another of the same series and time.
    pub merged: u64,
    /// Field values replaced by those of a point that was merged.
    pub overwritten: u64,
}

impl Adjustments {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        *self == Adjustments::default()
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Adjustments) {
        self.non_finite += other.non_finite;
        self.empty_tags += other.empty_tags;
        self.replaced += other.replaced;
        self.cut_strings += other.cut_strings;
        self.repeated += other.repeated;
        self.time_keys += other.time_keys;
        self.refused += other.refused;
        self.merged += other.merged;
        self.overwritten += other.overwritten;
    }
}

impl fmt::Display for Adjustments {
    /// One line for a notice; empty where nothing was changed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.refused, "point refused", "points refused"),
            (
                self.non_finite,
                "field that is not a number left out",
                "fields that are not numbers left out",
            ),
            (self.empty_tags, "empty tag left out", "empty tags left out"),
            (self.replaced, "text changed", "texts changed"),
            (self.cut_strings, "string cut", "strings cut"),
            (self.repeated, "repeated name", "repeated names"),
            (self.time_keys, "key named time", "keys named time"),
            (self.merged, "point merged", "points merged"),
            (
                self.overwritten,
                "field value overwritten",
                "field values overwritten",
            ),
        ];
        let mut separator = "";
        for (count, one, many) in parts {
            if count > 0 {
                write!(f, "{separator}{count} {}", if count == 1 { one } else { many })?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_each_count() {
        let mut sum = Adjustments::default();
        assert!(sum.is_empty());
        assert_eq!(sum.to_string(), "");
        let one = Adjustments {
            non_finite: 1,
            merged: 2,
            ..Adjustments::default()
        };
        sum.merge(&one);
        sum.merge(&one);
        assert!(!sum.is_empty());
        assert_eq!(
            sum.to_string(),
            "2 fields that are not numbers left out, 4 points merged"
        );
    }

    #[test]
    fn merge_adds_every_count() {
        let ones = Adjustments {
            non_finite: 1,
            empty_tags: 1,
            replaced: 1,
            cut_strings: 1,
            repeated: 1,
            time_keys: 1,
            refused: 1,
            merged: 1,
            overwritten: 1,
        };
        let mut sum = Adjustments::default();
        sum.merge(&ones);
        assert_eq!(sum, ones);
        assert_eq!(sum.to_string().split(", ").count(), 9);
    }
}
