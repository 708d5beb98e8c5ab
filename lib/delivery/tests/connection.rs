//! What a server may do to a connection: close it, keep silent, say more than it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::*;
use tidemark_delivery::{Budget, Delivery, OpenOptions, RUN_BUDGET, SinkState};
use tidemark_testkit::{Answer, SinkServer};

const STORED: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A server that answers each request with bytes as they are.
struct RawServer {
    url: String,
    /// Bodies of the requests, each with the number of its connection.
    requests: Arc<Mutex<Vec<(usize, String)>>>,
}

impl RawServer {
    /// `behave` gets the number of the connection and of the request on it, both from 0: what is answered (nothing is
    /// no answer), and whether the connection is closed then without a word.
    fn start(behave: impl Fn(usize, usize) -> (String, bool) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<(usize, String)>>> = Arc::default();
        let (record, behave) = (requests.clone(), Arc::new(behave));
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (stream, record, behave) = (stream.unwrap(), record.clone(), behave.clone());
                std::thread::spawn(move || {
                    let mut writer = stream.try_clone().unwrap();
                    let mut reader = BufReader::new(stream);
                    let mut request = 0;
                    while let Some(body) = body(&mut reader) {
                        record.lock().unwrap().push((connection, body));
                        let (answer, close) = behave(connection, request);
                        // The client may be gone already.
                        let _ = writer.write_all(answer.as_bytes());
                        if close {
                            let _ = writer.shutdown(std::net::Shutdown::Both);
                            return;
                        }
                        request += 1;
                    }
                });
            }
        });
        Self { url, requests }
    }

    fn connections(&self) -> Vec<usize> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(connection, _)| *connection).collect()
    }
}

/// The body of the next request.
fn body(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(String::from_utf8_lossy(&body).into_owned())
}

/// A run of three points against a server; its sink's state, and the counts.
async fn deliver(server: &RawServer) -> (SinkState, [u64; 5]) {
    let fixture = Fixture::new(vec![influxdb("influx", &server.url)]);
    let mut delivery = fixture.open().await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let report = delivery.deliver(Budget::Run).await;
    let counts = counts(&delivery, "influx").await;
    (report.sinks[0].state.clone(), counts)
}

#[tokio::test]
async fn one_connection_takes_all_batches() {
    let server = RawServer::start(|_, _| (STORED.to_owned(), false));
    assert_eq!(deliver(&server).await, (SinkState::Drained, [4, 4, 0, 0, 0]));
    assert_eq!(server.connections(), [0, 0]);
}

#[tokio::test]
async fn a_connection_that_was_closed_between_batches_is_no_failure() {
    let server = RawServer::start(|_, _| (STORED.to_owned(), true));
    assert_eq!(deliver(&server).await, (SinkState::Drained, [4, 4, 0, 0, 0]));
}

#[tokio::test]
async fn a_connection_that_closes_on_the_second_batch_is_tried_once_anew() {
    let server = RawServer::start(|connection, request| match (connection, request) {
        (0, 1) => (String::new(), true),
        _ => (STORED.to_owned(), false),
    });
    assert_eq!(deliver(&server).await, (SinkState::Drained, [4, 4, 0, 0, 0]));
    assert_eq!(server.connections(), [0, 0, 1]);
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests[1].1, requests[2].1, "the same batch again");
}

#[tokio::test]
async fn a_server_that_closes_each_connection_unanswered_is_a_failure() {
    let server = RawServer::start(|_, _| (String::new(), true));
    let (state, counts) = deliver(&server).await;
    assert!(matches!(state, SinkState::Failed(_)), "{state:?}");
    assert_eq!(counts, [4, 0, 4, 0, 0]);
    // Two batches are tried, to tell whether it is the batch; neither was on a kept connection.
    assert_eq!(server.connections(), [0, 1]);
}

#[tokio::test]
async fn what_stands_for_stored() {
    for answer in [
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        // No body belongs here; what comes is not read, and costs the connection at most.
        "HTTP/1.1 204 No Content\r\nContent-Length: 11\r\n\r\n{\"ok\":true}",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let server = RawServer::start(move |_, _| (answer.to_owned(), false));
        assert_eq!(
            deliver(&server).await,
            (SinkState::Drained, [4, 4, 0, 0, 0]),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn what_does_not() {
    let huge = "x".repeat(1 << 20);
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n<html></html>\r\n0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{huge}", huge.len()),
        format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{huge}",
            huge.len()
        ),
        format!("HTTP/1.1 503 No\r\nRetry-After: {huge}\r\nContent-Length: 0\r\n\r\n"),
        "not even HTTP\r\n\r\n".to_owned(),
    ] {
        let start = answer.chars().take(80).collect::<String>();
        let server = RawServer::start(move |_, _| (answer.clone(), true));
        let (state, counts) = deliver(&server).await;
        let SinkState::Failed(said) = state else {
            panic!("{start:?}: {state:?}")
        };
        assert!(said.len() < 2_000, "{start:?} is told at length: {said}");
        assert_eq!(counts, [4, 0, 4, 0, 0], "{start:?}");
    }
}

/// The longest test: a run's whole budget.
#[tokio::test]
async fn a_server_that_never_answers_costs_a_run_its_budget_and_no_other_sink_anything() {
    let (silent, prompt) = (SinkServer::start(), SinkServer::start());
    silent.judge(|_| Answer::hang());
    let fixture = Fixture::new(vec![
        influxdb("silent", &silent.url("")),
        influxdb("prompt", &prompt.url("")),
    ]);
    let mut delivery = Delivery::open(OpenOptions {
        run_budget: RUN_BUDGET,
        ..fixture.options()
    })
    .await;
    delivery.submit(&fixture.run("a"), &points(0, 3)).await.unwrap();
    let began = Instant::now();
    let (report, prompt_took) = tokio::join!(delivery.deliver(Budget::Run), async {
        asked(&prompt, 2).await;
        began.elapsed()
    });
    let took = began.elapsed();
    // A request by itself would wait for 30 s.
    assert!(took >= RUN_BUDGET && took < Duration::from_secs(25), "{took:?}");
    assert!(prompt_took < RUN_BUDGET, "{prompt_took:?}");
    let SinkState::Failed(said) = &report.sinks[0].state else {
        panic!("{report:?}")
    };
    // What was left of the budget when it was asked.
    let (_, rest) = said.split_once("no answer within ").expect("it was asked");
    let waited: f64 = rest.split_once("s from ").unwrap().0.parse().unwrap();
    assert!(waited <= RUN_BUDGET.as_secs_f64(), "{said}");
    assert_eq!(report.sinks[1].state, SinkState::Drained);
    assert_eq!(counts(&delivery, "silent").await, [4, 0, 4, 0, 0]);
    assert_eq!(counts(&delivery, "prompt").await, [4, 4, 0, 0, 0]);
    // The next run leaves it alone, and takes no time.
    let ledger = ledger(&delivery, "silent").await;
    assert!(ledger.last_error.is_some());
}
