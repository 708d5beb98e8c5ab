//! Reading a body within its bounds.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{HttpError, HttpErrorKind};

/// The most characters of a body that an error shows.
const EXCERPT_LENGTH: usize = 100;
/// The most bytes that are read of an answer that is shown in an error.
const EXCERPT_READ: usize = 1024;
/// Room that is made ahead on the word of the server; more comes as the bytes do.
const TRUSTED_LENGTH: u64 = 1 << 20;

/// The whole body, decompressed, of at most `max_bytes`.
pub(super) async fn read(
    url: &Url,
    mut answer: reqwest::Response,
    max_bytes: u64,
    deadline: Instant,
    timeout: Duration,
) -> Result<Vec<u8>, HttpError> {
    let too_large = || HttpError::new(url, HttpErrorKind::TooLarge { limit: max_bytes });
    let announced = answer.content_length().unwrap_or(0);
    if announced > max_bytes {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(announced.min(TRUSTED_LENGTH)).unwrap_or(0));
    loop {
        let received = body.len() as u64;
        match timeout_at(deadline, answer.chunk()).await {
            Err(_) => {
                let kind = HttpErrorKind::Timeout {
                    after: timeout,
                    received: Some(received),
                };
                return Err(HttpError::new(url, kind));
            }
            Ok(Err(error)) => {
                return Err(HttpError::new(url, HttpErrorKind::Body { received }).caused_by_reqwest(error));
            }
            Ok(Ok(None)) => return Ok(body),
            Ok(Ok(Some(chunk))) => {
                if received + chunk.len() as u64 > max_bytes {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
        }
    }
}

/// The first characters of a body that is an error anyway; what cannot be read is left out.
pub(super) async fn beginning(mut answer: reqwest::Response, deadline: Instant) -> String {
    let mut body = Vec::new();
    while body.len() < EXCERPT_READ
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, answer.chunk()).await
    {
        body.extend_from_slice(&chunk);
    }
    excerpt(&body)
}

/// The first characters on one line, for an error.
pub(super) fn excerpt(body: &[u8]) -> String {
    let start = body.get(..EXCERPT_READ).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let words = text
        .trim_start_matches('\u{feff}')
        .split(|c: char| c.is_whitespace() || c.is_control());
    let line = words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(EXCERPT_LENGTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
