use std::path::Path;
use std::time::Duration;

use tidemark_collect::{Secret, SecretSource, defaults, testing};
use tidemark_idic::Idic;
use tidemark_papi::{AuthType, Summary};

use super::Plan;
use crate::group::{Group, Pace};
use crate::settings::{
    Authtype, ClusterSettings, DerivedSettings, Function, Hostname, OnefsSettings, StatgroupSettings,
};

fn settings() -> OnefsSettings {
    defaults().expect("defaults that can be read")
}

fn cluster(hostname: &str) -> ClusterSettings {
    ClusterSettings {
        hostname: Hostname(hostname.parse().expect("an address")),
        username: "stats".to_owned(),
        password: SecretSource::Environment("PASSWORD".to_owned()),
        verify_ssl: true,
        ca_file: None,
        authtype: Authtype::Session,
        disabled: false,
        prometheus_port: None,
        preserve_case: None,
    }
}

fn group(name: &str, keys: &[&str]) -> StatgroupSettings {
    StatgroupSettings {
        name: name.to_owned(),
        update_interval: Pace::OWN,
        stats: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn names(groups: &[Group]) -> Vec<&str> {
    groups.iter().map(|group| &*group.name).collect()
}

#[test]
fn nothing_said_is_all_that_is_built_in_every_30_seconds() {
    let mut settings = settings();
    settings.cluster.push(cluster("cl17.example"));
    let plan = Plan::of_settings(&settings).expect("a plan");
    assert_eq!(plan.groups, Group::stock());
    assert_eq!(plan.minimum, Duration::from_secs(30));
    assert_eq!((plan.by_group, plan.include_degraded), (false, false));
    assert_eq!(plan.summaries, []);
    assert_eq!(plan.notices, [""; 0]);
    let [cluster] = &plan.clusters[..] else {
        panic!("{} clusters", plan.clusters.len());
    };
    assert_eq!(cluster.address.to_string(), "https://cl17.example:8080");
    assert_eq!(cluster.authtype, AuthType::Session);
    assert!(!cluster.insecure_skip_verify && !cluster.preserve_case);
}

#[test]
fn no_cluster_is_a_mistake_and_disabled_ones_are_not() {
    let mut settings = settings();
    let mistakes = Plan::of_settings(&settings).expect_err("no cluster");
    assert!(
        mistakes.0[0].contains("[[collector.onefs.cluster]]"),
        "{mistakes}"
    );

    settings.cluster.push(ClusterSettings {
        disabled: true,
        ..cluster("cl17.example")
    });
    let plan = Plan::of_settings(&settings).expect("a plan");
    assert_eq!(plan.clusters.len(), 0);
    assert_eq!(plan.notices, ["disabled in the settings: cl17.example"]);
}

#[test]
fn what_a_cluster_says_of_itself_counts_before_what_is_said_of_all() {
    let mut settings = settings();
    settings.preserve_case = true;
    settings.cluster.push(cluster("one.example"));
    settings.cluster.push(ClusterSettings {
        preserve_case: Some(false),
        verify_ssl: false,
        authtype: Authtype::Basic,
        prometheus_port: Some(9001),
        ..cluster("two.example:443")
    });
    let plan = Plan::of_settings(&settings).expect("a plan");
    let plan = plan
        .resolve(|_| Ok::<_, std::fmt::Error>(testing::secret("geheim")))
        .expect("passwords");
    let [one, two] = &plan.clusters[..] else {
        panic!("{} clusters", plan.clusters.len());
    };
    assert_eq!(one.tag("Cluster-One"), "Cluster-One");
    assert_eq!(two.tag("Cluster-Two"), "cluster-two");
    assert!(two.insecure_skip_verify);
    assert_eq!(two.authtype, AuthType::Basic);
    assert_eq!(two.prometheus_port, Some(9001));
}

#[test]
fn groups_of_ones_own_come_beside_those_that_are_built_in() {
    let mut settings = settings();
    settings.cluster.push(cluster("cl17.example"));
    settings.statgroup = vec![
        group("mine", &["node.ifs.ops.in"]),
        group("cache_stats", &["node.ifs.cache", "node.ifs.cache.more"]),
    ];
    settings.summary_stats.drive = true;
    let plan = Plan::of_settings(&settings).expect("a plan");
    assert_eq!(plan.groups.len(), 14);
    assert_eq!(
        plan.groups[11].keys.len(),
        2,
        "it takes the place of the one built in"
    );
    assert_eq!(&*plan.groups[13].name, "mine");
    assert_eq!(plan.summaries, [Summary::Drive]);

    settings.active_stat_groups = Some(
        ["mine", "cluster_health_stats", "myne"]
            .map(str::to_owned)
            .to_vec(),
    );
    let plan = Plan::of_settings(&settings).expect("a plan");
    assert_eq!(names(&plan.groups), ["cluster_health_stats", "mine"]);
    assert_eq!(plan.notices.len(), 1);
    assert!(plan.notices[0].contains("\"myne\""), "{}", plan.notices[0]);

    settings.active_stat_groups = Some(Vec::new());
    let plan = Plan::of_settings(&settings).expect("a plan");
    assert_eq!(names(&plan.groups), [""; 0]);
}

#[test]
fn every_password_that_is_not_found_is_told() {
    let mut settings = settings();
    for name in ["one.example", "two.example", "three.example"] {
        settings.cluster.push(cluster(name));
    }
    let plan = Plan::of_settings(&settings).expect("a plan");
    let mistakes = plan
        .resolve(|_| Err::<Secret, _>(std::fmt::Error))
        .expect_err("no password");
    assert_eq!(mistakes.0.len(), 3);
    assert!(
        mistakes.0[1].starts_with("the password of https://two.example:8080: "),
        "{mistakes}"
    );
}

#[test]
fn what_is_derived_brings_its_keys() {
    let mut settings = settings();
    settings.cluster.push(cluster("cl17.example"));
    settings.concurrency = true;
    settings.derived = vec![DerivedSettings {
        key: "node.load.1min".to_owned(),
        functions: vec![Function::Max],
        percent_change: false,
    }];
    let plan = Plan::of_settings(&settings)
        .expect("a plan")
        .with_derived(&settings);
    assert_eq!(plan.groups.len(), 14);
    assert_eq!(
        plan.groups[13],
        Group::new("derived", Pace::OWN, ["node.ifs.ops.in", "node.ifs.ops.out"])
    );
    let names: Vec<String> = plan.derivations.names().collect();
    for name in ["cluster.ifs.concurrency", "cluster.node.load.1min.max"] {
        assert!(names.iter().any(|made| made == name), "no {name} in {names:?}");
    }
}

#[test]
fn gostats_file_says_the_same() {
    let text = r#"
[global]
version = "v0.38"
stats_processor = "discard"
min_update_interval_override = 5
fetch_by_statgroup = true
include_degraded = true
active_stat_groups = ["slow", "own", "gone"]
[[cluster]]
hostname = "cl17.example"
username = "stats"
password = "$env:PW"
verify-ssl = false
ca_file = "/etc/cl17.pem"
authtype = "basic-auth"
prometheus_port = 9001
preserve_case = true
[[cluster]]
hostname = "cl18.example:443"
username = "stats"
password = "geheim"
verify-ssl = true
disabled = true
[[cluster]]
hostname = "CL17.example:8080"
username = "stats"
password = "$env:PW"
verify-ssl = false
[summary_stats]
client = true
[[statgroup]]
name = "own"
update_interval = "*"
stats = ["cluster.health"]
[[statgroup]]
name = "slow"
update_interval = "*2.5"
stats = ["ifs.bytes.used", "ifs.bytes.free"]
[[statgroup]]
name = "fixed"
update_interval = "60"
stats = ["ifs.bytes.total"]
"#;
    let idic = Idic::parse(text, Path::new("idic.toml")).expect("a file of gostats");
    let plan = Plan::of_idic(&idic).expect("a plan");
    assert_eq!(
        plan.groups,
        [
            Group::new("own", Pace::OWN, ["cluster.health"]),
            Group::new("slow", Pace::Times(2.5), ["ifs.bytes.used", "ifs.bytes.free"]),
        ]
    );
    assert_eq!(plan.minimum, Duration::from_secs(5));
    assert_eq!((plan.by_group, plan.include_degraded), (true, true));
    assert_eq!(plan.summaries, [Summary::Client]);
    // One is disabled, and one is there twice.
    let [cluster] = &plan.clusters[..] else {
        panic!("{} clusters", plan.clusters.len());
    };
    assert_eq!(cluster.address.to_string(), "https://cl17.example:8080");
    assert_eq!(cluster.authtype, AuthType::Basic);
    assert_eq!(cluster.prometheus_port, Some(9001));
    assert_eq!(cluster.ca_file.as_deref(), Some(Path::new("/etc/cl17.pem")));
    assert!(cluster.insecure_skip_verify && cluster.preserve_case);
    assert!(matches!(&cluster.password, SecretSource::Environment(name) if name == "PW"));
}
