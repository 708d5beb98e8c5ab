//! A page to its entries.

use super::Format;
use super::entry::Entry;
use super::error::{TextError, TextErrorKind};
use super::family::Families;
use super::limits::MAX_LINE_BYTES;
use super::scan::{Details, Grammar, Mistake, scan};

/// The entries of a page, in order: an iterator over its lines that say something, be they good or bad.
///
/// A line with a mistake is one `Err`, and reading goes on with the next line. A mistake that shows only at the end
/// of a family, such as a histogram without its last bucket, is an `Err` of its own. So a reader that is left to
/// its end has named every mistake, and `collect::<Result<Vec<_>, _>>()` stops at the first. What comes before an
/// `Err` may be part of a page that is bad as a whole: OpenMetrics says that such a page is bad in its entirety.
///
/// Time is linear in the page. A sample is borrowed from it, and nothing is allocated for one, unless it has an
/// exemplar or a quoted name with escapes. A strict reader remembers some bytes of each family and of each sample of
/// the family that it is in, within [`MAX_FAMILIES`](super::MAX_FAMILIES) and [`MAX_METRICS`](super::MAX_METRICS); a
/// lenient one remembers nothing.
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
    details: Details<'a>,
    /// What a strict reader remembers.
    families: Option<Box<Families<'a>>>,
    /// The next to give, last first.
    next: Vec<Result<Entry<'a>, TextError>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Reading,
    /// The end mark was read.
    Closed,
    Ended,
}

impl<'a> Reader<'a> {
    /// A strict reader: what it takes without an error is right by the format's whole specification, but for
    /// OpenMetrics' help, in which a bare quote or a last backslash is taken as it stands.
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
            details: Details::default(),
            families: Some(Box::new(Families::new(format))),
            next: Vec::new(),
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
        self.families = None;
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

    /// The next line that says something, or the next mistake.
    fn read(&mut self) -> Option<Result<Entry<'a>, TextError>> {
        loop {
            if let Some(next) = self.next.pop() {
                return Some(next);
            }
            if self.state == State::Ended {
                return None;
            }
            let Some(line) = self.take_line() else {
                self.end();
                continue;
            };
            let read = match line {
                Ok((line, ended)) => self.entry(line, ended),
                Err(error) => Err(error),
            };
            let entry = match read {
                Ok(None) => continue,
                Ok(Some(entry)) => match self.check(&entry) {
                    Ok(()) => Ok(entry),
                    Err(error) => Err(error),
                },
                Err(error) => {
                    if let Some(families) = &mut self.families {
                        families.bad_line();
                    }
                    Err(error)
                }
            };
            if self
                .families
                .as_ref()
                .is_none_or(|families| families.found_none())
            {
                return Some(entry);
            }
            self.next.push(entry);
            self.take_found();
        }
    }

    /// Checks an entry against what was read before.
    #[inline]
    fn check(&mut self, entry: &Entry<'a>) -> Result<(), TextError> {
        if matches!(entry, Entry::Eof) {
            self.state = State::Closed;
        }
        let Some(families) = &mut self.families else {
            return Ok(());
        };
        families
            .take(entry, &self.details, self.line)
            .map_err(|(place, mistake)| {
                if mistake.is_final() {
                    self.state = State::Ended;
                }
                self.error(place, TextErrorKind::Family(mistake))
            })
    }

    /// Gives what was found at the end of a metric or family, before what comes next.
    fn take_found(&mut self) {
        if let Some(families) = &mut self.families {
            let found = families.found().drain(..).rev();
            self.next.extend(found.map(|(line, mistake)| {
                Err(TextError {
                    line,
                    column: 1,
                    kind: TextErrorKind::Family(mistake),
                })
            }));
        }
    }

    /// The page ends.
    fn end(&mut self) {
        let was = std::mem::replace(&mut self.state, State::Ended);
        if was == State::Reading && self.grammar.format == Format::OpenMetrics {
            let error = TextError {
                line: self.line.max(1),
                column: self.column_of_end(),
                kind: TextErrorKind::MissingEof,
            };
            self.next.push(Err(error));
        }
        if let Some(families) = &mut self.families {
            families.end();
        }
        self.take_found();
    }

    /// Takes a bad line for the end mark where it is meant to be one: it is wrong, but not missing.
    fn close_where_meant(&mut self, line: &str) {
        let word = line.trim_ascii().strip_prefix('#').unwrap_or_default();
        if word.trim_ascii_start() == "EOF" && self.grammar.format == Format::OpenMetrics {
            self.state = State::Closed;
        }
    }

    /// The column after the last byte of the last line.
    fn column_of_end(&self) -> usize {
        let page = self.page.strip_suffix(b"\n").unwrap_or(self.page);
        page.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1
    }

    /// What a line says, and where.
    #[inline]
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
        let mut skipped = 0;
        if lenient {
            text = text.strip_suffix('\r').unwrap_or(text);
        } else if line.ends_with('\r') {
            self.close_where_meant(line);
            return Err(self.error(line.len() - 1, TextErrorKind::CarriageReturn));
        }
        if self.line == 1
            && let Some(rest) = text.strip_prefix('\u{feff}')
        {
            if !lenient {
                return Err(self.error(0, TextErrorKind::ByteOrderMark));
            }
            skipped = text.len() - rest.len();
            text = rest;
        }
        let entry = match scan(text, self.grammar, &mut self.details) {
            Ok(entry) => entry,
            Err(Mistake { place, kind }) => {
                self.close_where_meant(text);
                return Err(self.error(skipped + place, kind));
            }
        };
        if !ended && !lenient && self.grammar.format == Format::Prometheus {
            return Err(self.error(line.len(), TextErrorKind::MissingLineFeed));
        }
        Ok(entry)
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
