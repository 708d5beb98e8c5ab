use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::{Adjustments, ManualClock, Point, Secret, SecretSource, Timestamp, Value, defaults};
use tidemark_papi::AuthType;
use tidemark_testkit::http::{Request, Response};
use tidemark_testkit::{Certificates, free_port, wait_until};
use tokio::task::spawn_blocking;

use super::*;
use crate::plan::PlannedCluster;
use crate::settings::{DiscoverySettings, PrometheusSettings};

const INTERVAL: Duration = Duration::from_secs(30);
/// The longest that anything is waited for.
const BOUND: Duration = Duration::from_secs(60);

fn settings() -> PrometheusSettings {
    PrometheusSettings {
        listen: None,
        username: None,
        password: None,
        tls_cert: None,
        tls_key: None,
        instance_label_name: None,
        prefix: "isilon_stat_".to_owned(),
        cluster_label: "cluster".to_owned(),
        open_listener: false,
    }
}

fn no_list() -> DiscoverySettings {
    DiscoverySettings {
        enabled: false,
        listen_addr: None,
        sd_port: 9999,
    }
}

/// A secret, as settings make it.
#[derive(tidemark_collect::Settings)]
struct Held {
    /// It.
    #[default("push it")]
    password: SecretSource,
}

fn resolve(source: &SecretSource) -> Result<Secret, io::Error> {
    match source {
        SecretSource::Environment(name) if name == "UNSET" => {
            Err(io::Error::other("the secret $UNSET is not set"))
        }
        _ => match defaults::<Held>().unwrap().password {
            SecretSource::Plain(secret) => Ok(secret),
            _ => Err(io::Error::other("it is not plain")),
        },
    }
}

fn cluster(host: &str, port: Option<u16>) -> PlannedCluster<()> {
    PlannedCluster {
        address: host.parse().unwrap(),
        username: String::new(),
        password: (),
        authtype: AuthType::Session,
        insecure_skip_verify: false,
        ca_file: None,
        preserve_case: false,
        prometheus_port: port,
    }
}

fn plan(prometheus: &PrometheusSettings, discovery: &DiscoverySettings) -> Arc<ListenerPlan> {
    let (plan, notices) = ListenerPlan::of_settings(prometheus, discovery, resolve).unwrap();
    assert_eq!(notices, [""; 0]);
    Arc::new(plan)
}

fn point(key: &str, tags: &[(&str, &str)], fields: &[(&str, Value)]) -> Point {
    let mut builder = Point::builder(key).time(Timestamp::from_secs(1_700_000_000).unwrap());
    for (tag, value) in tags {
        builder = builder.tag(*tag, *value);
    }
    for (field, value) in fields {
        builder = builder.field(*field, value.clone());
    }
    builder.build(&mut Adjustments::default()).unwrap()
}

fn show(exposition: &Exposition, host: &str, name: &str, points: &[Point]) {
    let feed = exposition.feed(&host.parse().unwrap()).unwrap();
    let omitted = feed.show(name, points, |key| Facts {
        description: if key == "cluster.health" {
            "0 is \\ well."
        } else {
            ""
        },
        interval: INTERVAL,
    });
    assert!(omitted.is_empty(), "{omitted}");
}

fn ask(port: u16, path: &str) -> Option<Response> {
    // It may not listen yet, or no longer.
    Request::get(&format!("http://127.0.0.1:{port}{path}"))
        .send()
        .ok()
}

/// Waits for a condition of what is asked, beside the listeners.
async fn until(what: &'static str, condition: impl FnMut() -> bool + Send + 'static) {
    let waited = spawn_blocking(move || wait_until(what, BOUND, condition));
    waited.await.unwrap();
}

/// What listens there once it does.
async fn page(port: u16, path: &'static str) -> String {
    until("it listens", move || ask(port, path).is_some()).await;
    let asked = spawn_blocking(move || ask(port, path)).await;
    let answer = asked.unwrap().expect("it listens still");
    assert_eq!(answer.status, 200);
    answer.text().to_owned()
}

fn samples(page: &str) -> Vec<&str> {
    page.lines().filter(|line| !line.starts_with('#')).collect()
}

fn open(plan: Arc<ListenerPlan>, clusters: &[PlannedCluster<()>], before: Option<Exposition>) -> Exposition {
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    Exposition::open(plan, clusters, clock, before)
}

#[tokio::test]
async fn names_are_those_of_gostats() {
    let port = free_port();
    let clusters = [cluster("cl17.example", Some(port))];
    let exposition = open(plan(&settings(), &no_list()), &clusters, None);
    show(
        &exposition,
        "cl17.example",
        "cl17",
        &[
            point(
                "cluster.health",
                &[("cluster", "cl17"), ("devid", "0"), ("node", "0")],
                &[("value", 1.5.into())],
            ),
            point(
                "node.protostats.nfs",
                &[
                    ("cluster", "cl17"),
                    ("devid", "3"),
                    ("node", "2"),
                    ("op_name", "read"),
                ],
                &[
                    ("op_count", 7_i64.into()),
                    ("op_id", 4_i64.into()),
                    ("op_rate", 0.25.into()),
                ],
            ),
            // One beside op_id is one of two.
            point(
                "node.heat",
                &[("cluster", "cl17"), ("path", "/a\\b \"c\"")],
                &[("op_id", 4.0.into()), ("value", 2.0.into())],
            ),
            point(
                "node.lone",
                &[("cluster", "cl17"), ("degraded", "true")],
                &[("op_rate", 3.0.into())],
            ),
            point(
                "node.summary.protocol",
                &[("cluster", "cl17"), ("class", "read")],
                &[
                    ("time", 1_700_000_000_i64.into()),
                    ("in", 1.0.into()),
                    ("named", "text".into()),
                ],
            ),
        ],
    );
    let text = page(port, "/metrics").await;
    assert_eq!(
        samples(&text),
        [
            r#"isilon_stat_cluster_health{cluster="cl17",devid="0",node="0"} 1.5 1700000000000"#,
            r#"isilon_stat_node_heat_value{cluster="cl17",path="/a\\b \"c\""} 2 1700000000000"#,
            r#"isilon_stat_node_lone{cluster="cl17",degraded="true"} 3 1700000000000"#,
            r#"isilon_stat_node_protostats_nfs_op_count{cluster="cl17",devid="3",node="2",op_name="read"} 7 1700000000000"#,
            r#"isilon_stat_node_protostats_nfs_op_rate{cluster="cl17",devid="3",node="2",op_name="read"} 0.25 1700000000000"#,
            r#"isilon_stat_node_summary_protocol_in{cluster="cl17",class="read"} 1 1700000000000"#,
            r#"isilon_stat_node_summary_protocol_time{cluster="cl17",class="read"} 1700000000 1700000000000"#,
        ]
    );
    assert!(text.contains(
        "# TYPE isilon_stat_cluster_health gauge\n# HELP isilon_stat_cluster_health 0 is \\\\ well.\n"
    ));
    assert!(
        text.contains("# HELP isilon_stat_node_summary_protocol_in Operations"),
        "{text}"
    );
    let landing = page(port, "/").await;
    assert!(
        landing.contains("OneFS cluster cl17.example") && landing.contains("href=\"/metrics\""),
        "{landing}"
    );
}

#[tokio::test]
async fn labels_and_prefix_are_settings() {
    let port = free_port();
    let chosen = PrometheusSettings {
        listen: Some(port.to_string()),
        prefix: "isilon_".to_owned(),
        cluster_label: "hostname".to_owned(),
        instance_label_name: Some("isilon_cluster".to_owned()),
        ..settings()
    };
    let clusters = [cluster("one.example", None), cluster("two.example:8443", None)];
    let exposition = open(plan(&chosen, &no_list()), &clusters, None);
    for (host, name) in [("one.example", "one"), ("two.example:8443", "two")] {
        let health = point("cluster.health", &[("cluster", name)], &[("value", 1.0.into())]);
        show(&exposition, host, name, &[health]);
    }
    assert_eq!(
        samples(&page(port, "/metrics").await),
        [
            "isilon_cluster_health{hostname=\"one\",isilon_cluster=\"one\"} 1 1700000000000",
            "isilon_cluster_health{hostname=\"two\",isilon_cluster=\"two\"} 1 1700000000000",
        ]
    );
    let landing = page(port, "/").await;
    assert!(
        landing.contains("<li>one.example</li>") && landing.contains("<li>two.example:8443</li>"),
        "{landing}"
    );
    assert!(exposition.feed(&"three.example".parse().unwrap()).is_none());
}

#[tokio::test]
async fn a_reload_keeps_what_stays_and_drops_what_goes() {
    let [one, two, all, list] = [free_port(), free_port(), free_port(), free_port()];
    let settings = PrometheusSettings {
        listen: Some(format!("127.0.0.1:{all}")),
        ..settings()
    };
    let before = [cluster("one", Some(one)), cluster("two", Some(two))];
    let exposition = open(plan(&settings, &no_list()), &before, None);
    for name in ["one", "two"] {
        let health = point("cluster.health", &[("cluster", name)], &[("value", 1.0.into())]);
        show(&exposition, name, name, &[health]);
    }
    let line = |name: &str| format!("isilon_stat_cluster_health{{cluster=\"{name}\"}} 1 1700000000000");
    assert_eq!(samples(&page(all, "/metrics").await), [line("one"), line("two")]);
    assert_eq!(samples(&page(one, "/metrics").await), [line("one")]);
    page(two, "/").await;

    let discovery = DiscoverySettings {
        enabled: true,
        listen_addr: Some("metrics.example".to_owned()),
        sd_port: list,
    };
    let after = [cluster("two", Some(two))];
    let exposition = open(plan(&settings, &discovery), &after, Some(exposition));
    // Before the cluster has answered anew.
    assert_eq!(samples(&page(two, "/metrics").await), [line("two")]);
    assert_eq!(samples(&page(all, "/metrics").await), [line("two")]);
    assert_eq!(
        page(list, "/").await,
        format!(
            "[{{\"labels\":{{\"__meta_onefs_cluster\":\"two\",\"__meta_prometheus_job\":\"isilon_stats\"}},\
             \"targets\":[\"metrics.example:{two}\"]}}]\n"
        )
    );
    until("what is no longer wanted is closed", move || {
        ask(one, "/").is_none()
    })
    .await;
    exposition.settle().await;
}

#[tokio::test]
async fn a_cluster_that_changes_its_name_changes_its_labels() {
    let port = free_port();
    let clusters = [cluster("one", Some(port))];
    let exposition = open(plan(&settings(), &no_list()), &clusters, None);
    for (name, key) in [("before", "a"), ("before", "b"), ("after", "a")] {
        show(
            &exposition,
            "one",
            name,
            &[point(key, &[("cluster", name)], &[("value", 1.0.into())])],
        );
    }
    assert_eq!(
        samples(&page(port, "/metrics").await),
        ["isilon_stat_a{cluster=\"after\"} 1 1700000000000"]
    );
}

#[test]
fn targets_say_what_a_scraper_needs() {
    let certificates = Certificates::new();
    let settings = PrometheusSettings {
        listen: Some("[::1]:9090".to_owned()),
        tls_cert: Some(certificates.leaf.certificate.clone()),
        tls_key: Some(certificates.leaf.key.clone()),
        ..settings()
    };
    let plan = plan(&settings, &no_list());
    let told = |clusters: &[PlannedCluster<()>]| {
        let each = plan.targets(clusters, None).into_iter();
        each.map(|group| {
            (
                group.target.port,
                group.labels.into_values().collect::<Vec<_>>().join(" "),
            )
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        told(&[
            cluster("one", Some(1)),
            cluster("two", None),
            cluster("three", Some(3))
        ]),
        [
            (1, "one isilon_stats https".to_owned()),
            (3, "three isilon_stats https".to_owned())
        ]
    );
    assert_eq!(
        told(&[cluster("two", None)]),
        [(9090, "isilon_stats https".to_owned())]
    );
}

#[test]
fn mistakes_name_what_to_write() {
    let secret = |name: &str| Some(SecretSource::Environment(name.to_owned()));
    let path = |name: &str| Some(PathBuf::from(name));
    let user = |name: &str| Some(name.to_owned());
    for (given, expected) in [
        (
            PrometheusSettings {
                listen: user("0.0.0.0:9090"),
                ..settings()
            },
            &["open_listener = true"][..],
        ),
        (
            PrometheusSettings {
                listen: user("[2001:db8::1]:9090"),
                ..settings()
            },
            &["[2001:db8::1]:9090"],
        ),
        (
            PrometheusSettings {
                listen: user("host.example:9090"),
                ..settings()
            },
            &["`listen` \"host.example:9090\" is no address"],
        ),
        (
            PrometheusSettings {
                username: user("me"),
                ..settings()
            },
            &["`username` without `password`"],
        ),
        (
            PrometheusSettings {
                password: secret("X"),
                ..settings()
            },
            &["`password` without `username`"],
        ),
        (
            PrometheusSettings {
                tls_key: path("/k"),
                ..settings()
            },
            &["`tls_key` without `tls_cert`"],
        ),
        (
            PrometheusSettings {
                tls_cert: path("/nowhere/c"),
                tls_key: path("/nowhere/k"),
                ..settings()
            },
            &["/nowhere/c cannot be read"],
        ),
        (
            PrometheusSettings {
                username: user("a:b"),
                password: secret("X"),
                ..settings()
            },
            &["colon"],
        ),
        (
            PrometheusSettings {
                username: user("me"),
                password: secret("UNSET"),
                ..settings()
            },
            &["$UNSET is not set"],
        ),
        (
            PrometheusSettings {
                prefix: "9-".to_owned(),
                cluster_label: "a-b".to_owned(),
                instance_label_name: Some(String::new()),
                ..settings()
            },
            &[
                "`prefix` \"9-\"",
                "`cluster_label` \"a-b\"",
                "`instance_label_name` \"\"",
            ],
        ),
    ] {
        let mistakes = ListenerPlan::of_settings(&given, &no_list(), resolve)
            .map(drop)
            .unwrap_err();
        assert_eq!(mistakes.0.len(), expected.len(), "{mistakes}");
        for (mistake, expected) in mistakes.0.iter().zip(expected) {
            assert!(mistake.contains(expected), "{expected}: {mistake}");
        }
    }
    // A password, or the word, opens it.
    for given in [
        PrometheusSettings {
            listen: user("0.0.0.0:9090"),
            open_listener: true,
            ..settings()
        },
        PrometheusSettings {
            listen: user("0.0.0.0:9090"),
            username: user("me"),
            password: secret("X"),
            ..settings()
        },
        PrometheusSettings {
            listen: user("localhost:9090"),
            prefix: "onefs_".to_owned(),
            ..settings()
        },
    ] {
        let (plan, _) = ListenerPlan::of_settings(&given, &no_list(), resolve).unwrap();
        assert!(plan.is_wanted::<()>(&[]));
        assert!(!format!("{plan:?}").contains("push it"));
    }
}

#[test]
fn no_two_listen_at_one_port() {
    let clusters = [
        cluster("one", Some(9090)),
        cluster("two", Some(9090)),
        cluster("three", Some(0)),
    ];
    let given = PrometheusSettings {
        listen: Some("9091".to_owned()),
        ..settings()
    };
    let discovery = DiscoverySettings {
        enabled: true,
        sd_port: 9091,
        ..no_list()
    };
    let mistakes = plan(&given, &discovery).check(&clusters).unwrap_err();
    assert_eq!(mistakes.0.len(), 3, "{mistakes}");
    assert!(
        mistakes.0[0]
            .contains("`prometheus_port` of two is 9090, which is that of `prometheus_port` of one;"),
        "{mistakes}"
    );
    assert!(
        mistakes.0[2].contains("`sd_port` is 9091, which is that of `listen`"),
        "{mistakes}"
    );

    // Ports without a password are this host's alone, and that is said.
    let notices = plan(&given, &no_list()).check(&clusters[..1]).unwrap();
    assert!(
        notices
            .iter()
            .any(|notice| notice.contains("open_listener = true")),
        "{notices:?}"
    );
    let open = PrometheusSettings {
        open_listener: true,
        ..given
    };
    assert_eq!(plan(&open, &no_list()).check(&clusters[..1]).unwrap(), [""; 0]);
}

#[test]
fn gostats_file_is_followed_where_its_back_end_is_prometheus() {
    let file = tidemark_idic::Prometheus {
        user: Some(("me".to_owned(), SecretSource::Environment("X".to_owned()))),
        tls: None,
        instance_label_name: Some("isilon_cluster".to_owned()),
        http_sd: Some(tidemark_idic::HttpSd {
            listen_addr: None,
            port: 9999,
        }),
    };
    let clusters = [cluster("one", Some(9090))];
    let (with, notices) = ListenerPlan::of_idic(Some(&file), &settings(), &no_list(), resolve).unwrap();
    assert_eq!(
        notices,
        [
            "the list of [prom_http_sd] asks for the listeners' user and password, which gostats' does not: say so in `http_sd_configs` of Prometheus too"
        ]
    );
    assert!(with.is_wanted(&clusters));
    assert_eq!(with.check(&clusters).unwrap(), [""; 0]);
    let listeners: Vec<SocketAddr> = with
        .listeners(
            &clusters,
            &tidemark_expose::Registry::new(Arc::new(ManualClock::new(Timestamp::EPOCH))),
        )
        .iter()
        .map(|listener| listener.address)
        .collect();
    // It has a password: every address, as gostats has it.
    assert_eq!(
        listeners,
        ["[::]:9090".parse().unwrap(), "[::]:9999".parse().unwrap()]
    );
    // Without one, this host alone.
    let file = tidemark_idic::Prometheus { user: None, ..file };
    let (closed, notices) = ListenerPlan::of_idic(Some(&file), &settings(), &no_list(), resolve).unwrap();
    assert_eq!(notices, [""; 0]);
    let registry = tidemark_expose::Registry::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
    let address = closed.listeners(&clusters, &registry)[0].address;
    assert_eq!(address, SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)));
    // For another back end, ports in the file mean nothing.
    let (other, _) = ListenerPlan::of_idic(None, &settings(), &no_list(), resolve).unwrap();
    assert!(!other.is_wanted(&clusters));
}
