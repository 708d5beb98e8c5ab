use tidemark_collect::Settings;

/// A section.
#[derive(Settings)]
struct Tuple(String);

/// A section.
#[derive(Settings)]
enum Either {
    /// One.
    One,
}

fn main() {}
