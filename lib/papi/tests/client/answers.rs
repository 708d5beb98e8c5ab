//! What a cluster answers, well and otherwise.

use std::error::Error as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tidemark_collect::http::Http;
use tidemark_papi::{ApiError, ApiErrorKind, AuthType, Cluster, Summary, Trouble};
use tidemark_testkit::onefs::stock_keys;
use tidemark_testkit::{Answer, Source};

use crate::setup::{START, Setup, all, cluster, late_once, options, run, timeless, with};

const CONFIG: &str = "/platform/1/cluster/config";
const KEY: &str = "/platform/1/statistics/keys/node.load.1min";
const CURRENT: &str = "/platform/1/statistics/current";
const CLIENTS: &str = "/platform/3/statistics/summary/client";

/// Nothing is said of those that are alone at fault.
fn text(error: &ApiError, setup: &Setup) -> String {
    error.to_string().replace(&setup.onefs.address(), "")
}

#[test]
fn a_key_says_what_it_is() {
    let setup = Setup::new();
    let key = run(setup.cluster.key("node.load.1min")).unwrap();
    assert_eq!(key.units, "load * 100");
    assert_eq!(key.interval, Some(Duration::from_secs(30)));
    let on_demand = run(setup.cluster.key("node.cpu.throttling")).unwrap();
    assert_eq!(on_demand.interval, None);
}

#[test]
fn all_stock_keys_are_two_requests_and_every_value_is_there() {
    let setup = Setup::new();
    let keys = stock_keys();
    assert_eq!(keys.len(), 116);
    let requests = setup.cluster.requests(&keys);
    let mut stats = Vec::new();
    for request in &requests {
        let body = run(setup.cluster.current(request)).unwrap();
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        stats.extend(page["stats"].as_array().unwrap().clone());
    }
    let expected: Vec<serde_json::Value> = keys
        .iter()
        .flat_map(|key| setup.onefs.items(key, START))
        .collect();
    assert_eq!(stats, expected);
    let asked = setup.onefs.requests();
    let query = &asked.last().unwrap().query;
    assert!(
        query.starts_with("degraded=true&devid=all&show_nodes=true&key="),
        "{query}"
    );
}

#[test]
fn summaries_come_as_they_are() {
    let setup = Setup::new();
    for (summary, name) in [
        (Summary::Protocol, "protocol"),
        (Summary::Client, "client"),
        (Summary::Drive, "drive"),
    ] {
        let body = run(setup.cluster.summary(summary)).unwrap();
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(!page[name].as_array().unwrap().is_empty());
        assert_eq!(setup.onefs.requests().last().unwrap().query, "degraded=true");
    }
}

#[test]
fn connections_are_kept_and_one_that_was_closed_is_opened_anew() {
    let setup = Setup::new();
    run(async {
        for _ in 0..10 {
            setup.cluster.config().await.unwrap();
        }
        assert_eq!(setup.onefs.connections(), 1);
        setup.onefs.close();
        setup.onefs.reopen();
        setup.cluster.config().await.unwrap();
    });
    assert_eq!(setup.cluster.rests_until(), None);
}

#[test]
fn what_else_comes_says_what_it_is_and_rests_as_it_should() {
    let html = "<!DOCTYPE html><html>log in</html>";
    let errors = r#"{"errors": [{"code": "AEC_SYSTEM_INTERNAL_ERROR", "message": "A timeout\n occurred"}]}"#;
    let busy = Some(Trouble::Passing);
    let other = Some(Trouble::NotOneFs);
    for (answer, expected, trouble) in [
        (
            Answer::ok(html),
            "answered 200 with an HTML page where JSON was due; is the address right, and the port that of the API?",
            other,
        ),
        (
            Answer::new(404).body(html),
            "answered 404 with an HTML page",
            other,
        ),
        (
            Answer::new(404).body("no"),
            "answered 404 with something else than JSON; is this the address of a OneFS cluster?",
            other,
        ),
        (
            Answer::ok("hello"),
            "answered 200 with something else than JSON",
            other,
        ),
        (Answer::ok(""), "answered 200 with an empty body (0 bytes)", busy),
        (Answer::ok(" \n"), "answered 200 with an empty body", busy),
        (
            Answer::ok(r#"{"name": "Cl17", "onefs_ver"#),
            "not all of the answer's 27 bytes can be read",
            None,
        ),
        (
            Answer::new(500).body(errors),
            "the cluster refuses the request (500): it says `AEC_SYSTEM_INTERNAL_ERROR: A timeout occurred`",
            busy,
        ),
        (
            Answer::new(500).body(html),
            "the cluster refuses the request (500)",
            busy,
        ),
        (
            Answer::ok(errors),
            "the cluster refuses the request (200): it says `AEC_SYSTEM",
            None,
        ),
        (
            Answer::ok(r#"[{"code": "AEC_BAD", "field": "devid", "message": "no"}]"#),
            "the cluster refuses the request (200): it says `AEC_BAD: devid: no`",
            None,
        ),
        (
            Answer::new(400).body(errors),
            "the cluster refuses the request (400): it says",
            None,
        ),
        (
            Answer::new(503).body("busy"),
            "the cluster cannot answer now (503)",
            busy,
        ),
        (
            Answer::new(429).body(errors),
            "the cluster cannot answer now (429): it says",
            busy,
        ),
        (
            Answer::new(403).body(errors),
            "user `monitor` may not ask for this (403): it says `AEC_SYSTEM_INTERNAL_ERROR: A timeout occurred`; give the user's role ISI_PRIV_LOGIN_PAPI and ISI_PRIV_STATISTICS, to read",
            Some(Trouble::Session),
        ),
        (
            Answer::ok("{}").header("Content-Encoding", "br"),
            "the body is encoded as `br`",
            other,
        ),
        (
            Answer::huge(2 << 20),
            "the body is longer than 1048576 bytes",
            other,
        ),
        (
            Answer::gzip_bomb(2 << 20),
            "the body is encoded as `gzip`, which was not asked for",
            other,
        ),
        (
            Answer::ok("{\"name\": \"Cl17\"}").cut_after(5),
            "the body broke off or is damaged (5 bytes were whole)",
            busy,
        ),
        (Answer::reset(), "connected, but no HTTP answer came", busy),
    ] {
        let setup = Setup::new();
        setup.onefs.answer(CONFIG, answer);
        let error = run(setup.cluster.config()).unwrap_err();
        let text = text(&error, &setup);
        assert!(text.starts_with(&format!("{CONFIG}: {expected}")), "{text}");
        assert_eq!(error.trouble(), trouble, "{text}");
        assert_eq!(error.rests_until(), setup.cluster.rests_until(), "{text}");
        assert_eq!(setup.cluster.rests_until().is_some(), trouble.is_some(), "{text}");
        assert_eq!(setup.onefs.counts().logins, 1, "{text}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Source::http();
    elsewhere.route("/login", Answer::ok("{}"));
    for (status, path) in [
        (302, CONFIG),
        (307, "/session/1/session"),
        (308, CONFIG),
        (301, "/session/1/session"),
    ] {
        let setup = Setup::new();
        let to = format!("{}?next=hunter2", elsewhere.url("/login"));
        setup
            .onefs
            .answer(path, Answer::new(status).header("Location", &to));
        let error = run(setup.cluster.config()).unwrap_err();
        assert_eq!(
            text(&error, &setup),
            format!(
                "{path}: redirects ({status}) to {}, which is not followed; set that address if it is the cluster's",
                elsewhere.url("/login")
            )
        );
        assert_eq!(error.trouble(), Some(Trouble::NotOneFs));
    }
    assert!(
        elsewhere.requests().is_empty(),
        "no password, no cookie went there"
    );
}

#[test]
fn what_a_cluster_does_not_have_is_not_found_and_no_trouble() {
    let setup = Setup::new();
    setup.onefs.change(|behaviour| {
        behaviour.missing.insert("node.load.1min".to_owned());
    });
    run(async {
        let error = setup.cluster.key("node.load.1min").await.unwrap_err();
        assert!(error.is_not_found() && error.trouble().is_none(), "{error}");
        assert_eq!(
            text(&error, &setup),
            format!(
                "{KEY}: this cluster does not have it (404): it says `AEC_NOT_FOUND: Could not find node.load.1min.`"
            )
        );
        // Some versions say it with 200.
        let body = r#"{"errors": [{"code": "AEC_NOT_FOUND", "message": "no such key"}]}"#;
        setup.onefs.answer(KEY, Answer::ok(body));
        assert!(
            setup
                .cluster
                .key("node.load.1min")
                .await
                .unwrap_err()
                .is_not_found()
        );
        setup.onefs.answer(
            "/platform/3/statistics/summary/drive",
            Answer::new(404).body(body),
        );
        assert!(
            setup
                .cluster
                .summary(Summary::Drive)
                .await
                .unwrap_err()
                .is_not_found()
        );
        // The others go on.
        setup.cluster.key("node.load.5min").await.unwrap();
        assert_eq!(setup.cluster.rests_until(), None);
    });
}

#[test]
fn a_list_of_errors_in_place_of_values_costs_that_request() {
    let setup = Setup::new();
    let said = r#"[{"code": "AEC_NOT_FOUND", "field": "key", "message": "Stat key not found"}]"#;
    setup.onefs.answer(CURRENT, Answer::ok(said));
    let request = &setup.cluster.requests(&["node.load.1min"])[0];
    let error = run(setup.cluster.current(request)).unwrap_err();
    assert_eq!(
        text(&error, &setup),
        format!(
            "{CURRENT}: the cluster refuses the request (200): it says `AEC_NOT_FOUND: key: Stat key not found`"
        )
    );
    assert_eq!(setup.cluster.rests_until(), None);
}

#[test]
fn a_busy_cluster_is_asked_again_when_it_says() {
    let setup = Setup::new();
    run(setup.cluster.config()).unwrap();
    setup
        .onefs
        .change(|behaviour| behaviour.busy = Some((503, Some("120".to_owned()))));
    let error = run(setup.cluster.config()).unwrap_err();
    assert!(
        matches!(error.kind(), ApiErrorKind::Busy { status: 503, .. }),
        "{error}"
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    setup.advance_secs(119);
    assert!(run(setup.cluster.config()).unwrap_err().is_resting());
    setup.onefs.change(|behaviour| behaviour.busy = None);
    setup.advance_secs(1);
    run(setup.cluster.config()).unwrap();
    assert_eq!(setup.onefs.counts().requests, 4);
}

#[test]
fn a_cluster_that_is_down_is_tried_less_and_less() {
    let setup = Setup::new();
    run(async {
        setup.cluster.config().await.unwrap();
        setup.onefs.close();
        let mut waits = Vec::new();
        for _ in 0..9 {
            let outcomes = all((0..5).map(|_| setup.cluster.config())).await;
            let text = outcomes[0].as_ref().unwrap_err().to_string();
            // No matter what was asked.
            let address = setup.onefs.address();
            assert!(
                text.starts_with(&format!(
                    "{address}/: cannot connect; check the address, and that the cluster is up"
                )),
                "{text}"
            );
            let now = tidemark_collect::Clock::now(&*setup.clock);
            waits.push(setup.cluster.rests_until().unwrap().since(now) / 1_000_000_000);
            setup.rest();
        }
        assert!((2..=5).contains(&waits[0]), "{waits:?}");
        assert!((150..=300).contains(&waits[8]), "{waits:?}");
        setup.onefs.reopen();
        setup.cluster.config().await.unwrap();
        setup.onefs.close();
        setup.cluster.config().await.unwrap_err();
        let now = tidemark_collect::Clock::now(&*setup.clock);
        let wait = setup.cluster.rests_until().unwrap().since(now);
        assert!(wait <= 5_000_000_000, "from the beginning again: {wait}");
    });
}

/// A cluster may close a connection just when it is used again.
#[test]
fn a_connection_that_ends_without_an_answer_is_tried_once_more() {
    let setup = Setup::new();
    setup.onefs.answer(CONFIG, Answer::reset());
    let error = run(setup.cluster.config()).unwrap_err();
    assert_eq!(error.trouble(), Some(Trouble::Passing), "{error}");
    assert_eq!(setup.onefs.counts().by_path[CONFIG], 2);
    // Never a login: its password would be tried twice.
    setup.onefs.answer("/session/1/session", Answer::reset());
    let another = with(&setup.cluster, &setup.clock, |_| {});
    run(another.config()).unwrap_err();
    assert_eq!(setup.onefs.counts().by_path["/session/1/session"], 2);
}

/// The address of a server that promises an answer of 16 bytes, gives one of them, and no more; true once it has.
fn begins_to_answer() -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let has_begun = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&has_begun);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            asked.extend(byte);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{")
            .unwrap();
        begun.store(true, Ordering::Release);
        // Until the client has enough of it.
        let _ = stream.read(&mut [0]);
    });
    (address, has_begun)
}

#[test]
fn slow_answers_end_in_time() {
    let in_short = |cluster: &Cluster, setup: &Setup| {
        with(cluster, &setup.clock, |options| {
            options.timeout = Duration::from_millis(200);
        })
    };
    for answer in [
        Answer::hang(),
        Answer::ok("{\"name\": \"Cl17\"}").after(Duration::from_hours(1)),
    ] {
        let setup = Setup::new();
        setup.onefs.answer(CONFIG, answer);
        let cluster = in_short(&setup.cluster, &setup);
        let error = run(async {
            tokio::time::pause();
            late_once(cluster.config(), || asked(&setup, CONFIG) > 0).await
        });
        let error = error.unwrap_err();
        let text = text(&error, &setup);
        let expected = "did not answer within 0.2 s; the cluster is overloaded or the way to it is";
        assert!(text.starts_with(&format!("{CONFIG}: {expected}")), "{text}");
        assert_eq!(error.trouble(), Some(Trouble::Passing));
    }
    let (address, has_begun) = begins_to_answer();
    let setup = Setup::new();
    let cluster = cluster(
        &address,
        AuthType::Basic,
        Http::new(options()),
        setup.clock.clone(),
    );
    let cluster = in_short(&cluster, &setup);
    let error = run(async {
        tokio::time::pause();
        late_once(cluster.config(), || has_begun.load(Ordering::Acquire)).await
    });
    let error = error.unwrap_err();
    assert!(
        error.to_string().starts_with(&format!(
            "{address}{CONFIG}: the answer was not whole within 0.2 s"
        )),
        "{error}"
    );
    assert_eq!(error.trouble(), Some(Trouble::Passing));
}

/// How often a path was asked for.
fn asked(setup: &Setup, path: &str) -> usize {
    setup
        .onefs
        .counts()
        .by_path
        .get(path)
        .copied()
        .unwrap_or_default()
}

/// For so many minutes a cluster is asked each five seconds who it is, and for values where it says that. `is_late` says
/// whether the values do not come in time; everything else does, however busy the machine is.
async fn minutes_of_visits(setup: &Setup, minutes: usize, cluster: &Cluster, is_late: bool) {
    for _ in 0..minutes * 12 {
        if timeless(cluster.config()).await.is_ok() {
            let request = &cluster.requests(&["node.load.1min"])[0];
            let before = asked(setup, CURRENT);
            let is_asked = || is_late && asked(setup, CURRENT) > before;
            let _ = late_once(cluster.current(request), is_asked).await;
        }
        setup.advance_secs(5);
    }
}

/// Values that are too many come whole over the network before that is known: not every few seconds, though what the
/// cluster is called is answered each time.
#[test]
fn values_that_are_too_long_or_too_slow_are_asked_for_less_and_less() {
    let slow = Answer::ok(r#"{"stats": []}"#).drip(Duration::from_hours(1));
    // So often where chance has each wait be its bound, and where it has each be half of it.
    for (answer, is_late, times) in [(Answer::huge(65 << 20), false, 7..=10), (slow, true, 11..=17)] {
        let setup = Setup::new();
        setup.onefs.answer(CURRENT, answer);
        let cluster = with(&setup.cluster, &setup.clock, |_| {});
        run(async {
            tokio::time::pause();
            minutes_of_visits(&setup, 30, &cluster, is_late).await;
            let during = asked(&setup, CURRENT);
            assert!(times.contains(&during), "{during}");
            assert_eq!(asked(&setup, CONFIG), during);
            // Once it is well, all of it is had again.
            setup.onefs.answer_as_usual();
            minutes_of_visits(&setup, 30, &cluster, false).await;
            assert!(
                asked(&setup, CURRENT) - during >= 12 * 20,
                "{}",
                asked(&setup, CURRENT)
            );
        });
    }
}

/// A summary of very many clients rests alone, less and less often asked for; the values and the others go on.
#[test]
fn a_summary_that_is_too_long_rests_alone() {
    let setup = Setup::new();
    setup.onefs.answer(CLIENTS, Answer::huge(65 << 20));
    run(async {
        for is_resting in [false, true] {
            let error = setup.cluster.summary(Summary::Client).await.unwrap_err();
            assert_eq!(
                (error.is_resting(), error.trouble()),
                (is_resting, None),
                "{error}"
            );
            assert!(error.rests_until().is_some(), "{error}");
            assert!(
                error.to_string().contains("longer than 67108864 bytes"),
                "{error}"
            );
            assert_eq!(setup.cluster.rests_until(), None);
            setup.cluster.summary(Summary::Drive).await.unwrap();
            setup.cluster.config().await.unwrap();
        }
        let before = asked(&setup, CLIENTS);
        for _ in 0..360 {
            setup.cluster.summary(Summary::Client).await.unwrap_err();
            setup.advance_secs(5);
        }
        let more = asked(&setup, CLIENTS) - before;
        // Where chance has each wait be its bound, and where it has each be half of it.
        assert!((6..=9).contains(&more), "{more}");
        setup.onefs.answer_as_usual();
        setup.cluster.retry_now();
        setup.cluster.summary(Summary::Client).await.unwrap();
    });
}

#[test]
fn a_body_that_breaks_off_keeps_its_cause() {
    let setup = Setup::new();
    setup
        .onefs
        .answer(KEY, Answer::ok(r#"{"keys": [{"key": "node.load.1"#));
    let error = run(setup.cluster.key("node.load.1min")).unwrap_err();
    assert!(matches!(error.kind(), ApiErrorKind::Unreadable { .. }), "{error}");
    assert!(error.source().is_some(), "{error:?}");
    assert_eq!(setup.cluster.rests_until(), None);
}
