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
fn none_is_installed() {
    Site::without_collectors("").check(0).shows("collectors-none");
}
