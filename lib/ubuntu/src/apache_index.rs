//! The listings of folders that Apache's mod_autoindex makes, in all its forms, and those of nginx.
//!
//! The forms: a bare list (`<ul>`), fancy indexing as preformatted text (`<pre>`), and as a table (`HTMLTable`); with and
//! without icons (which may be links too), sizes, descriptions and rules; tags in upper and lower case; names that are
//! cut to the width of their column (`update_excuses.ht..>`): a link's target is the name.
//!
//! Apache shows the times of files without a zone, in its host's own; Ubuntu's hosts run on UTC.
//!
//! ```
//! use tidemark_ubuntu::apache_index::parse;
//!
//! let rows = parse(concat!(
//!     r#"<pre><a href="?C=N;O=D">Name</a> <a href="?C=M;O=A">Last modified</a><hr>"#,
//!     r#"<a href="/logs/">Parent Directory</a>     -"#, "\n",
//!     r#"<a href="./06:15:01.log">06:15:01.log</a> 2026-11-21 06:31  1.2M"#, "\n</pre>",
//! ));
//! assert_eq!(rows.len(), 1);
//! assert_eq!(rows[0].name, "06:15:01.log");
//! assert_eq!(rows[0].modified.unwrap().to_string(), "2026-11-21 06:31:00");
//! ```

use std::convert::Infallible;

use chrono::NaiveDateTime;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// The most rows that are read of one listing; what follows is left out.
pub const MAX_ROWS: usize = 100_000;
/// The longest name in bytes, that of a folder with its slash: what Linux allows. A longer one is no row.
pub const MAX_NAME: usize = 256;

/// The shapes of dates (`0` a digit, `a` a letter), and how each is read.
const DATES: [(&str, &str); 2] = [
    ("0000-00-00 00:00", "%Y-%m-%d %H:%M"),
    ("00-aaa-0000 00:00", "%d-%b-%Y %H:%M"),
];

/// One file or folder of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// Its name, decoded; a folder's ends with a slash.
    pub name: String,
    /// When it was last modified, to the minute, in the server's time; none where the listing does not say.
    pub modified: Option<NaiveDateTime>,
}

/// The rows of a listing, in its order; none where the page is something else.
///
/// A row is a link to something in the folder itself: links that sort, lead up or lead elsewhere are none, nor is a name
/// that is not UTF-8. Its date is what comes right after the link, so that a description that holds one is not taken for
/// it; a date that is none (`2026-02-30 06:15`) is none. Time is linear in the page's length.
pub fn parse(html: &str) -> Vec<Row> {
    let mut listing = Listing::default();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        listing.take(&event);
        None
    });
    // Titles, scripts and styles hold text, not rows.
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    listing.rows
}

/// A listing that is being read.
#[derive(Default)]
struct Listing {
    rows: Vec<Row>,
    tag: Tag,
    href: Option<String>,
    place: Place,
    /// In `<pre>` a row is a line.
    preformatted: bool,
}

/// What the start tag is that is being read.
#[derive(Default, PartialEq)]
enum Tag {
    /// A link.
    Link,
    /// A link whose next value is where it leads.
    LinkTo,
    #[default]
    Other,
}

/// Where the reading is, as seen from the newest row.
#[derive(Default, PartialEq)]
enum Place {
    /// Past it, or before the first.
    #[default]
    Elsewhere,
    /// In its link.
    Link,
    /// After its link, and there was no text yet.
    After,
    /// After its date, or after what says that there is none: what follows describes it.
    Described,
}

impl Listing {
    fn take(&mut self, event: &CallbackEvent<'_>) {
        match *event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag = if name == b"a" { Tag::Link } else { Tag::Other };
                self.href = None;
                self.boundary(name, true);
            }
            CallbackEvent::AttributeName { name } if self.tag != Tag::Other => {
                let is_first = name == b"href" && self.href.is_none();
                self.tag = if is_first { Tag::LinkTo } else { Tag::Link };
            }
            CallbackEvent::AttributeValue { value } if self.tag == Tag::LinkTo => {
                self.href = Some(String::from_utf8_lossy(value).into_owned());
            }
            CallbackEvent::CloseStartTag { .. } if self.tag != Tag::Other => {
                self.tag = Tag::Other;
                let href = self.href.take();
                self.link(href.as_deref().and_then(entry));
            }
            CallbackEvent::EndTag { name } => {
                self.tag = Tag::Other;
                if name == b"a" && self.place == Place::Link {
                    self.place = Place::After;
                }
                self.boundary(name, false);
            }
            CallbackEvent::String { value } => {
                if self.place == Place::After {
                    self.text(std::str::from_utf8(value).unwrap_or_default());
                }
                if self.preformatted && self.place != Place::Link && value.contains(&b'\n') {
                    self.place = Place::Elsewhere;
                }
            }
            _ => {}
        }
    }

    /// A tag: whether a row ends with it.
    fn boundary(&mut self, name: &[u8], starts: bool) {
        match name {
            b"pre" => self.preformatted = starts,
            b"tr" | b"table" | b"li" | b"ul" | b"hr" | b"br" | b"p" | b"div" | b"address" => {}
            _ => return,
        }
        self.place = Place::Elsewhere;
    }

    /// A link to what is called so here, or to something else.
    fn link(&mut self, name: Option<String>) {
        if self.place == Place::Described {
            return;
        }
        let is_icons = self.place != Place::Elsewhere;
        self.place = Place::Elsewhere;
        let Some(name) = name else { return };
        // An icon may be a link too, in front of the name's.
        if !(is_icons && self.rows.last().is_some_and(|row| row.name == name)) {
            if self.rows.len() == MAX_ROWS {
                return;
            }
            self.rows.push(Row { name, modified: None });
        }
        self.place = Place::Link;
    }

    /// Text after the newest row's link: the date, or what says that there is none.
    fn text(&mut self, text: &str) {
        let rest = text.trim_start();
        let blank = text.get(..text.len() - rest.len()).unwrap_or_default();
        if rest.is_empty() || self.preformatted && blank.contains('\n') {
            return;
        }
        self.place = Place::Described;
        if let Some(row) = self.rows.last_mut() {
            row.modified = date(rest);
        }
    }
}

/// The name of what a link leads to, where that is in the folder itself.
fn entry(href: &str) -> Option<String> {
    let href = href.trim();
    let path = match href.strip_prefix("./") {
        // So Apache writes a name with a colon, which would be a scheme.
        Some(path) => path,
        None if has_scheme(href) => return None,
        None => href,
    };
    let (name, slash) = match path.strip_suffix('/') {
        Some(name) => (name, "/"),
        None => (path, ""),
    };
    if name.len() > 3 * MAX_NAME || name.contains(['/', '?', '#']) {
        return None;
    }
    let name = decoded(name)? + slash;
    let is_entry = match name.trim_end_matches('/') {
        "" | "." | ".." => false,
        segment => segment.len() + slash.len() == name.len() && !segment.contains(['/', '\0']),
    };
    (is_entry && name.len() <= MAX_NAME).then_some(name)
}

/// Whether an address begins with a scheme (RFC 3986, section 3.1).
fn has_scheme(href: &str) -> bool {
    href.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// A text without its percent-encoding; a `%` that encodes nothing stands for itself.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let encoded = after.split_first_chunk::<2>().and_then(|(pair, after)| {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            Some((u8::try_from(high? * 16 + low?).ok()?, after))
        });
        let (byte, after) = match encoded {
            Some(encoded) if first == b'%' => encoded,
            _ => (first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The date with which a text begins.
fn date(text: &str) -> Option<NaiveDateTime> {
    DATES.iter().find_map(|(shape, format)| {
        let (start, rest) = text.split_at_checked(shape.len())?;
        let is_shaped = start.bytes().zip(shape.bytes()).all(|(byte, due)| match due {
            b'0' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            due => byte == due,
        });
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric());
        (is_shaped && ends).then(|| NaiveDateTime::parse_from_str(start, format).ok())?
    })
}

#[cfg(test)]
mod tests;
