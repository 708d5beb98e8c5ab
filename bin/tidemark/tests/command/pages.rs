//! What `tidemark completions` and `tidemark man` print, as the shells and readers of manual pages take it.

use std::process::Command;

use super::*;

/// The completion of bash for a line whose last word is being typed.
fn completed(site: &Site, line: &[&str]) -> Vec<String> {
    let script = site.home.file(
        "completions",
        site.run(&["completions", "bash"]).expect_code(0).stdout,
    );
    let bin = site.home.path().join("bin");
    let _ = std::os::unix::fs::symlink(
        Path::new(env!("CARGO_BIN_EXE_tidemark"))
            .parent()
            .expect("a folder"),
        &bin,
    );
    let words = line.join("' '");
    let run = r#"
        source "$0" || exit 9
        words=("$@"); COMP_WORDS=("${words[@]}"); COMP_CWORD=$(( ${#words[@]} - 1 ))
        COMP_LINE="${words[*]}"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
        function_of=$(complete -p tidemark | sed 's/.*-F \([^ ]*\).*/\1/')
        "$function_of" tidemark "${words[COMP_CWORD]}" "${words[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let ended = Command::new("bash")
        .args(["--norc", "-c", run])
        .arg(&script)
        .args(line)
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("TIDEMARK_COLLECTORS", site.folder())
        .env("STATE_DIRECTORY", site.home.state())
        .output()
        .expect("bash");
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && errors.is_empty(), "{words}: {errors}");
    String::from_utf8_lossy(&ended.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_takes_and_completes_it() {
    let site = Site::new(ON);
    site.script("other", "exit 0");
    let text = site.run(&["completions", "bash"]).expect_code(0).stdout;
    let script = site.home.file("script", &text);
    let checked = Command::new("bash").arg("-n").arg(script).output().expect("bash");
    assert!(checked.status.success(), "{checked:?}");

    assert_eq!(completed(&site, &["tidemark", "stat"]), ["status"]);
    assert_eq!(completed(&site, &["tidemark", "outbox", "re"]), ["retry"]);
    assert_eq!(completed(&site, &["tidemark", "status", "--js"]), ["--json"]);
    assert_eq!(
        completed(&site, &["tidemark", "lint", "--to", ""]),
        ["influx", "openmetrics", "json"]
    );
    for line in [
        &["tidemark", "run", "beh"][..],
        &["tidemark", "-v", "show", "beh"],
        &["tidemark", "man", "beh"],
    ] {
        let words = completed(&site, line);
        assert!(words.contains(&"behaving".to_owned()), "{line:?}: {words:?}");
        assert!(!words.contains(&"other".to_owned()), "{line:?}: {words:?}");
    }
    let several = completed(&site, &["tidemark", "run", "behaving", ""]);
    assert!(several.contains(&"other".to_owned()), "{several:?}");
    let elsewhere = completed(&site, &["tidemark", "status", ""]);
    assert!(!elsewhere.contains(&"behaving".to_owned()), "{elsewhere:?}");
}

#[test]
fn other_shells_get_theirs() {
    let site = Site::new(ON);
    let zsh = site.run(&["completions", "zsh"]).expect_code(0).stdout;
    assert!(
        zsh.starts_with("#compdef tidemark\n") && zsh.contains("_tidemark_collectors() {"),
        "{zsh}"
    );
    let fish = site.run(&["completions", "fish"]).expect_code(0).stdout;
    assert!(
        fish.contains("complete -c tidemark") && fish.contains("completions collectors"),
        "{fish}"
    );
    let names = site.run(&["completions", "collectors"]).expect_code(0).stdout;
    assert_eq!(names, "behaving\n");
    one_line(&site.run(&["completions", "tcsh"]).expect_code(2));
    one_line(&site.run(&["completions"]).expect_code(2));
}

/// The page as a reader sees it, without overstriking; groff's complaints are none of its text.
fn rendered(page: &str) -> String {
    let site = Site::without_collectors("");
    let file = site.home.file("page.1", page);
    let groff = Command::new("groff")
        .args(["-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=300n"])
        .arg(file)
        .output();
    match groff {
        Ok(groff) => {
            let complaints = String::from_utf8_lossy(&groff.stderr);
            assert!(groff.status.success() && complaints.is_empty(), "{complaints}");
            String::from_utf8_lossy(&groff.stdout).into_owned()
        }
        // Where no reader of roff is installed, the text without its requests has to do.
        Err(_) => page
            .replace("\\-", "-")
            .replace("\\fB", "")
            .replace("\\fI", "")
            .replace("\\fR", ""),
    }
}

#[test]
fn the_commands_page_has_every_subcommand() {
    let site = Site::new(ON);
    let page = site.run(&["man"]).expect_code(0).stdout;
    assert!(page.contains(".TH TIDEMARK 1 "), "{page}");
    let text = rendered(&page);
    for part in [
        "tidemark - Collects metrics at regular intervals",
        "tidemark status",
        "tidemark outbox retry [SINK]",
        "tidemark units sync",
        "tidemark run NAME...",
        "--from FILE",
        "tidemark lint [FILE]",
        "(influx, openmetrics, json)",
        "TIDEMARK_COLLECTORS",
        "/etc/tidemark/tidemark.toml",
        "tidemark outbox show --rejected --output influx > refused",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let help = site.run(&["--help"]).expect_code(0).stdout;
    let subcommands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let mut count = 0;
    for line in subcommands {
        let name = line.split_whitespace().next().unwrap_or_default();
        assert!(text.contains(&format!("tidemark {name}")), "{name}");
        count += 1;
    }
    assert!(count >= 9, "{help}");
}

#[test]
fn a_collectors_page_is_its_description() {
    let site = Site::new(ON);
    for name in ["behaving", "tidemark-behaving"] {
        let page = site.run(&["man", name]).expect_code(0).stdout;
        assert!(
            page.contains(".TH TIDEMARK\\-BEHAVING 1 ") || page.contains(".TH TIDEMARK-BEHAVING 1 "),
            "{page}"
        );
        let text = rendered(&page);
        for part in [
            "tidemark-behaving - ",
            "--dry-run",
            "--describe",
            "[collector.behaving]",
            "run_interval (span)",
            "behaviour (",
            "index (tag)",
            "third (float, gauge, s)",
            "tidemark(1)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    // With what is its program's own.
    let target = program("examples/tidemark-targets");
    std::os::unix::fs::symlink(target, site.folder().join("tidemark-targets")).expect("a link");
    let text = rendered(&site.run(&["man", "targets"]).expect_code(0).stdout);
    for part in ["--file FILE\n", "COMMANDS\n", "greet", "Say hello"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    site.script("liar", "echo '{}'");
    assert!(one_line(&site.run(&["man", "liar"]).expect_code(1)).contains("missing field"));
    one_line(&site.run(&["man", "nothere"]).expect_code(2));
}

#[test]
fn every_subcommand_has_a_help() {
    let site = Site::without_collectors("");
    for line in [
        &["--help"][..],
        &["lint", "--help"],
        &["outbox", "--help"],
        &["outbox", "show", "--help"],
        &["outbox", "retry", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
        &["units", "--help"],
        &["units", "sync", "--help"],
    ] {
        let ended = site.run(line).expect_code(0);
        assert!(
            ended.stdout.contains("Usage: tidemark"),
            "{line:?}: {}",
            ended.stdout
        );
        assert!(
            ended.stdout.lines().all(|line| line.chars().count() <= 130),
            "{}",
            ended.stdout
        );
    }
    let text = site.run(&["lint", "--help"]).stdout;
    assert!(
        text.contains("FILE:LINE:COLUMN") && text.contains("--precision"),
        "{text}"
    );
}
