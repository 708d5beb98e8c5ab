use tidemark_collect::Measurement;

#[derive(Measurement)]
#[measurement("queue")]
struct Queue {
    /// Entries in it.
    count: i64,
}

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Undocumented {
    count: i64,
    #[tag]
    site: String,
}

fn main() {}
