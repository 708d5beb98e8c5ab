//! What comes out of settings that are right.

use tidemark_settings::{
    CommonSection, DefaultValue, KeepFree, Key, KnownKey, RemoteWriteCredentials, SecretSource, Section,
    SectionReader, SettingValue, SinkKind, Size, Span, Url,
};

use crate::written::Written;

/// What a derive would write for a collector.
#[derive(Debug, PartialEq)]
struct Ceph {
    url: Url,
    pools: Vec<String>,
    timeout: Option<Span>,
    token: String,
}

impl Section for Ceph {
    const SUMMARY: &'static str = "A storage cluster.";
    const KEYS: &'static [Key] = &[
        Key {
            name: "url",
            type_name: Url::TYPE,
            default: Some("http://localhost/"),
            help: "Where it is.",
            keys: &[],
        },
        Key {
            name: "pools",
            type_name: <Vec<String>>::TYPE,
            default: Some("[]"),
            help: "Pools to look at.",
            keys: &[],
        },
        Key {
            name: "timeout",
            type_name: Span::TYPE,
            default: None,
            help: "How long to wait.",
            keys: &[],
        },
        Key {
            name: "token",
            type_name: String::TYPE,
            default: None,
            help: "Who asks.",
            keys: &[],
        },
    ];

    fn read(section: &mut SectionReader<'_>) -> Option<Ceph> {
        let url = section.or_default("url", DefaultValue::String("http://localhost/"));
        let pools = section.or_default("pools", DefaultValue::List(&[DefaultValue::String("rbd")]));
        let timeout = section.optional("timeout");
        let token = section.required("token");
        Some(Ceph {
            url: url?,
            pools: pools?,
            timeout: timeout?,
            token: token?,
        })
    }
}

#[test]
fn nothing_configured_is_the_store_with_defaults() {
    let loaded = Written::main("").loaded();
    assert_eq!(loaded.notices, Vec::<String>::new());
    let settings = &loaded.settings;
    assert_eq!(settings.host.name, "here");
    assert!(settings.host.tags.is_empty());
    assert!(!settings.host.dry_run);
    assert!(!settings.host.standby);
    assert_eq!(settings.sinks.len(), 1);
    assert_eq!(settings.sinks[0].name, "store");
    assert!(matches!(settings.sinks[0].kind, SinkKind::Store));
    assert_eq!(settings.outbox.max_bytes, Size::mib(1024));
    assert_eq!(settings.outbox.keep_free, KeepFree::Usual);
    assert_eq!(settings.outbox.max_age, None);
    assert_eq!(settings.store.keep, Span::days(15));
    assert_eq!(settings.store.max_bytes, Size::mib(1024));
    assert!(!loaded.has_section("host"));
    assert_eq!(loaded.common("host"), CommonSection::default());
}

#[test]
fn the_usual_free_space_is_the_smaller() {
    assert_eq!(KeepFree::Usual.bytes(100_000_000_000), 64 << 20);
    assert_eq!(KeepFree::Usual.bytes(100_000_000), 5_000_000);
    assert_eq!(KeepFree::Size(Size::bytes(7)).bytes(100), 7);
}

#[test]
fn every_shared_key() {
    let written = Written::main(
        r#"
        [host]
        name = "web-1"
        tags = { site = "north", rack = "7" }
        dry_run = true
        standby = true

        [outbox]
        max_bytes = "500MB"
        keep_free = 1048576
        max_age = "1w"

        [store]
        keep = "30d"
        max_bytes = "64MiB"

        [[sink]]
        name = "main"
        type = "influxdb"
        url = "https://influxdb.example.com:8086/prefix"
        database = "metrics"
        username = "collector"
        password = { credential = "influxdb-password" }
        retention_policy = "autogen"
        ca_file = "/etc/tidemark/ca.pem"
        insecure_skip_verify = false
        only = ["host", "sponsoring"]
        "#,
    )
    .file(
        "conf.d/20-b.toml",
        "[[sink]]\ntype = \"discard\"\nexcept = [\"host\"]\n[collector.host]\nrun_interval = 30\n",
    )
    .file(
        "conf.d/10-a.toml",
        "[[sink]]\ntype = \"store\"\n[collector.host]\nenabled = false\ndeadline = \"45s\"\n",
    )
    .file("conf.d/.hidden.toml", "nonsense")
    .file("conf.d/README", "nonsense");
    let loaded = written.loaded();
    assert_eq!(written.notices(), "");
    let settings = &loaded.settings;
    assert_eq!(settings.host.name, "web-1");
    assert_eq!(settings.host.tags.get("rack").map(String::as_str), Some("7"));
    assert!(settings.host.dry_run);
    assert!(settings.host.standby);
    assert_eq!(settings.outbox.max_bytes, Size::bytes(500_000_000));
    assert_eq!(settings.outbox.keep_free, KeepFree::Size(Size::mib(1)));
    assert_eq!(settings.outbox.max_age, Some(Span::days(7)));
    assert_eq!(settings.store.keep, Span::days(30));
    assert_eq!(settings.store.max_bytes, Size::mib(64));

    let sinks: Vec<(&str, &str)> = settings
        .sinks
        .iter()
        .map(|sink| (sink.name.as_str(), sink.kind.name()))
        .collect();
    assert_eq!(
        sinks,
        [("main", "influxdb"), ("store", "store"), ("discard", "discard")]
    );
    assert!(settings.sinks[0].takes("host") && !settings.sinks[0].takes("ceph"));
    assert!(settings.sinks[1].takes("host"));
    assert!(!settings.sinks[2].takes("host") && settings.sinks[2].takes("ceph"));
    let SinkKind::Influxdb(influxdb) = &settings.sinks[0].kind else {
        panic!()
    };
    assert_eq!(influxdb.url.as_str(), "https://influxdb.example.com:8086/prefix");
    assert_eq!(influxdb.database, "metrics");
    assert_eq!(influxdb.username.as_deref(), Some("collector"));
    assert!(
        matches!(&influxdb.password, Some(SecretSource::Credential(name)) if name == "influxdb-password")
    );
    assert_eq!(influxdb.retention_policy.as_deref(), Some("autogen"));
    assert_eq!(
        influxdb.ca_file.as_deref(),
        Some(std::path::Path::new("/etc/tidemark/ca.pem"))
    );

    assert!(loaded.has_section("host"));
    assert_eq!(loaded.section_names().collect::<Vec<_>>(), ["host"]);
    let common = loaded.common("host");
    assert_eq!(common.enabled, Some(false));
    assert_eq!(common.run_interval, Some(Span::secs(30)));
    assert_eq!(common.deadline, Some(Span::secs(45)));
}

#[test]
fn max_age_may_be_off() {
    assert_eq!(
        Written::main("[outbox]\nmax_age = \"off\"\n")
            .loaded()
            .settings
            .outbox
            .max_age,
        None
    );
}

#[test]
fn a_collectors_own_section() {
    let written = Written::main("[collector.ceph]\ntoken = \"t\"\nenabled = true\n");
    let (loaded, ceph) = written.load_for::<Ceph>("ceph").unwrap();
    assert_eq!(ceph.url.as_str(), "http://localhost/");
    assert_eq!(ceph.pools, ["rbd"]);
    assert_eq!(ceph.timeout, None);
    assert_eq!(loaded.common("ceph").enabled, Some(true));
    assert_eq!(loaded.collector::<Ceph>("ceph").unwrap(), ceph);
}

#[test]
fn shared_mistakes_and_its_own_are_reported_together() {
    let written = Written::main(
        "[collector.ceph]\nurl = \"ftp://a\"\npools = [1]\ntimeout = \"never\"\nrun_interval = \"0.5s\"\ndeadline = 0\n\
         enabled = 1\npool = []\n[host]\nnmae = \"a\"\n[collector.other]\nwhatever = true\nenabled = 5\n",
    );
    let mistakes = written.load_for::<Ceph>("ceph").err().unwrap();
    assert_eq!(
        written.short(&mistakes.to_string()),
        "F:1:12: [collector.ceph] has no `token`; write token = \"text\" in it\n\
         F:2:7: `url` is a URL of another kind than http or https; write a URL like \
         \"https://example.com/\" instead\n\
         F:3:10: `pools` has an item that is an integer, where a string is needed; write it in quotes instead\n\
         F:4:11: `timeout` is no time span (a number is missing in a time span); write a time span like \"30s\", \"5m\" or \
         \"1h 30min\" instead\n\
         F:5:16: `run_interval` is shorter than a second; write \"1s\" or more instead\n\
         F:6:12: `deadline` is no time at all; write a time span like \"5m\" instead\n\
         F:7:11: `enabled` is an integer, where a boolean is needed; write true or false instead\n\
         F:8:1: `pool` is no key of [collector.ceph]; write `pools` instead\n\
         F:10:1: `nmae` is no key of [host]; write `name` instead"
    );
    assert_eq!(mistakes.count(), 9);
}

#[test]
fn a_key_that_is_needed_has_no_place_without_a_section() {
    let written = Written::main("");
    let mistakes = written.load_for::<Ceph>("ceph").err().unwrap();
    assert_eq!(
        written.short(&mistakes.to_string()),
        "F: [collector.ceph] has no `token`; write token = \"text\" in it"
    );
}

#[test]
fn all_collectors_are_checked_where_they_are_known() {
    let written = Written::main(
        "[collector.ceph]\ntoken = 5\ntimout = \"1s\"\nenabled = 5\n[collector.hosts]\nx = 1\n\
         [[sink]]\ntype = \"store\"\nonly = [\"hosts\", \"nothing-like-it\"]\nexcept = [\"ceph\"]\n",
    );
    // Nobody who asks for the shared sections alone is told about collectors.
    assert_eq!(written.report(), "");
    let written = written.known(&[("ceph", &["url", "pools", "timeout", "token"]), ("host", &[])]);
    assert_eq!(
        written.report(),
        "F:3:1: `timout` is no key of [collector.ceph]; write `timeout` instead\n\
         F:4:11: `enabled` is an integer, where a boolean is needed; write true or false instead"
    );
    let written = written.file("tidemark.toml", "[collector.hosts]\n[collector.ceph]\ntoken = \"a\"\n[[sink]]\ntype = \"store\"\nonly = [\"hosts\", \"nothing-like-it\"]\n");
    assert_eq!(
        written.notices(),
        "F:1:12: [collector.hosts] is not used: no such collector is installed; `host` is\n\
         the sink store names `hosts`: no such collector is installed; `host` is\n\
         the sink store names `nothing-like-it`: no such collector is installed"
    );
}

#[test]
fn the_values_of_known_types_are_checked_where_collectors_are_known() {
    let written = Written::main(
        "[collector.x]\nurl = 5\npools = \"a\"\nwait = \"soon\"\nown = 5\nsecret = 5\n[collector.y]\nanything = 1\n",
    );
    let keys = [
        "url: URL",
        "pools: list of strings",
        "wait: time span",
        "own: another thing",
        "secret: secret",
    ];
    assert_eq!(
        written.known(&[("x", &keys)]).report(),
        "F:2:7: `url` is an integer, where a URL is needed; write a URL like \"https://example.com/\" instead\n\
         F:3:9: `pools` is a string, where a list of strings is needed; write [\"text\"] instead\n\
         F:4:8: `wait` is no time span (a number is missing in a time span); write a time span like \"30s\", \"5m\" or \
         \"1h 30min\" instead\n\
         F:6:10: `secret` is an integer, where a secret is needed; write { credential = \"NAME\" }, { file = \"PATH\" }, \
         { env = \"NAME\" } or a string in quotes instead"
    );
}

#[test]
fn what_a_sink_leaves_open_is_a_notice() {
    let sink = |rest: &str| {
        let text = format!("[[sink]]\ntype = \"influxdb\"\ndatabase = \"m\"\n{rest}");
        Written::main(text).notices()
    };
    assert_eq!(
        sink("url = \"https://h\"\ninsecure_skip_verify = true\n"),
        "the sink influxdb does not verify the server's certificate (insecure_skip_verify): anybody on the way can read \
         and change what is sent; name the certificate as ca_file instead"
    );
    let password = "username = \"u\"\npassword = { env = \"P\" }\n";
    assert_eq!(
        sink(&format!("url = \"http://h\"\n{password}")),
        "the sink influxdb sends its password over plain http, which anybody on the way can read; use https instead"
    );
    for safe in [
        "http://localhost:8086",
        "http://127.0.0.1",
        "http://[::1]",
        "https://h",
    ] {
        assert_eq!(sink(&format!("url = \"{safe}\"\n{password}")), "", "{safe}");
    }
    assert_eq!(sink("url = \"http://h\"\n"), "");

    let sink = |rest: &str| Written::main(format!("[[sink]]\n{rest}")).notices();
    let influxdb2 = "type = \"influxdb2\"\norg = \"o\"\nbucket = \"b\"\ntoken = { env = \"T\" }\n";
    assert_eq!(
        sink(&format!("{influxdb2}url = \"http://h\"\n")),
        "the sink influxdb2 sends its token over plain http, which anybody on the way can read; use https instead"
    );
    assert_eq!(sink(&format!("{influxdb2}url = \"https://h\"\n")), "");
    let remote_write = "type = \"remote-write\"\nname = \"prometheus\"\n";
    assert_eq!(
        sink(&format!(
            "{remote_write}url = \"http://h/write\"\nbearer_token = {{ env = \"T\" }}\n"
        )),
        "the sink prometheus sends its bearer token over plain http, which anybody on the way can read; use https instead"
    );
    assert_eq!(
        sink(&format!(
            "{remote_write}url = \"https://h/write\"\ninsecure_skip_verify = true\n"
        )),
        "the sink prometheus does not verify the server's certificate (insecure_skip_verify): anybody on the way can read \
         and change what is sent; name the certificate as ca_file instead"
    );
    assert_eq!(sink(&format!("{remote_write}url = \"http://h/write\"\n")), "");
}

#[test]
fn what_a_collectors_sink_leaves_open_is_a_notice_once() {
    let sink = "[[sink]]\ntype = \"influxdb2\"\nname = \"idic\"\norg = \"o\"\nbucket = \"b\"\n\
                token = { env = \"T\" }\nurl = \"http://h\"\n";
    let sinks = Written::main(sink).loaded().settings.sinks;
    let mut loaded = Written::main("").loaded();
    for _ in 0..2 {
        assert!(loaded.add_collector_sink("onefs", sinks[0].clone()));
    }
    assert_eq!(
        loaded.notices,
        [
            "the sink idic sends its token over plain http, which anybody on the way can read; use https instead"
        ]
    );
    // One that does not count is not spoken of.
    let mut other = Written::main("[[sink]]\ntype = \"discard\"\n").loaded();
    assert!(!other.add_collector_sink("onefs", sinks[0].clone()) && other.notices.is_empty());
}

#[test]
fn of_many_tables_the_place_says_whose_a_secret_is() {
    let key = |name: &str, type_name: &str, keys| KnownKey {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        keys,
    };
    let keys = [key(
        "cluster",
        "list of tables",
        vec![key("password", "secret", Vec::new())],
    )];
    let text = "[[collector.onefs.cluster]]\npassword = { env = \"A\" }\n\
                [[collector.onefs.cluster]]\npassword = 5\n\
                [[collector.onefs.cluster]]\npassword = { env = \"C\" }\n";
    let secrets = Written::main(text).loaded().secrets("onefs", &keys);
    let named = secrets.iter().map(|secret| {
        let place = secret.place.line_and_column().unwrap();
        (secret.key.as_str(), place)
    });
    assert_eq!(
        named.collect::<Vec<_>>(),
        [("cluster.password", (2, 12)), ("cluster.password", (6, 12))]
    );
}

#[test]
fn every_type_of_sink_is_read() {
    let text = "[[sink]]\ntype = \"influxdb2\"\nurl = \"https://h/prefix\"\norg = \"o\"\nbucket = \"b\"\n\
                token = { credential = \"t\" }\nca_file = \"/c\"\n\
                [[sink]]\ntype = \"remote-write\"\nurl = \"https://h/w?a=b\"\nusername = \"u\"\npassword = { env = \"P\" }\n\
                [[sink]]\ntype = \"remote-write\"\nname = \"bearer\"\nurl = \"https://h/w\"\nbearer_token = { file = \"/f\" }\n\
                [[sink]]\ntype = \"textfile\"\ndirectory = \"/d\"\n";
    let sinks = Written::main(text).loaded().settings.sinks;
    let names: Vec<(&str, &str)> = sinks
        .iter()
        .map(|sink| (sink.name.as_str(), sink.kind.name()))
        .collect();
    assert_eq!(
        names,
        [
            ("influxdb2", "influxdb2"),
            ("remote-write", "remote-write"),
            ("bearer", "remote-write"),
            ("textfile", "textfile")
        ]
    );
    let SinkKind::Influxdb2(influxdb2) = &sinks[0].kind else {
        panic!()
    };
    assert_eq!(influxdb2.url.as_str(), "https://h/prefix");
    assert_eq!((influxdb2.org.as_str(), influxdb2.bucket.as_str()), ("o", "b"));
    assert!(matches!(&influxdb2.token, SecretSource::Credential(name) if name == "t"));
    assert_eq!(influxdb2.ca_file.as_deref(), Some(std::path::Path::new("/c")));
    assert!(!influxdb2.insecure_skip_verify);
    let SinkKind::RemoteWrite(basic) = &sinks[1].kind else {
        panic!()
    };
    assert_eq!(basic.url.as_str(), "https://h/w?a=b");
    assert!(matches!(
        &basic.credentials,
        Some(RemoteWriteCredentials::Basic { username, password: Some(SecretSource::Environment(name)) })
            if username == "u" && name == "P"
    ));
    let SinkKind::RemoteWrite(bearer) = &sinks[2].kind else {
        panic!()
    };
    assert!(matches!(
        &bearer.credentials,
        Some(RemoteWriteCredentials::Bearer { token: SecretSource::File(path) }) if path == std::path::Path::new("/f")
    ));
    let SinkKind::Textfile(textfile) = &sinks[3].kind else {
        panic!()
    };
    assert_eq!(textfile.directory, std::path::Path::new("/d"));
}

#[test]
fn defaults_are_values_of_their_keys() {
    #[derive(Debug)]
    struct Wrong;
    impl Section for Wrong {
        const SUMMARY: &'static str = "";
        const KEYS: &'static [Key] = &[];
        fn read(section: &mut SectionReader<'_>) -> Option<Wrong> {
            section
                .or_default::<Span>("wait", DefaultValue::String("soon"))
                .map(|_| Wrong)
        }
    }
    assert_eq!(
        tidemark_settings::defaults::<Wrong>().unwrap_err().to_string(),
        "the program's own defaults: `wait` is no time span (a number is missing in a time span); write a time span like \
         \"30s\", \"5m\" or \"1h 30min\" instead"
    );
}
