use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use tidemark_settings::Span;

/// The most of a wrong value that a message shows, in characters.
const SHOWN: usize = 80;

/// Why no units can be written. None of what was wrong has got into one.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnitError {
    /// The name is none that a collector can have.
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A path cannot stand in a unit.
    Path {
        /// What it is the path of.
        of: &'static str,
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A name cannot stand in a unit.
    Word {
        /// What it is the name of.
        of: &'static str,
        /// The name.
        word: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A time span is none that systemd could wait for.
    Span {
        /// What it is.
        of: &'static str,
        /// The span.
        span: Span,
    },
    /// More of something than a unit takes.
    TooMany {
        /// Of what.
        of: &'static str,
        /// The most.
        most: usize,
    },
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnitError::Name { name, fault } => {
                write!(
                    f,
                    "no unit can be made for the collector {}: its name {fault}",
                    shown(name)
                )
            }
            UnitError::Path { of, path, fault } => {
                let path = path.to_string_lossy();
                write!(
                    f,
                    "the path of {of}, {}, cannot stand in a unit: it {fault}",
                    shown(&path)
                )
            }
            UnitError::Word { of, word, fault } => {
                write!(
                    f,
                    "the name of {of}, {}, cannot stand in a unit: it {fault}",
                    shown(word)
                )
            }
            UnitError::Span { of, span } => {
                write!(f, "{of} is {span}: write a time span above zero, such as 5m")
            }
            UnitError::TooMany { of, most } => {
                write!(f, "more than {most} {of}: a unit takes no more")
            }
        }
    }
}

impl Error for UnitError {}

/// A value in quotes, on one line and not longer than a message should be.
fn shown(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    format!("{text:?}")
}
