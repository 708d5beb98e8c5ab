//! Tags that many points have.

use std::ops::Range;

use crate::PointBuilder;
use crate::name::is_plain;
use crate::point::TIME_KEY;
use crate::series::push_tag;

/// Tags that are looked at once, for many points that have them: see [`PointBuilder::tags`].
///
/// ```
/// use tidemark_point::{Adjustments, Point, Tags, Timestamp};
///
/// let node = Tags::new([("cluster", "cl17"), ("node", "3")]);
/// for measurement in ["node.load", "node.open.files"] {
///     let point = Point::builder(measurement).tags(&node).field("value", 7.0).time(Timestamp::EPOCH);
///     let point = point.build(&mut Adjustments::default())?;
///     assert_eq!(point.series_key(), format!("{measurement},cluster=cl17,node=3"));
/// }
/// # Ok::<(), tidemark_point::PointError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tags {
    given: Vec<(Box<str>, Box<str>)>,
    plain: Option<Plain>,
}

/// Tags that need no rule: of plain characters, sorted, each key once.
#[derive(Clone, Debug)]
struct Plain {
    /// `,key=value…`
    text: String,
    /// Where the key of the last one is in it.
    last_key: Range<usize>,
}

impl Tags {
    /// These tags.
    pub fn new<'t>(tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Tags {
        let boxed = |(key, value): (&str, &str)| (key.into(), value.into());
        let given: Vec<(Box<str>, Box<str>)> = tags.into_iter().map(boxed).collect();
        let is_plain = |text: &str| !text.is_empty() && is_plain(text);
        let needs_no_rule = given.is_sorted_by(|left, right| left.0 < right.0)
            && given
                .iter()
                .all(|(key, value)| is_plain(key) && is_plain(value) && **key != *TIME_KEY);
        let plain = given.last().filter(|_| needs_no_rule).map(|(key, value)| {
            let mut text = String::new();
            for (key, value) in &given {
                push_tag(&mut text, key, value);
            }
            let start = text.len() - key.len() - "=".len() - value.len();
            Plain {
                last_key: start..start + key.len(),
                text,
            }
        });
        Tags { given, plain }
    }
}

impl PointBuilder {
    /// Sets tags. It costs the least before any other tag or field.
    pub fn tags(mut self, tags: &Tags) -> Self {
        match &tags.plain {
            Some(plain) if self.has_name_alone() => self.push_sorted(&plain.text, &plain.last_key),
            _ => tags
                .given
                .iter()
                .for_each(|(key, value)| self.set_tag(key, value)),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Adjustments, Point, PointError, Timestamp};

    fn build(builder: PointBuilder) -> (Result<Point, PointError>, Adjustments) {
        let mut adjustments = Adjustments::default();
        let built = builder.time(Timestamp::EPOCH).build(&mut adjustments);
        (built, adjustments)
    }

    fn names() -> impl Strategy<Value = Vec<(String, String)>> {
        prop::collection::vec(
            ("[a-d]|time|[ab,= \"é]{0,3}", "[a-z0-9]{1,3}|[a,= \"]{0,2}"),
            0..5,
        )
    }

    proptest! {
        /// Tags that were looked at before make the same point as each of them alone, whatever stands around them.
        #[test]
        fn a_point_is_the_same_as_with_each_tag_alone(
            before in names(), shared in names(), field_first in any::<bool>(), after in names(),
            measurement in "m|[m,# ]{0,3}",
        ) {
            let start = || {
                let mut builder = Point::builder(&measurement);
                for (key, value) in &before {
                    builder = builder.tag(key, value);
                }
                if field_first { builder.field("first", 1.0) } else { builder }
            };
            let end = |mut builder: PointBuilder| {
                for (key, value) in &after {
                    builder = builder.tag(key, value);
                }
                build(builder.field("last", 2.5))
            };
            let pairs = || shared.iter().map(|(key, value)| (key.as_str(), value.as_str()));
            let alone = pairs().fold(start(), |builder, (key, value)| builder.tag(key, value));
            prop_assert_eq!(end(start().tags(&Tags::new(pairs()))), end(alone));
        }
    }
}
