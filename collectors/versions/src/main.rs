//! The program `tidemark-versions`.

tidemark_app::main!(tidemark_versions::Versions);
