//! The files that settings are read from.
