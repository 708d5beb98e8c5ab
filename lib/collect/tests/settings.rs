//! A collector's settings, derived.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tidemark_collect::__private::settings::{LoadFrom, Places, Section as _, Settings as All, Url, defaults};
use tidemark_collect::{SecretSource, Settings, Size, Span};

/// A cluster
/// to look at.
///
/// This paragraph is for programmers.
#[derive(Debug, Settings)]
struct Cluster {
    /// Its address.
    #[default("http://localhost:8080/")]
    url: Url,
    /// Pools to look at.
    #[default(["rbd", "cephfs"])]
    pools: Vec<String>,
    /// How many at once.
    #[default(4)]
    section: u32,
    /// How full is too full.
    #[default(0.85)]
    ratio: f64,
    /// The longest answer.
    #[default("16MiB")]
    most: Size,
    /// Pools that are new, too.
    #[default(false)]
    r#new: bool,
    /// How long to wait.
    wait: Option<Span>,
    /// A certificate.
    ca_file: Option<PathBuf>,
    /// Who asks.
    token: SecretSource,
}

/// Nothing to set.
#[derive(Debug, Settings)]
struct Plain;

/// A site with many clusters.
#[derive(Debug, Settings)]
struct Site {
    /// The clusters.
    #[default([])]
    cluster: Vec<Member>,
    /// How it is shown.
    show: Show,
    /// Where it is told.
    told: Option<Told>,
}

/// A cluster.
#[derive(Debug, Settings)]
struct Member {
    /// Its name.
    hostname: String,
    /// Who asks.
    password: Option<SecretSource>,
    /// Whether its certificate is verified.
    #[key("verify-ssl")]
    #[default(true)]
    verify_ssl: bool,
}

/// How it is shown.
#[derive(Debug, Settings)]
struct Show {
    /// Whether at all.
    #[default(false)]
    enabled: bool,
    /// Colours.
    #[default(["red"])]
    colours: Vec<String>,
}

/// Where it is told.
#[derive(Debug, Settings)]
struct Told {
    /// The address.
    url: Url,
    /// Who may.
    door: Show,
}

/// Reads `[collector.cluster]` of this text.
fn read(text: &str) -> Result<Cluster, String> {
    read_as(text)
}

/// Reads `[collector.cluster]` of this text as another section.
fn read_as<S: tidemark_collect::Section>(text: &str) -> Result<S, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("t.toml");
    std::fs::write(&file, text).map_err(|error| error.to_string())?;
    let environment = BTreeMap::new();
    let places = Places::new(&environment, false, Some(file.clone()));
    let hostname = "here".to_owned();
    let from = LoadFrom {
        places: &places,
        environment: &environment,
        hostname,
        known_collectors: None,
    };
    let read = All::load_for::<S>(&from, "cluster").map(|(_, cluster)| cluster);
    read.map_err(|mistakes| mistakes.to_string().replace(&file.display().to_string(), "F"))
}

#[test]
fn declares_its_keys() {
    assert_eq!(Cluster::SUMMARY, "A cluster to look at.");
    let keys: Vec<_> = Cluster::KEYS
        .iter()
        .map(|key| (key.name, key.type_name, key.default, key.help))
        .collect();
    assert_eq!(
        keys,
        [
            ("url", "URL", Some("http://localhost:8080/"), "Its address."),
            (
                "pools",
                "list of strings",
                Some("[\"rbd\", \"cephfs\"]"),
                "Pools to look at."
            ),
            ("section", "integer", Some("4"), "How many at once."),
            ("ratio", "number", Some("0.85"), "How full is too full."),
            ("most", "size", Some("16MiB"), "The longest answer."),
            ("new", "boolean", Some("false"), "Pools that are new, too."),
            ("wait", "time span", None, "How long to wait."),
            ("ca_file", "path", None, "A certificate."),
            ("token", "secret", None, "Who asks."),
        ]
    );
    assert!(Plain::KEYS.is_empty());
    assert!(defaults::<Plain>().is_ok());
}

#[test]
fn reads_its_defaults() {
    let cluster = read("[collector.cluster]\ntoken = { env = \"TOKEN\" }\n").unwrap();
    assert_eq!(cluster.url.as_str(), "http://localhost:8080/");
    assert_eq!(cluster.pools, ["rbd", "cephfs"]);
    assert_eq!(
        (cluster.section, cluster.ratio, cluster.most),
        (4, 0.85, Size::mib(16))
    );
    assert!(!cluster.r#new && cluster.wait.is_none() && cluster.ca_file.is_none());
    assert!(matches!(cluster.token, SecretSource::Environment(name) if name == "TOKEN"));
}

#[test]
fn reads_what_is_set() {
    let cluster = read(
        "[collector.cluster]\nurl = \"https://c/\"\npools = []\nsection = 9\nratio = 1\nmost = 7\nnew = true\n\
         wait = \"1.5s\"\nca_file = \"/ca.pem\"\ntoken = \"t\"\nrun_interval = \"1h\"\n",
    )
    .unwrap();
    assert_eq!(cluster.url.as_str(), "https://c/");
    assert!(cluster.pools.is_empty() && cluster.r#new);
    assert_eq!(
        (cluster.section, cluster.ratio, cluster.most),
        (9, 1.0, Size::bytes(7))
    );
    assert_eq!(
        (cluster.wait, cluster.ca_file),
        (Some(Span::millis(1500)), Some(PathBuf::from("/ca.pem")))
    );
}

#[test]
fn reports_every_mistake() {
    assert_eq!(
        read("[collector.cluster]\nsection = -1\nratio = nan\nnew = \"no\"\nwait = 5.5\nsections = 3\n")
            .unwrap_err(),
        "F:1:12: [collector.cluster] has no `token`; write token = { credential = \"NAME\" } in it\n\
         F:2:11: `section` is out of range; write a number from 0 to 4294967295 instead\n\
         F:3:9: `ratio` is not a finite number; write a number like 0.5 instead\n\
         F:4:7: `new` is a string, where a boolean is needed; write true or false instead\n\
         F:5:8: `wait` is a float, where a time span is needed; write a time span like \"30s\", \"5m\" or \"1h 30min\" \
         instead\n\
         F:6:1: `sections` is no key of [collector.cluster]; write `section` instead"
    );
    assert_eq!(
        defaults::<Cluster>().unwrap_err().to_string(),
        "the program's own defaults: the section has no `token`; write token = { credential = \"NAME\" } in it"
    );
}

#[test]
fn tables_are_values() {
    let keys: Vec<_> = Site::KEYS
        .iter()
        .map(|key| {
            let below: Vec<_> = key.keys.iter().map(|key| key.name).collect();
            (key.name, key.type_name, key.default, below)
        })
        .collect();
    assert_eq!(
        keys,
        [
            (
                "cluster",
                "list of tables",
                Some("[]"),
                vec!["hostname", "password", "verify-ssl"]
            ),
            ("show", "table", None, vec!["enabled", "colours"]),
            ("told", "table", None, vec!["url", "door"]),
        ]
    );
    let site: Site = read_as(
        "[[collector.cluster.cluster]]\nhostname = \"a\"\nverify-ssl = false\n\
         [[collector.cluster.cluster]]\nhostname = \"b\"\npassword = { env = \"P\" }\n\
         [collector.cluster.told]\nurl = \"http://h/\"\ndoor.enabled = true\n",
    )
    .unwrap();
    let names: Vec<_> = site
        .cluster
        .iter()
        .map(|of| (of.hostname.as_str(), of.verify_ssl))
        .collect();
    assert_eq!(names, [("a", false), ("b", true)]);
    assert!(matches!(&site.cluster[1].password, Some(SecretSource::Environment(name)) if name == "P"));
    assert!(!site.show.enabled && site.show.colours == ["red"]);
    assert!(
        site.told
            .is_some_and(|told| told.door.enabled && told.url.as_str() == "http://h/")
    );
    assert!(defaults::<Site>().is_ok_and(|site| site.cluster.is_empty() && site.told.is_none()));
}

#[test]
fn mistakes_in_tables_name_the_table() {
    assert_eq!(
        read_as::<Site>(
            "[[collector.cluster.cluster]]\nhostnam = \"a\"\n[[collector.cluster.cluster]]\nhostname = 5\n\
             verify-ssl = \"no\"\n[collector.cluster.show]\ncolours = [1]\n[[collector.cluster.told]]\n"
        )
        .unwrap_err(),
        "F:1:1: [[collector.cluster.cluster]] has no `hostname`; write hostname = \"text\" in it\n\
         F:2:1: `hostnam` is no key of [[collector.cluster.cluster]]; write `hostname` instead\n\
         F:4:12: `hostname` is an integer, where a string is needed; write it in quotes instead\n\
         F:5:14: `verify-ssl` is a string, where a boolean is needed; write true or false instead\n\
         F:7:12: `colours` has an item that is an integer, where a string is needed; write it in quotes instead\n\
         F:8:1: `told` is a list, where a table is needed; write [collector.cluster.told] on a line above its keys \
         instead"
    );
    assert_eq!(
        read_as::<Site>(
            "[collector.cluster]\ncluster = [5]\ntold = { door = 7 }\n[collector.cluster.show]\nx=1\n"
        )
        .unwrap_err(),
        "F:2:12: `cluster` has an item that is an integer, where a table is needed; write \
         [[collector.cluster.cluster]] on a line above its keys instead\n\
         F:3:8: [collector.cluster.told] has no `url`; write url = \"https://example.com/\" in it\n\
         F:3:17: `door` is an integer, where a table is needed; write [collector.cluster.told.door] on a line above \
         its keys instead\n\
         F:5:1: `x` is no key of [collector.cluster.show]; write one of `enabled` and `colours` instead"
    );
    assert_eq!(
        read_as::<Site>("[collector.cluster]\ncluster = { hostname = \"a\" }\n").unwrap_err(),
        "F:2:11: `cluster` is a table, where a list of tables is needed; write [[collector.cluster.cluster]] on a line \
         above its keys instead"
    );
}
