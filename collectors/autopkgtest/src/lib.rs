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
mod running;
mod way;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tidemark_collect::http::{HttpError, TIMEOUT, Url, redacted};
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Timestamp,
    side_by_side,
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
        let now = cx.now();
        let instances = [
            (
                "production",
                &self.production_queue_size,
                &self.production_running,
            ),
            ("staging", &self.staging_queue_size, &self.staging_running),
        ];
        let asked = instances.map(|(_, queue_size, running)| instance(cx, queue_size, running));
        let answers = side_by_side(instances.len(), asked).await;
        let mut parts = Parts::new(cx);
        for ((name, queue_size, running), (queues, tests)) in instances.into_iter().zip(answers) {
            let part = |url| Part {
                cx,
                now,
                instance: name,
                url,
            };
            part(queue_size).take(queues, &mut parts);
            part(running).take(tests, &mut parts);
        }
        parts.end()
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

/// A part of the run: one document of one instance.
struct Part<'a> {
    cx: &'a Context,
    now: Timestamp,
    instance: &'static str,
    url: &'a Url,
}

impl Part<'_> {
    fn take<T: Tree>(&self, document: Result<Document<T>, HttpError>, parts: &mut Parts<'_>) {
        let name = format!("{}'s {}", self.instance, T::WHAT);
        let points = match document {
            Ok(document) => self.points(&name, document),
            Err(error) => Err(error.into()),
        };
        parts.take(name, points);
    }

    /// The document's points; what is missing of it is a gap. An error where nothing of it can be read.
    fn points<T: Tree>(&self, name: &str, document: Document<T>) -> Result<Points, CollectorError> {
        for notice in document.notices.into_lines() {
            self.cx.notice(format_args!("{name}: {notice}"));
        }
        let mut faults = document.faults.into_lines();
        // Of a document that gave nothing, the first fault is why.
        let why = if document.tree.is_empty() {
            faults.next()
        } else {
            None
        };
        for fault in faults {
            self.cx.gap(format_args!("{name}: {fault}"));
        }
        match why {
            Some(why) => {
                let why = format!("no part of it can be read: {why}");
                Err(CollectorError::parse(redacted(self.url), why))
            }
            None => Ok(Points::at(self.now, document.tree.measurements(self.instance))),
        }
    }
}

#[cfg(test)]
mod tests;
