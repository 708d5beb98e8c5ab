//! What a file that is right says.

use std::time::Duration;

use tidemark_idic::{AuthType, SummaryStats, UpdateInterval};
use tidemark_settings::{SecretSource, Span};

use crate::{CLUSTER, GLOBAL, GROUP, idic, whole};

#[test]
fn the_least_that_is_right() {
    let idic = idic(&whole());
    assert_eq!(idic.notices(), &[] as &[String]);
    assert!(idic.notes().is_empty());
    let global = &idic.global;
    assert_eq!(
        (global.version.as_str(), global.min_update_interval),
        ("0.39", Span::secs(30))
    );
    assert!(!global.preserve_case && !global.include_degraded && !global.fetch_by_statgroup);
    assert_eq!(global.active_stat_groups, ["cpu"]);
    assert_eq!(idic.summary_stats, SummaryStats::default());
    let cluster = &idic.clusters[0];
    assert_eq!(
        (cluster.hostname.as_str(), cluster.username.as_str()),
        ("cl1", "u")
    );
    assert!(matches!(&cluster.password, SecretSource::Plain(secret) if secret.expose() == "sekrit"));
    assert_eq!(
        (cluster.authtype, cluster.verify_ssl, cluster.disabled),
        (AuthType::Session, true, false)
    );
    assert_eq!((cluster.prometheus_port, cluster.preserve_case), (None, None));
    assert_eq!(idic.active_groups().count(), 1);
}

#[test]
fn every_key_counts() {
    let text = "
[global]
version = \"V0.31\"
stats_processor = \"discard\"
stats_processor_max_retries = 0
stats_processor_retry_interval = 1
max_retries = 0
min_update_interval_override = 5
preserve_case = true
include_degraded = true
fetch_by_statgroup = true
active_stat_groups = [\"b\"]
[logging]
logfile = \"a.log\"
log_file_format = \"json\"
log_level = \"info\"
log_to_stdout = false
[[cluster]]
hostname = \"cl1.example.com\"
username = \"u\"
password = \"$env:PASS_1\"
authtype = \"basic-auth\"
verify-ssl = false
disabled = true
prometheus_port = 9090
preserve_case = false
[[cluster]]
hostname = \"10.0.0.1\"
username = \"v\"
password = \"p\"
authtype = \"session\"
verify-ssl = true
ca_file = \"/etc/cl.pem\"
[summary_stats]
protocol = true
client = true
drive = true
[[statgroup]]
name = \"a\"
update_interval = \"*2.5\"
stats = [\"x\"]
[[statgroup]]
name = \"b\"
update_interval = 30
stats = [\"x\", \"y\"]
";
    let idic = idic(text);
    assert_eq!(idic.global.version, "0.31");
    assert_eq!(idic.global.min_update_interval, Span::secs(5));
    assert!(idic.global.preserve_case && idic.global.include_degraded && idic.global.fetch_by_statgroup);
    let first = &idic.clusters[0];
    assert_eq!(
        (first.authtype, first.verify_ssl, first.disabled),
        (AuthType::Basic, false, true)
    );
    assert_eq!(
        (first.prometheus_port, first.preserve_case),
        (Some(9090), Some(false))
    );
    assert!(matches!(&first.password, SecretSource::Environment(name) if name == "PASS_1"));
    assert_eq!(first.ca_file, None);
    assert_eq!(
        idic.clusters[1].ca_file.as_deref(),
        Some(std::path::Path::new("/etc/cl.pem"))
    );
    let active: Vec<_> = idic
        .active_clusters()
        .map(|cluster| cluster.hostname.as_str())
        .collect();
    assert_eq!(active, ["10.0.0.1"]);
    assert!(idic.summary_stats.protocol && idic.summary_stats.client && idic.summary_stats.drive);
    let groups: Vec<_> = idic.active_groups().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["b"]);
    assert_eq!(idic.statgroups[0].update_interval, UpdateInterval::Times(2.5));
    assert_eq!(
        idic.statgroups[1].update_interval,
        UpdateInterval::Every(Duration::from_secs(30))
    );
    assert_eq!(idic.statgroups[1].stats, ["x", "y"]);
    assert_eq!(
        idic.notes(),
        [
            "F: `logfile`, `log_file_format`, `log_level`, `log_to_stdout` of [logging]: not needed, as the log goes to the \
             journal, or to standard error, and -v shows more of it",
            "F: `max_retries` of [global]: not needed, as a cluster that fails is asked again for ever, after pauses that grow",
            "F: `stats_processor_max_retries`, `stats_processor_retry_interval` of [global]: not needed, as what cannot be \
             written waits in the outbox until it is taken",
        ]
    );
    assert_eq!(idic.notices(), &[] as &[String]);
}

#[test]
fn every_version_from_31_to_39_is_read_however_it_is_written() {
    for minor in 31..=39 {
        for written in [format!("v0.{minor}"), format!("V0.{minor}"), format!("0.{minor}")] {
            let text = whole().replace("v0.39", &written);
            assert_eq!(idic(&text).global.version, format!("0.{minor}"));
        }
    }
}

#[test]
fn intervals_are_times_or_seconds_in_a_string_or_not() {
    let every = |millis| UpdateInterval::Every(Duration::from_millis(millis));
    for (written, interval) in [
        ("\"*\"", UpdateInterval::Times(1.0)),
        ("\"*1\"", UpdateInterval::Times(1.0)),
        ("\"*0.5\"", UpdateInterval::Times(0.5)),
        ("\"*10\"", UpdateInterval::Times(10.0)),
        ("\"30\"", every(30_000)),
        ("\"5.5\"", every(5_500)),
        ("30", every(30_000)),
        ("5.5", every(5_500)),
    ] {
        let text = whole().replace("\"*\"", written);
        assert_eq!(idic(&text).statgroups[0].update_interval, interval, "{written}");
    }
}

/// gostats' own reader takes keys in any case.
#[test]
fn keys_count_in_any_case() {
    let text = whole()
        .replace("[global]", "[Global]")
        .replace("hostname", "HostName")
        .replace("[[statgroup]]", "[[StatGroup]]")
        .replace("name = \"cpu\"", "Name = \"cpu\"");
    let idic = idic(&text);
    assert_eq!((idic.clusters.len(), idic.statgroups.len()), (1, 1));
    assert_eq!(idic.notices(), &[] as &[String]);
}

#[test]
fn both_spellings_of_the_logs_format_are_known() {
    for key in ["log_file_format", "logfile_format"] {
        let idic = idic(&format!(
            "{}[logging]\nlogfile = \"l\"\n{key} = \"text\"\n",
            whole()
        ));
        assert_eq!(idic.notices(), &[] as &[String]);
        assert_eq!(idic.notes().len(), 1);
        assert!(idic.notes()[0].contains(key));
    }
}

#[test]
fn what_gostats_passes_over_is_a_notice() {
    let text = format!(
        "{}colour = \"red\"\n{CLUSTER}authtype = \"kerberos\"\nsite = \"north\"\n{GROUP}[extra]\na = 1\n\
         [[statgroup]]\nname = \"idle\"\n",
        GLOBAL.replace("[\"cpu\"]", "[\"gone\", \"cpu\", \"cpu\"]")
    );
    assert_eq!(
        idic(&text).notices(),
        [
            "F:5:1: `colour` is no key of [global]: it is passed over",
            "F:11:12: `authtype` is `kerberos`, which is not known: \"session\" is taken; write \"session\" or \
             \"basic-auth\"",
            "F:12:1: `site` is no key of [[cluster]]: it is passed over",
            "F:19:1: [[statgroup]] `idle` has no `update_interval`: each statistic's own counts; write \"*\"",
            "F:19:1: [[statgroup]] `idle` has no `stats`",
            "F:17:2: `extra` is no key of the file: it is passed over",
            "F:4:23: `active_stat_groups` names `gone`, which is no [[statgroup]] of the file: it is passed over",
            "F:4:38: `active_stat_groups` names `cpu` twice",
        ]
    );
}

#[test]
fn a_certificate_that_nobody_speaks_of_is_verified() {
    let text = whole().replace("verify-ssl = true\n", "");
    let idic = idic(&text);
    assert!(idic.clusters[0].verify_ssl);
    assert_eq!(
        idic.notices(),
        [
            "F:9:1: [[cluster]] `cl1` has no `verify-ssl`: its certificate is verified, which gostats does not do then; \
             write verify-ssl = true, or false where the cluster has none that can be"
        ]
    );
}

#[test]
fn a_cluster_that_is_disabled_need_not_be_whole() {
    let text = format!("{}[[cluster]]\ndisabled = true\nusername = \"\"\n", whole());
    let read = idic(&text);
    assert_eq!(read.clusters.len(), 1);
    assert_eq!(
        read.notices(),
        ["F:18:1: [[cluster]] is disabled and not whole: it is passed over"]
    );
    let disabled = whole().replace("verify-ssl = true", "disabled = true");
    let read = idic(&disabled);
    assert_eq!(read.active_clusters().count(), 0);
    assert_eq!(
        read.notices(),
        ["F: every [[cluster]] is disabled: nothing is collected"]
    );
}

#[test]
fn a_cluster_twice_is_collected_once() {
    let text = format!("{}{}", whole(), CLUSTER.replace("cl1", "CL1"));
    let idic = idic(&text);
    assert_eq!(idic.clusters.len(), 1);
    assert_eq!(
        idic.notices(),
        ["F:18:1: [[cluster]] `CL1` is there already, at F:9:1: it is passed over"]
    );
}
