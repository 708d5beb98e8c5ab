//! Indexes as Apache writes them of a folder.

use std::fmt::Write as _;

use super::names::below;
use super::{Made, Size, utc};
use crate::Random;

/// How the server was told to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexStyle {
    /// `IndexOptions FancyIndexing HTMLTable`: a table.
    Table,
    /// `IndexOptions FancyIndexing`: lines of preformatted text, long names cut.
    Pre,
    /// No `FancyIndexing`: a list of names alone.
    List,
}

/// An index of those names and times, in milliseconds, of which the minute is shown; folders end in a slash.
pub fn apache_index(style: IndexStyle, path: &str, rows: &[(String, i64)]) -> String {
    let title = escaped(path.trim_end_matches('/'));
    let mut text = format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of {title}</title>\n </head>\n <body>\n<h1>Index of {title}</h1>\n"
    );
    let parent = path
        .trim_end_matches('/')
        .rsplit_once('/')
        .map_or("/", |(parent, _)| parent);
    match style {
        IndexStyle::Table => {
            text.push_str("  <table>\n   <tr><th valign=\"top\"><img src=\"/icons/blank.gif\" alt=\"[ICO]\"></th><th><a href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=M;O=A\">Last modified</a></th><th><a href=\"?C=S;O=A\">Size</a></th><th><a href=\"?C=D;O=A\">Description</a></th></tr>\n   <tr><th colspan=\"5\"><hr></th></tr>\n");
            let _ = writeln!(
                text,
                "<tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td><td><a href=\"{parent}/\">Parent Directory</a></td><td>&nbsp;</td><td align=\"right\">  - </td><td>&nbsp;</td></tr>"
            );
            for (number, (name, time)) in rows.iter().enumerate() {
                let (icon, alt, size) = kind(name, number);
                let _ = writeln!(
                    text,
                    "<tr><td valign=\"top\"><img src=\"/icons/{icon}.gif\" alt=\"[{alt}]\"></td><td><a href=\"{}\">{}</a></td><td align=\"right\">{}  </td><td align=\"right\">{size:>4} </td><td>&nbsp;</td></tr>",
                    link(name),
                    escaped(&cut(name)),
                    utc(*time).format("%Y-%m-%d %H:%M")
                );
            }
            text.push_str("   <tr><th colspan=\"5\"><hr></th></tr>\n</table>\n");
        }
        IndexStyle::Pre => {
            text.push_str("<pre><img src=\"/icons/blank.gif\" alt=\"Icon \"> <a href=\"?C=N;O=D\">Name</a>                    <a href=\"?C=M;O=A\">Last modified</a>      <a href=\"?C=S;O=A\">Size</a>  <a href=\"?C=D;O=A\">Description</a><hr>");
            let _ = writeln!(
                text,
                "<img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"> <a href=\"{parent}/\">Parent Directory</a>                             -   "
            );
            for (number, (name, time)) in rows.iter().enumerate() {
                let (icon, alt, size) = kind(name, number);
                let shown = cut(name);
                let room = 23_usize.saturating_sub(shown.chars().count());
                let _ = writeln!(
                    text,
                    "<img src=\"/icons/{icon}.gif\" alt=\"[{alt}]\"> <a href=\"{}\">{}</a>{:room$} {}  {size:>4}  ",
                    link(name),
                    escaped(&shown),
                    "",
                    utc(*time).format("%Y-%m-%d %H:%M")
                );
            }
            text.push_str("<hr></pre>\n");
        }
        IndexStyle::List => {
            let _ = writeln!(text, "<ul><li><a href=\"{parent}/\"> Parent Directory</a></li>");
            for (name, _) in rows {
                let _ = writeln!(text, "<li><a href=\"{}\"> {}</a></li>", link(name), escaped(name));
            }
            text.push_str("</ul>\n");
        }
    }
    text.push_str("<address>Apache/2.4.58 (Ubuntu) Server at ubuntu-archive-team.ubuntu.com Port 443</address>\n</body></html>\n");
    text
}

/// The index of a day of britney's logs, 400 where it is real: names `HH:MM:SS.log` that grow with their times, some
/// with `notest`. The answer is the names as they are, newest first, those with `notest` left out.
pub fn britney_day_index(size: Size, day: i64, style: IndexStyle) -> Made<Vec<String>> {
    let mut random = Random::new(400);
    let start = day - day.rem_euclid(86_400_000);
    let count = super::small(size.of(400).min(86_400));
    let mut rows = Vec::new();
    for number in 0..count {
        let time = start + 86_400_000 / count * number;
        let end = if below(&mut random, 10) == 0 {
            "-notest.log"
        } else {
            ".log"
        };
        rows.push((format!("{}{end}", utc(time).format("%H:%M:%S")), time + 900_000));
    }
    let names = rows.iter().map(|(name, _)| name.clone());
    let answer = names.rev().filter(|name| !name.contains("notest")).collect();
    Made {
        text: apache_index(style, "/proposed-migration/log/resolute/2026-11-21", &rows),
        answer,
    }
}

/// The index of `dists/SERIES/main/cnf/`: a file for each architecture, six where it is real, and the last that is named
/// `Commands` so many minutes older than `now`. The answer is the minute of that last one, in milliseconds.
pub fn cnf_index(size: Size, now: i64, minutes_ago: i64, style: IndexStyle) -> Made<i64> {
    let time = (now / 60_000 - minutes_ago) * 60_000;
    let mut rows = vec![("by-hash/".to_owned(), time - 60_000)];
    for number in 0..size.of(6) {
        rows.push((format!("Commands-a{number:05}.xz"), time - 3_600_000));
    }
    rows.push(("Commands-s390x.xz".to_owned(), time));
    rows.push(("Release & notes".to_owned(), time + 60_000));
    Made {
        text: apache_index(style, "/ubuntu/dists/resolute/main/cnf", &rows),
        answer: time,
    }
}

/// The icon, its text, and the size that is shown.
fn kind(name: &str, number: usize) -> (&'static str, &'static str, String) {
    if name.ends_with('/') {
        ("folder", "DIR", "-".to_owned())
    } else if name.contains("notest") {
        ("unknown", "   ", "0 ".to_owned())
    } else {
        ("text", "TXT", format!("{}.{}M", number % 9 + 1, number % 10))
    }
}

/// A name as a link has it: where it has a colon, `./` before it, so that it is no scheme.
fn link(name: &str) -> String {
    let mut link = String::new();
    if name.contains(':') {
        link.push_str("./");
    }
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' | b'+' => {
                link.push(char::from(byte))
            }
            b'&' => link.push_str("&amp;"),
            _ => _ = write!(link, "%{byte:02x}"),
        }
    }
    link
}

/// As the column shows it, which is 23 characters wide.
fn cut(name: &str) -> String {
    if name.chars().count() <= 23 {
        return name.to_owned();
    }
    name.chars().take(21).chain("..>".chars()).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
