//! Requests that carry a key: no redirects, cookies of an answer, an end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use tidemark_collect::Timestamp;
use tidemark_collect::http::{ClientOptions, Http, Url};
use tidemark_testkit::{Answer, Source};

fn http() -> Http {
    Http::new(ClientOptions::new(&BTreeMap::<String, OsString>::new()))
}

fn url(source: &Source, path: &str) -> Url {
    Url::parse(&source.url(path)).unwrap()
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_is_the_answer() {
    let (source, elsewhere) = (Source::http(), Source::http());
    elsewhere.route("/", Answer::ok("there"));
    let http = http();
    for status in [301, 302, 303, 307, 308] {
        source.route("/", Answer::new(status).header("Location", &elsewhere.url("/")));
        let get = http.get(&url(&source, "/")).without_redirects();
        let answer = get.response().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("location"), Some(elsewhere.url("/").as_str()));
        let post = http.post(&url(&source, "/")).body("text/plain", "a password");
        let error = post.without_redirects().bytes().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
    }
    assert!(elsewhere.requests().is_empty());
    // The same client follows where nobody says otherwise.
    let followed = http.get(&url(&source, "/")).text().await.unwrap();
    assert_eq!(followed, "there");
}

#[tokio::test]
async fn each_cookie_of_an_answer_is_there() {
    let source = Source::http();
    source.route(
        "/",
        Answer::ok("body")
            .header("Set-Cookie", "a=1; path=/")
            .header("Other", "x")
            .header("set-cookie", "b=2"),
    );
    let answer = http().get(&url(&source, "/")).response().await.unwrap();
    let cookies: Vec<&str> = answer.header_values("set-cookie").collect();
    assert_eq!(cookies, ["a=1; path=/", "b=2"]);
    assert_eq!(answer.header_values("none").count(), 0);
    assert_eq!(answer.into_body(), b"body");
}

#[tokio::test]
async fn an_answer_of_any_status_may_ask_to_wait() {
    let source = Source::http();
    let now = Timestamp::from_secs(784_111_777 - 60).unwrap();
    for (said, expected) in [
        ("120", Some(Duration::from_mins(2))),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::from_mins(1))),
        ("Sun, 06 Nov 1994 08:40:00 GMT", Some(Duration::ZERO)),
        ("soon", None),
    ] {
        source.route("/", Answer::new(503).header("Retry-After", said));
        let answer = http().get(&url(&source, "/")).response().await.unwrap();
        assert_eq!(answer.retry_after(now), expected, "{said}");
    }
}

#[tokio::test]
async fn an_end_is_asked_for() {
    let source = Source::http();
    source.route("/session", Answer::new(204));
    let delete = http().delete(&url(&source, "/session"));
    assert_eq!(delete.response().await.unwrap().status(), 204);
    assert_eq!(source.requests()[0].method, "DELETE");
}
