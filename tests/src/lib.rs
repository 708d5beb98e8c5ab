//! Holds the tests beside it: see `stories/main.rs` and `imports.rs`.
