//! `/etc/default/tidemark`, as systemd reads an `EnvironmentFile=`.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use crate::files::{self, ReadError};

/// The variables of all units of a host.
const FILE: &str = "/etc/default/tidemark";

/// The most of it that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// The variables that the host below `root` gives its units: those of `/etc/default/tidemark` there. None where there is no
/// such file.
///
/// # Errors
/// Where the file is there and cannot be read by this user, is none, or is longer than 1 MiB.
pub fn environment_file(root: &Path) -> Result<BTreeMap<String, OsString>, EnvironmentFileError> {
    let file = root.join(FILE.trim_start_matches('/'));
    match files::read(&file, LONGEST) {
        Ok(text) => Ok(read(&text)),
        Err(ReadError::Missing) => Ok(BTreeMap::new()),
        Err(error) => Err(EnvironmentFileError {
            what: error.what(),
            advice: error.advice(),
        }),
    }
}

/// Why the variables of `/etc/default/tidemark` are not known, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFileError {
    what: String,
    advice: String,
}

impl fmt::Display for EnvironmentFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FILE} {}; {}", self.what, self.advice)
    }
}

impl Error for EnvironmentFileError {}

/// The variables of such a text: `NAME=VALUE` on a line, `#` or `;` before a comment, quotes, and a backslash that takes
/// what follows as it is (systemd.exec(5)). The last of one name counts. A line without `=` says nothing, and neither does
/// a text that is not UTF-8 or holds a NUL, of which systemd takes nothing.
fn read(text: &[u8]) -> BTreeMap<String, OsString> {
    let text = match std::str::from_utf8(text) {
        Ok(text) if !text.contains('\0') => text,
        _ => return BTreeMap::new(),
    };
    let mut letters = text.chars().peekable();
    let mut variables = BTreeMap::new();
    loop {
        while letters.next_if(|letter| letter.is_ascii_whitespace()).is_some() {}
        match letters.peek() {
            None => return variables,
            Some('#' | ';') => {
                // A backslash at the end takes no newline here since systemd 254, and the line below was lost before.
                while letters.next_if(|letter| *letter != '\n').is_some() {}
            }
            Some(_) => {
                let mut name = String::new();
                while let Some(letter) = letters.next_if(|letter| !matches!(letter, '=' | '\n' | '\r')) {
                    name.push(letter);
                }
                if letters.next_if_eq(&'=').is_some() {
                    let value = value(&mut letters);
                    variables.insert(name.trim_end().to_owned(), value.into());
                }
            }
        }
    }
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn value(letters: &mut Letters<'_>) -> String {
    let mut value = String::new();
    loop {
        while letters.next_if(|letter| matches!(letter, ' ' | '\t')).is_some() {}
        match letters.next() {
            None | Some('\n' | '\r') => return value,
            Some('\'') => {
                for letter in letters.by_ref().take_while(|letter| *letter != '\'') {
                    value.push(letter);
                }
            }
            Some('"') => quoted(letters, &mut value),
            Some(first) => {
                plain(first, letters, &mut value);
                return value;
            }
        }
    }
}

/// To the closing quote: a backslash takes a quote, a backslash, a backtick or a dollar as it is, and joins lines.
fn quoted(letters: &mut Letters<'_>, value: &mut String) {
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return,
            '\\' => match letters.next() {
                Some('\n') | None => {}
                Some(escaped @ ('"' | '\\' | '`' | '$')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
            },
            letter => value.push(letter),
        }
    }
}

/// To the end of the line, without white space there that no backslash keeps.
fn plain(first: char, letters: &mut Letters<'_>, value: &mut String) {
    let mut kept = value.len();
    let mut next = Some(first);
    while let Some(letter) = next {
        match letter {
            '\n' | '\r' => break,
            '\\' => {
                match letters.next() {
                    Some('\n') | None => {}
                    Some(escaped) => value.push(escaped),
                }
                kept = value.len();
            }
            letter => {
                value.push(letter);
                if !letter.is_ascii_whitespace() {
                    kept = value.len();
                }
            }
        }
        next = letters.next();
    }
    value.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<(String, String)> {
        let read = read(text.as_bytes());
        read.into_iter()
            .map(|(name, value)| (name, value.into_string().unwrap()))
            .collect()
    }

    /// As systemd 252 gave them to a service.
    #[test]
    fn values_are_those_that_systemd_reads() {
        for (text, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("  A = b c \t\n", "b c"),
            ("A='b  c'", "b  c"),
            ("A=\"b\\\"c\\$d\\e\"", "b\"c$d\\e"),
            ("A='b' 'c'", "bc"),
            ("A='b'c'd'", "bc'd'"),
            ("A=b\\ \nB", "b "),
            ("A=b\\\nc\n", "bc"),
            ("A=b'c", "b'c"),
            ("A='b\nc'", "b\nc"),
            ("A=x\r\nA=b\r\n", "b"),
            ("# A=x\n; A=y\nA=b # c\n", "b # c"),
            ("A=b=c", "b=c"),
            ("A='", ""),
            ("A=\"b\\\nc\"", "bc"),
            ("A=\"b\nc\" d \\x", "b\ncd x"),
            ("A='b' \\ c", "b c"),
            ("A=\\\nb", "b"),
            ("A=b\\\\c", "b\\c"),
            ("A=\"b\" ; c", "b; c"),
            ("A=$B${C}`", "$B${C}`"),
        ] {
            assert_eq!(of(text), [("A".to_owned(), value.to_owned())], "{text:?}");
        }
        assert_eq!(of("nothing\n\n#"), []);
        assert_eq!(of("export A=b"), [("export A".to_owned(), "b".to_owned())]);
        assert!(read(b"A=b\nB=\xff").is_empty());
        assert!(read(b"A=b\n\0B=c\n").is_empty());
    }

    #[test]
    fn the_file_is_below_the_root_and_need_not_be() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(environment_file(root.path()), Ok(BTreeMap::new()));
        let folder = root.path().join("etc/default");
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(environment_file(root.path()), Ok(BTreeMap::new()));
        let file = folder.join("tidemark");
        std::fs::write(&file, "A=b\n").unwrap();
        let variables = BTreeMap::from([("A".to_owned(), OsString::from("b"))]);
        assert_eq!(environment_file(root.path()), Ok(variables));

        let said = || environment_file(root.path()).unwrap_err().to_string();
        std::fs::write(&file, vec![b'#'; LONGEST + 1]).unwrap();
        assert_eq!(
            said(),
            "/etc/default/tidemark is too large; name the right file, or make it smaller"
        );
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert_eq!(
            said(),
            "/etc/default/tidemark is a directory; name a regular file instead"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn any_text_is_read_to_its_end(text in "[A='\"\\\\ #;\n$a]{0,60}") {
            of(&text);
        }
    }
}
