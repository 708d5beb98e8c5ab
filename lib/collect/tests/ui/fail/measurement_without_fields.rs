use tidemark_collect::{Measurement, Timestamp};

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Queue {
    /// Where.
    #[tag]
    site: String,
    /// When.
    #[time]
    when: Timestamp,
}

fn main() {}
