//! Mistakes in settings, each with its place and what to write instead.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::files;

/// So many mistakes are printed; the rest is counted.
const MOST_PRINTED: usize = 100;

/// A settings file's path and text. The text may hold secrets: it has no printable form, and is wiped when dropped.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) text: Zeroizing<String>,
    /// Its turn among the files that were read.
    pub(crate) rank: usize,
}

/// The place of something in the settings: a point in a file, a whole file, or an environment variable.
#[derive(Clone)]
pub struct Position(Origin);

#[derive(Clone)]
enum Origin {
    Text(Arc<SourceFile>, usize),
    Path(Arc<Path>, usize),
    Variable(&'static str),
    /// A default in the program itself.
    Default,
}

impl Position {
    pub(crate) fn in_text(file: &Arc<SourceFile>, offset: usize) -> Position {
        Position(Origin::Text(Arc::clone(file), offset))
    }

    pub(crate) fn of_path(path: &Path, rank: usize) -> Position {
        Position(Origin::Path(Arc::from(path), rank))
    }

    pub(crate) fn of_variable(name: &'static str) -> Position {
        Position(Origin::Variable(name))
    }

    pub(crate) fn of_default() -> Position {
        Position(Origin::Default)
    }

    /// What mistakes are sorted by: the files in their order, then the offset; then the variables by name.
    fn order(&self) -> (usize, usize, &'static str) {
        match &self.0 {
            Origin::Text(file, offset) => (file.rank, offset + 1, ""),
            Origin::Path(_, rank) => (*rank, 0, ""),
            Origin::Variable(name) => (usize::MAX - 1, 0, name),
            Origin::Default => (usize::MAX, 0, ""),
        }
    }

    /// The file, where every user of the host may read it.
    pub(crate) fn readable_by_others(&self) -> Option<&Path> {
        match &self.0 {
            Origin::Text(file, _) => {
                Some(file.path.as_path()).filter(|path| files::is_readable_by_others(path))
            }
            _ => None,
        }
    }

    /// Line and column, from 1, the column in characters; none for a whole file or a variable.
    #[must_use]
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        let Origin::Text(file, offset) = &self.0 else {
            return None;
        };
        let bytes = file.text.as_bytes();
        let before = bytes.get(..*offset).unwrap_or(bytes);
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        // A character begins at each byte that does not continue one.
        let column = before
            .iter()
            .skip(line_start)
            .filter(|byte| **byte & 0xc0 != 0x80)
            .count()
            + 1;
        Some((line, column))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Origin::Text(file, _) => {
                write!(f, "{}", file.path.display())?;
                match self.line_and_column() {
                    Some((line, column)) => write!(f, ":{line}:{column}"),
                    None => Ok(()),
                }
            }
            Origin::Path(path, _) => write!(f, "{}", path.display()),
            Origin::Variable(name) => write!(f, "${name}"),
            Origin::Default => f.write_str("the program's own defaults"),
        }
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({self})")
    }
}

/// One mistake: where, what is wrong, and what to write instead. It never quotes what may be a secret.
#[derive(Clone, Debug)]
pub struct Mistake {
    at: Position,
    what: String,
    /// Another place that `what` ends with.
    beside: Option<Position>,
    advice: String,
    /// Whether `what` says all: it is a mistake of a table that names itself.
    is_whole: bool,
}

impl Mistake {
    /// A mistake: where, what is wrong, and as a clause of its own what to write instead. Neither may hold the text of what
    /// may be a secret.
    pub fn new(at: Position, what: impl Into<String>, advice: impl Into<String>) -> Mistake {
        Mistake {
            at,
            what: what.into(),
            beside: None,
            advice: advice.into(),
            is_whole: false,
        }
    }

    /// Ends what is wrong with another place. It is worked out when it is printed: the line of a place costs a look
    /// through its file.
    #[must_use]
    pub fn beside(mut self, place: Position) -> Mistake {
        self.beside = Some(place);
        self
    }

    /// The same mistake, seen from what holds the value: `what` is put before its text.
    pub(crate) fn within(mut self, what: &str) -> Mistake {
        if !self.is_whole {
            self.what = format!("{what} {}", self.what);
        }
        self
    }

    /// The same mistake, which says all that is to be said of its place, whatever holds it.
    pub(crate) fn whole(mut self) -> Mistake {
        self.is_whole = true;
        self
    }

    /// Where it is.
    pub fn at(&self) -> &Position {
        &self.at
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)?;
        if let Some(place) = &self.beside {
            write!(f, " {place}")?;
        }
        write!(f, "; {}", self.advice)
    }
}

/// Every mistake that was found, in the order of files and lines; at least one.
///
/// Printed, each is a line `FILE:LINE:COLUMN: what is wrong; write this instead`, at most a hundred of them.
#[derive(Clone, Debug)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Puts mistakes in order; `Ok` where there are none.
    ///
    /// # Errors
    /// The mistakes.
    pub fn check(mut mistakes: Vec<Mistake>) -> Result<(), Mistakes> {
        if mistakes.is_empty() {
            return Ok(());
        }
        mistakes.sort_by(|a, b| a.at.order().cmp(&b.at.order()));
        Err(Mistakes(mistakes))
    }

    /// The mistakes in order.
    #[must_use]
    pub fn into_list(self) -> Vec<Mistake> {
        self.0
    }

    /// The mistakes in order.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Mistakes {
        Mistakes(vec![mistake])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().take(MOST_PRINTED).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        match self.0.len().checked_sub(MOST_PRINTED) {
            None | Some(0) => Ok(()),
            Some(rest) => write!(f, "\nand {rest} more mistakes"),
        }
    }
}

impl Error for Mistakes {}
