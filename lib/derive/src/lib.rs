//! The derives of tidemark: a struct that declares a measurement, and a struct that declares settings.
//!
//! This crate is the proc-macro half of `tidemark-point` and `tidemark-settings`, and is used through
//! `tidemark-collect`, which re-exports both derives beside their traits. The code that they produce names
//! `::tidemark_collect::__private` alone, so a collector needs no other dependency.

mod measurement;
mod settings;
mod syntax;

use proc_macro::TokenStream;

/// Declares a measurement: implements `Measurement`, with its `SCHEMA`, for a struct with named fields.
///
/// `#[measurement("name")]` gives the name, the struct's doc comment the help. Each struct field needs a doc
/// comment, its help, and is one of:
///
/// - `#[tag]`: a tag. `String`, `&'static str`, `Cow<'static, str>`, or anything that implements `Display`;
///   an `Option` that is `None` is left out.
/// - `#[time]`: the point's own time, `Timestamp` or `Option<Timestamp>`; at most one. It needs no help.
/// - all others are fields: `f64`, `f32` (float), `i64`, `i32` (int), `u64`, `u32` (uint), `bool`, `String`,
///   `&'static str` (string), or an `Option` of one, which is left out where it is `None`.
///
/// `#[unit("seconds")]` gives a field's unit, `#[counter]` makes it a counter (it is a gauge otherwise), and
/// `#[name("free space")]` replaces the name that it takes from the struct.
#[proc_macro_derive(Measurement, attributes(measurement, tag, time, unit, counter, name))]
pub fn derive_measurement(input: TokenStream) -> TokenStream {
    measurement::expand(input.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Declares a settings section: implements `Section` for a struct with named fields.
///
/// The struct's doc comment is the section's summary. Each field needs a doc comment, its help; its name is the
/// key. `#[default("…")]`, `#[default(5)]` or `#[default(["a", "b"])]` gives the value that counts where the
/// key is absent, written as in the file; an `Option` needs none; all other keys are required.
///
/// `#[key("verify-ssl")]` replaces the key that a field takes from the struct.
///
/// A field may be a struct that derives `Settings` itself: then the key is a table with that struct's keys,
/// `[collector.NAME.key]`, and a `Vec` of it is a list of tables, `[[collector.NAME.key]]`. A table that is not there is
/// an empty one where the field is neither an `Option` nor a `Vec`; it has no default beside those of its keys. A
/// collector's own section has no keys `enabled`, `run_interval` and `deadline`: every collector's has them.
///
/// A default of another kind than its key (`"five"` for a number) does not compile. What is in a string (whether
/// `"5m"` is a time span) is found by a test that calls `defaults()`, and by every run.
#[proc_macro_derive(Settings, attributes(default, key))]
pub fn derive_settings(input: TokenStream) -> TokenStream {
    settings::expand(input.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
