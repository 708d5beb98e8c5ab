//! A small reader of line protocol that is not the programs' own: what a sink was sent is read twice independently.

use std::collections::BTreeMap;

/// A line taken apart. Escapes are undone; a field's value is its text as written (`1i`, `"x"`, `0.5`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) measurement: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) fields: BTreeMap<String, String>,
    /// ns since the epoch.
    pub(crate) time: i64,
}

impl Line {
    /// What tells it from any other point: measurement, tags and time.
    pub(crate) fn key(&self) -> String {
        format!("{}{:?}@{}", self.measurement, self.tags, self.time)
    }
}

/// Takes a body apart.
#[track_caller]
pub(crate) fn lines(body: &str) -> Vec<Line> {
    body.lines().map(line).collect()
}

#[track_caller]
fn line(text: &str) -> Line {
    let parts = split(text, ' ');
    let [series, fields, time] = &parts[..] else {
        panic!("{} parts, not 3: {text}", parts.len())
    };
    let mut series = split(series, ',').into_iter();
    let measurement = unescape(&series.next().unwrap_or_default());
    let pair = |text: String| {
        let halves = split(&text, '=');
        assert_eq!(halves.len(), 2, "{text}");
        (unescape(&halves[0]), halves[1].clone())
    };
    Line {
        measurement,
        tags: series
            .map(pair)
            .map(|(key, value)| (key, unescape(&value)))
            .collect(),
        fields: split(fields, ',').into_iter().map(pair).collect(),
        time: time.parse().unwrap_or_else(|why| panic!("time {time}: {why}")),
    }
}

/// Splits at a separator that is neither escaped nor in quotes (quotes count behind a `=` alone).
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for letter in text.chars() {
        if letter == separator && !quoted && !escaped {
            parts.push(String::new());
        } else {
            if letter == '"' && !escaped && (quoted || before == '=') {
                quoted = !quoted;
            }
            parts.last_mut().expect("never empty").push(letter);
        }
        // In a string a backslash may itself be escaped; elsewhere it is one before anything but a separator.
        escaped = letter == '\\' && !(quoted && escaped);
        before = letter;
    }
    parts
}

/// Undoes the escapes of names and tag values.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' || !letters.peek().is_some_and(|next| [',', '=', ' '].contains(next)) {
            plain.push(letter);
        }
    }
    plain
}

#[test]
fn reads_a_line() {
    let read = &lines("a\\ b,c\\,d=e\\=f,g=h i=1i,j=\"k, \\\"l\\\" = m\",n=-0.5 7\n")[0];
    assert_eq!(read.measurement, "a b");
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    assert_eq!(read.tags, pairs(&[("c,d", "e=f"), ("g", "h")]));
    assert_eq!(
        read.fields,
        pairs(&[("i", "1i"), ("j", "\"k, \\\"l\\\" = m\""), ("n", "-0.5")])
    );
    assert_eq!(read.time, 7);
    assert_eq!(lines("m,t=\\\\ b f=\"\\\\\" 1")[0].tags, pairs(&[("t", "\\ b")]));
}
