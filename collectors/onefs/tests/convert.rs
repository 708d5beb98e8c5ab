//! A file of gostats, and the settings that it is converted to: what either has collected is the same.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use tidemark_collect::__private::settings::{LoadFrom, Loaded, Places, Settings};
use tidemark_collect::SecretSource;
use tidemark_idic::Idic;
use tidemark_onefs::plan::{Plan, PlannedCluster};
use tidemark_onefs::settings::OnefsSettings;

/// The settings that this text is.
fn load(text: &str) -> (Loaded, OnefsSettings) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidemark.toml");
    std::fs::write(&file, text).unwrap();
    let environment = BTreeMap::new();
    let places = Places::new(&environment, false, Some(file));
    let from = LoadFrom {
        places: &places,
        environment: &environment,
        hostname: "h".to_owned(),
        known_collectors: None,
    };
    Settings::load_for(&from, "onefs").unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

/// A secret without what it is: converted, one of the file is a credential.
fn place(secret: &SecretSource) -> String {
    match secret {
        SecretSource::Environment(name) => format!("${name}"),
        _ => "kept elsewhere".to_owned(),
    }
}

/// All of a cluster that can be told, without the port where nobody asks for it.
fn told(cluster: &PlannedCluster<SecretSource>, has_listeners: bool) -> String {
    format!(
        "{} {} {} {:?} {} {:?} {} {:?}",
        cluster.address,
        cluster.username,
        place(&cluster.password),
        cluster.authtype,
        cluster.insecure_skip_verify,
        cluster.ca_file,
        cluster.preserve_case,
        cluster.prometheus_port.filter(|_| has_listeners),
    )
}

fn clusters(plan: &Plan<SecretSource>, has_listeners: bool) -> Vec<String> {
    let clusters = plan.clusters.iter();
    clusters.map(|cluster| told(cluster, has_listeners)).collect()
}

/// Converts the file, reads the settings, and compares what each has collected, and where it goes.
#[track_caller]
fn is_the_same(text: &str) {
    let idic =
        Idic::parse(text, Path::new("idic.toml")).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
    let settings = idic.to_settings();
    assert!(!settings.contains("hunter2"), "{settings}");
    let (loaded, native) = load(&settings);
    let due = Plan::of_idic(&idic).unwrap();
    let has_listeners = idic.prometheus().unwrap().is_some();

    if due.clusters.is_empty() {
        assert!(native.cluster.iter().all(|cluster| cluster.disabled));
    } else {
        let plan = Plan::of_settings(&native).unwrap();
        assert_eq!(clusters(&plan, true), clusters(&due, has_listeners), "{settings}");
        let mut groups = (plan.groups.clone(), due.groups.clone());
        groups.0.sort_by(|a, b| a.name.cmp(&b.name));
        groups.1.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(groups.0, groups.1, "{settings}");
        assert_eq!(plan.summaries, due.summaries);
        assert_eq!(
            (plan.minimum, plan.by_group, plan.include_degraded),
            (due.minimum, due.by_group, due.include_degraded)
        );
    }

    let sink = idic.sink().unwrap();
    let written = loaded
        .settings
        .sinks
        .iter()
        .find(|sink| sink.name == "idic")
        .expect("the sink");
    assert_eq!((&written.only, &written.except), (&sink.only, &sink.except));
    // A secret has no printable form; where it is has one.
    let shown = |text: String| text.replace("Plain(Secret(..))", "Credential(\"onefs.influxdb\")");
    assert_eq!(
        shown(format!("{:?}", written.kind)),
        shown(format!("{:?}", sink.kind))
    );
    let takes = |collector: &str| {
        let sinks = loaded.settings.sinks.iter().filter(|sink| sink.takes(collector));
        sinks.map(|sink| sink.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (takes("onefs"), takes("host")),
        (vec!["idic".to_owned()], vec!["store".to_owned()])
    );

    if let Some(listeners) = idic.prometheus().unwrap() {
        let (prometheus, discovery) = (&native.prometheus, &native.prom_http_sd);
        let user = prometheus
            .username
            .clone()
            .zip(prometheus.password.as_ref().map(place));
        assert_eq!(
            user,
            listeners.user.map(|(name, password)| (name, place(&password)))
        );
        let tls = prometheus.tls_cert.clone().zip(prometheus.tls_key.clone());
        assert_eq!(tls, listeners.tls);
        assert_eq!(prometheus.instance_label_name, listeners.instance_label_name);
        assert_eq!(discovery.enabled, listeners.http_sd.is_some());
        if let Some(http_sd) = listeners.http_sd {
            assert_eq!(
                (&discovery.listen_addr, discovery.sd_port),
                (&http_sd.listen_addr, http_sd.port)
            );
        }
    }
}

/// A name as a TOML string may have it.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z][a-z0-9_.-]{0,10}",
        1 => "[ -~äß€]{1,8}".prop_map(|text| format!("x{}", text.replace(['\'', ':'], "_"))),
    ]
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("hunter2".to_owned()),
        Just("hunter2\"\\\\#".replace('"', "")),
        "[A-Z_][A-Z0-9_]{0,8}".prop_map(|name| format!("$env:{name}")),
    ]
}

fn interval() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("'*'".to_owned()),
        (1..10_000_u32).prop_map(|times| format!("'*{}'", f64::from(times) / 8.0)),
        (1..100_000_u32).prop_map(|seconds| format!("'{seconds}'")),
        (1..100_000_u32).prop_map(|millis| format!("{:?}", f64::from(millis) / 1000.0)),
        (1..100_000_u32).prop_map(|seconds| seconds.to_string()),
    ]
}

prop_compose! {
    fn cluster()(
        host in "[a-z][a-z0-9]{0,5}",
        user in name(),
        secret in secret(),
        (verify, disabled) in (any::<bool>(), prop::bool::weighted(0.2)),
        authtype in prop::sample::select(vec!["session", "basic-auth"]),
        case in prop::option::of(any::<bool>()),
    ) -> (String, bool) {
        let case = case.map_or_else(String::new, |case| format!("preserve_case = {case}\n"));
        let text = format!(
            "[[cluster]]\nhostname = '{host}@.example.com'\nusername = '{user}'\npassword = '{secret}'\n\
             verify-ssl = {verify}\ndisabled = {disabled}\nauthtype = '{authtype}'\n{case}"
        );
        (text, disabled)
    }
}

prop_compose! {
    fn group()(
        name in name(),
        interval in interval(),
        keys in prop::collection::btree_set("[a-z]{1,4}", 0..4),
        active in any::<bool>(),
    ) -> (String, String, Vec<String>, bool) {
        (name, interval, keys.into_iter().collect(), active)
    }
}

prop_compose! {
    fn file()(
        version in 31..=39_u32,
        seconds in 1..1000_u32,
        flags in prop::array::uniform3(any::<bool>()),
        summaries in prop::array::uniform3(any::<bool>()),
        clusters in prop::collection::vec(cluster(), 1..6),
        groups in prop::collection::vec(group(), 0..6),
        back_end in 0..4_usize,
        (tls, user, sd) in (any::<bool>(), prop::option::of((name(), secret())), any::<bool>()),
        (ssl, skip, port, database) in (any::<bool>(), any::<bool>(), 1..=u16::MAX, name()),
    ) -> String {
        let mut text = String::new();
        let active: Vec<String> = groups.iter().enumerate()
            .filter(|(_, (.., active))| *active)
            .map(|(index, (name, ..))| format!("'{name}{index}'"))
            .collect();
        let [protocol, client, drive] = summaries;
        let drive = drive || active.is_empty();
        let processor = ["influxdb", "influxdbv2", "prometheus", "discard"][back_end];
        let [case, degraded, by_group] = flags;
        let _ = write!(
            text,
            "[global]\nversion = 'v0.{version}'\nstats_processor = '{processor}'\nmin_update_interval_override = {seconds}\n\
             preserve_case = {case}\ninclude_degraded = {degraded}\nfetch_by_statgroup = {by_group}\n\
             active_stat_groups = [{}]\n[summary_stats]\nprotocol = {protocol}\nclient = {client}\ndrive = {drive}\n",
            active.join(", ")
        );
        let account = user.as_ref().map_or_else(String::new, |(name, secret)| {
            format!("authenticated = true\nusername = '{name}'\npassword = '{secret}'\n")
        });
        let _ = write!(
            text,
            "[influxdb]\nhost = 'db'\nport = '{port}'\ndatabase = '{database}'\nuse_ssl = {ssl}\nskip_ssl_verify = {skip}\n\
             {account}[influxdbv2]\nhost = '::1'\nport = {port}\norg = 'o'\nbucket = '{database}'\n\
             access_token = 'hunter2'\nuse_ssl = {ssl}\nskip_ssl_verify = {skip}\n[prometheus]\n{account}"
        );
        if tls {
            text.push_str("tls_cert = '/c.pem'\ntls_key = '/k.pem'\ninstance_label_name = 'isilon'\n");
        }
        let _ = write!(text, "[prom_http_sd]\nenabled = {sd}\nsd_port = {port}\n");
        for (index, (cluster, _)) in clusters.iter().enumerate() {
            text.push_str(&cluster.replace('@', &index.to_string()));
            let _ = writeln!(text, "prometheus_port = {}", 9000 + index);
        }
        for (index, (name, interval, keys, _)) in groups.iter().enumerate() {
            let keys: Vec<String> = keys.iter().map(|key| format!("'{key}.{index}'")).collect();
            let _ = write!(
                text,
                "[[statgroup]]\nname = '{name}{index}'\nupdate_interval = {interval}\nstats = [{}]\n",
                keys.join(", ")
            );
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_collected_is_the_same(text in file()) {
        is_the_same(&text);
    }
}
