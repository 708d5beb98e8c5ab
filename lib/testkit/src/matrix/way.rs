use crate::answer::Answer;

use super::Route;

/// What a source sends that is far too long, in bytes.
const HUGE: u64 = 200_000_000;
/// A page for people.
const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Log in</title></head>\n\
    <body><h1>Log in</h1>\n<p>This network asks for your name first.</p></body></html>\n";

/// A way in which a source fails.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Way {
    /// Nobody listens. Whole servers alone fail so: the parts of the others are there.
    Refused,
    /// The connection is reset instead of an answer.
    Reset,
    /// No answer until the deadline.
    TimedOut,
    /// 404.
    NotFound,
    /// 500.
    ServerError,
    /// 200 with a page for people, which asks them to log in.
    Html,
    /// The connection ends in the middle of the body.
    Cut,
    /// The body ends in the middle, and the headers say that it is whole.
    Short,
    /// The route's body of wrong types.
    WrongTypes,
    /// 200 with 0 bytes.
    Empty,
    /// 200 MB of spaces, and the headers say so.
    Huge,
    /// 200 MB of the good body over and over.
    Repeated,
    /// 200 MB of zeros that the headers do not tell of, packed as gzip.
    Bomb,
    /// The body in UTF-16.
    Utf16,
    /// A body in an encoding that nobody asked for (`Content-Encoding: br`).
    Encoding,
    /// A redirect to the same address.
    RedirectLoop,
}

impl Way {
    /// Those of single routes.
    pub(super) const OF_ROUTES: [Self; 15] = [
        Self::Reset,
        Self::TimedOut,
        Self::NotFound,
        Self::ServerError,
        Self::Html,
        Self::Cut,
        Self::Short,
        Self::WrongTypes,
        Self::Empty,
        Self::Huge,
        Self::Repeated,
        Self::Bomb,
        Self::Utf16,
        Self::Encoding,
        Self::RedirectLoop,
    ];

    /// What the route answers then.
    pub(super) fn answer(self, route: &Route) -> Answer {
        let good = &route.good[..];
        let half = &good[..good.len() / 2];
        match self {
            Self::Refused | Self::Reset => Answer::reset(),
            Self::TimedOut => Answer::hang(),
            Self::NotFound => page(404, "Not Found"),
            Self::ServerError => page(500, "Internal Server Error"),
            Self::Html => Answer::ok(PAGE).header("Content-Type", "text/html; charset=utf-8"),
            Self::Cut => Answer::ok(good).cut_after(good.len() / 2),
            Self::Short => Answer::ok(half),
            Self::WrongTypes => Answer::ok(&route.wrong),
            Self::Empty => Answer::ok(""),
            Self::Huge => Answer::huge(HUGE),
            Self::Repeated => Answer::repeated(good, HUGE),
            Self::Bomb => Answer::gzip_bomb(HUGE),
            Self::Utf16 => Answer::ok(utf16(good)),
            Self::Encoding => Answer::ok(good).header("Content-Encoding", "br"),
            Self::RedirectLoop => Answer::redirect(&route.target),
        }
    }
}

fn page(status: u16, title: &str) -> Answer {
    let text = format!("<html><head><title>{status} {title}</title></head><body>{title}</body></html>\n");
    Answer::new(status).body(text).header("Content-Type", "text/html")
}

/// With a byte order mark, the low byte first.
fn utf16(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}
