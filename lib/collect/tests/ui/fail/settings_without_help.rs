use tidemark_collect::Settings;

#[derive(Settings)]
struct NoSummary {
    /// An address.
    url: String,
}

/// A section.
#[derive(Settings)]
struct NoHelp {
    url: String,
}

fn main() {}
