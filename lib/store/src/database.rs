//! The file: opening and making it, its schema and versions, and setting a damaged one aside.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode,
    SqliteQueryResult, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tidemark_point::Timestamp;

use crate::{SetAside, StoreError};

/// Marks the file as a store: `tide` in ASCII.
const APPLICATION_ID: i64 = 0x7469_6465;

/// The steps from an empty file to the format of today: step `n` leads from version `n` to `n + 1`. A step is never
/// changed once it was released.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE layout (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        family INTEGER NOT NULL,
        names BLOB NOT NULL
    );
    CREATE INDEX layout_by_family ON layout (family);
    CREATE TABLE fresh (
        id INTEGER PRIMARY KEY,
        layout INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE TABLE chunk (
        id INTEGER PRIMARY KEY,
        family INTEGER NOT NULL,
        layout INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE INDEX chunk_by_time ON chunk (family, last, first, layout);
"];

/// The newest format that this program knows.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// A row or chunk takes many pages, and SQLite makes two calls for each.
const PAGE_BYTES: u32 = 8192;
/// Pages of the write-ahead log (4 MiB) after which they are moved into the file.
const CHECKPOINT_PAGES: &str = "512";
/// Bytes that the write-ahead log is cut back to.
const LOG_BYTES: &str = "4194304";
/// Page cache of a connection, in KiB.
const CACHE_KIB: &str = "-1024";
/// Damaged files that are kept beside the store: each may be as large as the store.
const KEPT_DAMAGED: usize = 3;
/// How often a lock that another process has is tried.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// A statement with its arguments.
pub(crate) type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// What a column of a row can be read as.
pub(crate) trait Column<'r>: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> {}

impl<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>> Column<'r> for T {}

/// Which file a path led to when it was opened.
type Identity = (u64, u64);

/// A connection and the file that it is for.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: SqliteConnection,
    identity: Identity,
    busy_timeout: Duration,
    /// Whether a transaction may be open: one whose future was dropped.
    in_transaction: bool,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    ReadOnly,
    /// For reading alone, where nothing can be written beside the file and nobody does.
    Immutable,
    Write,
    Create,
}

/// What the header of a file says.
#[derive(Debug)]
struct Header {
    application_id: i64,
    version: i64,
    /// Counted only where the file is not marked as a store.
    tables: i64,
}

impl Database {
    /// Opens for writing. A missing file is made, an older one is brought up to date, a damaged one is set aside.
    pub(crate) async fn open(
        path: &Path,
        busy_timeout: Duration,
    ) -> Result<(Self, Option<SetAside>), StoreError> {
        let error = match Self::open_existing(path, busy_timeout, Mode::Write).await {
            Ok(Some(database)) => return Ok((database, None)),
            Ok(None) => return Ok((Self::create(path, busy_timeout).await?, None)),
            Err(error) => error,
        };
        if !error.is_damage() {
            return Err(error);
        }
        let set_aside = set_aside(path, None, &error, busy_timeout).await?;
        Ok((Self::create(path, busy_timeout).await?, set_aside))
    }

    /// Opens for reading alone; nothing is changed.
    pub(crate) async fn open_read_only(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let opened = match Self::open_existing(path, busy_timeout, Mode::ReadOnly).await {
            // SQLite cannot make the log's index in a folder that is read-only. Without a log there is no writer.
            Err(StoreError::Open { .. }) if path.exists() && !with_suffix(path, "-wal").exists() => {
                Self::open_existing(path, busy_timeout, Mode::Immutable).await?
            }
            other => other?,
        };
        opened.ok_or_else(|| StoreError::Open {
            path: path.to_path_buf(),
            source: sqlx::Error::Io(io::Error::new(io::ErrorKind::NotFound, "there is no store yet")),
        })
    }

    /// Opens for reading alone, and makes nothing beside the file; `None` where the log of a killed process is in the
    /// way.
    pub(crate) async fn open_untouched(
        path: &Path,
        busy_timeout: Duration,
    ) -> Result<Option<Self>, StoreError> {
        let has_log = fs::metadata(with_suffix(path, "-wal")).is_ok_and(|log| log.len() > 0);
        if has_log && !with_suffix(path, "-shm").exists() {
            return Ok(None);
        }
        // Without a log there is nothing that other processes would have to be asked for.
        let mode = if has_log { Mode::ReadOnly } else { Mode::Immutable };
        Self::open_existing(path, busy_timeout, mode).await
    }

    /// Opens a file that is there and has the format of today; `None` where it is still to be made.
    async fn open_existing(
        path: &Path,
        busy_timeout: Duration,
        mode: Mode,
    ) -> Result<Option<Self>, StoreError> {
        let Some(identity) = identity(path).map_err(|source| open_error(path, source))? else {
            return Ok(None);
        };
        let mut connection = connect(path, busy_timeout, mode)
            .await
            .map_err(|source| StoreError::sqlite(path, "open a connection", source))?;
        let header = header(&mut connection)
            .await
            .map_err(|source| StoreError::sqlite(path, "read the version", source))?;
        let path = path.to_path_buf();
        if header.application_id != APPLICATION_ID {
            return if header.application_id == 0 && header.tables == 0 && header.version == 0 {
                Ok(None)
            } else {
                Err(StoreError::Foreign {
                    path,
                    application_id: header.application_id,
                })
            };
        }
        if header.version > VERSION {
            return Err(StoreError::Newer {
                path,
                found: header.version,
                known: VERSION,
            });
        }
        if header.version < VERSION {
            return Ok(None);
        }
        Ok(Some(Self {
            path,
            connection,
            identity,
            busy_timeout,
            in_transaction: false,
        }))
    }

    /// Makes the file, or brings it up to date. One process does so at a time.
    async fn create(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let _lock = lock(path, busy_timeout).await?;
        let failed = |source| StoreError::sqlite(path, "make the tables", source);
        let mut connection = connect(path, busy_timeout, Mode::Create).await.map_err(failed)?;
        let header = header(&mut connection).await.map_err(failed)?;
        let version = usize::try_from(header.version).unwrap_or(usize::MAX);
        for (from, step) in MIGRATIONS.iter().enumerate().skip(version) {
            let sql = format!(
                "BEGIN IMMEDIATE; {step} PRAGMA application_id = {APPLICATION_ID}; \
                 PRAGMA user_version = {}; COMMIT;",
                from + 1
            );
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .map_err(failed)?;
        }
        // Dropped, it would be closed later, and hold the log after the store was closed.
        connection.close().await.map_err(failed)?;
        let opened = Self::open_existing(path, busy_timeout, Mode::Write).await?;
        opened.ok_or_else(|| StoreError::Damaged {
            path: path.to_path_buf(),
            what: "a new file has no version".into(),
            source: None,
        })
    }

    /// Sets the file aside and starts a new one, unless another process has done so.
    pub(crate) async fn start_anew(&mut self, error: &StoreError) -> Result<Option<SetAside>, StoreError> {
        // The old connection stays open until the files are moved: SQLite then sees that its file has moved, and
        // leaves the new log alone when it closes.
        let set_aside = set_aside(&self.path, Some(self.identity), error, self.busy_timeout).await?;
        let (fresh, _) = Self::open(&self.path, self.busy_timeout).await?;
        *self = fresh;
        Ok(set_aside)
    }

    /// Whether another file lies at the path now, or none.
    pub(crate) fn has_moved(&self) -> bool {
        identity(&self.path).ok().flatten() != Some(self.identity)
    }

    /// Bytes of the file and its log: at least what is in use.
    pub(crate) fn file_bytes(&self) -> u64 {
        let len = |suffix| fs::metadata(with_suffix(&self.path, suffix)).map_or(0, |metadata| metadata.len());
        len("") + len("-wal")
    }

    /// Opens what lies at the path now.
    pub(crate) async fn reopen(&mut self) -> Result<Option<SetAside>, StoreError> {
        let (fresh, set_aside) = Self::open(&self.path, self.busy_timeout).await?;
        *self = fresh;
        Ok(set_aside)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction: `BEGIN` to read, `BEGIN IMMEDIATE` to write. One that was left open is undone first.
    pub(crate) async fn begin(&mut self, begin: &'static str) -> Result<(), StoreError> {
        self.settle().await?;
        self.in_transaction = true;
        self.run(begin, "begin a transaction").await
    }

    /// Ends the transaction: with `COMMIT` where the work went well, else by undoing it.
    pub(crate) async fn end<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        let result = match result {
            Ok(value) => self.run("COMMIT", "commit a transaction").await.map(|()| value),
            Err(error) => Err(error),
        };
        match result {
            Ok(value) => {
                self.in_transaction = false;
                Ok(value)
            }
            Err(error) => {
                // SQLite has undone it by itself after some errors; then there is nothing to roll back.
                let _ = self.settle().await;
                Err(error)
            }
        }
    }

    /// Undoes a transaction that a dropped future left open.
    pub(crate) async fn settle(&mut self) -> Result<(), StoreError> {
        if self.in_transaction {
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.in_transaction = false;
        }
        Ok(())
    }

    async fn run(&mut self, sql: &'static str, action: &'static str) -> Result<(), StoreError> {
        match sqlx::query(sql).execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(source) => Err(self.error(action, source)),
        }
    }

    /// Runs a statement that returns nothing.
    pub(crate) async fn execute(
        &mut self,
        action: &'static str,
        query: Query,
    ) -> Result<SqliteQueryResult, StoreError> {
        self.try_execute(query)
            .await
            .map_err(|source| self.error(action, source))
    }

    /// As [`execute`](Self::execute), with SQLite's own error.
    pub(crate) async fn try_execute(&mut self, query: Query) -> Result<SqliteQueryResult, sqlx::Error> {
        query.execute(&mut self.connection).await
    }

    /// Runs a query, and returns all its rows: callers ask for few rows with much in each.
    pub(crate) async fn fetch(
        &mut self,
        action: &'static str,
        query: Query,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        query
            .fetch_all(&mut self.connection)
            .await
            .map_err(|source| self.error(action, source))
    }

    /// A column of a row.
    pub(crate) fn get<'r, T: Column<'r>>(&self, row: &'r SqliteRow, column: usize) -> Result<T, StoreError> {
        row.try_get(column).map_err(|source| StoreError::Damaged {
            path: self.path.clone(),
            what: "a column has another type".into(),
            source: Some(source),
        })
    }

    pub(crate) fn error(&self, action: &'static str, source: sqlx::Error) -> StoreError {
        StoreError::sqlite(&self.path, action, source)
    }

    pub(crate) fn damaged(&self, what: String) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            what,
            source: None,
        }
    }

    pub(crate) async fn close(mut self) -> Result<(), StoreError> {
        self.settle().await?;
        let path = self.path;
        self.connection
            .close()
            .await
            .map_err(|source| StoreError::sqlite(&path, "close the connection", source))
    }
}

async fn connect(path: &Path, busy_timeout: Duration, mode: Mode) -> Result<SqliteConnection, sqlx::Error> {
    // A relative path that begins with `file:` would be a URI to SQLite.
    let path = if path.is_absolute() {
        path.to_path_buf()
    } else {
        Path::new(".").join(path)
    };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(busy_timeout)
        .foreign_keys(false)
        .pragma("cache_size", CACHE_KIB)
        .disable_statement_logging();
    let options = match mode {
        Mode::ReadOnly => options.read_only(true),
        Mode::Immutable => options.read_only(true).immutable(true),
        Mode::Write | Mode::Create => options
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", LOG_BYTES)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES),
    };
    let options = if mode == Mode::Create {
        options
            .create_if_missing(true)
            .page_size(PAGE_BYTES)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
    } else {
        options
    };
    options.connect().await
}

async fn header(connection: &mut SqliteConnection) -> Result<Header, sqlx::Error> {
    // One trip to the connection's thread.
    let rows = sqlx::query("PRAGMA application_id; PRAGMA user_version;")
        .fetch_all(&mut *connection)
        .await?;
    let number = |rows: &[SqliteRow], at: usize| rows.get(at).map_or(Ok(0), |row| row.try_get::<i64, _>(0));
    let mut header = Header {
        application_id: number(&rows, 0)?,
        version: number(&rows, 1)?,
        tables: 0,
    };
    if header.application_id != APPLICATION_ID {
        let rows = sqlx::query("SELECT count(*) FROM sqlite_schema")
            .fetch_all(connection)
            .await?;
        header.tables = number(&rows, 0)?;
    }
    Ok(header)
}

/// A list of ids for `json_each`.
pub(crate) fn json_list(ids: impl Iterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

fn open_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_path_buf(),
        source: sqlx::Error::Io(source),
    }
}

/// Device and inode of a file; `None` where there is none.
fn identity(path: &Path) -> io::Result<Option<Identity>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock for making the file and for setting it aside; it ends with its holder.
async fn lock(path: &Path, timeout: Duration) -> Result<File, StoreError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly {
            path: path.to_path_buf(),
        },
        io::ErrorKind::StorageFull => StoreError::Full {
            path: path.to_path_buf(),
        },
        _ => open_error(path, source),
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(with_suffix(path, ".lock"))
        .map_err(failed)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < timeout => {
                tokio::time::sleep(LOCK_POLL).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Busy {
                    path: path.to_path_buf(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// Moves a damaged file out of the way, with its log. `None` where another process has done so: what is damaged was
/// opened as `expected`, and another file lies there now.
async fn set_aside(
    path: &Path,
    expected: Option<Identity>,
    error: &StoreError,
    busy_timeout: Duration,
) -> Result<Option<SetAside>, StoreError> {
    let _lock = lock(path, busy_timeout).await?;
    let failed = |source| StoreError::SetAside {
        path: path.to_path_buf(),
        source,
    };
    let Some(found) = identity(path).map_err(failed)? else {
        return Ok(None);
    };
    let stale = match expected {
        Some(expected) => expected != found,
        // Opening failed. Another process may have put a good file there since.
        None => match Database::open_existing(path, busy_timeout, Mode::Write).await {
            Err(error) => !error.is_damage(),
            Ok(_) => true,
        },
    };
    if stale {
        return Ok(None);
    }
    let moved_to = free_name(path).map_err(failed)?;
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&moved_to, suffix)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(failed)?,
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    // Old ones that cannot be deleted are in nobody's way.
    let _ = forget_oldest(path, folder, &moved_to);
    let reason = match error {
        StoreError::Damaged { what, .. } => what.clone(),
        other => other.to_string(),
    };
    Ok(Some(SetAside {
        path: path.to_path_buf(),
        moved_to,
        reason,
    }))
}

/// Deletes all but the newest files that were set aside; `newest` is one of those in any case.
fn forget_oldest(path: &Path, folder: &Path, newest: &Path) -> io::Result<()> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".damaged-");
    let mut others = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_part = [&b"-wal"[..], b"-shm"]
            .iter()
            .any(|suffix| name.as_bytes().ends_with(suffix));
        if name.as_bytes().starts_with(prefix.as_bytes())
            && !is_part
            && Some(name.as_os_str()) != newest.file_name()
        {
            others.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    others.sort_unstable();
    let old = (others.len() + 1).saturating_sub(KEPT_DAMAGED);
    for (_, path) in others.iter().take(old) {
        for suffix in ["", "-wal", "-shm"] {
            match fs::remove_file(with_suffix(path, suffix)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}

/// `store.db.damaged-TIME`, the time being that of the file's last change; with a number where it is taken.
fn free_name(path: &Path) -> io::Result<PathBuf> {
    let modified = fs::metadata(path)?.modified()?;
    let since_epoch = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = Timestamp::EPOCH.saturating_add(Duration::from_secs(since_epoch.as_secs()));
    let time = time.to_string().replace(['-', ':'], "");
    let name = with_suffix(path, &format!(".damaged-{time}"));
    let mut free = name.clone();
    let mut number = 2_u64;
    while free.try_exists()? {
        free = with_suffix(&name, &format!("-{number}"));
        number += 1;
    }
    Ok(free)
}
