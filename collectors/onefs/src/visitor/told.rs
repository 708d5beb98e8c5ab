//! What is said of a cluster: names in a list, and things once in a while.

use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::listed;

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
