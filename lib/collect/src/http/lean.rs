//! The way without redirects, gzip and proxies, for the one client that asks hundreds of servers the same each few
//! seconds.
//!
//! It is hyper as reqwest has it, with the same connections, certificates and names, but for what lies around it: the
//! layers that may follow a redirect and may unpack an answer copy a request and read its address anew, and a
//! connection's read buffer grows with long answers, up to 400 KiB, and stays so, which reqwest has no setting for. What
//! needs such a layer, or a proxy, goes the way of all other requests.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Method, ResponseBuilderExt as _};
use tower_service::Service;
use url::Url;

use super::names::{Names, Resolver};
use super::options::ClientOptions;
use super::{HttpError, HttpErrorKind, tls};

/// The most of an answer that lies in a connection's buffer, and of one's head, about: the servers that this is for send
/// heads of less than 1 KiB, and bodies of some hundred in pieces of at most 16, TLS's records.
const BUFFER: usize = 32 << 10;
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(90);
/// After so long in which nothing came, the system asks whether the other end is still there, and again after as long.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// So often it asks in vain before the connection is given up.
const KEEPALIVE_TRIES: u32 = 3;
/// What was sent and is not acknowledged after so long ends the connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// That way, for who holds a client: programs that do not ask for it are 0.2 MB smaller without.
pub(super) trait Way: Debug + Send + Sync {
    /// The beginning of an answer, as the other way has it.
    fn send<'a>(&'a self, request: LeanRequest<'a>) -> Answer<'a>;
}

/// The beginning of an answer.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<reqwest::Response, HttpError>> + Send + 'a>>;

/// Makes the client of that way.
pub(super) type MakeWay = fn(&ClientOptions, Arc<Names>) -> Result<Box<dyn Way>, HttpError>;

/// What is sent.
pub(super) struct LeanRequest<'a> {
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// Whether requests for that address can go this way, where a client has it.
pub(super) fn serves(options: &ClientOptions, url: &Url) -> bool {
    // Which servers a proxy is for is reqwest's to say, as how a name and a password are sent.
    !options.surroundings.proxies.any() && url.username().is_empty() && url.password().is_none()
}

/// The client of that way.
#[derive(Debug)]
struct Lean {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, reqwest::Body>,
    user_agent: HeaderValue,
}

impl Lean {
    fn new(options: &ClientOptions, names: Arc<Names>) -> Result<Self, HttpError> {
        let user_agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|_| HttpError::client("no HTTP client can be made: its name is no header"))?;
        // Where reqwest differs from hyper, it is as there.
        let mut connector = HttpConnector::new_with_resolver(Resolver(names));
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEPALIVE));
        connector.set_keepalive_interval(Some(KEEPALIVE));
        connector.set_keepalive_retries(Some(KEEPALIVE_TRIES));
        connector.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(options.kept_connections())
            .http1_max_buf_size(BUFFER)
            .build(HttpsConnector::from((connector, tls::config(options)?)));
        Ok(Self { client, user_agent })
    }

    async fn ask(&self, request: LeanRequest<'_>) -> Result<reqwest::Response, HttpError> {
        let LeanRequest {
            method,
            url,
            mut headers,
            body,
        } = request;
        let unsendable = |error| {
            HttpError::new(url, HttpErrorKind::Request("cannot be asked for".to_owned()))
                .caused_by_io(io::Error::other(error))
        };
        let uri = Uri::try_from(url.as_str()).map_err(|error| unsendable(error.into()))?;
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers
            .entry(USER_AGENT)
            .or_insert_with(|| self.user_agent.clone());
        let body = body.map_or_else(reqwest::Body::default, reqwest::Body::from);
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let answer = self.client.request(request).await;
        let (mut head, body) = answer
            .map_err(|error| HttpError::unanswered(url, error))?
            .into_parts();
        // What reqwest keeps the address as is known to its builder alone.
        let marked = Response::builder().url(url.clone()).body(());
        let (mark, ()) = marked.map_err(unsendable)?.into_parts();
        head.extensions.extend(mark.extensions);
        Ok(Response::from_parts(head, reqwest::Body::wrap(body)).into())
    }
}

impl Way for Lean {
    fn send<'a>(&'a self, request: LeanRequest<'a>) -> Answer<'a> {
        Box::pin(self.ask(request))
    }
}

/// A client of that way.
///
/// # Errors
/// As the other way's: certificates that cannot be read.
pub(super) fn make(options: &ClientOptions, names: Arc<Names>) -> Result<Box<dyn Way>, HttpError> {
    Ok(Box::new(Lean::new(options, names)?))
}

/// The system's look-up, and what is known.
impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<std::net::SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let names = Arc::clone(&self.0);
        Box::pin(async move { Ok(names.addresses(name.as_str()).await?.into_iter()) })
    }
}
