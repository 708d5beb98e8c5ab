//! The program `tidemark-images`.

tidemark_app::main!(tidemark_images::Images);
