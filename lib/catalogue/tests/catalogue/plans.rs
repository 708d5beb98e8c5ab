//! What settings make of the units, right ones and wrong ones.

use std::fs;
use std::os::unix::fs::chown;

use tidemark_catalogue::Plan;

use crate::scene::{Scene, description, mode, timers};

/// Two collectors, of which one is off by default.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.described("a", description("a"));
    scene.described("b", description("b").replace("\"on\"", "\"off\""));
    scene
}

#[test]
fn settings_decide_what_is_on_and_when() {
    let scene = scene();
    assert_eq!(timers(&scene.plan()), ["a"], "no settings at all");
    scene.settings("[collector.b]\n");
    assert_eq!(timers(&scene.plan()), ["a", "b"], "off until it has a section");
    scene.settings("[collector.a]\nenabled = false\n[collector.b]\nenabled = true\nrun_interval = \"1h 30min\"\ndeadline = \"2m\"\n");
    let plan = scene.plan();
    assert_eq!(timers(&plan), ["b"]);
    assert_eq!(plan.notices, Vec::<String>::new());
    assert!(
        scene
            .unit("tidemark-b.timer")
            .contains("\nOnUnitInactiveSec=1h 30min\n")
    );
    assert!(
        scene
            .unit("tidemark-b.service")
            .contains("\nTimeoutStartSec=2min 30s\n")
    );
    scene.settings("[collector.a]\nrun_interval = \"15s\"\n");
    assert!(scene.unit("tidemark-a.service").contains("--every=15s"));
    assert_eq!(timers(&scene.plan()), Vec::<&str>::new());
}

/// It has the same units, and its target starts none of them.
#[test]
fn a_host_that_stands_by_starts_nothing() {
    let scene = scene();
    scene.settings("[collector.b]\nrun_interval = \"15s\"\n");
    let usual = scene.plan();
    scene.settings("[collector.b]\nrun_interval = \"15s\"\n[host]\nstandby = true\n");
    let plan = scene.plan();
    assert_eq!(
        plan.notices,
        ["this host stands by (`standby` of [host]): no timer is started"]
    );
    let texts = |plan: &Plan| {
        let of = plan.units.iter();
        of.map(|unit| (unit.file_name.clone(), unit.text.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(&plan), texts(&usual));
    assert_eq!(usual.units.iter().filter(|unit| unit.wanted).count(), 3);
    assert_eq!(plan.units.iter().filter(|unit| unit.wanted).count(), 0);
}

/// Whatever is wrong with them: timers with defaults, one notice, which says where.
#[test]
fn settings_that_are_wrong_stop_no_timer() {
    let scene = scene();
    let expected = scene.plan().units;
    let huge = format!("# {}\n", "x".repeat(2 << 20));
    for (text, said) in [
        ("[collector.b\n", "tidemark.toml:1:"),
        (
            "[collector.b]\n[host]\nnam = \"x\"\n",
            "tidemark.toml:3:1: `nam` is no key",
        ),
        ("[[sink]]\ntype = \"influxdb\"\n", "(and 1 more)"),
        ("a = \"\u{0}\"\n", "tidemark.toml:1:"),
        (&huge, "is longer than 1 MiB"),
    ] {
        scene.settings(text);
        let plan = scene.plan();
        assert_eq!(plan.units, expected, "{said}");
        let [notice] = plan.notices.as_slice() else {
            panic!("{:?}", plan.notices);
        };
        assert!(
            notice.starts_with("the settings are wrong, so timers have their defaults and runs end with 78")
                && notice.contains(said),
            "{notice}"
        );
    }
    let file = scene.path("etc/tidemark/tidemark.toml");
    fs::remove_file(&file).expect("its own");
    fs::create_dir(&file).expect("a folder");
    let plan = scene.plan();
    assert_eq!(plan.units, expected);
    assert!(plan.notices[0].contains("is a directory"), "{:?}", plan.notices);
}

/// A mistake in a collector's own section is that collector's alone, and is told of.
#[test]
fn a_section_that_is_wrong_is_told_of() {
    let scene = scene();
    let key = r#"[{"name": "token", "type": "secret", "default": null, "help": "It."}]"#;
    scene.described(
        "b",
        description("b").replace("\"settings\": []", &format!("\"settings\": {key}")),
    );
    for (section, said) in [
        ("run_interval = \"soon\"", "tidemark.toml:2:16: "),
        ("enabeld = false", "tidemark.toml:2:1: `enabeld` is no key"),
        ("token = 5", "tidemark.toml:2:9: "),
    ] {
        scene.settings(&format!(
            "[collector.b]\n{section}\n[collector.a]\nrun_interval = \"1h\"\n[collector.gone]\nx = 1\n"
        ));
        let plan = scene.plan();
        assert_eq!(timers(&plan), ["a", "b"]);
        assert!(
            scene
                .unit("tidemark-a.timer")
                .contains("\nOnUnitInactiveSec=1h\n")
        );
        let [notice] = plan.notices.as_slice() else {
            panic!("{:?}", plan.notices);
        };
        assert!(
            notice.starts_with("the settings of a collector are wrong, so its runs end with 78")
                && notice.contains(said),
            "{notice}"
        );
    }
}

/// A key that is wrong does not switch on what another one switches off.
#[test]
fn a_mistake_beside_it_leaves_a_collector_off() {
    let scene = scene();
    scene.settings("[collector.a]\nenabled = false\nrun_interval = \"soon\"\n");
    assert!(!timers(&scene.plan()).contains(&"a"));
}

/// What can be set but not written into a unit takes nothing from the other units.
#[test]
fn settings_that_fit_no_unit_stop_no_timer() {
    let scene = scene();
    let expected = scene.plan().units;
    scene.settings("[[sink]]\ntype = \"textfile\"\ndirectory = \"/var/lib/a\\nExecStart=x\"\n");
    let plan = scene.plan();
    assert_eq!(plan.units, expected);
    assert!(
        plan.notices[0].contains("holds a control character"),
        "{:?}",
        plan.notices
    );
    scene.settings("");
    scene.described("c", description("c").replace("\"5m\"", "\"0\""));
    scene.described(
        "d",
        description("d").replace("\"paths\": []", "\"paths\": [\"relative\"]"),
    );
    let plan = scene.plan();
    assert_eq!(timers(&plan), ["a"]);
    assert!(
        plan.notices[0].starts_with("no timer for c: the interval is 0"),
        "{:?}",
        plan.notices
    );
    assert!(
        plan.notices[1].starts_with("no timer for d: the path of a need"),
        "{:?}",
        plan.notices
    );
}

/// What the sinks and a collector's own section need is in the units that need it.
#[test]
fn secrets_networks_and_groups_are_in_the_units() {
    let scene = scene();
    let key = r#"[{"name": "token", "type": "secret", "default": null, "help": "It."}]"#;
    scene.described(
        "c",
        description("c").replace("\"settings\": []", &format!("\"settings\": {key}")),
    );
    scene.settings(
        "[collector.c]\ntoken = { credential = \"token-of-c\" }\n\
         [[sink]]\ntype = \"influxdb\"\nurl = \"https://influx.example\"\ndatabase = \"d\"\nusername = \"u\"\n\
         password = { file = \"/etc/tidemark/password\" }\nca_file = \"/root/ca.pem\"\n\
         [[sink]]\ntype = \"textfile\"\ndirectory = \"/var/lib/textfiles\"\n",
    );
    let folder = scene.folder("var/lib/textfiles");
    scene.folder("etc");
    let group = if rustix::process::geteuid().is_root() {
        chown(&folder, None, Some(64120)).expect("root");
        64120
    } else {
        rustix::process::getegid().as_raw()
    };
    scene.file(
        "etc/group",
        format!("root:x:0:\nnode-exporter:x:{group}:\n"),
        0o644,
    );
    // Its group may only read it: nobody needs to be in it.
    assert!(!scene.unit("tidemark-a.service").contains("SupplementaryGroups"));
    mode(&folder, 0o2775);
    for unit in [
        "tidemark-a.service",
        "tidemark-c.service",
        "tidemark-flush.service",
    ] {
        let text = scene.unit(unit);
        assert!(text.contains("\nSupplementaryGroups=node-exporter\n"), "{text}");
        assert!(text.contains("\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"));
        assert!(
            text.contains("\nLoadCredential=tidemark.file.etc-tidemark-password:/etc/tidemark/password\n")
        );
        assert!(text.contains("BindReadOnlyPaths=-/root/ca.pem\n"));
        assert_eq!(
            text.contains("\nLoadCredential=token-of-c\n"),
            unit == "tidemark-c.service"
        );
    }
    scene.file("etc/group", "root:x:0:\n", 0o644);
    let notices = scene.plan().notices;
    assert!(
        notices[0].contains(&format!("belongs to the group {group}, which")),
        "{notices:?}"
    );
}

/// The variables that units are started with decide as well: the `INFLUXDB_` ones are a sink, and name the settings.
#[test]
fn the_environment_of_units_counts() {
    let scene = scene();
    scene.folder("etc/default");
    scene.folder("srv");
    assert!(
        scene
            .unit("tidemark-flush.service")
            .contains("PrivateNetwork=yes")
    );
    scene.file(
        "etc/default/tidemark",
        "INFLUXDB_HOSTNAME=influx.example\nINFLUXDB_PORT=8086\nINFLUXDB_USERNAME=u\nINFLUXDB_PASSWORD='it''s'\n\
         INFLUXDB_DATABASE=\"d\"\nSSL_CERT_FILE=/srv/certificates.pem\n",
        0o600,
    );
    let text = scene.unit("tidemark-a.service");
    assert!(!text.contains("PrivateNetwork=yes"), "{text}");
    assert!(
        text.contains("BindReadOnlyPaths=-/srv/certificates.pem"),
        "{text}"
    );
    assert!(!text.contains("it's"), "{text}");

    scene.file("etc/default/tidemark", "TIDEMARK_CONFIG=/srv/t.toml\n", 0o600);
    scene.file("srv/t.toml", "[collector.b]\n", 0o600);
    assert_eq!(timers(&scene.plan()), ["a", "b"]);
    assert!(
        scene
            .unit("tidemark-a.service")
            .contains(" --config /srv/t.toml\n")
    );
    fs::remove_file(scene.path("srv/t.toml")).expect("its own");
    let plan = scene.plan();
    assert_eq!(
        timers(&plan),
        ["a"],
        "wrong settings: what is named must be there"
    );
    assert!(plan.notices[0].contains("does not exist"), "{:?}", plan.notices);

    fs::remove_file(scene.path("etc/default/tidemark")).expect("its own");
    fs::create_dir(scene.path("etc/default/tidemark")).expect("a folder");
    let plan = scene.plan();
    assert_eq!(timers(&plan), ["a"]);
    assert_eq!(
        plan.notices,
        ["no variable of units is known: /etc/default/tidemark is a directory; name a regular file instead"]
    );
}
