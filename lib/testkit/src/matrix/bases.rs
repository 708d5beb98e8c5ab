use std::collections::BTreeMap;
use std::path::Path;

use crate::home::Home;
use crate::source::Source;

/// The servers of one run, each under the name that [`Route::at`](super::Route::at) gave it.
pub struct Bases {
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) home: Home,
}

impl Bases {
    /// A server's address, without a final slash.
    ///
    /// # Panics
    /// When no route is at it.
    #[track_caller]
    pub fn url(&self, base: &str) -> String {
        let source = self.sources.get(base);
        let source = source.unwrap_or_else(|| panic!("no route is at {base:?}: say so with `Route::at`"));
        source.url("")
    }

    /// A folder of this run alone, for a file that the settings name.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }
}
