//! Clusters that cannot say what their keys are, and clusters that are called the same.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Staying, collector, counted, plan, told, well};
use tidemark_collect::Metric as _;
use tidemark_testkit::Answer;
use tidemark_testkit::onefs::OneFs;

const KEYS: [&str; 4] = [
    "cluster.health",
    "ifs.bytes.free",
    "ifs.bytes.used",
    "node.load.1min",
];

fn path(key: &str) -> String {
    format!("/platform/1/statistics/keys/{key}")
}

/// How often the cluster was asked what that key is.
fn asked(cluster: &OneFs, key: &str) -> usize {
    cluster
        .counts()
        .by_path
        .get(&path(key))
        .copied()
        .unwrap_or_default()
}

fn every_key() -> BTreeMap<&'static str, usize> {
    KEYS.into_iter().map(|key| (key, 1)).collect()
}

#[tokio::test]
async fn a_key_without_a_description_is_fetched_all_the_same() {
    let html = "<html><body>Bad gateway</body></html>";
    let odd = [
        Answer::new(500).body(r#"{"errors": [{"code": "AEC_EXCEPTION", "message": "internal"}]}"#),
        Answer::new(503).body("{}"),
        Answer::new(403).body("{}"),
        Answer::new(200).body(""),
        Answer::new(200).body(html),
        Answer::new(200).body(r#"{"keys": ["#),
        Answer::new(200).body("busy"),
    ];
    for (number, answer) in odd.into_iter().enumerate() {
        let cluster = OneFs::http("cl17", 1);
        cluster.answer(&path("ifs.bytes.free"), answer);
        let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
        let first = staying.next().await;
        assert_eq!(counted(&first), every_key(), "{number}: {}", told(&first));
        assert_eq!((first.error.as_deref(), first.gaps.len()), (None, 0), "{number}");
        let [notice] = &first.notices[..] else {
            panic!("{number}: {}", told(&first));
        };
        let due = "the cluster cannot say what 1 key (ifs.bytes.free) is; fetched as often as the settings let it, and \
                   asked again in a minute: ";
        assert!(notice.starts_with(due), "{number}: {notice}");
        for _ in 0..3 {
            assert_eq!(counted(well(&staying.next().await)), every_key(), "{number}");
        }
        staying.stop().await;
        assert_eq!(asked(&cluster, "ifs.bytes.free"), 1, "{number}");
        assert_eq!(asked(&cluster, "node.load.1min"), 1, "{number}");
    }
}

#[tokio::test]
async fn a_cluster_that_can_describe_nothing_is_asked_little_and_fetched() {
    let cluster = OneFs::http("cl17", 1);
    for key in KEYS {
        cluster.answer(&path(key), Answer::new(500).body("{}"));
    }
    let mut staying = Staying::start(collector(plan(&[&cluster], &KEYS)));
    for failed in ["3 keys", "1 key "] {
        let batch = staying.next().await;
        assert_eq!(counted(&batch), every_key(), "{}", told(&batch));
        assert_eq!(batch.gaps, [""; 0]);
        assert!(batch.notices[0].contains(failed), "{}", told(&batch));
    }
    assert_eq!(counted(well(&staying.next().await)), every_key());
    let (onefs, _) = staying.stop().await;
    assert!(KEYS.iter().all(|key| asked(&cluster, key) == 1));

    // After a reload they are asked again at once.
    cluster.answer_as_usual();
    let mut again = collector(plan(&[&cluster], &KEYS));
    again.take_over(&onefs);
    let mut staying = Staying::start(again);
    assert_eq!(counted(well(&staying.next().await)), every_key());
    staying.stop().await;
    assert!(KEYS.iter().all(|key| asked(&cluster, key) == 2));
}

#[tokio::test]
async fn a_cluster_that_asks_to_be_left_alone_is() {
    let cluster = OneFs::http("cl17", 1);
    let busy = Answer::new(503).header("Retry-After", "1").body("{}");
    cluster.answer(&path("cluster.health"), busy);
    let mut staying = Staying::start_at(collector(plan(&[&cluster], &KEYS)), Duration::from_millis(1200));
    let batch = staying.next().await;
    let error = batch.error.expect("it is busy");
    assert!(error.contains("cannot answer now (503)"), "{error}");
    let current = "/platform/1/statistics/current";
    assert_eq!(cluster.counts().by_path.get(current), None);
    // Then its values come, without that description.
    let batch = staying
        .until("that does not fail", |batch| {
            batch.target.as_deref() == Some("cl17") && batch.error.is_none()
        })
        .await;
    assert_eq!(counted(&batch), every_key(), "{}", told(&batch));
    staying.stop().await;
    assert_eq!(asked(&cluster, "cluster.health"), 1);
}

#[tokio::test]
async fn clusters_that_are_called_the_same_are_told_once() {
    let clusters = [
        OneFs::http("Cl17", 1),
        OneFs::http("cl17", 2),
        OneFs::http("cl18", 1),
    ];
    let mut staying = Staying::start(collector(plan(&clusters.each_ref(), &KEYS)));
    let told = staying
        .until("that tells it", |batch| !batch.notices.is_empty())
        .await;
    let mut notices = told.notices;
    for _ in 0..12 {
        notices.extend(staying.next().await.notices);
    }
    staying.stop().await;
    let [notice] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert!(
        notice.contains(" are both called cl17: they share their series"),
        "{notice}"
    );
    for cluster in &clusters[..2] {
        assert!(notice.contains(&cluster.address()), "{notice}");
    }
}
