//! A body as it comes, and what an answer asks of the next try.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use tidemark_collect::http::{Body, ClientOptions, Http, HttpError, HttpErrorKind, Request};
use tidemark_collect::{Timestamp, chain};
use tidemark_testkit::{Answer, Source};

/// A page that gives this answer, and a request for it.
fn page(answer: Answer) -> (Source, Request) {
    let source = Source::http();
    source.route("/page", answer);
    let http = Http::new(ClientOptions::new(&BTreeMap::<String, OsString>::new()));
    let request = http.get(&source.url("/page").parse().unwrap());
    (source, request)
}

/// All bytes, and what it ended with.
async fn drain(mut body: Body) -> (Vec<u8>, Result<(), HttpError>) {
    let mut bytes = Vec::new();
    loop {
        match body.chunk().await {
            Ok(Some(chunk)) => {
                assert!(!chunk.is_empty());
                bytes.extend(chunk);
            }
            Ok(None) => return (bytes, Ok(())),
            Err(error) => return (bytes, Err(error)),
        }
    }
}

#[tokio::test]
async fn it_comes_in_pieces_and_unpacked() {
    let text: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    for answer in [Answer::ok(&text), Answer::ok(&text).gzip()] {
        let (_source, request) = page(answer);
        let (bytes, end) = drain(request.stream().await.unwrap()).await;
        end.unwrap();
        assert!(bytes == text.as_bytes());
    }
}

#[tokio::test]
async fn of_a_long_one_no_more_is_read_than_is_wanted() {
    let (source, request) = page(Answer::huge(1 << 40));
    let began = Instant::now();
    let mut body = request.max_bytes(u64::MAX).stream().await.unwrap();
    assert!(!body.chunk().await.unwrap().unwrap().is_empty());
    drop(body);
    // A connection with a terabyte to come is of no more use.
    source.route("/page", Answer::ok("x"));
    let http = Http::new(ClientOptions::new(&BTreeMap::<String, OsString>::new()));
    http.get(&source.url("/page").parse().unwrap())
        .text()
        .await
        .unwrap();
    assert_eq!(source.connections(), 2);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn what_is_wrong_with_the_headers_is_said_at_once() {
    for (answer, said) in [
        (
            Answer::new(404).body("no such page"),
            "answered 404 Not Found; it begins `no such page`",
        ),
        (
            Answer::ok("x").header("Content-Encoding", "br"),
            "encoded as `br`",
        ),
        (Answer::huge(1001), "longer than 1000 bytes"),
        (Answer::reset(), "no HTTP answer came"),
    ] {
        let (_source, request) = page(answer);
        let error = request.max_bytes(1000).stream().await.unwrap_err();
        assert!(chain(&error).contains(said), "{}", chain(&error));
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_body_is_said_when_it_comes() {
    let bytes = vec![b'x'; 100_000];
    let (_source, request) = page(Answer::ok(&bytes).cut_after(70_000));
    let (got, end) = drain(request.stream().await.unwrap()).await;
    assert_eq!(got.len(), 70_000);
    assert_eq!(*end.unwrap_err().kind(), HttpErrorKind::Body { received: 70_000 });

    let (_source, request) = page(Answer::gzip_bomb(1 << 30));
    let (got, end) = drain(request.max_bytes(100_000).stream().await.unwrap()).await;
    assert!(got.len() <= 100_000);
    assert_eq!(
        *end.unwrap_err().kind(),
        HttpErrorKind::TooLarge { limit: 100_000 }
    );

    let (_source, request) = page(Answer::ok(""));
    let error = drain(request.stream().await.unwrap()).await.1.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Empty { status: 200 });
    let (_source, request) = page(Answer::ok(""));
    drain(request.allow_empty().stream().await.unwrap())
        .await
        .1
        .unwrap();
}

#[tokio::test]
async fn its_time_is_that_of_the_whole_request() {
    // A piece comes often enough, and the whole takes minutes.
    let (_source, request) = page(Answer::ok("x".repeat(1_000)).drip(Duration::from_millis(400)));
    let began = Instant::now();
    let body = request.timeout(Duration::from_secs(6)).stream().await.unwrap();
    let (got, end) = drain(body).await;
    assert!((1..1_000).contains(&got.len()), "{got:?}");
    let error = end.unwrap_err();
    assert!(
        chain(&error).contains("was not whole within 6 s"),
        "{}",
        chain(&error)
    );
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn its_time_ends_where_more_is_there_too() {
    let (_source, request) = page(Answer::huge(1 << 40));
    let request = request.max_bytes(u64::MAX).timeout(Duration::from_millis(6_450));
    let mut body = request.stream().await.unwrap();
    assert!(body.chunk().await.unwrap().is_some());
    // What is done with a piece takes longer than the time that is left.
    while !body.remaining().is_zero() {
        tokio::time::sleep(body.remaining()).await;
    }
    let error = body.chunk().await.unwrap_err();
    assert!(
        chain(&error).contains("was not whole within 6.45 s"),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn an_answer_says_when_to_ask_again() {
    // RFC 9110's own example, half a minute before.
    let now = Timestamp::from_secs(784_111_777 - 30).unwrap();
    for (sent, due) in [
        (Some("120"), Some(120)),
        (Some(" 0 "), Some(0)),
        (Some("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30)),
        (Some("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0)),
        (Some("99999999999999999999999"), Some(u64::MAX)),
        (Some("soon"), None),
        (Some(""), None),
        (Some("-5"), None),
        (Some("1.5"), None),
        (Some("Sun, 99 Nov 1994 08:49:37 GMT"), None),
        (None, None),
    ] {
        let answer = Answer::new(503);
        let (_source, request) = page(match sent {
            Some(sent) => answer.header("Retry-After", sent),
            None => answer,
        });
        let error = request.success().await.unwrap_err();
        assert_eq!(error.retry_after(now).map(|wait| wait.as_secs()), due, "{sent:?}");
    }
}
