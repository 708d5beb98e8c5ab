//! The writer of the two text formats, rule by rule.
#![allow(clippy::unwrap_used, reason = "the helpers of tests fail loudly, as tests do")]

use tidemark_point::exposition::{Format, Page, Times, write};
use tidemark_point::{Adjustments, Declarations, LeftOut, Omission, Point, line};

fn points(lines: &str) -> Vec<Point> {
    line::parse(lines.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn declared(text: &str) -> Declarations {
    text.parse().unwrap()
}

fn text(page: &Page) -> &str {
    str::from_utf8(&page.text).unwrap()
}

#[track_caller]
fn open_metrics(lines: &str, declarations: &str, expected: &[&str]) -> LeftOut {
    check(lines, declarations, Format::OpenMetrics, Times::Keep, expected)
}

#[track_caller]
fn check(lines: &str, declarations: &str, format: Format, times: Times, expected: &[&str]) -> LeftOut {
    let declarations = declared(declarations);
    let page = write(&points(lines), &declarations, format, times);
    let borrowed: Vec<_> = line::read(lines.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(
        write(&borrowed, &declarations, format, times),
        page,
        "lines and points give the same page"
    );
    let end: &[&str] = match format {
        Format::OpenMetrics => &["# EOF"],
        Format::Prometheus => &[],
    };
    let found: Vec<&str> = text(&page).lines().collect();
    assert_eq!(found, [expected, end].concat());
    assert!(page.text.is_empty() || page.text.ends_with(b"\n"));
    let samples = expected.iter().filter(|line| !line.starts_with('#')).count();
    assert_eq!(page.samples, samples);
    page.left_out
}

const NET: &str = "net\tAn interface.\n\
                   \trx\tcounter\tbytes\tBytes received.\n\
                   \ttx_bytes\tcounter\tbytes\tBytes sent.\n\
                   \tage_seconds\tgauge\tseconds\tSince it came up.\n\
                   \tup\tgauge\t\tWhether it is up.\n";

#[test]
fn nothing_is_a_page_too() {
    assert_eq!(
        text(&write::<Point>(
            &[],
            &Declarations::new(),
            Format::OpenMetrics,
            Times::Keep
        )),
        "# EOF\n"
    );
    assert_eq!(
        text(&write::<Point>(
            &[],
            &Declarations::new(),
            Format::Prometheus,
            Times::Leave
        )),
        ""
    );
}

#[test]
fn openmetrics_has_type_unit_help_and_seconds() {
    let left_out = open_metrics(
        "net,if=eth0 age_seconds=0.5,rx=12u,tx_bytes=18446744073709551615u,up=true 1500000000\n\
         net,if=eth1 rx=0u,up=false 1500000001\n",
        NET,
        &[
            "# TYPE net_age_seconds gauge",
            "# UNIT net_age_seconds seconds",
            "# HELP net_age_seconds Since it came up.",
            "net_age_seconds{if=\"eth0\"} 0.5 1.5",
            "# TYPE net_rx counter",
            "# HELP net_rx Bytes received. Unit: bytes.",
            "net_rx_total{if=\"eth0\"} 12 1.5",
            "net_rx_total{if=\"eth1\"} 0 1.500000001",
            "# TYPE net_tx_bytes counter",
            "# UNIT net_tx_bytes bytes",
            "# HELP net_tx_bytes Bytes sent.",
            "net_tx_bytes_total{if=\"eth0\"} 18446744073709551615 1.5",
            "# TYPE net_up gauge",
            "# HELP net_up Whether it is up.",
            "net_up{if=\"eth0\"} 1 1.5",
            "net_up{if=\"eth1\"} 0 1.500000001",
        ],
    );
    assert!(left_out.is_empty());
}

#[test]
fn prometheus_has_the_whole_name_and_milliseconds() {
    let lines = "net,if=eth0 age_seconds=0.5,rx=12u 1500999999\nnet,if=eth1 rx=1u -1\n";
    let expected = |times: Times| {
        let time = |text: &'static str| if times == Times::Keep { text } else { "" };
        vec![
            "# TYPE net_age_seconds gauge".to_owned(),
            "# HELP net_age_seconds Since it came up.".to_owned(),
            format!("net_age_seconds{{if=\"eth0\"}} 0.5{}", time(" 1500")),
            "# TYPE net_rx_total counter".to_owned(),
            "# HELP net_rx_total Bytes received. Unit: bytes.".to_owned(),
            format!("net_rx_total{{if=\"eth0\"}} 12{}", time(" 1500")),
            format!("net_rx_total{{if=\"eth1\"}} 1{}", time(" -1")),
        ]
    };
    for times in [Times::Keep, Times::Leave] {
        let expected = expected(times);
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(lines, NET, Format::Prometheus, times, &expected);
    }
}

#[test]
fn what_is_not_declared_is_unknown() {
    open_metrics("a b=1i 0\n", "", &["# TYPE a_b unknown", "a_b 1 0"]);
    check(
        "a b=1i 0\n",
        "",
        Format::Prometheus,
        Times::Leave,
        &["# TYPE a_b untyped", "a_b 1"],
    );
}

#[test]
fn times_have_all_their_digits() {
    for (nanos, seconds) in [
        ("0", "0"),
        ("1", "0.000000001"),
        ("-1", "-0.000000001"),
        ("-1500000000", "-1.5"),
        ("1700000000000000000", "1700000000"),
        ("1700000000120000000", "1700000000.12"),
        ("9223372036854775806", "9223372036.854775806"),
        ("-9223372036854775806", "-9223372036.854775806"),
    ] {
        let sample = format!("a 1 {seconds}");
        open_metrics(
            &format!("a value=1i {nanos}\n"),
            "",
            &["# TYPE a unknown", &sample],
        );
    }
}

#[test]
fn numbers_are_whole_or_the_shortest_that_read_back() {
    for (value, written) in [
        ("9223372036854775807i", "9223372036854775807"),
        ("-9223372036854775808i", "-9223372036854775808"),
        ("18446744073709551615u", "18446744073709551615"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1", "1.0"),
        ("-0.0", "-0.0"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("1e22", "1e+22"),
        ("1e-7", "1e-7"),
        ("t", "1"),
    ] {
        let sample = format!("a {written} 0");
        open_metrics(
            &format!("a value={value} 0\n"),
            "",
            &["# TYPE a unknown", &sample],
        );
    }
}

#[test]
fn values_and_help_are_escaped() {
    open_metrics(
        "a,k=C:\\DIR\\x,q=\"é\" v=1i 0\n",
        "a\t\n\tv\tgauge\t\tA \"b\" \\\\ c\\nd\\te\\rf.\n",
        &[
            "# TYPE a_v gauge",
            r#"# HELP a_v A \"b\" \\ c\nd e f."#,
            r#"a_v{k="C:\\DIR\\x",q="\"é\""} 1 0"#,
        ],
    );
    check(
        "a,k=\"\\ v=1i 0\n".replace("\\ ", "/ ").as_str(),
        "a\t\n\tv\tgauge\t\tA \"b\" \\\\ c\\nd\n",
        Format::Prometheus,
        Times::Leave,
        &[
            "# TYPE a_v gauge",
            r#"# HELP a_v A "b" \\ c\nd"#,
            r#"a_v{k="\"/"} 1"#,
        ],
    );
}

#[test]
fn the_help_names_a_unit_that_the_name_does_not() {
    for (help, unit, line) in [
        ("Age of the oldest", "d", "# HELP a_v Age of the oldest. Unit: d."),
        ("Ends!", "d", "# HELP a_v Ends! Unit: d."),
        ("", "d", "# HELP a_v Unit: d."),
        // Neither is a unit of the name `a_v`: one is the whole name, one only its end.
        ("Help.", "a_v", "# HELP a_v Help. Unit: a_v."),
        ("Help.", "_v", "# HELP a_v Help. Unit: _v."),
    ] {
        let declarations = format!("a\t\n\tv\tgauge\t{unit}\t{help}\n");
        open_metrics(
            "a v=1i 0\n",
            &declarations,
            &["# TYPE a_v gauge", line, "a_v 1 0"],
        );
    }
    open_metrics(
        "a v=1i 0\n",
        "a\t\n\tv\tgauge\tv\t\n",
        &["# TYPE a_v gauge", "# UNIT a_v v", "a_v 1 0"],
    );
}

#[test]
fn labels_are_sorted_after_they_are_made_valid() {
    // `a.z` comes before `a0` in line protocol, `a_z` after it.
    open_metrics(
        "m,a.z=1,a0=2,_x=3,__name__=4,1st=5,B=6 v=1i 0\n",
        "",
        &[
            "# TYPE m_v unknown",
            "m_v{B=\"6\",a0=\"2\",a_z=\"1\",key_1st=\"5\",key__name__=\"4\",key_x=\"3\"} 1 0",
        ],
    );
    open_metrics(
        "m,le=0.5,quantile=0.9 v=1i 0\n",
        "",
        &["# TYPE m_v unknown", "m_v{le=\"0.5\",quantile=\"0.9\"} 1 0"],
    );
}

#[test]
fn two_tags_that_become_one_label_refuse_the_point() {
    let left_out = open_metrics(
        "m,a.b=1,a-b=2 v=1i,w=2i,s=\"x\" 0\nm,a.b=1 v=2i 0\n",
        "",
        &["# TYPE m_v unknown", "m_v{a_b=\"1\"} 2 0"],
    );
    assert_eq!(left_out.count(Omission::LabelClash), 2);
    assert_eq!(left_out.count(Omission::String), 1);
    assert_eq!(left_out.points(), [(0, Omission::LabelClash)]);
    assert_eq!(left_out.refused(), 2);
}

#[test]
fn families_and_series_stand_together() {
    open_metrics(
        "b,t=2 v=1i 2000000000\na v=1i 0\nb,t=1 v=2i 0\nb,t=2 v=3i 1000000000\na v=4i 1000000000\n",
        "",
        &[
            "# TYPE a_v unknown",
            "a_v 1 0",
            "a_v 4 1",
            "# TYPE b_v unknown",
            "b_v{t=\"2\"} 3 1",
            "b_v{t=\"2\"} 1 2",
            "b_v{t=\"1\"} 2 0",
        ],
    );
}

#[test]
fn the_last_value_of_a_time_counts() {
    let left_out = open_metrics(
        "a v=1i 5\na v=2i 6\na v=3i 5\n",
        "",
        &["# TYPE a_v unknown", "a_v 3 0.000000005", "a_v 2 0.000000006"],
    );
    assert_eq!(left_out.count(Omission::Older), 1);
    assert_eq!(left_out.points(), [(0, Omission::Older)]);
    assert_eq!(left_out.refused(), 0);
    assert_eq!(left_out.to_string(), "1 older value left out");
}

#[test]
fn a_page_without_times_holds_the_newest() {
    let lines = "a v=1i,w=1i 3\na v=2i 9\na v=3i 5\n";
    for (format, times) in [
        (Format::Prometheus, Times::Leave),
        (Format::Prometheus, Times::Keep),
        (Format::OpenMetrics, Times::Leave),
    ] {
        let page = write(&points(lines), &Declarations::new(), format, times);
        assert!(
            text(&page).contains("\na_v 2") && text(&page).contains("\na_w 1"),
            "{}",
            text(&page)
        );
        assert_eq!(page.samples, 2);
        assert_eq!(page.left_out.count(Omission::Older), 2);
        assert_eq!(page.left_out.points(), [(2, Omission::Older)]);
    }
}

#[test]
fn strings_are_left_out_and_counted() {
    let left_out = open_metrics(
        "a s=\"x\",v=1i 0\na,t=1 s=\"y\" 0\n",
        "",
        &["# TYPE a_v unknown", "a_v 1 0"],
    );
    assert_eq!(left_out.count(Omission::String), 2);
    assert_eq!(left_out.points(), [(1, Omission::String)]);
    assert_eq!(left_out.to_string(), "2 strings left out");
}

#[test]
fn a_counter_is_never_negative() {
    let left_out = open_metrics(
        "net rx=-1i 0\nnet rx=-0.5 1\nnet rx=2i 2\nnet,if=a rx=-3i 0\n",
        NET,
        &[
            "# TYPE net_rx counter",
            "# HELP net_rx Bytes received. Unit: bytes.",
            "net_rx_total 2 0.000000002",
        ],
    );
    assert_eq!(left_out.count(Omission::NegativeCounter), 3);
    assert_eq!(
        left_out.to_string(),
        "3 values refused (the first is \"rx\" of \"net\": a counter cannot be below zero; declare it as a gauge)"
    );
    let negative = Omission::NegativeCounter;
    assert_eq!(left_out.points(), [(0, negative), (1, negative), (3, negative)]);
    // No TYPE line for a family without samples.
    open_metrics("net rx=-1i 0\n", NET, &[]);
}

#[test]
fn two_fields_of_one_name_share_a_family_where_their_labels_differ() {
    let declarations = "a\t\n\tb_c\tgauge\t\tOne.\na_b\t\n\tc\tgauge\t\tTwo.\n";
    let page = ["# TYPE a_b_c gauge", "# HELP a_b_c One."];
    open_metrics(
        "a_b,t=2 c=2i 0\na,t=1 b_c=1i 0\n",
        declarations,
        &[page[0], page[1], "a_b_c{t=\"2\"} 2 0", "a_b_c{t=\"1\"} 1 0"],
    );
    let left_out = open_metrics(
        "a_b,t=1 c=2i 0\na,t=1 b_c=1i 0\na,t=1 b_c=1i 9\n",
        declarations,
        &[page[0], page[1], "a_b_c{t=\"1\"} 2 0"],
    );
    assert_eq!(left_out.count(Omission::Duplicate), 2);
    assert_eq!(
        left_out.points(),
        [(1, Omission::Duplicate), (2, Omission::Duplicate)]
    );
    // In one point too.
    let left_out = open_metrics("a b.c=1i,b_c=2i 0\n", "", &["# TYPE a_b_c unknown", "a_b_c 1 0"]);
    assert_eq!(left_out.count(Omission::Duplicate), 1);
    assert!(left_out.points().is_empty());
    // Tags too: `x.y` and `x-y` of different series.
    let left_out = open_metrics(
        "m,x.y=1 v=1i 0\nm,x_y=1 v=2i 0\n",
        "",
        &["# TYPE m_v unknown", "m_v{x_y=\"1\"} 1 0"],
    );
    assert_eq!(left_out.count(Omission::Duplicate), 1);
}

#[test]
fn names_of_different_types_do_not_clash_in_a_page() {
    let x = "x\t\n\tvalue\tcounter\t\t\n";
    let with = |field: &str| format!("{x}\t{field}\tgauge\t\t\n");
    for (field, om_refuses, prometheus_refuses) in [
        ("total", true, true),
        ("created", true, false),
        ("count", false, false),
        ("info", false, false),
    ] {
        let lines = format!("x {field}=1i,value=2i 0\n");
        let declarations = declared(&with(field));
        for (format, refuses) in [
            (Format::OpenMetrics, om_refuses),
            (Format::Prometheus, prometheus_refuses),
        ] {
            let page = write(&points(&lines), &declarations, format, Times::Leave);
            assert_eq!(page.samples, if refuses { 1 } else { 2 }, "{field} {format:?}");
            assert!(
                text(&page).contains("x_total 2\n"),
                "the counter is kept: {}",
                text(&page)
            );
            assert_eq!(
                page.left_out.count(Omission::NameClash),
                u64::from(refuses),
                "{field} {format:?}"
            );
        }
    }
    // The counter's family `x`, and a gauge `x`.
    let declarations = "x\t\n\ttotal\tcounter\t\t\n\tvalue\tgauge\t\t\n";
    let left_out = open_metrics(
        "x total=1i,value=2i 0\n",
        declarations,
        &["# TYPE x counter", "x_total 1 0"],
    );
    assert_eq!(left_out.count(Omission::NameClash), 1);
    assert_eq!(left_out.example(Omission::NameClash), Some("\"value\" of \"x\""));
    check(
        "x total=1i,value=2i 0\n",
        declarations,
        Format::Prometheus,
        Times::Leave,
        &["# TYPE x gauge", "x 2", "# TYPE x_total counter", "x_total 1"],
    );
}

#[test]
fn what_is_not_declared_joins_a_family_that_is() {
    open_metrics(
        "x,t=1 value=1i 0\nx_total,t=2 value=2i 0\n",
        "x\t\n\tvalue\tcounter\t\tX.\n",
        &[
            "# TYPE x counter",
            "# HELP x X.",
            "x_total{t=\"1\"} 1 0",
            "x_total{t=\"2\"} 2 0",
        ],
    );
}

#[test]
fn gauges_with_names_of_other_types_are_untyped_in_prometheus() {
    let declarations = "q\t\n\tcount\tgauge\t\tC.\n\tsum\tgauge\t\tS.\n\tdiscount\tgauge\t\tD.\n";
    check(
        "q count=1i,discount=2i,sum=3i 0\n",
        declarations,
        Format::Prometheus,
        Times::Leave,
        &[
            "# TYPE q_count untyped",
            "# HELP q_count C.",
            "q_count 1",
            "# TYPE q_discount gauge",
            "# HELP q_discount D.",
            "q_discount 2",
            "# TYPE q_sum untyped",
            "# HELP q_sum S.",
            "q_sum 3",
        ],
    );
    let page = write(
        &points("q count=1i 0\n"),
        &declared(declarations),
        Format::OpenMetrics,
        Times::Leave,
    );
    assert!(text(&page).starts_with("# TYPE q_count gauge\n"));
}

#[test]
fn of_keys_called_time_tags_are_left_out() {
    let point = Point::builder("m")
        .tag("time", "x")
        .field("time", 2_i64)
        .field("v", 1_i64)
        .time(tidemark_point::Timestamp::EPOCH);
    let point = point.build(&mut Adjustments::default()).unwrap();
    let page = write(&[point], &Declarations::new(), Format::OpenMetrics, Times::Keep);
    assert_eq!(
        text(&page),
        "# TYPE m_time unknown\nm_time 2 0\n# TYPE m_v unknown\nm_v 1 0\n# EOF\n"
    );
}

#[test]
fn a_line_without_a_time_is_refused() {
    let lines: Vec<_> = line::read(b"m v=1i,s=\"x\"\n").collect::<Result<_, _>>().unwrap();
    let page = write(&lines, &Declarations::new(), Format::OpenMetrics, Times::Keep);
    assert_eq!(page.left_out.count(Omission::NoTime), 1);
    assert_eq!(page.samples, 0);
}

#[test]
fn the_page_does_not_depend_on_the_order_of_measurements() {
    let lines = [
        "x total=1i 0\n",
        "x value=2i 0\n",
        "x created=1i 0\n",
        "y v=1i 0\n",
    ];
    let declarations = declared("x\t\n\tvalue\tcounter\t\tC.\n\ttotal\tgauge\t\tG.\n");
    let page = |lines: String| write(&points(&lines), &declarations, Format::OpenMetrics, Times::Keep).text;
    let first = page(lines.concat());
    let mut reversed = lines;
    reversed.reverse();
    assert_eq!(page(reversed.concat()), first);
}
