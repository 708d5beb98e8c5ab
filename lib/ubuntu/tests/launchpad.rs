//! The client of Launchpad against a server that answers as Launchpad does, and as it does on bad days.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tidemark_collect::{CollectorError, Context, ManualClock, Timestamp, chain, side_by_side};
use tidemark_testkit::{Answer, Request, SinkServer, Source};
use tidemark_ubuntu::launchpad::{LIMIT, Launchpad, MAX_PAGES};

/// What Launchpad says its root is, wherever it is asked.
const REAL: &str = "https://api.launchpad.net/devel";

/// An entry of a collection.
#[derive(Debug, Deserialize, PartialEq)]
struct Upload {
    id: u64,
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn context(deadline: Duration) -> Context {
    Context::builder()
        .clock(ManualClock::new(Timestamp::from_secs(1_795_244_400).unwrap()))
        .deadline(deadline)
        .build()
}

/// What the client says of this server, with more time than the longest collection takes on a slow machine.
fn ask<T>(source: &Source, question: impl AsyncFnOnce(&Launchpad<'_>) -> T) -> T {
    let cx = context(Duration::from_secs(1_200));
    let root = source.url("/devel").parse().unwrap();
    run(async { question(&Launchpad::new(&cx, &root)).await })
}

fn why<T: std::fmt::Debug>(outcome: Result<T, CollectorError>) -> String {
    chain(&outcome.unwrap_err())
}

fn json(value: &Value) -> Answer {
    Answer::ok(value.to_string()).header("Content-Type", "application/json")
}

fn queries(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| request.query.as_str()).collect()
}

/// A page of uploads, as Launchpad writes it.
fn page(ids: std::ops::Range<u64>, next: Option<&str>) -> Value {
    let entries: Vec<Value> = ids
        .map(|id| json!({"id": id, "self_link": format!("{REAL}/ubuntu/noble/+upload/{id}")}))
        .collect();
    let mut page = json!({"start": 0, "entries": entries, "resource_type_link": format!("{REAL}/#package_upload-page-resource")});
    match next {
        Some(query) => {
            page["total_size_link"] = json!(format!("{REAL}/ubuntu/noble?ws.op=x&ws.show=total_size"));
            page["next_collection_link"] = json!(format!("{REAL}/ubuntu/noble?{query}"));
        }
        None => page["total_size"] = json!(7),
    }
    page
}

async fn uploads(launchpad: &Launchpad<'_>) -> Result<Vec<u64>, CollectorError> {
    let query = [("ws.op", "getPackageUploads"), ("status", "New & old")];
    let uploads: Vec<Upload> = launchpad.entries("ubuntu/noble", &query).await?;
    Ok(uploads.into_iter().map(|upload| upload.id).collect())
}

#[test]
fn pages_are_read_to_their_end_from_the_server_that_was_asked() {
    let source = Source::http();
    let path = "/devel/ubuntu/noble";
    source.route(
        path,
        json(&page(
            0..3,
            Some("ws.op=getPackageUploads&status=New+%26+old&ws.size=300&memo=300"),
        )),
    );
    source.route(
        &format!("{path}?memo=300"),
        json(&page(
            3..6,
            Some("ws.op=getPackageUploads&status=New+%26+old&ws.size=300&memo=600"),
        )),
    );
    source.route(&format!("{path}?memo=600"), json(&page(6..7, None)));
    assert_eq!(ask(&source, uploads).unwrap(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(
        queries(&source.requests()),
        [
            "ws.op=getPackageUploads&status=New+%26+old&ws.size=300",
            "ws.op=getPackageUploads&status=New+%26+old&ws.size=300&memo=300",
            "ws.op=getPackageUploads&status=New+%26+old&ws.size=300&memo=600",
        ]
    );
    let first = &source.requests()[0];
    assert_eq!(first.header("accept"), Some("application/json"));
    assert_eq!(first.header("authorization"), None);
    assert_eq!(source.connections(), 1);
}

#[test]
fn a_link_may_be_relative_and_an_empty_collection_is_one() {
    let source = Source::http();
    source.route(
        "/devel/ubuntu/noble",
        json(&json!({"entries": [], "next_collection_link": "?memo=1"})),
    );
    source.route(
        "/devel/ubuntu/noble?memo=1",
        json(&json!({"entries": [{"id": 4}], "next_collection_link": null})),
    );
    assert_eq!(ask(&source, uploads).unwrap(), [4]);
    source.route(
        "/devel/ubuntu/noble",
        json(&json!({"start": null, "total_size": 0, "entries": []})),
    );
    assert_eq!(ask(&source, uploads).unwrap(), [0_u64; 0]);
}

#[test]
fn pages_that_do_not_end_are_an_error() {
    let source = Source::http();
    // Back to the first, to itself, and on and on.
    source.route("/devel/ubuntu/noble", json(&page(0..1, Some("memo=1"))));
    source.route("/devel/ubuntu/noble?memo=1", json(&page(1..2, Some("memo=2"))));
    source.route("/devel/ubuntu/noble?memo=2", json(&page(2..3, Some("memo=1"))));
    let said = why(ask(&source, uploads));
    assert!(said.contains("its pages lead in a circle"), "{said}");
    assert!(
        said.starts_with(&source.url("/devel/ubuntu/noble?memo=…")),
        "{said}"
    );
    assert_eq!(source.requests().len(), 3);

    let source = Source::http();
    for number in 0..=MAX_PAGES {
        let path = format!("/devel/ubuntu/noble?memo={number}");
        source.route(&path, json(&page(0..1, Some(&format!("memo={}", number + 1)))));
    }
    source.route("/devel/ubuntu/noble", json(&page(0..1, Some("memo=0"))));
    let said = why(ask(&source, uploads));
    assert!(said.contains("it goes on after 100 pages"), "{said}");
    assert_eq!(source.requests().len(), MAX_PAGES);

    let source = Source::http();
    source.route("/devel/ubuntu/noble", json(&page(0..25_000, Some("memo=1"))));
    source.route(
        "/devel/ubuntu/noble?memo=1",
        json(&page(0..25_000, Some("memo=2"))),
    );
    let said = why(ask(&source, uploads));
    assert!(
        said.contains("it goes on after 2 pages with 50000 entries"),
        "{said}"
    );

    let source = Source::http();
    let filler = " ".repeat(8_000_000);
    for number in 0..20 {
        let page = page(0..1, Some(&format!("memo={}", number + 1)));
        let path = format!("/devel/ubuntu/noble?memo={number}");
        source.route(&path, Answer::ok(format!("{page}{filler}")));
    }
    source.route("/devel/ubuntu/noble", json(&page(0..1, Some("memo=0"))));
    let said = why(ask(&source, uploads));
    assert!(
        said.contains("it goes on after 10 pages with 10 entries and"),
        "{said}"
    );
}

#[test]
fn a_page_that_fails_fails_the_collection() {
    let source = Source::http();
    source.route("/devel/ubuntu/noble", json(&page(0..3, Some("memo=3"))));
    source.route("/devel/ubuntu/noble?memo=3", Answer::new(500));
    let said = why(ask(&source, uploads));
    assert_eq!(
        said,
        format!(
            "{}: answered 500 Internal Server Error",
            source.url("/devel/ubuntu/noble?memo=…")
        )
    );
    for (answer, wrong) in [
        (json(&json!({"total_size": 3})), "missing field `entries`"),
        (json(&json!({"entries": null})), "invalid type: null"),
        (
            json(&json!({"entries": [{"id": "x"}]})),
            "invalid type: string \"x\"",
        ),
        (
            json(&json!({"entries": [], "next_collection_link": 7})),
            "invalid type: integer `7`",
        ),
        (
            json(&json!({"entries": [], "next_collection_link": "https://h/"})),
            "its next_collection_link is no address with a query",
        ),
        (
            json(&json!({"entries": [], "next_collection_link": "https://["})),
            "its next_collection_link is no address with a query",
        ),
        (
            Answer::ok("<html>Launchpad is down</html>"),
            "an HTML page where JSON was due",
        ),
        (Answer::ok(""), "0 bytes"),
        (Answer::huge(1 << 30), "longer than 8388608 bytes"),
        (Answer::gzip_bomb(1 << 30), "longer than 8388608 bytes"),
    ] {
        source.route("/devel/ubuntu/noble?memo=3", answer);
        let said = why(ask(&source, uploads));
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn a_count_is_taken_as_it_is_said() {
    let source = Source::http();
    let count = async |launchpad: &Launchpad<'_>| launchpad.count("~motu/members", &[]).await;
    let path = "/devel/~motu/members";
    // An operation's answer, a collection's.
    for (answer, due) in [
        (Answer::ok("49"), 49),
        (
            json(&json!({"total_size": 131, "start": 0, "entries": [{"name": "a"}]})),
            131,
        ),
    ] {
        source.route(path, answer);
        assert_eq!(ask(&source, count).unwrap(), due);
    }
    assert_eq!(queries(&source.requests()), ["ws.size=1&ws.show=total_size"; 2]);

    let link = |query: &str| {
        json(&json!({"entries": [], "total_size_link": format!("{REAL}/~motu/members{query}")}))
    };
    source.route(path, link("?ws.op=x&ws.show=total_size"));
    source.route(&format!("{path}?ws.op=x"), Answer::ok("12"));
    assert_eq!(ask(&source, count).unwrap(), 12);
    // It leads nowhere, or on and on.
    source.route(&format!("{path}?ws.op=x"), link("?ws.op=x&ws.show=total_size"));
    let said = why(ask(&source, count));
    assert!(
        said.contains("it does not say its size, but names another"),
        "{said}"
    );
    source.route(path, link(""));
    let said = why(ask(&source, count));
    assert!(
        said.contains("its total_size_link is no address with a query"),
        "{said}"
    );
}

#[test]
fn what_is_busy_for_a_moment_is_asked_once_more() {
    for status in [502, 503] {
        let server = SinkServer::start();
        server.script([Answer::new(status), Answer::ok("5")]);
        let began = Instant::now();
        let cx = context(Duration::from_secs(60));
        let root = server.url("/devel").parse().unwrap();
        let count = run(async { Launchpad::new(&cx, &root).count("~motu/members", &[]).await });
        assert_eq!(count.unwrap(), 5);
        assert!(began.elapsed() >= Duration::from_secs(1), "it was given a moment");
        assert_eq!(server.requests().len(), 2);
    }
    // Once, and no more.
    let source = Source::http();
    source.route("/devel/~motu/members", Answer::new(503).body("busy"));
    let said = why(ask(&source, async |launchpad| {
        launchpad.count("~motu/members", &[]).await
    }));
    assert!(
        said.contains("answered 503 Service Unavailable; it begins `busy`"),
        "{said}"
    );
    assert_eq!(source.requests().len(), 2);
}

#[test]
fn a_page_that_is_too_much_is_asked_for_in_smaller_ones() {
    let source = Source::http();
    let path = "/devel/ubuntu/noble";
    let next = |at: u64| format!("status=New+%26+old&ws.size=75&memo={at}&ws.op=getPackageUploads");
    source.route(&format!("{path}?ws.size=300"), Answer::new(503).body("timeout"));
    source.route(&format!("{path}?ws.size=75"), json(&page(0..3, Some(&next(3)))));
    source.route(&format!("{path}?ws.size=75&memo=3"), json(&page(3..5, None)));
    assert_eq!(ask(&source, uploads).unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(
        queries(&source.requests()),
        [
            "ws.op=getPackageUploads&status=New+%26+old&ws.size=300",
            "ws.op=getPackageUploads&status=New+%26+old&ws.size=75",
            &next(3),
        ]
    );
}

#[test]
fn what_will_not_change_soon_is_not_asked_again() {
    let requests = |answer: Answer, deadline: u64| {
        let source = Source::http();
        source.route("/devel/x", answer);
        let cx = context(Duration::from_secs(deadline));
        let root = source.url("/devel/").parse().unwrap();
        let outcome = run(async { Launchpad::new(&cx, &root).get::<Value>("x", &[]).await });
        assert!(outcome.is_err());
        source.requests().len()
    };
    let later = |status: u16, when: &str| Answer::new(status).header("Retry-After", when);
    for answer in [
        Answer::new(404),
        Answer::new(500),
        Answer::new(504),
        Answer::new(429),
        Answer::ok("<html>"),
        Answer::reset(),
        later(503, "31"),
        later(429, "99999999999999999999"),
        later(503, "Sat, 21 Nov 2026 08:00:00 GMT"),
    ] {
        assert_eq!(requests(answer, 100), 1);
    }
    // It asks for no longer than is left.
    assert_eq!(requests(later(503, "1"), 100), 2);
    assert_eq!(requests(later(429, "0"), 100), 2);
    assert_eq!(requests(later(503, "Sat, 21 Nov 2026 07:00:01 GMT"), 100), 2);
    assert_eq!(requests(later(503, "soon"), 100), 2);
    assert_eq!(requests(later(503, "20"), 39), 1);
    // Too short for a slow machine to ask even once.
    assert!(requests(Answer::new(503), 1) <= 1);
}

#[test]
fn few_are_asked_at_once_and_one_that_hangs_leaves_time_for_the_others() {
    let source = Source::http();
    let slow = Duration::from_millis(200);
    for number in 0..12 {
        source.route(&format!("/devel/{number}"), Answer::ok("1").after(slow));
    }
    source.route("/devel/1", Answer::hang());
    // A quarter of it is what one gets.
    let cx = context(Duration::from_secs(40));
    let root = source.url("/devel").parse().unwrap();
    let began = Instant::now();
    let counts = run(async {
        let launchpad = Launchpad::new(&cx, &root);
        let asked = (0..12).map(|number| {
            let launchpad = &launchpad;
            async move { launchpad.count(&number.to_string(), &[]).await }
        });
        side_by_side(12, asked).await
    });
    let failed: Vec<usize> = (0..12).filter(|number| counts[*number].is_err()).collect();
    assert_eq!(failed, [1]);
    let said = chain(counts[1].as_ref().unwrap_err());
    assert!(said.contains("did not answer within"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // Each of them had to wait for its turn: no more connections than turns.
    assert!(source.connections() <= LIMIT, "{}", source.connections());
}

fn series(name: &str, active: bool, status: &str) -> Value {
    json!({"name": name, "active": active, "status": status, "version": "24.04", "display_name": name, "driver_link": null})
}

#[test]
fn the_active_series_and_the_one_in_development() {
    let source = Source::http();
    let all = json!({"total_size": 6, "start": 0, "entries": [
        series("stonking", true, "Active Development"),
        series("resolute", true, "Current Stable Release"),
        series("noble", true, "Supported"),
        series("noble", true, "Supported"),
        series("lunar", false, "Obsolete"),
        {"name": "trusty", "active": true},
    ]});
    source.route("/devel/ubuntu/series", json(&all));
    source.route(
        "/devel/ubuntu",
        json(&json!({"current_series_link": format!("{REAL}/ubuntu/stonking"), "name": "ubuntu"})),
    );
    let names = ask(&source, async |launchpad| launchpad.active_series().await);
    assert_eq!(names.unwrap(), ["stonking", "resolute", "noble", "trusty"]);
    let development = ask(&source, async |launchpad| launchpad.development_series().await);
    assert_eq!(development.unwrap(), "stonking");
    assert_eq!(queries(&source.requests()), ["ws.size=300", ""]);
}

#[test]
fn architectures_of_a_series() {
    let source = Source::http();
    let entries = |tags: &[&str]| {
        let entries: Vec<Value> = tags
            .iter()
            .map(|tag| json!({"architecture_tag": tag, "official": true}))
            .collect();
        json(&json!({"total_size": tags.len(), "entries": entries}))
    };
    let asked = async |launchpad: &Launchpad<'_>| launchpad.architectures("stonking").await;
    let path = "/devel/ubuntu/stonking/architectures";
    source.route(path, entries(&["riscv64", "amd64", "amd64v3", "amd64"]));
    assert_eq!(ask(&source, asked).unwrap(), ["riscv64", "amd64", "amd64v3"]);
    for (tags, wrong) in [
        (&[][..], "it names no architecture"),
        (&["amd64", ""][..], "\"\" is no name of an architecture"),
        (&["AMD 64"][..], "\"AMD 64\" is no name of an architecture"),
    ] {
        source.route(path, entries(tags));
        let said = why(ask(&source, asked));
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn names_that_are_none_are_an_error() {
    let source = Source::http();
    let list = async |launchpad: &Launchpad<'_>| launchpad.active_series().await;
    for (name, wrong) in [
        ("../../etc", "\"../../etc\" is no name of an active series"),
        ("Noble Numbat", "\"Noble Numbat\" is no name of an active series"),
        ("", "\"\" is no name of an active series"),
    ] {
        source.route(
            "/devel/ubuntu/series",
            json(&json!({"entries": [series(name, true, "Supported")]})),
        );
        let said = why(ask(&source, list));
        assert!(said.contains(wrong), "{said}");
    }
    let long = "n".repeat(65);
    source.route(
        "/devel/ubuntu/series",
        json(&json!({"entries": [series(&long, true, "Supported")]})),
    );
    assert!(why(ask(&source, list)).contains("is no name of an active series"));
    source.route(
        "/devel/ubuntu/series",
        json(&json!({"entries": [series("warty", false, "Obsolete")]})),
    );
    assert!(why(ask(&source, list)).contains("it names no active series"));

    let development = async |launchpad: &Launchpad<'_>| launchpad.development_series().await;
    for (ubuntu, wrong) in [
        (json!({"name": "ubuntu"}), "it has no current_series_link"),
        (
            json!({"current_series_link": null}),
            "it has no current_series_link",
        ),
        (
            json!({"current_series_link": "https://h/"}),
            "ends in no codename",
        ),
        (
            json!({"current_series_link": "https://h/ubuntu/No%20ble"}),
            "ends in no codename",
        ),
        (json!({"current_series_link": 7}), "invalid type: integer `7`"),
        (json!([]), "invalid length 0"),
    ] {
        source.route("/devel/ubuntu", json(&ubuntu));
        let said = why(ask(&source, development));
        assert!(said.contains(wrong), "{ubuntu}: {said}");
    }
}
