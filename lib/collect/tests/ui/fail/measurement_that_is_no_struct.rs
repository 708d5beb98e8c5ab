use tidemark_collect::Measurement;

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
struct Tuple(i64);

/// A queue.
#[derive(Measurement)]
#[measurement("queue")]
enum Either {
    /// One.
    One,
}

fn main() {}
