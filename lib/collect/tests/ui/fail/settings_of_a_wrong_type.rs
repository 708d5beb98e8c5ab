use std::time::Instant;

use tidemark_collect::Settings;

/// A section.
#[derive(Settings)]
struct Section {
    /// When.
    when: Instant,
}

fn main() {}
