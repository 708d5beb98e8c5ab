//! InfluxDB 1.x: `POST /write`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use tidemark_collect::http::{ClientOptions, HttpError, client};
use tidemark_collect::{Clock, chain};
use tidemark_settings::{InfluxdbSettings, Secret};
use url::Url;

use super::Sink;
use crate::body::Payload;
use crate::policy::{self, Answer, Later, Outcome};
use crate::words::words;

/// The longest that a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of an answer.
const MAX_ANSWER: usize = 64 * 1024;
/// What InfluxDB 1.x and 2 name themselves with.
const VERSION_HEADER: &str = "x-influxdb-version";

/// Where writes go, and as whom.
pub(crate) struct Endpoint {
    write: Url,
    authorization: Option<HeaderValue>,
    fingerprint: u32,
    client: reqwest::Client,
    /// Whether the connection that is kept open has carried an answer: the server may have closed it since.
    answered: AtomicBool,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("write", &self.write.as_str())
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) fn new(
        settings: &InfluxdbSettings,
        password: Option<Secret>,
        http: &ClientOptions,
    ) -> Result<Self, HttpError> {
        let mut write = settings.url.clone();
        let path = format!("{}/write", write.path().trim_end_matches('/'));
        write.set_path(&path);
        write
            .query_pairs_mut()
            .append_pair("db", &settings.database)
            .append_pair("precision", "ns");
        if let Some(policy) = &settings.retention_policy {
            write.query_pairs_mut().append_pair("rp", policy);
        }
        let password = password.as_ref().map_or("", Secret::expose);
        let authorization = settings
            .username
            .as_ref()
            .and_then(|username| basic(username, password));
        let fingerprint = fingerprint(settings, &write, password);
        let options = http
            .clone()
            .ca_file(settings.ca_file.clone())
            .insecure_skip_verify(settings.insecure_skip_verify);
        Ok(Self {
            write,
            authorization,
            fingerprint,
            client: client(&options)?,
            answered: AtomicBool::new(false),
        })
    }

    pub(crate) fn fingerprint(&self) -> u32 {
        self.fingerprint
    }
}

/// `Basic` credentials: RFC 7617.
fn basic(username: &str, password: &str) -> Option<HeaderValue> {
    let text = base64(format!("{username}:{password}").as_bytes());
    let mut value = HeaderValue::from_str(&format!("Basic {text}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three =
            chunk.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET
                .get((three >> (18 - 6 * place) & 63) as usize)
                .copied()
                .unwrap_or(b'=');
            out.push(if place <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

/// Changes when the settings change. Of the password, eight bits go in: enough that a mended one ends a backoff 255
/// times of 256, and of no use to whoever reads the outbox.
fn fingerprint(settings: &InfluxdbSettings, write: &Url, password: &str) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(write.as_str().as_bytes());
    hash.update(b"\n");
    hash.update(settings.username.as_deref().unwrap_or_default().as_bytes());
    hash.update(b"\n");
    hash.update(
        settings
            .ca_file
            .as_deref()
            .map_or(&[][..], |path| path.as_os_str().as_encoded_bytes()),
    );
    hash.update(&[
        u8::from(settings.insecure_skip_verify),
        crc32fast::hash(password.as_bytes()).to_le_bytes()[0],
    ]);
    hash.finalize()
}

/// An InfluxDB 1.x that batches are sent to, one request at a time over one connection.
pub(crate) struct Influxdb {
    endpoint: Arc<Endpoint>,
    clock: Arc<dyn Clock>,
    plain: bool,
}

impl Influxdb {
    pub(crate) fn new(endpoint: Arc<Endpoint>, clock: Arc<dyn Clock>, plain: bool) -> Self {
        Self {
            endpoint,
            clock,
            plain,
        }
    }

    /// Sends it; once again where the connection that was kept open proves to be closed. A server may close it at any
    /// time between two requests, and the same points again do no harm.
    async fn post(&self, payload: Payload) -> Result<Outcome, reqwest::Error> {
        let gzip = payload.gzip;
        let request = self.request(payload);
        let was_open = self.endpoint.answered.swap(false, Ordering::Relaxed);
        // The body is shared, not copied.
        let again = request.try_clone().filter(|_| was_open);
        let response = match (request.send().await, again) {
            (Err(error), Some(again)) if error.is_request() && !error.is_connect() => {
                tracing::debug!("the kept connection was closed: {}", chain(&error.without_url()));
                again.send().await?
            }
            (response, _) => response?,
        };
        self.endpoint.answered.store(true, Ordering::Relaxed);
        self.outcome(response, gzip).await
    }

    fn request(&self, payload: Payload) -> reqwest::RequestBuilder {
        let Payload { bytes, gzip } = payload;
        let mut request = self
            .endpoint
            .client
            .post(self.endpoint.write.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(bytes);
        if gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(authorization) = &self.endpoint.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request
    }

    async fn outcome(&self, mut response: reqwest::Response, gzip: bool) -> Result<Outcome, reqwest::Error> {
        let status = response.status().as_u16();
        if status == 204 {
            return Ok(Outcome::Stored);
        }
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let is_influxdb = response.headers().contains_key(VERSION_HEADER);
        let mut body = Vec::new();
        while body.len() < MAX_ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = MAX_ANSWER - body.len();
                    body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                }
                Ok(None) => break,
                // 200 is stored only where there is no body for sure.
                Err(error) if status < 400 => return Err(error),
                // The status says enough.
                Err(_) => break,
            }
        }
        let answer = Answer {
            status,
            retry_after: retry_after.as_deref(),
            is_influxdb,
            body: &String::from_utf8_lossy(&body),
            compressed: gzip,
        };
        Ok(policy::influxdb(answer, self.clock.now()))
    }
}

impl Sink for Influxdb {
    fn takes_gzip(&self) -> bool {
        !self.plain
    }

    async fn send(&mut self, payload: Payload, time: Duration) -> Outcome {
        let time = time.min(TIMEOUT);
        match tokio::time::timeout(time, self.post(payload)).await {
            Ok(Ok(outcome)) => {
                self.plain |= matches!(outcome, Outcome::PlainOnly(_));
                outcome
            }
            Ok(Err(error)) => {
                let connected = !error.is_connect();
                let error = HttpError::explain(&self.endpoint.write, error);
                let said = format!("{}; it is tried again", words(&chain(&error)));
                Outcome::Later(Later {
                    may_be_the_batch: connected,
                    ..Later::new(said)
                })
            }
            Err(_) => no_answer(&self.place(), time).into(),
        }
    }
}

/// What follows from silence. A flush, which has the time, finds out whether it is the batch: else one batch would hold
/// up all others for good.
fn no_answer(place: &str, time: Duration) -> Later {
    Later {
        may_be_the_batch: time == TIMEOUT,
        ..Later::new(format!(
            "no answer within {time:.0?} from {place}; it is tried again"
        ))
    }
}

impl Influxdb {
    /// The server, for a message.
    fn place(&self) -> String {
        tidemark_collect::http::redacted(&self.endpoint.write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_rfc() {
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let coded = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(texts.map(|text| base64(text.as_bytes())), coded);
    }

    #[test]
    fn silence_may_be_due_to_the_batch_where_the_whole_time_was_given() {
        assert!(no_answer("http://h", TIMEOUT).may_be_the_batch);
        let short = no_answer("http://h", Duration::from_millis(9_600));
        assert!(
            !short.may_be_the_batch && short.said == "no answer within 10s from http://h; it is tried again"
        );
    }

    #[test]
    fn a_fingerprint_changes_with_the_settings() {
        let settings = InfluxdbSettings {
            url: "http://127.0.0.1:8086/influx/".parse().unwrap(),
            database: "d b".into(),
            username: Some("u".into()),
            password: None,
            retention_policy: Some("a".into()),
            ca_file: None,
            insecure_skip_verify: false,
        };
        let http = ClientOptions::new(&std::collections::BTreeMap::new());
        let endpoint = |settings: &InfluxdbSettings| Endpoint::new(settings, None, &http).unwrap();
        let one = endpoint(&settings);
        assert_eq!(
            one.write.as_str(),
            "http://127.0.0.1:8086/influx/write?db=d+b&precision=ns&rp=a"
        );
        assert_eq!(one.fingerprint(), endpoint(&settings).fingerprint());
        let other = InfluxdbSettings {
            retention_policy: None,
            ..settings.clone()
        };
        assert_ne!(one.fingerprint(), endpoint(&other).fingerprint());
        assert_ne!(
            fingerprint(&settings, &one.write, "a"),
            fingerprint(&settings, &one.write, "b")
        );
        assert!(!format!("{one:?}").contains("Basic"));
    }
}
