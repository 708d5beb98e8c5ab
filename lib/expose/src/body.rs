//! An answer's body: a short one, or a page that is made as it is read.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};

use crate::Page;

/// The body of an answer.
pub(crate) struct Body(State);

enum State {
    Full(Bytes),
    Page(Box<Streamed>),
    End,
}

/// A page that is written as far as the asker has read it, so that a long one takes little memory.
struct Streamed {
    page: Page,
    gzip: Option<GzEncoder<Vec<u8>>>,
    text: Vec<u8>,
    /// Whether others had their turn since the last piece.
    rested: bool,
}

impl Body {
    pub(crate) fn full(text: Bytes) -> Body {
        Body(State::Full(text))
    }

    pub(crate) fn page(page: Page, gzip: bool) -> Body {
        Body(State::Page(Box::new(Streamed {
            page,
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
            text: Vec::new(),
            rested: true,
        })))
    }

    /// Leaves out a page, for an answer to HEAD: nothing needs to be written for that. What has a length keeps it.
    pub(crate) fn leave(&mut self) {
        if matches!(self.0, State::Page(_)) {
            self.0 = State::End;
        }
    }
}

impl Streamed {
    /// The next piece, if there is any yet, and whether there is more to come.
    fn piece(&mut self) -> (Bytes, bool) {
        let more = self.page.write(&mut self.text);
        let Some(gzip) = &mut self.gzip else {
            return (std::mem::take(&mut self.text).into(), more);
        };
        // Writing to memory does not fail.
        let _ = gzip.write_all(&self.text);
        self.text.clear();
        if more {
            return (std::mem::take(gzip.get_mut()).into(), true);
        }
        let rest = self.gzip.take().and_then(|gzip| gzip.finish().ok());
        (rest.unwrap_or_default().into(), false)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut self.0 {
            State::End => return Poll::Ready(None),
            State::Full(text) => {
                let text = std::mem::take(text);
                self.0 = State::End;
                text
            }
            State::Page(streamed) => {
                // All that goes on in this process may share one thread.
                if !std::mem::replace(&mut streamed.rested, true) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let (piece, more) = streamed.piece();
                streamed.rested = false;
                if !more {
                    self.0 = State::End;
                } else if piece.is_empty() {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                piece
            }
        };
        if piece.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::End => true,
            State::Full(text) => text.is_empty(),
            State::Page(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Full(text) => SizeHint::with_exact(text.len() as u64),
            // Not told for a page that is left out.
            State::End | State::Page(_) => SizeHint::default(),
        }
    }
}
