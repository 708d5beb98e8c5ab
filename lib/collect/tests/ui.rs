//! What the derives accept, and what they say of what they do not.
//!
//! The expected messages are beside the cases in `ui/fail`; `TRYBUILD=overwrite cargo test -p tidemark-collect --test ui`
//! writes them anew, to be read as a diff. What passes is part of this program: built with it, without a build of all
//! dependencies for its own sake.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "cases stand for programs of their own"
)]

#[path = "ui/pass/collector.rs"]
mod collector;
#[path = "ui/pass/measurement.rs"]
mod measurement;
#[path = "ui/pass/settings.rs"]
mod settings;

#[test]
fn a_whole_collector_passes() {
    collector::main();
}

#[test]
fn measurements_pass() {
    measurement::main();
}

#[test]
fn settings_pass() {
    settings::main();
}

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
