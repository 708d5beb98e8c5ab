use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::sync::Arc;

use tidemark_collect::{ManualClock, ShutdownTrigger, Timestamp};
use tidemark_testkit::http as client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::{JoinHandle, spawn_blocking};

use super::*;
use crate::limits::MAX_CONNECTIONS;
use crate::{Access, Content, Credentials, Family, Listener, Registry, Source};

/// How long a test waits for what must come.
const BOUND: Duration = Duration::from_secs(120);
/// For a machine that is busy with other tests.
const PATIENT: Patience = Patience {
    answer: BOUND,
    close: BOUND,
    ..Patience::DEFAULT
};

/// A server, and what it shows.
struct Running {
    address: SocketAddr,
    registry: Registry,
    connections: Connections,
    _source: Source,
    stop: ShutdownTrigger,
    task: JoinHandle<()>,
    _site: watch::Sender<Site>,
}

async fn start(access: Access, patience: Patience, rows: usize) -> Running {
    let registry = Registry::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
    let source = registry.source("c<1>", &[("cluster", "c<1>")]);
    let mut samples = source.samples();
    let family = Family::new("heat", "How hot it is.");
    for row in 0..rows {
        samples.row([("row", label(row).as_str())], Timestamp::EPOCH);
        samples.value(&family, 0.5);
    }
    source.publish("heat", samples, Duration::from_secs(60));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = Shutdown::new();
    let connections = Connections::default();
    let server = Server {
        connections: connections.clone(),
        patience,
    };
    let (site, shown) = watch::channel(Site::new(Listener {
        address,
        title: "Clusters & co".to_owned(),
        access,
        tls: None,
        content: Content::Metrics {
            registry: registry.clone(),
            source: None,
        },
    }));
    let task = tokio::spawn(server.serve(listener, shown, stopped));
    Running {
        address,
        registry,
        connections,
        _source: source,
        stop,
        task,
        _site: site,
    }
}

/// The labels of many rows make a page longer than what a connection holds that nobody reads.
fn label(row: usize) -> String {
    match row {
        0 | 1 => row.to_string(),
        row => format!("{row:0300}"),
    }
}

async fn usual(rows: usize) -> Running {
    start(Access::default(), Patience::DEFAULT, rows).await
}

impl Running {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What comes back for these bytes until the other side closes. They are there before it looks: it runs on this
    /// thread, which does not wait.
    async fn tell(&self, bytes: &[u8]) -> String {
        let mut stream = std::net::TcpStream::connect(self.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream.set_nonblocking(true).unwrap();
        rest(&mut TcpStream::from_std(stream).unwrap()).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // Who leaves bytes unread is reset, which comes after the answer.
    let _ = timeout(BOUND, stream.read_to_end(&mut answer))
        .await
        .expect("it closes");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(url: String, headers: &'static [(&'static str, &'static str)]) -> client::Response {
    spawn_blocking(move || {
        let mut request = client::Request::get(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().unwrap()
    })
    .await
    .unwrap()
}

fn header<'a>(response: &'a client::Response, name: &str) -> &'a str {
    let found = response.headers.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

#[tokio::test]
async fn pages() {
    let server = usual(2).await;
    let landing = get(server.url("/"), &[]).await;
    assert_eq!(
        (landing.status, header(&landing, "content-type")),
        (200, "text/html; charset=utf-8")
    );
    let text = landing.text();
    assert!(text.contains("<h1>Clusters &amp; co</h1>"), "{text}");
    assert!(
        text.contains("<li>c&lt;1&gt;</li>") && text.contains("href=\"/metrics\""),
        "{text}"
    );

    let metrics = get(server.url("/metrics?x=1"), &[]).await;
    assert_eq!(metrics.status, 200);
    assert_eq!(
        header(&metrics, "content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert_eq!(header(&metrics, "vary"), "accept, accept-encoding");
    assert_eq!(
        metrics.text(),
        "# TYPE heat gauge\n# HELP heat How hot it is.\n\
         heat{cluster=\"c<1>\",row=\"0\"} 0.5 0\nheat{cluster=\"c<1>\",row=\"1\"} 0.5 0\n"
    );

    let accept = &[(
        "accept",
        "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
    )];
    let metrics = get(server.url("/metrics"), accept).await;
    assert_eq!(
        header(&metrics, "content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(metrics.text().ends_with("\n# EOF\n"));

    let healthy = get(server.url("/-/healthy"), &[]).await;
    assert_eq!((healthy.status, healthy.text()), (200, "ok\n"));
    let missing = get(server.url("/metrics/"), &[]).await;
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("/metrics"), "{}", missing.text());
}

#[tokio::test]
async fn a_page_in_gzip_is_the_same_page() {
    let server = usual(5_000).await;
    let plain = get(server.url("/metrics"), &[]).await;
    let zipped = get(server.url("/metrics"), &[("accept-encoding", "deflate, gzip")]).await;
    assert_eq!(header(&zipped, "content-encoding"), "gzip");
    assert_eq!(header(&plain, "content-encoding"), "");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body[..])
        .read_to_end(&mut text)
        .unwrap();
    assert!(
        text == plain.body,
        "{} and {} bytes",
        text.len(),
        plain.body.len()
    );
    assert!(
        zipped.body.len() * 5 < text.len(),
        "{} of {}",
        zipped.body.len(),
        text.len()
    );
}

#[tokio::test]
async fn methods() {
    let server = usual(2).await;
    for path in ["/", "/metrics", "/-/healthy"] {
        let answer = server
            .tell(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
            .await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK") && body.is_empty(), "{answer}");
        assert!(!head.contains("content-length: 0"), "{answer}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let answer = server
            .tell(format!("{method} /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(answer.contains("\r\nallow: GET, HEAD\r\n"), "{answer}");
    }
    // A body is not waited for, however long it says it is.
    for request in [
        "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nx",
        "POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\nx",
    ] {
        let answer = server.tell(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
    let both =
        b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\nGET /- HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = server.tell(both).await;
    assert!(
        answer.contains("HTTP/1.1 200 ") && answer.contains("HTTP/1.1 404 "),
        "{answer}"
    );
}

#[tokio::test]
async fn only_the_user_is_let_in() {
    let access = Access {
        credentials: Some(Credentials::new("metrics", secret("pass:wörd")).unwrap()),
        open: false,
    };
    assert_eq!(
        format!("{access:?}"),
        "Access { credentials: Some(Credentials(..)), open: false }"
    );
    let server = start(access, Patience::DEFAULT, 1).await;
    let url = server.url("/metrics");
    // metrics:pass:wörd
    let right = get(
        url.clone(),
        &[("authorization", "bAsIc bWV0cmljczpwYXNzOnfDtnJk")],
    )
    .await;
    assert_eq!(right.status, 200);
    for wrong in [
        &[][..],
        // metrics:pass:word, Metrics:pass:wörd, metrics:, metrics, :pass:wörd, metrics:pass:wörd and a byte more
        &[("authorization", "Basic bWV0cmljczpwYXNzOndvcmQ=")],
        &[("authorization", "Basic TWV0cmljczpwYXNzOnfDtnJk")],
        &[("authorization", "Basic bWV0cmljczo=")],
        &[("authorization", "Basic bWV0cmljcw==")],
        &[("authorization", "Basic OnBhc3M6d8O2cmQ=")],
        &[("authorization", "Basic bWV0cmljczpwYXNzOnfDtnJkAA==")],
        &[("authorization", "Basic")],
        &[("authorization", "Basic !!!")],
        &[("authorization", "Bearer bWV0cmljczpwYXNzOnfDtnJk")],
    ] {
        let answer = get(url.clone(), wrong).await;
        assert_eq!(answer.status, 401, "{wrong:?}");
        assert_eq!(
            header(&answer, "www-authenticate"),
            "Basic realm=\"tidemark\", charset=\"UTF-8\""
        );
        assert!(!answer.text().contains("heat"));
    }
    for path in ["/", "/nothing"] {
        assert_eq!(get(server.url(path), &[]).await.status, 401);
    }
    assert_eq!(get(server.url("/-/healthy"), &[]).await.status, 200);
}

fn secret(text: &str) -> tidemark_settings::Secret {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, text).unwrap();
    let environment = std::collections::BTreeMap::<String, std::ffi::OsString>::new();
    let places = tidemark_settings::Places::new(&environment, false, None);
    tidemark_settings::SecretSource::File(path)
        .resolve(&environment, &places)
        .unwrap()
}

#[tokio::test]
async fn headers_have_bounds() {
    let server = usual(1).await;
    let long = format!(
        "GET /metrics HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    let endless = format!("GET /{}", "x".repeat(1 << 20));
    let many = format!(
        "GET /metrics HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "a: b\r\n".repeat(100)
    );
    for request in [long, endless, many] {
        let mut stream = server.connect().await;
        // It may close before all is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 414 "),
            "{answer}"
        );
    }
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = server.tell(garbage).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
    }
    assert_eq!(get(server.url("/metrics"), &[]).await.status, 200);
}

#[tokio::test]
async fn who_never_asks_is_closed() {
    let patience = Patience {
        header: Duration::from_millis(50),
        ..Patience::DEFAULT
    };
    let server = start(Access::default(), patience, 1).await;
    for begun in [
        "",
        "GET /metrics HTTP/1.1\r\nHost: ",
        "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let answer = server.tell(begun.as_bytes()).await;
        assert_eq!(
            answer.contains(" 200 OK"),
            begun.ends_with("\r\n\r\n"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn idle_connections_make_room() {
    let server = usual(1).await;
    let mut idle = Vec::new();
    for number in 0..MAX_CONNECTIONS {
        let mut stream = server.connect().await;
        // Half of them have asked before.
        if number % 2 == 0 {
            stream
                .write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
                .await
                .unwrap();
            let mut some = [0; 12];
            stream.read_exact(&mut some).await.unwrap();
        }
        idle.push(stream);
    }
    for _ in 0..3 {
        assert_eq!(get(server.url("/metrics"), &[]).await.status, 200);
    }
    let mut closed = 0;
    for stream in &mut idle {
        let mut bytes = [0; 4096];
        loop {
            match stream.try_read(&mut bytes) {
                Ok(0) => {
                    closed += 1;
                    break;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    closed += 1;
                    break;
                }
            }
        }
    }
    assert!((1..=3).contains(&closed), "{closed}");
}

/// Asks for the page and reads none of it.
async fn stuck(server: &Running) -> TcpStream {
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    stream
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, wait).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn who_does_not_read_holds_nobody_up() {
    let rows = 50_000;
    let server = start(Access::default(), PATIENT, rows).await;
    let mut hanging = Vec::new();
    for _ in 0..10 {
        hanging.push(stuck(&server).await);
    }
    until("they are answered", || server.connections.answering() == 10).await;
    let page = get(server.url("/metrics"), &[]).await;
    assert_eq!(page.text().lines().count(), rows + 2);
    assert_eq!(server.connections.answering(), 10);
    // Their answers are what they were when they asked, however late they read.
    let mut last = hanging.pop().unwrap();
    let answer = rest(&mut last).await;
    assert_eq!(answer.matches("\nheat{").count(), rows);
}

#[tokio::test]
async fn who_reads_too_slowly_is_closed() {
    let patience = Patience {
        answer: Duration::from_millis(100),
        ..Patience::DEFAULT
    };
    let server = start(Access::default(), patience, 50_000).await;
    let mut stream = stuck(&server).await;
    until("it is answered", || server.connections.answering() == 1).await;
    until("it is given up", || server.connections.answering() == 0).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && !answer.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn answers_under_way_are_sent_when_it_closes() {
    let rows = 50_000;
    let server = start(Access::default(), PATIENT, rows).await;
    let mut idle = server.connect().await;
    let mut stream = stuck(&server).await;
    until("it is answered", || server.connections.answering() == 1).await;
    server.stop.fire();
    let read = tokio::spawn(async move { rest(&mut stream).await });
    assert_eq!(rest(&mut idle).await, "", "it is closed at once");
    let answer = read.await.unwrap();
    assert_eq!(answer.matches("\nheat{").count(), rows);
    timeout(BOUND, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(server.registry.sources().len(), 1);
}

#[tokio::test]
async fn who_reads_nothing_does_not_keep_it_from_closing() {
    let patience = Patience {
        close: Duration::from_millis(100),
        ..Patience::DEFAULT
    };
    let server = start(Access::default(), patience, 50_000).await;
    let _stream = stuck(&server).await;
    until("it is answered", || server.connections.answering() == 1).await;
    server.stop.fire();
    timeout(BOUND, server.task).await.unwrap().unwrap();
}
