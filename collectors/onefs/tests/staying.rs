//! The collector as it stays, against clusters that are well and that are not.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::{BOUND, KEYS, Staying, collector, counted, plan, told, well};
use tidemark_collect::{Clock as _, Metric as _, SystemClock};
use tidemark_onefs::group::{Group, Pace};
use tidemark_papi::Summary;
use tidemark_testkit::onefs::{Odd, OneFs};
use tidemark_testkit::{Answer, wait_until};

const CONFIG: &str = "/platform/1/cluster/config";
const CURRENT: &str = "/platform/1/statistics/current";

/// How often a path was asked for.
fn asked(cluster: &OneFs, path: &str) -> usize {
    cluster.counts().by_path.get(path).copied().unwrap_or_default()
}

/// The keys of each request for values so far.
fn fetched(cluster: &OneFs) -> Vec<Vec<String>> {
    let requests = cluster.requests().into_iter();
    let keys = |query: String| {
        let pairs = query.split('&');
        pairs
            .filter_map(|pair| Some(pair.strip_prefix("key=")?.to_owned()))
            .collect()
    };
    requests
        .filter(|request| request.path == CURRENT)
        .map(|request| keys(request.query))
        .collect()
}

fn key(name: &str) -> String {
    format!("/platform/1/statistics/keys/{name}")
}

#[tokio::test]
async fn each_visit_is_a_run_and_what_is_known_is_not_asked_again() {
    let cluster = OneFs::http("Cl17", 4);
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    for _ in 0..5 {
        let batch = staying.next().await;
        assert_eq!(well(&batch).target.as_deref(), Some("cl17"));
        assert_eq!(
            counted(&batch),
            BTreeMap::from([("cluster.health", 1), ("node.load.1min", 4)])
        );
    }
    let (onefs, _) = staying.stop().await;
    assert_eq!(asked(&cluster, CONFIG), 1);
    assert_eq!(asked(&cluster, &key("cluster.health")), 1);
    assert_eq!(cluster.counts().logins, 1);
    // It does not wait long for the answer.
    wait_until("it logs out", BOUND, || cluster.open_sessions() == 0);

    // After a reload it knows the keys.
    let mut again = collector(plan(&[&cluster], &KEYS));
    again.take_over(&onefs);
    let mut staying = Staying::start(again);
    well(&staying.next().await);
    staying.stop().await;
    assert_eq!(asked(&cluster, &key("cluster.health")), 1);
    assert_eq!(asked(&cluster, CONFIG), 2);
}

#[tokio::test]
async fn keys_of_one_interval_share_a_request_and_groups_may_have_their_own() {
    let cluster = OneFs::http("cl17", 2);
    let mut plan = plan(&[&cluster], &KEYS);
    plan.groups.push(Group::new(
        "other",
        Pace::Every(Duration::from_millis(100)),
        ["ifs.bytes.used"],
    ));
    plan.summaries = vec![Summary::Protocol, Summary::Drive];
    let mut staying = Staying::start(collector(plan.clone()));
    let batch = staying.next().await;
    let (_, more) = staying.stop().await;
    assert_eq!(counted(well(&batch)).len(), 5, "{}", told(&batch));
    let visits = fetched(&cluster);
    let together = ["cluster.health", "node.load.1min", "ifs.bytes.used"];
    assert!(visits.iter().all(|keys| *keys == together), "{visits:?}");
    // The last may have been cut short by the end.
    assert!(visits.len() - (1 + more.len()) <= 1, "{visits:?}");
    // Summaries have an interval of their own.
    assert_eq!(asked(&cluster, "/platform/3/statistics/summary/drive"), 1);
    assert_eq!(asked(&cluster, "/platform/3/statistics/summary/client"), 0);

    plan.by_group = true;
    let mut staying = Staying::start(collector(plan));
    let batch = staying.next().await;
    staying.stop().await;
    assert_eq!(counted(well(&batch)).len(), 5);
    let asked = fetched(&cluster).split_off(visits.len());
    assert!(asked.len() >= 2, "{asked:?}");
    // One after the other, until the end comes between them.
    for (number, keys) in asked.iter().enumerate() {
        let of_group = if number % 2 == 0 {
            &together[..2]
        } else {
            &together[2..]
        };
        assert_eq!(keys, of_group, "{asked:?}");
    }
}

#[tokio::test]
async fn a_cluster_that_hangs_holds_up_no_other() {
    let (slow, quick) = (OneFs::http("slow", 1), OneFs::http("quick", 1));
    slow.change(|behaviour| behaviour.delay = Duration::from_secs(60));
    let mut staying = Staying::start(collector(plan(&[&slow, &quick], &KEYS)));
    for _ in 0..5 {
        let batch = staying.next().await;
        assert_eq!(well(&batch).target.as_deref(), Some("quick"));
    }
    let began = Instant::now();
    let (_, last) = staying.stop().await;
    // A request has thirty seconds, and this one is in the midst of them.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(last.iter().all(|batch| batch.target.as_deref() == Some("quick")));
}

#[tokio::test]
async fn a_cluster_that_comes_up_later_is_visited_then() {
    let cluster = OneFs::http("cl17", 1);
    cluster.close();
    let mut staying = Staying::start_at(collector(plan(&[&cluster], &KEYS)), Duration::from_millis(1500));
    let first = staying.next().await;
    let address = format!("localhost:{}", cluster.port());
    assert_eq!(first.target.as_ref(), Some(&address), "{}", told(&first));
    assert!(first.points.is_empty());
    let error = first.error.expect("it is down");
    // While it rests nothing is asked, and the run says why in the same words.
    let second = staying.next().await;
    assert_eq!(second.error.as_ref(), Some(&error));
    cluster.reopen();
    let batch = staying
        .until("of the name it had before", |batch| batch.error.is_none())
        .await;
    assert_eq!(batch.target.as_ref(), Some(&address));
    assert_eq!(batch.notices, ["the cluster is up, and called cl17"]);
    let batch = staying.next().await;
    assert_eq!(well(&batch).target.as_deref(), Some("cl17"));
    staying.stop().await;
}

#[tokio::test]
async fn clusters_of_one_host_that_never_answered_are_told_apart() {
    let clusters = ["one", "two"].map(|name| OneFs::http(name, 1));
    clusters.iter().for_each(OneFs::close);
    let mut staying = Staying::start(collector(plan(&[&clusters[0], &clusters[1]], &KEYS)));
    let expected: BTreeSet<String> = clusters
        .iter()
        .map(|cluster| format!("localhost:{}", cluster.port()))
        .collect();
    let mut targets = BTreeSet::new();
    // One may be visited again before the other has answered.
    while targets.len() < expected.len() {
        targets.extend(staying.next().await.target);
    }
    assert_eq!(targets, expected);
    let (_, last) = staying.stop().await;
    assert!(
        last.iter()
            .filter_map(|batch| batch.target.as_ref())
            .all(|target| expected.contains(target))
    );
}

#[tokio::test]
async fn a_session_that_one_node_refuses_costs_no_value() {
    let cluster = OneFs::http("cl17", 1);
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    well(&staying.next().await);
    for logins in 2..4 {
        cluster.change(|behaviour| behaviour.refuse = 1);
        staying
            .until("after it logged in anew", |batch| {
                assert_eq!(well(batch).points.len(), 2);
                cluster.counts().logins >= logins
            })
            .await;
    }
    assert_eq!(well(&staying.next().await).points.len(), 2);
    staying.stop().await;
}

#[tokio::test]
async fn values_that_are_too_long_are_not_fetched_again_and_again() {
    let cluster = OneFs::http("cl17", 1);
    let mut staying = Staying::start_at(collector(plan(&[&cluster], &KEYS)), Duration::from_millis(1100));
    well(&staying.next().await);
    cluster.answer(CURRENT, Answer::huge(65 << 20));
    let batch = staying.until("that fails", |batch| batch.error.is_some()).await;
    let during = asked(&cluster, CURRENT);
    for _ in 0..3 {
        assert_eq!(staying.next().await.error, batch.error);
    }
    assert!(
        batch
            .error
            .is_some_and(|error| error.contains("longer than 67108864 bytes")),
        "it says why"
    );
    assert!(during > 1, "it was asked");
    assert_eq!(asked(&cluster, CURRENT), during, "it rests");
    staying.stop().await;
}

#[tokio::test]
async fn a_name_that_no_series_can_have_is_told_once() {
    let cluster = OneFs::http("cl17", 1);
    cluster.answer(CONFIG, Answer::ok(r#"{"name": "Cl\n17\\"}"#));
    let mut staying = Staying::start_at(collector(plan(&[&cluster], &KEYS)), Duration::from_millis(1100));
    let first = staying.next().await;
    assert_eq!(
        first.notices,
        [format!(
            "the name of the cluster at {} has characters in it that no series can have: Cl 17/ is what its points carry",
            cluster.address()
        )],
        "{}",
        told(&first)
    );
    assert_eq!(first.target.as_deref(), Some("cl 17/"));
    assert!(
        first
            .points
            .iter()
            .all(|point| point.tag("cluster") == Some("cl 17/"))
    );
    for _ in 0..3 {
        well(&staying.next().await);
    }
    // Asked who it is after it was away, it says what is known.
    cluster.close();
    staying.until("that fails", |batch| batch.error.is_some()).await;
    cluster.reopen();
    let back = staying
        .until("that does not", |batch| batch.error.is_none())
        .await;
    assert_eq!(well(&back).target.as_deref(), Some("cl 17/"));
    let (onefs, _) = staying.stop().await;
    // After a reload too.
    let mut again = collector(plan(&[&cluster], &KEYS));
    again.take_over(&onefs);
    let mut staying = Staying::start(again);
    well(&staying.next().await);
    staying.stop().await;
}

#[tokio::test]
async fn what_is_changed_in_values_is_told_alike_at_each_visit() {
    let cluster = OneFs::http("cl17", 1);
    let seconds = SystemClock.now().nanos() / 1_000_000_000;
    let answer = |nodes: i64| {
        let item = |node| {
            format!(
                r#"{{"devid": {node}, "key": "node.load.1min", "time": {seconds}, "value": {{"value": 1.5, "op_name": "a\nb"}}}}"#
            )
        };
        let items: Vec<String> = (1..=nodes).map(item).collect();
        Answer::ok(format!(r#"{{"stats": [{}]}}"#, items.join(", ")))
    };
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    well(&staying.next().await);
    for nodes in [1, 3] {
        cluster.answer(CURRENT, answer(nodes));
        let batch = staying
            .until("of so many", |batch| {
                i64::try_from(batch.points.len()) == Ok(nodes) && !batch.notices.is_empty()
            })
            .await;
        assert_eq!(
            batch.notices,
            ["changed, so that the points can be stored: texts changed"]
        );
    }
    staying.stop().await;
}

#[tokio::test]
async fn a_cluster_that_goes_away_and_comes_back_under_another_name() {
    let cluster = OneFs::http("old", 1);
    let mut staying = Staying::start_at(collector(plan(&[&cluster], &KEYS)), Duration::from_millis(1500));
    staying.next().await;
    cluster.close();
    let failed = staying.until("that fails", |batch| batch.error.is_some()).await;
    assert_eq!(failed.target.as_deref(), Some("old"));
    cluster.change(|behaviour| {
        behaviour.name = "New".to_owned();
        behaviour.version = "v9.9".to_owned();
    });
    cluster.reopen();
    let back = staying
        .until("that does not fail", |batch| batch.error.is_none())
        .await;
    assert_eq!(back.target.as_deref(), Some("new"));
    assert_eq!(back.points.len(), 2);
    assert!(
        back.points
            .iter()
            .all(|point| point.tag("cluster") == Some("new"))
    );
    assert_eq!(back.notices.len(), 2, "{}", told(&back));
    assert_eq!(
        asked(&cluster, &key("cluster.health")),
        2,
        "another version has other keys"
    );
    staying.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let cluster = OneFs::http("cl17", 1);
    cluster.change(|behaviour| behaviour.password = "another".to_owned());
    let mut staying = Staying::start_at(collector(plan(&[&cluster], &KEYS)), Duration::from_millis(1200));
    for _ in 0..3 {
        let batch = staying.next().await;
        let error = batch.error.expect("the password is wrong");
        assert!(error.contains("password is refused"), "{error}");
        assert!(!error.contains("correct horse"), "{error}");
    }
    assert_eq!(cluster.counts().refused_logins, 1);
    // With other settings it is tried at once.
    let (onefs, _) = staying.stop().await;
    cluster.change(|behaviour| behaviour.password = "correct horse".to_owned());
    let mut again = collector(plan(&[&cluster], &KEYS));
    again.take_over(&onefs);
    let mut staying = Staying::start(again);
    well(
        &staying
            .until("of its own name", |batch| batch.target.as_deref() == Some("cl17"))
            .await,
    );
    staying.stop().await;
}

#[tokio::test]
async fn keys_that_a_cluster_does_not_have_are_told_once_and_left_out() {
    let cluster = OneFs::http("cl17", 2);
    cluster.change(|behaviour| {
        behaviour.missing.insert("cluster.gone".to_owned());
        behaviour
            .odd
            .insert("cluster.empty".to_owned(), Odd::Error(10, "no data".to_owned()));
        // It has no such thing on one node.
        behaviour.odd_of.insert(
            ("node.load.1min".to_owned(), 2),
            Odd::Error(1, "not here".to_owned()),
        );
    });
    let keys = [
        "cluster.health",
        "cluster.gone",
        "cluster.empty",
        "node.load.1min",
    ];
    let mut staying = Staying::start(collector(plan(&[&cluster], &keys)));
    let first = staying.next().await;
    assert_eq!(
        first.notices,
        [
            "the cluster does not have 1 key (cluster.gone); left out for a day",
            "the cluster has nothing for 1 key (cluster.empty); left out for a day",
        ]
    );
    assert_eq!(first.gaps, [""; 0]);
    let second = staying.next().await;
    assert_eq!(
        counted(well(&second)),
        BTreeMap::from([("cluster.health", 1), ("node.load.1min", 1)])
    );
    let (onefs, _) = staying.stop().await;
    let requests = cluster.requests();
    let last = requests
        .iter()
        .rfind(|request| request.path == CURRENT)
        .expect("a visit");
    assert!(!last.query.contains("cluster.gone") && !last.query.contains("cluster.empty"));

    // They are tried again after a reload.
    let mut again = collector(plan(&[&cluster], &keys));
    again.take_over(&onefs);
    let mut staying = Staying::start(again);
    assert_eq!(staying.next().await.notices.len(), 2);
    staying.stop().await;
}

#[tokio::test]
async fn a_key_that_disappears_costs_no_other() {
    let cluster = OneFs::http("cl17", 1);
    let keys = [
        "cluster.health",
        "cluster.disk.xfers.rate",
        "ifs.bytes.used",
        "ifs.bytes.free",
        "node.load.1min",
    ];
    let mut staying = Staying::start(collector(plan(&[&cluster], &keys)));
    assert_eq!(well(&staying.next().await).points.len(), 5);
    // The whole request fails for it.
    let refusal = r#"[{"code": "AEC_NOT_FOUND", "field": "key", "message": "No such key."}]"#;
    cluster.answer(
        &format!("{CURRENT}?key=ifs.bytes.used"),
        Answer::new(404).body(refusal),
    );
    let batch = staying
        .until("that leaves one out", |batch| !batch.notices.is_empty())
        .await;
    assert_eq!(batch.points.len(), 4, "{}", told(&batch));
    assert_eq!(batch.gaps, [""; 0]);
    assert!(
        batch.notices[0].starts_with("the key ifs.bytes.used is left out for a day: "),
        "{}",
        told(&batch)
    );
    assert_eq!(well(&staying.next().await).points.len(), 4);
    staying.stop().await;
}

#[tokio::test]
async fn a_cluster_that_refuses_everything_for_a_moment_loses_no_key() {
    let cluster = OneFs::http("cl17", 1);
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    well(&staying.next().await);
    cluster.answer(
        CURRENT,
        Answer::new(409).body(r#"{"errors": [{"code": "AEC_CONFLICT", "message": "An upgrade."}]}"#),
    );
    let batch = staying.until("that fails", |batch| batch.error.is_some()).await;
    assert_eq!(batch.notices, [""; 0], "no key is at fault");
    assert_eq!(batch.gaps, [""; 0], "it is said once: {}", told(&batch));
    cluster.answer_as_usual();
    let batch = staying.until("that is well", |batch| batch.error.is_none()).await;
    assert_eq!(counted(well(&batch)).len(), KEYS.len());
    staying.stop().await;
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_gaps_or_errors() {
    let cluster = OneFs::http("cl17", 1);
    let mut plan = plan(&[&cluster], &KEYS);
    plan.summaries = vec![Summary::Drive];
    cluster.change(|behaviour| behaviour.truncate = Some(120));
    let mut staying = Staying::start(collector(plan));
    let batch = staying.next().await;
    assert!(batch.error.is_some() && batch.gaps.len() == 1, "{}", told(&batch));
    cluster.change(|behaviour| behaviour.truncate = None);
    let batch = staying.until("that is well", |batch| batch.error.is_none()).await;
    assert_eq!(counted(well(&batch)).len(), 3, "the summary too");
    cluster.change(|behaviour| behaviour.html = true);
    let batch = staying.until("that fails", |batch| batch.error.is_some()).await;
    assert!(
        batch.error.as_ref().is_some_and(|error| error.contains("HTML")),
        "{}",
        told(&batch)
    );
    staying.stop().await;
}

#[tokio::test]
async fn clocks_that_differ_are_told_once() {
    let cluster = OneFs::http("cl17", 1);
    cluster.change(|behaviour| behaviour.clock_ahead = 3600);
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    let batch = staying.next().await;
    assert_eq!(batch.notices.len(), 1, "{}", told(&batch));
    assert!(
        batch.notices[0].contains("ahead of this host's clock"),
        "{}",
        told(&batch)
    );
    for _ in 0..3 {
        well(&staying.next().await);
    }
    staying.stop().await;
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_sent() {
    let cluster = Arc::new(OneFs::http("cl17", 1));
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    staying.next().await;
    cluster.change(|behaviour| behaviour.delay = Duration::from_millis(700));
    let before = asked(&cluster, CURRENT);
    let visited = Arc::clone(&cluster);
    let is_visited = move || asked(&visited, CURRENT) > before;
    tokio::task::spawn_blocking(move || wait_until("it is visited again", BOUND, is_visited))
        .await
        .unwrap();
    // However slow the machine is: the time that it has for its end stands still while there is work elsewhere.
    let (_still, work) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || work.recv());
    tokio::time::pause();
    let (_, last) = staying.stop().await;
    assert!(!last.is_empty());
    assert_eq!(
        last.iter().map(|batch| batch.points.len()).sum::<usize>(),
        2 * last.len()
    );
}
