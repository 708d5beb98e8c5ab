//! The collector `autopkgtest`: how long the queues of Ubuntu's autopkgtest service are, and how many tests run.
//!
//! The service has two instances, `production` and `staging`, with two documents each, all JSON:
//!
//! | document | shape | measurement |
//! |---|---|---|
//! | `queue_size.json` | context, release, architecture: a count | `autopkgtest_queue_size` |
//! | `static/running.json` | package, parameters, release, architecture: a list of parameters, seconds, end of the log | `autopkgtest_running` |
//!
//! An instance is asked over one connection, both instances side by side. A document that cannot be read is a gap that
//! names it, and so is each part of a document that is not of this shape; what can be read is submitted. Only where
//! nothing can be read of any of them, the run is an error. A queue that is empty has a point with 0; where no test runs,
//! the service names no release, and there is no point. It says nothing of single tests and their results.
//!
//! ```
//! use tidemark_autopkgtest::Autopkgtest;
//! use tidemark_collect::Metric;
//!
//! assert_eq!(Autopkgtest::NAME, "autopkgtest");
//! let names = Autopkgtest::MEASUREMENTS.iter().map(|schema| schema.measurement);
//! assert!(names.eq(["autopkgtest_queue_size", "autopkgtest_running"]));
//! ```

mod document;
mod queues;
mod remarks;
mod running;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tidemark_collect::http::{HttpError, TIMEOUT, Url, redacted};
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Points, Schema, Settings, Timestamp, chain,
};

use crate::document::{Document, Tree};
use crate::queues::Queues;
use crate::running::Running;

/// The longest document that is read: twenty times what the longest is.
const MAX_BYTES: u64 = 8 << 20;

/// Tests that wait for a machine.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("autopkgtest_queue_size")]
struct QueueSize {
    /// What the tests are for: `ubuntu`, `huge`, `ppa`, `upstream`.
    #[tag]
    context: String,
    /// The release that they test, by its codename.
    #[tag]
    release: String,
    /// The architecture that they run on.
    #[tag]
    arch: String,
    /// `production` or `staging`.
    #[tag]
    instance: &'static str,
    /// Tests in the queue.
    count: i64,
}

/// Tests that run.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("autopkgtest_running")]
struct RunningTests {
    /// The release that they test, by its codename.
    #[tag]
    release: String,
    /// The architecture that they run on.
    #[tag]
    arch: String,
    /// `production` or `staging`.
    #[tag]
    instance: &'static str,
    /// Tests that run: a package with other parameters is another test.
    count: i64,
}

/// The queues and the running tests of Ubuntu's autopkgtest service.
#[derive(Debug, Settings)]
pub struct Autopkgtest {
    /// The queues of the production instance.
    #[default("https://autopkgtest.ubuntu.com/queue_size.json")]
    production_queue_size: Url,
    /// The running tests of the production instance.
    #[default("https://autopkgtest.ubuntu.com/static/running.json")]
    production_running: Url,
    /// The queues of the staging instance.
    #[default("https://autopkgtest.staging.ubuntu.com/queue_size.json")]
    staging_queue_size: Url,
    /// The running tests of the staging instance.
    #[default("https://autopkgtest.staging.ubuntu.com/static/running.json")]
    staging_running: Url,
}

impl Metric for Autopkgtest {
    const NAME: &'static str = "autopkgtest";
    const NEEDS: Needs = Needs::NETWORK;
    const MEASUREMENTS: &'static [&'static Schema] = &[QueueSize::SCHEMA, RunningTests::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let (production, staging) = tokio::join!(
            instance(cx, &self.production_queue_size, &self.production_running),
            instance(cx, &self.staging_queue_size, &self.staging_running),
        );
        let mut run = Run::new(cx);
        let (queues, running) = production;
        run.take("production", &self.production_queue_size, queues);
        run.take("production", &self.production_running, running);
        let (queues, running) = staging;
        run.take("staging", &self.staging_queue_size, queues);
        run.take("staging", &self.staging_running, running);
        run.end()
    }
}

/// Asks one instance for its two documents, one after the other, which are one connection.
async fn instance(
    cx: &Context,
    queue_size: &Url,
    running: &Url,
) -> (
    Result<Document<Queues>, HttpError>,
    Result<Document<Running>, HttpError>,
) {
    // One that hangs leaves time for the other.
    let queues = document(cx, queue_size, TIMEOUT.min(cx.remaining() / 2)).await;
    (queues, document(cx, running, TIMEOUT).await)
}

async fn document<T: DeserializeOwned>(cx: &Context, url: &Url, timeout: Duration) -> Result<T, HttpError> {
    cx.http()
        .get(url)
        .max_bytes(MAX_BYTES)
        .timeout(timeout)
        .json()
        .await
}

/// A run: the points so far, and how many documents gave something.
struct Run<'a> {
    cx: &'a Context,
    now: Timestamp,
    points: Points,
    read: usize,
    first_failure: Option<CollectorError>,
}

impl<'a> Run<'a> {
    fn new(cx: &'a Context) -> Self {
        Self {
            cx,
            now: cx.now(),
            points: Points::new(),
            read: 0,
            first_failure: None,
        }
    }

    /// Adds the points of an instance's document; what is missing of it is a gap.
    fn take<T: Tree>(&mut self, instance: &'static str, url: &Url, document: Result<Document<T>, HttpError>) {
        let what = format!("{instance}'s {}", T::WHAT);
        let error = match document {
            Ok(document) => {
                let is_useless = document.tree.is_empty() && !document.faults.is_empty();
                for fault in document.faults.into_lines() {
                    self.cx.gap(format_args!("{what}: {fault}"));
                }
                for notice in document.notices.into_lines() {
                    self.cx.notice(format_args!("{what}: {notice}"));
                }
                self.points
                    .extend_at(self.now, document.tree.measurements(instance));
                if !is_useless {
                    self.read += 1;
                    return;
                }
                CollectorError::parse(redacted(url), "no part of it can be read")
            }
            Err(error) => {
                let error = CollectorError::from(error);
                self.cx.gap(format_args!("{what}: {}", chain(&error)));
                error
            }
        };
        self.first_failure.get_or_insert(error);
    }

    /// The points; an error where no document gave any.
    fn end(self) -> Result<Points, CollectorError> {
        match self.first_failure {
            Some(first) if self.read == 0 => Err(CollectorError::caused(
                "none of the four documents of autopkgtest can be read; the first",
                first,
            )),
            _ => Ok(self.points),
        }
    }
}

#[cfg(test)]
mod tests;
