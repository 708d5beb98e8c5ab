//! The way for many servers says of each fault what the other way says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tidemark_collect::chain;
use tidemark_collect::http::{ClientOptions, Http, HttpErrorKind, MAX_BYTES, Request, Url};
use tidemark_testkit::{Answer, Source};

/// A client for many servers, with these variables.
fn lean(variables: &[(&str, &str)]) -> Http {
    let variables: BTreeMap<String, OsString> = variables
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.into()))
        .collect();
    Http::new(ClientOptions::new(&variables).collector("queue").many_servers())
}

/// The two: the one for many servers is the second.
fn both() -> [Http; 2] {
    let nothing = BTreeMap::<String, OsString>::new();
    [
        Http::new(ClientOptions::new(&nothing).collector("queue")),
        lean(&[]),
    ]
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// What both say of a request for that address; they must agree.
async fn said(address: &str, change: impl Fn(Request) -> Request) -> (HttpErrorKind, String) {
    let mut said = Vec::new();
    for http in both() {
        let request = change(http.get(&url(address)).without_redirects());
        let error = request.bytes().await.unwrap_err();
        said.push((error.kind().clone(), chain(&error)));
    }
    assert_eq!(said[0], said[1]);
    said.swap_remove(0)
}

/// The same of a page with this answer.
async fn said_of(answer: Answer, change: impl Fn(Request) -> Request) -> (HttpErrorKind, String) {
    let source = Source::http();
    source.route("/page", answer);
    said(&source.url("/page"), change).await
}

/// A server that does this with each connection, once the request has come; and its address.
fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut connection, _)) = listener.accept() {
            if asked(&mut connection) {
                answer(&mut connection);
            }
        }
    });
    address
}

/// Reads a request; whether one came.
fn asked(connection: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if connection.read(&mut byte).unwrap_or(0) == 0 {
            return false;
        }
        request.extend(byte);
    }
    true
}

fn as_it_is(request: Request) -> Request {
    request
}

#[tokio::test]
async fn what_is_sent_is_the_same_but_for_gzip() {
    let source = Source::http();
    source.route("/page", Answer::ok("[1]").header("X-More", "of it"));
    for http in both() {
        let at = url(&source.url("/page?a=b%20c#part"));
        let request = http.get(&at).header("x-key", "k").without_redirects();
        let response = request.response().await.unwrap();
        assert_eq!(
            (response.status(), response.header("x-more")),
            (200, Some("of it"))
        );
        assert_eq!(response.body(), b"[1]");
        let request = http.post(&at).body("application/json", "{}").without_redirects();
        assert_eq!(
            request
                .header("accept", "application/json")
                .bytes()
                .await
                .unwrap(),
            b"[1]"
        );
        http.delete(&at).without_redirects().response().await.unwrap();
    }
    let asked = source.requests();
    assert_eq!(asked.len(), 6);
    for (full, lean) in asked[..3].iter().zip(&asked[3..]) {
        assert_eq!((&full.method, full.text()), (&lean.method, lean.text()));
        for name in [
            "host",
            "user-agent",
            "accept",
            "x-key",
            "content-type",
            "content-length",
            "connection",
        ] {
            assert_eq!(full.header(name), lean.header(name), "{name}");
        }
        assert_eq!(full.header("accept-encoding"), Some("gzip"));
        assert_eq!(lean.header("accept-encoding"), None);
    }
    assert_eq!(asked[3].header("accept"), Some("*/*"));
    assert_eq!(asked[5].header("accept"), Some("*/*"));
}

#[tokio::test]
async fn connections_are_kept_and_a_redirect_is_the_answer() {
    let source = Source::http();
    source.route("/page", Answer::redirect(&source.url("/other")));
    let http = lean(&[]);
    for _ in 0..5 {
        let request = http.get(&url(&source.url("/page"))).without_redirects();
        assert_eq!(request.response().await.unwrap().status(), 302);
    }
    assert_eq!((source.requests().len(), source.connections()), (5, 1));
}

#[tokio::test]
async fn what_the_lean_way_cannot_do_goes_the_other() {
    let source = Source::http();
    source.route("/page", Answer::redirect(&source.url("/other")));
    source.route("/other", Answer::ok("there").gzip());
    let text = lean(&[]).get(&url(&source.url("/page"))).text().await;
    assert_eq!(text.unwrap(), "there");

    let mut with_password = url(&source.url("/other"));
    with_password.set_username("me").unwrap();
    with_password.set_password(Some("hunter2")).unwrap();
    let request = lean(&[]).get(&with_password).without_redirects();
    assert_eq!(request.text().await.unwrap(), "there");
    let last = source.requests().pop().unwrap();
    assert_eq!(last.header("authorization"), Some("Basic bWU6aHVudGVyMg=="));

    let proxy = Source::http();
    proxy.route("http://somewhere.example/page", Answer::ok("by proxy"));
    for name in ["http_proxy", "ALL_PROXY"] {
        let http = lean(&[(name, &format!("localhost:{}", proxy.port()))]);
        let request = http
            .get(&url("http://somewhere.example/page"))
            .without_redirects();
        assert_eq!(request.text().await.unwrap(), "by proxy", "{name}");
    }
    let http = lean(&[("https_proxy", "socks5://hunter2@localhost:1")]);
    let request = http.get(&url("http://localhost/")).without_redirects();
    let error = request.text().await.unwrap_err();
    assert!(error.to_string().starts_with("$https_proxy "), "{error}");
}

#[tokio::test]
async fn no_connection() {
    let source = Source::http();
    let address = source.url("/page?token=hunter2");
    source.close();
    let (kind, text) = said(&address, as_it_is).await;
    assert_eq!(kind, HttpErrorKind::Connect);
    assert!(
        text.ends_with("/page?token=…: cannot connect: Connection refused (os error 111)"),
        "{text}"
    );
    // Too long for a name, so that no server of names is asked.
    let address = format!("http://{}.invalid/", "x".repeat(64));
    let (kind, text) = said(&address, as_it_is).await;
    assert_eq!(kind, HttpErrorKind::Connect);
    let expected = format!("{address}: cannot connect: failed to lookup");
    assert!(text.starts_with(&expected), "{text}");
}

#[tokio::test]
async fn connected_and_no_answer() {
    let silent = server(|_| {});
    let nonsense = server(|connection| connection.write_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").unwrap());
    let cut = server(|connection| connection.write_all(b"HTTP/1.1 200 OK\r\nX-Cut: ").unwrap());
    // Longer than either takes.
    let long = server(|connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
        while connection.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let many = server(|connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n");
        while connection.write_all(&b"X-More: of it\r\n".repeat(64)).is_ok() {}
    });
    for address in [silent, nonsense, cut, long, many] {
        let (kind, text) = said(&address, as_it_is).await;
        assert_eq!(kind, HttpErrorKind::NoAnswer, "{text}");
        assert!(
            text.starts_with(&format!("{address}: connected, but no HTTP answer came: ")),
            "{text}"
        );
    }
    let (kind, _) = said_of(Answer::reset(), as_it_is).await;
    assert_eq!(kind, HttpErrorKind::NoAnswer);
}

#[tokio::test]
async fn a_kept_connection_that_ends_when_it_is_used_again() {
    let mut said = Vec::new();
    for http in both() {
        let address = url(&server(|connection| {
            connection
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
                .unwrap();
            // The next one is read, and then there is nobody.
            asked(connection);
        }));
        let get = || http.get(&address).without_redirects().bytes();
        assert_eq!(get().await.unwrap(), b"a");
        let error = get().await.unwrap_err();
        said.push((error.kind().clone(), chain(&error).replace(address.as_str(), "")));
        assert_eq!(get().await.unwrap(), b"a", "there is another");
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0].0, HttpErrorKind::NoAnswer);
}

#[tokio::test]
async fn bodies_that_are_wrong() {
    let (kind, _) = said_of(Answer::ok("0123456789").cut_after(4), as_it_is).await;
    assert_eq!(kind, HttpErrorKind::Body { received: 4 });
    let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, received) in [("3\r\nabc\r\nzz\r\n", 3), ("3\r\nabc\r\n4\r\n", 3), ("", 0)] {
        let address = server(move |connection| {
            connection.write_all(format!("{start}{body}").as_bytes()).unwrap();
        });
        let (kind, _) = said(&address, as_it_is).await;
        assert_eq!(kind, HttpErrorKind::Body { received }, "{body}");
    }
    let (kind, _) = said_of(Answer::ok("x".repeat(1001)), |request| request.max_bytes(1000)).await;
    assert_eq!(kind, HttpErrorKind::TooLarge { limit: 1000 });
    let (kind, _) = said_of(Answer::huge(1 << 30), as_it_is).await;
    assert_eq!(kind, HttpErrorKind::TooLarge { limit: MAX_BYTES });
    let (kind, _) = said_of(Answer::new(200), as_it_is).await;
    assert_eq!(kind, HttpErrorKind::Empty { status: 200 });
    let (kind, _) = said_of(Answer::new(503).body("Sorry"), as_it_is).await;
    assert!(
        matches!(kind, HttpErrorKind::Status { status: 503, .. }),
        "{kind:?}"
    );
    let (kind, _) = said_of(Answer::ok("??").header("Content-Encoding", "br"), as_it_is).await;
    assert_eq!(kind, HttpErrorKind::Encoding("br".to_owned()));
}

#[tokio::test]
async fn gzip_that_nobody_asked_for_is_an_error() {
    let source = Source::http();
    source.route("/page", Answer::ok("plain").header("Content-Encoding", "gzip"));
    let request = lean(&[]).get(&url(&source.url("/page"))).without_redirects();
    let error = request.text().await.unwrap_err().to_string();
    assert!(
        error.ends_with("/page: the body is encoded as `gzip`, which was not asked for"),
        "{error}"
    );
}

#[tokio::test]
async fn answers_that_take_too_long() {
    let slow = |request: Request| request.timeout(Duration::from_millis(200));
    let (kind, text) = said_of(Answer::hang(), slow).await;
    let after = Duration::from_millis(200);
    assert_eq!(
        kind,
        HttpErrorKind::Timeout {
            after,
            received: None
        },
        "{text}"
    );
    let part = server(|connection| {
        connection
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            .unwrap();
        asked(connection);
    });
    // Long enough for what comes to be there.
    let after = Duration::from_secs(6);
    let (kind, text) = said(&part, |request| request.timeout(after)).await;
    assert_eq!(
        kind,
        HttpErrorKind::Timeout {
            after,
            received: Some(3)
        },
        "{text}"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_for() {
    let long = url(&format!("http://localhost/{}", "x".repeat(70_000)));
    for http in both() {
        let error = http.get(&long).without_redirects().bytes().await.unwrap_err();
        assert_eq!(
            *error.kind(),
            HttpErrorKind::Request("cannot be asked for".to_owned())
        );
        // Each in its words.
        assert!(chain(&error).contains("x: cannot be asked for: "));
    }
    let (kind, _) = said("http://localhost/", |request| request.header("x-key", "a\r\nb")).await;
    assert!(matches!(kind, HttpErrorKind::Request(_)), "{kind:?}");
    let (_, text) = said("file:///etc/passwd", as_it_is).await;
    assert_eq!(text, "file:///etc/passwd: is not an address of http or https");
}

#[tokio::test]
async fn a_long_body_comes_whole_through_a_small_buffer() {
    let body: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let source = Source::http();
    source.route("/page", Answer::ok(&body));
    let request = lean(&[]).get(&url(&source.url("/page"))).without_redirects();
    assert!(request.bytes().await.unwrap() == body);
}

#[tokio::test]
async fn a_head_may_be_long_but_not_much_longer_than_the_buffer() {
    for (length, answers) in [(30 << 10, true), (200 << 10, false)] {
        let address = server(move |connection| {
            let long = "x".repeat(length);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Long: {long}\r\n\r\na");
            let _ = connection.write_all(head.as_bytes());
            asked(connection);
        });
        let outcome = lean(&[]).get(&url(&address)).without_redirects().bytes().await;
        match outcome {
            Ok(body) => assert!(answers && body == b"a", "{length}"),
            Err(error) => assert!(!answers && *error.kind() == HttpErrorKind::NoAnswer, "{error:?}"),
        }
    }
}
