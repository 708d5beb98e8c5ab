//! The program `tidemark-ubuntu-archive`.

tidemark_app::main!(tidemark_ubuntu_archive::UbuntuArchive);
