//! The screen of `check`: first whether there is anything to do, then every step with what was found and what to do.

use tidemark_collect::one_line;
use tidemark_delivery::{Finding, Verdict};

use super::{Part, Report};
use crate::table::{Paint, wrapped};
use crate::wording::{counted, date_and_time};

/// The width of a verdict.
const VERDICT: usize = "not tried".len();
/// The least width that is left for what was found beside verdict and check; else it goes beneath them.
const LEAST: usize = 40;
/// What stands before what to do.
const DO: &str = "-> ";

/// The whole screen, with a final newline; `width` is the terminal's, 0 where there is none.
pub(super) fn screen(report: &Report, colour: bool, width: usize) -> String {
    let mut out = format!("{}  {}\n", one_line(&report.host), date_and_time(report.now));
    for line in wrapped(&verdict(report), "", "", width) {
        out.push_str(&paint(worst(&report.parts)).apply(&line, colour));
        out.push('\n');
    }
    let rows: Vec<(&Part, Vec<Row>)> = report.parts.iter().map(|part| (part, rows(part))).collect();
    let checks = rows.iter().flat_map(|(_, rows)| rows);
    // A row of steps that were not tried must not push the others aside.
    let single = checks.filter(|row| row.verdict != Verdict::NotTried);
    let widest = single.map(|row| row.check.chars().count()).max().unwrap_or(0);
    for (part, rows) in rows {
        out.push_str(&format!("\n{}\n", one_line(&part.title)));
        for row in rows {
            row.print(&mut out, widest, colour, width);
        }
    }
    out
}

/// The first thing to read.
fn verdict(report: &Report) -> String {
    let of = |verdict| count(&report.parts, verdict);
    let warnings = match of(Verdict::Warning) {
        0 => String::new(),
        number => format!(", with {}", counted(number, "warning", "warnings")),
    };
    match of(Verdict::Failed) {
        0 => format!("All is well{warnings}."),
        number => {
            let parts = report.parts.iter().filter(|part| has_failed(part));
            let names: Vec<String> = parts
                .map(|part| match &part.name {
                    Some(name) => format!("{} {}", part.part, one_line(name)),
                    None => part.part.to_owned(),
                })
                .collect();
            let checks = counted(number, "check", "checks");
            format!("{checks} failed{warnings}: {}.", names.join(", "))
        }
    }
}

fn count(parts: &[Part], verdict: Verdict) -> u64 {
    let checks = parts.iter().flat_map(|part| &part.checks);
    checks.filter(|check| check.verdict == verdict).count() as u64
}

fn has_failed(part: &Part) -> bool {
    part.checks.iter().any(|check| check.verdict == Verdict::Failed)
}

fn worst(parts: &[Part]) -> Verdict {
    [Verdict::Failed, Verdict::Warning]
        .into_iter()
        .find(|verdict| count(parts, *verdict) > 0)
        .unwrap_or(Verdict::Ok)
}

fn paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Ok => Paint::Good,
        Verdict::NotTried => Paint::Dim,
        Verdict::Warning => Paint::Notable,
        Verdict::Failed => Paint::Bad,
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::NotTried => "not tried",
        Verdict::Warning => "warning",
        Verdict::Failed => "FAILED",
    }
}

/// One line, or some.
struct Row {
    check: String,
    verdict: Verdict,
    found: String,
    advice: Option<String>,
}

/// The rows of a part: steps that were not tried for the same reason share one.
fn rows(part: &Part) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for Finding {
        check,
        verdict,
        found,
        advice,
    } in &part.checks
    {
        let found = one_line(found);
        match rows.last_mut() {
            Some(last)
                if *verdict == Verdict::NotTried && last.verdict == *verdict && last.found == found =>
            {
                last.check.push_str(&format!(", {}", one_line(check)));
            }
            _ => rows.push(Row {
                check: one_line(check),
                verdict: *verdict,
                found,
                advice: advice.as_deref().map(one_line),
            }),
        }
    }
    rows
}

impl Row {
    fn print(&self, out: &mut String, widest: usize, colour: bool, width: usize) {
        let word = word(self.verdict);
        let mut head = format!("  {}", paint(self.verdict).apply(word, colour));
        head.extend(std::iter::repeat_n(' ', VERDICT - word.len() + 2));
        head.push_str(&self.check);
        let used = 2 + VERDICT + 2;
        let text = used + widest + 2;
        let own = used + self.check.chars().count();
        let gap = text.saturating_sub(own).max(2);
        let is_narrow = width > 0 && width < text + LEAST;
        let (indent, mut lines) = if is_narrow {
            out.push_str(&head);
            out.push('\n');
            (" ".repeat(4), Vec::new())
        } else {
            (" ".repeat(text), vec![(gap, head)])
        };
        // The first line hangs behind its head, the others beneath it.
        let first_at = if is_narrow { 4 } else { own + gap };
        let first = " ".repeat(first_at);
        let wrapped_found = wrapped(&self.found, &first, &indent, width);
        for (place, line) in wrapped_found.into_iter().enumerate() {
            match lines.pop().filter(|_| place == 0) {
                Some((gap, head)) => {
                    out.push_str(&head);
                    out.extend(std::iter::repeat_n(' ', gap));
                    out.push_str(line.get(first_at..).unwrap_or_default());
                }
                None => out.push_str(&line),
            }
            out.push('\n');
        }
        if let Some(advice) = &self.advice {
            let (first, next) = (format!("{indent}{DO}"), format!("{indent}   "));
            for line in wrapped(advice, &first, &next, width) {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Word;
    use super::*;
    use tidemark_point::Timestamp;

    fn report() -> Report {
        let checks = vec![
            Finding::ok("name", "db is 10.0.0.3"),
            Finding::failed(
                "TLS",
                "it is not\ntrusted\u{1b}[31mhere",
                "name it as ca_file, or have it renewed",
            ),
            Finding::not_tried("server", "because of: TLS"),
            Finding::not_tried("a long step", "because of: TLS"),
            Finding::warning("queue", "4 points wait", "flush"),
        ];
        Report {
            host: "bastion".to_owned(),
            now: Timestamp::EPOCH,
            verdict: Word(Verdict::Failed),
            parts: vec![Part {
                name: Some("main".to_owned()),
                ..Part::new("sink", "sink main  influxdb", checks)
            }],
            settings_are_wrong: false,
        }
    }

    #[test]
    fn a_wide_terminal_has_a_line_for_each() {
        let expected = "\
bastion  1970-01-01 00:00:00Z
1 check failed, with 1 warning: sink main.

sink main  influxdb
  ok         name   db is 10.0.0.3
  FAILED     TLS    it is not trusted [31mhere
                    -> name it as ca_file, or have it renewed
  not tried  server, a long step  because of: TLS
  warning    queue  4 points wait
                    -> flush
";
        assert_eq!(screen(&report(), false, 0), expected);
        assert_eq!(screen(&report(), false, 80), expected);
    }

    #[test]
    fn colours_say_no_more_than_words() {
        let coloured = screen(&report(), true, 80);
        assert!(
            coloured.contains("  \u{1b}[1;31mFAILED\u{1b}[0m     TLS"),
            "{coloured}"
        );
        let codes = [
            "\u{1b}[0m",
            "\u{1b}[32m",
            "\u{1b}[33m",
            "\u{1b}[2m",
            "\u{1b}[1;31m",
        ];
        let plain = codes.iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(plain, screen(&report(), false, 80));
    }

    #[test]
    fn a_narrow_terminal_has_what_was_found_beneath() {
        let narrow = screen(&report(), false, 30);
        assert!(
            narrow.contains(
                "  FAILED     TLS\n    it is not trusted [31mhere\n    -> name it as ca_file, or\n       have it renewed\n"
            ),
            "{narrow}"
        );
        assert!(narrow.lines().all(|line| line.chars().count() <= 38), "{narrow}");
    }

    #[test]
    fn all_is_well_with_and_without_warnings() {
        let mut report = report();
        report.parts[0].checks.remove(1);
        assert_eq!(verdict(&report), "All is well, with 1 warning.");
        report.parts[0].checks.pop();
        assert_eq!(verdict(&report), "All is well.");
        assert_eq!(worst(&report.parts), Verdict::Ok);
    }
}
