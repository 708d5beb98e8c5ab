//! What a cluster says may hold what it was told: nothing of ours is shown again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::login::Session;

/// A secret that is shorter is in many a word: nothing is shown then.
const SHORT: usize = 4;
/// What stands in place of a secret.
const HIDDEN: &str = "…";

/// The secrets that may be in a text.
pub(super) struct Scrub<'a> {
    secrets: Vec<&'a str>,
    /// The password as it is written elsewhere.
    forms: Vec<Zeroizing<String>>,
}

impl<'a> Scrub<'a> {
    pub(super) fn new(username: &str, password: &'a str, session: Option<&'a Session>) -> Self {
        let mut secrets = vec![password];
        secrets.extend(session.into_iter().flat_map(Session::secrets));
        let mut forms = vec![Zeroizing::new(basic(username, password))];
        let quoted = serde_json::to_string(password).unwrap_or_default();
        forms.push(Zeroizing::new(quoted.trim_matches('"').to_owned()));
        // In a URL.
        let escaped: String = form_urlencoded::byte_serialize(password.as_bytes()).collect();
        forms.push(Zeroizing::new(escaped.replace('+', "%20")));
        forms.push(Zeroizing::new(escaped));
        Self { secrets, forms }
    }

    /// The text without them; empty where one is too short to be told from a word.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let forms = self.forms.iter().map(|form| form.as_str());
        for secret in forms.chain(self.secrets.iter().copied()) {
            if secret.is_empty() || !text.contains(secret) {
                continue;
            }
            if secret.len() < SHORT {
                return String::new();
            }
            text = text.replace(secret, HIDDEN);
        }
        text
    }
}

/// User and password as basic authentication sends them.
pub(super) fn basic(username: &str, password: &str) -> String {
    let pair = Zeroizing::new(format!("{username}:{password}"));
    STANDARD.encode(pair.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_is_left() {
        let session = Session::for_test("c00kie-value", Some("csrf-token"));
        let scrub = Scrub::new("monitor", "hunter\"2é", Some(&session));
        let encoded = basic("monitor", "hunter\"2é");
        let text = format!(
            "a hunter\"2é b hunter\\\"2é c {encoded} d c00kie-value e csrf-token f hunter%222%C3%A9 g"
        );
        assert_eq!(scrub.clean(&text), "a … b … c … d … e … f … g");
        assert_eq!(scrub.clean("nothing of it"), "nothing of it");
    }

    #[test]
    fn beside_a_short_password_nothing_is_shown() {
        let scrub = Scrub::new("root", "a", None);
        assert_eq!(scrub.clean("a password"), "");
        assert_eq!(scrub.clean("xyz"), "xyz");
    }
}
