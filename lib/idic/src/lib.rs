//! The configuration file of gostats, `idic.toml`, read and checked.
//!
//! Sites that ran gostats, the collector of OneFS statistics, have one; [`Idic::read`] takes it as it is, in the versions
//! v0.31 to v0.39: the clusters, the groups of statistics, what is fetched when. All mistakes are given at once, each with
//! its line and what to write instead; what gostats passes over too, and what it falls back from, are
//! [notices](Idic::notices). Keys for which tidemark has something of its own are [noted](Idic::notes).
//!
//! The file's back end counts where tidemark has no sink: then [`add_sink`] makes it the sink `idic`. It is looked at only
//! there. [`Idic::to_settings`] writes the same as settings of tidemark.
//!
//! It is not what collects, it looks up no secret and no host, and it writes no file. Keys count whatever their case is, as
//! they do in gostats.
//!
//! Bounds: a file is at most 1 MiB, and a regular one. Time is in proportion to its length.
//!
//! # Example
//! ```
//! use std::path::Path;
//! use tidemark_idic::{Idic, UpdateInterval};
//!
//! let text = r#"
//! [global]
//! version = "v0.39"
//! stats_processor = "influxdb"
//! active_stat_groups = ["cpu"]
//! [influxdb]
//! host = "localhost"
//! port = "8086"
//! database = "isi_data_insights"
//! [[cluster]]
//! hostname = "cl1.example.com"
//! username = "stats"
//! password = "$env:CL1_PASSWORD"
//! verify-ssl = true
//! [[statgroup]]
//! name = "cpu"
//! update_interval = "*2"
//! stats = ["cluster.cpu.sys.avg"]
//! "#;
//! let idic = Idic::parse(text, Path::new("idic.toml"))?;
//! assert_eq!(idic.clusters[0].hostname, "cl1.example.com");
//! assert_eq!(idic.statgroups[0].update_interval, UpdateInterval::Times(2.0));
//! assert_eq!(idic.sink()?.kind.name(), "influxdb");
//!
//! let mistakes = Idic::parse(&text.replace("hostname", "hostnam"), Path::new("idic.toml")).unwrap_err();
//! assert_eq!(
//!     mistakes.to_string(),
//!     "idic.toml:10:1: [[cluster]] has no `hostname`; write hostname = \"cl1.example.com\" in it\n\
//!      idic.toml:11:1: `hostnam` is no key of [[cluster]]; write `hostname` instead",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod back_end;
mod cluster;
mod file;
mod global;
mod influxdb;
mod key;
mod logging;
mod prometheus;
mod settings;
mod sink;
mod statgroup;
mod summary;
mod text;
mod user;

pub use back_end::BackEnd;
pub use cluster::{AuthType, Cluster};
pub use file::Idic;
pub use global::Global;
pub use prometheus::{HttpSd, Prometheus};
pub use sink::{COLLECTOR, KEY, SINK, add_named_sink, add_sink, add_sink_of, named_file};
pub use statgroup::{StatGroup, UpdateInterval};
pub use summary::SummaryStats;
