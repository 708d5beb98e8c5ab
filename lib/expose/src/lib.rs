//! What a Prometheus server scrapes: samples that are kept until they expire, and the listener that shows them.
//!
//! A [`Registry`] holds the newest samples of many [`Source`]s, each with the time at which it was measured, and forgets
//! them when their next measurement is overdue. [`Listeners`] opens what is to listen, over TLS and with basic
//! authentication where that is set, and shows the samples of one source or of all as text 0.0.4 or OpenMetrics 1.0,
//! whichever the asker takes; or a list of targets, as Prometheus's HTTP service discovery reads it.
//!
//! It collects nothing, and it sends nothing by itself. It is no general web server: it answers a few paths to a few
//! askers, within bounds, and none of them waits for another.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tidemark_collect::{ManualClock, Timestamp};
//! use tidemark_expose::{Family, Registry};
//! use tidemark_point::exposition::Format;
//!
//! let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
//! let registry = Registry::new(clock.clone());
//! let source = registry.source("cl17", &[("cluster", "cl17")]);
//!
//! let health = Family::new("cluster_health", "0 is well.");
//! let mut samples = source.samples();
//! samples.row([("devid", "0")], Timestamp::EPOCH);
//! samples.value(&health, 1.0);
//! source.publish("cluster.health", samples, Duration::from_secs(30));
//!
//! let page = registry.snapshot(None).page(Format::Prometheus).text();
//! assert_eq!(
//!     String::from_utf8_lossy(&page),
//!     "# TYPE cluster_health gauge\n# HELP cluster_health 0 is well.\ncluster_health{cluster=\"cl17\",devid=\"0\"} 1 0\n"
//! );
//!
//! clock.advance(Duration::from_secs(60));
//! assert!(registry.snapshot(None).page(Format::Prometheus).text().is_empty());
//! ```

mod accept;
mod access;
mod body;
mod connections;
mod credentials;
mod discovery;
mod family;
mod files;
mod group;
mod limits;
mod listener;
mod listeners;
mod page;
mod registry;
mod samples;
mod server;
mod site;
mod snapshot;
mod text;
mod tls;

pub use access::{Access, ListenAddress, Refused};
pub use credentials::{BadCredentials, Credentials};
pub use discovery::{Group, Target};
pub use family::Family;
pub use limits::{LONGEST_GRACE, SHORTEST_GRACE, SHORTEST_INTERVAL, lifetime};
pub use listener::{Content, Listener};
pub use listeners::Listeners;
pub use page::Page;
pub use registry::{Registry, Source};
pub use samples::{Omitted, Samples};
pub use server::serve;
pub use site::Site;
pub use snapshot::Snapshot;
pub use tls::{Tls, TlsError, TlsFiles};

pub use tidemark_point::prometheus_label;
