//! The way through a collector's program: command line, settings, and what they ask for.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tidemark_collect::http::ClientOptions;
use tidemark_collect::{Description, Metric, UsageDescription, chain};
use tidemark_delivery::{Delivery, OpenOptions, Run, Sinks};
use tidemark_settings::{Environment as _, Settings, Span};

use crate::arguments::{self, Request};
use crate::boot::BootInstant;
use crate::exit::{self, Failure};
use crate::generation::Origin;
use crate::lock::{Locked, RunEnd, RunLock};
use crate::manager::Manager;
use crate::session::{Said, Session, Submit, Target, clock, noted};
use crate::watch::Seen;
use crate::{Extras, Surroundings, become_owner, log, usage};

/// The host that programs run on.
const HOST: &str = "/";

/// Runs the collector `M` with what its program has of its own, `E`, as the command line says, and gives its exit code.
///
/// `version` is the program's. What [`main!`](crate::main) calls.
///
/// With `--every` the program stays. It reads its settings anew, [`Extras::prepare`] included, at a SIGHUP, and a second or
/// two after the settings' files or one of [`Extras::watched`] hold something else, however they were replaced. Where that
/// fails, one error says why, and all goes on as before. Else the collector is told to end, all that it sent is committed,
/// the sinks are opened anew, and a collector with the new settings takes over ([`Metric::take_over`]). What the environment
/// and the command line say stays as it was; so does whether this is a dry run.
#[must_use]
pub fn run<M: Metric, E: Extras<M>>(version: &'static str) -> ExitCode {
    let program = format!("tidemark-{}", M::NAME);
    match try_run::<M, E>(&program, version) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report_as(&program, Some(M::NAME)),
    }
}

fn try_run<M: Metric, E: Extras<M>>(program: &str, version: &'static str) -> Result<(), Failure> {
    let common = arguments::collector_command(program, version, M::SUMMARY);
    let command = E::command(common.clone());
    let described = || describe::<M>(usage::of(&command, &common));
    let (arguments, matches) = match arguments::parse(program, command.clone(), std::env::args_os())? {
        Request::Print(text) => return exit::print(text.as_bytes()),
        Request::Describe => return described(),
        Request::Run(arguments, matches) => (arguments, matches),
    };
    log::start_as(program, Some(M::NAME), arguments.verbose);
    let here = Surroundings::find(arguments.config.clone());
    if let Some(done) = E::subcommand(&matches, &here) {
        return done;
    }
    let origin = Origin {
        arguments,
        matches,
        here,
    };
    let here = &origin.here;
    let seen = origin.settings_files().look(&Seen::new());
    let (metric, mut generation) = origin
        .read::<M, E>(&[], seen)
        .map_err(|unready| unready.recorded(here, M::NAME))?;
    let manager = Manager::of(&here.environment);
    let target = match generation.dry_run {
        Some(format) => Target::Print(format),
        None => match submit(here, M::NAME) {
            Ok(Some(submit)) => Target::Submit(Box::new(submit)),
            Ok(None) => {
                // Who stays and has nothing to do has not failed to start.
                if let Some(manager) = manager {
                    manager.ready();
                }
                return Ok(());
            }
            Err(failure) => {
                let interval = Span::from(generation.interval);
                record_failure(here, &generation.settings, M::NAME, interval, &failure);
                return Err(failure);
            }
        },
    };
    generation.watched.as_this_user(&mut generation.seen);
    let session = Session {
        name: M::NAME,
        generation,
        target,
        unit_host: here
            .environment
            .get_nonempty("INVOCATION_ID")
            .map(|_| Path::new(HOST)),
        manager,
        said: Said::default(),
        refused: None,
    };
    match origin.arguments.every {
        Some(_) => block_on(session.every::<M, E>(metric, origin)),
        None => block_on(session.once(metric)),
    }
}

fn describe<M: Metric>(
    (options, subcommands): (Vec<UsageDescription>, Vec<UsageDescription>),
) -> Result<(), Failure> {
    let description = Description {
        options,
        subcommands,
        ..Description::of::<M>()
    };
    let text = description.to_json();
    let text = text.map_err(|error| Failure::run(format!("the description cannot be written: {error}")))?;
    exit::print(text.as_bytes())
}

/// Readies the state and takes the run lock; none where another run of this collector is under way.
fn submit(here: &Surroundings, name: &str) -> Result<Option<Submit>, Failure> {
    let state = own_state(here)?;
    let (lock, killed) = match RunLock::take(&state, name) {
        Ok(Locked::Held { lock, killed }) => (Some(lock), killed),
        Ok(Locked::Beside { pid }) => {
            let who = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            tracing::info!("a run is under way already{who}: nothing to do");
            return Ok(None);
        }
        // Without a lock two runs may overlap; without a run there are no points.
        Err(error) => {
            noted(Err(error));
            (None, None)
        }
    };
    let environment = here.environment.clone();
    Ok(Some(Submit {
        state,
        lock,
        killed,
        boot: Box::new(move || BootInstant::now(&environment, Path::new(HOST))),
    }))
}

/// Resolves what the sinks need, becomes the state's owner, and makes the state folder where it is not there.
///
/// # Errors
/// A [`Failure`] with exit code 78 where a secret does not resolve or nothing says where the state is.
pub fn ready_state(here: &Surroundings, settings: &Settings) -> Result<(PathBuf, Sinks), Failure> {
    let http = ClientOptions::new(&here.environment);
    let sinks = Sinks::resolve_with(settings, &here.environment, &here.places, &http)
        .map_err(|error| Failure::settings(chain(&error)))?;
    Ok((own_state(here)?, sinks))
}

/// Becomes the state's owner, and makes the state folder where it is not there.
fn own_state(here: &Surroundings) -> Result<PathBuf, Failure> {
    let state = here
        .places
        .state()
        .map_err(|error| Failure::settings(error.to_string()))?
        .to_owned();
    become_owner(&state).map_err(|error| Failure::run(chain(&error)))?;
    make_folder(&state);
    Ok(state)
}

/// Makes the state folder. Where that fails, delivery says what it means.
pub(crate) fn make_folder(state: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    if state.is_dir() {
        return;
    }
    if let Err(error) = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(state)
    {
        tracing::warn!("{}: the state folder cannot be made: {error}", state.display());
    }
}

/// Records a run that ended before it began, as far as that can be done: the failure itself is what is told. No secret
/// is needed for it: its point waits for the next delivery.
pub(crate) fn record_failure(
    here: &Surroundings,
    settings: &Settings,
    name: &str,
    interval: Span,
    failure: &Failure,
) {
    let recorded = own_state(here).and_then(|state| {
        let clock = clock();
        let run = Run {
            ok: false,
            error: Some(failure.to_string().replace('\n', "; ")),
            ..Run::new(name, clock.now(), interval.as_duration())
        };
        let options = OpenOptions::from_settings(&state, settings, Sinks::named(settings), clock);
        block_on(async {
            let mut delivery = Delivery::open(options).await;
            let recorded = delivery.submit(&run, &[]).await;
            delivery.close().await;
            recorded.map_err(|error| Failure::run(chain(&error)))
        })?;
        if let Ok(Locked::Held {
            mut lock,
            killed: None,
        }) = RunLock::take(&state, name)
            && let Some(at) = BootInstant::now(&here.environment, Path::new(HOST))
        {
            // Without the note, `status` goes by the host's clock.
            let _ = lock.end(Some(&RunEnd {
                started: run.started,
                at,
            }));
        }
        Ok(())
    });
    if let Err(error) = recorded {
        tracing::debug!("the run cannot be recorded: {error}");
    }
}

/// Runs `work` on a runtime of one thread. What hangs beneath (a name that never resolves) is left behind at its end.
///
/// # Errors
/// What `work` returns; or a [`Failure`] where the system gives no runtime.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::run(format!(
                "the system gives no event queue: {error}; see its limit on open files"
            ))
        })?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::ZERO);
    result
}
