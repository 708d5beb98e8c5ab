//! The outbox: what waits for the sinks, the ledger, the runs, and what was refused.

mod bounds;
mod commit;
mod damage;
mod declared;
mod ledger;
mod look;
mod losses;
mod mended;
mod newest;
mod operator;
mod queue;
mod records;
mod salvage;
mod schema;
mod script;

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tidemark_collect::Clock;
use tidemark_point::{Schema, Timestamp};
use tidemark_settings::OutboxSettings;
use tokio::sync::Mutex;

use crate::delivery::OpenOptions;
use crate::lock::{self, FileLock, Mode};
use crate::{DeliveryError, Sinks};

pub use look::{Look, Whole};
pub use mended::{Mended, Taken};
pub(crate) use newest::Place;
pub(crate) use queue::{Beginning, Due, RejectedLine, Settled};

/// Runs kept for each collector.
pub const RUNS_KEPT: u32 = 100;
/// Targets of each collector whose newest run is kept beside those; one that was not seen for a day and ten intervals goes.
pub const TARGETS_KEPT: u32 = 2_000;
/// Texts kept of refused points, over all sinks; beyond it the oldest go, their count stays.
pub const MAX_REJECTED_POINTS: u32 = 10_000;
/// Bytes kept of the texts of refused points, over all sinks; beyond it the oldest go, their count stays.
pub const MAX_REJECTED_BYTES: u64 = 8 * 1024 * 1024;

/// How long opening waits for a process that sets a damaged outbox aside, or has it open.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Free pages, in bytes, from which on they are given back to the disk.
const MUCH_FREE: u64 = 4 * 1024 * 1024;
/// Gives all of them back; and so many at a time, 4 MiB, for a process that goes on.
const VACUUM: &str = "PRAGMA incremental_vacuum";
const VACUUM_STEP: &str = "PRAGMA incremental_vacuum(1024)";

/// An open outbox.
pub struct Outbox {
    path: PathBuf,
    /// The device and the number of the open file.
    file: Option<(u64, u64)>,
    dir: PathBuf,
    sinks: Sinks,
    bounds: OutboxSettings,
    /// What the collector that commits declares.
    declared: &'static [&'static Schema],
    clock: Arc<dyn Clock>,
    /// Taken by [`Outbox::connection`].
    db: Mutex<SqliteConnection>,
    /// What the log was told of points that had to go.
    told: losses::Told,
    /// Whether a script began and did not end.
    broken_off: AtomicBool,
    /// Nobody sets the file aside while it is open; none for a look that holds nothing up.
    _shared: Option<FileLock>,
}

/// What became of every point that a sink was to get. Numbers are points; it always adds up:
/// `collected = delivered + waiting + rejected + dropped + superseded`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkLedger {
    /// The sink.
    pub name: String,
    /// Its type, as the settings name it.
    pub kind: String,
    /// Since when it is counted.
    pub since: Timestamp,
    /// The counts are not whole: since then, the outbox was damaged and salvaged.
    pub damaged_since: Option<Timestamp>,
    /// Points committed for it.
    pub collected: u64,
    /// Points that it took.
    pub delivered: u64,
    /// Points that wait.
    pub waiting: u64,
    /// Points that it refused.
    pub rejected: u64,
    /// Points that were given up: by a bound, by damage, by the operator.
    pub dropped: u64,
    /// Points that a newer batch replaced.
    pub superseded: u64,
    /// Of the rejected and dropped ones, those that the operator has acknowledged.
    pub acknowledged: u64,
    /// When the oldest batch that waits was committed.
    pub oldest_waiting: Option<Timestamp>,
    /// Batches that wait and always failed alone: they are tried apart from the others.
    pub parked: u64,
    /// The sink is left alone until then.
    pub backoff_until: Option<Timestamp>,
    /// What went wrong last, and what to do; gone when the sink takes a batch again.
    pub last_error: Option<String>,
    /// It is in no settings any more.
    pub orphaned: bool,
}

impl SinkLedger {
    /// Points that were lost and not acknowledged yet.
    #[must_use]
    pub fn unacknowledged(&self) -> u64 {
        (self.rejected + self.dropped).saturating_sub(self.acknowledged)
    }

    /// Whether the counts add up.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.collected == self.delivered + self.waiting + self.rejected + self.dropped + self.superseded
    }
}

/// A batch that waits for a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingBatch {
    /// Its number; it names the batch in `show` and `drop`.
    pub id: i64,
    /// The sink that it waits for.
    pub sink: String,
    /// Whose points they are.
    pub collector: String,
    /// When it was committed.
    pub committed: Timestamp,
    /// Points that wait.
    pub points: u64,
    /// Bytes of the batch as it is stored.
    pub stored_bytes: u64,
    /// How often it failed.
    pub attempts: u32,
    /// It always failed alone and is left alone until then.
    pub parked_until: Option<Timestamp>,
}

/// A point that a sink refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectedPoint {
    /// Its number.
    pub id: i64,
    /// The sink that refused it.
    pub sink: String,
    /// Whose point it is.
    pub collector: String,
    /// The point in line protocol, without a line break.
    pub line: String,
    /// The server's words.
    pub reason: String,
    /// The answer's HTTP status, where there was one.
    pub status: Option<u16>,
    /// When it was refused.
    pub at: Timestamp,
}

/// What [`Outbox::drop_waiting`] gives up and acknowledges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropSelection {
    /// Of this sink alone; all sinks where there is none.
    pub sink: Option<String>,
    /// This batch alone; all that wait where there is none.
    pub batch: Option<i64>,
    /// Losses are acknowledged and refused points forgotten, and nothing that waits is touched.
    pub losses_only: bool,
}

/// What [`Outbox::drop_waiting`] did. Numbers are points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Points that waited and are given up.
    pub waiting: u64,
    /// Losses of before that are acknowledged now.
    pub acknowledged: u64,
    /// Orphaned sinks that are forgotten.
    pub sinks: Vec<String>,
}

impl Outbox {
    /// Opens the outbox; one that is damaged is set aside, and what can be read of it is kept. With it comes what
    /// should be said about that.
    pub(crate) async fn open(options: &OpenOptions) -> Result<(Self, Vec<String>), DeliveryError> {
        let path = options.dir.join(schema::FILE);
        let mut notices = Vec::new();
        loop {
            let lock = lock::outbox(&options.dir);
            let Some(shared) = FileLock::wait(&lock, Mode::Shared, LOCK_WAIT).await? else {
                let source = std::io::Error::other("another process is setting the outbox aside");
                return Err(DeliveryError::File { path: lock, source });
            };
            let opened = match damage::is_unfinished(&path) {
                true => Err(DeliveryError::Damaged {
                    path: path.clone(),
                    what: "it was being set aside when a process was killed".to_owned(),
                    source: None,
                }),
                false => schema::open(&path).await,
            };
            match opened {
                Ok(db) => {
                    let outbox = Self {
                        file: file_id(&path),
                        path,
                        dir: options.dir.clone(),
                        sinks: options.sinks.clone(),
                        bounds: options.outbox.clone(),
                        declared: options.declared,
                        clock: options.clock.clone(),
                        db: Mutex::new(db),
                        told: losses::Told::default(),
                        broken_off: AtomicBool::new(false),
                        _shared: Some(shared),
                    };
                    return Ok((outbox, notices));
                }
                Err(error) if error.is_damage() && notices.is_empty() => {
                    drop(shared);
                    notices.extend(damage::set_aside(options, &path, error).await?);
                    if notices.is_empty() {
                        // Another process did.
                        notices.push("a damaged outbox was set aside".to_owned());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the open file is still the one of that name. One that was removed or moved keeps nothing for anybody.
    pub(crate) fn is_in_place(&self) -> bool {
        self.file.is_some() && self.file == file_id(&self.path)
    }

    /// Closes the connection, and gives back to the disk what was freed.
    pub(crate) async fn close(self) {
        self.told.tell_rest();
        let mut db = self.db.into_inner();
        let size = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        if size >= MUCH_FREE
            && let Err(error) = free_pages(&mut db, VACUUM).await
        {
            tracing::debug!("the outbox keeps its free pages: {error}");
        }
        if let Err(error) = db.close().await {
            tracing::debug!("the outbox did not close: {error}");
        }
    }

    /// Gives some of what was freed back to the disk, where that is much: a process that stays closes nothing.
    pub(crate) async fn give_back(&self) {
        if std::fs::metadata(&self.path).map_or(0, |file| file.len()) < MUCH_FREE {
            return;
        }
        let mut db = self.connection().await;
        if let Err(error) = free_pages(&mut db, VACUUM_STEP).await {
            tracing::debug!("the outbox keeps its free pages: {error}");
        }
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        &self.dir
    }

    fn failed(&self, error: sqlx::Error) -> DeliveryError {
        DeliveryError::sqlite(&self.path, error)
    }
}

/// The device and the number of the file of that name.
fn file_id(path: &std::path::Path) -> Option<(u64, u64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Gives free pages back to the disk, where there are many.
async fn free_pages(db: &mut SqliteConnection, vacuum: &'static str) -> Result<(), sqlx::Error> {
    let free: i64 =
        sqlx::query_scalar("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")
            .fetch_one(&mut *db)
            .await?;
    if u64::try_from(free).is_ok_and(|free| free >= MUCH_FREE) {
        sqlx::raw_sql(vacuum).execute(&mut *db).await?;
    }
    Ok(())
}
