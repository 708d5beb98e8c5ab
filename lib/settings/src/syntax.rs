//! What the TOML parser finds, in words for people.

use std::sync::Arc;

use crate::mistake::{Mistake, Position, SourceFile};
use crate::suggestion::quoted;

/// What the parser says (its beginning), what we say, and what to write instead.
const WORDS: [(&str, &str, &str); 0] = [];

/// So many of the parser's errors are looked at in a file.
const MOST_ERRORS: usize = 1000;

/// The mistakes, at most one a line, and whether the text is TOML apart from keys that are set twice. The parser's own
/// rendering quotes the line, which may hold a secret; its messages alone hold nothing of the text.
pub(crate) fn mistakes(file: &Arc<SourceFile>, errors: &[toml::de::Error]) -> (Vec<Mistake>, bool) {
    let is_toml = errors.iter().all(is_duplicate);
    let mut mistakes = Vec::new();
    let mut past = 0;
    for error in errors
        .iter()
        .take(MOST_ERRORS)
        .filter(|error| is_toml || !is_duplicate(error))
    {
        let span = error.span().unwrap_or_default();
        let at = Position::in_text(file, span.start);
        if is_duplicate(error) {
            mistakes.push(duplicate(
                file,
                at,
                file.text.get(span.clone()).unwrap_or_default(),
                span.start,
            ));
            continue;
        }
        // Whatever follows on the same line follows from it.
        if span.start < past {
            continue;
        }
        let rest = file.text.get(span.start..).unwrap_or_default();
        past = rest
            .find('\n')
            .map_or(usize::MAX, |newline| span.start + newline + 1);
        let (what, advice) = words(error.message());
        mistakes.push(Mistake::new(at, what, advice));
    }
    (mistakes, is_toml)
}

fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message().starts_with("duplicate key")
}

fn duplicate(file: &SourceFile, at: Position, key: &str, offset: usize) -> Mistake {
    let name = quoted(key.trim_matches(['"', '\'']));
    let before = file.text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    if before
        .get(line_start..)
        .unwrap_or_default()
        .trim_start()
        .starts_with('[')
    {
        Mistake::new(
            at,
            format!("the section {name} is written twice"),
            "write it once, with all its keys",
        )
    } else {
        Mistake::new(
            at,
            format!("{name} is set twice in this section"),
            "write it once",
        )
    }
}

fn words(message: &str) -> (String, String) {
    for (start, what, advice) in WORDS {
        if message.starts_with(start) {
            return (what.to_owned(), advice.to_owned());
        }
    }
    (
        format!("this is not TOML: {message}"),
        "write key = value".to_owned(),
    )
}
