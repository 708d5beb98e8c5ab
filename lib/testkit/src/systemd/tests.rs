use super::*;

use std::collections::BTreeSet;

use rustix::process::{Signal, kill_process};

use crate::{Answer, SinkServer, wait_until};

/// Puts a unit on the machine, and has the manager read it.
#[track_caller]
fn unit(machine: &Systemd, name: &str, text: &str) {
    machine.install(format!("/etc/systemd/system/{name}"), text, 0o644, "root");
    machine.daemon_reload();
}

/// A oneshot of that script of sh, with more lines of its `[Service]`.
#[track_caller]
fn oneshot(machine: &Systemd, name: &str, script: &str, service: &str) {
    let program = format!("/usr/local/bin/{name}");
    machine.install(&program, format!("#!/bin/sh\n{script}\n"), 0o755, "root");
    let text =
        format!("[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart={program}\n{service}\n");
    unit(machine, &format!("{name}.service"), &text);
}

#[test]
fn a_timer_fires_again_and_again() {
    let machine = Systemd::start();
    oneshot(&machine, "tick", "echo tick >>/mnt/share/ticks", "");
    unit(
        &machine,
        "tick.timer",
        "[Timer]\nOnActiveSec=0\nOnUnitInactiveSec=100ms\nAccuracySec=1ms\n[Install]\nWantedBy=timers.target\n",
    );
    machine.systemctl(["enable", "--now", "--quiet", "tick.timer"]);
    let ticks = || fs::read_to_string(machine.share().join("ticks")).unwrap_or_default();
    machine.wait_for_entries("tick.service", &["JOB_RESULT=done"], 5, UNIT_BOUND);
    assert!(ticks().lines().count() >= 5, "{}", ticks());
    machine.systemctl(["stop", "tick.timer"]);
    machine.wait_for("tick.service", "dead");
    let finished = machine.journal("tick.service", &["JOB_RESULT=done"]);
    let finished = finished
        .iter()
        .filter(|entry| entry.message().contains("Finished"));
    assert_eq!(finished.count(), ticks().lines().count());
}

#[test]
fn a_user_of_its_own_reads_its_credential_and_nobody_else() {
    let machine = Systemd::start();
    machine.sysusers("u metrics - \"Metrics\" /var/lib/metrics\n");
    machine.install("/etc/secret", "of the test", 0o600, "root:metrics");
    let stat = machine
        .run(["stat", "-c", "%a %U:%G %s", "/etc/secret"])
        .expect_code(0);
    assert_eq!(stat.stdout, "600 root:metrics 11\n");
    let script = "id -un\ncat \"$CREDENTIALS_DIRECTORY/password\" && echo\ncat /etc/secret";
    oneshot(
        &machine,
        "reader",
        script,
        "User=metrics\nLoadCredential=password:/etc/secret",
    );
    assert_eq!(
        machine.run(["systemctl", "start", "reader.service"]).code,
        Some(1)
    );
    machine.wait_for("reader.service", "failed");
    assert_eq!(machine.property("reader.service", "ExecMainStatus"), "1");
    let journal = machine.journal("reader.service", &["_TRANSPORT=stdout"]);
    let said: Vec<&str> = journal.iter().map(JournalEntry::message).collect();
    assert_eq!(
        said,
        ["metrics", "of the test", "cat: /etc/secret: Permission denied"]
    );
    let errors = machine.journal("reader.service", &["-p", "warning"]);
    assert!(
        errors.iter().any(|entry| entry.priority() == Some(4)),
        "{errors:?}"
    );
    assert!(errors.len() < machine.journal("reader.service", &[]).len());
}

#[test]
fn a_sandbox_is_real() {
    let machine = Systemd::start();
    let script = "touch /srv/written && echo wrote\nls /root/secret && echo read\n\
        ls /proc/1/environ && echo looked\ntouch \"$STATE_DIRECTORY/kept\" && echo kept\n:";
    let sandbox = "StateDirectory=metrics\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\n\
        PrivateUsers=yes\nPrivateNetwork=yes\nNoNewPrivileges=yes\nProtectProc=invisible\nProcSubset=pid\n\
        ProtectClock=yes\nProtectHostname=yes\nProtectControlGroups=yes\nProtectKernelLogs=yes\n\
        ProtectKernelModules=yes\nProtectKernelTunables=yes\nRestrictNamespaces=yes\nRestrictRealtime=yes\n\
        RestrictSUIDSGID=yes\nRestrictAddressFamilies=AF_UNIX\nMemoryDenyWriteExecute=yes\nLockPersonality=yes\n\
        SystemCallArchitectures=native\nSystemCallFilter=@system-service\nCapabilityBoundingSet=\nIPAddressDeny=any\n\
        RemoveIPC=yes\nUMask=0077";
    machine.install("/root/secret", "", 0o600, "root");
    machine.sysusers("u metrics - \"Metrics\" /var/lib/metrics\n");
    let said = |name: &str| {
        machine.systemctl(["start", name]);
        let journal = machine.journal(name, &["_TRANSPORT=stdout"]);
        let said = journal.iter().map(|entry| entry.message().to_owned());
        said.collect::<Vec<String>>()
    };
    oneshot(&machine, "open", script, "StateDirectory=metrics");
    let all = [
        "wrote",
        "/root/secret",
        "read",
        "/proc/1/environ",
        "looked",
        "kept",
    ];
    assert_eq!(said("open.service"), all, "nothing but the sandbox refuses it");
    // Nor do permission bits.
    machine.run(["rm", "/srv/written"]).expect_code(0);
    machine.run(["chmod", "0777", "/srv"]).expect_code(0);
    oneshot(&machine, "closed", script, &format!("User=metrics\n{sandbox}"));
    let closed = said("closed.service");
    assert_eq!(closed.len(), 4, "{closed:?}");
    for (line, refused) in closed
        .iter()
        .zip(["/srv/written", "/root/secret", "/proc/1", "kept"])
    {
        assert!(line.contains(refused), "{closed:?}");
    }
    assert!(closed[0].contains("Read-only file system"), "{closed:?}");
    assert!(!Path::new("/srv/written").exists(), "the host's own is as it was");
}

#[test]
fn a_generator_runs_at_daemon_reload() {
    let machine = Systemd::start();
    let generator =
        "#!/bin/sh\nprintf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\n' >\"$1/made.service\"\n";
    let path = "/etc/systemd/system-generators/maker";
    machine.install(path, generator, 0o755, "root");
    assert_eq!(machine.property("made.service", "LoadState"), "not-found");
    machine.daemon_reload();
    assert_eq!(machine.property("made.service", "LoadState"), "loaded");
    assert_eq!(
        machine.property("made.service", "FragmentPath"),
        "/run/systemd/generator/made.service"
    );
    machine.systemctl(["start", "made.service"]);
    machine.run(["rm", path]).expect_code(0);
    machine.daemon_reload();
    machine.wait_for_property("made.service", "LoadState", "gone", |state| state == "not-found");
}

#[test]
fn a_reboot_keeps_the_disk_and_nothing_else() {
    let mut machine = Systemd::start();
    let id = |machine: &Systemd, path: &str| machine.run(["cat", path]).expect_code(0).stdout;
    let boot = "/proc/sys/kernel/random/boot_id";
    let mut boots = BTreeSet::from([id(&machine, boot)]);
    let itself = id(&machine, "/etc/machine-id");
    oneshot(
        &machine,
        "atboot",
        "echo up >>/var/lib/boots\necho down >/run/volatile",
        "RemainAfterExit=yes\nExecStop=/bin/sh -c 'echo stopped >>/var/lib/boots'\n\
         [Install]\nWantedBy=multi-user.target",
    );
    machine.systemctl(["enable", "--now", "--quiet", "atboot.service"]);
    machine.install("/run/gone", "", 0o644, "root");
    fs::write(machine.share().join("kept"), "").unwrap();

    machine.reboot();
    assert_eq!(id(&machine, "/var/lib/boots"), "up\nstopped\nup\n");
    machine.power_cycle();
    assert_eq!(
        id(&machine, "/var/lib/boots"),
        "up\nstopped\nup\nup\n",
        "nothing is stopped"
    );
    boots.insert(id(&machine, boot));
    assert_eq!(boots.len(), 2);
    assert_eq!(id(&machine, "/etc/machine-id"), itself);
    machine.run(["test", "-e", "/run/gone"]).expect_code(1);
    machine.run(["test", "-e", "/mnt/share/kept"]).expect_code(0);
    assert_eq!(machine.property("atboot.service", "ActiveState"), "active");
    let started = machine.journal("atboot.service", &["JOB_TYPE=start"]);
    assert_eq!(
        started
            .iter()
            .filter(|entry| entry.field("JOB_RESULT") == Some("done"))
            .count(),
        3
    );
    assert!(machine.journal("atboot.service", &["-b"]).len() < machine.journal("atboot.service", &[]).len());
}

#[test]
fn nothing_runs_on_one_that_has_ended() {
    let mut machine = Systemd::start();
    drop(machine.run(["systemctl", "--no-block", "poweroff"]));
    assert!(machine.first().ends_within(BOOT_BOUND));
    let why = std::panic::catch_unwind(|| machine.run(["true"])).expect_err("must panic");
    assert_eq!(why.downcast_ref::<&str>(), Some(&"the machine has ended"));
    machine.power_cycle();
    machine.run(["true"]).expect_code(0);
}

#[test]
fn two_do_not_disturb_each_other() {
    let [one, other] = [Systemd::start(), Systemd::start()];
    for (machine, name) in [(&one, "one"), (&other, "other")] {
        oneshot(
            machine,
            "name",
            &format!("hostname {name}; echo {name} >/tmp/name"),
            "RemainAfterExit=yes",
        );
        machine.systemctl(["start", "name.service"]);
    }
    for (machine, name) in [(&one, "one"), (&other, "other")] {
        let said = machine
            .run(["sh", "-c", "hostname; cat /tmp/name"])
            .expect_code(0);
        assert_eq!(said.stdout, format!("{name}\n{name}\n"));
    }
    drop(one);
    assert_eq!(other.property("name.service", "ActiveState"), "active");
    assert_ne!(
        fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim(),
        "other"
    );
}

#[test]
fn units_reach_the_servers_of_the_test() {
    let machine = Systemd::start();
    let server = SinkServer::start();
    server.script([Answer::new(204)]);
    let port = server.url("").rsplit(':').next().unwrap_or_default().to_owned();
    let script = format!(
        "exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"POST /write HTTP/1.1\\r\\nHost: x\\r\\n\
         Content-Length: 8\\r\\n\\r\\nm f=1 5\\n\" >&3; head -1 <&3'"
    );
    oneshot(&machine, "sender", &script, "DynamicUser=yes");
    machine.systemctl(["start", "sender.service"]);
    assert_eq!(server.requests()[0].text(), "m f=1 5\n");
}

#[test]
fn the_host_is_out_of_reach() {
    let machine = Systemd::start();
    for path in [
        "/proc/sys/kernel/panic",
        "/proc/sysrq-trigger",
        "/sys/kernel/mm/ksm/run",
    ] {
        machine.run(["test", "-w", path]).expect_code(1);
    }
    // CAP_SYS_TIME is bit 25, CAP_SYS_MODULE bit 16.
    let bounds = "grep CapBnd /proc/1/status; grep CapBnd /proc/self/status";
    let bounds = machine.run(["sh", "-c", bounds]).expect_code(0).stdout;
    for line in bounds.lines() {
        let bits = line.split_whitespace().nth(1).unwrap_or_default();
        let bits = u64::from_str_radix(bits, 16).unwrap();
        assert_eq!(bits & (1 << 25 | 1 << 16), 0, "{bounds}");
    }
    assert_eq!(bounds.lines().count(), 2);
    let processes = machine
        .run(["sh", "-c", "ls -d /proc/[0-9]* | wc -l"])
        .expect_code(0);
    let processes: u32 = processes.stdout.trim().parse().unwrap();
    assert!(processes < 12, "{processes} of the machine's own");
    assert_eq!(
        machine.systemctl(["list-units", "--failed", "--plain", "--no-legend"]),
        ""
    );
}

#[test]
fn a_program_is_replaced_while_it_runs() {
    let machine = Systemd::start();
    let sleep = fs::read("/bin/sleep").unwrap();
    let path = "/usr/lib/metrics/collectors/sleeper";
    machine.install(path, &sleep, 0o755, "root");
    unit(
        &machine,
        "sleeper.service",
        &format!("[Service]\nExecStart={path} 600\n"),
    );
    machine.systemctl(["start", "sleeper.service"]);
    machine.install(path, &sleep, 0o755, "root");
    machine.wait_for("sleeper.service", "running");
    assert_eq!(
        machine.run(["ls", "-A", "/usr/lib/metrics/collectors"]).stdout,
        "sleeper\n",
        "nothing else is left there"
    );
    machine.systemctl(["restart", "sleeper.service"]);
}

/// What tells a machine's traces from others'.
struct Traces {
    folder: PathBuf,
    keeper: u32,
    processes: PathBuf,
}

impl Traces {
    fn of(machine: &Systemd) -> Self {
        Self {
            folder: machine.folder.path().to_owned(),
            keeper: machine.keeper.id(),
            processes: fs::read_link(format!("/proc/{}/ns/pid", machine.pid())).unwrap(),
        }
    }

    /// The processes that are in its namespace, or see a mount of it.
    fn processes(&self) -> Vec<PathBuf> {
        let folder = self.folder.to_str().unwrap();
        let all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let own = |process: &PathBuf| {
            let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
            fs::read_link(process.join("ns/pid")).is_ok_and(|link| link == self.processes)
                || mounts.contains(folder)
        };
        all.filter(own).collect()
    }

    /// Its control groups, where the host shows any of the unified hierarchy.
    fn groups(&self) -> Vec<PathBuf> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mounts = mounts
            .lines()
            .filter(|line| line.split(' ').nth(2) == Some("cgroup2"));
        let paths = mounts.filter_map(|line| line.split(' ').nth(1));
        let paths = paths.map(|path| Path::new(path).join(format!("tidemark-systemd-{}", self.keeper)));
        paths.filter(|path| path.exists()).collect()
    }

    #[track_caller]
    fn assert_gone(&self) {
        assert_eq!(self.processes(), [] as [PathBuf; 0]);
        assert_eq!(self.groups(), [] as [PathBuf; 0]);
        assert!(!self.folder.exists());
    }
}

#[test]
fn nothing_is_left_of_a_dropped_one() {
    let machine = Systemd::start();
    unit(
        &machine,
        "sleeper.service",
        "[Service]\nExecStart=/bin/sleep 600\nSlice=a-b.slice\n",
    );
    machine.systemctl(["start", "sleeper.service"]);
    let running = machine.command(["sleep", "600"]).start();
    let traces = Traces::of(&machine);
    wait_until("it sleeps", UNIT_BOUND, || traces.processes().len() >= 5);
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts().contains(traces.folder.to_str().unwrap()),
        "only the machine sees its mounts"
    );
    drop(machine);
    // What entered the machine is none of it, but sees its mounts until it has ended as well.
    assert_ne!(running.wait().code, Some(0), "a command ends with its machine");
    traces.assert_gone();
}

#[test]
fn nothing_is_left_when_a_test_panics() {
    let why = std::panic::catch_unwind(|| {
        let machine = Systemd::start();
        std::panic::panic_any(Traces::of(&machine));
    });
    let why = why.expect_err("must panic");
    why.downcast_ref::<Traces>().unwrap().assert_gone();
}

/// Started by the tests below, to be killed.
#[test]
#[ignore = "waits to be killed"]
fn stays_until_it_is_killed() {
    let machine = Systemd::start();
    let Traces {
        folder,
        keeper,
        processes,
    } = Traces::of(&machine);
    println!("\nmachine {} {keeper} {}", folder.display(), processes.display());
    std::thread::park_timeout(Duration::from_secs(60));
}

/// This test program again, with the test above.
fn again(before: &[&str]) -> Run {
    let program = std::env::current_exe().unwrap();
    Run::new("env").args(before).arg(program).args([
        "--exact",
        "systemd::tests::stays_until_it_is_killed",
        "--ignored",
        "--nocapture",
    ])
}

fn to_be_killed() -> (crate::Running, Traces) {
    let running = again(&[]).start();
    let mut traces = None;
    wait_until("a machine in another process", BOOT_BOUND, || {
        let said = running.stdout();
        let words = said.lines().find_map(|line| line.strip_prefix("machine "));
        let words: Vec<&str> = words.map(|words| words.split(' ').collect()).unwrap_or_default();
        if let [folder, keeper, processes] = words[..] {
            traces = Some(Traces {
                folder: folder.into(),
                keeper: keeper.parse().unwrap(),
                processes: processes.into(),
            });
        }
        traces.is_some()
    });
    let traces = traces.unwrap();
    assert!(traces.processes().len() >= 4);
    (running, traces)
}

#[test]
fn nothing_is_left_when_a_test_is_killed() {
    let (running, traces) = to_be_killed();
    let pid = i32::try_from(running.pid()).ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), Signal::KILL).unwrap();
    wait_until("nothing is left", UNIT_BOUND, || {
        !traces.folder.exists() && traces.processes().is_empty()
    });
    traces.assert_gone();
}

#[test]
fn the_next_takes_away_what_one_left_that_was_killed_with_its_keeper() {
    let (running, traces) = to_be_killed();
    running.kill();
    wait_until("no process is left", UNIT_BOUND, || {
        let is_left = |group: &PathBuf| {
            let events = fs::read_to_string(group.join("cgroup.events")).unwrap_or_default();
            events.contains("populated 1")
        };
        traces.processes().is_empty() && !traces.groups().iter().any(is_left)
    });
    let _next = Systemd::start();
    assert_eq!(traces.groups(), [] as [PathBuf; 0]);
    drop(fs::remove_dir_all(&traces.folder));
}

#[test]
fn says_what_is_missing() {
    let ended = again(&["setpriv", "--bounding-set=-sys_admin"]).run();
    assert_ne!(ended.code, Some(0));
    let said = ended.stdout + &ended.stderr;
    assert!(said.contains("a real systemd needs root"), "{said}");
    assert!(said.contains("unshare"), "what was refused: {said}");
}
