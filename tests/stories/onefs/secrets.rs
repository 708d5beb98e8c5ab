//! No password, cookie or token in anything that is written: logs with every detail, the state, outputs, process lists.

use std::fs;

use tidemark_testkit::onefs::OneFs;
use tidemark_testkit::{Answer, Ended, Home, Run, SinkServer, free_port, http, wait_until};

use super::site::{STAYS, Site, ends, global, hang_up, statgroup};
use crate::scene::{BOUND, files};

const USER: &str = "monitor";
/// The clusters', the database's, the listeners': with what JSON and URLs escape.
const SECRETS: [&str; 4] = [
    "Tr0ub4dor\\\"&3/#1",
    "Tr0ub4dor+4 %ä",
    "t0ken-of-the-database",
    "scr4pe-it-0ut",
];
const KEYS: [&str; 2] = ["node.load.1min", "cluster.health"];
const CURRENT: &str = "/platform/1/statistics/current";
const CONFIG: &str = "/platform/1/cluster/config";

/// Every form in which a secret may be written somewhere.
fn forms() -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = SECRETS.iter().map(|secret| secret.as_bytes().to_vec()).collect();
    // As JSON has them, and a log that quotes.
    forms.extend(SECRETS.iter().map(|secret| {
        let quoted = serde_json::to_string(secret).expect("a text");
        quoted.trim_matches('"').into()
    }));
    // As HTTP's basic credentials: what stands behind the user's name.
    for secret in SECRETS {
        for user in [USER, "scraper", "isilon"] {
            let encoded = Run::new("base64")
                .args(["-w0"])
                .stdin(format!("{user}:{secret}"))
                .run()
                .stdout;
            let encoded = encoded.trim().trim_end_matches('=');
            forms.push(encoded[12..encoded.len() - 1].into());
        }
    }
    // What the clusters give: cookies and tokens.
    for number in 1..10 {
        forms.extend([
            format!("session-{number}-of-").into_bytes(),
            format!("token-{number}").into_bytes(),
        ]);
    }
    forms
}

#[track_caller]
fn assert_absent(bytes: &[u8], place: &str) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(
            !found,
            "{place} holds {}: {}",
            String::from_utf8_lossy(&form),
            String::from_utf8_lossy(bytes)
        );
    }
}

#[track_caller]
fn assert_silent(ended: &Ended, place: &str) {
    assert!(!ended.stderr.contains("panicked"), "{place}: {}", ended.stderr);
    assert_absent(&ended.stdout_bytes, &format!("standard output of {place}"));
    assert_absent(ended.stderr.as_bytes(), &format!("standard error of {place}"));
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text")
}

struct Stage {
    site: Site,
    sink: SinkServer,
    port: u16,
}

impl Stage {
    fn new() -> Self {
        let site = Site::new(&[("one", 2), ("two", 1)]);
        for (cluster, secret) in site.clusters.iter().zip(SECRETS) {
            cluster.change(|it| {
                it.password = secret.to_owned();
                it.intervals = KEYS.map(|key| (key.to_owned(), Some(1))).into();
            });
        }
        let stage = Self {
            site,
            sink: SinkServer::start(),
            port: free_port(),
        };
        stage.site.idic(&stage.file());
        let path = stage.site.home.path().join("idic.toml");
        stage.site.home.settings(&format!(
            "[collector.onefs]\nidic = \"{}\"\nprometheus = {{ listen = \"127.0.0.1:{}\", username = \"scraper\", password = {} }}\n",
            path.display(),
            stage.port,
            quoted(SECRETS[3])
        ));
        stage
    }

    fn file(&self) -> String {
        let [one, two] = &self.site.clusters[..] else {
            panic!("two")
        };
        let cluster = |cluster: &OneFs, password: &str, more: &str| {
            format!(
                "[[cluster]]\nhostname = \"{}\"\nusername = \"{USER}\"\npassword = {}\nverify-ssl = true\n{more}\n",
                cluster.address(),
                quoted(password)
            )
        };
        let port = self.sink.port();
        global("influxdbv2", 1, &["keys"])
            + &format!(
                "[influxdbv2]\nhost = \"localhost\"\nport = {port}\norg = \"o\"\nbucket = \"b\"\naccess_token = \"{}\"\n",
                SECRETS[2]
            )
            + &cluster(one, SECRETS[0], "")
            + &cluster(two, "$env:TWO", "authtype = \"basic-auth\"\n")
            + &statgroup("keys", &KEYS)
    }

    fn run(&self, program: &str) -> Run {
        self.site.run(program).env("TWO", SECRETS[1])
    }
}

#[test]
fn in_no_log_and_no_process_list_whatever_goes_wrong() {
    let stage = Stage::new();
    let [one, two] = &stage.site.clusters[..] else {
        panic!("two")
    };
    let collector = stage
        .run("tidemark-onefs")
        .args(["-vvv", "--every"])
        .bound(STAYS)
        .start();
    wait_until("both are delivered", BOUND, || {
        let sent = stage.sink.requests();
        ["cluster=one", "cluster=two"]
            .iter()
            .all(|name| sent.iter().any(|it| it.text().contains(name)))
    });
    for pid in collector.processes() {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert_absent(&line, "the process list");
    }
    // Who scrapes says it, and says it wrong.
    let scrape = |password: &str| {
        let url = format!("http://localhost:{}/metrics", stage.port);
        let answer = http::Request::get(&url).basic("scraper", password).send();
        let answer = answer.expect("an answer");
        assert_absent(&answer.body, "the listener");
        answer.status
    };
    assert_eq!((scrape(SECRETS[3]), scrape("another")), (200, 401));

    // They are told all of it, so there is something to find.
    let told: Vec<_> = one
        .requests()
        .into_iter()
        .chain(two.requests())
        .chain(stage.sink.requests())
        .collect();
    let text = format!("{told:?}");
    for word in ["session-1-of-one", "token-1", SECRETS[2]] {
        assert!(text.contains(word), "{word}");
    }
    let login = told
        .iter()
        .find(|request| request.path.ends_with("/session"))
        .expect("a login");
    let login: serde_json::Value = serde_json::from_slice(&login.body).expect("JSON");
    assert_eq!(login["password"], SECRETS[0]);

    // Everything goes wrong, and answers repeat what they were sent.
    let echo = |secret: &str| {
        let body =
            serde_json::json!({"errors": [{"code": "AEC_ECHO", "message": format!("sent: {secret}")}]});
        body.to_string()
    };
    stage.sink.judge(|request| {
        let authorization = request.header("authorization").unwrap_or_default().to_owned();
        Answer::new(401).body(format!("{{\"error\": \"{authorization}\"}}"))
    });
    let asked = |path: &str| [one, two].map(|it| it.counts().by_path.get(path).copied().unwrap_or(0));
    let wait_for_more = |path: &str| {
        let before = asked(path);
        wait_until("both are asked", BOUND, || {
            asked(path).iter().zip(before).all(|(now, before)| *now > before)
        });
    };
    let anew = || {
        let logins = one.counts().logins;
        hang_up(&collector);
        wait_until("it has logged in anew", BOUND, || one.counts().logins > logins);
    };
    let goes_wrong = |answer: &dyn Fn(&str) -> Answer| {
        anew();
        wait_for_more(CURRENT);
        let number = one.counts().logins;
        let sent = format!("{} session-{number}-of-one token-{number}", SECRETS[0]);
        one.answer(CURRENT, answer(&sent));
        two.answer(CURRENT, answer(SECRETS[1]));
        wait_for_more(CURRENT);
        [one, two].into_iter().for_each(OneFs::answer_as_usual);
    };
    goes_wrong(&|sent| Answer::new(400).body(echo(sent)));
    goes_wrong(&|sent| Answer::ok(echo(sent)));
    goes_wrong(&|sent| Answer::new(500).body(echo(sent)));
    goes_wrong(&|sent| Answer::ok(format!("{{\"stats\": [{sent}")));
    goes_wrong(&|sent| Answer::ok(format!("<html>{sent}</html>")));
    goes_wrong(&|sent| {
        let stat = serde_json::json!({"key": KEYS[1], "devid": 0, "error_code": 8, "error": sent, "time": 1, "value": 1});
        Answer::ok(serde_json::json!({"stats": [stat]}).to_string())
    });
    for answer in [
        Answer::ok(format!("{{\"name\": {}", SECRETS[0])),
        Answer::new(403).body(echo(SECRETS[0])),
        Answer::redirect("https://monitor:t0ken-of-the-database@localhost:1/?token-1"),
    ] {
        one.answer(CONFIG, answer);
        let before = asked(CONFIG)[0];
        hang_up(&collector);
        wait_until("it is asked", BOUND, || asked(CONFIG)[0] > before);
        one.answer_as_usual();
    }
    one.answer("/session/1/session", Answer::new(401).body(echo(SECRETS[0])));
    two.change(|it| it.password = "changed".to_owned());
    hang_up(&collector);
    wait_until("both are refused", BOUND, || {
        collector
            .stderr()
            .matches("or the password is refused (401)")
            .count()
            >= 2
    });
    let written = ends(collector);
    assert!(written.contains("debug"), "with all details");
    assert_absent(written.as_bytes(), "the log");
    for (path, content) in files(&stage.site.home.state()) {
        assert_absent(&content, &path);
    }
    for words in [
        "status",
        "status --json",
        "-v status",
        "check",
        "-vv check --json",
        "outbox list",
        "outbox show",
        "outbox flush",
        "show onefs",
        "run onefs --dry-run",
        "list",
    ] {
        assert_silent(&stage.run("tidemark").args(words.split(' ')).run(), words);
    }
}

#[test]
fn in_no_output_of_the_program() {
    let stage = Stage::new();
    let path = stage.site.home.path().join("idic.toml");
    for words in [
        &["-n", "-vvv"][..],
        &["-n", "--output", "influx"],
        &["-n", "--output", "json"],
        &["-n", "--output", "openmetrics", "-vv"],
        &["--describe"],
        &["--help"],
        &["-vvv"],
        &["--every", "never"],
    ] {
        assert_silent(&stage.run("tidemark-onefs").args(words).run(), &words.join(" "));
    }
    let converted = stage
        .run("tidemark-onefs")
        .arg("convert")
        .arg(&path)
        .run()
        .expect_code(0);
    assert_silent(&converted, "convert");
    // Mistakes beside secrets, and in them.
    let file = stage.file();
    let wrong = [
        file.replace("hostname", "host_name"),
        file.replace("$env:TWO", "$env:ONE TWO"),
        file.replace("password = ", "pass_word = "),
        file.replace("password = \"", "password = \"x\" \""),
        file.replace("access_token = ", "access_token = 5 "),
        file.replace("access_token = \"", "access_token = \"\\n"),
    ];
    for text in wrong {
        stage.site.idic(&text);
        assert_silent(&stage.run("tidemark-onefs").run().expect_code(78), &text);
        assert_silent(&stage.run("tidemark").arg("check").run(), &text);
        assert_silent(
            &stage.run("tidemark-onefs").arg("convert").arg(&path).run(),
            &text,
        );
    }
    // The same in settings of one's own.
    let home = Home::new();
    let native = format!(
        "[[collector.onefs.cluster]]\nhostname = \"cl1\"\nusername = 5\npassword = {}\nverify_ssl = true\n",
        quoted(SECRETS[0])
    );
    home.settings(&native);
    assert_silent(&home.run("tidemark-onefs").run().expect_code(78), "settings");
}
