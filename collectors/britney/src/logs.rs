//! The logs of britney's runs: a folder a day, a file a run, called by the time at which the run began.
//!
//! A run writes when it began into the first line of its log (`Sat, 21 Nov 2026 06:40:02 +0000`), and into the last when
//! it ended (`Finished at: Sat, 21 Nov 2026 06:59:48 +0000`). A log without that line is of a run that goes on, or of one
//! that was killed.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use tidemark_ubuntu::apache_index;

/// What the last line of a whole log begins with.
const FINISHED: &str = "Finished at:";

/// The path of a day's folder, below britney's reports.
pub fn folder(series: &str, day: NaiveDate) -> String {
    format!("log/{series}/{}/", day.format("%Y-%m-%d"))
}

/// The names of the logs in the listing of a day's folder, the newest first. A log `HH:MM:SS.log` is one; what is called
/// otherwise is none, nor is a run that tests nothing (`notest`).
///
/// ```
/// use tidemark_britney::logs::newest_first;
///
/// let html = r#"<ul><li><a href="./06:40:02.log">06:40:02.log</a></li><li><a href="./07:10:02.log">07:10:02.log</a></li>
/// <li><a href="./07:20:00-notest.log">07:20:00-notest.log</a></li></ul>"#;
/// assert_eq!(newest_first(html), ["07:10:02.log", "06:40:02.log"]);
/// ```
pub fn newest_first(html: &str) -> Vec<String> {
    let mut names: Vec<String> = apache_index::parse(html)
        .into_iter()
        .map(|row| row.name)
        .collect();
    names.retain(|name| is_log(name));
    names.sort_unstable_by(|one, other| other.cmp(one));
    names.dedup();
    names
}

fn is_log(name: &str) -> bool {
    let time = name
        .strip_suffix(".log")
        .filter(|time| time.len() == "HH:MM:SS".len());
    time.is_some_and(|time| NaiveTime::parse_from_str(time, "%H:%M:%S").is_ok())
}

/// When the run began: the first line of its log.
pub fn started(beginning: &str) -> Option<DateTime<FixedOffset>> {
    time(beginning.lines().next()?)
}

/// When the run ended: the last line of its log, where the log is whole. `end` holds at least that line.
pub fn finished(end: &str) -> Option<DateTime<FixedOffset>> {
    time(end.trim_end().lines().next_back()?.strip_prefix(FINISHED)?)
}

fn time(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc2822(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_log_has_a_time_for_a_name() {
        for (name, is) in [
            ("06:40:02.log", true),
            ("23:59:59.log", true),
            ("notest-06:40:02.log", false),
            ("06:40:02-notest.log", false),
            ("06:40:02.notest.log", false),
            ("06:40:02.log.gz", false),
            ("6:40:02.log", false),
            ("06:40:02", false),
            ("26:40:02.log", false),
            ("06:40:02/", false),
            (".log", false),
        ] {
            assert_eq!(is_log(name), is, "{name}");
        }
    }

    #[test]
    fn the_newest_is_first_in_whatever_order_they_are_listed() {
        let row = |name: &str| format!("<li><a href=\"./{name}\">{name}</a></li>\n");
        let listed = [
            "06:40:02.log",
            "23:10:01.log",
            "07:10:02.log",
            "00:10:02.log",
            "README",
        ];
        let html = format!("<ul>\n{}</ul>", listed.map(row).concat());
        assert_eq!(
            newest_first(&html),
            ["23:10:01.log", "07:10:02.log", "06:40:02.log", "00:10:02.log"]
        );
        assert_eq!(newest_first("<html><body>Log in</body></html>"), [""; 0]);
    }

    #[test]
    fn the_first_and_the_last_line_have_times() {
        let utc = |time: Option<DateTime<FixedOffset>>| time.map(|time| time.to_utc().to_string());
        let log = "Sat, 21 Nov 2026 06:40:02 +0000\nLoading…\nFinished at: Sat, 21 Nov 2026 08:59:48 +0200\n";
        assert_eq!(utc(started(log)).as_deref(), Some("2026-11-21 06:40:02 UTC"));
        assert_eq!(utc(finished(log)).as_deref(), Some("2026-11-21 06:59:48 UTC"));
        assert_eq!(
            utc(finished("Finished at: Thu, 29 Feb 2024 23:59:59 +0000")).as_deref(),
            Some("2024-02-29 23:59:59 UTC")
        );
    }

    #[test]
    fn a_log_that_is_not_whole_has_no_end() {
        for end in [
            "",
            "\n",
            "Finished at: Sat, 21 Nov 2026 06:59:48 +0000\nand then this\n",
            "2026-11-21 Finished at: Sat, 21 Nov 2026 06:59:48 +0000\n",
            "Finished at: Sat, 21 Nov 2026 06:5",
            "Finished at: 2026-11-21T06:59:48Z\n",
            "Finished at:",
        ] {
            assert_eq!(finished(end), None, "{end}");
        }
        for beginning in [
            "",
            "\nSat, 21 Nov 2026 06:40:02 +0000\n",
            "<html>\n",
            "Sat, 31 Nov 2026 06:40:02 +0000",
        ] {
            assert_eq!(started(beginning), None, "{beginning}");
        }
    }

    #[test]
    fn a_day_has_a_folder() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(folder("noble", day), "log/noble/2024-02-29/");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A-Za-z0-9:,+\\-<>=\"/. \n]{0,120}") {
            started(&text);
            finished(&text);
            newest_first(&text);
        }
    }
}
