//! What the charm does on a machine, without Juju: its own code, as its events call it (`charm/drive.py`).

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tidemark_testkit::{Answer, InfluxTls, Influxd, InfluxdOptions, SinkServer, Systemd, wait_until};

use crate::package::{NEW, machine, newer, root, shell, units, upgrade};
use crate::scene::{BOUND, playing};

const USER: &str = "collector";
/// As a secret of Juju's, or the relation's, has them.
const PASSWORD: &str = "Tr0ub4dor-and-3";
const TOKEN: &str = "s3cr3t-t0ken-of-the-user";

/// How long apt may take on a machine that is busy with other tests.
const APT: Duration = Duration::from_secs(300);

/// Everything that the charm may have written, with what tells whether it was written again.
const OWN: &str = "find /etc/tidemark /etc/credstore /etc/default/tidemark-juju /etc/systemd/system/tidemark-.service.d \
                   /var/lib/tidemark-juju -type f -printf '%p %m %u:%g %i %T@\\n' | sort";

/// Words of the check that settings have to pass.
const CHECK: &str = "tidemark.toml check --json";

/// A database over TLS, with a certificate that no machine knows.
fn database() -> Influxd {
    Influxd::start(InfluxdOptions {
        tls: InfluxTls::SelfSigned,
        user: Some((USER.to_owned(), PASSWORD.to_owned())),
        ..InfluxdOptions::default()
    })
}

/// A machine with the package and the charm's code at hand, and a timer of `host` that will fire all the time.
fn prepared() -> Systemd {
    let machine = with_code();
    let text = "[Timer]\nOnBootSec=\nOnActiveSec=0\nOnUnitInactiveSec=500ms\nRandomizedDelaySec=0\nAccuracySec=1ms\n";
    let file = "/etc/systemd/system/tidemark-host.timer.d/quick.conf";
    machine.install(file, text, 0o644, "root");
    machine
}

/// A machine with the package and the charm's code at hand.
fn with_code() -> Systemd {
    let machine = machine();
    let source = root().join("charm/src/workload");
    let target = machine.share().join("src/workload");
    fs::create_dir_all(&target).expect("a folder of the test's");
    for entry in fs::read_dir(source).expect("the charm's code").flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "py")
        {
            fs::copy(entry.path(), target.join(entry.file_name())).expect("a copy");
        }
    }
    let drive = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/charm/drive.py");
    fs::copy(drive, machine.share().join("src/drive.py")).expect("a copy");
    machine
}

/// Has the charm's code do these things; what came of each.
#[track_caller]
fn drive(machine: &Systemd, things: &[Value]) -> Vec<Value> {
    let python = "PYTHONPATH=/mnt/share/src";
    let words = [
        "env",
        "PYTHONDONTWRITEBYTECODE=1",
        python,
        "/usr/bin/python3",
        "/mnt/share/src/drive.py",
    ];
    let lines: String = things.iter().map(|thing| format!("{thing}\n")).collect();
    let ended = machine
        .command(words)
        .stdin(lines)
        .bound(APT)
        .run()
        .expect_code(0);
    assert_silent(
        "what the charm says",
        &format!("{}{}", ended.stdout, ended.stderr),
    );
    let answers = ended.stdout.lines();
    answers
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Has it do one thing, and demands that it did, and whether that changed anything.
#[track_caller]
fn changed(machine: &Systemd, thing: Value) -> bool {
    let answers = drive(machine, std::slice::from_ref(&thing));
    let changed = answers[0]["changed"].as_bool();
    changed.unwrap_or_else(|| panic!("{thing}: {answers:?}"))
}

fn install(package: &str) -> Value {
    json!({"do": "install", "file": format!("{}/{package}", Systemd::SHARE)})
}

/// What an integration with the database comes to, with a secret of the user's beside it.
fn wanted(database: &Influxd) -> Value {
    let ca = fs::read_to_string(database.ca_file()).expect("a certificate");
    json!({
        "do": "apply",
        "influxdb": {
            "url": database.url(), "database": database.database(), "username": USER, "password": PASSWORD, "ca": ca,
        },
        "collectors": {"host": null},
        "credentials": {"token": TOKEN},
        "settings": "[host]\ntags = { site = \"north\" }\n",
        "log_level": "notice",
        "proxies": {"no_proxy": "localhost"},
    })
}

#[track_caller]
fn assert_silent(place: &str, text: &str) {
    for secret in [PASSWORD, TOKEN] {
        assert!(!text.contains(secret), "{place} holds {secret}: {text}");
    }
}

#[track_caller]
fn wait_for_points(database: &Influxd, more: u64) {
    let before = database.count("host_memory", "total_bytes");
    wait_until("points in the database", BOUND, || {
        database.count("host_memory", "total_bytes") >= before + more
    });
}

/// The timers of tidemark that are active.
fn timers(machine: &Systemd) -> Vec<String> {
    let mut names = units(machine, "active");
    names.retain(|name| name.ends_with(".timer"));
    names
}

#[test]
fn installed_it_delivers_again_it_changes_nothing_and_removed_it_leaves_the_state() {
    let database = database();
    let machine = prepared();
    // Who looks at all processes, for as long as the charm is at work.
    let look = "while [ ! -e /mnt/share/enough ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; sleep 0.02; done >/mnt/share/words";
    let looking = machine.command(["sh", "-c", look]).bound(5 * APT).start();

    let things = [install("old.deb"), wanted(&database), json!({"do": "take_over"})];
    let first = drive(&machine, &things);
    assert_eq!(first[..2], [json!({"changed": true}), json!({"changed": true})]);
    assert_eq!(timers(&machine), ["tidemark-flush.timer", "tidemark-host.timer"]);
    wait_for_points(&database, 2);
    let tagged =
        database.query("SELECT COUNT(\"total_bytes\") FROM \"host_memory\" WHERE \"site\" = 'north'");
    assert_eq!(tagged.len(), 1, "{tagged:?}");

    let before = shell(&machine, OWN);
    let again = drive(&machine, &things);
    assert_eq!(again, vec![json!({"changed": false}); 3]);
    assert_eq!(shell(&machine, OWN), before);
    wait_for_points(&database, 1);

    // A sink that keeps whoever checks it until he has been seen.
    let seen = machine.share().join("words");
    let watched = SinkServer::start();
    watched.judge(move |_| {
        wait_until("the check is seen", BOUND, || {
            fs::read(&seen).is_ok_and(|words| String::from_utf8_lossy(&words).contains(CHECK))
        });
        Answer::new(204)
    });
    let missing = playing("watched", &watched)
        + "[[sink]]\ntype = \"remote-write\"\nurl = \"https://localhost:1/write\"\n\
           bearer_token = { credential = \"tidemark.none\" }\n";
    // What does not pass leaves all as it was.
    let mut wrong = wanted(&database);
    for (settings, said) in [
        (
            "[store]\nkep = \"30d\"\n",
            "settings:2:1: `kep` is no key of [store]; write `keep` instead",
        ),
        (
            "[store\n",
            "settings:1:7: a header without its closing ]; write [section] instead",
        ),
        (
            missing.as_str(),
            "sink remote-write: the secret file /etc/credstore/tidemark.none does not exist; create it, or name another",
        ),
    ] {
        wrong["settings"] = settings.into();
        assert_eq!(
            drive(&machine, std::slice::from_ref(&wrong)),
            [json!({"refused": [said]})]
        );
        assert_eq!(shell(&machine, OWN), before);
    }
    wait_for_points(&database, 1);
    fs::write(machine.share().join("enough"), "").expect("a file of the test's");
    looking.wait().expect_code(0);
    let words = fs::read(machine.share().join("words")).expect("what was seen");
    let words = String::from_utf8_lossy(&words);
    assert!(words.contains("drive.py") && words.contains(CHECK));
    assert_silent("a process's words", &words);
    assert_secrets_are_where_they_belong(&machine);

    // The database is no longer there: its password goes, and the store takes the points.
    assert!(changed(
        &machine,
        json!({"do": "apply", "collectors": {"host": null}})
    ));
    assert_eq!(shell(&machine, "ls -A /etc/credstore"), "");
    assert_eq!(
        shell(
            &machine,
            "find /etc/tidemark -name 'juju*' -printf '%f\\n' | sort"
        ),
        "juju.toml\n"
    );

    drive(
        &machine,
        &[json!({"do": "stop"}), json!({"do": "remove", "purge": false})],
    );
    assert_eq!(
        units(&machine, "active,activating,deactivating,failed"),
        Vec::<String>::new()
    );
    assert_eq!(
        shell(
            &machine,
            "find /etc /var/lib /usr -path '*juju*' ! -path '/etc/credstore*' | sort"
        ),
        ""
    );
    for (path, code) in [
        ("/usr/bin/tidemark", 1),
        ("/var/lib/tidemark/outbox.db", 0),
        ("/etc/tidemark/tidemark.toml", 0),
    ] {
        machine.run(["test", "-e", path]).expect_code(code);
    }
    // Once more, and for good.
    drive(
        &machine,
        &[
            json!({"do": "remove", "purge": false}),
            json!({"do": "remove", "purge": true}),
        ],
    );
    for gone in ["/var/lib/tidemark", "/etc/tidemark"] {
        machine.run(["test", "-e", gone]).expect_code(1);
    }
}

/// In files that root alone reads, and nowhere else: no other file, no journal, no unit, no environment that is shown.
#[track_caller]
fn assert_secrets_are_where_they_belong(machine: &Systemd) {
    let found = |secret: &str| {
        let folders = "/etc /run /tmp /usr/lib/tidemark /var/lib/dpkg /var/lib/tidemark /var/log /var/tmp";
        let script = format!("grep -rlF -D skip -e '{secret}' {folders} 2>/dev/null | sort");
        let found = shell(machine, &format!("{script} || true"));
        let names = found
            .lines()
            .filter(|name| !name.starts_with("/run/credentials/"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(PASSWORD), ["/etc/credstore/tidemark.influxdb.password"]);
    assert_eq!(found(TOKEN), ["/etc/credstore/tidemark.token"]);
    let modes = shell(
        machine,
        "stat -c '%n %a %U' /etc/credstore /etc/credstore/* /etc/default/tidemark-juju",
    );
    assert_eq!(
        modes,
        "/etc/credstore 700 root\n/etc/credstore/tidemark.influxdb.password 600 root\n\
         /etc/credstore/tidemark.token 600 root\n/etc/default/tidemark-juju 600 root\n"
    );
    for words in [
        "journalctl --no-pager --output=export",
        "systemctl show --all tidemark-host.service tidemark-flush.service",
        "systemctl cat tidemark-host.service",
        "tidemark status --json",
        "tidemark check --json",
        "tidemark -v outbox list",
        "tidemark units print",
    ] {
        let ended = machine.run(words.split(' '));
        assert_silent(words, &format!("{}{}", ended.stdout, ended.stderr));
        assert!(!ended.stdout.is_empty(), "{words}: {ended:?}");
    }
}

/// Nothing is started, not by a boot either, until it takes over.
#[test]
fn a_unit_that_stands_by_starts_nothing_and_takes_over_again() {
    let database = database();
    let mut machine = prepared();
    drive(&machine, &[install("old.deb"), wanted(&database)]);
    wait_for_points(&database, 1);

    assert!(changed(&machine, json!({"do": "stand_by"})));
    assert_eq!(timers(&machine), Vec::<String>::new());
    wait_until("the last run", BOUND, || {
        machine.property("tidemark-host.service", "ActiveState") == "inactive"
    });
    assert!(!changed(&machine, json!({"do": "stand_by"})));
    machine.run(["tidemark", "outbox", "flush"]).expect_code(0);
    let handed_over = database.count("host_memory", "total_bytes");
    let status = machine
        .run(["tidemark", "status", "--check"])
        .expect_code(0)
        .stdout;
    assert!(status.contains("this host stands by"), "{status}");
    machine.run(["tidemark", "units", "verify"]).expect_code(0);

    machine.reboot();
    machine.wait_for("tidemark.target", "active");
    machine.wait_for_property(
        "tidemark-units.again.service",
        "ActiveState",
        "no look goes on",
        |state| state == "inactive",
    );
    assert_eq!(timers(&machine), Vec::<String>::new());
    let run = machine.property("tidemark-host.service", "ExecMainStartTimestampMonotonic");
    assert_eq!(run, "0", "no run since the boot");
    assert_eq!(database.count("host_memory", "total_bytes"), handed_over);
    // Other settings are another matter.
    let mut other = wanted(&database);
    other["log_level"] = "warning".into();
    assert!(changed(&machine, other));
    assert_eq!(timers(&machine), Vec::<String>::new());

    assert!(changed(&machine, json!({"do": "take_over"})));
    // It does not wait for what it has had started.
    wait_until("the timers", BOUND, || {
        timers(&machine) == ["tidemark-flush.timer", "tidemark-host.timer"]
    });
    wait_for_points(&database, 1);
    machine.reboot();
    wait_for_points(&database, 1);
}

/// The package's own scripts see to the timers; the charm only installs.
#[test]
fn a_refresh_while_timers_fire_loses_no_run_and_no_point() {
    let machine = with_code();
    newer(&machine, "true");
    drive(
        &machine,
        &[
            install("old.deb"),
            json!({"do": "apply", "collectors": {"host": null}}),
        ],
    );
    upgrade::quicken(&machine);
    wait_until("two runs", BOUND, || upgrade::ended(&machine, "done") >= 2);
    let timer = upgrade::since(&machine, "tidemark-host.timer");
    assert!(changed(&machine, install("new.deb")));
    assert_eq!(upgrade::version(&machine), format!("{NEW} install ok installed"));
    assert_eq!(upgrade::since(&machine, "tidemark-host.timer"), timer);
    let before = upgrade::ended(&machine, "done");
    wait_until("runs of the new version", BOUND, || {
        upgrade::ended(&machine, "done") >= before + 2
    });
    upgrade::assert_nothing_lost(&machine);
    assert!(!changed(&machine, install("new.deb")));
}
