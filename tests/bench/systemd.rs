//! A run that systemd starts in its sandbox, beside `/bin/true` in the same sandbox.

use std::fs;
use std::time::Duration;

use tidemark_settings::Span;
use tidemark_systemd::{Collector, Host, Needs, units};
use tidemark_testkit::{Systemd, program};

use crate::measure::median;

/// Times that all are measured, in turns.
const ROUNDS: usize = 7;
/// Starts a round, at least.
const STARTS: usize = 20;
/// How long a round may take.
const BOUND: Duration = Duration::from_secs(120);
/// Where the collector is on the machine.
const HOST: &str = "/usr/lib/tidemark/collectors/tidemark-host";
/// A clock tick of /proc: a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Services that are started again and again.
const SERVICES: [(&str, &str); 3] = [
    ("plain", "/bin/true without a sandbox"),
    ("true", "/bin/true in the sandbox of `host`"),
    ("tidemark-host", "tidemark-host in its sandbox"),
];

pub(crate) fn run() {
    let machine = machine();
    let mut inside = SERVICES.map(|_| Vec::new());
    let mut outside = Vec::new();
    for round in 0..=ROUNDS {
        for ((service, _), costs) in SERVICES.iter().zip(&mut inside) {
            costs.push(start_cost(&machine, service));
        }
        outside.push(run_cost(&machine));
        // The first warms the caches.
        if round == 0 {
            inside.iter_mut().chain([&mut outside]).for_each(Vec::clear);
        }
    }
    let [plain, empty, collector] = inside.map(median);
    let alone = median(outside);
    println!("\n### A run started by systemd: CPU of the manager and its children");
    println!("| what | CPU ms a start |\n|---|---|");
    let names = SERVICES.map(|(_, name)| name);
    for (name, cost) in names.into_iter().zip([plain, empty, collector]) {
        println!("| {name} | {:.2} |", cost.as_secs_f64() * 1e3);
    }
    println!(
        "| tidemark-host, outside of systemd | {:.2} |",
        alone.as_secs_f64() * 1e3
    );
    let beyond = collector.saturating_sub(alone);
    println!(
        "\nbeyond the run itself / /bin/true in the same sandbox: {:.2}",
        beyond.as_secs_f64() / empty.as_secs_f64()
    );
}

/// A machine with the services, and a timer of each that starts it at once when it has ended.
fn machine() -> Systemd {
    let machine = Systemd::start();
    machine.sysusers("u tidemark - \"Collects metrics\" /var/lib/tidemark\n");
    machine.install(HOST, fs::read(program("tidemark-host")).unwrap(), 0o755, "root");
    machine.install("/etc/tidemark/tidemark.toml", "", 0o640, "root:tidemark");
    let described = machine.run([HOST, "--describe"]).expect_code(0).stdout;
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    let paths = described["needs"]["paths"].as_array().unwrap();
    let collector = Collector {
        name: "host".to_owned(),
        summary: String::new(),
        program: HOST.into(),
        interval: Span::minutes(1),
        deadline: Span::minutes(10),
        needs: Needs {
            network: described["needs"]["network"] == true,
            listens: false,
            programs: Vec::new(),
            paths: paths.iter().map(|path| path.as_str().unwrap().into()).collect(),
        },
    };
    let sandboxed = units(&collector, &Host::new()).unwrap().remove(0).text;
    let command = format!("ExecStart={HOST}\n");
    assert!(sandboxed.contains(&command));
    let plain = format!("[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\n{command}");
    let with_true = |text: &str| text.replace(&command, "ExecStart=/bin/true\n");
    let texts = [with_true(&plain), with_true(&sandboxed), sandboxed];
    let timer = "[Timer]\nOnActiveSec=0\nOnUnitInactiveSec=1ms\nAccuracySec=1us\n";
    for ((service, _), text) in SERVICES.iter().zip(texts) {
        let path = format!("/etc/systemd/system/{service}");
        machine.install(format!("{path}.service"), text, 0o644, "root");
        machine.install(format!("{path}.timer"), timer, 0o644, "root");
    }
    machine.daemon_reload();
    machine
}

/// CPU time of the manager and its children for one start of a service.
fn start_cost(machine: &Systemd, service: &str) -> Duration {
    let unit = format!("{service}.service");
    let timer = format!("{service}.timer");
    let words = ["JOB_TYPE=start", "JOB_RESULT=done"];
    let done = || machine.journal(&unit, &words).len();
    let (before, from) = (done(), manager_cpu(machine));
    machine.systemctl(["start", &timer]);
    // Nobody asks the manager meanwhile.
    machine.wait_for_entries(&unit, &words, before + STARTS, BOUND);
    machine.systemctl(["stop", &timer]);
    machine.wait_for(&unit, "dead");
    let to = manager_cpu(machine);
    assert_eq!(machine.property(&unit, "Result"), "success");
    let starts = u32::try_from(done() - before).unwrap();
    to.saturating_sub(from) / starts
}

/// CPU time of the collector's program for a run that the manager does not start.
fn run_cost(machine: &Systemd) -> Duration {
    let cpu = |runs: usize| {
        let script = format!("run=0; while [ $run -lt {runs} ]; do {HOST} || exit 1; run=$((run + 1)); done");
        let user = [
            "setpriv",
            "--reuid=tidemark",
            "--regid=tidemark",
            "--clear-groups",
        ];
        let words = ["env", "STATE_DIRECTORY=/var/lib/tidemark", "sh", "-c", &script];
        let run = machine.command(user).args(words).bound(BOUND);
        run.run().expect_code(0).cpu
    };
    cpu(STARTS).saturating_sub(cpu(0)) / u32::try_from(STARTS).unwrap()
}

/// User and system time of the machine's first process, and of those that it has waited for.
fn manager_cpu(machine: &Systemd) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", machine.pid())).unwrap();
    // PID (NAME) STATE …: utime, stime, cutime and cstime are the fields 14 to 17.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u32 = fields[11..15]
        .iter()
        .map(|field| field.parse::<u32>().unwrap())
        .sum();
    TICK * ticks
}
