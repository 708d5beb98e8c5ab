//! Programs that are asked: whatever they do, the others are heard.

use std::fs;
use std::time::{Duration, Instant};

use tidemark_testkit::wait_until;

use crate::scene::{Scene, description, mode, says, timers};

#[test]
fn those_that_misbehave_are_left_out_and_the_others_are_not() {
    let scene = Scene::new();
    scene.answering("a-good");
    scene.answering("z-good");
    scene.script("hangs", "sleep 600");
    scene.script("closes", "exec >&-; sleep 600");
    scene.script("forks", "sleep 600 & exit 0");
    scene.script("endless", "exec yes");
    scene.script("floods", "exec head -c 5000000 /dev/zero");
    scene.script("crashes", "kill -SEGV $$");
    scene.script("fails", &format!("{}\nexit 3", says(&description("fails"))));
    scene.script("silent", "exit 0");
    scene.script("other", &says(&description("another")));
    scene.script("interpreter", "");
    fs::write(scene.collector("tidemark-interpreter"), "#!/nowhere/sh\n").expect("a file");
    fs::write(scene.collector("tidemark-nothing"), "\0\0").expect("a file");
    mode(&scene.collector("tidemark-nothing"), 0o755);
    // What holds the pipe is ended with the one that answers.
    scene.script("held", &format!("sleep 600 &\n{}", says(&description("held"))));

    let began = Instant::now();
    // Long enough for those that answer, on a machine that is busy with other tests.
    let plan = scene.plan_within(8, 60);
    let took = began.elapsed();
    // None of them ends by itself.
    assert!(took < Duration::from_secs(100), "{took:?}");
    assert_eq!(timers(&plan), ["a-good", "held", "z-good"], "{:#?}", plan.notices);
    let expected = [
        ("closes", "did not answer within 8 s"),
        ("crashes", "failed (signal: 11"),
        ("endless", "longer than 4 MiB"),
        ("fails", "failed (exit status: 3)"),
        ("floods", "longer than 4 MiB"),
        ("forks", "this is no description: EOF"),
        ("hangs", "did not answer within 8 s"),
        ("interpreter", "cannot be started: No such file"),
        ("nothing", "tidemark-nothing --describe"),
        ("other", "this describes \"another\", not \"other\""),
        ("silent", "this is no description: EOF"),
    ];
    assert_eq!(plan.notices.len(), expected.len(), "{:#?}", plan.notices);
    for (notice, (name, fault)) in plan.notices.iter().zip(expected) {
        assert!(notice.starts_with(&format!("no timer for {name}: ")), "{notice}");
        assert!(notice.contains(fault), "{notice}");
    }
}

#[test]
fn a_program_is_asked_without_rights_and_without_an_environment() {
    let scene = Scene::new();
    scene.folder("etc");
    scene.file(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\ntidemark:x:64999:64998::/:/bin/false\n",
        0o644,
    );
    let tells = r#"
        status() { sed -n "s/^$1:[[:space:]]*//p" /proc/$$/status | tr '\t' ' '; }
        said="uid $(status Uid), gid $(status Gid), groups $(status Groups), nnp $(status NoNewPrivs), in $PWD,"
        said="$said env $(tr '\0' ' ' </proc/$$/environ), group $(($(cut -d ' ' -f 5 /proc/$$/stat) == $$))"
    "#;
    let answer = description("tells").replace("Of tells.", "$said");
    scene.script("tells", &format!("{tells}\ncat <<END\n{answer}\nEND"));
    let catalogue = scene.catalogue();
    let described = catalogue.collectors[0]
        .description
        .as_ref()
        .expect("a description");
    let me = rustix::process::geteuid();
    let (uid, gid) = if me.is_root() {
        (64999, 64998)
    } else {
        (me.as_raw(), rustix::process::getegid().as_raw())
    };
    let said = described.description.summary.as_str();
    assert!(
        said.starts_with(&format!(
            "uid {uid} {uid} {uid} {uid}, gid {gid} {gid} {gid} {gid}, groups "
        )),
        "{said}"
    );
    assert!(!me.is_root() || said.contains(", groups ,"), "{said}");
    let rest = "nnp 1, in /, env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin , group 1";
    assert!(said.ends_with(rest), "{said}");
}

#[test]
fn what_a_program_has_started_ends_with_it() {
    let scene = Scene::new();
    let pids = scene.folder("pids");
    mode(&pids, 0o777);
    let dir = pids.display();
    scene.script(
        "hangs",
        &format!("trap '' TERM HUP INT; echo $$ >{dir}/a; sleep 600 & echo $! >{dir}/b; wait"),
    );
    scene.script(
        "answers",
        &format!("sleep 600 & echo $! >{dir}/c\n{}", says(&description("answers"))),
    );
    let plan = scene.plan_within(8, 60);
    assert_eq!(timers(&plan), ["answers"]);
    let hung = &plan.notices[0];
    assert!(
        hung.ends_with(
            "did not answer within 8 s; install it again, or keep what it describes beside it, as NAME.json"
        ),
        "{hung}"
    );
    for file in ["a", "b", "c"] {
        let pid = fs::read_to_string(pids.join(file)).expect("it ran");
        // What is killed ends when it is next given a processor. A zombie is ended; its new parent has not asked yet.
        wait_until(&format!("the end of {file}"), Duration::from_secs(20), || {
            let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            state.is_empty()
                || state
                    .rsplit(") ")
                    .next()
                    .is_some_and(|rest| rest.starts_with('Z'))
        });
    }
}

#[test]
fn all_together_have_an_end() {
    let scene = Scene::new();
    for number in 0..200 {
        scene.script(&format!("hangs-{number}"), "exec sleep 600");
    }
    scene.answering("a-good");
    let began = Instant::now();
    let plan = scene.plan_within(6, 9);
    let took = began.elapsed();
    // Six seconds each, they are more than a minute, sixteen at once.
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert_eq!(timers(&plan), ["a-good"]);
    assert_eq!(plan.notices.len(), 200);
    assert!(
        plan.notices
            .iter()
            .any(|notice| notice.contains("did not answer within 6 s"))
    );
    assert!(
        plan.notices
            .iter()
            .any(|notice| notice.contains("was not asked: others took all of the 9 s"))
    );
}
