use super::*;

fn sh(script: &str) -> Run {
    Run::new("/bin/sh").args(["-c", script])
}

#[test]
fn captures_outputs_and_code() {
    let ended = sh("cat; echo two >&2; exit 3").stdin("one").run();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("one", "two\n"));
    assert_eq!((ended.code, ended.signal), (Some(3), None));
}

#[test]
fn measures_time_and_memory() {
    // 32 MiB in a shell variable, and some work, until it was looked at.
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let mut running = sh(
        "x=$(head -c 33554432 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 200000 ]; do i=$((i+1)); \
         done; until [ -e \"$0\" ]; do sleep 0.01; done",
    )
    .arg(&seen)
    .start();
    crate::wait_until("it has grown", BOUND, || {
        running.look();
        running.peak > 32 << 20
    });
    fs::write(&seen, "").unwrap();
    let ended = running.wait().expect_code(0);
    assert!(ended.peak_memory > 32 << 20, "{}", ended.peak_memory);
    assert!(ended.peak_memory < 512 << 20, "{}", ended.peak_memory);
    assert!(ended.cpu > Duration::from_millis(5), "{:?}", ended.cpu);
    assert!(ended.cpu < ended.wall * 3, "{ended:?}");
}

#[test]
#[should_panic(expected = "did not end within")]
fn is_bound_in_time() {
    sh("echo before; sleep 600")
        .bound(Duration::from_millis(100))
        .run();
}

#[test]
fn what_starts_and_what_is_started_is_killed_at_one_instant() {
    // Both would tell of the other's end.
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let script = "setsid sh -c 'read -r none; echo left >$0' \"$0\" <\"$1\" & exec 3>\"$1\"; echo up; wait; echo lost >$0";
    let made = Run::new("mkfifo").arg(folder.path().join("fifo")).run();
    made.expect_code(0);
    let running = sh(script).arg(&told).arg(folder.path().join("fifo")).start();
    crate::wait_until("both run", BOUND, || {
        running.stdout() == "up\n" && running.processes().len() == 2
    });
    assert_eq!(running.kill().signal, Some(9));
    assert!(!told.exists(), "{}", fs::read_to_string(&told).unwrap());
}

#[test]
fn output_that_was_not_read_yet_is_not_lost() {
    let ended = sh("head -c 60000 /dev/zero; setsid sleep 5 & exit 0")
        .run()
        .expect_code(0);
    assert_eq!(ended.stdout_bytes.len(), 60_000);
}

#[test]
fn what_it_leaves_behind_is_killed() {
    let ended = sh("sleep 600 & echo $!").run().expect_code(0);
    assert!(ended.wall < Duration::from_secs(20));
    let pid = ended.stdout.trim();
    crate::wait_until("the child's child is gone", Duration::from_secs(10), || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn what_it_started_in_another_group_is_killed_with_it() {
    let running = sh("setsid sleep 600 & wait").start();
    crate::wait_until("both run", Duration::from_secs(10), || {
        let processes = running.processes();
        let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        processes.len() == 2 && name(&processes[1]) == "sleep\n"
    });
    let pid = running.processes()[1];
    assert_eq!(running.kill().signal, Some(9));
    crate::wait_until("the child is gone", Duration::from_secs(10), || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn kills_at_a_random_instant() {
    let mut random = Random::new(1);
    let range = Duration::from_millis(1)..Duration::from_millis(30);
    let ended = sh("while :; do echo x; done").kill_at_random(&mut random, range.clone());
    assert_eq!((ended.code, ended.signal), (None, Some(9)));
    assert!(ended.wall >= range.start, "{:?}", ended.wall);
    let ended = sh("exit 5").kill_at_random(&mut random, Duration::from_secs(20)..Duration::from_secs(21));
    assert_eq!(ended.code, Some(5));
    assert!(
        ended.wall < Duration::from_secs(20),
        "one that is done is not waited for"
    );
}

#[test]
fn says_how_to_build_what_is_missing() {
    let why = std::panic::catch_unwind(|| program("tidemark-of-nowhere")).expect_err("must panic");
    let text = why.downcast_ref::<String>().map_or("", String::as_str);
    assert!(text.contains("cargo build --workspace --bins"), "{text}");
}
