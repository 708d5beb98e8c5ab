//! Whole programs beside their peers, in the same run: CPU time, wall time, peak memory, size.
//!
//! `cargo build --profile dist --bins && cargo bench --profile dist -p tidemark-tests --bench programs -- [PART…]`
//! with the parts `start`, `sponsoring`, `autopkgtest`, `backlog` (all, where none is named). Needs `influxd`, `curl`,
//! and for the peer `python3-influxdb`. What is printed goes into BENCHMARKS.md.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be made fails"
)]

mod backlog;
mod measure;
mod one_run;
mod start;
mod swallow;

fn main() {
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    if wanted("start") {
        start::run();
    }
    if wanted("sponsoring") {
        one_run::sponsoring();
    }
    if wanted("autopkgtest") {
        one_run::autopkgtest();
    }
    if wanted("backlog") {
        backlog::run();
    }
}
