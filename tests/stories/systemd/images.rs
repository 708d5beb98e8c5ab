//! `images` in its sandbox: the real rsync of the machine, against a real rsync daemon.

use std::collections::BTreeSet;
use std::net::TcpListener;

use tidemark_systemd::Host;
use tidemark_testkit::{Answer, RsyncDaemon, SinkServer, Source, Systemd};

use super::{BOUND, add, described, drop_in, install, machine, read_settings};
use crate::scene::playing;

const UNIT: &str = "tidemark-images.service";

/// Images under their real names, the odd ones too: a size, a time, a path each, or a link.
const TREE: &str = "\
6235383808 1772263980 daily-live/20260228/resolute-desktop-amd64.iso
daily-live/current -> 20260228
1003964928 1772263980 daily-preinstalled/current/resolute-preinstalled-desktop-arm64+raspi.img.xz
5068784128 1772263980 noble/daily-live/pending/noble-desktop-amd64.iso
5073564160 1772263980 kubuntu-ü/daily-live/current/resolute-d e s k-amd64.iso
2000000000 1772263980 ubuntu-server/jammy/daily-live/current/jammy-live-server-s390x.iso
6003571712 1772263980 ubuntustudio/dvd/current/noble-dvd-amd64.iso
333333333 1772263980 ubuntu-wsl/noble/daily-live/current/noble-wsl-amd64.wsl
";

/// A machine with the collector, and settings that name these sources.
struct Stage {
    machine: Systemd,
    launchpad: Source,
    sink: SinkServer,
}

impl Stage {
    fn new(url: &str, more: &str) -> Self {
        let stage = Self {
            machine: machine(),
            launchpad: Source::http(),
            sink: SinkServer::start(),
        };
        let series = r#"{"entries": [{"name": "jammy", "active": true}, {"name": "noble", "active": true}]}"#;
        stage.launchpad.route("/devel/ubuntu/series", Answer::ok(series));
        let settings = format!(
            "[collector.images]\nurl = \"{url}\"\nlaunchpad = \"{}\"\n{more}\n{}",
            stage.launchpad.url("/devel/"),
            playing("played", &stage.sink)
        );
        let machine = &stage.machine;
        machine.install("/etc/tidemark/tidemark.toml", &settings, 0o640, "root:tidemark");
        let program = add(machine, "images");
        let host = Host::of(&read_settings(machine, &settings));
        install(machine, &described(machine, &program), &host);
        stage
    }

    /// The images that were submitted, without their times.
    fn images(&self) -> BTreeSet<String> {
        let requests = self.sink.requests();
        let lines = requests.iter().flat_map(|request| request.text().lines());
        let images = lines.filter(|line| line.starts_with("daily_image_details,"));
        images
            .map(|line| line.rsplit_once(' ').map_or(line, |(line, _)| line).to_owned())
            .collect()
    }

    /// What the program said that is no mere progress.
    fn warnings(&self) -> Vec<String> {
        let warnings = self.machine.journal(UNIT, &["-p", "warning"]);
        warnings.iter().map(|entry| entry.message().to_owned()).collect()
    }
}

/// The unit lets rsync do all that it has to: what is submitted is what is collected without a sandbox.
#[test]
fn rsync_lists_the_images_inside_the_sandbox() {
    let daemon = RsyncDaemon::start();
    daemon.fill(TREE);
    let stage = Stage::new(&daemon.url(""), "");
    let machine = &stage.machine;
    machine.systemctl(["start", UNIT]);
    assert_eq!(stage.warnings(), [""; 0]);
    let submitted = stage.images();

    let words = [
        "/usr/lib/tidemark/collectors/tidemark-images",
        "--dry-run",
        "--output=influx",
    ];
    let outside = machine.command(words).bound(BOUND).run().expect_code(0);
    assert_eq!(outside.stderr, "");
    let outside: BTreeSet<String> = outside
        .stdout
        .lines()
        .map(|line| line.rsplit_once(' ').map_or(line, |(line, _)| line).to_owned())
        .collect();
    assert_eq!(submitted, outside);
    assert_eq!(submitted.len(), 7, "{submitted:?}");
    let has = |words: &str| submitted.iter().any(|line| line.contains(words));
    assert!(
        has("flavor=ubuntu,image_type=live,release=noble age="),
        "{submitted:?}"
    );
    assert!(
        has("flavor=kubuntu-ü,") && has(",size=6235383808i"),
        "{submitted:?}"
    );
}

/// A daemon that says nothing: each rsync is killed at its time, which the sandbox lets as well, and the journal says why.
#[test]
fn rsync_that_hangs_is_ended_inside_the_sandbox() {
    // The kernel takes connections, and nobody serves them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("rsync://{}/cdimage/", silent.local_addr().expect("its address"));
    let stage = Stage::new(&url, "deadline = \"8s\"");
    let machine = &stage.machine;
    machine.run(["systemctl", "start", UNIT]).expect_code(1);
    assert_eq!(machine.property(UNIT, "Result"), "exit-code");
    assert_eq!(machine.property(UNIT, "ExecMainStatus"), "1", "it ends by itself");
    let said = stage.warnings().join("\n");
    assert!(
        said.contains(&format!("all 15 listings of {url}: rsync was not done within ")),
        "{said}"
    );
    // By itself: what the manager ends behind a run shows nowhere.
    let look = "/usr/lib/tidemark/collectors/tidemark-images; cat /proc/[0-9]*/comm; exit 0";
    drop_in(
        machine,
        UNIT,
        &format!("[Service]\nExecStart=\nExecStart=/bin/sh -c '{look}'\n"),
    );
    machine.systemctl(["start", UNIT]);
    let said = machine.journal(UNIT, &[]);
    let has = |word: &str| said.iter().any(|entry| entry.message() == word);
    assert!(has("sh") && !has("rsync"), "{said:?}");
}
