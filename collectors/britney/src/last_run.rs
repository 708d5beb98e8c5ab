//! Asking for a series' last run: the page that it made, then the log that it wrote.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use tidemark_collect::http::{Body, HttpError, TIMEOUT, Url, redacted};
use tidemark_collect::{CollectorError, Context};
use tidemark_ubuntu::{below, is_cut};
use tokio::time::Instant;

use crate::generated::Search;
use crate::logs;

/// How much of a page is looked at, at most: the time stands in its first thousand bytes.
const MAX_LOOK: usize = 256 << 10;
/// The longest page and the longest log. Of neither is more held than a few thousand bytes.
const MAX_BYTES: u64 = 256 << 20;
/// The longest listing of a day: ten thousand logs.
const MAX_INDEX: u64 = 2 << 20;
/// The most logs that are looked at until one is whole.
const MAX_LOGS: usize = 20;
/// How much of a log's beginning and of its end is asked for. Its first and its last line are half as long.
const EDGE: usize = 256;

/// The time that a series has, all its requests together: of them each may take half of what is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(Instant);

impl Budget {
    /// So long from now.
    pub(crate) fn new(time: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(time).unwrap_or(now))
    }

    fn request(self) -> Duration {
        TIMEOUT.min(self.0.saturating_duration_since(Instant::now()) / 2)
    }
}

/// The time at which the page was made. The connection ends as soon as it is found.
pub(crate) async fn page_generated(
    cx: &Context,
    page: &Url,
    budget: Budget,
) -> Result<DateTime<Utc>, CollectorError> {
    let request = cx.http().get(page).max_bytes(MAX_BYTES).timeout(budget.request());
    let mut body = request.stream().await?;
    let mut search = Search::default();
    while let Some(piece) = body.chunk().await? {
        let room = MAX_LOOK - search.looked();
        if let Some(time) = search.look(&piece[..piece.len().min(room)]) {
            return Ok(time);
        }
        if search.looked() == MAX_LOOK {
            break;
        }
    }
    let reason = format!(
        "no `Generated: YYYY.MM.DD HH:MM:SS` in its first {} bytes",
        search.looked()
    );
    Err(CollectorError::parse(redacted(page), reason))
}

/// The whole minutes that the newest run took of which the log is whole, of that day or the day before: a run that makes
/// its page after midnight has its log in the folder of the day on which it began.
pub(crate) async fn duration(
    cx: &Context,
    base: &Url,
    series: &str,
    day: NaiveDate,
    budget: Budget,
) -> Result<i64, CollectorError> {
    let mut looked = 0;
    let days = [Some(day), day.checked_sub_days(Days::new(1))];
    for day in days.into_iter().flatten() {
        let path = logs::folder(series, day);
        let folder = below(base, &path);
        let request = cx
            .http()
            .get(&folder)
            .max_bytes(MAX_INDEX)
            .timeout(budget.request());
        let index = match request.text().await.map_err(CollectorError::from) {
            Ok(index) => index,
            // No run began on that day.
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        for name in logs::newest_first(&index).into_iter().take(MAX_LOGS - looked) {
            looked += 1;
            let log = below(base, &format!("{path}{name}"));
            if let Some(minutes) = log_minutes(cx, &log, budget).await? {
                return Ok(minutes);
            }
        }
        if looked == MAX_LOGS {
            break;
        }
    }
    let folder = below(base, &logs::folder(series, day));
    let what = match looked {
        0 => "there is no log".to_owned(),
        1 => "the only log is not whole".to_owned(),
        _ => format!("none of the newest {looked} logs is whole"),
    };
    Err(CollectorError::other(format_args!(
        "{what}: {} and the folder of the day before were looked at",
        redacted(&folder)
    )))
}

/// The whole minutes from the beginning to the end of a run; none where its log is not whole.
async fn log_minutes(cx: &Context, log: &Url, budget: Budget) -> Result<Option<i64>, CollectorError> {
    let edges = match edges(cx, log, budget).await {
        Ok(edges) => edges,
        Err(error) => {
            let error = CollectorError::from(error);
            // Logs that are old enough go.
            return if error.is_not_found() {
                Ok(None)
            } else {
                Err(error)
            };
        }
    };
    let Some((beginning, end)) = edges else {
        return Ok(None);
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (Some(started), Some(finished)) = (logs::started(&text(&beginning)), logs::finished(&text(&end)))
    else {
        return Ok(None);
    };
    let minutes = (finished - started).num_minutes();
    if finished < started {
        let reason = format!("it ends at {finished}, before it begins at {started}");
        return Err(CollectorError::parse(redacted(log), reason));
    }
    Ok(Some(minutes))
}

/// The first and the last [`EDGE`] bytes of a log; none where the end says already that it is not whole.
async fn edges(cx: &Context, log: &Url, budget: Budget) -> Result<Option<(Vec<u8>, Vec<u8>)>, HttpError> {
    let range = |range: String| {
        let request = cx.http().get(log).header("range", &range);
        request
            .max_bytes(MAX_BYTES)
            .timeout(budget.request())
            .allow_empty()
    };
    let mut body = match range(format!("bytes=-{EDGE}")).stream().await {
        Ok(body) => body,
        // An empty file has no last byte.
        Err(error) if error.status() == Some(416) => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_cut = is_cut(&body);
    let (beginning, end) = read_edges(&mut body).await?;
    if !is_cut {
        return Ok(Some((beginning, end)));
    }
    if logs::finished(&String::from_utf8_lossy(&end)).is_none() {
        return Ok(None);
    }
    let mut body = range(format!("bytes=0-{}", EDGE - 1)).stream().await?;
    let mut beginning = Vec::new();
    while beginning.len() < EDGE
        && let Some(piece) = body.chunk().await?
    {
        beginning.extend_from_slice(&piece[..piece.len().min(EDGE - beginning.len())]);
    }
    Ok(Some((beginning, end)))
}

/// The first and the last [`EDGE`] bytes of a body; they are the same where it is no longer.
async fn read_edges(body: &mut Body) -> Result<(Vec<u8>, Vec<u8>), HttpError> {
    let (mut beginning, mut end) = (Vec::new(), Vec::new());
    while let Some(piece) = body.chunk().await? {
        beginning.extend_from_slice(&piece[..piece.len().min(EDGE - beginning.len())]);
        end.extend_from_slice(&piece[piece.len().saturating_sub(EDGE)..]);
        end.drain(..end.len().saturating_sub(EDGE));
    }
    Ok((beginning, end))
}
