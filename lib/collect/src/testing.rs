//! Runs of a collector as its tests want them. With the feature `testing` alone: no program has it.

use std::collections::BTreeMap;

use tidemark_settings::{Places, Secret, SecretSource};

use crate::{Batch, ContextBuilder, Metric, Strictness, line, run_once};

/// One run in that context, on a runtime of its own; points that are not declared are an error.
///
/// # Panics
/// Where a runtime cannot be started.
///
/// ```
/// use tidemark_collect::{
///     CollectorError, Context, ManualClock, Measurement, Metric, Points, Schema, Settings, Timestamp, testing,
/// };
///
/// /// Water.
/// #[derive(Measurement)]
/// #[measurement("tide")]
/// struct Tide {
///     /// Above the mark.
///     #[unit("m")]
///     height: f64,
/// }
///
/// /// A mark in the harbour.
/// #[derive(Settings)]
/// struct Mark {}
///
/// impl Metric for Mark {
///     const NAME: &'static str = "mark";
///     const MEASUREMENTS: &'static [&'static Schema] = &[Tide::SCHEMA];
///
///     async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
///         Ok(Points::at(cx.now(), [Tide { height: 0.5 }]))
///     }
/// }
///
/// let batch = testing::run(&Mark {}, Context::builder().clock(ManualClock::new(Timestamp::EPOCH)));
/// assert_eq!(testing::lines(&batch), "tide height=0.5 0\n");
/// ```
#[expect(
    clippy::expect_used,
    reason = "a test that cannot be set up fails: that is how it says so"
)]
pub fn run<M: Metric>(metric: &M, cx: ContextBuilder) -> Batch {
    let cx = cx.metric::<M>().strictness(Strictness::Strict).build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .expect("a runtime of one thread")
        .block_on(run_once(metric, &cx))
}

/// A secret of that text, as settings that name it have it where it is used.
///
/// # Panics
/// Where it cannot be a secret: it is empty, or holds a control character.
#[expect(
    clippy::expect_used,
    reason = "a test that cannot be set up fails: that is how it says so"
)]
pub fn secret(text: &str) -> Secret {
    let environment = BTreeMap::from([("SECRET".to_owned(), text.into())]);
    let places = Places::new(&environment, false, None);
    SecretSource::Environment("SECRET".to_owned())
        .resolve(&environment, &places)
        .expect("a text that can be a secret")
}

/// The points of a run, as a file of expected points has them: in line protocol, a line each.
pub fn lines(batch: &Batch) -> String {
    String::from_utf8_lossy(&line::write(&batch.points, line::Dialect::V1)).into_owned()
}
