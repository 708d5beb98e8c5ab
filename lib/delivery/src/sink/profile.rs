//! What tells one type of server from the others, as its settings have it: whatever sends to it, looks at it or names it
//! asks here.

use std::path::Path;
use std::sync::Arc;

use reqwest::header::HeaderMap;
use tidemark_collect::Clock;
use tidemark_collect::http::{ClientOptions, HttpError};
use tidemark_point::line::Dialect;
use tidemark_settings::{Secret, SecretSource, SinkKind};
use url::Url;

use super::http::{Credentials, HttpEndpoint, Server};
use super::line_protocol::LineProtocol;
use super::remote_write::RemoteWrite;
use super::{AnySink, influxdb, influxdb2, remote_write};
use crate::policy::Policy;

/// What is sent to a server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Line protocol, as text or packed by gzip.
    LineProtocol(Dialect),
    /// Prometheus remote write.
    RemoteWrite,
}

impl Wire {
    /// Of a sink that is a server.
    pub(crate) fn of(kind: &SinkKind) -> Option<Self> {
        match kind {
            SinkKind::Influxdb(_) => Some(Self::LineProtocol(Dialect::V1)),
            SinkKind::Influxdb2(_) => Some(Self::LineProtocol(Dialect::V2)),
            SinkKind::RemoteWrite(_) => Some(Self::RemoteWrite),
            _ => None,
        }
    }
}

/// A server.
pub(crate) struct Profile<'a> {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What is written to there, and as whom.
    pub(crate) target: String,
    pub(crate) wire: Wire,
    /// What its answers mean.
    pub(crate) policy: Policy,
    /// The address in the settings.
    pub(crate) url: &'a Url,
    /// The whole address of a write.
    pub(crate) write: Url,
    /// What goes with each request.
    pub(crate) headers: HeaderMap,
    pub(crate) login: Login<'a>,
    /// The key of the secret that the login needs, and where that is.
    pub(crate) secret: Option<(&'static str, &'a SecretSource)>,
    pub(crate) ca_file: Option<&'a Path>,
    pub(crate) insecure_skip_verify: bool,
}

/// As whom is written; what the secret is to it.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Login<'a> {
    /// As nobody in particular.
    None,
    /// As this user; it is the password.
    User(&'a str),
    /// It is a token of this scheme.
    Token(&'static str),
}

impl<'a> Profile<'a> {
    /// Of a sink that is a server.
    pub(crate) fn of(kind: &'a SinkKind) -> Option<Self> {
        match kind {
            SinkKind::Influxdb(settings) => Some(influxdb::profile(settings)),
            SinkKind::Influxdb2(settings) => Some(influxdb2::profile(settings)),
            SinkKind::RemoteWrite(settings) => Some(remote_write::profile(settings)),
            _ => None,
        }
    }

    /// Where writes go, and as whom.
    ///
    /// # Errors
    /// Where the certificate cannot be read, or a proxy variable is no address.
    pub(crate) fn endpoint(
        self,
        secret: Option<&Secret>,
        http: &ClientOptions,
    ) -> Result<HttpEndpoint, HttpError> {
        let credentials = match (self.login, secret) {
            (Login::User(username), password) => Credentials::Basic { username, password },
            (Login::Token(scheme), Some(token)) => Credentials::Token { scheme, token },
            (Login::Token(_), None) | (Login::None, _) => Credentials::None,
        };
        let server = Server {
            write: self.write,
            credentials,
            ca_file: self.ca_file,
            insecure_skip_verify: self.insecure_skip_verify,
            headers: self.headers,
        };
        HttpEndpoint::new(server, http)
    }

    /// The sink that sends to an endpoint of this profile. `plain` says that it refused gzip.
    pub(crate) fn connect(
        &self,
        endpoint: &Arc<HttpEndpoint>,
        clock: &Arc<dyn Clock>,
        plain: bool,
    ) -> AnySink {
        let (endpoint, clock) = (endpoint.clone(), clock.clone());
        match self.wire {
            Wire::LineProtocol(_) => {
                AnySink::LineProtocol(LineProtocol::new(endpoint, self.policy, clock, plain))
            }
            Wire::RemoteWrite => AnySink::RemoteWrite(RemoteWrite::new(endpoint, self.policy, clock)),
        }
    }

    /// The body of a write without points, and how it is packed.
    pub(crate) fn empty_write(&self) -> (Vec<u8>, Option<&'static str>) {
        match self.wire {
            // An empty message is no bytes; a block of no bytes is its length alone: https://github.com/google/snappy
            Wire::RemoteWrite => (vec![0], Some("snappy")),
            Wire::LineProtocol(_) => (Vec::new(), None),
        }
    }
}
