//! What a server's answer to an empty write says: which server it is, whether this user may write, what time it is there.

use tidemark_point::Timestamp;
use tidemark_point::line::Dialect;

use super::{CLOCK_BOUND, Finding, Verdict};
use crate::backoff::http_date;
use crate::policy::{Answer, Later, Outcome};
use crate::sink::http::Reply;
use crate::sink::profile::{Profile, Wire};
use crate::words::words;

/// What an answer says, which came to a request of `sent` at `came`.
pub(super) fn findings(due: &Profile<'_>, reply: &Reply, sent: Timestamp, came: Timestamp) -> Vec<Finding> {
    let mut findings = match (due.policy)(Answer::of(reply, false), came) {
        Outcome::Stored => vec![server(due, reply, true), written(due)],
        // InfluxDB 2 before 2.1: it says so after it has checked everything else.
        Outcome::Refused(refusal) if refusal.reason.contains("writing requires points") => {
            vec![server(due, reply, true), written(due)]
        }
        Outcome::Refused(refusal) => {
            let found = format!("an empty write is answered {} ({})", reply.status, refusal.reason);
            let advice = format!("is this {}? check the sink's url, and the server's log", due.name);
            vec![server(due, reply, true), Finding::failed("write", found, advice)]
        }
        Outcome::TooLarge(_) | Outcome::PlainOnly(_) => {
            let found = format!("an empty write is answered {}", reply.status);
            let advice = format!("is this {}? check the sink's url", due.name);
            vec![Finding::failed("server", found, advice)]
        }
        Outcome::Later(later) => later_findings(due, reply, &later),
    };
    let clock = clock(reply, sent, came);
    let has_failed = |finding: &Finding| finding.check == "server" && finding.verdict == Verdict::Failed;
    // That another server does not say what time it is matters to nobody.
    if clock.verdict != Verdict::NotTried || !findings.iter().any(has_failed) {
        findings.push(clock);
    }
    findings
}

/// Which server it says that it is; where it does not say, whether it answers as one that is due.
fn server(due: &Profile<'_>, reply: &Reply, is_known: bool) -> Finding {
    let header = |name: &str| {
        let text = reply.headers.get(name)?.to_str().ok()?;
        Some(words(text)).filter(|text| !text.is_empty())
    };
    if let Some(version) = header("x-influxdb-version") {
        let version = version.trim_start_matches('v').to_owned();
        let is_two = version.starts_with("2.");
        let found = format!("InfluxDB {version}");
        return if is_two && due.wire == Wire::LineProtocol(Dialect::V1) {
            let advice = "write type = \"influxdb2\" with its org, bucket and token";
            Finding::warning("server", format!("{found}, asked as an InfluxDB 1"), advice)
        } else {
            Finding::ok("server", found)
        };
    }
    let who = header("server").map_or(String::new(), |server| format!(" (it calls itself {server})"));
    Finding::ok(
        "server",
        if is_known {
            format!("it answers as {} does{who}", due.name)
        } else {
            format!("something answers{who}")
        },
    )
}

fn written(due: &Profile<'_>) -> Finding {
    Finding::ok("write", format!("an empty write to {} is taken", due.target))
}

/// What an answer says with which batches would be kept.
fn later_findings(due: &Profile<'_>, reply: &Reply, later: &Later) -> Vec<Finding> {
    let name = due.name;
    match reply.status {
        300..=399 => {
            let to = reply.headers.get("location").and_then(|to| to.to_str().ok());
            let to = to.map_or(String::new(), |to| format!(" to {}", words(without_query(to))));
            let found = format!("answered {}, a redirect{to}: this is not {name}", reply.status);
            vec![Finding::failed(
                "server",
                found,
                "check the sink's url; redirects are not followed",
            )]
        }
        200..=299 => {
            let page = if is_page(reply) {
                " with a page for people (a login?)"
            } else {
                ""
            };
            let found = format!("answered {}{page}: this is not {name}", reply.status);
            vec![Finding::failed("server", found, "check the sink's url")]
        }
        400 if reply.body.contains("HTTP request to an HTTPS server") => {
            let found = "the server speaks HTTPS on this port";
            vec![Finding::failed(
                "server",
                found,
                "write https:// in the sink's url",
            )]
        }
        status => {
            let (found, advice) = apart(&later.said);
            let of_write = later.status.is_some_and(|_| is_of_write(status, reply));
            let advice = match advice {
                // What a run does next; here somebody can do more.
                "it is tried again" if status == 429 => {
                    "it asks for patience: what waits is tried again; if this lasts, raise its limits"
                }
                "it is tried again" => "the server is in trouble: look at its log; what waits is tried again",
                advice => advice,
            };
            if of_write {
                let is_known = !matches!(status, 401 | 403);
                vec![
                    server(due, reply, is_known),
                    Finding::failed("write", found, advice),
                ]
            } else {
                vec![Finding::failed("server", found, advice)]
            }
        }
    }
}

/// Whether an answer comes from the right server, and is about user, rights or the place that is written to.
fn is_of_write(status: u16, reply: &Reply) -> bool {
    match status {
        401 | 403 => true,
        400 | 404 | 422 => reply.headers.contains_key("x-influxdb-version") || reply.body.starts_with('{'),
        500 => reply.body.contains("retention policy not found"),
        _ => false,
    }
}

/// What is wrong, and what to do, of `answered 401 (…): check …`.
fn apart(said: &str) -> (&str, &str) {
    match said.rfind("): ") {
        Some(at) => (
            said.get(..=at).unwrap_or(said),
            said.get(at + 3..).unwrap_or_default(),
        ),
        None => said
            .split_once(": ")
            .unwrap_or((said, "look at the server's log")),
    }
}

fn is_page(reply: &Reply) -> bool {
    let start = reply.body.trim_start().get(..1);
    start == Some("<")
}

/// A query may hold what is secret.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// How far the server's clock is from ours.
fn clock(reply: &Reply, sent: Timestamp, came: Timestamp) -> Finding {
    const STEP: &str = "clock";
    let date = reply.headers.get("date").and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(http_date) else {
        return Finding::not_tried(STEP, "the server does not say what time it is there");
    };
    // The second of the date may have just begun or be nearly over.
    let second = 1_000_000_000;
    let ahead = sent.since(theirs.saturating_add(std::time::Duration::from_secs(1)));
    let behind = theirs.since(came);
    let bound = i64::try_from(CLOCK_BOUND.as_nanos()).unwrap_or(i64::MAX);
    let (by, word, advice) = if ahead > bound {
        (ahead, "ahead of", "set this host's clock, or the server's")
    } else if behind > bound {
        (behind, "behind", "set this host's clock, or the server's")
    } else {
        let found = format!("within {} s of the server's", CLOCK_BOUND.as_secs());
        return Finding::ok(STEP, found);
    };
    let found = format!(
        "this host's clock is {} {word} the server's: times are wrong, and points may be refused as too old or too new",
        apart_by(by / second)
    );
    Finding::warning(STEP, found, advice)
}

/// Seconds as people say them.
fn apart_by(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{DATE, HeaderMap, HeaderValue};

    fn clock_of(date: Option<&'static str>, sent: i64, came: i64) -> Finding {
        let mut headers = HeaderMap::new();
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        let reply = Reply {
            status: 204,
            headers,
            body: String::new(),
        };
        let at = |ms: i64| Timestamp::from_millis(784_111_777_000 + ms).unwrap();
        clock(&reply, at(sent), at(came))
    }

    #[test]
    fn a_clock_is_told_apart_only_beyond_what_a_second_and_the_way_explain() {
        const DATE: Option<&str> = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let verdict = |sent, came| clock_of(DATE, sent, came).verdict;
        assert_eq!(verdict(0, 10), super::super::Verdict::Ok);
        assert_eq!(verdict(6_000, 6_010), super::super::Verdict::Ok);
        assert_eq!(verdict(6_001, 6_010), super::super::Verdict::Warning);
        assert_eq!(verdict(-5_010, -5_000), super::super::Verdict::Ok);
        assert_eq!(verdict(-5_010, -5_001), super::super::Verdict::Warning);
        // A slow answer explains much.
        assert_eq!(verdict(-9_000, 9_000), super::super::Verdict::Ok);
        assert!(
            clock_of(DATE, 3_600_000, 3_600_010)
                .found
                .starts_with("this host's clock is 59 min ahead of the server's")
        );
        assert!(
            clock_of(DATE, -9_000_000, -9_000_000)
                .found
                .contains("2 h behind")
        );
        for none in [None, Some("soon")] {
            assert_eq!(clock_of(none, 0, 0).verdict, super::super::Verdict::NotTried);
        }
    }

    #[test]
    fn advice_is_taken_apart_from_what_was_found() {
        assert_eq!(
            apart("answered 401 (no: (x): y): check it"),
            ("answered 401 (no: (x): y)", "check it")
        );
        assert_eq!(apart("answered 401: check it"), ("answered 401", "check it"));
        assert_eq!(apart("whatever"), ("whatever", "look at the server's log"));
    }
}
