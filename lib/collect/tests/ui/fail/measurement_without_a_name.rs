use tidemark_collect::Measurement;

/// A queue.
#[derive(Measurement)]
struct Queue {
    /// Entries in it.
    count: i64,
}

fn main() {}
