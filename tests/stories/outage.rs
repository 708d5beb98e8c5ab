//! One sink is down for long: the other gets every batch at once, and the first everything once it is back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidemark_delivery::RUN_BUDGET;
use tidemark_testkit::{Answer, SinkServer, wait_until};

use crate::scene::{BOUND, LONGEST_RUN, Line, Scene, lines, playing};

const RUNS: usize = 5;

fn points(sink: &SinkServer) -> Vec<Line> {
    sink.requests()
        .iter()
        .flat_map(|request| lines(request.text()))
        .collect()
}

/// The times of each collector's own points, in the order they came.
fn times(points: &[Line]) -> BTreeMap<&str, Vec<i64>> {
    let mut times: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for point in points
        .iter()
        .filter(|point| !point.measurement.starts_with("tidemark_"))
    {
        times
            .entry(point.measurement.as_str())
            .or_default()
            .push(point.time);
    }
    times
}

#[test]
fn the_other_gets_every_batch_at_once() {
    let (well, ill) = (SinkServer::start(), SinkServer::start());
    // It says for how long: a wait of our own choice may be over before the next process starts.
    ill.judge(|_| Answer::new(503).header("Retry-After", "600"));
    let scene = Scene::new();
    scene.sinks(&(playing("ill", &ill) + &playing("well", &well)));
    let mut backoffs = Vec::new();
    for run in 1..=RUNS {
        let before = well.requests().len();
        for program in ["tidemark-sponsoring", "tidemark-host"] {
            let ended = scene.home.run(program).bound(BOUND).run().expect_code(0);
            assert!(
                ended.wall < LONGEST_RUN,
                "{program} keeps its interval: {:?}",
                ended.wall
            );
        }
        assert!(
            well.requests().len() >= before + 4,
            "both batches and both runs, at once"
        );
        let (of_well, of_ill) = (scene.ledger("well"), scene.ledger("ill"));
        assert_eq!(
            (of_well.waiting, of_well.delivered),
            (0, of_well.collected),
            "after {run} runs"
        );
        assert_eq!(
            (of_ill.waiting, of_ill.delivered),
            (of_ill.collected, 0),
            "after {run} runs"
        );
        assert_eq!(of_ill.collected, of_well.collected);
        backoffs.push(of_ill.backoff_until.expect("it is left alone for a while"));
    }
    // The backoff is the endpoint's: no other process asks again, neither the second collector's nor the next ones.
    assert_eq!(ill.requests().len(), 1, "of {} processes", 2 * RUNS);
    backoffs.dedup();
    assert_eq!(backoffs.len(), 1, "{backoffs:?}");

    ill.forget();
    ill.judge(|_| Answer::new(204));
    scene.flush();
    let ledger = scene.ledger("ill");
    assert_eq!(
        (ledger.waiting, ledger.rejected, ledger.dropped),
        (0, 0, 0),
        "{ledger:?}"
    );
    let (of_well, of_ill) = (points(&well), points(&ill));
    let keys = |points: &[Line]| -> BTreeSet<String> {
        points
            .iter()
            .filter(|point| point.measurement != "tidemark_sink")
            .map(Line::key)
            .collect()
    };
    assert_eq!(keys(&of_well), keys(&of_ill), "the same points");
    let mut all: Vec<String> = of_ill.iter().map(Line::key).collect();
    all.sort();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "each once");
    for (measurement, times) in times(&of_ill) {
        assert!(times.is_sorted(), "{measurement} in order: {times:?}");
    }
}

/// Refused connections, not answers: the same.
#[test]
fn a_port_that_is_closed_for_long() {
    let (well, gone) = (SinkServer::start(), SinkServer::start());
    gone.close();
    let scene = Scene::new();
    scene.sinks(&(playing("gone", &gone) + &playing("well", &well)));
    for _ in 0..RUNS {
        scene.collect();
    }
    assert_eq!(scene.ledger("well").figures(), (20, 20, 0, 0));
    assert_eq!(scene.ledger("gone").figures(), (20, 0, 20, 0));
    // Not even the flush finds it; its exit code says that something waits.
    scene.tidemark("outbox flush").run().expect_code(1);
    gone.reopen();
    scene.flush();
    assert_eq!(scene.ledger("gone").waiting, 0);
    assert!(points(&gone).len() >= 20);
}

/// A sink that is silent holds up no other.
#[test]
fn a_silent_sink_holds_up_no_other() {
    let (well, silent) = (SinkServer::start(), SinkServer::start());
    silent.judge(|_| Answer::hang());
    let scene = Scene::new();
    // The silent one comes first.
    scene.sinks(&(playing("silent", &silent) + &playing("well", &well)));
    let ended = scene.collect();
    assert!(ended.wall < LONGEST_RUN, "{:?}", ended.wall);
    assert_eq!(scene.ledger("well").figures(), (4, 4, 0, 0));
    assert_eq!(scene.ledger("silent").figures(), (4, 0, 4, 0));
    let (first, last) = (silent.requests(), well.requests());
    let apart = last[0].received.saturating_duration_since(first[0].received);
    // After the silent one, it would be ten seconds.
    assert!(
        apart < Duration::from_secs(8),
        "the other is not kept waiting: {apart:?}"
    );
}

/// A collector that stays delivers all that waited, though that takes longer than a run may: its next run may be hours away.
#[test]
fn one_that_stays_delivers_what_waited_without_a_run() {
    const ANSWER: Duration = Duration::from_millis(1200);
    let sink = SinkServer::start();
    sink.judge(|_| Answer::new(503).header("Retry-After", "0"));
    let scene = Scene::new();
    scene.sinks(&playing("slow", &sink));
    for _ in 0..RUNS {
        scene.collect();
    }
    assert_eq!(scene.ledger("slow").figures(), (20, 0, 20, 0));
    sink.forget();
    sink.judge(|_| Answer::new(204).after(ANSWER));
    let running = scene
        .sponsoring()
        .args(["--every", "1h"])
        .bound(4 * BOUND)
        .start();
    wait_until("all is delivered", 2 * BOUND, || {
        scene.ledger("slow").figures() == (24, 24, 0, 0)
    });
    let took: Duration = sink.requests().iter().map(|_| ANSWER).sum();
    assert!(took > RUN_BUDGET, "the time of one delivery was enough: {took:?}");
    running.terminate();
    running.wait().expect_code(0);
}
