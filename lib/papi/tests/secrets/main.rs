//! No password, cookie or token is in an error, in what is printed for debugging, or in a log at any level.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

#[path = "../client/setup.rs"]
mod setup;

use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidemark_collect::http::Http;
use tidemark_collect::{Timestamp, chain};
use tidemark_papi::decode::{self, Decoded, Naming};
use tidemark_papi::{ApiError, AuthType, Cluster, Summary};
use tidemark_testkit::onefs::OneFs;
use tidemark_testkit::{Answer, Certificates};
use tracing_subscriber::fmt::MakeWriter;

use setup::{Setup, options, run, trusting, with};

/// What everything was written to.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<Vec<u8>>>);

impl Everything {
    fn note(&self, what: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(what.as_bytes());
        all.push(b'\n');
    }

    fn text(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&all).into_owned()
    }

    fn error(&self, outcome: Result<impl Debug, ApiError>) {
        match outcome {
            Ok(value) => self.note(&format!("{value:?}")),
            Err(error) => self.note(&format!("{error} | {} | {error:?} | {error:#?}", chain(&error))),
        }
    }
}

impl Write for Everything {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Everything {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What libraries write to `log`.
impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.note(&format!(
            "{} {}: {}",
            record.level(),
            record.target(),
            record.args()
        ));
    }

    fn flush(&self) {}
}

/// Everything that can be asked, once.
async fn ask(cluster: &Cluster, all: &Everything) {
    cluster.retry_now();
    all.error(cluster.config().await);
    cluster.retry_now();
    all.error(cluster.key("node.load.1min").await);
    for request in cluster.requests(&["node.load.1min", "ifs.bytes.used"]) {
        cluster.retry_now();
        all.error(cluster.current(&request).await.map(|body| body.len()));
    }
    cluster.retry_now();
    all.error(cluster.summary(Summary::Client).await.map(|body| body.len()));
    all.error(cluster.config().await);
    all.note(&format!("{cluster:?} {:?}", cluster.options()));
}

#[test]
fn nothing_of_a_secret_is_said() {
    let all = Everything::default();
    log::set_boxed_logger(Box::new(all.clone())).expect("no other logger");
    log::set_max_level(log::LevelFilter::Trace);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(all.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");

    let certificates = Certificates::new();
    let authority = certificates.authority();
    for auth in [AuthType::Session, AuthType::Basic] {
        let setup = Setup::of(
            OneFs::https(&certificates.leaf, "Cl17", 2),
            auth,
            trusting(authority),
        );
        let http = Http::new(trusting(authority));
        let cluster = || setup::cluster(&setup.onefs.address(), auth, http.clone(), setup.clock.clone());
        run(async {
            // Well, renewed, ended by the cluster, and at its end.
            ask(&setup.cluster, &all).await;
            setup.advance_secs(14_350);
            ask(&setup.cluster, &all).await;
            setup.onefs.end_sessions();
            setup.advance_secs(60);
            ask(&setup.cluster, &all).await;
            setup.cluster.close().await;
            for number in 0..BAD_ANSWERS {
                for path in PATHS {
                    // The session that the client is given, where it is given one.
                    let session = (auth == AuthType::Session).then(|| setup.onefs.counts().logins + 1);
                    setup.onefs.answer(path, bad_answer(number, session, path));
                    ask_one(path, &cluster(), &all).await;
                    setup.onefs.answer_as_usual();
                }
            }
            setup.onefs.change(|behaviour| behaviour.refuse = 3);
            ask(&cluster(), &all).await;
            setup.onefs.change(|behaviour| behaviour.forbidden = true);
            ask(&cluster(), &all).await;
            setup
                .onefs
                .change(|behaviour| behaviour.password = "another".to_owned());
            ask(&cluster(), &all).await;
            setup.onefs.present(&certificates.stranger);
            ask(&cluster(), &all).await;
            setup.onefs.close();
            ask(&cluster(), &all).await;
            let slow = OneFs::http("Slow", 1);
            slow.change(|behaviour| behaviour.delay = Duration::from_secs(60));
            let slow = setup::cluster(&slow.address(), auth, Http::new(options()), setup.clock.clone());
            let slow = with(&slow, &setup.clock, |options| {
                options.timeout = Duration::from_millis(20);
            });
            ask(&slow, &all).await;
        });
    }

    let text = all.text();
    for expected in [
        "logged in",
        "logged out",
        "TRACE",
        "is refused (401)",
        "may not ask for this",
        "Resting",
    ] {
        assert!(
            text.contains(expected),
            "this test looks at too little: no {expected:?}"
        );
    }
    for secret in [
        "correct horse",
        "correct%20horse",
        // Of user and password, as basic authentication has it.
        "bW9uaXRvcjpjb3JyZWN0IGhvcnNl",
        "correct+horse",
        "-of-Cl17",
        "token-",
        "c00kie",
        "t0ken",
    ] {
        if let Some(at) = text.find(secret) {
            let around: String = text[..at].chars().rev().take(300).collect();
            let before: String = around.chars().rev().collect();
            panic!("{secret:?} is said: …{before}{secret}");
        }
    }
}

/// How many [`bad_answer`]s there are.
const BAD_ANSWERS: usize = 47;
/// Where they come from.
const PATHS: [&str; 5] = [
    SESSION,
    "/platform/1/cluster/config",
    "/platform/1/statistics/keys/node.load.1min",
    "/platform/1/statistics/current",
    "/platform/3/statistics/summary/client",
];
const SESSION: &str = "/session/1/session";

/// What asks that path, once, and the end of it.
async fn ask_one(path: &str, cluster: &Cluster, all: &Everything) {
    match path {
        "/platform/1/statistics/current" => {
            let requests = cluster.requests(&["node.load.1min"]);
            let body = cluster.current(&requests[0]).await;
            let naming = Naming {
                cluster: "cl17",
                include_degraded: false,
                now: Timestamp::EPOCH,
            };
            if let Ok(body) = &body
                && let Err(cause) = decode::statistics(body, &naming, &mut Decoded::default())
            {
                let error = cluster.unreadable(requests[0].url(), body, cause);
                all.note(&format!("{} {error:?}", tidemark_collect::chain(&error)));
            }
            all.error(body.map(|body| body.len()));
        }
        "/platform/3/statistics/summary/client" => {
            all.error(cluster.summary(Summary::Client).await.map(|body| body.len()));
        }
        "/platform/1/statistics/keys/node.load.1min" => all.error(cluster.key("node.load.1min").await),
        _ => all.error(cluster.config().await),
    }
    cluster.close().await;
}

/// What a hostile or a broken cluster says, with what it was told and what it has given in it.
fn bad_answer(number: usize, session: Option<usize>, path: &str) -> Answer {
    let (id, token) = match session {
        None => (String::new(), String::new()),
        Some(_) if path == SESSION => ("c00kie-1".to_owned(), "t0ken-1".to_owned()),
        Some(session) => (format!("session-{session}-of-Cl17"), format!("token-{session}")),
    };
    let password = "correct horse bW9uaXRvcjpjb3JyZWN0IGhvcnNl correct%20horse correct+horse";
    let cookies = |answer: Answer| {
        answer
            .header("Set-Cookie", &format!("isisessid={id}; path=/"))
            .header("Set-Cookie", &format!("isicsrf={token}; path=/"))
    };
    let told = format!("{password} {id} {token}");
    let errors = |told: &str| format!(r#"{{"errors": [{{"code": "AEC", "message": "{told}"}}]}}"#);
    let statuses = [200, 400, 401, 403, 404, 429, 500, 503];
    if let Some(status) = statuses.get(number / 5) {
        let answer = Answer::new(*status);
        return match number % 5 {
            0 => answer.body(errors(password)),
            1 => cookies(answer.body(errors(&told))),
            2 => cookies(answer.body(format!("<html>{told}</html>"))),
            3 => cookies(answer.body(format!("{{\"truncated\": \"{told}"))),
            _ => cookies(answer.body(told)),
        };
    }
    match number - 5 * statuses.len() {
        0 => cookies(Answer::ok("{\"timeout_absolute\": \"correct horse\"}")),
        1 => cookies(Answer::redirect(&format!(
            "https://elsewhere.example/correct%20horse/{id}?{token}"
        ))),
        2 => cookies(Answer::ok("{}").header("Content-Type", &token)),
        3 => Answer::ok(told).cut_after(20),
        4 => Answer::reset(),
        5 => Answer::ok(format!("{{\"name\": correct horse {id}")),
        _ => Answer::ok("[").header("Content-Type", "text/html; correct horse"),
    }
}
