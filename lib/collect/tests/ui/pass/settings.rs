//! Every kind of default.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tidemark_collect::http::Url;
use tidemark_collect::{SecretSource, Section, Settings, Size, Span};

/// A section
/// on two lines.
#[derive(Settings)]
#[allow(dead_code)]
pub struct All {
    /// An address.
    #[default("http://a.example/")]
    url: Url,
    /// A span.
    #[default("5m")]
    span: Span,
    /// A size.
    #[default("1GiB")]
    size: Size,
    /// A number.
    #[default(5)]
    count: u64,
    /// A fraction.
    #[default(0.5)]
    ratio: f64,
    /// Yes or no.
    #[default(true)]
    on: bool,
    /// Names.
    #[default(["a", "b"])]
    names: Vec<String>,
    /// A file.
    #[default("/proc/stat")]
    file: PathBuf,
    /// Must be set.
    host: String,
    /// May be set.
    token: Option<SecretSource>,
    /// May be set.
    tags: Option<BTreeMap<String, String>>,
}

/// Nothing to set.
#[derive(Settings)]
pub struct Nothing {}

pub(crate) fn main() {
    assert_eq!(All::KEYS.len(), 11);
    assert_eq!(All::KEYS[0].name, "url");
    assert_eq!(All::KEYS[3].help, "A number.");
    assert!(All::KEYS[3].default.is_some_and(|default| default.contains('5')));
    assert_eq!(All::KEYS[8].default, None);
    assert!(All::SUMMARY.starts_with("A section") && All::SUMMARY.ends_with("on two lines."));
    assert!(Nothing::KEYS.is_empty());
}
