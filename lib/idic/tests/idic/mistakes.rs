//! What is said of a file that is wrong.

use crate::{CLUSTER, GLOBAL, GROUP, INFLUXDB, mistakes, whole};

#[test]
fn other_versions_are_named() {
    for written in ["v0.30", "v0.40", "v1.0", "0.3", "", "v0.39.1", "v"] {
        let text = whole().replace("v0.39", written).replace("hostname", "nothing");
        assert_eq!(
            mistakes(&text),
            format!(
                "F:2:11: `version` is `{written}`, and the versions that are read are v0.31 to v0.39; bring the file to the \
                 form of one of these, and write that version"
            )
        );
    }
    assert_eq!(
        mistakes(&whole().replace("\"v0.39\"", "0.39")),
        "F:2:11: `version` is a float, where a string is needed; write it in quotes, like \"v0.39\", instead"
    );
    assert_eq!(
        mistakes(&whole().replace("version = \"v0.39\"\n", "")),
        "F:1:1: [global] has no `version`; write version = \"v0.39\" in it"
    );
}

#[test]
fn all_are_given_at_once() {
    let text = "\
[global]
version = \"v0.39\"
preserve_case = \"yes\"
min_update_interval_override = \"5\"
active_stat_groups = [\"a\", 5]
[[cluster]]
usernam = \"u\"
verify_ssl = true
[[cluster]]
hostname = \"https://cl1:8080/\"
username = \"\"
password = \"$env:a b\"
prometheus_port = 70000
[[statgroup]]
update_interval = \"often\"
stats = [\"a b\"]
[summary_stats]
client = 1
";
    assert_eq!(
        mistakes(text),
        "F:3:17: `preserve_case` is a string, where a boolean is needed; write true or false instead\n\
         F:4:32: `min_update_interval_override` is a string, where an integer is needed; write a number like 10 instead\n\
         F:5:28: `active_stat_groups` has an item that is an integer, where a string is needed; write it in quotes instead\n\
         F:6:1: [[cluster]] has no `hostname`; write hostname = \"cl1.example.com\" in it\n\
         F:6:1: [[cluster]] has no `username`; write username = \"NAME\" in it\n\
         F:6:1: [[cluster]] has no `password`; write password = \"$env:NAME\" in it\n\
         F:7:1: `usernam` is no key of [[cluster]]; write `username` instead\n\
         F:8:1: `verify_ssl` is no key of [[cluster]]; write `verify-ssl` instead\n\
         F:10:12: `hostname` is no name of a host; write the name of a host, like \"cl1.example.com\", instead\n\
         F:11:12: `username` is empty; write a text on one line instead\n\
         F:12:12: `password` begins with $env: and goes on with what is no name of an environment variable; write a name of \
         letters, digits and _ instead\n\
         F:13:19: `prometheus_port` is no port; write a number from 1 to 65535, such as \"8086\", instead\n\
         F:14:1: [[statgroup]] has no `name`; write name = \"NAME\" in it\n\
         F:15:19: `update_interval` is `often`, which is no interval; write \"*\", \"*N\" for N times a statistic's own \
         interval, or seconds like \"30\", instead\n\
         F:16:10: `stats` has an item that is `a b`, which is no key of a statistic; write one like \"cluster.health\" \
         instead\n\
         F:18:10: `client` is an integer, where a boolean is needed; write true or false instead"
    );
}

#[test]
fn groups_and_their_keys_are_there_once() {
    let text = format!(
        "{}{INFLUXDB}{CLUSTER}{GROUP}{}{GROUP}",
        GLOBAL.replace("[\"cpu\"]", "[\"cpu\", \"b\"]"),
        "[[statgroup]]\nname = \"b\"\nupdate_interval = \"*\"\nstats = [\"x\", \"cluster.cpu.sys.avg\", \"x\"]\n",
    );
    assert_eq!(
        mistakes(&text),
        "F:21:15: `cluster.cpu.sys.avg` is in a group that is fetched already, at F:17:10; remove it from one of them\n\
         F:21:38: `x` is in a group that is fetched already, at F:21:10; remove it from one of them\n\
         F:23:8: the name `cpu` is that of another [[statgroup]], at F:15:8; give each a name of its own"
    );
}

#[test]
fn a_group_that_is_not_fetched_may_have_the_keys_of_others() {
    assert_eq!(
        mistakes(&format!("{}{}", whole(), GROUP.replace("\"cpu\"", "\"b\""))),
        ""
    );
}

#[test]
fn something_is_collected() {
    assert_eq!(
        mistakes(GLOBAL),
        "F: names nothing that is fetched; name groups in active_stat_groups of [global], or switch on one of \
         [summary_stats]\n\
         F: has no [[cluster]]; write one for each cluster"
    );
    let summaries = format!("{GLOBAL}{CLUSTER}[summary_stats]\ndrive = true\n");
    assert_eq!(mistakes(&summaries), "");
}

#[test]
fn every_interval_that_is_none_is_said() {
    for written in [
        "\"\"",
        "\"**\"",
        "\"*0\"",
        "\"*-1\"",
        "\"*nan\"",
        "\"*inf\"",
        "\"*1e9\"",
        "\"0\"",
        "\"-5\"",
        "\"30s\"",
        "\"nan\"",
        "\"inf\"",
        "\"1e30\"",
        "0",
        "-1",
        "nan",
        "inf",
        "99999999999",
    ] {
        let said = mistakes(&whole().replace("\"*\"", written));
        assert!(said.contains("no interval; write \"*\""), "{written}: {said}");
    }
    assert!(
        mistakes(&whole().replace("\"*\"", "true")).contains("is a boolean, where an interval is needed")
    );
}

#[test]
fn numbers_that_mean_nothing_are_said() {
    let said =
        |line: &str| mistakes(&whole().replace("stats_processor", &format!("{line}\nstats_processor")));
    for (written, shown) in [
        ("0", "0"),
        ("-5", "-5"),
        ("-9223372036854775808", "-9223372036854775808"),
    ] {
        assert_eq!(
            said(&format!("min_update_interval_override = {written}")),
            format!(
                "F:3:32: `min_update_interval_override` is {shown}, where 1 is the least; write seconds, like 30, or leave it \
                 out for 30, instead"
            )
        );
    }
    assert_eq!(
        said("max_retries = -1\nstats_processor_max_retries = -1\nstats_processor_retry_interval = -1"),
        "F:3:15: `max_retries` is -1, where 0 is the least; write how often it is tried again, like 8, or 0 for ever, \
         instead\n\
         F:4:31: `stats_processor_max_retries` is -1, where 0 is the least; write how often it is tried again, like 8, or 0 \
         for ever, instead\n\
         F:5:34: `stats_processor_retry_interval` is -1, where 0 is the least; write seconds, like 5, instead"
    );
    assert_eq!(
        said("min_update_interval_override = 1\nmax_retries = 0\nstats_processor_max_retries = 0"),
        ""
    );
}

#[test]
fn a_certificate_is_an_absolute_path() {
    assert_eq!(
        mistakes(&whole().replace("verify-ssl", "ca_file = \"cl1.pem\"\nverify-ssl")),
        "F:13:11: `ca_file` is not an absolute path; write one that begins with / instead"
    );
}

#[test]
fn a_byte_that_no_toml_has_is_said() {
    assert_eq!(
        mistakes(&whole().replace("\"sekrit\"", "\0\"sekrit\"")),
        "F:12:12: a NUL byte, which no TOML may hold; remove it, or save the file as plain UTF-8 text"
    );
}

#[test]
fn no_secret_is_ever_quoted() {
    for password in [
        "\"hunter2\\n\"",
        "\"$env:hunter2 \"",
        "{ hunter2 = 1 }",
        "{ env = \"hunter2\" }",
        "[\"hunter2\"]",
        "\"hunter2",
        "hunter2",
    ] {
        let said = mistakes(&whole().replace("\"sekrit\"", password));
        assert!(!said.is_empty(), "{password}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
