use std::time::Duration;

use tidemark_collect::Measurement;

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Queue {
    /// Age of the oldest.
    oldest: Duration,
}

fn main() {}
