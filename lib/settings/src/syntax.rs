//! What the TOML parser finds, in words for people.

use std::sync::Arc;

use crate::mistake::{Mistake, Position, SourceFile};
use crate::suggestion::quoted;

/// How the parser's message begins, what we say, and what to write instead. Messages are in no documented form: one that
/// is not here is passed on without what the parser expected.
const WORDS: [(&str, &str, &str); 20] = [
    (
        "string values must be quoted",
        "a text without quotes",
        "write it in quotes instead",
    ),
    (
        "key with no value",
        "a key without =",
        "write key = value instead",
    ),
    (
        "unquoted keys cannot be empty",
        "a name is missing",
        "write key = value or [section] instead",
    ),
    (
        "invalid unquoted key",
        "a character that a key cannot hold",
        "write letters, digits, _ and - alone instead",
    ),
    ("extra `=`", "a second =", "write key = value instead"),
    (
        "unclosed array table",
        "a header without its closing ]]",
        "write [[sink]] instead",
    ),
    (
        "unclosed table",
        "a header without its closing ]",
        "write [section] instead",
    ),
    (
        "unclosed inline table",
        "a table without its closing }",
        "write } after its last value",
    ),
    (
        "unclosed array",
        "a list without its closing ]",
        "write ] after its last item",
    ),
    (
        "unexpected key or value",
        "more text where the line should end",
        "write it on a line of its own, or after a #",
    ),
    (
        "missing escaped value",
        "a \\ that begins no escape",
        "write \\\\ for a backslash instead",
    ),
    (
        "too few unicode",
        "a \\u without its digits",
        "write four digits after \\u, or \\\\ for a backslash, instead",
    ),
    (
        "invalid boolean",
        "a misspelt true or false",
        "write true or false instead",
    ),
    ("missing comma", "a comma is missing", "write a , between the two"),
    (
        "extra assignment",
        "a comma is missing",
        "write a , between the two",
    ),
    ("extra comma", "a comma too many", "remove it"),
    (
        "cannot extend",
        "a key below one that has a value of its own",
        "write it in a section of its own",
    ),
    (
        "carriage return",
        "a carriage return without a newline",
        "end each line with a newline instead",
    ),
    (
        "cannot recurse",
        "lists and tables nested too deeply",
        "write fewer levels",
    ),
    ("recursion limit", "a key of too many parts", "write fewer parts"),
];

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
        let line = rest.split('\n').next().unwrap_or_default();
        past = span.start + line.len() + 1;
        let before = file.text.get(..span.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let whole_line = file
            .text
            .get(line_start..span.start + line.len())
            .unwrap_or_default();
        // Whatever the parser says of such a line, this is its fault.
        if let Some(nul) = whole_line.find('\0') {
            let at = Position::in_text(file, line_start + nul);
            let what = "a NUL byte, which no TOML may hold";
            mistakes.push(Mistake::new(
                at,
                what,
                "remove it, or save the file as plain UTF-8 text",
            ));
            continue;
        }
        let (what, advice) = words(error.message(), line);
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

fn words(message: &str, rest_of_line: &str) -> (String, String) {
    let is_string =
        message.starts_with("invalid basic string") || message.starts_with("invalid literal string");
    if is_string || message.starts_with("invalid multi-line") {
        return match message.ends_with("expected `\"`") || message.ends_with("expected `'`") {
            true => (
                "a string without its closing quote".to_owned(),
                "close it with the quote that opens it".to_owned(),
            ),
            false => (
                "a character that a string cannot hold".to_owned(),
                "write it as \\n, \\t or \\u instead".to_owned(),
            ),
        };
    }
    if message.starts_with("string values must be quoted") && rest_of_line.trim().is_empty() {
        return (
            "a value is missing".to_owned(),
            "write one after the =".to_owned(),
        );
    }
    let known = WORDS.iter().find(|(start, ..)| message.starts_with(start));
    match known {
        Some((_, what, advice)) => ((*what).to_owned(), (*advice).to_owned()),
        None => {
            let fault = message.split(", expected").next().unwrap_or_default();
            let advice = "write a string in quotes, a number, true or false instead";
            (format!("this is not TOML: {fault}"), advice.to_owned())
        }
    }
}
