use std::fmt;

/// The most characters of a text that [`shown`] shows.
const SHOWN: usize = 60;

/// What is left out of a source: how much, and what is wrong with the first, for people. However much it is, it is one
/// gap.
///
/// ```
/// use tidemark_ubuntu::{LeftOut, shown};
///
/// let mut left_out = LeftOut::default();
/// for line in ["a", "b", "c"] {
///     left_out.add(|| format!("{} is no number", shown(line)));
/// }
/// assert_eq!(left_out.to_string(), "\"a\" is no number; 2 more are left out");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LeftOut {
    first: String,
    count: usize,
}

impl LeftOut {
    /// One more; what is wrong with it is only said of the first.
    pub fn add(&mut self, what: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = what();
        }
        self.count += 1;
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        match self.count {
            0 | 1 => Ok(()),
            2 => f.write_str("; 1 more is left out"),
            count => write!(f, "; {} more are left out", count - 1),
        }
    }
}

/// A text of a source as people are shown it: quoted, and cut where it is long.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
