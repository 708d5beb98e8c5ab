//! What a cluster says in place of an answer: `{"errors": [{"code", "message"}]}`, a list of `{code, field, message}`, or
//! one alone.

use std::borrow::Cow;

use serde::Deserialize;

/// The longest body that is read for what it says.
const LONGEST_BODY: usize = 64 << 10;
/// The most errors of one answer that are shown.
const SHOWN: usize = 3;
/// The most characters that are shown.
const LONGEST: usize = 200;
/// What the API says where something is not there.
const NOT_FOUND: &str = "AEC_NOT_FOUND";

/// What a list of errors says.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Said {
    /// On one line.
    pub(super) text: String,
    /// That something is not there.
    pub(super) not_found: bool,
}

#[derive(Deserialize)]
struct One<'a> {
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    field: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Errors {
        #[serde(borrow)]
        errors: Vec<One<'a>>,
    },
    List(#[serde(borrow)] Vec<One<'a>>),
    One(#[serde(borrow)] One<'a>),
}

/// What a body says that is errors where values were due; `None` for a body that may be values. Looks at its
/// beginning alone where it is.
pub(super) fn in_place_of_an_answer(body: &[u8]) -> Option<Said> {
    let start = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    let is_list = start.starts_with(b"[");
    let first = start.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let is_errors = first.is_some_and(|first| first.starts_with(b"\"errors\""));
    if !is_list && !is_errors {
        return None;
    }
    Some(read(start).unwrap_or_else(|| Said {
        text: String::new(),
        not_found: false,
    }))
}

/// What the body of an error says; empty where it is of another form.
pub(super) fn said(body: &[u8]) -> String {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    read(body).map(|said| said.text).unwrap_or_default()
}

fn read(body: &[u8]) -> Option<Said> {
    if body.len() > LONGEST_BODY {
        return None;
    }
    let errors = match serde_json::from_slice(body).ok()? {
        Form::Errors { errors } | Form::List(errors) => errors,
        Form::One(one) => vec![one],
    };
    let not_found = errors.iter().any(|one| one.code.as_deref() == Some(NOT_FOUND));
    let texts: Vec<String> = errors.iter().take(SHOWN).map(One::text).collect();
    let mut text = texts.join("; ");
    if errors.len() > SHOWN {
        text.push_str(&format!("; and {} more", errors.len() - SHOWN));
    }
    Some(Said {
        text: one_line(&text),
        not_found,
    })
}

impl One<'_> {
    fn text(&self) -> String {
        let parts = [&self.code, &self.field, &self.message];
        let parts: Vec<&str> = parts
            .into_iter()
            .filter_map(|part| part.as_deref())
            .filter(|part| !part.trim().is_empty())
            .collect();
        parts.join(": ")
    }
}

/// The first characters, on one line.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        for (body, expected) in [
            (
                r#"{"errors": [{"code": "AEC_NOT_FOUND", "message": "Path not\n found."}]}"#,
                "AEC_NOT_FOUND: Path not found.",
            ),
            (
                r#"[{"code": "AEC_BAD", "field": "devid", "message": "no \"x\""}]"#,
                "AEC_BAD: devid: no \"x\"",
            ),
            (
                r#"{"message": "Username or password is incorrect"}"#,
                "Username or password is incorrect",
            ),
            (
                r#"{"errors": [{"code": "a"}, {"code": "b"}, {"code": null}, {"code": "d"}, {}]}"#,
                "a; b; ; and 2 more",
            ),
            (r#"{"errors": []}"#, ""),
            (r#"{"errors": "none"}"#, ""),
            (r#"{"errors": [{"#, ""),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(said(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn errors_in_place_of_values_are_told_from_values() {
        for (body, expected) in [
            (r#"{"stats": []}"#, None),
            (r#"{"stats": [], "errors": []}"#, None),
            (
                " \n{ \"errors\": [{\"code\": \"AEC_NOT_FOUND\"}]}",
                Some(("AEC_NOT_FOUND", true)),
            ),
            ("\u{feff}[{\"code\": \"x\"}]", Some(("x", false))),
            ("[]", Some(("", false))),
            ("[1, 2", Some(("", false))),
        ] {
            let found = in_place_of_an_answer(body.as_bytes());
            let found = found.as_ref().map(|said| (said.text.as_str(), said.not_found));
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn long_ones_are_cut() {
        let body = format!(r#"[{{"message": "{}"}}]"#, "é".repeat(1000));
        assert_eq!(said(body.as_bytes()).chars().count(), LONGEST + 1);
        let body = format!(r#"[{{"message": "{}"}}]"#, "x".repeat(LONGEST_BODY));
        assert_eq!(said(body.as_bytes()), "");
    }
}
