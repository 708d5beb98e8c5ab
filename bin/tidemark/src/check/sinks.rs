//! The sinks: secrets, the ladder of each, and what waits for it.

use tidemark_collect::{chain, one_line};
use tidemark_delivery::{Finding, SinkLedger, SinkSpec, SinksError};
use tidemark_point::Timestamp;
use tidemark_settings::SecretSource;
use tokio::task::JoinSet;

use super::{Part, Sources};
use crate::orphaned::{self, BY_COMMAND_LINE};
use crate::wording::{counted, date_and_time, relative};

/// Probes every sink, all side by side; the findings in the settings' order.
pub(super) async fn look(from: &Sources<'_>) -> Vec<Vec<Finding>> {
    let (Some(_), Ok(state)) = (from.settings, &from.state) else {
        return Vec::new();
    };
    let mut probes = JoinSet::new();
    for (place, spec) in from.sinks.iter().cloned().enumerate() {
        let (state, clock) = (state.to_path_buf(), from.clock.clone());
        probes.spawn(async move { (place, spec.probe(&state, &clock).await) });
    }
    let mut found = probes.join_all().await;
    found.sort_unstable_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, findings)| findings).collect()
}

/// A part for each sink that is configured, and one for each that is not and has points.
pub(super) fn parts(from: &Sources<'_>, found: Vec<Vec<Finding>>, ledger: &[SinkLedger]) -> Vec<Part> {
    let now = from.now;
    if from.settings.is_none() {
        let wanting = vec![Finding::not_tried("sinks", "because of: settings")];
        return vec![Part::new("sinks", "sinks", wanting)];
    }
    let mut found = found.into_iter();
    let mut parts = Vec::new();
    for sink in from.sinks.iter() {
        let name = sink.name();
        let error = from.errors.iter().find(|error| error.sink() == name);
        let mut checks = secret(sink, error);
        checks.extend(found.next().unwrap_or_default());
        let of_sink = ledger.iter().find(|of| of.name == name);
        checks.extend(of_sink.map(|of| queue(of, now)).into_iter().flatten());
        let mut title = format!("sink {name}  {}", sink.kind());
        if let Some(place) = sink.place() {
            title.push_str(&format!(", {place}"));
        }
        parts.push(Part {
            name: Some(name.to_owned()),
            ..Part::new("sink", title, checks)
        });
    }
    // What is not known whole may name it.
    let is_known = from.command.unread().is_none() && from.sinks_are_known;
    for of in ledger.iter().filter(|of| of.orphaned && is_known) {
        let mut checks = queue(of, now);
        let waiting = if of.waiting > 0 { " --waiting" } else { "" };
        let by_command_line = orphaned::is_by_command_line(&of.name, from.has_default_sink);
        let forget = format!("tidemark outbox drop {}{waiting}", of.name);
        checks.push(match by_command_line {
            true => Finding::warning(
                "settings",
                format!("in no settings: {BY_COMMAND_LINE}"),
                format!("write that; or, where nothing uses that file any more, forget it: {forget}"),
            ),
            false => Finding::warning(
                "settings",
                "in no settings any more: nothing is delivered to it",
                format!("write it into the settings again, or forget it: {forget}"),
            ),
        });
        parts.push(Part {
            name: Some(of.name.clone()),
            ..Part::new(
                "sink",
                format!("sink {}  {}", one_line(&of.name), of.kind),
                checks,
            )
        });
    }
    parts
}

/// Whether what is read to reach it could be read.
fn secret(sink: &SinkSpec, error: Option<&SinksError>) -> Vec<Finding> {
    let mut checks = Vec::new();
    if let Some((key, source)) = sink.secret() {
        checks.push(match error {
            Some(SinksError::Secret { source: error, .. }) => {
                let said = chain(error);
                match said.rsplit_once("; ") {
                    Some((found, advice)) => Finding::failed("secret", found, advice),
                    None => Finding::failed("secret", said, "mend it in the settings"),
                }
            }
            _ => Finding::ok("secret", format!("{key}: {}", whence(source))),
        });
    }
    if let Some(SinksError::Http { source, .. }) = error {
        let said = chain(source);
        checks.push(match said.rsplit_once("; ") {
            Some((found, advice)) => Finding::failed("client", found, advice),
            None => Finding::failed("client", said, "mend the file, or name another as ca_file"),
        });
    }
    checks
}

/// Where a secret comes from; never what it is.
fn whence(source: &SecretSource) -> String {
    match source {
        SecretSource::Plain(_) => "it stands in the settings".to_owned(),
        SecretSource::Credential(name) => format!("from the credential {name}"),
        SecretSource::File(path) => format!("from {}", path.display()),
        SecretSource::Environment(name) => format!("from ${name}"),
    }
}

/// What waits for it, and what was lost.
fn queue(of: &SinkLedger, now: Timestamp) -> Vec<Finding> {
    const STEP: &str = "queue";
    let points = |number: u64| counted(number, "point", "points");
    let name = &of.name;
    let delivered = format!("{} delivered", points(of.delivered));
    let mut checks = Vec::new();
    if of.waiting == 0 {
        checks.push(Finding::ok(STEP, format!("{delivered}, none waits")));
    } else {
        let verb = if of.waiting == 1 { "waits" } else { "wait" };
        let mut found = format!("{delivered}, {} {verb}", points(of.waiting));
        if let Some(oldest) = of.oldest_waiting {
            found.push_str(&format!(
                ", the oldest since {} ({})",
                date_and_time(oldest),
                relative(now, oldest)
            ));
        }
        if of.parked > 0 {
            let batches = counted(of.parked, "batch", "batches");
            found.push_str(&format!("; {batches} always failed alone and are tried apart"));
        }
        if let Some(until) = of.backoff_until {
            found.push_str(&format!("; tried again {}", relative(now, until)));
        }
        match &of.last_error {
            // Nothing is tried there any more.
            Some(error) if !of.orphaned => {
                found.push_str(&format!("; last said: {}", one_line(error)));
                checks.push(Finding::warning(STEP, found, "try now: tidemark outbox flush"));
            }
            _ => checks.push(Finding::ok(STEP, found)),
        }
    }
    if of.unacknowledged() > 0 {
        let lost = of.unacknowledged();
        let found = format!(
            "{} lost: {} refused, {} given up",
            if lost == 1 {
                "1 point was".to_owned()
            } else {
                format!("{} were", points(lost))
            },
            of.rejected,
            of.dropped
        );
        let advice =
            format!("tidemark outbox show {name} says why; tidemark outbox drop {name} acknowledges it");
        checks.push(Finding::warning("losses", found, advice));
    }
    checks
}
