//! A sink of type `influxdb`.

use std::path::PathBuf;

use url::Url;

use super::server::{Server, ServerUrl, Username, password_has_username};
use crate::shared::Name;
use crate::{SecretSource, SectionReader};

/// What a sink of type `influxdb` needs.
#[derive(Clone, Debug)]
pub struct InfluxdbSettings {
    /// The server's address: http or https, without a user, a query or a fragment.
    pub url: Url,
    /// The database.
    pub database: String,
    /// The user, where the server asks for one.
    pub username: Option<String>,
    /// The user's password; never without a user.
    pub password: Option<SecretSource>,
    /// The retention policy; the database's default where none is given.
    pub retention_policy: Option<String>,
    /// A certificate to accept, as an authority or as exactly the server's own.
    pub ca_file: Option<PathBuf>,
    /// Whether the server's certificate is not verified at all.
    pub insecure_skip_verify: bool,
}

pub(super) const KEYS: [&str; 7] = [
    "url",
    "database",
    "username",
    "password",
    "retention_policy",
    "ca_file",
    "insecure_skip_verify",
];

impl InfluxdbSettings {
    pub(super) fn read(section: &mut SectionReader<'_>) -> Option<InfluxdbSettings> {
        let url = section.required::<ServerUrl>("url");
        let database = section.required::<Name>("database");
        let username = section.optional::<Username>("username");
        let password = section.optional::<SecretSource>("password");
        let retention_policy = section.optional::<Name>("retention_policy");
        let ca_file = section.optional::<PathBuf>("ca_file");
        let insecure_skip_verify = section.optional::<bool>("insecure_skip_verify");
        if !password_has_username(section) {
            return None;
        }
        Some(InfluxdbSettings {
            url: url?.0,
            database: database?.0,
            username: username?.map(|Username(name)| name),
            password: password?,
            retention_policy: retention_policy?.map(|Name(name)| name),
            ca_file: ca_file?,
            insecure_skip_verify: insecure_skip_verify?.unwrap_or(false),
        })
    }

    pub(super) fn server(&self) -> Server<'_> {
        Server {
            url: &self.url,
            insecure_skip_verify: self.insecure_skip_verify,
            secret: self.password.as_ref().map(|_| "password"),
        }
    }
}
