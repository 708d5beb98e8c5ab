//! The tables, and the file that they are in. FORMAT.md describes each column.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::time::Instant;

use crate::DeliveryError;

/// The outbox's file in the state folder.
pub(crate) const FILE: &str = "outbox.db";
/// The version of the tables, in the file's `user_version`.
pub(crate) const VERSION: i64 = 2;
/// How long a statement waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a step that SQLite does not wait for is tried again.
const BUSY_STEP: Duration = Duration::from_millis(10);
/// SQLite's page cache, in KiB: a batch passes through once.
const CACHE: &str = "-512";

const TABLES: &str = "
CREATE TABLE sink (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    since INTEGER NOT NULL,
    damaged_since INTEGER,
    collected INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    last_error TEXT,
    fingerprint INTEGER NOT NULL DEFAULT 0,
    plain INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collector TEXT NOT NULL,
    own INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    points INTEGER NOT NULL,
    encoding INTEGER NOT NULL,
    uints INTEGER NOT NULL,
    target TEXT,
    part INTEGER NOT NULL DEFAULT 0,
    length INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE delivery (
    sink INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    lane TEXT NOT NULL,
    points INTEGER NOT NULL,
    rest TEXT,
    requests INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    alone INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    PRIMARY KEY (sink, batch)
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    collector TEXT NOT NULL,
    target TEXT,
    started INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    interval INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    points INTEGER NOT NULL,
    gaps TEXT NOT NULL,
    notices TEXT NOT NULL,
    error TEXT,
    deadline INTEGER NOT NULL DEFAULT 600000000000
) STRICT;
CREATE INDEX run_collector ON run (collector, id);
CREATE TABLE rejected (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sink INTEGER NOT NULL,
    collector TEXT NOT NULL,
    line TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE declaration (
    collector TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
";

/// From each version to the next one: the first is from 1 to 2.
const MIGRATIONS: [&str; 1] = ["
ALTER TABLE batch ADD COLUMN target TEXT;
ALTER TABLE batch ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN deadline INTEGER NOT NULL DEFAULT 600000000000;
CREATE TABLE declaration (
    collector TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
"];

/// Opens the outbox, and makes or migrates it.
///
/// # Errors
/// [`DeliveryError::Newer`] where it is not for us, [`DeliveryError::Damaged`] where it must be set aside.
pub(crate) async fn open(path: &Path) -> Result<SqliteConnection, DeliveryError> {
    // Before SQLite touches anything.
    let header = Header::read(path);
    refuse_newer(path, header.version)?;
    let end = Instant::now() + BUSY_TIMEOUT;
    loop {
        // Changing to WAL is refused at once while another process does the same.
        match try_open(path, header).await {
            Err(DeliveryError::Busy { .. }) if Instant::now() < end => tokio::time::sleep(BUSY_STEP).await,
            result => return result,
        }
    }
}

async fn try_open(path: &Path, header: Header) -> Result<SqliteConnection, DeliveryError> {
    let failed = |source| DeliveryError::sqlite(path, source);
    let mut options = options(path)
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", CACHE);
    // A file that has these keeps them.
    if header.version != VERSION || !header.wal {
        options = options
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal);
    }
    let mut db = options.connect().await.map_err(failed)?;
    match ready(path, &mut db).await {
        Ok(()) => Ok(db),
        Err(error) => {
            // Its thread lets go of the files before anybody renames them.
            let _ = db.close().await;
            Err(error)
        }
    }
}

/// Checks the version, and makes or migrates the tables.
async fn ready(path: &Path, db: &mut SqliteConnection) -> Result<(), DeliveryError> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *db)
        .await
        .map_err(|source| DeliveryError::sqlite(path, source))?;
    refuse_newer(path, version)?;
    if version < VERSION {
        make(path, db).await?;
    }
    Ok(())
}

/// What every connection has: no log of statements, and patience.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(false)
        .disable_statement_logging()
}

async fn make(path: &Path, db: &mut SqliteConnection) -> Result<(), DeliveryError> {
    let failed = |source| DeliveryError::sqlite(path, source);
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let no_outbox = || DeliveryError::Damaged {
        path: path.to_path_buf(),
        what: format!("version {version} with {tables} tables is no outbox"),
        source: None,
    };
    let steps = match (version, tables) {
        // Another process was quicker.
        (VERSION, _) => return Ok(()),
        (0, 0) => vec![TABLES],
        (1.., 1..) => {
            let done = usize::try_from(version - 1).unwrap_or(usize::MAX);
            MIGRATIONS.get(done..).ok_or_else(no_outbox)?.to_vec()
        }
        _ => return Err(no_outbox()),
    };
    for step in steps {
        let made = sqlx::raw_sql(step).execute(&mut *transaction).await;
        made.map_err(|source| match DeliveryError::sqlite(path, source) {
            // A step fails where the tables are not those of their version.
            DeliveryError::Sqlite { path, source } => DeliveryError::Damaged {
                path,
                what: format!("its tables are not those of version {version}"),
                source: Some(source),
            },
            error => error,
        })?;
    }
    transaction.commit().await.map_err(failed)
}

pub(super) fn refuse_newer(path: &Path, version: i64) -> Result<(), DeliveryError> {
    if version <= VERSION {
        return Ok(());
    }
    Err(DeliveryError::Newer {
        path: path.to_path_buf(),
        version,
        known: VERSION,
    })
}

/// What a file's header says: <https://www.sqlite.org/fileformat.html#the_database_header>
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Header {
    /// The `user_version`, 0 for anything that is no database.
    pub(super) version: i64,
    /// Whether it is written through a write-ahead log.
    wal: bool,
}

impl Header {
    pub(super) fn read(path: &Path) -> Self {
        let mut header = [0; 64];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
        match (read, header.last_chunk()) {
            (Ok(()), Some(version)) if header.starts_with(b"SQLite format 3\0") => Self {
                version: i64::from(i32::from_be_bytes(*version)),
                // The versions of the format to write and to read.
                wal: header.get(18..20) == Some(&[2, 2]),
            },
            _ => Self::default(),
        }
    }
}
