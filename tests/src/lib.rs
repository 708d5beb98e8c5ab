//! Holds the tests beside it: whole paths through the real programs (`stories/main.rs`) and the rules of the house
//! (`imports.rs`).
