//! `update_excuses.html`: the line that says when britney made it.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What the line begins with, after its markup.
const KEY: &[u8] = b"Generated:";
/// How the time is written, in UTC.
const FORMAT: &str = "%Y.%m.%d %H:%M:%S";
/// Its length in bytes.
const LENGTH: usize = "2026.11.21 06:00:00".len();
/// The most spaces between them.
const MAX_SPACES: usize = 16;
/// The longest that all of this is, in bytes.
const WINDOW: usize = KEY.len() + MAX_SPACES + LENGTH;

/// Looks for the time at which the page was made, `Generated: YYYY.MM.DD HH:MM:SS`, in a page that comes in pieces.
///
/// The page is long, and the line stands near its beginning. It keeps a few bytes of what it saw, wherever the pieces end.
///
/// ```
/// use tidemark_britney::generated::Search;
///
/// let mut search = Search::default();
/// assert_eq!(search.look(b"<html>\n<p>Gener"), None);
/// let found = search.look(b"ated: 2026.11.21 06:45:12 +0000</p>\n<ul>").unwrap();
/// assert_eq!(found.to_string(), "2026-11-21 06:45:12 UTC");
/// ```
#[derive(Debug, Default)]
pub struct Search {
    /// The end of what was looked at: what may be the beginning of the line.
    kept: Vec<u8>,
    looked: usize,
}

impl Search {
    /// The time, where it is whole with this piece.
    pub fn look(&mut self, piece: &[u8]) -> Option<DateTime<Utc>> {
        self.looked += piece.len();
        self.kept.extend_from_slice(piece);
        let found = find(&self.kept);
        if found.is_none() {
            self.kept.drain(..self.kept.len().saturating_sub(WINDOW));
        }
        found
    }

    /// How many bytes were looked at.
    pub fn looked(&self) -> usize {
        self.looked
    }
}

/// The first time in this text.
fn find(text: &[u8]) -> Option<DateTime<Utc>> {
    let mut rest = text;
    while let Some(place) = rest.windows(KEY.len()).position(|bytes| bytes == KEY) {
        rest = &rest[place + KEY.len()..];
        let spaces = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        if spaces <= MAX_SPACES
            && let Some(time) = rest.get(spaces..spaces + LENGTH)
            && let Ok(time) = std::str::from_utf8(time)
            && let Ok(time) = NaiveDateTime::parse_from_str(time, FORMAT)
        {
            return Some(time.and_utc());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn search(pieces: &[&[u8]]) -> Option<String> {
        let mut search = Search::default();
        let found = pieces.iter().find_map(|piece| search.look(piece));
        found.map(|time| time.to_string())
    }

    #[test]
    fn the_line_has_markup_around_it() {
        for line in [
            "<p>Generated: 2026.11.21 06:45:12 +0000</p>",
            "Generated: 2026.11.21 06:45:12 UTC",
            "<p>Generated:2026.11.21 06:45:12",
            "  <li>Generated: \t 2026.11.21 06:45:12",
        ] {
            let page = format!("<html>\n{line}\n<ul>");
            assert_eq!(
                search(&[page.as_bytes()]).as_deref(),
                Some("2026-11-21 06:45:12 UTC"),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_passed_over() {
        let page = "Generated: never\nGenerated: 2026.13.01 00:00:00\nGenerated: 2026-11-21 06:45:12\n\
                    Generated: 2024.02.29 23:59:59 +0000";
        assert_eq!(
            search(&[page.as_bytes()]).as_deref(),
            Some("2024-02-29 23:59:59 UTC")
        );
        for page in [
            "",
            "Generated:",
            "Generated: 2026.11.21 06:45:1",
            "Generated: 2025.02.29 00:00:00",
            "generated: 2026.11.21 06:45:12",
        ] {
            assert_eq!(search(&[page.as_bytes()]), None, "{page}");
        }
    }

    #[test]
    fn little_is_kept_of_a_long_page() {
        let mut search = Search::default();
        for _ in 0..1000 {
            assert_eq!(search.look(&[b'G'; 1000]), None);
            assert!(search.kept.len() <= WINDOW);
        }
        assert_eq!(search.looked(), 1_000_000);
    }

    proptest! {
        #[test]
        fn it_is_found_wherever_the_pieces_end(before in "[a-zG:<> \n]{0,80}", spaces in 0..=MAX_SPACES, cuts in prop::collection::vec(0_usize..180, 0..6)) {
            let page = format!("{before}Generated:{}2026.11.21 06:45:12 +0000</p>\n", " ".repeat(spaces));
            let bytes = page.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let found = search(&pieces);
            prop_assert_eq!(found.as_deref(), Some("2026-11-21 06:45:12 UTC"));
        }

        #[test]
        fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
            let mut search = Search::default();
            for piece in &pieces {
                search.look(piece);
            }
        }
    }
}
