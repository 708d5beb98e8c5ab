//! Whole paths through the real programs, from a source to a database.
//!
//! `cargo build --workspace --bins` first: the stories run what lies in `target/`. Where a new story goes:
//!
//! | file | what it tells |
//! |---|---|
//! | `values` | a run into a real InfluxDB: what is read back is what was collected |
//! | `crashes` | kills at random instants, several collectors, a database that comes and goes (`tests/campaign`: long) |
//! | `alerts` | the alert rules and queries of `units/alerts` on real runs |
//! | `charm` | what the charm does on a machine, without Juju: from installation to removal, and a unit that stands by |
//! | `answers` | each answer of a sink, and what becomes of each point |
//! | `dashboards` | Grafana's dashboards in `charm/src/grafana_dashboards`, each query on what was collected |
//! | `faults` | nine sinks at once, each with another fault (`tests/campaign faults`: long) |
//! | `onefs` | OneFS clusters and gostats' file: every value in three databases, faults, outages, secrets, the service that stays |
//! | `poison` | one bad point among thousands |
//! | `operator` | bounds, losses and their acknowledgement, sinks that come and go in the settings |
//! | `outage` | one sink is down for long, the other is not |
//! | `package` | the Debian package: what is in it, from its installation to its purge, upgrades, the steps of UPGRADING.md |
//! | `prometheus` | into a real Prometheus by remote write and by textfile, and a real VictoriaMetrics |
//! | `runs` | runs beside each other, at an interval, terminated, killed |
//! | `state` | a full disk, a read-only one, a damaged outbox, one of a newer version |
//! | `systemd` | timers, sandboxes and the journal of a real systemd |
//! | `sources` | sources that are empty, huge, a bomb, silent, cut, moved |
//! | `tls` | certificates: right ones, wrong ones, self-signed ones |
//! | `settings` | mistakes in settings and on the command line: message and exit code |
//! | `dry_run` | what a dry run prints is what a sink gets, and nothing else happens |
//! | `secrets` | no secret in any output, file or process list |
//! | `new` | a new collector, made in a copy of the workspace, built and run |
//! | `ubuntu` | the ten Ubuntu collectors, from local copies of their sources into a real InfluxDB and a real Prometheus |
//! | `up` | everything in the foreground, without settings |
//!
//! Beside them, `scene` holds what the stories share: a home with a sponsoring report and sinks, the ledger as `tidemark
//! status --json` tells it, runs of any time and value (`Submitter`), and a small reader of line protocol that is not the
//! programs' own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod alerts;
mod answers;
mod charm;
mod crashes;
mod dashboards;
mod dry_run;
mod faults;
mod new;
mod onefs;
mod operator;
mod outage;
mod package;
mod poison;
mod prometheus;
mod runs;
mod scene;
mod secrets;
mod settings;
mod sources;
mod state;
mod systemd;
mod tls;
mod ubuntu;
mod up;
mod values;
