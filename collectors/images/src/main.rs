//! The program `tidemark-images`.

use tidemark_app::clap::ArgMatches;
use tidemark_app::exit::Failure;
use tidemark_app::{Extras, Loaded, Surroundings};
use tidemark_images::Images;

/// What the type of a setting does not say.
struct Program;

impl Extras<Images> for Program {
    fn prepare(images: &mut Images, _: &mut Loaded, _: &ArgMatches, _: &Surroundings) -> Result<(), Failure> {
        match images.base() {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::settings(error.to_string())),
        }
    }
}

tidemark_app::main!(Images, Program);
