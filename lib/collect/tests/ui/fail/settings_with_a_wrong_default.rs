use tidemark_collect::{Settings, Span};

/// A section.
#[derive(Settings)]
struct Number {
    /// A number.
    #[default("five")]
    count: u64,
}

/// A section.
#[derive(Settings)]
struct Grammar {
    /// A span.
    #[default(1 + 1)]
    span: Span,
}

fn main() {}
