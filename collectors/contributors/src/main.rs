//! The program `tidemark-contributors`.

tidemark_app::main!(tidemark_contributors::Contributors);
