//! The collectors that this command sees: in the folders that its surroundings name, described to whoever calls.

use std::path::{Path, PathBuf};

use tidemark_app::Surroundings;
use tidemark_app::exit::Failure;
use tidemark_catalogue::Trust;
pub(crate) use tidemark_catalogue::{
    Catalogue, Collector, Described, Installed, is_collector_name, nothing_installed,
};

/// The folders that may hold collectors.
fn folders(here: &Surroundings) -> Vec<PathBuf> {
    here.places.collectors(std::env::current_exe().ok().as_deref())
}

/// The programs that are called like a collector, none of them asked.
pub(crate) fn installed(here: &Surroundings) -> Installed {
    Installed::find(&folders(here))
}

/// The program of the collector called `name`.
///
/// # Errors
/// A [`Failure`] with exit code 2 that names those that are installed.
pub(crate) fn program<'a>(installed: &'a Installed, name: &str) -> Result<&'a Path, Failure> {
    installed
        .program(name)
        .map_err(|error| Failure::usage(error.to_string()))
}

/// What a program says of itself.
///
/// # Errors
/// A [`Failure`] with exit code 1 that says why that cannot be known.
pub(crate) fn describe(name: &str, program: &Path) -> Result<Described, Failure> {
    tidemark_catalogue::describe(name, program, &Trust::Caller)
        .map_err(|broken| Failure::run(broken.to_string()))
}

/// Finds the collectors; waits for those that have to be asked.
pub(crate) fn find(here: &Surroundings) -> Catalogue {
    Catalogue::find(&folders(here), &Trust::Caller)
}

/// As [`find`], on a thread of its own: beside others.
pub(crate) async fn find_beside(here: &Surroundings) -> Catalogue {
    let folders = folders(here);
    let found = tokio::task::spawn_blocking(move || Catalogue::find(&folders, &Trust::Caller)).await;
    match found.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(catalogue) => catalogue,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Nobody cancels it.
        Err(Err(_)) => Catalogue::default(),
    }
}
