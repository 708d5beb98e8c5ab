//! Whether the settings are right: the shared sections, and those of every collector that is installed.

use tidemark_app::Surroundings;
use tidemark_delivery::Finding;
use tidemark_settings::{KnownCollector, Loaded, Mistakes, Settings};

use super::{Part, idic};
use crate::catalogue::{Catalogue, Collector};
use crate::wording::counted;

/// The most mistakes and notices that are listed.
const LISTED: usize = 100;

/// What is to be said of the settings.
pub(super) struct Checked {
    /// Everything that is wrong.
    pub(super) mistakes: Option<Mistakes>,
    notices: Vec<String>,
}

impl Checked {
    /// Checks the sections of the collectors too, by what these say of themselves.
    pub(super) fn of(
        first: &Result<Loaded, Mistakes>,
        catalogue: &Catalogue,
        here: &Surroundings,
        idic: idic::Read,
    ) -> Self {
        let known: Vec<KnownCollector> = catalogue.collectors.iter().map(Collector::known).collect();
        match first {
            Ok(loaded) => {
                let (mistakes, more) = loaded.check_collectors(&known);
                let mut notices: Vec<String> = loaded.notices.iter().cloned().chain(more).collect();
                let is_installed = known.iter().any(|known| known.name == tidemark_idic::COLLECTOR);
                if !is_installed {
                    return Self { mistakes, notices };
                }
                if !idic.mistakes.is_empty() {
                    // All of them are listed.
                    notices.retain(|notice| loaded.sinks_in_doubt.as_ref() != Some(notice));
                }
                notices.extend(idic.notices);
                let mistakes = mistakes.into_iter().flat_map(Mistakes::into_list);
                Self {
                    mistakes: Mistakes::check(mistakes.chain(idic.mistakes).collect()).err(),
                    notices,
                }
            }
            Err(shared) => {
                // Those of the collectors too. What root could read, the state's owner perhaps cannot.
                let all = Settings::load(&here.settings(Some(&known))).err();
                let all = all.filter(|all| all.count() >= shared.count());
                Self {
                    mistakes: Some(all.unwrap_or_else(|| shared.clone())),
                    notices: Vec::new(),
                }
            }
        }
    }

    pub(super) fn part(&self, loaded: Option<&Loaded>, here: &Surroundings) -> Part {
        let title = format!("settings  {}", here.places.config().display());
        let mut checks = Vec::new();
        match &self.mistakes {
            None => checks.push(Finding::ok("files", what_was_read(loaded, here))),
            Some(mistakes) => {
                for mistake in mistakes.iter().take(LISTED) {
                    checks.push(said("mistake", &mistake.to_string()));
                }
                if mistakes.count() > LISTED {
                    let more = counted(
                        (mistakes.count() - LISTED) as u64,
                        "more mistake",
                        "more mistakes",
                    );
                    checks.push(Finding::failed("mistake", more, "mend those above first"));
                }
            }
        }
        for notice in self.notices.iter().take(LISTED) {
            let finding = said("notice", notice);
            checks.push(Finding {
                verdict: tidemark_delivery::Verdict::Warning,
                ..finding
            });
        }
        Part::new("settings", title, checks)
    }
}

fn what_was_read(loaded: Option<&Loaded>, here: &Surroundings) -> String {
    let file = here.places.config();
    let more = std::fs::read_dir(here.places.config_folder()).map_or(0, |entries| {
        let names = entries.flatten().map(|entry| entry.file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".toml"))
            .count()
    });
    let files = files(file.exists(), more as u64);
    let Some(loaded) = loaded else {
        return files;
    };
    let sinks = counted(loaded.settings.sinks.len() as u64, "sink", "sinks");
    let dry = if loaded.settings.host.dry_run {
        "; dry_run is on: nothing is submitted"
    } else {
        ""
    };
    let standby = if loaded.settings.host.standby {
        "; standby is on: no timer is started"
    } else {
        ""
    };
    format!("{files}; {sinks}{dry}{standby}")
}

/// Which files were read, without a mistake.
fn files(is_there: bool, more: u64) -> String {
    let of_folder = counted(more, "file", "files");
    match (is_there, more) {
        (true, 0) => "no mistakes".to_owned(),
        (true, _) => format!("no mistakes, in {of_folder} of conf.d either"),
        (false, 0) => "there is no such file: everything has its default".to_owned(),
        (false, _) => format!("no mistakes in {of_folder} of conf.d"),
    }
}

/// `what; what to do`, apart.
fn said(check: &'static str, text: &str) -> Finding {
    match text.rsplit_once("; ") {
        // `…; NAME is` goes on with what was found.
        Some((found, advice)) if !advice.starts_with('`') => Finding::failed(check, found, advice),
        _ => Finding {
            advice: None,
            ..Finding::failed(check, text, "")
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_were_read_are_said() {
        assert_eq!(files(true, 0), "no mistakes");
        assert_eq!(files(true, 2), "no mistakes, in 2 files of conf.d either");
        assert_eq!(
            files(false, 0),
            "there is no such file: everything has its default"
        );
        assert_eq!(files(false, 1), "no mistakes in 1 file of conf.d");
    }
}
