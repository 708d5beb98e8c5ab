//! The program `tidemark-host`.

tidemark_app::main!(tidemark_host::Host);
