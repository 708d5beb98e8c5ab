//! A file that is wrong: what is said, with which exit code, and that nothing is asked of any cluster.

use tidemark_testkit::Home;
use tidemark_testkit::onefs::OneFs;

use super::site::{SUMMARIES, Site, global, statgroup, table};

const SECRET: &str = "correct horse";
const BACK_END: &str = "[influxdb]\nhost = \"localhost\"\nport = \"8086\"\ndatabase = \"isi\"\n";

/// A file that is right, but for its back end, which nobody asks.
fn right(cluster: &OneFs) -> String {
    global("influxdb", 5, &["load", "health"])
        + BACK_END
        + &table(cluster, "")
        + &statgroup("load", &["node.load.1min"])
        + &statgroup("health", &["cluster.health"])
}

/// Two clusters' worth of a file in which something stands in another's place.
fn with(cluster: &OneFs, what: &str, instead: &str) -> String {
    let text = right(cluster);
    assert!(text.contains(what), "{what}: {text}");
    text.replacen(what, instead, 1)
}

#[test]
fn each_mistake_has_its_message_and_ends_with_78() {
    let site = Site::new(&[("cl17", 1)]);
    let cluster = &site.clusters[0];
    let password = "password = \"correct horse\"\n";
    let (own, port) = (table(cluster, ""), "port = \"8086\"");
    let host = format!("hostname = \"{}\"", cluster.address());
    let by = |name: &str| with(cluster, "\"influxdb\"", &format!("\"{name}\""));
    let other = table(cluster, "prometheus_port = 9090\n").replace("localhost", "127.0.0.1");
    let stats = "stats = [\"cluster.health\"]";
    let cases: Vec<(String, &[&str])> = vec![
        (String::new(), &["[global] has no `version`"]),
        ("[global\n".to_owned(), &["idic.toml:1:"]),
        (with(cluster, "v0.39", "v0.30"), &["`v0.30`", "v0.31 to v0.39"]),
        (with(cluster, "v0.39", "v0.40"), &["`v0.40`", "v0.31 to v0.39"]),
        (with(cluster, "version = \"v0.39\"\n", ""), &["has no `version`"]),
        (
            by("kafka"),
            &[
                "`stats_processor` is `kafka`",
                "\"influxdb\", \"influxdbv2\", \"prometheus\"",
            ],
        ),
        (
            with(cluster, "stats_processor = \"influxdb\"\n", ""),
            &["has no `stats_processor`"],
        ),
        (
            with(cluster, "host = \"localhost\"\n", ""),
            &["[influxdb] has no `host`"],
        ),
        (
            with(cluster, "database = \"isi\"\n", ""),
            &["[influxdb] has no `database`"],
        ),
        (with(cluster, port, "port = \"http\""), &["`port` is no port"]),
        (
            with(cluster, port, "port = \"8086\"\nauthenticated = true"),
            &["[influxdb] has no `username`", "[influxdb] has no `password`"],
        ),
        (
            by("influxdbv2"),
            &[
                "[influxdbv2] has no `access_token`",
                "[influxdbv2] has no `bucket`",
            ],
        ),
        (by("prometheus"), &["has no `prometheus_port`"]),
        (
            by("prometheus").replace(&own, &(table(cluster, "prometheus_port = 9090\n") + &other)),
            &["the `prometheus_port` 9090 of another"],
        ),
        (
            by("prometheus").replace(&own, &table(cluster, "prometheus_port = 9090\n"))
                + "[prometheus]\ntls_cert = \"/nowhere.pem\"\n",
            &["`tls_cert` has no `tls_key` beside it"],
        ),
        (
            by("prometheus").replace(&own, &table(cluster, "prometheus_port = 9090\n"))
                + "[prometheus]\ntls_cert = \"/nowhere.pem\"\ntls_key = \"/nowhere.key\"\n",
            &["/nowhere.pem"],
        ),
        (
            by("prometheus").replace(&own, &table(cluster, "prometheus_port = 9090\n"))
                + "[prometheus]\nauthenticated = true\nusername = \"u\"\npassword = \"$env:NOT_SET\"\n",
            &["$NOT_SET is not set"],
        ),
        (with(cluster, &own, ""), &["has no [[cluster]]"]),
        (with(cluster, password, ""), &["[[cluster]] has no `password`"]),
        (
            with(cluster, password, "password = \"$env:NOT_SET\"\n"),
            &["NOT_SET", "not set"],
        ),
        (with(cluster, password, "password = \"\"\n"), &["`password`"]),
        (
            with(cluster, "username = \"monitor\"\n", ""),
            &["[[cluster]] has no `username`"],
        ),
        (
            with(cluster, &host, "hostname = \"https://cl1/\""),
            &["`hostname` is no name of a host"],
        ),
        (
            with(cluster, &host, "hostname = \"cl1:http\""),
            &["`hostname` that cannot be: the port is no number"],
        ),
        (
            with(cluster, &format!("{host}\n"), ""),
            &["[[cluster]] has no `hostname`"],
        ),
        (
            with(cluster, "verify-ssl = true", "verify-ssl = \"yes\""),
            &["`verify-ssl` is a string"],
        ),
        (
            with(cluster, "verify-ssl", "verify_ssl"),
            &["`verify_ssl` is no key of [[cluster]]; write `verify-ssl`"],
        ),
        (
            with(cluster, stats, "stats = [\"cluster.health\", \"node.load.1min\"]"),
            &["`node.load.1min` is in a group that is fetched already"],
        ),
        (
            with(cluster, "name = \"health\"", "name = \"load\""),
            &["the name `load` is that of another [[statgroup]]"],
        ),
        (
            with(cluster, "name = \"health\"\n", ""),
            &["[[statgroup]] has no `name`"],
        ),
        (
            with(cluster, "update_interval = \"*\"", "update_interval = \"often\""),
            &["`often`, which is no interval"],
        ),
        (
            with(cluster, "update_interval = \"*\"", "update_interval = \"*0\""),
            &["no interval"],
        ),
        (
            with(cluster, "[\"load\", \"health\"]", "[]"),
            &["names nothing that is fetched"],
        ),
        (
            with(cluster, "[\"load\", \"health\"]", "\"load\""),
            &["`active_stat_groups`"],
        ),
        (
            right(cluster) + "[summary_stats]\ndrive = \"on\"\n",
            &["`drive` is a string"],
        ),
        (
            with(cluster, "= 5\n", "= \"5\"\n"),
            &["`min_update_interval_override` is a string"],
        ),
        (
            right(cluster) + &"#".repeat(1 << 20),
            &["is longer than 1024 KiB"],
        ),
    ];
    let count = cases.len();
    for (text, expected) in cases {
        let path = site.idic(&text);
        for stays in [false, true] {
            let run = if stays {
                site.onefs().arg("--every")
            } else {
                site.onefs()
            };
            let ended = run.run();
            let said = &ended.stderr;
            assert_eq!(ended.code, Some(78), "{expected:?}: {said}{text}");
            for words in expected {
                assert!(said.contains(words), "{words}: {said}");
            }
            assert!(!said.contains(SECRET) && !said.contains("panicked"), "{said}");
            // What is wrong beside the file has a place of its own.
            let is_beside = ["/nowhere.pem", "$NOT_SET is not set"].contains(&expected[0]);
            assert!(is_beside || said.contains(&path.display().to_string()), "{said}");
            assert_eq!(ended.stdout, "");
        }
    }
    assert!(count > 30);
    assert_eq!(cluster.counts().requests, 0, "nothing was asked");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let site = Site::new(&[("cl17", 1)]);
    let folder = site.home.path().join("folder");
    std::fs::create_dir(&folder).expect("a folder");
    let binary = site.home.file("binary", [0xff, 0xfe, b'\n']);
    for (path, words) in [
        (site.home.path().join("nowhere.toml"), "does not exist"),
        (folder, "folder"),
        (binary, "UTF-8"),
    ] {
        let ended = site
            .run("tidemark-onefs")
            .arg("--idic")
            .arg(&path)
            .run()
            .expect_code(78);
        let name = path.display().to_string();
        assert!(
            ended.stderr.contains(&name) && ended.stderr.contains(words),
            "{words}: {}",
            ended.stderr
        );
    }
    site.run("tidemark-onefs")
        .args(["convert", "/nowhere.toml"])
        .run()
        .expect_code(78);
    site.run("tidemark-onefs").arg("convert").run().expect_code(2);
    // What could not be collected is not converted.
    let elsewhere = format!("hostname = \"{}\"", site.clusters[0].address());
    let path = site.idic(&with(&site.clusters[0], &elsewhere, "hostname = \"cl1:0\""));
    let ended = site
        .run("tidemark-onefs")
        .arg("convert")
        .arg(&path)
        .run()
        .expect_code(78);
    assert!(
        ended.stderr.contains("`hostname` that cannot be"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
    // The settings' own mistakes.
    let home = Home::new();
    for (settings, words) in [
        ("", "names no cluster"),
        ("[collector.onefs]\nidic = \"/nowhere.toml\"\n", "/nowhere.toml"),
        (
            "[collector.onefs]\nidic = \"/nowhere.toml\"\npreserve_case = true\n",
            "`preserve_case` stands beside `idic`",
        ),
        (
            "[collector.onefs]\nmin_update_interval = 5\n[[collector.onefs.cluster]]\nhostname = \"cl1\"\n",
            "has no `username`",
        ),
    ] {
        home.settings(settings);
        let ended = home.run("tidemark-onefs").run().expect_code(78);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

/// What gostats passes over is passed over here too, and said.
#[test]
fn what_is_no_mistake_is_a_notice() {
    let site = Site::new(&[("cl17", 1)]);
    let cluster = &site.clusters[0];
    let own = table(cluster, "");
    for (text, words) in [
        (
            with(cluster, "[\"load\", \"health\"]", "[\"load\", \"nothing\"]"),
            "`active_stat_groups` names `nothing`",
        ),
        (
            with(cluster, &own, &table(cluster, "authtype = \"kerberos\"\n")),
            "`authtype` is `kerberos`",
        ),
        (with(cluster, "verify-ssl = true\n", ""), "has no `verify-ssl`"),
        (with(cluster, &own, &(own.clone() + &own)), "is there already"),
        (
            with(
                cluster,
                &own,
                &(own.clone() + &table(cluster, "disabled = true\n")),
            ),
            "1 points",
        ),
        (
            right(cluster) + "[logging]\nlogfile = \"/var/log/x\"\nlog_level = \"DEBUG\"\n",
            "logfile",
        ),
        (
            with(
                cluster,
                "= 5\n",
                "= 5\nmax_retries = 3\nstats_processor_max_retries = 0\n",
            ),
            "max_retries",
        ),
        (right(cluster) + "[extra]\nx = 1\n", "`extra`"),
        (with(cluster, "v0.39", "v0.31") + SUMMARIES, "node.summary.drive"),
        (with(cluster, "v0.39", "0.35"), "cluster.health"),
    ] {
        site.idic(&text);
        let ended = site.onefs().args(["-v", "--dry-run"]).run().expect_code(0);
        let said = ended.stderr.clone() + &ended.stdout;
        assert!(said.contains(words) || words == "1 points", "{words}: {said}");
        assert!(ended.stdout.contains("node.load.1min"), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}
