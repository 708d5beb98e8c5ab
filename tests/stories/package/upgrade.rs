//! A version over another, while timers fire and runs are going on.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tidemark_testkit::{Answer, SinkServer, Systemd, wait_until};

use super::{
    DPKG, DPKG_WORDS, NEW, OLD, delivered, dpkg, install, machine, newer, shell, units, wait_until_idle,
};
use crate::scene::{BOUND, lines, report};

/// A door that whoever passes waits for.
#[derive(Default)]
struct Door {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Door {
    fn pass(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .opened
            .wait_timeout_while(open, Duration::from_secs(300), |open| !*open);
        drop(waited.expect("nobody fails behind it"));
    }

    fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
}

/// Has the timer of `host` fire all the time.
pub(crate) fn quicken(machine: &Systemd) {
    let text = "[Timer]\nOnBootSec=\nOnActiveSec=0\nOnUnitInactiveSec=200ms\nRandomizedDelaySec=0\nAccuracySec=1ms\n";
    machine.install(
        "/etc/systemd/system/tidemark-host.timer.d/quick.conf",
        text,
        0o644,
        "root",
    );
    machine.daemon_reload();
    machine.systemctl(["restart", "tidemark-host.timer"]);
}

/// How many runs of `host` ended so: `done`, `failed`.
pub(crate) fn ended(machine: &Systemd, result: &str) -> usize {
    let of_starts = ["JOB_TYPE=start", &format!("JOB_RESULT={result}")];
    machine.journal("tidemark-host.service", &of_starts).len()
}

/// The times at which `host` looked at the memory, as the store has them.
fn times(machine: &Systemd) -> BTreeSet<i64> {
    let shown = machine.run(["tidemark", "show", "host", "--since", "1h", "--output", "influx"]);
    let shown = lines(&shown.expect_code(0).stdout);
    let memory = shown.iter().filter(|line| line.measurement == "host_memory");
    memory.map(|line| line.time).collect()
}

pub(crate) fn version(machine: &Systemd) -> String {
    shell(machine, "dpkg-query -W -f '${Version} ${Status}' tidemark")
}

/// Nothing failed, each run's points are in the store once, and the ledger has no loss.
#[track_caller]
pub(crate) fn assert_nothing_lost(machine: &Systemd) {
    machine.systemctl(["stop", "tidemark-host.timer"]);
    wait_until("the last run", BOUND, || {
        machine.property("tidemark-host.service", "ActiveState") == "inactive"
    });
    assert_eq!(ended(machine, "failed"), 0);
    delivered(machine);
    assert_eq!(
        times(machine).len(),
        ended(machine, "done"),
        "each run's points, once"
    );
    machine.systemctl(["start", "tidemark-host.timer"]);
}

/// The time at which a unit was started last.
pub(crate) fn since(machine: &Systemd, unit: &str) -> String {
    machine.property(unit, "ActiveEnterTimestampMonotonic")
}

#[test]
fn an_upgrade_and_a_downgrade_lose_no_run_and_no_point() {
    let machine = machine();
    // Another version: one collector less, one more, and another description of a third. Its installation stops in the middle
    // until the test lets it.
    newer(
        &machine,
        "echo 'touch /mnt/share/middle; until [ -e /mnt/share/go ]; do sleep 0.05; done' >>DEBIAN/preinst\n\
         cd usr/lib/tidemark/collectors\nrm tidemark-autopkgtest autopkgtest.json\n\
         printf '#!/bin/sh\\nexit 0\\n' >tidemark-added && chmod 755 tidemark-added\n\
         sed 's/\"name\": \"host\"/\"name\": \"added\"/; s/\"run_interval\": \"1m\"/\"run_interval\": \"3m\"/' host.json >added.json\n\
         sed -i 's/\"run_interval\": \"5m\"/\"run_interval\": \"6m\"/' sponsoring.json",
    );
    install(&machine, "old.deb");
    // A run that goes on until the test lets it.
    let door = Arc::new(Door::default());
    let source = SinkServer::start();
    let at_door = Arc::clone(&door);
    source.judge(move |_| {
        at_door.pass();
        Answer::ok(report(2))
    });
    let settings = format!(
        "[collector.sponsoring]\nurl = \"{}\"\n[collector.autopkgtest]\nenabled = true\n",
        source.url("/report")
    );
    machine.install("/etc/tidemark/conf.d/site.toml", settings, 0o640, "root:tidemark");
    machine.wait_for("tidemark-sponsoring.timer", "active");
    machine.wait_for("tidemark-autopkgtest.timer", "active");
    quicken(&machine);
    wait_until("two runs", BOUND, || ended(&machine, "done") >= 2);
    machine.systemctl(["--no-block", "start", "tidemark-sponsoring.service"]);
    source.wait_for(1, BOUND);
    let run = machine.property("tidemark-sponsoring.service", "MainPID");
    let timer = since(&machine, "tidemark-host.timer");

    let upgrade = machine.command(DPKG_WORDS.split(' '));
    let upgrade = upgrade.args(["-i", "/mnt/share/new.deb"]).bound(DPKG).start();
    let (middle, go) = (machine.share().join("middle"), machine.share().join("go"));
    wait_until("the middle of the upgrade", BOUND, || middle.exists());
    let before = ended(&machine, "done");
    wait_until("a run meanwhile", BOUND, || ended(&machine, "done") > before);
    fs::write(go, "").expect("a file of the test's");
    let said = upgrade.wait().expect_code(0);
    assert_eq!(said.stderr, "", "an upgrade is silent");
    assert_eq!(version(&machine), format!("{NEW} install ok installed"));
    assert_eq!(
        machine.property("tidemark-sponsoring.service", "MainPID"),
        run,
        "the run goes on"
    );
    assert_eq!(
        since(&machine, "tidemark-host.timer"),
        timer,
        "the timer has not been stopped"
    );
    // What came, went and changed.
    machine.wait_for("tidemark-added.timer", "active");
    let interval = |timer: &str| machine.property(timer, "TimersMonotonic");
    assert!(interval("tidemark-sponsoring.timer").contains("OnUnitInactiveUSec=6min"));
    assert!(!units(&machine, "active,failed").contains(&"tidemark-autopkgtest.timer".to_owned()));
    assert_eq!(units(&machine, "failed"), Vec::<String>::new());
    machine.run(["tidemark", "units", "verify"]).expect_code(0);
    door.open();
    machine.wait_for("tidemark-sponsoring.service", "dead");
    assert_eq!(
        machine.property("tidemark-sponsoring.service", "Result"),
        "success"
    );
    // Another run may be the one that delivers it, and the timer may have had another run collect as much by now.
    wait_until("what it collected", BOUND, || {
        let shown = machine.run(["tidemark", "show", "sponsoring", "--output", "influx"]);
        let shown = lines(&shown.expect_code(0).stdout);
        let first = shown.iter().map(|line| line.time).min();
        let of_first = shown.iter().filter(|line| Some(line.time) == first);
        of_first.count() == 3
    });
    assert_nothing_lost(&machine);

    let before = ended(&machine, "done");
    wait_until("runs of the new version", BOUND, || {
        ended(&machine, "done") >= before + 2
    });
    let timer = since(&machine, "tidemark-host.timer");
    install(&machine, "old.deb");
    assert_eq!(version(&machine), format!("{OLD} install ok installed"));
    assert_eq!(since(&machine, "tidemark-host.timer"), timer);
    machine.wait_for("tidemark-autopkgtest.timer", "active");
    assert!(!units(&machine, "active,failed").contains(&"tidemark-added.timer".to_owned()));
    assert_nothing_lost(&machine);
}

/// A service that stays is begun anew, as it would run the old program for ever.
#[test]
fn what_stays_is_begun_anew_by_an_upgrade() {
    let machine = machine();
    newer(&machine, ":");
    install(&machine, "old.deb");
    machine.install(
        "/etc/tidemark/conf.d/quick.toml",
        "[collector.host]\nrun_interval = \"1s\"\n",
        0o640,
        "root:tidemark",
    );
    machine.wait_for("tidemark-host.service", "running");
    wait_until("two runs", BOUND, || times(&machine).len() >= 2);
    let process = machine.property("tidemark-host.service", "MainPID");
    install(&machine, "new.deb");
    // Nobody waits for the old one's end.
    wait_until("another process", BOUND, || {
        let now = machine.property("tidemark-host.service", "MainPID");
        now != "0" && now != process
    });
    machine.wait_for("tidemark-host.service", "running");
    assert_eq!(
        machine.property("tidemark-host.service", "NRestarts"),
        "0",
        "by the package alone"
    );
    let before = times(&machine).len();
    wait_until("two runs more", BOUND, || times(&machine).len() >= before + 2);
    assert_eq!(units(&machine, "failed"), Vec::<String>::new());
}

/// What an operator has stopped, disabled, written or given to another stays so.
#[test]
fn an_upgrade_keeps_what_the_operator_did() {
    let machine = machine();
    newer(&machine, "echo '# Another text.' >>etc/tidemark/tidemark.toml");
    install(&machine, "old.deb");
    let settings = "[host]\ntags = { site = \"north\" }\n";
    machine.install("/etc/tidemark/tidemark.toml", settings, 0o600, "tidemark:root");
    machine.systemctl(["disable", "tidemark-units.path"]);
    machine.systemctl(["stop", "tidemark.target"]);
    dpkg(&machine, "--force-confold -i /mnt/share/new.deb");
    // A look at the settings or a run that began before the target stopped may go on; what an upgrade starts would stay.
    wait_until_idle(&machine);
    let text = shell(
        &machine,
        "cat /etc/tidemark/tidemark.toml && stat -c '%U:%G %a' /etc/tidemark/tidemark.toml",
    );
    assert_eq!(text, format!("{settings}tidemark:root 600\n"));
    let enabled = machine.run([
        "systemctl",
        "is-enabled",
        "tidemark.target",
        "tidemark-units.path",
    ]);
    assert_eq!(enabled.stdout, "enabled\ndisabled\n");

    machine.systemctl(["start", "tidemark.target"]);
    // What is stopped is known by then.
    machine.run(["tidemark", "units", "sync"]).expect_code(0);
    machine.systemctl(["stop", "tidemark-host.timer"]);
    dpkg(&machine, "--force-confold -i /mnt/share/old.deb");
    let active = units(&machine, "active");
    assert!(active.contains(&"tidemark-flush.timer".to_owned()), "{active:?}");
    for stopped in ["tidemark-host.timer", "tidemark-units.path"] {
        assert!(!active.contains(&stopped.to_owned()), "{stopped}: {active:?}");
    }
}

/// The older version finds an outbox of the newer one: it is not touched, runs deliver directly, and the newer version goes
/// on with it.
#[test]
fn a_downgrade_leaves_an_outbox_of_a_newer_version_alone() {
    let machine = machine();
    install(&machine, "old.deb");
    machine.systemctl(["stop", "tidemark.target"]);
    // A run that a timer has started goes on, and would write what is looked at.
    wait_until_idle(&machine);
    machine.systemctl(["start", "tidemark-host.service"]);
    // SQLite's `user_version`: big-endian at 60.
    shell(
        &machine,
        "printf '\\377' | dd of=/var/lib/tidemark/outbox.db bs=1 seek=61 conv=notrunc status=none && \
         sha256sum /var/lib/tidemark/outbox.db >/mnt/share/sum",
    );
    let before = times(&machine).len();
    install(&machine, "old.deb");
    machine.systemctl(["start", "tidemark-host.service"]);
    shell(&machine, "sha256sum --check --quiet /mnt/share/sum");
    assert_eq!(times(&machine).len(), before + 1);
}
