use tidemark_collect::Measurement;

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Time {
    /// When.
    time: i64,
}

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Twice {
    /// Entries in it.
    count: i64,
    /// Entries in it, too.
    #[name("count")]
    length: i64,
}

/// A queue.
#[derive(Measurement)]
#[measurement("#queue")]
struct Comment {
    /// Entries in it.
    count: i64,
}

fn main() {}
