//! Whatever happens in whatever order: the ledger adds up, nothing is lost, nothing arrives that was not committed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a test says what it expects by failing loudly"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use proptest::prelude::*;
use tidemark_delivery::{Budget, DropSelection, Mended, Outbox, Run};
use tidemark_point::line;
use tidemark_testkit::{Answer, Request, SinkServer};

/// What may happen next.
#[derive(Clone, Debug)]
enum Step {
    /// A run of one of three collectors, with so many points; or runs of so many targets together.
    Commit { collector: u8, points: u8, targets: u8 },
    /// A delivery, during which the server answers so.
    Deliver { mood: Mood, flush: bool },
    /// The process ends without a word, and another one starts.
    Crash,
    /// The process is killed within a delivery.
    CrashWithin { after_millis: u8 },
    /// The operator gives up what waits.
    Drop,
    /// The operator mends what was refused.
    Mend,
    /// Time passes.
    Wait { seconds: u16 },
}

#[derive(Copy, Clone, Debug)]
enum Mood {
    Well,
    /// Refuses points whose number is a multiple of this, and says which, or does not.
    Refuses {
        multiple: u8,
        quotes: bool,
    },
    /// Fails every so many requests.
    Fails {
        every: u8,
        status: u16,
    },
    TooLarge,
    Html,
}

fn step() -> impl Strategy<Value = Step> {
    let mood = prop_oneof![
        3 => Just(Mood::Well),
        2 => (2u8..40, any::<bool>()).prop_map(|(multiple, quotes)| Mood::Refuses { multiple, quotes }),
        2 => (1u8..4, prop_oneof![Just(500u16), Just(503), Just(429), Just(401)])
            .prop_map(|(every, status)| Mood::Fails { every, status }),
        1 => Just(Mood::TooLarge),
        1 => Just(Mood::Html),
    ];
    prop_oneof![
        4 => (0u8..3, 0u8..60, 1u8..4)
            .prop_map(|(collector, points, targets)| Step::Commit { collector, points, targets }),
        4 => (mood, any::<bool>()).prop_map(|(mood, flush)| Step::Deliver { mood, flush }),
        1 => Just(Step::Crash),
        1 => (0u8..20).prop_map(|after_millis| Step::CrashWithin { after_millis }),
        1 => Just(Step::Drop),
        2 => Just(Step::Mend),
        1 => (0u16..8_000).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

fn number(line: &str) -> Option<u64> {
    line.strip_prefix("m,n=")?.split(' ').next()?.parse().ok()
}

/// The lines that the server stored.
type Stored = Arc<Mutex<BTreeSet<String>>>;

fn answer(mood: Mood, count: u64, request: &Request, stored: &Stored) -> Answer {
    let text = request.text();
    let lines = || text.lines().map(str::to_owned);
    match mood {
        Mood::Html => return Answer::ok("<html>"),
        Mood::TooLarge if lines().count() > 7 => return Answer::new(413),
        Mood::Fails { every, status } if count.is_multiple_of(u64::from(every)) => {
            return Answer::new(status);
        }
        Mood::Refuses { multiple, quotes } => {
            let bad: Vec<String> = lines()
                .filter(|line| number(line).is_some_and(|number| number.is_multiple_of(u64::from(multiple))))
                .collect();
            if !bad.is_empty() {
                let quoted: Vec<String> = bad
                    .iter()
                    .map(|line| format!("unable to parse '{line}': bad"))
                    .collect();
                let error = if quotes {
                    quoted.join("\\n")
                } else {
                    "something is bad".to_owned()
                };
                return Answer::new(400).body(format!(r#"{{"error":"{error}"}}"#));
            }
        }
        Mood::Well | Mood::TooLarge | Mood::Fails { .. } => {}
    }
    stored.lock().unwrap().extend(lines());
    Answer::new(204)
}

/// Mends every refused point that is kept: how many these are.
async fn mend(outbox: &Outbox) -> u64 {
    let refused = outbox.rejected(None, 1_000).await.unwrap();
    let mended: Vec<Mended> = refused
        .iter()
        .map(|point| Mended {
            point: line::parse(point.line.replacen("m,", "mended,", 1).as_bytes())
                .next()
                .unwrap()
                .unwrap(),
            refused: vec![point.id],
            sink: None,
        })
        .collect();
    let taken = outbox.take_mended(&mended).await.unwrap();
    assert_eq!(taken.acknowledged, mended.len() as u64);
    assert!(outbox.rejected(None, 1).await.unwrap().is_empty());
    taken.sinks.values().sum()
}

async fn play(steps: Vec<Step>) {
    let server = SinkServer::start();
    let stored: Stored = Arc::default();
    let behave = |mood| {
        let (stored, count) = (stored.clone(), Mutex::new(0u64));
        server.judge(move |request| {
            let count = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count
            };
            answer(mood, count, request, &stored)
        });
    };
    let fixture = Fixture::new(vec![influxdb("influx", &server.url(""))]);
    let mut delivery = fixture.open().await;
    let mut committed: BTreeMap<u64, u8> = BTreeMap::new();
    let (mut own, mut next, mut dropped, mut mended) = (0u64, 0i64, 0u64, 0u64);
    for step in steps {
        match step {
            Step::Commit {
                collector,
                points: count,
                targets,
            } => {
                let mut runs = Vec::new();
                for target in 0..targets {
                    let run = Run {
                        target: (targets > 1).then(|| format!("t{target}")),
                        ..fixture.run(&format!("c{collector}"))
                    };
                    runs.push((run, points(next, i64::from(count))));
                    committed
                        .extend((next..next + i64::from(count)).map(|number| (number as u64, collector)));
                    next += i64::from(count);
                    own += 1;
                }
                match runs.as_slice() {
                    [(run, points)] => delivery.submit(run, points).await.unwrap(),
                    runs => delivery.submit_all(runs).await.unwrap(),
                }
            }
            Step::Deliver { mood, flush } => {
                behave(mood);
                delivery
                    .deliver(if flush { Budget::Flush } else { Budget::Run })
                    .await;
            }
            Step::Crash => {
                drop(delivery);
                delivery = fixture.open().await;
            }
            Step::CrashWithin { after_millis } => {
                behave(Mood::Well);
                let bound = Duration::from_millis(u64::from(after_millis));
                let _ = tokio::time::timeout(bound, delivery.deliver(Budget::Flush)).await;
                drop(delivery);
                delivery = fixture.open().await;
            }
            Step::Drop => {
                dropped += delivery
                    .outbox()
                    .unwrap()
                    .drop_waiting(&DropSelection::default())
                    .await
                    .unwrap()
                    .waiting;
            }
            Step::Mend => mended += mend(delivery.outbox().unwrap()).await,
            Step::Wait { seconds } => fixture.clock.advance(Duration::from_secs(u64::from(seconds))),
        }
        let ledger = ledger(&delivery, "influx").await;
        assert!(ledger.adds_up(), "{ledger:?}");
        assert_eq!(ledger.collected, committed.len() as u64 + own + mended);
        assert!(
            ledger.acknowledged <= ledger.rejected + ledger.dropped,
            "{ledger:?}"
        );
        assert_eq!(ledger.dropped, dropped);
    }
    behave(Mood::Well);
    // A process that was killed lets go of its lock a moment later.
    while !delivery.deliver(Budget::Flush).await.is_drained() {
        tokio::task::yield_now().await;
    }
    let ledger = ledger(&delivery, "influx").await;
    assert_eq!(ledger.waiting, 0);
    let stored = stored.lock().unwrap();
    let arrived: BTreeSet<u64> = stored.iter().filter_map(|line| number(line)).collect();
    assert!(arrived.iter().all(|number| committed.contains_key(number)));
    // A point is at the server, or the ledger knows that it was lost. (What was dropped may have arrived before.)
    let missing = committed.len() + (own + mended) as usize - stored.len();
    assert!(
        missing as u64 <= ledger.rejected + ledger.dropped,
        "{missing} missing: {ledger:?}"
    );
    assert!(
        stored.len() as u64 >= ledger.delivered,
        "{} stored: {ledger:?}",
        stored.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost(steps in proptest::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(steps));
    }
}
