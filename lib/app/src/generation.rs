//! The settings in force, and the collector that is made of them: read at the start, and anew at each reload.

use std::path::Path;
use std::time::Duration;

use clap::ArgMatches;
use tidemark_collect::http::ClientOptions;
use tidemark_collect::{Metric, chain};
use tidemark_delivery::{OpenOptions, Sinks};
use tidemark_settings::{Settings, Span};

use crate::arguments::{Arguments, Every};
use crate::exit::Failure;
use crate::output::Format;
use crate::program::record_failure;
use crate::session::clock;
use crate::watch::{Seen, Watched};
use crate::{Extras, Surroundings};

/// What the settings are read with; the same for as long as the program runs.
#[derive(Debug)]
pub(crate) struct Origin {
    /// What was typed.
    pub(crate) arguments: Arguments,
    /// The same, for what is the collector's own.
    pub(crate) matches: Box<ArgMatches>,
    /// Where the files are.
    pub(crate) here: Surroundings,
}

/// The settings in force, and what follows from them.
pub(crate) struct Generation {
    /// The shared settings.
    pub(crate) settings: Settings,
    /// What the settings have to say at every run.
    pub(crate) notices: Vec<String>,
    /// How the collector reaches its sources; the sinks share its TLS configuration.
    pub(crate) http: ClientOptions,
    /// Time between runs.
    pub(crate) interval: Duration,
    /// The longest that a run may take.
    pub(crate) deadline: Duration,
    /// Whether batches are printed, and how.
    pub(crate) dry_run: Option<Format>,
    /// The sinks, resolved; not of a dry run.
    pub(crate) sinks: Option<Sinks>,
    /// The files that these settings were read from.
    pub(crate) watched: Watched,
    /// What they held.
    pub(crate) seen: Seen,
}

/// Settings that could not be read.
#[derive(Debug)]
pub(crate) struct Unready {
    /// Why.
    pub(crate) failure: Failure,
    /// The shared settings as far as they are right, and the collector's interval, where the failure is to be recorded.
    record: Option<(Box<Settings>, Span)>,
}

impl Generation {
    /// How an outbox is opened for these settings in the folder `state`.
    pub(crate) fn open_options<M: Metric>(&self, state: &Path) -> OpenOptions {
        let sinks = self.sinks.clone().unwrap_or_else(|| Sinks::named(&self.settings));
        OpenOptions {
            declared: M::MEASUREMENTS,
            ..OpenOptions::from_settings(state, &self.settings, sinks, clock())
        }
    }
}

impl Origin {
    /// Reads the settings, and makes the collector ready. Notices are logged, but for those that were `said` already.
    ///
    /// `seen` is what was just found at the files that were watched so far: a change while they are read is not missed.
    ///
    /// # Errors
    /// Where settings are wrong, the collector does not take them, or a secret does not resolve.
    pub(crate) fn read<M: Metric, E: Extras<M>>(
        &self,
        said: &[String],
        mut seen: Seen,
    ) -> Result<(M, Generation), Unready> {
        let here = &self.here;
        let mut watched = self.settings_files();
        let both = Settings::load_for::<M>(&here.settings(None), M::NAME);
        let (mut loaded, mut metric) = both.map_err(|mistakes| {
            let failure = Failure::settings(mistakes.to_string());
            let shared = Settings::load(&here.settings(None)).ok();
            let shared = shared.map(|loaded| loaded.settings);
            self.unready(failure, shared.as_ref(), M::RUN_INTERVAL)
        })?;
        let common = loaded.common(M::NAME);
        let interval = match self.arguments.every {
            Some(Every::Span(span)) => span,
            Some(Every::Interval) | None => common.run_interval.unwrap_or(M::RUN_INTERVAL),
        };
        E::prepare(&mut metric, &mut loaded, &self.matches, here)
            .map_err(|failure| self.unready(failure, Some(&loaded.settings), interval))?;
        for notice in loaded.notices.iter().filter(|notice| !said.contains(notice)) {
            tracing::info!("{notice}");
        }
        if self.arguments.every.is_some() {
            watched.files.extend(E::watched(&metric));
        }
        // What was known before was looked at before it was read; what is new, as soon as it is known.
        seen.retain(|path, _| watched.covers(path));
        for (path, found) in watched.look(&seen) {
            seen.entry(path).or_insert(found);
        }
        let http = ClientOptions::new(&here.environment);
        let dry_run = self.dry_run(&loaded.settings);
        let sinks = match dry_run {
            Some(_) => None,
            None => {
                let sinks = Sinks::resolve_with(&loaded.settings, &here.environment, &here.places, &http);
                Some(sinks.map_err(|error| {
                    let failure = Failure::settings(chain(&error));
                    self.unready(failure, Some(&loaded.settings), interval)
                })?)
            }
        };
        let generation = Generation {
            settings: loaded.settings,
            notices: loaded.notices,
            http,
            interval: interval.as_duration(),
            deadline: common.deadline.unwrap_or(M::DEADLINE).as_duration(),
            dry_run,
            sinks,
            watched,
            seen,
        };
        Ok((metric, generation))
    }

    /// The files of every program's settings, where the program stays.
    pub(crate) fn settings_files(&self) -> Watched {
        if self.arguments.every.is_none() {
            return Watched::default();
        }
        Watched {
            files: vec![self.here.places.config().to_owned()],
            folder: Some(self.here.places.config_folder()),
        }
    }

    fn dry_run(&self, settings: &Settings) -> Option<Format> {
        let typed = self.arguments.dry_run;
        typed.or_else(|| settings.host.dry_run.then_some(Format::Yaml))
    }

    fn unready(&self, failure: Failure, settings: Option<&Settings>, interval: Span) -> Unready {
        let settings = settings.filter(|settings| self.dry_run(settings).is_none());
        Unready {
            failure,
            record: settings.map(|settings| (Box::new(settings.clone()), interval)),
        }
    }
}

impl Unready {
    /// Records the failure as a run, as far as that can be done, so that `status` shows it.
    pub(crate) fn recorded(self, here: &Surroundings, name: &str) -> Failure {
        if let Some((settings, interval)) = &self.record {
            record_failure(here, settings, name, *interval, &self.failure);
        }
        self.failure
    }
}
