//! A page to its entries.

use super::Format;
use super::entry::Entry;
use super::error::{TextError, TextErrorKind};
use super::limits::MAX_LINE_BYTES;
use super::scan::{Grammar, Line, Mistake, RawLabel, scan};

/// The entries of a page, in order: an iterator over its lines that say something, be they good or bad.
///
/// A line with a mistake is one `Err`, and reading goes on with the next line. A mistake that shows only at the end
/// of a family, such as a histogram without its last bucket, is an `Err` of its own. So a reader that is left to
/// its end has named every mistake, and `collect::<Result<Vec<_>, _>>()` stops at the first. What comes before an
/// `Err` may be part of a page that is bad as a whole: OpenMetrics says that such a page is bad in its entirety.
///
/// Time is linear in the page. A sample is borrowed from it, and nothing is allocated for one, unless it has a
/// quoted name with escapes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    page: &'a [u8],
    grammar: Grammar,
    skips: bool,
    bad_lines: u64,
    first_bad: Option<TextError>,
    /// The UTF-8 from `base` up to the end or to the first byte that is not.
    valid: &'a str,
    base: usize,
    /// The next byte to read, and the line that was read last.
    at: usize,
    line: usize,
    state: State,
    labels: Vec<RawLabel<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Reading,
    /// The end mark was read.
    Closed,
    Ended,
}

impl<'a> Reader<'a> {
    /// A strict reader: what it takes without an error is right by the format's whole specification.
    pub fn new(page: &'a [u8], format: Format) -> Reader<'a> {
        let mut reader = Reader {
            page,
            grammar: Grammar {
                format,
                lenient: false,
            },
            skips: false,
            bad_lines: 0,
            first_bad: None,
            valid: "",
            base: 0,
            at: 0,
            line: 0,
            state: State::Reading,
            labels: Vec::new(),
        };
        reader.validate();
        reader
    }

    /// Reads as a scraper of real pages has to: syntax alone counts, lines may end in CR LF, the last one need not
    /// end at all, blanks, blank lines and comments may be anywhere, and names may be in quotes. Families need no
    /// metadata, may come again, and may have any labels.
    #[must_use]
    pub fn lenient(mut self) -> Reader<'a> {
        self.grammar.lenient = true;
        self
    }

    /// Leaves bad lines out and counts them, instead of giving an `Err` for each.
    #[must_use]
    pub fn skip_bad_lines(mut self) -> Reader<'a> {
        self.skips = true;
        self
    }

    /// How many lines were left out so far, see [`Reader::skip_bad_lines`].
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    /// The first mistake of those that were left out.
    pub fn first_bad_line(&self) -> Option<&TextError> {
        self.first_bad.as_ref()
    }

    /// The line that was read last, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Finds the UTF-8 that begins at the next byte.
    fn validate(&mut self) {
        let rest = &self.page[self.at..];
        self.base = self.at;
        self.valid = match str::from_utf8(rest) {
            Ok(valid) => valid,
            Err(error) => str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
        };
    }

    fn error(&self, place: usize, kind: TextErrorKind) -> TextError {
        TextError {
            line: self.line,
            column: place + 1,
            kind,
        }
    }

    /// The next line without its line feed, and whether it has one.
    fn take_line(&mut self) -> Option<Result<(&'a str, bool), TextError>> {
        if self.at == self.page.len() {
            return None;
        }
        self.line += 1;
        let valid: &'a str = self.valid;
        let rest = &valid[self.at - self.base..];
        if let Some(end) = rest.find('\n') {
            self.at += end + 1;
            return Some(Ok((&rest[..end], true)));
        }
        let start = self.at;
        if start + rest.len() == self.page.len() {
            self.at = self.page.len();
            return Some(Ok((rest, false)));
        }
        let end = self.page[start..].iter().position(|&byte| byte == b'\n');
        self.at = end.map_or(self.page.len(), |end| start + end + 1);
        self.validate();
        Some(Err(self.error(rest.len(), TextErrorKind::NotUtf8)))
    }

    /// The next line that says something.
    fn read(&mut self) -> Option<Result<Entry<'a>, TextError>> {
        loop {
            if self.state == State::Ended {
                return None;
            }
            let Some(line) = self.take_line() else {
                let was = std::mem::replace(&mut self.state, State::Ended);
                return (was == State::Reading && self.grammar.format == Format::OpenMetrics)
                    .then(|| Err(self.error(0, TextErrorKind::MissingEof)));
            };
            match line.and_then(|(line, ended)| self.entry(line, ended)) {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What a line says.
    fn entry(&mut self, line: &'a str, ended: bool) -> Result<Option<Entry<'a>>, TextError> {
        if self.state == State::Closed {
            self.state = State::Ended;
            return Err(self.error(0, TextErrorKind::AfterEof));
        }
        if line.len() > MAX_LINE_BYTES {
            return Err(self.error(MAX_LINE_BYTES, TextErrorKind::LineTooLong(line.len())));
        }
        let lenient = self.grammar.lenient;
        let mut text = line;
        if lenient {
            text = text.strip_suffix('\r').unwrap_or(text);
        } else if line.ends_with('\r') {
            return Err(self.error(line.len() - 1, TextErrorKind::CarriageReturn));
        }
        if self.line == 1 && text.starts_with('\u{feff}') {
            match lenient {
                true => text = &text['\u{feff}'.len_utf8()..],
                false => return Err(self.error(0, TextErrorKind::ByteOrderMark)),
            }
        }
        let scanned = scan(text, self.grammar, &mut self.labels).map_err(|Mistake { place, kind }| {
            self.error(
                place + (line.len() - text.len()) * usize::from(text.is_empty()),
                kind,
            )
        })?;
        if !ended && !lenient && self.grammar.format == Format::Prometheus {
            return Err(self.error(line.len(), TextErrorKind::MissingLineFeed));
        }
        let Line::Entry(entry, _places) = scanned else {
            return Ok(None);
        };
        if entry == Entry::Eof {
            self.state = State::Closed;
        }
        Ok(Some(entry))
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Entry<'a>, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read()? {
                Err(error) if self.skips => {
                    self.bad_lines += 1;
                    self.first_bad.get_or_insert(error);
                }
                entry => return Some(entry),
            }
        }
    }
}
