//! What the sinks that take line protocol over HTTP share.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tidemark_collect::Clock;

use super::Sink;
use super::http::HttpEndpoint;
use crate::body::Payload;
use crate::policy::{Answer, Outcome, Policy};

/// What goes with line protocol.
pub(super) fn headers() -> HeaderMap {
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    HeaderMap::from_iter([(CONTENT_TYPE, text)])
}

/// A server that batches are sent to, one request at a time over one connection.
pub(crate) struct LineProtocol {
    endpoint: Arc<HttpEndpoint>,
    policy: Policy,
    clock: Arc<dyn Clock>,
    plain: bool,
}

impl LineProtocol {
    pub(crate) fn new(
        endpoint: Arc<HttpEndpoint>,
        policy: Policy,
        clock: Arc<dyn Clock>,
        plain: bool,
    ) -> Self {
        Self {
            endpoint,
            policy,
            clock,
            plain,
        }
    }
}

impl Sink for LineProtocol {
    fn takes_gzip(&self) -> bool {
        !self.plain
    }

    async fn send(&mut self, payload: Payload, time: Duration) -> Outcome {
        let Payload { bytes, gzip } = payload;
        let reply = match self.endpoint.post(bytes, gzip.then_some("gzip"), time).await {
            Ok(reply) => reply,
            Err(later) => return later.into(),
        };
        let outcome = (self.policy)(Answer::of(&reply, gzip), self.clock.now());
        self.plain |= matches!(outcome, Outcome::PlainOnly(_));
        outcome
    }
}
