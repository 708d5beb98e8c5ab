//! What the sinks that are reached over HTTP share: one request, its answer, and who asks.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER};
use tidemark_collect::chain;
use tidemark_collect::http::{ClientOptions, HttpError, client, redacted};
use tidemark_settings::Secret;
use url::Url;

use crate::policy::Later;
use crate::words::words;

/// The longest that a request may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// A secret that is shorter than this may well be a word of an answer's own.
const MIN_SECRET: usize = 6;

/// As whom a sink writes.
pub(crate) enum Credentials<'a> {
    /// Nobody in particular.
    None,
    /// A user (RFC 7617).
    Basic {
        username: &'a str,
        password: Option<&'a Secret>,
    },
    /// The holder of a token: `Bearer` (RFC 6750), or InfluxDB 2's `Token`.
    Token { scheme: &'static str, token: &'a Secret },
}

impl Credentials<'_> {
    /// The header. None too where the text cannot be one; a [`Secret`] always can, as it holds no control character.
    fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::None => return None,
            Self::Basic { username, password } => {
                let password = password.map_or("", Secret::expose);
                format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
            }
            Self::Token { scheme, token } => format!("{scheme} {}", token.expose()),
        };
        let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn username(&self) -> &str {
        match self {
            Self::Basic { username, .. } => username,
            Self::None | Self::Token { .. } => "",
        }
    }

    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Basic { password, .. } => *password,
            Self::Token { token, .. } => Some(token),
            Self::None => None,
        }
    }
}

/// What the settings say of a server.
pub(crate) struct Server<'a> {
    /// The whole address of a write.
    pub(crate) write: Url,
    pub(crate) credentials: Credentials<'a>,
    pub(crate) ca_file: Option<&'a Path>,
    pub(crate) insecure_skip_verify: bool,
    /// What goes with each request.
    pub(crate) headers: HeaderMap,
}

impl Server<'_> {
    /// Changes when the settings change. Of the secret, eight bits go in: enough that a mended one ends a backoff 255
    /// times of 256, and of no use to whoever reads the outbox.
    fn fingerprint(&self) -> u32 {
        let secret = self.credentials.secret().map_or("", Secret::expose);
        let mut hash = crc32fast::Hasher::new();
        hash.update(self.write.as_str().as_bytes());
        hash.update(b"\n");
        hash.update(self.credentials.username().as_bytes());
        hash.update(b"\n");
        hash.update(
            self.ca_file
                .map_or(&[][..], |path| path.as_os_str().as_encoded_bytes()),
        );
        hash.update(&[
            u8::from(self.insecure_skip_verify),
            crc32fast::hash(secret.as_bytes()).to_le_bytes()[0],
        ]);
        hash.finalize()
    }
}

/// Where writes go, and as whom.
pub(crate) struct HttpEndpoint {
    write: Url,
    authorization: Option<HeaderValue>,
    /// What must not be said, even where the server says it.
    secret: Option<Secret>,
    headers: HeaderMap,
    fingerprint: u32,
    client: reqwest::Client,
    /// Whether the connection that is kept open has carried an answer: the server may have closed it since.
    answered: AtomicBool,
}

impl fmt::Debug for HttpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEndpoint")
            .field("write", &self.place())
            .finish_non_exhaustive()
    }
}

impl HttpEndpoint {
    /// No connection is made yet.
    ///
    /// # Errors
    /// Where the certificate cannot be read, or a proxy variable is no address.
    pub(crate) fn new(server: Server<'_>, http: &ClientOptions) -> Result<Self, HttpError> {
        let options = http
            .clone()
            .ca_file(server.ca_file.map(Path::to_owned))
            .insecure_skip_verify(server.insecure_skip_verify);
        Ok(Self {
            authorization: server.credentials.header(),
            secret: server.credentials.secret().cloned(),
            fingerprint: server.fingerprint(),
            client: client(&options)?,
            answered: AtomicBool::new(false),
            write: server.write,
            headers: server.headers,
        })
    }

    /// A number that changes when the settings do.
    pub(crate) fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    /// The server, for a message: without what a query may hold.
    pub(crate) fn place(&self) -> String {
        redacted(&self.write)
    }

    /// Sends a body and reads the answer, within the time and never for longer than [`TIMEOUT`]. `encoding` is how the
    /// body is packed, as `Content-Encoding` names it.
    ///
    /// # Errors
    /// What follows from no answer.
    pub(crate) async fn post(
        &self,
        body: Vec<u8>,
        encoding: Option<&'static str>,
        time: Duration,
    ) -> Result<Reply, Later> {
        let time = time.min(TIMEOUT);
        match tokio::time::timeout(time, self.exchange(body, encoding)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => {
                let connected = !error.is_connect();
                let error = HttpError::explain(&self.write, error);
                let said = format!("{}; it is tried again", words(&chain(&error)));
                Err(Later {
                    may_be_the_batch: connected,
                    ..Later::new(said)
                })
            }
            Err(_) => Err(no_answer(&self.place(), time)),
        }
    }

    /// Sends a body once and reads the answer, for who wants to know what is wrong. It is for the caller to bound the
    /// time.
    ///
    /// # Errors
    /// Which step failed.
    pub(crate) async fn ask(
        &self,
        body: Vec<u8>,
        encoding: Option<&'static str>,
    ) -> Result<Reply, HttpError> {
        let answer = self.exchange(body, encoding).await;
        answer.map_err(|error| HttpError::explain(&self.write, error))
    }

    /// Where writes go.
    pub(crate) fn url(&self) -> &Url {
        &self.write
    }

    /// Sends it; once again where the connection that was kept open proves to be closed. A server may close it at any
    /// time between two requests, and the same points again do no harm.
    async fn exchange(&self, body: Vec<u8>, encoding: Option<&'static str>) -> Result<Reply, reqwest::Error> {
        let request = self.request(body, encoding);
        let was_open = self.answered.swap(false, Ordering::Relaxed);
        // The body is shared, not copied.
        let again = request.try_clone().filter(|_| was_open);
        let response = match (request.send().await, again) {
            (Err(error), Some(again)) if error.is_request() && !error.is_connect() => {
                tracing::debug!("the kept connection was closed: {}", chain(&error.without_url()));
                again.send().await?
            }
            (response, _) => response?,
        };
        self.answered.store(true, Ordering::Relaxed);
        let mut reply = Reply::read(response).await?;
        self.unsay(&mut reply.body);
        Ok(reply)
    }

    /// Takes the secret out of what a server says, plain and as the header had it.
    fn unsay(&self, text: &mut String) {
        let header = self.authorization.as_ref().and_then(|value| value.to_str().ok());
        let sent = header
            .and_then(|text| text.split_once(' '))
            .map(|(_, credentials)| credentials);
        let secret = self.secret.as_ref().map(Secret::expose);
        for form in [secret, secret.and(sent)].into_iter().flatten() {
            if form.len() >= MIN_SECRET && text.contains(form) {
                *text = text.replace(form, "…");
            }
        }
    }

    fn request(&self, body: Vec<u8>, encoding: Option<&'static str>) -> reqwest::RequestBuilder {
        let mut request = self
            .client
            .post(self.write.clone())
            .headers(self.headers.clone())
            .body(body);
        if let Some(encoding) = encoding {
            request = request.header(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request
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

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body, as much of it as is read; that of 204 is not.
    pub(crate) body: String,
}

impl Reply {
    async fn read(mut response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while status != 204 && body.len() < MAX_ANSWER {
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
        Ok(Self {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// The `Retry-After` as it stands.
    pub(crate) fn retry_after(&self) -> Option<&str> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Credentials<'_> = Credentials::Basic {
        username: "u",
        password: None,
    };

    fn secret(text: &str) -> Secret {
        use tidemark_settings::{Places, SecretSource};
        let environment = std::collections::BTreeMap::from([("S".to_owned(), text.into())]);
        let places = Places::new(&environment, false, None);
        SecretSource::Environment("S".to_owned())
            .resolve(&environment, &places)
            .unwrap()
    }

    fn server(credentials: Credentials<'_>) -> Server<'_> {
        Server {
            write: "http://127.0.0.1:8086/write?db=a&p=hunter2".parse().unwrap(),
            credentials,
            ca_file: None,
            insecure_skip_verify: false,
            headers: HeaderMap::new(),
        }
    }

    #[test]
    fn credentials_as_the_specifications_write_them() {
        let header = |credentials: Credentials<'_>| {
            credentials
                .header()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        assert_eq!(header(Credentials::None), None);
        // RFC 7617, section 2.
        let open_sesame = secret("open sesame");
        let aladdin = Credentials::Basic {
            username: "Aladdin",
            password: Some(&open_sesame),
        };
        assert_eq!(
            header(aladdin).as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(header(USER).as_deref(), Some("Basic dTo="));
        let accents = secret("pässwörd");
        let token = Credentials::Token {
            scheme: "Token",
            token: &accents,
        };
        assert_eq!(header(token).as_deref(), Some("Token pässwörd"));
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
        let (a, b) = (secret("a"), secret("b"));
        let token = |token| Credentials::Token {
            scheme: "Bearer",
            token,
        };
        let prints = [
            server(Credentials::None),
            server(USER),
            server(token(&a)),
            server(token(&b)),
            Server {
                insecure_skip_verify: true,
                ..server(USER)
            },
            Server {
                ca_file: Some(Path::new("/c")),
                ..server(USER)
            },
            Server {
                write: "http://127.0.0.1:8086/write".parse().unwrap(),
                ..server(USER)
            },
        ]
        .map(|server| server.fingerprint());
        let different: std::collections::BTreeSet<u32> = prints.into_iter().collect();
        assert_eq!(different.len(), prints.len());
        assert_eq!(prints[1], server(USER).fingerprint());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let http = ClientOptions::new(&std::collections::BTreeMap::new());
        let token = secret("hunter2");
        let credentials = Credentials::Token {
            scheme: "Bearer",
            token: &token,
        };
        let endpoint = HttpEndpoint::new(server(credentials), &http).unwrap();
        let shown = format!("{endpoint:?} {:?}", endpoint.authorization);
        assert!(
            shown.contains("127.0.0.1:8086/write") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    #[test]
    fn what_a_server_says_has_no_secret() {
        let http = ClientOptions::new(&std::collections::BTreeMap::new());
        let open_sesame = secret("open sesame");
        let credentials = Credentials::Basic {
            username: "Aladdin",
            password: Some(&open_sesame),
        };
        let endpoint = HttpEndpoint::new(server(credentials), &http).unwrap();
        // The header is RFC 7617's example.
        let mut said = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== is open sesame of Aladdin".to_owned();
        endpoint.unsay(&mut said);
        assert_eq!(said, "Basic … is … of Aladdin");
    }
}
