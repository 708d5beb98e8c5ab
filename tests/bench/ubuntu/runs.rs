//! A whole run of each collector beside curl, which fetches the same and posts the same points; beside rsync and curl, for
//! the images.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidemark_testkit::{Home, Influxd, InfluxdOptions, Run};

use super::world::World;
use crate::measure::{Contender, Figures, in_turns, mib};

const PASSWORD: &str = "a password of some length";
/// The collectors, in the order of the alphabet.
const COLLECTORS: [&str; 10] = [
    "autopkgtest",
    "britney",
    "cnf",
    "contributors",
    "images",
    "rls-bugs",
    "sponsoring",
    "ubuntu-archive",
    "upload-queues",
    "versions",
];

pub(crate) fn run() {
    let stage = Stage::new();
    println!("\n### A whole run of each collector beside curl -k, which gets and posts the same");
    println!(
        "| collector | requests | MB | CPU ms | curl | ratio | wall ms | curl | ratio | peak MiB | curl |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for collector in COLLECTORS {
        stage.measure(collector);
    }
}

struct Stage {
    world: World,
    home: Home,
    influxd: Influxd,
    bundle: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let (world, home) = (World::new(), Home::new());
        let influxd = Influxd::start(InfluxdOptions::https("collector", PASSWORD));
        // The authorities in one file, behind the 140 that a host trusts.
        let mut bundle = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
        for authority in [world.certificates.authority(), influxd.certificates().authority()] {
            bundle.extend(std::fs::read(authority).unwrap());
        }
        let info = home.file("ubuntu.csv", world.distro_info());
        home.settings(&format!(
            "{}\n[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\nusername = \"collector\"\n\
             password = {{ env = \"PASSWORD\" }}\n",
            world.settings(&info),
            influxd.url()
        ));
        let login = format!("login collector password \"{PASSWORD}\"\n");
        home.file(
            "netrc",
            format!("machine localhost {login}machine 127.0.0.1 {login}"),
        );
        Self {
            bundle: home.file("bundle.pem", bundle),
            world,
            home,
            influxd,
        }
    }

    fn ours(&self, collector: &str) -> Run {
        self.home
            .run(&format!("tidemark-{collector}"))
            .env("SSL_CERT_FILE", &self.bundle)
            .env("PASSWORD", PASSWORD)
    }

    fn measure(&self, collector: &'static str) {
        self.world.forget();
        let dry = self.ours(collector).args(["--dry-run", "--output", "influx"]);
        let dry = dry.run().expect_code(0);
        // Of what britney says, some is odd in truth too; nothing is of the others'.
        assert!(
            dry.stderr.is_empty() || collector == "britney",
            "{collector}: {}",
            dry.stderr
        );
        let asked = self.world.asked();
        let body = self.home.file("body", dry.stdout_bytes);
        let config = self.home.file("curl", self.config(&asked, &body));
        let script = (collector == "images").then(|| self.home.file("images.sh", self.script(&config)));
        let peer = || match &script {
            Some(script) => Run::new("sh").arg(script),
            None => curl(&config),
        };
        let bytes: u64 = peer()
            .run()
            .expect_code(0)
            .stdout
            .lines()
            .filter_map(|line| line.parse::<u64>().ok())
            .sum();
        let figures = in_turns(
            10,
            &[
                Contender {
                    name: collector,
                    make: Box::new(|| self.ours(collector)),
                },
                Contender {
                    name: "curl -k",
                    make: Box::new(peer),
                },
            ],
        );
        row(asked.len(), bytes, &figures);
    }

    /// What curl is to do: each request that the collector makes, over connections that it keeps, then the points.
    fn config(&self, asked: &[(String, Option<String>)], body: &Path) -> String {
        let mut config = String::new();
        let common = "silent\nshow-error\nfail\ninsecure\noutput = \"/dev/null\"\nwrite-out = \"%{size_download}\\n\"\n";
        for (url, range) in asked {
            let _ = writeln!(config, "{common}url = \"{url}\"");
            if let Some(range) = range {
                let _ = writeln!(config, "range = \"{range}\"");
            }
            config.push_str("next\n");
        }
        let _ = writeln!(
            config,
            "{common}url = \"{}/write?db=metrics&precision=ns\"\ndata-binary = \"@{}\"\nnetrc-file = \"{}\"",
            self.influxd.url(),
            body.display(),
            self.home.path().join("netrc").display()
        );
        config
    }

    /// The listings side by side, as the collector has them, then curl.
    fn script(&self, config: &Path) -> String {
        let mut script = String::new();
        for place in [
            "daily*/*/*",
            "*/daily*/*/*",
            "*/dvd/*/*",
            "*/*/daily*/*/*",
            "*/*/dvd/*/*",
        ] {
            for end in [".iso", ".img.xz", ".wsl"] {
                let url = self.world.rsync.url(&format!("{place}{end}"));
                let _ = writeln!(
                    script,
                    "rsync --dry-run --relative --copy-links --archive --out-format='%l %M %n' '{url}' . >/dev/null 2>&1 &"
                );
            }
        }
        let _ = writeln!(script, "wait\nexec curl -K {}", config.display());
        script
    }
}

fn curl(config: &Path) -> Run {
    Run::new("curl").arg("-K").arg(config)
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn row(requests: usize, bytes: u64, figures: &[Figures]) {
    let [ours, curl] = figures else {
        return;
    };
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    println!(
        "| {} | {requests} | {:.2} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} | {:.2} | {:.1} | {:.1} |",
        ours.name,
        bytes as f64 / 1e6,
        milliseconds(ours.cpu),
        milliseconds(curl.cpu),
        ours.cpu.as_secs_f64() / curl.cpu.as_secs_f64(),
        milliseconds(ours.wall),
        milliseconds(curl.wall),
        ours.wall.as_secs_f64() / curl.wall.as_secs_f64(),
        mib(ours.peak),
        mib(curl.peak),
    );
}
