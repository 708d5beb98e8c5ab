//! JSON, read as it comes.
//!
//! Its own reader, since one odd value must not cost a whole answer: a number beyond a float's range, a lone surrogate, a
//! control character in a text or `NaN` are met here without an error. Numbers are exact, and nothing is copied that
//! needs no copy.

use std::borrow::Cow;

/// What stops the reader: what should have been at a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Wrong {
    /// Bytes from the beginning.
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

pub(crate) type Read<T> = Result<T, Wrong>;

/// What a value is, from its first byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Map,
    List,
    Text,
    Number,
    Bool,
    Null,
}

/// A number, and how it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    /// Infinite where it is beyond the range, NaN where it says so.
    pub(crate) value: f64,
    pub(crate) text: &'a str,
}

/// A place in a text.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// The powers of ten that a float has exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Up to here, every whole number is a float.
const EXACT: u64 = 1 << 53;
/// As many digits always fit into 64 bits.
const DIGITS: usize = 19;

const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);

/// Not zero where a byte is zero, and then its lowest bit is the first such byte's.
const fn first_zero(word: u64) -> u64 {
    word.wrapping_sub(u64::from_le_bytes([1; 8])) & !word & u64::from_le_bytes([0x80; 8])
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn wrong<T>(&self, expected: &'static str) -> Read<T> {
        Err(Wrong {
            at: self.at,
            expected,
        })
    }

    /// The next byte that is no white space, which is not taken.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Takes this byte, if it is the next.
    #[inline]
    fn takes(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Read<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.wrong("nothing more"),
        }
    }

    /// What comes next.
    #[inline]
    pub(crate) fn kind(&mut self) -> Read<Kind> {
        match self.peek() {
            Some(b'{') => Ok(Kind::Map),
            Some(b'[') => Ok(Kind::List),
            Some(b'"') => Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            _ => self.wrong("a value"),
        }
    }

    /// Takes the bracket that begins a list or map; whether it has something in it.
    #[inline]
    pub(crate) fn open(&mut self, kind: Kind) -> Read<bool> {
        let (begin, end) = match kind {
            Kind::Map => (b'{', b'}'),
            _ => (b'[', b']'),
        };
        if !self.takes(begin) {
            return self.wrong("a bracket");
        }
        Ok(!self.takes(end))
    }

    /// Takes what is between two elements, or the list's end; whether there is one more.
    #[inline]
    pub(crate) fn more(&mut self, kind: Kind) -> Read<bool> {
        if self.takes(b',') {
            return Ok(true);
        }
        let (end, expected) = match kind {
            Kind::Map => (b'}', "a comma or }"),
            _ => (b']', "a comma or ]"),
        };
        if self.takes(end) {
            return Ok(false);
        }
        self.wrong(expected)
    }

    /// A member's name and its colon.
    #[inline]
    pub(crate) fn name(&mut self) -> Read<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.wrong("a name in quotes");
        }
        let name = self.string()?;
        if !self.takes(b':') {
            return self.wrong("a colon");
        }
        Ok(name)
    }

    /// A text. Control characters are taken as they are; half a character (a lone surrogate) becomes U+FFFD.
    #[inline]
    pub(crate) fn string(&mut self) -> Read<Cow<'a, str>> {
        if !self.takes(b'"') {
            return self.wrong("a text in quotes");
        }
        let start = self.at;
        self.at = self.quote_or_backslash(start);
        if self.byte(self.at) == Some(b'"') {
            let text = &self.text[start..self.at];
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped(start).map(Cow::Owned)
    }

    /// The place of the next of both, or the end; eight bytes at once.
    #[inline]
    fn quote_or_backslash(&self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*word);
            let found = first_zero(word ^ QUOTES) | first_zero(word ^ BACKSLASHES);
            if found != 0 {
                return at + found.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
        at + length.unwrap_or(rest.len())
    }

    /// The text from `start`, of which all before this place needs no change.
    #[cold]
    fn escaped(&mut self, start: usize) -> Read<String> {
        let mut text = self.text[start..self.at].to_owned();
        loop {
            match self.byte(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return self.wrong("the end of a text"),
            }
            let next = self.quote_or_backslash(self.at);
            text.push_str(&self.text[self.at..next]);
            self.at = next;
        }
    }

    /// What stands after a backslash.
    fn escape(&mut self) -> Read<char> {
        let Some(byte) = self.byte(self.at) else {
            return self.wrong("the end of a text");
        };
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return self.wrong("an escape that JSON knows"),
        };
        self.at += 1;
        Ok(character)
    }

    /// The character of one or two `\u`, of which the first letters are taken.
    fn unicode(&mut self) -> Read<char> {
        let first = self.hex()?;
        let low = match first {
            0xd800..=0xdbff if self.text.as_bytes()[self.at..].starts_with(b"\\u") => {
                let before = self.at;
                self.at += 2;
                let low = self.hex()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    self.at = before;
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                low
            }
            _ => return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)),
        };
        let code = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte(self.at).and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.wrong("four hexadecimal digits");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// A whole number from 0 on of few digits, if it is one that comes next; else nothing is taken.
    #[inline]
    pub(crate) fn short_whole(&mut self) -> Option<i64> {
        self.peek()?;
        let start = self.at;
        let mut whole: u64 = 0;
        let digits = self.digits(&mut whole);
        let is_other = matches!(self.byte(self.at), Some(b'.' | b'e' | b'E'));
        let leading_zero = digits > 1 && self.byte(start) == Some(b'0');
        if digits == 0 || digits >= DIGITS || is_other || leading_zero {
            self.at = start;
            return None;
        }
        i64::try_from(whole).ok()
    }

    /// A number. `NaN`, `Infinity` and `-Infinity`, which are no JSON, are taken too.
    pub(crate) fn number(&mut self) -> Read<Number<'a>> {
        self.peek();
        let start = self.at;
        let negative = self.byte(self.at) == Some(b'-');
        self.at += usize::from(negative);
        if matches!(self.byte(self.at), Some(b'N' | b'I')) {
            return self.not_finite(start);
        }
        let mut mantissa: u64 = 0;
        let whole = self.digits(&mut mantissa);
        let leading_zero = self.byte(self.at.wrapping_sub(whole)) == Some(b'0');
        if whole == 0 || (whole > 1 && leading_zero) {
            self.at -= whole;
            return self.wrong("a number");
        }
        let mut fraction = 0;
        if self.byte(self.at) == Some(b'.') {
            self.at += 1;
            fraction = self.digits(&mut mantissa);
            if fraction == 0 {
                return self.wrong("a digit");
            }
        }
        let exponent = matches!(self.byte(self.at), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(self.at), Some(b'+' | b'-')));
            if self.digits(&mut 0) == 0 {
                return self.wrong("a digit");
            }
        }
        let text = &self.text[start..self.at];
        // Both are exact, so that the division rounds once, as it should. Whole numbers are divided by one.
        let exact = whole + fraction <= DIGITS && mantissa <= EXACT && !exponent;
        let power = POWERS.get(fraction);
        #[expect(clippy::cast_precision_loss, reason = "no more than 2^53")]
        let value = match power {
            Some(power) if exact && negative => -(mantissa as f64 / power),
            Some(power) if exact => mantissa as f64 / power,
            // A number of this form is always read.
            _ => text.parse().unwrap_or(f64::NAN),
        };
        Ok(Number { value, text })
    }

    /// Takes digits, and adds them to a number, which is right where there are no more than [`DIGITS`].
    #[inline]
    fn digits(&mut self, mantissa: &mut u64) -> usize {
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.byte(self.at) {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            self.at += 1;
        }
        self.at - start
    }

    #[cold]
    fn not_finite(&mut self, start: usize) -> Read<Number<'a>> {
        for (word, value) in [("NaN", f64::NAN), ("Infinity", f64::INFINITY)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                let text = &self.text[start..self.at];
                return Ok(Number { value, text });
            }
        }
        self.wrong("a number")
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Read<&'a str> {
        self.peek();
        let rest = &self.text[self.at..];
        for word in ["true", "false", "null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(&rest[..word.len()]);
            }
        }
        self.wrong("a value")
    }

    /// Takes a value, however deep, and forgets it.
    pub(crate) fn skip(&mut self) -> Read<()> {
        // The brackets that are open around the value that comes next.
        let mut open: Vec<Kind> = Vec::new();
        loop {
            let kind = self.kind()?;
            let mut within = false;
            match kind {
                Kind::Map | Kind::List => {
                    within = self.open(kind)?;
                    if within {
                        open.push(kind);
                    }
                }
                Kind::Text => self.skip_string()?,
                Kind::Number => _ = self.number()?,
                Kind::Bool | Kind::Null => _ = self.word()?,
            }
            while !within {
                let Some(&kind) = open.last() else {
                    return Ok(());
                };
                within = self.more(kind)?;
                if !within {
                    open.pop();
                }
            }
            if open.last() == Some(&Kind::Map) {
                self.skip_name()?;
            }
        }
    }

    fn skip_string(&mut self) -> Read<()> {
        self.string().map(drop)
    }

    fn skip_name(&mut self) -> Read<()> {
        self.name().map(drop)
    }
}
