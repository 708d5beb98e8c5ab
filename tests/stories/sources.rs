//! Sources that are empty, huge, a bomb, silent, cut, moved: one line says what and where, and nothing is stored.

use std::time::Duration;

use tidemark_testkit::{Answer, Certificates, Ended, SinkServer, Source};

use crate::scene::{QUEUE, Scene, playing, report};

/// Whatever a source sends, a run needs no more than this.
const MEMORY: u64 = 64 << 20;

struct Told {
    ended: Ended,
    scene: Scene,
    _sink: SinkServer,
}

/// A run whose source answers like this: it ends with 1, one line tells why, and the failed run is told to the sink.
#[track_caller]
fn fails(answer: Answer) -> Told {
    fails_before("20s", answer)
}

/// The same with another deadline.
#[track_caller]
fn fails_before(deadline: &str, answer: Answer) -> Told {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.settings(&format!("deadline = \"{deadline}\"\n"), &playing("played", &sink));
    scene.source.route("/general.json", answer);
    let ended = scene.sponsoring().run().expect_code(1);
    assert_one_line(&ended, &scene.source.url("/general.json"));
    assert!(ended.peak_memory < MEMORY, "{} bytes", ended.peak_memory);
    assert!(ended.wall < Duration::from_secs(30), "{:?}", ended.wall);
    let requests = sink.requests();
    assert_eq!(requests.len(), 1, "the failed run is told");
    let text = requests[0].text();
    assert!(
        text.starts_with("tidemark_run,collector=sponsoring") && text.contains("ok=false"),
        "{text}"
    );
    assert!(!text.contains(QUEUE));
    Told {
        ended,
        scene,
        _sink: sink,
    }
}

#[track_caller]
fn assert_one_line(ended: &Ended, url: &str) {
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "one line: {}", ended.stderr);
    assert!(lines[0].contains(url), "it names the source {url}: {}", lines[0]);
    assert_eq!(ended.stdout, "");
}

impl Told {
    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        let said = self.ended.stderr.to_lowercase();
        assert!(
            words.iter().any(|word| said.contains(word)),
            "none of {words:?} in: {}",
            self.ended.stderr
        );
        self
    }
}

#[test]
fn of_no_bytes() {
    let told = fails(Answer::ok("")).says(&["empty", "0 bytes", "eof", "end of"]);
    // The next run is well again.
    told.scene.report(2);
    told.scene.collect();
    assert_eq!(told.scene.ledger("played").figures(), (5, 5, 0, 0));
}

#[test]
fn of_another_shape() {
    fails(Answer::ok("<html>maintenance</html>")).says(&["json", "expected"]);
    fails(Answer::ok(r#"{"date_queued":"01/02/26"}"#)).says(&["json", "expected", "invalid type"]);
    let whole = report(50);
    fails(Answer::ok(&whole[..whole.len() / 2])).says(&["eof", "end of"]);
    fails(Answer::ok(b"\xff\xfe[\x00]\x00")).says(&["json", "utf-8", "expected"]);
}

#[test]
fn of_a_gigabyte() {
    fails(Answer::huge(1 << 30)).says(&["larger", "bytes", "mib", "too large", "limit"]);
}

#[test]
fn that_is_a_gzip_bomb() {
    fails(Answer::gzip_bomb(1 << 30)).says(&["larger", "bytes", "mib", "too large", "limit"]);
}

#[test]
fn that_never_answers() {
    let told = fails_before("3s", Answer::hang()).says(&["deadline", "timed out", "time", "within"]);
    assert!(
        told.ended.wall >= Duration::from_secs(2),
        "it was given its time: {:?}",
        told.ended.wall
    );
}

#[test]
fn that_drips() {
    let drips = Answer::ok(report(1000)).drip(Duration::from_millis(100));
    fails_before("3s", drips).says(&["deadline", "timed out", "time", "within"]);
}

#[test]
fn that_is_cut_or_reset_or_gone() {
    fails(Answer::ok(report(50)).cut_after(100));
    fails(Answer::reset());
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.source.close();
    let ended = scene.sponsoring().run().expect_code(1);
    assert_one_line(&ended, &scene.source.url("/general.json"));
    assert!(
        ended.stderr.to_lowercase().contains("refused"),
        "{}",
        ended.stderr
    );
}

#[test]
fn that_answers_with_an_error() {
    fails(Answer::new(404).body("no such page")).says(&["404"]);
    fails(Answer::new(503).body("maintenance")).says(&["503"]);
}

#[test]
fn that_leads_in_a_circle() {
    fails(Answer::redirect("/general.json")).says(&["redirect"]);
}

#[test]
fn that_moved() {
    let sink = SinkServer::start();
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.source.route("/new.json", Answer::ok(report(2)).gzip());
    scene.source.route("/general.json", Answer::redirect("/new.json"));
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (4, 4, 0, 0));
}

#[test]
fn that_leads_from_https_to_http() {
    let certificates = Certificates::new();
    let (sink, secure, plain) = (
        SinkServer::start(),
        Source::https(&certificates.leaf),
        Source::http(),
    );
    plain.route("/general.json", Answer::ok(report(2)));
    secure.route("/general.json", Answer::redirect(&plain.url("/general.json")));
    let scene = Scene::new();
    scene.home.settings(&format!(
        "[collector.sponsoring]\nurl = \"{}\"\n\n{}",
        secure.url("/general.json"),
        playing("played", &sink)
    ));
    let run = scene.sponsoring().env("SSL_CERT_FILE", certificates.authority());
    let ended = run.run().expect_code(1);
    assert_one_line(&ended, &secure.url("/general.json"));
    assert!(plain.requests().is_empty(), "it is not followed");
}
