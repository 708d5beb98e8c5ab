//! The characters of a text that comes in pieces of bytes.

use std::cell::Cell;
use std::str::from_utf8;

use granit_parser::ErrorKind;

/// Gives the characters of UTF-8 in pieces, which may end within a character.
pub(super) struct Chars<'a> {
    pieces: &'a mut dyn Iterator<Item = Vec<u8>>,
    text: String,
    /// The next character's place in `text`.
    at: usize,
    /// The beginning of a character that the next piece completes.
    cut: Vec<u8>,
    /// Bytes before `text`.
    before: usize,
    /// Characters that were given; the reader sets it back.
    given: &'a Cell<usize>,
    most: usize,
}

impl<'a> Chars<'a> {
    /// `given` counts the characters; where it reaches `most`, that is an error.
    pub(super) fn new(
        pieces: &'a mut dyn Iterator<Item = Vec<u8>>,
        given: &'a Cell<usize>,
        most: usize,
    ) -> Self {
        Self {
            pieces,
            text: String::new(),
            at: 0,
            cut: Vec::new(),
            before: 0,
            given,
            most,
        }
    }

    fn not_text(&self, place: usize) -> ErrorKind {
        let offset = self.before + place;
        let message = format!("it is not UTF-8 text: the byte at offset {offset} cannot be");
        ErrorKind::InputDecoding { message }
    }
}

impl Chars<'_> {
    /// Goes on to the next piece; false after the last.
    #[cold]
    fn refill(&mut self) -> Result<bool, ErrorKind> {
        self.before += self.text.len();
        self.text.clear();
        self.at = 0;
        let Some(piece) = self.pieces.next() else {
            return if self.cut.is_empty() {
                Ok(false)
            } else {
                Err(self.not_text(0))
            };
        };
        let mut piece = &piece[..];
        // At most three bytes of the next piece complete a character.
        while !self.cut.is_empty() {
            match from_utf8(&self.cut) {
                Ok(character) => {
                    self.text.push_str(character);
                    self.cut.clear();
                }
                Err(error) if error.error_len().is_some() => return Err(self.not_text(0)),
                Err(_) => match piece.split_first() {
                    Some((byte, rest)) => {
                        self.cut.push(*byte);
                        piece = rest;
                    }
                    None => return Ok(true),
                },
            }
        }
        match from_utf8(piece) {
            Ok(text) => self.text.push_str(text),
            Err(error) => {
                let (text, rest) = piece.split_at(error.valid_up_to());
                if error.error_len().is_some() {
                    return Err(self.not_text(self.text.len() + text.len()));
                }
                self.text.push_str(from_utf8(text).unwrap_or_default());
                self.cut.extend_from_slice(rest);
            }
        }
        Ok(true)
    }
}

impl Iterator for Chars<'_> {
    type Item = Result<char, ErrorKind>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let character = match self.text.as_bytes().get(self.at) {
                Some(byte) if byte.is_ascii() => char::from(*byte),
                Some(_) => self.text.get(self.at..)?.chars().next()?,
                None => match self.refill() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => return Some(Err(error)),
                },
            };
            self.at += character.len_utf8();
            let given = self.given.get() + 1;
            if given > self.most {
                let message = format!(
                    "one text is longer than {} characters, the most that are read",
                    self.most
                );
                return Some(Err(ErrorKind::Custom(message)));
            }
            self.given.set(given);
            return Some(Ok(character));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]], most: usize) -> Result<String, String> {
        let given = Cell::new(0);
        let mut pieces = pieces.iter().map(|piece| piece.to_vec());
        let chars = Chars::new(&mut pieces, &given, most);
        chars.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    #[test]
    fn pieces_may_end_within_a_character() {
        let whole = "a∙é😀z";
        for at in 0..=whole.len() {
            for to in at..=whole.len() {
                let bytes = whole.as_bytes();
                let pieces = [&bytes[..at], &bytes[at..to], b"", &bytes[to..]];
                assert_eq!(read(&pieces, 9).as_deref(), Ok(whole), "{at} {to}");
            }
        }
        let single: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
        assert_eq!(read(&single, 9).as_deref(), Ok(whole));
    }

    #[test]
    fn what_is_no_text_says_where() {
        for (pieces, offset) in [
            (&[&b"ab\xff"[..]][..], 2),
            (&[b"ab", b"c\xe2\x88", b"x"], 3),
            (&[b"ab\xe2\x88"], 2),
            (&[b"\xe2", b"\x88\x99a\xc0"], 4),
        ] {
            let said = read(pieces, 9).unwrap_err();
            assert!(said.contains(&format!("offset {offset} ")), "{said}");
        }
    }

    #[test]
    fn no_more_are_given_than_the_bound() {
        assert_eq!(read(&[b"abc"], 3).as_deref(), Ok("abc"));
        assert!(
            read(&[b"abcd"], 3)
                .unwrap_err()
                .contains("longer than 3 characters")
        );
    }
}
