use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_point::PointError;

use crate::http::HttpError;

/// Why a collector could not collect. The text of each names the file or address; the cause is its `source()`.
#[derive(Debug)]
#[non_exhaustive]
pub enum CollectorError {
    /// A request failed, or its answer is not what was due.
    Http(HttpError),
    /// A file or folder of the host could not be read.
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the host is longer than the bound on what is read.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound in bytes.
        limit: u64,
    },
    /// A file of the host is not UTF-8.
    NotText {
        /// The file.
        path: PathBuf,
        /// Offset in bytes of the first byte that is not.
        at: usize,
    },
    /// A source's answer has another form than the collector expects.
    Parse {
        /// The file, the address or the part of it.
        origin: String,
        /// What is wrong.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A point could not be made.
    Point(PointError),
    /// The deadline passed before the run ended.
    Deadline {
        /// The time that the run had.
        after: Duration,
    },
    /// The program was told to end before the run did.
    Stopped,
    /// Nobody takes batches any more.
    Closed,
    /// Anything else, in the collector's own words.
    Other {
        /// What failed, where, and what to do.
        message: String,
        /// The cause, where there is one.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl CollectorError {
    /// What came from `origin` has another form than expected: `source` says what is wrong, in words or as an error.
    pub fn parse(origin: impl Display, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Parse {
            origin: origin.to_string(),
            source: source.into(),
        }
    }

    /// Reading `path` failed.
    pub fn read(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Read {
            path: path.as_ref().to_owned(),
            source,
        }
    }

    /// A failure in the collector's own words: what failed, where, and what to do.
    pub fn other(message: impl Display) -> Self {
        Self::Other {
            message: message.to_string(),
            source: None,
        }
    }

    /// The same with a cause.
    pub fn caused(message: impl Display, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other {
            message: message.to_string(),
            source: Some(source.into()),
        }
    }

    /// Whether what was to be read is not there: a file that does not exist, or an answer of 404 or 410.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Http(error) => error.status().is_some_and(|status| matches!(status, 404 | 410)),
            _ => false,
        }
    }
}

impl Display for CollectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The same error one level down: its text is this one's, its cause is this one's.
            Self::Http(error) => error.fmt(f),
            Self::Point(error) => error.fmt(f),
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::TooLarge { path, limit } => {
                write!(
                    f,
                    "{} is longer than {limit} bytes, the most that is read of one file",
                    path.display()
                )
            }
            Self::NotText { path, at } => {
                write!(
                    f,
                    "{} is not UTF-8 text: the byte at offset {at} cannot be",
                    path.display()
                )
            }
            Self::Parse { origin, .. } => write!(f, "{origin} does not have the form that was expected"),
            Self::Deadline { after } => write!(
                f,
                "the run was not done within its deadline of {} s: see what is slow, or raise `deadline`",
                after.as_secs_f64()
            ),
            Self::Stopped => f.write_str("stopped before the run was done"),
            Self::Closed => f.write_str("nobody takes batches any more"),
            Self::Other { message, .. } => f.write_str(message),
        }
    }
}

impl Error for CollectorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Http(error) => error.source(),
            Self::Point(error) => error.source(),
            Self::Read { source, .. } => Some(source),
            Self::Parse { source, .. } => Some(&**source),
            Self::Other { source, .. } => source.as_deref().map(|source| source as &(dyn Error + 'static)),
            Self::TooLarge { .. }
            | Self::NotText { .. }
            | Self::Deadline { .. }
            | Self::Stopped
            | Self::Closed => None,
        }
    }
}

impl From<HttpError> for CollectorError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<PointError> for CollectorError {
    fn from(error: PointError) -> Self {
        Self::Point(error)
    }
}

/// The error and its causes on one line: `cannot read /proc/x: No such file or directory (os error 2)`.
///
/// A cause whose words the text so far already ends with (some libraries print their cause themselves) is not
/// repeated. Each is as [`one_line`] has it.
pub fn chain(error: &dyn Error) -> String {
    let mut line = one_line(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = one_line(error);
        if !text.is_empty() && !line.ends_with(&text) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

/// The text on one line: where there are control characters, newlines too, each run of them and of spaces is one space. What
/// others wrote must neither break a line nor move a terminal's cursor.
pub fn one_line(text: impl Display) -> String {
    let mut line = String::new();
    // Writing to a String does not fail; a Display that does leaves what it wrote.
    let _ = write!(line, "{text}");
    if line.contains(char::is_control) {
        let words = line.replace(char::is_control, " ");
        line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn a_chain_is_one_line_and_says_each_thing_once() {
        let error = Layer(
            "cannot ask: refused",
            Some(Box::new(Layer(
                "refused",
                Some(Box::new(Layer("why\nnot", None))),
            ))),
        );
        assert_eq!(chain(&error), "cannot ask: refused: why not");
    }

    #[test]
    fn only_a_text_with_control_characters_is_changed() {
        assert_eq!(one_line("  two  spaces "), "  two  spaces ");
        assert_eq!(one_line("a\r\n  b\u{1b}[2J  c\u{9b}\n"), "a b [2J c");
        assert_eq!(one_line("\n"), "");
    }

    #[test]
    fn an_error_without_a_cause_is_its_text() {
        assert_eq!(chain(&CollectorError::other("no such queue")), "no such queue");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_the_reason() {
        let error = CollectorError::read("/proc/x", io::Error::from_raw_os_error(2));
        assert!(error.is_not_found());
        assert_eq!(
            chain(&error),
            "cannot read /proc/x: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn parse_takes_words_or_an_error() {
        let error = CollectorError::parse("/proc/stat", "no line `cpu`");
        assert_eq!(
            chain(&error),
            "/proc/stat does not have the form that was expected: no line `cpu`"
        );
    }
}
