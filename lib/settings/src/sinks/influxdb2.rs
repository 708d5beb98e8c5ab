//! A sink of type `influxdb2`.

use std::path::PathBuf;

use url::Url;

use super::server::{Server, ServerUrl};
use crate::shared::Name;
use crate::{SecretSource, SectionReader};

/// What a sink of type `influxdb2` needs.
#[derive(Clone, Debug)]
pub struct Influxdb2Settings {
    /// The server's address: http or https, without a user, a query or a fragment.
    pub url: Url,
    /// The organisation, by name or ID.
    pub org: String,
    /// The bucket, by name or ID.
    pub bucket: String,
    /// The token that may write to the bucket.
    pub token: SecretSource,
    /// A certificate to accept, as an authority or as exactly the server's own.
    pub ca_file: Option<PathBuf>,
    /// Whether the server's certificate is not verified at all.
    pub insecure_skip_verify: bool,
}

pub(super) const KEYS: [&str; 6] = ["url", "org", "bucket", "token", "ca_file", "insecure_skip_verify"];

impl Influxdb2Settings {
    pub(super) fn read(section: &mut SectionReader<'_>) -> Option<Influxdb2Settings> {
        let url = section.required::<ServerUrl>("url");
        let org = section.required::<Name>("org");
        let bucket = section.required::<Name>("bucket");
        let token = section.required::<SecretSource>("token");
        let ca_file = section.optional::<PathBuf>("ca_file");
        let insecure_skip_verify = section.optional::<bool>("insecure_skip_verify");
        Some(Influxdb2Settings {
            url: url?.0,
            org: org?.0,
            bucket: bucket?.0,
            token: token?,
            ca_file: ca_file?,
            insecure_skip_verify: insecure_skip_verify?.unwrap_or(false),
        })
    }

    pub(super) fn server(&self) -> Server<'_> {
        Server {
            url: &self.url,
            insecure_skip_verify: self.insecure_skip_verify,
            secret: Some("token"),
        }
    }
}
