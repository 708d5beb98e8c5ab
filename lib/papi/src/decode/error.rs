//! Why an answer cannot be read.

use std::fmt;

use super::reader::Wrong;

/// The most characters of an answer that a message shows.
const SHOWN: usize = 80;
/// A word of so many letters and digits may be a token, and is not shown.
const TOKEN: usize = 16;

/// An answer that cannot be read, or that is a refusal.
///
/// What it shows of an answer is short, on one line, and has no word in it that could be a token.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The answer is empty.
    Empty,
    /// It is HTML or another text, and no JSON at all: a proxy's or a login page, mostly.
    NotJson {
        /// How it begins.
        beginning: String,
    },
    /// It is JSON up to a place.
    Syntax {
        /// Bytes from the beginning.
        at: usize,
        /// What should have been there.
        expected: &'static str,
        /// What is around that place.
        near: String,
    },
    /// It ends in the middle.
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// It is JSON of another form.
    Form {
        /// What it should have been.
        expected: &'static str,
    },
    /// The cluster refuses, and says why.
    Refused {
        /// Its code, `AEC_NOT_FOUND` for one.
        code: String,
        /// Its words.
        message: String,
        /// The part of the request that is meant; empty where it does not say.
        field: String,
        /// How many more reasons it gave.
        more: usize,
    },
}

impl DecodeError {
    /// What stopped a reader of this text.
    pub(crate) fn at(text: &str, wrong: Wrong) -> DecodeError {
        if text.trim_start().is_empty() {
            return DecodeError::Empty;
        }
        if wrong.at >= text.len() {
            return DecodeError::Truncated { length: text.len() };
        }
        if text[..wrong.at].trim_start().is_empty() {
            return DecodeError::NotJson {
                beginning: shown(text.trim_start()),
            };
        }
        let mut start = text.floor_char_boundary(wrong.at.saturating_sub(SHOWN / 2));
        if start > 0 {
            // Half a word might be half a token.
            start += text[start..wrong.at]
                .find(|character| !in_word(character))
                .unwrap_or(wrong.at - start);
        }
        DecodeError::Syntax {
            at: wrong.at,
            expected: wrong.expected,
            near: shown(&text[start..]),
        }
    }

    /// As [`DecodeError::at`], where nothing of the answer may be shown.
    pub(crate) fn hidden(self) -> DecodeError {
        match self {
            DecodeError::NotJson { .. } => DecodeError::NotJson {
                beginning: String::new(),
            },
            DecodeError::Syntax { at, expected, .. } => DecodeError::Syntax {
                at,
                expected,
                near: String::new(),
            },
            error => error,
        }
    }

    /// The same, with all that it shows of the answer as `change` has it.
    pub(crate) fn with_shown(self, change: impl Fn(&str) -> String) -> DecodeError {
        match self {
            DecodeError::NotJson { beginning } => DecodeError::NotJson {
                beginning: change(&beginning),
            },
            DecodeError::Syntax { at, expected, near } => DecodeError::Syntax {
                at,
                expected,
                near: change(&near),
            },
            DecodeError::Refused {
                code,
                message,
                field,
                more,
            } => DecodeError::Refused {
                code: change(&code),
                message: change(&message),
                field: change(&field),
                more,
            },
            error => error,
        }
    }
}

/// Whether tokens are made of it.
fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '+' | '/' | '=' | '%')
}

/// The beginning of a text on one line, without what may be a token.
pub(crate) fn shown(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    // A token that the end cuts is still one.
    let mut shown = String::with_capacity(end);
    let mut rest = text;
    let mut taken = 0;
    while taken < end {
        let word = rest.find(|character| !in_word(character)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word);
        if word.len() >= TOKEN && word.bytes().any(|byte| byte.is_ascii_digit()) {
            shown.push('…');
        } else {
            shown.push_str(&word[..word.len().min(end - taken)]);
        }
        taken += word.len();
        let mut characters = after.chars();
        if let Some(character) = characters.next()
            && taken < end
        {
            shown.push(if character.is_control() { ' ' } else { character });
            taken += character.len_utf8();
        }
        rest = characters.as_str();
    }
    if end < text.len() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Empty => f.write_str("the answer is empty"),
            DecodeError::NotJson { beginning } => {
                f.write_str("the answer is no JSON")?;
                quoted(f, ", it begins with ", beginning)?;
                f.write_str(": is this the address of the cluster's API, port 8080?")
            }
            DecodeError::Syntax { at, expected, near } => {
                write!(
                    f,
                    "the answer is no JSON at byte {at}, where {expected} should be"
                )?;
                quoted(f, ", near ", near)
            }
            DecodeError::Truncated { length } => {
                write!(f, "the answer ends in the middle, after {length} bytes")
            }
            DecodeError::Form { expected } => write!(f, "the answer is JSON, but not {expected}"),
            DecodeError::Refused {
                code,
                message,
                field,
                more,
            } => {
                write!(f, "the cluster refuses: {message}")?;
                if !code.is_empty() {
                    write!(f, " ({code})")?;
                }
                if !field.is_empty() {
                    write!(f, ", field {field}")?;
                }
                if *more > 0 {
                    write!(f, ", and {more} more")?;
                }
                Ok(())
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, before: &str, text: &str) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    write!(f, "{before}{text:?}")
}

impl std::error::Error for DecodeError {}
