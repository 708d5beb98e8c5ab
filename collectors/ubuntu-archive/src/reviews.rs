//! The page of a team's active reviews on Launchpad, which is HTML: the web service does not know the merge proposals
//! of Git repositories.
//!
//! The page is one table. A cell of class `section-heading` begins each group of proposals, and a link to each proposal
//! follows, which ends in `/+merge/NUMBER`. Those under the headings that ask the team for a review count; where there
//! are no proposals at all, an element called `no-proposals` stands in the table's place.
//!
//! ```
//! use tidemark_ubuntu_archive::reviews::count;
//!
//! let page = r#"<table id="proposals">
//!   <tr><td class="section-heading" colspan="4">Reviews Archive Administrators can do</td></tr>
//!   <tr><td><a href="/~ada/ubuntu/+source/hello/+git/hello/+merge/401234">fix &rArr; devel</a></td></tr>
//!   <tr><td class="section-heading" colspan="4">Approved reviews ready to land</td></tr>
//!   <tr><td><a href="/~bob/ubuntu/+source/hello/+git/hello/+merge/401235">new &rArr; devel</a></td></tr>
//! </table>"#;
//! assert_eq!(count(page), Ok(1));
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use tidemark_collect::Measurement;

/// The longest heading that is kept, in bytes; a longer one is none that counts.
pub const MAX_HEADING: usize = 1024;

/// Merge proposals that wait for a review by the team.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("ubuntu_archive_reviews")]
pub(crate) struct Reviews {
    /// Proposals under the headings of requested reviews.
    pub(crate) count: i64,
}

/// Why a page cannot be counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PageError {
    /// Neither headings, nor the table of proposals, nor what stands there where there are none.
    NotReviews,
    /// It ends in the midst of the table or of the document.
    Cut,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReviews => "it is no page of active reviews: it has neither a list of proposals nor says that there are none",
            Self::Cut => "the page is cut: it ends before its table or the document does",
        })
    }
}

impl Error for PageError {}

/// The number of links to merge proposals under the headings that ask for a review: those that begin
/// `Requested reviews`, or are `Reviews … can do`.
///
/// Time is linear in the page's length; it keeps one heading and one text of the page at a time.
///
/// # Errors
/// Where it is another page, or not all of this one: a count of it would be wrong.
pub fn count(html: &str) -> Result<i64, PageError> {
    let mut page = Page::default();
    let mut emitter = CallbackEmitter::<_, Infallible, ()>::new(|event: CallbackEvent<'_>, _| {
        page.see(event);
        None
    });
    // A script may hold text that looks like a link.
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    page.end()
}

/// What is known of the page so far.
#[derive(Debug, Default)]
struct Page {
    tag: Tag,
    attribute: Attribute,
    is_heading: bool,
    is_proposal: bool,
    has_href: bool,
    /// The text of the heading that is being read.
    heading: Option<String>,
    is_counting: bool,
    count: i64,
    is_reviews: bool,
    tables: usize,
    is_html_open: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Tag {
    Html,
    Table,
    /// What holds cells: a heading is over where one begins or ends.
    Row,
    Cell,
    Link,
    #[default]
    Other,
}

impl Tag {
    fn named(name: &[u8]) -> Self {
        match name {
            b"html" => Self::Html,
            b"table" => Self::Table,
            b"tr" | b"tbody" | b"thead" | b"tfoot" => Self::Row,
            b"td" | b"th" => Self::Cell,
            b"a" => Self::Link,
            _ => Self::Other,
        }
    }

    fn ends_cell(self) -> bool {
        matches!(self, Self::Html | Self::Table | Self::Row | Self::Cell)
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Attribute {
    Class,
    Href,
    Id,
    #[default]
    Other,
}

impl Page {
    fn see(&mut self, event: CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag = Tag::named(name);
                self.attribute = Attribute::Other;
                (self.is_heading, self.is_proposal, self.has_href) = (false, false, false);
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute = match name {
                    b"class" => Attribute::Class,
                    // Of two, the first counts.
                    b"href" if !self.has_href => Attribute::Href,
                    b"id" => Attribute::Id,
                    _ => Attribute::Other,
                };
                self.has_href |= name == b"href";
            }
            CallbackEvent::AttributeValue { value } => self.attribute_value(value),
            CallbackEvent::CloseStartTag { .. } => self.start_tag(),
            CallbackEvent::EndTag { name } => {
                let tag = Tag::named(name);
                if tag.ends_cell() {
                    self.end_heading();
                }
                match tag {
                    Tag::Table => self.tables = self.tables.saturating_sub(1),
                    Tag::Html => self.is_html_open = false,
                    _ => {}
                }
            }
            CallbackEvent::String { value } => self.text(value),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn attribute_value(&mut self, value: &[u8]) {
        match self.attribute {
            Attribute::Class => {
                let mut classes = value.split(u8::is_ascii_whitespace);
                self.is_heading |= classes.any(|class| class == b"section-heading");
            }
            Attribute::Href => self.is_proposal = is_proposal(value),
            Attribute::Id => self.is_reviews |= matches!(value, b"proposals" | b"no-proposals"),
            Attribute::Other => {}
        }
    }

    fn start_tag(&mut self) {
        if self.tag.ends_cell() {
            self.end_heading();
        }
        match self.tag {
            Tag::Html => self.is_html_open = true,
            Tag::Table => self.tables += 1,
            Tag::Cell if self.is_heading => {
                self.is_reviews = true;
                self.is_counting = false;
                self.heading = Some(String::new());
            }
            Tag::Link if self.is_proposal && self.is_counting => self.count += 1,
            _ => {}
        }
    }

    fn text(&mut self, value: &[u8]) {
        if let Some(heading) = &mut self.heading
            && heading.len() <= MAX_HEADING
        {
            heading.push_str(&String::from_utf8_lossy(value));
        }
    }

    fn end_heading(&mut self) {
        if let Some(heading) = self.heading.take() {
            self.is_counting = heading.len() <= MAX_HEADING && asks_for_review(&heading);
        }
    }

    fn end(self) -> Result<i64, PageError> {
        if !self.is_reviews {
            Err(PageError::NotReviews)
        } else if self.is_html_open || self.tables > 0 {
            Err(PageError::Cut)
        } else {
            Ok(self.count)
        }
    }
}

/// Whether a heading is that of proposals which the team is asked to review.
fn asks_for_review(heading: &str) -> bool {
    let heading: Vec<&str> = heading.split_whitespace().collect();
    match heading[..] {
        ["Requested", reviews, ..] => reviews.starts_with("reviews"),
        ["Reviews", _, .., "can", "do"] => true,
        _ => false,
    }
}

/// Whether a link's path ends in `/+merge/NUMBER`.
fn is_proposal(href: &[u8]) -> bool {
    let end = href.iter().position(|byte| matches!(byte, b'?' | b'#'));
    let path = href[..end.unwrap_or(href.len())].trim_ascii();
    let number = path.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    number > 0 && path[..path.len() - number].ends_with(b"/+merge/")
}
