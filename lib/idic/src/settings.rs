//! The same as settings of tidemark.
