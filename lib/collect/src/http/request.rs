use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE, RETRY_AFTER};
use serde::de::DeserializeOwned;
use tidemark_point::Timestamp;
use tokio::time::Instant;
use url::Url;

use super::body::{self, Body, Bounds, excerpt};
use super::client::watched;
use super::error::wait_asked_for;
use super::lean::LeanRequest;
use super::{Headers, Http, HttpError, HttpErrorKind};

/// The longest body that is read where a request does not say otherwise, in bytes after decompression: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;
/// The time that a request has, headers and body together, where it does not say otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A request in the making. It is sent by [`bytes`](Self::bytes), [`text`](Self::text), [`json`](Self::json),
/// [`success`](Self::success) or [`response`](Self::response), or by [`stream`](Self::stream).
#[must_use = "a request is sent by `bytes`, `text`, `json`, `success`, `response` or `stream`"]
pub struct Request {
    http: Http,
    method: Method,
    url: Url,
    headers: Headers,
    body: Option<Vec<u8>>,
    max_bytes: u64,
    timeout: Duration,
    allow_empty: bool,
    follows: bool,
}

impl Request {
    pub(super) fn new(http: Http, method: Method, url: Url) -> Self {
        Self {
            http,
            method,
            url,
            headers: Headers::default(),
            body: None,
            max_bytes: MAX_BYTES,
            timeout: TIMEOUT,
            allow_empty: false,
            follows: true,
        }
    }

    /// Sets a header. One that cannot be sent (a newline in it) fails the request. With a `range`, no gzip is asked for.
    ///
    /// A redirect to another server takes it along, unless it is `authorization` or `cookie`: a key goes there.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers = self.headers.with(name, value);
        self
    }

    /// Sets these headers and no others: what was set before is gone.
    pub fn headers(mut self, headers: &Headers) -> Self {
        self.headers = headers.clone();
        self
    }

    /// The body of a POST and its type.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut request = self.header("content-type", content_type);
        request.body = Some(body.into());
        request
    }

    /// The longest body that is read, in bytes after decompression, instead of [`MAX_BYTES`].
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The time for headers and body together, instead of [`TIMEOUT`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes a body of 0 bytes for an answer.
    pub fn allow_empty(mut self) -> Self {
        self.allow_empty = true;
        self
    }

    /// Follows no redirect: it is the answer, as any other status. For what carries a key that is meant for one server.
    pub fn without_redirects(mut self) -> Self {
        self.follows = false;
        self
    }

    /// The body of a 2xx answer.
    ///
    /// # Errors
    /// Any other status, an empty body (see [`allow_empty`](Self::allow_empty)), and all that can go wrong on the way.
    pub async fn bytes(self) -> Result<Vec<u8>, HttpError> {
        Ok(self.success().await?.body)
    }

    /// The body of a 2xx answer, which must be UTF-8; a byte order mark is left out.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and where it is not UTF-8.
    pub async fn text(self) -> Result<String, HttpError> {
        self.success().await?.text()
    }

    /// The body of a 2xx answer, read as JSON. `Accept: application/json` is sent where no other is set.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and where it is not JSON of this form.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        self.json_with(|text| serde_json::from_str(text)).await
    }

    /// The same, read by that function.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub async fn json_with<T>(
        mut self,
        read: impl FnOnce(&str) -> serde_json::Result<T>,
    ) -> Result<T, HttpError> {
        let headers = &mut self.headers.map;
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        }
        self.allow_empty = false;
        self.success().await?.json_with(read)
    }

    /// The answer, whatever its status; an empty body is an answer too.
    ///
    /// # Errors
    /// Where no whole answer comes.
    pub async fn response(self) -> Result<Response, HttpError> {
        let bounds = self.bounds();
        let url = self.url.clone();
        let answer = self.send(bounds).await?;
        Response::read(url, answer, bounds).await
    }

    /// The body of a 2xx answer as it comes, instead of the whole of it. The time of the request goes on until its end.
    ///
    /// # Errors
    /// Any other status, and all that can go wrong as far as the headers; what comes after, [`Body::chunk`] says.
    pub async fn stream(self) -> Result<Body, HttpError> {
        let bounds = self.bounds();
        let (url, allow_empty) = (self.url.clone(), self.allow_empty);
        let answer = self.succeed(bounds).await?;
        Body::open(url, answer, bounds, allow_empty)
    }

    /// A whole answer of 2xx, with its headers.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub async fn success(self) -> Result<Response, HttpError> {
        let bounds = self.bounds();
        let (url, allow_empty) = (self.url.clone(), self.allow_empty);
        let answer = self.succeed(bounds).await?;
        let response = Response::read(url, answer, bounds).await?;
        if response.body.is_empty() && !allow_empty {
            return Err(response.error(HttpErrorKind::Empty {
                status: response.status,
            }));
        }
        Ok(response)
    }

    /// The beginning of a 2xx answer.
    async fn succeed(self, bounds: Bounds) -> Result<reqwest::Response, HttpError> {
        let url = self.url.clone();
        let answer = self.send(bounds).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let content_type = content_type(answer.headers());
        let led_to = answer.url().clone();
        let retry_after = answer.headers().get(RETRY_AFTER).cloned();
        let excerpt = body::beginning(answer, bounds.deadline).await;
        let kind = HttpErrorKind::Status {
            status: status.as_u16(),
            content_type,
            excerpt,
        };
        Err(HttpError::at(&url, Some(&led_to), kind).asked_to_wait(retry_after))
    }

    /// What it may take from now on.
    fn bounds(&self) -> Bounds {
        let now = Instant::now();
        let deadline = self.http.end(now, self.timeout);
        Bounds {
            max_bytes: self.max_bytes,
            deadline,
            timeout: deadline - now,
        }
    }

    async fn send(self, bounds: Bounds) -> Result<reqwest::Response, HttpError> {
        let Headers {
            map: mut headers,
            fault,
        } = self.headers;
        if let Some(fault) = fault {
            return Err(HttpError::new(&self.url, HttpErrorKind::Request(fault)));
        }
        if !matches!(self.url.scheme(), "http" | "https") {
            let fault = "is not an address of http or https".to_owned();
            return Err(HttpError::new(&self.url, HttpErrorKind::Request(fault)));
        }
        // Some servers compress first, and then cut: a part of what is compressed is of no use.
        if headers.contains_key(RANGE) && !headers.contains_key(ACCEPT_ENCODING) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if !self.follows
            && let Some(lean) = self.http.lean(&self.url)?
        {
            let request = LeanRequest {
                method: self.method,
                url: &self.url,
                headers,
                body: self.body,
            };
            let answer = tokio::time::timeout_at(bounds.deadline, lean.send(request)).await;
            return answer.unwrap_or_else(|_| Err(bounds.no_answer(&self.url, None)));
        }
        let mut request = self
            .http
            .client()?
            .request(self.method, self.url.clone())
            .headers(headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let answer = tokio::time::timeout_at(bounds.deadline, request.send());
        let (answer, led_to) = watched(answer, self.follows).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(HttpError::explain_at(&self.url, led_to.as_ref(), error)),
            Err(_) => Err(bounds.no_answer(&self.url, led_to.as_ref())),
        }
    }
}

/// Without headers, body and the secret parts of the address.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &super::redacted(&self.url))
            .finish_non_exhaustive()
    }
}

/// A whole answer.
pub struct Response {
    url: Url,
    led_to: Url,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    async fn read(url: Url, answer: reqwest::Response, bounds: Bounds) -> Result<Self, HttpError> {
        let led_to = answer.url().clone();
        let status = answer.status().as_u16();
        let mut body = Body::open(url.clone(), answer, bounds, true)?;
        let headers = body.take_headers();
        let body = body.read().await?;
        Ok(Self {
            url,
            led_to,
            status,
            headers,
            body,
        })
    }

    fn error(&self, kind: HttpErrorKind) -> HttpError {
        HttpError::at(&self.url, Some(&self.led_to), kind)
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header's value, where it was sent and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header's values, in the order in which they were sent, as far as they are text: `Set-Cookie` comes once for each
    /// cookie.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.headers.get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// How long from `now` the answer asks to wait before another try; see [`HttpError::retry_after`].
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        wait_asked_for(self.header("retry-after")?, now)
    }

    /// The body, decompressed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body itself, decompressed.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The body as text; a byte order mark is left out.
    ///
    /// # Errors
    /// Where it is not UTF-8.
    pub fn text(self) -> Result<String, HttpError> {
        let Self {
            url,
            headers,
            mut body,
            ..
        } = self;
        if body.starts_with(b"\xef\xbb\xbf") {
            body.drain(..3);
        }
        String::from_utf8(body).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            HttpError::new(
                &url,
                HttpErrorKind::NotText {
                    at,
                    content_type: content_type(&headers),
                },
            )
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Where it is not UTF-8, or not JSON of this form.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        self.json_with(|text| serde_json::from_str(text))
    }

    /// The same, read by that function.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub fn json_with<T>(self, read: impl FnOnce(&str) -> serde_json::Result<T>) -> Result<T, HttpError> {
        let content_type = content_type(&self.headers);
        let text = std::str::from_utf8(&self.body).map_err(|error| {
            let kind = HttpErrorKind::NotText {
                at: error.valid_up_to(),
                content_type: content_type.clone(),
            };
            self.error(kind)
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        read(text).map_err(|error| {
            let is_html = content_type
                .as_deref()
                .is_some_and(|kind| kind.starts_with("text/html"));
            let html = is_html || text.trim_start().starts_with('<');
            let excerpt = excerpt(text.as_bytes());
            let kind = HttpErrorKind::NotJson {
                status: self.status,
                content_type,
                html,
                excerpt,
            };
            let failed = self.error(kind);
            // Where a page starts to be no JSON is of no use to anyone.
            if html {
                failed
            } else {
                failed.caused_by_json(error)
            }
        })
    }
}

/// Without headers and body, which may be long or private.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("url", &super::redacted(&self.url))
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(CONTENT_TYPE).map(|value| excerpt(value.as_bytes()))
}
