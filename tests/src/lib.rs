//! Holds the tests beside it: whole paths through the real programs (`stories/main.rs`) and the rules of the house
//! (`imports.rs`, `readme.rs`).

#![allow(
    clippy::expect_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

pub mod readme;
