//! Whole runs of the collector against recorded documents.
//!
//! `TIDEMARK_REFRESH=1` writes the expected points anew; read them as a diff.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidemark_collect::testing::{self, lines};
use tidemark_collect::{Batch, Context, DefaultState, ManualClock, Metric, Timestamp, defaults};
use tidemark_testkit::{Answer, Source, golden};

use crate::Autopkgtest;

const QUEUES: &str = "/queue_size.json";
const RUNNING: &str = "/static/running.json";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Both instances.
struct Service {
    production: Source,
    staging: Source,
}

impl Service {
    /// One that has these four documents.
    fn new(documents: [Answer; 4]) -> Self {
        let service = Self {
            production: Source::http(),
            staging: Source::http(),
        };
        let [
            production_queues,
            production_running,
            staging_queues,
            staging_running,
        ] = documents;
        service.production.route(QUEUES, production_queues);
        service.production.route(RUNNING, production_running);
        service.staging.route(QUEUES, staging_queues);
        service.staging.route(RUNNING, staging_running);
        service
    }

    /// One run at 2026-11-21 07:00.
    fn run(&self, deadline: Duration) -> Batch {
        let url = |source: &Source, path: &str| source.url(path).parse().unwrap();
        let metric = Autopkgtest {
            production_queue_size: url(&self.production, QUEUES),
            production_running: url(&self.production, RUNNING),
            staging_queue_size: url(&self.staging, QUEUES),
            staging_running: url(&self.staging, RUNNING),
        };
        let now = Timestamp::from_secs(1_795_244_400).unwrap();
        let cx = Context::builder().clock(ManualClock::new(now)).deadline(deadline);
        testing::run(&metric, cx)
    }
}

fn run(documents: [Answer; 4]) -> Batch {
    Service::new(documents).run(Duration::from_secs(60))
}

/// A queue and a running test for each instance.
fn small() -> [Answer; 4] {
    [
        Answer::ok(r#"{"ubuntu":{"noble":{"amd64":1}}}"#),
        Answer::ok(r#"{"a":{"":{"noble":{"amd64":[]}}}}"#),
        Answer::ok(r#"{"ubuntu":{"noble":{"amd64":2}}}"#),
        Answer::ok(r#"{"a":{"":{"noble":{"amd64":[]}}},"b":{"":{"noble":{"amd64":[]}}}}"#),
    ]
}

/// The points of [`small`], in the order of its documents.
const SMALL: [&str; 4] = [
    "autopkgtest_queue_size,arch=amd64,context=ubuntu,instance=production,release=noble count=1i 1795244400000000000\n",
    "autopkgtest_running,arch=amd64,instance=production,release=noble count=1i 1795244400000000000\n",
    "autopkgtest_queue_size,arch=amd64,context=ubuntu,instance=staging,release=noble count=2i 1795244400000000000\n",
    "autopkgtest_running,arch=amd64,instance=staging,release=noble count=2i 1795244400000000000\n",
];

#[test]
fn recorded_documents_give_the_expected_points() {
    let read = |name: &str| Answer::ok(std::fs::read(fixtures().join(name)).unwrap()).gzip();
    let batch = run([
        read("production-queue_size.json"),
        read("production-running.json"),
        read("staging-queue_size.json"),
        read("staging-running.json"),
    ]);
    assert_eq!(
        (batch.error.as_deref(), &batch.gaps[..], &batch.notices[..]),
        (None, &[][..], &[][..])
    );
    golden(fixtures().join("expected.influx"), &lines(&batch));
}

#[test]
fn both_instances_are_submitted() {
    let batch = run(small());
    assert_eq!((batch.error.as_deref(), &batch.gaps[..]), (None, &[][..]));
    assert_eq!(lines(&batch), SMALL.concat());
}

#[test]
fn an_instance_is_asked_over_one_connection() {
    let service = Service::new(small());
    service.run(Duration::from_secs(60));
    for source in [&service.production, &service.staging] {
        let paths: Vec<String> = source
            .requests()
            .into_iter()
            .map(|request| request.path)
            .collect();
        assert_eq!(paths, [QUEUES, RUNNING]);
        assert_eq!(source.connections(), 1);
    }
}

#[test]
fn a_document_that_fails_is_a_gap_that_names_it_and_the_others_count() {
    let names = [
        "production's queues: ",
        "production's running tests: ",
        "staging's queues: ",
        "staging's running tests: ",
    ];
    let answers = [
        (Answer::new(404), "404"),
        (Answer::ok(""), "0 bytes"),
        (Answer::ok("[1, 2]"), "expected an object with a name for each"),
        (Answer::ok("<html>maintenance</html>"), "HTML page"),
        (Answer::ok(r#"{"ubuntu": {"noble": {"amd"#), "EOF"),
    ];
    for broken in 0..4 {
        for (answer, said) in &answers {
            let mut documents = small();
            documents[broken] = answer.clone();
            let batch = run(documents);
            assert_eq!(batch.error, None);
            assert_eq!(batch.gaps.len(), 1, "{:?}", batch.gaps);
            let gap = &batch.gaps[0];
            assert!(gap.starts_with(names[broken]) && gap.contains(said), "{gap}");
            let mut expected = SMALL.to_vec();
            expected.remove(broken);
            assert_eq!(lines(&batch), expected.concat());
        }
    }
}

#[test]
fn a_part_that_is_wrong_is_a_gap_and_the_other_parts_count() {
    let mut documents = small();
    documents[0] = Answer::ok(r#"{"ubuntu":{"noble":{"amd64":1,"arm64":null,"amd64":5}}}"#);
    documents[3] = Answer::ok(r#"{"a":{"":{"noble":{"amd64":7}}}}"#);
    let service = Service::new(documents);
    let batch = service.run(Duration::from_secs(60));
    assert_eq!(batch.error, None);
    assert_eq!(
        batch.gaps,
        [
            "production's queues: ubuntu / noble / arm64 is null, not a count",
            &format!(
                "staging's running tests: {} does not have the form that was expected: no part of it can be read: \
                 a / \"\" / noble / amd64 is 7, not a list",
                service.staging.url(RUNNING)
            ),
        ]
    );
    assert_eq!(
        batch.notices,
        ["production's queues: ubuntu / noble / amd64 is there twice: the first counts"]
    );
    assert_eq!(lines(&batch), SMALL[..3].concat());
}

#[test]
fn documents_that_are_empty_are_no_fault() {
    let batch = run([(); 4].map(|()| Answer::ok("{}")));
    assert_eq!((batch.error, batch.gaps.len(), batch.points.len()), (None, 0, 0));
}

#[test]
fn where_nothing_can_be_read_the_run_is_an_error() {
    let batch = run([
        Answer::new(503),
        Answer::ok("null"),
        Answer::ok(r#"{"ubuntu": null}"#),
        Answer::ok(r#"{"a": []}"#),
    ]);
    let said = batch.error.unwrap();
    assert!(
        said.starts_with("none of the 4 parts gave anything; the first, production's queues: http://")
            && said.contains("503"),
        "{said}"
    );
    assert_eq!((batch.points.len(), batch.gaps.len()), (0, 4));
    // One that says that there is nothing was read.
    let batch = run([
        Answer::new(503),
        Answer::new(503),
        Answer::new(503),
        Answer::ok("{}"),
    ]);
    assert_eq!((batch.error, batch.gaps.len()), (None, 3));
}

#[test]
fn one_that_hangs_costs_no_other_its_time() {
    let mut documents = small();
    documents[0] = Answer::hang();
    let batch = Service::new(documents).run(Duration::from_secs(24));
    assert_eq!(batch.error, None);
    assert!(
        batch.gaps[0].contains("did not answer within"),
        "{:?}",
        batch.gaps
    );
    assert_eq!(lines(&batch), SMALL[1..].concat());
}

#[test]
fn a_document_that_is_huge_is_refused() {
    let mut documents = small();
    documents[1] = Answer::huge(1 << 30);
    documents[2] = Answer::gzip_bomb(1 << 30);
    let batch = run(documents);
    assert_eq!(batch.error, None);
    let limit = (8 << 20).to_string();
    assert!(
        batch.gaps.iter().all(|gap| gap.contains(&limit)),
        "{:?}",
        batch.gaps
    );
    assert_eq!(lines(&batch), [SMALL[0], SMALL[3]].concat());
}

#[test]
fn without_settings_it_asks_ubuntu() {
    let metric: Autopkgtest = defaults().unwrap();
    let urls = [
        &metric.production_queue_size,
        &metric.production_running,
        &metric.staging_queue_size,
        &metric.staging_running,
    ];
    assert_eq!(
        urls.map(|url| url.as_str()),
        [
            "https://autopkgtest.ubuntu.com/queue_size.json",
            "https://autopkgtest.ubuntu.com/static/running.json",
            "https://autopkgtest.staging.ubuntu.com/queue_size.json",
            "https://autopkgtest.staging.ubuntu.com/static/running.json",
        ]
    );
    assert_eq!(Autopkgtest::RUN_INTERVAL.to_string(), "5m");
    assert_eq!(Autopkgtest::DEFAULT, DefaultState::Off);
}
