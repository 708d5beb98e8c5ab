//! A collector of many targets: the secrets of its tables, and the file of gostats that it may read.

use crate::scene::{Scene, description};

const IDIC: &str = "[global]\nversion = \"v0.39\"\nstats_processor = \"influxdb\"\nactive_stat_groups = [\"cpu\"]\n\
                    [influxdb]\nhost = \"db\"\nport = \"8086\"\ndatabase = \"isi\"\n\
                    [[cluster]]\nhostname = \"cl1\"\nusername = \"u\"\npassword = \"hunter2\"\nverify-ssl = true\n\
                    [[statgroup]]\nname = \"cpu\"\nupdate_interval = \"*\"\nstats = [\"cluster.cpu.sys.avg\"]\n";

const NAMED: &str = "[collector.onefs]\nidic = \"/srv/gostats/idic.toml\"\n";

const HANDED_ON: &str = "\nLoadCredential=tidemark.file.srv-gostats-idic.toml:/srv/gostats/idic.toml\n";

/// `onefs`, and another that needs nothing.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.described("a", description("a"));
    let keys = r#"[{"name": "idic", "type": "path", "default": null, "help": "A file."},
        {"name": "cluster", "type": "list of tables", "default": "[]", "help": "All.", "keys": [
        {"name": "hostname", "type": "string", "default": null, "help": "Its name."},
        {"name": "password", "type": "secret", "default": null, "help": "Its password."}]}]"#;
    let onefs = description("onefs")
        .replace("\"settings\": []", &format!("\"settings\": {keys}"))
        .replace("\"network\": false", "\"network\": true, \"listens\": true")
        .replace("\"5m\"", "\"30s\"");
    scene.described("onefs", onefs);
    scene
}

#[test]
fn each_clusters_secret_is_handed_to_its_unit_alone() {
    let scene = scene();
    scene.settings(
        "[[collector.onefs.cluster]]\nhostname = \"cl1\"\npassword = { credential = \"one\" }\n\
         [[collector.onefs.cluster]]\nhostname = \"cl2\"\npassword = { file = \"/etc/tidemark/two\" }\n\
         [[collector.onefs.cluster]]\nhostname = \"cl3\"\npassword = { credential = \"one\" }\n\
         [[collector.onefs.cluster]]\nhostname = \"cl4\"\npassword = \"hunter2\"\n",
    );
    let unit = scene.unit("tidemark-onefs.service");
    for line in [
        "LoadCredential=one",
        "LoadCredential=tidemark.file.etc-tidemark-two:/etc/tidemark/two",
    ] {
        assert_eq!(unit.matches(&format!("\n{line}\n")).count(), 1, "{line}: {unit}");
    }
    assert!(
        unit.contains("--every=30s\n") && unit.contains("\nExecReload="),
        "{unit}"
    );
    for other in ["tidemark-a.service", "tidemark-flush.service"] {
        assert!(!scene.unit(other).contains("LoadCredential"), "{other}");
    }
}

#[test]
fn the_file_and_its_sink_are_for_the_collector_and_the_flush() {
    let scene = scene();
    scene.settings(NAMED);
    scene.folder("srv/gostats");
    scene.file("srv/gostats/idic.toml", IDIC, 0o600);
    assert_eq!(scene.plan().notices, Vec::<String>::new());
    for unit in ["tidemark-onefs.service", "tidemark-flush.service"] {
        let text = scene.unit(unit);
        assert!(text.contains(HANDED_ON), "{text}");
        assert!(text.contains("\nBindReadOnlyPaths=-/srv/gostats\n"), "{text}");
        assert!(text.contains("\nWants=network-online.target\n"), "{text}");
        assert!(!text.contains("hunter2"));
    }
    let other = scene.unit("tidemark-a.service");
    assert!(
        other.contains("\nPrivateNetwork=yes\n") && !other.contains("gostats"),
        "{other}"
    );
}

#[test]
fn where_there_is_a_sink_the_flush_reads_no_file() {
    let scene = scene();
    scene.settings(&format!("{NAMED}[[sink]]\ntype = \"discard\"\n"));
    assert_eq!(scene.plan().notices, Vec::<String>::new());
    assert!(scene.unit("tidemark-onefs.service").contains(HANDED_ON));
    assert!(!scene.unit("tidemark-flush.service").contains("gostats"));
}

#[test]
fn a_file_that_is_wrong_stops_no_unit() {
    let scene = scene();
    scene.settings(NAMED);
    let missing = scene.plan().notices;
    assert_eq!(missing.len(), 1);
    assert!(
        missing[0].starts_with("the sink idic of onefs is not known: ")
            && missing[0].contains("does not exist"),
        "{missing:?}"
    );
    scene.folder("srv/gostats");
    scene.file("srv/gostats/idic.toml", "[global\n", 0o600);
    assert!(scene.plan().notices[0].contains("a header without its closing ]"));
    assert!(scene.unit("tidemark-onefs.service").contains(HANDED_ON));
    assert!(scene.unit("tidemark-flush.service").contains(HANDED_ON));
}
