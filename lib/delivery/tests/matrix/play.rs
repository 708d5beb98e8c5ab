//! Playing a row of the table: a run goes to three servers at once, which all answer alike.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidemark_delivery::{Budget, Delivery, SinkReport, SinkState};
use tidemark_testkit::Answer;

use crate::common::{Fixture, asked, at, deliver_until, ledger, points};
use crate::servers::{Asked, KINDS, Kind, Lost, OWN, Said, Server, number};

/// The points of a run, without `tidemark_run`: enough for a body that is packed.
pub(crate) const POINTS: u32 = 64;
/// The points that a server that minds them does not take.
pub(crate) const BAD: [u32; 2] = [7, 40];
/// When the run was: every wait counts from then.
const NOW: i64 = 1;
/// The most that the first wait after a failure is.
const FIRST_BACKOFF: i64 = 5;

/// What a server does.
pub(crate) enum Serve {
    /// Stores each request, and says so like this.
    Stores(Answer),
    /// Stores nothing, and answers each request like this.
    Refuses(Answer),
    /// Answers requests that hold a bad point; the first one that is bad is given. Nothing of such a request is stored.
    Whole(fn(&Asked, u32) -> Answer),
    /// Answers requests that hold bad points; these are given. The others are stored.
    Partial(fn(&Asked, &[u32]) -> Answer),
    /// Answers each request that is packed by gzip like this, and stores the others.
    Plain(Answer),
    /// Answers each request of more points like this, and stores the others.
    Larger(usize, Answer),
    /// Takes no connection.
    Closed,
}

impl Serve {
    fn begin(self, server: &Server) {
        let all = |answer| Said {
            answer,
            lost: Lost::All,
        };
        let stored = || Said {
            answer: Answer::new(204),
            lost: Lost::Nothing,
        };
        let bad = |asked: &Asked| -> Vec<u32> { BAD.into_iter().filter(|bad| asked.has(*bad)).collect() };
        match self {
            Self::Stores(answer) => server.judge(move |_| Said {
                answer: answer.clone(),
                lost: Lost::Nothing,
            }),
            Self::Refuses(answer) => server.judge(move |_| all(answer.clone())),
            Self::Whole(says) => server.judge(move |asked| match bad(asked).first() {
                Some(bad) => all(says(asked, *bad)),
                None => stored(),
            }),
            Self::Partial(says) => server.judge(move |asked| match bad(asked) {
                bad if bad.is_empty() => stored(),
                bad => Said {
                    answer: says(asked, &bad),
                    lost: Lost::Some(bad),
                },
            }),
            Self::Plain(answer) => server.judge(move |asked| match asked.encoding.as_deref() {
                Some("gzip") => all(answer.clone()),
                _ => stored(),
            }),
            Self::Larger(most, answer) => server.judge(move |asked| match asked.numbers.len() > most {
                true => all(answer.clone()),
                false => stored(),
            }),
            Self::Closed => server.server.close(),
        }
    }
}

/// What becomes of the points.
pub(crate) enum Fate {
    /// All are delivered.
    Delivered { requests: usize },
    /// All are delivered, and nothing is packed by gzip any more.
    DeliveredPlain { requests: usize },
    /// These are refused with that reason, the others are delivered.
    Rejected {
        numbers: Vec<u32>,
        reason: &'static str,
        status: u16,
        requests: usize,
    },
    /// All wait.
    Waits {
        said: &'static str,
        until: Until,
        requests: usize,
        /// Nothing is packed by gzip any more.
        plain: bool,
    },
}

/// When a sink is tried again.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Until {
    /// As after any first failure: at any time within a few seconds.
    Soon,
    /// After so many seconds.
    After(i64),
}

/// Plays a row: an answer of each kind of server, and what becomes of the points. Where the servers never have done, the
/// time of the first delivery is up `silence` after all of them were asked.
pub(crate) async fn play(cells: [(Serve, Fate); 3], silence: Option<Duration>) {
    let servers = KINDS.map(Server::start);
    let fixture = Fixture::new(
        servers
            .iter()
            .map(|server| server.kind.sink(&server.server))
            .collect(),
    );
    let mut delivery = fixture.open().await;
    let mut fates = Vec::new();
    for (server, (serve, fate)) in servers.iter().zip(cells) {
        serve.begin(server);
        fates.push(fate);
    }
    let all: BTreeSet<u32> = (0..POINTS).chain([OWN]).collect();
    let run = fixture.run("a");
    delivery.submit(&run, &points(0, POINTS.into())).await.unwrap();
    let report = match silence {
        None => delivery.deliver(Budget::Run).await,
        Some(silence) => {
            let over = async {
                for server in &servers {
                    asked(&server.server, 1).await;
                }
                tokio::time::sleep(silence).await;
            };
            deliver_until(&mut delivery, over).await
        }
    };
    for ((server, fate), report) in servers.iter().zip(&fates).zip(&report.sinks) {
        check(&delivery, server, &all, fate, report).await;
    }

    // Mended, and once every wait is over, all that waited is delivered, and the next run too.
    for server in &servers {
        server.server.reopen();
        server.mend();
        server.server.forget();
    }
    fixture.clock.set(at(NOW + 3_600));
    delivery.close().await;
    let mut delivery = fixture.open().await;
    let run = fixture.run("a");
    delivery
        .submit(&run, &points(POINTS.into(), POINTS.into()))
        .await
        .unwrap();
    let report = delivery.deliver(Budget::Run).await;
    assert!(report.is_drained(), "{report:?}");
    let all: BTreeSet<u32> = (0..2 * POINTS).chain([OWN]).collect();
    for (server, fate) in servers.iter().zip(&fates) {
        let name = server.kind.name();
        let rejected = match fate {
            Fate::Rejected { numbers, .. } => numbers.iter().copied().collect(),
            _ => BTreeSet::new(),
        };
        let whereabouts = Whereabouts::find(&delivery, server.kind).await;
        assert_eq!(whereabouts.waiting, BTreeSet::new(), "{name}");
        // The second run's own point was taken in any case.
        let expected: BTreeSet<u32> = all
            .iter()
            .copied()
            .filter(|number| *number == OWN || !rejected.contains(number))
            .collect();
        assert_eq!(server.kept(), expected, "{name}");
        let ledger = ledger(&delivery, name).await;
        let lost = rejected.len() as u64;
        let counts = [
            ledger.collected,
            ledger.delivered,
            ledger.rejected,
            ledger.waiting,
        ];
        assert_eq!(counts, [130, 130 - lost, lost, 0], "{name}");
        assert_eq!((ledger.last_error, ledger.backoff_until), (None, None), "{name}");
        let packed = match (server.kind, fate) {
            (Kind::RemoteWrite, _) => Some("snappy"),
            (_, Fate::DeliveredPlain { .. } | Fate::Waits { plain: true, .. }) => None,
            _ => Some("gzip"),
        };
        for asked in server.asked().iter().filter(|asked| asked.numbers.len() > 60) {
            assert_eq!(asked.encoding.as_deref(), packed, "{name}");
        }
    }
}

/// Where the points of a sink are.
struct Whereabouts {
    waiting: BTreeSet<u32>,
    /// With reason and status.
    rejected: BTreeMap<u32, (String, Option<u16>)>,
}

impl Whereabouts {
    async fn find(delivery: &Delivery, kind: Kind) -> Self {
        let outbox = delivery.outbox().unwrap();
        let sink = Some(kind.name());
        let mut waiting = BTreeSet::new();
        for batch in outbox.waiting(sink, 0, 100).await.unwrap() {
            let text = String::from_utf8(outbox.body(batch.id, sink).await.unwrap()).unwrap();
            let numbers: Vec<u32> = text.lines().map(number).collect();
            assert_eq!(numbers.len() as u64, batch.points, "{kind:?}");
            waiting.extend(numbers);
        }
        let rejected = outbox.rejected(sink, 1_000).await.unwrap();
        let rejected = rejected
            .into_iter()
            .map(|point| (number(&point.line), (point.reason, point.status)));
        Self {
            waiting,
            rejected: rejected.collect(),
        }
    }
}

async fn check(delivery: &Delivery, server: &Server, all: &BTreeSet<u32>, fate: &Fate, report: &SinkReport) {
    let kind = server.kind;
    let found = Whereabouts::find(delivery, kind).await;
    let ledger = ledger(delivery, kind.name()).await;
    let none = BTreeSet::new();
    let (delivered, rejected, waiting, requests) = match fate {
        Fate::Delivered { requests } | Fate::DeliveredPlain { requests } => {
            (all.clone(), none.clone(), none, *requests)
        }
        Fate::Rejected {
            numbers, requests, ..
        } => {
            let rejected: BTreeSet<u32> = numbers.iter().copied().collect();
            (all - &rejected, rejected, none, *requests)
        }
        Fate::Waits { requests, .. } => (none.clone(), none, all.clone(), *requests),
    };
    // What the ledger says, what the server has, and what the outbox has.
    let counts = [
        ledger.collected,
        ledger.delivered,
        ledger.waiting,
        ledger.rejected,
        ledger.dropped,
    ];
    let expected = [all.len(), delivered.len(), waiting.len(), rejected.len(), 0].map(|count| count as u64);
    assert_eq!(counts, expected, "{kind:?}: {report:?}");
    assert_eq!(server.kept(), delivered, "{kind:?}");
    assert_eq!(found.waiting, waiting, "{kind:?}");
    // Its own rejection is counted, and not reported.
    let reported: BTreeSet<u32> = rejected.iter().copied().filter(|number| *number != OWN).collect();
    assert_eq!(
        found.rejected.keys().copied().collect::<BTreeSet<_>>(),
        reported,
        "{kind:?}"
    );
    assert_eq!(server.server.requests().len(), requests, "{kind:?}: requests");
    match fate {
        Fate::Waits { said, until, .. } => {
            let SinkState::Failed(told) = &report.state else {
                panic!("{kind:?}: {report:?}")
            };
            // An answer is told to the letter; of the network's failures, what matters.
            match said.starts_with("answered ") {
                true => assert_eq!(told, said, "{kind:?}"),
                false => assert!(told.contains(said), "{kind:?}: {told}"),
            }
            assert_eq!(ledger.last_error.as_deref(), Some(told.as_str()), "{kind:?}");
            let backoff = ledger.backoff_until.expect("a backoff");
            match until {
                Until::Soon => assert!(
                    (at(NOW)..=at(NOW + FIRST_BACKOFF)).contains(&backoff),
                    "{kind:?}: {backoff}"
                ),
                Until::After(seconds) => assert_eq!(backoff, at(NOW + seconds), "{kind:?}"),
            }
        }
        _ => {
            assert_eq!(report.state, SinkState::Drained, "{kind:?}");
            assert_eq!(
                (ledger.last_error, ledger.backoff_until),
                (None, None),
                "{kind:?}"
            );
        }
    }
    if let Fate::Rejected { reason, status, .. } = fate {
        for (number, (told, by)) in &found.rejected {
            assert_eq!(
                (told.as_str(), *by),
                (*reason, Some(*status)),
                "{kind:?}: {number}"
            );
        }
    }
}
