//! Values as systemd reads them back: checked, then escaped.
//!
//! systemd reads a unit by lines: a newline ends a value, a backslash at the end of a line joins the next one to it, `%`
//! begins a specifier in nearly every value. Where a value is split into words, quotes hold a word together, and a
//! backslash takes the next character as it is (systemd.syntax(7), systemd.service(5)).

use std::path::{Component, Path};

use crate::UnitError;

/// The longest path: the kernel's `PATH_MAX`, in bytes.
const LONGEST_PATH: usize = 4095;
/// The longest name in a path: the kernel's `NAME_MAX`, in bytes. systemd takes no path with a longer one.
const LONGEST_NAME: usize = 255;
/// The longest name of a credential, in bytes: that of a file.
const LONGEST_CREDENTIAL: usize = 255;
/// The longest name of a user or group, in bytes.
const LONGEST_ACCOUNT: usize = 31;
/// The most of a description that a unit holds, in characters: what `systemctl status` shows on a wide terminal.
const LONGEST_DESCRIPTION: usize = 200;

/// A text for people, for a value that is not split into words: one line, as much as fits.
pub(crate) fn description(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|letter| if is_blank(letter) { ' ' } else { letter })
        .collect();
    let line = line
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let mut cut: String = line.chars().take(LONGEST_DESCRIPTION).collect();
    if cut.len() < line.len() {
        cut.truncate(cut.trim_end().len());
        cut.push('…');
    }
    // A backslash at the end would join the next line; systemd itself puts a full stop there.
    specifiers(cut.trim_end_matches(['\\', ' ', '.']))
}

/// Whether a letter would end a line, or hide what stands on it.
fn is_blank(letter: char) -> bool {
    letter.is_control()
        || letter.is_whitespace()
        // Marks that turn the direction of a text: what is shown would not be what is there.
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `%` as itself.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// One word of a value that is split into words. The text holds no control characters, and not both kinds of quotes.
pub(crate) fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=@,".contains(letter);
    let escaped = specifiers(&text.replace('\\', "\\\\"));
    if !text.is_empty() && text.chars().all(plain) {
        escaped
    } else if text.contains('"') {
        format!("'{escaped}'")
    } else {
        format!("\"{escaped}\"")
    }
}

/// A path that may stand in a unit as a word: absolute, without `..`, without what cannot be escaped.
pub(crate) fn checked_path<'a>(of: &'static str, path: &'a Path) -> Result<&'a str, UnitError> {
    let wrong = |fault| UnitError::Path {
        of,
        path: path.to_owned(),
        fault,
    };
    let text = path.to_str().ok_or_else(|| wrong("is not UTF-8"))?;
    if !text.starts_with('/') {
        return Err(wrong("is not absolute; name it from / on"));
    }
    if text.len() > LONGEST_PATH {
        return Err(wrong("is longer than 4095 bytes"));
    }
    if text.split('/').any(|name| name.len() > LONGEST_NAME) {
        return Err(wrong("holds a name longer than 255 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong("holds a control character; rename it"));
    }
    if text.contains('"') && text.contains('\'') {
        return Err(wrong("holds both kinds of quotes; rename it"));
    }
    let ordinary = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !path.components().all(ordinary) {
        return Err(wrong("holds `..`; name it without"));
    }
    Ok(text)
}

/// The path of a program: systemd executes none with a quote or a backslash in its name.
pub(crate) fn checked_program<'a>(of: &'static str, path: &'a Path) -> Result<&'a str, UnitError> {
    let text = checked_path(of, path)?;
    if text.contains(['"', '\'', '\\']) || text.ends_with('/') {
        return Err(UnitError::Path {
            of,
            path: path.to_owned(),
            fault: "holds a quote or a backslash, or ends in a slash; rename it",
        });
    }
    Ok(text)
}

/// A path as a word. Slashes too many are left out: systemd compares paths by their letters.
pub(crate) fn path(of: &'static str, path: &Path) -> Result<String, UnitError> {
    checked_path(of, path)?;
    let straight: std::path::PathBuf = path.components().collect();
    Ok(word(checked_path(of, &straight)?))
}

/// A path that is the rest of its line, which systemd takes as it stands but for specifiers.
pub(crate) fn path_to_the_end(of: &'static str, path: &Path) -> Result<String, UnitError> {
    let straight: std::path::PathBuf = path.components().collect();
    checked_path(of, path)?;
    let text = checked_path(of, &straight)?;
    if text.ends_with(char::is_whitespace) || text.ends_with('\\') {
        return Err(UnitError::Path {
            of,
            path: path.to_owned(),
            fault: "ends in white space or a backslash; rename it",
        });
    }
    Ok(specifiers(text))
}

/// The name of a credential, by systemd's rule: a file name that can also name a file descriptor.
pub(crate) fn credential(name: &str) -> Result<String, UnitError> {
    let wrong = |fault| UnitError::Word {
        of: "a credential",
        word: name.to_owned(),
        fault,
    };
    // Versions of systemd differ in what they make of a backslash here.
    let ok = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':' | b'\\' | b'"' | b'\'');
    if name.is_empty() || name == "." || name == ".." {
        return Err(wrong("is no name of a file"));
    }
    if name.len() > LONGEST_CREDENTIAL {
        return Err(wrong("is longer than 255 bytes"));
    }
    if !name.bytes().all(ok) {
        return Err(wrong(
            "holds more than ASCII letters, digits and signs other than / : \\ and quotes",
        ));
    }
    Ok(specifiers(name))
}

/// The name of a user or group, by systemd's strict rule.
pub(crate) fn account<'a>(of: &'static str, name: &'a str) -> Result<&'a str, UnitError> {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let right =
        name.len() <= LONGEST_ACCOUNT && name.bytes().next().is_some_and(first) && name.bytes().all(rest);
    right.then_some(name).ok_or_else(|| UnitError::Word {
        of,
        word: name.to_owned(),
        fault: "is not of letters, digits, _ and -, 31 at most",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_one_line() {
        assert_eq!(
            description("100% of  it\nExecStart=/bin/sh\r\\"),
            "100%% of it ExecStart=/bin/sh"
        );
        assert_eq!(description("a\u{85}b\u{2028}c\0d \\\\ \\"), "a b c d");
        assert_eq!(description("a\u{202e}b"), "a b");
        assert_eq!(description(" \n"), "");
        assert_eq!(description("The queue."), "The queue");
        assert_eq!(description("ends in C:\\ \\"), "ends in C:");
        let long = description(&"ä".repeat(300));
        assert_eq!(long.chars().count(), LONGEST_DESCRIPTION + 1);
        assert!(long.ends_with("ä…"));
    }

    #[test]
    fn words_are_quoted_where_they_must() {
        for (text, written) in [
            ("/usr/lib/tidemark", "/usr/lib/tidemark"),
            ("", "\"\""),
            ("/a b", "\"/a b\""),
            ("/a;b", "\"/a;b\""),
            ("/a%b", "\"/a%%b\""),
            ("/a\\b", "\"/a\\\\b\""),
            ("/a\"b", "'/a\"b'"),
            ("/a'b", "\"/a'b\""),
            ("/ä:b", "\"/ä:b\""),
            ("/a$b", "\"/a$b\""),
        ] {
            assert_eq!(word(text), written, "{text}");
        }
    }

    #[test]
    fn paths_that_cannot_be_written_are_refused() {
        let fault = |text: &str| match path("it", Path::new(text)) {
            Err(UnitError::Path { fault, .. }) => fault,
            other => panic!("{text:?}: {other:?}"),
        };
        assert!(fault("").contains("not absolute"));
        assert!(fault("relative").contains("not absolute"));
        assert!(fault("/a/../b").contains(".."));
        assert!(fault("/a\nExecStart=/bin/sh").contains("control"));
        assert!(fault("/a\u{85}b").contains("control"));
        assert!(fault("/a'\"b").contains("quotes"));
        assert!(fault(&"/a".repeat(2048)).contains("4095"));
        assert!(fault(&format!("/a/{}/b", "c".repeat(256))).contains("longer than 255"));
        assert!(path("it", Path::new(&format!("/{}", "c".repeat(255)))).is_ok());
        assert_eq!(path("it", Path::new("/a//b/./c/")).unwrap(), "/a/b/c");

        use std::os::unix::ffi::OsStrExt as _;
        let bytes = Path::new(std::ffi::OsStr::from_bytes(b"/a\xff"));
        assert!(matches!(
            path("it", bytes),
            Err(UnitError::Path {
                fault: "is not UTF-8",
                ..
            })
        ));

        for end in ["/a ", "/a\u{a0}", "/a\\"] {
            assert!(path_to_the_end("it", Path::new(end)).is_err(), "{end:?}");
        }
        assert_eq!(path_to_the_end("it", Path::new("/a b%c'\"")).ok(), None);
        assert_eq!(path_to_the_end("it", Path::new("/a b%c;")).unwrap(), "/a b%%c;");
    }

    #[test]
    fn programs_that_systemd_would_not_execute_are_refused() {
        for program in ["/a'b", "/a\"b", "/a\\b", "/a/", "a", "/a\nb"] {
            assert!(checked_program("it", Path::new(program)).is_err(), "{program:?}");
        }
        assert_eq!(
            checked_program("it", Path::new("/a b;%n$c")).unwrap(),
            "/a b;%n$c"
        );
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a:b",
            "a b",
            "a\n",
            "ä",
            "a\\b",
            "a\"",
            &"a".repeat(256),
        ] {
            assert!(credential(name).is_err(), "{name:?}");
        }
        assert_eq!(credential("a%b;$c").unwrap(), "a%%b;$c");
        for name in ["", "-a", "0", "a b", "a\nb", "a%", "ä", &"a".repeat(32)] {
            assert!(account("a user", name).is_err(), "{name:?}");
        }
        assert_eq!(account("a user", "tide_mark-1").unwrap(), "tide_mark-1");
    }
}
