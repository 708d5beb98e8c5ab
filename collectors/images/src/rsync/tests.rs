use std::fs;
use std::net::TcpListener;

use tidemark_testkit::{Home, RsyncDaemon, free_port, wait_until};

use super::*;

const SOON: Duration = Duration::from_secs(20);

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn listed(program: &str, base: &str, pattern: &str, limit: Duration) -> Listed {
    run(list(program, base, pattern, Within::new(limit)))
}

/// A program in rsync's place: a script of sh.
struct Fake {
    home: Home,
    program: String,
}

impl Fake {
    fn new(script: &str) -> Self {
        let home = Home::new();
        let script = format!("cd '{}'\n{script}", home.path().display());
        Self {
            program: home.script("rsync", &script).display().to_string(),
            home,
        }
    }

    fn list(&self, limit: Duration) -> Listed {
        listed(&self.program, "rsync://h/m/", "a*.iso", limit)
    }

    /// What the script wrote into the file of that name.
    fn wrote(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }
}

fn why(listed: &Listed) -> String {
    listed
        .failure
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Whether a process runs; one that has ended and was not waited for does not.
fn runs(process: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
    let state = state.rsplit(") ").next().unwrap_or_default();
    !state.is_empty() && !state.starts_with('Z')
}

#[test]
fn a_real_daemon_lists_what_matches() {
    let daemon = RsyncDaemon::start();
    daemon.fill("5 1795147200 a/1/x y.iso\n6 0 a/2/z.img.xz\n7 0 b/1/z.iso\n7 0 a/1/z.wsl\na/current -> 1\n");
    let listed = listed("rsync", &daemon.url(""), "a/*/*.iso", SOON);
    assert_eq!(why(&listed), "");
    let files: Vec<&str> = listed.text.lines().filter(|line| !line.ends_with('/')).collect();
    assert_eq!(
        files,
        [
            "5 2026/11/20-04:00:00 a/1/x y.iso",
            "5 2026/11/20-04:00:00 a/current/x y.iso"
        ],
        "{}",
        listed.text
    );
}

#[test]
fn times_are_utc_in_winter_and_in_summer() {
    let daemon = RsyncDaemon::start();
    daemon.fill("5 1768435200 a/1/x.iso\n5 1784116800 a/1/y.iso\n");
    let listed = listed("rsync", &daemon.url(""), "a/*/*.iso", SOON);
    assert_eq!(why(&listed), "");
    assert!(
        listed.text.contains("\n5 2026/01/15-00:00:00 a/1/x.iso\n"),
        "{}",
        listed.text
    );
    assert!(
        listed.text.contains("\n5 2026/07/15-12:00:00 a/1/y.iso\n"),
        "{}",
        listed.text
    );
}

#[test]
fn it_is_started_with_these_words_and_no_input() {
    let fake = Fake::new(
        "printf '%s\\n' \"$@\" >words\nenv >environment\ncat >input\nps -o pgid= $$ >group\necho $$ >process",
    );
    assert_eq!(why(&fake.list(SOON)), "");
    assert_eq!(
        fake.wrote("words"),
        "--dry-run\n--relative\n--copy-links\n--archive\n--no-motd\n--out-format=%l %M %n\nrsync://h/m/a*.iso\n/proc/0/\n"
    );
    assert_eq!(fake.wrote("input"), "");
    let environment = fake.wrote("environment");
    let has = |line: &str| environment.lines().any(|one| one == line);
    assert!(has("TZ=UTC") && has("LC_ALL=C"), "{environment}");
    assert!(
        !environment.lines().any(|line| line.starts_with("HOME=")),
        "{environment}"
    );
    assert_eq!(fake.wrote("group").trim(), fake.wrote("process").trim());
}

#[test]
fn a_pattern_that_nothing_matches_is_no_failure() {
    let daemon = RsyncDaemon::start();
    daemon.file("a/1/x.iso", 5, 0);
    for pattern in ["a*/*/*.wsl", "b*/*/*.iso", "*/*/daily*/*/*.img.xz"] {
        let listed = listed("rsync", &daemon.url(""), pattern, SOON);
        assert_eq!((listed.text.as_str(), listed.failure), ("", None), "{pattern}");
    }
    // Below a folder of the module; and as older ones say it, in another language.
    let listed = listed("rsync", &daemon.url("b/"), "*/*.iso", SOON);
    assert_eq!(listed.failure, None);
    let fake = Fake::new(
        "echo 'rsync: link_stat \"/a*.iso\" (in cdimage) failed: Datei oder Verzeichnis nicht gefunden (2)' >&2\nexit 23",
    );
    assert_eq!(fake.list(SOON).failure, None);
}

#[test]
fn other_things_that_end_with_23_are_failures() {
    let fake = Fake::new(
        "echo 'rsync: [sender] link_stat \"a*.iso\" (in m) failed: Permission denied (13)' >&2\nexit 23",
    );
    assert_eq!(
        why(&fake.list(SOON)),
        "rsync ended with code 23: [sender] link_stat \"…\" (in m) failed: Permission denied (13)"
    );
    let fake = Fake::new(
        "echo 'rsync: [sender] link_stat \"b*.iso\" (in m) failed: No such file or directory (2)' >&2\nexit 23",
    );
    assert!(why(&fake.list(SOON)).starts_with("rsync ended with code 23: "));
    let fake = Fake::new(
        "echo line\necho 'rsync: [sender] link_stat \"a*.iso\" (in m) failed: No such file or directory (2)' >&2\nexit 23",
    );
    let listed = fake.list(SOON);
    assert!(why(&listed).starts_with("rsync ended with code 23: "));
    assert_eq!(listed.text, "line\n");
    assert_eq!(
        why(&Fake::new("exit 23").list(SOON)),
        "rsync ended with code 23 and said nothing"
    );
}

#[test]
fn a_program_that_is_not_there_or_cannot_be_executed() {
    for program in ["rsync-that-is-not-there", "/nowhere/rsync"] {
        let said = why(&listed(program, "rsync://h/m/", "a", SOON));
        assert_eq!(
            said,
            format!(
                "there is no program {program:?}: install the package rsync, or say in `rsync` where it is"
            )
        );
    }
    let home = Home::new();
    let program = home.path().display().to_string();
    let said = why(&listed(&program, "rsync://h/m/", "a", SOON));
    assert_eq!(
        said,
        format!("cannot start {program:?}: Permission denied (os error 13)")
    );
}

#[test]
fn a_server_that_refuses() {
    let refused = format!("rsync://127.0.0.1:{}/cdimage/", free_port());
    let said = why(&listed("rsync", &refused, "a", SOON));
    assert!(
        said.starts_with("rsync ended with code 10: ") && said.contains("Connection refused (111)"),
        "{said}"
    );
    let daemon = RsyncDaemon::start();
    let other = daemon.url("").replace("cdimage", "other");
    assert_eq!(
        why(&listed("rsync", &other, "a", SOON)),
        "rsync ended with code 5: @ERROR: Unknown module 'other'"
    );
    // Too long for a name, so that no server of names is asked.
    let host = "x".repeat(64);
    let said = why(&listed("rsync", &format!("rsync://{host}.invalid/m/"), "a", SOON));
    assert!(
        said.starts_with("rsync ended with code 10: ") && said.contains(&host),
        "{said}"
    );
}

#[test]
fn a_server_that_says_nothing() {
    // The kernel takes the connection, and nobody serves it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("rsync://{}/m/", silent.local_addr().unwrap());
    let limit = Duration::from_millis(700);
    let began = Instant::now();
    let listed = listed("rsync", &base, "a", limit);
    assert_eq!(why(&listed), "rsync was not done within 0.7 s and said nothing");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn what_came_before_the_end_counts_by_whole_lines() {
    let fake = Fake::new("printf 'one\\ntwo\\nthr'\nexit 12");
    let listed = fake.list(SOON);
    assert_eq!(listed.text, "one\ntwo\n");
    assert_eq!(why(&listed), "rsync ended with code 12 and said nothing");
    let fake = Fake::new("printf 'one\\ntwo\\nthr'\nkill -KILL $$");
    let listed = fake.list(SOON);
    assert_eq!(listed.text, "one\ntwo\n");
    assert_eq!(why(&listed), "rsync was ended by signal 9 and said nothing");
    let fake = Fake::new("printf 'thr'\nexit 30");
    assert_eq!(fake.list(SOON).text, "");
    // One that is whole may end without.
    let fake = Fake::new("printf 'one\\ntwo'");
    assert_eq!(
        (fake.list(SOON).text.as_str(), fake.list(SOON).failure),
        ("one\ntwo", None)
    );
}

#[test]
fn at_the_end_of_its_time_it_is_killed_with_its_children_and_its_lines_are_kept() {
    let fake = Fake::new(
        "trap '' TERM INT HUP\nsleep 600 & echo $! >child\necho $$ >process\necho trouble ahead >&2\nprintf 'one\\nha'\nwait",
    );
    let listed = fake.list(Duration::from_secs(10));
    assert_eq!(listed.text, "one\n");
    assert_eq!(why(&listed), "rsync was not done within 10 s: trouble ahead");
    for name in ["child", "process"] {
        let process = fake.wrote(name);
        assert!(!process.is_empty(), "{name}");
        wait_until(name, SOON, || !runs(&process));
    }
}

#[test]
fn one_that_ends_and_leaves_a_child_with_its_output_is_not_waited_for() {
    let fake = Fake::new("sleep 600 & echo $! >child\necho one");
    let began = Instant::now();
    let listed = fake.list(Duration::from_secs(10));
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(
        (
            listed.text.as_str(),
            why(&listed).starts_with("rsync was not done within")
        ),
        ("one\n", true)
    );
    wait_until("its child", SOON, || !runs(&fake.wrote("child")));
}

#[test]
fn where_nobody_waits_any_more_it_is_killed_with_its_children() {
    let fake = Fake::new("sleep 600 & echo $! >child\necho $$ >process\nwait");
    run(async {
        let program = fake.program.clone();
        let listing = list(&program, "rsync://h/m/", "a", Within::new(SOON));
        let started = async {
            while fake.wrote("process").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = listing => panic!("it does not end"),
            () = started => {}
        }
    });
    for name in ["child", "process"] {
        wait_until(name, SOON, || !runs(&fake.wrote(name)));
    }
}

#[test]
fn one_that_prints_without_end_is_killed_and_bounded() {
    let fake = Fake::new(
        "echo $$ >process\nexec yes 5 2026/11/20-04:00:00 daily-live/current/noble-desktop-amd64.iso",
    );
    let listed = fake.list(SOON);
    assert_eq!(
        why(&listed),
        "rsync printed more than 2097152 bytes, the most that is read"
    );
    assert!(listed.text.len() <= MAX_BYTES && listed.text.len() > MAX_BYTES - 100);
    assert!(listed.text.ends_with(".iso\n"));
    wait_until("its end", SOON, || !runs(&fake.wrote("process")));
    // A single line without end.
    let fake = Fake::new("exec tr '\\0' x </dev/zero");
    let listed = fake.list(SOON);
    assert_eq!((listed.text.as_str(), listed.failure), ("", Some(Failure::Long)));
}

#[test]
fn what_it_says_is_read_to_its_end_and_shown_cut() {
    // More than a pipe holds.
    let fake = Fake::new("yes 'rsync: no\tluck' | head -c 300000 >&2\necho one\nexit 1");
    let said = why(&fake.list(SOON));
    let expected = "no luck; ".repeat(100);
    let expected: String = expected.chars().take(SAID_SHOWN).collect();
    assert_eq!(said, format!("rsync ended with code 1: {expected}…"));
    // Neither text nor short.
    let fake = Fake::new("printf '\\377\\001\\n\\n\\n' >&2\nexit 1");
    assert_eq!(why(&fake.list(SOON)), "rsync ended with code 1: \u{fffd} ");
    // Where it says nothing else, what it says in any case.
    let fake = Fake::new(
        "echo 'rsync error: received SIGINT (code 20) at rsync.c(1) [Receiver=3.2.7]' >&2\nexit 20",
    );
    assert_eq!(
        why(&fake.list(SOON)),
        "rsync ended with code 20: rsync error: received SIGINT (code 20) at rsync.c(1) [Receiver=3.2.7]"
    );
}
