//! From a run's points to the places that keep them: the durable outbox, its ledger, and the sinks.
//!
//! A run commits its points, its record and its `tidemark_run` point in one transaction ([`Delivery::submit`]), then
//! delivers what waits for at most [`RUN_BUDGET`] ([`Delivery::deliver`]). A process that stays commits runs of many
//! targets together ([`Delivery::submit_all`]). What a sink did not take stays in the outbox
//! for the next run or the flush. A batch leaves the outbox only on the sink's word; a bad point is found and set
//! aside with the server's words, and the others go through. Per sink, the ledger says what became of every point.
//!
//! What it is not: it collects nothing, reads no settings file and no environment, and knows no clock but the one that
//! it is handed. The tables are described in `FORMAT.md`.
//!
//! [`Delivery::open`] never refuses to start: where there can be no outbox (a read-only folder, a newer version, a full
//! disk), it says so in [`Delivery::take_notices`] and delivers directly. It logs what an operator must know (`tracing`), so
//! callers need not.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tidemark_collect::ManualClock;
//! use tidemark_delivery::{Budget, Delivery, OpenOptions, Run, Sinks};
//! use tidemark_point::{Adjustments, Point, Timestamp};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let folder = tempfile::tempdir().unwrap();
//! let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_700_000_000).unwrap()));
//! let options = OpenOptions::new(folder.path(), "hostname", Sinks::discard("nowhere"), clock);
//! let mut delivery = Delivery::open(options).await;
//!
//! let now = Timestamp::from_secs(1_700_000_000).unwrap();
//! let point = Point::builder("load").field("load1", 0.25).time(now).build(&mut Adjustments::default()).unwrap();
//! let run = Run { duration: Duration::from_millis(12), ..Run::new("host", now, Duration::from_secs(60)) };
//! delivery.submit(&run, &[point]).await.unwrap();
//! let report = delivery.deliver(Budget::Run).await;
//! assert!(report.is_drained());
//!
//! let ledger = delivery.outbox().unwrap().ledger().await.unwrap();
//! assert_eq!((ledger[0].collected, ledger[0].delivered), (2, 2)); // the load, and tidemark_run
//! delivery.close().await;
//! # });
//! ```

mod backoff;
mod bisect;
mod body;
mod carry;
mod delivery;
mod direct;
mod endpoint;
mod error;
mod lines;
mod lock;
mod outbox;
mod plan;
mod policy;
mod probe;
mod report;
mod run;
mod session;
mod sink;
mod submission;
mod words;

pub use backoff::LONGEST_BACKOFF;
pub use body::dry_run_body;
pub use delivery::{Budget, Delivery, OpenOptions, RUN_BUDGET};
pub use error::DeliveryError;
pub use outbox::{
    DropSelection, Dropped, Look, MAX_REJECTED_BYTES, MAX_REJECTED_POINTS, Mended, Outbox, RUNS_KEPT,
    RejectedPoint, SinkLedger, TARGETS_KEPT, Taken, WaitingBatch, Whole,
};
pub use probe::{CLOCK_BOUND, Finding, PROBE_TIME, Verdict};
pub use report::{Report, SinkReport, SinkState};
pub use run::{RUN_SCHEMA, Run, SINK_SCHEMA};
pub use sink::{FLUSH_NAME, SinkSpec, Sinks, SinksError};
