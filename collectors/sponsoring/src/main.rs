//! The program `tidemark-sponsoring`.

tidemark_app::main!(tidemark_sponsoring::Sponsoring);
