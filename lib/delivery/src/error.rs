//! What can go wrong with the outbox itself. What a sink answers is no error: it is a [`Report`](crate::Report).

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why the outbox could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The outbox was made by a newer version of tidemark. It is left as it is.
    Newer {
        /// The outbox.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The disk is full, or what the settings leave of it.
    Full {
        /// The outbox.
        path: PathBuf,
        /// What SQLite says, where it was asked.
        source: Option<sqlx::Error>,
    },
    /// The folder or the file cannot be written.
    ReadOnly {
        /// The outbox.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// Other processes kept it busy for too long.
    Busy {
        /// The outbox.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// The file is damaged.
    Damaged {
        /// The outbox.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What SQLite says, where it found it.
        source: Option<sqlx::Error>,
    },
    /// Any other failure of SQLite.
    Sqlite {
        /// The outbox.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// A file of the state folder cannot be used.
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The points could be neither kept in the outbox nor delivered to every sink.
    Lost {
        /// How many points.
        points: u64,
        /// What each sink that failed said.
        said: String,
    },
    /// Nothing is known of this sink, or of this batch.
    Unknown {
        /// What was asked for.
        what: String,
    },
}

impl DeliveryError {
    /// Sorts what SQLite says of the outbox at `path`.
    pub(crate) fn sqlite(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_path_buf();
        let code = match &source {
            sqlx::Error::Database(error) => error.code().and_then(|code| code.parse::<i32>().ok()),
            _ => None,
        };
        // The primary result code is the low byte of the extended one: https://www.sqlite.org/rescode.html
        match code.map(|code| (code & 0xff, code)) {
            Some((11 | 26, _)) => Self::Damaged {
                path,
                what: "SQLite cannot read it".into(),
                source: Some(source),
            },
            // A page beyond the end of the file: it is cut short.
            Some((_, 522)) => Self::Damaged {
                path,
                what: "it is cut short".into(),
                source: Some(source),
            },
            Some((13, _)) => Self::Full {
                path,
                source: Some(source),
            },
            // A write, a shared-memory file or a sync that fails is a full or failing disk.
            Some((10, 778 | 1034 | 1290 | 1546 | 4618 | 4874 | 5386)) => Self::Full {
                path,
                source: Some(source),
            },
            Some((8 | 14 | 3 | 23, _)) => Self::ReadOnly { path, source },
            Some((5 | 6, _)) => Self::Busy { path, source },
            _ => Self::Sqlite { path, source },
        }
    }

    /// Whether the file must be set aside.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer { path, version, known } => write!(
                f,
                "the outbox {} has version {version}, newer than {known}: update tidemark; it is left untouched",
                path.display()
            ),
            Self::Full { path, .. } => {
                write!(
                    f,
                    "no room for the outbox {}: free space on its disk",
                    path.display()
                )
            }
            Self::ReadOnly { path, .. } => {
                write!(
                    f,
                    "the outbox {} cannot be written: check the folder's owner and mount",
                    path.display()
                )
            }
            Self::Busy { path, .. } => {
                write!(f, "the outbox {} is kept busy by other processes", path.display())
            }
            Self::Damaged { path, what, .. } => write!(f, "the outbox {} is damaged: {what}", path.display()),
            Self::Sqlite { path, .. } => write!(f, "the outbox {} failed", path.display()),
            Self::File { path, .. } => write!(f, "{} cannot be used", path.display()),
            Self::Lost { points, said } => {
                let what = if *points == 1 { "point" } else { "points" };
                write!(f, "{points} {what} could be neither kept nor delivered: {said}")
            }
            Self::Unknown { what } => write!(
                f,
                "the outbox knows nothing of {what}: see `tidemark outbox list`"
            ),
        }
    }
}

impl Error for DeliveryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::ReadOnly { source, .. } | Self::Busy { source, .. } | Self::Sqlite { source, .. } => {
                Some(source)
            }
            Self::Full { source, .. } | Self::Damaged { source, .. } => {
                source.as_ref().map(|source| source as &(dyn Error + 'static))
            }
            Self::File { source, .. } => Some(source),
            Self::Newer { .. } | Self::Lost { .. } | Self::Unknown { .. } => None,
        }
    }
}
