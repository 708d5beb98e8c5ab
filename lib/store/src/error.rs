//! What can go wrong with a store.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of the store, with the file that it is about; the cause is in `source()`.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be opened or made: it is missing, not permitted, or in a folder that is not there.
    Open {
        /// The store's file.
        path: PathBuf,
        /// What SQLite or the system says.
        source: sqlx::Error,
    },
    /// The file, or its folder, can only be read.
    ReadOnly {
        /// The store's file.
        path: PathBuf,
    },
    /// The store was opened by [`Store::open_read_only`](crate::Store::open_read_only).
    OpenedReadOnly {
        /// The store's file.
        path: PathBuf,
    },
    /// The disk is full. Nothing of the batch was stored.
    Full {
        /// The store's file.
        path: PathBuf,
    },
    /// Another process held the store for longer than the busy timeout. Nothing was changed.
    Busy {
        /// The store's file.
        path: PathBuf,
    },
    /// A newer tidemark wrote this file. It was not touched.
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The format that the file has.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// An SQLite file of something else. It was not touched.
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its `application_id`.
        application_id: i64,
    },
    /// The file is damaged: SQLite cannot read it, or a part does not match its checksum.
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// Which part, and what is wrong with it.
        what: String,
        /// What SQLite says, where SQLite found it.
        source: Option<sqlx::Error>,
    },
    /// A damaged file could not be moved out of the way.
    SetAside {
        /// The damaged file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line of the line protocol text is not valid. Nothing of the text was stored.
    Line(tidemark_point::line::LineError),
    /// Any other failure of SQLite.
    Sqlite {
        /// The store's file.
        path: PathBuf,
        /// What was being done, such as `write a batch`.
        action: &'static str,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// Packing values failed: zstd has no memory.
    Compress {
        /// The store's file.
        path: PathBuf,
        /// What zstd says.
        source: io::Error,
    },
}

/// SQLite's primary result codes that have a meaning of their own here (<https://sqlite.org/rescode.html>).
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
    /// `SQLITE_CORRUPT_FS`'s like among the I/O errors: a page that is not there (a file cut short).
    pub(super) const IOERR_SHORT_READ: i32 = 522;
}

impl StoreError {
    /// Sorts what SQLite said while `action` was done to the store at `path`.
    pub(crate) fn sqlite(path: &Path, action: &'static str, source: sqlx::Error) -> Self {
        let extended = source
            .as_database_error()
            .and_then(|error| error.code())
            .and_then(|code| code.parse::<i32>().ok())
            .unwrap_or(0);
        let path = path.to_path_buf();
        if extended == code::IOERR_SHORT_READ {
            return Self::Damaged {
                path,
                what: "the file is cut short".into(),
                source: Some(source),
            };
        }
        match extended & 0xff {
            code::BUSY | code::LOCKED => Self::Busy { path },
            code::READONLY => Self::ReadOnly { path },
            code::CORRUPT => Self::Damaged {
                path,
                what: "SQLite cannot read it".into(),
                source: Some(source),
            },
            code::NOTADB => Self::Damaged {
                path,
                what: "it is not an SQLite file".into(),
                source: Some(source),
            },
            code::FULL => Self::Full { path },
            code::CANTOPEN => Self::Open { path, source },
            _ => Self::Sqlite { path, action, source },
        }
    }

    /// Whether the file is damaged, so that a writer sets it aside and starts anew.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, .. } => {
                write!(
                    out,
                    "cannot open the store {}: check that its folder exists and is yours",
                    path.display()
                )
            }
            Self::ReadOnly { path } => {
                write!(
                    out,
                    "cannot write to the store {}: the file or its folder is read-only",
                    path.display()
                )
            }
            Self::OpenedReadOnly { path } => {
                write!(out, "the store {} was opened for reading alone", path.display())
            }
            Self::Full { path } => write!(
                out,
                "cannot write to the store {}: the disk is full; free some space or lower store.max_bytes",
                path.display()
            ),
            Self::Busy { path } => write!(
                out,
                "the store {} is in use: another process held it for too long; try again",
                path.display()
            ),
            Self::Newer { path, found, known } => write!(
                out,
                "the store {} has format {found}, this program knows formats up to {known}: update it, or move the file away",
                path.display()
            ),
            Self::Foreign { path, application_id } => write!(
                out,
                "{} is an SQLite file of something else (application id {application_id}): move it away",
                path.display()
            ),
            Self::Damaged { path, what, .. } => {
                write!(
                    out,
                    "the store {} is damaged ({what}): the next write sets it aside",
                    path.display()
                )
            }
            Self::SetAside { path, .. } => {
                write!(
                    out,
                    "cannot set the damaged store {} aside: move it away by hand",
                    path.display()
                )
            }
            Self::Line(_) => write!(out, "cannot store text that is not line protocol"),
            Self::Sqlite { path, action, .. } => {
                write!(out, "cannot {action} in the store {}", path.display())
            }
            Self::Compress { path, .. } => {
                write!(out, "cannot pack values for the store {}", path.display())
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } | Self::Sqlite { source, .. } => Some(source),
            Self::Damaged { source, .. } => source.as_ref().map(|source| source as _),
            Self::SetAside { source, .. } | Self::Compress { source, .. } => Some(source),
            Self::Line(source) => Some(source),
            Self::ReadOnly { .. }
            | Self::OpenedReadOnly { .. }
            | Self::Full { .. }
            | Self::Busy { .. }
            | Self::Newer { .. }
            | Self::Foreign { .. } => None,
        }
    }
}
