//! What a part of a document is called, for people.

use std::borrow::Cow;
use std::fmt;

/// The most characters of a name that are shown: parameters are a name too.
const NAME_SHOWN: usize = 60;

/// Names on one line: `systemd / all-proposed_1;requester_… / noble / amd64`.
pub(crate) struct Way<'a>(pub(crate) &'a [Cow<'a, str>]);

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { " / " })?;
            Shown(name).fmt(f)?;
        }
        Ok(())
    }
}

/// A name, cut where it is long; `""` where it is empty.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(NAME_SHOWN) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None if self.0.is_empty() => f.write_str("\"\""),
            None => f.write_str(self.0),
        }
    }
}
