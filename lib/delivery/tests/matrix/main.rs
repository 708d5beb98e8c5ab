//! The answer matrix: what each answer of each kind of server does to each point.
//!
//! - `table`: a row for each answer, with what each kind of sink makes of it.
//! - `play`: how a row is played, and how every point is looked for: at the server, in the outbox, among the refused.
//! - `searches`: bad points among many, the bound on requests, a batch that always fails alone.
//! - `servers`: servers that mind points, each of its kind; `series` reads the bodies of remote write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a test says what it expects by failing loudly"
)]

#[cfg(test)]
#[path = "../common/mod.rs"]
mod common;
#[cfg(test)]
mod play;
#[cfg(test)]
mod searches;
#[cfg(test)]
mod series;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod table;
