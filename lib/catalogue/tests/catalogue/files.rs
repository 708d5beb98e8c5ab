//! Files beside the programs: what is no description of root's is left out, without waiting for it.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::scene::{Scene, description, mode, timers};

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).expect("a FIFO");
}

#[test]
fn each_wrong_file_is_told_of_and_the_others_have_their_units() {
    let scene = Scene::new();
    let json = |name: &str| scene.collector(&format!("{name}.json"));
    let replaced = |name: &str| {
        scene.described(name, description(name));
        fs::remove_file(json(name)).expect("its own");
        json(name)
    };
    scene.described("a-good", description("a-good"));
    scene.described("broken", "{");
    scene.described("bytes", b"\xff\xfe\x00");
    scene.described("deep", format!("{{\"later\": {}", "[".repeat(100_000)));
    scene.described("empty", "");
    fs::create_dir(replaced("folder")).expect("a folder");
    fifo(&replaced("fifo"));
    scene.described("huge", " ".repeat(5 << 20));
    symlink(json("a-good"), replaced("link")).expect("a link");
    symlink("/dev/zero", replaced("zero")).expect("a link");
    scene.described("named", description("a-good"));
    scene.described("open", description("open"));
    mode(&json("open"), 0o666);
    scene.described("plain", description("plain"));
    mode(&scene.collector("tidemark-plain"), 0o644);
    scene.described("program-link", description("program-link"));
    fs::remove_file(scene.collector("tidemark-program-link")).expect("its own");
    symlink("/bin/true", scene.collector("tidemark-program-link")).expect("a link");
    fifo(&scene.collector("tidemark-program-fifo"));
    scene.described("program-open", description("program-open"));
    mode(&scene.collector("tidemark-program-open"), 0o757);
    scene.described("z-good", description("z-good"));
    fs::create_dir(scene.collector("tidemark-a-folder")).expect("a folder");
    let strange = b"tidemark-a\nExecStart=%n;\xff";
    fs::write(
        scene
            .collector("x")
            .with_file_name(std::ffi::OsStr::from_bytes(strange)),
        "",
    )
    .expect("a file");
    fs::write(scene.collector(&format!("tidemark-{}", "a".repeat(240))), "").expect("a file");
    mode(&scene.collector(&format!("tidemark-{}", "a".repeat(240))), 0o755);

    let began = Instant::now();
    let plan = scene.plan();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(timers(&plan), ["a-good", "z-good"], "{:#?}", plan.notices);
    for (name, fault) in [
        ("broken", "this is no description"),
        ("bytes", "this is no description"),
        ("deep", "this is no description: "),
        ("empty", "this is no description: EOF"),
        ("folder", "folder.json is a folder"),
        ("fifo", "fifo.json is no regular file"),
        ("huge", "huge.json is longer than 4096 KiB"),
        ("link", "link.json is a link"),
        ("zero", "zero.json is a link"),
        ("named", "this describes \"a-good\", not \"named\""),
        ("open", "open.json can be written by others"),
        ("plain", "cannot be run"),
        ("program-link", "tidemark-program-link is a link"),
        ("program-fifo", "tidemark-program-fifo is no file"),
        ("program-open", "tidemark-program-open can be written by others"),
    ] {
        let said = plan
            .notices
            .iter()
            .find(|notice| notice.starts_with(&format!("no timer for {name}: ")));
        assert!(said.is_some_and(|said| said.contains(fault)), "{name}: {said:?}");
    }
    let others: Vec<&String> = plan
        .notices
        .iter()
        .filter(|said| !said.starts_with("no timer for "))
        .collect();
    assert_eq!(others.len(), 2, "{others:#?}");
    assert!(
        others[1].contains("a\\nExecStart=%n;\\xFF\" is not called as a collector is"),
        "{others:?}"
    );
    assert!(
        others[0].contains("tidemark-a-folder\" is a folder"),
        "{others:?}"
    );
    let long = plan.notices.iter().find(|said| said.contains("aaaaaaaa"));
    assert!(long.is_some_and(|said| said.len() < 1200), "{long:?}");
}

#[test]
fn what_belongs_to_another_is_none_of_roots() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file away; `trust` tests the rule itself.
        return;
    }
    let scene = Scene::new();
    for name in ["good", "json", "program"] {
        scene.described(name, description(name));
    }
    chown(scene.collector("json.json"), Some(1234), None).expect("root");
    chown(scene.collector("tidemark-program"), Some(1234), None).expect("root");
    let plan = scene.plan();
    assert_eq!(timers(&plan), ["good"]);
    assert_eq!(plan.notices.len(), 2, "{:#?}", plan.notices);
    for notice in &plan.notices {
        assert!(notice.contains("belongs to user 1234, not to root"), "{notice}");
    }
}

#[test]
fn a_folder_that_others_may_write_gives_no_collector() {
    let scene = Scene::new();
    scene.described("good", description("good"));
    mode(&scene.collector(""), 0o1777);
    let plan = scene.plan();
    assert_eq!(timers(&plan), Vec::<&str>::new());
    assert_eq!(plan.notices.len(), 1);
    assert!(
        plan.notices[0].starts_with("no collector is taken from "),
        "{:?}",
        plan.notices
    );
    assert_eq!(plan.units.len(), 2, "the flush");
}

/// An image's link would lead out of it, and who made what it leads to is not looked at.
#[test]
fn a_folder_that_is_a_link_gives_no_collector() {
    let scene = Scene::new();
    scene.described("good", description("good"));
    let folder = scene.path("usr/lib/tidemark/collectors");
    let away = scene.path("usr/lib/tidemark/away");
    fs::rename(&folder, &away).expect("its own");
    symlink(&away, &folder).expect("a link");
    let plan = scene.plan();
    assert_eq!(timers(&plan), Vec::<&str>::new());
    assert_eq!(plan.notices.len(), 1);
    assert!(plan.notices[0].contains("it is a link"), "{:?}", plan.notices);
}
