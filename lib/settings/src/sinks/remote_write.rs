//! A sink of type `remote-write`.

use std::path::PathBuf;

use url::Url;

use super::server::{Server, Username, WriteUrl, password_has_username};
use crate::{SecretSource, SectionReader};

/// What a sink of type `remote-write` needs.
#[derive(Clone, Debug)]
pub struct RemoteWriteSettings {
    /// The whole address of its writes: http or https, with a path, without a user or a fragment.
    pub url: Url,
    /// As whom it writes, where the server asks.
    pub credentials: Option<RemoteWriteCredentials>,
    /// A certificate to accept, as an authority or as exactly the server's own.
    pub ca_file: Option<PathBuf>,
    /// Whether the server's certificate is not verified at all.
    pub insecure_skip_verify: bool,
}

/// As whom a sink of type `remote-write` writes.
#[derive(Clone, Debug)]
pub enum RemoteWriteCredentials {
    /// `username`, and `password` where it has one (RFC 7617).
    Basic {
        /// The user.
        username: String,
        /// The user's password.
        password: Option<SecretSource>,
    },
    /// `bearer_token` (RFC 6750).
    Bearer {
        /// The token.
        token: SecretSource,
    },
}

pub(super) const KEYS: [&str; 6] = [
    "url",
    "username",
    "password",
    "bearer_token",
    "ca_file",
    "insecure_skip_verify",
];

impl RemoteWriteSettings {
    pub(super) fn read(section: &mut SectionReader<'_>) -> Option<RemoteWriteSettings> {
        let url = section.required::<WriteUrl>("url");
        let username = section.optional::<Username>("username");
        let password = section.optional::<SecretSource>("password");
        let token = section.optional::<SecretSource>("bearer_token");
        let ca_file = section.optional::<PathBuf>("ca_file");
        let insecure_skip_verify = section.optional::<bool>("insecure_skip_verify");
        let other = ["username", "password"]
            .into_iter()
            .find(|key| section.value(key).is_some());
        if let (Some(token), Some(other)) = (section.value("bearer_token"), other) {
            let what = format!("`bearer_token` stands beside `{other}`, and a request carries one of them");
            section.mistake(token.mistake(what, "remove it, or the username and the password"));
            return None;
        }
        if !password_has_username(section) {
            return None;
        }
        let (username, password, token) = (username?, password?, token?);
        let basic = username.map(|Username(username)| RemoteWriteCredentials::Basic { username, password });
        Some(RemoteWriteSettings {
            url: url?.0,
            credentials: basic.or(token.map(|token| RemoteWriteCredentials::Bearer { token })),
            ca_file: ca_file?,
            insecure_skip_verify: insecure_skip_verify?.unwrap_or(false),
        })
    }

    pub(super) fn server(&self) -> Server<'_> {
        Server {
            url: &self.url,
            insecure_skip_verify: self.insecure_skip_verify,
            secret: match &self.credentials {
                Some(RemoteWriteCredentials::Basic {
                    password: Some(_), ..
                }) => Some("password"),
                Some(RemoteWriteCredentials::Bearer { .. }) => Some("bearer token"),
                _ => None,
            },
        }
    }
}
