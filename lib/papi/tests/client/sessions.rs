//! Logins: how many, when, and when no more.

use std::time::Duration;

use tidemark_papi::{ApiErrorKind, Cluster, Trouble};
use tidemark_testkit::Answer;
use tokio::time::Instant;

use crate::setup::{Setup, all, late_once, run, timeless, with};

const SESSION: &str = "/session/1/session";

/// The kinds of what so many requests at once end with, in short.
async fn at_once(cluster: &Cluster, times: usize) -> Vec<&'static str> {
    let outcomes = all((0..times).map(|_| cluster.config())).await;
    outcomes
        .into_iter()
        .map(|outcome| match outcome.as_ref().map_err(|error| error.kind()) {
            Ok(_) => "ok",
            Err(ApiErrorKind::Password { .. }) => "password",
            Err(ApiErrorKind::SessionRefused { .. }) => "session",
            Err(ApiErrorKind::Resting { .. }) => "resting",
            Err(other) => panic!("{other}"),
        })
        .collect()
}

fn count(outcomes: &[&str], of: &str) -> usize {
    outcomes.iter().filter(|outcome| **outcome == of).count()
}

#[test]
fn one_login_serves_all_who_wait() {
    let setup = Setup::new();
    run(async {
        assert_eq!(at_once(&setup.cluster, 20).await, ["ok"; 20]);
        assert_eq!(at_once(&setup.cluster, 20).await, ["ok"; 20]);
    });
    let counts = setup.onefs.counts();
    assert_eq!((counts.logins, counts.requests, counts.unauthorized), (1, 41, 0));
}

#[test]
fn a_session_is_a_cookie_a_token_and_a_referer() {
    let setup = Setup::new();
    let config = run(setup.cluster.config()).unwrap();
    assert_eq!(
        (config.name.as_str(), config.version.as_str()),
        ("Cl17", "v9.5.0.3")
    );
    let requests = setup.onefs.requests();
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(
        requests[0].text(),
        r#"{"username":"monitor","password":"correct horse","services":["platform"]}"#
    );
    let asked = &requests[1];
    assert_eq!(
        asked.header("cookie"),
        Some("isisessid=session-1-of-Cl17; isicsrf=token-1")
    );
    assert_eq!(asked.header("x-csrf-token"), Some("token-1"));
    assert_eq!(asked.header("referer"), Some(setup.onefs.address().as_str()));
    assert_eq!(asked.header("authorization"), None);
}

#[test]
fn older_clusters_have_no_token() {
    let setup = Setup::new();
    setup.onefs.change(|behaviour| behaviour.csrf = false);
    run(setup.cluster.config()).unwrap();
    let asked = &setup.onefs.requests()[1];
    assert_eq!(asked.header("cookie"), Some("isisessid=session-1-of-Cl17"));
    assert_eq!(asked.header("x-csrf-token"), None);
}

#[test]
fn a_session_is_renewed_a_minute_before_its_end() {
    for (said, lasts) in [(Some(600), 600), (Some(14_400), 14_400), (None, 14_400)] {
        let setup = Setup::new();
        setup.onefs.change(|behaviour| {
            behaviour.timeout_absolute = said;
            behaviour.session_lasts = lasts;
        });
        run(async {
            assert_eq!(at_once(&setup.cluster, 3).await, ["ok"; 3]);
            setup.advance_secs(lasts - 61);
            assert_eq!(at_once(&setup.cluster, 3).await, ["ok"; 3]);
            assert_eq!(setup.onefs.counts().logins, 1, "{said:?}");
            setup.advance_secs(1);
            assert_eq!(at_once(&setup.cluster, 3).await, ["ok"; 3]);
        });
        let counts = setup.onefs.counts();
        assert_eq!((counts.logins, counts.unauthorized), (2, 0), "{said:?}");
    }
}

#[test]
fn a_session_that_has_ended_is_renewed_at_once_and_once() {
    let setup = Setup::new();
    run(async {
        assert_eq!(at_once(&setup.cluster, 1).await, ["ok"]);
        setup.advance_secs(60);
        setup.onefs.end_sessions();
        assert_eq!(at_once(&setup.cluster, 10).await, ["ok"; 10]);
        assert_eq!(setup.onefs.counts().logins, 2);
        // A node that does not know it.
        setup.advance_secs(60);
        setup.onefs.change(|behaviour| behaviour.refuse = 1);
        assert_eq!(at_once(&setup.cluster, 10).await, ["ok"; 10]);
    });
    let counts = setup.onefs.counts();
    assert_eq!(counts.logins, 3);
    assert_eq!(setup.cluster.rests_until(), None);
}

/// Since OneFS 9.3, what is asked makes a cookie live no longer; answers give another in its place.
#[test]
fn cookies_are_replaced_as_the_cluster_wants_and_the_session_ends_when_it_must() {
    let setup = Setup::new();
    setup.onefs.change(|behaviour| behaviour.cookie_lasts = Some(900));
    run(async {
        for _ in 0..14_300 / 100 {
            assert_eq!(at_once(&setup.cluster, 3).await, ["ok"; 3]);
            setup.advance_secs(100);
        }
        let counts = setup.onefs.counts();
        assert_eq!((counts.logins, counts.unauthorized), (1, 0));
        setup.advance_secs(100);
        assert_eq!(at_once(&setup.cluster, 3).await, ["ok"; 3]);
        assert_eq!(setup.onefs.counts().logins, 2, "the whole ends after four hours");
        // A cookie that nobody used is renewed by a login.
        setup.advance_secs(901);
        assert_eq!(at_once(&setup.cluster, 3).await, ["ok"; 3]);
    });
    let counts = setup.onefs.counts();
    assert_eq!(counts.logins, 3);
}

#[test]
fn a_clock_that_goes_back_costs_one_login() {
    let setup = Setup::new();
    run(async {
        assert_eq!(at_once(&setup.cluster, 1).await, ["ok"]);
        setup.clock.set(tidemark_collect::Timestamp::EPOCH);
        assert_eq!(at_once(&setup.cluster, 5).await, ["ok"; 5]);
    });
    assert_eq!(setup.onefs.counts().logins, 2);
}

/// That it is young says nothing where it has served: another node answers.
#[test]
fn a_session_that_has_served_is_renewed_at_once_however_young() {
    let setup = Setup::new();
    run(async {
        assert_eq!(at_once(&setup.cluster, 1).await, ["ok"]);
        setup.onefs.change(|behaviour| behaviour.refuse = 1);
        assert_eq!(
            at_once(&setup.cluster, 1).await,
            ["ok"],
            "the request is tried again"
        );
        setup.onefs.end_sessions();
        assert_eq!(at_once(&setup.cluster, 10).await, ["ok"; 10]);
        assert_eq!(setup.cluster.rests_until(), None);
        // A request has one more session, not two.
        setup.onefs.change(|behaviour| behaviour.refuse = 2);
        assert_eq!(at_once(&setup.cluster, 1).await, ["session"]);
    });
    assert_eq!(setup.onefs.counts().logins, 4);
}

/// Each answers once and refuses then, as nodes behind one name that do not know each other's sessions: few logins, and ever
/// fewer, though requests succeed in between.
#[test]
fn nodes_that_refuse_each_others_sessions_end_in_rest() {
    let setup = Setup::new();
    run(async {
        let mut logins = Vec::new();
        for _ in 0..60 {
            let before = setup.onefs.counts().logins;
            for _ in 0..12 {
                let _ = setup.cluster.config().await;
                setup.onefs.end_sessions();
                setup.advance_secs(5);
            }
            logins.push(setup.onefs.counts().logins - before);
        }
        assert!((4..=8).contains(&logins[0]), "{logins:?}");
        assert!(logins.iter().all(|logins| *logins <= 8), "{logins:?}");
        assert!(logins[30..].iter().sum::<usize>() <= 20, "{logins:?}");
        assert_eq!(setup.onefs.counts().refused_logins, 0);
        // It is well again, and after a while nothing of it is left.
        setup.advance_secs(1800);
        for _ in 0..10 {
            assert_eq!(at_once(&setup.cluster, 1).await, ["ok"]);
            setup.advance_secs(120);
        }
        setup.onefs.change(|behaviour| behaviour.refuse = 2);
        assert_eq!(at_once(&setup.cluster, 1).await, ["session"]);
        let now = tidemark_collect::Clock::now(&*setup.clock);
        let wait = setup.cluster.rests_until().unwrap().since(now);
        assert!(wait <= 10_000_000_000, "from the beginning again: {wait}");
    });
}

#[test]
fn a_session_that_is_refused_at_once_is_not_asked_for_again() {
    let setup = Setup::new();
    setup.onefs.change(|behaviour| behaviour.refuse = usize::MAX);
    run(async {
        let error = setup.cluster.config().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("/: the session that user `monitor` was just given is refused (401): it says `AEC_UNAUTHORIZED: Please log in.`"), "{text}");
        assert!(!text.contains("/platform/"), "whatever is asked: {text}");
        assert_eq!(error.trouble(), Some(Trouble::Session));
        assert_eq!(at_once(&setup.cluster, 5).await, ["resting"; 5]);
        assert_eq!(setup.onefs.counts().logins, 1);
        // One login with each step.
        for logins in 2..6 {
            setup.rest();
            let outcomes = at_once(&setup.cluster, 5).await;
            assert!(count(&outcomes, "session") >= 1, "{outcomes:?}");
            assert_eq!(setup.onefs.counts().logins, logins);
        }
        setup.onefs.change(|behaviour| behaviour.refuse = 0);
        setup.rest();
        assert_eq!(at_once(&setup.cluster, 5).await, ["ok"; 5]);
    });
    assert_eq!(setup.onefs.counts().logins, 6);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let setup = Setup::new();
    setup
        .onefs
        .change(|behaviour| behaviour.password = "another".to_owned());
    run(async {
        let outcomes = at_once(&setup.cluster, 10).await;
        assert_eq!(
            (count(&outcomes, "password"), count(&outcomes, "resting")),
            (1, 9)
        );
        assert_eq!(setup.onefs.counts().refused_logins, 1);
        // Half an hour, whatever chance says; then once more.
        setup.advance_secs(30 * 60 - 1);
        assert_eq!(at_once(&setup.cluster, 10).await, ["resting"; 10]);
        setup.advance_secs(1);
        assert_eq!(count(&at_once(&setup.cluster, 10).await, "password"), 1);
        assert_eq!(setup.onefs.counts().refused_logins, 2);
        // At once after somebody has looked at it.
        setup.cluster.retry_now();
        assert_eq!(count(&at_once(&setup.cluster, 10).await, "password"), 1);
        assert_eq!(setup.onefs.counts().refused_logins, 3);
        setup
            .onefs
            .change(|behaviour| behaviour.password = crate::setup::PASSWORD.to_owned());
        setup.cluster.retry_now();
        assert_eq!(at_once(&setup.cluster, 10).await, ["ok"; 10]);
    });
    let counts = setup.onefs.counts();
    assert_eq!((counts.logins, counts.refused_logins), (1, 3));
}

#[test]
fn what_rests_says_why_in_the_words_of_the_failure() {
    let setup = Setup::new();
    setup
        .onefs
        .change(|behaviour| behaviour.password = "another".to_owned());
    run(async {
        let first = setup.cluster.config().await.unwrap_err();
        let then = setup.cluster.config().await.unwrap_err();
        assert!(!first.is_resting() && then.is_resting());
        assert_eq!(first.to_string(), then.to_string());
        assert_eq!(
            first.to_string(),
            format!(
                "{}/session/1/session: user `monitor` or the password is refused (401): it says `Username or password is incorrect.`; set the right password and reload. It is not tried again for long, so that the account is not locked",
                setup.onefs.address()
            )
        );
        assert_eq!(first.trouble(), Some(Trouble::Credentials));
        assert_eq!(first.rests_until(), then.rests_until());
        assert_eq!(first.rests_until(), setup.cluster.rests_until());
    });
}

#[test]
fn a_password_that_changes_is_noticed_when_the_session_ends() {
    let setup = Setup::new();
    run(async {
        assert_eq!(at_once(&setup.cluster, 1).await, ["ok"]);
        setup
            .onefs
            .change(|behaviour| behaviour.password = "another".to_owned());
        assert_eq!(at_once(&setup.cluster, 1).await, ["ok"], "the session goes on");
        setup.advance_secs(14_340);
        let outcomes = at_once(&setup.cluster, 10).await;
        assert_eq!(
            (count(&outcomes, "password"), count(&outcomes, "resting")),
            (1, 9)
        );
    });
    assert_eq!(setup.onefs.counts().refused_logins, 1);
}

#[test]
fn a_wrong_password_in_requests_is_tried_once_too() {
    let setup = Setup::basic();
    setup
        .onefs
        .change(|behaviour| behaviour.password = "another".to_owned());
    run(async {
        let outcomes = at_once(&setup.cluster, 10).await;
        assert_eq!(
            (count(&outcomes, "password"), count(&outcomes, "resting")),
            (1, 9)
        );
        setup.advance_secs(30 * 60 - 1);
        assert_eq!(at_once(&setup.cluster, 10).await, ["resting"; 10]);
        assert_eq!(setup.onefs.counts().unauthorized, 1);
        setup.advance_secs(1);
        assert_eq!(count(&at_once(&setup.cluster, 10).await, "password"), 1);
        assert_eq!(setup.onefs.counts().unauthorized, 2);
        setup
            .onefs
            .change(|behaviour| behaviour.password = crate::setup::PASSWORD.to_owned());
        setup.cluster.retry_now();
        assert_eq!(at_once(&setup.cluster, 10).await, ["ok"; 10]);
    });
    let counts = setup.onefs.counts();
    assert_eq!((counts.unauthorized, counts.logins), (2, 0));
    let asked = setup.onefs.requests();
    assert_eq!(
        asked[0].header("authorization"),
        Some("Basic bW9uaXRvcjpjb3JyZWN0IGhvcnNl")
    );
    assert_eq!(asked[0].header("cookie"), None);
}

#[test]
fn with_basic_authentication_a_401_is_final() {
    let setup = Setup::basic();
    run(async {
        assert_eq!(at_once(&setup.cluster, 5).await, ["ok"; 5]);
        setup.onefs.change(|behaviour| behaviour.refuse = 1);
        assert_eq!(at_once(&setup.cluster, 1).await, ["password"]);
        assert_eq!(at_once(&setup.cluster, 5).await, ["resting"; 5]);
    });
    assert_eq!(setup.onefs.counts().requests, 6);
}

#[test]
fn a_login_that_fails_for_another_reason_is_tried_again_soon() {
    let setup = Setup::new();
    setup
        .onefs
        .answer("/session/1/session", Answer::new(503).body("starting"));
    run(async {
        let outcomes = all((0..5).map(|_| setup.cluster.config())).await;
        let busy = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Err(error) if matches!(error.kind(), ApiErrorKind::Busy { status: 503, .. })))
            .count();
        assert_eq!(busy, 1, "{outcomes:?}");
        assert_eq!(setup.onefs.counts().requests, 1);
        setup.onefs.answer_as_usual();
        setup.advance_secs(5);
        assert_eq!(at_once(&setup.cluster, 5).await, ["ok"; 5]);
    });
}

#[test]
fn a_login_without_a_cookie_is_no_login() {
    let setup = Setup::new();
    for cookie in ["", "isisessid=; path=/", "other=1", "isisessid=a b"] {
        let answer = Answer::new(201)
            .header("Set-Cookie", cookie)
            .body(r#"{"timeout_absolute": 14400}"#);
        setup.onefs.answer("/session/1/session", answer);
        setup.cluster.retry_now();
        let error = run(setup.cluster.config()).unwrap_err();
        assert!(
            matches!(error.kind(), ApiErrorKind::NoSession),
            "{cookie}: {error}"
        );
        assert_eq!(error.trouble(), Some(Trouble::NotOneFs));
    }
}

#[test]
fn odd_answers_to_a_login_are_sessions_of_four_hours() {
    for body in [
        r#"{"timeout_absolute": 0}"#,
        r#"{"timeout_absolute": null}"#,
        r#"{"timeout_absolute": "soon"}"#,
        r#"{"timeout_absolute": -5}"#,
        r#"{"timeout_abs"#,
        "{}",
    ] {
        let setup = Setup::new();
        run(setup.cluster.config()).unwrap();
        let cookie = "isisessid=session-1-of-Cl17";
        let token = "isicsrf=token-1";
        setup.onefs.answer(
            "/session/1/session",
            Answer::new(201)
                .header("Set-Cookie", cookie)
                .header("Set-Cookie", token)
                .body(body),
        );
        let another = with(&setup.cluster, &setup.clock, |_| {});
        run(another.config()).unwrap();
        setup.advance_secs(14_330);
        run(another.config()).unwrap();
        let logins = || setup.onefs.counts().by_path["/session/1/session"];
        assert_eq!(logins(), 2, "{body}");
        setup.advance_secs(10);
        run(another.config()).unwrap();
        assert_eq!(logins(), 3, "{body}");
    }
}

#[test]
fn the_end_ends_the_session() {
    let setup = Setup::new();
    run(async {
        setup.cluster.close().await;
        assert_eq!(setup.onefs.counts().requests, 0, "there was none");
        setup.cluster.config().await.unwrap();
        assert_eq!(setup.onefs.open_sessions(), 1);
        setup.cluster.close().await;
        assert_eq!(
            (setup.onefs.open_sessions(), setup.onefs.counts().logouts),
            (0, 1)
        );
        setup.cluster.close().await;
        assert_eq!(setup.onefs.counts().logouts, 1);
    });
}

#[test]
fn an_end_waits_for_no_cluster_that_is_slow() {
    let setup = Setup::new();
    run(async {
        tokio::time::pause();
        timeless(setup.cluster.config()).await.unwrap();
        setup.onefs.answer(SESSION, Answer::hang());
        let began = Instant::now();
        late_once(setup.cluster.close(), || {
            setup.onefs.counts().by_path[SESSION] == 2
        })
        .await;
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    });
}

#[test]
fn a_login_waits_no_longer_than_a_request() {
    let setup = Setup::new();
    setup.onefs.answer(SESSION, Answer::hang());
    let cluster = with(&setup.cluster, &setup.clock, |options| {
        options.timeout = Duration::from_millis(100);
    });
    let outcomes = run(async {
        tokio::time::pause();
        let all = all((0..10).map(|_| cluster.config()));
        late_once(all, || setup.onefs.counts().requests > 0).await
    });
    let slow = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(error) if !error.is_resting()))
        .count();
    assert_eq!(slow, 1, "{outcomes:?}");
    assert_eq!(setup.onefs.counts().requests, 1);
    let text = outcomes[0].as_ref().unwrap_err().to_string();
    assert!(
        text.contains("/session/1/session: did not answer within 0.1 s"),
        "{text}"
    );
}
