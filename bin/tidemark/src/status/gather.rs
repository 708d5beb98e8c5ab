//! From settings, programs, locks and the outbox to a [`Status`].

use std::path::Path;
use std::sync::Arc;

use tidemark_app::lock;
use tidemark_catalogue::Timing;
use tidemark_collect::{Clock, chain};
use tidemark_delivery::{Delivery, DeliveryError, OpenOptions, Outbox, RUNS_KEPT, Run, SinkLedger, Sinks};
use tidemark_settings::{EnvironmentFileError, Loaded};

use super::late::{End, Now};
use super::{CollectorStatus, FailingSince, LastRun, Signs, SinkStatus, Status, targets};
use crate::catalogue::{Catalogue, Collector};
use crate::list::as_recorded;
use crate::{orphaned, show};

/// What is looked at.
pub(super) struct Sources<'a> {
    /// The collectors.
    pub(super) catalogue: &'a Catalogue,
    /// The settings; none where they are wrong: then only what was recorded is known.
    pub(super) loaded: Option<&'a Loaded>,
    /// What the kernel calls this host.
    pub(super) hostname: &'a str,
    /// The state folder.
    pub(super) state: &'a Path,
    /// Whether there is an outbox in it.
    pub(super) has_outbox: bool,
    /// Why the settings are not known whole.
    pub(super) unread: Option<&'a EnvironmentFileError>,
    pub(super) clock: Arc<dyn Clock>,
    /// The time.
    pub(super) now: Now,
}

/// What is configured where nobody knows: a name that no sink can have.
const NO_SINK: &str = "-";

/// What is said of a host that stands by.
const STANDBY: &str = "this host stands by (`standby` of [host]): no timer is started, and what waits goes with \
                       `tidemark outbox flush`";

/// Looks at everything; an error where the state is there and cannot be read.
pub(super) async fn gather(from: Sources<'_>) -> Result<Status, String> {
    let mut status = Status {
        host: from.hostname.to_owned(),
        collectors: Vec::new(),
        sinks: Vec::new(),
        now: from.now.wall,
        settings_are_wrong: from.loaded.is_none(),
        warnings: Vec::new(),
    };
    if let Some(loaded) = from.loaded {
        status.host.clone_from(&loaded.settings.host.name);
        status.warnings.clone_from(&loaded.notices);
        if loaded.settings.host.standby {
            status.warnings.push(STANDBY.to_owned());
        }
    }
    let delivery = if from.has_outbox {
        Some(open(&from, &mut status.warnings).await?)
    } else {
        None
    };
    let outbox = delivery.as_ref().and_then(Delivery::outbox);
    for collector in &from.catalogue.collectors {
        let runs = match outbox {
            Some(outbox) => recorded(outbox, &collector.name)
                .await
                .map_err(|error| chain(&error))?,
            None => Recorded::default(),
        };
        status.collectors.push(of_collector(&from, collector, &runs));
    }
    status.sinks = match outbox {
        Some(outbox) => ledger(outbox, &from, &mut status.warnings).await?,
        None => configured(from.loaded),
    };
    if let Some(delivery) = delivery {
        delivery.close().await;
    }
    Ok(status)
}

async fn open(from: &Sources<'_>, warnings: &mut Vec<String>) -> Result<Delivery, String> {
    let clock = Arc::clone(&from.clock);
    let options = match from.loaded.map(|loaded| &loaded.settings) {
        Some(settings) => OpenOptions::from_settings(from.state, settings, Sinks::named(settings), clock),
        None => OpenOptions::new(from.state, from.hostname, Sinks::discard(NO_SINK), clock),
    };
    let mut delivery = Delivery::open(options).await;
    let notices = delivery.take_notices();
    if delivery.outbox().is_none() {
        return Err(format!(
            "the outbox in {} cannot be read: {}",
            from.state.display(),
            notices.join("; ")
        ));
    }
    warnings.extend(notices);
    Ok(delivery)
}

/// The runs of a collector that are kept.
#[derive(Default)]
struct Recorded {
    /// The newest first.
    newest: Vec<Run>,
    /// The newest run of each of its targets, where it has many.
    targets: Vec<Run>,
}

async fn recorded(outbox: &Outbox, collector: &str) -> Result<Recorded, DeliveryError> {
    let newest = outbox.runs(collector, RUNS_KEPT).await?;
    let targets = match newest.first() {
        Some(Run { target: Some(_), .. }) => outbox.target_runs(collector).await?,
        _ => Vec::new(),
    };
    Ok(Recorded { newest, targets })
}

fn of_collector(from: &Sources<'_>, collector: &Collector, runs: &Recorded) -> CollectorStatus {
    let Recorded {
        newest: runs,
        targets,
    } = runs;
    let timing = match from.loaded {
        Some(loaded) => Timing::of(collector, loaded),
        None => as_recorded(collector, runs.first()),
    };
    let standby = from.loaded.is_some_and(|loaded| loaded.settings.host.standby);
    let enabled = timing.enabled && !standby;
    let together = runs.first().and_then(|newest| targets::together(newest, targets));
    let of_targets = together.is_some();
    let (last_run, late_targets) = match together {
        Some(together) => (Some(together.last_run), together.late),
        None => (runs.first().map(last_run), None),
    };
    // A lock that cannot be looked at tells nothing.
    let holder = lock::holder(from.state, &collector.name).unwrap_or_default();
    let broken = collector.description.as_ref().err().map(ToString::to_string);
    let signs = Signs {
        enabled,
        broken: broken.is_some(),
        interval: timing.interval,
        deadline: timing.deadline,
        last_run: last_run
            .as_ref()
            .map(|run| (run, end_of(from.state, &collector.name, run))),
        running_since: holder.and_then(|holder| holder.since),
        of_targets,
        some_are_late: late_targets.is_some(),
    };
    CollectorStatus {
        name: collector.name.clone(),
        enabled,
        interval: timing.interval,
        state: signs.state(&from.now),
        next_run: signs.next_run(&from.now),
        failing: if of_targets { None } else { failing(runs) },
        late_targets: late_targets.filter(|_| !signs.is_quiet(&from.now)),
        in_store: from
            .loaded
            .is_some_and(|loaded| show::takes(&loaded.settings, &collector.name)),
        broken,
        last_run,
    }
}

/// When a run ended: by the host's clock as it is recorded, and by the boot's as its lock has it.
fn end_of(state: &Path, collector: &str, run: &LastRun) -> End {
    let noted = lock::last_end(state, collector);
    End {
        wall: run.ended(),
        boot: noted.filter(|end| end.started == run.started).map(|end| end.at),
    }
}

fn last_run(run: &Run) -> LastRun {
    LastRun {
        started: run.started,
        duration_seconds: run.duration.as_secs_f64(),
        ok: run.ok,
        partial: run.is_partial(),
        points: run.points,
        gaps: run.gaps.clone(),
        notices: run.notices.clone(),
        error: run.error.clone(),
    }
}

/// How many of the newest runs failed without one between that did not; `runs` has the newest first.
fn failing(runs: &[Run]) -> Option<FailingSince> {
    let failed = runs.iter().take_while(|run| !run.ok);
    let since = failed.clone().last()?.started;
    Some(FailingSince {
        since,
        runs: failed.count() as u64,
    })
}

/// The ledger; what nobody can know of it goes into the `warnings`.
async fn ledger(
    outbox: &Outbox,
    from: &Sources<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<SinkStatus>, String> {
    let ledger = outbox.ledger().await.map_err(|error| chain(&error))?;
    let mut sinks: Vec<SinkStatus> = ledger.into_iter().map(of_sink).collect();
    warnings.extend(call_none_orphaned_in_doubt(&mut sinks, from.loaded, from.unread));
    for sink in &mut sinks {
        let has_default_sink = from.loaded.is_some_and(|loaded| loaded.has_default_sink);
        sink.by_command_line = orphaned::is_by_command_line(&sink.name, has_default_sink);
    }
    Ok(sinks)
}

/// Where the settings are not known whole, no sink is called orphaned; says so where the settings' notices do not.
fn call_none_orphaned_in_doubt(
    sinks: &mut Vec<SinkStatus>,
    loaded: Option<&Loaded>,
    unread: Option<&EnvironmentFileError>,
) -> Option<String> {
    let Some(loaded) = loaded else {
        sinks.retain(|sink| sink.name != NO_SINK);
        sinks.iter_mut().for_each(|sink| sink.orphaned = false);
        return None;
    };
    let doubt = match (&loaded.sinks_in_doubt, unread) {
        (Some(why), _) => why.clone(),
        (None, Some(unread)) => unread.to_string(),
        (None, None) => return None,
    };
    let mut orphans = sinks.iter_mut().filter(|sink| sink.orphaned);
    let first = orphans.next()?;
    first.orphaned = false;
    orphans.for_each(|sink| sink.orphaned = false);
    (!loaded.has_default_sink)
        .then(|| format!("whether {} is in the settings is not known: {doubt}", first.name))
}

/// The configured sinks before anything was collected.
fn configured(loaded: Option<&Loaded>) -> Vec<SinkStatus> {
    let sinks = loaded.into_iter().flat_map(|loaded| &loaded.settings.sinks);
    sinks
        .map(|sink| SinkStatus {
            name: sink.name.clone(),
            sink_type: sink.kind.name().to_owned(),
            ..SinkStatus::default()
        })
        .collect()
}

fn of_sink(ledger: SinkLedger) -> SinkStatus {
    SinkStatus {
        lost: ledger.unacknowledged(),
        name: ledger.name,
        sink_type: ledger.kind,
        collected: ledger.collected,
        delivered: ledger.delivered,
        waiting: ledger.waiting,
        rejected: ledger.rejected,
        dropped: ledger.dropped,
        superseded: ledger.superseded,
        oldest_waiting: ledger.oldest_waiting,
        backoff_until: ledger.backoff_until,
        last_error: ledger.last_error,
        orphaned: ledger.orphaned,
        by_command_line: false,
        damaged_since: ledger.damaged_since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::Duration;
    use tidemark_app::boot::BootInstant;
    use tidemark_app::lock::{Locked, RunEnd, RunLock};
    use tidemark_collect::Timestamp;
    use tidemark_settings::{LoadFrom, Places, Settings};

    fn run(seconds: i64, ok: bool) -> Run {
        let started = Timestamp::from_secs(seconds).expect("in range");
        Run {
            ok,
            ..Run::new("x", started, Duration::from_secs(60))
        }
    }

    #[test]
    fn the_end_of_another_run_tells_nothing() {
        let state = tempfile::tempdir().expect("a folder");
        let end = |run: &Run| end_of(state.path(), "x", &last_run(run));
        let noted = run(9, true);
        assert_eq!(end(&noted).boot, None);
        let at = BootInstant::new(&"a".repeat(32), Duration::from_secs(5)).expect("an id");
        let Ok(Locked::Held { mut lock, .. }) = RunLock::take(state.path(), "x") else {
            panic!("no lock");
        };
        let started = noted.started;
        lock.end(Some(&RunEnd {
            started,
            at: at.clone(),
        }))
        .expect("a note");
        assert_eq!(end(&noted).boot, Some(at));
        // An older version ran since, which notes no end.
        assert_eq!(end(&run(10, true)).boot, None);
        assert_eq!(
            end(&run(10, true)).wall,
            Timestamp::from_secs(10).expect("in range")
        );
    }

    #[test]
    fn no_sink_is_orphaned_where_settings_are_not_known_whole() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("etc/default/tidemark")).expect("what cannot be read");
        let unread = tidemark_settings::environment_file(root.path()).expect_err("a folder");
        let config = root.path().join("tidemark.toml");
        let environment = BTreeMap::new();
        let load = |text: &str| {
            std::fs::write(&config, text).expect("write");
            let from = LoadFrom {
                places: &Places::new(&environment, false, Some(config.clone())),
                environment: &environment,
                hostname: "h".to_owned(),
                known_collectors: None,
            };
            Settings::load(&from).expect("settings")
        };
        let (default, written) = (load(""), load("[[sink]]\ntype = \"store\"\n"));
        let look = |loaded: Option<&Loaded>, unread: Option<&EnvironmentFileError>| {
            let sink = |name: &str, orphaned| SinkStatus {
                name: name.to_owned(),
                orphaned,
                ..SinkStatus::default()
            };
            let mut sinks = vec![sink("store", false), sink("a", true), sink("b", true)];
            let said = call_none_orphaned_in_doubt(&mut sinks, loaded, unread);
            (sinks.iter().filter(|sink| sink.orphaned).count(), said)
        };
        assert_eq!(look(Some(&written), None), (2, None));
        assert_eq!(look(None, None), (0, None));
        // The notices of these settings have it.
        assert_eq!(look(Some(&default), Some(&unread)), (0, None));
        let (orphans, said) = look(Some(&written), Some(&unread));
        assert_eq!(orphans, 0);
        assert_eq!(
            said.as_deref(),
            Some(
                "whether a is in the settings is not known: /etc/default/tidemark is a directory; \
                 name a regular file instead"
            )
        );
    }

    #[test]
    fn failing_counts_back_to_the_last_good_run() {
        let since =
            |runs: &[Run]| failing(runs).map(|failing| (failing.since.nanos() / 1_000_000_000, failing.runs));
        assert_eq!(since(&[]), None);
        assert_eq!(since(&[run(9, true), run(8, false)]), None);
        assert_eq!(
            since(&[run(9, false), run(8, false), run(7, true), run(6, false)]),
            Some((8, 2))
        );
        assert_eq!(since(&[run(9, false)]), Some((9, 1)));
    }
}
