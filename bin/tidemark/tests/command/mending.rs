//! Points that a sink refused: shown, mended, sent again.

use tidemark_testkit::{Answer, Influxd, InfluxdOptions, SinkServer};

use super::*;

/// A sink that refuses lines with certain tags, and one collector.
struct Refusing {
    site: Site,
    server: SinkServer,
}

impl Refusing {
    fn new() -> Self {
        Self::of(&["index=1 "])
    }

    fn of(tags: &'static [&'static str]) -> Self {
        let server = SinkServer::start();
        server.judge(|request| {
            let is_bad = |line: &&str| tags.iter().any(|tag| line.contains(tag));
            let bad: Vec<String> = request
                .text()
                .lines()
                .filter(is_bad)
                .map(|line| format!("unable to parse '{line}': field type conflict"))
                .collect();
            match bad.is_empty() {
                true => Answer::new(204),
                false => Answer::new(400).body(format!(r#"{{"error":"{} dropped=0"}}"#, bad.join("\\n"))),
            }
        });
        let site = Site::new(&format!(
            "[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\n{ON}",
            server.url("")
        ));
        site.run(&["run", "behaving"]).expect_code(0);
        Self { site, server }
    }

    fn to_mend(&self) -> String {
        self.site
            .run(&["outbox", "show", "--rejected", "--output", "influx"])
            .expect_code(0)
            .stdout
    }

    fn retry(&self, text: &str) -> Ended {
        let file = self.site.home.file("refused", text);
        self.site.tidemark(&["outbox", "retry", "--from"]).arg(file).run()
    }
}

#[test]
fn a_tired_operator_mends_what_was_refused() {
    let it = Refusing::new();
    it.site.run(&["status", "--check"]).expect_code(1);
    let shown = it
        .site
        .run(&["outbox", "show", "--rejected"])
        .expect_code(0)
        .stdout;
    // `just now` becomes `1 s ago`.
    let (said, why) = shown
        .split_once(" by influxdb (status 400)")
        .expect("who refused it");
    assert!(
        (said.ends_with("behaving just now") || said.contains("behaving ") && said.ends_with(" ago"))
            && why.starts_with(": field type conflict")
            && why.contains("    behaving,index=1 "),
        "{shown}"
    );
    let text = it.to_mend();
    let marker = "\n# refused 1 by influxdb: behaving, ";
    assert!(
        text.contains(marker) && text.contains(", status 400: field type conflict\nbehaving,index=1 "),
        "{text}"
    );

    let ended = it
        .retry(&text.replace("behaving,index=1 ", "behaving,index=7 "))
        .expect_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(
        ended.stdout,
        "1 point taken: 1 for influxdb; 1 refused point acknowledged.\ninfluxdb: 1 point delivered\n"
    );
    let requests = it.server.requests();
    assert!(
        requests
            .last()
            .is_some_and(|last| last.text().starts_with("behaving,index=7 "))
    );
    it.site.run(&["status", "--check"]).expect_code(0);
    let status = it.site.status();
    let sink = &status["sinks"][0];
    let counts = ["collected", "delivered", "waiting", "rejected", "dropped"].map(|name| sink[name].clone());
    assert_eq!(counts.map(|count| count.as_u64()), [5, 4, 0, 1, 0].map(Some));
    assert_eq!(it.to_mend(), "# Nothing that was refused is kept.\n");

    // Once is enough.
    let again = it.retry(&text).expect_code(1);
    assert!(
        again.stderr.contains(":4:1: the refused point 1 is not kept")
            && again.stderr.ends_with("nothing was taken\n"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_mistake_takes_nothing_and_says_where_it_is() {
    let it = Refusing::new();
    let text = it.to_mend();
    let good = text.replace("index=1 ", "index=7 ");
    let cases = [
        (text.replace("value=1i", "value=1x"), ":5:", "this is no float"),
        (format!("{good}\nm v=1\n"), ":7:1: ", "the time is missing"),
        (
            format!("{good}\nm v=1 5\n"),
            ":7:1: ",
            "nothing above says which sink refused this",
        ),
        (
            text.replace("# refused 1 by", "# refused 9 by"),
            ":4:1: ",
            "the refused point 9 is not kept",
        ),
        (
            text.replace("by influxdb", "by other"),
            ":4:1: ",
            "the refused point 1 is not kept",
        ),
        (
            text.replace("# refused", "refused"),
            ":4:10: ",
            "a field has no value",
        ),
        ("# only a comment\n".to_owned(), "", "there is no line in it"),
        (String::new(), "", "there is no line in it"),
    ];
    for (text, place, what) in cases {
        let ended = it.retry(&text).expect_code(1);
        let first = ended.stderr.lines().next().unwrap_or_default();
        assert!(
            first.contains(place) && first.contains(what),
            "{place} {what}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains("nothing was taken"), "{}", ended.stderr);
        assert_eq!(it.site.status()["sinks"][0]["collected"], 4);
    }
    let gone = it
        .site
        .run(&["outbox", "retry", "--from", "/gone"])
        .expect_code(1);
    assert!(
        one_line(&gone).contains("/gone: cannot be read"),
        "{}",
        gone.stderr
    );
}

#[test]
fn editors_and_pipes_may_change_line_ends_and_order() {
    let it = Refusing::new();
    let text = it.to_mend().replace("index=1 ", "index=7 ").replace('\n', "\r\n");
    let ended = it
        .site
        .tidemark(&["outbox", "retry", "--from", "-"])
        .stdin(format!("\u{feff}{text}"))
        .run()
        .expect_code(0);
    assert!(ended.stdout.contains("1 point delivered"), "{}", ended.stdout);
}

#[test]
fn lines_of_another_source_go_to_the_sink_that_is_named() {
    let it = Refusing::new();
    let line = |sink: &str, text: &str| {
        it.site
            .tidemark(&["outbox", "retry", "--from", "-", "--sink", sink])
            .stdin(text)
            .run()
    };
    let ended = line("influxdb", "m v=1 5\nm v=2 6\n").expect_code(0);
    assert!(
        ended
            .stdout
            .starts_with("2 points taken: 2 for influxdb; 0 refused points acknowledged.\n"),
        "{}",
        ended.stdout
    );
    assert!(
        it.server
            .requests()
            .iter()
            .any(|request| request.text() == "m v=1.0 5\nm v=2.0 6\n")
    );
    let unknown = line("nowhere", "m v=1 5\n").expect_code(1);
    assert!(
        one_line(&unknown).contains("the sink \"nowhere\""),
        "{}",
        unknown.stderr
    );
    // What was refused is still there.
    it.site.run(&["status", "--check"]).expect_code(1);
}

#[test]
fn a_point_that_is_refused_again_is_kept_again() {
    let it = Refusing::new();
    let text = it.to_mend();
    let ended = it.retry(&text).expect_code(1);
    assert!(ended.stdout.contains("1 rejected"), "{}", ended.stdout);
    assert!(it.to_mend().contains("# refused 2 by influxdb"));
}

#[test]
fn programs_read_what_was_refused() {
    let it = Refusing::new();
    let show = |format| {
        it.site
            .run(&[
                "outbox",
                "show",
                "--rejected",
                "--output",
                format,
                "--sink",
                "influxdb",
            ])
            .expect_code(0)
            .stdout
    };
    let values: serde_json::Value = serde_json::from_str(&show("json")).expect("JSON");
    let point = &values[0];
    assert_eq!((&point["id"], &point["status"]), (&1.into(), &400.into()));
    assert_eq!(
        (&point["sink"], &point["collector"]),
        (&"influxdb".into(), &"behaving".into())
    );
    let line = point["line"].as_str().expect("a line");
    assert!(line.starts_with("behaving,index=1 "), "{line}");
    let yaml = show("yaml");
    assert!(
        yaml.starts_with("- id: 1\n  sink: \"influxdb\"\n") && yaml.contains("  status: 400\n"),
        "{yaml}"
    );
    one_line(
        &it.site
            .run(&["outbox", "show", "--rejected", "--sink", "x"])
            .expect_code(1),
    );
    let empty = Site::new(ON);
    let nothing = empty
        .run(&["outbox", "show", "--rejected", "--output", "json"])
        .expect_code(0);
    assert_eq!(nothing.stdout, "[]\n");
}

#[test]
fn what_is_deleted_stays_refused_and_a_line_may_become_two() {
    let it = Refusing::of(&["index=1 ", "index=2 "]);
    let text = it.to_mend();
    let blocks: Vec<&str> = text.split("\n\n").collect();
    let [_, first, second] = blocks.as_slice() else {
        panic!("{text}")
    };
    // The line is gone; its comment stands above the other one's.
    let comment = first.lines().next().expect("a comment");
    let mended = second.replace("index=2 ", "index=7 ");
    let line = mended.lines().last().expect("a line");
    let divided = line.replace("index=7 ", "index=8 ");
    let ended = it
        .retry(&format!("{comment}\n{}\n{divided}\n", mended.trim_end()))
        .expect_code(0);
    assert!(
        ended
            .stdout
            .starts_with("2 points taken: 2 for influxdb; 1 refused point acknowledged.\n"),
        "{}",
        ended.stdout
    );
    let left = it.to_mend();
    assert!(left.contains(comment) && !left.contains("index=2"), "{left}");
    it.site.run(&["status", "--check"]).expect_code(1);
    it.site.run(&["outbox", "drop"]).expect_code(0);
    it.site.run(&["status", "--check"]).expect_code(0);
}

#[test]
fn a_line_that_two_sinks_refused_is_mended_once() {
    let it = Refusing::new();
    let other = SinkServer::start();
    other.judge(|request| match request.text().contains("index=1 ") {
        true => Answer::new(400).body(r#"{"error":"field type conflict"}"#),
        false => Answer::new(204),
    });
    it.site.home.settings(&format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\n\
         [[sink]]\nname = \"other\"\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"metrics\"\n{ON}",
        it.server.url(""),
        other.url("")
    ));
    it.site.run(&["run", "behaving"]).expect_code(0);
    let text = it.to_mend();
    let block = text.split("\n\n").last().expect("a block");
    assert_eq!(block.lines().count(), 3, "{text}");
    assert!(
        block.contains(" by influxdb: ") && block.contains(" by other: "),
        "{text}"
    );
    let ended = it.retry(&block.replace("index=1 ", "index=7 ")).expect_code(0);
    assert!(
        ended
            .stdout
            .starts_with("1 point taken: 1 for influxdb, 1 for other; 2 refused points acknowledged.\n"),
        "{}",
        ended.stdout
    );
    assert!(
        other
            .requests()
            .iter()
            .any(|request| request.text().starts_with("behaving,index=7 "))
    );
}

#[test]
fn a_real_influxdb_takes_what_was_mended() {
    let server = Influxd::start(InfluxdOptions::default());
    let sink = format!(
        "[[sink]]\ntype = \"influxdb\"\nurl = \"{}\"\ndatabase = \"{}\"\n",
        server.url(),
        server.database()
    );
    let site = Site::new(&format!("{sink}{ON}"));
    // Somebody else has made a text of the field.
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a clock")
        .as_nanos();
    // An InfluxDB has a type for each week: the run may be of the next one.
    let soon = now + Duration::from_secs(3600).as_nanos();
    let seed = site
        .tidemark(&["outbox", "retry", "--from", "-", "--sink", "influxdb"])
        .stdin(format!(
            "behaving third=\"a text\" {now}\nbehaving third=\"a text\" {soon}\n"
        ))
        .run()
        .expect_code(0);
    assert!(
        seed.stdout.contains("influxdb: 2 points delivered"),
        "{}",
        seed.stdout
    );
    site.run(&["run", "behaving"]).expect_code(0);
    site.run(&["status", "--check"]).expect_code(1);
    let text = site
        .run(&["outbox", "show", "--rejected", "--output", "influx"])
        .expect_code(0)
        .stdout;
    assert_eq!(text.matches("field type conflict").count(), 3, "{text}");
    let file = site.home.file("refused", text.replace("third=", "share="));
    let ended = site
        .tidemark(&["outbox", "retry", "--from"])
        .arg(file)
        .run()
        .expect_code(0);
    assert!(
        ended.stdout.contains("influxdb: 3 points delivered"),
        "{}",
        ended.stdout
    );
    site.run(&["status", "--check"]).expect_code(0);
    assert_eq!(server.count("behaving", "share"), 3);
}
