//! What the program has beside what all collectors have: gostats' configuration file, and the plan.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tidemark_app::clap::{Arg, ArgMatches, Command, value_parser};
use tidemark_app::exit::{self, Failure};
use tidemark_app::{Extras, Loaded, Surroundings};
use tidemark_collect::SecretSource;
use tidemark_collect::settings::Mistakes;
use tidemark_idic::Idic;

use crate::Onefs;
use crate::listener::ListenerPlan;
use crate::plan::{Plan, PlanMistakes};

/// The options and the subcommand of `tidemark-onefs`.
#[derive(Debug)]
pub struct OnefsProgram;

impl Extras<Onefs> for OnefsProgram {
    fn command(command: Command) -> Command {
        let file = |help: &'static str| {
            Arg::new("idic")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help(help)
        };
        command
            .arg(file("Collect as this configuration file of gostats says").long("idic"))
            .subcommand(
                Command::new("convert")
                    .about("Print a configuration file of gostats as settings of tidemark")
                    .arg(file("The file, idic.toml").required(true)),
            )
    }

    fn subcommand(matches: &ArgMatches, here: &Surroundings) -> Option<Result<(), Failure>> {
        let ("convert", matches) = matches.subcommand()? else {
            return None;
        };
        let path = matches.get_one::<PathBuf>("idic")?;
        let idic = Idic::read(path, &here.places);
        Some(idic.map_err(wrong).and_then(|idic| {
            Plan::of_idic(&idic).map_err(unplanned)?;
            exit::print(idic.to_settings().as_bytes())?;
            // In the settings that is a comment, far below.
            let left_out = [
                ("the listeners for Prometheus are", idic.prometheus().err()),
                ("the back end is", idic.sink().err()),
            ];
            for (what, mistakes) in left_out {
                let mistakes = mistakes.map(|mistakes| mistakes.to_string()).unwrap_or_default();
                for mistake in mistakes.lines() {
                    tracing::warn!("{what} left out of the settings: {mistake}");
                }
            }
            Ok(())
        }))
    }

    fn prepare(
        metric: &mut Onefs,
        loaded: &mut Loaded,
        matches: &ArgMatches,
        here: &Surroundings,
    ) -> Result<(), Failure> {
        let named = matches.get_one::<PathBuf>("idic");
        let path = named.or(metric.settings.idic.as_ref()).cloned();
        let resolve = |secret: &SecretSource| secret.resolve(&here.environment, &here.places);
        let (prometheus, discovery) = (&metric.settings.prometheus, &metric.settings.prom_http_sd);
        let (draft, listener) = match &path {
            Some(path) => {
                let idic = Idic::read_to_collect(path, &here.places, &here.environment).map_err(wrong)?;
                loaded.notices.extend_from_slice(idic.notices());
                for note in idic.notes() {
                    tracing::info!("{note}");
                }
                let mut file = None;
                // Where there is another sink, nobody looks at the file's.
                if loaded.has_default_sink {
                    loaded.add_collector_sink(tidemark_idic::COLLECTOR, idic.sink().map_err(wrong)?);
                    file = idic.prometheus().map_err(wrong)?;
                }
                (
                    Plan::of_idic(&idic),
                    ListenerPlan::of_idic(file.as_ref(), prometheus, discovery, resolve),
                )
            }
            None => (
                Plan::of_settings(&metric.settings),
                ListenerPlan::of_settings(prometheus, discovery, resolve),
            ),
        };
        let plan = draft.and_then(|draft| draft.with_derived(&metric.settings).resolve(resolve));
        let (mut plan, (listener, notices)) = PlanMistakes::of_both(plan, listener).map_err(unplanned)?;
        plan.notices.extend(notices);
        plan.notices
            .extend(listener.check(&plan.clusters).map_err(unplanned)?);
        plan.listener = Arc::new(listener);
        loaded.notices.extend(plan.notices.iter().cloned());
        metric.plan = Some(plan);
        metric.idic = path;
        Ok(())
    }

    fn watched(metric: &Onefs) -> Vec<PathBuf> {
        let clusters = metric.plan.iter().flat_map(|plan| &plan.clusters);
        let mut watched: BTreeSet<PathBuf> = clusters.filter_map(|cluster| cluster.ca_file.clone()).collect();
        watched.extend(metric.idic.clone());
        watched.into_iter().collect()
    }
}

fn unplanned(mistakes: PlanMistakes) -> Failure {
    Failure::settings(mistakes.to_string())
}

fn wrong(mistakes: Mistakes) -> Failure {
    Failure::settings(mistakes.to_string())
}
