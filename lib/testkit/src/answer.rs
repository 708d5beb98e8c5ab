//! What a test server answers, and how it misbehaves.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::request::Request;
use crate::serve::Pause;

/// How much of a streamed body is written at once.
const PIECE: usize = 64 * 1024;

/// An answer to play: status, headers, body, and what goes wrong on the way.
///
/// ```
/// use std::time::Duration;
/// use tidemark_testkit::Answer;
///
/// let _ = Answer::new(400).body(r#"{"error":"unable to parse 'x'"}"#).header("X-Influxdb-Version", "1.6.7");
/// let _ = Answer::new(200).body("[1, 2, 3]").gzip();
/// let _ = Answer::new(204).after(Duration::from_millis(20));
/// let _ = Answer::new(200).body("0123456789").cut_after(5);
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    gzip: bool,
    by_range: bool,
    delay: Duration,
    fault: Fault,
}

#[derive(Clone, Debug)]
enum Body {
    Bytes(Arc<[u8]>),
    /// So many bytes, each the same.
    Filler {
        byte: u8,
        total: u64,
    },
    /// These over and over, so many in all.
    Repeated {
        bytes: Arc<[u8]>,
        total: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    CutAfter(usize),
    Drip(Duration),
    Reset,
    Hang,
}

/// What becomes of the connection.
#[derive(Debug, PartialEq)]
pub(crate) enum After {
    KeepAlive,
    Close,
    Reset,
    Hang,
}

impl Answer {
    /// An answer with that status and no body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Bytes(Arc::default()),
            gzip: false,
            by_range: false,
            delay: Duration::ZERO,
            fault: Fault::None,
        }
    }

    /// 200 with that body.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new(200).body(body)
    }

    /// 302 to that address.
    pub fn redirect(to: &str) -> Self {
        Self::new(302).header("Location", to)
    }

    /// 200 and so many spaces, streamed: 1 GB costs no memory here.
    pub fn huge(bytes: u64) -> Self {
        Self {
            body: Body::Filler {
                byte: b' ',
                total: bytes,
            },
            ..Self::new(200)
        }
    }

    /// 200 and that body over and over, streamed, so many bytes in all.
    ///
    /// # Panics
    /// When the body is empty.
    pub fn repeated(body: impl AsRef<[u8]>, bytes: u64) -> Self {
        let mut piece = body.as_ref().to_vec();
        assert!(!piece.is_empty(), "nothing is nothing, however often");
        // Long enough to be written at once.
        while piece.len() < PIECE {
            piece.extend_from_slice(body.as_ref());
        }
        Self {
            body: Body::Repeated {
                bytes: piece.into(),
                total: bytes,
            },
            ..Self::new(200)
        }
    }

    /// 200 and so many zero bytes once unpacked, a thousandth of it on the wire.
    pub fn gzip_bomb(bytes: u64) -> Self {
        Self {
            body: Body::Filler {
                byte: 0,
                total: bytes,
            },
            gzip: true,
            ..Self::new(200)
        }
    }

    /// No answer: the connection stays open and silent until the client or the server ends.
    pub fn hang() -> Self {
        Self {
            fault: Fault::Hang,
            ..Self::new(200)
        }
    }

    /// No answer: the connection is reset.
    pub fn reset() -> Self {
        Self {
            fault: Fault::Reset,
            ..Self::new(200)
        }
    }

    /// With that body.
    #[must_use]
    pub fn body(self, body: impl AsRef<[u8]>) -> Self {
        Self {
            body: Body::Bytes(body.as_ref().into()),
            ..self
        }
    }

    /// With that header as well.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body is sent as gzip.
    #[must_use]
    pub fn gzip(self) -> Self {
        Self { gzip: true, ..self }
    }

    /// The part of the body that a request's `Range` asks for: 206, or 416 where there is none; the whole where it asks
    /// for all. Only a [`Source`](crate::Source) plays it so, and only bodies that were given.
    #[must_use]
    pub fn by_range(self) -> Self {
        Self {
            by_range: true,
            ..self
        }
    }

    /// What that request is answered.
    pub(crate) fn to(self, request: &Request) -> Self {
        let Body::Bytes(bytes) = &self.body else {
            return self;
        };
        let asked = request
            .header("range")
            .and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
        let Some((first, last)) = asked.filter(|_| self.by_range) else {
            return self;
        };
        let length = bytes.len();
        let range = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Err(_), Ok(suffix)) => length.saturating_sub(suffix)..length,
            (Ok(first), Ok(last)) => first..length.min(last.saturating_add(1)),
            (Ok(first), Err(_)) => first..length,
            (Err(_), Err(_)) => return self,
        };
        match bytes.get(range.clone()).filter(|part| !part.is_empty()) {
            Some(part) => {
                let at = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                Self {
                    status: 206,
                    body: Body::Bytes(part.into()),
                    ..self
                }
                .header("Content-Range", &at)
            }
            None => Self {
                status: 416,
                body: Body::Bytes(Arc::default()),
                ..self
            }
            .header("Content-Range", &format!("bytes */{length}")),
        }
    }

    /// Not before so long.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The connection ends in good order after so many bytes of the body, though the headers promised all.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        Self {
            fault: Fault::CutAfter(bytes),
            ..self
        }
    }

    /// The body comes byte by byte, with this pause before each.
    #[must_use]
    pub fn drip(self, pause: Duration) -> Self {
        Self {
            fault: Fault::Drip(pause),
            ..self
        }
    }

    /// Plays it. The waits end early where the server closes.
    pub(crate) fn play(&self, out: &mut impl Write, pause: &Pause) -> io::Result<After> {
        if !self.delay.is_zero() && pause.closed_within(self.delay) {
            return Ok(After::Close);
        }
        match self.fault {
            Fault::Hang => return Ok(After::Hang),
            Fault::Reset => return Ok(After::Reset),
            _ => {}
        }
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        match &self.body {
            Body::Filler { byte, total } if self.gzip => {
                head += "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
                out.write_all(head.as_bytes())?;
                let mut encoder = GzEncoder::new(
                    Chunks(io::BufWriter::with_capacity(PIECE, &mut *out)),
                    Compression::best(),
                );
                fill(&mut encoder, *byte, *total)?;
                encoder.finish()?.0.flush()?;
                out.write_all(b"0\r\n\r\n")?;
                out.flush()?;
                Ok(After::KeepAlive)
            }
            Body::Filler { byte, total } => {
                head += &format!("Content-Length: {total}\r\n\r\n");
                out.write_all(head.as_bytes())?;
                fill(out, *byte, *total)?;
                out.flush()?;
                Ok(After::KeepAlive)
            }
            Body::Repeated { bytes, total } => {
                head += &format!("Content-Length: {total}\r\n\r\n");
                out.write_all(head.as_bytes())?;
                fill_with(out, bytes, *total)?;
                out.flush()?;
                Ok(After::KeepAlive)
            }
            Body::Bytes(bytes) => self.play_bytes(head, bytes, out, pause),
        }
    }

    fn play_bytes(
        &self,
        mut head: String,
        bytes: &[u8],
        out: &mut impl Write,
        pause: &Pause,
    ) -> io::Result<After> {
        let packed;
        let body = if self.gzip {
            head += "Content-Encoding: gzip\r\n";
            packed = gzip(bytes);
            &packed[..]
        } else {
            bytes
        };
        if self.status != 204 && self.status != 304 {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        match self.fault {
            Fault::CutAfter(count) => {
                out.write_all(head.as_bytes())?;
                out.write_all(&body[..count.min(body.len())])?;
                out.flush()?;
                return Ok(After::Close);
            }
            Fault::Drip(each) => {
                out.write_all(head.as_bytes())?;
                for byte in body {
                    out.flush()?;
                    if pause.closed_within(each) {
                        return Ok(After::Close);
                    }
                    out.write_all(&[*byte])?;
                }
            }
            _ => {
                // In one write: small answers are one packet.
                let mut whole = head.into_bytes();
                whole.extend_from_slice(body);
                out.write_all(&whole)?;
            }
        }
        out.flush()?;
        Ok(After::KeepAlive)
    }
}

/// Packs bytes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn fill(out: &mut impl Write, byte: u8, total: u64) -> io::Result<()> {
    fill_with(out, &[byte; PIECE], total)
}

fn fill_with(out: &mut impl Write, piece: &[u8], total: u64) -> io::Result<()> {
    let mut left = total;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        out.write_all(&piece[..count])?;
        left -= count as u64;
    }
    Ok(())
}

/// Each write is a chunk of the transfer encoding.
struct Chunks<W: Write>(W);

impl<W: Write> Write for Chunks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
