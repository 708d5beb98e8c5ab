//! Each answer of a sink, and what becomes of each point.
//!
//! A run of the sponsoring collector has four points: three of its own, and `tidemark_run` in a request of its own.

use tidemark_testkit::{Answer, Influxd, InfluxdOptions, Request, Run, SinkServer, http};

use crate::scene::{LONGEST_RUN, QUEUE, Scene, influxdb, lines, playing, status};

/// What a run's batch gets for an answer; its own point is taken.
fn for_the_batch(sink: &SinkServer, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
    sink.judge(move |request| {
        if request.text().contains(QUEUE) {
            answer(request)
        } else {
            Answer::new(204)
        }
    });
}

fn scene(sink: &SinkServer) -> Scene {
    let scene = Scene::new();
    scene.sinks(&playing("played", sink));
    scene
}

/// After a run with this answer all four points wait and the reason is told; once the sink is well, a flush brings all.
#[track_caller]
fn assert_kept(answer: Answer, reasons: &[&str]) {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    sink.judge(move |_| answer.clone());
    let ended = scene.collect();
    let ledger = scene.ledger("played");
    assert_eq!(ledger.figures(), (4, 0, 4, 0), "{ended:?}");
    for reason in reasons {
        assert!(
            ledger.said().contains(&reason.to_lowercase()),
            "{reason:?} is not in {:?}",
            ledger.last_error
        );
    }
    sink.judge(|_| Answer::new(204));
    sink.forget();
    scene.flush();
    let ledger = scene.ledger("played");
    assert_eq!((ledger.waiting, ledger.rejected), (0, 0), "{ledger:?}");
    assert_eq!(queue_points(&sink), 3, "each point once");
}

/// How many of the collector's points the sink was sent.
fn queue_points(sink: &SinkServer) -> usize {
    let requests = sink.requests();
    requests
        .iter()
        .flat_map(|request| lines(request.text()))
        .filter(|line| line.measurement == QUEUE)
        .count()
}

#[test]
fn taken_with_204() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (4, 4, 0, 0));
    let requests = sink.requests();
    assert_eq!(requests.len(), 2, "the run's own point has a request of its own");
    for request in &requests {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/write")
        );
        assert_eq!(request.parameter("db").as_deref(), Some("metrics"));
        assert_eq!(request.parameter("precision").as_deref(), Some("ns"));
        assert!(
            request.header("content-length").is_some() && request.header("user-agent").is_some(),
            "{request:?}"
        );
    }
    assert_eq!(queue_points(&sink), 3);
}

#[test]
fn taken_with_200_and_nothing_in_it() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    sink.judge(|_| Answer::new(200));
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (4, 4, 0, 0));
}

#[test]
fn a_login_page_is_not_a_database() {
    let page = Answer::ok("<!DOCTYPE html><title>Sign in</title>").header("Content-Type", "text/html");
    assert_kept(page, &["not influxdb"]);
}

#[test]
fn other_2xx_and_3xx_are_not_a_database() {
    for status in [201, 202, 206, 304] {
        assert_kept(Answer::new(status), &["not influxdb"]);
    }
    let elsewhere = SinkServer::start();
    assert_kept(Answer::redirect(&elsewhere.url("/write")), &["not influxdb"]);
    assert!(
        elsewhere.requests().is_empty(),
        "points and password go nowhere else"
    );
}

#[test]
fn a_named_bad_line_among_good_ones() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    for_the_batch(&sink, |request| {
        match request.lines().find(|line| line.contains("set-00001")) {
            None => Answer::new(204),
            Some(bad) => {
                let error = format!("partial write: unable to parse '{bad}': bad timestamp dropped=0");
                Answer::new(400).body(serde_json::json!({ "error": error }).to_string())
            }
        }
    });
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (4, 3, 0, 1));
    let rejected = scene.rejected();
    assert!(
        rejected.contains("bad timestamp"),
        "the server's words: {}",
        rejected
    );
}

#[test]
fn a_batch_that_is_refused_whole_is_rejected_by_that_reason() {
    for status in [400, 422] {
        let sink = SinkServer::start();
        let scene = scene(&sink);
        for_the_batch(&sink, move |_| {
            Answer::new(status).body(r#"{"error":"field type conflict"}"#)
        });
        scene.collect();
        assert_eq!(scene.ledger("played").figures(), (4, 1, 0, 3), "{status}");
    }
}

#[test]
fn who_may_not_write_keeps_all() {
    assert_kept(
        Answer::new(401).body(r#"{"error":"authorization failed"}"#),
        &["401", "password"],
    );
    assert_kept(
        Answer::new(403).body(r#"{"error":"\"u\" user is not authorized"}"#),
        &["403"],
    );
    assert_kept(
        Answer::new(404).body(r#"{"error":"database not found: \"metrics\""}"#),
        &["404", "database"],
    );
}

#[test]
fn too_large_is_halved() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    sink.judge(|request| Answer::new(if request.lines().count() > 1 { 413 } else { 204 }));
    scene.report(7);
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (9, 9, 0, 0));
    let sizes: Vec<usize> = sink
        .requests()
        .iter()
        .map(|request| request.lines().count())
        .collect();
    assert!(sizes.len() <= 60, "at most 60 requests a batch: {sizes:?}");
}

#[test]
fn without_gzip_it_goes_plain() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    sink.judge(|request| {
        Answer::new(if request.header("content-encoding").is_some() {
            415
        } else {
            204
        })
    });
    scene.report(500);
    scene.collect();
    assert_eq!(scene.ledger("played").figures(), (502, 502, 0, 0));
    sink.forget();
    scene.collect();
    let packed = sink
        .requests()
        .iter()
        .filter(|request| request.header("content-encoding").is_some())
        .count();
    assert_eq!(packed, 0, "it is remembered");
}

#[test]
fn server_errors_keep_all() {
    for (status, body) in [
        (500, r#"{"error":"engine is closed"}"#),
        (502, ""),
        (503, ""),
        (408, ""),
    ] {
        assert_kept(Answer::new(status).body(body), &[&status.to_string()]);
    }
}

/// Seconds from the last run's start until the sink is tried again.
#[track_caller]
fn backoff_seconds(scene: &Scene) -> f64 {
    let status = status(&scene.home);
    let started = status.collector("sponsoring")["last_run"]["started"]
        .as_str()
        .expect("a start")
        .to_owned();
    let until = status.sink("played").backoff_until.expect("a backoff");
    seconds(&until) - seconds(&started)
}

/// Seconds since the epoch of a time of RFC 3339.
fn seconds(time: &str) -> f64 {
    let ended = Run::new("date")
        .args(["-u", "+%s.%N", "-d", time])
        .run()
        .expect_code(0);
    ended.stdout.trim().parse().expect("a number")
}

#[test]
fn retry_after_is_heard_in_both_forms() {
    for status in [429, 503] {
        for seconds in [true, false] {
            let sink = SinkServer::start();
            let scene = scene(&sink);
            let form = "+%a, %d %b %Y %H:%M:%S GMT";
            let asked = std::time::Instant::now();
            let date = Run::new("date")
                .args(["-u", form, "-d", "+200 seconds"])
                .env("LC_ALL", "C")
                .run();
            let value = if seconds {
                "200".to_owned()
            } else {
                date.stdout.trim().to_owned()
            };
            let answer = Answer::new(status).header("Retry-After", &value);
            sink.judge(move |_| answer.clone());
            scene.collect();
            // A date comes nearer until the run starts.
            let least = 199.0 - asked.elapsed().as_secs_f64();
            let wait = backoff_seconds(&scene);
            assert!(
                (least..300.0).contains(&wait),
                "{status}, Retry-After {value}: {wait} s"
            );
            sink.forget();
            scene.collect();
            assert!(sink.requests().is_empty(), "it is left alone until then");
            assert_eq!(scene.ledger("played").figures(), (8, 0, 8, 0));
            sink.judge(|_| Answer::new(204));
            scene.flush();
            assert_eq!(scene.ledger("played").waiting, 0);
        }
    }
}

#[test]
fn refused_and_reset_and_cut_keep_all() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    sink.close();
    scene.collect();
    let ledger = scene.ledger("played");
    assert_eq!(ledger.figures(), (4, 0, 4, 0));
    assert!(ledger.said().contains("refused"), "{ledger:?}");
    sink.reopen();
    scene.flush();
    assert_eq!(queue_points(&sink), 3);

    assert_kept(Answer::reset(), &[]);
    assert_kept(Answer::ok("{\"results\":[]}").cut_after(3), &[]);
    assert_kept(Answer::new(503).body("out of order").cut_after(3), &[]);
}

#[test]
fn a_silent_sink_does_not_hold_a_run() {
    let sink = SinkServer::start();
    let scene = scene(&sink);
    sink.judge(|_| Answer::hang());
    let ended = scene.collect();
    assert!(
        ended.wall < LONGEST_RUN,
        "a run waits on delivery for at most 10 s: {:?}",
        ended.wall
    );
    assert_eq!(scene.ledger("played").figures(), (4, 0, 4, 0));
}

/// Of a real server: the fields of one measurement have another type there.
#[test]
fn a_real_type_conflict() {
    let server = Influxd::start(InfluxdOptions::default());
    let url = format!("{}/write?db=metrics", server.url());
    // Each week of points has types of its own, and the next one may begin before the run does.
    for when in ["now", "1 hour"] {
        let time = Run::new("date").args(["+%s%N", "-d", when]).run().expect_code(0);
        let line = format!("{QUEUE},report=x oldest=\"text\" {}", time.stdout.trim());
        assert_eq!(http::post(&url, line.as_bytes()).status, 204);
    }
    let scene = Scene::new();
    scene.sinks(&influxdb("real", &server));
    scene.collect();
    let ledger = scene.ledger("real");
    assert_eq!(ledger.figures(), (4, 1, 0, 3), "{ledger:?}");
    assert_eq!(server.count("tidemark_run", "ok"), 1);
    let rejected = scene.rejected();
    assert!(
        rejected.contains("field type conflict"),
        "the server's words: {}",
        rejected
    );
}

/// Of a real server: a 500 that is a fault of the settings.
#[test]
fn a_real_retention_policy_that_is_not_there() {
    let server = Influxd::start(InfluxdOptions::default());
    let scene = Scene::new();
    let sink = influxdb("real", &server);
    scene.sinks(&format!(
        "{}retention_policy = \"forever\"\n",
        sink.trim_end().to_owned() + "\n"
    ));
    scene.collect();
    let ledger = scene.ledger("real");
    assert_eq!(ledger.figures(), (4, 0, 4, 0));
    assert!(ledger.said().contains("retention"), "{ledger:?}");
    server.query("CREATE RETENTION POLICY forever ON metrics DURATION INF REPLICATION 1");
    scene.flush();
    assert_eq!(scene.ledger("real").figures().1, scene.ledger("real").collected);
}

/// Of a real server: who may not write, and a database that is not there.
#[test]
fn real_rights_and_a_real_missing_database() {
    let user = Some(("metrics".to_owned(), "secret".to_owned()));
    let server = Influxd::start(InfluxdOptions {
        user,
        ..InfluxdOptions::default()
    });
    let right = influxdb("real", &server);
    let scene = Scene::new();
    for (wrong, reason) in [
        (right.replace("\"secret\"", "\"other\""), "401"),
        (
            right.replace("database = \"metrics\"", "database = \"nowhere\""),
            "40",
        ),
    ] {
        scene.sinks(&wrong);
        scene.collect();
        let ledger = scene.ledger("real");
        assert_eq!((ledger.delivered, ledger.rejected), (0, 0), "{ledger:?}");
        assert!(ledger.said().contains(reason), "{ledger:?}");
    }
    server.query("REVOKE ALL ON metrics FROM metrics");
    server.query("GRANT READ ON metrics TO metrics");
    scene.sinks(&right);
    scene.collect();
    let ledger = scene.ledger("real");
    assert!(ledger.said().contains("403"), "{ledger:?}");
    assert_eq!((ledger.delivered, ledger.rejected), (0, 0), "{ledger:?}");
    server.query("GRANT ALL ON metrics TO metrics");
    scene.flush();
    assert_eq!(server.count(QUEUE, "count"), 9);
}

/// Of a real server: bodies that are too large for it.
#[test]
fn a_real_413() {
    let http = "max-body-size = 20000".to_owned();
    let server = Influxd::start(InfluxdOptions {
        http,
        ..InfluxdOptions::default()
    });
    let scene = Scene::new();
    scene.sinks(&influxdb("real", &server));
    scene.report(1000);
    scene.collect();
    // What a run has no time for, the flush brings.
    scene.flush();
    let ledger = scene.ledger("real");
    assert_eq!(ledger.figures(), (1002, 1002, 0, 0), "{ledger:?}");
    assert_eq!(server.count(QUEUE, "count"), 1001);
}
