//! A sink that is an InfluxDB 1: a real one, and what may stand in its place.

use tidemark_testkit::{Answer, InfluxTls, Influxd, InfluxdOptions, SinkServer};

use super::*;

fn with_user() -> InfluxdOptions {
    InfluxdOptions {
        user: Some(("writer".to_owned(), "hunter2".to_owned())),
        ..InfluxdOptions::default()
    }
}

const WRITER: &str = "username = \"writer\"\npassword = \"hunter2\"";

#[test]
fn a_real_one_that_takes_what_is_written() {
    let server = Influxd::start(InfluxdOptions {
        tls: InfluxTls::SelfSigned,
        ..with_user()
    });
    let site = Site::new("");
    let ca_file = site.home.path().join("ca.pem");
    fs::copy(server.ca_file(), &ca_file).expect("copy");
    let more = format!("{WRITER}\nca_file = \"{}\"", ca_file.display());
    site.home
        .settings(&format!("{ON}{}", influxdb(&server.url(), &more)));
    within_a_second(|| {
        let screen = site.check(0);
        screen.shows("influxdb");
        screen.wall
    });
    assert_eq!(
        server.query("SHOW MEASUREMENTS"),
        [],
        "an empty write stores nothing"
    );
}

#[test]
fn users_databases_and_rights_of_a_real_one() {
    let server = Influxd::start(with_user());
    server.query("CREATE USER \"reader\" WITH PASSWORD 'look'; GRANT READ ON \"metrics\" TO \"reader\"");
    let url = server.url();
    let database = |name: &str, database: &str, more: &str| {
        sink(
            "influxdb",
            &url,
            &format!("name = \"{name}\"\ndatabase = \"{database}\"\n{more}"),
        )
    };
    let reader = "username = \"reader\"\npassword = \"look\"";
    let site = Site::new(&format!(
        "{}{}{}{}{}",
        database("nobody", "metrics", ""),
        database(
            "password",
            "metrics",
            "username = \"writer\"\npassword = \"wrong\""
        ),
        database("rights", "metrics", reader),
        database("database", "elsewhere", WRITER),
        database(
            "policy",
            "metrics",
            &format!("{WRITER}\nretention_policy = \"years\"")
        ),
    ));
    let mut screen = site.check(1);
    screen.shows("influxdb-refusals");
    // The same words as those that a run keeps.
    site.home.settings(&database(
        "password",
        "metrics",
        "username = \"writer\"\npassword = \"wrong\"",
    ));
    site.run(&["run", "behaving"]).expect_code(0);
    screen = site.check(1);
    screen.shows("influxdb-waiting");
}

#[test]
fn plain_http_where_https_is_spoken() {
    let server = Influxd::start(InfluxdOptions {
        tls: InfluxTls::Authority,
        ..InfluxdOptions::default()
    });
    let site = Site::new(&influxdb(&server.url().replace("https://", "http://"), ""));
    site.check(1).shows("influxdb-http-at-https");
}

/// What each answer to an empty write is said to mean.
#[test]
fn answers_that_are_not_influxdbs() {
    let page = Answer::new(200).body("<!DOCTYPE html><title>Please log in</title>");
    let cases = [
        ("login", page),
        (
            "redirect",
            Answer::redirect("https://sso.example.com/login?next=%2Fwrite&token=hunter2"),
        ),
        ("json", Answer::new(200).body("{}")),
        ("bad-request", Answer::new(400).body("Bad Request")),
        (
            "forbidden",
            Answer::new(403)
                .body("<html>no</html>")
                .header("Server", "nginx/1.24"),
        ),
        ("not-found", Answer::new(404).body("404 page not found")),
        ("too-large", Answer::new(413)),
        ("too-many", Answer::new(429).header("Retry-After", "7")),
        ("trouble", Answer::new(503).body("down for maintenance")),
        ("gateway", Answer::new(502)),
        ("teapot", Answer::new(418)),
        ("strange", Answer::new(400).body(r#"{"error":"something new"}"#)),
        (
            "two",
            Answer::new(204)
                .header("X-Influxdb-Version", "v2.7.4")
                .header("X-Influxdb-Build", "OSS"),
        ),
        ("behind", Answer::new(204).header("Server", "nginx/1.24")),
    ];
    let servers = cases.map(|(name, answer)| {
        let server = SinkServer::start();
        server.judge(move |_| answer.clone());
        (name, server)
    });
    let settings = servers
        .iter()
        .map(|(name, server)| influxdb(&server.url(""), &format!("name = \"{name}\"")));
    let site = Site::new(&settings.collect::<String>());
    site.check(1).shows("influxdb-answers");
    for (name, server) in servers {
        let requests = server.requests();
        assert_eq!(requests.len(), 1, "{name}: asked once");
        assert_eq!(requests[0].text(), "", "{name}");
    }
}

#[test]
fn the_servers_clock() {
    let cases = [
        ("ahead", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("behind", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("nonsense", "soon"),
    ];
    let servers = cases.map(|(name, date)| {
        let server = SinkServer::start();
        server.judge(move |_| Answer::new(204).header("Date", date));
        (name, server)
    });
    let settings = servers
        .iter()
        .map(|(name, server)| influxdb(&server.url(""), &format!("name = \"{name}\"")));
    let site = Site::new(&settings.collect::<String>());
    let mut screen = site.check(0);
    let lines = screen.text.lines();
    screen.text = lines
        .map(|line| between(line, "clock is ", " days", "SOME") + "\n")
        .collect();
    screen.shows("clock");
}

#[test]
fn secrets_are_resolved_and_never_shown() {
    const SECRET: &str = "hunter2-secret";
    let server = SinkServer::start();
    let url = server.url("");
    let site = Site::new("");
    let file = site.home.file("right", SECRET);
    let empty = site.home.file("empty", "");
    let lines = site.home.file("lines", format!("{SECRET}\n{SECRET}\n"));
    fs::create_dir(site.home.path().join("credentials")).expect("a folder");
    site.home.file("credentials/there", SECRET);
    let sources = [
        ("plain", format!("\"{SECRET}\"")),
        ("file", format!("{{ file = \"{}\" }}", file.display())),
        ("variable", "{ env = \"SECRET\" }".to_owned()),
        ("credential", "{ credential = \"there\" }".to_owned()),
        ("no-file", "{ file = \"/nowhere/password\" }".to_owned()),
        ("no-variable", "{ env = \"SECRETT\" }".to_owned()),
        ("no-credential", "{ credential = \"gone\" }".to_owned()),
        ("empty-file", format!("{{ file = \"{}\" }}", empty.display())),
        ("lines", format!("{{ file = \"{}\" }}", lines.display())),
    ];
    let settings = sources.iter().map(|(name, source)| {
        influxdb(
            &url,
            &format!("name = \"{name}\"\nusername = \"u\"\npassword = {source}"),
        )
    });
    site.home.settings(&settings.collect::<String>());
    let run = |line: &[&str]| {
        site.tidemark(line)
            .env("SECRET", SECRET)
            .env("CREDENTIALS_DIRECTORY", site.home.path().join("credentials"))
    };
    site.screen(run(&["check"]), 1).shows("secrets");
    for line in [&["check", "-vvv"][..], &["check", "--json"]] {
        let ended = run(line).run().expect_code(1);
        assert!(
            !ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET),
            "{line:?}"
        );
    }
    // Where there are no credentials at all.
    if rustix::process::geteuid().is_root() {
        let text = influxdb(&url, "username = \"u\"\npassword = { credential = \"there\" }");
        site.home.settings(&text);
        site.screen(site.as_nobody(&["check"]), 1)
            .shows("secrets-no-credentials");
    }
}
