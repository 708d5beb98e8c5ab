//! Reading a body within its bounds.

use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{HttpError, HttpErrorKind};

/// The most characters of a body that an error shows.
const EXCERPT_LENGTH: usize = 100;
/// The most bytes that are read of an answer that is shown in an error.
const EXCERPT_READ: usize = 1024;
/// Room that is made ahead on the word of the server; more comes as the bytes do.
const TRUSTED_LENGTH: u64 = 1 << 20;

/// The body of a 2xx answer as it comes, decompressed: for a document of which the beginning is enough, and for one that
/// is too long to hold. It has the bounds of its [`Request`](super::Request) in bytes and time.
///
/// Dropped before its end, it ends the connection.
pub struct Body {
    url: Url,
    led_to: Url,
    answer: reqwest::Response,
    bounds: Bounds,
    received: u64,
    /// Whether a body of 0 bytes is an answer.
    allow_empty: bool,
}

/// What a body may take.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes, after decompression.
    pub(super) max_bytes: u64,
    pub(super) deadline: Instant,
    /// How long it is until then from the start of the request.
    pub(super) timeout: Duration,
}

impl Bounds {
    /// The time is over, and not even the headers have come.
    pub(super) fn no_answer(&self, url: &Url, led_to: Option<&Url>) -> HttpError {
        let kind = HttpErrorKind::Timeout {
            after: self.timeout,
            received: None,
        };
        HttpError::at(url, led_to, kind)
    }
}

impl Body {
    /// The body of an answer to a request of `url`, of which nothing is read yet.
    pub(super) fn open(
        url: Url,
        answer: reqwest::Response,
        bounds: Bounds,
        allow_empty: bool,
    ) -> Result<Self, HttpError> {
        let body = Self {
            url,
            led_to: answer.url().clone(),
            answer,
            bounds,
            received: 0,
            allow_empty,
        };
        // The client has decoded gzip and taken its header away: what is left, it could not decode.
        if let Some(encoding) = body.answer.headers().get(CONTENT_ENCODING)
            && encoding.as_bytes() != b"identity"
        {
            let encoding = excerpt(encoding.as_bytes());
            return Err(body.error(HttpErrorKind::Encoding(encoding)));
        }
        if body.announced() > bounds.max_bytes {
            return Err(body.too_large());
        }
        Ok(body)
    }

    /// The status, 2xx.
    pub fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// A header's value, where it was sent and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name)?.to_str().ok()
    }

    /// Time left until the body must have ended; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.bounds.deadline.saturating_duration_since(Instant::now())
    }

    /// The next bytes, as many as came at once; `None` after the last.
    ///
    /// # Errors
    /// Where the body breaks off or is damaged, is longer than its bound or does not end in time, and where it has 0
    /// bytes in all (see [`Request::allow_empty`](super::Request::allow_empty)).
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.next().await?.map(Into::into))
    }

    /// The same, as the client has it.
    async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + Into<Vec<u8>> + use<>>, HttpError> {
        // What is there already would be had at any time: who takes long over each piece is told too.
        let next = if self.remaining().is_zero() {
            None
        } else {
            timeout_at(self.bounds.deadline, self.answer.chunk()).await.ok()
        };
        match next {
            None => Err(self.error(HttpErrorKind::Timeout {
                after: self.bounds.timeout,
                received: Some(self.received),
            })),
            Some(Err(error)) => {
                let received = self.received;
                Err(self
                    .error(HttpErrorKind::Body { received })
                    .caused_by_reqwest(error))
            }
            Some(Ok(None)) if self.received == 0 && !self.allow_empty => {
                Err(self.error(HttpErrorKind::Empty {
                    status: self.answer.status().as_u16(),
                }))
            }
            Some(Ok(None)) => Ok(None),
            Some(Ok(Some(chunk))) => {
                self.received += chunk.len() as u64;
                if self.received > self.bounds.max_bytes {
                    return Err(self.too_large());
                }
                Ok(Some(chunk))
            }
        }
    }

    /// The headers, which it has no more.
    pub(super) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(self.answer.headers_mut())
    }

    /// All that is left of it.
    pub(super) async fn read(mut self) -> Result<Vec<u8>, HttpError> {
        let room = usize::try_from(self.announced().min(TRUSTED_LENGTH)).unwrap_or(0);
        let mut whole = Vec::with_capacity(room);
        while let Some(chunk) = self.next().await? {
            whole.extend_from_slice(chunk.as_ref());
        }
        Ok(whole)
    }

    fn announced(&self) -> u64 {
        self.answer.content_length().unwrap_or(0)
    }

    fn too_large(&self) -> HttpError {
        self.error(HttpErrorKind::TooLarge {
            limit: self.bounds.max_bytes,
        })
    }

    fn error(&self, kind: HttpErrorKind) -> HttpError {
        HttpError::at(&self.url, Some(&self.led_to), kind)
    }
}

/// Without headers and bytes, which may be private.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("url", &super::redacted(&self.url))
            .field("received", &self.received)
            .finish_non_exhaustive()
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
