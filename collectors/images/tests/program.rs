//! The real program: a real rsync daemon in each of its moods, and Launchpad failing in each way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use tidemark_testkit::{Answer, Ended, Home, Matrix, Part, Route, RsyncDaemon, Run, Source};

const SERIES: &str = "/devel/ubuntu/series";
const ACTIVE: [&str; 8] = [
    "trusty", "xenial", "bionic", "focal", "jammy", "noble", "questing", "resolute",
];

/// What Launchpad says of the series.
fn series() -> String {
    let entry = |name: &str, active: bool| {
        format!(r#"{{"name": "{name}", "active": {active}, "status": "Supported"}}"#)
    };
    let mut entries = vec![entry("mantic", false)];
    entries.extend(ACTIVE.map(|name| entry(name, true)));
    format!(
        r#"{{"start": 0, "total_size": 9, "entries": [{}]}}"#,
        entries.join(", ")
    )
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The images' daemon, Launchpad, and a home for the program.
struct Scene {
    daemon: RsyncDaemon,
    launchpad: Source,
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            daemon: RsyncDaemon::start(),
            launchpad: Source::http(),
            home: Home::new(),
        };
        scene.daemon.fill(&fixture("cdimage.tree"));
        scene.launchpad.route(SERIES, Answer::ok(series()));
        scene.settings(&scene.daemon.url(""), "");
        scene
    }

    fn settings(&self, url: &str, more: &str) {
        self.home.settings(&format!(
            "[collector.images]\nurl = \"{url}\"\nlaunchpad = \"{}\"\n{more}\n",
            self.launchpad.url("/devel")
        ));
    }

    fn dry_run(&self) -> Run {
        self.home
            .run("tidemark-images")
            .args(["--dry-run", "--output", "influx"])
    }
}

/// The lines without what the time of the run says: their ages and their own time.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            let (series, rest) = line.split_once(" age=").unwrap();
            let (age, rest) = rest.split_once(',').unwrap();
            assert!(age.ends_with('i') && !age.starts_with('-'), "{line}");
            format!("{series} {}", rest.rsplit_once(' ').unwrap().0)
        })
        .collect();
    lines.sort_unstable();
    lines
}

fn expected() -> Vec<String> {
    lines(&fixture("expected.influx"))
}

/// The only line on standard error.
#[track_caller]
fn warning(ended: &Ended) -> &str {
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.stderr.trim_end()
}

#[test]
fn all_images_wherever_it_runs_and_whatever_the_zone_and_the_language_are() {
    let scene = Scene::new();
    let ended = scene.dry_run().run().expect_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(lines(&ended.stdout), expected());
    let ages = |text: &str| -> Vec<String> {
        let ages = text
            .lines()
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        ages.collect()
    };
    // In the tree itself, so that all files are there and are the same.
    let there = scene
        .dry_run()
        .current_dir(scene.daemon.tree())
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "C.UTF-8")
        .env("LANGUAGE", "de")
        .run()
        .expect_code(0);
    assert_eq!(there.stderr, "");
    assert_eq!(ages(&there.stdout), ages(&ended.stdout));
}

#[test]
fn nobody_listens() {
    let mut scene = Scene::new();
    scene.daemon.kill();
    let ended = scene.dry_run().run().expect_code(1);
    assert_eq!(ended.stdout, "");
    let line = warning(&ended);
    let start = format!(
        "all 15 listings of {}: rsync ended with code 10: ",
        scene.daemon.url("")
    );
    assert!(
        line.contains(&start) && line.contains("Connection refused (111)"),
        "{line}"
    );
}

#[test]
fn there_is_no_such_module() {
    let scene = Scene::new();
    scene.settings(&scene.daemon.url("").replace("/cdimage/", "/images"), "");
    let ended = scene.dry_run().run().expect_code(1);
    let line = warning(&ended);
    assert!(
        line.ends_with("/images/: rsync ended with code 5: @ERROR: Unknown module 'images'"),
        "{line}"
    );
}

#[test]
fn the_daemon_takes_no_more_connections() {
    let scene = Scene::new();
    let full = RsyncDaemon::start_with("max connections = -1");
    scene.settings(&full.url(""), "");
    let ended = scene.dry_run().run().expect_code(1);
    let line = warning(&ended);
    assert!(
        line.contains("all 15 listings") && line.contains("max connections (-1) reached"),
        "{line}"
    );
}

#[test]
fn rsync_is_not_installed() {
    let scene = Scene::new();
    let ended = scene.dry_run().env("PATH", "/nowhere").run().expect_code(1);
    let line = warning(&ended);
    assert!(
        line.ends_with(
            "there is no program \"rsync\": install the package rsync, or say in `rsync` where it is"
        ),
        "{line}"
    );
    // It is where the settings say.
    scene.settings(&scene.daemon.url(""), "rsync = \"/usr/bin/rsync\"");
    let ended = scene.dry_run().env("PATH", "/nowhere").run().expect_code(0);
    assert_eq!(lines(&ended.stdout), expected());
}

#[test]
fn the_daemon_says_nothing() {
    let scene = Scene::new();
    // The kernel takes connections, and nobody serves them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rsync://{}/cdimage/", silent.local_addr().unwrap());
    scene.settings(&url, "deadline = \"3s\"");
    let ended = scene.dry_run().run().expect_code(1);
    let line = warning(&ended);
    assert!(
        line.contains(&format!("all 15 listings of {url}: rsync was not done within "))
            && line.ends_with(" s and said nothing"),
        "{line}"
    );
    assert!(ended.wall < Duration::from_secs(15), "{:?}", ended.wall);
}

/// A listener whose connections lead to a server, and end after so many bytes of what it says.
fn cut_after(bytes: u64, server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let pass = move |client: TcpStream| -> std::io::Result<()> {
        let server = TcpStream::connect(("127.0.0.1", server))?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
        let mut rest = server.try_clone()?.take(bytes);
        let mut client_end = client.try_clone()?;
        // Either may be gone already.
        let _ = std::io::copy(&mut rest, &mut client_end);
        let _ = client_end.flush();
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        Ok(())
    };
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || pass(client));
        }
    });
    port
}

#[test]
fn the_connections_break() {
    let scene = Scene::new();
    let all = expected();
    // Long enough for the short listings: at the longest nothing breaks, at the shortest not even the greeting is whole.
    let mut numbers = Vec::new();
    for bytes in [10_u64, 600, 1_500, 1 << 20] {
        let port = cut_after(bytes, scene.daemon.port());
        scene.settings(&format!("rsync://127.0.0.1:{port}/cdimage/"), "");
        let ended = scene.dry_run().run();
        let lines = lines(&ended.stdout);
        assert!(lines.iter().all(|line| all.contains(line)), "{bytes}: {lines:?}");
        let is_broken = lines.len() < all.len();
        assert_eq!(ended.code, Some(i32::from(lines.is_empty())), "{}", ended.stderr);
        if is_broken {
            assert!(
                ended.stderr.contains("rsync ended with code "),
                "{}",
                ended.stderr
            );
        }
        assert!(bytes < 1 << 20 || ended.stderr.is_empty(), "{}", ended.stderr);
        numbers.push(lines.len());
    }
    assert!(
        numbers.is_sorted() && numbers[0] == 0 && numbers[3] == all.len(),
        "{numbers:?}"
    );
    assert!(
        (1..all.len()).contains(&numbers[1]) || (1..all.len()).contains(&numbers[2]),
        "{numbers:?}"
    );
}

/// Puts a program in rsync's place: a script of sh, whose `$1` is what it is to list.
fn fake(home: &Home, script: &str) -> String {
    let script = format!("while [ $# -gt 2 ]; do shift; done\n{script}");
    home.script("rsync", &script).display().to_string()
}

#[test]
fn whatever_rsync_prints_the_run_stays_small() {
    let scene = Scene::new();
    // Images of so many flavors, in each listing, without end.
    let lines: String = (0..40_000)
        .map(|number| format!("5 2026/02/28-00:00:00 k{number}/daily-live/current/noble-x-y.iso\n"))
        .collect();
    scene.home.file("lines", lines);
    let program = fake(&scene.home, "while cat \"${0%/*}/lines\"; do :; done");
    scene.settings(
        "rsync://mirror.example/cdimage/",
        &format!("rsync = \"{program}\""),
    );
    let ended = scene.dry_run().run().expect_code(0);
    assert_eq!(ended.stdout.lines().count(), 10_000);
    assert!(
        ended.stderr.contains("all 15 listings")
            && ended.stderr.contains("rsync printed more than 2097152 bytes")
            && ended.stderr.contains("more than 10000 in all"),
        "{}",
        ended.stderr
    );
    assert!(ended.peak_memory < 64 << 20, "{} bytes", ended.peak_memory);
}

#[test]
fn nothing_is_left_of_rsync_when_the_program_is_told_to_end() {
    let scene = Scene::new();
    let program = fake(&scene.home, "echo $$ >>\"${0%/*}/processes\"\nsleep 600");
    scene.settings(
        "rsync://mirror.example/cdimage/",
        &format!("rsync = \"{program}\""),
    );
    let running = scene.dry_run().start();
    let processes = || fs::read_to_string(scene.home.path().join("processes")).unwrap_or_default();
    tidemark_testkit::wait_until("fifteen listings", Duration::from_secs(20), || {
        processes().lines().count() == 15
    });
    running.terminate();
    let ended = running.wait();
    assert_ne!(ended.code, Some(0));
    for process in processes().lines() {
        tidemark_testkit::wait_until("its end", Duration::from_secs(10), || {
            !Path::new("/proc").join(process).exists()
        });
    }
}

#[test]
fn rsync_knows_the_proxy_and_no_password() {
    let scene = Scene::new();
    let program = fake(&scene.home, "env >\"${0%/*}/environment-$$\"");
    scene.settings(
        "rsync://mirror.example/cdimage/",
        &format!("rsync = \"{program}\""),
    );
    let mut run = scene
        .dry_run()
        .env("RSYNC_PROXY", "proxy.example:3128")
        .env("INFLUXDB_PASSWORD", "it is a secret");
    for (name, value) in [
        ("HOSTNAME", "localhost"),
        ("PORT", "8086"),
        ("USERNAME", "u"),
        ("DATABASE", "d"),
    ] {
        run = run.env(&format!("INFLUXDB_{name}"), value);
    }
    run.run().expect_code(1);
    let files = fs::read_dir(scene.home.path()).unwrap();
    let mut environments = 0;
    for file in files.flatten() {
        if file.file_name().to_string_lossy().starts_with("environment-") {
            let text = fs::read_to_string(file.path()).unwrap();
            assert!(
                text.lines().any(|line| line == "RSYNC_PROXY=proxy.example:3128"),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
            environments += 1;
        }
    }
    assert_eq!(environments, 15);
}

/// Launchpad says which folder is a series': one image depends on it, and one does not.
#[test]
fn launchpad_fails_in_every_way() {
    let home = Home::new();
    let program = fake(
        &home,
        "case $1 in */cdimage/?/daily*.iso)
            echo '5 2026/02/28-00:00:00 noble/daily-live/current/noble-desktop-amd64.iso'
            echo '6 2026/02/28-00:00:00 kubuntu/daily-live/current/resolute-desktop-amd64.iso' ;;
        esac",
    );
    let part = Part::new("the active series", |line| line.contains("flavor=ubuntu,")).route(Route::new(
        SERIES,
        series(),
        r#"{"start": "none", "entries": [{"name": 24.04, "active": "yes"}]}"#,
    ));
    Matrix::new("tidemark-images", move |bases| {
        format!(
            "[collector.images]\nurl = \"rsync://mirror.example/cdimage/\"\nlaunchpad = \"{}/devel/\"\nrsync = \"{program}\"\n\
             distro_info = \"/nowhere/ubuntu.csv\"\n",
            bases.url("")
        )
    })
    .part(part)
    .check();
    drop(home);
}
