//! The collector `upload-queues`: uploads to Ubuntu that wait for a decision, as Launchpad lists them.
//!
//! Each active series has two queues of uploads to its pocket Proposed: `Unapproved` (to a series that is frozen or
//! released) and `New` (of packages that are new to it). Of each queue there is a point:
//!
//! | measurement | what it says |
//! |---|---|
//! | `ubuntu_queue_size` | how many uploads wait |
//! | `queue_ages` | how long the oldest has waited, and how many have waited for more than ten days |
//! | `ubuntu_new_queue_size` | of `New` alone, how many hold sources, binaries, or are copies; one may be more than one of these |
//!
//! Launchpad says which series are active and which is in development; where it does not, the package distro-info-data does.
//! An empty queue has points with 0. Ages are whole days: a day that is not over does not count. A queue that cannot be
//! read is a gap, and so is what cannot be read of an upload; only where no queue can be read, the run is an error.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_upload_queues::UploadQueues;
//!
//! assert_eq!(UploadQueues::NAME, "upload-queues");
//! let names = UploadQueues::MEASUREMENTS.iter().map(|schema| schema.measurement);
//! assert!(names.eq(["ubuntu_queue_size", "queue_ages", "ubuntu_new_queue_size"]));
//! ```

mod found;
pub mod queue;
mod series;
pub mod upload;

use tidemark_collect::http::Url;
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Timestamp,
    side_by_side,
};
use tidemark_ubuntu::launchpad::{LIMIT, Launchpad};
use tidemark_ubuntu::{Remarks, distro_info};

use crate::queue::Queue;
use crate::upload::Entry;

/// Uploads that wait in a queue.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("ubuntu_queue_size")]
struct QueueSize {
    /// Whether the series is the one in development: `True` or `False`.
    #[tag]
    devel: &'static str,
    /// The queue: `Unapproved` or `New`.
    #[tag]
    status: &'static str,
    /// The series, by its codename.
    #[tag]
    release: String,
    /// Uploads in the queue.
    count: i64,
}

/// How long the uploads in a queue have waited.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("queue_ages")]
struct QueueAges {
    /// Whether the series is the one in development: `True` or `False`.
    #[tag]
    devel: &'static str,
    /// The queue: `Unapproved` or `New`.
    #[tag]
    status: &'static str,
    /// The series, by its codename.
    #[tag]
    release: String,
    /// Age of the oldest, in whole days; 0 where there is none.
    #[unit("d")]
    oldest_age_in_days: i64,
    /// Uploads of more than ten whole days.
    ten_day_backlog_count: i64,
}

/// Uploads of new packages that wait, by what they are.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("ubuntu_new_queue_size")]
struct NewQueueSize {
    /// Whether the series is the one in development: `True` or `False`.
    #[tag]
    devel: &'static str,
    /// The series, by its codename.
    #[tag]
    release: String,
    /// `source`, `binary` or `sync`.
    #[tag]
    #[name("type")]
    kind: &'static str,
    /// Uploads that are of this type, whatever else they are.
    count: i64,
}

/// Uploads that wait in Ubuntu's queues, how many and how long.
#[derive(Debug, Settings)]
pub struct UploadQueues {
    /// The root of Launchpad's web service.
    #[default("https://api.launchpad.net/devel/")]
    launchpad: Url,
    /// The series, by their codenames; where there are none, those that Launchpad says are active.
    #[default([])]
    series: Vec<String>,
    /// The releases of Ubuntu, as the package distro-info-data has them, for when Launchpad does not say the series.
    #[default("/usr/share/distro-info/ubuntu.csv")]
    distro_info: String,
}

/// A queue of a series.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Unapproved,
    New,
}

impl Status {
    const ALL: [Self; 2] = [Self::Unapproved, Self::New];

    /// As Launchpad writes it, and the dashboards.
    fn as_str(self) -> &'static str {
        match self {
            Self::Unapproved => "Unapproved",
            Self::New => "New",
        }
    }
}

impl Metric for UploadQueues {
    const NAME: &'static str = "upload-queues";
    const NEEDS: Needs = Needs {
        paths: &[distro_info::PATH],
        ..Needs::NETWORK
    };
    const MEASUREMENTS: &'static [&'static Schema] =
        &[QueueSize::SCHEMA, QueueAges::SCHEMA, NewQueueSize::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let now = cx.now();
        let launchpad = Launchpad::new(cx, &self.launchpad);
        let series = series::find(self, cx, &launchpad, now).await?;
        let queues: Vec<Look<'_>> = series
            .names
            .iter()
            .flat_map(|release| Status::ALL.map(|status| (release, status)))
            .map(|(release, status)| Look {
                release,
                status,
                devel: if *release == series.development {
                    "True"
                } else {
                    "False"
                },
            })
            .collect();
        let asked = queues.iter().map(|look| look.read(&launchpad, now));
        let mut parts = Parts::new(cx);
        for (look, queue) in queues.iter().zip(side_by_side(LIMIT, asked).await) {
            parts.take(look.part(), queue.and_then(|queue| look.points(cx, &queue, now)));
        }
        parts.end()
    }
}

/// A look at one queue.
struct Look<'a> {
    release: &'a str,
    status: Status,
    devel: &'static str,
}

impl Look<'_> {
    /// What an operator calls it.
    fn part(&self) -> String {
        format!("{}'s {} queue", self.release, self.status.as_str())
    }

    async fn read(&self, launchpad: &Launchpad<'_>, now: Timestamp) -> Result<Queue, CollectorError> {
        let path = format!("ubuntu/{}", self.release);
        let query = [
            ("ws.op", "getPackageUploads"),
            ("status", self.status.as_str()),
            ("pocket", "Proposed"),
        ];
        let entries: Vec<Entry> = launchpad.entries(&path, &query).await?;
        let mut queue = Queue::of(entries, now);
        if self.status == Status::Unapproved {
            // Nobody counts these by type.
            queue.types = None;
            queue.untyped = Remarks::default();
        }
        Ok(queue)
    }

    /// The queue's points; what could not be read of it is a gap. An error where that is all of it.
    fn points(&self, cx: &Context, queue: &Queue, now: Timestamp) -> Result<Points, CollectorError> {
        if queue.count == 0
            && let Some(fault) = queue.faults().next()
        {
            return Err(CollectorError::parse(
                "what Launchpad lists there",
                fault.to_string(),
            ));
        }
        for fault in queue.faults() {
            cx.gap(format_args!("{}: {fault}", self.part()));
        }
        if !queue.ahead.is_empty() {
            cx.notice(format_args!(
                "{}: {}: the age of such an upload counts as 0",
                self.part(),
                queue.ahead
            ));
        }
        let (devel, status) = (self.devel, self.status.as_str());
        let release = || self.release.to_owned();
        let mut points = Points::new();
        let size = QueueSize {
            devel,
            status,
            release: release(),
            count: queue.count,
        };
        points.push(size, now);
        if let Some(ages) = &queue.ages {
            let ages = QueueAges {
                devel,
                status,
                release: release(),
                oldest_age_in_days: ages.oldest,
                ten_day_backlog_count: ages.backlog,
            };
            points.push(ages, now);
        }
        if let Some(types) = &queue.types {
            let types = [
                ("source", types.source),
                ("binary", types.binary),
                ("sync", types.sync),
            ];
            let sizes = types.map(|(kind, count)| NewQueueSize {
                devel,
                release: release(),
                kind,
                count,
            });
            points.extend_at(now, sizes);
        }
        Ok(points)
    }
}

#[cfg(test)]
mod tests;
