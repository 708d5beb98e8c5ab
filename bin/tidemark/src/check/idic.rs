//! The file of gostats that `[collector.onefs]` names.

use rustix::fs::{Access, AtFlags, CWD, accessat};
use tidemark_app::Surroundings;
use tidemark_idic::{Idic, named_file};
use tidemark_settings::{Loaded, Mistake, Mistakes};

/// What is to be said of the file.
#[derive(Default)]
pub(super) struct Read {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) notices: Vec<String>,
}

impl Read {
    /// Reads the file as the collector does; before root becomes the state's owner, to whom systemd hands it.
    pub(super) fn of(loaded: &Loaded, here: &Surroundings) -> Self {
        let Some(path) = named_file(loaded) else {
            return Self::default();
        };
        let is_readable = accessat(CWD, &path, Access::READ_OK, AtFlags::EACCESS).is_ok();
        if path.exists() && !is_readable {
            let path = path.display();
            return Self {
                notices: vec![format!("{path}: this user may not read it; run this as root")],
                ..Self::default()
            };
        }
        let listed = |mistakes: Mistakes| mistakes.into_list();
        let idic = match Idic::read_to_collect(&path, &here.places, &here.environment) {
            Ok(idic) => idic,
            Err(mistakes) => {
                return Self {
                    mistakes: listed(mistakes),
                    ..Self::default()
                };
            }
        };
        // Where the settings have a sink, nobody asks for the file's back end.
        let of_back_end = match loaded.has_default_sink {
            true => [idic.sink().err(), idic.prometheus().err()],
            false => [None, None],
        };
        let mistakes = of_back_end.into_iter().flatten().flat_map(listed);
        Self {
            mistakes: mistakes.collect(),
            notices: idic.notices().to_vec(),
        }
    }
}
