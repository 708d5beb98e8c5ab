use std::fmt;

/// The most remarks that are kept in words; of more, the number is.
pub const MAX_REMARKS: usize = 5;
/// The most characters of a text that [`shown`] shows.
const SHOWN: usize = 60;

/// What there is to tell of a source, for people: the first remarks in words, the others in number.
///
/// Where each is worth a line, [`into_lines`](Self::into_lines) has them; as a text, they are one line with the first.
///
/// ```
/// use tidemark_ubuntu::{Remarks, shown};
///
/// let mut remarks = Remarks::default();
/// for line in ["a", "b", "c"] {
///     remarks.add(|| format!("{} is no number", shown(line)));
/// }
/// assert_eq!(remarks.to_string(), "\"a\" is no number, and 2 more");
/// assert_eq!(remarks.into_lines().nth(2).unwrap(), "\"c\" is no number");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Remarks {
    lines: Vec<String>,
    more: usize,
}

impl Remarks {
    /// One more; it is put into words only where it is kept.
    pub fn add(&mut self, remark: impl FnOnce() -> String) {
        if self.lines.len() < MAX_REMARKS {
            self.lines.push(remark());
        } else {
            self.more += 1;
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many there are, those that are not kept too.
    pub fn count(&self) -> usize {
        self.lines.len() + self.more
    }

    /// A line each, at most [`MAX_REMARKS`]; after them, where there are more, a line with their number.
    pub fn into_lines(self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.lines.into_iter().chain(more)
    }
}

/// The first, and the number of the others.
impl fmt::Display for Remarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.lines.first() {
            f.write_str(first)?;
        }
        match self.count() {
            0 | 1 => Ok(()),
            count => write!(f, ", and {} more", count - 1),
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
