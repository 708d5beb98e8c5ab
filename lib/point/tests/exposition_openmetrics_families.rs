//! Strict reading of OpenMetrics 1.0: families, metrics and their values, rule by rule of the specification.

#[path = "exposition/openmetrics.rs"]
mod openmetrics;

use openmetrics::{bad_lines, good_lines, mistakes};

#[rustfmt::skip]
#[test]
fn metadata_is_given_once_and_before_samples() {
    good_lines("# HELP a b\n# TYPE a gauge\na 1\n");
    good_lines("# TYPE a_s gauge\n# HELP a_s b\n# UNIT a_s s\na_s 1\n");
    good_lines("# TYPE a gauge\n# HELP a \n# UNIT a \na 1\n");
    good_lines("# TYPE a gauge\n# TYPE b gauge\n");
    bad_lines("# TYPE a gauge\n# TYPE a gauge\n", 2, 8, "a second TYPE of a");
    bad_lines("# TYPE a gauge\n# TYPE a counter\n", 2, 8, "a second TYPE of a");
    bad_lines("# HELP a b\n# TYPE a gauge\n# HELP a c\n", 3, 8, "a second HELP of a");
    bad_lines("# UNIT a_s s\n# UNIT a_s s\n", 2, 8, "a second UNIT of a_s");
    bad_lines("# TYPE a gauge\na 1\n# HELP a b\n", 3, 8, "HELP of a after its samples");
    bad_lines("a 1\n# TYPE a gauge\n", 2, 8, "TYPE of a after its samples");
    bad_lines("a_s 1\n# UNIT a_s s\n", 2, 8, "UNIT of a_s after its samples");
    bad_lines("# TYPE a gauge\n# TYPE b gauge\n# HELP a b\n", 3, 8, "a again");
    for word in ["untyped", "Gauge", "COUNTER", "foo", ""] {
        let found = mistakes(&format!("# TYPE a {word}\n# EOF\n"));
        assert_eq!(found.len(), 1, "{word}: {found:?}");
    }
    bad_lines("# TYPE a untyped\n", 1, 10, "\"untyped\" is no type: write unknown, gauge, counter, stateset, info, histogram, gaugehistogram, summary");
}

#[rustfmt::skip]
#[test]
fn a_unit_ends_the_name() {
    good_lines("# TYPE a_b_seconds gauge\n# UNIT a_b_seconds b_seconds\n");
    good_lines("# UNIT a_ \n");
    bad_lines("# UNIT a_seconds second\n", 1, 18, "the family's name does not end in its unit");
    bad_lines("# UNIT aseconds seconds\n", 1, 17, "the family's name does not end in its unit");
    bad_lines("# UNIT seconds seconds\n", 1, 16, "the family's name does not end in its unit");
    bad_lines("# UNIT a_total_seconds_total seconds\n", 1, 30, "the family's name does not end in its unit");
    bad_lines("# UNIT a_seconds seconds \n", 1, 25, "unexpected ' '");
    bad_lines("# TYPE a_s info\n# UNIT a_s s\n", 2, 12, "a family of type info has no unit");
    bad_lines("# UNIT a_s s\n# TYPE a_s stateset\n", 2, 12, "a family of type stateset has no unit");
    good_lines("# TYPE a_s info\n# UNIT a_s \n");
}

#[rustfmt::skip]
#[test]
fn families_are_not_interleaved_and_do_not_clash() {
    bad_lines("a 1\nb 1\na{c=\"d\"} 1\n", 3, 1, "a again: write all lines of a family together");
    bad_lines("# TYPE a counter\na_total 1\nb 1\na_created 1\n", 4, 1, "a_created again");
    bad_lines("# TYPE a counter\n# TYPE b gauge\na_total 1\n", 3, 1, "a_total again");
    for (first, second) in [
        ("a_created gauge", "a counter"), ("a counter", "a_created gauge"), ("a_total gauge", "a counter"),
        ("a counter", "a_total unknown"), ("a histogram", "a_bucket gauge"), ("a histogram", "a_sum gauge"),
        ("a histogram", "a_count gauge"), ("a summary", "a_sum unknown"),
        ("a gaugehistogram", "a_gcount gauge"), ("a gaugehistogram", "a_gsum gauge"),
        ("a info", "a_info gauge"), ("a_info stateset", "a info"),
    ] {
        let page = format!("# TYPE {first}\n# TYPE {second}\n");
        let name = second.split(' ').next().unwrap();
        let found = mistakes(&format!("{page}# EOF\n"));
        assert_eq!(found.len(), 1, "{page}{found:?}");
        assert_eq!((found[0].line, found[0].column), (2, 8), "{name}");
        assert!(
            found[0].kind.to_string().contains("may belong to another family"),
            "{found:?}"
        );
    }
    bad_lines("# HELP a_total b\n# TYPE a counter\n", 2, 8, "samples called a_total may belong to another family");
    // What no sample of the family can be called is free.
    good_lines("# TYPE a gauge\n# TYPE a_created gauge\n# TYPE a_total gauge\na_total 1\n");
    good_lines("# TYPE a gauge\na 1\na_total 1\n");
    good_lines("# TYPE a counter\na_total 1\na_bucket{le=\"1\"} 1\n");
    good_lines("# TYPE a unknown\na 1\na_count 1\na_sum 1\n");
}

#[rustfmt::skip]
#[test]
fn samples_have_the_suffix_of_their_type() {
    bad_lines("# TYPE a counter\na 1\n", 2, 1, "the samples of the counter a are called a_total, a_created");
    bad_lines("# TYPE a_total counter\na_total 1\n", 2, 1, "the samples of the counter a_total are called a_total_total, a_total_created: name the family a in its TYPE");
    bad_lines("# TYPE a info\na{b=\"c\"} 1\n", 2, 1, "the samples of the info a are called a_info");
    bad_lines("# TYPE a histogram\na 1\n", 2, 1, "the samples of the histogram a");
    bad_lines("# TYPE a gaugehistogram\na 1\n", 2, 1, "the samples of the gaugehistogram a");
}

#[rustfmt::skip]
#[test]
fn metrics_stand_together_and_each_once() {
    good_lines("# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na 1\na{c=\"1\"} 1\n");
    bad_lines("# TYPE a gauge\na 1\na 1\n", 3, 1, "the same name and labels again");
    bad_lines("a{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 2\n", 2, 1, "the same name and labels again");
    bad_lines("a{b=\"\"} 1\na 2\n", 2, 1, "the same name and labels again");
    bad_lines("a{b=\"x\\\\y\"} 1\na{b=\"x\\y\"} 2\n", 2, 1, "the same name and labels again");
    bad_lines("a{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 1\n", 3, 1, "these labels again");
    bad_lines("# TYPE a counter\na_total 1\na_created 1\na_total 1\n", 4, 1, "the same name and labels again");
    bad_lines("# TYPE a counter\na_total{b=\"1\"} 1\na_total{b=\"2\"} 1\na_created{b=\"1\"} 1\n", 4, 1, "these labels again");
    bad_lines("# TYPE a info\na_info{b=\"1\"} 1\na_info{b=\"1\"} 1\n", 3, 1, "the same name and labels again");
    bad_lines("# TYPE a stateset\na{a=\"x\"} 1\na{a=\"x\"} 0\n", 3, 1, "the same name and labels again");
    bad_lines("# TYPE a summary\na{quantile=\"0.5\"} 1\na{quantile=\"0.5\"} 1\n", 3, 1, "the same name and labels again");
    bad_lines("# TYPE a summary\na_sum 1\na_count 1\na_sum 1\n", 4, 1, "the same name and labels again");
}

#[rustfmt::skip]
#[test]
fn times_of_a_metric_go_up() {
    good_lines("a 1 1\na 2 2\na 3 3\n");
    good_lines("a 1 1\na 2 1\n");
    good_lines("a 1 0.0000000000\na 2 0.0000000001\n");
    good_lines("a{b=\"1\"} 1 5\na{b=\"2\"} 1 1\na{b=\"3\"} 1\n");
    good_lines("# TYPE a info\na_info{b=\"1\"} 1 5\na_info{b=\"2\"} 1 1\n");
    bad_lines("a 1 2\na 2 1\n", 2, 5, "the time is before that of the sample above");
    bad_lines("a 1 1.000000002\na 2 1.000000001\n", 2, 5, "the time is before that of the sample above");
    bad_lines("a 1 2\na 2\n", 2, 3, "samples with and without a time");
    bad_lines("a 1\na 2 1\n", 2, 5, "samples with and without a time");
    bad_lines("# TYPE a counter\na_total 1 1\na_created 1\n", 3, 11, "samples with and without a time");
    let histogram = |time: &str| {
        format!(
            "a_bucket{{le=\"1\"}} 1 {time}\na_bucket{{le=\"+Inf\"}} 1 {time}\na_count 1 {time}\na_sum 1 {time}\n"
        )
    };
    good_lines(&format!("# TYPE a histogram\n{}{}", histogram("1"), histogram("2")));
    good_lines(&format!("# TYPE a histogram\n{}{}", histogram("1.0000000001"), histogram("1.0000000002")));
}

#[rustfmt::skip]
#[test]
fn counters_count() {
    good_lines("# TYPE a counter\na_total +Inf\n");
    good_lines("# TYPE a counter\na_total 0\na_created -1\n");
    good_lines("# TYPE a counter\na_created 1\na_total 0\n");
    bad_lines("# TYPE a counter\na_total -1\n", 2, 9, "a negative number");
    bad_lines("# TYPE a counter\na_total -Inf\n", 2, 9, "a negative number");
    bad_lines("# TYPE a counter\na_total NaN\n", 2, 9, "NaN for what is counted");
    bad_lines("# TYPE a counter\na_total 1\na_created NaN\n", 3, 11, "the creation is no time");
    bad_lines("# TYPE a counter\na_total 1\na_created Inf\n", 3, 11, "the creation is no time");
    bad_lines("# TYPE a counter\na_created 1\n", 2, 1, "a counter without its value");
    bad_lines("# TYPE a counter\na_created{b=\"1\"} 1\na_total{b=\"2\"} 1\n", 2, 1, "a counter without its value");
}

#[rustfmt::skip]
#[test]
fn infos_are_1_and_states_0_or_1() {
    good_lines("# TYPE a info\na_info 1.0\n");
    bad_lines("# TYPE a info\na_info 2\n", 2, 8, "the value of an info is 1");
    bad_lines("# TYPE a info\na_info NaN\n", 2, 8, "the value of an info is 1");
    good_lines("# TYPE a stateset\na{a=\"x\"} 1e0\na{a=\"y\"} 0.0\n");
    bad_lines("# TYPE a stateset\na{a=\"x\"} 0.5\n", 2, 10, "a state is 0 or 1");
    bad_lines("# TYPE a stateset\na{a=\"x\"} NaN\n", 2, 10, "a state is 0 or 1");
    bad_lines("# TYPE a stateset\na 1\n", 2, 1, "the label a is missing");
    bad_lines("# TYPE a stateset\na{b=\"x\"} 1\n", 2, 1, "the label a is missing");
    // The metrics of a stateset stand together.
    bad_lines("# TYPE a stateset\na{a=\"x\"} 1\na{a=\"x\",b=\"1\"} 1\na{a=\"y\"} 1\n", 4, 1, "these labels again");
}

#[rustfmt::skip]
#[test]
fn histograms_are_cumulative_and_whole() {
    let page = |lines: &str| format!("# TYPE a histogram\n{lines}");
    let last = "a_bucket{le=\"+Inf\"} 2\n";
    good_lines(&page(last));
    good_lines(&page("a_sum 1\na_count 2\na_created 5\na_bucket{le=\"-1\"} 1\n") .replace("a_sum 1\na_count 2\n", "") .replace("1\n", "1\na_bucket{le=\"+Inf\"} 2\n"));
    good_lines(&page(&format!("a_count 2\na_sum 0\na_bucket{{le=\"0\"}} 2\n{last}")));
    good_lines(&page("a_bucket{le=\"1.1e-4\"} 0\na_bucket{le=\"1\"} 2\na_bucket{le=\"1e3\"} 2.0\na_bucket{le=\"+Inf\"} 2\n"));
    good_lines(&page(&format!("a_bucket{{le=\"-1\"}} 1\n{last}")));
    bad_lines(&page("a_bucket{le=\"1\"} 1\n"), 2, 1, "the last bucket is missing");
    bad_lines(&page("a_count 1\na_sum 1\n"), 2, 1, "the last bucket is missing");
    bad_lines(&page("a_bucket{le=\"1\"} 1\na_bucket{le=\"1\",b=\"2\"} 1\na_bucket{le=\"+Inf\",b=\"2\"} 2\n"), 2, 1, "the last bucket is missing");
    bad_lines(&page(&format!("a_bucket{{le=\"2\"}} 1\na_bucket{{le=\"1\"}} 1\n{last}")), 3, 10, "le is not above");
    bad_lines(&page(&format!("a_bucket{{le=\"10\"}} 1\na_bucket{{le=\"9\"}} 1\n{last}")), 3, 10, "le is not above");
    bad_lines(&page(&format!("a_bucket{{le=\"1\"}} 1\na_bucket{{le=\"1.0\"}} 1\n{last}")), 3, 10, "the same name and labels again");
    bad_lines(&page(&format!("a_bucket{{le=\"1\"}} 3\n{last}")), 3, 21, "the bucket holds less");
    bad_lines(&page(&format!("a_bucket{{le=\"NaN\"}} 1\n{last}")), 2, 10, "le=\"NaN\" is no bucket");
    bad_lines(&page(&format!("a_bucket{{le=\"0x1\"}} 1\n{last}")), 2, 10, "le=\"0x1\" is no bucket");
    bad_lines(&page(&format!("a_bucket{{le=\"\"}} 1\n{last}")), 2, 10, "le=\"\" is no bucket");
    bad_lines(&page(&format!("a_bucket 1\n{last}")), 2, 1, "the label le is missing");
    for infinity in ["+INF", "inf", "Inf", "+Infinity", "1e999"] {
        // It may be the last, so that none is missing.
        let lines = page(&format!("a_bucket{{le=\"{infinity}\"}} 2\na_count 2\na_sum 1\n"));
        bad_lines(&lines, 2, 10, &format!("le=\"{infinity}\" is no bucket: write a number or +Inf"));
    }
    bad_lines(&page(&format!("a_bucket{{le=\"1\"}} 0.5\n{last}")), 2, 18, "a fraction of what is counted");
    bad_lines(&page(&format!("a_bucket{{le=\"1\"}} -1\n{last}")), 2, 18, "a negative number");
    bad_lines(&page(&format!("a_bucket{{le=\"1\"}} NaN\n{last}")), 2, 18, "NaN");
    bad_lines(&page(&format!("{last}a_count 3\na_sum 1\n")), 2, 1, "_count is not what the bucket +Inf holds");
    bad_lines(&page(&format!("{last}a_count 2\n")), 2, 1, "_count without _sum");
    bad_lines(&page(&format!("{last}a_sum 2\n")), 2, 1, "_sum without _count");
    bad_lines(&page(&format!("{last}a_count 2\na_sum NaN\n")), 4, 7, "NaN");
    bad_lines(&page(&format!("{last}a_count 2\na_sum -1\n")), 4, 7, "a negative number");
    bad_lines(&page(&format!("a_bucket{{le=\"-1\"}} 1\n{last}a_count 2\na_sum 1\n")), 2, 1, "a sum where a bucket is negative");
    bad_lines(&page(&format!("{last}a_count{{le=\"+Inf\"}} 2\na_sum 1\n")), 3, 9, "the label le does not belong here");
}

#[rustfmt::skip]
#[test]
fn gauge_histograms_may_go_below_zero() {
    let page = |lines: &str| format!("# TYPE a gaugehistogram\n{lines}");
    let last = "a_bucket{le=\"+Inf\"} 2\n";
    good_lines(&page(last));
    good_lines(&page(&format!("a_bucket{{le=\"-1\"}} 1\n{last}a_gcount 2\na_gsum -5\n")));
    good_lines(&page(&format!("{last}a_gcount 2\na_gsum 5\n")));
    bad_lines(&page(&format!("{last}a_gcount 2\na_gsum -5\n")), 2, 1, "the sum is negative, but no bucket is");
    bad_lines(&page(&format!("{last}a_gcount 2\na_gsum NaN\n")), 4, 8, "NaN");
    bad_lines(&page(&format!("{last}a_gcount 1\na_gsum 1\n")), 2, 1, "_gcount is not what");
    bad_lines(&page(&format!("{last}a_gcount 2\n")), 2, 1, "_gcount without _gsum");
    bad_lines(&page(&format!("{last}a_gsum 2\n")), 2, 1, "_gsum without _gcount");
    bad_lines(&page("a_bucket{le=\"1\"} 1\n"), 2, 1, "the last bucket is missing");
}

#[rustfmt::skip]
#[test]
fn summaries_have_quantiles_from_0_to_1() {
    let page = |lines: &str| format!("# TYPE a summary\n{lines}");
    good_lines(&page("a{quantile=\"1\"} NaN\na{quantile=\"0\"} 5\na{quantile=\"0.5\"} +Inf\na_sum 1\n"));
    good_lines(&page("a_count 1\n"));
    for quantile in ["1.1", "-0.1", "NaN", "x", ""] {
        bad_lines(&page(&format!("a{{quantile=\"{quantile}\"}} 1\n")), 2, 3, &format!("quantile={quantile:?} is no quantile"));
    }
    bad_lines(&page("a 1\n"), 2, 1, "the label quantile is missing");
    bad_lines(&page("a{quantile=\"0.5\"} -1\n"), 2, 19, "a negative number");
    bad_lines(&page("a_sum{quantile=\"0.5\"} 1\n"), 2, 7, "the label quantile does not belong here");
    bad_lines(&page("a_sum -1\n"), 2, 7, "a negative number");
    bad_lines(&page("a_sum NaN\n"), 2, 7, "NaN");
    bad_lines(&page("a_count 1.5\n"), 2, 9, "a fraction");
    bad_lines(&page("a_count -1\n"), 2, 9, "a negative number");
}

#[rustfmt::skip]
#[test]
fn exemplars_are_short_and_on_counts() {
    let counter = |exemplar: &str| format!("# TYPE a counter\na_total 1{exemplar}\n");
    good_lines(&counter(" # {} 1"));
    good_lines(&counter(" 5 # {b=\"c\"} 1e3 -5.5"));
    good_lines(&counter(" # {b=\"#\"} NaN"));
    // 128 characters, of which some take more bytes, or an escape.
    good_lines(&counter(&format!(" # {{b=\"{}\",c=\"\\n\"}} 1", "漢".repeat(125))));
    bad_lines(&counter(&format!(" # {{b=\"{}\",c=\"\\n\"}} 1", "漢".repeat(126))), 2, 11, "names and values of the exemplar's labels have 129 characters");
    for (exemplar, column) in [
        ("# {} 1", 9), (" #{} 1", 12), (" # 1", 13), (" # {}1", 15), (" # {}", 15), (" #", 12),
        (" # {} 1 2 3", 19), (" # {} 1 # {} 1", 18), (" #  {} 1", 13), (" # {} ", 16), (" # {} x", 16),
        (" # {} 1 x", 18), (" # {b} 1", 15), (" # {b=\"1\",b=\"2\"} 1", 20),
    ] {
        let found = mistakes(&format!("{}# EOF\n", counter(exemplar)));
        assert_eq!(found.len(), 1, "{exemplar}: {found:?}");
        assert_eq!(found[0].column, column, "{exemplar}: {found:?}");
    }
    let not_here = "an exemplar does not belong here";
    bad_lines("# TYPE a gauge\na 1 # {} 1\n", 2, 5, not_here);
    bad_lines("a 1 # {} 1\n", 1, 5, not_here);
    bad_lines("# TYPE a counter\na_total 1\na_created 1 # {} 1\n", 3, 13, not_here);
    bad_lines("# TYPE a summary\na_count 1 # {} 1\n", 2, 11, not_here);
    bad_lines("# TYPE a info\na_info 1 # {} 1\n", 2, 10, not_here);
    bad_lines("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1 # {} 1\na_sum 1\n", 3, 11, not_here);
    good_lines("# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1 # {} 1\n");
    bad_lines("# TYPE a histogram\na_bucket{le=\"1\"} 1 # {} 1.5\na_bucket{le=\"+Inf\"} 1\n", 2, 20, "the exemplar's value is above its bucket's le");
    bad_lines(&counter(" # {_b=\"c\"} 1"), 2, 11, "the name _b is reserved");
}
