//! A look at the outbox.
//!
//! SQLite makes files beside a database when it is merely read, and a lock is one more. So: a file without a write-ahead
//! log is read as one that nobody changes, and read again where it proves to have changed meanwhile; one whose log is in
//! use is read through the index that its writers have made.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::schema::{self, Header};
use super::{Outbox, SinkLedger};
use crate::DeliveryError;
use crate::delivery::OpenOptions;

/// How often it is read again where others wrote meanwhile.
const ATTEMPTS: usize = 5;

/// What a look at the outbox found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Look {
    /// There is none: the first run makes it.
    Missing,
    /// It has an older version: the next run brings it up to date.
    Older {
        /// Its version.
        version: i64,
        /// The version that it will have.
        known: i64,
    },
    /// Its log was left by a process that was killed, and the index of the log is gone: only a run can open it.
    LogAlone,
    /// It was read.
    Read {
        /// Bytes of its files.
        bytes: u64,
        /// Whether SQLite finds it whole.
        whole: Whole,
        /// Of each sink what became of its points.
        ledger: Vec<SinkLedger>,
        /// What does not add up; empty for a sound outbox.
        wrong: Vec<String>,
    },
}

/// What SQLite's quick check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Every page is as it should be.
    Yes,
    /// Something is damaged: what.
    No(String),
    /// It was not done within the time.
    NotKnown,
}

impl Outbox {
    /// Looks at the outbox of the state folder without changing anything: nothing is made, locked, migrated or set aside.
    /// The check of every page takes at most `time`; without any it is left out.
    ///
    /// # Errors
    /// [`DeliveryError::Newer`]; [`DeliveryError::Damaged`] where SQLite cannot read it; where it may not be read.
    pub async fn look(options: &OpenOptions, time: Duration) -> Result<Look, DeliveryError> {
        let path = options.dir.join(schema::FILE);
        let mut looked = look_once(options, &path, time).await;
        for _ in 1..ATTEMPTS {
            match looked {
                Some(looked) => return looked,
                None => looked = look_once(options, &path, time).await,
            }
        }
        // It is busy, and so it works; whoever looks may look again.
        looked.unwrap_or_else(|| {
            Err(DeliveryError::File {
                path,
                source: std::io::Error::other("other processes write to it all the time; try again"),
            })
        })
    }

    async fn count(&self) -> Result<(Vec<SinkLedger>, Vec<String>), DeliveryError> {
        Ok((self.ledger().await?, self.verify().await?))
    }
}

/// Nothing where others changed the file meanwhile.
async fn look_once(
    options: &OpenOptions,
    path: &Path,
    time: Duration,
) -> Option<Result<Look, DeliveryError>> {
    let before = Stamp::of(path);
    let looked = try_look(options, path, &before, time).await;
    // A reader of the log sees what was committed when it began, whatever is written meanwhile.
    (before.has_log() || Stamp::of(path) == before).then_some(looked)
}

async fn try_look(
    options: &OpenOptions,
    path: &Path,
    stamp: &Stamp,
    time: Duration,
) -> Result<Look, DeliveryError> {
    match fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Look::Missing),
        Err(source) => {
            return Err(DeliveryError::File {
                path: path.to_path_buf(),
                source,
            });
        }
        Ok(_) => {}
    }
    let header = Header::read(path);
    schema::refuse_newer(path, header.version)?;
    if stamp.has_log() && !stamp.has_index {
        return Ok(Look::LogAlone);
    }
    let failed = |source| DeliveryError::sqlite(path, source);
    let reading = schema::options(path).read_only(true).immutable(!stamp.has_log());
    let mut db = reading.connect().await.map_err(failed)?;
    let sound = match read_version(&mut db).await {
        Ok((version, _)) if version == schema::VERSION => quick_check(&mut db, time).await,
        Ok((version, tables)) => {
            let _ = db.close().await;
            return unlike_ours(path, version, tables);
        }
        Err(error) => Err(error),
    };
    let whole = match sound {
        Ok(whole) => whole,
        Err(error) => {
            let _ = db.close().await;
            return Err(failed(error));
        }
    };
    if whole == Whole::NotKnown {
        // The connection is still at it.
        db = reading.connect().await.map_err(failed)?;
    }
    let outbox = Outbox {
        file: None,
        path: path.to_path_buf(),
        dir: options.dir.clone(),
        sinks: options.sinks.clone(),
        bounds: options.outbox.clone(),
        declared: options.declared,
        clock: options.clock.clone(),
        db: Mutex::new(db),
        told: super::losses::Told::default(),
        broken_off: AtomicBool::new(false),
        _shared: None,
    };
    let counted = match whole {
        // What cannot be read cannot be counted.
        Whole::No(_) => Ok((Vec::new(), Vec::new())),
        Whole::Yes | Whole::NotKnown => outbox.count().await,
    };
    let _ = outbox.db.into_inner().close().await;
    let (ledger, wrong) = counted?;
    Ok(Look::Read {
        bytes: stamp.bytes(),
        whole,
        ledger,
        wrong,
    })
}

/// The version, and how many tables there are; what waits in the log counts too.
async fn read_version(db: &mut SqliteConnection) -> Result<(i64, i64), sqlx::Error> {
    // Of one instant, though somebody makes the tables just now.
    let mut transaction = db.begin().await?;
    let version = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *transaction)
        .await?;
    let tables = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *transaction)
        .await?;
    transaction.rollback().await?;
    Ok((version, tables))
}

/// What another version than ours means.
fn unlike_ours(path: &Path, version: i64, tables: i64) -> Result<Look, DeliveryError> {
    schema::refuse_newer(path, version)?;
    match (version, tables) {
        (0, 0) => Ok(Look::Missing),
        (..=0, _) => Err(DeliveryError::Damaged {
            path: path.to_path_buf(),
            what: format!("version {version} with {tables} tables is no outbox"),
            source: None,
        }),
        _ => Ok(Look::Older {
            version,
            known: schema::VERSION,
        }),
    }
}

async fn quick_check(db: &mut SqliteConnection, time: Duration) -> Result<Whole, sqlx::Error> {
    if time.is_zero() {
        return Ok(Whole::NotKnown);
    }
    let check = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)").fetch_one(&mut *db);
    match timeout(time, check).await {
        Err(_) => Ok(Whole::NotKnown),
        Ok(Ok(said)) if said == "ok" => Ok(Whole::Yes),
        Ok(Ok(said)) => Ok(Whole::No(said)),
        Ok(Err(error)) => Err(error),
    }
}

/// What tells whether somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    /// Device, number, length and time of change of the file.
    file: Option<(u64, u64, u64, i64, i64)>,
    /// Bytes of the log.
    log: u64,
    has_index: bool,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let file = fs::metadata(path).ok();
        Self {
            file: file.map(|of| (of.dev(), of.ino(), of.len(), of.mtime(), of.mtime_nsec())),
            log: fs::metadata(beside("-wal")).map_or(0, |log| log.len()),
            has_index: beside("-shm").exists(),
        }
    }

    /// Whether some of it is in the log alone.
    fn has_log(&self) -> bool {
        self.log > 0
    }

    fn bytes(&self) -> u64 {
        self.log + self.file.map_or(0, |(_, _, length, ..)| length)
    }
}
