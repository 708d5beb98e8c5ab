//! The file's back end: as a sink, as listeners, and where nobody asks for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tidemark_idic::{BackEnd, HttpSd, Idic, add_named_sink, add_sink};
use tidemark_settings::{LoadFrom, Loaded, Mistakes, Places, SecretSource, Settings, SinkKind};

use crate::{CLUSTER, GLOBAL, GROUP, INFLUXDB, idic, whole};

fn global(back_end: &str) -> String {
    GLOBAL.replace("\"influxdb\"", back_end)
}

fn with(back_end: &str, section: &str) -> Idic {
    idic(&[&global(back_end), section, CLUSTER, GROUP].concat())
}

fn said<T: std::fmt::Debug>(result: Result<T, Mistakes>) -> String {
    result.expect_err("a mistake").to_string()
}

#[test]
fn influxdb_becomes_a_sink_of_its_own_name() {
    let sink = idic(&whole()).sink().unwrap();
    assert_eq!(
        (sink.name.as_str(), sink.only.as_slice()),
        ("idic", ["onefs".to_owned()].as_slice())
    );
    let SinkKind::Influxdb(influxdb) = sink.kind else {
        panic!("another kind")
    };
    assert_eq!(influxdb.url.as_str(), "http://localhost:8086/");
    assert_eq!(influxdb.database, "isi");
    assert!(influxdb.username.is_none() && influxdb.password.is_none() && !influxdb.insecure_skip_verify);

    let section = "[influxdb]\nhost = \"::1\"\nport = 443\ndatabase = \"d\"\nauthenticated = true\nusername = \"u\"\n\
                   password = \"$env:INFLUX\"\nuse_ssl = true\nskip_ssl_verify = true\n";
    let SinkKind::Influxdb(influxdb) = with("\"influxdb\"", section).sink().unwrap().kind else {
        panic!("another kind")
    };
    assert_eq!(influxdb.url.as_str(), "https://[::1]/");
    assert_eq!(influxdb.username.as_deref(), Some("u"));
    assert!(matches!(influxdb.password, Some(SecretSource::Environment(name)) if name == "INFLUX"));
    assert!(influxdb.insecure_skip_verify);
}

/// The example of gostats has a user beside `authenticated = false`.
#[test]
fn a_user_counts_with_authentication_alone() {
    let section = format!("{INFLUXDB}authenticated = false\nusername = \"\"\npassword = \"\"\n");
    let SinkKind::Influxdb(influxdb) = with("\"influxdb\"", &section).sink().unwrap().kind else {
        panic!("another kind")
    };
    assert!(influxdb.username.is_none() && influxdb.password.is_none());
}

#[test]
fn influxdb2_becomes_a_sink() {
    let section = "[influxdbv2]\nhost = \"db.example.com\"\nport = \"9999\"\norg = \"o\"\nbucket = \"b\"\n\
                   access_token = \"tok\"\nuse_ssl = true\nca_file = \"/etc/db.pem\"\n";
    let sink = with("\"influxdbv2\"", section).sink().unwrap();
    let SinkKind::Influxdb2(influxdb2) = sink.kind else {
        panic!("another kind")
    };
    assert_eq!(influxdb2.url.as_str(), "https://db.example.com:9999/");
    assert_eq!(influxdb2.ca_file.as_deref(), Some(Path::new("/etc/db.pem")));
    assert_eq!((influxdb2.org.as_str(), influxdb2.bucket.as_str()), ("o", "b"));
    assert!(matches!(influxdb2.token, SecretSource::Plain(secret) if secret.expose() == "tok"));
}

#[test]
fn what_is_for_nobody_or_for_listeners_is_discarded() {
    for (name, back_end) in [("discard", BackEnd::Discard), ("prometheus", BackEnd::Prometheus)] {
        let idic = with(&format!("\"{name}\""), "");
        assert_eq!(idic.back_end().unwrap(), back_end);
        assert!(matches!(idic.sink().unwrap().kind, SinkKind::Discard));
    }
}

/// Where tidemark has a sink, the file is right whatever its back end is.
#[test]
fn a_back_end_is_looked_at_where_it_counts_alone() {
    let idic = with("\"kafka\"", "[influxdb]\nhost = 5\nport = \"x\"\n");
    assert_eq!(
        said(idic.sink()),
        "F:3:19: `stats_processor` is `kafka`, which is no back end; write \"influxdb\", \"influxdbv2\", \"prometheus\" or \
         \"discard\" instead"
    );
    assert!(idic.prometheus().unwrap().is_none());
    assert_eq!(
        said(with("[1]", "").sink()),
        "F:3:19: `stats_processor` is a list, where a string is needed; write \"influxdb\", \"influxdbv2\", \"prometheus\" \
         or \"discard\" instead"
    );
    let none = GLOBAL.replace("stats_processor = \"influxdb\"\n", "");
    assert_eq!(
        said(crate::idic(&[&none, CLUSTER, GROUP].concat()).sink()),
        "F:1:1: [global] has no `stats_processor`; write stats_processor = \"influxdb\" in it"
    );
}

#[test]
fn every_mistake_of_the_back_end_is_said() {
    let section = "[influxdb]\nhost = \"http://db:8086\"\nport = \"80 86\"\ndatabas = \"d\"\nauthenticated = true\n\
                   username = \"a:b\"\nuse_ssl = \"yes\"\n";
    assert_eq!(
        said(with("\"influxdb\"", section).sink()),
        "F:5:1: [influxdb] has no `database`; write database = \"NAME\" in it\n\
         F:5:1: [influxdb] has no `password`; write password = \"$env:NAME\" in it\n\
         F:6:8: `host` is no name of a host; write the name alone, like \"localhost\", and the port as `port`, instead\n\
         F:7:8: `port` is no port; write a number from 1 to 65535, such as \"8086\", instead\n\
         F:8:1: `databas` is no key of [influxdb]; write `database` instead\n\
         F:10:12: `username` holds a colon, which ends the name of a user; write the name alone\n\
         F:11:11: `use_ssl` is a string, where a boolean is needed; write true or false instead"
    );
    let missing = said(with("\"influxdbv2\"", "").sink());
    assert_eq!(missing.lines().count(), 5, "{missing}");
    assert!(missing.starts_with("F: [influxdbv2] has no `host`;"), "{missing}");
    for port in [
        "\"\"",
        "\"0\"",
        "\"65536\"",
        "\"+80\"",
        "\"0x50\"",
        "-1",
        "0",
        "true",
        "80.5",
    ] {
        let section = INFLUXDB.replace("\"8086\"", port);
        assert!(
            said(with("\"influxdb\"", &section).sink()).contains("port"),
            "{port}"
        );
    }
}

#[test]
fn listeners_have_what_gostats_gives_them() {
    let port = CLUSTER.replace("verify-ssl", "prometheus_port = 9091\nverify-ssl");
    let sections = "[prometheus]\nauthenticated = true\nusername = \"u\"\npassword = \"$env:P\"\n\
                    tls_cert = \"/c.pem\"\ntls_key = \"/k.pem\"\ninstance_label_name = \"isilon\"\n\
                    [prom_http_sd]\nenabled = true\nlisten_addr = \"h\"\nsd_port = 9999\n";
    let read = idic(&[&global("\"prometheus\""), sections, &port, GROUP].concat());
    let prometheus = read.prometheus().unwrap().expect("the back end");
    assert!(
        matches!(&prometheus.user, Some((name, SecretSource::Environment(password))) if name == "u" && password == "P")
    );
    assert_eq!(
        prometheus.tls,
        Some((PathBuf::from("/c.pem"), PathBuf::from("/k.pem")))
    );
    assert_eq!(prometheus.instance_label_name.as_deref(), Some("isilon"));
    assert_eq!(
        prometheus.http_sd,
        Some(HttpSd {
            listen_addr: Some("h".to_owned()),
            port: 9999
        })
    );
    let plain = "[prom_http_sd]\nenabled = false\nsd_port = 9999\n";
    let read = idic(&[&global("\"prometheus\""), plain, &port, GROUP].concat());
    let prometheus = read.prometheus().unwrap().expect("the back end");
    assert!(prometheus.user.is_none() && prometheus.tls.is_none() && prometheus.http_sd.is_none());
    // Of another back end there are none.
    assert!(
        idic(&[GLOBAL, sections, &port, GROUP].concat())
            .prometheus()
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_listener_needs_a_port_of_its_own() {
    let with_port = |name: &str| {
        let cluster = CLUSTER.replace("cl1", name);
        cluster.replace("verify-ssl", "prometheus_port = 9091\nverify-ssl")
    };
    let text = [
        &global("\"prometheus\""),
        "[prometheus]\ntls_cert = \"/c.pem\"\nauthenticated = true\n[prom_http_sd]\nenabled = true\n",
        CLUSTER,
        &with_port("cl2"),
        &with_port("cl3"),
        GROUP,
    ]
    .concat();
    assert_eq!(
        said(idic(&text).prometheus()),
        "F:5:1: [prometheus] has no `username`; write username = \"NAME\" in it\n\
         F:5:1: [prometheus] has no `password`; write password = \"$env:NAME\" in it\n\
         F:8:1: [prom_http_sd] has no `sd_port`; write sd_port = \"8086\" in it\n\
         F:10:1: [[cluster]] `cl1` has no `prometheus_port`; write prometheus_port = 9090, or another that is free, in it\n\
         F:21:1: [[cluster]] `cl3` has the `prometheus_port` 9091 of another, at F:15:1; give each a port of its own"
    );
    let half = "[prometheus]\ntls_key = \"/k.pem\"\n";
    let text = [&global("\"prometheus\""), half, &with_port("cl1"), GROUP].concat();
    assert_eq!(
        said(idic(&text).prometheus()),
        "F:6:11: `tls_key` has no `tls_cert` beside it; write tls_cert = \"/path/to/it\" too"
    );
}

/// The settings of a host, with a file beside them.
fn loaded(folder: &Path, settings: &str) -> (Loaded, Places) {
    let main = folder.join("tidemark.toml");
    std::fs::write(&main, settings).unwrap();
    let environment = BTreeMap::new();
    let places = Places::new(&environment, false, Some(main));
    let from = LoadFrom {
        places: &places,
        environment: &environment,
        hostname: "h".to_owned(),
        known_collectors: None,
    };
    let loaded = Settings::load(&from).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    (loaded, places)
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded
        .settings
        .sinks
        .iter()
        .map(|sink| sink.name.as_str())
        .collect()
}

#[test]
fn the_sink_takes_the_collectors_batches_and_the_store_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idic.toml");
    std::fs::write(&file, whole()).unwrap();
    let named = format!("[collector.onefs]\nidic = {:?}\n", file.display().to_string());
    let (mut loaded, places) = loaded(folder.path(), &named);
    for _ in 0..2 {
        add_named_sink(&mut loaded, &places);
        assert_eq!(names(&loaded), ["store", "idic"]);
    }
    let takes = |collector: &str| -> Vec<&str> {
        let sinks = loaded.settings.sinks.iter().filter(|sink| sink.takes(collector));
        sinks.map(|sink| sink.name.as_str()).collect()
    };
    assert_eq!((takes("onefs"), takes("host")), (vec!["idic"], vec!["store"]));
    assert!(loaded.has_default_sink && loaded.sinks_in_doubt.is_none() && loaded.notices.is_empty());
}

#[test]
fn a_sink_of_the_settings_wins_and_the_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[collector.onefs]\nidic = \"/nowhere/idic.toml\"\n[[sink]]\ntype = \"discard\"\n";
    let (mut loaded, places) = loaded(folder.path(), text);
    add_named_sink(&mut loaded, &places);
    assert_eq!(names(&loaded), ["discard"]);
    assert!(loaded.notices.is_empty() && loaded.sinks_in_doubt.is_none());
    // Nor is the back end of one that is read by its collector.
    let wrong = with("\"kafka\"", "");
    assert!(add_sink(&mut loaded, &wrong).is_ok());
    assert_eq!(names(&loaded), ["discard"]);
}

#[test]
fn a_file_that_makes_no_sink_is_a_notice() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[collector.onefs]\nidic = \"/nowhere/idic.toml\"\n";
    let (mut loaded, places) = loaded(folder.path(), text);
    add_named_sink(&mut loaded, &places);
    assert_eq!(names(&loaded), ["store"]);
    let said =
        "the sink idic of onefs is not known: /nowhere/idic.toml: does not exist; create it, or name another";
    assert_eq!(loaded.notices, [said]);
    assert_eq!(loaded.sinks_in_doubt.as_deref(), Some(said));
}
