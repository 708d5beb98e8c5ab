//! A disk that is full, and one that is read-only: real ones, small file systems in memory, mounted in a namespace of
//! the test's own. Where the system does not allow that, the tests say so and check nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, their helpers too"
)]
#![allow(
    clippy::print_stdout,
    reason = "what a test did not check, and what a child process did"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{at, point};
use tempfile::TempDir;
use tidemark_point::{Point, Timestamp};
use tidemark_store::{Selector, Store, StoreError, StoreOptions};

/// The environment variable that makes a test the process inside.
const FOLDER: &str = "TIDEMARK_STORE_DISK";

/// Runs the test `name` of this file again, in a namespace where `script` was run first with the folder as `$1`.
fn inside(name: &str, script: &str) {
    let folder = TempDir::new().unwrap();
    let program = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg(format!(
            "{script} || exit 77; exec \"$2\" --exact {name} --nocapture"
        ))
        .args(["sh".as_ref(), folder.path().as_os_str(), program.as_os_str()])
        .env(FOLDER, folder.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code() == Some(77) || output.stderr.starts_with(b"unshare:") => {
            println!("not checked: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output) => panic!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => println!("not checked, there is no unshare: {error}"),
    }
}

fn folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the test that starts this process says where to write"
    )]
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

fn batch(run: i64) -> Vec<Point> {
    let text = |n: i64| format!("{:x}", (n * 7919 + run).wrapping_mul(0x5851_f42d_4c95_7f2d)).repeat(8);
    (0..100)
        .map(|n| {
            point(
                "m",
                &[("n", &n.to_string())],
                &[("v", text(n).into())],
                at(run * 60),
            )
        })
        .collect()
}

async fn open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(&folder.join("store.db"), StoreOptions::default()).await
}

async fn stored(store: &mut Store) -> usize {
    let range = store
        .range(&Selector::new(), Timestamp::MIN..Timestamp::MAX)
        .await
        .unwrap();
    assert!(
        range
            .iter()
            .all(|series| series.samples.len() == range[0].samples.len())
    );
    range.first().map_or(0, |series| series.samples.len())
}

#[test]
fn a_full_disk_refuses_whole_batches() {
    inside("full", "mount -t tmpfs -o size=600k tmpfs \"$1\"");
}

#[test]
fn full() {
    let Some(folder) = folder() else { return };
    block_on(async {
        let mut store = open(&folder).await.unwrap();
        let mut promised = 0;
        let error = loop {
            match store.write(&batch(promised), at(0)).await {
                Ok(_) => promised += 1,
                Err(error) => break error,
            }
            assert!(promised < 10_000, "the disk never fills");
        };
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(promised > 0);
        assert_eq!(stored(&mut store).await, usize::try_from(promised).unwrap());
        // Another try fails too, and changes nothing.
        store.write(&batch(promised), at(0)).await.unwrap_err();
        assert_eq!(stored(&mut store).await, usize::try_from(promised).unwrap());
        // A compaction fails in its middle, and changes nothing either; with more room it goes on.
        let error = store.compact().await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert_eq!(stored(&mut store).await, usize::try_from(promised).unwrap());
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,size=4m"]).arg(&folder);
        assert!(mount.status().unwrap().success());
        store.compact().await.unwrap();
        assert_eq!(stored(&mut store).await, usize::try_from(promised).unwrap());
        store.write(&batch(promised), at(0)).await.unwrap();
    });
}

#[test]
fn a_read_only_disk_is_read_and_not_written() {
    let program = "\"$2\" --exact fill --nocapture";
    inside(
        "read_only",
        &format!("mount -t tmpfs tmpfs \"$1\" && {program} && mount -o remount,ro tmpfs \"$1\""),
    );
}

#[test]
fn fill() {
    let Some(folder) = folder() else { return };
    block_on(async {
        let mut store = open(&folder).await.unwrap();
        store.write(&batch(0), at(0)).await.unwrap();
        store.close().await.unwrap();
    });
}

#[test]
fn read_only() {
    let Some(folder) = folder() else { return };
    block_on(async {
        let error = match open(&folder).await {
            Ok(mut store) => store.write(&batch(1), at(0)).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(
            matches!(error, StoreError::ReadOnly { .. } | StoreError::Open { .. }),
            "{error:?}"
        );
        let path = folder.join("new.db");
        let error = Store::open(&path, StoreOptions::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
        let mut store = Store::open_read_only(&folder.join("store.db")).await.unwrap();
        assert_eq!(stored(&mut store).await, 1);
    });
}
