use super::*;
use crate::{Certificates, SinkServer, Source, http};
use flate2::read::MultiGzDecoder;

const BOUND: Duration = Duration::from_secs(10);

/// A connection to a server, with a GET of `/` sent.
fn asked(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    stream
}

fn playing(answer: Answer) -> Source {
    let source = Source::http();
    source.route("/", answer);
    source
}

#[test]
fn answers_by_path_and_records() {
    let source = playing(Answer::ok("hello").header("X-One", "1"));
    let answer = http::get(&source.url("/?a=b"));
    assert_eq!(
        (answer.status, answer.text(), answer.header("x-one")),
        (200, "hello", Some("1"))
    );
    assert_eq!(http::get(&source.url("/nowhere")).status, 404);
    let requests = source.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].parameter("a").as_deref(), Some("b"));
    assert_eq!(requests[1].path, "/nowhere");
}

#[test]
fn one_connection_takes_many_requests() {
    let source = playing(Answer::ok("x"));
    let mut stream = asked(source.port());
    let mut bytes = [0; 256];
    for _ in 0..3 {
        let count = stream.read(&mut bytes).unwrap();
        assert!(bytes[..count].ends_with(b"\r\n\r\nx"));
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    }
}

#[test]
fn sends_gzip() {
    let source = playing(Answer::ok("hello hello hello").gzip());
    let answer = http::get(&source.url("/"));
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    MultiGzDecoder::new(&answer.body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "hello hello hello");
}

#[test]
fn a_huge_body_has_every_byte() {
    let total = 100_000_000;
    let source = playing(Answer::huge(total));
    let mut stream = asked(source.port());
    let mut seen = 0;
    let mut piece = vec![0; 1 << 20];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n").len() as u64;
    while seen < total + head {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "only {seen} bytes");
        seen += count as u64;
    }
    assert_eq!(seen, total + head);
}

#[test]
fn a_bomb_is_small_on_the_wire() {
    let source = playing(Answer::gzip_bomb(20_000_000));
    let answer = http::get(&source.url("/"));
    assert!(answer.body.len() < 100_000, "{}", answer.body.len());
    let plain = io::copy(&mut MultiGzDecoder::new(&answer.body[..]), &mut io::sink()).unwrap();
    assert_eq!(plain, 20_000_000);
}

#[test]
fn cuts_resets_and_is_silent() {
    let source = playing(Answer::ok("0123456789").cut_after(4));
    let mut text = String::new();
    asked(source.port()).read_to_string(&mut text).unwrap();
    assert!(
        text.contains("Content-Length: 10") && text.ends_with("\r\n\r\n0123"),
        "{text}"
    );

    source.route("/", Answer::reset());
    let why = asked(source.port()).read(&mut [0; 16]).expect_err("a reset");
    assert_eq!(why.kind(), io::ErrorKind::ConnectionReset);

    source.route("/", Answer::hang());
    let mut silent = asked(source.port());
    silent.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let why = silent.read(&mut [0; 16]).expect_err("silence");
    assert_eq!(why.kind(), io::ErrorKind::WouldBlock);
    drop(source);
    assert!(
        matches!(silent.read(&mut [0; 16]), Ok(0) | Err(_)),
        "the server's end ends it"
    );
}

#[test]
fn waits_and_drips() {
    let source = playing(Answer::ok("abcde").after(Duration::from_millis(60)));
    let start = Instant::now();
    assert_eq!(http::get(&source.url("/")).text(), "abcde");
    assert!(start.elapsed() >= Duration::from_millis(60));
    source.route("/", Answer::ok("abcde").drip(Duration::from_millis(20)));
    let start = Instant::now();
    assert_eq!(http::get(&source.url("/")).text(), "abcde");
    assert!(start.elapsed() >= Duration::from_millis(100));
    // One that would take an hour ends with its server.
    source.route("/", Answer::ok("abcde").drip(Duration::from_secs(3600)));
    let mut slow = asked(source.port());
    crate::wait_until("the request is there", BOUND, || source.requests().len() == 3);
    let start = Instant::now();
    drop(source);
    let mut rest = Vec::new();
    drop(slow.read_to_end(&mut rest));
    assert!(start.elapsed() < BOUND);
}

#[test]
fn speaks_tls_and_cuts_there_too() {
    let certificates = Certificates::new();
    let source = Source::https(&certificates.leaf);
    source.route("/", Answer::ok("hello"));
    let url = source.url("/");
    let ask = || http::Request::get(&url).trust(certificates.authority()).send();
    assert_eq!(ask().unwrap().text(), "hello");
    source.route("/", Answer::ok("hello").cut_after(2));
    assert_eq!(ask().expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
    source.route("/", Answer::reset());
    assert!(ask().is_err());
}

#[test]
fn a_port_is_closed_and_opened_again() {
    let sink = SinkServer::start();
    let url = sink.url("/write");
    assert_eq!(http::post(&url, b"one").status, 204);
    sink.close();
    let why = http::Request::post(&url, b"two").send().expect_err("refused");
    assert_eq!(why.kind(), io::ErrorKind::ConnectionRefused);
    sink.reopen();
    assert_eq!(http::post(&url, b"three").status, 204);
    let bodies: Vec<String> = sink
        .requests()
        .iter()
        .map(|request| request.text().to_owned())
        .collect();
    assert_eq!(bodies, ["one", "three"]);
}

#[test]
fn closing_ends_connections_that_are_open() {
    let sink = SinkServer::start();
    sink.script([Answer::hang()]);
    let mut stream = asked(sink.port());
    sink.wait_for(1, BOUND);
    sink.close();
    assert!(matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_)));
}

#[test]
fn plays_its_script_then_its_judge() {
    let sink = SinkServer::start();
    sink.script([Answer::new(503).header("Retry-After", "7"), Answer::new(413)]);
    sink.judge(|request| {
        Answer::new(if request.text().contains("poison") {
            400
        } else {
            204
        })
    });
    let url = sink.url("/write");
    let first = http::post(&url, b"a");
    assert_eq!((first.status, first.header("retry-after")), (503, Some("7")));
    assert_eq!(http::post(&url, b"b").status, 413);
    assert_eq!(http::post(&url, b"poison").status, 400);
    assert_eq!(http::post(&url, b"c").status, 204);
    assert_eq!(sink.wait_for(4, BOUND).len(), 4);
    sink.forget();
    assert!(sink.requests().is_empty());
}

#[test]
fn unpacks_what_was_sent() {
    let sink = SinkServer::start();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"m f=1 5\nm f=2 6\n").unwrap();
    let packed = encoder.finish().unwrap();
    let url = sink.url("/write");
    let answer = http::Request::post(&url, &packed)
        .header("Content-Encoding", "gzip")
        .send()
        .unwrap();
    assert_eq!(answer.status, 204);
    let request = &sink.requests()[0];
    assert_eq!(request.lines().collect::<Vec<_>>(), ["m f=1 5", "m f=2 6"]);
    assert_eq!(request.wire_bytes, packed.len());
}

#[test]
fn many_clients_at_once() {
    let sink = SinkServer::start();
    let url = sink.url("/write");
    std::thread::scope(|scope| {
        for client in 0..20 {
            let url = &url;
            scope.spawn(move || {
                for number in 0..10 {
                    let body = format!("m,client={client} number={number}");
                    assert_eq!(http::post(url, body.as_bytes()).status, 204);
                }
            });
        }
    });
    let mut bodies: Vec<String> = sink
        .requests()
        .iter()
        .map(|request| request.text().to_owned())
        .collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 200);
}
