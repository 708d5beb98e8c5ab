//! Tests of declarations.
