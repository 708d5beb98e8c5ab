use std::fmt;

use serde::de::Unexpected;

use crate::shown;

/// What a value of JSON is, for people who know JSON: `null`, `a list`, `the text "7"`, `-1`, `2.0`.
///
/// ```
/// use serde::de::Unexpected;
/// use tidemark_ubuntu::Found;
///
/// assert_eq!(Found(&Unexpected::Str("7")).to_string(), "the text \"7\"");
/// assert_eq!(Found(&Unexpected::Seq).to_string(), "a list");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Found<'a>(pub &'a Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Unit => f.write_str("null"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("an object"),
            Unexpected::Str(text) => write!(f, "the text {}", shown(text)),
            Unexpected::Unsigned(number) => number.fmt(f),
            Unexpected::Signed(number) => number.fmt(f),
            // 2.0 is not shown as 2, which would be a count, nor 1e300 with all its zeros.
            Unexpected::Float(number) => write!(f, "{number:?}"),
            Unexpected::Bool(value) => value.fmt(f),
            other => other.fmt(f),
        }
    }
}
