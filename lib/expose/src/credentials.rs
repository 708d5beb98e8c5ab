//! Basic authentication (RFC 7617).

use std::error::Error;
use std::fmt;
use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use tidemark_settings::Secret;

/// The user and the password that a listener asks for.
#[derive(Clone)]
pub struct Credentials {
    username: Box<str>,
    password: Secret,
}

/// A name that no user can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadCredentials {
    /// It is empty.
    Empty,
    /// It holds a colon, which is where the password begins, or a control character.
    Character,
}

impl Credentials {
    /// A user and the password.
    ///
    /// # Errors
    /// Where no request could have this name.
    pub fn new(username: &str, password: Secret) -> Result<Credentials, BadCredentials> {
        if username.is_empty() {
            return Err(BadCredentials::Empty);
        }
        if username.contains(|character: char| character == ':' || character.is_control()) {
            return Err(BadCredentials::Character);
        }
        Ok(Credentials {
            username: username.into(),
            password,
        })
    }

    /// Whether a request's `Authorization` is that of the user. How long it takes tells nothing of either.
    pub(crate) fn admit(&self, authorization: Option<&HeaderValue>) -> bool {
        let Some((scheme, token)) = authorization
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
        else {
            return false;
        };
        if !scheme.eq_ignore_ascii_case("basic") {
            return false;
        }
        let Ok(given) = STANDARD.decode(token.trim()) else {
            return false;
        };
        let colon = given.iter().position(|byte| *byte == b':').unwrap_or(given.len());
        let (username, rest) = given.split_at(colon);
        let Some(password) = rest.get(1..) else {
            return false;
        };
        // Both are compared, whatever the first says.
        same(self.username.as_bytes(), username) & same(self.password.expose().as_bytes(), password)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Whether two texts are the same, in time that depends on what was given alone.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let mut difference = u8::from(expected.len() != given.len());
    for (expected, given) in expected.iter().chain([&0]).cycle().zip(given) {
        difference = black_box(difference | (expected ^ given));
    }
    black_box(difference) == 0
}

impl fmt::Display for BadCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadCredentials::Empty => "the user name is empty; write one",
            BadCredentials::Character => {
                "the user name holds a colon or a control character, which basic authentication cannot carry; write \
                 another"
            }
        })
    }
}

impl Error for BadCredentials {}
