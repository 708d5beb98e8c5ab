//! What a test server was asked.

use std::io::{self, BufRead, Read};
use std::time::Instant;

use flate2::read::MultiGzDecoder;

/// The longest request line or header line.
const MAX_LINE: u64 = 64 * 1024;
/// The largest body, as sent and unpacked.
const MAX_BODY: u64 = 256 * 1024 * 1024;

/// A request that a test server received.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET, POST, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What follows the `?`, as sent; empty where there is none.
    pub query: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body; unpacked where it came as gzip.
    pub body: Vec<u8>,
    /// The body's length on the wire.
    pub wire_bytes: usize,
    /// When its last byte was there.
    pub received: Instant,
}

impl Request {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, with its escapes undone.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameters(&self.query)
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }

    /// The body's lines, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text().lines()
    }

    /// Reads one request; `None` where the peer is done. `go_on` is called before a body that waits for it
    /// (`Expect: 100-continue`), with the reader.
    pub(crate) fn read<S: BufRead>(
        stream: &mut S,
        go_on: impl FnOnce(&mut S) -> io::Result<()>,
    ) -> io::Result<Option<Self>> {
        let Some(line) = read_line(stream)? else {
            return Ok(None);
        };
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(_)) = (words.next(), words.next(), words.next()) else {
            return Err(malformed(&format!("request line {line:?}")));
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        while let Some(line) = read_line(stream)? {
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| malformed(&format!("header {line:?}")))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Vec::new(),
            wire_bytes: 0,
            received: Instant::now(),
        };
        if request
            .header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            go_on(stream)?;
        }
        let body = request.read_body(stream)?;
        request.wire_bytes = body.len();
        request.body = match request.header("content-encoding") {
            Some("gzip") => {
                let mut plain = Vec::new();
                MultiGzDecoder::new(&body[..])
                    .take(MAX_BODY)
                    .read_to_end(&mut plain)?;
                plain
            }
            _ => body,
        };
        request.received = Instant::now();
        Ok(Some(request))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        if self
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return read_chunked(stream);
        }
        let length: u64 = match self.header("content-length") {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| malformed(&format!("Content-Length {text:?}")))?,
        };
        if length > MAX_BODY {
            return Err(malformed("a body too large for a test"));
        }
        let mut body = Vec::new();
        stream.take(length).read_to_end(&mut body)?;
        if (body.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(body)
    }
}

/// A chunked body, without its trailers.
pub(crate) fn read_chunked(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let digits = line.split(';').next().unwrap_or("").trim();
        let length = u64::from_str_radix(digits, 16).map_err(|_| malformed(&format!("chunk {line:?}")))?;
        if length == 0 {
            while read_line(stream)?.is_some_and(|line| !line.is_empty()) {}
            return Ok(body);
        }
        let read = stream.take(length).read_to_end(&mut body)?;
        if (read as u64) < length || body.len() as u64 > MAX_BODY {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read_line(stream)?;
    }
}

/// A line without its end; `None` at the end of the stream.
pub(crate) fn read_line(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| malformed("a line that is not UTF-8"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// The parameters of a query, with their escapes undone.
pub(crate) fn parameters(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (unescape(key), unescape(value))
        })
        .collect()
}

/// Undoes `%XX` and `+`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> io::Result<Option<Request>> {
        Request::read(&mut &text[..], |_| Ok(()))
    }

    #[test]
    fn reads_what_was_sent() {
        let text = b"POST /write?db=a%20b&precision=ns HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm f=";
        let request = read(text).unwrap().unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/write")
        );
        assert_eq!(request.parameter("db").as_deref(), Some("a b"));
        assert_eq!(request.parameter("precision").as_deref(), Some("ns"));
        assert_eq!(request.parameter("rp"), None);
        assert_eq!(request.header("host"), Some("h"));
        assert_eq!(request.text(), "m f=");
    }

    #[test]
    fn reads_chunks() {
        let text =
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(read(text).unwrap().unwrap().text(), "abcde");
    }

    #[test]
    fn a_peer_that_is_done_is_none_and_one_that_is_cut_an_error() {
        assert!(read(b"").unwrap().is_none());
        assert!(read(b"GET / HT").is_err());
        assert!(read(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc").is_err());
    }
}
