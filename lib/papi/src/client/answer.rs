//! What an answer is worth: a body to decode, or an error.

use tidemark_collect::http::{Response, Url};

use super::errors::{self, Said};
use super::login::Session;
use super::{Cluster, Summary};
use crate::error::shown;
use crate::{ApiError, ApiErrorKind, Trouble};

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    Login,
    Config,
    Key,
    Statistics,
    Summary(Summary),
}

impl Purpose {
    /// The longest answer in bytes.
    pub(super) fn max_bytes(self) -> u64 {
        match self {
            Self::Login => 64 << 10,
            Self::Config | Self::Key => 1 << 20,
            Self::Statistics | Self::Summary(_) => 64 << 20,
        }
    }

    /// Whether an answer may be that this cluster has no such thing.
    fn may_lack(self) -> bool {
        matches!(self, Self::Key | Self::Summary(_))
    }

    /// Whether an answer to this shows that what `failed` met is over. A cluster that says who it is may still be unable
    /// to give values.
    pub(super) fn makes_up_for(self, failed: Self) -> bool {
        !matches!(failed, Self::Statistics | Self::Summary(_)) || failed == self
    }

    /// Whether it alone is to rest for that error, as others may do better: the statistics are worth more than a summary
    /// with too many clients in it, and than what one key is.
    pub(super) fn is_alone_at_fault(self, error: &ApiError) -> bool {
        match self {
            Self::Summary(_) => error.is_too_much(),
            Self::Key => error.is_too_large(),
            Self::Login | Self::Config | Self::Statistics => false,
        }
    }
}

impl Cluster {
    /// The body of an answer that is of use. A 401 is the caller's to judge.
    pub(super) fn judge(
        &self,
        purpose: Purpose,
        url: &Url,
        response: Response,
        session: Option<&Session>,
    ) -> Result<Vec<u8>, ApiError> {
        let status = response.status();
        let body = response.body();
        let begins = begins(body);
        if (200..300).contains(&status) {
            let kind = match begins {
                Begins::Empty => ApiErrorKind::Empty { status },
                Begins::Html => ApiErrorKind::Html { status },
                Begins::Else => ApiErrorKind::NotOneFs { status },
                Begins::Json => match errors::in_place_of_an_answer(body) {
                    None => return Ok(response.into_body()),
                    Some(said) => self.refusal(purpose, status, said, session),
                },
            };
            return Err(ApiError::new(url, kind));
        }
        let username = || self.options.username.clone();
        let said = || self.said(&response, session);
        let kind = match status {
            300..400 => ApiErrorKind::Redirect {
                status,
                to: self.scrub(session).clean(&location(url, &response)),
            },
            403 => ApiErrorKind::Forbidden {
                username: username(),
                said: said(),
            },
            404 if purpose.may_lack() && begins == Begins::Json => ApiErrorKind::NotFound { said: said() },
            429 | 502 | 503 | 504 => ApiErrorKind::Busy { status, said: said() },
            400..500 if begins == Begins::Html => ApiErrorKind::Html { status },
            400..500 if begins != Begins::Json => ApiErrorKind::NotOneFs { status },
            _ => ApiErrorKind::Refused { status, said: said() },
        };
        let error = ApiError::new(url, kind).asked_to_wait(response.retry_after(self.clock.now()));
        let trouble = match (status, purpose) {
            // The right password too: each try may count towards a lock-out.
            (403, Purpose::Login) => Some(Trouble::Credentials),
            // Without the name there is nothing to do.
            (403, Purpose::Config) => Some(Trouble::Session),
            (404, Purpose::Login | Purpose::Config) => Some(Trouble::NotOneFs),
            _ => error.trouble(),
        };
        Err(error.of(trouble))
    }

    /// A list of errors that came with a status of success.
    fn refusal(&self, purpose: Purpose, status: u16, said: Said, session: Option<&Session>) -> ApiErrorKind {
        let text = self.scrub(session).clean(&said.text);
        if said.not_found && purpose.may_lack() {
            ApiErrorKind::NotFound { said: text }
        } else {
            ApiErrorKind::Refused { status, said: text }
        }
    }

    /// What the cluster says of an error, in its own words; empty where that is nothing that can be shown.
    pub(super) fn said(&self, response: &Response, session: Option<&Session>) -> String {
        let said = errors::said(response.body());
        self.scrub(session).clean(&said)
    }
}

/// How a body begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Begins {
    Empty,
    Json,
    Html,
    Else,
}

fn begins(body: &[u8]) -> Begins {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Begins::Empty,
        Some(b'{' | b'[') => Begins::Json,
        Some(b'<') => Begins::Html,
        Some(_) => Begins::Else,
    }
}

/// Where a redirect leads, without its query.
fn location(url: &Url, response: &Response) -> String {
    let to = response.header("location").and_then(|to| url.join(to).ok());
    to.map_or_else(|| "nowhere".to_owned(), |to| shown(&to))
}
