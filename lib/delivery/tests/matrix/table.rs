//! The table: each row is an answer, as each kind of server gives it, and what becomes of 64 points and `tidemark_run`.
//!
//! The bodies are those of InfluxDB 1.8, of InfluxDB 2.0 to 2.9 and of Prometheus 2.42, where the answer is theirs.

use std::time::Duration;

use tidemark_testkit::Answer;

use crate::play::{BAD, Fate, POINTS, Serve, Until, play};
use crate::servers::OWN;

/// Rows: each is a test.
macro_rules! rows {
    ($($(#[$about:meta])* $row:ident $(silent for $silence:ident)?: $influxdb:expr, $influxdb2:expr, $remote_write:expr;)*) => {$(
        $(#[$about])*
        #[tokio::test]
        async fn $row() {
            let silence: Option<Duration> = None $(.or(Some($silence)))?;
            play([$influxdb, $influxdb2, $remote_write], silence).await;
        }
    )*};
}

/// An error of InfluxDB 1.
fn v1(status: u16, error: &str) -> Answer {
    Answer::new(status)
        .header("X-Influxdb-Version", "1.8.10")
        .body(serde_json::json!({ "error": error }).to_string())
}

/// An error of InfluxDB 2.
fn v2(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(status)
        .header("X-Influxdb-Version", "v2.7.12")
        .header("X-Platform-Error-Code", code)
        .body(serde_json::json!({ "code": code, "message": message }).to_string())
}

/// An error of Prometheus, or of anything that speaks plainly.
fn plain(status: u16, text: &str) -> Answer {
    Answer::new(status).body(format!("{text}\n"))
}

fn page(status: u16) -> Answer {
    Answer::new(status)
        .header("Content-Type", "text/html")
        .body("<!DOCTYPE html><html>please log in</html>")
}

fn delivered(serve: Serve, requests: usize) -> (Serve, Fate) {
    (serve, Fate::Delivered { requests })
}

/// Stores nothing, and all waits.
fn waits(answer: Answer, said: &'static str, until: Until, requests: usize) -> (Serve, Fate) {
    let fate = Fate::Waits {
        said,
        until,
        requests,
        plain: false,
    };
    (Serve::Refuses(answer), fate)
}

/// The first batch alone is sent: the answer is no batch's.
fn mend(answer: Answer, said: &'static str) -> (Serve, Fate) {
    waits(answer, said, Until::Soon, 1)
}

/// The next batch is tried too: the answer may be due to the first one.
fn either(answer: Answer, said: &'static str) -> (Serve, Fate) {
    waits(answer, said, Until::Soon, 2)
}

/// What is packed by gzip is refused, and what is not too.
fn still_unsupported() -> (Serve, Fate) {
    let fate = Fate::Waits {
        said: "answered 415: check the sink's url",
        until: Until::Soon,
        requests: 2,
        plain: true,
    };
    (Serve::Refuses(Answer::new(415)), fate)
}

fn closed() -> (Serve, Fate) {
    let fate = Fate::Waits {
        said: "refused",
        until: Until::Soon,
        requests: 0,
        plain: false,
    };
    (Serve::Closed, fate)
}

/// The bad points are refused, and the others delivered.
fn bad(serve: Serve, status: u16, reason: &'static str, requests: usize) -> (Serve, Fate) {
    let fate = Fate::Rejected {
        numbers: BAD.to_vec(),
        reason,
        status,
        requests,
    };
    (serve, fate)
}

/// Every point is refused.
fn all_bad(answer: Answer, status: u16, reason: &'static str, requests: usize) -> (Serve, Fate) {
    let fate = Fate::Rejected {
        numbers: (0..POINTS).chain([OWN]).collect(),
        reason,
        status,
        requests,
    };
    (Serve::Refuses(answer), fate)
}

rows! {
    stored_204:
        delivered(Serve::Stores(Answer::new(204)), 2),
        delivered(Serve::Stores(Answer::new(204)), 2),
        delivered(Serve::Stores(Answer::new(204)), 2);

    stored_200_without_a_body:
        delivered(Serve::Stores(Answer::new(200)), 2),
        delivered(Serve::Stores(Answer::new(200)), 2),
        delivered(Serve::Stores(Answer::new(200)), 2);

    /// What stands in front of a server may answer with a page.
    page_200:
        mend(page(200), "answered 200: this is not InfluxDB; check the sink's url"),
        mend(page(200), "answered 200: this is not InfluxDB 2; check the sink's url"),
        mend(page(200), "answered 200: this takes no remote write; check the sink's url");

    something_200:
        mend(Answer::ok("{}"), "answered 200: this is not InfluxDB; check the sink's url"),
        mend(Answer::ok("{}"), "answered 200: this is not InfluxDB 2; check the sink's url"),
        delivered(Serve::Stores(Answer::ok("{}")), 2);

    accepted_202:
        mend(Answer::new(202), "answered 202: this is not InfluxDB; check the sink's url"),
        mend(Answer::new(202), "answered 202: this is not InfluxDB 2; check the sink's url"),
        delivered(Serve::Stores(Answer::new(202)), 2);

    other_2xx:
        mend(Answer::new(206), "answered 206: this is not InfluxDB; check the sink's url"),
        mend(Answer::new(201), "answered 201: this is not InfluxDB 2; check the sink's url"),
        mend(Answer::new(205), "answered 205: this takes no remote write; check the sink's url");

    found_302:
        mend(Answer::redirect("http://localhost:9/"), "answered 302: this is not InfluxDB; check the sink's url"),
        mend(Answer::redirect("http://localhost:9/"), "answered 302: this is not InfluxDB 2; check the sink's url"),
        mend(Answer::redirect("http://localhost:9/"), "answered 302: this takes no remote write; check the sink's url");

    /// A 400 that says nothing of which point it is: InfluxDB 1 and 2 find it by halving, as all do.
    bad_points_unnamed_400:
        bad(Serve::Whole(|_, _| v1(400, "bad timestamp")), 400, "bad timestamp", 24),
        bad(Serve::Whole(|_, _| v2(400, "invalid", "bad timestamp")), 400, "bad timestamp", 24),
        bad(Serve::Whole(|_, _| plain(400, "out of bounds")), 400, "out of bounds", 24);

    /// InfluxDB 1 stores the others; InfluxDB 2 stores nothing.
    bad_lines_quoted_400:
        bad(
            Serve::Partial(|asked, bad| v1(400, &format!("{} dropped=0", unable(asked, bad)))),
            400,
            "invalid number",
            3,
        ),
        bad(
            Serve::Whole(|asked, _| {
                let bad: Vec<u32> = BAD.into_iter().filter(|bad| asked.has(*bad)).collect();
                v2(400, "invalid", &unable(asked, &bad))
            }),
            400,
            "invalid number",
            3,
        ),
        bad(Serve::Whole(|_, _| plain(400, "out of order sample")), 400, "out of order sample", 24);

    /// InfluxDB Cloud numbers the first bad line, InfluxDB 3 each; newer Prometheus names what it refuses.
    bad_lines_numbered_400:
        bad(
            Serve::Partial(|asked, bad| {
                let lines = bad.iter().map(|bad| format!("unable to parse '{}': bad timestamp", asked.line(*bad)));
                v1(400, &format!("partial write: {} dropped=0", lines.collect::<Vec<_>>().join("\n")))
            }),
            400,
            "bad timestamp",
            3,
        ),
        bad(
            Serve::Partial(|asked, bad| {
                let data: Vec<_> = bad
                    .iter()
                    .map(|bad| serde_json::json!({
                        "original_line": asked.line(*bad).get(..20),
                        "line_number": asked.line_number(*bad),
                        "error_message": "invalid column type",
                    }))
                    .collect();
                let body = serde_json::json!({ "error": "partial write of line protocol occurred", "data": data });
                Answer::new(400).body(body.to_string())
            }),
            400,
            "invalid column type",
            3,
        ),
        bad(
            Serve::Whole(|_, _| plain(400, "duplicate sample for timestamp")),
            400,
            "duplicate sample for timestamp",
            24,
        );

    /// InfluxDB 1 and 2 keep the points of other fields; they name the field, not the point.
    type_conflict_422:
        bad(
            Serve::Partial(|_, bad| v1(400, &format!("partial write: {CONFLICT} dropped={}", bad.len()))),
            400,
            "partial write: field type conflict: input field \"v\" on measurement \"m\" is type integer, already exists as \
             type float dropped=1",
            24,
        ),
        bad(
            Serve::Partial(|_, bad| {
                let message = format!("failure writing points to database: partial write: {CONFLICT} dropped={}", bad.len());
                v2(422, "unprocessable entity", &message)
            }),
            422,
            "failure writing points to database: partial write: field type conflict: input field \"v\" on measurement \
             \"m\" is type integer, already exists as type float dropped=1",
            24,
        ),
        bad(Serve::Whole(|_, _| plain(422, "label value too long")), 422, "label value too long", 24);

    /// InfluxDB 2.0.0 to 2.0.3 says by a 500 what later ones say by a 422. From others a 500 is no word on points.
    partial_write_500:
        either(v1(500, "partial write: timeout"), "answered 500 (partial write: timeout): it is tried again"),
        bad(
            Serve::Partial(|_, _| {
                let message = "unexpected error writing points to database: partial write: invalid field name dropped=1";
                v2(500, "internal error", message)
            }),
            500,
            "unexpected error writing points to database: partial write: invalid field name dropped=1",
            24,
        ),
        either(plain(500, "partial write"), "answered 500 (partial write): it is tried again");

    /// Thanos has a status of its own for samples that do not fit. To InfluxDB it is nothing.
    conflict_409:
        mend(v1(409, "no"), "answered 409 (no): check the sink's url"),
        mend(v2(409, "conflict", "no"), "answered 409 (no): check the sink's url"),
        bad(
            Serve::Whole(|_, _| plain(409, "store locally for endpoint: conflict")),
            409,
            "store locally for endpoint: conflict",
            24,
        );

    every_point_is_bad_400:
        all_bad(v1(400, "no such thing"), 400, "no such thing", 14),
        all_bad(v2(400, "invalid", "no such thing"), 400, "no such thing", 14),
        all_bad(plain(400, "out of bounds"), 400, "out of bounds", 14);

    /// Any server may answer 400; where it does not speak of points, none is refused.
    foreign_400:
        mend(
            plain(400, "Client sent an HTTP request to an HTTPS server."),
            "answered 400 (Client sent an HTTP request to an HTTPS server.): this is not InfluxDB; check the sink's url",
        ),
        mend(
            plain(400, "Client sent an HTTP request to an HTTPS server."),
            "answered 400 (Client sent an HTTP request to an HTTPS server.): this is not InfluxDB 2; check the sink's url",
        ),
        either(
            plain(400, "Client sent an HTTP request to an HTTPS server."),
            "answered 400 (Client sent an HTTP request to an HTTPS server.): this says nothing of any point; check the \
             sink's url",
        );

    foreign_422:
        mend(page(422), "answered 422 (<!DOCTYPE html><html>please log in</html>): this is not InfluxDB; check the sink's url"),
        mend(page(422), "answered 422 (<!DOCTYPE html><html>please log in</html>): this is not InfluxDB 2; check the sink's url"),
        either(page(422), "answered 422: this says nothing of any point; check the sink's url");

    settings_400:
        mend(v1(400, "database is required"), "answered 400 (database is required): set the sink's database"),
        mend(
            v2(400, "invalid", "id must have a length of 16 bytes"),
            "answered 400 (id must have a length of 16 bytes): check the sink's org and bucket",
        ),
        either(
            plain(400, "snappy: corrupt input"),
            "answered 400 (snappy: corrupt input): this says nothing of any point; check the sink's url",
        );

    unauthorized_401:
        mend(
            v1(401, "authorization failed"),
            "answered 401 (authorization failed): check the sink's username and password",
        ),
        mend(
            v2(401, "unauthorized", "unauthorized access"),
            "answered 401 (unauthorized access): check the sink's token",
        ),
        mend(
            plain(401, "Unauthorized"),
            "answered 401 (Unauthorized): check the sink's username and password, or its bearer_token",
        );

    forbidden_403:
        mend(
            v1(403, "\"u\" user is not authorized to write to database \"metrics\""),
            "answered 403 (\"u\" user is not authorized to write to database \"metrics\"): let the sink's user write to \
             its database",
        ),
        mend(
            v2(403, "forbidden", "insufficient permissions for write"),
            "answered 403 (insufficient permissions for write): let the sink's token write to its bucket",
        ),
        mend(plain(403, "no"), "answered 403 (no): let the sink's user write");

    not_found_404:
        mend(
            v1(404, "database not found: \"metrics\""),
            "answered 404 (database not found: \"metrics\"): check the sink's url and database, or create the database",
        ),
        mend(
            v2(404, "not found", "bucket \"metrics\" not found"),
            "answered 404 (bucket \"metrics\" not found): check the sink's bucket, or create it",
        ),
        mend(
            plain(404, "remote write receiver needs to be enabled with --web.enable-remote-write-receiver"),
            "answered 404 (remote write receiver needs to be enabled with --web.enable-remote-write-receiver): check the \
             sink's url; a Prometheus takes remote write where it runs with --web.enable-remote-write-receiver",
        );

    not_found_404_otherwise:
        mend(
            page(404),
            "answered 404 (<!DOCTYPE html><html>please log in</html>): check the sink's url and database, or create the \
             database",
        ),
        mend(
            v2(404, "not found", "organization name \"ours\" not found"),
            "answered 404 (organization name \"ours\" not found): check the sink's org, or create it",
        ),
        mend(
            page(404),
            "answered 404: check the sink's url; a Prometheus takes remote write where it runs with \
             --web.enable-remote-write-receiver",
        );

    /// An InfluxDB 1 where an InfluxDB 2 is due, and what takes no POST.
    other_server_404_405:
        mend(v2(405, "method not allowed", "no"), "answered 405 (no): check the sink's url"),
        mend(
            plain(404, "404 page not found"),
            "answered 404 (404 page not found): check the sink's url; an InfluxDB 1 is a sink of type influxdb",
        ),
        mend(plain(405, "Method Not Allowed"), "answered 405 (Method Not Allowed): check the sink's url");

    timeout_408:
        mend(v1(408, "timeout"), "answered 408 (timeout): it is tried again"),
        mend(v2(408, "internal error", "timeout"), "answered 408 (timeout): it is tried again"),
        mend(plain(408, "timeout"), "answered 408 (timeout): it is tried again");

    too_large_413:
        delivered(Serve::Larger(20, v1(413, "Request Entity Too Large")), 8),
        delivered(Serve::Larger(20, v2(413, "request too large", "unable to read data: points batch is too large")), 8),
        delivered(Serve::Larger(20, page(413)), 8);

    /// What refuses single points refuses more than these.
    too_large_413_always:
        waits(v1(413, "Request Entity Too Large"), "answered 413 (Request Entity Too Large): too large even for single points; raise the size of a request that is taken", Until::Soon, 11),
        waits(v2(413, "request too large", "no"), "answered 413 (no): too large even for single points; raise the size of a request that is taken", Until::Soon, 11),
        waits(page(413), "answered 413: too large even for single points; raise the size of a request that is taken", Until::Soon, 11);

    /// Remote write is always packed.
    unsupported_415:
        (Serve::Plain(Answer::new(415)), Fate::DeliveredPlain { requests: 3 }),
        (Serve::Plain(v2(415, "invalid", "no gzip")), Fate::DeliveredPlain { requests: 3 }),
        mend(
            Answer::new(415),
            "answered 415: the receiver takes no remote write 1.0 (protobuf, packed by snappy); check the sink's url",
        );

    gzip_refused_400:
        (Serve::Plain(v1(400, "gzip: invalid header")), Fate::DeliveredPlain { requests: 3 }),
        (
            Serve::Plain(v2(400, "invalid", "unable to read data: gzip: invalid header")),
            Fate::DeliveredPlain { requests: 3 },
        ),
        either(
            plain(400, "unsupported compression"),
            "answered 400 (unsupported compression): this says nothing of any point; check the sink's url",
        );

    /// What is sent plain is refused like that too.
    unsupported_415_always:
        still_unsupported(),
        still_unsupported(),
        mend(Answer::new(415), "answered 415: the receiver takes no remote write 1.0 (protobuf, packed by snappy); check the sink's url");

    busy_429_for_seconds:
        waits(v1(429, "busy").header("Retry-After", "100"), "answered 429 (busy): it is tried again", Until::After(100), 1),
        waits(
            v2(429, "too many requests", "busy").header("Retry-After", "100"),
            "answered 429 (busy): it is tried again",
            Until::After(100),
            1,
        ),
        waits(plain(429, "busy").header("Retry-After", "100"), "answered 429 (busy): it is tried again", Until::After(100), 1);

    busy_429_until_a_date:
        waits(v1(429, "busy").header("Retry-After", DATE), "answered 429 (busy): it is tried again", Until::After(100), 1),
        waits(
            v2(429, "too many requests", "busy").header("Retry-After", DATE),
            "answered 429 (busy): it is tried again",
            Until::After(100),
            1,
        ),
        waits(plain(429, "busy").header("Retry-After", DATE), "answered 429 (busy): it is tried again", Until::After(100), 1);

    /// The longest backoff is the most that a server gets.
    busy_429_for_a_year:
        waits(Answer::new(429).header("Retry-After", "31536000"), "answered 429: it is tried again", Until::After(3_600), 1),
        waits(Answer::new(429).header("Retry-After", "31536000"), "answered 429: it is tried again", Until::After(3_600), 1),
        waits(Answer::new(429).header("Retry-After", "31536000"), "answered 429: it is tried again", Until::After(3_600), 1);

    busy_429_without_a_wait:
        mend(v1(429, "busy"), "answered 429 (busy): it is tried again"),
        mend(v2(429, "too many requests", "busy"), "answered 429 (busy): it is tried again"),
        mend(plain(429, "busy"), "answered 429 (busy): it is tried again");

    busy_429_with_garbage:
        mend(Answer::new(429).header("Retry-After", "soon"), "answered 429: it is tried again"),
        mend(Answer::new(429).header("Retry-After", "-5"), "answered 429: it is tried again"),
        mend(Answer::new(429).header("Retry-After", "1e9"), "answered 429: it is tried again");

    failed_500:
        either(v1(500, "panic"), "answered 500 (panic): it is tried again"),
        either(
            v2(500, "internal error", "An internal error has occurred - check server logs"),
            "answered 500 (An internal error has occurred - check server logs): it is tried again",
        ),
        either(plain(500, "panic"), "answered 500 (panic): it is tried again");

    /// A setting that InfluxDB 1 reports as its own fault.
    settings_500:
        mend(
            v1(500, "retention policy not found: x"),
            "answered 500 (retention policy not found: x): check the sink's retention_policy, or create it",
        ),
        either(page(500), "answered 500 (<!DOCTYPE html><html>please log in</html>): it is tried again"),
        either(page(500), "answered 500: it is tried again");

    bad_gateway_502:
        either(plain(502, "no"), "answered 502 (no): it is tried again"),
        either(plain(502, "no"), "answered 502 (no): it is tried again"),
        either(plain(502, "no"), "answered 502 (no): it is tried again");

    unavailable_503:
        either(v1(503, "no"), "answered 503 (no): it is tried again"),
        either(v2(503, "unavailable", "no"), "answered 503 (no): it is tried again"),
        either(plain(503, "no"), "answered 503 (no): it is tried again");

    /// A server that says when to come again is busy; that is no batch's fault.
    unavailable_503_for_seconds:
        waits(v1(503, "no").header("Retry-After", "7"), "answered 503 (no): it is tried again", Until::After(7), 1),
        waits(v2(503, "unavailable", "no").header("Retry-After", DATE), "answered 503 (no): it is tried again", Until::After(100), 1),
        waits(plain(503, "no").header("Retry-After", "7"), "answered 503 (no): it is tried again", Until::After(7), 1);

    gateway_timeout_504:
        either(Answer::new(504), "answered 504: it is tried again"),
        either(Answer::new(504), "answered 504: it is tried again"),
        either(Answer::new(504), "answered 504: it is tried again");

    connection_refused:
        closed(),
        closed(),
        closed();

    connection_reset:
        either(Answer::reset(), "it is tried again"),
        either(Answer::reset(), "it is tried again"),
        either(Answer::reset(), "it is tried again");

    /// 200 with a body that ends early is no word of any sink.
    answer_cut:
        either(Answer::ok("{}").cut_after(1), "it is tried again"),
        either(Answer::ok("{}").cut_after(1), "it is tried again"),
        either(Answer::ok("{}").cut_after(1), "it is tried again");

    /// The status of an error says enough.
    error_cut:
        mend(
            v1(401, "authorization failed").cut_after(5),
            "answered 401 ({\"err): check the sink's username and password",
        ),
        mend(v2(401, "unauthorized", "no").cut_after(0), "answered 401: check the sink's token"),
        mend(
            plain(401, "Unauthorized").cut_after(4),
            "answered 401 (Unau): check the sink's username and password, or its bearer_token",
        );

    slow_answer:
        either(plain(502, "slow").after(TURTLE).drip(TURTLE), "answered 502 (slow): it is tried again"),
        either(plain(502, "slow").after(TURTLE).drip(TURTLE), "answered 502 (slow): it is tried again"),
        delivered(Serve::Stores(Answer::ok("slow").after(TURTLE).drip(TURTLE)), 2);

    /// A run's whole budget, once: a body that never ends is no answer.
    body_without_end silent for SHORT:
        mend(plain(503, "slow").drip(Duration::from_secs(60)), "no answer within "),
        mend(plain(503, "slow").drip(Duration::from_secs(60)), "no answer within "),
        mend(plain(503, "slow").drip(Duration::from_secs(60)), "no answer within ");

    /// A run's whole budget, once.
    no_answer silent for SHORT:
        mend(Answer::hang(), "no answer within "),
        mend(Answer::hang(), "no answer within "),
        mend(Answer::hang(), "no answer within ");
}

/// 100 s after the run.
const DATE: &str = "Tue, 14 Nov 2023 22:15:01 GMT";
/// How long is waited for what never comes, until the time is up.
const SHORT: Duration = Duration::from_secs(1);
/// Slow, and still an answer.
const TURTLE: Duration = Duration::from_millis(20);
const CONFLICT: &str = "field type conflict: input field \"v\" on measurement \"m\" is type integer, already exists as type float";

/// InfluxDB's words on lines that it cannot read.
fn unable(asked: &crate::servers::Asked, bad: &[u32]) -> String {
    let lines = bad
        .iter()
        .map(|bad| format!("unable to parse '{}': invalid number", asked.line(*bad)));
    lines.collect::<Vec<_>>().join("\n")
}
