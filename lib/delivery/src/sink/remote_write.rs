//! What takes Prometheus remote write 1.0: `POST` of protobuf, packed by Snappy.
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/>

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tidemark_collect::Clock;
use tidemark_point::line::{self, BorrowedPoint};
use tidemark_point::{Declarations, LeftOut, Omission, remote_write};
use tidemark_settings::{RemoteWriteCredentials, RemoteWriteSettings};

use super::Sink;
use super::http::HttpEndpoint;
use super::profile::{Login, Profile, Wire};
use crate::body::Payload;
use crate::lines::{LineTexts, Lines};
use crate::plan::Plan;
use crate::policy::{self, Answer, Outcome, Policy, Refusal};
use crate::words::words;

/// The most samples of one request, as long as a single point has no more. Prometheus sends 500 to 2,000, and takes
/// any number.
const MAX_SAMPLES: usize = 10_000;
/// The most bytes of one request before it is compressed, as far as they can be told before. Prometheus takes 32 MiB,
/// some services 2 MB.
const MAX_BYTES: usize = 2_000_000;
/// Bytes of a sample, and of what stands around the labels of a series.
const SAMPLE_BYTES: usize = 32;
/// Bytes that stand around a label.
const LABEL_BYTES: usize = 6;

pub(super) fn profile(settings: &RemoteWriteSettings) -> Profile<'_> {
    let (login, secret) = match &settings.credentials {
        Some(RemoteWriteCredentials::Basic { username, password }) => (
            Login::User(username),
            password.as_ref().map(|source| ("password", source)),
        ),
        Some(RemoteWriteCredentials::Bearer { token }) => {
            (Login::Token("Bearer"), Some(("bearer_token", token)))
        }
        None => (Login::None, None),
    };
    Profile {
        name: "a receiver of Prometheus remote write",
        target: "it".to_owned(),
        wire: Wire::RemoteWrite,
        policy: policy::remote_write,
        url: &settings.url,
        write: settings.url.clone(),
        headers: headers(),
        login,
        secret,
        ca_file: settings.ca_file.as_deref(),
        insecure_skip_verify: settings.insecure_skip_verify,
    }
}

fn headers() -> HeaderMap {
    const VERSION: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf")),
        (VERSION, HeaderValue::from_static("0.1.0")),
    ])
}

/// A receiver that batches are sent to, one request at a time over one connection.
pub(crate) struct RemoteWrite {
    endpoint: Arc<HttpEndpoint>,
    policy: Policy,
    clock: Arc<dyn Clock>,
    declared: Arc<Declarations>,
    /// What was left out of the requests that were taken, by rule.
    strings: u64,
    older: u64,
}

impl RemoteWrite {
    pub(crate) fn new(endpoint: Arc<HttpEndpoint>, policy: Policy, clock: Arc<dyn Clock>) -> Self {
        Self {
            endpoint,
            policy,
            clock,
            declared: Arc::default(),
            strings: 0,
            older: 0,
        }
    }

    /// What is known of the fields of the batches that come.
    pub(crate) fn declare(&mut self, declared: &Arc<Declarations>) {
        self.declared = declared.clone();
    }

    /// What was left out by rule since this was asked last; empty for nothing.
    pub(crate) fn take_notice(&mut self) -> Option<String> {
        let (strings, older) = (std::mem::take(&mut self.strings), std::mem::take(&mut self.older));
        let mut parts = Vec::new();
        if strings > 0 {
            parts.push(format!("{strings} strings, as Prometheus has numbers alone"));
        }
        if older > 0 {
            parts.push(format!(
                "{older} values that a newer one of the same millisecond replaced"
            ));
        }
        (!parts.is_empty()).then(|| format!("left out {}", parts.join(", and ")))
    }

    fn stored(&mut self, left_out: &LeftOut) {
        self.strings += left_out.count(Omission::String);
        self.older += left_out.count(Omission::Older);
        if left_out.refused() > 0 {
            tracing::warn!("{}: {}", self.endpoint.place(), words(&left_out.to_string()));
        }
    }

    async fn post(&self, body: Vec<u8>, time: Duration) -> Outcome {
        let packed = match snap::raw::Encoder::new().compress_vec(&body) {
            Ok(packed) => packed,
            // Over 4 GiB.
            Err(error) => return Outcome::TooLarge(error.to_string()),
        };
        match self.endpoint.post(packed, Some("snappy"), time).await {
            Ok(reply) => (self.policy)(Answer::of(&reply, true), self.clock.now()),
            Err(later) => later.into(),
        }
    }
}

impl Sink for RemoteWrite {
    fn minds_order(&self) -> bool {
        true
    }

    fn plan(&self, text: &[u8], lines: Lines) -> Plan {
        plan(text, &lines)
    }

    async fn send(&mut self, payload: Payload, time: Duration) -> Outcome {
        let mut points: Vec<BorrowedPoint<'_>> = Vec::new();
        let mut numbers: Vec<u32> = Vec::new();
        let mut refusal = Refusal::default();
        for (number, point) in (0..).zip(line::read(&payload.bytes)) {
            match point {
                Ok(point) => {
                    points.push(point);
                    numbers.push(number);
                }
                Err(error) => refusal.numbered.push((number, words(&error.to_string()))),
            }
        }
        let request = remote_write::encode(&points, &self.declared);
        for (place, omission) in request.left_out.points() {
            if let (true, Some(number)) = (omission.is_refusal(), numbers.get(*place)) {
                refusal.numbered.push((*number, omission.to_string()));
            }
        }
        if let Some((_, reason)) = refusal.numbered.first() {
            refusal.reason.clone_from(reason);
            return Outcome::Refused(refusal);
        }
        let outcome = match request.samples {
            0 => Outcome::Stored,
            _ => self.post(request.body, time).await,
        };
        if outcome == Outcome::Stored {
            self.stored(&request.left_out);
        }
        outcome
    }
}

/// How lines go: in requests that are not too large, and halved so that a series is not torn where that can be helped. A
/// receiver takes no older sample after a newer one of the same series.
fn plan(text: &[u8], lines: &Lines) -> Plan {
    let texts = LineTexts::of(text);
    let mut series: HashMap<String, u32> = HashMap::new();
    let mut series_of = Vec::new();
    let mut parts = vec![Lines::default()];
    let (mut samples, mut bytes) = (0, 0);
    for line in lines.iter() {
        let point = std::str::from_utf8(texts.get(line))
            .ok()
            .and_then(|text| line::parse_line(text).ok());
        let (fields, size) = point.as_ref().map_or((1, 0), size);
        if samples > 0 && (samples + fields > MAX_SAMPLES || bytes + size > MAX_BYTES) {
            parts.push(Lines::default());
            (samples, bytes) = (0, 0);
        }
        (samples, bytes) = (samples + fields, bytes + size);
        if let Some(part) = parts.last_mut() {
            part.push(line..line + 1);
        }
        let next = u32::try_from(series.len()).unwrap_or(u32::MAX);
        let key = point.map_or_else(String::new, |point| point.series_key().into_owned());
        series_of.push((line, *series.entry(key).or_insert(next)));
    }
    Plan::new(parts, series_of)
}

/// The samples of a point, and about how many bytes they take.
fn size(point: &BorrowedPoint<'_>) -> (usize, usize) {
    let labels = point
        .tags()
        .map(|(key, value)| key.len() + value.len() + LABEL_BYTES);
    let around = labels.sum::<usize>() + point.measurement().len() + SAMPLE_BYTES;
    let fields = point.fields();
    let names: usize = fields.iter().map(|(field, _)| field.len()).sum();
    (fields.len(), fields.len() * around + names)
}
