//! A server's words, fit for a log, a table and a terminal.

/// The most characters kept of what a server says.
pub(crate) const MAX_WORDS: usize = 400;

/// The text on one line, without control characters, cut to [`MAX_WORDS`].
pub(crate) fn words(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut space = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            space = length > 0;
            continue;
        }
        if length >= MAX_WORDS {
            out.push('…');
            break;
        }
        if space {
            out.push(' ');
            length += 1;
            space = false;
        }
        out.push(character);
        length += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(words("  a\r\n\tb\u{1b}[31mc\0 "), "a b [31mc");
        let long = words(&"ä".repeat(10_000));
        assert_eq!(long.chars().count(), MAX_WORDS + 1);
        assert!(long.ends_with('…'));
        assert_eq!(words(""), "");
    }
}
