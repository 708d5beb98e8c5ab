//! The outbox: whether it can be read, is whole, and adds up.

use std::time::Duration;

use tidemark_collect::chain;
use tidemark_delivery::{DeliveryError, Finding, Look, OpenOptions, Outbox, SinkLedger, Sinks, Whole};
use tidemark_point::Timestamp;

use super::{NO_SINK, Sources};
use crate::table::one_line;
use crate::wording::size;

/// How long SQLite may take to look at every page.
const CHECK_TIME: Duration = Duration::from_secs(5);

/// The most that is said of what does not add up.
const LISTED: usize = 5;

/// The check's name.
const STEP: &str = "outbox";

/// What a look at the outbox came to.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    /// What became of every point, by sink; empty where that is not known.
    pub(super) ledger: Vec<SinkLedger>,
}

/// Looks at the outbox, as far as there is a state folder.
pub(super) async fn look(from: &Sources<'_>, now: Timestamp) -> Looked {
    let (Ok(state), Ok(())) = (from.state.as_ref(), from.owner.as_ref()) else {
        return Looked {
            findings: vec![Finding::not_tried(STEP, "for want of: folder")],
            ledger: Vec::new(),
        };
    };
    let clock = from.clock.clone();
    let options = match &from.settings.loaded {
        Some(loaded) => OpenOptions::from_settings(state, &loaded.settings, from.sinks.clone(), clock),
        None => OpenOptions::new(state, NO_SINK, Sinks::discard(NO_SINK), clock),
    };
    let path = state.join("outbox.db");
    match Outbox::look(&options, CHECK_TIME).await {
        Ok(Look::Missing) => just(Finding::ok(STEP, "not made yet: the first run makes it")),
        Ok(Look::Older { version, known }) => just(Finding::ok(
            STEP,
            format!("of version {version}: the next run brings it to {known}"),
        )),
        Ok(Look::LogAlone) => just(Finding::not_tried(
            STEP,
            "a process was killed while it wrote: the next run opens it and goes on from its log",
        )),
        Ok(Look::Read {
            bytes,
            whole,
            ledger,
            wrong,
        }) => {
            let mut findings = vec![match whole {
                Whole::Yes => Finding::ok(STEP, format!("{}, whole", size(bytes))),
                Whole::NotKnown => Finding::ok(
                    STEP,
                    format!(
                        "{}, too much to look at every page in {} s",
                        size(bytes),
                        CHECK_TIME.as_secs()
                    ),
                ),
                Whole::No(what) => damaged(&format!("{} is damaged: {}", path.display(), one_line(&what))),
            }];
            findings.extend(adds_up(&wrong, !ledger.is_empty()));
            findings.extend(damaged_since(&ledger, now));
            Looked { findings, ledger }
        }
        Ok(_) => just(Finding::not_tried(
            STEP,
            "this is news to this version of tidemark",
        )),
        Err(error) => just(failed(&error)),
    }
}

fn just(finding: Finding) -> Looked {
    Looked {
        findings: vec![finding],
        ledger: Vec::new(),
    }
}

fn failed(error: &DeliveryError) -> Finding {
    let said = one_line(&chain(error));
    match error {
        DeliveryError::Newer { path, version, known } => Finding::warning(
            STEP,
            format!(
                "{} has version {version}, newer than {known}: it is left alone, and runs deliver without an outbox",
                path.display()
            ),
            "update tidemark",
        ),
        DeliveryError::Damaged { .. } => damaged(&said),
        DeliveryError::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Finding::failed(STEP, said, "run this as the state's owner or as root")
        }
        _ => Finding::failed(STEP, said, "look at the disk and the kernel's log"),
    }
}

fn damaged(what: &str) -> Finding {
    let advice =
        "the next run sets it aside, saves what can be read, and begins a new one; look at the disk, too";
    Finding::failed(STEP, what, advice)
}

fn adds_up(wrong: &[String], has_points: bool) -> Option<Finding> {
    const STEP: &str = "ledger";
    if wrong.is_empty() {
        return has_points.then(|| Finding::ok(STEP, "it adds up"));
    }
    let mut said: Vec<String> = wrong.iter().take(LISTED).map(|text| one_line(text)).collect();
    if wrong.len() > LISTED {
        said.push(format!("and {} more", wrong.len() - LISTED));
    }
    let advice = "report this fault of tidemark; what waits is delivered all the same";
    Some(Finding::failed(STEP, said.join("; "), advice))
}

fn damaged_since(ledger: &[SinkLedger], now: Timestamp) -> Option<Finding> {
    let since = ledger.iter().filter_map(|of| of.damaged_since).min()?;
    Some(Finding::warning(
        "history",
        format!(
            "the outbox was damaged {}: the numbers are not whole since {}",
            crate::wording::relative(now, since),
            crate::wording::date_and_time(since)
        ),
        "look at the disk; the damaged file lies beside the new one",
    ))
}
