//! The sinks that are configured.

use std::path::PathBuf;

use url::Url;

use crate::SecretSource;

/// A `[[sink]]`.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// Its name: its type where none is given; unique.
    pub name: String,
    /// Where not empty, the collectors whose batches it takes.
    pub only: Vec<String>,
    /// The collectors whose batches it does not take.
    pub except: Vec<String>,
    /// What kind it is, with what that kind needs.
    pub kind: SinkKind,
}

impl SinkSettings {
    /// Whether it takes the batches of this collector.
    #[must_use]
    pub fn takes(&self, collector: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name == collector);
        (self.only.is_empty() || named(&self.only)) && !named(&self.except)
    }
}

/// The kinds of sink.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SinkKind {
    /// InfluxDB 1.x.
    Influxdb(InfluxdbSettings),
    /// The embedded store.
    Store,
    /// Nowhere: every batch is taken and forgotten.
    Discard,
}

impl SinkKind {
    /// The kind as `type` names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SinkKind::Influxdb(_) => "influxdb",
            SinkKind::Store => "store",
            SinkKind::Discard => "discard",
        }
    }
}

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
