//! Who may ask: sessions that end, and names with passwords.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::behaviour::Behaviour;
use crate::answer::Answer;
use crate::request::Request;

/// The sessions that there are.
#[derive(Default)]
pub(super) struct Sessions {
    /// By their cookie.
    open: BTreeMap<String, Session>,
    made: u64,
}

/// A session, as one cookie stands for it.
struct Session {
    token: Option<String>,
    /// When it ends.
    end: i64,
    /// When the cookie does.
    cookie_end: i64,
}

impl Session {
    fn is_open(&self, now: i64) -> bool {
        now < self.end.min(self.cookie_end)
    }
}

impl Sessions {
    /// The answer to a login, and whether it was accepted.
    pub(super) fn log_in(&mut self, request: &Request, behaviour: &Behaviour, now: i64) -> (Answer, bool) {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let right = behaviour.sessions
            && body["username"] == behaviour.username.as_str()
            && body["password"] == behaviour.password.as_str()
            && body["services"] == json!(["platform"]);
        if !right {
            let body = json!({"message": "Username or password is incorrect."});
            return (Answer::new(401).body(body.to_string()), false);
        }
        self.made += 1;
        let id = format!("session-{}-of-{}", self.made, behaviour.name);
        let token = behaviour.csrf.then(|| format!("token-{}", self.made));
        let session = Session {
            token: token.clone(),
            end: now.saturating_add_unsigned(behaviour.session_lasts),
            cookie_end: cookie_end(behaviour, now),
        };
        self.open.insert(id.clone(), session);
        let mut body = json!({
            "services": ["platform"],
            "timeout_inactive": 900,
            "username": behaviour.username,
        });
        if let Some(timeout) = behaviour.timeout_absolute {
            body["timeout_absolute"] = json!(timeout);
        }
        let mut answer = Answer::new(201)
            .header("Content-Type", "application/json")
            .header("Set-Cookie", &format!("isisessid={id}; path=/; HttpOnly; Secure"))
            .body(body.to_string());
        if let Some(token) = token {
            answer = answer.header("Set-Cookie", &format!("isicsrf={token}; path=/; Secure"));
        }
        (answer, true)
    }

    /// Ends the session of a request; false where there was none.
    pub(super) fn log_out(&mut self, request: &Request, now: i64) -> bool {
        let known = self.knows(request, now);
        cookie(request, "isisessid").is_some_and(|id| known && self.open.remove(id).is_some())
    }

    /// Ends them all.
    pub(super) fn end(&mut self) {
        self.open.clear();
    }

    /// How many have not ended.
    pub(super) fn open(&self, now: i64) -> usize {
        self.open.values().filter(|session| session.is_open(now)).count()
    }

    /// What is set in place of a request's cookie that is in the second half of its life.
    pub(super) fn replacement(
        &mut self,
        request: &Request,
        behaviour: &Behaviour,
        now: i64,
    ) -> Option<String> {
        let lasts = behaviour.cookie_lasts?;
        let old = self.open.get(cookie(request, "isisessid")?)?;
        if old.cookie_end > now.saturating_add_unsigned(lasts / 2) {
            return None;
        }
        self.made += 1;
        let id = format!("session-{}-of-{}", self.made, behaviour.name);
        let session = Session {
            token: old.token.clone(),
            end: old.end,
            cookie_end: cookie_end(behaviour, now),
        };
        self.open.insert(id.clone(), session);
        Some(format!("isisessid={id}; path=/; HttpOnly; Secure"))
    }

    /// Whether a request is one of a session's: with its cookie, and with its token where it has one.
    pub(super) fn knows(&self, request: &Request, now: i64) -> bool {
        let Some(session) = cookie(request, "isisessid").and_then(|id| self.open.get(id)) else {
            return false;
        };
        let referred = || {
            let host = request.header("host").unwrap_or("no host");
            request
                .header("referer")
                .and_then(|referer| referer.split_once("://"))
                .is_some_and(|(_, rest)| rest.trim_end_matches('/') == host)
        };
        let signed = match &session.token {
            None => true,
            Some(token) => request.header("x-csrf-token") == Some(token) && referred(),
        };
        session.is_open(now) && signed
    }
}

/// When a cookie that is given now ends by itself.
fn cookie_end(behaviour: &Behaviour, now: i64) -> i64 {
    let lasts = behaviour.cookie_lasts;
    lasts.map_or(i64::MAX, |lasts| now.saturating_add_unsigned(lasts))
}

/// The value of a cookie.
fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let cookies = request.header("cookie")?.split(';');
    let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(found, value)| (found == name).then_some(value))
}

/// Whether a request has the right name and password in it.
pub(super) fn has_password(request: &Request, behaviour: &Behaviour) -> bool {
    let pair = format!("{}:{}", behaviour.username, behaviour.password);
    let expected = format!("Basic {}", base64(pair.as_bytes()));
    request.header("authorization") == Some(&expected)
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = three
            .iter()
            .fold(0_u32, |group, byte| (group << 8) | u32::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = usize::try_from((group >> (18 - 6 * place)) & 63).unwrap_or(0);
            text.push(if place > three.len() {
                '='
            } else {
                char::from(LETTERS[letter])
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn names_and_passwords_are_packed() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
