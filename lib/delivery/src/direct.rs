//! Delivering without an outbox: to each sink at once, or the points are lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidemark_point::Declarations;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::carry::{End, carry};
use crate::delivery::OpenOptions;
use crate::lines::Lines;
use crate::outbox::Place;
use crate::run::own_declarations;
use crate::session::publish;
use crate::sink::textfile::{FileName, Folder, Sheet, Unpublished};
use crate::sink::{Sink as _, SinkSpec};
use crate::submission::{Packed, Submission};
use crate::{DeliveryError, Run, words};

/// Delivers what a collector submits to every sink that takes it, all sinks at once, within the budget of a run.
///
/// # Errors
/// [`DeliveryError::Lost`] where points of a collector (not tidemark's own alone) did not arrive everywhere.
pub(crate) async fn deliver(options: &OpenOptions, submission: &Submission<'_>) -> Result<(), DeliveryError> {
    let deadline = Instant::now() + options.run_budget;
    let collector = submission.collector;
    let sinks: Vec<&SinkSpec> = options
        .sinks
        .iter()
        .filter(|sink| sink.takes(collector))
        .collect();
    let unpackable = |source| DeliveryError::File {
        path: options.dir.clone(),
        source,
    };
    let mut bodies = submission.pack_points(&sinks).map_err(unpackable)?;
    bodies.extend(submission.pack_own(&sinks).map_err(unpackable)?);
    let packed = Arc::new(Commit {
        collector: collector.to_owned(),
        runs: submission.runs.iter().map(|one| one.run.clone()).collect(),
        bodies,
    });
    let mut sessions: JoinSet<Vec<Failure>> = JoinSet::new();
    for spec in sinks {
        let (spec, options, packed) = (spec.clone(), options.clone(), packed.clone());
        let span = spec.span();
        let session = async move { to_sink(&options, &spec, &packed, deadline).await };
        sessions.spawn(session.instrument(span));
    }
    let mut lost = 0;
    let mut said = Vec::new();
    while let Some(failures) = sessions.join_next().await {
        for failure in failures.unwrap_or_default() {
            lost += failure.points;
            said.push(format!("{}: {}", failure.sink, failure.said));
        }
    }
    if lost == 0 {
        return Ok(());
    }
    said.sort();
    said.dedup();
    Err(DeliveryError::Lost {
        points: lost,
        said: said.join("; "),
    })
}

/// A commit that could not be kept.
struct Commit {
    collector: String,
    runs: Vec<Run>,
    bodies: Vec<Packed>,
}

/// Points that did not arrive.
struct Failure {
    sink: String,
    points: u64,
    said: String,
}

async fn to_sink(options: &OpenOptions, spec: &SinkSpec, commit: &Commit, deadline: Instant) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut failed = |own: bool, points: u64, said: String| {
        if own {
            tracing::debug!("{}: the run's own point did not arrive: {said}", spec.name());
        } else if points > 0 {
            let what = if points == 1 { "point" } else { "points" };
            tracing::warn!(points, "{}: {points} {what} did not arrive: {said}", spec.name());
            failures.push(Failure {
                sink: spec.name().to_owned(),
                points,
                said,
            });
        }
    };
    if let Some(folder) = spec.folder() {
        // The newest run of each target; the flush's own points are no run's.
        let targets: BTreeMap<_, _> = commit.runs.iter().map(|run| (&run.target, run)).collect();
        let runs = targets.into_values().map(Some);
        let none = commit.runs.is_empty().then_some(None);
        for run in runs.chain(none) {
            for own in [false, true] {
                let to = (spec.name(), folder);
                if let Err((points, said)) = to_folder(options, to, commit, run, own, deadline).await {
                    failed(own, points, said);
                }
            }
        }
        return failures;
    }
    let bodies = &commit.bodies;
    let Some(mut sink) = spec.connect(&options.dir, &options.clock, false) else {
        let points = bodies.iter().map(|packed| u64::from(packed.body.points)).sum();
        failed(false, points, "its settings were not read".to_owned());
        return failures;
    };
    for Packed { own, body, .. } in bodies {
        if spec.needs_declarations() {
            sink.declare(&declared(options, *own));
        }
        let all = Lines::all(body.points);
        let carried = carry(&mut sink, spec.dialect(), body, all, 0, Some(deadline)).await;
        for rejected in &carried.rejected {
            tracing::warn!(
                points = 1,
                "{}: refused {}: {}",
                spec.name(),
                words::words(&rejected.line),
                rejected.reason
            );
        }
        let rest = u64::from(carried.rest.count());
        match carried.end {
            End::Settled => {}
            End::Later(later) => failed(*own, rest, later.said),
            End::OutOfTime => failed(*own, rest, "the time is used up".to_owned()),
            End::Damaged => failed(*own, rest, "the batch cannot be unpacked".to_owned()),
        }
    }
    if let Some(notice) = sink.take_notice() {
        tracing::info!("{}: {notice}", spec.name());
    }
    sink.close().await;
    failures
}

/// What is known of the fields of points.
fn declared(options: &OpenOptions, own: bool) -> Arc<Declarations> {
    Arc::new(match own {
        true => own_declarations(),
        false => options.declared.iter().copied().collect(),
    })
}

/// Writes the file of a run's points, or of its own point; else how many points are lost, and why.
async fn to_folder(
    options: &OpenOptions,
    (sink, folder): (&str, &Folder),
    commit: &Commit,
    run: Option<&Run>,
    own: bool,
    deadline: Instant,
) -> Result<(), (u64, String)> {
    let target = run.and_then(|run| run.target.as_ref());
    let bodies: Vec<&Packed> = commit
        .bodies
        .iter()
        .filter(|packed| packed.own == own && packed.target.as_ref() == target)
        .collect();
    // Of two runs of one target, the later one.
    let newest = bodies.iter().rposition(|packed| packed.part == 0).unwrap_or(0);
    let bodies = bodies.get(newest..).unwrap_or_default();
    let points = bodies.iter().map(|packed| u64::from(packed.body.points)).sum();
    let mut text = Vec::new();
    for packed in bodies {
        text.extend_from_slice(&packed.body.text().map_err(|error| (points, error.to_string()))?);
    }
    let collector = &commit.collector;
    let place = Place {
        collector: collector.clone(),
        target: target.cloned(),
        own,
        committed: options.clock.now(),
    };
    let sheet = Sheet {
        name: FileName::new(collector, place.target.as_deref(), own),
        declared: declared(options, own),
        committed: place.committed,
        until: publish::goes_at(&place, run),
        text,
    };
    let empty = publish::emptied(&place, run);
    if points == 0 && empty.is_none() {
        return Ok(());
    }
    let time = deadline.saturating_duration_since(Instant::now());
    match publish::publish(folder, sheet, empty, place.committed, time).await {
        Ok(published) => {
            published.tell(sink, collector);
            Ok(())
        }
        Err(Unpublished::Folder(later) | Unpublished::File(later)) => Err((points, later.said)),
    }
}
