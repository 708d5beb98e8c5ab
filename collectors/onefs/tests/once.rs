//! Plain runs of the real program, against clusters that are well and that are not.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::path::Path;
use std::time::Duration;

use tidemark_testkit::onefs::{OneFs, Time};
use tidemark_testkit::{Certificates, Home, Run, golden, wait_until, without_times};

/// When the clusters are.
const NOW: i64 = 1_700_000_000;
/// How long a run may take on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(120);

fn cluster(name: &str, nodes: usize) -> OneFs {
    let cluster = OneFs::http(name, nodes);
    cluster.set_time(Time::At(NOW));
    cluster
}

fn section(cluster: &OneFs) -> String {
    format!(
        "[[collector.onefs.cluster]]\nhostname = \"{}\"\nusername = \"monitor\"\npassword = \"correct horse\"\n",
        cluster.address()
    )
}

fn dry_run(home: &Home, settings: &str) -> Run {
    home.settings(settings);
    home.run("tidemark-onefs")
        .args(["--dry-run", "--output", "influx"])
        .bound(BOUND)
}

#[test]
fn everything_once() {
    let home = Home::new();
    let cluster = cluster("Cl17", 3);
    let settings = format!(
        "{}[collector.onefs.summary_stats]\nprotocol = true\nclient = true\ndrive = true\n",
        section(&cluster)
    );
    let ended = dry_run(&home, &settings).run().expect_code(0);
    let told: Vec<&str> = ended.stderr.lines().collect();
    assert!(
        matches!(told[..], [one] if one.contains("behind this host's clock")),
        "{}",
        ended.stderr
    );
    let mut lines: Vec<&str> = ended.stdout.lines().collect();
    lines.sort_unstable();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/everything.influx");
    golden(path, &(lines.join("\n") + "\n"));
    // It does not wait long for the answer.
    wait_until("it logs out", BOUND, || cluster.open_sessions() == 0);
}

#[test]
fn a_cluster_that_fails_is_a_gap_that_names_it() {
    let home = Home::new();
    let (well, down, refusing) = (cluster("well", 1), cluster("down", 1), cluster("refusing", 1));
    down.close();
    refusing.change(|behaviour| behaviour.forbidden = true);
    let clusters = [&down, &refusing, &well].map(section).concat();
    let settings = format!("[collector.onefs]\nactive_stat_groups = [\"cluster_health_stats\"]\n{clusters}");
    let ended = dry_run(&home, &settings).run().expect_code(0);
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    let gaps: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("localhost:"))
        .collect();
    assert_eq!(gaps.len(), 2, "{}", ended.stderr);
    assert!(gaps[0].contains(&down.port().to_string()), "{}", ended.stderr);
    assert!(gaps[1].contains("ISI_PRIV_STATISTICS"), "{}", ended.stderr);

    well.close();
    let ended = dry_run(&home, &settings).run().expect_code(1);
    assert!(
        ended
            .stderr
            .contains("none of 3 clusters could be collected; localhost:"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.contains("correct horse"), "{}", ended.stderr);
}

#[test]
fn a_cluster_that_hangs_leaves_the_others_their_time() {
    let home = Home::new();
    let (well, slow) = (cluster("well", 1), cluster("slow", 1));
    slow.change(|behaviour| behaviour.delay = Duration::from_secs(600));
    let clusters = [&slow, &well].map(section).concat();
    let settings = format!(
        "[collector.onefs]\ndeadline = \"20s\"\nactive_stat_groups = [\"cluster_health_stats\"]\n{clusters}"
    );
    let ended = dry_run(&home, &settings).run().expect_code(0);
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    assert!(
        ended
            .stderr
            .contains(&format!("localhost:{}: no time was left for it", slow.port())),
        "{}",
        ended.stderr
    );
}

#[test]
fn as_gostats_file_says() {
    let home = Home::new();
    let certificates = Certificates::new();
    let cluster = OneFs::https(&certificates.leaf, "Cl17", 1);
    cluster.set_time(Time::At(NOW));
    let idic = home.file(
        "idic.toml",
        format!(
            "[global]\nversion = \"v0.39\"\nstats_processor = \"discard\"\npreserve_case = true\ninclude_degraded = true\n\
             active_stat_groups = [\"mine\"]\n[[cluster]]\nhostname = \"{}\"\nusername = \"monitor\"\n\
             password = \"$env:PW\"\nverify-ssl = true\nauthtype = \"basic-auth\"\n[[statgroup]]\nname = \"mine\"\n\
             update_interval = \"*\"\nstats = [\"cluster.health\", \"node.load.1min\"]\n",
            cluster.address()
        ),
    );
    let run = |certificate: &Path| {
        dry_run(&home, "[collector.onefs]\nconcurrency = true\n")
            .arg("--idic")
            .arg(&idic)
            .env("PW", "correct horse")
            .env("SSL_CERT_FILE", certificate)
            .run()
    };
    let ended = run(certificates.authority()).expect_code(0);
    let lines = without_times(&ended.stdout);
    for series in [
        "cluster.health,cluster=Cl17,degraded=false ",
        "node.load.1min,cluster=Cl17,degraded=false,devid=1,node=1 ",
        "cluster.ifs.concurrency,cluster=Cl17 ",
        "cluster.node.disk.iosched.latency.avg.avg,cluster=Cl17 ",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(series)),
            "no {series} in {}",
            ended.stdout
        );
    }
    assert_eq!(cluster.counts().logins, 0);

    let ended = run(&certificates.stranger.certificate).expect_code(1);
    assert!(ended.stderr.contains("certificate"), "{}", ended.stderr);
}
