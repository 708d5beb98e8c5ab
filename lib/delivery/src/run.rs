//! The record of a run, and the points that tidemark sends about itself.

use std::time::Duration;

use tidemark_point::{
    Adjustments, Declarations, FieldSchema, FieldType, Kind, Point, PointError, Schema, TagSchema, Timestamp,
};

/// One run of a collector, as it is recorded and reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The collector's name.
    pub collector: String,
    /// What it looked at, for a collector with many targets.
    pub target: Option<String>,
    /// When it began. A collector's runs of one target are told apart by this.
    pub started: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// Whether anything could be collected.
    pub ok: bool,
    /// Points that it collected. [`Delivery::submit`](crate::Delivery::submit) counts them itself.
    pub points: u64,
    /// Data that should be there and is not: any of them makes the run partial.
    pub gaps: Vec<String>,
    /// What else the operator should know.
    pub notices: Vec<String>,
    /// Why nothing could be collected, on one line.
    pub error: Option<String>,
    /// The interval at which the collector runs.
    pub interval: Duration,
    /// The longest that a run may take.
    pub deadline: Duration,
}

/// The deadline of a run of which nobody said it.
const USUAL_DEADLINE: Duration = Duration::from_secs(10 * 60);

impl Run {
    /// A run that went well, without duration and points; with the usual deadline of 10 minutes.
    #[must_use]
    pub fn new(collector: impl Into<String>, started: Timestamp, interval: Duration) -> Self {
        Self {
            collector: collector.into(),
            target: None,
            started,
            duration: Duration::ZERO,
            ok: true,
            points: 0,
            gaps: Vec::new(),
            notices: Vec::new(),
            error: None,
            interval,
            deadline: USUAL_DEADLINE,
        }
    }

    /// A run that began and never ended: its process was killed, or the host went down.
    #[must_use]
    pub fn killed(collector: impl Into<String>, started: Timestamp, interval: Duration) -> Self {
        Self {
            ok: false,
            error: Some("the run was killed before it ended".to_owned()),
            ..Self::new(collector, started, interval)
        }
    }

    /// Whether something was collected, and something is missing.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.ok && !self.gaps.is_empty()
    }

    /// How long after its end the next run is late: 2 × interval + deadline.
    pub(crate) fn is_late_after(&self) -> Duration {
        self.interval.saturating_mul(2).saturating_add(self.deadline)
    }

    /// The run as a point of [`RUN_SCHEMA`].
    pub(crate) fn point(&self, host: &str) -> Result<Point, PointError> {
        let mut builder = Point::builder(RUN_SCHEMA.measurement)
            .tag("collector", &self.collector)
            .tag("host", host);
        if let Some(target) = &self.target {
            builder = builder.tag("target", target);
        }
        builder
            .field("ok", self.ok)
            .field("partial", self.is_partial())
            .field("duration_seconds", self.duration.as_secs_f64())
            .field("points", count(self.points))
            .field("gaps", count(self.gaps.len()))
            .field("notices", count(self.notices.len()))
            .field("interval_seconds", self.interval.as_secs_f64())
            .time(self.started)
            .build(&mut Adjustments::default())
    }
}

/// A count as the signed integer that every sink takes.
fn count(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// What a flush says of one sink.
#[derive(Clone, Debug)]
pub(crate) struct SinkPoint<'a> {
    pub(crate) sink: &'a str,
    pub(crate) waiting: u64,
    pub(crate) oldest_waiting: Option<Timestamp>,
    pub(crate) rejected: u64,
    pub(crate) dropped: u64,
}

impl SinkPoint<'_> {
    /// The figures as a point of [`SINK_SCHEMA`].
    pub(crate) fn point(&self, host: &str, now: Timestamp) -> Result<Point, PointError> {
        let age = self.oldest_waiting.map_or(0, |oldest| now.since(oldest).max(0));
        Point::builder(SINK_SCHEMA.measurement)
            .tag("sink", self.sink)
            .tag("host", host)
            .field("waiting", count(self.waiting))
            .field(
                "oldest_waiting_seconds",
                Duration::from_nanos(age.unsigned_abs()).as_secs_f64(),
            )
            .field("rejected", count(self.rejected))
            .field("dropped", count(self.dropped))
            .time(now)
            .build(&mut Adjustments::default())
    }
}

/// The point of every run, a failed one too. Its time is the run's start.
pub const RUN_SCHEMA: &Schema = &Schema {
    measurement: "tidemark_run",
    help: "One run of a collector.",
    tags: &[
        TagSchema {
            name: "collector",
            help: "The collector.",
        },
        TagSchema {
            name: "host",
            help: "The host that it ran on.",
        },
        TagSchema {
            name: "target",
            help: "What it looked at, where there are many.",
        },
    ],
    fields: &[
        gauge(
            "ok",
            FieldType::Bool,
            None,
            "Whether anything could be collected.",
        ),
        gauge(
            "partial",
            FieldType::Bool,
            None,
            "Whether data is missing that should be there.",
        ),
        gauge(
            "duration_seconds",
            FieldType::Float,
            Some("s"),
            "How long the run took.",
        ),
        gauge("points", FieldType::Int, None, "Points that were collected."),
        gauge(
            "gaps",
            FieldType::Int,
            None,
            "Data that should be there and is not.",
        ),
        gauge(
            "notices",
            FieldType::Int,
            None,
            "What else the operator should know.",
        ),
        gauge(
            "interval_seconds",
            FieldType::Float,
            Some("s"),
            "The interval between runs.",
        ),
    ],
};

/// The point that a flush sends of each sink. Its time is the flush's.
pub const SINK_SCHEMA: &Schema = &Schema {
    measurement: "tidemark_sink",
    help: "What waits for a sink, and what it lost.",
    tags: &[
        TagSchema {
            name: "sink",
            help: "The sink.",
        },
        TagSchema {
            name: "host",
            help: "The host whose outbox it is.",
        },
    ],
    fields: &[
        gauge("waiting", FieldType::Int, None, "Points that wait for it."),
        gauge(
            "oldest_waiting_seconds",
            FieldType::Float,
            Some("s"),
            "Age of the oldest of them, 0 for none.",
        ),
        counter("rejected", "Points that it refused."),
        counter("dropped", "Points that were given up."),
    ],
};

/// What is known of the fields of tidemark's own points.
pub(crate) fn own_declarations() -> Declarations {
    [RUN_SCHEMA, SINK_SCHEMA].into_iter().collect()
}

const fn gauge(
    name: &'static str,
    field_type: FieldType,
    unit: Option<&'static str>,
    help: &'static str,
) -> FieldSchema {
    FieldSchema {
        name,
        kind: Kind::Gauge,
        field_type,
        unit,
        help,
    }
}

const fn counter(name: &'static str, help: &'static str) -> FieldSchema {
    FieldSchema {
        name,
        kind: Kind::Counter,
        field_type: FieldType::Int,
        unit: None,
        help,
    }
}

const _: () = {
    RUN_SCHEMA.check();
    SINK_SCHEMA.check();
};

#[cfg(test)]
mod tests {
    use super::*;
    use tidemark_point::line::{self, Dialect};

    #[test]
    fn the_run_point_is_as_declared() {
        let run = Run {
            target: Some("node-1".into()),
            duration: Duration::from_millis(1500),
            points: 7,
            gaps: vec!["a".into()],
            ..Run::new("onefs", Timestamp::from_secs(5).unwrap(), Duration::from_secs(60))
        };
        let point = run.point("h").unwrap();
        RUN_SCHEMA.conforms(&point).unwrap();
        assert_eq!(
            String::from_utf8(line::write(&[point], Dialect::V2)).unwrap(),
            "tidemark_run,collector=onefs,host=h,target=node-1 duration_seconds=1.5,gaps=1i,interval_seconds=60.0,\
             notices=0i,ok=true,partial=true,points=7i 5000000000\n"
        );
    }

    #[test]
    fn the_sink_point_is_as_declared() {
        let now = Timestamp::from_secs(100).unwrap();
        let sink = SinkPoint {
            sink: "influxdb",
            waiting: 3,
            oldest_waiting: Timestamp::from_secs(90),
            rejected: 2,
            dropped: 1,
        };
        let point = sink.point("h", now).unwrap();
        SINK_SCHEMA.conforms(&point).unwrap();
        assert_eq!(point.field("oldest_waiting_seconds"), Some(&10.0.into()));
        // A clock that was set back makes no negative age.
        let late = SinkPoint {
            oldest_waiting: Timestamp::from_secs(200),
            ..sink
        }
        .point("h", now)
        .unwrap();
        assert_eq!(late.field("oldest_waiting_seconds"), Some(&0.0.into()));
    }

    #[test]
    fn a_failed_run_is_not_partial() {
        let run = Run {
            gaps: vec!["x".into()],
            ..Run::killed("a", Timestamp::EPOCH, Duration::ZERO)
        };
        assert!(!run.is_partial() && !run.ok && run.error.is_some());
    }
}
