//! Runs of many parts.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::Cell;
use std::time::Duration;

use tidemark_collect::{
    CollectorError, Context, Measurement, NOTE_LENGTH_LIMIT, Parts, Points, Timestamp, chain, side_by_side,
};
use tokio::time::{Instant, sleep};

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Queue {
    /// Entries in it.
    count: Option<i64>,
}

fn points(count: i64) -> Points {
    Points::at(Timestamp::EPOCH, [Queue { count: Some(count) }])
}

fn failed(why: &str) -> Result<Points, CollectorError> {
    Err(CollectorError::parse("http://h/x", why.to_owned()))
}

#[test]
fn what_fails_is_a_gap_and_the_others_go_on() {
    let cx = Context::builder().build();
    let mut parts = Parts::new(&cx);
    parts.take("noble", Ok(points(1)));
    parts.take(format_args!("jammy's {}", "report"), failed("it is torn"));
    parts.take("focal", Ok(points(2)));
    let points = parts.end().unwrap();
    let counts: Vec<_> = points.iter().map(|point| point.field("count").cloned()).collect();
    assert_eq!(counts, [Some(1_i64.into()), Some(2_i64.into())]);
    assert_eq!(
        cx.take_gaps(),
        ["jammy's report: http://h/x does not have the form that was expected: it is torn"]
    );
}

#[test]
fn what_was_changed_in_a_part_is_counted() {
    let cx = Context::builder().build();
    let mut parts = Parts::new(&cx);
    parts.take("noble", Ok(Points::at(Timestamp::EPOCH, [Queue { count: None }])));
    assert!(!parts.end().unwrap().adjustments().is_empty());
}

#[test]
fn a_part_that_has_nothing_to_say_did_not_fail() {
    let cx = Context::builder().build();
    let mut parts = Parts::new(&cx);
    parts.take("noble", failed("x"));
    parts.take("jammy", Ok(Points::new()));
    assert!(parts.end().unwrap().is_empty());
    assert!(Parts::new(&cx).end().unwrap().is_empty());
}

#[test]
fn where_all_fail_the_run_fails_and_says_of_how_many_and_what_first() {
    let cx = Context::builder().build();
    let mut parts = Parts::new(&cx);
    parts.take("noble", failed("torn"));
    parts.take("jammy", failed("gone"));
    assert_eq!(
        chain(&parts.end().unwrap_err()),
        "none of the 2 parts gave anything; the first, noble: http://h/x does not have the form that was expected: torn"
    );
    assert_eq!(cx.take_gaps().len(), 2);
    let mut parts = Parts::new(&cx);
    parts.take("noble", failed("torn"));
    let said = chain(&parts.end().unwrap_err());
    assert!(said.starts_with("noble: http://h/x does not"), "{said}");
}

#[test]
fn names_and_reasons_of_any_length_are_bounded() {
    let cx = Context::builder().build();
    let mut parts = Parts::new(&cx);
    parts.take("n".repeat(1_000_000), failed(&"x".repeat(1_000_000)));
    parts.take("jammy", Ok(points(1)));
    parts.end().unwrap();
    assert!(cx.take_gaps().iter().all(|gap| gap.len() <= NOTE_LENGTH_LIMIT));
}

#[tokio::test(start_paused = true)]
async fn so_many_at_a_time_and_outputs_in_order() {
    let (now, most, ended) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let began = Instant::now();
    let futures = (0..10_u64).map(|number| {
        let (now, most, ended) = (&now, &most, &ended);
        async move {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            // The first takes as long as all others.
            sleep(Duration::from_secs(if number == 0 { 4 } else { 1 })).await;
            now.set(now.get() - 1);
            ended.set(ended.get() + 1);
            (number, ended.get())
        }
    });
    let outputs = side_by_side(3, futures).await;
    assert_eq!(most.get(), 3);
    assert!(outputs.iter().map(|(number, _)| *number).eq(0..10));
    // Nine seconds of work in the two places beside it: nobody waited for it.
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn none_at_a_time_is_one_and_none_at_all_is_none() {
    assert_eq!(
        side_by_side(0, (0..3).map(async |number| number)).await,
        [0, 1, 2]
    );
    assert_eq!(
        side_by_side(usize::MAX, (0..3).map(async |number| number)).await,
        [0, 1, 2]
    );
    let none: Vec<std::future::Ready<u8>> = Vec::new();
    assert!(side_by_side(4, none).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropping_all_drops_each() {
    let ended = Cell::new(0);
    let futures = (0..4).map(|_| async {
        sleep(Duration::from_secs(60)).await;
        ended.set(ended.get() + 1);
    });
    let all = side_by_side(2, futures);
    assert!(tokio::time::timeout(Duration::from_secs(1), all).await.is_err());
    sleep(Duration::from_secs(600)).await;
    assert_eq!(ended.get(), 0);
}
