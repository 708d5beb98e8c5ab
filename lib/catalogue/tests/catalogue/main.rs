//! What is found in a folder, asked of programs, and planned from it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod asked;
mod files;
mod golden;
mod hostile;
mod onefs;
mod plans;
mod scene;
