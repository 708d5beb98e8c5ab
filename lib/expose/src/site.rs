//! From a request to its answer.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{
    ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, VARY,
    WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use tidemark_point::exposition::Format;

use crate::body::Body;
use crate::listener::{Content, Listener};
use crate::{accept, discovery};

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where one asks whether a listener answers at all; without authentication, as it says nothing else.
const HEALTH: &str = "/-/healthy";

/// What a listener answers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Site(Arc<Listener>);

impl Site {
    /// The answers of this listener.
    #[must_use]
    pub fn new(listener: Listener) -> Site {
        Site(Arc::new(listener))
    }

    pub(crate) fn listener(&self) -> &Listener {
        &self.0
    }

    /// The answer to a request that came to this address. The request's body is not read.
    pub(crate) fn answer<B>(&self, request: &Request<B>, local: SocketAddr) -> Response<Body> {
        let mut answer = self.choose(request, local);
        if request.method() == Method::HEAD {
            answer.body_mut().leave();
        }
        answer
    }

    fn choose<B>(&self, request: &Request<B>, local: SocketAddr) -> Response<Body> {
        let path = request.uri().path();
        let allowed = request.method() == Method::GET || request.method() == Method::HEAD;
        if path == HEALTH && allowed {
            return plain(StatusCode::OK, TEXT, "ok\n");
        }
        if let Some(credentials) = &self.0.access.credentials
            && !credentials.admit(request.headers().get(AUTHORIZATION))
        {
            let mut answer = plain(
                StatusCode::UNAUTHORIZED,
                TEXT,
                "This listener asks for a user and a password.\n",
            );
            let challenge = HeaderValue::from_static("Basic realm=\"tidemark\", charset=\"UTF-8\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            return answer;
        }
        if !allowed {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Only GET and HEAD.\n");
            let methods = HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(ALLOW, methods);
            return answer;
        }
        match (&self.0.content, path) {
            (Content::Targets(groups), _) => {
                let host =
                    asked_host(request.headers()).unwrap_or_else(|| local.ip().to_canonical().to_string());
                plain(StatusCode::OK, JSON, discovery::json(groups, &host))
            }
            (Content::Metrics { registry, source }, "/metrics") => {
                let format = accept::format(request.headers());
                let gzip = accept::gzip(request.headers());
                let page = registry.snapshot(source.as_deref()).page(format);
                let mut answer = Response::new(Body::page(page, gzip));
                let content_type = match format {
                    Format::Prometheus => PROMETHEUS,
                    Format::OpenMetrics => OPENMETRICS,
                };
                let headers = answer.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
                if gzip {
                    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                answer
            }
            (Content::Metrics { registry, source }, "/") => {
                let names = match source {
                    Some(name) => vec![name.as_str().into()],
                    None => registry.sources(),
                };
                plain(StatusCode::OK, HTML, landing(&self.0.title, &names))
            }
            (Content::Metrics { .. }, _) => plain(
                StatusCode::NOT_FOUND,
                TEXT,
                "There is nothing here; the values are at /metrics.\n",
            ),
        }
    }
}

/// The host that the asker knows this one by, without the port.
fn asked_host(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(HOST)?.to_str().ok()?;
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let sound = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            !host.is_empty() && host.len() <= 255 && host.bytes().all(of_a_name)
        }
    };
    sound.then(|| inner.unwrap_or(host).to_owned())
}

fn plain(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Response<Body> {
    let mut answer = Response::new(Body::full(text.into()));
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

fn landing(title: &str, sources: &[Arc<str>]) -> String {
    let title = escaped(title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p><a href=\"/metrics\">Metrics</a> for Prometheus</p>\n"
    );
    if sources.is_empty() {
        page.push_str("<p>Nothing is collected yet.</p>\n");
    } else {
        page.push_str("<ul>\n");
        for source in sources {
            let _ = writeln!(page, "<li>{}</li>", escaped(source));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// A text as it may stand in HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            character => out.push(character),
        }
    }
    out
}
