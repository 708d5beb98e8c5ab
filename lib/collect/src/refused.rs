//! What the derives' own traits refuse, each beside the same that they take, so that nothing else can be the reason.
//! All that the derives refuse by themselves is tested in `tidemark-derive`.
//!
//! A field that no database stores:
//! ```
//! /// D.
//! #[derive(tidemark_collect::Measurement)]
//! #[measurement("m")]
//! struct M {
//!     /// F.
//!     f: u32,
//! }
//! ```
//! ```compile_fail
//! /// D.
//! #[derive(tidemark_collect::Measurement)]
//! #[measurement("m")]
//! struct M {
//!     /// F.
//!     f: std::time::Duration,
//! }
//! ```
//!
//! A key that no file can hold:
//! ```
//! /// D.
//! #[derive(tidemark_collect::Settings)]
//! struct S {
//!     /// K.
//!     k: tidemark_collect::Span,
//! }
//! ```
//! ```compile_fail
//! /// D.
//! #[derive(tidemark_collect::Settings)]
//! struct S {
//!     /// K.
//!     k: std::time::Duration,
//! }
//! ```
//!
//! A default of another kind than its key, and one out of its range:
//! ```
//! /// D.
//! #[derive(tidemark_collect::Settings)]
//! struct S {
//!     /// K.
//!     #[default(5)]
//!     k: u64,
//! }
//! ```
//! ```compile_fail
//! /// D.
//! #[derive(tidemark_collect::Settings)]
//! struct S {
//!     /// K.
//!     #[default("five")]
//!     k: u64,
//! }
//! ```
//! ```compile_fail
//! /// D.
//! #[derive(tidemark_collect::Settings)]
//! struct S {
//!     /// K.
//!     #[default(-5)]
//!     k: u64,
//! }
//! ```
