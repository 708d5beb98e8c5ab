//! A small HTTP/1.1 client, for tests that talk to a server themselves.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::request::{read_chunked, read_line};

/// How long a server may be silent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request to send.
pub struct Request<'a> {
    method: &'a str,
    url: String,
    headers: Vec<(String, String)>,
    body: &'a [u8],
    trusted: Option<&'a Path>,
    socket: Option<&'a Path>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, as it was sent.
    pub body: Vec<u8>,
}

/// GET, over plain HTTP.
///
/// # Panics
/// When there is no answer.
#[track_caller]
pub fn get(url: &str) -> Response {
    Request::get(url)
        .send()
        .unwrap_or_else(|why| panic!("GET {url}: {why}"))
}

/// POST, over plain HTTP.
///
/// # Panics
/// When there is no answer.
#[track_caller]
pub fn post(url: &str, body: &[u8]) -> Response {
    Request::post(url, body)
        .send()
        .unwrap_or_else(|why| panic!("POST {url}: {why}"))
}

impl<'a> Request<'a> {
    /// A GET.
    pub fn get(url: &str) -> Self {
        Self {
            method: "GET",
            url: url.to_owned(),
            headers: Vec::new(),
            body: &[],
            trusted: None,
            socket: None,
        }
    }

    /// A POST.
    pub fn post(url: &str, body: &'a [u8]) -> Self {
        Self {
            method: "POST",
            body,
            ..Self::get(url)
        }
    }

    /// With that header as well.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With that user and password.
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        let text = format!("Basic {}", base64(format!("{user}:{password}").as_bytes()));
        self.header("Authorization", &text)
    }

    /// The certificate, PEM, that an HTTPS server must have or be issued by.
    #[must_use]
    pub fn trust(self, certificate: &'a Path) -> Self {
        Self {
            trusted: Some(certificate),
            ..self
        }
    }

    /// Over that Unix socket instead of the address's host and port.
    #[must_use]
    pub fn socket(self, path: &'a Path) -> Self {
        Self {
            socket: Some(path),
            ..self
        }
    }

    /// Sends it, on a connection of its own, and reads the answer.
    pub fn send(&self) -> io::Result<Response> {
        let (tls, rest) = match self.url.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(io::Error::other("only http and https")),
        };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(at);
        let slash = if target.starts_with('/') { "" } else { "/" };
        let mut text = format!(
            "{} {slash}{target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n",
            self.method
        );
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.body);
        if let Some(path) = self.socket {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            return exchange(stream, &bytes);
        }
        let (host, port) = authority
            .split_once(':')
            .ok_or_else(|| io::Error::other("an address with its port"))?;
        let port: u16 = port.parse().map_err(io::Error::other)?;
        // Test servers listen on 127.0.0.1; `localhost` may be ::1 first.
        let stream = TcpStream::connect((if host == "localhost" { "127.0.0.1" } else { host }, port))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        if tls {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            let session =
                rustls::ClientConnection::new(self.client_config()?, name).map_err(io::Error::other)?;
            exchange(rustls::StreamOwned::new(session, stream), &bytes)
        } else {
            exchange(stream, &bytes)
        }
    }

    fn client_config(&self) -> io::Result<Arc<rustls::ClientConfig>> {
        let path = self
            .trusted
            .ok_or_else(|| io::Error::other("https needs `trust`"))?;
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
            roots
                .add(certificate.map_err(io::Error::other)?)
                .map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

impl Response {
    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn exchange(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Response> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut reader = BufReader::new(stream);
    let line = read_line(&mut reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("status line {line:?}")))?;
    let mut response = Response {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    };
    while let Some(line) = read_line(&mut reader)? {
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            response
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    response.body = read_body(&response, &mut reader)?;
    Ok(response)
}

fn read_body(response: &Response, reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    if response.header("transfer-encoding") == Some("chunked") {
        return read_chunked(reader);
    }
    let mut body = Vec::new();
    match response.header("content-length").map(str::parse::<u64>) {
        _ if response.status == 204 => {}
        Some(length) => {
            let length = length.map_err(io::Error::other)?;
            reader.take(length).read_to_end(&mut body)?;
            if (body.len() as u64) < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        None => {
            reader.read_to_end(&mut body)?;
        }
    }
    Ok(body)
}

/// Escapes all but letters and digits, for a form or a query.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            escaped += &format!("%{byte:02X}");
        }
    }
    escaped
}

/// Base 64 with padding, for a header.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_of_the_specification() {
        // RFC 4648, section 10.
        for (plain, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), expected);
        }
    }
}
