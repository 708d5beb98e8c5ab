//! From the installation to the purge, each leaving what it should.

use std::path::Path;

use serde_json::Value;
use tidemark_testkit::{Answer, Ended, Influxd, InfluxdOptions, Source, Systemd, wait_until};

use super::{DPKG, DPKG_WORDS, delivered, dpkg, install, machine, shell, units, wait_until_idle};
use crate::scene::{BOUND, with_credential};

/// Whatever is called after tidemark, where a package, its user and systemd leave things.
const CALLED: &str = "find /etc /usr /var /run -path '*tidemark*' | sort";
/// Whatever belongs to its user.
const OWNED: &str = "find /etc /usr /var /run -user tidemark -o -group tidemark";

#[test]
fn installed_it_runs_removed_it_stops_and_purged_it_is_gone() {
    let list = Path::new("/var/lib/dpkg/info/tidemark.list");
    let on_host = list.exists();
    let influxd = Influxd::start(InfluxdOptions::https("writer", "only for the unit"));
    let machine = machine();
    // An empty one of the host's own would go with the package's.
    shell(&machine, "rmdir /usr/lib/tidemark 2>&1 || true");
    let before = shell(&machine, CALLED);

    let said = install(&machine, "old.deb");
    assert!(!said.stderr.contains("arning"), "{}", said.stderr);
    assert_eq!(
        said.stderr
            .lines()
            .filter(|line| !line.starts_with("Created symlink"))
            .count(),
        0,
        "{}",
        said.stderr
    );
    assert_eq!(list.exists(), on_host, "the test's own host is not touched");
    let stat = shell(
        &machine,
        "stat -c '%n %U:%G %a' /etc/tidemark/tidemark.toml /etc/default/tidemark /var/lib/tidemark /etc/credstore",
    );
    assert_eq!(
        stat,
        "/etc/tidemark/tidemark.toml root:tidemark 640\n/etc/default/tidemark root:root 640\n\
         /var/lib/tidemark tidemark:tidemark 750\n/etc/credstore root:root 700\n"
    );
    // Those that are on, and no other.
    let timers = ["tidemark-flush.timer", "tidemark-host.timer"];
    let running = units(&machine, "active");
    for unit in ["tidemark.target", "tidemark-units.path"].iter().chain(&timers) {
        assert!(running.iter().any(|it| it == unit), "{unit} among {running:?}");
    }
    assert_eq!(
        running.iter().filter(|unit| unit.ends_with(".timer")).count(),
        2,
        "{running:?}"
    );
    assert_eq!(
        interval(&machine, "tidemark-host.timer"),
        "OnUnitInactiveUSec=1min"
    );
    assert_eq!(
        machine.systemctl(["is-enabled", "tidemark.target", "tidemark-units.path"]),
        "enabled\nenabled\n"
    );

    machine.run(["tidemark", "units", "verify"]).expect_code(0);
    let shipped = shell(
        &machine,
        "dpkg -L tidemark | grep '^/usr/lib/systemd/system/.' | xargs systemd-analyze verify --man=no 2>&1",
    );
    assert_eq!(shipped, "");

    // Another is switched on and the points go to a database, by a file alone.
    let sink = with_credential(&machine, &influxd);
    let settings = format!("[collector.sponsoring]\nrun_interval = \"7m\"\n{sink}");
    machine.install("/etc/tidemark/conf.d/site.toml", settings, 0o640, "root:tidemark");
    machine.wait_for("tidemark-sponsoring.timer", "active");
    assert_eq!(
        interval(&machine, "tidemark-sponsoring.timer"),
        "OnUnitInactiveUSec=7min"
    );
    machine.systemctl(["start", "tidemark-host.service"]);
    wait_until("points in the database", BOUND, || {
        influxd.count("host_memory", "total_bytes") >= 1
    });
    let status = machine
        .run(["tidemark", "status", "--json"])
        .expect_code(0)
        .stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert!(status["collectors"].to_string().contains("\"host\""), "{status}");

    // Removed: nothing runs, nothing has failed, and what was set and what was collected is still there.
    let said = dpkg(&machine, "--remove tidemark");
    assert_eq!(said.stderr, "", "nothing that stops could be started again");
    assert_eq!(
        units(&machine, "active,activating,deactivating,failed"),
        Vec::<String>::new()
    );
    assert_eq!(shell(&machine, "ps -u tidemark -o comm= || true"), "");
    for gone in ["/usr/bin/tidemark", "/usr/lib/tidemark", "/run/tidemark"] {
        assert_eq!(machine.run(["test", "-e", gone]).code, Some(1), "{gone}");
    }
    for there in [
        "/etc/tidemark/tidemark.toml",
        "/etc/tidemark/conf.d/site.toml",
        "/etc/default/tidemark",
        "/var/lib/tidemark/outbox.db",
    ] {
        machine.run(["test", "-e", there]).expect_code(0);
    }

    // Back again: as it was.
    install(&machine, "old.deb");
    assert_eq!(
        interval(&machine, "tidemark-sponsoring.timer"),
        "OnUnitInactiveUSec=7min"
    );
    assert!(units(&machine, "active").contains(&"tidemark-host.timer".to_owned()));

    // Purged: the user alone is left, and the operator's credential.
    let said = dpkg(&machine, "--purge tidemark");
    assert_eq!(said.stderr, "");
    assert_eq!(
        units(&machine, "active,activating,deactivating,failed"),
        Vec::<String>::new()
    );
    assert_eq!(shell(&machine, CALLED), before);
    assert_eq!(shell(&machine, OWNED), "");
    assert_eq!(
        shell(&machine, "getent passwd tidemark | cut -d : -f 7"),
        "/usr/sbin/nologin\n"
    );
    machine
        .run(["test", "-e", "/etc/credstore/influxdb-password"])
        .expect_code(0);
    assert_eq!(
        machine.systemctl(["--failed", "--plain", "--no-legend", "list-units"]),
        ""
    );
}

/// A timer's interval, as systemd has loaded it.
fn interval(machine: &Systemd, timer: &str) -> String {
    let text = machine.property(timer, "TimersMonotonic");
    let found = text.lines().find_map(|line| {
        let (_, rest) = line.split_once("OnUnitInactiveUSec=")?;
        Some(format!("OnUnitInactiveUSec={}", rest.split_once(" ;")?.0))
    });
    found.unwrap_or_else(|| panic!("{timer}: {text}"))
}

/// `dpkg` with those words, where it sees no systemd that runs.
fn without_systemd(machine: &Systemd, words: &str) -> Ended {
    let script = format!("mount -t tmpfs none /run/systemd && exec {DPKG_WORDS} {words}");
    let words = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        &script,
    ];
    machine.command(words).bound(DPKG).run().expect_code(0)
}

/// In a container or an image that is being made, no systemd runs: the boot that follows starts all.
#[test]
fn it_is_installed_where_no_systemd_runs() {
    let mut machine = machine();
    let said = without_systemd(&machine, &format!("-i {}/old.deb", Systemd::SHARE));
    assert!(!said.stderr.contains("ailed"), "{}", said.stderr);
    assert_eq!(units(&machine, "active"), Vec::<String>::new());
    assert_eq!(
        shell(&machine, "stat -c %U:%G /etc/tidemark/tidemark.toml"),
        "root:tidemark\n"
    );
    machine.reboot();
    machine.wait_for("tidemark-host.timer", "active");
    machine.wait_for("tidemark.target", "active");
    machine.systemctl(["start", "tidemark-host.service"]);

    // Of the systemd that the purge does not see, nothing may run, and make the folder anew.
    machine.systemctl(["stop", "tidemark.target"]);
    wait_until_idle(&machine);
    without_systemd(&machine, "--purge tidemark");
    assert_eq!(machine.run(["test", "-e", "/var/lib/tidemark"]).code, Some(1));
}

/// Folders that are disks of their own, and settings that an operator has given to another: tidemark lives with them. A purge
/// takes what is its own, and neither fails at the rest nor touches it.
#[test]
fn what_an_operator_has_arranged_is_left_alone() {
    let machine = machine();
    shell(
        &machine,
        "for folder in /etc/tidemark /var/lib/tidemark /var/lib/tidemark/of-another; do \
         mkdir $folder && mount -t tmpfs none $folder || exit; done; touch /var/lib/tidemark/of-another/kept; \
         dpkg-statoverride --add root root 0640 /etc/tidemark/tidemark.toml",
    );
    install(&machine, "old.deb");
    let settings = shell(&machine, "stat -c '%U:%G %a' /etc/tidemark/tidemark.toml");
    assert_eq!(settings, "root:root 640\n");
    machine.run(["tidemark", "run", "host"]).expect_code(0);
    // Where its timer has begun a run just before, it is that one that makes it.
    wait_until("the outbox", BOUND, || {
        machine.run(["test", "-e", "/var/lib/tidemark/outbox.db"]).code == Some(0)
    });
    let said = dpkg(&machine, "--purge tidemark");
    assert!(said.stderr.contains("of-another"), "{}", said.stderr);
    assert_eq!(
        shell(&machine, "find /etc/tidemark /var/lib/tidemark"),
        "/etc/tidemark\n/var/lib/tidemark\n/var/lib/tidemark/of-another\n/var/lib/tidemark/of-another/kept\n"
    );

    // A folder that all units refuse, as theirs must be no link.
    shell(
        &machine,
        "umount /etc/tidemark /var/lib/tidemark/of-another /var/lib/tidemark && rmdir /etc/tidemark /var/lib/tidemark && \
         dpkg-statoverride --remove /etc/tidemark/tidemark.toml && \
         mkdir /srv/shared && touch /srv/shared/kept && chown -R tidemark /srv/shared && ln -s /srv/shared /var/lib/tidemark",
    );
    install(&machine, "old.deb");
    dpkg(&machine, "--purge tidemark");
    assert_eq!(
        shell(&machine, "find /srv/shared"),
        "/srv/shared\n/srv/shared/kept\n"
    );
    machine.run(["test", "-L", "/var/lib/tidemark"]).expect_code(1);
}

/// A run that is going on is told to end, and what it has is kept.
#[test]
fn a_removal_ends_runs_in_good_order() {
    let machine = machine();
    install(&machine, "old.deb");
    let source = Source::http();
    source.route("/report", Answer::hang());
    let settings = format!("[collector.sponsoring]\nurl = \"{}\"\n", source.url("/report"));
    machine.install("/etc/tidemark/conf.d/site.toml", settings, 0o640, "root:tidemark");
    machine.wait_for("tidemark-sponsoring.timer", "active");
    machine.systemctl(["--no-block", "start", "tidemark-sponsoring.service"]);
    wait_until("the source is asked", BOUND, || !source.requests().is_empty());
    dpkg(&machine, "--remove tidemark");
    assert_eq!(shell(&machine, "ps -u tidemark -o comm= || true"), "");
    let said = machine.journal("tidemark-sponsoring.service", &[]);
    let text: Vec<&str> = said.iter().map(|entry| entry.message()).collect();
    assert!(text.iter().any(|line| line.contains("SIGTERM")), "{text:#?}");

    source.route("/report", Answer::ok("[]"));
    install(&machine, "old.deb");
    machine.systemctl(["start", "tidemark-sponsoring.service"]);
    delivered(&machine);
    let shown = machine.run(["tidemark", "show", "sponsoring", "--output", "influx"]);
    assert!(shown.expect_code(0).stdout.contains("count=0i"));
}
