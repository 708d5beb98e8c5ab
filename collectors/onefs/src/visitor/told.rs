//! What is said of a cluster: names in a list, and things once in a while.

use std::time::Duration;

use tidemark_collect::Adjustments;
use tokio::time::Instant;

/// How often what goes on is said again.
const AGAIN: Duration = Duration::from_hours(1);
/// The most names in a list.
const MOST_NAMES: usize = 10;

/// What was said last, and when.
#[derive(Debug, Default)]
pub(super) struct Told {
    clock: Option<Instant>,
}

impl Told {
    /// Whether it is time to say that the clocks differ.
    pub(super) fn clock(&mut self, now: Instant) -> bool {
        let due = self.clock.is_none_or(|at| now >= at + AGAIN);
        if due {
            self.clock = Some(now);
        }
        due
    }
}

/// `1 key (a)`, `12 keys (a, b, … and 2 more)`.
pub(super) fn listed<N: AsRef<str>>(names: &[N]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST_NAMES).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    let more = match names.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let keys = if names.len() == 1 { "key" } else { "keys" };
    format!("{} {keys} ({shown}{more})", names.len())
}

/// A cluster's name as its points carry it, so that none of them has to be changed: control characters are spaces, and a
/// backslash at its end is a slash.
pub(super) fn as_points_carry(name: &str) -> String {
    let mut name = name.replace(char::is_control, " ");
    if name.ends_with('\\') {
        name.pop();
        name.push('/');
    }
    name
}

/// What was changed, without how often: that is another number at each visit, and what goes on is to be told once.
pub(super) fn without_counts(adjustments: Adjustments) -> String {
    const MANY: &str = "2 ";
    let mut kinds = adjustments;
    for count in [
        &mut kinds.non_finite,
        &mut kinds.empty_tags,
        &mut kinds.replaced,
        &mut kinds.cut_strings,
        &mut kinds.repeated,
        &mut kinds.time_keys,
        &mut kinds.refused,
        &mut kinds.merged,
        &mut kinds.overwritten,
    ] {
        *count = 2 * (*count).min(1);
    }
    let said = kinds.to_string();
    let said: Vec<&str> = said
        .split(", ")
        .map(|kind| kind.strip_prefix(MANY).unwrap_or(kind))
        .collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use tidemark_collect::{Point, Timestamp};

    use super::*;

    #[test]
    fn a_name_is_as_points_carry_it() {
        for (name, expected) in [
            ("Cl17", "Cl17"),
            ("a b, c=d \"e\"", "a b, c=d \"e\""),
            ("two\nlines\r\n", "two lines  "),
            ("a\u{1b}[31m", "a [31m"),
            ("domain\\", "domain/"),
            ("a\\b\\\\", "a\\b\\/"),
            ("\\", "/"),
            ("\\\n", "\\ "),
            ("é\u{85}", "é "),
        ] {
            let carried = as_points_carry(name);
            assert_eq!(carried, expected, "{name:?}");
            let mut adjustments = Adjustments::default();
            let point = Point::builder("ifs.bytes.used")
                .tag("cluster", &carried)
                .field("value", 1.5)
                .time(Timestamp::EPOCH)
                .build(&mut adjustments)
                .unwrap();
            assert_eq!(point.tag("cluster"), Some(&*carried));
            assert!(adjustments.is_empty(), "{name:?}: {adjustments}");
        }
    }

    #[test]
    fn what_was_changed_is_told_alike_however_often() {
        let told = |replaced, merged| {
            let mut adjustments = Adjustments::default();
            (adjustments.replaced, adjustments.merged) = (replaced, merged);
            without_counts(adjustments)
        };
        assert_eq!(told(1, 0), "texts changed");
        assert_eq!(told(22, 0), "texts changed");
        assert_eq!(told(12, 1), "texts changed, points merged");
    }

    #[test]
    fn a_list_is_bounded() {
        assert_eq!(listed(&["a"]), "1 key (a)");
        assert_eq!(listed(&["a", "b"]), "2 keys (a, b)");
        assert_eq!(
            listed(&["a"; 13]),
            "13 keys (a, a, a, a, a, a, a, a, a, a and 3 more)"
        );
    }
}
