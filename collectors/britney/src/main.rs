//! The program `tidemark-britney`.

tidemark_app::main!(tidemark_britney::Britney);
