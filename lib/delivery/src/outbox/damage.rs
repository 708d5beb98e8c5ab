//! A damaged outbox: set aside under a lock of all processes, what can be read of it kept, what cannot be counted.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use sqlx::{ConnectOptions as _, Connection as _};
use tidemark_point::Timestamp;

use super::salvage::{Salvaged, mark_damaged, salvage};
use super::{LOCK_WAIT, Outbox, schema};
use crate::delivery::OpenOptions;
use crate::lock::{self, FileLock, Mode};
use crate::{DeliveryError, Sinks};

impl Outbox {
    /// Sets the outbox aside if it is damaged, after all of this process have closed it.
    pub(crate) async fn set_damaged_aside(options: &OpenOptions) -> Result<Vec<String>, DeliveryError> {
        let path = options.dir.join(schema::FILE);
        let what = "SQLite cannot read it".to_owned();
        let found = DeliveryError::Damaged {
            path: path.clone(),
            what,
            source: None,
        };
        set_aside(options, &path, found).await
    }
}

/// Sets a damaged outbox aside, and starts a new one with what can be read of it. Nothing is done, and nothing comes
/// back, where another process has done it meanwhile.
///
/// Killed at any instant, the damaged outbox is still there and it begins anew; or, once all that can be read is in a
/// file called [`SALVAGED`], the next process ends what was begun.
///
/// Boxed, as it is rare and large: else its code is in each program twice, once for each caller.
pub(super) fn set_aside<'a>(
    options: &'a OpenOptions,
    path: &'a Path,
    found: DeliveryError,
) -> Pin<Box<dyn Future<Output = Result<Vec<String>, DeliveryError>> + Send + 'a>> {
    Box::pin(try_set_aside(options, path, found))
}

async fn try_set_aside(
    options: &OpenOptions,
    path: &Path,
    found: DeliveryError,
) -> Result<Vec<String>, DeliveryError> {
    let lock = lock::outbox(&options.dir);
    let Some(_alone) = FileLock::wait(&lock, Mode::Exclusive, LOCK_WAIT).await? else {
        return Err(found);
    };
    let now = options.clock.now();
    if is_unfinished(path) {
        let aside = exchange(path, now)?;
        return Ok(vec![told(path, &aside, "what could be read of it was saved")]);
    }
    if is_sound(path).await {
        return Ok(Vec::new());
    }
    let fresh = with(path, SALVAGE);
    for suffix in ["", "-wal", "-shm"] {
        remove(&with(&fresh, suffix))?;
    }
    let salvaged = salvage_into(&fresh, path, &options.sinks, now).await?;
    rename(&fresh, &with(path, SALVAGED))?;
    sync_folder(path)?;
    let aside = exchange(path, now)?;
    let saved = format!(
        "{} waiting batches were saved, {} points are known to be lost",
        salvaged.batches, salvaged.lost
    );
    Ok(vec![told(path, &aside, &saved)])
}

/// What is read of a damaged outbox while it is read.
const SALVAGE: &str = ".salvage";
/// What was read of a damaged outbox, whole, before it takes that one's place.
const SALVAGED: &str = ".salvaged";

/// Whether a process was killed while it set the outbox aside.
pub(super) fn is_unfinished(path: &Path) -> bool {
    with(path, SALVAGED).exists()
}

fn told(path: &Path, aside: &Path, saved: &str) -> String {
    let notice = format!(
        "the outbox {} was damaged: it was set aside as {}; {saved}",
        path.display(),
        aside.display(),
    );
    tracing::warn!("{notice}");
    notice
}

/// Makes a new outbox of what can be read of the damaged one.
async fn salvage_into(
    fresh: &Path,
    path: &Path,
    sinks: &Sinks,
    now: Timestamp,
) -> Result<Salvaged, DeliveryError> {
    let failed = |error| DeliveryError::sqlite(fresh, error);
    // With a schema that may be written, SQLite also reads a file that is cut short.
    let options = schema::options(path).pragma("writable_schema", "ON");
    let old = options.connect().await;
    let mut new = schema::open(fresh).await?;
    let salvaged = match old {
        Ok(mut old) => {
            let salvaged = salvage(&mut old, &mut new, sinks, now).await;
            // What is damaged may not close; it stays as it is.
            let _ = old.close().await;
            salvaged.map_err(failed)?
        }
        Err(error) => {
            tracing::debug!("nothing can be read of {}: {error}", path.display());
            Salvaged::default()
        }
    };
    mark_damaged(&mut new, sinks, now).await.map_err(failed)?;
    // The log must be in the file before that is renamed.
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut new)
        .await
        .map_err(failed)?;
    new.close().await.map_err(failed)?;
    Ok(salvaged)
}

/// Whether the outbox opens and SQLite finds nothing wrong with it.
async fn is_sound(path: &Path) -> bool {
    let Ok(mut db) = schema::open(path).await else {
        return false;
    };
    // The quick check would leave out the indices.
    let check: Result<String, _> = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut db)
        .await;
    let _ = db.close().await;
    check.is_ok_and(|check| check == "ok")
}

/// `outbox.db.damaged-TIME`, with a number behind it where that is taken.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let time: String = now
        .to_string()
        .chars()
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    let name = format!(
        "{}.damaged-{}",
        path.display(),
        time.split('.').next().unwrap_or_default().trim_end_matches('Z')
    );
    let mut free = PathBuf::from(&name);
    let mut number = 1;
    while free.exists() {
        number += 1;
        free = PathBuf::from(format!("{name}-{number}"));
    }
    free
}

/// Puts what was salvaged into the place of the damaged outbox, whose name from now on comes back. Each step may be the
/// last one: the next process goes on from there.
fn exchange(path: &Path, now: Timestamp) -> Result<PathBuf, DeliveryError> {
    let aside = free_name(path, now);
    // The log first: SQLite must not find it beside the new file.
    let log = with(path, "-wal");
    if log.exists() {
        rename(&log, &with(&aside, "-wal"))?;
    }
    remove(&with(path, "-shm"))?;
    sync_folder(path)?;
    if path.exists() {
        rename(path, &aside)?;
    }
    rename(&with(path, SALVAGED), path)?;
    sync_folder(path)?;
    Ok(aside)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn rename(from: &Path, to: &Path) -> Result<(), DeliveryError> {
    fs::rename(from, to).map_err(|source| DeliveryError::File {
        path: from.to_path_buf(),
        source,
    })
}

/// Removes a file, where it is there.
fn remove(path: &Path) -> Result<(), DeliveryError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(DeliveryError::File {
            path: path.to_path_buf(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Makes the names durable.
fn sync_folder(path: &Path) -> Result<(), DeliveryError> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| DeliveryError::File {
        path: folder.to_path_buf(),
        source,
    })
}
