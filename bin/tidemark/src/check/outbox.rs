//! The outbox: whether it can be read, is whole, and adds up.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use tidemark_collect::{chain, one_line};
use tidemark_delivery::{DeliveryError, Finding, Look, OpenOptions, Outbox, SinkLedger, Sinks, Whole};
use tidemark_point::Timestamp;
use tidemark_settings::Size;

use super::{NO_SINK, Sources};
use crate::wording::size;

/// How long SQLite may take to look at every page.
const CHECK_TIME: Duration = Duration::from_secs(5);

/// The most that is said of what does not add up.
const LISTED: usize = 5;

/// Of `max_bytes`, from which on it is worth a warning.
const FULL_PERCENT: u64 = 80;

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
pub(super) async fn look(from: &Sources<'_>) -> Looked {
    let (Ok(state), Ok(())) = (from.state.as_ref(), from.owner.as_ref()) else {
        return Looked {
            findings: vec![Finding::not_tried(STEP, "because of: folder")],
            ledger: Vec::new(),
        };
    };
    let clock = from.clock.clone();
    let options = match from.settings {
        Some(settings) => OpenOptions::from_settings(state, settings, from.sinks.clone(), clock),
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
            let waits = ledger.iter().any(|of| of.waiting > 0);
            let max_bytes = from
                .settings
                .map(|settings| settings.outbox.max_bytes)
                .filter(|_| waits);
            let mut findings = vec![pages(&path, bytes, &whole, max_bytes)];
            findings.extend(adds_up(&wrong, !ledger.is_empty()));
            findings.extend(damaged_since(&ledger, from.now));
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

/// Whether the file is whole, and how full it is where something waits.
fn pages(path: &Path, bytes: u64, whole: &Whole, max_bytes: Option<Size>) -> Finding {
    let text = match whole {
        Whole::Yes => format!("{}, whole", size(bytes)),
        Whole::NotKnown => format!(
            "{}, too much to look at every page in {} s",
            size(bytes),
            CHECK_TIME.as_secs()
        ),
        Whole::No(what) => return damaged(&format!("{} is damaged: {}", path.display(), one_line(what))),
    };
    match max_bytes.map(Size::as_bytes) {
        Some(most) if bytes / FULL_PERCENT >= most / 100 => Finding::warning(
            STEP,
            format!(
                "{text}; at {} (outbox.max_bytes) what waits longest is dropped",
                size(most)
            ),
            "mend the sinks that do not take it, or raise outbox.max_bytes",
        ),
        _ => Finding::ok(STEP, text),
    }
}

fn failed(error: &DeliveryError) -> Finding {
    let said = chain(error);
    match error {
        DeliveryError::Newer { path, version, known } => Finding::warning(
            STEP,
            format!(
                "{} has version {version}, newer than {known}: it is left alone, and runs deliver without an outbox",
                path.display()
            ),
            "update tidemark",
        ),
        DeliveryError::Damaged { path, what, .. } => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            // SQLite's words stand behind its code.
            let why = why.rsplit_once(") ").map_or(why.as_str(), |(_, words)| words);
            let what = if why.is_empty() {
                what.clone()
            } else {
                format!("{what} ({why})")
            };
            damaged(&one_line(format!("{} is damaged: {what}", path.display())))
        }
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
    let mut said: Vec<String> = wrong.iter().take(LISTED).map(one_line).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use tidemark_delivery::Verdict;

    #[test]
    fn a_file_is_whole_damaged_or_too_large_to_know() {
        let path = Path::new("/s/outbox.db");
        let of = |whole: &Whole| pages(path, 3 << 30, whole, None);
        assert_eq!(of(&Whole::Yes), Finding::ok("outbox", "3.0 GiB, whole"));
        assert_eq!(
            of(&Whole::NotKnown),
            Finding::ok("outbox", "3.0 GiB, too much to look at every page in 5 s")
        );
        let damaged = of(&Whole::No("page 3\nis \u{1b}[31mred".to_owned()));
        assert_eq!(
            (damaged.verdict, damaged.found.as_str()),
            (Verdict::Failed, "/s/outbox.db is damaged: page 3 is [31mred")
        );
    }

    #[test]
    fn what_waits_may_nearly_fill_it() {
        let of = |bytes| pages(Path::new("/s"), bytes, &Whole::Yes, Some(Size::mib(100))).verdict;
        assert_eq!(of(79 << 20), Verdict::Ok);
        assert_eq!(of(81 << 20), Verdict::Warning);
    }

    #[test]
    fn a_ledger_that_does_not_add_up_is_a_fault_of_ours() {
        let wrong: Vec<String> = (0..7).map(|number| format!("wrong {number}")).collect();
        let finding = adds_up(&wrong, true).expect("a finding");
        assert_eq!(
            finding.found,
            "wrong 0; wrong 1; wrong 2; wrong 3; wrong 4; and 2 more"
        );
        assert_eq!(finding.verdict, Verdict::Failed);
        assert_eq!(adds_up(&[], false), None);
        assert_eq!(adds_up(&[], true), Some(Finding::ok("ledger", "it adds up")));
    }

    #[test]
    fn other_failures_say_where_to_look() {
        let path = Path::new("/s/outbox.db").to_path_buf();
        let finding = failed(&DeliveryError::File {
            path,
            source: std::io::Error::other("it burns"),
        });
        assert_eq!(finding.found, "/s/outbox.db cannot be used: it burns");
        assert_eq!(
            finding.advice.as_deref(),
            Some("look at the disk and the kernel's log")
        );
    }
}
