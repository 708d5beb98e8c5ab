//! For tests alone: real servers, recorded sources, faults, kills.
//!
//! What it is: the outside world that tidemark's tests run against, on loopback and in temporary folders. Real
//! servers ([`Influxd`], [`Prometheus`], [`VictoriaMetrics`], [`NodeExporter`], [`RsyncDaemon`]; [`promtool`]), a real
//! systemd on a machine of its own ([`Systemd`]), servers that play an answer ([`Source`], [`SinkServer`]), a storage cluster ([`onefs`]), every way in
//! which a source fails ([`Matrix`]), certificates of every kind ([`Certificates`]), the workspace's own programs with a
//! clean environment and a time bound ([`Home`], [`Run`]), kills at random instants ([`Run::kill_at_random`]), and a disk
//! that is full or read-only ([`SmallDisk`]).
//!
//! What it is not: part of any program. It depends on no other crate of the workspace, so every one of them can have
//! it as a dev-dependency. It is blocking, on threads, and brings no runtime; call it from async tests where the
//! calls are short. What fails here fails the test: functions panic with what to do instead of returning errors.
//! Everything started ends when its value is dropped.
//!
//! ```
//! use std::time::Duration;
//! use tidemark_testkit::{Answer, SinkServer, http};
//!
//! let sink = SinkServer::start();
//! sink.script([Answer::new(503).header("Retry-After", "1"), Answer::new(204)]);
//! let url = sink.url("/write?db=metrics");
//! assert_eq!(http::post(&url, b"m f=1 5\n").status, 503);
//! assert_eq!(http::post(&url, b"m f=1 5\n").status, 204);
//! let requests = sink.wait_for(2, Duration::from_secs(5));
//! assert_eq!(requests[1].text(), "m f=1 5\n");
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails: that is how it says so"
)]

mod answer;
mod asked;
mod certificates;
mod golden;
mod home;
pub mod http;
mod influxd;
mod matrix;
mod node_exporter;
pub mod onefs;
mod process;
mod prometheus;
pub mod promtool;
mod request;
mod rsync_daemon;
mod run;
mod serve;
mod sink_server;
mod small_disk;
mod source;
mod systemd;
pub mod ubuntu;
mod victoria_metrics;
mod wait;

pub use answer::Answer;
pub use asked::{Random, asked};
pub use certificates::{Certificates, Identity};
pub use golden::{golden, without_times};
pub use home::Home;
pub use influxd::{Cell, InfluxTls, Influxd, InfluxdOptions, Series};
pub use matrix::{Bases, Matrix, Part, Route, Then, Way};
pub use node_exporter::NodeExporter;
pub use prometheus::{Alert, Prometheus, PrometheusOptions, Samples};
pub use request::Request;
pub use rsync_daemon::RsyncDaemon;
pub use run::{Ended, Run, Running, program};
pub use sink_server::SinkServer;
pub use small_disk::SmallDisk;
pub use source::Source;
pub use systemd::{JournalEntry, Systemd};
pub use victoria_metrics::{Exported, VictoriaMetrics};
pub use wait::{free_port, wait_until};
