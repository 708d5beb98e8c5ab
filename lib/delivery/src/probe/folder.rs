//! The sinks that are on this host: the store, and a folder of text files. They are looked at, nothing is written.

use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::io::Errno;
use tidemark_collect::chain;
use tidemark_settings::{Size, StoreSettings};
use tidemark_store::{Store, StoreError};

use super::Finding;
use crate::words::words;

/// The store's file in the state folder.
const STORE: &str = "store.db";

/// Opens the store for reading, and says what it holds.
pub(super) async fn store(dir: &Path, settings: &StoreSettings) -> Vec<Finding> {
    const STEP: &str = "store";
    let path = dir.join(STORE);
    let keep = format!("{} are kept, at most {}", settings.keep, settings.max_bytes);
    match std::fs::File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::ok(
                STEP,
                format!("not made yet: the first run makes it; {keep}"),
            )];
        }
        Err(error) => {
            let found = format!("{} cannot be read: {error}", path.display());
            return vec![Finding::failed(
                STEP,
                found,
                "run this as the state's owner or as root",
            )];
        }
        Ok(_) => {}
    }
    let mut looked = look(&path).await;
    if looked.as_ref().is_err_and(StoreError::is_damage) {
        // Somebody may have written meanwhile.
        looked = look(&path).await;
    }
    vec![match looked {
        Ok(Some((bytes, samples))) => {
            let found = format!("{} with {samples} samples; {keep}", size(bytes));
            Finding::ok(STEP, found)
        }
        Ok(None) => Finding::not_tried(
            STEP,
            "a process was killed while it wrote: the next run opens it and goes on from its log",
        ),
        Err(error) => unusable(STEP, &path, &error),
    }]
}

/// Why the store cannot be read, and what to do.
fn unusable(step: &'static str, path: &Path, error: &StoreError) -> Finding {
    let path = path.display();
    match error {
        StoreError::Newer { found, known, .. } => {
            let found = format!("{path} has format {found}, newer than {known}");
            Finding::failed(step, found, "update tidemark, or move the file away")
        }
        StoreError::Foreign { .. } => {
            let found = format!("{path} is an SQLite file of something else");
            Finding::failed(step, found, "move it away")
        }
        StoreError::Damaged { what, .. } => {
            let advice = "the next run sets it aside and begins a new one; look at the disk, too";
            Finding::failed(step, format!("{path} is damaged: {what}"), advice)
        }
        error => Finding::failed(
            step,
            words(&chain(error)),
            "look at the disk and the kernel's log",
        ),
    }
}

/// Its bytes in use and its samples; nothing where it cannot be looked at without touching it.
async fn look(path: &Path) -> Result<Option<(u64, u64)>, StoreError> {
    let Some(mut store) = Store::open_untouched(path).await? else {
        return Ok(None);
    };
    let statistics = store.statistics().await;
    store.close().await?;
    statistics.map(|of| Some((of.bytes, of.samples)))
}

/// Whether files can be written there, and what becomes of them.
pub(super) fn textfile(directory: &Path) -> Vec<Finding> {
    const STEP: &str = "folder";
    let shown = directory.display();
    let user = rustix::process::geteuid().as_raw();
    let made = format!("make it: install -d -m 0755 -o {user} {shown}; or mend the sink's directory");
    let found = match std::fs::metadata(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::failed(STEP, format!("{shown} is not there"), made)];
        }
        Err(error) => {
            let found = format!("{shown} cannot be looked at: {error}");
            return vec![Finding::failed(
                STEP,
                found,
                "let this user enter the folders above it",
            )];
        }
        Ok(found) => found,
    };
    if !found.is_dir() {
        let found = format!("{shown} is no folder");
        return vec![Finding::failed(
            STEP,
            found,
            "name a folder as the sink's directory",
        )];
    }
    // With the effective user: root may have become the state's owner.
    match accessat(
        CWD,
        directory,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    ) {
        Ok(()) => {}
        Err(Errno::ROFS) => {
            let found = format!("{shown} is on a file system that is mounted read-only");
            return vec![Finding::failed(
                STEP,
                found,
                "mount it for writing, or name another directory",
            )];
        }
        Err(_) => {
            use std::os::unix::fs::MetadataExt as _;
            let found = format!(
                "user {user}, whose the state is, may not write in {shown} (user {}'s)",
                found.uid()
            );
            let advice = format!("chown {user} {shown}, or give that user's group the right");
            return vec![Finding::failed(STEP, found, advice)];
        }
    }
    let mut findings = vec![Finding::ok(STEP, format!("{shown} can be written"))];
    findings.extend(room(directory));
    findings.push(Finding::ok(
        "reader",
        format!("node_exporter reads it with --collector.textfile.directory={shown}"),
    ));
    findings
}

/// What is worth saying of the room on the disk.
fn room(directory: &Path) -> Option<Finding> {
    let disk = statvfs(directory).ok()?;
    (disk.f_bavail == 0).then(|| {
        let found = format!("no room is left on the disk of {}", directory.display());
        Finding::failed("disk", found, "free space on it")
    })
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    let mib = bytes.div_ceil(1024 * 1024);
    Size::mib(mib).to_string()
}
