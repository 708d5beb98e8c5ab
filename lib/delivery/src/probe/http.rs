//! The ladder of a sink that is a server.

use std::sync::Arc;

use tidemark_collect::http::{HttpError, HttpErrorKind};
use tidemark_collect::{Clock, chain};
use tokio::time::{Instant, timeout_at};

use super::answer;
use super::reach::{Reached, reach};
use super::{Finding, PROBE_TIME, Verdict};
use crate::sink::http::HttpEndpoint;
use crate::sink::profile::Profile;
use crate::words::words;

/// Its steps, in order.
const STEPS: [&str; 6] = ["name", "connection", "TLS", "server", "write", "clock"];

/// Climbs the ladder.
pub(super) async fn probe(
    endpoint: &HttpEndpoint,
    due: &Profile<'_>,
    clock: &Arc<dyn Clock>,
) -> Vec<Finding> {
    let end = Instant::now() + PROBE_TIME;
    let url = endpoint.url();
    let asked = async {
        let sent = clock.now();
        let (body, encoding) = due.empty_write();
        let reply = timeout_at(end, endpoint.ask(body, encoding)).await;
        reply.map(|reply| reply.map(|reply| (reply, sent, clock.now())))
    };
    let (
        Reached {
            mut findings,
            is_connected,
        },
        asked,
    ) = tokio::join!(reach(url, end), asked);
    let is_tls = url.scheme() == "https";
    match asked {
        Ok(Ok((reply, sent, came))) => {
            if !is_connected {
                // What this host cannot reach itself, something in between can.
                findings = vec![Finding::ok(
                    "connection",
                    "through the proxy that the environment names",
                )];
            }
            if is_tls {
                findings.push(trusted(due));
            }
            findings.extend(answer::findings(due, &reply, sent, came));
        }
        _ if !is_connected => {}
        Err(_) => {
            let found = format!(
                "connected, but no {} within {} s",
                if is_tls {
                    "TLS handshake and no answer came"
                } else {
                    "answer came"
                },
                PROBE_TIME.as_secs()
            );
            let advice = "look at the server's log; is it overloaded, or is this another program's port?";
            findings.push(Finding::failed(
                if is_tls { "TLS" } else { "server" },
                found,
                advice,
            ));
        }
        Ok(Err(error)) => failed(&error, is_tls, &mut findings),
    }
    fill(&mut findings, is_tls);
    findings
}

/// The first steps alone, of a sink for which no request can be made.
pub(super) async fn probe_without(due: &Profile<'_>) -> Vec<Finding> {
    let url = due.url;
    let Reached { mut findings, .. } = reach(url, Instant::now() + PROBE_TIME).await;
    let is_tls = url.scheme() == "https";
    fill(&mut findings, is_tls);
    for step in STEPS.iter().skip(2) {
        if (*step != "TLS" || is_tls) && !findings.iter().any(|finding| finding.check == *step) {
            findings.push(Finding::not_tried(*step, "because of what is said above"));
        }
    }
    findings
}

/// What a request without an answer says of the steps above the connection.
fn failed(error: &HttpError, is_tls: bool, findings: &mut Vec<Finding>) {
    if let HttpErrorKind::Tls(said) = error.kind() {
        findings.push(Finding::failed_as_said("TLS", said));
        return;
    }
    let said = words(&chain(error));
    // The address stands above it.
    let said = said
        .strip_prefix(error.url())
        .map_or(said.as_str(), |said| said.trim_start_matches(": "));
    match error.kind() {
        // The connection stood a moment ago: it broke in the handshake.
        HttpErrorKind::Connect if is_tls => {
            let why = said.strip_prefix("cannot connect: ").unwrap_or(said);
            let found = format!("the connection breaks in the TLS handshake: {why}");
            let advice = "write http:// if it is meant to be plain HTTP, else see its log";
            findings.push(Finding::failed("TLS", found, advice));
        }
        HttpErrorKind::Connect => {
            // It stood a moment ago: with a proxy, both need not be the same.
            findings.retain(|finding| finding.check != "connection");
            let advice = "try again; if the environment names a proxy, check that one";
            findings.push(Finding::failed("connection", said, advice));
        }
        HttpErrorKind::NoAnswer if is_tls => {
            findings.push(Finding::failed("server", said, "look at the server's log"));
        }
        HttpErrorKind::NoAnswer => {
            let advice = "is this the server's port? write https:// in the sink's url if it speaks TLS";
            findings.push(Finding::failed("server", said, advice));
        }
        _ => findings.push(Finding::failed("server", said, "look at the server's log")),
    }
}

/// The step that a request with an answer has passed.
fn trusted(due: &Profile<'_>) -> Finding {
    match due.ca_file {
        // That this is dangerous is a notice of the settings, wherever these are read.
        _ if due.insecure_skip_verify => Finding::ok(
            "TLS",
            "it stands, with a certificate that nobody verifies (insecure_skip_verify)",
        ),
        Some(path) => Finding::ok("TLS", format!("the certificate is trusted by {}", path.display())),
        None => Finding::ok(
            "TLS",
            "the certificate is trusted by an authority of the system's",
        ),
    }
}

/// Adds the steps that were not tried, each with the one that it would have needed, and puts all in order.
fn fill(findings: &mut Vec<Finding>, is_tls: bool) {
    let place = |check: &str| {
        STEPS
            .iter()
            .position(|step| *step == check)
            .unwrap_or(STEPS.len())
    };
    let failed = findings
        .iter()
        .find(|finding| finding.verdict == Verdict::Failed)
        .map(|finding| finding.check.clone());
    if let Some(failed) = failed {
        for step in STEPS.iter().skip(place(&failed) + 1) {
            if (*step != "TLS" || is_tls) && !findings.iter().any(|finding| finding.check == *step) {
                findings.push(Finding::not_tried(*step, format!("because of: {failed}")));
            }
        }
    }
    findings.sort_by_key(|finding| place(&finding.check));
}
