//! Whole programs beside their peers, in the same run: CPU time, wall time, peak memory, size.
//!
//! `cargo build --config .cargo/dist.toml --profile dist --bins`, then `cargo bench --profile dist -p tidemark-tests --bench
//! programs -- [PART…]` with the parts `start`, `sponsoring`, `autopkgtest`, `ubuntu-linear`, `ubuntu-parse`,
//! `ubuntu-runs`, `onefs-parity`, `onefs-growth`, `onefs-endurance` (12 minutes together), `backlog`, `generator`, `systemd`;
//! `ubuntu` and `onefs` are three each, and all are run where none is named.
//! `ubuntu-parse` needs one program more: `cargo build --config .cargo/dist.toml --profile dist -p tidemark-tests --example
//! parse`. Needs `influxd`, `rsync`, `curl`, for the peers `python3-influxdb` and `python3-yaml`, and root for `systemd`.
//! What is printed goes into BENCHMARKS.md.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be made fails"
)]

mod backlog;
mod generator;
mod measure;
mod one_run;
mod onefs;
mod start;
mod swallow;
mod systemd;
mod ubuntu;

/// What can be asked for by name.
const PARTS: [(&str, fn()); 12] = [
    ("start", start::run),
    ("sponsoring", one_run::sponsoring),
    ("autopkgtest", one_run::autopkgtest),
    ("ubuntu-linear", ubuntu::linear),
    ("ubuntu-parse", ubuntu::peers),
    ("ubuntu-runs", ubuntu::runs),
    ("onefs-parity", onefs::parity),
    ("onefs-growth", onefs::growth),
    ("onefs-endurance", onefs::endurance),
    ("backlog", backlog::run),
    ("generator", generator::run),
    ("systemd", systemd::run),
];

fn main() {
    // cargo adds options of its own.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let parts = PARTS.map(|(part, _)| part);
    let names = |word: &str, part: &str| {
        part == word || part.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'))
    };
    for word in &asked {
        let is_one = parts.iter().any(|part| names(word, part));
        assert!(is_one, "{word} is none of {parts:?}");
    }
    for (part, run) in PARTS {
        if asked.is_empty() || asked.iter().any(|word| names(word, part)) {
            run();
        }
    }
}
