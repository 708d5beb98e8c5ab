//! Reads units as systemd does, written from its manual pages alone: systemd.syntax(7) for lines, systemd.service(5) for
//! command lines, systemd.unit(5) for specifiers.

/// A key of a section, in the order of the file, with its value as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) section: String,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// All entries of a unit. What systemd would warn about is an error.
pub(crate) fn read(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    let mut section = String::new();
    let mut joined = String::new();
    // A line ends with a line feed, a carriage return, or a NUL.
    for line in text.split(['\n', '\r', '\0']) {
        if joined.is_empty() && (line.trim_start().is_empty() || line.trim_start().starts_with(['#', ';'])) {
            continue;
        }
        // A backslash is an escape only where it is not escaped itself.
        let slashes = line.len() - line.trim_end_matches('\\').len();
        if slashes % 2 == 1 {
            joined.push_str(&line[..line.len() - 1]);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        let line = std::mem::take(&mut joined);
        let line = line.trim_matches([' ', '\t']);
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
            continue;
        }
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("no assignment: {line:?}"))?;
        if section.is_empty() {
            return Err(format!("no section: {line:?}"));
        }
        entries.push(Entry {
            section: section.clone(),
            key: key.trim_end_matches([' ', '\t']).to_owned(),
            value: value.trim_matches([' ', '\t']).to_owned(),
        });
    }
    if joined.is_empty() {
        Ok(entries)
    } else {
        Err(format!("goes on after the end: {joined:?}"))
    }
}

/// A value whose specifiers are resolved: none but `%%` is expected.
pub(crate) fn without_specifiers(value: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        if letter == '%' {
            match letters.next() {
                Some('%') => {}
                other => return Err(format!("the specifier %{other:?} in {value:?}")),
            }
        }
        text.push(letter);
    }
    Ok(text)
}

/// The words of a value, unquoted, with specifiers resolved.
pub(crate) fn words(value: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', _) => match letters.next() {
                // The escapes for which all of systemd's ways to split words agree.
                Some('\\') => word.get_or_insert_default().push('\\'),
                other => return Err(format!("the escape {other:?} in {value:?}")),
            },
            (letter, Some(open)) if letter == open => quote = None,
            (letter, Some(_)) => word.get_or_insert_default().push(letter),
            // A quotation begins a word, and only there do all agree.
            ('"' | '\'', None) if word.is_none() => {
                quote = Some(letter);
                word = Some(String::new());
            }
            ('"' | '\'', None) => return Err(format!("a quote within a word: {value:?}")),
            (' ' | '\t', None) => words.extend(word.take()),
            (letter, None) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err(format!("an open quotation: {value:?}"));
    }
    words.extend(word);
    words.iter().map(|word| without_specifiers(word)).collect()
}

/// The program and its arguments of a command line.
pub(crate) fn command(value: &str) -> Result<Vec<String>, String> {
    let mut words = words(value)?;
    if words.iter().any(|word| word == ";") {
        return Err(format!("two commands: {value:?}"));
    }
    let program = words.first_mut().ok_or("no command")?;
    if let Some(rest) = program.strip_prefix(':') {
        *program = rest.to_owned();
    } else if words.iter().any(|word| word.contains('$')) {
        return Err(format!("a variable: {value:?}"));
    }
    Ok(words)
}

#[test]
fn it_finds_what_is_injected() {
    let of = |text: &str| read(text).map(|entries| entries.len());
    assert_eq!(of("[Unit]\nDescription=a\\\n b\n; c\n#d\nA=b"), Ok(2));
    assert_eq!(
        read("[Unit]\nDescription=a\\\nUser=root\n").unwrap()[0].value,
        "a User=root"
    );
    assert_eq!(of("[Unit]\nDescription=a\rUser=root\n"), Ok(2));
    assert!(of("A=b").is_err());
    assert!(of("[Unit]\nhello").is_err());
    assert!(of("[Unit]\na=b\\").is_err());
    assert!(without_specifiers("a%H").is_err());
    assert_eq!(
        words("a \"b c\" 'd\"e' \"f\\\\g%%\"").unwrap(),
        ["a", "b c", "d\"e", "f\\g%"]
    );
    assert!(words("\"a").is_err());
    assert!(command("/a ; /b").is_err());
    assert!(command("/a $B").is_err());
    assert_eq!(command("\":/a b\" $B").unwrap(), ["/a b", "$B"]);
}
