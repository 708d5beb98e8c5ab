//! The program `tidemark-contributors`.

use tidemark_app::clap::ArgMatches;
use tidemark_app::exit::Failure;
use tidemark_app::{Extras, Loaded, Surroundings};
use tidemark_contributors::Contributors;

/// What the type of a setting does not say.
struct Program;

impl Extras<Contributors> for Program {
    fn prepare(
        contributors: &mut Contributors,
        _: &mut Loaded,
        _: &ArgMatches,
        _: &Surroundings,
    ) -> Result<(), Failure> {
        match contributors.teams() {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::settings(error.to_string())),
        }
    }
}

tidemark_app::main!(Contributors, Program);
