//! The client against a cluster that is not there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod answers;
mod certificates;
mod sessions;
mod setup;
