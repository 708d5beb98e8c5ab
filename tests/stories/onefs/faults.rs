//! Clusters that fail, each in another way, beside two that are well: each fault is told, retries are few, and nobody waits
//! for another.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use tidemark_collect::{Clock as _, SystemClock};
use tidemark_testkit::onefs::{Behaviour, Odd, OneFs, number};
use tidemark_testkit::{Influxd, InfluxdOptions, Running, wait_until};

use super::site::{STAYS, Site, ends, global, hang_up, influxdb, is_of_a_busy_machine, statgroup, table};
use super::values::settings;
use crate::scene::{BOUND, status};

const LOAD: &str = "node.load.1min";
const KEYS: [&str; 5] = [
    LOAD,
    "cluster.health",
    "node.ifs.cache",
    "cluster.protostats.nfs",
    "ifs.bytes.used",
];
const CURRENT: &str = "/platform/1/statistics/current";
/// What a cluster's password is changed to.
const CHANGED: &str = "battery staple";
/// The most seconds between two visits of a cluster that is well. One a second is due, but the machine has other work too;
/// what hangs has thirty, which nobody else waits for.
const LATE: i64 = 20;

/// How each begins to fail, and what is said of it then.
type Fault = (&'static str, fn(&OneFs, &Site), &'static [&'static str]);

const FAULTS: [Fault; 17] = [
    ("well-1", |_, _| {}, &[]),
    ("well-2", |_, _| {}, &[]),
    // Its session ends by itself: it is logged in again, and nobody has to know.
    ("ended", |cluster, _| cluster.end_sessions(), &[]),
    // One node does not know the session.
    ("node-401", |cluster, _| cluster.change(|it| it.refuse = 1), &[]),
    (
        "password",
        |cluster, _| {
            cluster.change(|it| it.password = CHANGED.to_owned());
            cluster.end_sessions();
        },
        &[
            "user `monitor` or the password is refused (401)",
            "so that the account is not locked",
        ],
    ),
    ("smaller", |cluster, _| cluster.change(|it| it.leave(2)), &[]),
    (
        "html",
        |cluster, _| cluster.change(|it| it.html = true),
        &["answered 200 with an HTML page where JSON was due; is the address right"],
    ),
    (
        "truncated",
        |cluster, _| cluster.change(|it| it.truncate = Some(700)),
        &[
            "/platform/1/statistics/current: not all of the answer's 700 bytes can be read: the answer ends in the middle, \
             after 700 bytes",
        ],
    ),
    (
        "odd",
        |cluster, _| cluster.change(odd),
        &[
            "of null (first ",
            "of a text in place of a number (first ",
            "of a list in a list",
            "of true or false",
        ],
    ),
    (
        "deep",
        |cluster, _| {
            cluster.change(|it| {
                it.odd.insert("node.ifs.cache".to_owned(), Odd::Nested(10));
                it.odd.insert("cluster.health".to_owned(), Odd::EmptyList);
            });
        },
        &["of an empty list (first cluster.health)"],
    ),
    (
        "vanishing",
        |cluster, _| {
            cluster.change(|it| {
                it.missing.insert("ifs.bytes.used".to_owned());
            });
        },
        &["the cluster has nothing for 1 key (ifs.bytes.used); left out for a day"],
    ),
    (
        "ahead",
        |cluster, _| cluster.change(|it| it.clock_ahead = 3600),
        &["ahead of this host's clock; one of the clocks is wrong"],
    ),
    (
        "stranger",
        |cluster, site| cluster.present(&site.certificates.stranger),
        &["certificate"],
    ),
    (
        "down",
        |cluster, _| cluster.close(),
        &["check the address, and that the cluster is up"],
    ),
    (
        "busy",
        |cluster, _| cluster.change(|it| it.busy = Some((503, Some("3".to_owned())))),
        &["the cluster cannot answer now (503)"],
    ),
    (
        "slow",
        |cluster, _| cluster.change(|it| it.delay = Duration::from_secs(120)),
        &["within 30 s", "the cluster is overloaded or the way to it is"],
    ),
    (
        "dripping",
        |cluster, _| cluster.change(|it| it.drip = Some(Duration::from_millis(500))),
        &["within 30 s"],
    ),
];

/// Each key's value is odd in another way; one of them is well.
fn odd(it: &mut Behaviour) {
    let odd = [
        ("cluster.health", Odd::Null),
        ("ifs.bytes.used", Odd::Text),
        ("node.ifs.cache", Odd::Bool),
        ("cluster.protostats.nfs", Odd::ListInList),
    ];
    it.odd = odd.map(|(key, odd)| (key.to_owned(), odd)).into();
    it.odd_of = [
        ((LOAD.to_owned(), 1), Odd::NoError),
        ((LOAD.to_owned(), 2), Odd::Error(6, "timed out".to_owned())),
        (
            (LOAD.to_owned(), 3),
            Odd::Value(json!({"value": 1.5, "more": {"deep": [null, "x", 2]}})),
        ),
    ]
    .into();
}

/// All is well again, but for what a cluster is called and asks for.
fn mend(cluster: &OneFs, site: &Site) {
    cluster.change(|it| {
        let password = it.password.clone();
        *it = Behaviour::well(&it.name, 3);
        it.password = password;
        it.intervals = intervals();
    });
    cluster.answer_as_usual();
    cluster.present(&site.certificates.leaf);
    cluster.reopen();
}

fn intervals() -> BTreeMap<String, Option<u64>> {
    KEYS.map(|key| (key.to_owned(), Some(1))).into()
}

fn now() -> i64 {
    SystemClock.now().nanos() / 1_000_000_000
}

/// The seconds at which each cluster's first node had a load, and the load.
fn loads(server: &Influxd) -> BTreeMap<String, BTreeMap<i64, f64>> {
    let all = server.query(&format!(
        "SELECT \"value\" FROM \"{LOAD}\" WHERE \"node\" = '1' GROUP BY \"cluster\""
    ));
    let each = all.iter().map(|series| {
        let rows = series.rows.iter().map(|row| {
            let nanos: i64 = row[0].number().parse().expect("a time");
            (nanos / 1_000_000_000, row[1].number().parse().expect("a number"))
        });
        (series.tags["cluster"].clone(), rows.collect())
    });
    each.collect()
}

/// Waits until each of these clusters has points of that time or later.
#[track_caller]
fn wait_for(server: &Influxd, collector: &Running, names: &BTreeSet<&str>, time: i64) {
    let missing = || -> Vec<String> {
        let loads = loads(server);
        let is_there = |name: &str| {
            loads
                .get(name)
                .and_then(|times| times.last_key_value())
                .is_some_and(|(last, _)| *last >= time)
        };
        names
            .iter()
            .filter(|name| !is_there(name))
            .map(|name| (*name).to_owned())
            .collect()
    };
    let end = std::time::Instant::now() + BOUND;
    while !missing().is_empty() {
        assert!(collector.runs(), "it ended: {}", collector.stderr());
        assert!(
            std::time::Instant::now() < end,
            "nothing of {:?}: {}",
            missing(),
            collector.stderr()
        );
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

#[test]
fn each_is_told_and_holds_up_no_other() {
    let names: Vec<(&str, usize)> = FAULTS.iter().map(|(name, ..)| (*name, 3)).collect();
    let (site, server) = (Site::new(&names), Influxd::start(InfluxdOptions::default()));
    for cluster in &site.clusters {
        mend(cluster, &site);
    }
    let rest = influxdb(&server) + &statgroup("keys", &KEYS);
    let file = |tables: &str| site.idic(&(global("influxdb", 1, &["keys"]) + &rest + tables));
    file(&site.tables());
    settings(&site, "");
    let collector = site.run("tidemark-onefs").arg("--every").bound(STAYS).start();
    let all: BTreeSet<&str> = names.iter().map(|(name, _)| *name).collect();
    wait_for(&server, &collector, &all, 0);

    // All at once, sessions that are seconds old among them.
    let (began, before) = (now(), site.clusters.iter().map(OneFs::counts).collect::<Vec<_>>());
    for (cluster, (_, fail, _)) in site.clusters.iter().zip(FAULTS) {
        fail(cluster, &site);
    }
    let failing = now();
    for (name, _, expected) in FAULTS {
        for words in expected {
            let has = |line: &str| line.contains(&format!("{name}: ")) && line.contains(words);
            let end = std::time::Instant::now() + 2 * BOUND;
            while !collector.stderr().lines().any(has) {
                assert!(
                    std::time::Instant::now() < end,
                    "{name}: {words}: {}",
                    collector.stderr()
                );
                std::thread::park_timeout(Duration::from_millis(100));
            }
        }
    }
    let of_those_that_go_on: BTreeSet<&str> = [
        "well-1",
        "well-2",
        "ended",
        "node-401",
        "smaller",
        "odd",
        "deep",
        "vanishing",
    ]
    .into();
    wait_for(&server, &collector, &of_those_that_go_on, now());

    // While that goes on: a file that is wrong changes nothing, and one that is well is followed, by itself and by a signal.
    let is_said = |words: &str, times: usize| {
        wait_until(words, BOUND, || {
            collector.stderr().matches(words).count() >= times
        });
    };
    site.idic("[global]\nversion = \"v0.99\"\n");
    is_said("those before stay in force: ", 1);
    site.idic("[glob");
    hang_up(&collector);
    is_said("those before stay in force: ", 2);
    wait_for(&server, &collector, &of_those_that_go_on, now());
    let during: Vec<_> = site.clusters.iter().map(OneFs::counts).collect();
    let ended = now();

    // The password is known, and what was wrong is mended: everything is asked at once, not after its rest.
    for cluster in &site.clusters {
        mend(cluster, &site);
    }
    file(&site.tables());
    hang_up(&collector);
    is_said("the settings that were read anew are in force", 1);
    let mended = now();
    wait_for(&server, &collector, &all, mended);
    let written = ends(collector);
    site.run("tidemark")
        .args(["outbox", "flush"])
        .run()
        .expect_code(0);
    let ledger = status(&site.home).sink("idic");
    assert_eq!(ledger.figures(), (ledger.collected, ledger.collected, 0, 0));

    let seconds = usize::try_from(ended - began).expect("a span");
    // Who was well was visited all the time, and each value is what the cluster said.
    let loads = loads(&server);
    for name in &of_those_that_go_on {
        let times: Vec<i64> = loads[*name].keys().copied().collect();
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(
            longest.is_some_and(|gap| gap <= LATE),
            "{name}: {longest:?} s without a value"
        );
        let of_faults = times.iter().filter(|time| (began..ended).contains(*time)).count();
        let due = seconds / 5;
        assert!(of_faults >= due, "{name}: {of_faults} values in {seconds} s",);
    }
    for (name, loads) in &loads {
        for (time, load) in loads {
            assert_eq!(*load, number(LOAD, 1, *time), "{name} at {time}");
        }
    }
    assert!(
        loads["ahead"].keys().any(|time| *time > ended + 3000),
        "its times are the cluster's own"
    );

    // Few requests where all are in vain, and never a login too many.
    for ((name, ..), (before, during)) in FAULTS.iter().zip(before.iter().zip(&during)) {
        let more = |of: fn(&tidemark_testkit::onefs::Counts) -> usize| of(during) - of(before);
        let (refused, logins) = (more(|it| it.refused_logins), more(|it| it.logins));
        assert_eq!(
            refused,
            usize::from(*name == "password"),
            "{name}: refused logins"
        );
        let due = match *name {
            "ended" | "node-401" => 1..=1,
            // Where connections broke off, a new node may have answered.
            "slow" | "dripping" | "busy" | "html" => 0..=3 + seconds / 30,
            _ => 0..=0,
        };
        assert!(due.contains(&logins), "{name}: {logins} logins");
        if ["password", "html", "stranger", "down", "slow", "dripping", "busy"].contains(name) {
            let requests = more(|it| it.requests);
            assert!(
                requests <= 15 + seconds / 10,
                "{name}: {requests} requests in {seconds} s",
            );
        }
    }
    for (name, _, expected) in FAULTS {
        let said = written
            .lines()
            .filter(|line| line.contains(&format!(": {name}: ")) && !is_of_a_busy_machine(line))
            .count();
        // What goes on is told once.
        assert!(said <= 8, "{name}: {said} lines: {written}");
        assert!(said > 0 || expected.is_empty(), "{name}: {written}");
    }
    let node = |name: &str, node: u8| {
        server.query(&format!(
            "SELECT \"value\" FROM \"{LOAD}\" WHERE \"cluster\" = '{name}' AND \"node\" = '{node}' AND time > {}s AND time < {}s",
            failing + 2,
            ended
        ))
    };
    assert!(
        node("smaller", 2).is_empty() && !node("smaller", 3).is_empty(),
        "the node that went away"
    );
    let counts = site.clusters[0].counts();
    assert!(counts.by_path[CURRENT] > 10);
}

/// Where nothing comes of a run it says why, ends with 1, and has logged in once at the most.
#[test]
fn a_run_in_vain_says_why() {
    let site = Site::new(&[("one", 1), ("two", 1)]);
    let [one, two] = &site.clusters[..] else {
        panic!("two")
    };
    one.change(|it| it.password = CHANGED.to_owned());
    let tables = site.tables().replace(CHANGED, "correct horse");
    site.idic(&(global("discard", 5, &["keys"]) + &tables + &statgroup("keys", &KEYS)));
    // One is well: the other is a gap.
    let ended = site.onefs().run().expect_code(0);
    assert!(
        ended.stderr.contains("or the password is refused (401)"),
        "{}",
        ended.stderr
    );
    two.close();
    let ended = site.onefs().run().expect_code(1);
    for words in [
        "none of 2 clusters could be collected",
        "or the password is refused (401)",
        "check the address, and that the cluster is up",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert_eq!(one.counts().refused_logins, 2, "one a run");
    // Basic authentication counts towards a lock-out as well.
    let basic = table(one, "authtype = \"basic-auth\"\n").replace(CHANGED, "correct horse");
    site.idic(&(global("discard", 1, &["keys"]) + &basic + &statgroup("keys", &KEYS)));
    let collector = site.stays();
    wait_until("it is refused", BOUND, || {
        collector.stderr().contains("is refused (401)")
    });
    let asked = one.counts().unauthorized;
    site.idic(&(global("discard", 1, &["keys"]) + &table(one, "") + &statgroup("keys", &KEYS)));
    wait_until("it logs in with the right password", BOUND, || {
        one.counts().logins == 1
    });
    ends(collector);
    assert!((1..=2).contains(&asked), "{asked} requests with a wrong password");
    assert_eq!(
        one.counts().unauthorized,
        asked,
        "the new settings alone have it asked again"
    );
}

/// What hangs holds up neither the end nor what others gave.
#[test]
fn it_ends_while_a_cluster_hangs() {
    let (site, server) = (
        Site::new(&[("well", 1), ("hangs", 1)]),
        Influxd::start(InfluxdOptions::default()),
    );
    for cluster in &site.clusters {
        cluster.change(|it| it.intervals = intervals());
    }
    site.clusters[1].change(|it| it.delay = Duration::from_secs(300));
    site.idic(
        &(global("influxdb", 1, &["keys"]) + &influxdb(&server) + &site.tables() + &statgroup("keys", &KEYS)),
    );
    settings(&site, "");
    let collector = site.run("tidemark-onefs").arg("--every").bound(STAYS).start();
    let is_asked = || site.clusters[1].counts().requests > 0;
    wait_until("one is visited, the other asked", BOUND, || {
        is_asked() && server.count(LOAD, "value") > 2
    });
    let began = std::time::Instant::now();
    ends(collector);
    // What hangs has thirty seconds.
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    let (ledger, asked) = (
        status(&site.home).sink("idic"),
        site.clusters[0].counts().by_path[CURRENT],
    );
    assert_eq!(ledger.rejected + ledger.dropped, 0, "{ledger:?}");
    site.run("tidemark")
        .args(["outbox", "flush"])
        .run()
        .expect_code(0);
    let visits = server.query("SELECT \"points\" FROM \"tidemark_run\" WHERE \"target\" = 'well'");
    let visits = visits.first().map_or(0, |series| series.rows.len());
    assert!(visits + 1 >= asked, "{visits} of {asked} visits");
}
