//! The program `tidemark-onefs`.

tidemark_app::main!(tidemark_onefs::Onefs, tidemark_onefs::OnefsProgram);
