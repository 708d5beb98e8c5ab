//! The real program with settings that are wrong: every mistake at once, with its place and what to write.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects by failing loudly, in its helpers too"
)]

use std::fs;

use tidemark_testkit::Home;

/// What a dry run with these settings says, without where the file is; it ends with 78.
#[track_caller]
fn mistakes(home: &Home, settings: &str) -> Vec<String> {
    home.settings(settings);
    let ended = home.run("tidemark-onefs").arg("--dry-run").run().expect_code(78);
    assert_eq!(ended.stdout, "");
    let file = home.path().display().to_string();
    ended
        .stderr
        .lines()
        .map(|line| line.replace(&file, "HOME"))
        .collect()
}

const CLUSTER: &str = "[[collector.onefs.cluster]]\nhostname = \"cl17.example\"\nusername = \"stats\"\npassword = { env = \"PW\" }\n";

#[test]
fn no_cluster_at_all() {
    let home = Home::new();
    for settings in [
        "",
        "[collector.onefs]\n",
        "[[collector.onefs.statgroup]]\nname = \"a\"\nstats = []\n",
    ] {
        let said = mistakes(&home, settings);
        assert_eq!(
            said,
            [
                "tidemark-onefs: [collector.onefs] names no cluster; write [[collector.onefs.cluster]] with hostname, \
              username and password below it, or idic = \"FILE\" for gostats' configuration file"
            ]
        );
    }
}

#[test]
fn all_mistakes_at_once() {
    let home = Home::new();
    let said = mistakes(
        &home,
        "[collector.onefs]\n\
         min_update_interval = \"soon\"\n\
         active_stat_groups = [\"mine\", \"cache_stats\"]\n\
         [[collector.onefs.cluster]]\n\
         hostname = \"one.example/path\"\n\
         username = \"stats\"\n\
         [[collector.onefs.cluster]]\n\
         hostname = \"two.example\"\n\
         username = \"stats\"\n\
         password = \"geheim\"\n\
         authtype = \"token\"\n\
         verify_ssl = false\n\
         [[collector.onefs.cluster]]\n\
         hostname = \"https://two.example:8080/\"\n\
         username = \"stats\"\n\
         password = \"geheim\"\n\
         [[collector.onefs.statgroup]]\n\
         name = \"mine\"\n\
         update_interval = \"*0\"\n\
         stats = [\"node.ifs.cache\", \"a b\"]\n\
         [[collector.onefs.statgroup]]\n\
         name = \"mine\"\n\
         stats = []\n\
         [[collector.onefs.derived]]\n\
         key = \"node.ifs.ops.in\"\n\
         functions = [\"median\"]\n",
    );
    let all = said.join("\n");
    for (line, what) in [
        (2, "min_update_interval"),
        (5, "has a path in it"),
        (4, "has no `password`"),
        (11, "\"basic-auth\""),
        (12, "`verify-ssl`"),
        (14, "`cluster` has https://two.example:8080 twice"),
        (19, "a number above 0"),
        (20, "the key node.ifs.cache"),
        (20, "\"a b\""),
        (22, "`statgroup` has \"mine\" twice"),
        (26, "\"max\""),
    ] {
        assert!(
            said.iter()
                .any(|said| said.contains(&format!(":{line}:")) && said.contains(what)),
            "nothing of line {line} with {what} in:\n{all}"
        );
    }
    assert_eq!(said.len(), 11, "{all}");
    assert!(!all.contains("geheim"), "{all}");
}

#[test]
fn what_is_disabled_clashes_with_nothing() {
    let home = Home::new();
    home.settings(&format!(
        "{CLUSTER}disabled = true\n{CLUSTER}disabled = true\n[collector.onefs]\nactive_stat_groups = [\"gone\"]\n"
    ));
    let ended = home.run("tidemark-onefs").arg("--dry-run").run().expect_code(0);
    assert!(
        ended.stderr.contains("every cluster is disabled"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_file_of_gostats_stands_alone() {
    let home = Home::new();
    let said = mistakes(
        &home,
        &format!("[collector.onefs]\nidic = \"/etc/idic.toml\"\nactive_stat_groups = []\n{CLUSTER}"),
    );
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("`active_stat_groups` stands beside `idic`"),
        "{said:?}"
    );
    assert!(said[1].contains("`cluster` stands beside `idic`"), "{said:?}");
}

#[test]
fn secrets_that_are_not_there_are_told_of_each_cluster() {
    let home = Home::new();
    let said = mistakes(
        &home,
        &format!("{CLUSTER}{}", CLUSTER.replace("cl17", "cl18").replace("PW", "PX")),
    );
    assert_eq!(
        said,
        [
            "tidemark-onefs: the password of https://cl17.example:8080: the secret $PW is not set; set this environment variable",
            "tidemark-onefs: the password of https://cl18.example:8080: the secret $PX is not set; set this environment variable",
        ]
    );
}

#[test]
fn a_file_of_gostats_has_its_mistakes_with_their_lines() {
    let home = Home::new();
    let file = home.path().join("idic.toml");
    let text = "[global]\nversion = \"v0.39\"\nactive_stat_groups = [\"cpu\"]\nstats_processor = \"discard\"\n\
                [[cluster]]\nhostname = \"cl17.example\"\nusername = \"stats\"\npassword = \"$env:PW\"\nverify-ssl = true\n\
                [[statgroup]]\nname = \"cpu\"\nupdate_interval = \"*\"\nstats = [\"cluster.cpu.sys.avg\"]\n";
    fs::write(&file, text.replace("v0.39", "v0.40")).unwrap();
    let run = || {
        home.run("tidemark-onefs")
            .arg("--idic")
            .arg(&file)
            .arg("--dry-run")
    };
    let ended = run().run().expect_code(78);
    assert!(ended.stderr.contains("idic.toml:2:"), "{}", ended.stderr);

    fs::write(&file, text).unwrap();
    let ended = run().run().expect_code(78);
    assert!(ended.stderr.contains("$PW"), "{}", ended.stderr);

    // The same as settings: no password in it.
    let ended = home
        .run("tidemark-onefs")
        .arg("convert")
        .arg(&file)
        .run()
        .expect_code(0);
    assert!(
        ended.stdout.contains("[[collector.onefs.cluster]]"),
        "{}",
        ended.stdout
    );
    home.settings(&ended.stdout);
    let ended = home.run("tidemark-onefs").arg("--dry-run").run().expect_code(78);
    assert_eq!(
        ended.stderr,
        "tidemark-onefs: the password of https://cl17.example:8080: the secret $PW is not set; set this environment variable\n"
    );
}

/// Settings without the back end that the file has are good where there are sinks already; whoever has none is told.
#[test]
fn a_back_end_that_cannot_be_converted_is_said() {
    let home = Home::new();
    let file = home.path().join("idic.toml");
    let text = "[global]\nversion = \"v0.39\"\nstats_processor = \"kafka\"\nactive_stat_groups = [\"cpu\"]\n\
                [[cluster]]\nhostname = \"cl17.example\"\nusername = \"me\"\npassword = \"$env:PW\"\nverify-ssl = true\n\
                [[statgroup]]\nname = \"cpu\"\nupdate_interval = \"*\"\nstats = [\"cluster.cpu.sys.avg\"]\n";
    let convert = || {
        home.run("tidemark-onefs")
            .arg("convert")
            .arg(&file)
            .run()
            .expect_code(0)
    };
    fs::write(&file, text).unwrap();
    let ended = convert();
    assert!(!ended.stdout.contains("[[sink]]"), "{}", ended.stdout);
    let said = format!(
        "tidemark-onefs: warning: the back end is left out of the settings: {}:3:19: `stats_processor` is `kafka`",
        file.display()
    );
    assert!(ended.stderr.starts_with(&said), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);

    fs::write(&file, text.replace("kafka", "discard")).unwrap();
    assert_eq!(convert().stderr, "");
}
