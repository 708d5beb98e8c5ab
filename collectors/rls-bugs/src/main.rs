//! The program `tidemark-rls-bugs`.

tidemark_app::main!(tidemark_rls_bugs::RlsBugs);
