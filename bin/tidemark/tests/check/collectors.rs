//! The collectors.

use super::*;

#[test]
fn what_is_started_is_there_and_has_what_it_needs() {
    let site = Site::new("[collector.off]\nenabled = false\n");
    let nothing = r#"{"network": false, "programs": [], "paths": []}"#;
    site.script(
        "fine",
        r#"{"network": true, "programs": ["sh"], "paths": ["/proc", "/"]}"#,
    );
    site.script(
        "program",
        r#"{"network": false, "programs": ["sh", "tidemark-no-such-program"], "paths": []}"#,
    );
    site.script(
        "path",
        r#"{"network": false, "programs": [], "paths": ["/proc", "/nowhere/at/all"]}"#,
    );
    site.script("off", nothing);
    site.script("silent", nothing);
    fs::remove_file(site.folder().join("silent.json")).expect("remove");
    site.script("plain", nothing);
    let plain = site.folder().join("tidemark-plain");
    fs::set_permissions(plain, fs::Permissions::from_mode(0o644)).expect("mode");
    site.check(1).shows("collectors");
}

#[test]
fn their_own_secrets_are_resolved_and_never_shown() {
    let site = Site::new(
        "[collector.right]\ntoken = \"hunter2\"\n[collector.variable]\ntoken = { env = \"NO_SUCH\" }\n\
         [collector.file]\ntoken = { file = \"/nowhere/token\" }\n",
    );
    for name in ["right", "variable", "file", "none"] {
        site.script(name, r#"{"network": true, "programs": [], "paths": []}"#);
    }
    let screen = site.check(1);
    assert!(!screen.text.contains("hunter2"), "{}", screen.text);
    screen.shows("collectors-secrets");
}

#[test]
fn none_is_installed() {
    Site::without_collectors("").check(0).shows("collectors-none");
}
