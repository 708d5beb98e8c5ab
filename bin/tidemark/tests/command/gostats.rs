//! The sink of a file of gostats: seen, flushed, and never orphaned while the settings name the file.

use tidemark_testkit::SinkServer;

use super::*;

/// What is said of a sink that the settings do not name.
const ORPHANED: &str = "in no settings any more";
/// What is said of one to which a command line delivers.
const BY_COMMAND_LINE: &str = "`tidemark-onefs --idic FILE` delivers to it";

/// What is collected for a sink that the settings call `idic`, and that is not there.
fn waiting() -> Site {
    let site = Site::new(&format!(
        "[[sink]]\nname = \"idic\"\ntype = \"influxdb\"\nurl = \"http://127.0.0.1:1\"\ndatabase = \"isi\"\n{ON}"
    ));
    site.run(&["run", "behaving"]).expect_code(0);
    site
}

/// A file whose back end is at that port.
fn file(site: &Site, port: u16) -> PathBuf {
    let text = format!(
        "[global]\nversion = \"v0.39\"\nstats_processor = \"influxdb\"\nactive_stat_groups = [\"cpu\"]\n\
         [influxdb]\nhost = \"127.0.0.1\"\nport = \"{port}\"\ndatabase = \"isi\"\n\
         [[cluster]]\nhostname = \"cl1\"\nusername = \"u\"\npassword = \"p\"\nverify-ssl = true\n\
         [[statgroup]]\nname = \"cpu\"\nupdate_interval = \"*\"\nstats = [\"cluster.cpu.sys.avg\"]\n"
    );
    let file = site.home.file("idic.toml", text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("mode");
    file
}

fn name_file(site: &Site, file: &Path) {
    site.home
        .settings(&format!("[collector.onefs]\nidic = \"{}\"\n{ON}", file.display()));
}

fn sink(site: &Site) -> serde_json::Value {
    let status = site.status();
    let sinks = status["sinks"].as_array().expect("sinks");
    sinks
        .iter()
        .find(|sink| sink["name"] == "idic")
        .expect("idic")
        .clone()
}

#[test]
fn status_shows_it_before_anything_was_collected() {
    let site = Site::new(ON);
    name_file(&site, &file(&site, 1));
    assert_eq!(sink(&site)["type"], "influxdb");
    // What others collect is kept.
    site.run(&["run", "behaving"]).expect_code(0);
    let status = site.status();
    assert_eq!(status["sinks"][0]["name"], "store");
    assert_ne!(status["sinks"][0]["delivered"], 0);
    assert_eq!(sink(&site)["collected"], 0);
}

#[test]
fn what_waits_for_it_is_flushed() {
    let site = waiting();
    assert_ne!(sink(&site)["waiting"], 0);
    let server = SinkServer::start();
    name_file(&site, &file(&site, server.port()));
    let ended = site.run(&["outbox", "flush"]).expect_code(0);
    assert!(
        ended.stdout.starts_with("store: ") || ended.stdout.contains("idic: "),
        "{}",
        ended.stdout
    );
    assert_eq!(sink(&site)["waiting"], 0);
    assert!(
        server
            .requests()
            .iter()
            .any(|request| request.text().contains("behaving,"))
    );
}

#[test]
fn a_file_that_cannot_be_read_calls_nothing_orphaned() {
    let site = waiting();
    name_file(&site, Path::new("/nowhere/idic.toml"));
    let text = site.run(&["status"]).expect_code(0).stdout;
    assert!(
        text.contains("the sink idic of onefs is not known: /nowhere/idic.toml: does not exist")
            && !text.contains(ORPHANED),
        "{text}"
    );
    let flushed = site.run(&["outbox", "flush"]).expect_code(1).stdout;
    assert!(
        flushed.contains("it is in no settings that this user may read"),
        "{flushed}"
    );
    // Nobody names it any more.
    site.home.settings(ON);
    let text = site.run(&["status"]).expect_code(0).stdout;
    assert!(text.contains(BY_COMMAND_LINE), "{text}");
}

/// Who collected with `--idic FILE` alone is not told to give up what waits.
#[test]
fn a_file_of_the_command_line_alone_is_said_before_anything_is_dropped() {
    let site = waiting();
    site.home.settings(ON);
    let text = site.run(&["status"]).expect_code(0).stdout;
    let said = "in no settings: `tidemark-onefs --idic FILE` delivers to it; with idic = \"FILE\" in [collector.onefs], \
                `tidemark status` and `tidemark outbox flush` know it too";
    let forget = "where nothing uses that file any more, `tidemark outbox drop idic --waiting` forgets it and what waits";
    let (said, forget) = (
        text.find(said).expect("who delivers"),
        text.find(forget).expect("how to forget"),
    );
    assert!(said < forget && !text.contains(ORPHANED), "{text}");
    let flushed = site.run(&["outbox", "flush"]).expect_code(1).stdout;
    assert!(
        flushed.contains(BY_COMMAND_LINE) && !flushed.contains(ORPHANED),
        "{flushed}"
    );
    let checked = site.run(&["check"]);
    assert!(
        checked.stdout.contains("`tidemark-onefs --idic"),
        "{}",
        checked.stdout
    );
}

/// Where there is another sink, nobody looks at the file's.
#[test]
fn beside_another_sink_no_command_line_delivers_to_it() {
    let site = waiting();
    site.home.settings(&format!("[[sink]]\ntype = \"discard\"\n{ON}"));
    let text = site.run(&["status"]).expect_code(0).stdout;
    assert!(
        text.contains(ORPHANED) && !text.contains(BY_COMMAND_LINE),
        "{text}"
    );
}
