//! What an operator changes, sees and acknowledges: bounds, losses, sinks that come and go in the settings.

use tidemark_testkit::{Answer, SinkServer};

use crate::scene::{BOUND, Scene, lines, playing, status};

/// Over its bound the outbox gives up the oldest, loudly; the ledger says how much; an acknowledged loss is quiet.
#[test]
fn a_bound_drops_the_oldest_and_says_so() {
    let sink = SinkServer::start();
    sink.judge(|_| Answer::new(503));
    let scene = Scene::new();
    let bounds = "[outbox]\nmax_bytes = \"256KiB\"\n";
    scene.sinks(&(playing("played", &sink) + bounds));
    let mut said = scene.collect().stderr;
    let mut reports = 0;
    while scene.ledger("played").dropped == 0 {
        reports += 1;
        assert!(reports < 60, "nothing is dropped after {reports} runs");
        // Names that do not compress to nothing.
        let names =
            (0..2000_u32).map(|set| format!("{:08x}", set.wrapping_mul(2_654_435_761) ^ (reports * 977)));
        let entries: Vec<String> = names
            .map(|name| format!("{{\"date_queued\":\"01/02/26\",\"sets\":[\"{name}\"]}}"))
            .collect();
        scene
            .source
            .route("/general.json", Answer::ok(format!("[{}]", entries.join(","))));
        said = scene.collect().stderr;
    }
    assert!(
        said.to_lowercase().contains("drop") || said.contains("given up"),
        "loudly: {said}"
    );
    let files = crate::scene::files(&scene.home.state());
    let bytes: usize = files
        .iter()
        .filter(|(path, _)| path.contains("outbox.db"))
        .map(|(_, file)| file.len())
        .sum();
    assert!(bytes < 2 << 20, "{bytes} bytes on disk");
    scene.tidemark("status --check").run().expect_code(1);

    sink.judge(|_| Answer::new(204));
    sink.forget();
    scene.flush();
    let ledger = scene.ledger("played");
    assert_eq!(
        (ledger.waiting, ledger.delivered + ledger.dropped),
        (0, ledger.collected),
        "{ledger:?}"
    );
    let times: Vec<i64> = sink
        .requests()
        .iter()
        .flat_map(|request| lines(request.text()))
        .filter(|line| line.measurement == crate::scene::QUEUE)
        .map(|line| line.time)
        .collect();
    assert!(times.is_sorted());
    // What is left is the newest.
    let newest = status(&scene.home).collector("sponsoring")["last_run"]["points"].as_u64();
    let last = times.iter().filter(|time| Some(*time) == times.last()).count() as u64;
    assert_eq!(newest, Some(last), "the newest run is whole");

    scene.tidemark("status --check").run().expect_code(1);
    scene.tidemark("outbox drop").run().expect_code(0);
    scene.tidemark("status --check").run().expect_code(0);
    assert_eq!(
        scene.ledger("played").dropped,
        ledger.dropped,
        "acknowledged, not forgotten"
    );
}

#[test]
fn a_rejected_point_is_acknowledged() {
    let sink = SinkServer::start();
    sink.judge(|request| {
        Answer::new(if request.text().contains(crate::scene::QUEUE) {
            400
        } else {
            204
        })
        .body("{\"error\":\"no\"}")
    });
    let scene = Scene::new();
    scene.sinks(&playing("played", &sink));
    scene.tidemark("status --check").run();
    scene.collect();
    scene.tidemark("status --check").run().expect_code(1);
    scene.tidemark("status").run().expect_code(0);
    scene.tidemark("outbox drop").run().expect_code(0);
    scene.tidemark("status --check").run().expect_code(0);
    assert_eq!(scene.ledger("played").rejected, 3);
}

/// What waits for a sink that is in the settings no more is shown until it is dropped.
#[test]
fn a_sink_that_is_configured_no_more_is_orphaned() {
    let (old, new) = (SinkServer::start(), SinkServer::start());
    old.judge(|_| Answer::new(503));
    let scene = Scene::new();
    scene.sinks(&playing("old", &old));
    scene.collect();
    old.judge(|_| Answer::new(204));
    old.forget();
    scene.sinks(&playing("new", &new));
    scene.collect();
    assert_eq!(
        scene.ledger("new").figures(),
        (4, 4, 0, 0),
        "a batch's sinks are those of its commit"
    );
    assert_eq!(scene.ledger("old").figures(), (4, 0, 4, 0));
    assert!(scene.tidemark("status").run().stdout.contains("old"));
    assert!(old.requests().is_empty(), "nothing is sent to it");
    // It comes back: what waited for it arrives.
    scene.sinks(&(playing("new", &new) + &playing("old", &old)));
    scene.flush();
    assert_eq!(scene.ledger("old").figures(), (4, 4, 0, 0));
    // It goes for good.
    old.judge(|_| Answer::new(503));
    scene.collect();
    scene.sinks(&playing("new", &new));
    scene.tidemark("outbox drop --waiting old").run().expect_code(0);
    let told = status(&scene.home);
    let left = told.0["sinks"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|sink| sink["name"] == "old");
    assert!(left.is_none_or(|sink| sink["waiting"] == 0), "{left:?}");
}

/// The backoff is the endpoint's; mended settings are tried at once.
#[test]
fn mended_settings_are_tried_at_once() {
    let (wrong, right) = (SinkServer::start(), SinkServer::start());
    wrong.judge(|_| Answer::new(404).body("{\"error\":\"database not found\"}"));
    let scene = Scene::new();
    scene.sinks(&playing("played", &wrong));
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (4, 0, 4, 0));
    scene.sinks(&playing("played", &right));
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (8, 8, 0, 0));
}

#[test]
fn a_sink_takes_the_collectors_that_it_names() {
    let (one, other) = (SinkServer::start(), SinkServer::start());
    let scene = Scene::new();
    let only = playing("one", &one).trim_end().to_owned() + "\nonly = [\"host\"]\n\n";
    let except = playing("other", &other).trim_end().to_owned() + "\nexcept = [\"host\"]\n\n";
    scene.sinks(&(only + &except));
    scene.collect();
    scene.home.run("tidemark-host").bound(BOUND).run().expect_code(0);
    let queue = |sink: &SinkServer| {
        sink.requests()
            .iter()
            .any(|request| request.text().contains(crate::scene::QUEUE))
    };
    let host = |sink: &SinkServer| {
        sink.requests()
            .iter()
            .any(|request| request.text().contains("host_load"))
    };
    assert_eq!(
        [queue(&one), host(&one), queue(&other), host(&other)],
        [false, true, true, false]
    );
}
