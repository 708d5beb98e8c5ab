//! `tidemark outbox`: what waits for the sinks, what was rejected and why, and what can be done about it.

mod due;
mod mended;
mod rejected;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tidemark_app::exit::{self, Failure};
use tidemark_app::{block_on, ready_state};
use tidemark_collect::{Clock, SystemClock, chain, one_line};
use tidemark_delivery::{
    Budget, Delivery, DeliveryError, DropSelection, MAX_REJECTED_POINTS, OpenOptions, Outbox, Report,
    SinkState, Sinks, Taken,
};
use tidemark_point::Timestamp;

use crate::Command;
use crate::arguments::{OutboxAction, RejectedFormat};
use crate::orphaned::{self, BY_COMMAND_LINE};
use crate::state;
use crate::table::{Align, Cell, Table};
use crate::wording::{count, counted, relative};

/// Batches that `list`, and rejected points that `show`, print; of more, the number is said.
const SHOWN: u32 = 100;

/// Does `action`.
pub(crate) fn outbox(command: &Command, action: &OutboxAction) -> Result<ExitCode, Failure> {
    let loaded = command.settings()?;
    if let Some(unknown) = command.unknown_sinks(&loaded) {
        match action {
            // It would forget what is perhaps delivered to.
            OutboxAction::Drop { .. } => {
                return Err(Failure::settings(format!("nothing is dropped: {unknown}")));
            }
            _ => tracing::warn!("{unknown}"),
        }
    }
    // Before root becomes the state's owner, who may not read it.
    let text = match action {
        OutboxAction::RetryFrom { file, .. } => Some(mended::Text::read(file)?),
        _ => None,
    };
    let delivers = matches!(
        action,
        OutboxAction::Flush { .. } | OutboxAction::Retry { .. } | OutboxAction::RetryFrom { .. }
    );
    let (state, sinks) = if delivers {
        ready_state(&command.here, &loaded.settings)?
    } else {
        (state::folder(command)?, Sinks::named(&loaded.settings))
    };
    if state::file(&state, state::OUTBOX)?.is_none() && text.is_none() {
        return nothing_yet(action, state::elsewhere(command, &state));
    }
    let known = Known {
        whole: command.unread().is_none() && loaded.sinks_in_doubt.is_none(),
        has_default_sink: loaded.has_default_sink,
    };
    block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let options = OpenOptions::from_settings(&state, &loaded.settings, sinks, Arc::clone(&clock));
        let mut delivery = Delivery::open(options).await;
        let notices = delivery.take_notices();
        if delivery.outbox().is_none() {
            return Err(cannot_be_used(action, &notices));
        }
        let done = match (&text, action) {
            (Some(text), OutboxAction::RetryFrom { sink, .. }) => {
                retry_from(&mut delivery, text, sink.as_deref(), known).await
            }
            _ => act(&mut delivery, action, clock.now(), known).await,
        };
        delivery.close().await;
        done
    })
}

/// A log that is kept has what was said on opening already.
fn cannot_be_used(action: &OutboxAction, notices: &[String]) -> Failure {
    Failure::run(match action {
        OutboxAction::Flush { due: true } => {
            "nothing is delivered: there is no outbox that could be used".to_owned()
        }
        _ => format!("the outbox cannot be used: {}", notices.join("; ")),
    })
}

/// An outbox that nobody has made yet holds nothing.
fn nothing_yet(action: &OutboxAction, hint: Option<String>) -> Result<ExitCode, Failure> {
    match action {
        OutboxAction::Flush { due: true } => {
            tracing::debug!("nothing has run yet");
            Ok(ExitCode::SUCCESS)
        }
        OutboxAction::Show { what: Some(what) } => Err(unknown(what)),
        OutboxAction::Drop {
            batch: Some(batch), ..
        } => Err(unknown(&batch.to_string())),
        OutboxAction::Rejected {
            format: Some(format), ..
        } => {
            exit::print(rejected::text(&[], *format).as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            let hint = hint.map(|hint| format!("({hint})\n")).unwrap_or_default();
            exit::print(format!("The outbox is empty: nothing has run yet.\n{hint}").as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn unknown(what: &str) -> Failure {
    Failure::run(format!(
        "there is neither a sink nor a batch {what:?}; `tidemark outbox list` lists them"
    ))
}

async fn act(
    delivery: &mut Delivery,
    action: &OutboxAction,
    now: Timestamp,
    known: Known,
) -> Result<ExitCode, Failure> {
    let text = match action {
        OutboxAction::List { sink } => list(opened(delivery)?, sink.as_deref(), now).await?,
        OutboxAction::Show { what } => match what.as_deref().map(|what| (what, what.parse::<i64>())) {
            Some((_, Ok(batch))) => {
                let body = opened(delivery)?.body(batch, None).await.map_err(failed)?;
                exit::print(&body)?;
                return Ok(ExitCode::SUCCESS);
            }
            Some((sink, Err(_))) => refused(opened(delivery)?, Some(sink), None, now).await?,
            None => refused(opened(delivery)?, None, None, now).await?,
        },
        OutboxAction::Rejected { sink, format } => {
            refused(opened(delivery)?, sink.as_deref(), Some(*format), now).await?
        }
        OutboxAction::Flush { due: true } => return due::flush(delivery).await,
        OutboxAction::Flush { due: false } => {
            let report = delivery.deliver(Budget::Flush).await;
            return delivered(delivery, &report, known).await;
        }
        OutboxAction::Retry { sink } => {
            opened(delivery)?.retry(sink.as_deref()).await.map_err(failed)?;
            let report = delivery.deliver(Budget::Timer).await;
            return delivered(delivery, &report, known).await;
        }
        OutboxAction::RetryFrom { .. } => return Err(unknown("file")),
        OutboxAction::Drop { sink, batch, waiting } => {
            let losses_only = !waiting && batch.is_none();
            let selection = DropSelection {
                sink: sink.clone(),
                batch: *batch,
                losses_only,
            };
            drop_text(&opened(delivery)?.drop_waiting(&selection).await.map_err(failed)?)
        }
    };
    exit::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn opened(delivery: &Delivery) -> Result<&Outbox, Failure> {
    delivery
        .outbox()
        .ok_or_else(|| Failure::run("the outbox cannot be used any more"))
}

fn failed(error: DeliveryError) -> Failure {
    Failure::run(chain(&error))
}

async fn list(outbox: &Outbox, sink: Option<&str>, now: Timestamp) -> Result<String, Failure> {
    let ledger = outbox.ledger().await.map_err(failed)?;
    if let Some(sink) = sink
        && !ledger.iter().any(|known| known.name == sink)
    {
        return Err(unknown(sink));
    }
    let batches = outbox.waiting(sink, 0, SHOWN).await.map_err(failed)?;
    if batches.is_empty() {
        return Ok("Nothing waits.\n".to_owned());
    }
    let mut table = Table::new([
        ("BATCH", Align::Right),
        ("SINK", Align::Left),
        ("COLLECTOR", Align::Left),
        ("POINTS", Align::Right),
        ("SINCE", Align::Left),
        ("TRIED", Align::Right),
    ]);
    for batch in &batches {
        table.row([
            Cell::from(batch.id.to_string()),
            batch.sink.as_str().into(),
            batch.collector.as_str().into(),
            count(batch.points).into(),
            relative(now, batch.committed).into(),
            batch.attempts.to_string().into(),
        ]);
        if let Some(until) = batch.parked_until {
            table.note(&format!(
                "always failed alone: set aside, tried again {}",
                relative(now, until)
            ));
        }
    }
    let mut text = table.render(false);
    let waiting: u64 = ledger
        .iter()
        .filter(|of| sink.is_none_or(|sink| of.name == sink))
        .map(|of| of.waiting)
        .sum();
    let shown: u64 = batches.iter().map(|batch| batch.points).sum();
    if waiting > shown {
        let _ = writeln!(text, "and {} more", counted(waiting - shown, "point", "points"));
    }
    for of in ledger
        .iter()
        .filter(|of| of.waiting > 0 && sink.is_none_or(|sink| of.name == sink))
    {
        if let Some(error) = &of.last_error {
            let _ = writeln!(text, "{}: {}", of.name, one_line(error));
        }
    }
    Ok(text)
}

/// What sinks refused: the newest of it, or every point that is kept; in a format for mending or for programs, those alone.
async fn refused(
    outbox: &Outbox,
    sink: Option<&str>,
    all: Option<Option<RejectedFormat>>,
    now: Timestamp,
) -> Result<String, Failure> {
    let ledger = outbox.ledger().await.map_err(failed)?;
    if let Some(sink) = sink
        && !ledger.iter().any(|known| known.name == sink)
    {
        return Err(unknown(sink));
    }
    let limit = if all.is_some() { MAX_REJECTED_POINTS } else { SHOWN };
    let mut points = outbox.rejected(sink, limit).await.map_err(failed)?;
    if all.is_some() {
        points.reverse();
    }
    if let Some(Some(format)) = all {
        return Ok(rejected::text(&points, format));
    }
    let mut text = String::new();
    for of in ledger.iter().filter(|of| sink.is_none_or(|sink| of.name == sink)) {
        let _ = writeln!(
            text,
            "{}: {} rejected, {} dropped, {} of them not acknowledged yet",
            of.name,
            counted(of.rejected, "point", "points"),
            count(of.dropped),
            count(of.unacknowledged())
        );
    }
    for point in &points {
        text.push_str(&rejected::for_people(point, now));
    }
    if all.is_none() && points.len() == SHOWN as usize {
        let _ = writeln!(
            text,
            "\nThese are the newest {SHOWN}; `tidemark outbox show --rejected` prints all."
        );
    }
    if !points.is_empty() {
        text.push_str(
            "\nTo mend them: tidemark outbox show --rejected --output influx > FILE, then tidemark outbox retry --from FILE\n\
             To give them up: tidemark outbox drop\n",
        );
    }
    if text.is_empty() {
        text.push_str("Nothing is known of any sink yet.\n");
    }
    Ok(text)
}

/// Takes the mended `text` of refused points, and delivers what waits.
async fn retry_from(
    delivery: &mut Delivery,
    text: &mended::Text,
    sink: Option<&str>,
    known: Known,
) -> Result<ExitCode, Failure> {
    let outbox = opened(delivery)?;
    let kept = outbox.rejected(None, MAX_REJECTED_POINTS).await.map_err(failed)?;
    let lines = mended::read(text, &kept, sink)?;
    let taken = outbox.take_mended(&lines.points).await.map_err(failed)?;
    for sink in taken.sinks.keys() {
        outbox.retry(Some(sink)).await.map_err(failed)?;
    }
    let mut said = taken_text(lines.points.len() as u64, &taken);
    if !lines.adjustments.is_empty() {
        let _ = writeln!(said, "To make points of them: {}.", lines.adjustments);
    }
    exit::print(said.as_bytes())?;
    let report = delivery.deliver(Budget::Timer).await;
    let refused_again = report.sinks.iter().any(|sink| sink.rejected > 0);
    let code = delivered(delivery, &report, known).await?;
    Ok(if refused_again {
        ExitCode::from(exit::FAILED)
    } else {
        code
    })
}

fn taken_text(points: u64, taken: &Taken) -> String {
    let sinks: Vec<String> = taken
        .sinks
        .iter()
        .map(|(sink, points)| format!("{} for {}", count(*points), one_line(sink)))
        .collect();
    let mut text = format!(
        "{} taken: {}; {} acknowledged.\n",
        counted(points, "point", "points"),
        sinks.join(", "),
        counted(taken.acknowledged, "refused point", "refused points")
    );
    for notice in &taken.notices {
        let _ = writeln!(text, "{}", one_line(notice));
    }
    text
}

/// What a delivery did, with what is `known` of the settings; success where nothing is left waiting.
async fn delivered(delivery: &Delivery, report: &Report, known: Known) -> Result<ExitCode, Failure> {
    let ledger = opened(delivery)?.ledger().await.map_err(failed)?;
    let mut text = String::new();
    for of in &ledger {
        let done = report.sinks.iter().find(|sink| sink.sink == of.name);
        let delivered = done.map_or(0, |done| done.delivered);
        let _ = write!(
            text,
            "{}: {} delivered",
            of.name,
            counted(delivered, "point", "points")
        );
        if let Some(rejected) = done.map(|done| done.rejected).filter(|rejected| *rejected > 0) {
            let _ = write!(
                text,
                ", {} rejected (`tidemark outbox show {}` says why)",
                count(rejected),
                of.name
            );
        }
        if of.waiting > 0 {
            let _ = write!(
                text,
                ", {} still waiting{}",
                count(of.waiting),
                match of.orphaned {
                    true => why_orphaned(&of.name, known),
                    false => why(done.map(|done| &done.state)),
                }
            );
        }
        text.push('\n');
    }
    if ledger.is_empty() {
        text.push_str("Nothing waits.\n");
    }
    exit::print(text.as_bytes())?;
    Ok(ExitCode::from(if ledger.iter().any(|of| of.waiting > 0) {
        exit::FAILED
    } else {
        exit::OK
    }))
}

/// What is known of the settings.
#[derive(Copy, Clone)]
struct Known {
    /// Whether all of them were read.
    whole: bool,
    /// Whether no sink is in them.
    has_default_sink: bool,
}

fn why_orphaned(name: &str, known: Known) -> String {
    if !known.whole {
        return ": it is in no settings that this user may read".to_owned();
    }
    match orphaned::is_by_command_line(name, known.has_default_sink) {
        true => format!(": it is in no settings; {BY_COMMAND_LINE}"),
        false => ": it is in no settings any more".to_owned(),
    }
}

fn why(state: Option<&SinkState>) -> String {
    match state {
        Some(SinkState::BackingOff { said, .. } | SinkState::Failed(said)) => format!(": {}", one_line(said)),
        Some(SinkState::Elsewhere) => ": another process delivers to it just now".to_owned(),
        _ => String::new(),
    }
}

fn drop_text(dropped: &tidemark_delivery::Dropped) -> String {
    let mut text = String::new();
    if dropped.waiting > 0 {
        let _ = writeln!(
            text,
            "{} given up.",
            counted(dropped.waiting, "waiting point", "waiting points")
        );
    }
    if dropped.acknowledged > 0 {
        let _ = writeln!(
            text,
            "{} acknowledged.",
            counted(dropped.acknowledged, "lost point", "lost points")
        );
    }
    for sink in &dropped.sinks {
        let _ = writeln!(
            text,
            "{}: forgotten, it was in no settings any more.",
            one_line(sink)
        );
    }
    if text.is_empty() {
        text.push_str("There was nothing to drop.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_said() {
        assert_eq!(
            drop_text(&tidemark_delivery::Dropped::default()),
            "There was nothing to drop.\n"
        );
    }

    #[test]
    fn why_something_waits_is_said() {
        assert_eq!(
            why(Some(&SinkState::Failed("https://db: refused\n".into()))),
            ": https://db: refused"
        );
        assert_eq!(why(Some(&SinkState::Drained)), "");
        let known = |whole, has_default_sink| Known {
            whole,
            has_default_sink,
        };
        for (name, known, said) in [
            ("db", known(true, true), ": it is in no settings any more"),
            ("idic", known(true, false), ": it is in no settings any more"),
            (
                "idic",
                known(true, true),
                ": it is in no settings; `tidemark-onefs --idic FILE` delivers",
            ),
            (
                "idic",
                known(false, true),
                ": it is in no settings that this user may read",
            ),
        ] {
            let why = why_orphaned(name, known);
            assert!(why.starts_with(said), "{why}");
        }
    }
}
