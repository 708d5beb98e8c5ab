//! What a collector's requests do with servers that misbehave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use tidemark_collect::chain;
use tidemark_collect::http::{ClientOptions, Http, HttpError, HttpErrorKind, Request, Url};
use tidemark_testkit::{Answer, Certificates, Source};

type Variables = BTreeMap<String, OsString>;

fn variables<const N: usize>(pairs: [(&str, &str); N]) -> Variables {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

fn http() -> Http {
    Http::new(ClientOptions::new(&Variables::new()).collector("queue"))
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// A page that gives this answer, and a request for it.
fn page(answer: Answer) -> (Source, Request) {
    let source = Source::http();
    source.route("/page", answer);
    let request = http().get(&url(&source.url("/page")));
    (source, request)
}

/// The error of a request for a page with this answer, and its chain.
async fn refused(answer: Answer) -> (HttpErrorKind, String) {
    let (_source, request) = page(answer);
    why(request.text().await.unwrap_err())
}

fn why(error: HttpError) -> (HttpErrorKind, String) {
    (error.kind().clone(), chain(&error))
}

#[tokio::test]
async fn a_page_is_asked_for_politely() {
    let (source, request) = page(Answer::ok("[1, 2]"));
    assert_eq!(
        request.header("x-key", "a").json::<Vec<i64>>().await.unwrap(),
        [1, 2]
    );
    let asked = &source.requests()[0];
    let expected = format!("tidemark/{} (collector queue)", env!("CARGO_PKG_VERSION"));
    assert_eq!(asked.header("user-agent"), Some(expected.as_str()));
    assert_eq!(asked.header("accept-encoding"), Some("gzip"));
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert_eq!(asked.header("x-key"), Some("a"));
    assert_eq!(asked.header("referer"), None);
}

#[tokio::test]
async fn a_post_has_a_body() {
    let source = Source::http();
    source.route("/session", Answer::new(201).body("{}"));
    let request = http()
        .post(&url(&source.url("/session")))
        .body("application/json", "{\"user\":1}");
    assert_eq!(request.text().await.unwrap(), "{}");
    let asked = &source.requests()[0];
    assert_eq!((asked.method.as_str(), asked.text()), ("POST", "{\"user\":1}"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn one_client_keeps_its_connection() {
    let source = Source::http();
    source.route("/page", Answer::ok("a"));
    let http = http();
    for _ in 0..3 {
        assert_eq!(http.get(&url(&source.url("/page"))).bytes().await.unwrap(), b"a");
    }
    assert_eq!(source.requests().len(), 3);
}

#[tokio::test]
async fn gzip_is_decoded() {
    let text = "0123456789".repeat(5000);
    let (_source, request) = page(Answer::ok(&text).gzip());
    assert_eq!(request.text().await.unwrap(), text);
}

#[tokio::test]
async fn a_part_is_asked_for_without_gzip() {
    let (source, request) = page(Answer::ok("0123456789").by_range());
    assert_eq!(request.header("range", "bytes=-4").text().await.unwrap(), "6789");
    assert_eq!(source.requests()[0].header("accept-encoding"), Some("identity"));
    let (source, request) = page(Answer::ok("0123456789").by_range());
    let request = request
        .header("range", "bytes=-4")
        .header("accept-encoding", "gzip");
    assert_eq!(request.text().await.unwrap(), "6789");
    assert_eq!(source.requests()[0].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_body_of_0_bytes_is_an_error_unless_it_is_allowed() {
    let (kind, text) = refused(Answer::new(200)).await;
    assert_eq!(kind, HttpErrorKind::Empty { status: 200 });
    assert!(
        text.ends_with("/page: answered 200 with an empty body (0 bytes)"),
        "{text}"
    );
    let (_source, request) = page(Answer::new(200));
    assert_eq!(request.allow_empty().text().await.unwrap(), "");
}

#[tokio::test]
async fn a_body_of_1_gb_is_refused_by_its_length() {
    let (kind, text) = refused(Answer::huge(1 << 30)).await;
    assert_eq!(kind, HttpErrorKind::TooLarge { limit: 64 << 20 });
    assert!(
        text.ends_with("the body is longer than 67108864 bytes, the most that is read"),
        "{text}"
    );
}

/// The error of a request to a server that answers with this start and then with this piece, over and over, and how
/// much it could send before the client hung up.
async fn flooded(start: &'static str, piece: &str) -> (HttpErrorKind, usize) {
    const MOST: usize = 1 << 30;
    let piece = piece.repeat((64 << 10) / piece.len());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = url(&format!("http://{}/", listener.local_addr().unwrap()));
    // Waited for without a block: the client hangs up in a task of its own.
    let server = tokio::task::spawn_blocking(move || {
        let (mut connection, _) = listener.accept().unwrap();
        // An answer before the request would be no answer.
        let _ = connection.read(&mut [0; 1024]).unwrap();
        let mut sent = 0;
        let mut ended = connection.write_all(start.as_bytes()).is_err();
        while !ended && sent < MOST {
            ended = connection.write_all(piece.as_bytes()).is_err();
            sent += piece.len();
        }
        sent
    });
    let (kind, _) = why(http().get(&address).max_bytes(1 << 20).bytes().await.unwrap_err());
    (kind, server.await.unwrap())
}

#[tokio::test]
async fn a_body_without_a_length_is_counted_as_it_comes() {
    for start in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
    ] {
        let (kind, sent) = flooded(start, "x").await;
        assert_eq!(kind, HttpErrorKind::TooLarge { limit: 1 << 20 });
        // What is more lies in the buffers of the two ends.
        assert!(sent < 64 << 20, "{sent} bytes");
    }
}

#[tokio::test]
async fn headers_without_an_end_are_bounded_too() {
    for (start, piece) in [
        ("HTTP/1.1 200 OK\r\n", "X-More: of it\r\n"),
        ("HTTP/1.1 200 OK\r\nX-Long: ", "x"),
    ] {
        let (kind, sent) = flooded(start, piece).await;
        assert_eq!(kind, HttpErrorKind::NoAnswer);
        assert!(sent < 64 << 20, "{sent} bytes");
    }
    let (kind, sent) = flooded("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x").await;
    assert!(matches!(kind, HttpErrorKind::Body { .. }), "{kind:?}");
    assert!(sent < 64 << 20, "{sent} bytes");
}

#[tokio::test]
async fn a_gzip_bomb_is_counted_as_it_unpacks() {
    let (_source, request) = page(Answer::gzip_bomb(1 << 28));
    let (kind, _) = why(request.max_bytes(1 << 20).bytes().await.unwrap_err());
    assert_eq!(kind, HttpErrorKind::TooLarge { limit: 1 << 20 });
}

#[tokio::test]
async fn a_body_at_the_bound_is_read_and_one_byte_more_is_not() {
    for gzip in [false, true] {
        let text = "x".repeat(1000);
        let answer = if gzip {
            Answer::ok(&text).gzip()
        } else {
            Answer::ok(&text)
        };
        let (_source, request) = page(answer.clone());
        assert_eq!(request.max_bytes(1000).text().await.unwrap(), text);
        let (_source, request) = page(answer);
        let (kind, _) = why(request.max_bytes(999).text().await.unwrap_err());
        assert_eq!(kind, HttpErrorKind::TooLarge { limit: 999 }, "gzip: {gzip}");
    }
}

#[tokio::test]
async fn a_cut_body_is_an_error() {
    let (kind, text) = refused(Answer::ok("0123456789").cut_after(4)).await;
    assert_eq!(kind, HttpErrorKind::Body { received: 4 });
    assert!(
        text.contains("the body broke off or is damaged (4 bytes were whole): "),
        "{text}"
    );
    // Nothing that gzip makes shorter, so that the cut is within it.
    let mut state = 1_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(20_000)
    .collect();
    let (kind, _) = refused(Answer::ok(random).gzip().cut_after(5000)).await;
    assert!(matches!(kind, HttpErrorKind::Body { .. }), "{kind:?}");
}

#[tokio::test]
async fn what_is_not_gzip_but_says_so_is_an_error() {
    let (kind, _) = refused(Answer::ok("plain text").header("Content-Encoding", "gzip")).await;
    assert_eq!(kind, HttpErrorKind::Body { received: 0 });
}

#[tokio::test]
async fn another_encoding_is_an_error() {
    let (kind, text) = refused(Answer::ok("??").header("Content-Encoding", "br")).await;
    assert_eq!(kind, HttpErrorKind::Encoding("br".to_owned()));
    assert!(
        text.ends_with("the body is encoded as `br`, which was not asked for; only gzip is read"),
        "{text}"
    );
}

#[tokio::test]
async fn text_in_another_character_set_is_an_error() {
    let latin = Answer::ok(b"caf\xe9").header("Content-Type", "text/plain; charset=iso-8859-1");
    let (kind, text) = refused(latin).await;
    assert!(matches!(kind, HttpErrorKind::NotText { at: 3, .. }), "{kind:?}");
    assert!(
        text.ends_with("the byte at offset 3 cannot be (text/plain; charset=iso-8859-1)"),
        "{text}"
    );
}

#[tokio::test]
async fn a_byte_order_mark_is_left_out() {
    let (_source, request) = page(Answer::ok(b"\xef\xbb\xbf[7]"));
    assert_eq!(request.json::<Vec<i64>>().await.unwrap(), [7]);
    let (_source, request) = page(Answer::ok(b"\xef\xbb\xbfa"));
    assert_eq!(request.text().await.unwrap(), "a");
}

#[tokio::test]
async fn a_page_for_people_where_json_was_due_is_said_to_be_one() {
    let html = Answer::ok("<!DOCTYPE html>\n<html><title>Log in</title>").header("Content-Type", "text/html");
    let (_source, request) = page(html);
    let (_, text) = why(request.json::<Vec<i64>>().await.unwrap_err());
    assert!(
        text.ends_with(
            "/page: answered 200 with an HTML page where JSON was due (text/html); it begins \
             `<!DOCTYPE html> <html><title>Log in</title>`; is the address right, or is this a login page?"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn json_of_another_form_is_told_with_the_place() {
    let (_source, request) = page(Answer::ok("[1,\n\"two\"]"));
    let (_, text) = why(request.json::<Vec<i64>>().await.unwrap_err());
    assert!(
        text.contains("it begins `[1, \"two\"]`: invalid type: string \"two\", expected i64 at line 2"),
        "{text}"
    );
    let (_source, request) = page(Answer::ok("[".repeat(1_000_000)));
    let (_, text) = why(request.json::<serde_json::Value>().await.unwrap_err());
    assert!(text.contains("recursion limit exceeded"), "{text}");
    assert!(text.len() < 500, "{text}");
}

#[tokio::test]
async fn another_status_is_an_error_with_the_first_characters() {
    let (kind, text) = refused(Answer::new(503).body("Sorry,\nback \x1b[31msoon.")).await;
    assert!(matches!(kind, HttpErrorKind::Status { status: 503, .. }));
    assert!(
        text.ends_with("answered 503 Service Unavailable; it begins `Sorry, back [31msoon.`"),
        "{text}"
    );
    let (_, text) = refused(Answer::new(500).body("é".repeat(5000))).await;
    assert!(
        text.ends_with(&format!("it begins `{}…`", "é".repeat(100))),
        "{text}"
    );
}

#[tokio::test]
async fn a_status_can_be_the_answer() {
    let (_source, request) = page(Answer::new(404).body("none").header("X-Reason", "gone"));
    let response = request.response().await.unwrap();
    assert_eq!(
        (response.status(), response.header("x-reason")),
        (404, Some("gone"))
    );
    assert_eq!(response.text().unwrap(), "none");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_no_more_than_the_timeout() {
    let (_source, request) = page(Answer::hang());
    let (kind, text) = why(request
        .timeout(Duration::from_millis(200))
        .text()
        .await
        .unwrap_err());
    assert_eq!(
        kind,
        HttpErrorKind::Timeout {
            after: Duration::from_millis(200),
            received: None
        }
    );
    assert!(text.ends_with("/page: did not answer within 0.2 s"), "{text}");
}

#[tokio::test]
async fn a_body_that_drips_costs_no_more_than_the_timeout() {
    let (_source, request) = page(Answer::ok("x".repeat(1000)).drip(Duration::from_millis(20)));
    let (kind, text) = why(request.timeout(Duration::from_secs(6)).text().await.unwrap_err());
    assert!(
        matches!(
            kind,
            HttpErrorKind::Timeout {
                received: Some(1..1000),
                ..
            }
        ),
        "{kind:?}"
    );
    assert!(text.contains("the answer was not whole within 6 s ("), "{text}");
}

#[tokio::test]
async fn a_reset_is_told_from_a_refusal() {
    let (kind, text) = refused(Answer::reset()).await;
    assert_eq!(kind, HttpErrorKind::NoAnswer);
    assert!(text.contains("connected, but no HTTP answer came: "), "{text}");
    let (source, request) = page(Answer::ok("a"));
    drop(source);
    let (kind, text) = why(request.text().await.unwrap_err());
    assert_eq!(kind, HttpErrorKind::Connect);
    assert!(
        text.ends_with("/page: cannot connect: Connection refused (os error 111)"),
        "{text}"
    );
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_is_sane() {
    let source = Source::http();
    for step in 0..20 {
        source.route(
            &format!("/{step}"),
            Answer::redirect(&source.url(&format!("/{}", step + 1))),
        );
    }
    source.route("/20", Answer::ok("there"));
    let get = |from: u32| http().get(&url(&source.url(&format!("/{from}")))).text();
    assert_eq!(get(10).await.unwrap(), "there");
    let (kind, text) = why(get(9).await.unwrap_err());
    assert_eq!(kind, HttpErrorKind::TooManyRedirects);
    assert!(
        text.ends_with("/9: more than 10 redirects; set the address where they lead"),
        "{text}"
    );
}

#[tokio::test]
async fn a_redirect_in_a_circle_is_seen_at_once() {
    let source = Source::http();
    source.route("/a", Answer::redirect(&source.url("/b")));
    source.route(
        "/b",
        Answer::redirect(&source.url("/a?key=hunter2").replace("?key=hunter2", "")),
    );
    let (kind, _) = why(http().get(&url(&source.url("/a"))).text().await.unwrap_err());
    assert_eq!(kind, HttpErrorKind::RedirectLoop { to: source.url("/a") });
    assert_eq!(source.requests().len(), 2);
}

#[tokio::test]
async fn authorization_stays_with_the_server_that_it_is_for() {
    let (here, there) = (Source::http(), Source::http());
    let elsewhere = format!("http://localhost:{}/page", there.port());
    here.route("/page", Answer::redirect(&elsewhere));
    there.route("/page", Answer::ok("a"));
    let request = http()
        .get(&url(&format!("http://127.0.0.1:{}/page", here.port())))
        .header("authorization", "hunter2");
    assert_eq!(request.text().await.unwrap(), "a");
    assert_eq!(here.requests()[0].header("authorization"), Some("hunter2"));
    assert_eq!(there.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn an_answer_after_a_redirect_is_told_with_both_addresses() {
    let source = Source::http();
    source.route("/page", Answer::redirect(&source.url("/login")));
    source.route("/login", Answer::ok("<html>"));
    let get = || http().get(&url(&source.url("/page")));
    let shown = format!(
        "{} (redirected to {}): answered ",
        source.url("/page"),
        source.url("/login")
    );
    let (_, text) = why(get().json::<Vec<i64>>().await.unwrap_err());
    assert!(
        text.starts_with(&(shown.clone() + "200 with an HTML page")),
        "{text}"
    );
    source.route("/login", Answer::new(500));
    let (_, text) = why(get().text().await.unwrap_err());
    assert!(text.starts_with(&(shown + "500")), "{text}");
}

#[tokio::test]
async fn the_longest_timeout_is_one() {
    let (_source, request) = page(Answer::ok("a"));
    assert_eq!(request.timeout(Duration::MAX).text().await.unwrap(), "a");
}

#[tokio::test]
async fn https_never_leads_to_http() {
    let certificates = Certificates::new();
    let plain = Source::http();
    plain.route("/page", Answer::ok("secret"));
    let secure = Source::https(&certificates.leaf);
    secure.route("/page", Answer::redirect(&plain.url("/page?token=hunter2")));
    let options = ClientOptions::new(&Variables::new()).ca_file(Some(certificates.authority().to_owned()));
    let http = Http::new(options);
    let (kind, text) = why(http.get(&url(&secure.url("/page"))).text().await.unwrap_err());
    assert!(matches!(kind, HttpErrorKind::RedirectToPlain { .. }), "{kind:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(plain.requests().len(), 0);
    // The other way is fine.
    plain.route("/up", Answer::redirect(&secure.url("/final")));
    secure.route("/final", Answer::ok("there"));
    assert_eq!(http.get(&url(&plain.url("/up"))).text().await.unwrap(), "there");
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let source = Source::http();
    source.route("/page", Answer::new(401));
    let mut address = url(&source.url("/page?token=hunter2"));
    address.set_username("me").unwrap();
    address.set_password(Some("hunter2")).unwrap();
    let request = http().get(&address).header("authorization-key", "hunter2");
    let shown = format!("{request:?}");
    let error = request.text().await.unwrap_err();
    assert_eq!(
        source.requests()[0].header("authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );
    assert_eq!(source.requests()[0].header("authorization-key"), Some("hunter2"));
    for text in [shown, error.to_string(), format!("{error:?}"), chain(&error)] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    // Where the connection fails, the client's own error has the address too.
    source.close();
    let error = http().get(&address).text().await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}"), chain(&error)] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_an_error() {
    let (source, request) = page(Answer::ok("a"));
    let (kind, text) = why(request
        .header("x-key", "hunter2\r\nHost: evil")
        .text()
        .await
        .unwrap_err());
    assert!(matches!(kind, HttpErrorKind::Request(_)));
    assert!(text.contains("\"x-key\"") && !text.contains("hunter2"), "{text}");
    assert_eq!(source.requests().len(), 0);
    let (_, text) = why(http().get(&url("file:///etc/passwd")).text().await.unwrap_err());
    assert_eq!(text, "file:///etc/passwd: is not an address of http or https");
}

#[tokio::test]
async fn proxies_come_from_the_environment_that_was_handed_in() {
    let proxy = Source::http();
    // A proxy is asked for the whole address.
    proxy.route("http://somewhere.example/page", Answer::ok("by proxy"));
    let address = format!("me:hunter2@localhost:{}", proxy.port());
    let environment = variables([("http_proxy", &address), ("no_proxy", "direct.example,127.0.0.1")]);
    let http = Http::new(ClientOptions::new(&environment));
    let request = http.get(&url("http://somewhere.example/page"));
    assert_eq!(request.text().await.unwrap(), "by proxy");
    let asked = &proxy.requests()[0];
    assert_eq!(asked.header("host"), Some("somewhere.example"));
    assert_eq!(
        asked.header("proxy-authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );
    let direct = Source::http();
    direct.route("/page", Answer::ok("direct"));
    let request = http.get(&url(&format!("http://127.0.0.1:{}/page", direct.port())));
    assert_eq!(request.text().await.unwrap(), "direct");
    assert_eq!(proxy.requests().len(), 1);
}

#[tokio::test]
async fn a_proxy_variable_that_is_no_address_is_named_without_its_value() {
    for value in ["http://", "socks5://hunter2@localhost:1", "hunter2 with spaces"] {
        let http = Http::new(ClientOptions::new(&variables([("HTTPS_PROXY", value)])));
        let (kind, text) = why(http.get(&url("http://localhost/")).text().await.unwrap_err());
        assert!(matches!(kind, HttpErrorKind::Client(_)), "{kind:?}");
        assert!(text.starts_with("$HTTPS_PROXY "), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
