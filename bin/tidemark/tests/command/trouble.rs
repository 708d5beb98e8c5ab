//! The command on a bad day: broken collectors, wrong settings, another user's state.

use super::*;

#[test]
fn list_shows_what_starts_and_what_is_broken() {
    let site = Site::new("");
    site.script("noisy", "head -c 9000000 /dev/zero");
    site.script("silent", "exit 3");
    site.script("liar", "echo '{}'");
    site.script("generator", "exit 0");
    site.script("ready", "exit 9");
    site.describe("ready", "2m", "1m");
    fs::write(site.folder().join("tidemark-text"), "no program").expect("write");
    let text = site.run(&["list"]).expect_code(0).stdout;
    assert!(
        text.contains("off: needs [collector.behaving] in the settings"),
        "{text}"
    );
    assert!(text.contains("ready      2m     on"), "{text}");
    // What it says is what switches it on.
    let (how, section) = text.trim_end().rsplit_once('\n').expect("lines");
    let file = site.home.config();
    assert!(
        how.contains(&format!(
            "To switch it on, write its section into {}",
            file.display()
        )),
        "{text}"
    );
    fs::write(&file, section).expect("write");
    let on = site.run(&["list"]).expect_code(0).stdout;
    let row = on
        .lines()
        .find(|line| line.starts_with("behaving"))
        .expect("a row");
    assert!(row.contains("  on  ") && !on.contains("To switch"), "{on}");
    site.home.settings("");
    for (name, why) in [
        ("noisy", "longer than"),
        ("silent", "failed (exit status: 3)"),
        ("liar", "missing field"),
        ("text", "chmod +x"),
    ] {
        assert!(
            text.contains(&format!("{name} ")) && text.contains(why),
            "{name}: {text}"
        );
    }
    assert!(!text.contains("generator"), "{text}");
    // What is broken is not passed over as if it were switched off.
    site.script("hangs", "exec sleep 600");
    let ended = site.run(&["status", "--json", "--check"]).expect_code(1);
    let status: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let collectors = status["collectors"].as_array().expect("collectors");
    assert_eq!(collectors.len(), 7);
    let hangs = collectors.iter().find(|of| of["name"] == "hangs").expect("hangs");
    assert_eq!(
        (&hangs["state"], &hangs["enabled"]),
        (&"failing".into(), &true.into())
    );
}

#[test]
fn one_that_hangs_when_asked_does_not_hold_up_the_others() {
    let site = Site::new(ON);
    site.script("hangs", "exec sleep 600");
    for line in [&["run", "behaving"][..], &["show", "behaving"]] {
        let ended = site.run(line).expect_code(0);
        assert!(ended.wall < Duration::from_secs(50), "{line:?}: {:?}", ended.wall);
    }
}

#[test]
fn with_wrong_settings_status_shows_what_was_recorded() {
    let site = Site::new(ON);
    site.run(&["run", "behaving"]).expect_code(0);
    site.home.settings("[host]\nnam = \"x\"\n");
    let ended = site.run(&["status"]).expect_code(78);
    assert!(
        one_line(&ended).contains("write `name` instead"),
        "{}",
        ended.stderr
    );
    for part in [
        "The settings are wrong",
        "behaving   ok",
        "store  store          4",
    ] {
        assert!(ended.stdout.contains(part), "{part} in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("All is well"), "{}", ended.stdout);
    // The contract's object would have to guess.
    assert_eq!(site.run(&["status", "--json"]).expect_code(78).stdout, "");
}

/// Another user's state is not one where nothing has run yet.
#[test]
fn a_state_that_this_user_may_not_look_at_is_said() {
    let site = Site::new(ON);
    site.run(&["run", "behaving"]).expect_code(0);
    let is_root = rustix::process::geteuid().is_root();
    let mode = if is_root { 0o700 } else { 0o000 };
    fs::set_permissions(site.home.state(), fs::Permissions::from_mode(mode)).expect("mode");
    fs::set_permissions(site.home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    fs::set_permissions(site.home.config(), fs::Permissions::from_mode(0o644)).expect("mode");
    // Where another user can reach it.
    let command = site.home.path().join("tidemark");
    install(Path::new(env!("CARGO_BIN_EXE_tidemark")), &command);
    for line in [
        &["status"][..],
        &["show", "behaving"],
        &["outbox", "list"],
        &["outbox", "drop"],
    ] {
        let run = if is_root {
            let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
            Run::new("setpriv").args(nobody).arg(&command)
        } else {
            Run::new(&command)
        };
        let run = site
            .home
            .at_home(run.args(line))
            .env("TIDEMARK_COLLECTORS", site.folder());
        let ended = run.run().expect_code(1);
        assert_eq!(ended.stdout, "", "{line:?}");
        let said = one_line(&ended);
        assert!(
            said.contains("this user may not look at it: run this as"),
            "{line:?}: {said}"
        );
    }
    fs::set_permissions(site.home.state(), fs::Permissions::from_mode(0o755)).expect("mode");
}
