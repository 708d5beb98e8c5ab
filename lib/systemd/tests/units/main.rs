//! The units: their texts (golden), what systemd's own tools say of them (analyze), and how they read back (hostile).
//!
//! `TIDEMARK_REFRESH=1` writes the texts in `golden/` anew; read them as a diff.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod analyze;
mod cases;
mod golden;
mod hostile;
mod opened;
mod reader;
