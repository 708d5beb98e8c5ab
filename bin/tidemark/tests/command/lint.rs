//! `tidemark lint`: what a person reads, and the exit codes.

use tidemark_testkit::{Influxd, InfluxdOptions};

use super::*;

/// Lints a text as standard input.
fn lint(options: &[&str], text: impl Into<Vec<u8>>) -> Ended {
    let site = Site::without_collectors("");
    site.tidemark(&["lint"]).args(options).stdin(text).run()
}

/// What is said of a text that is clean.
#[track_caller]
fn clean(options: &[&str], text: impl Into<Vec<u8>>) -> String {
    let ended = lint(options, text).expect_code(0);
    assert_eq!(ended.stderr, "", "{options:?}");
    ended.stdout
}

/// The mistakes of a text, without the last line.
#[track_caller]
fn mistakes(options: &[&str], text: impl Into<Vec<u8>>) -> Vec<String> {
    let ended = lint(options, text).expect_code(1);
    let mut lines: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap_or_default();
    assert!(last.contains("mistake"), "{}", ended.stdout);
    lines
}

#[test]
fn clean_pages_are_clean() {
    let cases: [(&[&str], &str, &str); 9] = [
        (
            &[],
            "m,a=b v=1i 5\n",
            "-: line protocol (found out; --from names another), 1 point: no mistakes\n",
        ),
        (
            &["--from", "influx"],
            "# c\r\n\r\nm s=\"a\nb\" 1\n  m  v=2   2  \nm v=.5 -3",
            "-: line protocol, 3 points: no mistakes\n",
        ),
        (
            &["--from", "prometheus"],
            "up 1\n",
            "-: Prometheus text 0.0.4, 1 sample: no mistakes\n",
        ),
        (
            &[],
            "# TYPE up gauge\nup{a=\"b\"} 1 1700000000000\n",
            "-: Prometheus text 0.0.4 (found out; --from names another), 1 sample: no mistakes\n",
        ),
        (
            &["--from", "openmetrics"],
            "# TYPE up gauge\nup 1 1.5\n# EOF\n",
            "-: OpenMetrics 1.0, 1 sample: no mistakes\n",
        ),
        (
            &[],
            "# TYPE a counter\na_total 1\n# EOF\n",
            "-: OpenMetrics 1.0 (found out; --from names another), 1 sample: no mistakes\n",
        ),
        (
            &["--from", "openmetrics"],
            "# EOF\n",
            "-: OpenMetrics 1.0, 0 samples: no mistakes\n",
        ),
        (
            &["--from", "prometheus"],
            "",
            "-:1:1: notice: there is nothing in it\n-: Prometheus text 0.0.4, 0 samples: no mistakes, 1 notice\n",
        ),
        (
            &["--from", "influx"],
            "",
            "-:1:1: notice: there is nothing in it\n-: line protocol, 0 points: no mistakes, 1 notice\n",
        ),
    ];
    for (options, text, said) in cases {
        assert_eq!(clean(options, text), said, "{text:?}");
    }
}

#[test]
fn all_mistakes_are_named_with_line_and_column() {
    assert_eq!(
        mistakes(
            &["--from", "influx"],
            "m v=1 1\nm v= 2\n m,a=,b=c v=1\nm v=x 1\nm v=1 1.5\nm v=\"open 6\nm v=7 7\nm,a=1,a=2 v=1\n",
        ),
        [
            "-:2:5: a field has no value; write key=value, a string in double quotes",
            "-:3:6: a tag has no value: leave the tag out, or escape the comma or space before it; write ,key=value \
             without spaces, or take the comma away",
            "-:4:5: this is no value: write a number, true, false or a \"string\"",
            "-:5:7: the time is not a whole number of nanoseconds; write a whole number, and a comma without a space \
             between two fields",
            "-:6:5: the string that begins here has no closing quote; end it with a double quote, and write \\\" for \
             one within it",
            "-:8:7: a tag is given twice; write each tag once",
        ]
    );
    let page = mistakes(&["--from", "openmetrics"], "# TYPE a gauge\na 1 \na{b=} 1\n");
    assert_eq!(page.len(), 3, "{page:?}");
    assert!(
        page[0].starts_with("-:2:4: ") && page[1].starts_with("-:3:5: "),
        "{page:?}"
    );
    assert!(page[2].contains("# EOF"), "{page:?}");
    let site = Site::without_collectors("");
    let file = site.home.file("a page", "m v=\n");
    let ended = site
        .tidemark(&["lint", "--from=influx"])
        .arg(&file)
        .run()
        .expect_code(1);
    let name = file.display();
    assert_eq!(
        ended.stdout,
        format!(
            "{name}:1:5: a field has no value; write key=value, a string in double quotes\n\
             {name}: line protocol, 0 points: 1 mistake\n"
        )
    );
}

#[test]
fn the_number_of_mistakes_that_are_said_is_bounded() {
    let ended = lint(&["--from", "influx"], "m v=\n".repeat(150)).expect_code(1);
    assert_eq!(ended.stdout.lines().count(), 102);
    assert!(
        ended
            .stdout
            .ends_with("and 50 more mistakes\n-: line protocol, 0 points: 150 mistakes\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn what_servers_refuse_is_a_mistake() {
    let two_types = "m,a=1 v=1,w=2 1\nm,a=2 w=3,v=1i 2\n";
    assert_eq!(
        mistakes(&["--from", "influx"], two_types),
        [
            "-:2:11: the field \"v\" of \"m\" is an integer (i), and was a float in line 1: servers refuse one of them; \
          write one type"
        ]
    );
    assert!(clean(&["--from", "influx", "--lenient"], two_types).contains("2:11: notice: the field"));
    assert_eq!(
        mistakes(&["--from", "influx", "--precision", "s"], "m v=1 9223372037\n"),
        ["-:1:7: the time is out of range for --precision s: -9223372036 to 9223372036"]
    );
    assert_eq!(
        mistakes(
            &["--from", "influx", "--precision", "ms"],
            "m v=1 1.5\nm v=1 99999999999999999999\n"
        ),
        [
            "-:1:7: the time is not a whole number of milliseconds; write a whole number, and a comma without a space \
             between two fields",
            "-:2:7: the time is out of range for --precision ms: -9223372036854 to 9223372036854",
        ]
    );
    assert_eq!(
        mistakes(&["--from", "influx"], "m v=1 9223372036854775807\n"),
        [
            "-:1:7: the time is out of range: -9223372036854775806 to 9223372036854775806; name its unit with \
          --precision where it is not nanoseconds"
        ]
    );
    assert!(mistakes(&["--from", "influx"], "m,time=1 v=1 1\n")[0].contains("a tag is called time"));
    assert_eq!(
        mistakes(&["--from", "influx"], "m time=1 1\n"),
        ["-:1:3: no field but one called time, which InfluxDB 1 does not store; call it otherwise"]
    );
    assert!(mistakes(&["--from", "influx"], "m,a=b\u{1}c v=1 1\n")[0].contains(":1:6: a control character"));
}

#[test]
fn what_is_hardly_meant_is_a_notice() {
    for (text, said) in [
        (
            "m v=1 5\nm w=1 5\n",
            "-:2:1: notice: a point of this series and time came before",
        ),
        (
            "m,a=1,b=2 v=1 5\nm,b=2,a=1 w=1 5\n",
            "-:2:1: notice: a point of this series",
        ),
        (
            "m v=1u 5\n",
            "-:1:3: notice: an unsigned integer (u): InfluxDB 1 refuses it",
        ),
        // Once, however many there are.
        (
            "m v=1,time=2 5\nm v=1,time=2 6\n",
            "-:1:7: notice: a field called time: InfluxDB 1 does not store it; call it otherwise\n-: line",
        ),
        (
            "m v=1 1700000000\n",
            "-:1:7: notice: this is 1970-01-01T00:00:01.7Z; if it is meant in another unit, name it: --precision s",
        ),
        ("m v=1 1700000000000\n", "--precision ms"),
        ("m v=1 1700000000000000\n", "--precision us"),
        (
            "m v=1 1\r\nm v=2 2\r\n",
            "-:1:1: notice: the line ends in CR LF: InfluxDB 1 refuses such lines; end them in LF alone\n-: line",
        ),
        ("_m v=1 1\n", "-:1:1: notice: a name that begins with _"),
        (
            "m v=1,w=2,v=3 1\n",
            "-:1:11: notice: the field \"v\" is given twice: its last value counts; write each field once",
        ),
    ] {
        let text = clean(&["--from", "influx"], text);
        assert!(text.contains(said), "{text}");
    }
    let text = clean(&["--from", "influx", "--precision", "s"], "m v=1 1700000000\n");
    assert!(!text.contains("notice"), "{text}");
}

#[test]
fn what_is_no_text_is_said() {
    for (bytes, said) in [
        (
            &b"\x1f\x8b\x08\0"[..],
            "this is gzip-compressed: write `gunzip -c FILE | tidemark lint`",
        ),
        (b"\x28\xb5\x2f\xfd\0", "zstd -dc FILE"),
        (
            b"\xff\xfem\0",
            "this is UTF-16: write `iconv -f UTF-16 -t UTF-8 FILE",
        ),
    ] {
        let said_of = mistakes(&[], bytes);
        assert!(said_of.len() == 1 && said_of[0].contains(said), "{said_of:?}");
    }
    for (bytes, said) in [
        (
            &b"\x7fELF\x02\x01\x01\0\0\xff\xfe\n\0\n"[..],
            "-:1:1: this is binary, no text",
        ),
        (
            b"<!DOCTYPE html>\n<html>\n</html>\n",
            "-:1:1: this is HTML or XML",
        ),
        (b"{\"status\": \"ok\"}\n", "-:1:1: this is JSON"),
    ] {
        let said_of = mistakes(&[], bytes);
        assert!(said_of.len() == 1 && said_of[0].starts_with(said), "{said_of:?}");
    }
    // A zero byte is a character.
    clean(
        &["--from", "openmetrics"],
        "# TYPE a gauge\na{b=\"\0\"} 1\n# EOF\n",
    );
    for from in ["influx", "prometheus", "openmetrics"] {
        let page = mistakes(&["--from", from], &b"\xff\n"[..]);
        assert!(
            page[0].starts_with("-:1:1: ") && page[0].contains("UTF-8"),
            "{page:?}"
        );
    }
    let marked = mistakes(&[], "\u{feff}m v=1 1\n");
    assert!(
        marked.len() == 1 && marked[0].starts_with("-:1:1: a byte order mark"),
        "{marked:?}"
    );
    let site = Site::without_collectors("");
    for (file, why) in [
        ("/gone", "cannot be read: No such file"),
        ("/", "cannot be read: Is a directory"),
    ] {
        let ended = site.run(&["lint", file]).expect_code(1);
        assert!(one_line(&ended).contains(why), "{}", ended.stderr);
    }
    for line in [
        &["lint", "--from", "xml"][..],
        &["lint", "--from", "openmetrics", "--precision", "s"],
        &["lint", "a", "b"],
    ] {
        one_line(&site.run(line).expect_code(2));
    }
}

#[test]
fn what_is_right_is_converted_and_nothing_else() {
    let ended = lint(
        &["--from", "influx", "--precision", "s", "--to", "influx"],
        "m,b=1,a=2 v=1 5\nbad\nm v=\"x\" 6\n",
    )
    .expect_code(1);
    assert_eq!(ended.stdout, "m,a=2,b=1 v=1.0 5000000000\n");
    assert!(
        ended.stderr.contains("-:2:4: ") && ended.stderr.contains("-:3:3: "),
        "{}",
        ended.stderr
    );
    let ended = lint(&["--from", "influx", "--to", "json"], "m v=1i 5\nm v=2i 6\n").expect_code(0);
    let values: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(
        (&values[1]["fields"]["v"], values.as_array().map(Vec::len)),
        (&2.into(), Some(2))
    );
    let nothing = lint(&["--from", "influx", "--to", "json"], "# c\n").expect_code(0);
    assert_eq!(nothing.stdout, "[]\n");
    let ended = lint(
        &["--from", "influx", "--to", "openmetrics"],
        "net,if=a rx=5i 1500000000\n",
    )
    .expect_code(0);
    assert_eq!(
        clean(&["--from", "openmetrics"], ended.stdout.as_bytes()),
        "-: OpenMetrics 1.0, 1 sample: no mistakes\n"
    );
    assert!(
        ended.stdout.contains("net_rx{if=\"a\"} 5 1.5\n"),
        "{}",
        ended.stdout
    );
    let ended = lint(&["--to", "influx"], "up{job=\"a b\"} 1 1700000000000\n").expect_code(0);
    assert_eq!(ended.stdout, "up,job=a\\ b value=1.0 1700000000000000000\n");
    let ended = lint(&["--to", "influx"], "up 1\ndown NaN\n").expect_code(0);
    assert!(
        ended.stdout.starts_with("up value=1.0 ") && ended.stdout.lines().count() == 1,
        "{}",
        ended.stdout
    );
    for part in ["2 samples have no time", "1 field that is not a number left out"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn a_page_keeps_its_families_in_another_text_format() {
    let page = "# HELP http_requests_total Requests \"so far\".\n# TYPE http_requests_total counter\n\
                http_requests_total{code=\"200\"} 3 1700000000250\n\
                # TYPE lag histogram\nlag_bucket{le=\"1\"} 1\nlag_bucket{le=\"+Inf\"} 2\nlag_sum 2.5\nlag_count 2\n\
                # TYPE t untyped\nt 1e22\n";
    let ended = lint(&["--from", "prometheus", "--to", "openmetrics"], page).expect_code(0);
    assert_eq!(
        ended.stdout,
        "# TYPE http_requests counter\n# HELP http_requests Requests \\\"so far\\\".\n\
         http_requests_total{code=\"200\"} 3.0 1700000000.25\n\
         # TYPE lag histogram\nlag_bucket{le=\"1.0\"} 1.0\nlag_bucket{le=\"+Inf\"} 2.0\nlag_count 2.0\nlag_sum 2.5\n\
         # TYPE t unknown\nt 1e22\n# EOF\n"
    );
    clean(&["--from", "openmetrics"], ended.stdout.as_bytes());
}

#[test]
fn families_that_would_have_one_name_are_told_apart() {
    let page = "# TYPE alloc gauge\nalloc 1\n# TYPE alloc_total counter\nalloc_total 2\n";
    let ended = lint(&["--from", "prometheus", "--to", "openmetrics"], page).expect_code(0);
    assert_eq!(
        ended.stdout,
        "# TYPE alloc gauge\nalloc 1.0\n# TYPE alloc_total unknown\nalloc_total 2.0\n# EOF\n"
    );
    assert!(
        ended.stderr.contains("1 counter is of unknown type"),
        "{}",
        ended.stderr
    );
}

#[test]
fn one_family_does_not_cost_the_converted_page() {
    let options = ["--from", "prometheus", "--lenient", "--to", "openmetrics"];
    let page = "# TYPE lag histogram\nlag_bucket{le=\"1\"} 2 1000\nlag_bucket{le=\"2\"} 1 1000\n\
                lag_bucket{le=\"1\"} 3 2000\nup 1\nup 2\n# TYPE c counter\nc_total 4\n\
                # TYPE d summary\nd_count 5\n# TYPE d_count gauge\nd_count 5\n_x 5\nlast 6\n";
    let ended = lint(&options, page).expect_code(1);
    assert_eq!(
        ended.stdout,
        "# TYPE lag_bucket unknown\nlag_bucket{le=\"1.0\"} 2.0 1\nlag_bucket{le=\"1.0\"} 3.0 2\n\
         lag_bucket{le=\"2.0\"} 1.0 1\n# TYPE up unknown\nup 1.0\n# TYPE c_total unknown\nc_total 4.0\n# TYPE d summary\n\
         d_count 5.0\n# TYPE last unknown\nlast 6.0\n# EOF\n"
    );
    clean(&["--from", "openmetrics"], ended.stdout.as_bytes());
    let said: Vec<&str> = ended.stderr.lines().collect();
    assert!(
        said[0].starts_with("-:1:1: samples called _x are left out of the converted page: ")
            && said[1].starts_with("-:1:1: notice: converted: lag is of unknown type: ")
            && said[2].contains("2 samples came before, and the first one counts"),
        "{}",
        ended.stderr
    );
    // What a strict reader takes stays.
    let ended = lint(&["--to", "openmetrics"], "a 1 5\na 2 5\n# EOF\n").expect_code(0);
    assert_eq!(ended.stdout, "# TYPE a unknown\na 1.0 5\na 2.0 5\n# EOF\n");
}

#[test]
fn what_servers_take_is_clean_where_it_is_asked_for() {
    let page = "\u{feff}a 1\r\n\r\n# TYPE b gauge\nb{}  2\na{c=\"d\"} 3";
    mistakes(&["--from", "prometheus"], page);
    clean(&["--from", "prometheus", "--lenient"], page);
    let converted = lint(
        &["--from", "prometheus", "--lenient", "--to", "openmetrics"],
        page,
    )
    .expect_code(0);
    assert_eq!(
        converted.stdout,
        "# TYPE a unknown\na 1.0\na{c=\"d\"} 3.0\n# TYPE b gauge\nb 2.0\n# EOF\n"
    );
}

#[test]
fn a_long_file_streams() {
    // Strings that go on in the next piece that is read, and a point longer than a piece.
    let mut text = format!("long v=\"{}\" 1\n", "x\n".repeat(1_000_000));
    let filling = "a line\n".repeat(150);
    for number in 0..40_000 {
        text.push_str(&format!("m,n={number} v=\"{filling}\",w=1 {number}\n"));
    }
    text.push_str("bad\n");
    let (lines, bytes) = (text.lines().count(), text.len() as u64);
    // 42 MB, and other tests have the machine too.
    let site = Site::without_collectors("");
    let run = site.tidemark(&["lint", "--from", "influx"]).stdin(text);
    let ended = run.bound(Duration::from_secs(600)).run().expect_code(1);
    assert!(
        ended
            .stdout
            .contains(&format!("-:{lines}:4: the fields are missing"))
            && ended.stdout.contains("40,001 points: 1 mistake"),
        "{}",
        ended.stdout
    );
    assert!(ended.peak_memory < bytes / 2, "{} of {bytes}", ended.peak_memory);
}

#[test]
fn a_line_of_many_fields_takes_its_length() {
    // Quadratic, this takes minutes.
    let fields: Vec<String> = (0..200_000).map(|number| format!("f{number}=1")).collect();
    let text = format!("m s=\"a\nb\",{},f7=1 1\n", fields.join(","));
    let column = "b\",".len() + fields.join(",").len() + ",".len() + 1;
    assert_eq!(
        clean(&["--from", "influx"], text),
        format!(
            "-:2:{column}: notice: the field \"f7\" is given twice: its last value counts; write each field once\n\
             -: line protocol, 1 point: no mistakes, 1 notice\n"
        )
    );
}

/// Whether an InfluxDB stores a text.
fn is_stored(server: &Influxd, text: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
    let request = format!(
        "POST /write?db={} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        server.database(),
        text.len()
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.starts_with("HTTP/1.1 204 ")
}

#[test]
fn a_real_influxdb_agrees() {
    let server = Influxd::start(InfluxdOptions::default());
    // `@` is another name for each.
    let lines = [
        "@ v=1",
        "@ v=1 5",
        " @  v=1  5 ",
        "@ v=1 -5",
        "@ v=1 0",
        "@,a=b,c=d v=1,w=2",
        r"@\ x,a\ b=\,c\= d\,\ e=1",
        r"@,a=\\x v=1",
        r#"@,a="b" v=1"#,
        "@=x v=1",
        "@# v=1",
        "# @",
        "größe@,ß=日 é=1",
        "@ v=1.",
        "@ v=.5",
        "@ v=-.5",
        "@ v=1e3",
        "@ v=1E+3",
        "@ v=1e-3",
        "@ v=007",
        "@ v=-0",
        "@ v=5i",
        "@ v=-1i",
        "@ v=9223372036854775807i",
        "@ v=-9223372036854775808i",
        "@ v=t",
        "@ v=T",
        "@ v=true",
        "@ v=True",
        "@ v=TRUE",
        "@ v=f",
        "@ v=F",
        "@ v=false",
        "@ v=False",
        "@ v=FALSE",
        r#"@ v="""#,
        r#"@ v="a b""#,
        r#"@ v="a\"b""#,
        r#"@ v="a\\""#,
        r#"@ v="a,b=c d""#,
        "@ v=\"a\nb\"",
        r#"@ v="\n""#,
        "@ v=1 9223372036854775806",
        "@ v=1 -9223372036854775806",
        "",
        "@",
        "@ ",
        "@,a=b",
        ",a=b v=1",
        "@, v=1",
        "@,,a=b v=1",
        "@,=b v=1",
        "@,a v=1",
        "@,a= v=1",
        "@,a=b=c v=1",
        "@,a=1,a=2 v=1",
        "@ =1",
        "@ v",
        "@ v=",
        "@ v= 1",
        "@ v=1,",
        "@ v=1, w=2",
        "@ v=1,,w=2",
        "@ v=x",
        "@ v=NaN",
        "@ v=+1",
        "@ v=inf",
        "@ v=-inf",
        "@ v=tRUE",
        "@ v=truee",
        "@ v=-",
        "@ v=.",
        "@ v=1e",
        "@ v=1.2.3",
        "@ v=0x1",
        "@ v=1_0",
        "@ v=1f",
        "@ v=1e400",
        "@ v=i",
        "@ v=1.5i",
        "@ v=1ii",
        "@ v=9223372036854775808i",
        "@ v='a'",
        "@ v=\"a",
        "@ v=1 x",
        "@ v=1 1.5",
        "@ v=1 -",
        "@ v=1 +1",
        "@ v=1 1i",
        "@ v=1 5 6",
        "@ v=1 9223372036854775807",
        "@ v=1 99999999999999999999",
        "@,time=1 v=1 1",
        "@ time=1 1",
    ];
    for (number, line) in lines.iter().enumerate() {
        let line = line.replace('@', &format!("m{number}"));
        let ended = lint(&["--from", "influx"], line.as_bytes());
        assert_eq!(
            ended.code == Some(0),
            is_stored(&server, &line),
            "{line:?}: {}",
            ended.stdout
        );
    }
    // Of a page with two types, the points of one are refused.
    let two_types = "types v=1 1\ntypes v=1i 2\n";
    assert!(!is_stored(&server, two_types));
    lint(&["--from", "influx"], two_types).expect_code(1);
}
