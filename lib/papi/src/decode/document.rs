//! An answer's outermost object: a list of items by name, or errors in its place.

use std::borrow::Cow;

use super::error::shown;
use super::reader::{Kind, Read, Reader};
use super::tree::{Node, Place, Tree};
use super::{DecodeError, Decoded, Warning};

/// What reads the items of a list.
pub(crate) trait Items<'a> {
    /// The member that has the list.
    const MEMBER: &'static str;
    /// What an answer without it is not.
    const FORM: &'static str;

    /// Reads one item, which is an object.
    fn item(&mut self, reader: &mut Reader<'a>, out: &mut Decoded) -> Read<()>;
}

/// The text of a body, without a byte order mark; what is no UTF-8 in it is replaced.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // This test is much the quicker of both.
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// As [`text`], with a warning where something was replaced.
pub(crate) fn checked_text<'a>(body: &'a [u8], out: &mut Decoded) -> Cow<'a, str> {
    let text = text(body);
    if matches!(text, Cow::Owned(_)) {
        out.warnings.add(Warning::Encoding, "");
    }
    text
}

/// The text that comes next; empty where it is something else.
pub(crate) fn text_next<'a>(reader: &mut Reader<'a>) -> Read<Cow<'a, str>> {
    if reader.kind()? == Kind::Text {
        return reader.string();
    }
    reader.skip()?;
    Ok(Cow::Borrowed(""))
}

/// Reads an answer with items. Those before a mistake are in `out`.
pub(crate) fn read<'a, I: Items<'a>>(
    text: &'a str,
    items: &mut I,
    out: &mut Decoded,
) -> Result<(), DecodeError> {
    let found = walk(text, items, out).map_err(|wrong| DecodeError::at(text, wrong))?;
    match found {
        Found { items: true, refusal } => {
            if refusal.is_some() {
                out.warnings.add(Warning::Errors, "");
            }
            Ok(())
        }
        Found {
            refusal: Some(refusal),
            ..
        } => Err(refusal),
        _ => Err(DecodeError::Form { expected: I::FORM }),
    }
}

#[derive(Default)]
struct Found {
    items: bool,
    refusal: Option<DecodeError>,
}

fn walk<'a, I: Items<'a>>(text: &'a str, items: &mut I, out: &mut Decoded) -> Read<Found> {
    let mut reader = Reader::new(text);
    let mut found = Found::default();
    let kind = reader.kind()?;
    if kind == Kind::Map {
        let mut more = reader.open(kind)?;
        while more {
            let name = reader.name()?;
            if name == I::MEMBER && reader.kind()? == Kind::List {
                found.items = true;
                list(&mut reader, items, out)?;
            } else if name == "errors" {
                found.refusal = refusal_next(&mut reader)?;
            } else {
                reader.skip()?;
            }
            more = reader.more(kind)?;
        }
    } else {
        found.refusal = refusal_next(&mut reader)?;
    }
    reader.end()?;
    Ok(found)
}

fn list<'a, I: Items<'a>>(reader: &mut Reader<'a>, items: &mut I, out: &mut Decoded) -> Read<()> {
    let mut more = reader.open(Kind::List)?;
    while more {
        if reader.kind()? == Kind::Map {
            items.item(reader, out)?;
        } else {
            reader.skip()?;
            out.warnings.add(Warning::NoItem, I::MEMBER);
        }
        more = reader.more(Kind::List)?;
    }
    Ok(())
}

fn refusal_next(reader: &mut Reader<'_>) -> Read<Option<DecodeError>> {
    let mut tree = Tree::default();
    let place = tree.read(reader)?;
    Ok(refusal(&tree, place))
}

/// The reasons of a list of errors; `None` where it has none.
pub(crate) fn refusal(tree: &Tree<'_>, errors: Place) -> Option<DecodeError> {
    let mut reasons = tree
        .elements(errors)
        .filter(|reason| matches!(tree.node(*reason), Node::Map(_)));
    let first = reasons.next()?;
    let text = |name| {
        let text = tree.member(first, name).and_then(|place| tree.text(place));
        shown(text.unwrap_or_default())
    };
    let (code, message) = (text("code"), text("message"));
    if code.is_empty() && message.is_empty() {
        return None;
    }
    Some(DecodeError::Refused {
        code,
        message,
        field: text("field"),
        more: reasons.count(),
    })
}
