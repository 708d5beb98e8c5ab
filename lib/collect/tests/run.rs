//! One run, and runs at an interval. Time is tokio's and stands still but for the runs' own waiting.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidemark_collect::{
    Batch, BatchReceiver, Batches, CollectorError, Context, ManualClock, Measurement, Metric, Points, Schema,
    Settings, Shutdown, ShutdownTrigger, Strictness, Timestamp, run_once,
};
use tokio::time::Instant;

/// A count.
#[derive(Measurement)]
#[measurement("count")]
struct Count {
    /// The run's number.
    run: i64,
}

/// Something else.
#[derive(Measurement)]
#[measurement("other")]
struct Other {
    /// A value.
    value: f64,
}

/// What a run does.
type Act = fn(usize, &Context) -> (Duration, Result<Points, CollectorError>);

struct Scripted {
    act: Act,
    runs: AtomicUsize,
}

impl Scripted {
    fn new(act: Act) -> Self {
        Self {
            act,
            runs: AtomicUsize::new(0),
        }
    }
}

impl tidemark_collect::Section for Scripted {
    const SUMMARY: &'static str = <Nothing as tidemark_collect::Section>::SUMMARY;
    const KEYS: &'static [tidemark_collect::__private::settings::Key] = &[];

    fn read(_: &mut tidemark_collect::__private::settings::SectionReader<'_>) -> Option<Self> {
        None
    }
}

/// Nothing to set.
#[derive(Settings)]
struct Nothing {}

impl Metric for Scripted {
    const NAME: &'static str = "scripted";
    const MEASUREMENTS: &'static [&'static Schema] = &[Count::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        let (takes, result) = (self.act)(run, cx);
        tokio::time::sleep(takes).await;
        result
    }
}

fn count(run: usize, cx: &Context) -> Points {
    Points::at(
        cx.now(),
        [Count {
            run: i64::try_from(run).unwrap(),
        }],
    )
}

fn context() -> tidemark_collect::ContextBuilder {
    Context::builder()
        .clock(ManualClock::new(Timestamp::EPOCH))
        .deadline(Duration::from_secs(60))
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_run_has_points_and_what_was_noted() {
    let metric = Scripted::new(|run, cx| {
        cx.gap("one disk did not answer");
        cx.notice(format_args!("{} left", cx.remaining().as_secs()));
        (2 * SECOND, Ok(count(run, cx)))
    });
    let cx = context().build();
    cx.gap("of before the run");
    let batch = run_once(&metric, &cx).await;
    assert_eq!(batch.error, None);
    assert_eq!(batch.points.len(), 1);
    assert_eq!((batch.started, batch.duration), (Timestamp::EPOCH, 2 * SECOND));
    assert_eq!(
        (batch.gaps, batch.notices),
        (
            vec!["one disk did not answer".to_owned()],
            vec!["60 left".to_owned()]
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_says_why_and_keeps_what_was_noted() {
    let metric = Scripted::new(|_, cx| {
        cx.notice("tried");
        (SECOND, Err(CollectorError::parse("/proc/stat", "no cpu")))
    });
    let batch = run_once(&metric, &context().build()).await;
    assert_eq!(
        batch.error.as_deref(),
        Some("/proc/stat does not have the form that was expected: no cpu")
    );
    assert_eq!(
        (batch.points.len(), batch.is_ok(), batch.is_partial()),
        (0, false, false)
    );
    assert_eq!(batch.notices, ["tried"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_too_slow_ends_at_its_deadline() {
    let metric = Scripted::new(|run, cx| (3600 * SECOND, Ok(count(run, cx))));
    let batch = run_once(&metric, &context().build()).await;
    assert_eq!(batch.duration, 60 * SECOND);
    assert_eq!(
        batch.error.as_deref(),
        Some("the run was not done within its deadline of 60 s: see what is slow, or raise `deadline`")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_adjusted_is_a_notice() {
    let metric = Scripted::new(|run, cx| {
        let mut points = count(run, cx);
        points.push(Other { value: f64::NAN }, cx.now());
        (SECOND, Ok(points))
    });
    let batch = run_once(&metric, &context().build()).await;
    assert_eq!(batch.points.len(), 1);
    assert_eq!(batch.notices.len(), 1, "{:?}", batch.notices);
    assert!(
        batch.notices[0].contains("not a number left out"),
        "{:?}",
        batch.notices
    );
}

#[tokio::test(start_paused = true)]
async fn undeclared_points_are_an_error_in_a_dry_run_and_a_notice_in_a_run() {
    let undeclared: Act = |run, cx| {
        let mut points = count(run, cx);
        points.push(Other { value: 1.0 }, cx.now());
        (SECOND, Ok(points))
    };
    let batch = run_once(&Scripted::new(undeclared), &context().build()).await;
    assert_eq!((batch.error, batch.points.len()), (None, 1));
    assert!(
        batch.notices[0].starts_with("measurement `other` is not declared"),
        "{:?}",
        batch.notices
    );
    let strict = context().strictness(Strictness::Strict).build();
    let batch = run_once(&Scripted::new(undeclared), &strict).await;
    assert_eq!(batch.points.len(), 0);
    let error = batch.error.unwrap();
    assert!(
        error.starts_with("a point is not as the collector declares it: measurement `other`"),
        "{error}"
    );
}

/// Runs at an interval of 10 s in a task of its own.
struct Running {
    batches: BatchReceiver,
    trigger: ShutdownTrigger,
    task: tokio::task::JoinHandle<Result<(), CollectorError>>,
}

fn every(act: Act) -> Running {
    let (trigger, shutdown) = Shutdown::new();
    let cx = context().interval(10 * SECOND).shutdown(shutdown).build();
    let (mut out, batches) = Batches::channel::<Scripted>(100, Strictness::Lenient);
    let task = tokio::spawn(async move { Scripted::new(act).every(&cx, &mut out).await });
    Running {
        batches,
        trigger,
        task,
    }
}

/// When the next batches came, in seconds from `begin`, and the number that each says.
async fn arrivals(running: &mut Running, begin: Instant, count: usize) -> Vec<(u64, Option<i64>)> {
    let mut arrivals = Vec::new();
    for _ in 0..count {
        let batch = running.batches.recv().await.unwrap();
        let run = batch.points.first().map(|point| match point.field("run") {
            Some(tidemark_collect::Value::Int(run)) => *run,
            other => panic!("{other:?}"),
        });
        arrivals.push((begin.elapsed().as_secs(), run));
    }
    arrivals
}

#[tokio::test(start_paused = true)]
async fn runs_come_at_each_tick() {
    let begin = Instant::now();
    let mut running = every(|run, cx| (SECOND, Ok(count(run, cx))));
    assert_eq!(
        arrivals(&mut running, begin, 3).await,
        [(1, Some(1)), (11, Some(2)), (21, Some(3))]
    );
}

#[tokio::test(start_paused = true)]
async fn ticks_that_pass_during_a_run_are_skipped() {
    let begin = Instant::now();
    let mut running = every(|run, cx| (if run == 1 { 34 * SECOND } else { SECOND }, Ok(count(run, cx))));
    // The next whole tick after 34 s is that at 40 s; none is made up for.
    assert_eq!(
        arrivals(&mut running, begin, 3).await,
        [(34, Some(1)), (35, Some(2)), (41, Some(3))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_is_a_batch_and_the_next_one_comes() {
    let begin = Instant::now();
    let mut running = every(|run, cx| match run {
        1 => (SECOND, Err(CollectorError::other("away"))),
        _ => (SECOND, Ok(count(run, cx))),
    });
    assert_eq!(arrivals(&mut running, begin, 2).await, [(1, None), (11, Some(2))]);
}

#[tokio::test(start_paused = true)]
async fn the_signal_ends_it_between_runs() {
    let mut running = every(|run, cx| (SECOND, Ok(count(run, cx))));
    running.batches.recv().await.unwrap();
    let begin = Instant::now();
    running.trigger.fire();
    assert!(running.task.await.unwrap().is_ok());
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(running.batches.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn the_signal_leaves_a_run_a_little_time() {
    for (takes, error) in [
        (6 * SECOND, None),
        (60 * SECOND, Some("stopped before the run was done")),
    ] {
        let act: Act = if error.is_none() {
            |run, cx| (6 * SECOND, Ok(count(run, cx)))
        } else {
            |run, cx| (60 * SECOND, Ok(count(run, cx)))
        };
        let mut running = every(act);
        tokio::time::sleep(2 * SECOND).await;
        running.trigger.fire();
        let batch = running.batches.recv().await.unwrap();
        assert_eq!(batch.error.as_deref(), error, "{takes:?}");
        assert_eq!(batch.duration, if error.is_none() { takes } else { 7 * SECOND });
        assert!(running.task.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_where_nobody_takes_batches() {
    let running = every(|run, cx| (SECOND, Ok(count(run, cx))));
    drop(running.batches);
    assert!(matches!(running.task.await.unwrap(), Err(CollectorError::Closed)));
}

/// A batch of so many points.
fn large(cx: &Context, points: usize) -> Batch {
    let one = count(1, cx);
    let mut many = Points::new();
    for _ in 0..points {
        many.append(one.clone());
    }
    Batch::new(cx, cx.now(), SECOND, Ok(many))
}

#[tokio::test(start_paused = true)]
async fn who_is_ahead_by_many_points_waits() {
    let cx = context().build();
    let (mut out, mut batches) = Batches::channel::<Scripted>(100, Strictness::Lenient);
    let mut other = out.clone();
    out.send(large(&cx, 60_000)).await.unwrap();
    let mut waits = tokio::spawn(async move {
        other.send(large(&context().build(), 10)).await.unwrap();
        other
            .send(Batch::new(
                &context().build(),
                Timestamp::EPOCH,
                SECOND,
                Ok(Points::new()),
            ))
            .await
    });
    assert!(tokio::time::timeout(SECOND, &mut waits).await.is_err());
    assert_eq!(batches.recv().await.unwrap().points.len(), 60_000);
    waits.await.unwrap().unwrap();
    assert_eq!(batches.try_recv().unwrap().points.len(), 10);
    assert_eq!(batches.try_recv().unwrap().points.len(), 0);
    assert!(batches.try_recv().is_none());
    // Who waits for room ends with who takes.
    out.send(large(&cx, 50_000)).await.unwrap();
    let waits = tokio::spawn(async move { out.send(large(&context().build(), 1)).await });
    tokio::task::yield_now().await;
    drop(batches);
    assert!(matches!(waits.await.unwrap(), Err(CollectorError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn targets_have_gaps_of_their_own() {
    let cx = context().build();
    let one = cx.for_target("one");
    one.gap("away");
    assert_eq!(cx.take_gaps(), Vec::<String>::new());
    let batch = Batch::new(&one, cx.now(), SECOND, Ok(Points::new()));
    assert_eq!((batch.target.as_deref(), batch.is_partial()), (Some("one"), true));
}

#[tokio::test]
async fn a_shutdown_without_a_trigger_never_fires() {
    let (trigger, shutdown) = Shutdown::new();
    drop(trigger);
    assert!(!shutdown.is_fired());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), shutdown.fired())
            .await
            .is_err()
    );
    let shutdown = Arc::new(Shutdown::never());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), shutdown.fired())
            .await
            .is_err()
    );
}
