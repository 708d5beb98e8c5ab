//! What dashboards ask, and what a delivery that is repeated does to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidemark_testkit::{Answer, SinkServer, http};

use super::Stage;
use crate::scene::{BOUND, playing};

/// The rows of a query: its tag, where it is grouped, and the value in the column.
fn rows(stage: &Stage, query: &str, tag: &str, column: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for series in stage.server.query(query) {
        let tag = series.tags.get(tag).cloned().unwrap_or_default();
        for cell in series.column(column) {
            rows.push(format!("{tag} {}", super::value(column, cell)).trim().to_owned());
        }
    }
    rows.sort_unstable();
    rows
}

const QUEUES: &str = "SELECT sum(\"count\") FROM \"autogen\".\"ubuntu_queue_size\" WHERE \"status\" = 'Unapproved' \
    AND \"devel\" = 'False' AND time > now() - 6h GROUP BY time(5m), \"release\" fill(none)";

#[test]
fn dashboards_find_what_they_ask_for() {
    let stage = Stage::new();
    stage.run_all();
    // The variable that filters all others.
    let releases = "SHOW TAG VALUES FROM \"daily_image_details\" WITH KEY = \"release\"";
    assert_eq!(
        rows(&stage, releases, "", "value"),
        ["jammy", "noble", "tenacious"]
    );
    assert_eq!(
        rows(&stage, QUEUES, "release", "sum"),
        ["jammy 1", "noble 3", "trusty 0"]
    );
    for (query, tag, column, due) in [
        (
            "SELECT mean(\"run_age\") FROM \"metrics\".\"autogen\".\"britney_last_run_age\" \
             WHERE \"release\" =~ /^(jammy|noble)$/ GROUP BY \"release\"",
            "release",
            "mean",
            &["jammy 26", "noble 3"][..],
        ),
        (
            "SELECT last(\"age\") FROM \"daily_image_details\" WHERE \"current_or_pending\" = 'pending' GROUP BY \"flavor\"",
            "flavor",
            "last",
            &["ubuntu 1"],
        ),
        (
            "SELECT sum(\"count\") FROM \"autogen\".\"autopkgtest_queue_size\" WHERE \"instance\" = 'production' \
             AND time > now() - 6h GROUP BY time(5m), \"context\" fill(none)",
            "context",
            "sum",
            &["huge 2", "ubuntu 15"],
        ),
        (
            "SELECT \"total\" FROM \"autogen\".\"nbs_stats\" WHERE time > now() - 12h",
            "",
            "total",
            &["170", "171"],
        ),
        (
            "SELECT last(\"oldest_age_in_days\") FROM \"queue_ages\" WHERE \"devel\" = 'True' GROUP BY \"status\"",
            "status",
            "last",
            &["New 30", "Unapproved 0"],
        ),
        (
            "SELECT last(\"out_of_date\") FROM \"command_not_found_age\" WHERE \"release\" =~ /^noble$/ GROUP BY \"release\"",
            "release",
            "last",
            &["noble false"],
        ),
    ] {
        assert_eq!(rows(&stage, query, tag, column), due, "{query}");
    }
}

/// A database that stores what it is sent, and whose answer is lost on the way: the batch is delivered again, under the
/// times that it has.
#[test]
fn what_is_delivered_twice_counts_once() {
    let stage = Stage::new();
    let (url, ca_file) = (stage.server.url(), stage.server.ca_file().to_owned());
    let (user, password) = stage.server.user().expect("a user");
    let (user, password) = (user.to_owned(), password.to_owned());
    let stored = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&stored);
    let between = SinkServer::start();
    between.judge(move |request| {
        let target = format!("{url}{}?{}", request.path, request.query);
        let sent = http::Request::post(&target, &request.body)
            .basic(&user, &password)
            .trust(&ca_file)
            .send();
        assert_eq!(sent.expect("an answer").status, 204);
        let is_lost = count.fetch_add(1, Ordering::SeqCst) < 2;
        Answer::new(if is_lost { 503 } else { 204 })
    });
    let settings = stage.world.settings() + &playing("between", &between);
    stage.home.settings(&settings);
    let run = stage.home.run("tidemark-upload-queues").bound(BOUND).run();
    run.expect_code(0);
    let once = rows(&stage, QUEUES, "release", "sum");
    assert_eq!(
        once,
        ["jammy 1", "noble 3", "trusty 0"],
        "stored, and not acknowledged"
    );
    // However many tries it takes.
    let flush = || {
        stage
            .home
            .run("tidemark")
            .args(["outbox", "flush"])
            .bound(BOUND)
            .run()
    };
    assert!(
        (0..5).any(|_| flush().code == Some(0)),
        "it is delivered in the end"
    );
    assert!(stored.load(Ordering::SeqCst) > 3, "it was sent more than once");
    assert_eq!(rows(&stage, QUEUES, "release", "sum"), once);
}
