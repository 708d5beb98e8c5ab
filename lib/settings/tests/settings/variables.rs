//! The sink that the five `INFLUXDB_` variables make.

use std::os::unix::ffi::OsStringExt as _;

use tidemark_settings::{SecretSource, SinkKind};

use crate::written::Written;

fn all(written: Written) -> Written {
    written
        .variable("INFLUXDB_HOSTNAME", "influxdb.example.com")
        .variable("INFLUXDB_PORT", "8086")
        .variable("INFLUXDB_USERNAME", "collector")
        .variable("INFLUXDB_PASSWORD", "hunter2")
        .variable("INFLUXDB_DATABASE", "metrics")
}

#[test]
fn all_five_make_a_sink_over_https() {
    let written = all(Written::main(""));
    let loaded = written.loaded();
    assert_eq!(loaded.notices, Vec::<String>::new());
    let [sink] = loaded.settings.sinks.as_slice() else {
        panic!("{:?}", loaded.settings.sinks)
    };
    assert_eq!(sink.name, "influxdb");
    assert!(sink.takes("anything"));
    let SinkKind::Influxdb(influxdb) = &sink.kind else {
        panic!("{sink:?}")
    };
    assert_eq!(influxdb.url.as_str(), "https://influxdb.example.com:8086/");
    assert_eq!(influxdb.database, "metrics");
    assert_eq!(influxdb.username.as_deref(), Some("collector"));
    assert!(!influxdb.insecure_skip_verify);
    let Some(password @ SecretSource::Environment(name)) = &influxdb.password else {
        panic!("{sink:?}")
    };
    assert_eq!(name, "INFLUXDB_PASSWORD");
    assert_eq!(
        password
            .resolve(written.environment(), &written.places())
            .unwrap()
            .expose(),
        "hunter2"
    );
}

#[test]
fn the_default_sink_is_known_from_a_configured_one() {
    let is_default = |written: Written| written.loaded().has_default_sink;
    assert!(is_default(Written::main("")));
    assert!(!is_default(all(Written::main(""))));
    assert!(!is_default(Written::main("[[sink]]\ntype = \"store\"\n")));
}

#[test]
fn addresses_are_hosts_too() {
    for (hostname, port, url) in [
        ("10.0.0.7", "1", "https://10.0.0.7:1/"),
        ("fd00::1", "8086", "https://[fd00::1]:8086/"),
        ("[fd00::1]", "8086", "https://[fd00::1]:8086/"),
        ("h", "443", "https://h/"),
    ] {
        let written = all(Written::main(""))
            .variable("INFLUXDB_HOSTNAME", hostname)
            .variable("INFLUXDB_PORT", port);
        let SinkKind::Influxdb(influxdb) = &written.loaded().settings.sinks[0].kind else {
            panic!("{hostname}")
        };
        assert_eq!(influxdb.url.as_str(), url);
    }
}

#[test]
fn some_but_not_all_is_a_mistake() {
    assert_eq!(
        Written::main("")
            .variable("INFLUXDB_HOSTNAME", "h")
            .variable("INFLUXDB_PASSWORD", "hunter2")
            .report(),
        "$INFLUXDB_HOSTNAME: is set, but $INFLUXDB_PORT, $INFLUXDB_USERNAME, $INFLUXDB_DATABASE are not; set all five \
         INFLUXDB_ variables, or none and write a [[sink]]"
    );
    assert_eq!(
        all(Written::main("[host]\nx = 1\n"))
            .variable("INFLUXDB_DATABASE", "")
            .report(),
        "F:2:1: `x` is no key of [host]; write one of `name`, `tags`, `dry_run` and `standby` instead\n\
         $INFLUXDB_HOSTNAME: is set, but $INFLUXDB_DATABASE is not; set all five INFLUXDB_ variables, or none and write \
         a [[sink]]"
    );
}

#[test]
fn empty_ones_are_not_set() {
    let written = Written::main("")
        .variable("INFLUXDB_HOSTNAME", "")
        .variable("INFLUXDB_PASSWORD", "");
    assert_eq!(written.loaded().settings.sinks[0].name, "store");
    assert_eq!(written.notices(), "");
}

#[test]
fn wrong_values_are_all_named() {
    let written = all(Written::main(""))
        .variable("INFLUXDB_HOSTNAME", "https://h/")
        .variable("INFLUXDB_PORT", "99999")
        .variable("INFLUXDB_USERNAME", std::ffi::OsString::from_vec(vec![0xff]))
        .variable("INFLUXDB_DATABASE", "a\nb");
    assert_eq!(
        written.report(),
        "$INFLUXDB_DATABASE: is not UTF-8 text on one line; set it to plain text instead\n\
         $INFLUXDB_HOSTNAME: is no name of a host; set it to a name like influxdb.example.com instead\n\
         $INFLUXDB_PORT: is no port; set it to a number from 1 to 65535, such as 8086, instead\n\
         $INFLUXDB_USERNAME: is not UTF-8 text on one line; set it to plain text instead"
    );
    for hostname in ["h:1", "u@h", "h/x", "h?x", "h#x", "h\\x", " ", "a b"] {
        let report = all(Written::main(""))
            .variable("INFLUXDB_HOSTNAME", hostname)
            .report();
        assert!(
            report.starts_with("$INFLUXDB_HOSTNAME: is no name of a host"),
            "{hostname}: {report}"
        );
    }
}

#[test]
fn configured_sinks_count_alone() {
    let written = all(Written::main("[[sink]]\ntype = \"discard\"\n"));
    assert_eq!(written.loaded().settings.sinks.len(), 1);
    assert_eq!(
        written.notices(),
        "$INFLUXDB_HOSTNAME, $INFLUXDB_PORT, $INFLUXDB_USERNAME, $INFLUXDB_PASSWORD, $INFLUXDB_DATABASE are set but not \
         used, as [[sink]]s are configured"
    );
    let some = Written::main("[[sink]]\ntype = \"discard\"\n").variable("INFLUXDB_PORT", "1");
    assert_eq!(
        some.notices(),
        "$INFLUXDB_PORT is set but not used, as [[sink]]s are configured"
    );
}
