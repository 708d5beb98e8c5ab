//! `tidemark units` where systemd has no part: what is printed, and who may do what.

use super::*;

#[test]
fn units_are_printed_and_written() {
    let site = Site::new(ON);
    let printed = site.run(&["units", "print"]).expect_code(0).stdout;
    assert!(printed.contains("# tidemark-flush.service\n"), "{printed}");
    assert!(printed.contains("\n\n# tidemark-flush.timer\n"), "{printed}");
    // They are those of the host, whatever the environment says.
    assert!(!printed.contains("behaving"), "{printed}");
    let folder = site.home.path().join("units");
    let to = folder.display().to_string();
    let written = site.run(&["units", "print", "--to", &to]).expect_code(0);
    assert_eq!(written.stdout, "");
    let timer = fs::read_to_string(folder.join("tidemark-flush.timer")).expect("a timer");
    assert!(printed.contains(&timer), "{printed}");
    let link = fs::read_link(folder.join("tidemark.target.wants/tidemark-flush.timer"));
    assert_eq!(link.expect("a link"), Path::new("../tidemark-flush.timer"));

    let file = folder.join("tidemark-flush.timer").display().to_string();
    let refused = site.run(&["units", "print", "--to", &file]).expect_code(1);
    assert!(
        refused.stderr.starts_with("tidemark: no units: ") && refused.stderr.contains(" cannot be made: "),
        "{}",
        refused.stderr
    );
}

#[test]
fn other_settings_are_refused() {
    let site = Site::new(ON);
    for line in [
        &["units", "print", "--config", "x"][..],
        &["-c", "x", "units", "sync"],
    ] {
        let refused = site.run(line).expect_code(2);
        assert!(
            one_line(&refused).contains("/etc/tidemark/tidemark.toml"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn only_root_changes_and_compares() {
    let site = Site::new(ON);
    let is_root = rustix::process::geteuid().is_root();
    // Where nobody may look into the folder of the build.
    let command = site.home.path().join("tidemark");
    install(Path::new(env!("CARGO_BIN_EXE_tidemark")), &command);
    fs::set_permissions(site.home.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    for action in ["sync", "verify"] {
        let line = ["units", action];
        let run = if is_root {
            Run::new("setpriv")
                .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
                .arg(&command)
                .args(line)
        } else {
            Run::new(&command).args(line)
        };
        let refused = run.run().expect_code(1);
        let said = one_line(&refused);
        assert!(
            said.ends_with(&format!("run `tidemark units {action}` as root")),
            "{said}"
        );
    }
    if is_root && !Path::new("/run/systemd/system").exists() {
        let refused = site.run(&["units", "sync"]).expect_code(1);
        assert!(
            one_line(&refused).contains("systemd is not this machine's manager"),
            "{}",
            refused.stderr
        );
    }
}

/// What starts nothing is not late either; a run by hand is another matter.
#[test]
fn a_host_that_stands_by_says_so() {
    let site = Site::new(&format!("{ON}\n[host]\nstandby = true\n"));
    let said = "this host stands by";
    let list = site.run(&["list"]).expect_code(0).stdout;
    assert!(list.contains(&format!("off: {said}")), "{list}");
    site.run(&["run", "behaving"]).expect_code(0);
    let status = site.run(&["status", "--check"]).expect_code(0).stdout;
    assert!(status.contains(said) && status.contains("disabled"), "{status}");
    assert_eq!(site.status()["collectors"][0]["state"], "disabled");
    let check = site.run(&["check"]).expect_code(0).stdout;
    assert!(check.contains("standby is on: no timer is started"), "{check}");
}
