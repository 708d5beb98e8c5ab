//! The program `tidemark-cnf`.

tidemark_app::main!(tidemark_cnf::Cnf);
