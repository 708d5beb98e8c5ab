//! `tidemark new NAME`: a collector that builds, passes its own test and is listed, in a checkout of the workspace.
//!
//! It makes the folder `collectors/NAME` of a [`template`], a row in the README's table and an entry in Cargo.lock, all
//! three or none. It asks neither cargo nor the network: what cargo and the README's test would write, it writes itself.

mod checkout;
mod exchange;
mod lock;
mod name;
mod readme;
mod template;

use std::path::Path;
use std::process::ExitCode;

use tidemark_app::exit::{self, Failure};

use crate::new::checkout::Checkout;
use crate::new::name::Name;

/// Makes it in the checkout that `dir`, or the current folder, is in, and says what to do with it.
pub(crate) fn new(name: &str, dir: Option<&Path>) -> Result<ExitCode, Failure> {
    let name = Name::new(name).map_err(Failure::usage)?;
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => std::env::current_dir()
            .map_err(|error| Failure::run(format!("the current folder cannot be had: {error}")))?,
    };
    Checkout::find(&dir)?.add(&name)?;
    exit::print(made(&name).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// What there is now, and what to do with it.
fn made(name: &Name) -> String {
    format!(
        "\
collectors/{name} is made, and listed in README.md and Cargo.lock. It works as it is:

    cargo test -p tidemark-{name}
    cargo run -p tidemark-{name} -- --dry-run

The section [collector.{name}] in the settings, an empty one too, has the timers and `tidemark up` start it.

To make it yours:
    src/lib.rs      what it measures, its settings, reading, parsing
    src/tests.rs    and fixtures/, a recorded source; TIDEMARK_REFRESH=1 cargo test -p tidemark-{name}
                    writes the expected points anew
    README.md       cargo build --bins && TIDEMARK_REFRESH=1 cargo test -p tidemark-tests --test readme
                    writes its row anew
"
    )
}

#[cfg(test)]
mod tests;
