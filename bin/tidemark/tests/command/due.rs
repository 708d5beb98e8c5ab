//! `outbox flush --due`, as the flush timer calls it.

use tidemark_testkit::{Answer, SinkServer};

use super::*;

const DUE: [&str; 3] = ["outbox", "flush", "--due"];

fn silent(ended: &Ended) -> bool {
    ended.stdout.is_empty() && ended.stderr.is_empty()
}

#[test]
fn it_is_quiet_and_heeds_the_backoff() {
    let server = SinkServer::start();
    let settings = format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\n[collector.behaving]\n",
        server.url("")
    );
    let site = Site::new(&settings);
    assert!(silent(&site.run(&DUE).expect_code(0)), "nothing has run yet");

    server.judge(|_| Answer::new(503).header("Retry-After", "3600"));
    site.run(&["run", "behaving"]).expect_code(0);
    server.forget();
    assert!(silent(&site.run(&DUE).expect_code(0)), "what waits is no failure");
    assert_eq!(server.requests().len(), 0, "it is left alone");
    // The run's points, its own, and the flush's.
    assert_eq!(site.status()["sinks"][0]["waiting"], 5);

    // The operator ends the backoff, the server asks for a moment, and the timer does the rest.
    server.judge(|_| Answer::new(503).header("Retry-After", "1"));
    site.run(&["outbox", "retry"]).expect_code(1);
    server.judge(|_| Answer::new(204));
    server.forget();
    wait_until("all is delivered", SOON, || {
        let ended = site.run(&DUE).expect_code(0);
        let said = ended.stderr == "tidemark: notice: influxdb: takes points again\n";
        assert!(said || silent(&ended), "{ended:?}");
        site.status()["sinks"][0]["waiting"] == 0
    });
    let sent: String = server.requests().iter().map(|request| request.text()).collect();
    for measurement in ["behaving,", "tidemark_run,collector=behaving", "tidemark_sink,"] {
        assert!(sent.contains(measurement), "{measurement} in {sent}");
    }
    assert!(sent.contains("sink=influxdb"), "{sent}");
}

#[test]
fn it_says_what_it_did_to_who_asks() {
    let site = Site::new(ON);
    site.run(&["run", "behaving"]).expect_code(0);
    let ended = site.tidemark(&DUE).arg("-v").run().expect_code(0);
    assert_eq!(ended.stdout, "");
    assert!(
        ended
            .stderr
            .contains("debug: nothing was delivered but the sinks' own points"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_outbox_that_cannot_be_read_is_a_failure() {
    let site = Site::new(ON);
    site.run(&["run", "behaving"]).expect_code(0);
    let outbox = site.home.state().join("outbox.db");
    // The version, in the header: one of the future.
    let mut bytes = fs::read(&outbox).expect("the outbox");
    bytes[60..64].copy_from_slice(&1000_i32.to_be_bytes());
    fs::write(&outbox, bytes).expect("write");
    let ended = site.run(&DUE).expect_code(1);
    assert!(ended.stderr.contains("version 1000"), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        "tidemark: nothing is delivered: there is no outbox that could be used"
    );
    assert!(
        site.run(&["outbox", "flush", "--due", "--config", "/nowhere.toml"])
            .code
            == Some(78)
    );
}
