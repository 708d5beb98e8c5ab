//! Delivering to a folder: of each collector the newest batches become a file; older ones were superseded before.

use std::time::Duration;

use tidemark_point::Timestamp;
use tokio::time::Instant;

use super::Session;
use crate::carry::{Carried, End, time_left};
use crate::lines::{LineTexts, Lines};
use crate::outbox::{Due, Place, RejectedLine};
use crate::policy::Later;
use crate::report::SinkState;
use crate::sink::FLUSH_NAME;
use crate::sink::textfile::{self, FileName, Folder, Published, Sheet, Unpublished};
use crate::{DeliveryError, Run, words};

impl Session<'_> {
    /// Writes the files of what waits. What is in the way of one file keeps none of the others.
    pub(super) async fn publish(
        &mut self,
        folder: &Folder,
        deadline: Option<Instant>,
    ) -> Result<(), DeliveryError> {
        let mut blocked: Vec<(Due, Later)> = Vec::new();
        for place in self.outbox.places(self.endpoint.id).await? {
            let Some(time) = time_left(deadline) else {
                self.report.state = SinkState::OutOfTime;
                break;
            };
            let batches = self.outbox.newest_of(self.endpoint.id, &place).await?;
            let batches = self.without_damaged(batches).await?;
            let last_run = self.outbox.last_run_of(&place).await?;
            let Some(first) = batches.first() else { continue };
            let declared = self.declared(first).await?;
            let (text, line_of) = joined(&batches);
            let sheet = Sheet {
                name: FileName::new(&place.collector, place.target.as_deref(), place.own),
                declared,
                committed: place.committed,
                until: goes_at(&place, last_run.as_ref()),
                text,
            };
            let empty = emptied(&place, last_run.as_ref());
            match publish(folder, sheet, empty, self.outbox.clock().now(), time).await {
                Ok(published) if published.superseded => {
                    let batches: Vec<i64> = batches.iter().map(|due| due.batch).collect();
                    self.outbox.supersede_these(self.endpoint.id, &batches).await?;
                    // Somebody wrote there since it failed.
                    self.endpoint_changed |= self.endpoint.recovered();
                }
                Ok(published) => self.published(&batches, &line_of, published).await?,
                Err(Unpublished::File(later)) => {
                    blocked.extend(batches.into_iter().next().map(|due| (due, later)));
                }
                Err(Unpublished::Folder(later)) => {
                    return self.endpoint_failed(batches.into_iter().next(), &later).await;
                }
            }
        }
        for (due, later) in &blocked {
            self.tell_failed(Some(&due.collector), later);
            self.outbox
                .batch_failed(self.endpoint.id, due.batch, due.alone.saturating_add(1), None)
                .await?;
            self.endpoint.last_error = Some(later.said.clone());
            self.endpoint_changed = true;
            self.report.state = SinkState::Failed(later.said.clone());
        }
        Ok(())
    }

    /// Gives up the batches that are damaged.
    async fn without_damaged(&mut self, batches: Vec<Due>) -> Result<Vec<Due>, DeliveryError> {
        let mut sound = Vec::new();
        for due in batches {
            let is_sound = due.body.as_ref().is_ok_and(|body| body.text().is_ok());
            if is_sound {
                sound.push(due);
            } else {
                let lost = Carried::without(due.lines.clone(), End::Damaged);
                self.settle(&due, lost).await?;
            }
        }
        Ok(sound)
    }

    /// Notes what became of the batches of a file.
    async fn published(
        &mut self,
        batches: &[Due],
        line_of: &[(usize, u32)],
        published: Published,
    ) -> Result<(), DeliveryError> {
        let collector = batches.first().map_or("", |due| &due.collector);
        published.tell(self.spec.name(), collector);
        for (place, due) in batches.iter().enumerate() {
            let text = due
                .body
                .as_ref()
                .ok()
                .and_then(|body| body.text().ok())
                .unwrap_or_default();
            let texts = LineTexts::of(&text);
            let mut carried = Carried::without(Lines::default(), End::Settled);
            for (number, reason) in &published.refused {
                let of = line_of.get(*number as usize);
                if let Some((_, line)) = of.filter(|(batch, _)| *batch == place) {
                    carried.rejected.push(RejectedLine {
                        line: String::from_utf8_lossy(texts.get(*line)).into_owned(),
                        status: None,
                        reason: words::words(reason),
                    });
                }
            }
            carried.delivered = u64::from(due.lines.count()).saturating_sub(carried.rejected.len() as u64);
            self.settle(due, carried).await?;
        }
        Ok(())
    }
}

/// The lines of batches as one text, and of each line which batch it is from, and which line there.
fn joined(batches: &[Due]) -> (Vec<u8>, Vec<(usize, u32)>) {
    let (mut text, mut line_of) = (Vec::new(), Vec::new());
    for (place, due) in batches.iter().enumerate() {
        let Some(part) = due.body.as_ref().ok().and_then(|body| body.text().ok()) else {
            continue;
        };
        text.extend(LineTexts::of(&part).join(&due.lines));
        line_of.extend(due.lines.iter().map(|line| (place, line)));
    }
    (text, line_of)
}

/// When the file of a place goes.
pub(crate) fn goes_at(place: &Place, last_run: Option<&Run>) -> Timestamp {
    match (place.own, place.collector == FLUSH_NAME) {
        (true, true) => place.committed.saturating_add(textfile::FLUSH_KEPT),
        (true, false) => place.stale_from(last_run).saturating_add(textfile::RUN_KEPT),
        (false, _) => place.stale_from(last_run),
    }
}

/// The file of a run that found that there is nothing: what the run before found is not so any more.
pub(crate) fn emptied(place: &Place, last_run: Option<&Run>) -> Option<FileName> {
    last_run
        .filter(|run| place.own && run.ok && run.points == 0)
        .map(|_| FileName::new(&place.collector, place.target.as_deref(), false))
}

/// Writes a file, and removes the one that a run emptied, on a thread that may block.
pub(crate) async fn publish(
    folder: &Folder,
    sheet: Sheet,
    empty: Option<FileName>,
    now: Timestamp,
    time: Duration,
) -> Result<Published, Unpublished> {
    let time = time.min(textfile::TIMEOUT);
    let to = folder.clone();
    let work = tokio::task::spawn_blocking(move || to.publish(&sheet, empty.as_ref(), now));
    match tokio::time::timeout(time, work).await {
        Ok(Ok(published)) => published,
        Ok(Err(error)) => Err(Unpublished::Folder(Later::new(format!(
            "the file was not written: {error}"
        )))),
        Err(_) => Err(Unpublished::Folder(folder.hangs(time))),
    }
}

/// Removes what is stale; what hangs is left behind.
pub(crate) async fn sweep(folder: &Folder, now: Timestamp, deadline: Option<Instant>) {
    let Some(time) = time_left(deadline) else { return };
    let folder = folder.clone();
    let work = tokio::task::spawn_blocking(move || folder.sweep(now));
    let _ = tokio::time::timeout(time.min(SWEEP_TIMEOUT), work).await;
}

/// The longest that sweeping may take.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(2);
