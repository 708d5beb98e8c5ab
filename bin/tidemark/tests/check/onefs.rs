//! A collector of many targets: its tables, and the file of gostats that it may have in their place.

use super::*;

/// As much of the description of `onefs` as its settings need.
const DESCRIPTION: &str = r#"{"name": "onefs", "summary": "Clusters.", "version": "1", "run_interval": "30s", "deadline": "10m",
    "default": "off", "measurements": [], "needs": {"network": true, "listens": true, "programs": [], "paths": []},
    "settings": [{"name": "idic", "type": "path", "default": null, "help": "A file."},
    {"name": "cluster", "type": "list of tables", "default": "[]", "help": "The clusters.", "keys": [
    {"name": "hostname", "type": "string", "default": null, "help": "Its address."},
    {"name": "password", "type": "secret", "default": null, "help": "Its password."},
    {"name": "verify-ssl", "type": "boolean", "default": "true", "help": "Whether."}]},
    {"name": "summary_stats", "type": "table", "default": null, "help": "More.", "keys": [
    {"name": "drive", "type": "boolean", "default": "false", "help": "Drives."}]}]}"#;

const IDIC: &str = "[global]\nversion = \"v0.39\"\nstats_processor = \"influxdb\"\nactive_stat_groups = [\"cpu\"]\n\
                    [influxdb]\nhost = \"127.0.0.1\"\nport = \"1\"\ndatabase = \"isi\"\n\
                    [[cluster]]\nhostname = \"cl1\"\nusername = \"u\"\npassword = \"hunter2\"\nverify-ssl = true\n\
                    [[statgroup]]\nname = \"cpu\"\nupdate_interval = \"*\"\nstats = [\"cluster.cpu.sys.avg\"]\n";

fn site(settings: &str) -> Site {
    let site = Site::new(settings);
    site.script("onefs", "{}");
    fs::write(site.folder().join("onefs.json"), DESCRIPTION).expect("write");
    site
}

/// A site whose settings name a file of gostats with that text.
fn with_file(text: &str, more: &str) -> Site {
    let site = site("");
    let file = site.home.file("idic.toml", text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("mode");
    site.home.settings(&format!(
        "[collector.onefs]\nidic = \"{}\"\n{more}",
        file.display()
    ));
    site
}

#[test]
fn tables_are_checked_and_their_secrets_resolved() {
    let site = site(
        "[collector.onefs.summary_stats]\ndrives = true\n\
         [[collector.onefs.cluster]]\nhostname = \"cl1\"\npassword = { env = \"NO_SUCH\" }\n\
         [[collector.onefs.cluster]]\nhostname = 5\nverify_ssl = false\n",
    );
    site.check(78).shows("onefs-tables");
    site.home
        .settings("[[collector.onefs.cluster]]\nhostname = \"cl1\"\npassword = { env = \"NO_SUCH\" }\n");
    site.check(1).shows("onefs-secrets");
}

#[test]
fn the_files_sink_is_a_sink() {
    with_file(IDIC, "").check(1).shows("onefs-file");
}

#[test]
fn every_mistake_of_the_file_is_listed() {
    let text = IDIC
        .replace("hunter2", "$env:NO_SUCH")
        .replace("\"*\"", "\"often\"");
    with_file(&text, "").check(78).shows("onefs-file-wrong");
    // Of its back end alone.
    let text = IDIC.replace("\"1\"", "\"x\"").replace("database", "databas");
    with_file(&text, "").check(78).shows("onefs-file-back-end");
}

#[test]
fn where_there_is_a_sink_the_files_is_not_even_looked_at() {
    let text = IDIC.replace("\"1\"", "\"x\"").replace("database", "databas");
    with_file(&text, "[[sink]]\ntype = \"discard\"\n")
        .check(0)
        .shows("onefs-file-passed-over");
}

#[test]
fn a_file_that_only_root_may_read_is_a_notice() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let site = with_file(IDIC, "");
    let screen = site.screen(site.as_nobody(&["check"]), 1);
    let notices: Vec<&str> = screen
        .text
        .lines()
        .filter(|line| line.contains("idic.toml"))
        .collect();
    assert!(
        notices.len() == 2 && screen.text.contains("the sink idic of onefs is not known"),
        "{}",
        screen.text
    );
}
