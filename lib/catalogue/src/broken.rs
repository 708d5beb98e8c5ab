use std::error::Error;
use std::fmt;

use tidemark_collect::one_line;

/// The longest reason, in characters. What a program or a file says of itself may be of any length.
const LONGEST: usize = 500;

/// Why a program is no collector that could be used: one line, for a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Broken(String);

impl Broken {
    pub(crate) fn new(why: &str) -> Broken {
        Broken(short_line(why))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Broken {}

/// The text on one line, cut where it is long.
pub(crate) fn short_line(text: &str) -> String {
    let mut line = one_line(text);
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}
