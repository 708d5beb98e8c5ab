//! What a run reads of the host, and what it notes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::time::Duration;

use tidemark_collect::{
    CollectorError, Context, HOST_FILE_LIMIT, ManualClock, NOTE_LENGTH_LIMIT, NOTE_LIMIT, Timestamp, chain,
};

fn host() -> (tempfile::TempDir, Context) {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("proc")).unwrap();
    let cx = Context::builder().host_root(root.path()).build();
    (root, cx)
}

#[test]
fn the_clock_is_the_one_that_was_handed_in() {
    let clock = std::sync::Arc::new(ManualClock::new(Timestamp::EPOCH));
    let cx = Context::builder().clock(std::sync::Arc::clone(&clock)).build();
    assert_eq!(cx.now(), Timestamp::EPOCH);
    clock.advance(Duration::from_nanos(7));
    assert_eq!(cx.now().nanos(), 7);
    clock.set(Timestamp::EPOCH);
    assert_eq!(cx.clock().now(), Timestamp::EPOCH);
}

#[test]
fn the_systems_clock_is_after_this_was_written() {
    assert!(Context::builder().build().now() > Timestamp::from_secs(1_700_000_000).unwrap());
}

#[test]
fn files_are_read_below_the_root() {
    let (root, cx) = host();
    std::fs::write(root.path().join("proc/loadavg"), "0.5 1 2\n").unwrap();
    assert_eq!(cx.read_host("/proc/loadavg").unwrap(), "0.5 1 2\n");
    assert_eq!(cx.read_host("proc/loadavg").unwrap(), "0.5 1 2\n");
    assert_eq!(
        cx.host_path("/proc/../../etc//./x"),
        root.path().join("proc/etc/x")
    );
    assert_eq!(cx.read_host_bytes("/proc/loadavg").unwrap(), b"0.5 1 2\n");
    assert_eq!(cx.list_host("/proc").unwrap(), ["loadavg"]);
    assert_eq!(
        Context::builder().build().host_path("/proc/stat"),
        std::path::Path::new("/proc/stat")
    );
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let (root, cx) = host();
    let root = root.path().display();
    let error = cx.read_host("/proc/none").unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(
        chain(&error),
        format!("cannot read {root}/proc/none: No such file or directory (os error 2)")
    );
    let error = cx.read_host("/proc").unwrap_err();
    assert!(!error.is_not_found());
    assert_eq!(
        chain(&error),
        format!("cannot read {root}/proc: Is a directory (os error 21)")
    );
    assert!(cx.list_host("/none").unwrap_err().is_not_found());
}

#[test]
fn a_file_that_is_not_text_or_too_long_is_refused() {
    let (root, cx) = host();
    std::fs::write(root.path().join("proc/latin"), b"caf\xe9").unwrap();
    let error = cx.read_host("/proc/latin").unwrap_err();
    assert!(
        matches!(error, CollectorError::NotText { at: 3, .. }),
        "{error:?}"
    );
    let huge = std::fs::File::create(root.path().join("proc/huge")).unwrap();
    huge.set_len(HOST_FILE_LIMIT).unwrap();
    assert_eq!(cx.read_host("/proc/huge").unwrap().len() as u64, HOST_FILE_LIMIT);
    huge.set_len(1 << 40).unwrap();
    let error = cx.read_host("/proc/huge").unwrap_err();
    assert!(
        matches!(
            error,
            CollectorError::TooLarge {
                limit: HOST_FILE_LIMIT,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn notes_are_bounded_in_number_and_length() {
    let cx = Context::builder().build();
    for number in 0..NOTE_LIMIT + 5 {
        cx.gap(number);
    }
    let gaps = cx.take_gaps();
    assert_eq!(gaps.len(), NOTE_LIMIT + 1);
    assert_eq!(gaps[NOTE_LIMIT], "and 5 more");
    assert_eq!(cx.take_gaps(), Vec::<String>::new());
    cx.notice("é".repeat(1_000_000));
    cx.notice("one\nline");
    let notices = cx.take_notices();
    assert!(
        notices[0].len() <= NOTE_LENGTH_LIMIT && notices[0].ends_with("é…"),
        "{}",
        notices[0]
    );
    assert_eq!(notices[1], "one line");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_start_of_the_run() {
    let cx = Context::builder().deadline(Duration::from_secs(60)).build();
    tokio::time::advance(Duration::from_secs(45)).await;
    assert_eq!(cx.remaining(), Duration::from_secs(15));
    cx.begin_run();
    assert_eq!(cx.remaining(), Duration::from_secs(60));
    tokio::time::advance(Duration::from_secs(90)).await;
    assert_eq!(cx.remaining(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_turn_leaves_time_for_others() {
    let cx = Context::builder().deadline(Duration::from_secs(600)).build();
    assert_eq!(cx.turn(), Duration::from_secs(30));
    tokio::time::advance(Duration::from_secs(560)).await;
    assert_eq!(cx.turn(), Duration::from_secs(10));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(cx.turn(), Duration::ZERO);
}

#[test]
fn an_interval_of_nothing_is_a_millisecond() {
    assert_eq!(
        Context::builder().interval(Duration::ZERO).build().interval(),
        Duration::from_millis(1)
    );
}

#[test]
fn equal_trust_is_one_client() {
    let cx = Context::builder().build();
    let named = |cx: &Context, path: &str| cx.http_for(Some(std::path::Path::new(path)), false);
    let of_target = cx.for_target("one");
    assert!(named(&cx, "/ca.pem").is_same(&named(&of_target, "/ca.pem")));
    assert!(!named(&cx, "/ca.pem").is_same(&named(&cx, "/other.pem")));
    assert!(!named(&cx, "/ca.pem").is_same(&cx.http_for(None, true)));
    // For many servers, with connections of its own.
    assert!(cx.http_for(None, false).is_same(&of_target.http_for(None, false)));
    assert!(!cx.http_for(None, false).is_same(&cx.http()));
}
