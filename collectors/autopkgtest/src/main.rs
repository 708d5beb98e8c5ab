//! The program `tidemark-autopkgtest`.

tidemark_app::main!(tidemark_autopkgtest::Autopkgtest);
