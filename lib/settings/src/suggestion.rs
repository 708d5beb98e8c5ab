//! What somebody may have meant.

/// Names longer than this are no slip of a name that we know, and are cut when printed.
const LONGEST_NAME: usize = 64;

/// The known name that is at most two slips (a letter more, less, other, or two swapped) away, the nearest first.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let folded = name.to_lowercase().replace('_', "-");
    known
        .iter()
        .map(|known| (slips(&folded, &known.replace('_', "-")), *known))
        .filter(|(slips, known)| *slips <= 2.min(known.chars().count() / 2))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, known)| known)
}

/// The name in backquotes, safe to print.
#[must_use]
pub fn quoted(name: &str) -> String {
    let mut text = String::from("`");
    for (count, character) in name.chars().enumerate() {
        if count == LONGEST_NAME {
            text.push('…');
            break;
        }
        if is_printable(character) {
            text.push(character);
        } else {
            text.extend(character.escape_unicode());
        }
    }
    text.push('`');
    text
}

/// Neither a control character nor one that turns the direction of text.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The names in backquotes: `a`, `b` and `c`.
pub(crate) fn listed(names: &[&str]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == names.len() { " and " } else { ", " });
        }
        text.push_str(&quoted(name));
    }
    text
}

/// The optimal string alignment distance, in characters.
fn slips(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(x != *y))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            let swapped = j > 0 && previous == Some(*y) && b.get(j - 1) == Some(&x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        previous = Some(x);
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        assert_eq!(slips("", "abc"), 3);
        assert_eq!(slips("abc", "abc"), 0);
        assert_eq!(slips("acb", "abc"), 1);
        assert_eq!(slips("pasword", "password"), 1);
        assert_eq!(slips("kitten", "sitting"), 3);
    }

    #[test]
    fn nearest_is_near() {
        let known = ["url", "username", "password", "max_bytes", "run_interval"];
        assert_eq!(nearest("pasword", &known), Some("password"));
        assert_eq!(nearest("max-bytes", &known), Some("max_bytes"));
        assert_eq!(nearest("URL", &known), Some("url"));
        assert_eq!(nearest("interval", &known), None);
        assert_eq!(nearest("key", &known), None);
    }

    #[test]
    fn names_are_safe_to_print() {
        assert_eq!(quoted("a\u{1b}[31m\u{202e}"), "`a\\u{1b}[31m\\u{202e}`");
        assert_eq!(quoted(&"x".repeat(1000)), format!("`{}…`", "x".repeat(64)));
    }
}
